//! Limits of Kinesis Data Streams, each with its fact.

use crate::engine::quantity::{KIB, MIB, Rate};
use crate::engine::time::SimDuration;
use crate::profile::Profile;

/// Records that a shard accepts per second, and the capacity of that bucket (KDS-W-01, KDS-MOD-02).
pub const SHARD_WRITE_RECORDS: u64 = 1_000;
/// Bytes that a shard accepts per second, partition keys included (KDS-W-02, KDS-MOD-01).
pub const SHARD_WRITE_BYTES: u64 = MIB;
/// Capacity of the write byte bucket of a stream that accepts large records (KDS-W-19, KDS-MOD-02).
pub const SHARD_WRITE_BURST_LARGE: u64 = 10 * MIB;
/// Put costs are rounded up to this (KDS-W-16, KDS-MOD-03).
pub const PUT_ROUNDING: u64 = KIB;
/// Most entries in a PutRecords (KDS-W-06).
pub const MAX_PUT_ENTRIES: u32 = 500;
/// Calls to GetRecords that a shard answers in any second (KDS-R-09).
pub const SHARD_READ_CALLS: usize = 5;
/// The span in which they are counted (KDS-R-09).
pub const SHARD_READ_CALLS_SPAN: SimDuration = SimDuration::SECOND;
/// Bytes that a shard gives to shared readers per second, and the capacity of that allowance (KDS-R-10, KDS-MOD-07).
pub const SHARD_READ_BYTES: u64 = 2 * MIB;
/// Bytes that a shard gives to each registered consumer per second, and the capacity of that allowance (KDS-EFO-01,
/// KDS-MOD-14).
pub const CONSUMER_SHARD_BYTES: u64 = 2 * MIB;
/// Most bytes of an event; a larger record travels alone (KDS-MOD-14).
pub const MAX_EVENT_BYTES: u64 = MIB;
/// Most records of an event (KDS-MOD-14).
pub const MAX_EVENT_RECORDS: u32 = 10_000;
/// Registered consumers of a stream at most: on demand with Advantage, or else (KDS-EFO-02).
pub const fn registered_consumers(advantage: bool) -> usize {
    if advantage { 50 } else { 20 }
}
/// How long a subscription lasts (KDS-EFO-07).
pub const SUBSCRIPTION_LIFETIME: SimDuration = SimDuration::from_minutes(5);
/// A subscription can be taken over from then on (KDS-EFO-09, KDS-EFO-10).
pub const SUBSCRIPTION_TAKEOVER: SimDuration = SimDuration::from_secs(5);
/// The span in which a consumer may call SubscribeToShard once for a shard (KDS-EFO-08).
pub const SUBSCRIBE_SPAN: SimDuration = SimDuration::SECOND;
/// Calls to GetShardIterator that a shard answers in a second (KDS-R-17, KDS-MOD-23).
pub const SHARD_ITERATOR_CALLS: u64 = 5;
/// How long a shard iterator may be used after it was issued (KDS-R-05).
pub const ITERATOR_LIFETIME: SimDuration = SimDuration::from_minutes(5);
/// Most bytes in one page (KDS-R-08).
pub const MAX_GET_BYTES: u64 = 10 * MIB;
/// Most records in one page (KDS-R-07).
pub const MAX_GET_RECORDS: u32 = 10_000;
/// Retention by default and at least, in hours (KDS-RET-01).
pub const RETENTION_HOURS_MIN: u32 = 24;
/// Longest retention, in hours (KDS-RET-02).
pub const RETENTION_HOURS_MAX: u32 = 8_760;
/// MaxRecordSizeInKiB by default and at least (KDS-REC-04).
pub const MAX_RECORD_SIZE_KIB_DEFAULT: u32 = 1_024;
/// Largest MaxRecordSizeInKiB (KDS-REC-04, profile `current`).
pub const MAX_RECORD_SIZE_KIB_MAX: u32 = 10_240;
/// Longest partition key, in characters (KDS-REC-02).
pub const MAX_PARTITION_KEY_CHARACTERS: usize = 256;

/// Most bytes in a PutRecords request, partition keys included (KDS-W-07).
pub const fn max_put_bytes(profile: Profile) -> u64 {
    match profile {
        Profile::Exam => 5 * MIB,
        Profile::Current => 10 * MIB,
    }
}

/// The write limit in records as a rate.
pub const fn write_records() -> Rate {
    Rate::per_second(SHARD_WRITE_RECORDS)
}
/// The write limit in bytes as a rate.
pub const fn write_bytes() -> Rate {
    Rate::per_second(SHARD_WRITE_BYTES)
}
/// Shards per stream that UpdateShardCount leads to at most (KDS-RS-15).
pub const MAX_SHARDS: u32 = 10_000;
/// Calls to UpdateShardCount in any 24 hours (KDS-RS-14, KDS-MOD-19).
pub const SHARD_COUNT_UPDATES: usize = 10;
/// Switches of the capacity mode in any 24 hours (KDS-CAP-12, KDS-MOD-19).
pub const MODE_SWITCHES: usize = 2;
/// The span in which these are counted (KDS-MOD-19).
pub const LIMIT_SPAN: SimDuration = SimDuration::from_hours(24);
/// Shards of a new on-demand stream (KDS-CAP-02).
pub const ON_DEMAND_SHARDS: u32 = 4;
/// Bytes a second above which an on-demand shard is split (KDS-CAP-05).
pub const ON_DEMAND_SPLIT_BYTES: u64 = 500 * KIB;
/// Records a second above which an on-demand shard is split (KDS-CAP-06, KDS-MOD-12).
pub const ON_DEMAND_SPLIT_RECORDS: u64 = 500;

/// Open shards of all provisioned streams of an account: of a Region with the higher quotas or another one (KDS-CAP-14).
pub const fn account_shards(profile: Profile, large_region: bool) -> u32 {
    match (profile, large_region) {
        (Profile::Exam, true) => 500,
        (Profile::Exam, false) => 200,
        (Profile::Current, true) => 20_000,
        (Profile::Current, false) => 1_000,
    }
}
/// Most MiB a second that an on-demand stream takes (KDS-CAP-09, KDS-CAP-10); 10 GB are 10,240 MB, as one shard takes 1 MiB.
pub const fn on_demand_mib(profile: Profile, large_region: bool) -> u32 {
    match (profile, large_region) {
        (Profile::Exam, _) | (Profile::Current, false) => 200,
        (Profile::Current, true) => 10_240,
    }
}
