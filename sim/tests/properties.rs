//! Whatever world is built and whatever fails in it: nothing is lost or made up, keys stay in order where they must, and
//! a run is the same however it is made.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sim::blueprint::{Blueprint, PutApi};
use sim::command::{Command, Intervention};
use sim::engine::calendar::TieOrder;
use sim::engine::kernel::Stop;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::counts::StreamCounts;
use sim::observe::ordering::Place;
use sim::observe::verdict::{Anomaly, Guarantee, Verdict};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::operations::operations;
use sim::testing::queue_mappings::worlds;
use sim::testing::strategies::{ordered_blueprints, outages};

const CHECKED: SessionOptions = SessionOptions {
    observe: true,
    checks: Checks::EveryEvent,
    tie_order: TieOrder::Insertion,
    memory_limit: u64::MAX,
    checkpoint_interval: None,
    checkpoint_memory: 0,
};

fn session(blueprint: &Blueprint, options: SessionOptions) -> Session {
    Session::new(blueprint, options).expect("the blueprint is valid")
}
/// Runs to the end; the text of what went wrong, if anything did.
fn run(blueprint: &Blueprint, options: SessionOptions) -> Result<Session, TestCaseError> {
    let mut session = session(blueprint, options);
    let end = session.end();
    session
        .advance(end, u64::MAX)
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    Ok(session)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_ledgers_balance_after_every_event_and_a_run_is_the_same_however_it_is_made(blueprint in worlds()) {
        let checked = run(&blueprint, CHECKED)?;
        let unobserved = SessionOptions { observe: false, ..SessionOptions::default() };
        prop_assert_eq!(checked.fingerprint(), run(&blueprint, unobserved)?.fingerprint(), "without observers");
        let mut pieces = session(&blueprint, SessionOptions {
            checkpoint_interval: Some(SimDuration::from_secs(2)),
            ..SessionOptions::default()
        });
        let end = pieces.end();
        for budget in [1, 13, 500].into_iter().cycle() {
            let stop = pieces.advance(end, budget).map_err(|error| TestCaseError::fail(error.to_string()))?;
            if stop == Stop::Reached {
                break;
            }
        }
        prop_assert_eq!(checked.fingerprint(), pieces.fingerprint(), "in pieces");
        let middle = SimTime::ZERO + SimDuration::from_nanos(blueprint.duration.as_nanos() / 3);
        for goal in [middle, end] {
            pieces.seek(goal).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        prop_assert_eq!(checked.fingerprint(), pieces.fingerprint(), "back and forward again");
    }

    #[test]
    fn the_ledgers_balance_in_whatever_order_simultaneous_events_come(blueprint in worlds(), seed in any::<u64>()) {
        run(&blueprint, SessionOptions { tie_order: TieOrder::Shuffled(seed), ..CHECKED })?;
    }

    /// LAM-K-08, LAM-K-09: any number of lanes; functions fail, time out and are throttled, sinks break down.
    #[test]
    fn lam_k_08_keys_stay_in_order_where_no_put_fails(mut blueprint in ordered_blueprints()) {
        // Calls of a window and requests of different sizes must not overtake each other.
        for producer in &mut blueprint.producers {
            producer.call_window_threshold = sim::engine::quantity::Rate::per_second(1_000_000);
            producer.api = PutApi::PutRecords;
        }
        let session = run(&blueprint, CHECKED)?;
        let observers = session.observers().expect("they are attached");
        let (counts, ordering) = (observers.counts.as_ref().expect("all are"), observers.ordering.as_ref().expect("all are"));
        for stream in &counts.streams {
            prop_assert_eq!(stream.throttled(), 0, "the load is light");
        }
        for function in session.world().directory().functions.ids() {
            let place = Place::Processor(function.into());
            let order = ordering.verdict(Guarantee::OrderPerKey, place);
            prop_assert!(!matches!(order, Verdict::Violated(_)), "{:?}", order);
            prop_assert_eq!(ordering.counts(place).of(Anomaly::Lost), 0);
            prop_assert_eq!(ordering.counts(place).of(Anomaly::Skip), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// KDS-RS-11, LAM-U-09: a reader that exhausts parents before it begins with their children sees every key in order,
    /// whatever is split and merged meanwhile, and whatever its function does.
    #[test]
    fn kds_rs_11_keys_stay_in_order_across_any_reshard(
        mut blueprint in ordered_blueprints(),
        asked in prop::collection::vec((500_u64..1_700, operations()), 4..9),
    ) {
        for producer in &mut blueprint.producers {
            producer.call_window_threshold = sim::engine::quantity::Rate::per_second(1_000_000);
            producer.api = PutApi::PutRecords;
        }
        let mut at = SimTime::ZERO;
        for (gap, operation) in asked {
            at += SimDuration::from_millis(1_500 + gap);
            let command = Command::ChangeStream { stream: "records".to_owned(), operation };
            blueprint.interventions.push(Intervention { at, command });
        }
        let session = run(&blueprint, CHECKED)?;
        let observers = session.observers().expect("they are attached");
        let ordering = observers.ordering.as_ref().expect("all are");
        for function in session.world().directory().functions.ids() {
            let place = Place::Processor(function.into());
            let order = ordering.verdict(Guarantee::OrderPerKey, place);
            prop_assert!(!matches!(order, Verdict::Violated(_)), "{:?}", order);
            prop_assert_eq!(ordering.counts(place).of(Anomaly::Lost), 0);
            prop_assert_eq!(ordering.counts(place).of(Anomaly::Skip), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// KDS-RET-08, LAM-Z-11: what is not processed within the retention is gone, and everything else is accounted for.
    #[test]
    fn the_ledgers_balance_through_outages_longer_than_the_retention(blueprint in outages()) {
        let session = run(&blueprint, CHECKED)?;
        let counts = session.observers().and_then(|observers| observers.counts.as_ref()).expect("they are attached");
        let gone: u64 = counts.readers.iter().map(|reader| reader.expired_unread + reader.expired_in_retry).sum();
        let stored: u64 = counts.streams.iter().map(StreamCounts::accepted).sum();
        let done: u64 = counts.readers.iter().map(|reader| reader.acknowledged).sum();
        prop_assert!(stored >= done + gone);
        prop_assert_eq!(session.fingerprint(), run(&blueprint, SessionOptions::default())?.fingerprint());
    }
}
