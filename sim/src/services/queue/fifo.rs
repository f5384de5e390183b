//! The order of a FIFO queue: message groups and their lock, the look-ahead, and deduplication.

use super::message::{Messages, NONE, State};
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::record::KeyId;
use std::collections::{BTreeSet, VecDeque};

/// How long a deduplication ID is remembered (SQS-U-01).
const DEDUPLICATION_INTERVAL: SimDuration = SimDuration::from_minutes(5);

#[derive(Clone, Copy, Debug)]
struct Group {
    first: u32,
    last: u32,
    in_flight: u32,
    /// The entry under which it stands in `ready`.
    ready: Option<(SimTime, u64)>,
}

const NO_GROUP: Group = Group {
    first: NONE,
    last: NONE,
    in_flight: 0,
    ready: None,
};

/// The message groups of a FIFO queue.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// By key.
    groups: Vec<Group>,
    /// By slot: the next message of the group before and after it.
    links: Vec<[u32; 2]>,
    /// By slot: the sequence number (SQS-F-04).
    sequence: Vec<u64>,
    next_sequence: u64,
    /// Groups whose first message is visible and within the look-ahead, by since when it is (SQS-F-16, SQS-Z-14).
    ready: BTreeSet<(SimTime, u64, u32)>,
    /// Messages that are looked at (SQS-I-08), and how many of the oldest are.
    look_ahead: u64,
    within: u64,
    /// The newest message that is looked at.
    edge: u32,
    groups_in_flight: u32,
    /// IDs accepted within the interval, by age and by value. A record's own identity stands for its deduplication ID.
    recent: VecDeque<(SimTime, KeyId, u32)>,
    known: BTreeSet<(KeyId, u32)>,
}

impl Groups {
    pub(super) const fn new(look_ahead: u64) -> Self {
        Self {
            groups: Vec::new(),
            links: Vec::new(),
            sequence: Vec::new(),
            next_sequence: 0,
            ready: BTreeSet::new(),
            look_ahead,
            within: 0,
            edge: NONE,
            groups_in_flight: 0,
            recent: VecDeque::new(),
            known: BTreeSet::new(),
        }
    }
    pub(super) const fn in_flight(&self) -> u32 {
        self.groups_in_flight
    }
    pub(super) fn memory(&self) -> u64 {
        let slots = self.links.capacity() * size_of::<[u32; 2]>() + self.sequence.capacity() * size_of::<u64>();
        let known = self.known.len() * 2 * size_of::<(KeyId, u32)>() + self.recent.capacity() * 16;
        u64::try_from(slots + known + self.groups.capacity() * size_of::<Group>()).unwrap_or(u64::MAX)
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
    pub(super) fn append(&mut self, slot: u32, messages: &mut Messages) {
        let at = to_usize(slot);
        if self.links.len() <= at {
            self.links.resize(at + 1, [NONE; 2]);
            self.sequence.resize(at + 1, 0);
        }
        self.sequence[at] = self.next_sequence;
        self.next_sequence += 1;
        let key = to_usize(messages.get(slot).key.0);
        if self.groups.len() <= key {
            self.groups.resize(key + 1, NO_GROUP);
        }
        let last = self.groups[key].last;
        self.links[at] = [last, NONE];
        if last == NONE {
            self.groups[key].first = slot;
        } else {
            self.links[to_usize(last)][1] = slot;
        }
        self.groups[key].last = slot;
        let looked_at = self.within < self.look_ahead && messages.get(slot).newer == NONE;
        messages.get_mut(slot).place = u8::from(looked_at);
        if looked_at {
            self.within += 1;
            self.edge = slot;
        }
    }
    /// A message leaves the queue. Call it before the message's slot is freed.
    pub(super) fn remove(&mut self, slot: u32, messages: &mut Messages) {
        let message = *messages.get(slot);
        let key = to_usize(message.key.0);
        let [before, after] = self.links[to_usize(slot)];
        if before == NONE {
            self.groups[key].first = after;
        } else {
            self.links[to_usize(before)][1] = after;
        }
        if after == NONE {
            self.groups[key].last = before;
        } else {
            self.links[to_usize(after)][0] = before;
        }
        if message.place == 1 {
            let next = messages.get(self.edge).newer;
            if self.edge == slot {
                self.edge = message.older;
            }
            if next == NONE {
                self.within -= 1;
            } else {
                messages.get_mut(next).place = 1;
                self.edge = next;
                self.refresh(messages.get(next).key, messages);
            }
        }
        self.refresh(message.key, messages);
    }
    /// A message of the group went in flight (`true`), or is no longer.
    pub(super) fn count_in_flight(&mut self, key: KeyId, more: bool) {
        let group = &mut self.groups[to_usize(key.0)];
        let was = group.in_flight > 0;
        group.in_flight = if more { group.in_flight + 1 } else { group.in_flight - 1 };
        match (was, group.in_flight > 0) {
            (false, true) => self.groups_in_flight += 1,
            (true, false) => self.groups_in_flight -= 1,
            (true, true) | (false, false) => {}
        }
    }
    /// Files the group anew after its first message has changed.
    pub(super) fn refresh(&mut self, key: KeyId, messages: &Messages) {
        let group = &mut self.groups[to_usize(key.0)];
        if let Some((since, sequence)) = group.ready.take() {
            self.ready.remove(&(since, sequence, key.0));
        }
        if group.first == NONE {
            return;
        }
        let head = messages.get(group.first);
        if head.state == State::Available && head.place == 1 {
            let entry = (head.at, self.sequence[to_usize(group.first)]);
            group.ready = Some(entry);
            self.ready.insert((entry.0, entry.1, key.0));
        }
    }
    /// The first message of the group that is served next (SQS-F-15).
    pub(super) fn next(&self) -> Option<u32> {
        let &(_, _, key) = self.ready.first()?;
        Some(self.groups[to_usize(key)].first)
    }
    /// The next message of the same group, if it is visible and looked at (SQS-F-06).
    pub(super) fn follower(&self, slot: u32, messages: &Messages) -> Option<u32> {
        let next = self.links[to_usize(slot)][1];
        let free = next != NONE && {
            let message = messages.get(next);
            message.state == State::Available && message.place == 1
        };
        free.then_some(next)
    }
}
