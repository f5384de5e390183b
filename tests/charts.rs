//! Charts of whole runs, as files.

use crate::cli::{Place, SCENARIO};

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
