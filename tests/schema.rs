//! The JSON Schema, as an editor sees it: a validator of somebody else's judges it and what it judges.

use crate::cli::Place;
use crate::rejected;
use jsonschema::Validator;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The schema as the program prints it.
fn schema() -> Value {
    let told = Place::new("schema").run(&["schema"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    serde_json::from_str(&told.out).expect("the schema is JSON")
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).expect("the schema is one")
}

/// A scenario as JSON; `None` where it is not TOML.
fn json(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(text).ok()?;
    serde_json::to_value(table).ok()
}

fn scenarios_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() && !["src", "tests", "target"].iter().any(|name| path.ends_with(name)) {
            found.extend(scenarios_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "toml") && !path.ends_with("Cargo.toml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_schema_is_a_schema_of_its_dialect() {
    let schema = schema();
    assert_eq!(schema["$schema"], scenarios::reference::DIALECT);
    assert!(jsonschema::meta::is_valid(&schema));
    // With the meta-schema's formats and vocabulary, every reference leads somewhere.
    validator();
}

#[test]
fn every_shipped_scenario_validates() {
    let validator = validator();
    let shipped = scenarios_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    assert!(shipped.len() > 5, "{shipped:?}");
    for path in shipped {
        let text = fs::read_to_string(&path).expect("the scenario is readable");
        let value = json(&text).expect("the scenario is TOML");
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    }
}

/// Codes of what spans several properties, needs a file, or is a question of measure: a schema cannot see it.
const UNSEEN: &[&str] = &[
    "E0204", "E0211", "E0301", "E0304", "E0305", "E0306", "E0401", "E0402", "E0403", "E0404", "E0405", "E0406",
    "E0501", "E0502", "E0503", "E0504", "E0505", "E0506", "E0507", "E0508", "E0601", "E0602", "E0901", "E0902",
    "W0001", "W0002", "W0003", "W0004",
];
/// Files about which code and schema do not agree, and why.
const EXCEPTIONS: &[(&str, bool, &str)] = &[
    (
        "e0108-set-with-an-escape-sequence",
        false,
        "the file is right, the option is wrong",
    ),
    (
        "e0205-set-with-a-value-out-of-range",
        false,
        "the file is right, the option is wrong",
    ),
    (
        "e0209-a-property-of-the-other-profile",
        false,
        "one schema serves both profiles",
    ),
    (
        "e0208-attributes-that-make-no-sense",
        false,
        "values are compared with each other",
    ),
    (
        "e0209-topics-of-the-other-profile",
        false,
        "one schema serves both profiles",
    ),
    (
        "e0303-subscriptions-that-aws-refuses",
        false,
        "several components are concerned",
    ),
    (
        "e0303-keys-from-a-trace-that-is-not-there",
        false,
        "two properties are concerned",
    ),
    (
        "e0303-mappings-of-queues-that-aws-refuses",
        false,
        "several properties or components are concerned",
    ),
    (
        "e0301-a-reference-to-nothing",
        true,
        "it also lacks the kind of a component",
    ),
];

#[test]
fn the_schema_refuses_what_it_can_see_and_nothing_else() {
    let validator = validator();
    let mut judged = 0;
    for rejected in rejected::all() {
        let Some(value) = json(&rejected.text) else { continue };
        let exception = EXCEPTIONS.iter().find(|(name, _, _)| *name == rejected.name);
        let seen = exception.map_or(!UNSEEN.contains(&rejected.code().as_str()), |(_, seen, _)| *seen);
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert_eq!(!faults.is_empty(), seen, "{}: {faults:#?}", rejected.name);
        judged += 1;
    }
    assert!(judged > 50, "{judged} of the wrong scenarios are TOML");
}

/// Whatever is wrong with a single value is refused where it stands, for every way in which quantities may be written.
#[test]
fn patterns_agree_with_the_loader() {
    let validator = validator();
    let loads = |text: &str| {
        let options = scenarios::LoadOptions::default();
        let (scenario, _) = scenarios::load(text, "test", &options, &scenarios::NoTraces);
        let value = json(text).expect("it is TOML");
        (scenario.is_some(), validator.is_valid(&value))
    };
    let durations = [
        "50ms", "1h 30min", "1h30min", " 1 h ", "0.5s", "1_000ns", "100µs", "100μs", "2sec", "1d",
    ];
    let not_durations = [
        "", "10", "10m", "min", "-1s", "1..5s", ".5s", "5.s", "1e3s", "0s", "0.0h", "1s,",
    ];
    for (texts, expected) in [(&durations[..], true), (&not_durations, false)] {
        for text in texts {
            let scenario = format!("format = 1\nduration = \"{text}\"\n");
            assert_eq!(loads(&scenario), (expected, expected), "duration {text:?}");
        }
    }
    let rates = ["2400/s", "1.5/min", "90 / min", "1/5min", "1/1h 30min", "3/0.5s"];
    let not_rates = ["", "5", "5/", "/s", "0/s", "5/parsec", "-1/s", "5 s"];
    for (texts, expected) in [(&rates[..], true), (&not_rates, false)] {
        for text in texts {
            let scenario = format!("format = 1\nduration = \"1s\"\n[sink.a]\ncapacity = \"{text}\"\n");
            assert_eq!(loads(&scenario), (expected, expected), "rate {text:?}");
        }
    }
    let sizes = ["600B", "3KB", "3kB", "1.5 MiB", " 2 GB "];
    let not_sizes = ["600", "600b", "1MB 2KB", "B", "1TiB"];
    for (texts, expected) in [(&sizes[..], true), (&not_sizes, false)] {
        for text in texts {
            let scenario = format!("format = 1\nduration = \"1s\"\n[model]\npayload_record_overhead = \"{text}\"\n");
            let (loaded, valid) = loads(&scenario);
            // The range is for the loader alone.
            assert!(
                valid == expected && (expected || !loaded),
                "size {text:?}: {loaded} {valid}"
            );
        }
    }
}

#[test]
fn the_schema_is_written_to_a_file_if_asked() {
    let place = Place::new("schema-file");
    let told = place.run(&["schema", "--out", "scenario.schema.json"]);
    assert_eq!(
        (told.code, told.whole().lines().count()),
        (Some(0), 3),
        "{}",
        told.whole()
    );
    let written = fs::read_to_string(place.folder.join("scenario.schema.json")).expect("the file was written");
    assert_eq!(serde_json::from_str::<Value>(&written).ok(), Some(schema()));
    let told = place.run(&["schema", "--out", "no/such/folder.json"]);
    assert_eq!(told.code, Some(2));
    assert!(
        told.err.contains("cannot be written to no/such/folder.json"),
        "{}",
        told.err
    );
}
