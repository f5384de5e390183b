//! Whole worlds with one application: what its facts tell.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind of fact among all"
)]

mod failover;
mod fetching;
mod leader;
mod processing;
mod properties;

use crate::blueprint::{
    ApplicationBlueprint, Blueprint, Checkpointing, InitialPosition, KclSettings, KclVersion, Keys, ProducerBlueprint,
    Retrieval, WeightedKey,
};
use crate::command::{Command, Intervention};
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::observe::Observers;
use crate::observe::counts::StreamCounts;
use crate::observe::counts::{Counts, ReaderCounts};
use crate::observe::fact::{ApplicationChange, Fact, LeaseTaking};
use crate::observe::metrics::{Metric, Statistic};
use crate::observe::ordering::{Ordering, Place};
use crate::session::{Checks, Session, SessionOptions};
use crate::testing::blueprints::{constant, model, pipeline, producer, stream};
use crate::testing::note::{Note, Notebook};

/// `audit`: workers of a version on the stream `records`, 20 ms a batch, a checkpoint after each.
pub(super) fn application(kcl: KclVersion, workers: u32) -> ApplicationBlueprint {
    ApplicationBlueprint {
        name: "audit".to_owned(),
        stream: "records".to_owned(),
        starts_at: SimTime::ZERO,
        workers,
        kcl,
        retrieval: Retrieval::Polling,
        initial_position: InitialPosition::TrimHorizon,
        settings: KclSettings::defaults(kcl),
        per_batch: constant(SimDuration::from_millis(20)),
        per_record: SimDuration::ZERO,
        failure_rate: Ratio::ZERO,
        checkpoint: Checkpointing::EveryBatch,
        sink: None,
    }
}

/// 100 records a second into so many shards, read by an application and nobody else.
pub(super) fn world(shards: u32, seconds: u64, application: ApplicationBlueprint) -> Blueprint {
    Blueprint {
        model: model(),
        producers: vec![ProducerBlueprint {
            keys: keys(shards),
            ..producer("clicks", "records")
        }],
        streams: vec![stream("records", shards)],
        applications: vec![application],
        ..Blueprint::empty(7, SimDuration::from_secs(seconds))
    }
}

/// Four keys for each shard.
fn keys(shards: u32) -> Keys {
    let width = u128::MAX / u128::from(shards) + u128::from(shards > 1);
    let weighted = (0..shards * 4).map(|number| WeightedKey {
        text: format!("key-{number}"),
        weight: 1.0,
        explicit_hash_key: Some(u128::from(number / 4) * width + u128::from(number % 4) * (width / 4)),
    });
    Keys::Weighted(weighted.collect())
}

pub(super) fn at(second: u64, command: Command) -> Intervention {
    Intervention {
        at: SimTime::from_secs(second),
        command,
    }
}
pub(super) fn kill(second: u64, worker: Option<u16>) -> Intervention {
    let application = "audit".to_owned();
    at(second, Command::KillWorker { application, worker })
}

/// A run with everything checked, and what was said in it.
pub(super) struct Run {
    pub(super) session: Session,
    pub(super) notes: Vec<Note>,
}

pub(super) fn run(blueprint: &Blueprint) -> Run {
    let options = SessionOptions {
        checks: Checks::EveryEvent,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint is valid");
    let mut notebook = Notebook::default();
    let end = session.end();
    if let Err(error) = session.advance_watched(end, u64::MAX, Some(&mut notebook)) {
        panic!("{error}");
    }
    Run {
        session,
        notes: notebook.notes,
    }
}

impl Run {
    pub(super) fn observers(&self) -> &Observers {
        self.session.observers().expect("they are attached")
    }
    pub(super) fn counts(&self) -> &Counts {
        self.observers().counts.as_ref().expect("all are attached")
    }
    pub(super) fn reader(&self) -> &ReaderCounts {
        let directory = self.session.world().directory();
        let id = directory.application("audit").expect("it is there");
        &self.counts().readers[directory.reader_of(id)]
    }
    pub(super) fn ordering(&self) -> &Ordering {
        self.observers().ordering.as_ref().expect("all are attached")
    }
    pub(super) fn place(&self) -> Place {
        let directory = self.session.world().directory();
        let id = directory.application("audit").expect("it is there");
        Place::Processor(directory.processor_of(id))
    }
    pub(super) fn find<T>(&self, question: impl FnMut(&Note) -> Option<T>) -> Vec<T> {
        self.notes.iter().filter_map(question).collect()
    }
    /// Leases as they were taken: when, which shard, by whom, how.
    pub(super) fn takings(&self) -> Vec<(SimTime, u32, u16, LeaseTaking)> {
        self.find(|note| match note.fact {
            Fact::ApplicationChanged {
                change: ApplicationChange::LeaseTaken { shard, worker, how, .. },
                ..
            } => Some((note.at, shard.0, worker, how)),
            _ => None,
        })
    }
    /// Batches as workers began with them: when, which shard, by whom, the first position, how many.
    pub(super) fn batches(&self) -> Vec<(SimTime, u32, u16, u64, usize)> {
        self.find(|note| match note.fact {
            Fact::BatchDispatched {
                shard,
                lane,
                first_position,
                ..
            } => Some((note.at, shard.0, lane, first_position, note.records.len())),
            _ => None,
        })
    }
    pub(super) fn owner(&self, shard: u32) -> Option<u16> {
        self.session
            .world()
            .applications()
            .iter()
            .next()?
            .owner_of(ShardIndex(shard))
    }
}

#[test]
fn an_application_processes_everything_once_where_nothing_fails() {
    for version in [KclVersion::One, KclVersion::Two, KclVersion::Three] {
        let mut blueprint = world(3, 120, application(version, 1));
        blueprint.producers[0].arrivals = crate::blueprint::Arrivals::Profile {
            points: vec![
                (SimDuration::ZERO, crate::engine::quantity::Rate::per_second(100)),
                (
                    SimDuration::from_secs(60),
                    crate::engine::quantity::Rate::per_second(100),
                ),
                (SimDuration::from_secs(61), crate::engine::quantity::Rate::ZERO),
            ],
            period: None,
        };
        let run = run(&blueprint);
        let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
        assert!(stored > 5_900);
        assert_eq!(run.reader().acknowledged, stored, "{version:?}");
        assert_eq!(run.reader().acknowledged_again, 0);
        assert_eq!(run.ordering().delivered(run.place()), stored);
        assert_eq!(run.reader().application.leases_new, 3);
    }
}

/// KDS-MET-16: the library's own metric, under the name of the application.
#[test]
fn kds_met_16_an_application_publishes_how_far_it_is_behind() {
    let mut audit = application(KclVersion::Two, 1);
    audit.settings.max_records = 50;
    let run = run(&world(1, 120, audit));
    let metrics = run.observers().metrics.as_ref().expect("all are attached");
    let of = crate::directory::Component::Application(crate::ids::ApplicationId(0));
    let until = SimTime::from_secs(120);
    let most = metrics.value(Metric::MillisBehindLatest, of, Statistic::Maximum, SimTime::ZERO, until);
    // 50 records every 1.5 s are a third of what comes.
    let most = most.expect("there were reads").as_f64();
    assert!((70_000.0..90_000.0).contains(&most), "{most} ms");
}

#[test]
fn an_application_stands_beside_a_mapping() {
    let mut blueprint = pipeline(2, SimDuration::from_secs(60));
    let mut reader = application(KclVersion::Two, 1);
    reader.sink = Some("orders".to_owned());
    blueprint.applications = vec![reader];
    let run = run(&blueprint);
    let readers = &run.counts().readers;
    assert_eq!(readers.len(), 2);
    assert!(readers.iter().all(|reader| reader.acknowledged > 4_500));
}
