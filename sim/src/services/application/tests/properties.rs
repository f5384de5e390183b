//! Whatever workers do: nothing is lost that retention keeps, and every key stays in order.

use super::{application, at, run, world};
use crate::blueprint::{Arrivals, Checkpointing, KclVersion};
use crate::command::{Command, Intervention, Operation};
use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;
use crate::observe::counts::StreamCounts;
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
    ) {
        let mut audit = application(version, workers);
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
