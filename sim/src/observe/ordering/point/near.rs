//! What has not taken effect of a key, as far as bits tell.

/// What has not taken effect of a key although something later has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Near {
    /// The ordinals from `base` on, a bit each.
    pub(super) missing: u64,
    pub(super) base: u32,
    /// The last batch that opened holes, and the lowest ordinal of these.
    pub(super) opened_in: u32,
    pub(super) opened_from: u32,
}

/// As `base`: the exceptions of the key tell. No ordinal lies within the bits from there on.
const EXCEPTIONAL: u32 = u32::MAX - 2 * u64::BITS;

impl Near {
    /// The exceptions of the key tell from now on.
    pub(super) const fn exceptional() -> Self {
        Self {
            missing: 1,
            base: EXCEPTIONAL,
            opened_in: 0,
            opened_from: 0,
        }
    }
    pub(super) const fn is_exceptional(&self) -> bool {
        self.base == EXCEPTIONAL
    }
    /// The same with bits that begin with one that is set: where none is, with the ordinal after the highest.
    #[inline]
    pub(super) const fn tidied(&self, next: u32) -> (u64, u32) {
        if self.missing == 0 {
            return (0, next);
        }
        let filled = self.missing.trailing_zeros();
        (self.missing >> filled, self.base + filled)
    }
    /// The bit of an ordinal that is missing.
    pub(super) const fn bit_of(&self, ordinal: u32) -> u64 {
        self.missing & 1_u64.unbounded_shl(ordinal.wrapping_sub(self.base))
    }
    /// The lowest missing ordinal.
    pub(super) const fn first(&self) -> Option<u32> {
        if self.missing == 0 {
            return None;
        }
        Some(self.base + self.missing.trailing_zeros())
    }
}
