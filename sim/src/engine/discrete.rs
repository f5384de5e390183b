//! Draws from a finite set with weights, in constant time.
#![expect(
    clippy::as_conversions,
    reason = "turns weights into integer shares once, and takes halves of products while sampling"
)]

use super::index::{to_u32, to_usize};
use core::fmt;

/// Shares of one column of the table.
const COLUMN: u64 = 1 << 32;
/// Most entries that [`AliasTable::sample`] serves with one 32-bit word.
pub const NARROW_ENTRIES: u32 = 1 << 16;

/// An alias table (Walker, Vose) in integers: entry `i` is drawn with a probability that is a whole number of shares,
/// `len() * 2^32` shares in all.
#[derive(Clone, PartialEq, Eq)]
pub struct AliasTable {
    /// For each column the threshold (upper half) and the other entry (lower half): a coin below the threshold stands
    /// for the column's own entry.
    columns: Box<[u64]>,
}

/// Why weights do not make a table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum WeightError {
    /// There is no weight.
    Empty,
    /// There are more than 2^31.
    TooMany,
    /// A weight is negative, infinite or not a number.
    Invalid {
        /// Its position.
        position: usize,
        /// The weight.
        weight: f64,
    },
    /// All weights are zero, or their sum is infinite.
    Sum(f64),
}
impl fmt::Display for WeightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a weighted choice needs at least one weight"),
            Self::TooMany => f.write_str("a weighted choice takes at most 2^31 weights"),
            Self::Invalid { position, weight } => write!(
                f,
                "weight number {} is {weight}; a weight must be a finite number, zero or more",
                position + 1
            ),
            Self::Sum(sum) => write!(
                f,
                "the weights add up to {sum}; at least one must be above zero, and the sum finite"
            ),
        }
    }
}
impl core::error::Error for WeightError {}

impl AliasTable {
    /// Builds the table. A weight above zero gets at least one share.
    pub fn new(weights: &[f64]) -> Result<Self, WeightError> {
        let shares = shares(weights)?;
        let mut columns = vec![0_u64; shares.len()];
        let mut left = shares;
        let (mut poor, mut rich): (Vec<u32>, Vec<u32>) =
            (0..to_u32(left.len())).partition(|&entry| left[to_usize(entry)] < COLUMN);
        while let (Some(small), Some(&large)) = (poor.pop(), rich.last()) {
            let own = left[to_usize(small)];
            columns[to_usize(small)] = own << 32 | u64::from(large);
            let rest = &mut left[to_usize(large)];
            *rest -= COLUMN - own;
            if *rest < COLUMN {
                poor.extend(rich.pop());
            }
        }
        // Whatever is left holds one full column each, exactly, since shares are integers that add up.
        for entry in rich {
            debug_assert_eq!(left[to_usize(entry)], COLUMN, "shares add up to full columns");
            columns[to_usize(entry)] = u64::from(entry);
        }
        debug_assert!(poor.is_empty(), "shares add up to full columns");
        Ok(Self {
            columns: columns.into_boxed_slice(),
        })
    }
    /// Number of entries.
    pub fn len(&self) -> u32 {
        to_u32(self.columns.len())
    }
    /// Never true: a table has at least one entry.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
    /// The entry for a 32-bit word. Probabilities are right to 2^-32; meant for up to [`NARROW_ENTRIES`] entries.
    #[inline]
    pub fn sample(&self, word: u32) -> u32 {
        debug_assert!(self.len() <= NARROW_ENTRIES, "a table of this size needs wide words");
        let product = u64::from(word) * self.columns.len() as u64;
        let column = (product >> 32) as u32;
        self.choose(column, product as u32)
    }
    /// The entry for a 64-bit word, for tables of any size.
    #[inline]
    pub fn sample_wide(&self, word: u64) -> u32 {
        let product = u128::from(word) * self.columns.len() as u128;
        self.choose((product >> 64) as u32, (product >> 32) as u32)
    }
    #[inline]
    fn choose(&self, column: u32, coin: u32) -> u32 {
        let entry = self.columns[to_usize(column)];
        core::hint::select_unpredictable(coin < (entry >> 32) as u32, column, entry as u32)
    }
    /// The exact number of shares of every entry; they add up to `len() * 2^32`.
    pub fn shares(&self) -> Vec<u64> {
        let mut shares = vec![0; self.columns.len()];
        for (own, &entry) in self.columns.iter().enumerate() {
            shares[own] += entry >> 32;
            shares[to_usize(entry as u32)] += COLUMN - (entry >> 32);
        }
        shares
    }
}
impl fmt::Debug for AliasTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AliasTable({} entries)", self.columns.len())
    }
}

/// Weights as whole numbers of shares that add up to one column each: rounded down, the remainder going to the
/// greatest entry.
fn shares(weights: &[f64]) -> Result<Vec<u64>, WeightError> {
    if weights.is_empty() {
        return Err(WeightError::Empty);
    }
    if weights.len() > 1 << 31 {
        return Err(WeightError::TooMany);
    }
    if let Some(position) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(WeightError::Invalid {
            position,
            weight: weights[position],
        });
    }
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 || !sum.is_finite() {
        return Err(WeightError::Sum(sum));
    }
    let total = weights.len() as u64 * COLUMN; // at most 2^63
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|weight| ((weight / sum * total as f64) as u64).max(u64::from(*weight > 0.0)))
        .collect();
    let mut greatest = 0;
    for (entry, weight) in weights.iter().enumerate() {
        if *weight > weights[greatest] {
            greatest = entry;
        }
    }
    let given: u128 = shares.iter().map(|&share| u128::from(share)).sum();
    // Off by at most a share for each entry and the rounding of the sum; the greatest has at least 2^32 shares.
    let corrected = i128::from(shares[greatest]) + i128::from(total) - given.cast_signed();
    shares[greatest] = u64::try_from(corrected).map_err(|_| WeightError::Sum(sum))?;
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zipf(count: u32) -> Vec<f64> {
        (1..=count).map(|rank| 1.0 / f64::from(rank)).collect()
    }

    #[test]
    fn the_shares_are_the_weights() {
        let weights = zipf(1_000);
        let shares = AliasTable::new(&weights).expect("weights").shares();
        assert_eq!(shares.iter().sum::<u64>(), 1_000 * COLUMN);
        let sum: f64 = weights.iter().sum();
        for (weight, share) in weights.iter().zip(shares) {
            let expected = weight / sum * 1_000.0 * COLUMN as f64;
            assert!((share as f64 - expected).abs() < 1_100.0, "{share} for {expected}");
        }
    }

    #[test]
    fn halves_and_quarters_are_exact() {
        let table = AliasTable::new(&[2.0, 0.0, 1.0, 1.0]).expect("weights");
        assert_eq!(table.shares(), [2 * COLUMN, 0, COLUMN, COLUMN]);
        let mut seen = [0_u32; 4];
        for word in (0..=u32::MAX).step_by(1 << 16) {
            seen[to_usize(table.sample(word))] += 1;
        }
        assert_eq!(seen, [32_768, 0, 16_384, 16_384], "words that go round evenly");
    }

    #[test]
    fn a_hot_key_and_a_million_others_keep_their_shares() {
        let mut weights = vec![0.55 / 1e6; 1_000_001];
        weights[0] = 0.45;
        let table = AliasTable::new(&weights).expect("weights");
        let shares = table.shares();
        let total = u64::from(table.len()) * COLUMN;
        assert_eq!(shares.iter().sum::<u64>(), total);
        assert!((shares[0] as f64 / total as f64 - 0.45).abs() < 1e-9);
        let hits = (0..100_000_u64)
            .filter(|i| table.sample_wide(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)) == 0)
            .count();
        assert!(
            (44_900..45_100).contains(&hits),
            "{hits} of 100,000 equidistributed words"
        );
    }

    #[test]
    fn narrow_and_wide_words_agree() {
        let table = AliasTable::new(&zipf(500)).expect("weights");
        for word in (0..=u32::MAX).step_by(99_991) {
            assert_eq!(table.sample(word), table.sample_wide(u64::from(word) << 32));
        }
    }

    #[test]
    fn wrong_weights_are_named() {
        assert_eq!(AliasTable::new(&[]), Err(WeightError::Empty));
        assert_eq!(AliasTable::new(&[0.0, 0.0]), Err(WeightError::Sum(0.0)));
        let message = AliasTable::new(&[1.0, -2.0]).expect_err("negative").to_string();
        assert_eq!(
            message,
            "weight number 2 is -2; a weight must be a finite number, zero or more"
        );
        assert!(AliasTable::new(&[f64::NAN]).is_err());
    }

    proptest! {
        #[test]
        fn a_positive_weight_is_never_lost(weights in prop::collection::vec(prop_oneof![Just(0.0), 1e-30_f64..1e-20, 0.1_f64..10.0], 1..200)) {
            match AliasTable::new(&weights) {
                Ok(table) => {
                    let shares = table.shares();
                    prop_assert_eq!(shares.iter().sum::<u64>(), weights.len() as u64 * COLUMN);
                    for (weight, share) in weights.iter().zip(shares) {
                        prop_assert_eq!(*weight > 0.0, share > 0);
                    }
                }
                Err(error) => prop_assert_eq!(error, WeightError::Sum(0.0)),
            }
        }
    }
}
