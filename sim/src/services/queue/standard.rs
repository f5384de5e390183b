//! The order of a standard queue: mostly that of sending, over servers of which a short poll asks a few.

use super::message::{COPY, Message, Messages, State};
use crate::engine::index::to_usize;
use crate::engine::random::Stream as Random;
use crate::engine::time::SimTime;
use crate::services::random_span::RandomSpan;
use std::collections::VecDeque;

/// Receives after which a message that comes back goes to the end (SQS-O-10, SQS-Z-30).
const BACK_OF_THE_QUEUE: u16 = 3;

/// An entry of a server's list. It is out of date unless the message is available and bears the same stamp.
#[derive(Clone, Copy, Debug)]
struct Entry {
    slot: u32,
    stamp: u16,
}

/// The servers of a standard queue (SQS-O-03, SQS-Z-01): each message is on one, and a receive merges their lists.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    lists: Vec<VecDeque<Entry>>,
    /// Servers that a short poll asks (SQS-Z-05).
    sample: usize,
    placement: Random,
    jitter: RandomSpan,
    /// Servers that a receive asks, with the key of the next message of each, in nanoseconds.
    asked: Vec<(u64, usize)>,
}

impl Servers {
    pub(super) fn new(servers: u32, sample: u32, placement: Random, jitter: RandomSpan) -> Self {
        Self {
            lists: vec![VecDeque::new(); to_usize(servers.clamp(1, 64))],
            sample: to_usize(sample.max(1)),
            placement,
            jitter,
            asked: Vec::new(),
        }
    }
    pub(super) fn draws(&self) -> u64 {
        self.placement.draws() ^ self.jitter.draws().rotate_left(32)
    }
    pub(super) fn memory(&self) -> u64 {
        let entries: usize = self.lists.iter().map(VecDeque::capacity).sum();
        u64::try_from(entries * size_of::<Entry>()).unwrap_or(u64::MAX)
    }

    /// A message becomes available for the first time: it goes to a server by lot.
    pub(super) fn place(&mut self, slot: u32, message: &mut Message) {
        let server = self.placement.below(u64::try_from(self.lists.len()).unwrap_or(1));
        message.place = message.place & COPY | u8::try_from(server).unwrap_or(0);
        self.make_available(slot, message, message.at, false);
    }
    /// It comes back: to where its age puts it, or to the end after three receives.
    pub(super) fn put_back(&mut self, slot: u32, message: &mut Message, now: SimTime) {
        if message.receives_here >= BACK_OF_THE_QUEUE {
            self.make_available(slot, message, now, false);
        } else {
            self.make_available(slot, message, message.sent_at, true);
        }
    }
    fn make_available(&mut self, slot: u32, message: &mut Message, key: SimTime, first: bool) {
        message.state = State::Available;
        message.at = key;
        message.stamp = message.stamp.wrapping_add(1);
        let entry = Entry {
            slot,
            stamp: message.stamp,
        };
        let list = &mut self.lists[usize::from(message.place & !COPY)];
        if first {
            list.push_front(entry);
        } else {
            list.push_back(entry);
        }
    }
    /// Drops what is out of date at the front of a server's list, so that it does not pile up where nobody polls.
    pub(super) fn tidy(&mut self, place: u8, messages: &Messages) {
        let server = usize::from(place & !COPY);
        while self.lists[server]
            .front()
            .is_some_and(|entry| !is_valid(*entry, messages))
        {
            self.lists[server].pop_front();
        }
    }

    /// Chooses the servers of a receive: all of them for a long poll (SQS-R-10), else a few by lot, with more chance
    /// where there is more (SQS-R-06).
    pub(super) fn ask(&mut self, all: bool, messages: &Messages) {
        self.asked.clear();
        let weight = |list: &VecDeque<Entry>| u64::try_from(list.len()).unwrap_or(0) + 1;
        if all || self.sample >= self.lists.len() {
            self.asked.extend((0..self.lists.len()).map(|server| (0, server)));
        } else {
            let mut left: Vec<usize> = (0..self.lists.len()).collect();
            for _ in 0..self.sample {
                let total: u64 = left.iter().map(|&server| weight(&self.lists[server])).sum();
                let mut lot = self.placement.below(total);
                let chosen = left.iter().position(|&server| {
                    let own = weight(&self.lists[server]);
                    let hit = lot < own;
                    lot = lot.saturating_sub(own);
                    hit
                });
                self.asked.push((0, left.remove(chosen.unwrap_or(0))));
            }
        }
        for at in 0..self.asked.len() {
            let server = self.asked[at].1;
            self.asked[at].0 = self.next_key(server, messages);
        }
    }
    /// The key of a server's next message, blurred: servers do not agree on the order to the millisecond (SQS-O-02).
    fn next_key(&mut self, server: usize, messages: &Messages) -> u64 {
        while let Some(&entry) = self.lists[server].front() {
            if is_valid(entry, messages) {
                let key = messages.get(entry.slot).at.as_nanos();
                return key.saturating_add(self.jitter.draw().as_nanos());
            }
            self.lists[server].pop_front();
        }
        u64::MAX
    }
    /// Takes the next message from the servers that are asked.
    pub(super) fn next(&mut self, messages: &Messages) -> Option<u32> {
        let (at, &(key, server)) = self.asked.iter().enumerate().min_by_key(|(_, asked)| **asked)?;
        if key == u64::MAX {
            return None;
        }
        let entry = self.lists[server].pop_front()?;
        self.asked[at].0 = self.next_key(server, messages);
        Some(entry.slot)
    }
}

fn is_valid(entry: Entry, messages: &Messages) -> bool {
    let message = messages.get(entry.slot);
    message.state == State::Available && message.stamp == entry.stamp
}
