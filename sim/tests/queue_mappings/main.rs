//! Event source mappings of queues, in a world of their own: a sender, a queue, a mapping, a function.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod causes;
mod errors;
mod fifo;
mod provisioned;
mod random;
mod scaling;
mod standard;

use sim::blueprint::{Arrivals, Blueprint, CountSeries, Keys, Spread, Trace, TraceRows};
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::counts::{Counts, QueueCounts, QueueMappingCounts};
use sim::observe::fact::{Fact, QueueFact, QueueMappingFact, Queueing};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::queue_pipeline;
use sim::testing::note::{Note, Notebook};
use std::sync::Arc;

/// A run to the end, with every ledger checked after every event.
struct Story {
    session: Session,
    notes: Vec<Note>,
}

fn tell(blueprint: &Blueprint) -> Story {
    let options = SessionOptions {
        checks: Checks::EveryEvent,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint is valid");
    let mut notebook = Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .expect("it runs");
    Story {
        session,
        notes: notebook.notes,
    }
}

impl Story {
    fn counts(&self) -> &Counts {
        let observers = self.session.observers().expect("they are attached");
        observers.counts.as_ref().expect("all are")
    }
    fn mapping(&self) -> &QueueMappingCounts {
        self.counts().queue_mappings.iter().next().expect("there is one")
    }
    /// The queue that the first mapping polls.
    fn queue(&self) -> &QueueCounts {
        let queue = self.session.world().directory().queue("jobs").expect("there is one");
        &self.counts().queues[queue]
    }
    /// What the question finds in the facts of mappings.
    fn find<T>(&self, mut question: impl FnMut(&Note, QueueMappingFact<'static>) -> Option<T>) -> Vec<T> {
        let facts = self.notes.iter().filter_map(|note| match note.fact {
            Fact::Queueing {
                fact: Queueing::Mapping { fact, .. },
            } => question(note, fact),
            _ => None,
        });
        facts.collect()
    }
    /// Instants of batches that went to the function, and their sizes.
    fn batches(&self) -> Vec<(SimTime, usize)> {
        self.find(|note, fact| {
            let sent = matches!(fact, QueueMappingFact::Dispatched { attempts_before: 0, .. });
            sent.then_some((note.at, note.records.len()))
        })
    }
    /// Instants at which the queue answered receives of mappings with messages, and how many.
    fn received(&self) -> Vec<(SimTime, usize)> {
        let answered = self.notes.iter().filter(|note| {
            matches!(
                note.fact,
                Fact::Queueing {
                    fact: Queueing::Queue {
                        fact: QueueFact::Received { .. },
                        ..
                    }
                }
            ) && !note.records.is_empty()
        });
        answered.map(|note| (note.at, note.records.len())).collect()
    }
}

/// Messages of one key for each series: (key, start in ms, length in ms, how many), evenly spread.
fn send(blueprint: &mut Blueprint, bins: &[(u32, u64, u64, u32)]) {
    let ms = |ms: u64| ms * 1_000_000;
    let keys = 1 + bins.iter().map(|bin| bin.0).max().unwrap_or(0);
    let series = (0..keys).map(|key| CountSeries {
        key: Some(key),
        bins: (bins.iter().filter(|bin| bin.0 == key))
            .map(|&(_, start, length, count)| (ms(start), ms(length), count))
            .collect(),
    });
    let producer = &mut blueprint.producers[0];
    producer.keys = Keys::FromTrace;
    producer.arrivals = Arrivals::Trace(Arc::new(Trace {
        source: "bins".to_owned(),
        rows: TraceRows::Counts {
            series: series.collect(),
            spread: Spread::Even,
        },
        keys: (0..keys).map(|key| format!("key-{key}")).collect(),
        span: blueprint.duration,
        compression: Ratio::ONE,
        repeat: false,
    }));
}

/// A pipeline whose messages are `bins`.
fn pipeline(seconds: u64, bins: &[(u32, u64, u64, u32)]) -> Blueprint {
    let mut blueprint = queue_pipeline(SimDuration::from_secs(seconds));
    send(&mut blueprint, bins);
    blueprint
}

fn seconds(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}
