//! What components hold at an instant: the other side of every ledger. The world reports it, the ledgers compare.

use crate::ids::{FunctionId, InvokerId, ProducerId, QueueId, QueueMappingId, ReaderId, ShardIndex, StreamId};
use crate::services::queue::QueueState;
use crate::services::queue_mapping::InHand;
use crate::services::topic::Undelivered;

/// What is where. Filled anew for each check; the vectors keep their room.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holdings {
    /// By producer, in order of id.
    pub producers: Vec<ProducerHoldings>,
    /// By stream and shard, in any order.
    pub logs: Vec<LogHoldings>,
    /// By reader and shard, in any order.
    pub readers: Vec<ReaderHoldings>,
    /// By queue, in order of id.
    pub queues: Vec<QueueHoldings>,
    /// By subscription, in order of topic and id.
    pub subscriptions: Vec<Undelivered>,
    /// By mapping of a queue, in order of id.
    pub queue_mappings: Vec<QueueMappingHoldings>,
    /// By invoker, in order of id.
    pub invokers: Vec<InvokerHoldings>,
    /// By function, in order of id.
    pub events: Vec<EventHoldings>,
}

/// What a queue holds, in messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueHoldings {
    /// Which queue.
    pub queue: QueueId,
    /// Its messages by state.
    pub held: QueueState,
}

/// What a mapping of a queue has in hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueMappingHoldings {
    /// Which mapping.
    pub mapping: QueueMappingId,
    /// Its messages.
    pub held: InHand,
}

/// What an invoker waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvokerHoldings {
    /// Who.
    pub invoker: InvokerId,
    /// Requests without an answer.
    pub in_flight: u64,
}

/// The asynchronous events that Lambda keeps for a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventHoldings {
    /// Which function.
    pub function: FunctionId,
    /// Events that wait for an attempt.
    pub waiting: u64,
    /// Events whose invocation is in progress.
    pub running: u64,
}

/// What a producer's client holds, in records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerHoldings {
    /// Who.
    pub producer: ProducerId,
    /// Created by now, but no fact has said so yet: a batch that is still gathering.
    pub unstated: u64,
    /// Stated as produced and in the client: ready to be sent, or waiting to be sent again.
    pub waiting: u64,
    /// Sent, and neither a response nor a timeout has been handled.
    pub in_flight: u64,
}

/// What a shard's log holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogHoldings {
    /// Which stream.
    pub stream: StreamId,
    /// Which shard.
    pub shard: ShardIndex,
    /// The position that the next record gets; the first record of a shard has position 0.
    pub next_position: u64,
    /// Records within retention.
    pub retained: u64,
    /// Records trimmed by retention (KDS-RET-09), read or not.
    pub trimmed: u64,
}

/// What a reader has in hand of a shard.
///
/// `cursor` and `in_flight` are the reader's own view: a read whose response is under way counts as unread. The facts
/// `RecordsExpiredUnread`, `RecordsExpiredInRetry` and `BatchAcknowledged` are stated at the instant at which the view
/// changes, and `BatchAcknowledged` before the `CheckpointAdvanced` that it causes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderHoldings {
    /// Who reads.
    pub reader: ReaderId,
    /// Which stream.
    pub stream: StreamId,
    /// Which shard.
    pub shard: ShardIndex,
    /// Position at which the reader began.
    pub start: u64,
    /// Position of the next record to read.
    pub cursor: u64,
    /// Records read and neither acknowledged nor expired.
    pub in_flight: u64,
}

impl Holdings {
    /// Forgets everything but keeps the room.
    pub fn clear(&mut self) {
        self.producers.clear();
        self.logs.clear();
        self.readers.clear();
        self.invokers.clear();
        self.events.clear();
        self.queues.clear();
        self.subscriptions.clear();
        self.queue_mappings.clear();
    }
    /// The log of a shard.
    pub fn log(&self, stream: StreamId, shard: ShardIndex) -> Option<&LogHoldings> {
        self.logs.iter().find(|log| log.stream == stream && log.shard == shard)
    }
}
