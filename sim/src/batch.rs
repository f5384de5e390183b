//! What calls carry: a batch of records and an envelope, in a pool of recycled slots.

use crate::blueprint::PutApi;
pub use crate::direct_call::{DirectAnswer, DirectCall};
use crate::engine::pool::{Handle, Pool, PoolError};
use crate::engine::time::SimTime;
use crate::ids::{
    ApplicationId, Destination, MappingId, ProcessorId, ProducerId, QueueId, ReaderId, ShardIndex, SinkId, StreamId,
};
pub use crate::invocation::{BatchResponse, EventSource, InvocationOutcome, InvokeCall, Passage, WindowEvent};
use crate::key::HashRange;
pub use crate::notification_call::NotificationCall;
pub use crate::position_call::{IteratorCall, IteratorType, ListCaller, ListShardsCall, ShardFilter};
pub use crate::queue_call::{QueueAction, QueueCall};
use crate::record::Record;
pub use crate::subscription_call::{EventsTaken, PushedEvent, SubscribeCall};
use crate::user_records::LibraryCall;

/// A handle to a batch in flight.
pub type BatchId = Handle;

/// Records on their way, with the call or reply that they belong to.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Positions of the records in their shard's log; empty where the records have none or are consecutive.
    pub positions: Vec<u64>,
    /// Sum of the records' bytes.
    pub bytes: u64,
    /// In the response to a read at the end of a closed shard: `ChildShards` (KDS-R-16). Here and not in the call, so that
    /// every other batch stays small.
    pub child_shards: Vec<ChildShard>,
    /// The call or reply.
    pub envelope: Envelope,
}

impl Batch {
    /// Bytes of memory that its records take.
    pub fn memory(&self) -> u64 {
        u64::try_from(self.records.capacity() * size_of::<Record>()).unwrap_or(u64::MAX)
    }
}

/// The call or reply that a batch belongs to.
#[derive(Clone, Copy, Debug, Default)]
pub enum Envelope {
    /// None: the batch is at rest within a component.
    #[default]
    Empty,
    /// `PutRecord` or `PutRecords`, and its response.
    Put(PutCall),
    /// `GetRecords`, and its response.
    Get(GetCall),
    /// `Invoke`, and its response.
    Invoke(InvokeCall),
    /// `GetShardIterator`, and its response.
    Iterator(IteratorCall),
    /// `ListShards` with a filter, and its response; the shards stand in [`Batch::child_shards`].
    ListShards(ListShardsCall),
    /// `SubscribeToShard`, and its response.
    Subscribe(SubscribeCall),
    /// A `SubscribeToShardEvent`, or the end of a subscription.
    Pushed(PushedEvent),
    /// A consumer has taken events.
    Acknowledge(EventsTaken),
    /// `Invoke` by an invoker, and its response.
    InvokeDirect(DirectCall),
    /// A write to a sink, and its response.
    Write(WriteCall),
    /// A call of a queue by a worker or a poller, and its response.
    Queue(QueueCall),
    /// Messages that a queue moves to its dead-letter queue; their receive counts stand in [`Batch::positions`].
    Moved(QueueId),
    /// A delivery from a topic to a queue, and its response.
    Notification(NotificationCall),
    /// Messages that a redrive moves out of a dead-letter queue: they are new ones where they arrive (SQS-L-15).
    Redriven(QueueId),
}

/// Errors that a whole call can end in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ServiceError {
    /// `ProvisionedThroughputExceededException` (KDS-W-05, KDS-MET-10).
    ProvisionedThroughputExceeded,
    /// `InternalFailureException` (KDS-W-26).
    InternalFailure,
    /// `InvalidArgumentException` (KDS-MOD-16).
    InvalidArgument,
    /// No response within the client's timeout; the call may have been carried out (KDS-W-27).
    RequestTimeout,
    /// `TooManyRequestsException` (LAM-C-23).
    TooManyRequests,
    /// `ExpiredIteratorException` (KDS-R-05).
    ExpiredIterator,
    /// `RequestThrottled` (SQS-B-28).
    RequestThrottled,
    /// `ThrottledException` of a topic (SQS-S-21 to SQS-S-27).
    Throttled,
    /// `OverLimit` (SQS-B-29).
    OverLimit,
    /// `BatchRequestTooLong` (SQS-B-08).
    BatchRequestTooLong,
    /// `TooManyEntriesInBatchRequest` (SQS-B-03).
    TooManyEntriesInBatchRequest,
    /// `InvalidParameterValue` (SQS-B-16, SQS-B-25, SQS-R-02, SQS-R-03, SQS-V-11, SQS-V-14).
    InvalidParameterValue,
    /// `ReceiptHandleIsInvalid` (SQS-V-18).
    ReceiptHandleIsInvalid,
    /// `PurgeQueueInProgress` (SQS-P-02).
    PurgeQueueInProgress,
    /// `ResourceInUseException` (KDS-EFO-05, KDS-EFO-09, KDS-EFO-10).
    ResourceInUse,
    /// `LimitExceededException` (KDS-EFO-08).
    LimitExceeded,
    /// `ResourceNotFoundException`: no such consumer is registered.
    ResourceNotFound,
}

impl ServiceError {
    /// The name that AWS prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProvisionedThroughputExceeded => "ProvisionedThroughputExceededException",
            Self::InternalFailure => "InternalFailureException",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::RequestTimeout => "request timeout",
            Self::TooManyRequests => "TooManyRequestsException",
            Self::ExpiredIterator => "ExpiredIteratorException",
            Self::RequestThrottled => "RequestThrottled",
            Self::Throttled => "ThrottledException",
            Self::OverLimit => "OverLimit",
            Self::BatchRequestTooLong => "BatchRequestTooLong",
            Self::TooManyEntriesInBatchRequest => "TooManyEntriesInBatchRequest",
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::PurgeQueueInProgress => "PurgeQueueInProgress",
            Self::ResourceInUse => "ResourceInUseException",
            Self::LimitExceeded => "LimitExceededException",
            Self::ResourceNotFound => "ResourceNotFoundException",
        }
    }
}

/// A put and its response. Entries' own results stand on the records ([`Record::outcome`]).
#[derive(Clone, Copy, Debug)]
pub struct PutCall {
    /// Who calls.
    pub producer: ProducerId,
    /// Where to.
    pub target: Destination,
    /// Which API.
    pub api: PutApi,
    /// The batch is a cohort: each record is a `PutRecord` of its own, sent at the time in its `arrived_at` field.
    pub cohort: bool,
    /// The SDK's attempt, from 1.
    pub attempt: u32,
    /// How often the application has sent these records again.
    pub resends: u32,
    /// What the SDK's last retry of this request took from its retry quota (KDS-SDK-04).
    pub retry_cost: u16,
    /// When these records were sent for the first time; `NEVER` before that. Means nothing in a cohort.
    pub first_sent_at: SimTime,
    /// When this attempt was sent.
    pub sent_at: SimTime,
    /// When the service received it; meaningless before that.
    pub received_at: SimTime,
    /// In a response without an error: how many entries were refused. Means nothing in a cohort.
    pub refused: u32,
    /// In a response: the error of the whole call.
    pub error: Option<ServiceError>,
    /// The user records, if the Kinesis Producer Library makes the call.
    pub library: Option<LibraryCall>,
}

/// The component that waits for the response to a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadCaller {
    /// An event source mapping.
    Mapping(MappingId),
    /// A worker of an application.
    Application {
        /// The application.
        application: ApplicationId,
        /// Number of the worker.
        worker: u16,
        /// Marks its tenure of the shard; answers to an earlier one are stale.
        tenure: u16,
    },
}

/// A `GetRecords` and its response.
#[derive(Clone, Copy, Debug)]
pub struct GetCall {
    /// Who reads.
    pub reader: ReaderId,
    /// Whom the response goes to.
    pub caller: ReadCaller,
    /// Which stream.
    pub stream: StreamId,
    /// Which shard.
    pub shard: ShardIndex,
    /// The iterator: position of the first record wanted. In a response: after the last record returned.
    pub position: u64,
    /// Most records wanted (KDS-R-07).
    pub limit: u32,
    /// The reader's checkpoint: everything before it may be forgotten as far as this reader is concerned.
    pub checkpoint: u64,
    /// The lane whose failed batch is read again (LAM-K-20), if it is that.
    pub retry_lane: Option<u16>,
    /// When the iterator was issued; `NEVER` for Lambda's own poller, which renews its iterators by itself. In a response:
    /// when NextShardIterator was (KDS-R-05, KDS-R-06).
    pub iterator_issued_at: SimTime,
    /// When the service received it; meaningless before that.
    pub received_at: SimTime,
    /// In a response: when the page was cut from the log.
    pub served_at: SimTime,
    /// In a response: `MillisBehindLatest` (KDS-R-15).
    pub millis_behind: u64,
    /// In a response: records between the iterator and the trim horizon, gone by retention (KDS-RET-09).
    pub expired: u64,
    /// In a response: NextShardIterator is null, since the shard is closed and has been read to its end (KDS-R-06). The
    /// shards that follow it stand in [`Batch::child_shards`].
    pub shard_end: bool,
    /// In a response: the error of the call.
    pub error: Option<ServiceError>,
}

/// A shard that a closed one was split or merged into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChildShard {
    /// Its number.
    pub shard: ShardIndex,
    /// Its part of the hash space.
    pub range: HashRange,
    /// `ParentShards`: the closed shard, and the other one after a merge.
    pub parents: [Option<ShardIndex>; 2],
    /// When it was opened. No field of AWS's: a reader that lists the shards now and then knows of it some time later.
    pub opened_at: SimTime,
}

/// A write of a batch's results to a sink, and its response.
#[derive(Clone, Copy, Debug)]
pub struct WriteCall {
    /// What processed the batch.
    pub processor: ProcessorId,
    /// Where.
    pub sink: SinkId,
    /// Who read the batch.
    pub reader: ReaderId,
    /// Shard of the batch.
    pub shard: ShardIndex,
    /// How the batch has got here.
    pub passage: Passage,
    /// Who waits for the response.
    pub writer: Writer,
    /// In a response: how it ended.
    pub outcome: WriteOutcome,
}

/// How a write to a sink ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteOutcome {
    /// All records have taken effect.
    Written,
    /// The writer was told of an error. The others have taken effect all the same.
    Failed {
        /// The error.
        error: WriteError,
        /// Records that have not.
        unwritten: u32,
    },
}

/// Why a sink did not take records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WriteError {
    /// A database has no connection left.
    TooManyConnections,
    /// `ProvisionedThroughputExceededException` or unprocessed items of a table (DDB-W-02), `503 Slow Down` of a bucket
    /// (S3-PUT-01).
    Throttled,
    /// `ValidationException`: an item is larger than a table takes (DDB-W-03).
    ItemTooLarge,
    /// An error of the service: it is out of order.
    Unavailable,
}

impl WriteError {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooManyConnections => "too many connections",
            Self::Throttled => "throttled",
            Self::ItemTooLarge => "ValidationException",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The component that waits for the response to a write.
#[derive(Clone, Copy, Debug)]
pub enum Writer {
    /// A function.
    Function {
        /// The function's number for the invocation that waits.
        invocation: Handle,
        /// The call of the mapping that the invocation answers.
        invoke: InvokeCall,
    },
    /// A worker of an application.
    Application {
        /// The application.
        application: ApplicationId,
        /// Number of the worker.
        worker: u16,
        /// Marks its tenure of the shard; answers to an earlier one are stale.
        tenure: u16,
    },
}

/// Batches in flight or held by components. Allocations are recycled.
#[derive(Clone, Debug, Default)]
pub struct BatchPool {
    pool: Pool<Box<Batch>>,
    #[expect(clippy::vec_box, reason = "a batch is handed on where it lies")]
    spare: Vec<Box<Batch>>,
}

/// Spare batches that are kept; further ones are given back to the allocator.
const MAX_SPARE: usize = 256;
/// A spare batch keeps no more room than for this many records.
const MAX_SPARE_RECORDS: usize = 16_384;

impl BatchPool {
    /// An empty batch, at rest.
    pub fn fresh(&mut self) -> Box<Batch> {
        self.spare.pop().unwrap_or_default()
    }
    /// Takes back a batch whose contents are no longer needed.
    pub fn recycle(&mut self, mut batch: Box<Batch>) {
        batch.records.clear();
        batch.positions.clear();
        batch.child_shards.clear();
        batch.bytes = 0;
        batch.envelope = Envelope::Empty;
        if self.spare.len() < MAX_SPARE && batch.records.capacity() <= MAX_SPARE_RECORDS {
            self.spare.push(batch);
        }
    }
    /// Puts a batch under way.
    pub fn insert(&mut self, batch: Box<Batch>) -> Result<BatchId, PoolError> {
        self.pool.insert(batch)
    }
    /// Takes a batch out; the handle is stale from now on.
    pub fn take(&mut self, batch: BatchId) -> Result<Box<Batch>, PoolError> {
        self.pool.remove(batch)
    }
    /// Looks at a batch.
    pub fn get(&self, batch: BatchId) -> Result<&Batch, PoolError> {
        self.pool.get(batch).map(|batch| &**batch)
    }
    /// Bytes of memory that batches under way and spare ones take.
    pub fn memory(&self) -> u64 {
        self.pool.iter().chain(&self.spare).map(|batch| batch.memory()).sum()
    }
    /// All batches under way, in order of slot.
    pub fn iter(&self) -> impl Iterator<Item = &Batch> {
        self.pool.iter().map(|batch| &**batch)
    }
}

/// An order-sensitive digest of what a put brings, for the fingerprint: who the records are, when they were created,
/// their sizes, and what became of them.
pub fn digest_of_entries(records: &[Record]) -> u64 {
    digest(records, |record| {
        let size_and_outcome = u64::from(record.flags) << 32 | u64::from(record.bytes);
        record.created_at.as_nanos() ^ size_and_outcome.rotate_left(40)
    })
}

/// An order-sensitive digest of stored records, for the fingerprint: who they are, and when they arrived.
pub fn digest_of_arrivals(records: &[Record]) -> u64 {
    digest(records, |record| record.arrived_at.as_nanos())
}

/// A digest of what a cohort brings, for the fingerprint: who the records are, when they were created and when they
/// arrived, their sizes, and what became of them. Since their arrivals tell the order of the records, it does not matter in
/// which they are listed.
pub fn digest_of_cohort(records: &[Record]) -> u64 {
    const IDENTITY: u64 = 0x9E37_79B9_7F4A_7C15;
    const FATE: u64 = 0xC2B2_AE3D_27D4_EB4F;
    let digest = |record: &Record| {
        let identity = u64::from(record.ordinal) << 32 | u64::from(record.key.0);
        let size_and_outcome = u64::from(record.flags) << 32 | u64::from(record.bytes);
        let identity = (identity ^ record.created_at.as_nanos().rotate_left(24)).wrapping_mul(IDENTITY);
        let fate = (record.arrived_at.as_nanos() ^ size_and_outcome.rotate_left(40)).wrapping_mul(FATE);
        let both = (identity.rotate_left(32) ^ fate).wrapping_mul(IDENTITY);
        both ^ both >> 32
    };
    let sum = records.iter().map(digest).fold(0_u64, u64::wrapping_add);
    sum ^ u64::from(crate::engine::index::to_u32(records.len()))
}

/// Digests the identity of each record and a word more: four independent chains, so that it costs half a nanosecond a
/// record.
#[inline]
fn digest(records: &[Record], word: impl Fn(&Record) -> u64) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    const SPREAD: u64 = 0xC2B2_AE3D_27D4_EB4F;
    let link = |chain: u64, record: &Record| {
        let identity = u64::from(record.ordinal) << 32 | u64::from(record.key.0);
        let link = identity ^ word(record).wrapping_mul(SPREAD);
        chain.wrapping_mul(MULTIPLIER).wrapping_add(link).rotate_left(23)
    };
    let mut chains = [1_u64, 2, 3, 4];
    let (fours, rest) = records.as_chunks::<4>();
    for four in fours {
        for (chain, record) in chains.iter_mut().zip(four) {
            *chain = link(*chain, record);
        }
    }
    for (chain, record) in chains.iter_mut().zip(rest) {
        *chain = link(*chain, record);
    }
    chains
        .iter()
        .fold(u64::from(crate::engine::index::to_u32(records.len())), |hash, chain| {
            (hash ^ chain).wrapping_mul(MULTIPLIER).rotate_left(29)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimDuration;
    use crate::record::{KeyId, Outcome};

    fn records() -> Vec<Record> {
        let record = |number: u32| Record {
            created_at: SimTime::from_nanos(1_000 + 10 * u64::from(number)),
            arrived_at: SimTime::from_nanos(9_000 + u64::from(number / 3)),
            key: KeyId(number % 2),
            ordinal: number / 2,
            bytes: 100 + number,
            flags: 0,
        };
        (0..11).map(record).collect()
    }

    /// Whatever is done to one record, wherever it stands, shows in the digest that is to tell it.
    #[test]
    fn a_digest_tells_each_part_of_each_record_and_their_order() {
        type Change = fn(&mut Vec<Record>, usize);
        let of_both: [Change; 5] = [
            |records, at| records[at].key.0 ^= 1,
            |records, at| records[at].ordinal += 1,
            |records, at| records.swap(at, (at + 1) % 11),
            |records, at| records.swap(at, (at + 4) % 11),
            |records, at| {
                records.remove(at);
            },
        ];
        let of_entries: [Change; 3] = [
            |records, at| records[at].created_at += SimDuration::MIN,
            |records, at| records[at].bytes += 1,
            |records, at| records[at].set_outcome(Outcome::Throttled),
        ];
        let of_arrivals: [Change; 1] = [|records, at| records[at].arrived_at += SimDuration::MIN];
        let seen = |digest: fn(&[Record]) -> u64, changes: &[Change]| {
            let mut seen = vec![digest(&records())];
            for change in changes {
                for at in 0..11 {
                    let mut changed = records();
                    change(&mut changed, at);
                    seen.push(digest(&changed));
                }
            }
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        let entries = [of_both.as_slice(), &of_entries].concat();
        let arrivals = [of_both.as_slice(), &of_arrivals].concat();
        assert_eq!(seen(digest_of_entries, &entries), 1 + 8 * 11);
        assert_eq!(seen(digest_of_arrivals, &arrivals), 1 + 6 * 11);
        let of_cohorts = [&of_both[..2], &of_both[4..], &of_entries, &of_arrivals].concat();
        assert_eq!(seen(digest_of_cohort, &of_cohorts), 1 + 7 * 11);
        let reversed: Vec<Record> = records().into_iter().rev().collect();
        assert_eq!(digest_of_cohort(&reversed), digest_of_cohort(&records()));
    }
}
