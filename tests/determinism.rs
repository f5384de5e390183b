//! Same scenario, seed and version: same fingerprint, however and wherever the run is made.

use crate::support::{blueprint, blueprint_of, digest_of_facts, fingerprint, run, shop};
use sim::blueprint::{Arrivals, Blueprint, FunctionBlueprint, MappingBlueprint, StreamBlueprint, TraceRows};
use sim::command::{Command, Intervention};
use sim::engine::calendar::TieOrder;
use sim::engine::kernel::Stop;
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};
use sim::session::{Checks, Session, SessionOptions};
use std::sync::Arc;

const HELLO: &str = "scenarios/first-steps/hello-stream.toml";

#[test]
fn a_run_made_twice_is_the_same_run() {
    let blueprint = blueprint(HELLO);
    assert_eq!(fingerprint(&blueprint), fingerprint(&blueprint));
}

#[test]
fn another_seed_or_replication_is_another_run() {
    let first = blueprint(HELLO);
    let (mut seed, mut replication) = (first.clone(), first.clone());
    seed.seed += 1;
    replication.replication += 1;
    assert_ne!(fingerprint(&first), fingerprint(&seed));
    assert_ne!(fingerprint(&first), fingerprint(&replication));
}

#[test]
fn observing_changes_nothing() {
    let blueprint = blueprint(HELLO);
    let unobserved = SessionOptions {
        observe: false,
        ..SessionOptions::default()
    };
    assert_eq!(
        fingerprint(&blueprint),
        run(&blueprint, unobserved).fingerprint().to_string()
    );
}

#[test]
fn going_back_and_forward_again_is_the_same_run() {
    let blueprint = blueprint(HELLO);
    let options = SessionOptions {
        checkpoint_interval: Some(SimDuration::from_secs(20)),
        checkpoint_memory: 1 << 20,
        ..SessionOptions::default()
    };
    let mut session = Session::new(&blueprint, options).expect("the scenario builds");
    session.seek(SimTime::from_secs(100)).expect("it runs");
    let at_100 = session.fingerprint();
    session.seek(SimTime::from_secs(250)).expect("it runs");
    session.seek(SimTime::from_secs(90)).expect("it goes back");
    assert_ne!(session.fingerprint(), at_100);
    session.seek(SimTime::from_secs(100)).expect("it runs");
    assert_eq!(session.fingerprint(), at_100);
    session.seek(session.end()).expect("it runs");
    assert_eq!(session.fingerprint().to_string(), fingerprint(&blueprint));
}

#[test]
fn a_run_in_small_steps_is_the_run_in_one() {
    let blueprint = blueprint(HELLO);
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("the scenario builds");
    while session.advance(session.end(), 97).expect("it runs") == Stop::Budget {}
    assert_eq!(session.fingerprint().to_string(), fingerprint(&blueprint));
}

#[test]
fn sixteen_runs_are_the_same_on_one_thread_and_on_eight() {
    let blueprints: Vec<Blueprint> = (0..16)
        .map(|replication| Blueprint {
            replication,
            ..blueprint(HELLO)
        })
        .collect();
    let alone: Vec<String> = blueprints.iter().map(fingerprint).collect();
    let together: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = blueprints
            .chunks(2)
            .map(|part| scope.spawn(move || part.iter().map(fingerprint).collect::<Vec<_>>()))
            .collect();
        assert_eq!(parts.len(), 8);
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("no thread panics"))
            .collect()
    });
    assert_eq!(alone, together);
}

#[test]
fn the_order_of_tables_in_the_file_is_irrelevant() {
    let text = std::fs::read_to_string(HELLO).expect("the scenario is there");
    let mut tables: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') || tables.is_empty() {
            tables.push(String::new());
        }
        let table = tables.last_mut().expect("one was pushed");
        table.push_str(line);
        table.push('\n');
    }
    let head = tables.remove(0);
    tables.reverse();
    let turned = head + &tables.concat();
    assert_ne!(turned, text);
    assert_eq!(fingerprint(&blueprint_of(&turned)), fingerprint(&blueprint(HELLO)));
}

/// A second pipeline that shares nothing with the first leaves the first one's facts as they are, although all ids
/// move (the new names sort first).
#[test]
fn an_unrelated_component_leaves_the_facts_of_others_unchanged() {
    let alone = blueprint(HELLO);
    let mut both = alone.clone();
    let other = shop("aaa");
    both.streams.extend(other.streams);
    both.producers.extend(other.producers);
    both.mappings.extend(other.mappings);
    both.functions.extend(other.functions);
    both.sinks.extend(other.sinks);
    let facts = |blueprint: &Blueprint| {
        let mut facts = digest_of_facts(blueprint);
        facts.retain(|component, _| !component.contains("aaa"));
        facts
    };
    let (before, after) = (facts(&alone), facts(&both));
    assert!(before.len() >= 4, "{before:?}");
    assert_eq!(before, after);
    assert_ne!(
        fingerprint(&alone),
        fingerprint(&both),
        "the fingerprint covers the whole world"
    );
}

/// A change to a trace's instants, keys and sizes.
type Change<'c> = &'c dyn Fn(&mut Vec<u64>, &mut Vec<u32>, &mut Vec<u32>);

#[test]
fn two_swapped_keys_a_nanosecond_or_a_dropped_record_change_the_fingerprint() {
    let original = crate::support::replay(&[(1_000, 0, 300), (2_000, 1, 300), (3_000, 0, 300), (500_000_000, 2, 300)]);
    let changed = |change: Change<'_>| {
        let mut blueprint = original.clone();
        let Arrivals::Trace(trace) = &blueprint.producers[0].arrivals else {
            panic!("it replays a trace")
        };
        let mut trace = (**trace).clone();
        let TraceRows::Requests { at, key, bytes } = &mut trace.rows else {
            panic!("it has rows")
        };
        change(at, key, bytes);
        blueprint.producers[0].arrivals = Arrivals::Trace(Arc::new(trace));
        fingerprint(&blueprint)
    };
    let base = fingerprint(&original);
    assert_eq!(base, changed(&|_, _, _| {}));
    assert_ne!(base, changed(&|_, key, _| key.swap(0, 1)), "two keys swapped");
    assert_ne!(base, changed(&|at, _, _| at[1] += 1), "one nanosecond");
    assert_ne!(base, changed(&|_, _, bytes| bytes[2] += 1), "one byte");
    assert_ne!(
        base,
        changed(&|at, key, bytes| {
            at.remove(2);
            key.remove(2);
            bytes.remove(2);
        }),
        "one record dropped"
    );
}

#[test]
fn a_command_given_live_is_the_intervention_of_that_instant() {
    let plain = blueprint(HELLO);
    let command = Command::ScaleLoad {
        producer: plain.producers[0].name.clone(),
        factor: Ratio::new(3, 1),
    };
    let mut session = Session::new(&plain, SessionOptions::default()).expect("the scenario builds");
    session.seek(SimTime::from_secs(60)).expect("it runs");
    let at = session.apply(command.clone()).expect("the producer exists");
    assert_eq!(at, SimTime::from_nanos(60_000_000_001));
    session.seek(session.end()).expect("it runs");

    let mut written = plain.clone();
    written.interventions.push(Intervention { at, command });
    assert_eq!(session.fingerprint().to_string(), fingerprint(&written));
    assert_ne!(session.fingerprint().to_string(), fingerprint(&plain));

    // Rewound before the command and played again, it is met at the same instant.
    session.seek(SimTime::from_secs(30)).expect("it goes back");
    session.seek(session.end()).expect("it runs");
    assert_eq!(session.fingerprint().to_string(), fingerprint(&written));
}

#[test]
fn shuffled_ties_keep_the_books_balanced() {
    let blueprint = blueprint(HELLO);
    for seed in 1..=4 {
        let options = SessionOptions {
            tie_order: TieOrder::Shuffled(seed),
            checks: Checks::Every(SimDuration::SECOND),
            ..SessionOptions::default()
        };
        let session = run(&blueprint, options);
        assert!(session.ledger_checks() >= 300);
    }
}

#[test]
fn the_ledgers_balance_after_every_event() {
    let mut blueprint = blueprint(HELLO);
    blueprint.duration = SimDuration::from_secs(60);
    let options = SessionOptions {
        checks: Checks::EveryEvent,
        ..SessionOptions::default()
    };
    let session = run(&blueprint, options);
    assert!(session.ledger_checks() >= session.events());
}

/// Names only: a stream, function and mapping more, without anything that uses them.
#[test]
fn an_idle_pipeline_is_part_of_the_fingerprint_only_through_its_own_events() {
    let plain = blueprint(HELLO);
    let mut more = plain.clone();
    let template = more.streams[0].clone();
    more.streams.push(StreamBlueprint {
        name: "zz-unused".to_owned(),
        ..template
    });
    assert_eq!(plain.functions.len() + 1, {
        let template: FunctionBlueprint = more.functions[0].clone();
        more.functions.push(FunctionBlueprint {
            name: "zz-unused".to_owned(),
            ..template
        });
        more.functions.len()
    });
    let template: MappingBlueprint = more.mappings[0].clone();
    more.mappings.push(MappingBlueprint {
        name: "zz-unused".to_owned(),
        consumer: None,
        stream: "zz-unused".to_owned(),
        function: "zz-unused".to_owned(),
        ..template
    });
    assert_ne!(fingerprint(&plain), fingerprint(&more));
}
