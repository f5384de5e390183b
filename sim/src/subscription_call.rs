//! What a registered consumer and a stream say to each other (enhanced fan-out).

use crate::batch::{GetCall, IteratorType, ReadCaller, ServiceError};
use crate::engine::time::SimTime;
use crate::ids::{ReaderId, ShardIndex, StreamId};

/// A `SubscribeToShard` and its response.
#[derive(Clone, Copy, Debug)]
pub struct SubscribeCall {
    /// Who subscribes; it is a registered consumer.
    pub reader: ReaderId,
    /// Whom the response and the events go to.
    pub caller: ReadCaller,
    /// Which shard.
    pub shard: ShardIndex,
    /// Where to start (KDS-EFO-14).
    pub kind: IteratorType,
    /// In a response: number of the subscription.
    pub subscription: u32,
    /// In a response: the position that the subscription starts at.
    pub position: u64,
    /// In a response: when the subscription is over (KDS-EFO-07).
    pub ends_at: SimTime,
    /// In a response: the error of the call.
    pub error: Option<ServiceError>,
}

/// A `SubscribeToShardEvent` (KDS-EFO-11). Its records and ChildShards stand in the batch.
#[derive(Clone, Copy, Debug)]
pub struct PushedEvent {
    /// Who has subscribed.
    pub reader: ReaderId,
    /// Whom it goes to.
    pub caller: ReadCaller,
    /// Which stream.
    pub stream: StreamId,
    /// Which shard.
    pub shard: ShardIndex,
    /// Number of the subscription.
    pub subscription: u32,
    /// The position after its last record.
    pub position: u64,
    /// When it was cut from the log.
    pub served_at: SimTime,
    /// `MillisBehindLatest`.
    pub millis_behind: u64,
    /// Records before its first that are gone by retention (KDS-RET-09).
    pub expired: u64,
    /// `ContinuationSequenceNumber`: the position at which another subscription resumes (KDS-EFO-12). `None`: the shard is
    /// closed and has been read to its end (KDS-EFO-13).
    pub continuation: Option<u64>,
    /// The subscription is over: with a shard at its end, with its time, or with an error.
    pub closed: bool,
    /// How it failed, if it did (KDS-EFO-10).
    pub error: Option<ServiceError>,
}

impl PushedEvent {
    /// What it brings, as the response to a read would tell that.
    pub const fn as_page(&self) -> GetCall {
        GetCall {
            reader: self.reader,
            caller: self.caller,
            stream: self.stream,
            shard: self.shard,
            position: self.position,
            limit: 0,
            checkpoint: 0,
            retry_lane: None,
            iterator_issued_at: SimTime::NEVER,
            received_at: self.served_at,
            served_at: self.served_at,
            millis_behind: self.millis_behind,
            expired: self.expired,
            shard_end: self.continuation.is_none(),
            error: None,
        }
    }
}

/// A consumer has taken events of a subscription, and as many more may be pushed.
#[derive(Clone, Copy, Debug)]
pub struct EventsTaken {
    /// Who.
    pub reader: ReaderId,
    /// Of which shard.
    pub shard: ShardIndex,
    /// Number of the subscription.
    pub subscription: u32,
    /// How many.
    pub events: u32,
    /// Its checkpoint: it needs nothing before that.
    pub checkpoint: u64,
}
