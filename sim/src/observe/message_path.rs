//! Where the time of a message went on its way from a publisher through a topic and a queue to the delete.
//!
//! Each message has its time from creation to delete split into [`Leg`]s that sum exactly to it. What the topic and the
//! receives did is kept for each message that is in a queue which a topic feeds, until it leaves.

use crate::directory::Directory;
use crate::engine::index::{IndexVec, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{QueueId, SubscriptionId};
use crate::observe::fact::{Fact, QueueFact, Queueing};
use crate::observe::latency::Histogram;
use crate::observe::topic_fact::Notified;
use crate::record::{Outcome, Record};
use std::collections::BTreeMap;

/// A part of a message's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Leg {
    /// In the publisher and on the way to the topic: linger, refused publishes, backoff.
    Publishing,
    /// From the publish to the first attempt to deliver (SQS-Z-33), and behind older messages of its group.
    Delivery,
    /// From there into the queue: attempts that failed, and the waits between them (SQS-S-06).
    DeliveryRetries,
    /// In the queue, until it was received for the first time.
    Waiting,
    /// From the first receive to the last: it failed, or its visibility timeout was over.
    Redelivery,
    /// From the last receive to the delete: the way to the worker, the work, and the way back.
    Processing,
}

/// How many legs there are.
pub const LEGS: usize = 6;

impl Leg {
    /// All legs, in the order in which a message meets them.
    pub const ALL: [Self; LEGS] = [
        Self::Publishing,
        Self::Delivery,
        Self::DeliveryRetries,
        Self::Waiting,
        Self::Redelivery,
        Self::Processing,
    ];
    /// Its place in [`ALL`](Self::ALL).
    const fn index(self) -> usize {
        match self {
            Self::Publishing => 0,
            Self::Delivery => 1,
            Self::DeliveryRetries => 2,
            Self::Waiting => 3,
            Self::Redelivery => 4,
            Self::Processing => 5,
        }
    }
    /// As a key in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Publishing => "publishing",
            Self::Delivery => "delivery",
            Self::DeliveryRetries => "delivery_retries",
            Self::Waiting => "waiting",
            Self::Redelivery => "redelivery",
            Self::Processing => "processing",
        }
    }
    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publishing => "in the publisher",
            Self::Delivery => "from topic to queue",
            Self::DeliveryRetries => "tried again to deliver",
            Self::Waiting => "waiting in the queue",
            Self::Redelivery => "received and come back",
            Self::Processing => "with its worker",
        }
    }
}

/// What is known of a message that is in a queue.
#[derive(Clone, Copy, Debug)]
struct Known {
    published_at: SimTime,
    first_tried_at: SimTime,
    /// First and last receive; `NEVER` before there is one.
    received: (SimTime, SimTime),
}

/// Where the time of the messages of one queue went.
#[derive(Clone, Debug)]
pub struct QueuePath {
    legs: Vec<Histogram>,
    /// By arrival in the queue, key and ordinal.
    known: BTreeMap<(SimTime, u32, u32), Known>,
}

impl QueuePath {
    fn new() -> Self {
        Self {
            legs: vec![Histogram::new(); LEGS],
            known: BTreeMap::new(),
        }
    }
    /// The times of a leg, one for each message deleted. Their sum is exact.
    pub fn of(&self, leg: Leg) -> &Histogram {
        &self.legs[leg.index()]
    }
    /// Messages measured.
    pub fn messages(&self) -> u64 {
        self.of(Leg::Processing).count()
    }
    /// Time of all messages together over all legs, in nanoseconds.
    pub fn total(&self) -> u128 {
        self.legs.iter().map(Histogram::sum).sum()
    }

    fn entered(&mut self, records: &[Record], notified: &Notified<'_>) {
        for (record, (published_at, first_tried_at)) in records.iter().zip(notified.each()) {
            if record.outcome() == Outcome::Accepted {
                // What a FIFO queue swallows is not in it; its entry is that of the message that it repeats.
                self.known.entry(key(record)).or_insert(Known {
                    published_at,
                    first_tried_at,
                    received: (SimTime::NEVER, SimTime::NEVER),
                });
            }
        }
    }
    fn received(&mut self, now: SimTime, records: &[Record]) {
        for record in records {
            if let Some(known) = self.known.get_mut(&key(record)) {
                known.received = (known.received.0.min(now), now);
            }
        }
    }
    /// Measures a message that is deleted; false if its legs do not sum to its time.
    fn deleted(&mut self, now: SimTime, record: &Record) -> bool {
        let Some(known) = self.known.remove(&key(record)) else {
            return true;
        };
        // An old receipt handle may delete what was never received by this listener's knowledge.
        let received = |at: SimTime| if at == SimTime::NEVER { now } else { at };
        // The way of a call to the queue is a part of the delivery.
        let reached = (known.first_tried_at + SimDuration::MIN).min(record.arrived_at);
        let stations = [
            record.created_at,
            known.published_at,
            reached,
            record.arrived_at,
            received(known.received.0),
            received(known.received.1),
            now,
        ];
        let mut sum = 0;
        for (leg, pair) in self.legs.iter_mut().zip(stations.windows(2)) {
            let span = pair[1].since(pair[0]);
            sum += span.as_nanos();
            leg.record(span);
        }
        stations.is_sorted() && sum == now.since(record.created_at).as_nanos()
    }
    /// Messages left in another way: the oldest.
    fn forget_oldest(&mut self, messages: u32) {
        for _ in 0..to_usize(messages) {
            self.known.pop_first();
        }
    }
}

const fn key(record: &Record) -> (SimTime, u32, u32) {
    (record.arrived_at, record.key.0, record.ordinal)
}

/// Where the time of messages went, by queue and by subscription.
#[derive(Clone, Debug)]
pub struct MessagePaths {
    /// Of those that a topic feeds.
    queues: IndexVec<QueueId, Option<Box<QueuePath>>>,
    /// From the publish into the queue.
    deliveries: IndexVec<SubscriptionId, Histogram>,
    unexplained: Option<(SimTime, QueueId, Record)>,
}

impl MessagePaths {
    /// An observer for a run.
    pub fn new(directory: &Directory) -> Self {
        let fed = |queue| directory.subscriptions.iter().any(|one| one.queue == queue);
        Self {
            queues: directory
                .queues
                .ids()
                .map(|queue| fed(queue).then(|| Box::new(QueuePath::new())))
                .collect(),
            deliveries: directory.subscriptions.iter().map(|_| Histogram::new()).collect(),
            unexplained: None,
        }
    }
    /// Where the time of the messages of a queue went, if a topic feeds it.
    pub fn of(&self, queue: QueueId) -> Option<&QueuePath> {
        self.queues.get(queue)?.as_deref()
    }
    /// Times from the publish of a message to its arrival in the subscription's queue.
    pub fn delivery(&self, subscription: SubscriptionId) -> Option<&Histogram> {
        self.deliveries.get(subscription)
    }
    /// The first message whose legs do not sum to its time, with the queue and the instant of its delete. There is none,
    /// unless the model or this observer has a bug.
    pub const fn unexplained(&self) -> Option<(SimTime, QueueId, Record)> {
        self.unexplained
    }
    /// Bytes of memory that the distributions and the messages take.
    pub fn memory(&self) -> u64 {
        let known = |path: &QueuePath| path.known.len() * (size_of::<(SimTime, u32, u32)>() + size_of::<Known>());
        let queues = self.queues.iter().flatten().map(|path| {
            let legs: u64 = path.legs.iter().map(Histogram::memory).sum();
            legs + u64::try_from(known(path)).unwrap_or(u64::MAX)
        });
        queues.sum::<u64>() + self.deliveries.iter().map(Histogram::memory).sum::<u64>()
    }

    /// Takes note of a fact.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Fact::Queueing {
            fact: Queueing::Queue { queue, ref fact, .. },
        } = *fact
        else {
            return;
        };
        if let QueueFact::Sent {
            notified: Some(notified @ Notified { redriven: false, .. }),
            ..
        } = fact
            && let Some(histogram) = self.deliveries.get_mut(notified.subscription)
        {
            for (published, _) in notified.each() {
                histogram.record(now.since(published));
            }
        }
        let Some(path) = self.queues.get_mut(queue).and_then(Option::as_deref_mut) else {
            return;
        };
        match *fact {
            QueueFact::Sent {
                records,
                notified: Some(ref notified),
                ..
            } => path.entered(records, notified),
            QueueFact::Received { records, .. } => path.received(now, records),
            QueueFact::Deleted { records, .. } => {
                for record in records {
                    if !path.deleted(now, record) {
                        self.unexplained.get_or_insert((now, queue, *record));
                    }
                }
            }
            QueueFact::DeadLettered { records, .. } | QueueFact::Redriven { records, .. } => {
                for record in records {
                    path.known.remove(&key(record));
                }
            }
            QueueFact::Expired { messages, .. } => path.forget_oldest(messages),
            QueueFact::Purged { .. } => path.known.clear(),
            QueueFact::Sent { notified: None, .. }
            | QueueFact::SendRefused { .. }
            | QueueFact::ReceiveRefused { .. }
            | QueueFact::VisibilityChanged { .. }
            | QueueFact::CallRefused { .. }
            | QueueFact::BecameAvailable { .. }
            | QueueFact::RedrivenHere { .. }
            | QueueFact::Changed { .. }
            | QueueFact::MovedHere { .. } => {}
        }
    }
}
