//! The queues of a world, and their workers.

use super::{Directory, UnknownReference, find, maybe, sorted};
use crate::blueprint::Blueprint;
use crate::engine::index::IndexVec;
use crate::ids::{FleetId, ProducerId, QueueId};

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
    /// The workers with this name.
    pub fn fleet(&self, name: &str) -> Option<FleetId> {
        self.fleets
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
}
