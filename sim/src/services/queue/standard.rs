//! The order of a standard queue: mostly that of sending, over servers of which a short poll asks a few.

use super::fairness::Tenants;
use super::message::{List, Message, Messages, RETURNED, State};
use crate::engine::index::to_usize;
use crate::engine::random::Stream as Random;
use crate::engine::time::SimTime;
use crate::observe::queue_fact::Quiet;
use crate::services::random_span::RandomSpan;
use std::collections::BTreeSet;

/// Receives after which a message that comes back goes to the end (SQS-O-10, SQS-Z-30).
const BACK_OF_THE_QUEUE: u16 = 3;

/// A server: the messages that are available on it.
#[derive(Clone, Debug, Default)]
struct Server {
    /// Those that have never been received, or go to the end, in the order in which they became available.
    line: List,
    /// Those that have come back, by age.
    returned: BTreeSet<(SimTime, u64)>,
    count: u64,
}

/// The servers of a standard queue (SQS-O-03, SQS-Z-01): each message is on one, and a receive merges their lists.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    servers: Vec<Server>,
    /// Servers that a short poll asks (SQS-Z-05).
    sample: usize,
    placement: Random,
    jitter: RandomSpan,
    /// Servers that a receive asks, with the key of the next message of each, in nanoseconds.
    asked: Vec<(u64, usize)>,
    left: Vec<usize>,
    /// Lines of the tenants instead of the servers' lists, of a queue whose senders state a MessageGroupId.
    fair: Option<Box<Tenants>>,
}

impl Servers {
    pub(super) fn new(
        (servers, sample): (u32, u32),
        placement: Random,
        jitter: RandomSpan,
        fair: Option<Box<Tenants>>,
    ) -> Self {
        Self {
            servers: vec![Server::default(); to_usize(servers.clamp(1, 64))],
            sample: to_usize(sample.max(1)),
            placement,
            jitter,
            asked: Vec::new(),
            left: Vec::new(),
            fair,
        }
    }
    pub(super) fn draws(&self) -> u64 {
        self.placement.draws() ^ self.jitter.draws().rotate_left(32)
    }
    pub(super) fn memory(&self) -> u64 {
        let returned: usize = self.servers.iter().map(|server| server.returned.len()).sum();
        let fair = self.fair.as_ref().map_or(0, |fair| fair.memory());
        u64::try_from(returned * size_of::<(SimTime, u64)>()).unwrap_or(u64::MAX) + fair
    }
    /// The tenants, of a fair queue.
    pub(super) fn fair(&mut self) -> Option<&mut Tenants> {
        self.fair.as_deref_mut()
    }
    /// What the metrics of quiet groups say, of a fair queue.
    pub(super) fn quiet(&self, messages: &Messages, counts: (u64, u64, u64)) -> Option<Quiet> {
        Some(self.fair.as_ref()?.quiet(messages, counts))
    }

    /// A message becomes available for the first time: it goes to a server by lot.
    pub(super) fn place(&mut self, position: u64, messages: &mut Messages, now: SimTime) {
        if let Some(fair) = &mut self.fair {
            return fair.add(position, messages, now, false);
        }
        let server = self.placement.below(u64::try_from(self.servers.len()).unwrap_or(1));
        messages.get_mut(position).server = u8::try_from(server).unwrap_or(0);
        self.line_up(position, messages, now);
    }
    /// It comes back: to where its age puts it, or to the end after three receives.
    pub(super) fn put_back(&mut self, position: u64, messages: &mut Messages, now: SimTime) {
        let to_the_end = messages.get(position).receives_here >= BACK_OF_THE_QUEUE;
        if let Some(fair) = &mut self.fair {
            return fair.add(position, messages, now, !to_the_end);
        }
        let message = messages.get_mut(position);
        if to_the_end {
            return self.line_up(position, messages, now);
        }
        message.state = State::Available;
        message.at = message.sent_at;
        message.flags |= RETURNED;
        let server = &mut self.servers[usize::from(message.server)];
        server.returned.insert((message.sent_at, position));
        server.count += 1;
    }
    fn line_up(&mut self, position: u64, messages: &mut Messages, now: SimTime) {
        let message = messages.get_mut(position);
        message.state = State::Available;
        message.at = now;
        message.flags &= !RETURNED;
        let server = &mut self.servers[usize::from(message.server)];
        server.count += 1;
        messages.append(position, &mut server.line);
    }
    /// A message that is available is no longer.
    pub(super) fn remove(&mut self, position: u64, messages: &mut Messages) {
        if let Some(fair) = &mut self.fair {
            return fair.remove(position, messages);
        }
        let Message { server, sent_at, .. } = *messages.get(position);
        let server = &mut self.servers[usize::from(server)];
        server.count -= 1;
        if messages.get(position).has(RETURNED) {
            server.returned.remove(&(sent_at, position));
        } else {
            messages.unlink(position, &mut server.line);
        }
    }

    /// Chooses the servers of a receive: all of them for a long poll (SQS-R-10), else a few by lot, with more chance
    /// where there is more (SQS-R-06).
    pub(super) fn ask(&mut self, all: bool, messages: &Messages, now: SimTime) {
        if let Some(fair) = &mut self.fair {
            return fair.judge(now, messages);
        }
        self.asked.clear();
        let servers = self.servers.len();
        if all || self.sample >= servers {
            self.asked.extend((0..servers).map(|server| (0, server)));
        } else {
            self.left.clear();
            self.left.extend(0..servers);
            for _ in 0..self.sample {
                let weight = |server: usize| self.servers[server].count + 1;
                let total: u64 = self.left.iter().map(|&server| weight(server)).sum();
                let mut lot = self.placement.below(total);
                let chosen = self.left.iter().position(|&server| {
                    let own = weight(server);
                    let hit = lot < own;
                    lot = lot.saturating_sub(own);
                    hit
                });
                self.asked.push((0, self.left.remove(chosen.unwrap_or(0))));
            }
        }
        for at in 0..self.asked.len() {
            let server = self.asked[at].1;
            self.asked[at].0 = self.next_key(server, messages);
        }
    }
    /// The next message of a server, with its key.
    fn head(&self, server: usize, messages: &Messages) -> Option<(SimTime, u64)> {
        let server = &self.servers[server];
        let new = server.line.first.map(|position| (messages.get(position).at, position));
        let back = server.returned.first().copied();
        new.into_iter().chain(back).min()
    }
    /// The key of a server's next message, blurred: servers do not agree on the order to the millisecond (SQS-O-02).
    fn next_key(&mut self, server: usize, messages: &Messages) -> u64 {
        self.head(server, messages).map_or(u64::MAX, |(key, _)| {
            key.as_nanos().saturating_add(self.jitter.draw().as_nanos())
        })
    }
    /// Takes the next message from the servers that are asked.
    pub(super) fn next(&mut self, messages: &mut Messages) -> Option<u64> {
        if let Some(fair) = &mut self.fair {
            return fair.next(messages);
        }
        let (at, &(key, server)) = self.asked.iter().enumerate().min_by_key(|(_, asked)| **asked)?;
        if key == u64::MAX {
            return None;
        }
        let (_, position) = self.head(server, messages)?;
        self.remove(position, messages);
        messages.get_mut(position).state = State::Taken;
        self.asked[at].0 = self.next_key(server, messages);
        Some(position)
    }
}
