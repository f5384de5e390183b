//! Shards that come and go in a whole pipeline: order, memory and what a live session may ask for.

use sim::blueprint::{Arrivals, Blueprint, CapacityMode, Keys};
use sim::command::{Command, Intervention, Operation};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{ShardIndex, SinkId, StreamId};
use sim::observe::counts::Counts;
use sim::observe::ordering::Place;
use sim::observe::verdict::{Guarantee, Verdict};
use sim::services::kinesis::shard::ShardState;
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::pipeline;

const RECORDS: StreamId = StreamId(0);

/// An even load of so many records a second, one request at a time.
fn even_load(per_second: u64, duration: SimDuration) -> Blueprint {
    let mut blueprint = pipeline(4, duration);
    let producer = &mut blueprint.producers[0];
    producer.arrivals = Arrivals::Poisson(Rate::per_second(per_second));
    producer.keys = Keys::Uniform { count: 2_000 };
    producer.linger = SimDuration::from_millis(50);
    producer.concurrency = 1;
    blueprint.mappings[0].parallelization_factor = 3;
    blueprint.mappings[0].batch_size = 500;
    blueprint
}
fn asked(secs: u64, operation: Operation) -> Intervention {
    Intervention {
        at: SimTime::from_secs(secs),
        command: Command::ChangeStream {
            stream: "records".to_owned(),
            operation,
        },
    }
}
fn run(blueprint: &Blueprint) -> Session {
    let options = SessionOptions {
        checks: Checks::Every(SimDuration::SECOND),
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint is valid");
    session.seek(session.end()).expect("the ledgers balance");
    session
}
fn counts(session: &Session) -> &Counts {
    let observers = session.observers().expect("they are attached");
    observers.counts.as_ref().expect("all observers are there")
}
fn order(session: &Session) -> Verdict {
    let observers = session.observers().expect("they are attached");
    let ordering = observers.ordering.as_ref().expect("all observers are there");
    ordering.verdict(Guarantee::OrderPerKey, Place::Sink(SinkId(0)))
}

/// KDS-CAP-05, KDS-RS-11: a stream that grows by itself keeps every key in order for a reader that honours parents.
#[test]
fn kds_cap_05_a_stream_that_grows_by_itself_keeps_keys_in_order() {
    let mut blueprint = even_load(2_600, SimDuration::from_minutes(6));
    blueprint.streams[0].mode = CapacityMode::OnDemand;
    blueprint.model.on_demand_split_delay = Distribution::Uniform { low: 10e9, high: 60e9 };
    let session = run(&blueprint);
    let stream = &counts(&session).streams[RECORDS];
    assert!(stream.changes.scaled_out >= 4, "{:?}", stream.changes.scaled_out);
    assert_eq!(stream.changes.closed, stream.changes.scaled_out);
    assert_eq!(order(&session), Verdict::Holds);
    let acknowledged = counts(&session).readers.iter().next().expect("it reads").acknowledged;
    assert!(
        acknowledged + 20_000 > stream.accepted(),
        "{acknowledged} of {}",
        stream.accepted()
    );
}

/// Closed shards that were read give their memory back, however many there have been.
#[test]
fn finished_parents_take_no_memory() {
    let memory = |changes: u64| {
        let mut blueprint = even_load(1_000, SimDuration::from_minutes(12));
        // Else the backlog of a minute leaves large buffers behind.
        blueprint.model.shard_discovery_interval = SimDuration::from_millis(100);
        for number in 0..changes {
            let target = if number % 2 == 0 { 8 } else { 4 };
            blueprint
                .interventions
                .push(asked(30 + number * 60, Operation::UpdateShardCount { target }));
        }
        let session = run(&blueprint);
        assert_eq!(order(&session), Verdict::Holds);
        let shards = session.world().streams()[RECORDS].shards();
        let closed = shards.iter().filter(|shard| !shard.is_open());
        assert!(
            closed.clone().all(|shard| shard.log.memory() < 200),
            "{changes} changes"
        );
        assert!(u64::try_from(closed.count()).is_ok_and(|closed| closed >= changes * 4));
        session.world().memory()
    };
    let (still, moved) = (memory(0), memory(10));
    assert!(moved < still * 2, "{moved} after ten changes, {still} after none");
}

/// KDS-RET-07, KDS-RET-11: what a reader has not read when a shorter retention takes effect is lost to it and accounted
/// for, closed shards included.
#[test]
fn kds_ret_07_what_a_shorter_retention_takes_is_accounted_for() {
    let mut blueprint = even_load(1, SimDuration::from_hours(60));
    blueprint.streams[0].retention_hours = 48;
    blueprint.functions[0].reserved_concurrency = Some(0);
    blueprint.interventions = vec![
        asked(3_600, Operation::UpdateShardCount { target: 2 }),
        asked(40 * 3_600, Operation::SetRetention { hours: 24 }),
        Intervention {
            at: SimTime::from_secs(41 * 3_600),
            command: Command::SetReservedConcurrency {
                function: "enrich".to_owned(),
                limit: None,
            },
        },
    ];
    let options = SessionOptions {
        checks: Checks::Every(SimDuration::from_minutes(10)),
        ..SessionOptions::default()
    };
    let mut session = Session::new(&blueprint, options).expect("the blueprint is valid");
    session.seek(session.end()).expect("the ledgers balance");
    let reader = counts(&session).readers.iter().next().expect("it reads");
    let gone = reader.expired_unread + reader.expired_in_retry;
    // Sixteen hours at a record a second, and the hour until the function is back.
    assert!((16 * 3_600..18 * 3_600).contains(&gone), "{gone}");
    let stored = counts(&session).streams[RECORDS].accepted();
    assert!(reader.acknowledged + gone <= stored && reader.acknowledged + gone + 600 > stored);
    let states = session.world().streams()[RECORDS]
        .shards()
        .iter()
        .map(|shard| shard.state);
    let at = SimTime::from_secs(40 * 3_600);
    assert_eq!(states.filter(|state| *state == ShardState::Expired { at }).count(), 4);
}

/// A live session may ask for the same as a scenario, and seeking back meets it again.
#[test]
fn a_live_session_asks_for_a_split_like_a_scenario_does() {
    let operation = Operation::SplitShard {
        shard: Some(ShardIndex(1)),
        at: None,
    };
    let blueprint = even_load(500, SimDuration::from_minutes(3));
    let mut live = Session::new(&blueprint, SessionOptions::default()).expect("the blueprint is valid");
    live.seek(SimTime::from_secs(60)).expect("the ledgers balance");
    let at = live.apply(asked(0, operation).command).expect("the stream is there");
    live.seek(live.end()).expect("the ledgers balance");
    let once = live.fingerprint();
    live.seek(SimTime::from_secs(20)).expect("the ledgers balance");
    live.seek(live.end()).expect("the ledgers balance");
    assert_eq!(live.fingerprint(), once);
    let mut written = blueprint;
    written.interventions = vec![Intervention {
        at,
        ..asked(0, operation)
    }];
    assert_eq!(run(&written).fingerprint(), once);
    assert_eq!(counts(&live).streams[RECORDS].open_shards(), 5);
}
