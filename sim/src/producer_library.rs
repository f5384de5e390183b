//! Settings of the Kinesis Producer Library under its own names, as a producer's client.

use crate::engine::quantity::KIB;
use crate::engine::time::SimDuration;
use crate::profile::Profile;

/// How a producer's Kinesis Producer Library is configured (KDS-KPL-01 to KDS-KPL-12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerLibrary {
    /// `RecordMaxBufferedTime`: how long a user record may be buffered before the library sends it (KDS-KPL-02).
    pub record_max_buffered_time: SimDuration,
    /// `AggregationEnabled`: several user records in one Kinesis record (KDS-KPL-01).
    pub aggregation_enabled: bool,
    /// `AggregationMaxCount`: most user records in one Kinesis record (KDS-KPL-05).
    pub aggregation_max_count: u32,
    /// `AggregationMaxSize`: most bytes of an aggregated record (KDS-KPL-04).
    pub aggregation_max_size: u64,
    /// `CollectionMaxCount`: most Kinesis records in one PutRecords (KDS-KPL-06).
    pub collection_max_count: u32,
    /// `CollectionMaxSize`: most bytes in one PutRecords, partition keys included (KDS-KPL-07).
    pub collection_max_size: u64,
    /// `RateLimit`: percentage of a shard's write limit that the library sends to it at most (KDS-KPL-09).
    pub rate_limit: u32,
    /// `RecordTtl`: a user record that is not stored by then fails (KDS-KPL-03).
    pub record_ttl: SimDuration,
    /// `FailIfThrottled`: throttled records fail at once (KDS-KPL-11).
    pub fail_if_throttled: bool,
    /// `MaxConnections`: most requests in flight (KDS-KPL-08).
    pub max_connections: u32,
    /// `RequestTimeout`: how long the library waits for a response (KDS-KPL-10).
    pub request_timeout: SimDuration,
    /// `MaxUserRecordSize`: larger data is refused before it is buffered (KDS-KPL-12).
    pub max_user_record_size: u64,
    /// Most bytes that the limiter's bucket of a shard holds (KDS-KPL-22).
    pub limiter_burst: u64,
}

impl ProducerLibrary {
    /// The library's defaults.
    pub const fn defaults(profile: Profile) -> Self {
        Self {
            record_max_buffered_time: SimDuration::from_millis(100),
            aggregation_enabled: true,
            aggregation_max_count: u32::MAX,
            aggregation_max_size: 50 * KIB,
            collection_max_count: 500,
            collection_max_size: 5_120 * KIB,
            rate_limit: 150,
            record_ttl: SimDuration::from_secs(30),
            fail_if_throttled: false,
            max_connections: 24,
            request_timeout: SimDuration::from_secs(6),
            max_user_record_size: 1_024 * KIB,
            limiter_burst: limiter_burst(profile),
        }
    }
}

impl ProducerLibrary {
    /// What a Kinesis record is given for collection when aggregation has used its time up: the library's code grants a
    /// fifth of `RecordMaxBufferedTime`, 50 ms at most, where the guide speaks of `RecordMaxBufferedTime` alone
    /// (KDS-KPL-31).
    pub fn collection_time(&self) -> SimDuration {
        let fifth = SimDuration::from_nanos(self.record_max_buffered_time.as_nanos() / 5);
        fifth.min(SimDuration::from_millis(50))
    }
    /// How long a user record may be buffered before it is sent again (KDS-KPL-26).
    pub fn repeat_time(&self) -> SimDuration {
        SimDuration::from_nanos(self.record_max_buffered_time.as_nanos() / 2)
    }
}

/// The limiter held a second's worth of bytes for a shard until version 1.0.6 of 2025-10 (KDS-KPL-22).
pub const fn limiter_burst(profile: Profile) -> u64 {
    match profile {
        Profile::Exam => 1_024 * KIB,
        Profile::Current => 10_240 * KIB,
    }
}
