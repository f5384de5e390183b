//! Sums over the records of a fact that several observers use: made in one pass, and handed to each.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::observe::fact::Fact;
use crate::record::Record;

/// What became of the entries of a put, by their own outcomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Entries {
    pub(super) stored: u64,
    pub(super) throttled: u64,
    pub(super) failed: u64,
    /// Bytes of the stored ones (data + key).
    pub(super) bytes: u64,
    /// Sum of the instants at which the stored ones were, in nanoseconds.
    pub(super) instants: u128,
}

impl Entries {
    /// One pass without a branch: nobody can predict which entries a hot shard refuses.
    #[inline]
    fn of(records: &[Record]) -> Self {
        /// By outcome: all bits for an entry that was accepted, else none.
        const STORED: [u64; 4] = [u64::MAX, 0, 0, 0];
        let (mut stored, mut outcomes, mut bytes, mut instants) = (0_u64, 0, 0, 0);
        for record in records {
            let outcome = record.outcome_number();
            let mask = STORED[to_usize(outcome)];
            stored = stored.wrapping_sub(mask);
            outcomes += u64::from(outcome);
            bytes += u64::from(record.bytes) & mask;
            instants += u128::from(record.arrived_at.as_nanos() & mask);
        }
        let refused = u64::from(to_u32(records.len())) - stored;
        // A throttled entry adds 1 to `outcomes`, a failed one 2.
        let failed = outcomes - refused;
        Self {
            stored,
            throttled: refused - failed,
            failed,
            bytes,
            instants,
        }
    }
}

/// Times from the creation of a batch's records to their effect, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spans {
    pub(super) count: u64,
    pub(super) sum: u128,
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Spans {
    /// Spans from the creation of the records to `now`; none for a record that is created later.
    pub(super) fn of(now: SimTime, records: &[Record]) -> Self {
        let mut spans = Self {
            count: u64::from(to_u32(records.len())),
            sum: 0,
            min: u64::MAX,
            max: 0,
        };
        for record in records {
            let nanos = now.since(record.created_at).as_nanos();
            spans.sum += u128::from(nanos);
            spans.min = spans.min.min(nanos);
            spans.max = spans.max.max(nanos);
        }
        spans
    }
}

/// The sums of a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums {
    /// Of a put that was handled.
    pub(super) entries: Entries,
    /// Of a batch that took effect, once an observer has measured it.
    pub(super) spans: Option<Spans>,
}

impl Sums {
    /// What the fact's records tell before any observer has seen it.
    #[inline]
    pub(super) fn of(fact: &Fact<'_>) -> Self {
        let entries = if let Fact::PutHandled { records, .. } = *fact {
            Entries::of(records)
        } else {
            Entries::default()
        };
        Self { entries, spans: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::sample::{at, put, record, refused};
    use crate::record::Outcome;

    #[test]
    fn entries_are_summed_by_outcome() {
        let mut failed = record(0, 3);
        failed.set_outcome(Outcome::Failed);
        let entries = [record(0, 0), refused(record(0, 1)), record(0, 2), failed];
        let sums = Sums::of(&put(&entries, &[], at(20)));
        let expected = Entries {
            stored: 2,
            throttled: 1,
            failed: 1,
            bytes: 200,
            instants: 22_000_000,
        };
        assert_eq!(sums.entries, expected);
        assert_eq!(Sums::of(&Fact::Intervened { number: 0 }).entries, Entries::default());
    }
}
