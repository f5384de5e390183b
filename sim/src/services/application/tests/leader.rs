//! 3.x: the leader and what it assigns.

use super::{Run, application, at, kill, run, world};
use crate::blueprint::{Arrivals, Checkpointing, KclVersion};
use crate::command::Command;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{ApplicationChange, Fact, LeaseTaking};

/// KDS-KCL-13: after the assignment a worker finds its lease within 10 s.
#[test]
fn kds_kcl_13_a_worker_finds_what_it_was_given_within_ten_seconds() {
    let mut blueprint = world(4, 200, application(KclVersion::Three, 3));
    blueprint.interventions = vec![kill(100, Some(2))];
    let run = run(&blueprint);
    let given = run
        .takings()
        .into_iter()
        .filter(|(when, _, _, how)| *when > SimTime::from_secs(100) && *how == LeaseTaking::Expired);
    for (given_at, shard, worker, _) in given {
        let first = run
            .batches()
            .into_iter()
            .find(|&(when, of, by, ..)| when > given_at && of == shard && by == worker);
        let waited = first.expect("it is processed").0.since(given_at);
        // Discovery, a dispatch interval, an iterator and a read.
        assert!(waited <= SimDuration::from_millis(9_975 + 1_000 + 100), "{waited}");
    }
}

/// KDS-KCL-14: only the leader gives leases, each run the free ones, and it balances in every third run.
#[test]
fn kds_kcl_14_load_is_balanced_in_every_third_run() {
    let mut blueprint = world(6, 300, application(KclVersion::Three, 1));
    let (application, workers) = ("audit".to_owned(), 1);
    blueprint.interventions = vec![at(30, Command::StartWorkers { application, workers })];
    let run = run(&blueprint);
    let moved: Vec<SimTime> = run
        .takings()
        .into_iter()
        .filter(|(.., how)| *how == LeaseTaking::Moved)
        .map(|(when, ..)| when)
        .collect();
    assert!(!moved.is_empty());
    let began = run.takings()[0].0;
    for when in moved {
        let runs = when.since(began).as_millis() / 20_000;
        assert_eq!(when.since(began).as_millis() % 20_000, 0, "in a run of the leader");
        assert_eq!((runs + 1) % 3, 0, "run {}", runs + 1);
    }
    let mine = (0..6).filter(|shard| run.owner(*shard) == Some(0)).count();
    assert_eq!(mine, 3, "both have the same load in the end");
}

/// KDS-KCL-15, KDS-KCL-16: it is throughput that is balanced, not the number of leases.
#[test]
fn kds_kcl_16_load_is_what_flows_not_the_number_of_leases() {
    let mut blueprint = world(4, 400, application(KclVersion::Three, 2));
    // One shard gets as much as the three others together.
    let hot = crate::blueprint::Keys::Weighted(
        (0_u32..4)
            .map(|number| crate::blueprint::WeightedKey {
                text: format!("key-{number}"),
                weight: if number == 0 { 3.0 } else { 1.0 },
                explicit_hash_key: Some(u128::from(number) << 126),
            })
            .collect(),
    );
    blueprint.producers[0].keys = hot;
    let run = run(&blueprint);
    let owner = run.owner(0);
    let beside = (1..4).filter(|shard| run.owner(*shard) == owner).count();
    assert_eq!(beside, 0, "the busy shard has a worker for itself");
}

/// Leases move from one worker to a second one that comes later.
fn moving(graceful: bool) -> Run {
    let mut audit = application(KclVersion::Three, 1);
    audit.checkpoint = Checkpointing::Never;
    audit.settings.graceful_lease_handoff = graceful;
    let mut blueprint = world(6, 200, audit);
    let (application, workers) = ("audit".to_owned(), 1);
    blueprint.interventions = vec![at(30, Command::StartWorkers { application, workers })];
    run(&blueprint)
}

#[test]
fn kds_kcl_17_a_graceful_hand_over_lets_the_old_owner_checkpoint() {
    let (graceful, abrupt) = (moving(true), moving(false));
    assert!(graceful.reader().application.leases_moved > 0);
    assert_eq!(graceful.reader().acknowledged_again, 0);
    assert!(abrupt.reader().acknowledged_again > 1_000);
}

#[test]
fn kds_kcl_18_two_settings_mean_nothing_in_3x() {
    let fingerprint = |steal: u32, priority: bool| {
        let mut audit = application(KclVersion::Three, 2);
        audit.settings.max_leases_to_steal_at_one_time = steal;
        audit.settings.priority_lease_assignment = priority;
        let mut blueprint = world(6, 120, audit);
        blueprint.interventions = vec![kill(50, Some(1))];
        run(&blueprint).session.fingerprint()
    };
    assert_eq!(fingerprint(1, true), fingerprint(10, false));
}

/// KDS-KCL-19: its lock is good for 120 s after its last heartbeat, of which there is one every 30 s.
#[test]
fn kds_kcl_19_a_dead_leader_is_replaced_after_its_lock_has_run_out() {
    for second in [100, 111, 122] {
        let mut blueprint = world(4, 400, application(KclVersion::Three, 2));
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(8));
        blueprint.interventions = vec![kill(second, Some(0))];
        let run = run(&blueprint);
        let died = SimTime::from_secs(second);
        let taken = run.takings().into_iter().find(|(when, ..)| *when > died);
        let waited = taken.expect("somebody leads").0.since(died);
        // The lock is seen unchanged for longer than 120 s, then the leases for longer than 10 s, in runs 20 s apart.
        let (least, most) = (SimDuration::from_secs(100), SimDuration::from_secs(200));
        assert!(waited >= least && waited <= most, "{waited}");
        assert!(
            run.find(|note| matches!(
                note.fact,
                Fact::ApplicationChanged {
                    change: ApplicationChange::LeaseTaken { worker: 1, .. },
                    ..
                }
            )
            .then_some(()))
                .len()
                >= 4
        );
    }
}
