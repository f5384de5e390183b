//! Calls that tell a reader where to read: shard iterators and lists of shards.

use crate::batch::{ReadCaller, ServiceError};
use crate::engine::time::SimTime;
use crate::ids::{ApplicationId, MappingId, ReaderId, ShardIndex};

/// Where a shard iterator starts (KDS-R-01).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IteratorType {
    /// AT_SEQUENCE_NUMBER: at the record with this position (KDS-R-02).
    AtSequenceNumber(u64),
    /// AFTER_SEQUENCE_NUMBER: at the one after it (KDS-R-02).
    AfterSequenceNumber(u64),
    /// TRIM_HORIZON: at the oldest record (KDS-R-03).
    TrimHorizon,
    /// LATEST: after the newest record (KDS-R-03, KDS-MOD-22).
    Latest,
    /// AT_TIMESTAMP: at the first record stored then or later (KDS-R-04).
    AtTimestamp(SimTime),
}

/// A `ListShards` that asks for the shards with which a reader begins (KDS-KCL-45), and its response.
#[derive(Clone, Copy, Debug)]
pub struct ListCall {
    /// Whom the response goes to.
    pub lister: Lister,
    /// Where the reader begins.
    pub filter: ShardFilter,
}

/// Who asks for the shards with which it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lister {
    /// An event source mapping.
    Mapping(MappingId),
    /// An application.
    Application(ApplicationId),
}

/// `ShardFilter` of a `ListShards`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShardFilter {
    /// AT_TRIM_HORIZON: those that were open at the trim horizon.
    AtTrimHorizon,
    /// AT_LATEST: those that are open.
    AtLatest,
    /// AT_TIMESTAMP: those that were open then.
    AtTimestamp(SimTime),
}

/// A `GetShardIterator` and its response.
#[derive(Clone, Copy, Debug)]
pub struct IteratorCall {
    /// Who reads.
    pub reader: ReaderId,
    /// Whom the response goes to.
    pub caller: ReadCaller,
    /// Which shard.
    pub shard: ShardIndex,
    /// Where to start.
    pub kind: IteratorType,
    /// In a response: the position that the iterator stands for.
    pub position: u64,
    /// In a response: when it was issued.
    pub issued_at: SimTime,
    /// In a response: the error of the call.
    pub error: Option<ServiceError>,
}
