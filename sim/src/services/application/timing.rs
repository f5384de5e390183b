//! The fixed spans of the Kinesis Client Library, each with its fact.

use crate::blueprint::KclSettings;
use crate::engine::quantity::MIB;
use crate::engine::time::SimDuration;

/// What the library calls its epsilon: timers leave so much room (KDS-KCL-06, KDS-KCL-07).
const EPSILON: SimDuration = SimDuration::from_millis(25);
/// Reads of a shard are never closer than this, whatever `idleTimeBetweenReadsInMillis` says (KDS-KCL-20).
const IDLE_TIME_LEAST: SimDuration = SimDuration::from_millis(200);
/// `shardConsumerDispatchPollIntervalMillis` (KDS-KCL-41).
pub(super) const DISPATCH_INTERVAL: SimDuration = SimDuration::from_millis(1_000);
/// `parentShardPollIntervalMillis` (KDS-KCL-27).
pub(super) const PARENT_INTERVAL: SimDuration = SimDuration::from_millis(10_000);
/// `taskBackoffTimeMillis` (KDS-KCL-41).
pub(super) const TASK_BACKOFF: SimDuration = SimDuration::from_millis(500);
/// `retryBackoffMillis`: so often the library looks whether its consumer is ACTIVE.
pub(super) const CONSUMER_INTERVAL: SimDuration = SimDuration::from_millis(1_000);
/// Completed leases are looked for so often (KDS-KCL-28).
pub(super) const CLEANUP_INTERVAL: SimDuration = SimDuration::from_minutes(5);
/// Records that wait for a record processor at most (KDS-KCL-23).
pub(super) const PREFETCH_RECORDS: u64 = 30_000;
/// Bytes that wait for a record processor at most (KDS-KCL-23).
pub(super) const PREFETCH_BYTES: u64 = 8 * MIB;
/// A worker of 3.x writes its metrics so often (KDS-KCL-39), and its leader renews its lock (KDS-KCL-19).
pub(super) const HEARTBEAT_INTERVAL: SimDuration = SimDuration::from_secs(30);
/// A leader's lock that has not been renewed for longer is free (KDS-KCL-19).
pub(super) const LOCK_LEASE: SimDuration = SimDuration::from_secs(120);
/// An old owner has so long to hand a lease over (KDS-KCL-17).
pub(super) const HAND_OVER: SimDuration = SimDuration::from_secs(30);
/// The leader balances load in every so manieth run (KDS-KCL-14).
pub(super) const RUNS_TO_BALANCE: u32 = 3;
/// `reBalanceThresholdPercentage` (KDS-KCL-15).
pub(super) const BALANCE_THRESHOLD_PERCENT: u64 = 10;
/// `dampeningPercentage` (KDS-KCL-15).
pub(super) const DAMPENING_PERCENT: u64 = 60;
/// Metrics older than two periods are taken to be those of a worker that is gone. The library's own rule is not
/// documented.
pub(super) const METRICS_FRESH: SimDuration = SimDuration::from_secs(60);

/// The spans that follow from settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Timing {
    /// A lease unchanged for longer is expired (KDS-KCL-08).
    pub(super) failover: SimDuration,
    /// Between two renewals of a lease (KDS-KCL-06).
    pub(super) renewal: SimDuration,
    /// Between two scans of the lease table by each worker of 1.x and 2.x (KDS-KCL-07).
    pub(super) taking: SimDuration,
    /// A lease unchanged for longer is taken whatever the target (KDS-KCL-11).
    pub(super) priority: SimDuration,
    /// Between two runs of the leader of 3.x (KDS-KCL-12).
    pub(super) assignment: SimDuration,
    /// Between two looks of a worker of 3.x for leases assigned to it (KDS-KCL-13).
    pub(super) discovery: SimDuration,
    /// From a successful GetRecords to the next (KDS-KCL-21).
    pub(super) idle: SimDuration,
}

impl Timing {
    pub(super) fn of(settings: &KclSettings) -> Self {
        let failover = settings.failover_time;
        let assignment = failover.saturating_mul(2);
        let least = SimDuration::from_millis(1);
        let third = SimDuration::from_nanos(failover.as_nanos() / 3_000_000 * 1_000_000);
        let half = SimDuration::from_nanos(assignment.as_nanos() / 2);
        Self {
            failover,
            renewal: third.saturating_sub(EPSILON).max(least),
            taking: failover.saturating_add(EPSILON).saturating_mul(2),
            priority: failover.saturating_mul(3),
            assignment,
            discovery: half.saturating_sub(EPSILON).max(least),
            idle: settings.idle_time_between_reads.max(IDLE_TIME_LEAST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::KclVersion;

    #[test]
    fn kds_kcl_06_a_lease_is_renewed_every_3308_milliseconds() {
        let timing = Timing::of(&KclSettings::defaults(KclVersion::Two));
        assert_eq!(timing.renewal, SimDuration::from_millis(3_308));
    }

    #[test]
    fn kds_kcl_07_the_table_is_scanned_every_20050_milliseconds() {
        let timing = Timing::of(&KclSettings::defaults(KclVersion::Two));
        assert_eq!(timing.taking, SimDuration::from_millis(20_050));
        let mut longer = KclSettings::defaults(KclVersion::Two);
        longer.failover_time = SimDuration::from_secs(60);
        assert_eq!(Timing::of(&longer).taking, SimDuration::from_millis(120_050));
    }

    #[test]
    fn kds_kcl_20_reads_closer_than_200_milliseconds_are_moved_apart() {
        let idle = |version, millis: Option<u64>| {
            let mut settings = KclSettings::defaults(version);
            if let Some(millis) = millis {
                settings.idle_time_between_reads = SimDuration::from_millis(millis);
            }
            Timing::of(&settings).idle.as_millis()
        };
        assert_eq!(idle(KclVersion::One, None), 1_000);
        assert_eq!(idle(KclVersion::Two, None), 1_500);
        assert_eq!(idle(KclVersion::Three, None), 1_500);
        assert_eq!(idle(KclVersion::Three, Some(50)), 200);
        assert_eq!(idle(KclVersion::Three, Some(250)), 250);
    }
}
