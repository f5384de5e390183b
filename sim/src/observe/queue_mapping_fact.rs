//! What event source mappings of queues state.

use crate::batch::InvocationOutcome;
use crate::record::Record;

/// What happened to a mapping of a queue.
#[derive(Clone, Copy, Debug)]
pub enum QueueMappingFact<'f> {
    /// A poll was answered.
    Polled {
        /// The messages; nothing after an empty poll.
        records: &'f [Record],
    },
    /// Its filters let messages pass by: they are deleted (LAM-S-30).
    FilteredOut {
        /// The messages.
        records: &'f [Record],
    },
    /// A batch went to the function.
    Dispatched {
        /// The batch.
        records: &'f [Record],
        /// Bytes of its messages.
        bytes: u64,
        /// Attempts of this batch before, all of them throttled.
        attempts_before: u32,
        /// Another message would not have fitted the payload of an invocation (LAM-E-08).
        payload_full: bool,
        /// Batches with the function, this one included.
        concurrent: u32,
        /// How many there may be.
        limit: u32,
    },
    /// The function did not process messages, or reported them as failed: they stay in flight until their visibility
    /// timeout is over (LAM-S-21, LAM-Q-05).
    Failed {
        /// How; succeeded: the handler returned, and reported failures.
        outcome: InvocationOutcome,
        /// The messages.
        records: &'f [Record],
        /// Messages of the batch.
        batch: u32,
    },
    /// A batch was throttled, and its poller keeps it (LAM-Q-02).
    Throttled {
        /// Messages of the batch.
        records: u32,
    },
    /// A poller gave a throttled batch up at the end of its visibility timeout (LAM-Q-02), or what it had gathered when
    /// the mapping was switched off: the messages come back.
    LetGo {
        /// The messages.
        records: &'f [Record],
    },
    /// Messages are processed, and will be deleted (LAM-S-20).
    Done {
        /// The messages.
        records: &'f [Record],
    },
    /// The queue answered a delete.
    Deleted {
        /// Entries that it took.
        entries: u32,
        /// Entries that it refused: their visibility timeout was over.
        refused: u32,
    },
    /// The queue refused a call, which will be repeated.
    CallRefused,
    /// The number of pollers was weighed.
    Weighed {
        /// Batches that may be with the function at the same time.
        limit: u32,
        /// Pollers at work: of a provisioned mapping each with up to ten batches.
        pollers: u32,
        /// Its pollers are provisioned.
        provisioned: bool,
    },
    /// It was switched off or on (LAM-E-13).
    Switched {
        /// It polls and invokes.
        enabled: bool,
    },
}

impl<'f> QueueMappingFact<'f> {
    /// The messages that it is about, if it names them.
    pub const fn records(&self) -> &'f [Record] {
        match *self {
            Self::Polled { records }
            | Self::FilteredOut { records }
            | Self::Dispatched { records, .. }
            | Self::Failed { records, .. }
            | Self::LetGo { records }
            | Self::Done { records } => records,
            Self::Throttled { .. }
            | Self::Deleted { .. }
            | Self::CallRefused
            | Self::Weighed { .. }
            | Self::Switched { .. } => &[],
        }
    }
    /// The same without its messages.
    pub const fn without_records(self) -> QueueMappingFact<'static> {
        match self {
            Self::Polled { .. } => QueueMappingFact::Polled { records: &[] },
            Self::FilteredOut { .. } => QueueMappingFact::FilteredOut { records: &[] },
            Self::Dispatched {
                bytes,
                attempts_before,
                payload_full,
                concurrent,
                limit,
                ..
            } => QueueMappingFact::Dispatched {
                records: &[],
                bytes,
                attempts_before,
                payload_full,
                concurrent,
                limit,
            },
            Self::Failed { outcome, batch, .. } => QueueMappingFact::Failed {
                outcome,
                records: &[],
                batch,
            },
            Self::LetGo { .. } => QueueMappingFact::LetGo { records: &[] },
            Self::Done { .. } => QueueMappingFact::Done { records: &[] },
            Self::Throttled { records } => QueueMappingFact::Throttled { records },
            Self::Deleted { entries, refused } => QueueMappingFact::Deleted { entries, refused },
            Self::CallRefused => QueueMappingFact::CallRefused,
            Self::Weighed {
                limit,
                pollers,
                provisioned,
            } => QueueMappingFact::Weighed {
                limit,
                pollers,
                provisioned,
            },
            Self::Switched { enabled } => QueueMappingFact::Switched { enabled },
        }
    }
}
