//! The last few of many: a ring that forgets the oldest.

/// The newest `N` items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recent<T, const N: usize> {
    items: Vec<T>,
    oldest: usize,
}

impl<T, const N: usize> Recent<T, N> {
    /// Nothing yet; room is taken as items come.
    pub const fn new() -> Self {
        Self {
            items: Vec::new(),
            oldest: 0,
        }
    }
    /// Adds an item, and forgets the oldest if there are `N`.
    #[inline]
    pub fn push(&mut self, item: T) {
        if self.items.len() < N {
            self.items.push(item);
        } else if let Some(slot) = self.items.get_mut(self.oldest) {
            *slot = item;
            self.oldest = if self.oldest + 1 == N { 0 } else { self.oldest + 1 };
        }
    }
    /// The items, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        let (late, early) = self.items.split_at(self.oldest.min(self.items.len()));
        early.iter().chain(late)
    }
}
impl<T, const N: usize> Default for Recent<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_in_order() {
        let mut ring = Recent::<u32, 4>::new();
        for number in 0..10 {
            ring.push(number);
        }
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [6, 7, 8, 9]);
        assert_eq!(ring.iter().next_back(), Some(&9));
    }
}
