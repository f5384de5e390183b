//! Pending events, ordered by time, phase and insertion.
//!
//! The heart is a 4-ary heap of 128-bit keys (time 64 bits, phase 2, insertion 38, slot 24), so that a comparison is
//! one integer comparison and the payload is touched once. Taking the least event leaves a hole at the root, which the
//! next insertion fills: a component that schedules its successor costs one sift instead of two.
#![expect(
    clippy::as_conversions,
    reason = "packs and unpacks the bit fields of the key; every width is asserted"
)]

use super::index::{to_u32, to_usize};
use super::phase::Phase;
use super::time::SimTime;

const SLOT_BITS: u32 = 24;
const INSERTION_BITS: u32 = 38;
const SLOT_MASK: u128 = (1 << SLOT_BITS) - 1;
const INSERTION_LIMIT: u64 = 1 << INSERTION_BITS;
/// Most events that can be pending at one time.
pub const MAX_PENDING: u32 = 1 << SLOT_BITS;
const ARITY: usize = 4;
/// Insertion numbers below this are ranks of events that come first in their time and phase.
const EARLY_RANKS: u64 = 1 << 16;

/// How events of the same time and phase are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TieOrder {
    /// First in, first out.
    #[default]
    Insertion,
    /// A seeded permutation, for tests: verdicts and conservation must hold under it, exact numbers may move.
    Shuffled(u64),
}

/// The event list of a simulation. `E` is a small `Copy` value.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: Vec<u128>,
    events: Vec<E>,
    free: Vec<u32>,
    insertions: u64,
    hole: bool,
    order: TieOrder,
}

/// An event that has come due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due<E> {
    /// When.
    pub at: SimTime,
    /// In which phase of that instant.
    pub phase: Phase,
    /// What.
    pub event: E,
}

#[inline]
fn at_of(key: u128) -> SimTime {
    SimTime::from_nanos((key >> 64) as u64)
}
#[inline]
fn phase_of(key: u128) -> Phase {
    Phase::from_code(((key >> 62) & 3) as u8)
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar.
    pub const fn new(order: TieOrder) -> Self {
        Self {
            heap: Vec::new(),
            events: Vec::new(),
            free: Vec::new(),
            insertions: EARLY_RANKS,
            hole: false,
            order,
        }
    }
    /// Number of pending events.
    pub fn len(&self) -> usize {
        self.heap.len() - usize::from(self.hole)
    }
    /// True when nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event. Panics when 2^24 are pending.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: E) {
        if self.insertions == INSERTION_LIMIT {
            self.renumber();
        }
        let insertion = self.insertions;
        self.insertions += 1;
        self.insert(at, phase, insertion, event);
    }

    /// Adds an event that comes before all others of its time and phase, whenever those are added. Ranks order such
    /// events among themselves.
    pub fn schedule_early(&mut self, at: SimTime, phase: Phase, rank: u16, event: E) {
        self.insert(at, phase, u64::from(rank), event);
    }

    #[inline]
    fn insert(&mut self, at: SimTime, phase: Phase, insertion: u64, event: E) {
        let slot = if let Some(slot) = self.free.pop() {
            self.events[to_usize(slot)] = event;
            slot
        } else {
            let slot = to_u32(self.events.len());
            assert!(slot < MAX_PENDING, "more than {MAX_PENDING} events are pending");
            self.events.push(event);
            slot
        };
        let insertion = match self.order {
            TieOrder::Insertion => insertion,
            TieOrder::Shuffled(seed) => permute(insertion, seed),
        };
        let low = u64::from(phase.code()) << 62 | insertion << SLOT_BITS | u64::from(slot);
        let key = u128::from(at.as_nanos()) << 64 | u128::from(low);
        if self.hole {
            self.hole = false;
            self.heap[0] = key;
            self.sift_down();
        } else {
            self.heap.push(key);
            self.sift_up();
        }
    }

    /// The time and phase of the least event.
    pub fn peek(&mut self) -> Option<(SimTime, Phase)> {
        self.close_hole();
        self.heap.first().map(|&key| (at_of(key), phase_of(key)))
    }

    /// Takes the least event if it is due at or before `until`.
    #[inline]
    pub fn pop_until(&mut self, until: SimTime) -> Option<Due<E>> {
        self.close_hole();
        let &key = self.heap.first()?;
        if at_of(key) > until {
            return None;
        }
        self.hole = true;
        let slot = (key & SLOT_MASK) as u32;
        self.free.push(slot);
        Some(Due {
            at: at_of(key),
            phase: phase_of(key),
            event: self.events[to_usize(slot)],
        })
    }

    /// The root's place is filled with the last key.
    #[inline]
    fn close_hole(&mut self) {
        if !self.hole {
            return;
        }
        self.hole = false;
        let Some(last) = self.heap.pop() else { return };
        if let Some(root) = self.heap.first_mut() {
            *root = last;
            self.sift_down();
        }
    }

    #[inline]
    fn sift_up(&mut self) {
        let heap = self.heap.as_mut_slice();
        let Some(mut child) = heap.len().checked_sub(1) else {
            return;
        };
        let key = heap[child];
        while child > 0 {
            let parent = (child - 1) / ARITY;
            if heap[parent] <= key {
                break;
            }
            heap[child] = heap[parent];
            child = parent;
        }
        heap[child] = key;
    }

    #[inline]
    fn sift_down(&mut self) {
        let heap = self.heap.as_mut_slice();
        let len = heap.len();
        let key = heap[0];
        let mut hole = 0;
        loop {
            let first = hole * ARITY + 1;
            if first >= len {
                break;
            }
            let (least, least_key) = if let Some(&[a, b, c, d]) = heap.get(first..first + ARITY) {
                let (i, low) = if b < a { (1, b) } else { (0, a) };
                let (j, high) = if d < c { (3, d) } else { (2, c) };
                if high < low {
                    (first + j, high)
                } else {
                    (first + i, low)
                }
            } else {
                let mut least = first;
                for child in first + 1..len {
                    if heap[child] < heap[least] {
                        least = child;
                    }
                }
                (least, heap[least])
            };
            if least_key >= key {
                break;
            }
            heap[hole] = least_key;
            hole = least;
        }
        heap[hole] = key;
    }

    /// Gives the pending events the insertion numbers 0, 1, 2 ... in their order, so that numbering can go on.
    fn renumber(&mut self) {
        self.close_hole();
        self.heap.sort_unstable();
        let mut next = EARLY_RANKS;
        for key in &mut self.heap {
            let insertion = (*key >> SLOT_BITS) as u64 & (INSERTION_LIMIT - 1);
            if insertion >= EARLY_RANKS {
                let kept = *key & (SLOT_MASK | u128::MAX << 62);
                *key = kept | u128::from(next) << SLOT_BITS;
                next += 1;
            }
        }
        self.insertions = next; // a sorted vector is a heap
    }
}

/// A seeded permutation of the 38-bit numbers: every step can be undone, so no two insertions collide.
const fn permute(insertion: u64, seed: u64) -> u64 {
    const MASK: u64 = INSERTION_LIMIT - 1;
    let mut x = (insertion ^ seed) & MASK;
    x = x.wrapping_mul((seed << 1 | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1) & MASK;
    x ^= x >> 19;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9) & MASK;
    x ^ x >> 17
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(calendar: &mut Calendar<u32>) -> Vec<(u64, Phase, u32)> {
        core::iter::from_fn(|| calendar.pop_until(SimTime::NEVER))
            .map(|due| (due.at.as_nanos(), due.phase, due.event))
            .collect()
    }

    #[test]
    fn events_of_one_instant_come_by_phase_then_first_in_first_out() {
        let mut calendar = Calendar::new(TieOrder::Insertion);
        let now = SimTime::from_secs(1);
        for (event, phase) in [
            (0, Phase::Act),
            (1, Phase::Arrive),
            (2, Phase::Release),
            (3, Phase::Arrive),
            (4, Phase::Observe),
        ] {
            calendar.schedule(now, phase, event);
        }
        let order: Vec<u32> = drain(&mut calendar).into_iter().map(|(_, _, event)| event).collect();
        assert_eq!(order, [2, 1, 3, 0, 4]);
    }

    #[test]
    fn an_early_event_comes_first_whenever_it_was_added() {
        let mut calendar = Calendar::new(TieOrder::Insertion);
        let now = SimTime::from_secs(1);
        calendar.schedule(now, Phase::Release, 0);
        calendar.schedule_early(now, Phase::Release, 7, 1);
        calendar.schedule_early(now, Phase::Release, 3, 2);
        let order: Vec<u32> = drain(&mut calendar).into_iter().map(|(_, _, event)| event).collect();
        assert_eq!(order, [2, 1, 0]);
    }

    #[test]
    fn renumbering_keeps_the_order() {
        let mut calendar = Calendar::new(TieOrder::Insertion);
        calendar.insertions = INSERTION_LIMIT - 3;
        for event in 0..8 {
            calendar.schedule(SimTime::from_secs(1), Phase::Act, event);
        }
        assert!(calendar.insertions < EARLY_RANKS + 100, "the numbers started again");
        let order: Vec<u32> = drain(&mut calendar).into_iter().map(|(_, _, event)| event).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    proptest! {
        #[test]
        fn the_calendar_agrees_with_a_stable_sort(ops in prop::collection::vec((0_u64..50, 0_u8..4, any::<bool>()), 1..400)) {
            let mut calendar = Calendar::new(TieOrder::Insertion);
            let mut model: Vec<(u64, u8, u32)> = Vec::new();
            for (number, (at, phase, pop)) in (0_u32..).zip(ops) {
                calendar.schedule(SimTime::from_nanos(at), Phase::from_code(phase), number);
                model.push((at, phase, number));
                if pop {
                    let least = *model.iter().min().expect("one was pushed");
                    model.retain(|entry| *entry != least);
                    let due = calendar.pop_until(SimTime::NEVER).expect("one was pushed");
                    prop_assert_eq!((due.at.as_nanos(), due.phase.code(), due.event), least);
                }
                prop_assert_eq!(calendar.len(), model.len());
            }
            model.sort_unstable();
            let rest: Vec<(u64, u8, u32)> = drain(&mut calendar).into_iter().map(|(at, phase, event)| (at, phase.code(), event)).collect();
            prop_assert_eq!(rest, model);
        }

        #[test]
        fn shuffled_ties_keep_time_and_phase_and_lose_nothing(seed in any::<u64>(), ops in prop::collection::vec((0_u64..5, 0_u8..4), 1..200)) {
            let mut calendar = Calendar::new(TieOrder::Shuffled(seed));
            let mut expected = Vec::new();
            for (number, (at, phase)) in (0_u32..).zip(ops) {
                calendar.schedule(SimTime::from_nanos(at), Phase::from_code(phase), number);
                expected.push((at, phase, number));
            }
            let order: Vec<(u64, u8, u32)> = drain(&mut calendar).into_iter().map(|(at, phase, event)| (at, phase.code(), event)).collect();
            prop_assert!(order.is_sorted_by_key(|&(at, phase, _)| (at, phase)));
            let mut sorted = order;
            sorted.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(sorted, expected);
        }
    }
}
