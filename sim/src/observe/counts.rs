//! Plain totals by component: what happened how often.

mod application;
mod changes;
mod function;
mod library;
mod mapping;
mod queue;
mod queue_mapping;
mod shard;
mod sink;
mod stream;
mod topic;
impl ReaderCounts {
    fn subscription(&mut self, answer: SubscriptionAnswer) {
        match answer {
            SubscriptionAnswer::Begun => self.subscriptions += 1,
            SubscriptionAnswer::Refused(_) | SubscriptionAnswer::NotActive(_) => self.subscriptions_refused += 1,
            SubscriptionAnswer::Ended | SubscriptionAnswer::Failed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;

pub use application::ApplicationCounts;
pub use changes::Changes;
pub use function::{EventCounts, FunctionCounts, InvokerCounts};
pub use library::LibraryCounts;
pub use mapping::MappingCounts;
pub use queue::{FleetCounts, QueueCounts};
pub use queue_mapping::QueueMappingCounts;
pub use shard::{Second, ShardCounts};
pub use sink::SinkCounts;
pub use stream::StreamCounts;
use stream::shard;
pub use topic::{SubscriptionCounts, TopicCounts};

use crate::blueprint::PutApi;
use crate::directory::Directory;
use crate::engine::index::{Idx, IndexVec, to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{
    FleetId, FunctionId, InvokerId, ProducerId, QueueId, QueueMappingId, ReaderId, SinkId, StreamId, SubscriptionId,
    TopicId,
};
use crate::observe::fact::{Fact, GiveUpReason, ReadLimit, RetryBy, SubscriptionAnswer};
use crate::observe::sums::Sums;
use crate::record::Record;

/// Totals of a producer and its client, in records unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProducerCounts {
    /// Handed to the client.
    pub produced: u64,
    /// Bytes of these (data and key).
    pub bytes_produced: u64,
    /// Requests sent, repeated ones included; in a cohort of single puts each record is one.
    pub requests_sent: u64,
    /// Requests that failed whole.
    pub requests_failed: u64,
    /// Known to be stored.
    pub acknowledged: u64,
    /// Scheduled to be sent again by the SDK (KDS-SDK).
    pub repeated_by_sdk: u64,
    /// Scheduled to be sent again by the application (KDS-W-14).
    pub resent_by_application: u64,
    /// What the Kinesis Producer Library did, if it is the client.
    pub library: LibraryCounts,
    /// Given up, by reason; see [`given_up_for`](Self::given_up_for).
    given_up: [u64; 7],
}

impl ProducerCounts {
    const fn reason_index(reason: GiveUpReason) -> usize {
        match reason {
            GiveUpReason::AttemptsExhausted => 0,
            GiveUpReason::RetryQuotaEmpty => 1,
            GiveUpReason::NotRetryable => 2,
            GiveUpReason::NotResent => 3,
            GiveUpReason::Expired => 4,
            GiveUpReason::Throttled => 5,
            GiveUpReason::TooLarge => 6,
        }
    }
    /// Records given up for a reason.
    pub const fn given_up_for(&self, reason: GiveUpReason) -> u64 {
        self.given_up[Self::reason_index(reason)]
    }
    /// Records given up for any reason.
    pub fn given_up(&self) -> u64 {
        self.given_up.iter().sum()
    }
}

/// Totals of a reader.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReaderCounts {
    /// `GetRecords` answered.
    pub reads: u64,
    /// Of these without records.
    pub empty_reads: u64,
    /// Of these to read a failed batch again (LAM-K-20).
    pub reads_for_retry: u64,
    /// Events pushed over its subscriptions; it is a registered consumer.
    pub events: u64,
    /// `SubscribeToShard` that succeeded.
    pub subscriptions: u64,
    /// `SubscribeToShard` refused (KDS-MET-14).
    pub subscriptions_refused: u64,
    /// Records read, repeated reads included.
    pub records_read: u64,
    /// Bytes read, repeated reads included.
    pub bytes_read: u64,
    /// `GetRecords` refused for the number of calls (KDS-R-09).
    pub throttled_by_calls: u64,
    /// `GetRecords` refused for bytes (KDS-R-10).
    pub throttled_by_bytes: u64,
    /// Greatest `MillisBehindLatest`, in milliseconds.
    pub max_millis_behind: u64,
    /// When that was.
    pub max_millis_behind_at: SimTime,
    /// Batches sent to the function, repeated ones included.
    pub batches: u64,
    /// Records in these.
    pub batched_records: u64,
    /// Batches sent again.
    pub batches_repeated: u64,
    /// Batches that failed, throttled invocations included.
    pub batches_failed: u64,
    /// Records done.
    pub acknowledged: u64,
    /// Records that expired before they were read.
    pub expired_unread: u64,
    /// Records that expired while their failed batch waited.
    pub expired_in_retry: u64,
    /// Records given up for good, of which no on-failure destination knows: no invocation can carry them (LAM-K-25), a
    /// mapping stopped trying (LAM-X-09), or an application skipped them (KDS-KCL-34).
    pub discarded: u64,
    /// Records done again by an application, after its checkpoint (KDS-KCL-32).
    pub acknowledged_again: u64,
    /// What only a mapping does.
    pub mapping: MappingCounts,
    /// What only an application does.
    pub application: ApplicationCounts,
}

/// All totals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    /// By producer.
    pub producers: IndexVec<ProducerId, ProducerCounts>,
    /// By stream.
    pub streams: IndexVec<StreamId, StreamCounts>,
    /// By reader.
    pub readers: IndexVec<ReaderId, ReaderCounts>,
    /// By function.
    pub functions: IndexVec<FunctionId, FunctionCounts>,
    /// By invoker.
    pub invokers: IndexVec<InvokerId, InvokerCounts>,
    /// By sink.
    pub sinks: IndexVec<SinkId, SinkCounts>,
    /// By queue.
    pub queues: IndexVec<QueueId, QueueCounts>,
    /// By workers.
    pub fleets: IndexVec<FleetId, FleetCounts>,
    /// By topic.
    pub topics: IndexVec<TopicId, TopicCounts>,
    /// By subscription.
    pub subscriptions: IndexVec<SubscriptionId, SubscriptionCounts>,
    /// By mapping of a queue.
    pub queue_mappings: IndexVec<QueueMappingId, QueueMappingCounts>,
    /// Interventions that took effect.
    pub interventions: u64,
}

fn len(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}
fn bytes(records: &[Record]) -> u64 {
    records.iter().map(|record| u64::from(record.bytes)).sum()
}

impl Counts {
    /// Zeros for the components of a run.
    pub fn new(directory: &Directory) -> Self {
        fn zeros<I: Idx, T: Default, E>(like: &IndexVec<I, E>) -> IndexVec<I, T> {
            like.iter().map(|_| T::default()).collect()
        }
        Self {
            producers: zeros(&directory.producers),
            streams: directory
                .streams
                .iter()
                .map(|stream| StreamCounts {
                    shards: vec![ShardCounts::default(); to_usize(stream.shards)],
                    ..StreamCounts::default()
                })
                .collect(),
            readers: zeros(&directory.readers),
            functions: zeros(&directory.functions),
            invokers: zeros(&directory.invokers),
            sinks: zeros(&directory.sinks),
            queues: zeros(&directory.queues),
            fleets: zeros(&directory.fleets),
            topics: zeros(&directory.topics),
            subscriptions: zeros(&directory.subscriptions),
            queue_mappings: zeros(&directory.queue_mappings),
            interventions: 0,
        }
    }

    /// Takes note of a fact. Panics if it speaks of a component that the directory does not know.
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.note(now, fact, &Sums::of(fact));
    }

    /// Takes note of a fact with its sums.
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        match *fact {
            Fact::RecordsProduced { .. }
            | Fact::RequestSent { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::RecordsAcknowledged { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RecordsGivenUp { .. } => self.client(now, fact),
            Fact::PutHandled { .. }
            | Fact::ShardsWritten { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::PutRefused { .. }
            | Fact::AcknowledgementLost { .. } => {
                self.stream(now, fact, sums);
            }
            Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::BatchDispatched { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::CheckpointAdvanced { .. } => self.mapping(now, fact),
            Fact::InvocationStarted { function, .. }
            | Fact::InvocationThrottled { function, .. }
            | Fact::InvocationEnded { function, .. } => self.functions[function].invocation(now, fact),
            Fact::FunctionChanged { function, change } => self.functions[function].changed(now, change),
            Fact::AsynchronousEvent { function, step } => self.functions[function].events.note(now, step),
            Fact::InvokerActed { invoker, step } => self.invokers[invoker].note(step),
            Fact::RecordsProcessed { processor, records, .. } => {
                // Of an application the reader's totals tell it.
                if let Some(function) = self.functions.get_mut(FunctionId(processor.0)) {
                    function.processed += len(records);
                }
            }
            Fact::ApplicationChanged { reader, change } => self.readers[reader].application.note(now, change),
            Fact::RecordsDelivered { sink, records, .. } => self.sinks[sink].delivered(now, records),
            Fact::SinkChanged { sink, change } => self.sinks[sink].changed(change),
            Fact::RecordsGathered { .. } => {}
            Fact::StreamChanged { stream, change } => self.streams[stream].changed(now, change),
            Fact::Queueing { ref fact } => {
                self.queueing(fact);
                self.notified(fact);
            }
            Fact::Publishing { ref fact } => self.publishing(fact),
            Fact::MappingChanged { reader, change } => self.readers[reader].mapping.note(change),
            Fact::Intervened { .. } => self.interventions += 1,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`on` has sorted the facts, exhaustively")]
    fn client(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RecordsProduced { producer, records } => {
                let counts = &mut self.producers[producer];
                counts.produced += len(records);
                counts.bytes_produced += bytes(records);
            }
            Fact::RequestSent {
                producer, api, records, ..
            } => self.producers[producer].requests_sent += calls(api, records),
            Fact::UserRecordsSent { producer, .. } | Fact::RequestAnswered { producer, .. } => {
                self.producers[producer].library.note(now, fact);
            }
            Fact::RecordsAcknowledged { producer, records } => {
                let counts = &mut self.producers[producer];
                counts.acknowledged += len(records);
                counts.library.settle(records);
            }
            Fact::RequestFailed { producer, .. } => {
                let counts = &mut self.producers[producer];
                counts.requests_failed += 1;
                counts.library.note(now, fact);
            }
            Fact::RetryScheduled {
                producer, by, records, ..
            } => {
                let counts = &mut self.producers[producer];
                match by {
                    RetryBy::Sdk => counts.repeated_by_sdk += u64::from(records),
                    RetryBy::Application => counts.resent_by_application += u64::from(records),
                    RetryBy::Library => counts.library.note(now, fact),
                }
            }
            Fact::RecordsGivenUp {
                producer,
                reason,
                records,
            } => {
                let counts = &mut self.producers[producer];
                counts.given_up[ProducerCounts::reason_index(reason)] += len(records);
                counts.library.settle(records);
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`on` has sorted the facts, exhaustively")]
    fn stream(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        match *fact {
            Fact::PutHandled {
                stream,
                api,
                records,
                shards,
                ..
            } => {
                let counts = &mut self.streams[stream];
                counts.puts += calls(api, records);
                for tally in shards {
                    shard(counts, tally.shard).add(now, tally);
                }
                counts.entries_failed += sums.entries.failed;
            }
            Fact::ShardsWritten { stream, shards } => {
                let counts = &mut self.streams[stream];
                for tally in shards {
                    shard(counts, tally.shard).add(now, tally);
                }
            }
            Fact::UserRecordsStored { stream, records, .. } if records.len() > 1 => {
                let counts = &mut self.streams[stream];
                counts.aggregated += 1;
                counts.user_records_in_aggregated += len(records);
            }
            Fact::PutRefused { stream, .. } => self.streams[stream].puts_refused += 1,
            Fact::AcknowledgementLost { stream, .. } => self.streams[stream].acknowledgements_lost += 1,
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`on` has sorted the facts, exhaustively")]
    fn mapping(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::GetRecordsHandled {
                reader,
                records,
                bytes,
                millis_behind,
                again,
                ..
            } => {
                let counts = &mut self.readers[reader];
                counts.reads += 1;
                counts.empty_reads += u64::from(records.is_empty());
                counts.reads_for_retry += u64::from(again);
                counts.records_read += len(records);
                counts.mapping.records_read_again += if again { len(records) } else { 0 };
                counts.bytes_read += bytes;
                if millis_behind > counts.max_millis_behind {
                    (counts.max_millis_behind, counts.max_millis_behind_at) = (millis_behind, now);
                }
            }
            Fact::SubscriptionEventPushed {
                reader,
                records,
                bytes,
                millis_behind,
                ..
            } => {
                let counts = &mut self.readers[reader];
                counts.events += 1;
                counts.records_read += len(records);
                counts.bytes_read += bytes;
                if millis_behind > counts.max_millis_behind {
                    (counts.max_millis_behind, counts.max_millis_behind_at) = (millis_behind, now);
                }
            }
            Fact::SubscriptionAnswered { reader, answer, .. } => self.readers[reader].subscription(answer),
            Fact::GetRecordsThrottled { reader, limit, .. } => match limit {
                ReadLimit::Calls => self.readers[reader].throttled_by_calls += 1,
                ReadLimit::Bytes => self.readers[reader].throttled_by_bytes += 1,
            },
            Fact::RecordsExpiredUnread { reader, count, .. } => self.readers[reader].expired_unread += count,
            Fact::RecordsExpiredInRetry { reader, count, .. } => self.readers[reader].expired_in_retry += count,
            Fact::RecordsDiscarded { .. } | Fact::RecordsFilteredOut { .. } | Fact::BatchFailed { .. } => {
                self.failure(fact);
            }
            Fact::BatchDispatched {
                reader,
                records,
                attempts_before,
                ..
            } => {
                let counts = &mut self.readers[reader];
                counts.batches += 1;
                counts.batched_records += len(records);
                counts.batches_repeated += u64::from(attempts_before > 0);
            }
            Fact::BatchAcknowledged {
                reader, records, again, ..
            } => {
                self.readers[reader].acknowledged += u64::from(records - again);
                self.readers[reader].acknowledged_again += u64::from(again);
            }
            _ => {}
        }
    }
}

/// The calls that a batch stands for: in a cohort of single puts each record is a call of its own.
fn calls(api: PutApi, records: &[Record]) -> u64 {
    match api {
        PutApi::PutRecord => len(records),
        PutApi::PutRecords
        | PutApi::SendMessage
        | PutApi::SendMessageBatch
        | PutApi::Publish
        | PutApi::PublishBatch => 1,
    }
}
