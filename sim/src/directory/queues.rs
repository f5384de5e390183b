//! The queues of a world, and their workers.

use super::{Directory, UnknownReference, find, maybe, sorted};
use crate::blueprint::{Blueprint, ProvisionedPollers, QueueMappingBlueprint};
use crate::engine::index::{Idx, IndexVec};
use crate::ids::{FleetId, FunctionId, ProducerId, QueueId, QueueMappingId, ReaderId};
use crate::profile::Profile;
use crate::services::queue_mapping::quotas;

/// A queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueEntry {
    /// Its name in the scenario.
    pub name: String,
    /// It is a FIFO queue.
    pub fifo: bool,
    /// It is a standard queue whose senders state a MessageGroupId.
    pub fair: bool,
    /// Where messages go that were received too often.
    pub dead_letter_queue: Option<QueueId>,
}

/// Workers of a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FleetEntry {
    /// Their name in the scenario.
    pub name: String,
    /// What they poll.
    pub queue: QueueId,
}

/// An event source mapping of a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueMappingEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it polls.
    pub queue: QueueId,
    /// What it invokes.
    pub function: FunctionId,
    /// ScalingConfig.MaximumConcurrency (LAM-Q-14).
    pub maximum_concurrency: Option<u32>,
    /// Batches that may be with the function at the same time, for all that the mapping itself knows.
    pub ceiling: u32,
    /// ProvisionedPollerConfig.
    pub provisioned: Option<ProvisionedPollers>,
    /// MetricsConfig holds EventCount (LAM-M-20).
    pub event_count: bool,
}

impl QueueMappingEntry {
    fn ceiling(mapping: &QueueMappingBlueprint, profile: Profile) -> u32 {
        let on_demand = quotas::ceiling(profile);
        let own = mapping.maximum_concurrency.map_or(on_demand, |own| own.min(on_demand));
        let provisioned = |pollers: ProvisionedPollers| pollers.maximum * quotas::INVOCATIONS_OF_A_POLLER;
        mapping.provisioned.map_or(own, provisioned)
    }
}

/// The mappings of queues, in order of id.
pub(super) fn queue_mappings(
    blueprint: &Blueprint,
    queue_names: &[&str],
    function_names: &[&str],
) -> Result<IndexVec<QueueMappingId, QueueMappingEntry>, UnknownReference> {
    sorted(blueprint.queue_mappings.iter(), |mapping| &mapping.name)
        .into_iter()
        .map(|mapping| {
            Ok(QueueMappingEntry {
                name: mapping.name.clone(),
                queue: find(queue_names, &mapping.queue, &mapping.name)?,
                function: find(function_names, &mapping.function, &mapping.name)?,
                maximum_concurrency: mapping.maximum_concurrency,
                ceiling: QueueMappingEntry::ceiling(mapping, blueprint.profile),
                provisioned: mapping.provisioned,
                event_count: mapping.event_count_metrics,
            })
        })
        .collect()
}

type Queues = (IndexVec<QueueId, QueueEntry>, IndexVec<FleetId, FleetEntry>);

/// The queues and their workers.
pub(super) fn queues(blueprint: &Blueprint) -> Result<Queues, UnknownReference> {
    let queues = sorted(blueprint.queues.iter(), |queue| &queue.name);
    let names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
    let fleets = sorted(blueprint.fleets.iter(), |fleet| &fleet.name)
        .into_iter()
        .map(|fleet| {
            Ok(FleetEntry {
                name: fleet.name.clone(),
                queue: find(&names, &fleet.queue, &fleet.name)?,
            })
        })
        .collect::<Result<_, _>>()?;
    let queues = queues
        .iter()
        .map(|queue| {
            let dead_letters = queue.redrive.as_ref().map(|policy| &policy.dead_letter_queue);
            Ok(QueueEntry {
                name: queue.name.clone(),
                fifo: queue.fifo.is_some(),
                fair: !queue.grouped.is_empty(),
                dead_letter_queue: maybe(&names, dead_letters, &queue.name)?,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((queues, fleets))
}

impl Directory {
    /// Those of the producers that have these names.
    pub fn producers_named(&self, names: &[String]) -> Vec<ProducerId> {
        let named = self
            .producers
            .iter_enumerated()
            .filter(|(_, entry)| names.contains(&entry.name));
        named.map(|(id, _)| id).collect()
    }
    /// The queue with this name.
    pub fn queue(&self, name: &str) -> Option<QueueId> {
        self.queues
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The mapping of a queue with this name.
    pub fn queue_mapping(&self, name: &str) -> Option<QueueMappingId> {
        self.queue_mappings
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The mapping of a queue as a reader: these follow the readers of streams.
    pub fn reader_of_queue_mapping(&self, mapping: QueueMappingId) -> ReaderId {
        ReaderId::from_index(self.readers.len() + mapping.index())
    }
    /// The mapping of a queue that is this reader, if it is one.
    pub fn queue_mapping_of(&self, reader: ReaderId) -> Option<QueueMappingId> {
        let number = reader.index().checked_sub(self.readers.len())?;
        (number < self.queue_mappings.len()).then(|| QueueMappingId::from_index(number))
    }
    /// The workers with this name.
    pub fn fleet(&self, name: &str) -> Option<FleetId> {
        self.fleets
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
}
