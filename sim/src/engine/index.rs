//! Typed indexes over plain vectors: a shard's number cannot be used where a queue's is meant.
#![expect(
    clippy::as_conversions,
    reason = "the one place where a u32 becomes an index; usize has at least 32 bits here"
)]

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// An id that indexes a vector.
pub trait Idx: Copy + Ord + fmt::Debug {
    /// The id with this position.
    fn from_index(index: usize) -> Self;
    /// The position in the vector.
    fn index(self) -> usize;
}

/// Widens a count or position; every supported target has at least 32 bits.
#[inline]
pub const fn to_usize(value: u32) -> usize {
    value as usize
}

/// Narrows a length. Panics above 2^32 - 1: no collection of the model may grow there.
#[inline]
pub fn to_u32(value: usize) -> u32 {
    assert!(u32::try_from(value).is_ok(), "a collection outgrew 2^32 entries");
    value as u32
}

/// Declares a component id: a `u16` newtype that indexes an [`IndexVec`].
#[macro_export]
macro_rules! define_index {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $int);
        impl $crate::engine::index::Idx for $name {
            #[inline]
            fn from_index(index: usize) -> Self {
                match <$int>::try_from(index) {
                    Ok(value) => Self(value),
                    Err(_) => panic!("more than {} of {}", <$int>::MAX, stringify!($name)),
                }
            }
            #[inline]
            fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    };
}

/// A vector indexed by an id.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexVec<I, T> {
    items: Vec<T>,
    ids: PhantomData<I>,
}

impl<I: Idx, T> IndexVec<I, T> {
    /// An empty vector.
    pub const fn new() -> Self {
        Self {
            items: Vec::new(),
            ids: PhantomData,
        }
    }
    /// Appends an item and returns its id.
    pub fn push(&mut self, item: T) -> I {
        let id = I::from_index(self.items.len());
        self.items.push(item);
        id
    }
    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// The item, if the id is in range.
    pub fn get(&self, id: I) -> Option<&T> {
        self.items.get(id.index())
    }
    /// The item, mutable, if the id is in range.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.items.get_mut(id.index())
    }
    /// The items in order of id.
    pub fn iter(&self) -> core::slice::Iter<'_, T> {
        self.items.iter()
    }
    /// The items in order of id, mutable.
    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }
    /// Ids and items in order.
    pub fn iter_enumerated(&self) -> impl Iterator<Item = (I, &T)> {
        self.items
            .iter()
            .enumerate()
            .map(|(index, item)| (I::from_index(index), item))
    }
    /// All ids in order.
    pub fn ids(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.items.len()).map(I::from_index)
    }
}
impl<I: Idx, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}
impl<I: Idx, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(items: It) -> Self {
        Self {
            items: items.into_iter().collect(),
            ids: PhantomData,
        }
    }
}
impl<I: Idx, T> Index<I> for IndexVec<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, id: I) -> &T {
        &self.items[id.index()]
    }
}
impl<I: Idx, T> IndexMut<I> for IndexVec<I, T> {
    #[inline]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.index()]
    }
}
impl<'a, I: Idx, T> IntoIterator for &'a IndexVec<I, T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
impl<'a, I: Idx, T> IntoIterator for &'a mut IndexVec<I, T> {
    type Item = &'a mut T;
    type IntoIter = core::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}
impl<I: Idx, T: fmt::Debug> fmt::Debug for IndexVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}
