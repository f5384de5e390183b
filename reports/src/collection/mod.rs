//! From the end of a session to its account.

mod causes;
mod changes;
mod course;
mod functions;
mod headroom;
mod ledgers;
mod limits;
mod metrics;
mod queues;
mod readers;
mod topics;
mod usage;

use crate::account::{
    Account, Assumption, Check, Ending, FirstThrottle, Judgement, LatencyAccount, Ledgers, LibraryAccount,
    ProducerAccount, Run, ShardAccount, Sighting, SinkAccount, Spread, StreamAccount, Subject, UsageAccount, Verdict,
    Witness,
};
use crate::course::Course;
use crate::settings::{Noticed, components, matters, notes};
use crate::text::count;
use readers::InHand;
use sim::blueprint::{Blueprint, PutApi};
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{Destination, ProducerId, ShardIndex, SinkId, StreamId};
use sim::observe::Observers;
use sim::observe::counts::{Counts, ProducerCounts, StreamCounts};
use sim::observe::fact::GiveUpReason;
use sim::observe::holdings::Holdings;
use sim::observe::latency::Histogram;
use sim::observe::ordering::{Ordering, Place};
use sim::observe::verdict::{self, Anomaly, Cause, Guarantee};
use sim::services::kinesis::quotas::{SHARD_WRITE_BYTES, SHARD_WRITE_RECORDS};
use sim::session::Session;

/// What the session does not know.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// What was asked.
    pub subject: Subject,
    /// Version of shardlab.
    pub version: String,
    /// The command line that repeats the run.
    pub command: String,
    /// How the run ended.
    pub ending: Ending,
    /// The scenario's expectations and guarantees.
    pub judgements: Vec<Judgement>,
    /// Every parameter of the model that AWS does not document; those that the run could notice are told.
    pub assumptions: Vec<Assumption>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// The account of a session. Without observers it says what ran, and nothing of what happened.
pub fn collect(session: &Session, blueprint: &Blueprint, circumstances: Circumstances) -> Account {
    let run = Run {
        version: circumstances.version,
        seed: blueprint.seed,
        replication: blueprint.replication,
        profile: blueprint.profile,
        planned: blueprint.duration,
        simulated: session.now().since(SimTime::ZERO),
        events: session.events(),
        fingerprint: session.fingerprint().value(),
        command: circumstances.command,
        ending: circumstances.ending,
    };
    let mut account = Account {
        subject: circumstances.subject,
        run,
        components: components(blueprint),
        changes: changes::changes(session),
        producers: Vec::new(),
        streams: Vec::new(),
        readers: Vec::new(),
        functions: Vec::new(),
        queues: Vec::new(),
        workers: Vec::new(),
        topics: Vec::new(),
        message_paths: Vec::new(),
        queue_mappings: Vec::new(),
        invokers: Vec::new(),
        sinks: Vec::new(),
        latency: Vec::new(),
        headroom: Vec::new(),
        usage: UsageAccount::default(),
        checks: Vec::new(),
        ledgers: Ledgers::default(),
        course: Course::default(),
        metrics: Vec::new(),
        judgements: circumstances.judgements,
        assumptions: circumstances.assumptions,
        notes: circumstances.notes.into_iter().chain(notes(blueprint)).collect(),
    };
    if let Some(observers) = session.observers() {
        let view = View {
            directory: session.world().directory(),
            observers,
            blueprint,
            holdings: session.holdings(),
        };
        view.fill(&mut account);
        account.ledgers.checks = session.ledger_checks();
        account.course = course::course(
            observers,
            view.directory,
            blueprint,
            &session.interventions(),
            session.now(),
        );
        account.headroom = headroom::headroom(observers, view.directory);
        account.usage = usage::usage(observers, view.directory, session.now());
        account.metrics = metrics::series(observers, view.directory);
    }
    account
}

/// What figures are taken from.
struct View<'s> {
    directory: &'s Directory,
    observers: &'s Observers,
    blueprint: &'s Blueprint,
    holdings: &'s Holdings,
}

impl View<'_> {
    fn fill(&self, account: &mut Account) {
        account.latency = self.latency();
        account.checks = self.checks();
        let Some(counts) = &self.observers.counts else { return };
        let noticed = noticed(counts);
        account.assumptions.retain(|assumption| matters(assumption, &noticed));
        account.producers = counts
            .producers
            .iter_enumerated()
            .map(|(id, one)| self.producer(id, one))
            .collect();
        account.streams = counts
            .streams
            .iter_enumerated()
            .map(|(id, one)| self.stream(id, one))
            .collect();
        account.ledgers.balances = self.balances(counts);
        account.readers = counts
            .readers
            .iter_enumerated()
            .map(|(id, one)| self.reader(id, one))
            .collect();
        account.functions = counts
            .functions
            .iter_enumerated()
            .map(|(id, one)| functions::function(self.label(Component::Function(id)), one))
            .collect();
        account.invokers = counts
            .invokers
            .iter_enumerated()
            .map(|(id, one)| functions::invoker(self.label(Component::Invoker(id)), one))
            .collect();
        account.queues = self.queues(counts);
        account.workers = self.workers(counts);
        account.topics = self.topics(counts);
        account.message_paths = self.message_paths();
        account.queue_mappings = self.queue_mappings(counts, SimTime::ZERO + account.run.simulated);
        let ordering = self.observers.ordering.as_ref();
        account.sinks = counts
            .sinks
            .iter_enumerated()
            .map(|(id, one)| SinkAccount {
                name: self.label(Component::Sink(id)),
                records_delivered: one.delivered,
                writes: one.writes,
                last_write: one.last_at,
                requests: one.requests,
                refused: one.refused,
                write_units: one.write_units,
                failed_writes: one.failed_writes,
                unwritten: one.unwritten,
                rewritten: ordering.map_or(0, |ordering| ordering.rewritten(Place::Sink(id))),
            })
            .collect();
    }

    fn label(&self, component: Component) -> String {
        self.directory.label(component)
    }

    fn producer(&self, id: ProducerId, counts: &ProducerCounts) -> ProducerAccount {
        let entry = &self.directory.producers[id];
        let api = self
            .blueprint
            .producers
            .iter()
            .find(|producer| producer.name == entry.name)
            .map(|found| found.api);
        let reasons = [
            (GiveUpReason::AttemptsExhausted, "all attempts were used"),
            (GiveUpReason::RetryQuotaEmpty, "the SDK's retry quota was empty"),
            (GiveUpReason::NotRetryable, "the error is not retried"),
            (
                GiveUpReason::NotResent,
                "the application does not send refused entries again",
            ),
            (GiveUpReason::Expired, "RecordTtl was over"),
            (GiveUpReason::Throttled, "FailIfThrottled is set"),
            (GiveUpReason::TooLarge, "larger than MaxUserRecordSize"),
        ];
        ProducerAccount {
            name: self.label(Component::Producer(id)),
            target: self.label(match entry.target {
                Destination::Stream(stream) => Component::Stream(stream),
                Destination::Queue(queue) => Component::Queue(queue),
                Destination::Topic(topic) => Component::Topic(topic),
            }),
            api: api.map_or("PutRecords", PutApi::name),
            library: entry.library.then_some(LibraryAccount {
                user_records_sent: counts.library.user_records,
                kinesis_records_sent: counts.library.kinesis_records,
                requests_sent: counts.library.requests,
                user_records_resent: counts.library.resent,
                kinesis_records_misplaced: counts.library.misplaced,
            }),
            records_produced: counts.produced,
            records_acknowledged: counts.acknowledged,
            requests_sent: counts.requests_sent,
            requests_failed: counts.requests_failed,
            records_resent: counts.resent_by_application,
            records_repeated: counts.repeated_by_sdk,
            records_given_up: reasons
                .into_iter()
                .map(|(reason, words)| (words.to_owned(), counts.given_up_for(reason)))
                .filter(|(_, records)| *records > 0)
                .collect(),
            records_pending: counts.produced.saturating_sub(counts.acknowledged + counts.given_up()),
        }
    }

    fn stream(&self, id: StreamId, counts: &StreamCounts) -> StreamAccount {
        let shards: Vec<ShardAccount> = (0..)
            .zip(&counts.shards)
            .map(|(number, shard)| ShardAccount {
                id: ShardIndex(number).to_string(),
                records_accepted: shard.accepted,
                bytes_accepted: shard.bytes,
                entries_throttled: shard.throttled,
                peak_records_per_second: shard.busiest_by_records().records,
                peak_bytes_per_second: shard.busiest_by_bytes().bytes,
                first_throttle: shard.first_throttled_at,
                opened: shard.opened_at,
                closed: shard.closed_at,
            })
            .collect();
        StreamAccount {
            name: self.label(Component::Stream(id)),
            records_accepted: counts.accepted(),
            records_aggregated: counts.aggregated,
            user_records_in_aggregated: counts.user_records_in_aggregated,
            bytes_accepted: counts.bytes(),
            entries_throttled: counts.throttled(),
            entries_failed: counts.entries_failed,
            requests_refused: counts.puts_refused,
            acknowledgements_lost: counts.acknowledgements_lost,
            limit_records_per_second: SHARD_WRITE_RECORDS,
            limit_bytes_per_second: SHARD_WRITE_BYTES,
            first_throttle: counts.first_throttled_at().and_then(|at| {
                let shard = shards.iter().find(|shard| shard.first_throttle == Some(at))?;
                Some(FirstThrottle {
                    at,
                    shard: shard.id.clone(),
                })
            }),
            shards,
        }
    }

    fn latency(&self) -> Vec<LatencyAccount> {
        let Some(latency) = &self.observers.latency else {
            return Vec::new();
        };
        let places = self
            .directory
            .processors
            .iter_enumerated()
            .filter_map(|(id, processor)| {
                let measured = latency.of(id)?;
                let at = processor.sink.map_or(processor.component, Component::Sink);
                (measured.end_to_end.count() > 0).then(|| LatencyAccount {
                    at: self.label(at),
                    function: self.label(processor.component),
                    since_creation: spread(&measured.end_to_end),
                    since_arrival: spread(&measured.since_arrival),
                    causes: causes::causes(self.observers, id),
                })
            });
        places.collect()
    }

    /// Order, duplicates and loss at every sink, and at all that read records and have none.
    fn checks(&self) -> Vec<Check> {
        let Some(ordering) = &self.observers.ordering else {
            return Vec::new();
        };
        let sinks = self
            .directory
            .sinks
            .ids()
            .map(|id: SinkId| (Place::Sink(id), Component::Sink(id)));
        let processors = self
            .directory
            .processors
            .iter_enumerated()
            .filter(|(id, processor)| processor.sink.is_none() && self.directory.readers_of(*id).next().is_some())
            .map(|(id, processor)| (Place::Processor(id), processor.component));
        let guarantees = [Guarantee::OrderPerKey, Guarantee::NoDuplicates, Guarantee::NoLoss];
        sinks
            .chain(processors)
            .flat_map(|(place, component)| {
                guarantees.map(|guarantee| self.check(ordering, guarantee, place, component))
            })
            .collect()
    }

    fn check(&self, ordering: &Ordering, guarantee: Guarantee, place: Place, component: Component) -> Check {
        let counts = ordering.counts(place);
        let anomalies: &[Anomaly] = match guarantee {
            Guarantee::OrderPerKey => &[Anomaly::NonmonotonicExternal, Anomaly::NonmonotonicInternal],
            Guarantee::NoDuplicates => &[Anomaly::Duplicate],
            Guarantee::NoLoss => &[Anomaly::Lost],
        };
        let found = ordering.verdict(guarantee, place);
        let (verdict, evidence) = verdict_of(&found);
        Check {
            what: guarantee.name().to_owned(),
            at: self.label(component),
            verdict,
            violations: anomalies.iter().map(|anomaly| counts.of(*anomaly)).sum(),
            evidence,
            witness: found.witness().and_then(witness),
        }
    }
}

/// The first case of a violation, where the facts tell of a record.
fn witness(found: &verdict::Witness) -> Option<Witness> {
    let seen = |sighting: verdict::Sighting| Sighting {
        ordinal: sighting.ordinal,
        created: sighting.created_at,
        stored: sighting.arrived_at,
        effect: sighting.delivered_at,
    };
    let cause = found.cause.as_ref().and_then(|cause| match cause {
        Cause::SentAgain { at, .. } => Some(("sent again".to_owned(), *at)),
        Cause::DispatchedAgain { at, .. } => Some(("batch sent to the function again".to_owned(), *at)),
        Cause::Expired { at, .. } => Some(("expired".to_owned(), *at)),
        Cause::Skipped { at, .. } => Some(("passed by a checkpoint".to_owned(), *at)),
        Cause::GivenUp { at, .. } => Some(("discarded".to_owned(), *at)),
        Cause::Overtaken { .. } => None,
    });
    Some(Witness {
        key: found.key.clone(),
        record: seen(found.record?),
        other: found.other.map(seen),
        cause,
    })
}

/// The verdict of a checker, and its evidence.
pub fn verdict_of(found: &sim::observe::verdict::Verdict) -> (Verdict, Vec<String>) {
    use sim::observe::verdict::Verdict as Found;
    match found {
        Found::Holds => (Verdict::Held, Vec::new()),
        Found::Violated(witness) => (Verdict::Violated, vec![witness.to_string()]),
        Found::Undecided(reason) => (Verdict::Undecided, vec![reason.clone()]),
    }
}

fn noticed(counts: &Counts) -> Vec<Noticed> {
    let functions = || counts.functions.iter();
    let all = [
        (Noticed::Puts, counts.streams.iter().any(|stream| stream.puts > 0)),
        (
            Noticed::Leases,
            counts.readers.iter().any(|reader| reader.application.leases_new > 0),
        ),
        (Noticed::Queues, !counts.queues.is_empty()),
        (Noticed::Topics, !counts.topics.is_empty()),
        (Noticed::QueueMappings, !counts.queue_mappings.is_empty()),
        (Noticed::Polls, counts.readers.iter().any(|reader| reader.reads > 0)),
        (
            Noticed::Resharding,
            counts.streams.iter().any(|stream| stream.changes.closed > 0),
        ),
        (
            Noticed::LateMappings,
            counts.readers.iter().any(|reader| reader.mapping.began_late),
        ),
        (
            Noticed::OnDemandSplits,
            counts.streams.iter().any(|stream| stream.changes.scaled_out > 0),
        ),
        (
            Noticed::FunctionErrors,
            functions().any(|function| function.errors + function.timeouts > 0),
        ),
        (Noticed::Throttles, functions().any(|function| function.throttles > 0)),
        (
            Noticed::ColdStarts,
            functions().any(|function| function.cold_starts > 0),
        ),
    ];
    all.into_iter()
        .filter(|(_, happened)| *happened)
        .map(|(noticed, _)| noticed)
        .collect()
}

pub(super) fn mean(nanos: u128, number: u64) -> SimDuration {
    let mean = nanos.checked_div(u128::from(number)).unwrap_or(0);
    SimDuration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
}

fn spread(histogram: &Histogram) -> Spread {
    let at = |per_million| histogram.quantile(per_million).unwrap_or_default();
    Spread {
        records: histogram.count(),
        min: histogram.min().unwrap_or_default(),
        p50: at(500_000),
        p90: at(900_000),
        p99: at(990_000),
        max: histogram.max().unwrap_or_default(),
        mean: histogram.mean().unwrap_or_default(),
    }
}
