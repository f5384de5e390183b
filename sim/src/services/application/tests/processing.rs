//! What becomes of a batch, and what happens at the end of a shard.

use super::{Run, application, at, run, world};
use crate::blueprint::{Arrivals, Checkpointing, InitialPosition, KclVersion};
use crate::command::{Command, Operation};
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::observe::counts::StreamCounts;
use crate::observe::fact::{DiscardReason, Fact};
use crate::observe::verdict::{Anomaly, Guarantee, Verdict};
use crate::testing::blueprints::sink;

/// KDS-KCL-34: the batch is skipped, the next one is processed, and nobody comes back to it.
#[test]
fn kds_kcl_34_a_batch_whose_processing_throws_is_skipped() {
    let mut audit = application(KclVersion::Two, 1);
    audit.failure_rate = Ratio::new(1, 4);
    let run = run(&world(1, 120, audit));
    let skipped = run.reader().application.batches_skipped;
    assert!(skipped > 8, "{skipped}");
    let mut next = 0;
    for (_, _, _, first, records) in run.batches() {
        assert_eq!(first, next, "each batch once");
        next += u64::try_from(records).expect("few");
    }
    let discarded = run.find(|note| match note.fact {
        Fact::RecordsDiscarded { reason, .. } => Some((reason, note.records.len())),
        _ => None,
    });
    assert!(
        discarded
            .iter()
            .all(|(reason, _)| *reason == DiscardReason::ProcessingFailed)
    );
    let lost = run.ordering().counts(run.place()).of(Anomaly::Lost);
    assert_eq!(lost, run.reader().discarded);
    assert_eq!(
        lost,
        run.reader().application.records_skipped,
        "every one has been passed by a checkpoint"
    );
    assert!(matches!(
        run.ordering().verdict(Guarantee::NoLoss, run.place()),
        Verdict::Violated(_)
    ));
}

#[test]
fn records_take_effect_in_the_sink_and_the_record_processor_waits_for_it() {
    let mut audit = application(KclVersion::Two, 1);
    audit.sink = Some("orders".to_owned());
    let mut blueprint = world(1, 60, audit);
    blueprint.sinks = vec![sink("orders")];
    blueprint.sinks[0].capacity = Some(Rate::per_second(50));
    let run = run(&blueprint);
    let counts = run.counts();
    let delivered = counts.sinks.iter().map(|sink| sink.delivered).sum::<u64>();
    assert_eq!(delivered, run.reader().acknowledged);
    assert!((2_000..3_000).contains(&delivered), "50 a second: {delivered}");
    let latency = run.observers().latency.as_ref().expect("all are attached").end_to_end();
    assert!(
        latency.max() > Some(SimDuration::from_secs(20)),
        "half of what comes waits"
    );
}

/// A split in the middle of a run.
fn split(version: KclVersion, seconds: u64) -> Run {
    let mut blueprint = world(2, seconds, application(version, 2));
    let split = Command::ChangeStream {
        stream: "records".to_owned(),
        operation: Operation::UpdateShardCount { target: 4 },
    };
    blueprint.interventions = vec![at(60, split)];
    run(&blueprint)
}

/// KDS-KCL-26, KDS-KCL-27: parents first, children from their first record, every key in order.
#[test]
fn kds_kcl_27_a_child_begins_at_its_first_record_when_its_parent_is_done() {
    for version in [KclVersion::Two, KclVersion::Three] {
        let run = split(version, 300);
        let batches = run.batches();
        let last_of = |shard: u32| {
            batches
                .iter()
                .rfind(|(_, of, ..)| *of == shard)
                .expect("it was processed")
                .0
        };
        for (child, parent) in [(2, 0), (3, 0), (4, 1), (5, 1)] {
            let first = batches
                .iter()
                .find(|(_, of, ..)| *of == child)
                .expect("it is processed");
            assert_eq!(first.3, 0, "TRIM_HORIZON");
            assert!(
                first.0 > last_of(parent),
                "{version:?}: shard {child} before the end of shard {parent}"
            );
        }
        assert!(run.ordering().verdict(Guarantee::OrderPerKey, run.place()) == Verdict::Holds);
        let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
        assert!(run.reader().acknowledged + 400 > stored);
    }
}

/// KDS-KCL-28: the leases of done parents go five minutes later.
#[test]
fn kds_kcl_28_the_lease_of_a_done_parent_is_deleted_later() {
    let early = split(KclVersion::Two, 300);
    assert!(early.owner(0).is_some(), "done, but not yet looked for");
    let late = split(KclVersion::Two, 480);
    assert_eq!((late.owner(0), late.owner(1)), (None, None));
    assert!(late.owner(2).is_some());
}

/// KDS-KCL-45: an application that starts after a split leases the shards that its position asks for.
#[test]
fn kds_kcl_45_a_new_application_leases_what_is_open_at_its_position() {
    let begun = |position: InitialPosition| -> Vec<u32> {
        let mut audit = application(KclVersion::Two, 1);
        audit.starts_at = SimTime::from_secs(120);
        audit.initial_position = position;
        let mut blueprint = world(1, 124, audit);
        let split = Command::ChangeStream {
            stream: "records".to_owned(),
            operation: Operation::UpdateShardCount { target: 2 },
        };
        blueprint.interventions = vec![at(30, split)];
        let run = run(&blueprint);
        run.takings().into_iter().map(|(_, shard, ..)| shard).take(2).collect()
    };
    assert_eq!(
        begun(InitialPosition::TrimHorizon),
        [0],
        "its children follow when it is done"
    );
    assert_eq!(begun(InitialPosition::AtTimestamp(SimTime::from_secs(20))), [0]);
    let mut open = begun(InitialPosition::Latest);
    open.sort_unstable();
    assert_eq!(open, [1, 2]);
}

/// KDS-R-18: a closed shard is read like an open one, to its end.
#[test]
fn kds_r_18_a_closed_shard_is_read_from_any_position() {
    let mut audit = application(KclVersion::Two, 1);
    audit.starts_at = SimTime::from_secs(120);
    let mut blueprint = world(1, 200, audit);
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(20));
    let split = Command::ChangeStream {
        stream: "records".to_owned(),
        operation: Operation::UpdateShardCount { target: 2 },
    };
    blueprint.interventions = vec![at(30, split)];
    let run = run(&blueprint);
    let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
    assert!(run.reader().acknowledged + 100 > stored, "the closed parent included");
}

/// An application that is behind by more than the retention loses what has expired, and says so.
#[test]
fn what_expires_before_it_is_processed_is_lost_to_the_application() {
    let mut audit = application(KclVersion::Two, 1);
    audit.checkpoint = Checkpointing::Every(SimDuration::from_secs(60));
    let mut blueprint = world(1, 9_000, audit);
    blueprint.streams[0].retention_hours = 1;
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate {
        count: 20,
        per: SimDuration::from_secs(60),
    });
    let workers = Command::StartWorkers {
        application: "audit".to_owned(),
        workers: 1,
    };
    blueprint.interventions = vec![super::kill(600, None), at(6_000, workers)];
    let run = run(&blueprint);
    let gone = run.reader().expired_unread + run.reader().expired_in_retry;
    assert!((500..700).contains(&gone), "half an hour of them: {gone}");
    assert_eq!(run.ordering().counts(run.place()).of(Anomaly::Lost), gone);
}

/// Two shards of which the second is split, and one of its children merged with the first. The first is done long before
/// the second, so its lease is all that tells of the merge for more than five minutes.
#[test]
fn kds_kcl_28_a_merge_is_read_however_late_the_second_of_its_parents_is_done() {
    let mut audit = application(KclVersion::Two, 1);
    audit.per_record = SimDuration::from_millis(500);
    let mut blueprint = world(2, 1_500, audit);
    let until = SimDuration::from_secs(130);
    blueprint.producers[0].arrivals = Arrivals::Profile {
        points: vec![
            (SimDuration::ZERO, Rate::per_second(20)),
            (until, Rate::per_second(20)),
            (until + SimDuration::SECOND, Rate::ZERO),
        ],
        period: None,
    };
    if let crate::blueprint::Keys::Weighted(keys) = &mut blueprint.producers[0].keys {
        for key in &mut keys[4..] {
            key.weight = 100.0;
        }
    }
    let change = |second, operation| {
        at(
            second,
            Command::ChangeStream {
                stream: "records".to_owned(),
                operation,
            },
        )
    };
    let (first, second, lower) = (ShardIndex(0), ShardIndex(1), ShardIndex(2));
    blueprint.interventions = vec![
        change(
            30,
            Operation::SplitShard {
                shard: Some(second),
                at: None,
            },
        ),
        change(70, Operation::MergeShards { shards: [first, lower] }),
    ];
    let run = run(&blueprint);
    let begun = |shard: u32| {
        let found = run.batches().into_iter().find(|(_, of, ..)| *of == shard);
        found.expect("it is processed").0
    };
    assert!(
        begun(4) > SimTime::from_secs(420),
        "five minutes after the first parent"
    );
    let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
    assert_eq!(run.reader().acknowledged, stored);
}

/// KDS-KPL-03, KDS-KCL-36: the record processor gets user records, and checkpoints are of Kinesis records.
#[test]
fn aggregated_records_are_taken_apart_before_they_are_processed() {
    for with_sink in [false, true] {
        let mut audit = application(KclVersion::Two, 2);
        audit.sink = with_sink.then(|| "orders".to_owned());
        audit.checkpoint = Checkpointing::Every(SimDuration::from_secs(10));
        audit.failure_rate = Ratio::new(1, 50);
        let mut blueprint = world(2, 240, audit);
        blueprint.sinks = vec![sink("orders")];
        blueprint.producers[0].library = Some(crate::blueprint::ProducerLibrary::defaults(
            crate::profile::Profile::Current,
        ));
        let (application, worker) = ("audit".to_owned(), Some(1));
        let lasts = SimDuration::from_secs(60);
        blueprint.interventions = vec![
            at(
                50,
                Command::PauseWorker {
                    application: application.clone(),
                    worker,
                    lasts,
                },
            ),
            at(
                150,
                Command::KillWorker {
                    application,
                    worker: None,
                },
            ),
        ];
        let run = run(&blueprint);
        let place = if with_sink {
            crate::observe::ordering::Place::Sink(crate::ids::SinkId(0))
        } else {
            run.place()
        };
        let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
        let delivered = run.ordering().delivered(place);
        assert!(delivered > 5 * stored, "{delivered} user records in {stored}");
        let lost = run.ordering().counts(run.place()).of(Anomaly::Lost);
        assert!(
            lost > run.reader().discarded,
            "{lost} user records in those that were skipped"
        );
        assert!(run.ordering().counts(place).of(Anomaly::Duplicate) > run.reader().acknowledged_again);
    }
}
