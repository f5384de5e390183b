//! What a mapping asks of a function, and what comes back.

use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, MappingId, QueueMappingId, ReaderId, ShardIndex};

/// How an invocation ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InvocationOutcome {
    /// The handler returned normally.
    Succeeded,
    /// The handler threw.
    FunctionError,
    /// The handler ran into the function's timeout.
    TimedOut,
    /// 429: it never ran (LAM-C-23).
    Throttled,
}

/// What a handler that returned normally has returned, for mappings with ReportBatchItemFailures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum BatchResponse {
    /// An empty `batchItemFailures`: nothing failed (LAM-X-19).
    #[default]
    EmptyList,
    /// `batchItemFailures` is null: nothing failed (LAM-X-19).
    NullList,
    /// An empty object: nothing failed (LAM-X-19).
    EmptyObject,
    /// Null: nothing failed (LAM-X-19).
    Null,
    /// `batchItemFailures` names the sequence numbers of the records that the response carries: those marked as failed
    /// ([`Record::outcome`]), at the positions listed beside them (LAM-X-17).
    ItemFailures,
    /// An `itemIdentifier` is empty: everything failed (LAM-X-20).
    EmptyIdentifier,
    /// An `itemIdentifier` is null: everything failed (LAM-X-20).
    NullIdentifier,
    /// An entry has something else in place of `itemIdentifier`: everything failed (LAM-X-20).
    MisnamedIdentifier,
    /// The response is no JSON: everything failed (LAM-Q-08).
    InvalidJson,
    /// An `itemIdentifier` names a message that is not in the batch: everything failed (LAM-Q-08).
    UnknownIdentifier,
}

/// How a batch of a mapping has got to its function, for observers: no component goes by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passage {
    /// Position of the batch's first record in its shard; the others follow, unless the batch lists positions.
    pub first_position: u64,
    /// When the batch was sent to the function for the first time.
    pub first_dispatched_at: SimTime,
    /// When it was sent for this attempt.
    pub dispatched_at: SimTime,
    /// So much of the time between the two is due to attempts that were refused with 429 (LAM-C-23).
    pub throttled_for: SimDuration,
    /// When the invocation began, cold start included; meaningless before that.
    pub started_at: SimTime,
    /// How long it waited for a new environment from then on.
    pub cold_start: SimDuration,
    /// When the page that brought it was cut from the log and when it came in, where the batch is just that page: of an
    /// application, whose workers may bring a record several times.
    pub page: Option<(SimTime, SimTime)>,
}

/// A mapping that invokes, and where in it the batch comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EventSource {
    /// A mapping of a stream.
    Stream(MappingId),
    /// A mapping of a queue, and the number of its poller.
    Queue(QueueMappingId, u32),
}

/// An `Invoke` by a mapping, and its response.
#[derive(Clone, Copy, Debug)]
pub struct InvokeCall {
    /// Who invokes.
    pub source: EventSource,
    /// The same as a reader.
    pub reader: ReaderId,
    /// What.
    pub function: FunctionId,
    /// Shard of the batch (LAM-K-10).
    pub shard: ShardIndex,
    /// Lane of the shard.
    pub lane: u16,
    /// In a response: how it ended.
    pub outcome: InvocationOutcome,
    /// In a response of a handler that returned normally: what it returned.
    pub response: BatchResponse,
    /// Within a tumbling window: which, and its state so far.
    pub window: Option<WindowEvent>,
    /// In a response: bytes of its `state`; `None`: it has none.
    pub state: Option<u64>,
    /// How the batch has got here.
    pub passage: Passage,
}

/// What an event tells of its tumbling window (LAM-W-11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowEvent {
    /// `window.start`
    pub start: SimTime,
    /// `window.end`
    pub end: SimTime,
    /// Bytes of `state`.
    pub state: u64,
    /// `isFinalInvokeForWindow`: it brings no records.
    pub is_final: bool,
    /// `isWindowTerminatedEarly`: the state has outgrown its limit (LAM-W-04).
    pub is_terminated_early: bool,
}
