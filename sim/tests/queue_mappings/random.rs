//! Whatever is drawn: no message is deleted that the function has not got, limits hold, and groups keep their order.

use proptest::prelude::*;
use sim::batch::BatchResponse;
use sim::blueprint::{Blueprint, Poison, PoisonResponse};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{QueueConsumer, QueueMappingId};
use sim::observe::Probe;
use sim::observe::fact::{Fact, QueueFact, QueueMappingFact, Queueing};
use sim::record::Record;
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::queue_mappings::worlds;
use std::collections::{BTreeMap, BTreeSet};

type Identity = (u32, u32);

fn identity(record: &Record) -> Identity {
    (record.key.0, record.ordinal)
}

/// What a listener knows from facts alone.
#[derive(Default)]
struct Auditor {
    /// Messages that took effect somewhere, and those that filters let pass by.
    processed: BTreeSet<Identity>,
    filtered: BTreeSet<Identity>,
    /// By group: messages that may not be passed any more, since they left for a dead-letter queue.
    moved: BTreeSet<Identity>,
    /// By mapping of a queue: its limit.
    limits: Vec<u32>,
    /// The keys of FIFO queues.
    ordered: BTreeSet<u32>,
    highest: BTreeMap<u32, u32>,
    polled: u64,
    wrong: Option<String>,
}

impl Auditor {
    fn accuse(&mut self, now: SimTime, what: &str, record: &Record) {
        let (key, ordinal) = identity(record);
        self.wrong
            .get_or_insert_with(|| format!("at {now}: {what}: key {key}, ordinal {ordinal}"));
    }
    fn effect(&mut self, now: SimTime, records: &[Record]) {
        for record in records {
            let (key, ordinal) = identity(record);
            if self.ordered.contains(&key) {
                let missing = (0..ordinal).find(|earlier| {
                    let earlier = (key, *earlier);
                    !self.processed.contains(&earlier)
                        && !self.moved.contains(&earlier)
                        && !self.filtered.contains(&earlier)
                });
                if missing.is_some() {
                    self.accuse(now, "processed before its elders", record);
                }
                let highest = self.highest.entry(key).or_default();
                *highest = ordinal.max(*highest);
            }
            self.processed.insert((key, ordinal));
        }
    }
    fn mapping(&mut self, now: SimTime, mapping: QueueMappingId, fact: &QueueMappingFact<'_>) {
        match *fact {
            QueueMappingFact::Polled { records } => self.polled += u64::try_from(records.len()).expect("few"),
            QueueMappingFact::FilteredOut { records } => self.filtered.extend(records.iter().map(identity)),
            QueueMappingFact::Dispatched {
                concurrent, records, ..
            } if concurrent > self.limits[usize::from(mapping.0)] => {
                self.accuse(now, "one batch too many", &records[0]);
            }
            _ => {}
        }
    }
}

impl Probe for Auditor {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RecordsProcessed { records, .. } | Fact::RecordsDelivered { records, .. } => {
                self.effect(now, records);
            }
            Fact::Queueing {
                fact: Queueing::Mapping { mapping, ref fact },
            } => self.mapping(now, mapping, fact),
            Fact::Queueing {
                fact: Queueing::Queue { ref fact, depth, .. },
            } => {
                if depth.in_flight > 120_000 {
                    self.wrong
                        .get_or_insert_with(|| format!("at {now}: {} in flight", depth.in_flight));
                }
                if let QueueFact::DeadLettered { records, .. } = *fact {
                    self.moved.extend(records.iter().map(identity));
                }
                if let QueueFact::Deleted {
                    consumer: QueueConsumer::Mapping(_),
                    records,
                    ..
                } = *fact
                {
                    for record in records {
                        let done =
                            self.processed.contains(&identity(record)) || self.filtered.contains(&identity(record));
                        if !done {
                            self.accuse(now, "deleted, and never processed", record);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// A function that reports stops at what it cannot process and reports the rest (LAM-Q-09): others lose messages and order.
fn well_behaved(mut blueprint: Blueprint) -> Blueprint {
    for function in &mut blueprint.functions {
        function.poison = Poison {
            response: match function.poison.response {
                PoisonResponse::Throws => PoisonResponse::Throws,
                PoisonResponse::Returns { .. } => PoisonResponse::Returns {
                    response: BatchResponse::ItemFailures,
                    stops: true,
                },
            },
            ..function.poison.clone()
        };
        let reports = matches!(function.poison.response, PoisonResponse::Returns { .. });
        for mapping in &mut blueprint.queue_mappings {
            if mapping.function == function.name {
                mapping.report_batch_item_failures |= reports;
            }
        }
    }
    // What a sink refuses of a write, or takes late, is no matter of queues.
    for function in &mut blueprint.functions {
        function.sink = None;
    }
    // A table of messages that are sent twice is that of the queue's own tests.
    blueprint.model.lost_acknowledgement_rate = sim::engine::quantity::Ratio::ZERO;
    blueprint.model.internal_failure_rate = sim::engine::quantity::Ratio::ZERO;
    blueprint
}

fn auditor(session: &Session, blueprint: &Blueprint) -> Auditor {
    let directory = session.world().directory();
    let mut auditor = Auditor {
        limits: directory.queue_mappings.iter().map(|mapping| mapping.ceiling).collect(),
        ..Auditor::default()
    };
    for (id, producer) in directory.producers.iter_enumerated() {
        let sim::ids::Destination::Queue(queue) = producer.target else {
            continue;
        };
        // A producer that has two requests under way may be overtaken by itself.
        let single = blueprint
            .producers
            .iter()
            .any(|one| one.name == producer.name && one.concurrency == 1);
        if directory.queues[queue].fifo && single {
            let range = session.world().keys().range(id);
            auditor.ordered.extend(range.first..range.first + range.count);
        }
    }
    auditor
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// LAM-E-02, LAM-Q-10, LAM-Q-14, LAM-S-20: under errors, timeouts, crashes, throttles, reports of failed messages
    /// and dead-lettering.
    #[test]
    fn no_message_is_lost_and_no_limit_passed(blueprint in worlds()) {
        let mut blueprint = well_behaved(blueprint);
        for producer in &mut blueprint.producers {
            producer.concurrency = 1;
        }
        let options = SessionOptions { checks: Checks::EveryEvent, ..SessionOptions::default() };
        let mut session = Session::new(&blueprint, options).expect("it builds");
        let mut auditor = auditor(&session, &blueprint);
        let end = session.end();
        let run = session.advance_watched(end, u64::MAX, Some(&mut auditor));
        run.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(auditor.wrong, None);
        let counts = session.observers().and_then(|observers| observers.counts.as_ref()).expect("they are attached");
        let polled: u64 = counts.queue_mappings.iter().map(|mapping| mapping.polled).sum();
        prop_assert_eq!(polled, auditor.polled);
    }

    /// A run is the same with and without observers, and after a look back.
    #[test]
    fn a_run_with_mappings_of_queues_is_the_same_however_it_is_made(blueprint in worlds()) {
        let run = |options| -> Result<Session, TestCaseError> {
            let mut session = Session::new(&blueprint, options).expect("it builds");
            let end = session.end();
            session.advance(end, u64::MAX).map_err(|error| TestCaseError::fail(error.to_string()))?;
            Ok(session)
        };
        let unobserved = SessionOptions { observe: false, ..SessionOptions::default() };
        let mut observed = run(SessionOptions {
            checkpoint_interval: Some(SimDuration::from_secs(3)),
            ..SessionOptions::default()
        })?;
        let plain = run(unobserved)?.fingerprint();
        prop_assert_eq!(observed.fingerprint(), plain);
        let middle = SimTime::ZERO + SimDuration::from_nanos(blueprint.duration.as_nanos() / 3);
        for goal in [middle, observed.end()] {
            observed.seek(goal).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        prop_assert_eq!(observed.fingerprint(), plain);
    }
}
