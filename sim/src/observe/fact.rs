//! Facts: everything the model may state, in past tense. The model never computes a metric; observers fold over facts.
//!
//! A fact borrows the records that it is about, so an observer sees every record at no copying cost.

use crate::batch::{InvocationOutcome, Passage, ServiceError};
use crate::blueprint::PutApi;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{Destination, FunctionId, InvokerId, ProcessorId, ProducerId, ReaderId, ShardIndex, SinkId, StreamId};
pub use crate::observe::application_change::{ApplicationChange, LeaseTaking};
pub use crate::observe::invocation::{
    AsynchronousStep, Caller, ConcurrencyUse, Delivery, DropReason, FunctionChange, InvokerStep, ProvisionedUse,
    ThrottleReason,
};
pub use crate::observe::mapping_change::{FailureDocument, MappingChange};
pub use crate::observe::queue_fact::{Depth, FleetFact, QueueFact, Queueing};
pub use crate::observe::queue_mapping_fact::QueueMappingFact;
pub use crate::observe::reason::{DiscardReason, GiveUpReason, Remains, RetryBy};
pub use crate::observe::request::{LateCall, ReadLimit, Sends, SubscriptionAnswer};
pub use crate::observe::shard_tally::ShardTally;
pub use crate::observe::sink_change::SinkChange;
pub use crate::observe::stream_change::StreamChange;
pub use crate::observe::topic_fact::{NotificationFact, Notified, Publishing, TopicFact};
use crate::record::Record;

/// A statement about what has happened.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'f> {
    /// A producer handed records to its client. Their `created_at` may lie up to a linger time in the past, or, in a
    /// cohort, up to a call window in the future.
    RecordsProduced {
        /// Who.
        producer: ProducerId,
        /// The records, in order of creation.
        records: &'f [Record],
    },
    /// A client sent a request (a cohort: one request for each record).
    RequestSent {
        /// Who.
        producer: ProducerId,
        /// To.
        target: Destination,
        /// Which API.
        api: PutApi,
        /// What.
        records: &'f [Record],
        /// Their bytes.
        bytes: u64,
        /// The SDK's attempt, from 1.
        attempt: u32,
        /// Earlier sends of these records by the application.
        resends: u32,
    },
    /// The Kinesis Producer Library sent a request; [`RequestSent`](Self::RequestSent) beside it counts Kinesis records.
    UserRecordsSent {
        /// Who.
        producer: ProducerId,
        /// To.
        stream: StreamId,
        /// Kinesis records of the request.
        kinesis_records: u32,
        /// The user records in them. [`Record::attempt`] counts the attempts of each, this one included.
        records: &'f [Record],
        /// By user record: since when it has been buffered, its creation or the end of its last attempt.
        waited_since: &'f [SimTime],
    },
    /// A client learned that records are stored.
    RecordsAcknowledged {
        /// Who.
        producer: ProducerId,
        /// The records, with their arrival times.
        records: &'f [Record],
    },
    /// The Kinesis Producer Library learned what became of a request that did not fail whole, in Kinesis records.
    RequestAnswered {
        /// Who.
        producer: ProducerId,
        /// Stored, wherever.
        stored: u32,
        /// Refused for throughput.
        throttled: u32,
        /// Failed inside the service.
        failed: u32,
        /// Stored, but in a shard that is not theirs as far as the library knows: sent again (KDS-KPL-28).
        misplaced: u32,
    },
    /// A request failed whole.
    RequestFailed {
        /// Who.
        producer: ProducerId,
        /// How.
        error: ServiceError,
        /// Records in it.
        records: u32,
    },
    /// Records wait in the client to be sent again.
    RetryScheduled {
        /// Who.
        producer: ProducerId,
        /// Who repeats.
        by: RetryBy,
        /// When.
        at: SimTime,
        /// Records that wait.
        records: u32,
    },
    /// A client gave records up. They may be stored all the same if a response was lost.
    RecordsGivenUp {
        /// Who.
        producer: ProducerId,
        /// Why.
        reason: GiveUpReason,
        /// The records.
        records: &'f [Record],
    },
    /// A stream answered a put. The records carry their results.
    PutHandled {
        /// Which.
        stream: StreamId,
        /// For whom.
        producer: ProducerId,
        /// Which API.
        api: PutApi,
        /// All entries, with results and, where stored, arrival times.
        records: &'f [Record],
        /// By shard, for the shards that the call touched, in order of first touch; none where
        /// [`ShardsWritten`](Self::ShardsWritten) tells it: then nothing else was stored in the stream at this instant before.
        shards: &'f [ShardTally],
        /// When the call came in.
        received_at: SimTime,
        /// When its records were sent; `None` for a cohort, whose records were sent when created, unless listed in `late`.
        sent: Option<Sends>,
        /// The other calls of a cohort, in order of index.
        late: &'f [LateCall],
    },
    /// What shards have stored of cohorts, or of requests to a stream of many shards, since it was stated last. Where nothing
    /// is refused and observers take sums (see [`Probe::takes_sums`](super::Probe::takes_sums)),
    /// [`PutHandled`](Self::PutHandled) tells of no shard; this does, before a read of the shard is answered, and at the end
    /// of each second.
    ShardsWritten {
        /// Which.
        stream: StreamId,
        /// The shards.
        shards: &'f [ShardTally],
    },
    /// A stream stored a Kinesis record of the Kinesis Producer Library that holds several user records (KDS-KPL-18), or
    /// a single one that had been sent before. Stated after [`PutHandled`](Self::PutHandled), which counts Kinesis records.
    UserRecordsStored {
        /// Which.
        stream: StreamId,
        /// Of whom.
        producer: ProducerId,
        /// The shard.
        shard: ShardIndex,
        /// Position of the Kinesis record, which its user records share (KDS-SEQ-14).
        position: u64,
        /// The user records, in the order of their subsequence numbers, with the arrival of the Kinesis record.
        records: &'f [Record],
        /// By user record: when it was sent for the first time.
        first_sent_at: &'f [SimTime],
    },
    /// A stream refused or failed a put whole, storing nothing.
    PutRefused {
        /// Which.
        stream: StreamId,
        /// For whom.
        producer: ProducerId,
        /// Entries of the call.
        records: &'f [Record],
        /// How.
        error: ServiceError,
    },
    /// A put was stored, but its response is lost on the way (KDS-MOD-18).
    AcknowledgementLost {
        /// Which.
        stream: StreamId,
        /// For whom.
        producer: ProducerId,
        /// Entries of the call.
        records: &'f [Record],
        /// Of a cohort: the calls that were not sent when their record was created, in order of index.
        late: &'f [LateCall],
    },
    /// A stream answered a `GetRecords`.
    GetRecordsHandled {
        /// Which.
        stream: StreamId,
        /// Which shard.
        shard: ShardIndex,
        /// For whom.
        reader: ReaderId,
        /// Position of the first record.
        first_position: u64,
        /// What was read.
        records: &'f [Record],
        /// Their bytes.
        bytes: u64,
        /// `MillisBehindLatest`.
        millis_behind: u64,
        /// It repeats a read for a failed batch (LAM-K-20).
        again: bool,
        /// When the call came in.
        received_at: SimTime,
    },
    /// A stream refused a `GetRecords` (KDS-MET-10).
    GetRecordsThrottled {
        /// Which.
        stream: StreamId,
        /// Which shard.
        shard: ShardIndex,
        /// For whom.
        reader: ReaderId,
        /// By which limit.
        limit: ReadLimit,
    },
    /// A stream answered a `SubscribeToShard`, or a subscription ended.
    SubscriptionAnswered {
        /// Which.
        stream: StreamId,
        /// Which shard.
        shard: ShardIndex,
        /// For which registered consumer.
        reader: ReaderId,
        /// How.
        answer: SubscriptionAnswer,
    },
    /// A stream pushed a `SubscribeToShardEvent`.
    SubscriptionEventPushed {
        /// Which.
        stream: StreamId,
        /// Which shard.
        shard: ShardIndex,
        /// To which registered consumer.
        reader: ReaderId,
        /// Position of the first record.
        first_position: u64,
        /// What was pushed.
        records: &'f [Record],
        /// Their bytes.
        bytes: u64,
        /// `MillisBehindLatest`.
        millis_behind: u64,
    },
    /// A stream changed: its shards, or what it is set to.
    StreamChanged {
        /// Which.
        stream: StreamId,
        /// What happened.
        change: StreamChange,
    },
    /// Records expired in the stream before a reader had read them (KDS-RET-09): lost to it.
    RecordsExpiredUnread {
        /// The reader.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// Position of the first.
        first_position: u64,
        /// How many.
        count: u64,
    },
    /// Records of a failed batch expired in the stream before they could be read again (LAM-Z-11): lost to the reader.
    RecordsExpiredInRetry {
        /// The reader.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// How many.
        count: u64,
        /// Position of the first.
        first_position: u64,
    },
    /// A page of records, read for the first time, reached the lanes of its reader.
    RecordsGathered {
        /// The reader.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// Position of the first record; they are consecutive.
        first_position: u64,
        /// How many.
        records: u32,
        /// When the page was cut from the log.
        served_at: SimTime,
    },
    /// A mapping sent a batch to its function, or an application's worker began to process one.
    BatchDispatched {
        /// Who.
        reader: ReaderId,
        /// To.
        processor: ProcessorId,
        /// Shard of the batch.
        shard: ShardIndex,
        /// Lane of the shard; of an application the worker's number.
        lane: u16,
        /// Position of the first record; they are consecutive, except for a mapping with several lanes.
        first_position: u64,
        /// The batch.
        records: &'f [Record],
        /// Their bytes.
        bytes: u64,
        /// Attempts of this batch before, function errors and throttles alike.
        attempts_before: u32,
        /// Another record would not have fitted the payload of an invocation (LAM-E-08).
        payload_full: bool,
    },
    /// A batch failed, or a part of it.
    BatchFailed {
        /// Who.
        reader: ReaderId,
        /// Shard of the batch.
        shard: ShardIndex,
        /// Lane of the shard.
        lane: u16,
        /// How; succeeded: the handler returned, and reported failures.
        outcome: InvocationOutcome,
        /// Records that failed.
        records: u32,
        /// When they will be tried again, at the earliest; `NEVER`: they are given up.
        retry_at: SimTime,
        /// They are cut in two, and the halves tried one by one (LAM-X-11).
        bisected: bool,
    },
    /// A batch was processed; its records are done for this reader.
    BatchAcknowledged {
        /// Who.
        reader: ReaderId,
        /// Shard of the batch.
        shard: ShardIndex,
        /// Lane of the shard; of an application the worker's number.
        lane: u16,
        /// Records in it.
        records: u32,
        /// So many of them had been done before: an application repeats what follows its checkpoint (KDS-KCL-32).
        again: u32,
        /// The records, of an application; of a mapping only where they are a part of the lane's batch.
        batch: &'f [Record],
        /// Their positions; empty: consecutive from `first_position`.
        positions: &'f [u64],
        /// Position of the first.
        first_position: u64,
    },
    /// A reader gave records up without processing them and went on.
    RecordsDiscarded {
        /// Who.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// Why.
        reason: DiscardReason,
        /// What becomes of them.
        remains: Remains,
        /// The records.
        records: &'f [Record],
        /// Their positions; empty: consecutive from `first_position`.
        positions: &'f [u64],
        /// Position of the first.
        first_position: u64,
    },
    /// A mapping's filters let records pass by (LAM-K-30): it is done with them.
    RecordsFilteredOut {
        /// Who.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// The records.
        records: &'f [Record],
        /// Their positions.
        positions: &'f [u64],
    },
    /// A reader's checkpoint moved: everything before it is done.
    CheckpointAdvanced {
        /// Who.
        reader: ReaderId,
        /// The shard.
        shard: ShardIndex,
        /// The first position that is not done.
        position: u64,
    },
    /// A function began to run.
    InvocationStarted {
        /// Which.
        function: FunctionId,
        /// For whom.
        caller: Caller,
        /// The event.
        records: &'f [Record],
        /// Placement and Init of a new environment, if one was needed.
        cold_start: Option<SimDuration>,
        /// Invocations of this function in progress, this one included.
        concurrent: u32,
        /// The limit that it was admitted against.
        concurrency: ConcurrencyUse,
        /// The function's provisioned environments.
        provisioned: ProvisionedUse,
    },
    /// An invocation was refused with 429 (LAM-C-23).
    InvocationThrottled {
        /// Which.
        function: FunctionId,
        /// For whom.
        caller: Caller,
        /// Records in the event.
        records: u32,
        /// Why.
        reason: ThrottleReason,
        /// The concurrency at that time.
        concurrency: ConcurrencyUse,
    },
    /// An invocation ended.
    InvocationEnded {
        /// Which.
        function: FunctionId,
        /// For whom.
        caller: Caller,
        /// Shard of the batch; meaningless without a reader.
        shard: ShardIndex,
        /// Records in the event.
        records: u32,
        /// How.
        outcome: InvocationOutcome,
        /// Handler time, without the cold start (LAM-M-04).
        duration: SimDuration,
        /// Placement and Init of a new environment, if one was needed.
        cold_start: Option<SimDuration>,
        /// Init alone, which is what may be billed of a cold start (LAM-B-17, LAM-B-18).
        init: SimDuration,
        /// Init that ran within the invocation and is part of its duration (LAM-R-04, LAM-R-06).
        init_within: SimDuration,
        /// It ran on a provisioned environment.
        provisioned: ProvisionedUse,
        /// How the batch had got there; meaningless without a reader.
        passage: Passage,
        /// Its write is with the sink or on its way there, and will take effect all the same.
        write_pending: bool,
        /// Invocations of this function still in progress.
        concurrent: u32,
    },
    /// A function or application without a sink finished a batch: its effect is complete.
    RecordsProcessed {
        /// Which.
        processor: ProcessorId,
        /// The records.
        records: &'f [Record],
        /// For whom.
        reader: ReaderId,
        /// The shard that they come from.
        shard: ShardIndex,
        /// Their positions there; empty: consecutive from the first of the passage.
        positions: &'f [u64],
        /// How they have got here.
        passage: Passage,
    },
    /// A sink took records: the effect of processing them is complete.
    RecordsDelivered {
        /// Which.
        sink: SinkId,
        /// From.
        processor: ProcessorId,
        /// The records.
        records: &'f [Record],
        /// When the write reached the sink.
        received_at: SimTime,
        /// What the sink takes at this time; `None`: it has no limit.
        capacity: Option<Rate>,
        /// Those that had taken effect before replace themselves.
        rewrites: bool,
        /// Further records of the same write may still take effect.
        more: bool,
        /// Who had read them.
        reader: ReaderId,
        /// The shard that the records come from.
        shard: ShardIndex,
        /// Their positions there; empty: consecutive from the first of the passage.
        positions: &'f [u64],
        /// How they have got here.
        passage: Passage,
    },

    /// Something happened at a sink, besides records that take effect.
    SinkChanged {
        /// Which.
        sink: SinkId,
        /// What.
        change: SinkChange,
    },
    /// Something happened to an event source mapping itself.
    MappingChanged {
        /// Which.
        reader: ReaderId,
        /// What.
        change: MappingChange,
    },
    /// Something happened to an application itself.
    ApplicationChanged {
        /// Which.
        reader: ReaderId,
        /// What.
        change: ApplicationChange,
    },
    /// Something happened in a queue or to its workers.
    Queueing {
        /// What.
        fact: Queueing<'f>,
    },
    /// Something happened at a topic or to its subscriptions.
    Publishing {
        /// What.
        fact: Publishing<'f>,
    },
    /// A function changed.
    FunctionChanged {
        /// Which.
        function: FunctionId,
        /// What happened.
        change: FunctionChange,
    },
    /// Something happened to an asynchronous event of a function.
    AsynchronousEvent {
        /// Which function.
        function: FunctionId,
        /// What happened.
        step: AsynchronousStep,
    },
    /// A direct caller did something.
    InvokerActed {
        /// Who.
        invoker: InvokerId,
        /// What.
        step: InvokerStep,
    },
    /// A command took effect.
    Intervened {
        /// Its number, in order of time.
        number: u16,
    },
}
