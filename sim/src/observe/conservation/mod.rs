//! Nothing is lost, nothing is made up: the ledgers of producers, logs and readers, and Little's law.
//!
//! Running sums from facts stand on one side, what components hold at an instant on the other. A ledger could balance by
//! two errors, so identities are kept as well: positions done by each reader, starts of running invocations, and,
//! if wanted, the ordinals that a client has settled.

mod balance;
mod clients;
mod direct;
mod flow_time;
mod gone;
mod queue;
mod queue_mapping;
mod reader;
#[cfg(test)]
mod sequence_numbers;
#[cfg(test)]
mod tests;
mod topic;
mod violation;

pub use violation::{Culprit, Ledger, Term, Violation};

use crate::directory::{Component, Directory};
use crate::engine::index::{IndexVec, to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{
    FunctionId, InvokerId, ProducerId, QueueId, QueueMappingId, ReaderId, ShardIndex, StreamId, SubscriptionId,
};
use crate::key::KeyTable;
use crate::observe::counts::{QueueCounts, QueueMappingCounts};
use crate::observe::fact::{Fact, ShardTally};
use crate::observe::history::History;
use crate::observe::holdings::{Holdings, LogHoldings, ReaderHoldings};
use crate::observe::sums::Sums;
use crate::record::Record;
use clients::ClientOrdinals;
use direct::{Events, Requests};
use flow_time::{Arrivals, Integral, Invocations, signed};
use reader::{Broken, Reader};
use std::sync::Arc;

/// Facts of each violation's history.
const HISTORY: usize = 24;
/// Records of a call window are stored with arrivals that lie ahead by the window and a service time: less than this.
const AHEAD_NANOS: u64 = 60_000_000_000;

/// The ledgers of a run.
#[derive(Clone, Debug)]
pub struct Conservation {
    directory: Arc<Directory>,
    keys: Arc<KeyTable>,
    producers: IndexVec<ProducerId, Client>,
    streams: IndexVec<StreamId, Stored>,
    readers: IndexVec<ReaderId, Reading>,
    functions: IndexVec<FunctionId, Invocations>,
    queues: IndexVec<QueueId, QueueCounts>,
    copies: IndexVec<SubscriptionId, topic::Copies>,
    queue_mappings: IndexVec<QueueMappingId, QueueMappingCounts>,
    invokers: IndexVec<InvokerId, Requests>,
    events: IndexVec<FunctionId, Events>,
    ordinals: Option<ClientOrdinals>,
    history: History,
    violation: Option<Box<Violation>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    produced: u64,
    acknowledged: u64,
    given_up: u64,
}

/// What a stream has stored.
#[derive(Clone, Debug, Default)]
struct Stored {
    /// By shard, from the tallies.
    shards: Vec<u64>,
    /// From the records' outcomes, at the instants of the facts.
    count: Integral,
    /// Record nanoseconds that the integral counts before arrivals that lie ahead of their fact.
    ahead: i128,
    arrivals: Arrivals,
}

/// What a reader has read and is done with.
#[derive(Clone, Debug, Default)]
struct Reading {
    shards: Vec<Reader>,
    done: Integral,
    done_arrivals: Arrivals,
    read: Arrivals,
    /// Sum over done records of the time from arrival to that.
    waited: i128,
    /// Some records expired; facts do not tell when those had arrived.
    expired: bool,
}

impl Reading {
    fn shard(&mut self, shard: ShardIndex) -> &mut Reader {
        let at = to_usize(shard.0);
        while self.shards.len() <= at {
            self.shards.push(Reader::new());
        }
        &mut self.shards[at]
    }
    /// A page was read. Of an application, which `starts_over`, only what is new about it counts.
    fn read(
        &mut self,
        shard: ShardIndex,
        first: u64,
        records: &[Record],
        stored: u64,
        starts_over: bool,
    ) -> Result<(), Broken> {
        let known = if starts_over {
            self.shard(shard).known(first, records.len())
        } else {
            0
        };
        let (first, records) = (first + u64::from(to_u32(known)), &records[known..]);
        self.read.add(arrivals(records));
        self.shard(shard).read(first, len(records), stored, starts_over)
    }
    fn finish(&mut self, now: SimTime, records: Arrivals) {
        self.done.step(now, |done| done + records.records);
        self.done_arrivals.add(records);
        self.waited += records.time_until(now);
    }
}

fn len(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}

/// Count and arrival instants of records that come from a stream.
fn arrivals(records: &[Record]) -> Arrivals {
    Arrivals {
        records: len(records),
        instants: records
            .iter()
            .map(|record| u128::from(record.arrived_at.as_nanos()))
            .sum(),
    }
}

impl Conservation {
    /// Ledgers for the components of a run. With `client_ordinals` each producer's records are also checked one by one:
    /// created in order without a gap, and settled once.
    pub fn new(directory: Arc<Directory>, keys: Arc<KeyTable>, client_ordinals: bool) -> Self {
        let count = keys.entries().len();
        Self {
            producers: directory.producers.iter().map(|_| Client::default()).collect(),
            streams: directory
                .streams
                .iter()
                .map(|stream| Stored {
                    shards: vec![0; to_usize(stream.shards)],
                    ..Stored::default()
                })
                .collect(),
            readers: directory.readers.iter().map(|_| Reading::default()).collect(),
            functions: directory.functions.iter().map(|_| Invocations::default()).collect(),
            queues: directory.queues.iter().map(|_| QueueCounts::default()).collect(),
            copies: topic::none(&directory),
            queue_mappings: queue_mapping::none(&directory),
            invokers: directory.invokers.iter().map(|_| Requests::default()).collect(),
            events: directory.functions.iter().map(|_| Events::default()).collect(),
            ordinals: client_ordinals.then(|| ClientOrdinals::new(count)),
            history: History::new(&directory),
            violation: None,
            directory,
            keys,
        }
    }

    /// Takes note of a fact.
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.note(now, fact, &Sums::of(fact));
    }

    /// Takes note of a fact with its sums.
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        self.history.on(now, fact, sums);
        match *fact {
            Fact::RecordsProduced { .. } | Fact::RecordsAcknowledged { .. } | Fact::RecordsGivenUp { .. } => {
                self.producer(now, fact);
            }
            Fact::PutHandled {
                stream,
                records,
                shards,
                ..
            } => {
                let new = Arrivals::of(&sums.entries);
                self.stored(now, stream, new, shards, records.first());
            }
            Fact::ShardsWritten { stream, shards } => self.stored(now, stream, Arrivals::default(), shards, None),
            Fact::GetRecordsHandled {
                stream,
                shard,
                reader,
                first_position,
                records,
                again: false,
                ..
            }
            | Fact::SubscriptionEventPushed {
                stream,
                shard,
                reader,
                first_position,
                records,
                ..
            } => {
                self.page_read(now, (stream, shard), reader, first_position, records);
            }
            Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::BatchDispatched { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::CheckpointAdvanced { .. } => self.progress(now, fact),
            Fact::ApplicationChanged { .. } | Fact::MappingChanged { .. } => self.reading_began(fact),
            Fact::InvocationStarted { .. } | Fact::InvocationEnded { .. } => self.invocation(now, fact),
            Fact::Queueing { ref fact } => self.queueing(fact),
            Fact::Publishing { ref fact } => self.publishing(now, fact),
            Fact::FunctionChanged { .. } | Fact::AsynchronousEvent { .. } | Fact::InvokerActed { .. } => {
                self.direct(fact);
            }
            Fact::GetRecordsHandled { again: true, .. }
            | Fact::RequestSent { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::PutRefused { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::RecordsGathered { .. }
            | Fact::BatchFailed { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::RecordsProcessed { .. }
            | Fact::SinkChanged { .. }
            | Fact::RecordsDelivered { .. }
            | Fact::StreamChanged { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn page_read(
        &mut self,
        now: SimTime,
        (stream, shard): (StreamId, ShardIndex),
        reader: ReaderId,
        first_position: u64,
        records: &[Record],
    ) {
        let stored = self.streams[stream].shards.get(to_usize(shard.0)).copied().unwrap_or(0);
        let starts_over = self.starts_over(reader);
        let result = self.readers[reader].read(shard, first_position, records, stored, starts_over);
        self.judge(now, (reader, shard), records.first(), result);
    }

    fn stored(
        &mut self,
        now: SimTime,
        stream: StreamId,
        new: Arrivals,
        shards: &[ShardTally],
        record: Option<&Record>,
    ) {
        let stored = &mut self.streams[stream];
        stored.count.step(now, |count| count + new.records);
        stored.ahead -= new.time_until(now);
        stored.arrivals.add(new);
        let mut gap = None;
        for tally in shards {
            let at = to_usize(tally.shard.0);
            if at >= stored.shards.len() {
                stored.shards.resize(at + 1, 0);
            }
            let next = &mut stored.shards[at];
            if tally.accepted > 0 && tally.first_position != *next {
                gap = Some((tally.first_position, *next));
            }
            *next += u64::from(tally.accepted);
        }
        if let Some((position, expected)) = gap {
            self.violate(
                now,
                Ledger::Identity,
                &[Component::Stream(stream)],
                vec![Term::new("first position stored", position)],
                vec![Term::new("next free position", expected)],
                self.culprit("The positions of a shard's records are not consecutive.", record),
            );
        }
    }

    fn invocation(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::InvocationStarted {
            function,
            records,
            concurrent,
            ..
        } = *fact
        {
            let running = self.functions[function].start(now);
            self.check_concurrency(now, function, running, concurrent, records.first());
        }
        if let Fact::InvocationEnded {
            function,
            duration,
            cold_start,
            concurrent,
            ..
        } = *fact
        {
            let took = duration + cold_start.unwrap_or_default();
            match self.functions[function].end(now, took) {
                Some(running) => self.check_concurrency(now, function, running, concurrent, None),
                None => self.no_such_start(now, function, took.as_nanos()),
            }
        }
    }

    /// Facts about what a reader is done with.
    fn progress(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::BatchDispatched {
            reader,
            shard,
            lane,
            records,
            ..
        } = *fact
            && !self.starts_over(reader)
        {
            self.readers[reader].shard(shard).dispatched(lane, arrivals(records));
        }
        if let Fact::BatchAcknowledged {
            reader,
            shard,
            lane,
            records,
            again,
            batch,
            positions,
            first_position,
        } = *fact
        {
            let starts_over = self.starts_over(reader);
            let reading = &mut self.readers[reader];
            let done = reading.shard(shard);
            let result = if starts_over {
                done.acknowledge_some(first_position, batch, again)
            } else {
                done.acknowledge(lane, records, first_position, positions, arrivals(batch))
            };
            let result = result.map(|batch| reading.finish(now, batch));
            self.judge(now, (reader, shard), None, result);
        }
        if let Fact::CheckpointAdvanced {
            reader,
            shard,
            position,
        } = *fact
        {
            let result = self.readers[reader].shard(shard).checkpoint(position);
            self.judge(now, (reader, shard), None, result);
        }
        self.gone(now, fact);
    }

    /// Whether the reader is an application, whose workers read a shard again from its checkpoint (KDS-KCL-32).
    fn starts_over(&self, reader: ReaderId) -> bool {
        matches!(self.directory.readers[reader].component, Component::Application(_))
    }

    #[inline]
    fn check_concurrency(
        &mut self,
        now: SimTime,
        function: FunctionId,
        running: u64,
        stated: u32,
        record: Option<&Record>,
    ) {
        if running != u64::from(stated) {
            self.violate(
                now,
                Ledger::Identity,
                &[Component::Function(function)],
                vec![Term::new("invocations in progress, as stated", stated)],
                vec![Term::new("started and not ended", running)],
                self.culprit("The function has lost count of its invocations.", record),
            );
        }
    }

    /// Turns a broken statement about a reader's positions into a violation.
    #[inline]
    fn judge(
        &mut self,
        now: SimTime,
        (reader, shard): (ReaderId, ShardIndex),
        record: Option<&Record>,
        result: Result<(), Broken>,
    ) {
        if let Err(broken) = result {
            let culprit = self.culprit(&format!("{shard}: {}", broken.what), record);
            self.violate(
                now,
                Ledger::Identity,
                &[
                    self.directory.readers[reader].component,
                    Component::Stream(self.directory.readers[reader].stream),
                ],
                vec![Term::new(broken.left.0, broken.left.1)],
                vec![Term::new(broken.right.0, broken.right.1)],
                culprit,
            );
        }
    }

    #[cold]
    fn culprit(&self, what: &str, record: Option<&Record>) -> Culprit {
        Culprit {
            what: what.to_owned(),
            record: record.map(|record| {
                let key = self.keys.text(record.key);
                (key, record.ordinal, record.created_at, record.arrived_at)
            }),
        }
    }

    /// Notes a violation about the first of the components. The first one found counts.
    #[cold]
    fn violate(
        &mut self,
        at: SimTime,
        ledger: Ledger,
        about: &[Component],
        left: Vec<Term>,
        right: Vec<Term>,
        culprit: impl Into<Option<Culprit>>,
    ) {
        if self.violation.is_some() {
            return;
        }
        self.violation = Some(Box::new(Violation {
            at,
            ledger,
            component: about
                .first()
                .map_or_else(String::new, |first| self.directory.label(*first)),
            left,
            right,
            culprit: culprit.into(),
            history: self.history.lines(about, HISTORY, &self.directory, &self.keys),
        }));
    }

    /// Acknowledgements of positions that had been acknowledged before, over all readers.
    pub fn acknowledged_again(&self) -> u64 {
        let readers = self.readers.iter().flat_map(|reading| &reading.shards);
        readers.map(|reader| reader.acknowledged_again).sum()
    }

    /// The first violation that a fact has shown by itself.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_deref()
    }

    /// Balances all ledgers against what components hold. Costs nothing a record, and a little for each component and
    /// shard. Call it between events, never within one.
    pub fn check(&mut self, holdings: &Holdings, now: SimTime) -> Result<(), Box<Violation>> {
        self.check_producers(holdings, now);
        self.check_logs(holdings, now);
        self.check_readers(holdings, now);
        self.check_queues(holdings, now);
        self.check_subscriptions(holdings, now);
        self.check_queue_mappings(holdings, now);
        self.check_direct(holdings, now);
        self.check_invocation_time(now);
        self.check_backlog_time(now);
        self.violation.clone().map_or(Ok(()), Err)
    }
}
