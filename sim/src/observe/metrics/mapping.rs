//! What an event source mapping publishes of its own: the EventCount group (LAM-M-22).

use super::{Metric, Metrics, Point, len};
use crate::directory::Component;
use crate::engine::time::SimTime;
use crate::observe::fact::{Fact, MappingChange, Remains};

impl Metrics {
    /// Facts about a mapping's batches.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`note` has sorted the facts, exhaustively"
    )]
    pub(super) fn mapping(&mut self, now: SimTime, fact: &Fact<'_>) {
        // What is counted, how much, and who counts it.
        let (reader, metric, value) = match *fact {
            Fact::GetRecordsHandled {
                reader,
                records,
                again: false,
                ..
            } => (reader, Metric::PolledEventCount, len(records)),
            Fact::RecordsFilteredOut { reader, records, .. } => (reader, Metric::FilteredOutEventCount, len(records)),
            Fact::BatchDispatched { reader, records, .. } => (reader, Metric::InvokedEventCount, len(records)),
            Fact::BatchFailed { reader, records, .. } => (reader, Metric::FailedInvokeEventCount, u64::from(records)),
            Fact::RecordsDiscarded {
                reader,
                remains,
                records,
                ..
            } => {
                let metric = match remains {
                    Remains::DeadLettered => Metric::OnFailureDestinationDeliveredEventCount,
                    Remains::Dropped | Remains::Undeliverable => Metric::DroppedEventCount,
                };
                (reader, metric, len(records))
            }
            Fact::MappingChanged {
                reader,
                change: MappingChange::DocumentWritten(document),
            } => {
                let failed = u64::from(!document.delivered);
                let function = self.directory.readers[reader].processor;
                return self.processors[function].add(now, Metric::DestinationDeliveryFailures, Point::of(failed));
            }
            _ => return,
        };
        if let Component::Mapping(mapping) = self.directory.readers[reader].component
            && let Some(group) = &mut self.mappings[mapping]
        {
            group.add(now, metric, Point::of(value));
        }
    }
}
