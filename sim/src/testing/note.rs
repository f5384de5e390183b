//! Facts, kept.

use crate::batch::ServiceError;
use crate::engine::time::SimTime;
use crate::ids::{ProducerId, QueueId};
use crate::observe::Probe;
use crate::observe::fact::{
    Fact, LateCall, NotificationFact, Notified, Publishing, QueueFact, Queueing, ShardTally, TopicFact,
};
use crate::record::Record;

/// A fact that outlives what it borrowed: its own slices are empty, and their contents stand beside it.
#[derive(Clone, Debug)]
pub struct Note {
    /// When it was stated.
    pub at: SimTime,
    /// The fact, without its slices.
    pub fact: Fact<'static>,
    /// The records that it is about, if it is about any.
    pub records: Vec<Record>,
    /// `shards` of a handled put.
    pub shards: Vec<ShardTally>,
    /// `positions` of a batch.
    pub positions: Vec<u64>,
    /// `late` of a put.
    pub late: Vec<LateCall>,
    /// `batch` of an acknowledgement.
    pub batch: Vec<Record>,
    /// `waited_since` of user records that were sent.
    pub waited_since: Vec<SimTime>,
    /// `first_sent_at` of user records that were stored.
    pub first_sent_at: Vec<SimTime>,
}

impl Note {
    const fn plain(at: SimTime, fact: Fact<'static>) -> Self {
        Self {
            at,
            fact,
            records: Vec::new(),
            shards: Vec::new(),
            positions: Vec::new(),
            late: Vec::new(),
            batch: Vec::new(),
            waited_since: Vec::new(),
            first_sent_at: Vec::new(),
        }
    }
}

/// A probe that keeps everything.
#[derive(Clone, Debug, Default)]
pub struct Notebook {
    /// In the order of statement.
    pub notes: Vec<Note>,
}

impl Probe for Notebook {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.notes.push(kept(now, fact));
    }
}

/// Writes the match that copies a fact. Each row names a variant, its plain fields, and its slices.
macro_rules! copy {
    ($at:expr, $fact:expr; $($variant:ident ($($plain:ident),*) [$($slice:ident),*])*) => {
        match *$fact {
            $(Fact::$variant { $($plain,)* $($slice,)* } => Note {
                $($slice: $slice.to_vec(),)*
                ..Note::plain($at, Fact::$variant { $($plain,)* $($slice: &[],)* })
            },)*
            Fact::Publishing { fact } => {
                let (fact, records) = publishing(fact);
                Note { records, ..Note::plain($at, Fact::Publishing { fact }) }
            }
            Fact::Queueing { fact } => {
                let (fact, records) = queueing(fact);
                Note { records, ..Note::plain($at, Fact::Queueing { fact }) }
            }
        }
    };
}

fn kept(stated_at: SimTime, fact: &Fact<'_>) -> Note {
    copy! { stated_at, fact;
        RecordsProduced (producer) [records]
        RequestSent (producer, target, api, bytes, attempt, resends) [records]
        UserRecordsSent (producer, stream, kinesis_records) [records, waited_since]
        RecordsAcknowledged (producer) [records]
        RequestAnswered (producer, stored, throttled, failed, misplaced) []
        RequestFailed (producer, error, records) []
        RetryScheduled (producer, by, at, records) []
        RecordsGivenUp (producer, reason) [records]
        PutHandled (stream, producer, api, received_at, sent) [records, shards, late]
        ShardsWritten (stream) [shards]
        UserRecordsStored (stream, producer, shard, position) [records, first_sent_at]
        PutRefused (stream, producer, error) [records]
        AcknowledgementLost (stream, producer) [records, late]
        GetRecordsHandled (stream, shard, reader, first_position, bytes, millis_behind, again, received_at) [records]
        GetRecordsThrottled (stream, shard, reader, limit) []
        SubscriptionAnswered (stream, shard, reader, answer) []
        SubscriptionEventPushed (stream, shard, reader, first_position, bytes, millis_behind) [records]
        StreamChanged (stream, change) []
        RecordsExpiredUnread (reader, shard, first_position, count) []
        RecordsExpiredInRetry (reader, shard, count, first_position) []
        RecordsGathered (reader, shard, first_position, records, served_at) []
        BatchDispatched (reader, processor, shard, lane, first_position, bytes, attempts_before, payload_full) [records]
        BatchFailed (reader, shard, lane, outcome, records, retry_at, bisected) []
        BatchAcknowledged (reader, shard, lane, records, again, first_position) [positions, batch]
        RecordsDiscarded (reader, shard, reason, remains, first_position) [records, positions]
        RecordsFilteredOut (reader, shard) [records, positions]
        CheckpointAdvanced (reader, shard, position) []
        InvocationStarted (function, caller, cold_start, concurrent, concurrency, provisioned) [records]
        InvocationThrottled (function, caller, records, reason, concurrency) []
        InvocationEnded (function, caller, shard, records, outcome, duration, cold_start, init, init_within, provisioned, passage, write_pending, concurrent) []
        FunctionChanged (function, change) []
        AsynchronousEvent (function, step) []
        InvokerActed (invoker, step) []
        RecordsProcessed (processor, reader, shard, passage) [records, positions]
        RecordsDelivered (sink, processor, received_at, capacity, rewrites, more, reader, shard, passage) [records, positions]
        SinkChanged (sink, change) []
        MappingChanged (reader, change) []
        ApplicationChanged (reader, change) []
        Intervened (number) []
    }
}

const fn redriven(to: QueueId, bytes: u64) -> QueueFact<'static> {
    QueueFact::Redriven {
        to,
        records: &[],
        bytes,
    }
}
const fn send_refused(producer: ProducerId, records: u32, error: ServiceError) -> QueueFact<'static> {
    QueueFact::SendRefused {
        producer,
        records,
        error,
    }
}
/// A queue's fact without its records, and these.
fn queueing(fact: Queueing<'_>) -> (Queueing<'static>, Vec<Record>) {
    match fact {
        Queueing::Mapping { mapping, fact } => {
            let records = fact.records().to_vec();
            let fact = fact.without_records();
            (Queueing::Mapping { mapping, fact }, records)
        }
        Queueing::Fleet { fleet, fact } => (Queueing::Fleet { fleet, fact }, Vec::new()),
        Queueing::Queue { queue, depth, fact } => {
            let records = records_of(&fact).to_vec();
            let fact = without_records(&fact);
            (Queueing::Queue { queue, depth, fact }, records)
        }
    }
}
fn records_of<'f>(fact: &QueueFact<'f>) -> &'f [Record] {
    match *fact {
        QueueFact::Sent { records, .. }
        | QueueFact::Received { records, .. }
        | QueueFact::Deleted { records, .. }
        | QueueFact::DeadLettered { records, .. }
        | QueueFact::Redriven { records, .. } => records,
        QueueFact::SendRefused { .. }
        | QueueFact::ReceiveRefused { .. }
        | QueueFact::VisibilityChanged { .. }
        | QueueFact::CallRefused { .. }
        | QueueFact::BecameAvailable { .. }
        | QueueFact::Expired { .. }
        | QueueFact::MovedHere { .. }
        | QueueFact::RedrivenHere { .. }
        | QueueFact::Changed { .. }
        | QueueFact::Purged { .. } => &[],
    }
}
fn without_records(fact: &QueueFact<'_>) -> QueueFact<'static> {
    match *fact {
        QueueFact::Sent {
            producer,
            deduplicated,
            bytes,
            notified,
            ..
        } => QueueFact::Sent {
            producer,
            records: &[],
            deduplicated,
            bytes,
            notified: notified.map(|notified| Notified { times: &[], ..notified }),
        },
        QueueFact::Received {
            consumer,
            again,
            bytes,
            repeated,
            copies,
            ..
        } => QueueFact::Received {
            consumer,
            records: &[],
            again,
            bytes,
            repeated,
            copies,
        },
        QueueFact::Deleted {
            consumer,
            entries,
            refused,
            copies,
            ..
        } => QueueFact::Deleted {
            consumer,
            records: &[],
            entries,
            refused,
            copies,
        },
        QueueFact::DeadLettered { to, .. } => QueueFact::DeadLettered { to, records: &[] },
        QueueFact::SendRefused {
            producer: of,
            records,
            error,
        } => send_refused(of, records, error),
        QueueFact::ReceiveRefused { consumer, error } => QueueFact::ReceiveRefused { consumer, error },
        QueueFact::VisibilityChanged {
            consumer,
            entries,
            refused,
        } => QueueFact::VisibilityChanged {
            consumer,
            entries,
            refused,
        },
        QueueFact::CallRefused { consumer, error } => QueueFact::CallRefused { consumer, error },
        QueueFact::BecameAvailable { delayed, returned } => QueueFact::BecameAvailable { delayed, returned },
        QueueFact::Expired { messages, in_flight } => QueueFact::Expired { messages, in_flight },
        QueueFact::MovedHere { from, messages } => QueueFact::MovedHere { from, messages },
        QueueFact::Redriven { to, bytes, .. } => redriven(to, bytes),
        QueueFact::RedrivenHere { from, messages, bytes } => QueueFact::RedrivenHere { from, messages, bytes },
        QueueFact::Changed { change } => QueueFact::Changed { change },
        QueueFact::Purged { messages } => QueueFact::Purged { messages },
    }
}

/// A fact of a topic without its records, and these.
fn publishing(fact: Publishing<'_>) -> (Publishing<'static>, Vec<Record>) {
    match fact {
        Publishing::Topic { topic, fact } => {
            let (fact, records) = of_topic(fact);
            (Publishing::Topic { topic, fact }, records.to_vec())
        }
        Publishing::Subscription {
            subscription,
            undelivered,
            fact,
        } => {
            let (fact, records) = of_subscription(fact);
            let kept = Publishing::Subscription {
                subscription,
                undelivered,
                fact,
            };
            (kept, records.to_vec())
        }
    }
}
fn of_topic(fact: TopicFact<'_>) -> (TopicFact<'static>, &[Record]) {
    match fact {
        TopicFact::Published {
            producer,
            records,
            deduplicated,
            bytes,
        } => {
            let kept = TopicFact::Published {
                producer,
                records: &[],
                deduplicated,
                bytes,
            };
            (kept, records)
        }
        TopicFact::Refused {
            producer,
            records,
            error,
        } => {
            let kept = TopicFact::Refused {
                producer,
                records: &[],
                error,
            };
            (kept, records)
        }
    }
}
fn of_subscription(fact: NotificationFact<'_>) -> (NotificationFact<'static>, &[Record]) {
    match fact {
        NotificationFact::Copied { records } => (NotificationFact::Copied { records: &[] }, records),
        NotificationFact::FilteredOut { records, reason } => {
            (NotificationFact::FilteredOut { records: &[], reason }, records)
        }
        NotificationFact::Duplicated { records } => (NotificationFact::Duplicated { records }, &[]),
        NotificationFact::AttemptFailed {
            records,
            error,
            again_at,
        } => {
            let kept = NotificationFact::AttemptFailed {
                records,
                error,
                again_at,
            };
            (kept, &[])
        }
        NotificationFact::Delivered { records, attempt } => {
            (NotificationFact::Delivered { records: &[], attempt }, records)
        }
        NotificationFact::DeadLettered { to, records } => {
            (NotificationFact::DeadLettered { to, records: &[] }, records)
        }
        NotificationFact::Lost { records, reason } => (NotificationFact::Lost { records: &[], reason }, records),
        NotificationFact::PolicyChanged => (NotificationFact::PolicyChanged, &[]),
    }
}
