//! What a record's position looks like from outside: its sequence number.
//!
//! The model itself needs no more than positions. A sequence number is laid out as those are that AWS prints, read as
//! hexadecimal digits (KDS-MOD-06): `2`, the second in which the shard was opened, the lowest digit of the shard's number,
//! the counter, two zeros, the second in which the record was stored, the shard's number, and `2` again. Seconds count
//! from the start of the run.

use crate::engine::time::SimTime;
use crate::ids::ShardIndex;
use core::fmt;

/// A sequence number: the limbs of a number of 188 bits, the highest first, so that they compare as the numbers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SequenceNumber([u64; 3]);

/// When a shard began to count, as its sequence numbers tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Epoch(u64);

const SECONDS: u64 = (1 << 36) - 1;
/// The highest power of ten in a limb, and how many zeros it has.
const CHUNK: u128 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

impl Epoch {
    /// Of a shard that is opened `at` an instant. It lies above those of its parents, however soon it follows them, so
    /// that the numbers of a key go on growing across a split or a merge (KDS-SEQ-06).
    pub fn opened(at: SimTime, parents: impl IntoIterator<Item = Self>) -> Self {
        let after = parents.into_iter().map(|parent| parent.0 + 1).max();
        Self(at.since(SimTime::ZERO).as_secs().max(after.unwrap_or(0)))
    }
}

impl SequenceNumber {
    /// Of the record at a position of a shard, stored at an instant.
    pub fn new(epoch: Epoch, shard: ShardIndex, position: u64, stored_at: SimTime) -> Self {
        let (shard, stored) = (u64::from(shard.0), stored_at.since(SimTime::ZERO).as_secs() & SECONDS);
        // From the left, 47 digits: 1 + 9 + 1 + 16 + 2 + 9 + 8 + 1. The limbs begin at the digits 1, 16 and 32.
        let high = 2 << 56 | (epoch.0 & SECONDS) << 20 | (shard & 15) << 16 | position >> 48;
        let middle = position << 16 | stored >> 28;
        let low = stored << 36 | shard << 4 | 2;
        Self([high, middle, low])
    }
}

impl fmt::Display for SequenceNumber {
    /// In decimal, as AWS writes it (KDS-SEQ-01).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut limbs = self.0;
        let mut chunks = [0; 3];
        for chunk in chunks.iter_mut().rev() {
            let mut rest = 0;
            for limb in &mut limbs {
                let dividend = rest << 64 | u128::from(*limb);
                *limb = u64::try_from(dividend / CHUNK).unwrap_or(u64::MAX);
                rest = dividend % CHUNK;
            }
            *chunk = rest;
        }
        // The leading digit is never zero, and two chunks are never enough.
        let [first, second, third] = chunks;
        write!(f, "{first}{second:0CHUNK_DIGITS$}{third:0CHUNK_DIGITS$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(epoch: u64, shard: u32, position: u64, stored: u64) -> SequenceNumber {
        SequenceNumber::new(Epoch(epoch), ShardIndex(shard), position, SimTime::from_secs(stored))
    }
    fn digits(number: SequenceNumber) -> String {
        number.to_string()
    }

    /// The number in Lambda's sample event of a Kinesis stream, whose ApproximateArrivalTimestamp is 1545084650.987 and
    /// whose shard is shardId-000000000006.
    #[test]
    fn kds_mod_06_numbers_have_the_layout_of_those_that_aws_prints() {
        let printed = "49590338271490256608559692538361571095921575989136588898";
        assert_eq!(digits(number(0x5bf4_e5c2, 6, 0x6764_8a17, 1_545_084_650)), printed);
    }

    /// KDS-SEQ-03: within a shard they grow from record to record.
    #[test]
    fn kds_seq_04_numbers_are_not_consecutive_and_their_gaps_grow_with_the_time_between_puts() {
        let gap = |later: SequenceNumber, earlier: SequenceNumber| {
            let low = |number: SequenceNumber| u128::from(number.0[1]) << 64 | u128::from(number.0[2]);
            assert_eq!(later.0[0], earlier.0[0]);
            low(later) - low(earlier)
        };
        let first = number(100, 3, 41, 1_000);
        let at_once = gap(number(100, 3, 42, 1_000), first);
        let a_second_later = gap(number(100, 3, 42, 1_001), first);
        let a_minute_later = gap(number(100, 3, 42, 1_060), first);
        assert!(1 < at_once && at_once < a_second_later && a_second_later < a_minute_later);
    }

    #[test]
    fn kds_seq_06_a_child_counts_above_its_parents_however_soon_it_is_opened() {
        let parents = [
            Epoch::opened(SimTime::from_secs(7), []),
            Epoch::opened(SimTime::from_secs(9), []),
        ];
        let at_once = Epoch::opened(SimTime::from_secs(9), parents);
        assert!(at_once > parents[0] && at_once > parents[1]);
        assert_eq!(Epoch::opened(SimTime::from_secs(60), parents), Epoch(60));
        let last_of_parent = SequenceNumber::new(parents[1], ShardIndex(15), u64::MAX, SimTime::from_secs(9));
        let first_of_child = SequenceNumber::new(at_once, ShardIndex(16), 0, SimTime::from_secs(9));
        assert!(first_of_child > last_of_parent);
    }

    proptest! {
        /// KDS-SEQ-05: the digits compare as positions do, whatever else differs.
        #[test]
        fn kds_seq_01_a_number_is_decimal_without_leading_zero_and_grows_with_the_position(
            epoch in 0..=SECONDS, shard in any::<u32>(), position in 0..u64::MAX, stored in 0..18_000_000_000_u64,
            step in 1_u64.., later in 0..400_000_000_u64,
        ) {
            let at = number(epoch, shard, position, stored);
            let next = number(epoch, shard, position.saturating_add(step), stored + later);
            for text in [digits(at), digits(next)] {
                prop_assert_eq!(text.len(), 56);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
            }
            prop_assert!(digits(at) < digits(next));
            prop_assert!(at < next);
        }
    }
}
