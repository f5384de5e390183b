//! Where a mapping begins.

use super::*;
use crate::blueprint::StartingPosition;

/// A mapping that is created after 50 s and begins ten seconds later; a record arrives every two seconds.
fn created_late(position: StartingPosition) -> Bench {
    let mut setup = Setup::new();
    setup.blueprint.starting_position = position;
    setup.blueprint.created_at = SimTime::from_secs(50);
    setup.model.mapping_creation_delay = SimDuration::from_secs(10);
    let mut bench = setup.build();
    for number in 0..50 {
        bench.store_many(SimTime::from_secs(2 * number), 1);
    }
    bench.run_for(110);
    bench
}
fn first(bench: &Bench) -> u32 {
    bench.invocations[0].ordinals()[0]
}

/// TRIM_HORIZON, LATEST and AT_TIMESTAMP are three places.
#[test]
fn lam_k_16_a_mapping_begins_at_the_oldest_record_after_the_newest_or_at_a_time() {
    for (position, expected) in [
        (StartingPosition::TrimHorizon, 0),
        (StartingPosition::Latest, 31),
        (StartingPosition::AtTimestamp(SimTime::from_secs(40)), 20),
        (StartingPosition::AtTimestamp(SimTime::from_secs(41)), 21),
    ] {
        let bench = created_late(position);
        assert_eq!(first(&bench), expected, "{position:?}");
        let reader = bench.reader();
        assert_eq!((reader.start, reader.progress.checkpoint()), (u64::from(expected), 50));
    }
}

/// LAM-U-32: a minute by default; here ten seconds.
#[test]
fn lam_k_18_lam_u_32_polling_begins_some_time_after_the_creation() {
    assert_eq!(
        ModelParameters::default().mapping_creation_delay,
        SimDuration::from_secs(60)
    );
    let bench = created_late(StartingPosition::TrimHorizon);
    let begins = bench.polls(0)[0];
    assert!(
        begins >= SimTime::from_secs(60) && begins < SimTime::from_secs(62),
        "{begins}"
    );
}

/// The records of the ten seconds between creation and the first poll.
#[test]
fn lam_k_19_latest_misses_what_is_written_while_the_mapping_is_created_and_the_others_do_not() {
    let (created, begins) = (25, 30);
    assert!(first(&created_late(StartingPosition::Latest)) > begins);
    let at = StartingPosition::AtTimestamp(SimTime::from_secs(50));
    for position in [StartingPosition::TrimHorizon, at] {
        let bench = created_late(position);
        let seen: Vec<u32> = bench.invocations.iter().flat_map(Invocation::ordinals).collect();
        assert!((created..50).all(|ordinal| seen.contains(&ordinal)));
    }
}

/// KDS-R-17: a refused question for an iterator is repeated.
#[test]
fn kds_r_17_a_question_for_an_iterator_that_is_refused_is_repeated() {
    let mut setup = Setup::new();
    setup.blueprint.created_at = SimTime::from_secs(1);
    setup.model.mapping_creation_delay = SimDuration::ZERO;
    let mut bench = setup.build();
    bench.refused.push(SimTime::ZERO..SimTime::from_secs(5));
    bench.store_many(millis(0), 3);
    bench.run_for(10);
    assert!(bench.polls(0)[0] > SimTime::from_secs(5));
    assert_eq!(bench.reader().progress.checkpoint(), 3);
}
