//! A Kinesis data stream.

use crate::batch::BatchId;

/// What happens to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A put came in; its service time begins.
    PutReceived {
        /// The call.
        batch: BatchId,
    },
    /// A put's service time is over: entries are admitted and stored.
    PutServed {
        /// The call.
        batch: BatchId,
    },
    /// The calls of a cohort whose service ends in the window that begins now are admitted and stored.
    CohortWindow,
    /// A `GetRecords` came in; its service time begins.
    GetReceived {
        /// The call.
        batch: BatchId,
    },
    /// A read's service time is over: the page is cut from the log.
    GetServed {
        /// The call.
        batch: BatchId,
    },
}
