//! The calls of cohorts that are in service, by the window in which their service ends.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ProducerId;
use crate::record::Record;
use core::cmp::Ordering;
use std::collections::VecDeque;

/// Lists of calls that are kept for later windows.
const SPARE_LISTS: usize = 512;

/// Calls of one producer whose service ends in one window, in the order in which they came in.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Their records. The end of the service stands in `arrived_at`.
    pub(super) records: Vec<Record>,
    /// The calls that were not sent when their record was created, by index, and when they were.
    late: Vec<(u32, SimTime)>,
    /// The longest time from the sending of a call to the end of its service, in nanoseconds.
    pub(super) longest: u64,
    /// The service of a call had ended when the window began.
    early: bool,
}

impl Calls {
    /// Whether each call was sent when its record was created, and its service ends within the window.
    pub(super) const fn are_plain(&self) -> bool {
        self.late.is_empty() && !self.early
    }
    /// The calls, each with the instants of its own.
    pub(super) fn served(&self) -> impl Iterator<Item = Served> {
        let mut late = self.late.iter().peekable();
        (0..).zip(&self.records).map(move |(index, record)| Served {
            at: record.arrived_at,
            record: Record {
                arrived_at: late
                    .next_if(|(other, _)| *other == index)
                    .map_or(record.created_at, |&(_, sent_at)| sent_at),
                ..*record
            },
        })
    }
    fn append(&mut self, mut other: Self) {
        let before = to_u32(self.records.len());
        let moved = other.late.iter().map(|&(index, sent_at)| (before + index, sent_at));
        self.late.extend(moved);
        self.records.append(&mut other.records);
        self.longest = self.longest.max(other.longest);
        self.early |= other.early;
    }
}

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
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |served: &Self| {
            let record = &served.record;
            (served.at, record.arrived_at, record.key, record.ordinal)
        };
        key(self).cmp(&key(other))
    }
}

/// The calls of one producer.
#[derive(Clone, Debug)]
struct Client {
    producer: ProducerId,
    /// By window.
    buckets: VecDeque<Calls>,
}

/// Calls in service.
#[derive(Clone, Debug)]
pub(super) struct Cohorts {
    window: SimDuration,
    /// Number of the window that all clients' first buckets stand for.
    first: u64,
    /// Whose calls have come in, in order of id.
    clients: Vec<Client>,
    /// Lists that serve again.
    spare: Vec<Vec<Record>>,
    calls: u64,
    /// Windows handled.
    windows: u64,
    /// The window for whose start an event is scheduled.
    armed: Option<u64>,
}

impl Cohorts {
    pub(super) fn new(window: SimDuration) -> Self {
        Self {
            window: window.max(SimDuration::MIN),
            first: 0,
            clients: Vec::new(),
            spare: Vec::new(),
            calls: 0,
            windows: 0,
            armed: None,
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
        producer: ProducerId,
        records: &[Record],
        spans: impl Iterator<Item = u64>,
    ) {
        let earliest = self.number(now) + 1;
        if self.calls == 0 {
            self.first = earliest;
            self.clients.iter_mut().for_each(|client| client.buckets.clear());
        }
        let (base, width) = (self.start(self.first), self.window.as_nanos());
        let least = earliest - self.first;
        let slot = self.slot(producer);
        let all = &mut self.clients[slot].buckets;
        let mut buckets = all.make_contiguous();
        for (record, span) in records.iter().zip(spans) {
            let at = record.arrived_at.saturating_add(SimDuration::from_nanos(span));
            let (index, within) = windows_within(at.since(base).as_nanos(), width);
            let early = index < least || within == 0;
            let index = usize::try_from(index.max(least)).unwrap_or(usize::MAX);
            if index >= buckets.len() {
                all.resize_with(index + 1, Calls::default);
                buckets = all.make_contiguous();
            }
            let calls = &mut buckets[index];
            if calls.records.capacity() == 0 {
                // Not before it is needed: a slow call's window is far away, and what was used last is still in the cache.
                calls.records = self.spare.pop().unwrap_or_default();
            }
            if record.arrived_at != record.created_at {
                calls.late.push((to_u32(calls.records.len()), record.arrived_at));
            }
            calls.early |= early;
            calls.longest = calls.longest.max(span);
            calls.records.push(Record {
                arrived_at: at,
                ..*record
            });
        }
        self.calls += u64::from(to_u32(records.len()));
    }

    /// The place of a producer among the clients.
    fn slot(&mut self, producer: ProducerId) -> usize {
        match self.clients.binary_search_by_key(&producer, |client| client.producer) {
            Ok(slot) => slot,
            Err(slot) => {
                let buckets = VecDeque::new();
                self.clients.insert(slot, Client { producer, buckets });
                slot
            }
        }
    }

    /// The start of the next window that has calls, if no event is scheduled for it or an earlier one.
    pub(super) fn arm(&mut self) -> Option<SimTime> {
        let first = |client: &Client| client.buckets.iter().position(|calls| !calls.records.is_empty());
        let ahead = self.clients.iter().filter_map(first).min()?;
        let window = self.first + u64::try_from(ahead).unwrap_or(u64::MAX);
        if self.armed.is_some_and(|armed| armed <= window) {
            return None;
        }
        self.armed = Some(window);
        Some(self.start(window))
    }

    /// The calls whose service ends in the window that starts now, by producer, in order of id. `None`: the event was
    /// scheduled before an earlier window became the next one, and another event has taken its place.
    pub(super) fn take(&mut self, now: SimTime) -> Option<Vec<(ProducerId, Calls)>> {
        let current = self.number(now);
        if self.armed != Some(current) {
            return None;
        }
        self.armed = None;
        self.windows += 1;
        let past = to_usize(u32::try_from(current + 1 - self.first).unwrap_or(u32::MAX));
        self.first = current + 1;
        let mut due = Vec::with_capacity(self.clients.len());
        for client in &mut self.clients {
            let mut calls = Calls::default();
            for more in client.buckets.drain(..past.min(client.buckets.len())) {
                if calls.records.is_empty() {
                    calls = more;
                } else {
                    calls.append(more);
                }
            }
            self.calls -= u64::from(to_u32(calls.records.len()));
            if !calls.records.is_empty() {
                due.push((client.producer, calls));
            }
        }
        Some(due)
    }
    /// Takes a list back that is no longer needed.
    pub(super) fn keep(&mut self, mut list: Vec<Record>) {
        list.clear();
        if list.capacity() > 0 && self.spare.len() < SPARE_LISTS {
            self.spare.push(list);
        }
    }
}

/// How many windows of this width a span is long, and what is left. Short spans, as nearly all are, divide faster.
#[inline]
fn windows_within(span: u64, width: u64) -> (u64, u64) {
    match (u32::try_from(span), u32::try_from(width)) {
        (Ok(span), Ok(width)) => (u64::from(span / width), u64::from(span % width)),
        _ => (span / width, span % width),
    }
}
