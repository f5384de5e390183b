//! Charts of whole runs, as files.

use crate::cli::{Place, SCENARIO};
use crate::support::{blueprint_of, run};
use reports::account::{Ending, Subject};
use reports::collection::{Circumstances, collect};
use sim::session::SessionOptions;

/// LAM-C-06: a reservation caps a function; the chart follows an intervention that changes it.
#[test]
fn a_limit_that_changes_during_the_run_is_drawn_in_steps() {
    let text = SCENARIO
        .replace("Timeout = 30", "Timeout = 30\nReservedConcurrentExecutions = 4")
        .replace("ShardCount = 1", "ShardCount = 3")
        + "\n[[intervention]]\nat = \"10s\"\nconcurrency = { function = \"function.enrich\", limit = 2 }\n";
    let place = Place::new("steps").with("trickle.toml", &text);
    let told = place.run(&["run", "trickle.toml"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    let chart = std::fs::read_to_string(place.folder.join("out/trickle/charts/concurrency.svg")).expect("it is drawn");
    assert!(
        chart.contains("limit 2"),
        "the label stands at the end of the last step: {chart}"
    );
    let heights: Vec<Vec<&str>> = chart
        .split("<polyline ")
        .filter(|line| line.contains("stroke-width=\"2\""))
        .filter_map(|line| line.split("points=\"").nth(1)?.split('"').next())
        .map(|points| {
            points
                .split_whitespace()
                .filter_map(|point| point.split(',').nth(1))
                .collect()
        })
        .collect();
    let steps = heights
        .iter()
        .filter(|heights| heights.len() == 4 && heights[0] == heights[1] && heights[2] == heights[3]);
    assert!(steps.clone().any(|heights| heights[0] != heights[2]), "{heights:?}");
}

/// A shard alone needs no name, and steps of more than a second are told as averages.
#[test]
fn captions_say_what_a_step_is() {
    let text = SCENARIO.replace("duration = \"30s\"", "duration = \"30min\"");
    let place = Place::new("captions").with("trickle.toml", &text);
    let told = place.run(&["run", "trickle.toml"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    let page = std::fs::read_to_string(place.folder.join("out/trickle/report.html")).expect("it is written");
    let page = page.replace('\u{a0}', " ");
    assert!(
        page.contains("Records a second, as an average over each 10 s"),
        "{page}"
    );
    assert!(!page.contains("Shard 0: none refused"));
}

/// A step's percentiles are taken from a coarse histogram; the longest latency of all is exact.
#[test]
fn no_step_shows_a_latency_beyond_the_longest() {
    for seed in 1..=8 {
        let mut blueprint = blueprint_of(SCENARIO);
        blueprint.seed = seed;
        let session = run(&blueprint, SessionOptions::default());
        let account = collect(
            &session,
            &blueprint,
            Circumstances {
                subject: Subject {
                    name: "trickle".to_owned(),
                    title: String::new(),
                    question: None,
                },
                version: String::new(),
                command: String::new(),
                ending: Ending::Complete,
                judgements: Vec::new(),
                assumptions: Vec::new(),
                notes: Vec::new(),
            },
        );
        let longest = account.latency[0].since_creation.max;
        let shown = account.course.functions[0].latency_p99.iter().flatten().max();
        assert!(shown.is_some_and(|shown| *shown <= longest), "{shown:?} of {longest}");
    }
}
