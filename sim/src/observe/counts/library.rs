//! What a Kinesis Producer Library did.

use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::observe::fact::{Fact, RetryBy};
use crate::record::Record;

/// Totals of a Kinesis Producer Library.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LibraryCounts {
    /// Requests sent.
    pub requests: u64,
    /// Kinesis records in these.
    pub kinesis_records: u64,
    /// User records in these, repeated ones included.
    pub user_records: u64,
    /// User records scheduled to be sent again (KDS-KPL-25).
    pub resent: u64,
    /// Kinesis records that it knows to be stored.
    pub kinesis_records_put: u64,
    /// Kinesis records that were refused or failed, and requests that failed whole.
    pub errors: u64,
    /// Kinesis records that were stored, but not where the library expected them: sent again (KDS-KPL-28).
    pub misplaced: u64,
    /// Time from each user record's creation, or the end of its last attempt, to its next attempt, in nanoseconds.
    pub buffered_nanos: u128,
    /// Attempts beyond the first of the user records that it is done with.
    pub retries: u64,
}

impl LibraryCounts {
    /// Takes note of a fact about the library's producer.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the totals' `note` has sorted the facts")]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::UserRecordsSent {
                kinesis_records,
                records,
                waited_since,
                ..
            } => {
                self.requests += 1;
                self.kinesis_records += u64::from(kinesis_records);
                self.user_records += u64::from(to_u32(records.len()));
                let waits = waited_since
                    .iter()
                    .map(|&since| u128::from(now.since(since).as_nanos()));
                self.buffered_nanos += waits.sum::<u128>();
            }
            Fact::RequestAnswered {
                stored,
                throttled,
                failed,
                misplaced,
                ..
            } => {
                self.kinesis_records_put += u64::from(stored);
                self.errors += u64::from(throttled + failed);
                self.misplaced += u64::from(misplaced);
            }
            Fact::RequestFailed { .. } => self.errors += 1,
            Fact::RetryScheduled {
                by: RetryBy::Library,
                records,
                ..
            } => self.resent += u64::from(records),
            _ => {}
        }
    }
    /// The library is done with user records, which tell how often it tried. Nothing if it is not the client.
    #[inline]
    pub(super) fn settle(&mut self, records: &[Record]) {
        if self.requests > 0 {
            let retries = records
                .iter()
                .map(|record| u64::from(record.attempt().saturating_sub(1)));
            self.retries += retries.sum::<u64>();
        }
    }
}
