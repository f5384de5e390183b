//! The exponential distribution of mean one, in fixed point, from one random word.
//!
//! Minus the logarithm of a uniform number is an octave (how many leading zeros the word has) times ln 2, plus minus
//! the logarithm of the mantissa. The second part is the same in every octave, because an exponential time has no
//! memory; so one small table serves the whole range and the tail needs no rule of its own.
#![expect(
    clippy::as_conversions,
    reason = "const evaluation, where From is not callable; takes bit fields out of words; widths are noted"
)]

const CELL_BITS: u32 = 8;
const CELLS: usize = 1 << CELL_BITS;
/// ln 2 with [`UnitExponential::FRACTION_BITS`] bits, rounded.
const LN_2: u64 = (core::f64::consts::LN_2 * 4_294_967_296.0 + 0.5) as u64;

/// Independent exponential times of mean one, as fixed-point numbers with 32 fraction bits.
///
/// The mean is exact to 1e-9, and every quantile to 2e-6. A greater word gives a smaller value.
#[derive(Clone, Copy, Debug)]
pub struct UnitExponential;

/// The cells of the table: the value at a cell's beginning (lower half), and by how much it falls up to its end (upper
/// half).
static CELL_TABLE: [u64; CELLS] = cells();

impl UnitExponential {
    /// Fraction bits of the values.
    pub const FRACTION_BITS: u32 = 32;

    /// The value for a 32-bit word, at most 22.9 (the word is taken as the middle of its 2^-32).
    #[inline]
    pub fn sample(word: u32) -> u64 {
        // The conversion to a float normalises the word, several times faster than counting zeros and shifting; the
        // number is exact, so this is `interpolate` of the word and a one behind it.
        let bits = (f64::from(word) + 0.5).to_bits();
        let octave = 1_054 - (bits >> 52);
        let cell = CELL_TABLE[(bits >> (52 - CELL_BITS)) as usize % CELLS];
        let fraction = (bits >> (20 - CELL_BITS)) & 0xFFFF_FFFF;
        octave * LN_2 + (cell & 0xFFFF_FFFF) - (((cell >> 32) * fraction) >> 32)
    }
    /// The value for a 64-bit word, at most 45.1.
    #[inline]
    pub fn sample_wide(word: u64) -> u64 {
        let octave = word.leading_zeros();
        interpolate(octave, word.wrapping_shl(octave))
    }
    /// The values for a block of words, what [`sample`](Self::sample) gives for each. Panics if the lengths differ.
    ///
    /// Looking cells up is the only step that goes value by value; the loops before and after it work on several at once.
    pub fn fill(words: &[u32], values: &mut [u64]) {
        assert_eq!(words.len(), values.len(), "one value for each word");
        let (blocks, rest) = words.as_chunks::<BLOCK>();
        let (value_blocks, value_rest) = values.as_chunks_mut::<BLOCK>();
        for (words, values) in blocks.iter().zip(value_blocks) {
            fill_block(words, values);
        }
        for (value, &word) in value_rest.iter_mut().zip(rest) {
            *value = Self::sample(word);
        }
    }
}

/// Values that are made together.
const BLOCK: usize = 64;

#[inline]
fn fill_block(words: &[u32; BLOCK], values: &mut [u64; BLOCK]) {
    /// A float with this pattern behind a word in its low bits is 2^52 plus the word.
    const TWO_TO_52: u64 = 0x4330_0000_0000_0000;
    const LESS: f64 = 4_503_599_627_370_495.5; // 2^52 - 1/2, exactly
    const LOW: u64 = 0xFFFF_FFFF;
    let mut cells = [0_u64; BLOCK];
    for (value, &word) in values.iter_mut().zip(words) {
        *value = (f64::from_bits(TWO_TO_52 | word as u64) - LESS).to_bits();
    }
    for (cell, bits) in cells.iter_mut().zip(values.iter()) {
        *cell = CELL_TABLE[(bits >> (52 - CELL_BITS)) as usize % CELLS];
    }
    for (value, cell) in values.iter_mut().zip(&cells) {
        let octave = (1_054 - (*value >> 52)) & 0xFF;
        let fraction = (*value >> (20 - CELL_BITS)) & LOW;
        *value = octave * LN_2 + (cell & LOW) - (((cell >> 32) * fraction) >> 32);
    }
}

/// Minus the logarithm, from the octave and the word shifted up to its first one.
#[inline]
fn interpolate(octave: u32, shifted: u64) -> u64 {
    let cell = CELL_TABLE[(shifted >> (63 - CELL_BITS)) as usize % CELLS];
    let fraction = (shifted >> (31 - CELL_BITS)) & 0xFFFF_FFFF;
    octave as u64 * LN_2 + (cell & 0xFFFF_FFFF) - (((cell >> 32) * fraction) >> 32)
}

/// The natural logarithm for arguments between 1 and 2, by the series of the inverse hyperbolic tangent.
const fn logarithm(x: f64) -> f64 {
    let z = (x - 1.0) / (x + 1.0);
    let square = z * z;
    let (mut sum, mut power, mut odd) = (0.0, z, 1.0);
    while odd < 45.0 {
        sum += power / odd;
        power *= square;
        odd += 2.0;
    }
    2.0 * sum
}

/// By how much the chord over cell `i` lies above the curve on average.
const fn excess(i: usize) -> f64 {
    let (a, b) = (1.0 + i as f64 / CELLS as f64, 1.0 + (i + 1) as f64 / CELLS as f64);
    let mean = (b * logarithm(b) - a * logarithm(a)) * CELLS as f64 - 1.0;
    mean - f64::midpoint(logarithm(a), logarithm(b))
}

const fn cells() -> [u64; CELLS] {
    // Chords lie above a convex curve. The inner knots are lowered so that the mean of each octave is exact; the outer
    // two stay, so that octaves join and no value is negative.
    let mut knots = [0_u32; CELLS + 1];
    let mut i = 0;
    while i <= CELLS {
        let curve = core::f64::consts::LN_2 - logarithm(1.0 + i as f64 / CELLS as f64);
        let lowered = if i == 0 || i == CELLS {
            0.0
        } else {
            let mut shift = f64::midpoint(excess(i - 1), excess(i));
            if i == 1 {
                shift += excess(0) / 2.0;
            }
            if i == CELLS - 1 {
                shift += excess(CELLS - 1) / 2.0;
            }
            shift
        };
        knots[i] = ((curve - lowered) * 4_294_967_296.0 + 0.5) as u32; // ln 2 is below 1, so this fits 32 bits
        i += 1;
    }
    let mut cells = [0; CELLS];
    let mut i = 0;
    while i < CELLS {
        cells[i] = ((knots[i] - knots[i + 1]) as u64) << 32 | knots[i] as u64;
        i += 1;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: f64 = 4_294_967_296.0;

    #[test]
    fn the_mean_is_one_to_a_part_in_a_billion() {
        let within: f64 = CELL_TABLE
            .iter()
            .map(|cell| (cell & 0xFFFF_FFFF) as f64 - (cell >> 32) as f64 / 2.0)
            .sum::<f64>()
            / CELLS as f64;
        // Octave k has mass 2^-(k+1), so the mean octave is 1.
        let mean = (LN_2 as f64 + within) / ONE;
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn every_value_is_minus_the_logarithm() {
        let mut word = 0x9E37_79B9_7F4A_7C15_u64;
        for i in 0..100_000_u32 {
            word = word.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(1);
            let wide = (word >> (i % 60)).max(1); // reach every octave
            let expected = -libm::log(wide as f64 / (ONE * ONE));
            let value = UnitExponential::sample_wide(wide) as f64 / ONE;
            assert!((value - expected).abs() < 3e-6, "{wide}: {value} {expected}");
            let narrow = u32::try_from(word >> 32).expect("32 bits") >> (i % 32);
            let expected = -libm::log((f64::from(narrow) + 0.5) / ONE);
            let value = UnitExponential::sample(narrow) as f64 / ONE;
            assert!((value - expected).abs() < 3e-6, "{narrow}: {value} {expected}");
        }
    }

    #[test]
    fn normalising_by_conversion_is_the_same_as_by_shifts() {
        for word in (0..u32::MAX).step_by(9_973).chain([1, 2, 3, 1 << 31, u32::MAX]) {
            let octave = word.leading_zeros();
            let shifted = ((word as u64) << 32 | 1 << 31) << octave;
            assert_eq!(UnitExponential::sample(word), interpolate(octave, shifted));
        }
    }

    #[test]
    fn a_block_of_words_gives_what_each_word_gives() {
        for length in [0, 1, 63, 64, 65, 1_000] {
            let words: Vec<u32> = (0..length)
                .map(|i: u32| i.wrapping_mul(0x9E37_79B9) >> (i % 33).min(31))
                .collect();
            let mut values = vec![0; words.len()];
            UnitExponential::fill(&words, &mut values);
            let singly: Vec<u64> = words.iter().map(|&word| UnitExponential::sample(word)).collect();
            assert_eq!(values, singly);
        }
    }

    #[test]
    fn values_fall_as_words_rise() {
        let mut last = u64::MAX;
        for word in (0..u32::MAX).step_by(9_973).chain([u32::MAX]) {
            let value = UnitExponential::sample(word);
            assert!(value <= last, "at {word}");
            last = value;
        }
        assert_eq!(last, UnitExponential::sample_wide(u64::MAX >> 32 << 32 | 1 << 31));
    }

    /// Golden variates: they change only if the table does, which would change every run.
    #[test]
    fn the_variates_of_fixed_words_are_fixed() {
        let words = [0, 1, 1 << 16, 0x1234_5678, 1 << 31, u32::MAX];
        let mut values = [0; 6];
        UnitExponential::fill(&words, &mut values);
        assert_eq!(values, GOLDEN);
        assert_eq!(
            [0, 1 << 40, 0x0123_4567_89AB_CDEF].map(UnitExponential::sample_wide),
            GOLDEN_WIDE
        );
    }
    const GOLDEN: [u64; 6] = [
        98_242_467_576,
        93_523_961_298,
        47_632_678_832,
        11_353_796_993,
        2_977_044_472,
        1,
    ];
    const GOLDEN_WIDE: [u64; 3] = [193_507_890_680, 71_449_067_328, 23_261_974_879];
}
