//! What an event source mapping of a queue publishes: the EventCount group (LAM-M-21) and ProvisionedPollers (LAM-M-27).

use super::{Group, Metric, Metrics, Point, len};
use crate::directory::QueueMappingEntry;
use crate::engine::time::SimTime;
use crate::ids::QueueMappingId;
use crate::observe::queue_mapping_fact::QueueMappingFact;

const SIMULATOR: &[Metric] = &[
    Metric::BatchesInProgress,
    Metric::ConcurrencyLimit,
    Metric::MessagesLetGo,
];
const EVENT_COUNT: &[Metric] = &[
    Metric::BatchesInProgress,
    Metric::ConcurrencyLimit,
    Metric::MessagesLetGo,
    Metric::PolledEventCount,
    Metric::FilteredOutEventCount,
    Metric::InvokedEventCount,
    Metric::FailedInvokeEventCount,
    Metric::DeletedEventCount,
];
const PROVISIONED: &[Metric] = &[
    Metric::BatchesInProgress,
    Metric::ConcurrencyLimit,
    Metric::MessagesLetGo,
    Metric::ProvisionedPollers,
];
pub(super) const PROVISIONED_AND_EVENT_COUNT: &[Metric] = &[
    Metric::BatchesInProgress,
    Metric::ConcurrencyLimit,
    Metric::MessagesLetGo,
    Metric::ProvisionedPollers,
    Metric::PolledEventCount,
    Metric::FilteredOutEventCount,
    Metric::InvokedEventCount,
    Metric::FailedInvokeEventCount,
    Metric::DeletedEventCount,
];

/// The series of a mapping: the group only where MetricsConfig asks for it (LAM-M-20).
pub(super) fn group(mapping: &QueueMappingEntry) -> Group {
    Group::new(match (mapping.provisioned.is_some(), mapping.event_count) {
        (false, false) => SIMULATOR,
        (false, true) => EVENT_COUNT,
        (true, false) => PROVISIONED,
        (true, true) => PROVISIONED_AND_EVENT_COUNT,
    })
}

impl Metrics {
    pub(super) fn queue_mapping(&mut self, now: SimTime, mapping: QueueMappingId, fact: &QueueMappingFact<'_>) {
        let group = &mut self.queue_mappings[mapping];
        let mut add = |metric, value: u64| group.add(now, metric, Point::of(value));
        match *fact {
            QueueMappingFact::Polled { records } => add(Metric::PolledEventCount, len(records)),
            QueueMappingFact::FilteredOut { records } => add(Metric::FilteredOutEventCount, len(records)),
            QueueMappingFact::Dispatched {
                records, concurrent, ..
            } => {
                add(Metric::InvokedEventCount, len(records));
                add(Metric::BatchesInProgress, u64::from(concurrent));
            }
            QueueMappingFact::Failed { records, .. } => add(Metric::FailedInvokeEventCount, len(records)),
            QueueMappingFact::Throttled { records } => add(Metric::FailedInvokeEventCount, u64::from(records)),
            QueueMappingFact::Deleted { entries, .. } => add(Metric::DeletedEventCount, u64::from(entries)),
            QueueMappingFact::LetGo { records } => add(Metric::MessagesLetGo, len(records)),
            QueueMappingFact::Weighed { limit, pollers, .. } => {
                add(Metric::ConcurrencyLimit, u64::from(limit));
                add(Metric::ProvisionedPollers, u64::from(pollers));
            }
            QueueMappingFact::Done { .. } | QueueMappingFact::CallRefused | QueueMappingFact::Switched { .. } => {}
        }
    }
}
