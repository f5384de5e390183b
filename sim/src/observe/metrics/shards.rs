//! Metrics of shards (enhanced monitoring): nothing is kept unless it was asked for (KDS-MET-02).

use super::groups::SHARD;
use super::{Metric, Metrics, Point, Series, len, micros};
use crate::blueprint::ShardLevelMetrics;
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::ids::{ShardIndex, StreamId};
use crate::observe::fact::{Fact, ShardTally};

/// Of the shards of a stream.
#[derive(Clone, Debug)]
pub(super) struct ShardMetrics {
    wanted: ShardLevelMetrics,
    /// By shard; empty if nothing is wanted.
    shards: Vec<[Series; SHARD.len()]>,
}

impl ShardMetrics {
    pub(super) fn new(wanted: ShardLevelMetrics, shards: u32) -> Self {
        let kept = if wanted.count() > 0 { to_usize(shards) } else { 0 };
        Self {
            wanted,
            shards: vec![Default::default(); kept],
        }
    }
    pub(super) fn series(&self, metric: Metric, shard: ShardIndex) -> Option<&Series> {
        let place = SHARD.iter().position(|listed| *listed == metric)?;
        let wanted = self.wanted.has(metric.row().name);
        self.shards
            .get(to_usize(shard.0))
            .filter(|_| wanted)
            .map(|all| &all[place])
    }
    fn add(&mut self, at: SimTime, shard: ShardIndex, metric: Metric, values: Point) {
        if self.wanted.count() == 0 || !self.wanted.has(metric.row().name) {
            return;
        }
        let Some(place) = SHARD.iter().position(|listed| *listed == metric) else {
            return;
        };
        let shard = to_usize(shard.0);
        if shard >= self.shards.len() {
            self.shards.resize_with(shard + 1, Default::default);
        }
        self.shards[shard][place].add(at, values);
    }
}

impl Metrics {
    pub(super) fn shard(&mut self, at: SimTime, stream: StreamId, shard: ShardIndex, metric: Metric, values: Point) {
        self.shards[stream].add(at, shard, metric, values);
    }

    /// What shards have stored or refused.
    #[inline]
    pub(super) fn written(&mut self, now: SimTime, stream: StreamId, shards: &[ShardTally]) {
        let metrics = &mut self.shards[stream];
        if metrics.shards.is_empty() {
            return;
        }
        for tally in shards {
            let stored = Point::of(u64::from(tally.accepted));
            let throttled = Point::of(u64::from(tally.throttled));
            metrics.add(now, tally.shard, Metric::IncomingBytes, Point::of(tally.bytes));
            metrics.add(now, tally.shard, Metric::IncomingRecords, stored);
            metrics.add(now, tally.shard, Metric::WriteProvisionedThroughputExceeded, throttled);
        }
    }

    /// What a shard gave to readers, or refused: GetRecords and fan-out together (KDS-MET-15), the age and refusals of
    /// GetRecords alone.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of a few facts")]
    pub(super) fn given(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::GetRecordsHandled {
                stream,
                shard,
                records,
                bytes,
                millis_behind,
                ..
            } => {
                let last = records.last().filter(|_| millis_behind > 0);
                let age = last.map_or(0, |record| micros(now.since(record.arrived_at)));
                self.shard(now, stream, shard, Metric::OutgoingBytes, Point::of(bytes));
                self.shard(now, stream, shard, Metric::OutgoingRecords, Point::of(len(records)));
                self.shard(
                    now,
                    stream,
                    shard,
                    Metric::ReadProvisionedThroughputExceeded,
                    Point::of(0),
                );
                self.shard(now, stream, shard, Metric::IteratorAgeMilliseconds, Point::of(age));
            }
            Fact::GetRecordsThrottled { stream, shard, .. } => {
                self.shard(
                    now,
                    stream,
                    shard,
                    Metric::ReadProvisionedThroughputExceeded,
                    Point::of(1),
                );
            }
            Fact::SubscriptionEventPushed {
                stream,
                shard,
                records,
                bytes,
                ..
            } => {
                self.shard(now, stream, shard, Metric::OutgoingBytes, Point::of(bytes));
                self.shard(now, stream, shard, Metric::OutgoingRecords, Point::of(len(records)));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ServiceError;
    use crate::directory::{Component, Directory};
    use crate::observe::fact::{ReadLimit, SubscriptionAnswer};
    use crate::observe::metrics::Statistic;
    use crate::observe::sample::{AUDIT, CLICKS, ENRICH, SHARD as FIRST, at, directory, put, records, refused, tally};
    use std::sync::Arc;

    const SECOND: ShardIndex = ShardIndex(1);

    fn metrics(wanted: ShardLevelMetrics) -> Metrics {
        let mut directory = Directory::clone(&directory());
        directory.streams[CLICKS].shard_level_metrics = wanted;
        Metrics::new(Arc::new(directory))
    }
    fn sum(metrics: &Metrics, metric: Metric, shard: ShardIndex) -> Option<u128> {
        let series = metrics.shard_series(metric, CLICKS, shard)?;
        let found = series.statistic(Statistic::Sum, SimTime::ZERO, SimTime::NEVER)?;
        Some(found.numerator)
    }
    /// Two records are stored and one refused, read by GetRecords once and pushed once; a GetRecords is refused.
    fn all_happens(metrics: &mut Metrics) {
        let mut batch = records(&[0, 1, 2]);
        batch[1] = refused(batch[1]);
        let shards = [tally(&batch, 0)];
        metrics.on(at(100), &put(&batch, &shards, at(90)));
        let read = records(&[0, 2]);
        for (received, millis_behind) in [(150, 700), (160, 0)] {
            let fact = Fact::GetRecordsHandled {
                received_at: at(received),
                stream: CLICKS,
                shard: FIRST,
                reader: ENRICH,
                first_position: 0,
                records: &read,
                bytes: 200,
                millis_behind,
                again: false,
            };
            metrics.on(at(1_000), &fact);
        }
        let fact = Fact::SubscriptionEventPushed {
            stream: CLICKS,
            shard: FIRST,
            reader: AUDIT,
            first_position: 0,
            records: &read[..1],
            bytes: 100,
            millis_behind: 30,
        };
        metrics.on(at(1_200), &fact);
        let fact = Fact::GetRecordsThrottled {
            stream: CLICKS,
            shard: FIRST,
            reader: ENRICH,
            limit: ReadLimit::Calls,
        };
        metrics.on(at(1_300), &fact);
    }

    /// Exactly seven, each with what it counts.
    #[test]
    fn kds_met_03_a_shard_has_seven_metrics() {
        let mut metrics = metrics(ShardLevelMetrics::ALL);
        all_happens(&mut metrics);
        let names: Vec<&str> = SHARD.iter().map(|metric| metric.row().name).collect();
        assert_eq!(names, ShardLevelMetrics::NAMES);
        let kept: Vec<(&str, u128)> = Metric::ALL
            .iter()
            .filter_map(|metric| Some((metric.row().name, sum(&metrics, *metric, FIRST)?)))
            .collect();
        let age = u128::from(micros(at(1_000).since(records(&[2])[0].arrived_at)));
        let mut expected = vec![
            ("IncomingBytes", 200),
            ("IncomingRecords", 2),
            ("OutgoingBytes", 500),
            ("OutgoingRecords", 5),
            ("WriteProvisionedThroughputExceeded", 1),
            ("ReadProvisionedThroughputExceeded", 1),
            // Only of the read that was behind.
            ("IteratorAgeMilliseconds", age),
        ];
        let mut kept = kept;
        kept.sort_unstable();
        expected.sort_unstable();
        assert_eq!(kept, expected);
        assert_eq!(
            sum(&metrics, Metric::IncomingBytes, SECOND),
            None,
            "the other shard has its own"
        );
    }

    /// KDS-MET-15: two reads of two records and an event of one.
    #[test]
    fn kds_met_15_outgoing_counts_reads_and_events_together() {
        let mut metrics = metrics(ShardLevelMetrics::ALL);
        all_happens(&mut metrics);
        assert_eq!(sum(&metrics, Metric::OutgoingRecords, FIRST), Some(2 + 2 + 1));
        assert_eq!(sum(&metrics, Metric::OutgoingBytes, FIRST), Some(200 + 200 + 100));
        let of_stream = |metric| {
            let stream = Component::Stream(CLICKS);
            let value = metrics.value(metric, stream, Statistic::Sum, SimTime::ZERO, SimTime::NEVER);
            value.map(|value| value.numerator)
        };
        assert_eq!(
            of_stream(Metric::GetRecordsBytes),
            Some(400),
            "the stream counts reads alone"
        );
    }

    /// Off by default, and one by one.
    #[test]
    fn kds_met_02_a_shard_has_the_metrics_that_were_asked_for() {
        let mut none = metrics(ShardLevelMetrics::default());
        all_happens(&mut none);
        assert!(
            Metric::ALL
                .iter()
                .all(|metric| none.shard_series(*metric, CLICKS, FIRST).is_none())
        );
        assert!(none.shards[CLICKS].shards.is_empty(), "nothing is kept");
        let wanted = ShardLevelMetrics::default()
            .with("OutgoingBytes")
            .with("IncomingRecords");
        assert_eq!(wanted.count(), 2);
        let mut two = metrics(wanted);
        all_happens(&mut two);
        let has = |metric| sum(&two, metric, FIRST);
        assert_eq!(
            (has(Metric::OutgoingBytes), has(Metric::IncomingRecords)),
            (Some(500), Some(2))
        );
        assert_eq!((has(Metric::IncomingBytes), has(Metric::OutgoingRecords)), (None, None));
        // A minute each (KDS-MET-01).
        let series = two
            .shard_series(Metric::OutgoingBytes, CLICKS, FIRST)
            .expect("it is wanted");
        let lengths: Vec<u64> = series.points().map(|point| point.length.as_secs()).collect();
        assert_eq!(lengths, [60]);
    }

    fn of_consumer(metrics: &Metrics, metric: Metric, statistic: Statistic) -> Option<u128> {
        let reader = metrics.directory.readers[AUDIT].component;
        let value = metrics.value(metric, reader, statistic, SimTime::ZERO, SimTime::NEVER)?;
        Some(value.numerator * 100 / value.denominator)
    }

    /// Each consumer's own: what was pushed to it, and how its calls and subscriptions went.
    #[test]
    fn kds_met_13_a_registered_consumer_has_six_metrics() {
        let mut metrics = metrics(ShardLevelMetrics::default());
        let records = records(&[0, 1]);
        for (millis, records, bytes, millis_behind) in [(10, &records[..], 200, 40), (20, &[][..], 0, 0)] {
            let fact = Fact::SubscriptionEventPushed {
                stream: CLICKS,
                shard: FIRST,
                reader: AUDIT,
                first_position: 0,
                records,
                bytes,
                millis_behind,
            };
            metrics.on(at(millis), &fact);
        }
        let error = ServiceError::ResourceInUse;
        let answers = [
            SubscriptionAnswer::Begun,
            SubscriptionAnswer::Ended,
            SubscriptionAnswer::Failed(error),
        ];
        for answer in answers {
            answered(&mut metrics, answer);
        }
        let value = |metric, statistic| of_consumer(&metrics, metric, statistic);
        assert_eq!(value(Metric::SubscribeToShardEventBytes, Statistic::Sum), Some(20_000));
        assert_eq!(value(Metric::SubscribeToShardEventRecords, Statistic::Sum), Some(200));
        let behind = Metric::SubscribeToShardEventMillisBehindLatest;
        assert_eq!(value(behind, Statistic::Maximum), Some(4_000));
        assert_eq!(
            value(Metric::SubscribeToShardEventSuccess, Statistic::Average),
            Some(66),
            "two of three"
        );
        assert_eq!(value(Metric::SubscribeToShardSuccess, Statistic::Average), Some(100));
        assert_eq!(value(Metric::SubscribeToShardRateExceeded, Statistic::Sum), None);
        let other = metrics.directory.readers[ENRICH].component;
        let others = metrics
            .series(Metric::SubscribeToShardEventBytes, other)
            .expect("it is a reader");
        assert_eq!(others.points().count(), 0, "the other consumer has its own");
    }

    fn answered(metrics: &mut Metrics, answer: SubscriptionAnswer) {
        let fact = Fact::SubscriptionAnswered {
            stream: CLICKS,
            shard: FIRST,
            reader: AUDIT,
            answer,
        };
        metrics.on(at(30), &fact);
    }

    /// Refused since one is active, or for the rate of calls; not when the consumer is not ACTIVE.
    #[test]
    fn kds_met_14_rate_exceeded_counts_calls_refused_for_an_active_subscription_or_their_rate() {
        let mut metrics = metrics(ShardLevelMetrics::default());
        let refused = SubscriptionAnswer::Refused;
        for answer in [
            SubscriptionAnswer::Begun,
            refused(ServiceError::ResourceInUse),
            refused(ServiceError::LimitExceeded),
            SubscriptionAnswer::NotActive(ServiceError::ResourceInUse),
        ] {
            answered(&mut metrics, answer);
        }
        let rate = Metric::SubscribeToShardRateExceeded;
        assert_eq!(of_consumer(&metrics, rate, Statistic::Sum), Some(200));
        let success = Metric::SubscribeToShardSuccess;
        assert_eq!(
            of_consumer(&metrics, success, Statistic::Average),
            Some(25),
            "one of four"
        );
    }
}
