//! What each component did lately, in compact form: the context that a violation is shown with.

use crate::directory::{Component, Directory};
use crate::engine::index::{Idx, IndexVec, to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{ProcessorId, ProducerId, ReaderId, ShardIndex, SinkId, StreamId};
use crate::key::KeyTable;
use crate::observe::fact::{
    ApplicationChange, Fact, Remains, ShardTally, SinkChange, StreamChange, SubscriptionAnswer,
};
use crate::observe::recent::Recent;
use crate::observe::sums::Sums;
use crate::record::{KeyId, Record};
use crate::services::kinesis::operation::ConsumerStatus;
use crate::services::kinesis::sequence_number::{Epoch, SequenceNumber};

/// Facts kept for each component.
const KEPT: usize = 64;

/// A fact, without its records: the first one stands for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    at: SimTime,
    what: &'static str,
    records: u32,
    first: Option<(KeyId, u32)>,
    shard: Option<ShardIndex>,
    position: Option<u64>,
    /// When the record at the position was stored; `NEVER` if the fact does not tell.
    stored_at: SimTime,
    /// Entries of these records that were refused.
    refused: u32,
}

impl Entry {
    const fn new(at: SimTime, what: &'static str, records: u32) -> Self {
        Self {
            at,
            what,
            records,
            first: None,
            shard: None,
            position: None,
            stored_at: SimTime::NEVER,
            refused: 0,
        }
    }
    fn of(at: SimTime, what: &'static str, records: &[Record]) -> Self {
        Self {
            stored_at: stored_at(records),
            first: records.first().map(|record| (record.key, record.ordinal)),
            ..Self::new(at, what, to_u32(records.len()))
        }
    }
    const fn in_shard(self, shard: ShardIndex, position: Option<u64>) -> Self {
        Self {
            shard: Some(shard),
            position,
            ..self
        }
    }
}

/// When the first of the records that are stored was.
fn stored_at(records: &[Record]) -> SimTime {
    let stored = records.iter().find(|record| record.is_accepted());
    stored.map_or(SimTime::NEVER, |record| record.arrived_at)
}

type Ring = Recent<Entry, KEPT>;

/// The last facts of each component.
#[derive(Clone, Debug)]
pub struct History {
    producers: IndexVec<ProducerId, Ring>,
    streams: IndexVec<StreamId, Ring>,
    /// By stream and shard: what sequence numbers begin with.
    epochs: IndexVec<StreamId, Vec<Epoch>>,
    readers: IndexVec<ReaderId, Ring>,
    processors: IndexVec<ProcessorId, Ring>,
    sinks: IndexVec<SinkId, Ring>,
}

impl History {
    /// Empty rings for the components of a run.
    pub fn new(directory: &Directory) -> Self {
        fn rings<I: Idx, E>(like: &IndexVec<I, E>) -> IndexVec<I, Ring> {
            like.iter().map(|_| Ring::new()).collect()
        }
        Self {
            producers: rings(&directory.producers),
            streams: rings(&directory.streams),
            epochs: directory
                .streams
                .iter()
                .map(|entry| vec![Epoch::default(); to_usize(entry.shards)])
                .collect(),
            readers: rings(&directory.readers),
            processors: rings(&directory.processors),
            sinks: rings(&directory.sinks),
        }
    }

    /// Takes note of a fact.
    pub(super) fn on(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        let of = |what, records: &[Record]| Entry::of(now, what, records);
        let count = |what, records| Entry::new(now, what, records);
        match *fact {
            Fact::RecordsProduced { producer, records } => self.producers[producer].push(of("produced", records)),
            Fact::RequestSent { producer, records, .. } => self.producers[producer].push(of("sent", records)),
            Fact::RecordsAcknowledged { producer, records } => {
                self.producers[producer].push(of("learned that are stored", records));
            }
            Fact::RequestFailed {
                producer,
                error,
                records,
            } => {
                self.producers[producer].push(count(error.name(), records));
            }
            Fact::RetryScheduled { producer, records, .. } => {
                self.producers[producer].push(count("holds back to send again", records));
            }
            Fact::RecordsGivenUp { producer, records, .. } => self.producers[producer].push(of("gave up", records)),
            Fact::PutHandled {
                stream,
                records,
                shards,
                ..
            } => {
                let refused = sums.entries.throttled + sums.entries.failed;
                self.streams[stream].push(put(now, records, shards, refused));
            }
            Fact::PutRefused {
                stream, records, error, ..
            } => self.streams[stream].push(of(error.name(), records)),
            Fact::AcknowledgementLost { stream, records, .. } => {
                self.streams[stream].push(of("stored, but the response is lost, for", records));
            }
            Fact::GetRecordsHandled {
                shard,
                reader,
                first_position,
                records,
                again,
                ..
            } => {
                let what = if again { "was given again" } else { "was given" };
                self.readers[reader].push(of(what, records).in_shard(shard, Some(first_position)));
            }
            Fact::SubscriptionEventPushed {
                shard,
                reader,
                first_position,
                records,
                ..
            } => {
                self.readers[reader].push(of("was pushed", records).in_shard(shard, Some(first_position)));
            }
            Fact::SubscriptionAnswered {
                shard, reader, answer, ..
            } => {
                let what = match answer {
                    SubscriptionAnswer::Begun => "subscribed:",
                    SubscriptionAnswer::Refused(_) | SubscriptionAnswer::NotActive(_) => "SubscribeToShard refused:",
                    SubscriptionAnswer::Ended | SubscriptionAnswer::Failed(_) => "subscription over:",
                };
                self.readers[reader].push(count(what, 0).in_shard(shard, None));
            }
            Fact::GetRecordsThrottled { shard, reader, .. } => {
                self.readers[reader].push(count("GetRecords refused:", 0).in_shard(shard, None));
            }
            Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::RecordsFilteredOut { .. } => {
                self.lost(now, fact);
            }
            Fact::BatchDispatched {
                reader,
                shard,
                records,
                attempts_before,
                ..
            } => {
                let what = if attempts_before > 0 {
                    "sent again to its function"
                } else {
                    "sent to its function"
                };
                self.readers[reader].push(of(what, records).in_shard(shard, None));
            }
            Fact::BatchFailed {
                reader, shard, records, ..
            } => self.readers[reader].push(count("saw a batch fail:", records).in_shard(shard, None)),
            Fact::BatchAcknowledged {
                reader,
                shard,
                records,
                first_position,
                ..
            } => self.readers[reader].push(count("acknowledged", records).in_shard(shard, Some(first_position))),
            Fact::CheckpointAdvanced {
                reader,
                shard,
                position,
            } => self.readers[reader].push(count("moved its checkpoint:", 0).in_shard(shard, Some(position))),
            Fact::InvocationStarted { function, records, .. } => {
                self.processors[function.into()].push(of("started", records));
            }
            Fact::InvocationThrottled { function, records, .. } => {
                self.processors[function.into()].push(count("refused", records));
            }
            Fact::InvocationEnded { function, records, .. } => {
                self.processors[function.into()].push(count("ended", records));
            }
            Fact::RecordsProcessed { processor, records, .. } => {
                self.processors[processor].push(of("finished", records));
            }
            Fact::RecordsDelivered { sink, records, .. } => self.sinks[sink].push(of("took", records)),
            Fact::SinkChanged {
                sink,
                change: SinkChange::WriteFailed { unwritten, error, .. },
            } => self.sinks[sink].push(count(error.name(), unwritten)),
            Fact::ApplicationChanged { reader, change } => self.application(now, reader, change),
            Fact::StreamChanged { stream, change } => {
                self.streams[stream].push(changed(now, change));
                if let StreamChange::ShardOpened { parents, .. } = change {
                    // Shards are opened in the order of their numbers.
                    let epochs = &mut self.epochs[stream];
                    let parents = parents
                        .iter()
                        .flatten()
                        .filter_map(|parent| epochs.get(to_usize(parent.0)));
                    let epoch = Epoch::opened(now, parents.copied());
                    epochs.push(epoch);
                }
            }
            Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::ShardsWritten { .. }
            | Fact::RecordsGathered { .. }
            | Fact::Queueing { .. }
            | Fact::Publishing { .. }
            | Fact::MappingChanged { .. }
            | Fact::FunctionChanged { .. }
            | Fact::SinkChanged { .. }
            | Fact::AsynchronousEvent { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn application(&mut self, now: SimTime, reader: ReaderId, change: ApplicationChange) {
        let (shard, what, records) = match change {
            ApplicationChange::ReadingBegan { shard, .. } => (shard, "began to read", 0),
            ApplicationChange::LeaseTaken { shard, .. } => (shard, "took the lease", 0),
            ApplicationChange::LeaseLost { shard, .. } => (shard, "lost the lease", 0),
            ApplicationChange::IteratorExpired { shard } => (shard, "came too late for its iterator", 0),
            ApplicationChange::BatchSkipped { shard, records, .. } => (shard, "skipped", records),
            ApplicationChange::BatchAbandoned { shard, records, .. } => (shard, "lost with a worker", records),
            ApplicationChange::IteratorAnswered { .. } | ApplicationChange::LeaseTableUsed { .. } => return,
        };
        self.readers[reader].push(Entry::new(now, what, records).in_shard(shard, None));
    }

    fn lost(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::RecordsExpiredUnread {
            reader,
            shard,
            first_position,
            count,
        }
        | Fact::RecordsExpiredInRetry {
            reader,
            shard,
            first_position,
            count,
        } = *fact
        {
            let what = if matches!(fact, Fact::RecordsExpiredUnread { .. }) {
                "lost unread by retention"
            } else {
                "lost before a retry by retention"
            };
            let entry = Entry::new(now, what, u32::try_from(count).unwrap_or(u32::MAX));
            self.readers[reader].push(entry.in_shard(shard, Some(first_position)));
        }
        if let Fact::RecordsDiscarded {
            reader,
            shard,
            records,
            first_position,
            remains,
            ..
        } = *fact
        {
            let what = match remains {
                Remains::Dropped => "discarded",
                Remains::DeadLettered => "discarded to its destination",
                Remains::Undeliverable => "discarded, its destination out of reach,",
            };
            let entry = Entry::of(now, what, records);
            self.readers[reader].push(entry.in_shard(shard, Some(first_position)));
        }
        if let Fact::RecordsFilteredOut {
            reader,
            shard,
            records,
            positions,
        } = *fact
        {
            let entry = Entry::of(now, "filtered out", records);
            self.readers[reader].push(entry.in_shard(shard, positions.first().copied()));
        }
    }

    /// The last `count` facts about the components, oldest first, as lines to read.
    pub fn lines(&self, about: &[Component], count: usize, directory: &Directory, keys: &KeyTable) -> Vec<String> {
        let mut entries: Vec<(SimTime, Component, &Entry)> = Vec::new();
        for component in about {
            let ring = match *component {
                Component::Producer(id) => self.producers.get(id),
                Component::Stream(id) => self.streams.get(id),
                Component::Mapping(id) => self.readers.get(id.into()),
                Component::Application(id) => self.readers.get(directory.reader_of(id)),
                Component::Function(id) => self.processors.get(id.into()),
                Component::Sink(id) => self.sinks.get(id),
                Component::Invoker(_)
                | Component::Queue(_)
                | Component::Fleet(_)
                | Component::Topic(_)
                | Component::Subscription(_)
                | Component::QueueMapping(_) => None,
            };
            entries.extend(
                ring.into_iter()
                    .flat_map(Ring::iter)
                    .map(|entry| (entry.at, *component, entry)),
            );
        }
        entries.sort_by_key(|(at, _, _)| *at);
        let shown = entries.len().saturating_sub(count);
        entries[shown..]
            .iter()
            .map(|(at, component, entry)| {
                let number = self.sequence_number(directory.stream_of(*component), entry);
                format!("{at} {} {}", directory.label(*component), line(entry, number, keys))
            })
            .collect()
    }

    /// The sequence number of the record at the entry's position (KDS-SEQ-02), if the fact told when it was stored.
    fn sequence_number(&self, stream: Option<StreamId>, entry: &Entry) -> Option<SequenceNumber> {
        let (shard, position) = (entry.shard?, entry.position?);
        let epoch = *self.epochs.get(stream?)?.get(to_usize(shard.0))?;
        let told = entry.stored_at != SimTime::NEVER;
        told.then(|| SequenceNumber::new(epoch, shard, position, entry.stored_at))
    }
}

/// A change of a stream.
const fn changed(now: SimTime, change: StreamChange) -> Entry {
    match change {
        StreamChange::ShardClosed { shard } => Entry::new(now, "closed a shard", 0).in_shard(shard, None),
        StreamChange::ShardExpired { shard } => Entry::new(now, "let a shard expire", 0).in_shard(shard, None),
        StreamChange::ScaledOut { shard } => Entry::new(now, "splits a shard by itself", 0).in_shard(shard, None),
        StreamChange::Accepted { .. } => Entry::new(now, "is UPDATING", 0),
        StreamChange::Completed { .. } => Entry::new(now, "is ACTIVE again", 0),
        StreamChange::Refused { refusal, .. } | StreamChange::ConsumerRefused { refusal, .. } => {
            Entry::new(now, refusal.name(), 0)
        }
        StreamChange::ConsumerChanged { status, .. } => Entry::new(
            now,
            match status {
                Some(ConsumerStatus::Creating) => "registered a consumer",
                Some(ConsumerStatus::Active) => "has a consumer ACTIVE",
                Some(ConsumerStatus::Deleting) => "deregistered a consumer",
                None => "has a consumer less",
            },
            0,
        ),
        StreamChange::ShardOpened { shard, .. } => Entry::new(now, "opened a shard", 0).in_shard(shard, None),
    }
}

/// One put as the stream saw it.
fn put(now: SimTime, records: &[Record], shards: &[ShardTally], refused: u64) -> Entry {
    let entry = Entry {
        refused: u32::try_from(refused).unwrap_or(u32::MAX),
        ..Entry::of(now, "answered a put of", records)
    };
    match shards {
        [only] => entry.in_shard(only.shard, (only.accepted > 0).then_some(only.first_position)),
        _ => entry,
    }
}

fn line(entry: &Entry, number: Option<SequenceNumber>, keys: &KeyTable) -> String {
    let count = (entry.records > 0).then(|| {
        let noun = if entry.records == 1 { "record" } else { "records" };
        format!(" {} {noun}", entry.records)
    });
    let refused = (entry.refused > 0).then(|| format!(", {} refused", entry.refused));
    let first = entry
        .first
        .map(|(key, ordinal)| format!(", the first: {} #{ordinal}", keys.text(key)));
    let shard = entry.shard.map(|shard| format!(", {shard}"));
    let position = entry.position.map(|position| format!(" at position {position}"));
    let number = number.map(|number| format!(", sequence number {number}"));
    let parts = [count, refused, first, shard, position, number];
    core::iter::once(entry.what.to_owned())
        .chain(parts.into_iter().flatten())
        .collect()
}
