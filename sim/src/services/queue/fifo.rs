//! The order of a FIFO queue: message groups and their lock, the look-ahead, and deduplication.

use super::message::{LOOKED_AT, List, Messages, State};
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::record::KeyId;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// How long a deduplication ID is remembered (SQS-U-01).
const DEDUPLICATION_INTERVAL: SimDuration = SimDuration::from_minutes(5);

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    messages: List,
    in_flight: u32,
    /// The number of the last delivery of one of its messages.
    delivered: u64,
    /// The entry under which it stands in `ready`.
    ready: Option<Ready>,
}

/// Since when the first message of a group is visible; the delivery from which it came back, if it did; its position.
type Ready = (SimTime, u64, u64);

/// The message groups of a FIFO queue.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// By key: its text's group. A key that is not listed stands for itself.
    texts: Arc<[u32]>,
    /// By the text's group, the MessageGroupId.
    groups: Vec<Group>,
    /// Deliveries so far.
    deliveries: u64,
    /// Groups whose first message is visible and looked at, in the order in which they are served (SQS-F-16, SQS-Z-14).
    ready: BTreeSet<(Ready, usize)>,
    /// Messages that are looked at (SQS-I-08), and how many of the oldest are.
    pub(super) look_ahead: u64,
    within: u64,
    /// Those before this position are looked at.
    edge: u64,
    groups_in_flight: u32,
    /// IDs accepted within the interval, by age and by value. A record's own identity stands for its deduplication ID.
    recent: VecDeque<(SimTime, KeyId, u32)>,
    known: BTreeSet<(KeyId, u32)>,
}

impl Groups {
    pub(super) const fn new(look_ahead: u64, texts: Arc<[u32]>) -> Self {
        Self {
            texts,
            groups: Vec::new(),
            deliveries: 0,
            ready: BTreeSet::new(),
            look_ahead,
            within: 0,
            edge: 0,
            groups_in_flight: 0,
            recent: VecDeque::new(),
            known: BTreeSet::new(),
        }
    }
    fn group(&self, KeyId(key): KeyId) -> usize {
        to_usize(self.texts.get(to_usize(key)).copied().unwrap_or(key))
    }
    pub(super) const fn in_flight(&self) -> u32 {
        self.groups_in_flight
    }
    pub(super) fn memory(&self) -> u64 {
        let known = self.known.len() * 2 * size_of::<(KeyId, u32)>() + self.recent.capacity() * 16;
        u64::try_from(known + self.groups.capacity() * size_of::<Group>()).unwrap_or(u64::MAX)
    }

    /// Whether the ID was accepted within the interval (SQS-U-03); remembers it from now on if not. A repeat does not
    /// prolong the interval (SQS-Z-12), and at exactly five minutes the ID is new (SQS-Z-13).
    pub(super) fn is_duplicate(&mut self, key: KeyId, ordinal: u32, now: SimTime) -> bool {
        while let Some(&(at, key, ordinal)) = self.recent.front()
            && now.since(at) >= DEDUPLICATION_INTERVAL
        {
            self.recent.pop_front();
            self.known.remove(&(key, ordinal));
        }
        if !self.known.insert((key, ordinal)) {
            return true;
        }
        self.recent.push_back((now, key, ordinal));
        false
    }
    /// A purge forgets all IDs (SQS-U-18).
    pub(super) fn forget_ids(&mut self) {
        self.recent.clear();
        self.known.clear();
    }

    /// Takes a new message in at the end of its group.
    pub(super) fn append(&mut self, position: u64, messages: &mut Messages) {
        let key = self.group(messages.get(position).key);
        if self.groups.len() <= key {
            self.groups.resize(key + 1, Group::default());
        }
        messages.append(position, &mut self.groups[key].messages);
        self.look_further(false, messages);
    }
    /// A message leaves its group.
    pub(super) fn unlink(&mut self, position: u64, messages: &mut Messages) {
        let key = self.group(messages.get(position).key);
        messages.unlink(position, &mut self.groups[key].messages);
    }
    /// Looks at as many of the oldest messages as there is room for, after one of them has gone or another has come.
    pub(super) fn look_further(&mut self, gone: bool, messages: &mut Messages) {
        self.within -= u64::from(gone);
        while self.within < self.look_ahead
            && let Some(position) = messages.next_here(self.edge)
        {
            self.within += 1;
            self.edge = position + 1;
            let message = messages.get_mut(position);
            message.flags |= LOOKED_AT;
            let key = message.key;
            self.refresh(key, messages);
        }
    }
    /// A message of the group went in flight (`true`), or is no longer.
    pub(super) fn count_in_flight(&mut self, key: KeyId, more: bool) {
        let group = self.group(key);
        let group = &mut self.groups[group];
        let was = group.in_flight > 0;
        group.in_flight = if more { group.in_flight + 1 } else { group.in_flight - 1 };
        match (was, group.in_flight > 0) {
            (false, true) => self.groups_in_flight += 1,
            (true, false) => self.groups_in_flight -= 1,
            (true, true) | (false, false) => {}
        }
    }
    /// A message of the group was delivered.
    pub(super) fn delivered(&mut self, key: KeyId) {
        self.deliveries += 1;
        let group = self.group(key);
        self.groups[group].delivered = self.deliveries;
    }
    /// Files the group anew after its first message has changed.
    pub(super) fn refresh(&mut self, key: KeyId, messages: &Messages) {
        let number = self.group(key);
        let group = &mut self.groups[number];
        if let Some(entry) = group.ready.take() {
            self.ready.remove(&(entry, number));
        }
        let Some(first) = group.messages.first else { return };
        let head = messages.get(first);
        if head.state == State::Available && head.has(LOOKED_AT) {
            let rank = if head.receives_here > 0 { group.delivered } else { 0 };
            let entry = (head.at, rank, first);
            group.ready = Some(entry);
            self.ready.insert((entry, number));
        }
    }
    /// The first message of the group that is served next (SQS-F-15).
    pub(super) fn next(&self) -> Option<u64> {
        self.ready.first().map(|((_, _, position), _)| *position)
    }
    /// The next message of the same group, if it is visible and looked at (SQS-F-06).
    pub(super) fn follower(position: u64, messages: &Messages) -> Option<u64> {
        messages.follower(position).filter(|&next| {
            let message = messages.get(next);
            message.state == State::Available && message.has(LOOKED_AT)
        })
    }
}
