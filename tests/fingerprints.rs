//! Golden fingerprints of the shipped scenarios, the same in debug and release, on every platform.
//!
//! A mismatch means that the model, the drawing of random numbers or a scenario has changed. Update the table with
//! `SHARDLAB_BLESS=1 cargo test --test main fingerprints`, and say in the commit which fact or decision moved it.

use crate::support::{data, run, scenario, shipped_scenarios};
use scenarios::LoadOptions;
use sim::session::SessionOptions;
use std::fmt::Write as _;

const TABLE: &str = "tests/fingerprints.csv";

/// The row's fingerprint as of now; `None` where the scenario needs a recording that this machine lacks.
fn fingerprint(scenario_file: &str, seed: u64, profile: &str) -> Option<String> {
    let options = LoadOptions {
        seed: Some(seed),
        profile: Some(if profile == "exam" {
            sim::profile::Profile::Exam
        } else {
            sim::profile::Profile::Current
        }),
        ..LoadOptions::default()
    };
    let text = std::fs::read_to_string(scenario_file).expect("the scenario is there");
    if text.contains("data:") && data().is_none() {
        return None;
    }
    let unobserved = SessionOptions {
        observe: false,
        ..SessionOptions::default()
    };
    Some(
        run(&scenario(scenario_file, &options).blueprint, unobserved)
            .fingerprint()
            .to_string(),
    )
}

#[test]
fn every_fingerprint_of_the_table_is_met() {
    let table = std::fs::read_to_string(TABLE).expect("the table is there");
    let bless = std::env::var_os("SHARDLAB_BLESS").is_some();
    let (mut renewed, mut wrong, mut checked) = (String::new(), Vec::new(), 0);
    for line in table.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [file, seed, profile, expected] = fields[..] else {
            panic!("four fields in `{line}`")
        };
        if file == "scenario" {
            writeln!(renewed, "{line}").expect("a string takes it");
            continue;
        }
        let Some(found) = fingerprint(file, seed.parse().expect("a seed"), profile) else {
            eprintln!("skipped: {file} needs a recording that is not on this machine");
            writeln!(renewed, "{line}").expect("a string takes it");
            continue;
        };
        checked += 1;
        writeln!(renewed, "{file},{seed},{profile},{found}").expect("a string takes it");
        if found != expected {
            wrong.push(format!("{file}, seed {seed}, {profile}: {found} instead of {expected}"));
        }
    }
    if bless {
        std::fs::write(TABLE, renewed).expect("the table can be written");
        return;
    }
    assert!(checked >= 4, "scenarios without recordings are always checked");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_names_every_shipped_scenario() {
    let table = std::fs::read_to_string(TABLE).expect("the table is there");
    for name in shipped_scenarios() {
        assert!(
            table.contains(&format!("{name},")),
            "{name} has no fingerprint in {TABLE}"
        );
    }
}
