//! Metrics of registered consumers.

use super::{Metric, Metrics, Point, len, micros};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{Fact, SubscriptionAnswer};

impl Metrics {
    /// KDS-MET-13: what is told of each registered consumer.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of a few facts")]
    pub(super) fn fan_out(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::SubscriptionEventPushed {
                reader,
                records,
                bytes,
                millis_behind,
                ..
            } => {
                let behind = Point::of(micros(SimDuration::from_millis(millis_behind)));
                let processor = self.directory.readers[reader].processor;
                self.processors[processor].add(now, Metric::MillisBehindLatest, behind);
                let group = &mut self.consumers[reader];
                group.add(now, Metric::SubscribeToShardEventBytes, Point::of(bytes));
                group.add(now, Metric::SubscribeToShardEventRecords, Point::of(len(records)));
                group.add(now, Metric::SubscribeToShardEventSuccess, Point::of(1));
                group.add(now, Metric::SubscribeToShardEventMillisBehindLatest, behind);
            }
            Fact::SubscriptionAnswered { reader, answer, .. } => {
                let group = &mut self.consumers[reader];
                match answer {
                    SubscriptionAnswer::Begun => group.add(now, Metric::SubscribeToShardSuccess, Point::of(1)),
                    SubscriptionAnswer::Refused(_) => {
                        group.add(now, Metric::SubscribeToShardSuccess, Point::of(0));
                        group.add(now, Metric::SubscribeToShardRateExceeded, Point::of(1));
                    }
                    SubscriptionAnswer::Ended => {}
                    SubscriptionAnswer::Failed(_) => {
                        group.add(now, Metric::SubscribeToShardEventSuccess, Point::of(0));
                    }
                }
            }
            _ => {}
        }
    }
}
