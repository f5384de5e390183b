//! What has taken effect of a key, as far as bits tell.

/// What has taken effect of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Key {
    /// The ordinals from `base` on, a bit each; the first has not. `EXCEPTIONAL`: its exceptions tell.
    pub(super) done: u64,
    /// All below have taken effect. Where exceptions tell, it is `next`.
    pub(super) base: u32,
    /// The ordinal after the highest that has.
    pub(super) next: u32,
    /// The last batch that opened holes, and the lowest ordinal of these.
    pub(super) opened_in: u32,
    pub(super) opened_from: u32,
}

/// No other bits have the first one set.
pub(super) const EXCEPTIONAL: u64 = u64::MAX;

impl Key {
    /// Everything below `next` has taken effect.
    pub(super) const fn whole(next: u32) -> Self {
        Self {
            done: 0,
            base: next,
            next,
            opened_in: 0,
            opened_from: 0,
        }
    }
    /// Another ordinal is the one after the highest, and no bit tells otherwise.
    pub(super) const fn reach(&mut self, next: u32) {
        (self.base, self.next) = (next, next);
    }
    /// How many ordinals are missing, as far as bits tell.
    pub(super) const fn missing(self) -> u32 {
        if self.done == EXCEPTIONAL {
            0
        } else {
            self.next - self.base - self.done.count_ones()
        }
    }
}
