//! The causes that the time of a record is split by.

use crate::engine::time::SimDuration;

/// Why a record had not taken effect yet. Every nanosecond from its creation to its effect has exactly one cause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// From its creation to the first request that carried it: linger, and waiting for a free connection.
    Gathering,
    /// From the first request that carried it to the one that was stored: refused entries, failed and lost requests,
    /// backoff, and waiting for a connection to send it again.
    PutRetries,
    /// From the sending of the request that was stored to the arrival in the shard: network and service.
    Put,
    /// In the shard, until a GetRecords cut the page that brought it to this reader.
    WaitingForPoll,
    /// From the shard to the function: the way of the page, the dispatch delay (LAM-U-04), and the way of the invocation.
    Transfer,
    /// In its lane, until the batch was sent to the function for the first time: BatchSize, the batching window, and the
    /// batch before it (LAM-E-03, LAM-K-07).
    WaitingForBatch,
    /// After attempts that were refused for concurrency (LAM-C-23): the attempt, the wait, and reading the batch again.
    WaitingForConcurrency,
    /// After attempts that ended in a function error or a timeout (LAM-X-02): the attempt, the wait, and reading the
    /// batch again.
    Redelivery,
    /// Placement and Init of a new environment (LAM-C-03).
    ColdStart,
    /// In the handler: until it returned or, where it writes to a sink, until its write got there.
    Handler,
    /// In the sink: its line and its latency.
    Sink,
}

impl Cause {
    /// All causes, in the order in which a record meets them.
    pub const ALL: [Self; CAUSES] = [
        Self::Gathering,
        Self::PutRetries,
        Self::Put,
        Self::WaitingForPoll,
        Self::Transfer,
        Self::WaitingForBatch,
        Self::WaitingForConcurrency,
        Self::Redelivery,
        Self::ColdStart,
        Self::Handler,
        Self::Sink,
    ];
    /// Its place in [`ALL`](Self::ALL).
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Gathering => 0,
            Self::PutRetries => 1,
            Self::Put => 2,
            Self::WaitingForPoll => 3,
            Self::Transfer => 4,
            Self::WaitingForBatch => 5,
            Self::WaitingForConcurrency => 6,
            Self::Redelivery => 7,
            Self::ColdStart => 8,
            Self::Handler => 9,
            Self::Sink => 10,
        }
    }
    /// As a key in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::PutRetries => "put_retries",
            Self::Put => "put",
            Self::WaitingForPoll => "waiting_for_poll",
            Self::Transfer => "transfer",
            Self::WaitingForBatch => "waiting_for_batch",
            Self::WaitingForConcurrency => "waiting_for_concurrency",
            Self::Redelivery => "redelivery",
            Self::ColdStart => "cold_start",
            Self::Handler => "handler",
            Self::Sink => "sink",
        }
    }
    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gathering => "gathering in the producer",
            Self::PutRetries => "throttled or sent again",
            Self::Put => "put",
            Self::WaitingForPoll => "waiting for a poll",
            Self::Transfer => "from shard to function",
            Self::WaitingForBatch => "waiting for its batch",
            Self::WaitingForConcurrency => "waiting for concurrency",
            Self::Redelivery => "failed and tried again",
            Self::ColdStart => "cold start",
            Self::Handler => "handler",
            Self::Sink => "sink",
        }
    }
}

/// How many causes there are.
pub const CAUSES: usize = 11;

/// The time of one record from its creation to its effect, by cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts([SimDuration; CAUSES]);

impl Parts {
    /// The part of a cause.
    pub const fn of(&self, cause: Cause) -> SimDuration {
        self.0[cause.index()]
    }
    pub(super) const fn set(&mut self, cause: Cause, span: SimDuration) {
        self.0[cause.index()] = span;
    }
    /// All parts together, in nanoseconds.
    pub fn sum(&self) -> u128 {
        self.0.iter().map(|part| u128::from(part.as_nanos())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_a_place_of_its_own() {
        for (place, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause.index(), place);
            assert_eq!(Cause::ALL.iter().filter(|other| other.key() == cause.key()).count(), 1);
        }
    }
}
