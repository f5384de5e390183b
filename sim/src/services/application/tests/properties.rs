//! Whatever workers do: nothing is lost that retention keeps, and every key stays in order.

use super::{application, at, run, world};
use crate::blueprint::{Arrivals, Checkpointing, KclVersion, Retrieval};
use crate::command::{Command, Intervention, Operation};
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::counts::StreamCounts;
use crate::observe::fact::Fact;
use crate::observe::verdict::{Anomaly, Guarantee, Verdict};
use proptest::prelude::*;

fn commands() -> impl Strategy<Value = Intervention> {
    let audit = || "audit".to_owned();
    let command = prop_oneof![
        prop::option::of(0_u16..4).prop_map(move |worker| Command::KillWorker {
            application: audit(),
            worker
        }),
        (prop::option::of(0_u16..4), 1_u64..90).prop_map(move |(worker, lasts)| Command::PauseWorker {
            application: audit(),
            worker,
            lasts: SimDuration::from_secs(lasts),
        }),
        (1_u32..3).prop_map(move |workers| Command::StartWorkers {
            application: audit(),
            workers
        }),
        (0_u64..30, 0_u64..30, any::<bool>()).prop_map(move |(every, takes, graceful)| Command::Deploy {
            application: audit(),
            every: SimDuration::from_secs(every),
            takes: SimDuration::from_secs(takes),
            graceful,
        }),
        (2_u32..5).prop_map(|target| Command::ChangeStream {
            stream: "records".to_owned(),
            operation: Operation::UpdateShardCount { target },
        }),
    ];
    (1_u64..150, command).prop_map(|(second, command)| at(second, command))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// KDS-KCL-32: at least once. The ledgers are compared after every event by the way.
    #[test]
    fn kds_kcl_32_whatever_workers_do_every_record_is_processed_at_least_once(
        version in prop_oneof![Just(KclVersion::One), Just(KclVersion::Two), Just(KclVersion::Three)],
        shards in 1_u32..4,
        workers in 1_u32..4,
        every in prop_oneof![Just(None), (1_u64..60).prop_map(Some)],
        slow in 1_u64..3_000,
        commands in prop::collection::vec(commands(), 0..6),
        pushed in any::<bool>(),
    ) {
        let mut audit = application(version, workers);
        if pushed {
            audit.retrieval = Retrieval::FanOut;
        }
        audit.checkpoint = every.map_or(Checkpointing::EveryBatch, |span| Checkpointing::Every(SimDuration::from_secs(span)));
        audit.per_batch = crate::testing::blueprints::constant(SimDuration::from_millis(slow));
        let mut blueprint = world(shards, 900, audit);
        blueprint.producers[0].arrivals = Arrivals::Profile {
            points: vec![
                (SimDuration::ZERO, Rate::per_second(20)),
                (SimDuration::from_secs(160), Rate::per_second(20)),
                (SimDuration::from_secs(161), Rate::ZERO),
            ],
            period: None,
        };
        blueprint.interventions = commands;
        // Somebody is there in the end, whoever has died.
        let workers = Command::StartWorkers { application: "audit".to_owned(), workers: 1 };
        blueprint.interventions.push(at(200, workers));
        let run = run(&blueprint);
        let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
        prop_assert_eq!(run.reader().acknowledged, stored);
        prop_assert_eq!(run.ordering().counts(run.place()).of(Anomaly::Lost), 0);
        let order = run.ordering().verdict(Guarantee::OrderPerKey, run.place());
        prop_assert!(!matches!(order, Verdict::Violated(_)), "{:?}", order);
    }
}

/// An hour's retention that may grow to a day, deaths, a long time without anybody, and reshards meanwhile.
fn in_the_long_run() -> impl Strategy<Value = Vec<Intervention>> {
    let stream = || "records".to_owned();
    let reshard = (600_u64..9_000, 2_u32..5).prop_map(move |(second, target)| {
        let operation = Operation::UpdateShardCount { target };
        at(
            second,
            Command::ChangeStream {
                stream: stream(),
                operation,
            },
        )
    });
    let retention = (600_u64..9_000).prop_map(move |second| {
        let operation = Operation::SetRetention { hours: 24 };
        at(
            second,
            Command::ChangeStream {
                stream: stream(),
                operation,
            },
        )
    });
    let audit = || "audit".to_owned();
    let comes = (900_u64..9_500).prop_map(move |second| {
        at(
            second,
            Command::StartWorkers {
                application: audit(),
                workers: 1,
            },
        )
    });
    let dies = (300_u64..9_500).prop_map(move |second| {
        at(
            second,
            Command::KillWorker {
                application: audit(),
                worker: None,
            },
        )
    });
    let (comes, dies) = (prop::collection::vec(comes, 0..3), prop::collection::vec(dies, 1..4));
    (
        prop::collection::vec(reshard, 0..3),
        prop::option::of(retention),
        comes,
        dies,
    )
        .prop_map(|(mut all, retention, comes, dies)| {
            all.extend(retention);
            all.extend(comes);
            all.extend(dies);
            all
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// KDS-MOD-13, KDS-RET-08, KDS-RET-09: an application that comes too late gets what is left, and the rest is counted:
    /// no record is delivered after its expiry, and none is neither processed nor counted.
    #[test]
    fn kds_ret_09_what_an_application_does_not_get_in_time_has_expired(
        version in prop_oneof![Just(KclVersion::Two), Just(KclVersion::Three)],
        shards in 1_u32..4,
        every in prop_oneof![Just(None), (60_u64..2_000).prop_map(Some)],
        interventions in in_the_long_run(),
        pushed in any::<bool>(),
    ) {
        let mut audit = application(version, 1);
        if pushed {
            audit.retrieval = Retrieval::FanOut;
        }
        audit.checkpoint = every.map_or(Checkpointing::EveryBatch, |span| Checkpointing::Every(SimDuration::from_secs(span)));
        let mut blueprint = world(shards, 11_000, audit);
        blueprint.streams[0].retention_hours = 1;
        let rate = Rate { count: 20, per: SimDuration::from_secs(60) };
        blueprint.producers[0].arrivals = Arrivals::Profile {
            points: vec![
                (SimDuration::ZERO, rate),
                (SimDuration::from_secs(9_000), rate),
                (SimDuration::from_secs(9_001), Rate::ZERO),
            ],
            period: None,
        };
        // Nothing is asked of retention but to grow.
        let grows = |one: &&Intervention| matches!(
            one.command,
            Command::ChangeStream { operation: Operation::SetRetention { .. }, .. }
        );
        let longer_from = interventions.iter().find(grows).map_or(SimTime::NEVER, |one| one.at);
        blueprint.interventions = interventions;
        let workers = Command::StartWorkers { application: "audit".to_owned(), workers: 1 };
        blueprint.interventions.push(at(9_600, workers));
        let run = run(&blueprint);
        for note in &run.notes {
            if matches!(note.fact, Fact::GetRecordsHandled { .. } | Fact::SubscriptionEventPushed { .. }) && note.at < longer_from {
                let oldest = note.records.iter().map(|record| note.at.since(record.arrived_at)).max();
                prop_assert!(oldest < Some(SimDuration::from_hours(1)), "{:?}", oldest);
            }
        }
        let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
        let expired = run.reader().expired_unread + run.reader().expired_in_retry;
        prop_assert_eq!(run.reader().acknowledged + expired, stored);
        prop_assert_eq!(run.ordering().counts(run.place()).of(Anomaly::Lost), expired);
        let order = run.ordering().verdict(Guarantee::OrderPerKey, run.place());
        prop_assert!(!matches!(order, Verdict::Violated(_)), "{:?}", order);
    }
}
