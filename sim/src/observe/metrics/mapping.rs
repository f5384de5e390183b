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
            }
            | Fact::SubscriptionEventPushed { reader, records, .. } => (reader, Metric::PolledEventCount, len(records)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::InvocationOutcome;
    use crate::directory::Directory;
    use crate::ids::{MappingId, ReaderId};
    use crate::observe::fact::{DiscardReason, FailureDocument};
    use crate::observe::metrics::Statistic;
    use crate::observe::sample::{CLICKS, ENRICH, ENRICHER, SHARD, at, directory, records};
    use crate::record::Record;
    use std::sync::Arc;

    fn mapping_of(directory: &Directory, reader: ReaderId) -> Component {
        directory.readers[reader].component
    }
    fn sum(metrics: &Metrics, metric: Metric) -> Option<u128> {
        let of = mapping_of(&directory(), ENRICH);
        let value = metrics.value(metric, of, Statistic::Sum, SimTime::ZERO, SimTime::NEVER)?;
        Some(value.numerator / value.denominator)
    }
    fn polled(records: &[Record], again: bool) -> Fact<'_> {
        Fact::GetRecordsHandled {
            stream: CLICKS,
            shard: SHARD,
            reader: ENRICH,
            first_position: 0,
            records,
            bytes: 100,
            millis_behind: 0,
            again,
            received_at: at(1),
        }
    }
    fn dispatched(records: &[Record], attempts_before: u32) -> Fact<'_> {
        Fact::BatchDispatched {
            reader: ENRICH,
            processor: ENRICHER.into(),
            shard: SHARD,
            lane: 0,
            first_position: 0,
            records,
            bytes: 100,
            attempts_before,
            payload_full: false,
        }
    }
    fn discarded(records: &[Record], remains: Remains) -> Fact<'_> {
        Fact::RecordsDiscarded {
            reader: ENRICH,
            shard: SHARD,
            reason: DiscardReason::RetryAttemptsExhausted,
            remains,
            records,
            positions: &[],
            first_position: 0,
        }
    }

    /// LAM-M-23: an empty poll is a value of zero; LAM-M-24: a record counts each time that the function gets it.
    #[test]
    fn lam_m_22_lam_m_23_lam_m_24_a_mapping_counts_what_it_polls_filters_and_sends() {
        let mut metrics = Metrics::new(directory());
        let batch = records(&[0, 1, 2, 3]);
        metrics.on(at(10), &polled(&[], false));
        assert_eq!(sum(&metrics, Metric::PolledEventCount), Some(0));
        metrics.on(at(20), &polled(&batch, false));
        metrics.on(at(30), &polled(&batch, true));
        let fact = Fact::RecordsFilteredOut {
            reader: ENRICH,
            shard: SHARD,
            records: &batch[..1],
            positions: &[0],
        };
        metrics.on(at(30), &fact);
        metrics.on(at(40), &dispatched(&batch[1..], 0));
        metrics.on(at(50), &dispatched(&batch[1..], 1));
        assert_eq!(sum(&metrics, Metric::PolledEventCount), Some(4));
        assert_eq!(sum(&metrics, Metric::FilteredOutEventCount), Some(1));
        assert_eq!(sum(&metrics, Metric::InvokedEventCount), Some(6));
    }

    /// Its time is that of the end: the fact is stated then.
    #[test]
    fn lam_m_25_failed_events_include_those_of_partial_failures() {
        let mut metrics = Metrics::new(directory());
        for (outcome, records) in [(InvocationOutcome::FunctionError, 4), (InvocationOutcome::Succeeded, 1)] {
            let fact = Fact::BatchFailed {
                reader: ENRICH,
                shard: SHARD,
                lane: 0,
                outcome,
                records,
                retry_at: at(2_000),
                bisected: false,
            };
            metrics.on(at(1_000), &fact);
        }
        assert_eq!(sum(&metrics, Metric::FailedInvokeEventCount), Some(5));
    }

    /// LAM-M-18: the function counts documents that could not be delivered. LAM-M-26: what a document told is not dropped.
    #[test]
    fn lam_m_18_lam_m_26_dropped_events_are_those_that_nobody_was_told_of() {
        let mut metrics = Metrics::new(directory());
        let batch = records(&[0, 1, 2, 3, 4, 5]);
        metrics.on(at(10), &discarded(&batch[..1], Remains::Dropped));
        metrics.on(at(10), &discarded(&batch[1..3], Remains::Undeliverable));
        metrics.on(at(10), &discarded(&batch[3..], Remains::DeadLettered));
        let fact = Fact::RecordsExpiredInRetry {
            reader: ENRICH,
            shard: SHARD,
            count: 7,
            first_position: 6,
        };
        metrics.on(at(10), &fact);
        for delivered in [false, true] {
            let document = FailureDocument {
                condition: DiscardReason::RetryAttemptsExhausted,
                invocations: 1,
                shard: SHARD,
                start: 0,
                end: 2,
                first_arrival: at(0),
                last_arrival: at(2),
                records: 3,
                payload_bytes: 0,
                delivered,
            };
            let fact = Fact::MappingChanged {
                reader: ENRICH,
                change: MappingChange::DocumentWritten(document),
            };
            metrics.on(at(10), &fact);
        }
        assert_eq!(
            sum(&metrics, Metric::DroppedEventCount),
            Some(3),
            "retention is none of it"
        );
        assert_eq!(sum(&metrics, Metric::OnFailureDestinationDeliveredEventCount), Some(3));
        let function = Component::Function(ENRICHER);
        let failures = metrics.value(
            Metric::DestinationDeliveryFailures,
            function,
            Statistic::Sum,
            SimTime::ZERO,
            SimTime::NEVER,
        );
        assert_eq!(failures.map(|value| value.numerator), Some(1));
    }

    #[test]
    fn lam_m_20_without_metrics_config_a_mapping_publishes_nothing() {
        let mut silent = (*directory()).clone();
        silent.mappings[MappingId(0)].event_count = false;
        let mut metrics = Metrics::new(Arc::new(silent));
        metrics.on(at(20), &polled(&records(&[0]), false));
        assert!(
            metrics
                .series(Metric::PolledEventCount, Component::Mapping(MappingId(0)))
                .is_none()
        );
    }
}
