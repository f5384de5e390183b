//! `--set`.

use crate::support::{BASE, check_with, loaded_with};
use scenarios::{LoadOptions, NoTraces};
use sim::blueprint::Arrivals;
use sim::engine::quantity::Rate;
use sim::engine::time::SimDuration;

fn options(settings: &[(&str, &str)]) -> LoadOptions {
    LoadOptions {
        set: settings
            .iter()
            .map(|&(path, value)| (path.to_owned(), value.to_owned()))
            .collect(),
        ..LoadOptions::default()
    }
}

#[test]
fn set_changes_and_adds_properties() {
    let options = options(&[
        ("duration", "\"1min\""),
        ("producer.web.linger", "50ms"),
        ("producer.web.arrivals", "{ constant = \"5/s\" }"),
        ("stream.clicks.ShardCount", "7"),
        ("model.poll_interval", "2s"),
    ]);
    let blueprint = loaded_with(BASE, &options, &NoTraces).blueprint;
    assert_eq!(blueprint.duration, SimDuration::from_minutes(1));
    assert_eq!(blueprint.producers[0].linger, SimDuration::from_millis(50));
    assert_eq!(blueprint.producers[0].arrivals, Arrivals::Constant(Rate::per_second(5)));
    assert_eq!(blueprint.streams[0].shard_count, 7);
    assert_eq!(blueprint.model.poll_interval, SimDuration::from_secs(2));
}

#[test]
fn set_reaches_into_lists() {
    let text = format!("{BASE}\n[[guarantee]]\nno_loss = true\n");
    let options = options(&[("guarantee.0.expected", "violated")]);
    let scenario = loaded_with(&text, &options, &NoTraces);
    assert_eq!(scenario.guarantees[0].expected, scenarios::Outcome::Violated);
}

#[test]
fn a_wrong_value_is_marked_in_the_option() {
    check_with(
        BASE,
        &options(&[("duration", "10m"), ("stream.clicks.ShardCount", "0")]),
        &NoTraces,
        &[
            "E0201 --set 1 \"10m\" `duration` is not a duration (expected a number and ns, us, ms, s, min, h or d, such as \"50ms\") -> minutes are written \"10min\"",
            "E0205 --set 1 \"0\" `ShardCount` is out of range (expected 1 to 20,000)",
        ],
    );
}

#[test]
fn e0601_a_path_that_leads_nowhere() {
    check_with(
        BASE,
        &options(&[("producer.wep.linger", "1s")]),
        &NoTraces,
        &[
            "E0601 --set 1 \"wep\" the scenario has no `producer.wep` (not a component of the scenario) -> did you mean `web`?",
        ],
    );
    check_with(
        BASE,
        &options(&[("producer..linger", "1s")]),
        &NoTraces,
        &[
            "E0601 --set 1 \"producer..linger\" the path of --set has an empty part () -> write the path of a property, for example producer.web.linger",
        ],
    );
    check_with(
        BASE,
        &options(&[("duration.x", "1s")]),
        &NoTraces,
        &[
            "E0601 --set 1 \"duration\" `duration` is a string, not a table (nothing lies below it) -> set the whole value instead",
        ],
    );
    check_with(
        BASE,
        &options(&[("producer.web.lingre", "1s")]),
        &NoTraces,
        &["E0103 --set 1 \"lingre\" a producer has no property `lingre` (unknown property) -> did you mean `linger`?"],
    );
}

#[test]
fn e0602_a_value_that_cannot_be_read() {
    check_with(
        BASE,
        &options(&[("producer.web.arrivals", "{ poisson = ")]),
        &NoTraces,
        &[
            "E0602 --set 1 \"{ poisson = \" the value of --set cannot be read (not a TOML value) -> write the value as in a scenario, for example '{ poisson = \"5/s\" }'",
        ],
    );
}

#[test]
fn the_command_line_wins_over_the_file() {
    let options = LoadOptions {
        seed: Some(99),
        replication: 3,
        ..LoadOptions::default()
    };
    let blueprint = loaded_with(&format!("seed = 5\n{BASE}"), &options, &NoTraces).blueprint;
    assert_eq!((blueprint.seed, blueprint.replication), (99, 3));
}
