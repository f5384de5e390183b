//! A mapping that is switched off and on, and pollers that take over from each other.

use super::failures::outcomes;
use super::retries::{all_done, given_up, tried};
use super::*;
use crate::blueprint::StartingPosition;
use crate::observe::fact::MappingChange;

const CHANGE: SimDuration = SimDuration::from_secs(10);

fn setup() -> Setup {
    let mut setup = Setup::new();
    setup.model.mapping_creation_delay = CHANGE;
    setup
}
/// Runs until an instant and asks for Enabled to be changed there.
fn switch(bench: &mut Bench, second: u64, enabled: bool) {
    bench.run_for(second);
    bench
        .harness
        .apply(|(me, mapping), cx| mapping.set_enabled(*me, enabled, cx));
}
fn seen(bench: &Bench) -> Vec<u32> {
    bench.invocations.iter().flat_map(Invocation::ordinals).collect()
}
/// Instants in seconds at which the mapping read or invoked.
fn acts(bench: &Bench) -> impl Iterator<Item = SimTime> + '_ {
    let reads = bench.reads.iter().map(|(at, _)| *at);
    reads.chain(bench.invocations.iter().map(|one| one.at))
}

/// LAM-K-18: both changes are in effect some time after they are asked for.
#[test]
fn lam_e_13_switched_off_a_mapping_neither_reads_nor_invokes_and_then_goes_on_behind_what_is_done() {
    let mut bench = setup().build();
    for second in 0..100 {
        bench.store_many(SimTime::from_secs(second), 1);
    }
    switch(&mut bench, 20, false);
    switch(&mut bench, 60, true);
    bench.run_for(110);
    let (off, on) = (SimTime::from_secs(20) + CHANGE, SimTime::from_secs(60) + CHANGE);
    assert!(acts(&bench).any(|at| at > SimTime::from_secs(28) && at < off));
    assert!(
        acts(&bench).all(|at| at <= off + SimDuration::from_millis(100) || at >= on),
        "nothing in between"
    );
    assert!(acts(&bench).any(|at| at < on + SECOND));
    assert_eq!(seen(&bench), (0..100).collect::<Vec<_>>(), "each once, in order");
    all_done(&bench, 100);
    let switches = bench.harness.find(|note| match note.fact {
        Fact::MappingChanged {
            change: MappingChange::Switched { enabled },
            ..
        } => Some((note.at, enabled)),
        _ => None,
    });
    assert_eq!(switches, [(off, false), (on, true)]);
}

/// Asking for what is so changes nothing, and does not begin anew.
#[test]
fn lam_e_13_a_mapping_that_is_on_stays_on() {
    let mut bench = setup().build();
    bench.store_many(millis(0), 3);
    switch(&mut bench, 5, true);
    bench.run_for(30);
    assert_eq!(tried(&bench), [vec![0, 1, 2]]);
    assert!(
        bench.gaps(0).iter().all(|&gap| gap >= 900),
        "the rate of polls is the same"
    );
}

/// A batch in the function's hands is done; one that fails there waits, and has its retries left.
#[test]
fn lam_e_13_what_the_function_works_on_ends_and_retries_wait() {
    let mut setup = setup();
    setup.blueprint.batch_size = 2;
    setup.blueprint.errors.maximum_retry_attempts = Some(1);
    let mut bench = setup.build();
    bench.store_many(SimTime::from_secs(8), 4);
    bench.behaviour = Box::new(|one| {
        let fails = one.records[0].ordinal == 2;
        (SimDuration::from_secs(4), if fails { FunctionError } else { Succeeded })
    });
    // Off at 10 s: the first batch runs until 12 s or so.
    switch(&mut bench, 0, false);
    switch(&mut bench, 60, true);
    bench.run_for(65);
    assert_eq!(
        (tried(&bench), bench.reader().progress.checkpoint()),
        (vec![vec![0, 1]], 2)
    );
    bench.run_for(100);
    assert_eq!(tried(&bench), [vec![0, 1], vec![2, 3], vec![2, 3]]);
    assert_eq!(given_up(&bench).len(), 1);
    all_done(&bench, 4);
}

/// The failed batch's wait ends while the mapping is off.
#[test]
fn lam_e_13_a_retry_that_comes_due_meanwhile_is_made_up_for() {
    let mut bench = setup().build();
    bench.store_many(SimTime::from_secs(8), 2);
    outcomes(&mut bench, vec![FunctionError; 3]);
    switch(&mut bench, 0, false);
    switch(&mut bench, 60, true);
    bench.run_for(120);
    let early = bench
        .invocations
        .iter()
        .filter(|one| one.at < SimTime::from_secs(11))
        .count();
    assert!((1..4).contains(&early));
    assert!(
        bench.invocations[early].at >= SimTime::from_secs(70),
        "and not before it is on again"
    );
    assert_eq!(tried(&bench), vec![vec![0, 1]; 4]);
    all_done(&bench, 2);
}

/// What the mapping had read but not sent is read from the stream once more; what has expired there meanwhile is gone.
#[test]
fn lam_e_13_what_was_read_before_and_not_sent_is_read_once_more() {
    for (retention, survivors) in [(100_000, vec![0, 1, 2, 3]), (40, vec![0, 1])] {
        let mut setup = setup();
        setup.blueprint.batch_size = 2;
        let mut bench = setup.build();
        bench.retention = SimDuration::from_secs(retention);
        bench.store_many(SimTime::from_secs(8), 4);
        bench.behaviour = Box::new(|_| (SimDuration::from_secs(5), Succeeded));
        switch(&mut bench, 0, false);
        switch(&mut bench, 60, true);
        bench.run_for(100);
        assert_eq!(seen(&bench), survivors);
        let again = bench.reads.iter().filter(|(_, get)| get.retry_lane.is_some()).count();
        assert_eq!(again, 1, "one read for the batch that waited");
        let expired = bench.harness.find(|note| match note.fact {
            Fact::RecordsExpiredInRetry { count, .. } => Some(count),
            _ => None,
        });
        assert_eq!(expired.iter().sum::<u64>() + u64::from(survivors.len() == 4) * 2, 2);
        all_done(&bench, 4);
    }
}

/// A mapping that is made switched off begins where its position is when it is switched on.
#[test]
fn lam_e_13_a_mapping_that_is_off_at_first_begins_when_it_is_switched_on() {
    for (position, first) in [
        (StartingPosition::TrimHorizon, 0),
        (StartingPosition::Latest, 31),
        (StartingPosition::AtTimestamp(SimTime::from_secs(15)), 15),
    ] {
        for created in [0, 5] {
            let mut setup = setup();
            setup.blueprint.enabled = false;
            setup.blueprint.created_at = SimTime::from_secs(created);
            setup.blueprint.starting_position = position;
            let mut bench = setup.build();
            for second in 0..60 {
                bench.store_many(SimTime::from_secs(second), 1);
            }
            switch(&mut bench, 20, true);
            bench.run_for(70);
            assert!(acts(&bench).all(|at| at >= SimTime::from_secs(30)));
            assert_eq!(seen(&bench), (first..60).collect::<Vec<_>>(), "{position:?}");
        }
    }
}

/// Switched off it takes no events, so that no more are pushed.
#[test]
fn lam_e_13_a_mapping_that_is_pushed_to_takes_nothing_while_it_is_off() {
    let mut setup = setup();
    setup.blueprint.consumer = Some("reader".to_owned());
    let mut bench = setup.build();
    bench.pushes.lifetime = SimDuration::from_secs(15);
    (bench.pushes.event_records, bench.pushes.ahead) = (1, 2);
    for second in 0..100 {
        bench.store_many(SimTime::from_secs(second), 1);
    }
    switch(&mut bench, 20, false);
    switch(&mut bench, 60, true);
    bench.run_for(110);
    let off = SimTime::from_secs(30)..SimTime::from_secs(70);
    assert!(
        bench.pushes.calls.iter().all(|(at, _)| !off.contains(at)),
        "no subscription"
    );
    let invoked = |one: &&Invocation| off.contains(&one.at);
    assert_eq!(bench.invocations.iter().filter(invoked).count(), 0);
    assert_eq!(seen(&bench), (0..100).collect::<Vec<_>>());
    all_done(&bench, 100);
}

/// LAM-E-02: at least once. A batch that has succeeded is delivered a second time, and no third time, and is done once.
#[test]
fn lam_u_37_a_poller_that_fails_over_delivers_a_batch_twice() {
    assert!(
        ModelParameters::default().poller_failover_rate.is_zero(),
        "off by default"
    );
    let mut setup = Setup::new();
    setup.model.poller_failover_rate = crate::engine::quantity::Ratio::ONE;
    let mut bench = setup.build();
    bench.store_many(millis(0), 2);
    bench.store_many(SimTime::from_secs(10), 3);
    bench.run_for(30);
    assert_eq!(tried(&bench), [vec![0, 1], vec![0, 1], vec![2, 3, 4], vec![2, 3, 4]]);
    let done = bench.harness.find(|note| match note.fact {
        Fact::BatchAcknowledged { records, .. } => Some(records),
        _ => None,
    });
    assert_eq!(done, [2, 3]);
    assert_eq!(bench.backoffs(), Vec::<u64>::new(), "it is no failure");
    all_done(&bench, 5);
}
