//! Where messages are kept: places of 64 bytes in segments, in the order of arrival.
//!
//! A message stands at a position that no other message ever gets, so a receipt handle of one that has gone fits nothing.
//! A segment is given back once all its messages have gone.

use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::record::{KeyId, Record};
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Messages of a segment.
const SEGMENT: u64 = 1_024;
/// Positions that links between messages tell apart.
const SPAN: u64 = 1 << 32;
/// Stands for no neighbour.
const NONE: u32 = u32::MAX;
/// Bits of a receipt handle that number the receive.
const NUMBER_BITS: u32 = 20;
const NUMBER_MAX: u32 = (1 << NUMBER_BITS) - 1;

/// Where a message is in its life (SQS-L).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It has gone.
    Gone,
    Delayed,
    Available,
    /// Of a standard queue: a receive has taken it from its server and decides what becomes of it.
    Taken,
    InFlight,
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub created_at: SimTime,
    /// The enqueue timestamp, from which retention counts (SQS-E-01).
    pub sent_at: SimTime,
    /// Delayed or in flight: until when. Available: its key in the order of receives.
    pub at: SimTime,
    pub key: KeyId,
    pub ordinal: u32,
    pub bytes: u32,
    /// Milliseconds from the enqueue timestamp to the return by the last receive, for the cap of SQS-V-09.
    returned_after: u32,
    /// The number in its newest receipt handle.
    pub receipt: u32,
    /// Handles up to this number are void: the message was deleted and has come back (SQS-O-04).
    pub void: u32,
    /// Neighbours in its server's list, or in its message group.
    before: u32,
    after: u32,
    /// Receives in all queues that it was in (SQS-L-18).
    pub receives: u16,
    /// Receives from this queue, which a redrive policy compares (SQS-D-10).
    pub receives_here: u16,
    pub state: State,
    /// Its server, of a standard queue.
    pub server: u8,
    pub flags: u8,
    /// Where it came from, if another queue moved it here: a number of the queue's.
    pub origin: u8,
}

/// It came back after its deletion.
pub(super) const COPY: u8 = 1;
/// It came back from a receive and stands among those of its server that did.
pub(super) const RETURNED: u8 = 1 << 1;
/// Another queue moved it here with its old enqueue timestamp.
const MOVED: u8 = 1 << 2;
/// Its sender stated a MessageGroupId, on a standard queue (SQS-Q-02).
pub(super) const GROUPED: u8 = 1 << 4;
/// A FIFO queue looks at it (SQS-I-08).
pub(super) const LOOKED_AT: u8 = 1 << 3;

const _: () = assert!(size_of::<Message>() == 64, "a waiting message takes 64 bytes");

impl Message {
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
    pub(super) fn record(&self) -> Record {
        Record {
            created_at: self.created_at,
            arrived_at: self.sent_at,
            key: self.key,
            ordinal: self.ordinal,
            bytes: self.bytes,
            flags: 0,
        }
    }
    /// When the last receive returned it, to the millisecond.
    pub(super) fn returned_at(&self) -> SimTime {
        self.sent_at
            .saturating_add(SimDuration::from_millis(u64::from(self.returned_after)))
    }
    /// What a receive returns: ApproximateReceiveCount, over all queues that it was in (SQS-L-18), travels beside the record.
    pub(super) fn received_record(&self) -> Record {
        Record {
            flags: u32::from(self.receives) << crate::record::ATTEMPT_SHIFT,
            ..self.record()
        }
    }
    /// A receive takes it and returns it at `returned_at`.
    pub(super) fn received(&mut self, returned_at: SimTime) {
        self.receipt = (self.receipt + 1).min(NUMBER_MAX);
        self.receives = self.receives.saturating_add(1);
        self.receives_here = self.receives_here.saturating_add(1);
        self.returned(returned_at);
    }
    /// Its visibility timeout and the cap of SQS-V-09 count from then on.
    pub(super) fn returned(&mut self, returned_at: SimTime) {
        self.returned_after = u32::try_from(returned_at.since(self.sent_at).as_millis()).unwrap_or(u32::MAX);
    }
}

/// A receipt handle (SQS-V-04): the position, and the number of the receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Receipt {
    pub position: u64,
    pub number: u32,
}

impl Receipt {
    pub(super) fn pack(self) -> u64 {
        self.position << NUMBER_BITS | u64::from(self.number)
    }
    pub(super) fn unpack(handle: u64) -> Self {
        Self {
            position: handle >> NUMBER_BITS,
            number: u32::try_from(handle & u64::from(NUMBER_MAX)).unwrap_or(0),
        }
    }
}

/// What a receipt handle stands for at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    /// It was never issued by this queue (SQS-V-18).
    Malformed,
    /// The message has left the queue (SQS-V-16).
    Gone,
    /// The message is here, and this is its newest handle.
    Newest,
    /// The message is here, and a later receive has issued another one.
    Outdated,
}

/// Messages that arrived one after the other.
#[derive(Clone, Debug, Default)]
struct Segment {
    messages: Vec<Message>,
    left: u32,
}

/// The ends of a list of messages: a server's, or a message group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    pub first: Option<u64>,
    pub last: Option<u64>,
}

/// The messages of a queue.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    segments: VecDeque<Segment>,
    /// Number of the first segment that is kept.
    base: u64,
    /// The position of the next message.
    next: u64,
    count: u64,
    /// The first message that was sent here: those before it have gone, or were moved here.
    first_sent: u64,
    /// The first message that counts for the age metric (SQS-C-06, SQS-C-07).
    first_counting: u64,
    /// Receives from which on a message does not count for it.
    counts_until: u16,
    /// Messages with an older enqueue timestamp than arrival, by timestamp, and when they arrived.
    moved: BTreeSet<(SimTime, u64)>,
    moved_at: BTreeMap<u64, SimTime>,
    spare: Vec<Message>,
}

impl Messages {
    pub(super) const fn new(counts_until: u16) -> Self {
        Self {
            segments: VecDeque::new(),
            base: 0,
            next: 0,
            count: 0,
            first_sent: 0,
            first_counting: 0,
            counts_until,
            moved: BTreeSet::new(),
            moved_at: BTreeMap::new(),
            spare: Vec::new(),
        }
    }
    pub(super) const fn count(&self) -> u64 {
        self.count
    }
    /// Whether links could no longer tell positions apart: four thousand million messages came after one that is here.
    pub(super) const fn is_full(&self) -> bool {
        self.next - self.base * SEGMENT >= SPAN - 2 * SEGMENT
    }
    pub(super) fn memory(&self) -> u64 {
        let messages: usize = self.segments.iter().map(|segment| segment.messages.capacity()).sum();
        let moved = self.moved.len() * (size_of::<(SimTime, u64)>() + size_of::<(u64, SimTime)>());
        let segments = self.segments.capacity() * size_of::<Segment>();
        u64::try_from(messages * size_of::<Message>() + moved + segments).unwrap_or(u64::MAX)
    }
    fn at(&self, position: u64) -> Option<&Message> {
        let segment = self
            .segments
            .get(to_index((position / SEGMENT).checked_sub(self.base)?))?;
        segment.messages.get(to_index(position % SEGMENT))
    }
    /// The message at a position at which there is one.
    pub(super) fn get(&self, position: u64) -> &Message {
        &self.segments[to_index(position / SEGMENT - self.base)].messages[to_index(position % SEGMENT)]
    }
    pub(super) fn get_mut(&mut self, position: u64) -> &mut Message {
        &mut self.segments[to_index(position / SEGMENT - self.base)].messages[to_index(position % SEGMENT)]
    }
    /// Whether there is a message at the position.
    pub(super) fn is_here(&self, position: u64) -> bool {
        self.at(position).is_some_and(|message| message.state != State::Gone)
    }
    pub(super) fn held(&self, receipt: Receipt) -> Held {
        if receipt.position >= self.next || receipt.number == 0 {
            return Held::Malformed;
        }
        let Some(message) = self.at(receipt.position) else {
            return Held::Gone;
        };
        if receipt.number > message.receipt {
            Held::Malformed
        } else if message.state == State::Gone || receipt.number <= message.void {
            Held::Gone
        } else if receipt.number == message.receipt {
            Held::Newest
        } else {
            Held::Outdated
        }
    }

    /// Takes a record in, at the end. Its enqueue timestamp is older than `now` if another queue moved it here (SQS-E-05).
    pub(super) fn insert(&mut self, record: &Record, (sent_at, now): (SimTime, SimTime), receives: u16) -> u64 {
        if low(self.next) == NONE {
            self.push(EMPTY);
            self.give_back(self.next / SEGMENT - 1);
        }
        let position = self.next;
        let moved = sent_at < now;
        self.push(Message {
            created_at: record.created_at,
            sent_at,
            at: now,
            key: record.key,
            ordinal: record.ordinal,
            bytes: record.bytes,
            receives,
            state: State::Delayed,
            flags: if moved { MOVED } else { 0 },
            ..EMPTY
        });
        if moved {
            self.moved.insert((sent_at, position));
            self.moved_at.insert(position, now);
        }
        self.count += 1;
        self.settle();
        position
    }
    fn push(&mut self, message: Message) {
        if self.next.is_multiple_of(SEGMENT) {
            let mut messages = core::mem::take(&mut self.spare);
            messages.clear();
            messages.reserve_exact(to_index(SEGMENT));
            self.segments.push_back(Segment { messages, left: 0 });
        }
        self.next += 1;
        if let Some(segment) = self.segments.back_mut() {
            segment.messages.push(message);
            segment.left += u32::from(message.state != State::Gone);
        }
    }
    /// Ends a life.
    pub(super) fn remove(&mut self, position: u64) {
        let message = self.get_mut(position);
        message.state = State::Gone;
        let (moved, sent_at) = (message.has(MOVED), message.sent_at);
        if moved {
            self.moved.remove(&(sent_at, position));
            self.moved_at.remove(&position);
        }
        self.count -= 1;
        let number = position / SEGMENT;
        self.segments[to_index(number - self.base)].left -= 1;
        self.give_back(number);
        self.settle();
    }
    /// Gives back a segment that is full and whose messages have all gone.
    fn give_back(&mut self, number: u64) {
        let segment = &mut self.segments[to_index(number - self.base)];
        if segment.left > 0 || (number + 1) * SEGMENT > self.next {
            return;
        }
        self.spare = core::mem::take(&mut segment.messages);
        let given_back = |segment: &Segment| segment.messages.capacity() == 0;
        while self.segments.front().is_some_and(given_back) {
            self.segments.pop_front();
            self.base += 1;
        }
    }
    /// Moves on from messages that have gone, or no longer count. Each is passed once.
    pub(super) fn settle(&mut self) {
        let base = self.base * SEGMENT;
        self.first_sent = self.first_sent.max(base);
        while self.first_sent < self.next && !self.was_sent(self.first_sent) {
            self.first_sent = self.after_gap(self.first_sent);
        }
        self.first_counting = self.first_counting.max(base);
        while self.first_counting < self.next && !self.counts(self.first_counting) {
            self.first_counting = self.after_gap(self.first_counting);
        }
    }
    /// Whether there is a message that was sent here.
    fn was_sent(&self, position: u64) -> bool {
        self.is_here(position) && !self.get(position).has(MOVED)
    }
    /// Whether there is a message that counts for the age metric.
    fn counts(&self, position: u64) -> bool {
        self.is_here(position) && self.get(position).receives_here < self.counts_until
    }
    /// The next position, or that of the next segment if the whole of this one has gone.
    fn after_gap(&self, position: u64) -> u64 {
        let segment = self.segments.get(to_index(position / SEGMENT - self.base));
        if segment.is_some_and(|segment| segment.messages.is_empty()) {
            (position / SEGMENT + 1) * SEGMENT
        } else {
            position + 1
        }
    }
    /// The first message here at or after a position.
    pub(super) fn next_here(&self, from: u64) -> Option<u64> {
        let mut position = from.max(self.base * SEGMENT);
        while position < self.next {
            if self.is_here(position) {
                return Some(position);
            }
            position = self.after_gap(position);
        }
        None
    }
    /// The position that the next message will get.
    pub(super) const fn end(&self) -> u64 {
        self.next
    }
    /// The next message by enqueue timestamp, and whether another queue moved it here with an old one: among those behind
    /// `passed`, and among the others from a position on, which moves to the first of them.
    pub(super) fn older(&self, passed: Option<(SimTime, u64)>, from: &mut u64) -> Option<(SimTime, u64, bool)> {
        let behind = passed.map_or(Bound::Unbounded, Bound::Excluded);
        let moved = self.moved.range((behind, Bound::Unbounded)).next();
        let mut sent = None;
        while let Some(position) = self.next_here(*from) {
            *from = position;
            if !self.get(position).has(MOVED) {
                sent = Some((self.get(position).sent_at, position, false));
                break;
            }
            *from += 1;
        }
        let moved = moved.map(|&(sent_at, position)| (sent_at, position, true));
        moved.into_iter().chain(sent).min()
    }
    /// The message with the oldest enqueue timestamp.
    pub(super) fn oldest(&self) -> Option<(u64, SimTime)> {
        let sent = (self.first_sent < self.next).then(|| (self.get(self.first_sent).sent_at, self.first_sent));
        let moved = self.moved.first().copied();
        let (sent_at, position) = sent.into_iter().chain(moved).min()?;
        Some((position, sent_at))
    }
    /// From when the age metric counts: the enqueue timestamp of the oldest message that counts for it, or when another
    /// queue moved it here (SQS-C-10).
    pub(super) fn ages_since(&self) -> Option<SimTime> {
        (self.first_counting < self.next).then(|| {
            let moved_at = self.moved_at.get(&self.first_counting);
            moved_at
                .copied()
                .unwrap_or_else(|| self.get(self.first_counting).sent_at)
        })
    }

    fn full(&self, link: u32) -> Option<u64> {
        let back = u64::from(low(self.next).wrapping_sub(link));
        (link != NONE).then(|| self.next - if back == 0 { SPAN } else { back })
    }
    /// The message behind one in its list.
    pub(super) fn follower(&self, position: u64) -> Option<u64> {
        self.full(self.get(position).after)
    }
    /// Puts a message at the end of a list.
    pub(super) fn append(&mut self, position: u64, list: &mut List) {
        let message = self.get_mut(position);
        (message.before, message.after) = (list.last.map_or(NONE, low), NONE);
        match list.last {
            Some(last) => self.get_mut(last).after = low(position),
            None => list.first = Some(position),
        }
        list.last = Some(position);
    }
    /// Takes a message out of a list.
    pub(super) fn unlink(&mut self, position: u64, list: &mut List) {
        let Message { before, after, .. } = *self.get(position);
        let (before_it, after_it) = (self.full(before), self.full(after));
        match before_it {
            Some(neighbour) => self.get_mut(neighbour).after = after,
            None => list.first = after_it,
        }
        match after_it {
            Some(neighbour) => self.get_mut(neighbour).before = before,
            None => list.last = before_it,
        }
    }
}

/// The low half of a position.
fn low(position: u64) -> u32 {
    u32::try_from(position & u64::from(u32::MAX)).unwrap_or(NONE)
}
/// Numbers within what is kept are small.
fn to_index(number: u64) -> usize {
    to_usize(u32::try_from(number).unwrap_or(u32::MAX))
}

const EMPTY: Message = Message {
    created_at: SimTime::ZERO,
    sent_at: SimTime::ZERO,
    at: SimTime::ZERO,
    key: KeyId(0),
    ordinal: 0,
    bytes: 0,
    returned_after: 0,
    receipt: 0,
    void: 0,
    before: NONE,
    after: NONE,
    receives: 0,
    receives_here: 0,
    state: State::Gone,
    server: 0,
    flags: 0,
    origin: 0,
};
