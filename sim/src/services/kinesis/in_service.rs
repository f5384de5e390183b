//! The calls of cohorts that are in service, by the window in which their service ends.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ProducerId;
use crate::record::Record;
use core::cmp::Ordering;
use std::collections::VecDeque;

/// Lists of calls that are kept for later windows.
const SPARE_LISTS: usize = 512;

/// A call in service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// When its service ends.
    pub(super) at: SimTime,
    /// Its record; when the call was sent stands in `arrived_at`.
    pub(super) record: Record,
}

impl Served {
    /// Of calls whose service ends at one instant, the one that began first comes first, as with calls of their own;
    /// then the keys decide, which are sorted by producer.
    fn order(&self, other: &Self) -> Ordering {
        let key = |served: &Self| {
            let record = &served.record;
            (served.at, record.arrived_at, record.key, record.ordinal)
        };
        key(self).cmp(&key(other))
    }
}

/// Calls in service.
#[derive(Clone, Debug)]
pub(super) struct Cohorts {
    window: SimDuration,
    /// Number of the window that `buckets[0]` stands for.
    first: u64,
    /// By window: the places of its calls.
    buckets: VecDeque<Vec<u32>>,
    /// Lists that serve again.
    spare: Vec<Vec<u32>>,
    /// The calls, each in a place that is its own while it is in service. What was freed last is taken first, so that all
    /// of them stay in a core's cache, however long a few of them take.
    places: Vec<Served>,
    free: Vec<u32>,
    calls: u64,
    /// Windows handled.
    windows: u64,
    /// The window for whose start an event is scheduled.
    armed: Option<u64>,
    /// Whose calls have come in, sorted.
    clients: Vec<ProducerId>,
    sorter: Sorter,
}

impl Cohorts {
    pub(super) fn new(window: SimDuration) -> Self {
        Self {
            window: window.max(SimDuration::MIN),
            first: 0,
            buckets: VecDeque::new(),
            spare: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
            calls: 0,
            windows: 0,
            armed: None,
            clients: Vec::new(),
            sorter: Sorter::default(),
        }
    }
    pub(super) const fn window(&self) -> SimDuration {
        self.window
    }
    /// Records in service.
    pub(super) const fn calls(&self) -> u64 {
        self.calls
    }
    /// Windows handled so far.
    pub(super) const fn windows(&self) -> u64 {
        self.windows
    }
    pub(super) const fn number(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.window.as_nanos()
    }
    pub(super) const fn start(&self, window: u64) -> SimTime {
        SimTime::from_nanos(window * self.window.as_nanos())
    }

    /// Takes calls in whose service ends so many nanoseconds after they were sent.
    #[inline(never)]
    pub(super) fn add(
        &mut self,
        now: SimTime,
        client: ProducerId,
        records: &[Record],
        spans: impl Iterator<Item = u64>,
    ) {
        if let Err(place) = self.clients.binary_search(&client) {
            self.clients.insert(place, client);
        }
        let earliest = self.number(now) + 1;
        if self.buckets.is_empty() {
            self.first = earliest;
        }
        let (base, width) = (self.start(self.first), self.window.as_nanos());
        let least = earliest.saturating_sub(self.first);
        let mut buckets = self.buckets.make_contiguous();
        for (record, span) in records.iter().zip(spans) {
            let at = record.arrived_at.saturating_add(SimDuration::from_nanos(span));
            let index = windows_within(at.since(base).as_nanos(), width).max(least);
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if index >= buckets.len() {
                self.buckets.resize_with(index + 1, Vec::new);
                buckets = self.buckets.make_contiguous();
            }
            let bucket = &mut buckets[index];
            if bucket.capacity() == 0 {
                // Not before it is needed: a slow call's window is far away, and what was used last is still in the cache.
                *bucket = self.spare.pop().unwrap_or_default();
            }
            let served = Served { at, record: *record };
            let place = if let Some(place) = self.free.pop() {
                self.places[to_usize(place)] = served;
                place
            } else {
                self.places.push(served);
                to_u32(self.places.len() - 1)
            };
            bucket.push(place);
        }
        self.calls += u64::from(to_u32(records.len()));
    }

    /// The start of the next window that has calls, if no event is scheduled for it or an earlier one.
    pub(super) fn arm(&mut self) -> Option<SimTime> {
        let ahead = self.buckets.iter().position(|bucket| !bucket.is_empty())?;
        let window = self.first + u64::try_from(ahead).unwrap_or(u64::MAX);
        if self.armed.is_some_and(|armed| armed <= window) {
            return None;
        }
        self.armed = Some(window);
        Some(self.start(window))
    }

    /// The calls whose service ends in the window that starts now, by the shard that their key leads to. `None`: the event
    /// was scheduled before an earlier window became the next one, and another event has taken its place.
    pub(super) fn take(&mut self, now: SimTime, route: &[u32], shards: usize) -> Option<Due<'_>> {
        let current = self.number(now);
        if self.armed != Some(current) {
            return None;
        }
        self.armed = None;
        self.windows += 1;
        let mut calls = Vec::new();
        while self.first <= current
            && let Some(mut bucket) = self.buckets.pop_front()
        {
            self.first += 1;
            if calls.is_empty() {
                calls = bucket;
            } else {
                calls.append(&mut bucket);
                self.keep(bucket);
            }
        }
        self.calls -= u64::from(to_u32(calls.len()));
        let (start, window) = (self.start(current), self.window);
        self.sorter.sort(&self.places, &calls, (route, shards), start, window);
        // Whoever gets the calls is done with them before others come in.
        self.free.extend_from_slice(&calls);
        self.keep(calls);
        Some(Due {
            only_client: match self.clients[..] {
                [only] => Some(only),
                _ => None,
            },
            places: &self.places,
            order: &self.sorter.order,
        })
    }
    fn keep(&mut self, mut list: Vec<u32>) {
        list.clear();
        if list.capacity() > 0 && self.spare.len() < SPARE_LISTS {
            self.spare.push(list);
        }
    }
}

/// How many windows of this width a span is long. Short spans, as nearly all are, divide faster.
#[inline]
fn windows_within(span: u64, width: u64) -> u64 {
    match (u32::try_from(span), u32::try_from(width)) {
        (Ok(span), Ok(width)) => u64::from(span / width),
        _ => span / width,
    }
}

/// The calls whose service ends in one window.
#[derive(Debug)]
pub(super) struct Due<'c> {
    only_client: Option<ProducerId>,
    places: &'c [Served],
    order: &'c [Place],
}

impl Due<'_> {
    /// The producer whose calls all of them are, if there is only one.
    pub(super) const fn only_client(&self) -> Option<ProducerId> {
        self.only_client
    }
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.order.len()
    }
    /// The calls shard by shard, those of each in the order of the instants at which their service ends.
    #[inline]
    pub(super) fn by_shard(&self) -> impl ExactSizeIterator<Item = &Served> {
        self.order.iter().map(|place| &self.places[place.number()])
    }
}

/// Where a call of a window belongs: in the upper half its shard and, within that, its instant, as far as there are bits
/// for it; in the lower half the place of the call.
#[derive(Clone, Copy, Debug, Default)]
struct Place(u64);

/// Bits of the upper half.
const KEY_BITS: u32 = 32;

impl Place {
    #[inline]
    const fn key(self) -> u64 {
        self.0 >> KEY_BITS
    }
    #[inline]
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "the lower half is meant"
    )]
    const fn number(self) -> usize {
        to_usize(self.0 as u32)
    }
}

/// Sorts the calls of a window by shard and instant. Shards and instants are hit alike, so calls are dealt to twice as
/// many equal parts of all shards' windows as there are calls; what is left to do is to order the one or two calls of
/// each part.
#[derive(Clone, Debug, Default)]
struct Sorter {
    unsorted: Vec<Place>,
    /// By part: where its next call goes.
    next: Vec<u32>,
    order: Vec<Place>,
}

impl Sorter {
    /// Sorts the calls at these places, where keys lead to so many shards by this route, and the window begins at `start`. It
    /// may hold calls whose service ended before it.
    #[inline(never)]
    fn sort(
        &mut self,
        places: &[Served],
        calls: &[u32],
        (route, shards): (&[u32], usize),
        start: SimTime,
        window: SimDuration,
    ) {
        let shard_bits = (usize::BITS - shards.leading_zeros()).min(KEY_BITS);
        let bits = u64::BITS - window.as_nanos().leading_zeros();
        let coarse = bits.saturating_sub(KEY_BITS - shard_bits);
        let bits = bits - coarse;
        let latest = (1 << bits) - 1;
        let parts = (2 * calls.len()).next_power_of_two();
        let shift = (KEY_BITS + shard_bits + bits).saturating_sub(parts.ilog2());
        self.next.clear();
        self.next.resize(parts, 0);
        let next = &mut self.next[..parts];
        let part = |place: Place| usize::try_from(place.0 >> shift).unwrap_or(usize::MAX).min(parts - 1);
        self.unsorted.clear();
        self.unsorted.extend(calls.iter().map(|&number| {
            let call = &places[to_usize(number)];
            let shard = u64::from(route[to_usize(call.record.key.0)]);
            let instant = (call.at.as_nanos().saturating_sub(start.as_nanos()) >> coarse).min(latest);
            Place((shard << bits | instant) << KEY_BITS | u64::from(number))
        }));
        for &place in &self.unsorted {
            next[part(place)] += 1;
        }
        let mut before = 0;
        for next in &mut *next {
            (*next, before) = (before, before + *next);
        }
        self.order.resize(calls.len(), Place::default());
        for &place in &self.unsorted {
            let next = &mut next[part(place)];
            if let Some(slot) = self.order.get_mut(to_usize(*next)) {
                *slot = place;
            }
            *next += 1;
        }
        settle(&mut self.order, places);
    }
}

/// Orders places that are nearly in order.
#[inline]
fn settle(order: &mut [Place], calls: &[Served]) {
    let mut latest = None;
    for end in 0..order.len() {
        let place = order[end];
        if latest.is_none_or(|latest| place.key() > latest) {
            latest = Some(place.key());
        } else if !insert(&mut order[..=end], calls) {
            let exactly = |one: &Place, other: &Place| calls[one.number()].order(&calls[other.number()]);
            return order.sort_unstable_by(|one, other| one.key().cmp(&other.key()).then_with(|| exactly(one, other)));
        }
    }
}

/// Moves the last place to where it belongs among the others. False if that is so far away that it would take quadratic
/// time to order all of them like this.
#[inline]
fn insert(order: &mut [Place], calls: &[Served]) -> bool {
    let mut slot = order.len() - 1;
    let place = order[slot];
    let before = |other: Place| {
        place.key() < other.key()
            || place.key() == other.key() && calls[place.number()].order(&calls[other.number()]).is_lt()
    };
    let lowest = slot.saturating_sub(64);
    while slot > lowest && before(order[slot - 1]) {
        order[slot] = order[slot - 1];
        slot -= 1;
    }
    order[slot] = place;
    slot > lowest || slot == 0 || !before(order[slot - 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::KeyId;
    use proptest::prelude::*;

    fn call((at, sent_at, key, ordinal): (u64, u64, u32, u32)) -> Served {
        Served {
            at: SimTime::from_nanos(at),
            record: Record {
                created_at: SimTime::ZERO,
                arrived_at: SimTime::from_nanos(sent_at),
                key: KeyId(key),
                ordinal,
                bytes: 1,
                flags: 0,
            },
        }
    }

    proptest! {
        /// Spread instants, crowded ones and a single one: the order is that of sorting by shard and then by everything.
        #[test]
        fn calls_come_by_shard_in_the_order_of_their_instants(
            window in prop_oneof![1_u64..3_000_000, Just(u64::MAX / 4)],
            ahead in 0_u64..1_000_000,
            calls in (1_u64..2_000_000, 0_u64..u64::MAX / 2).prop_flat_map(|(span, from)| {
                prop::collection::vec((from..from + span, 0_u64..4, 0_u32..3, 0_u32..9), 0..400)
            }),
        ) {
            let calls: Vec<Served> = calls.into_iter().map(call).collect();
            let earliest = calls.iter().map(|call| call.at).min().unwrap_or_default();
            let start = earliest.saturating_add(SimDuration::from_nanos(ahead));
            let route = [7, 1, 7];
            let shard = |call: &Served| route[to_usize(call.record.key.0)];
            let mut sorter = Sorter::default();
            let places: Vec<u32> = (0..to_u32(calls.len())).collect();
            sorter.sort(&calls, &places, (&route, 8), start, SimDuration::from_nanos(window));
            let due = Due {
                only_client: None,
                places: &calls,
                order: &sorter.order,
            };
            let mut sorted = calls.clone();
            sorted.sort_by(|one, other| shard(one).cmp(&shard(other)).then_with(|| one.order(other)));
            prop_assert_eq!(due.by_shard().count(), sorted.len());
            for (one, other) in due.by_shard().zip(&sorted) {
                prop_assert!(one.order(other).is_eq(), "{one:?} instead of {other:?}");
            }
        }
    }

    #[test]
    fn a_few_calls_at_one_instant_come_in_the_order_in_which_they_began() {
        let begun = [
            (7, 3, 0, 0),
            (7, 1, 2, 0),
            (7, 1, 0, 5),
            (7, 1, 0, 4),
            (7, 2, 9, 1),
            (6, 9, 9, 9),
        ];
        for count in 1..=begun.len() {
            for turn in 0..count {
                let mut calls: Vec<Served> = begun[..count].iter().copied().map(call).collect();
                calls.rotate_left(turn);
                let mut sorter = Sorter::default();
                let places: Vec<u32> = (0..to_u32(count)).collect();
                sorter.sort(
                    &calls,
                    &places,
                    (&[0; 10], 1),
                    SimTime::ZERO,
                    SimDuration::from_millis(1),
                );
                let due = Due {
                    only_client: None,
                    places: &calls,
                    order: &sorter.order,
                };
                assert!(due.by_shard().is_sorted_by(|one, other| one.order(other).is_lt()));
            }
        }
    }

    #[test]
    fn many_calls_at_one_instant_in_reverse_order_are_sorted_in_time() {
        let calls: Vec<Served> = (0..200_000).rev().map(|ordinal| call((7, 0, 0, ordinal))).collect();
        let mut sorter = Sorter::default();
        let places: Vec<u32> = (0..200_000).collect();
        sorter.sort(&calls, &places, (&[0], 1), SimTime::ZERO, SimDuration::from_millis(1));
        let due = Due {
            only_client: None,
            places: &calls,
            order: &sorter.order,
        };
        assert!(due.by_shard().is_sorted_by(|one, other| one.order(other).is_lt()));
    }
}
