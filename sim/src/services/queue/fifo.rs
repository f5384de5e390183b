//! The order of a FIFO queue: message groups and their lock, and the look-ahead.

use super::deduplication::Deduplication;
use super::message::{LOOKED_AT, List, Messages, State};
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::queue_blueprint::DeduplicationId;
use crate::record::{KeyId, Record};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Of the hash that spreads groups over partitions.
const SALT: u64 = 0x51B2_77A9_0D3C_64E1;
fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    messages: List,
    in_flight: u32,
    /// The number of the last delivery of one of its messages.
    delivered: u64,
    /// The entry under which it stands in `ready`, and the partition.
    ready: Option<Ready>,
    partition: u16,
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
    /// By partition: groups whose first message is visible and looked at, in the order in which they are served (SQS-F-16,
    /// SQS-Z-14).
    ready: Vec<BTreeSet<(Ready, usize)>>,
    /// Messages that are looked at (SQS-I-08), and how many of the oldest are.
    pub(super) look_ahead: u64,
    within: u64,
    /// Those before this position are looked at.
    edge: u64,
    groups_in_flight: u32,
    pub(super) deduplication: Deduplication,
    partitions: usize,
}

impl Groups {
    pub(super) fn new(look_ahead: u64, texts: Arc<[u32]>, deduplication: Deduplication) -> Self {
        Self {
            texts,
            groups: Vec::new(),
            deliveries: 0,
            ready: vec![BTreeSet::new()],
            look_ahead,
            within: 0,
            edge: 0,
            groups_in_flight: 0,
            deduplication,
            partitions: 1,
        }
    }
    fn group(&self, KeyId(key): KeyId) -> usize {
        to_usize(self.texts.get(to_usize(key)).copied().unwrap_or(key))
    }
    pub(super) const fn in_flight(&self) -> u32 {
        self.groups_in_flight
    }
    pub(super) fn memory(&self) -> u64 {
        self.deduplication.memory() + to_u64(self.groups.capacity() * size_of::<Group>())
    }

    /// Whether a message is a duplicate; its ID is remembered if not.
    pub(super) fn is_duplicate(&mut self, record: &Record, id: DeduplicationId, now: SimTime) -> bool {
        let group = self.group(record.key);
        self.deduplication.is_duplicate(record, id, group, now)
    }
    /// The partition of a message group (SQS-T-12). One that is in flight stays where it is (SQS-Z-17).
    pub(super) fn partition(&self, key: KeyId) -> usize {
        let number = self.group(key);
        self.groups
            .get(number)
            .filter(|group| group.in_flight > 0)
            .map_or_else(|| self.home(number), |group| usize::from(group.partition))
    }
    fn home(&self, number: usize) -> usize {
        if self.partitions == 1 {
            return 0;
        }
        let hash = (to_u64(number) ^ SALT).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        usize::try_from(hash % to_u64(self.partitions)).unwrap_or(0)
    }
    /// Spreads the groups over another number of partitions.
    pub(super) fn set_partitions(&mut self, partitions: usize, messages: &Messages) {
        self.partitions = partitions.max(1);
        if self.ready.len() < self.partitions {
            self.ready.resize(self.partitions, BTreeSet::new());
        }
        for number in 0..self.groups.len() {
            self.file(number, messages);
        }
    }
    /// Whether a message of the group is in flight.
    pub(super) fn is_in_flight(&self, key: KeyId) -> bool {
        self.groups
            .get(self.group(key))
            .is_some_and(|group| group.in_flight > 0)
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
        self.file(self.group(key), messages);
    }
    fn file(&mut self, number: usize, messages: &Messages) {
        let home = self.home(number);
        let group = &mut self.groups[number];
        if let Some(entry) = group.ready.take() {
            self.ready[usize::from(group.partition)].remove(&(entry, number));
        }
        if group.in_flight == 0 {
            group.partition = u16::try_from(home).unwrap_or(0);
        }
        let Some(first) = group.messages.first else { return };
        let head = messages.get(first);
        if head.state == State::Available && head.has(LOOKED_AT) {
            let rank = if head.receives_here > 0 { group.delivered } else { 0 };
            let entry = (head.at, rank, first);
            group.ready = Some(entry);
            self.ready[usize::from(group.partition)].insert((entry, number));
        }
    }
    /// The first message of the group that is served next (SQS-F-15), of those of a partition.
    pub(super) fn next_in(&self, partition: usize) -> Option<u64> {
        let first = self.ready.get(partition)?.first();
        first.map(|((_, _, position), _)| *position)
    }
    /// The partition whose group is served next, among those that `admits`.
    pub(super) fn next_partition(&self, mut admits: impl FnMut(usize) -> bool) -> Option<usize> {
        if let [only] = self.ready.as_slice() {
            return (!only.is_empty() && admits(0)).then_some(0);
        }
        let heads = self.ready.iter().enumerate();
        let heads = heads.filter_map(|(partition, groups)| Some((groups.first()?, partition)));
        let admitted = heads.filter(|&(_, partition)| admits(partition));
        admitted.min().map(|(_, partition)| partition)
    }
    /// The next message of the same group, if it is visible and looked at (SQS-F-06).
    pub(super) fn follower(position: u64, messages: &Messages) -> Option<u64> {
        messages.follower(position).filter(|&next| {
            let message = messages.get(next);
            message.state == State::Available && message.has(LOOKED_AT)
        })
    }
}
