//! Where messages are kept: slots of 64 bytes that are recycled, in order of age, with handles that tell lives apart.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::record::{KeyId, Record};

/// Stands for no slot.
pub(super) const NONE: u32 = u32::MAX;

/// Where a message is in its life (SQS-L). A slot in between lives is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Free,
    Delayed,
    Available,
    InFlight,
}

/// A message. Slots are recycled; `receipt` goes on counting, so that no handle of an earlier life fits a later one.
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
    /// The number in the newest receipt handle of this slot.
    pub receipt: u32,
    /// The number at which the present life began: handles up to it belong to earlier ones.
    pub born: u32,
    /// The next older and the next newer message of the queue.
    pub older: u32,
    pub newer: u32,
    /// Milliseconds from the enqueue timestamp to the return by the last receive, for the cap of SQS-V-09.
    returned_after: u32,
    /// Receives in all queues that it was in (SQS-L-18).
    pub receives: u16,
    /// Receives from this queue, which a redrive policy compares (SQS-D-10).
    pub receives_here: u16,
    /// Tells entries of the order of receives that are out of date.
    pub stamp: u16,
    pub state: State,
    /// A standard queue: its server, and the copy mark. A FIFO queue: whether it is within the look-ahead.
    pub place: u8,
}

/// Marks a message that came back after its deletion (SQS-O-04).
pub(super) const COPY: u8 = 0x80;

const _: () = assert!(size_of::<Message>() == 64, "a waiting message takes 64 bytes");

impl Message {
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
    pub(super) fn returned(&mut self, now: SimTime) {
        self.returned_after = u32::try_from(now.since(self.sent_at).as_millis()).unwrap_or(u32::MAX);
    }
}

/// A receipt handle (SQS-V-04): the slot, and the number of the receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Receipt {
    pub slot: u32,
    pub number: u32,
}

impl Receipt {
    pub(super) fn pack(self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.number)
    }
    pub(super) fn unpack(handle: u64) -> Self {
        let low = u64::from(u32::MAX);
        Self {
            slot: u32::try_from(handle >> 32).unwrap_or(NONE),
            number: u32::try_from(handle & low).unwrap_or(0),
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

/// The messages of a queue.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    slots: Vec<Message>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    count: u64,
}

impl Messages {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            count: 0,
        }
    }
    pub(super) const fn count(&self) -> u64 {
        self.count
    }
    pub(super) fn memory(&self) -> u64 {
        let slots = self.slots.capacity() * size_of::<Message>() + self.free.capacity() * size_of::<u32>();
        u64::try_from(slots).unwrap_or(u64::MAX)
    }
    pub(super) fn get(&self, slot: u32) -> &Message {
        &self.slots[to_usize(slot)]
    }
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Message {
        &mut self.slots[to_usize(slot)]
    }
    pub(super) fn held(&self, receipt: Receipt) -> Held {
        let Some(message) = self.slots.get(to_usize(receipt.slot)) else {
            return Held::Malformed;
        };
        if receipt.number == 0 || receipt.number > message.receipt {
            Held::Malformed
        } else if message.state == State::Free || receipt.number <= message.born {
            Held::Gone
        } else if receipt.number == message.receipt {
            Held::Newest
        } else {
            Held::Outdated
        }
    }

    /// Takes a record in with an enqueue timestamp. It goes where its age puts it, which is the end but for messages
    /// that another queue moved here (SQS-E-05).
    pub(super) fn insert(&mut self, record: &Record, sent_at: SimTime, receives: u16) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(EMPTY);
            to_u32(self.slots.len() - 1)
        });
        let mut older = self.newest;
        while older != NONE && self.get(older).sent_at > sent_at {
            older = self.get(older).older;
        }
        let newer = if older == NONE {
            self.oldest
        } else {
            self.get(older).newer
        };
        let Message { receipt, stamp, .. } = *self.get(slot);
        *self.get_mut(slot) = Message {
            created_at: record.created_at,
            sent_at,
            at: sent_at,
            key: record.key,
            ordinal: record.ordinal,
            bytes: record.bytes,
            born: receipt,
            older,
            newer,
            receives,
            state: State::Delayed,
            receipt,
            stamp,
            ..EMPTY
        };
        self.join(older, slot);
        self.join(slot, newer);
        self.count += 1;
        slot
    }
    /// Ends a life.
    pub(super) fn remove(&mut self, slot: u32) {
        let Message { older, newer, .. } = *self.get(slot);
        self.join(older, newer);
        self.get_mut(slot).state = State::Free;
        self.free.push(slot);
        self.count -= 1;
    }
    fn join(&mut self, older: u32, newer: u32) {
        if older == NONE {
            self.oldest = newer;
        } else {
            self.get_mut(older).newer = newer;
        }
        if newer == NONE {
            self.newest = older;
        } else {
            self.get_mut(newer).older = older;
        }
    }
    /// The oldest message.
    pub(super) fn first(&self) -> Option<(u32, Message)> {
        let message = self.slots.get(to_usize(self.oldest))?;
        Some((self.oldest, *message))
    }
    /// The messages, oldest first.
    pub(super) fn by_age(&self) -> impl Iterator<Item = (u32, &Message)> {
        let mut at = self.oldest;
        core::iter::from_fn(move || {
            let slot = at;
            let message = self.slots.get(to_usize(slot))?;
            at = message.newer;
            Some((slot, message))
        })
    }
}

const EMPTY: Message = Message {
    created_at: SimTime::ZERO,
    sent_at: SimTime::ZERO,
    at: SimTime::ZERO,
    key: KeyId(0),
    ordinal: 0,
    bytes: 0,
    receipt: 0,
    born: 0,
    older: NONE,
    newer: NONE,
    returned_after: 0,
    receives: 0,
    receives_here: 0,
    stamp: 0,
    state: State::Free,
    place: 0,
};
