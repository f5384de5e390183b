//! Workers die, stand still, come and go.

use super::{Run, application, at, kill, run, world};
use crate::blueprint::{Blueprint, Checkpointing, KclVersion};
use crate::command::Command;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::counts::StreamCounts;
use crate::observe::fact::{ApplicationChange, Fact, LeaseTaking};
use crate::observe::verdict::{Anomaly, Guarantee, Verdict};

fn name() -> String {
    "audit".to_owned()
}
fn seconds(from: SimTime, to: SimTime) -> f64 {
    f64::from(u32::try_from(to.since(from).as_millis()).expect("short")) / 1_000.0
}
/// From the death of the only other worker to the take-over of its last lease, for deaths spread over a round.
fn failover_times(version: KclVersion, victim: u16) -> Vec<f64> {
    let mut times = Vec::new();
    for tenths in (0..200).step_by(13) {
        let mut blueprint = world(4, 180, application(version, 2));
        blueprint.producers[0].arrivals = crate::blueprint::Arrivals::Constant(Rate::per_second(8));
        let mut death = kill(100, Some(victim));
        death.at = SimTime::from_secs(100) + SimDuration::from_millis(tenths * 100);
        let died = death.at;
        blueprint.interventions = vec![death];
        let run = run(&blueprint);
        let after = run.takings().into_iter().filter(|(when, ..)| *when > died);
        let taken: Vec<_> = after.filter(|(.., how)| *how == LeaseTaking::Expired).collect();
        assert!(!taken.is_empty(), "nobody took over");
        for (when, ..) in taken {
            times.push(seconds(died, when));
        }
    }
    times
}

/// KDS-KCL-05, KDS-KCL-08, KDS-MOD-15: the counter must be seen unchanged in two scans 20.05 s apart.
#[test]
fn kds_mod_15_a_survivor_takes_over_within_17_to_40_seconds() {
    let times = failover_times(KclVersion::Two, 1);
    for time in &times {
        assert!((16.7..=40.2).contains(time), "{time} s");
    }
    let mean = times.iter().sum::<f64>() / f64::from(u32::try_from(times.len()).expect("few"));
    assert!((25.0..31.0).contains(&mean), "{mean} s on average");
}

/// KDS-KCL-12, KDS-MOD-15: the leader judges in the same way, in runs 20 s apart.
#[test]
fn kds_kcl_12_the_leader_assigns_the_leases_of_a_dead_worker_within_17_to_40_seconds() {
    for time in failover_times(KclVersion::Three, 1) {
        assert!((16.7..=40.2).contains(&time), "{time} s");
    }
}

/// A worker of two dies at 100 s.
fn crash(checkpoint: Checkpointing) -> Run {
    let mut audit = application(KclVersion::Two, 2);
    audit.checkpoint = checkpoint;
    let mut blueprint = world(2, 200, audit);
    blueprint.interventions = vec![kill(100, Some(1))];
    run(&blueprint)
}

/// KDS-KCL-32: what was processed after the last checkpoint is processed again.
#[test]
fn kds_kcl_32_processing_resumes_at_the_last_checkpoint() {
    let sparse = crash(Checkpointing::Every(SimDuration::from_secs(10)));
    let dense = crash(Checkpointing::EveryBatch);
    let (again, once) = (sparse.reader().acknowledged_again, dense.reader().acknowledged_again);
    assert!(
        again > 100 && again > once * 2,
        "{again} against {once} processed again"
    );
    let duplicates = sparse.ordering().counts(sparse.place()).of(Anomaly::Duplicate);
    assert_eq!(
        duplicates, again,
        "every one of them is a duplicate where it takes effect"
    );
    for run in [&sparse, &dense] {
        let after = run
            .takings()
            .into_iter()
            .find(|(when, ..)| *when > SimTime::from_secs(100));
        let (taken_at, shard, heir, _) = after.expect("somebody takes over");
        let advanced = run.find(|note| match note.fact {
            Fact::CheckpointAdvanced {
                shard: of, position, ..
            } if of.0 == shard && note.at < taken_at => Some(position),
            _ => None,
        });
        let last = *advanced.last().expect("there were checkpoints");
        let first = run
            .batches()
            .into_iter()
            .find(|&(when, of, by, ..)| when > taken_at && of == shard && by == heir);
        assert_eq!(first.map(|(_, _, _, position, _)| position), Some(last));
        assert!(run.ordering().verdict(Guarantee::OrderPerKey, run.place()) == Verdict::Holds);
    }
}

/// KDS-DUP-01, KDS-DUP-03: a death, more workers, a deployment: each makes record processors start anew.
#[test]
fn kds_dup_03_consumers_repeat_records_when_workers_die_come_and_are_deployed() {
    let again = |command: Option<Command>| {
        let mut audit = application(KclVersion::Two, 2);
        audit.checkpoint = Checkpointing::Every(SimDuration::from_secs(30));
        let mut blueprint = world(4, 240, audit);
        blueprint.interventions = command.map(|command| at(110, command)).into_iter().collect();
        let run = run(&blueprint);
        run.find(|note| match note.fact {
            Fact::BatchAcknowledged { again, .. } if note.at > SimTime::from_secs(110) => Some(u64::from(again)),
            _ => None,
        })
        .into_iter()
        .sum::<u64>()
    };
    assert_eq!(again(None), 0, "nothing moves");
    let (application, worker) = (name(), None);
    assert!(again(Some(Command::KillWorker { application, worker })) > 0);
    let (application, workers) = (name(), 2);
    assert!(again(Some(Command::StartWorkers { application, workers })) > 0);
    let deploy = Command::Deploy {
        application: name(),
        every: SimDuration::from_secs(20),
        takes: SimDuration::from_secs(5),
        graceful: false,
    };
    assert!(again(Some(deploy)) > 0);
}

/// A worker that was asked to stop checkpoints what it has done.
#[test]
fn a_graceful_deployment_repeats_nothing() {
    let mut audit = application(KclVersion::Two, 1);
    audit.checkpoint = Checkpointing::Every(SimDuration::from_secs(30));
    let mut blueprint = world(4, 240, audit);
    let deploy = Command::Deploy {
        application: name(),
        every: SimDuration::from_secs(20),
        takes: SimDuration::from_secs(5),
        graceful: true,
    };
    blueprint.interventions = vec![at(110, deploy)];
    let run = run(&blueprint);
    assert_eq!(run.reader().acknowledged_again, 0);
    let counts = &run.reader().application;
    assert_eq!(
        (counts.leases_failed_over, counts.leases_moved),
        (3, 1),
        "the leases stay in the old name until they expire, or are stolen from it"
    );
    assert!(run.reader().acknowledged > 20_000);
}

/// A worker of two stands still for 60 s in the middle of a batch, while the other takes its lease over.
fn zombie() -> Run {
    let mut audit = application(KclVersion::Two, 2);
    audit.per_batch = crate::testing::blueprints::constant(SimDuration::from_millis(1_400));
    let mut blueprint = world(2, 260, audit);
    let pause = Command::PauseWorker {
        application: name(),
        worker: Some(1),
        lasts: SimDuration::from_secs(60),
    };
    blueprint.interventions = vec![at(100, pause)];
    run(&blueprint)
}

#[test]
fn kds_kcl_33_a_worker_that_stood_still_overlaps_with_its_successor() {
    let run = zombie();
    let taken = run
        .takings()
        .into_iter()
        .find(|(when, ..)| *when > SimTime::from_secs(100));
    let (taken_at, shard, heir, how) = taken.expect("the other takes over");
    assert_eq!((heir, how), (0, LeaseTaking::Expired));
    let effects = run.find(|note| match note.fact {
        Fact::BatchAcknowledged {
            shard: of,
            lane,
            again,
            records,
            ..
        } if of.0 == shard && note.at > taken_at => Some((note.at, lane, again, records)),
        _ => None,
    });
    let late = effects
        .iter()
        .find(|(_, lane, ..)| *lane == 1)
        .expect("the old owner ends its batch");
    assert!(late.0 >= SimTime::from_secs(160), "when it goes on");
    assert_eq!(late.2, late.3, "all of it was done by its successor before");
    assert!(effects.iter().any(|(when, lane, ..)| *lane == 0 && *when < late.0));
    let by_the_old_one = effects
        .iter()
        .filter(|(when, lane, ..)| *lane == 1 && *when < SimTime::from_secs(161));
    assert_eq!(
        by_the_old_one.count(),
        1,
        "one batch, no more, before it may take a lease again"
    );
}

#[test]
fn kds_kcl_31_a_checkpoint_of_a_worker_that_lost_the_lease_is_refused() {
    let run = zombie();
    let taken = run
        .takings()
        .into_iter()
        .find(|(when, ..)| *when > SimTime::from_secs(100));
    let (_, shard, ..) = taken.expect("the other takes over");
    // The old owner ends a batch far behind its successor. Its checkpoint would pull the lease back.
    let mut highest = 0;
    for position in run.find(|note| match note.fact {
        Fact::CheckpointAdvanced {
            shard: of, position, ..
        } if of.0 == shard => Some(position),
        _ => None,
    }) {
        assert!(position > highest);
        highest = position;
    }
    let lost = run.find(|note| match note.fact {
        Fact::ApplicationChanged {
            change: ApplicationChange::LeaseLost {
                shard: of, worker: 1, ..
            },
            ..
        } if of.0 == shard => Some(note.at),
        _ => None,
    });
    assert!(lost.first() >= Some(&SimTime::from_secs(160)), "{lost:?}");
}

#[test]
fn kds_kcl_35_surplus_workers_are_idle() {
    for version in [KclVersion::Two, KclVersion::Three] {
        let run = run(&world(2, 120, application(version, 5)));
        let mut busy: Vec<u16> = run
            .batches()
            .into_iter()
            .filter(|(when, ..)| *when > SimTime::from_secs(60))
            .map(|(_, _, worker, ..)| worker)
            .collect();
        busy.sort_unstable();
        busy.dedup();
        assert_eq!(busy.len(), 2, "{version:?}");
    }
}

/// KDS-KCL-01: whoever processes a shard owns its lease, and a worker may own several.
#[test]
fn kds_kcl_01_each_shard_has_one_owner_who_processes_it() {
    let run = run(&world(5, 120, application(KclVersion::Two, 2)));
    let mut owned = [0, 0];
    for shard in 0..5 {
        let owner = run.owner(shard).expect("every shard has one");
        owned[usize::from(owner)] += 1;
        let last = run.batches().into_iter().rfind(|(_, of, ..)| *of == shard);
        assert_eq!(last.map(|(_, _, worker, ..)| worker), Some(owner));
    }
    owned.sort_unstable();
    assert_eq!(owned, [2, 3]);
}

/// KDS-KCL-10: the new worker steals one lease of the most loaded one in each round of 20.05 s.
#[test]
fn kds_kcl_10_a_new_worker_steals_one_lease_a_round() {
    let mut blueprint = world(8, 200, application(KclVersion::Two, 1));
    let (application, workers) = (name(), 1);
    blueprint.interventions = vec![at(60, Command::StartWorkers { application, workers })];
    let run = run(&blueprint);
    let stolen: Vec<SimTime> = run
        .takings()
        .into_iter()
        .filter(|(.., how)| *how == LeaseTaking::Moved)
        .map(|(when, ..)| when)
        .collect();
    assert_eq!(stolen.len(), 4, "until both have four");
    for pair in stolen.windows(2) {
        assert_eq!(pair[1].since(pair[0]).as_millis(), 20_050);
    }
}

/// What an application of two workers and six leases reads and writes in its table each second.
fn table_load(version: KclVersion, checkpoint: Checkpointing) -> (f64, f64) {
    let mut audit = application(version, 2);
    audit.checkpoint = checkpoint;
    let mut blueprint = world(6, 500, audit);
    blueprint.producers[0].arrivals = crate::blueprint::Arrivals::Constant(Rate::per_second(40));
    let run = run(&blueprint);
    let (mut reads, mut writes) = (0, 0);
    for note in &run.notes {
        if let Fact::ApplicationChanged {
            change:
                ApplicationChange::LeaseTableUsed {
                    rows_read,
                    rows_written,
                    ..
                },
            ..
        } = note.fact
            && note.at >= SimTime::from_secs(100)
        {
            reads += rows_read;
            writes += rows_written;
        }
    }
    (f64::from(reads) / 400.0, f64::from(writes) / 400.0)
}

fn about(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 0.06
}

#[test]
fn kds_kcl_39_leases_checkpoints_and_metrics_are_written() {
    let (_, two) = table_load(KclVersion::Two, Checkpointing::Never);
    assert!(about(two, 6.0 / 3.308));
    let (_, three) = table_load(KclVersion::Three, Checkpointing::Never);
    // Beside the metrics of two workers every 30 s the leader renews its lock.
    assert!(about(three, 6.0 / 3.308 + 3.0 / 30.0));
    let (_, with_checkpoints) = table_load(KclVersion::Two, Checkpointing::EveryBatch);
    let batches = 6.0 / 1.512; // nearly every read finds something
    assert!(about(with_checkpoints, 6.0 / 3.308 + batches));
}

#[test]
fn kds_kcl_40_every_worker_scans_in_2x_and_only_the_leader_in_3x() {
    let (two, _) = table_load(KclVersion::Two, Checkpointing::Never);
    assert!(about(two, 2.0 * 6.0 / 20.05));
    let (three, _) = table_load(KclVersion::Three, Checkpointing::Never);
    // The leader's scan, both looks at the lock, and each worker's own leases in the index.
    assert!(about(three, 6.0 / 20.0 + 2.0 / 20.0 + 6.0 / 9.975));
}

#[test]
fn a_dead_application_loses_nothing_while_retention_lasts() {
    let mut audit = application(KclVersion::Two, 1);
    audit.settings.max_records = 1_000;
    let mut blueprint: Blueprint = world(2, 400, audit);
    let (application, workers) = (name(), 1);
    blueprint.interventions = vec![kill(60, None), at(200, Command::StartWorkers { application, workers })];
    let run = run(&blueprint);
    let stored = run.counts().streams.iter().map(StreamCounts::accepted).sum::<u64>();
    assert!(run.reader().acknowledged + 400 > stored, "it has caught up");
    assert!(run.reader().max_millis_behind > 140_000);
    assert_eq!(run.ordering().counts(run.place()).of(Anomaly::Lost), 0);
}

/// A worker gets a lease back while it still processes a batch of its earlier tenure: when that is done, the new tenure
/// begins, and the lease stays where it is.
#[test]
fn a_worker_keeps_a_lease_that_it_has_got_back_while_it_was_busy() {
    let mut regained = 0;
    for seed in 0..10 {
        let mut audit = application(KclVersion::Two, 2);
        audit.per_batch = crate::testing::blueprints::constant(SimDuration::from_secs(90));
        let mut blueprint = world(2, 400, audit);
        blueprint.producers[0].arrivals = crate::blueprint::Arrivals::Constant(Rate::per_second(8));
        let pause = Command::PauseWorker {
            application: name(),
            worker: Some(1),
            lasts: SimDuration::from_secs(50),
        };
        blueprint.seed = seed;
        blueprint.interventions = vec![at(100, pause)];
        let run = run(&blueprint);
        let events = run.find(|note| match note.fact {
            Fact::ApplicationChanged {
                change: ApplicationChange::LeaseLost { shard, worker: 1 },
                ..
            } => Some((note.at, shard.0, false)),
            Fact::ApplicationChanged {
                change: ApplicationChange::LeaseTaken { shard, worker: 1, .. },
                ..
            } => Some((note.at, shard.0, true)),
            _ => None,
        });
        let Some(lost) = events.iter().position(|(_, _, taken)| !taken) else {
            continue;
        };
        let after = &events[lost + 1..];
        let back = after
            .iter()
            .find(|(_, shard, taken)| *taken && *shard == events[lost].1);
        if let Some(back) = back {
            regained += 1;
            assert!(!after.iter().any(|(_, _, taken)| !taken), "{events:?}");
            let begun = run
                .batches()
                .into_iter()
                .find(|(when, shard, worker, ..)| *when > back.0 && *shard == back.1 && *worker == 1);
            assert!(begun.is_some(), "its new tenure begins");
        }
    }
    assert!(regained > 0, "it happens");
}
