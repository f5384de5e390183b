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
    buckets: VecDeque<Vec<Served>>,
    spare: Vec<Vec<Served>>,
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
    /// The producer whose calls all of them are, if there is only one.
    pub(super) fn only_client(&self) -> Option<ProducerId> {
        match self.clients[..] {
            [only] => Some(only),
            _ => None,
        }
    }
    pub(super) const fn number(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.window.as_nanos()
    }
    pub(super) const fn start(&self, window: u64) -> SimTime {
        SimTime::from_nanos(window * self.window.as_nanos())
    }

    /// Takes calls in whose service ends so many nanoseconds after they were sent.
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
            let index = (at.since(base).as_nanos() / width).max(least);
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if index >= buckets.len() {
                let spare = &mut self.spare;
                self.buckets.resize_with(index + 1, || spare.pop().unwrap_or_default());
                buckets = self.buckets.make_contiguous();
            }
            buckets[index].push(Served { at, record: *record });
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

    /// The calls whose service ends in the window that starts now. `None`: the event was scheduled before an earlier
    /// window became the next one, and another event has taken its place.
    pub(super) fn take(&mut self, now: SimTime) -> Option<Due> {
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
        let order = self.sorter.sort(&calls, self.start(current), self.window);
        Some(Due { calls, order })
    }
    /// Calls that are dealt with: their memory serves again.
    pub(super) fn give_back(&mut self, due: Due) {
        self.sorter.order = due.order;
        self.keep(due.calls);
    }
    fn keep(&mut self, mut bucket: Vec<Served>) {
        bucket.clear();
        if self.spare.len() < SPARE_LISTS {
            self.spare.push(bucket);
        }
    }
}

/// The calls whose service ends in one window.
#[derive(Debug)]
pub(super) struct Due {
    calls: Vec<Served>,
    /// Their places among the calls, in the order of the instants at which their service ends.
    order: Vec<u32>,
}

impl Due {
    /// The calls in that order.
    pub(super) fn in_order(&self) -> impl ExactSizeIterator<Item = &Served> {
        self.order.iter().map(|&place| &self.calls[to_usize(place)])
    }
}

/// Sorts the calls of a window. Their instants are spread over it, so they are dealt to as many equal parts of it as
/// there are calls; what is left to do is to order the one or two calls of each part.
#[derive(Clone, Debug, Default)]
struct Sorter {
    /// By part of the window: where its next call goes.
    next: Vec<u32>,
    order: Vec<u32>,
}

impl Sorter {
    /// The places of the calls in order of time, where the window begins at `start`. It may hold calls whose service
    /// ended before it.
    fn sort(&mut self, calls: &[Served], start: SimTime, window: SimDuration) -> Vec<u32> {
        let parts = calls.len().next_power_of_two();
        let shift = (u64::BITS - window.as_nanos().leading_zeros()).saturating_sub(parts.ilog2());
        self.next.clear();
        self.next.resize(parts, 0);
        let next = &mut self.next[..parts];
        let part = |call: &Served| {
            let part = call.at.since(start).as_nanos() >> shift;
            usize::try_from(part).unwrap_or(usize::MAX).min(parts - 1)
        };
        for call in calls {
            next[part(call)] += 1;
        }
        let mut before = 0;
        for next in &mut *next {
            (*next, before) = (before, before + *next);
        }
        let mut order = core::mem::take(&mut self.order);
        order.clear();
        order.resize(calls.len(), 0);
        for (place, call) in (0..).zip(calls) {
            let next = &mut next[part(call)];
            order[to_usize(*next)] = place;
            *next += 1;
        }
        settle(&mut order, calls);
        order
    }
}

/// Orders places that are nearly in order.
fn settle(order: &mut [u32], calls: &[Served]) {
    let call = |place: u32| &calls[to_usize(place)];
    // Many calls at one instant, in reverse order, would take quadratic time.
    let mut moves = 8 * order.len();
    let mut latest = SimTime::ZERO;
    for end in 0..order.len() {
        let place = order[end];
        let at = call(place).at;
        if at > latest || end == 0 {
            latest = at;
            continue;
        }
        let before = |other: u32| {
            let other = call(other);
            at < other.at || at == other.at && call(place).order(other).is_lt()
        };
        let mut slot = end;
        while slot > 0 && before(order[slot - 1]) {
            order[slot] = order[slot - 1];
            slot -= 1;
        }
        order[slot] = place;
        moves = moves.saturating_sub(end - slot);
        if moves == 0 {
            return order.sort_unstable_by(|&one, &other| call(one).order(call(other)));
        }
    }
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
        /// Spread instants, crowded ones and a single one: the order is that of sorting by everything.
        #[test]
        fn calls_come_in_the_order_of_their_instants(
            window in 1_u64..3_000_000,
            ahead in 0_u64..1_000_000,
            calls in (1_u64..2_000_000, 0_u64..u64::MAX / 2).prop_flat_map(|(span, from)| {
                prop::collection::vec((from..from + span, 0_u64..4, 0_u32..3, 0_u32..9), 0..400)
            }),
        ) {
            let calls: Vec<Served> = calls.into_iter().map(call).collect();
            let earliest = calls.iter().map(|call| call.at).min().unwrap_or_default();
            let start = earliest.saturating_add(SimDuration::from_nanos(ahead));
            let order = Sorter::default().sort(&calls, start, SimDuration::from_nanos(window));
            let due = Due { calls, order };
            let mut sorted = due.calls.clone();
            sorted.sort_by(Served::order);
            prop_assert_eq!(due.in_order().count(), sorted.len());
            for (one, other) in due.in_order().zip(&sorted) {
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
                let order = Sorter::default().sort(&calls, SimTime::ZERO, SimDuration::from_millis(1));
                let due = Due { calls, order };
                assert!(due.in_order().is_sorted_by(|one, other| one.order(other).is_lt()));
            }
        }
    }

    #[test]
    fn many_calls_at_one_instant_in_reverse_order_are_sorted_in_time() {
        let calls: Vec<Served> = (0..200_000).rev().map(|ordinal| call((7, 0, 0, ordinal))).collect();
        let order = Sorter::default().sort(&calls, SimTime::ZERO, SimDuration::from_millis(1));
        let due = Due { calls, order };
        assert!(due.in_order().is_sorted_by(|one, other| one.order(other).is_lt()));
    }
}
