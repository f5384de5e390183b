//! Slots that are recycled, with handles that notice when they are stale.

use super::index::{to_u32, to_usize};

/// Bits of a handle that name the slot: 2^20 items at most at one time.
const INDEX_BITS: u32 = 20;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;
/// Most items that a pool holds at one time.
pub const POOL_CAPACITY: u32 = 1 << INDEX_BITS;
const GENERATION_LIMIT: u32 = 1 << (32 - INDEX_BITS);

/// A handle to a slot: index (20 bits) and generation (12 bits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(u32);

impl Handle {
    /// The slot's number.
    pub const fn index(self) -> u32 {
        self.0 & INDEX_MASK
    }
    /// How often the slot had been reused.
    pub const fn generation(self) -> u32 {
        self.0 >> INDEX_BITS
    }
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    item: Option<T>,
}

/// A pool of items. A slot whose generation would wrap is retired, so that no handle ever becomes valid again.
#[derive(Clone, Debug)]
pub struct Pool<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    live: u32,
}

/// Why a pool refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoolError {
    /// The handle's slot has been recycled, or was emptied.
    Stale(Handle),
    /// 2^20 items are live.
    Full,
}

impl core::fmt::Display for PoolError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Stale(handle) => write!(
                f,
                "a stale handle (slot {}, generation {}) was used",
                handle.index(),
                handle.generation()
            ),
            Self::Full => write!(f, "more than {POOL_CAPACITY} batches are in flight at one time"),
        }
    }
}
impl core::error::Error for PoolError {}

impl<T> Pool<T> {
    /// An empty pool.
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            live: 0,
        }
    }
    /// Number of items whose handles are valid.
    pub const fn live(&self) -> u32 {
        self.live
    }
    /// Puts an item in and returns its handle.
    pub fn insert(&mut self, item: T) -> Result<Handle, PoolError> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < to_usize(POOL_CAPACITY) => {
                self.slots.push(Slot {
                    generation: 0,
                    item: None,
                });
                to_u32(self.slots.len() - 1)
            }
            None => return Err(PoolError::Full),
        };
        let slot = &mut self.slots[to_usize(index)];
        slot.item = Some(item);
        self.live += 1;
        Ok(Handle(slot.generation << INDEX_BITS | index))
    }
    /// Takes the item out; the handle is stale from now on.
    pub fn remove(&mut self, handle: Handle) -> Result<T, PoolError> {
        let index = handle.index();
        let Some(slot) = self.slots.get_mut(to_usize(index)) else {
            return Err(PoolError::Stale(handle));
        };
        if slot.generation != handle.generation() {
            return Err(PoolError::Stale(handle));
        }
        let Some(item) = slot.item.take() else {
            return Err(PoolError::Stale(handle));
        };
        self.live -= 1;
        slot.generation += 1;
        if slot.generation < GENERATION_LIMIT {
            self.free.push(index);
        }
        Ok(item)
    }
    /// The item, if the handle is valid.
    pub fn get(&self, handle: Handle) -> Result<&T, PoolError> {
        match self.slots.get(to_usize(handle.index())) {
            Some(Slot {
                generation,
                item: Some(item),
            }) if *generation == handle.generation() => Ok(item),
            _ => Err(PoolError::Stale(handle)),
        }
    }
    /// The item, mutable, if the handle is valid.
    pub fn get_mut(&mut self, handle: Handle) -> Result<&mut T, PoolError> {
        match self.slots.get_mut(to_usize(handle.index())) {
            Some(Slot {
                generation,
                item: Some(item),
            }) if *generation == handle.generation() => Ok(item),
            _ => Err(PoolError::Stale(handle)),
        }
    }
    /// The live items, in order of slot.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.item.as_ref())
    }
}
impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_slot_refuses_the_old_handle() {
        let mut pool = Pool::new();
        let old = pool.insert('a').expect("room");
        assert_eq!(pool.remove(old), Ok('a'));
        let new = pool.insert('b').expect("room");
        assert_eq!(new.index(), old.index(), "the slot is reused");
        assert_eq!(pool.get(old), Err(PoolError::Stale(old)));
        assert_eq!(pool.remove(old), Err(PoolError::Stale(old)));
        assert_eq!(pool.get(new), Ok(&'b'));
    }

    #[test]
    fn a_slot_retires_when_its_generation_would_wrap() {
        let mut pool = Pool::new();
        for _ in 0..GENERATION_LIMIT {
            let handle = pool.insert(0).expect("room");
            assert_eq!(handle.index(), 0);
            pool.remove(handle).expect("valid");
        }
        assert_eq!(
            pool.insert(0).expect("room").index(),
            1,
            "slot 0 has served every generation"
        );
    }

    #[test]
    fn a_full_pool_says_so() {
        let mut pool = Pool::new();
        for _ in 0..POOL_CAPACITY {
            pool.insert(()).expect("room");
        }
        assert_eq!(pool.insert(()), Err(PoolError::Full));
        assert_eq!(pool.live(), POOL_CAPACITY);
    }
}
