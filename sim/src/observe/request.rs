//! What facts tell of requests.

use crate::batch::ServiceError;
use crate::engine::time::SimTime;
use crate::ids::ShardIndex;

/// When the requests that carried a record were sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sends {
    /// The first of them.
    pub first_at: SimTime,
    /// The one that was answered.
    pub at: SimTime,
}

/// A call of a cohort that was not sent at the instant at which its record was created: it had waited for a connection,
/// or it is a repetition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LateCall {
    /// Index of the record among those of the fact.
    pub index: u32,
    /// When this attempt was sent.
    pub sent_at: SimTime,
    /// Shard of the record.
    pub shard: ShardIndex,
    /// Its position there; meaningless if it was not stored.
    pub position: u64,
}

/// Which read limit refused a `GetRecords`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReadLimit {
    /// Five calls a second (KDS-R-09).
    Calls,
    /// Two MiB a second (KDS-R-10, KDS-MOD-07).
    Bytes,
}

/// What becomes of a subscription to a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubscriptionAnswer {
    /// `SubscribeToShard` succeeded.
    Begun,
    /// `SubscribeToShard` was refused (KDS-EFO-08, KDS-EFO-09).
    Refused(ServiceError),
    /// Its time was over (KDS-EFO-07).
    Ended,
    /// It failed: another one took over (KDS-EFO-10).
    Failed(ServiceError),
}
