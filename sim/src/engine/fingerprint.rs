//! The trajectory hash: always on, a nanosecond or two an event.

use super::phase::Phase;
use super::time::SimTime;

/// A running hash over what happened, in order. Equal fingerprints mean the same trajectory, not a right one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(u64);

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl Fingerprint {
    /// The fingerprint of a run in which nothing has happened yet.
    pub const fn new() -> Self {
        Self(0x5368_6172_644C_6162) // "ShardLab"
    }
    /// Absorbs one word.
    #[inline]
    pub const fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    }
    /// Absorbs an event: when, in which phase, what and to whom.
    #[inline]
    pub(crate) fn event(&mut self, at: SimTime, phase: Phase, tag: u64) {
        self.mix(at.as_nanos());
        self.mix(tag << 2 | u64::from(phase.code()));
    }
    /// The value so far, finished so that every bit depends on every input.
    pub const fn value(self) -> u64 {
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}
impl core::fmt::Display for Fingerprint {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:016x}", self.value())
    }
}
