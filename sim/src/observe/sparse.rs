//! A value for a few of many keys, found by one array look-up.

use crate::engine::index::{to_u32, to_usize};

/// Values by key. Memory: four bytes for each possible key; values that are given back keep their room for others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sparse<T> {
    /// By key: one more than the value's place; zero for none, so that one less is no place.
    places: Vec<u32>,
    values: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Sparse<T> {
    /// No values, for keys below `keys`.
    pub(super) fn new(keys: usize) -> Self {
        Self {
            places: vec![0; keys],
            values: Vec::new(),
            free: Vec::new(),
        }
    }
    /// The key's value, if it has one.
    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<&T> {
        self.values.get(to_usize(self.places[to_usize(key)].wrapping_sub(1)))
    }
    /// The key's value, if it has one.
    #[inline]
    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        self.values
            .get_mut(to_usize(self.places[to_usize(key)].wrapping_sub(1)))
    }
    /// The key's value, made if it has none.
    #[inline]
    pub(super) fn obtain(&mut self, key: u32) -> &mut T {
        let place = &mut self.places[to_usize(key)];
        if *place == 0 {
            *place = self.free.pop().unwrap_or_else(|| {
                self.values.push(T::default());
                to_u32(self.values.len())
            });
        }
        &mut self.values[to_usize(*place - 1)]
    }
    /// Gives the key's value back, which must be as good as new.
    #[inline]
    pub(super) fn release(&mut self, key: u32) {
        let place = core::mem::take(&mut self.places[to_usize(key)]);
        if place > 0 {
            self.free.push(place);
        }
    }
    /// Values, those given back included.
    pub(super) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
    /// Values, those given back included.
    #[cfg(test)]
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_given_back_serves_another_key() {
        let mut sparse = Sparse::<Vec<u32>>::new(3);
        sparse.obtain(1).push(7);
        sparse.obtain(2).push(8);
        assert_eq!((sparse.get(0), sparse.get(1)), (None, Some(&vec![7])));
        sparse.get_mut(1).expect("it was made").clear();
        sparse.release(1);
        sparse.release(0);
        assert_eq!(sparse.get(1), None);
        assert!(sparse.obtain(0).is_empty());
        assert_eq!(sparse.values().len(), 2);
        assert_eq!(sparse.get(2), Some(&vec![8]));
    }
}
