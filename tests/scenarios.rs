//! Shipped scenarios: each asks something, states what must come out, and that comes out.

use crate::support::{data, shipped_scenarios};
use std::path::Path;
use std::process::Command;

/// What `shardlab check` says of a shipped scenario: (exit code, standard output, standard error).
fn check(path: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardlab"));
    command.args(["check", path]);
    if let Some(folder) = data() {
        command.env("SHARDLAB_DATA", folder);
    }
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_every_shipped_scenario_states_holds() {
    let mut checked = 0;
    for path in shipped_scenarios() {
        let text = std::fs::read_to_string(&path).expect("the scenario is there");
        // Recordings are replayed by the tests of `traces`, which take longer.
        if text.contains("data:") {
            continue;
        }
        let (code, out, err) = check(&path);
        assert_eq!(code, Some(0), "{path}: {out}\n{err}");
        checked += 1;
    }
    assert!(checked >= 6, "{checked} scenarios were found");
}

/// What was asked of a stream, what it refused and what became of its shards stands in the account.
#[test]
fn a_run_tells_what_was_asked_of_a_stream_and_what_came_of_it() {
    let told = crate::cli::Place::new("askedofastream").run(&[
        "run",
        &format!(
            "{}/scenarios/kinesis/resharding-under-load.toml",
            env!("CARGO_MANIFEST_DIR")
        ),
    ]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    let out = told.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "At 00:02:00.000 stream.rides is asked for UpdateShardCount to 4.",
        "At 00:02:10.000 stream.rides: SplitShard of shardId-000000000000 is refused: ResourceInUseException.",
        "At 00:02:30.000 stream.rides: UpdateShardCount to 4 is in effect; 2 shards closed and 4 opened, 4 are open.",
        "UpdateShardCount to 3 is in effect; 8 shards closed and 4 opened, 3 are open.",
        "in 16 shards (13 of them closed on the way) and refused none.",
        "shard_discovery_interval",
    ] {
        assert!(out.contains(sentence), "{sentence}\n{}", told.out);
    }
}

#[test]
fn every_shipped_scenario_has_a_title_a_question_and_an_answer() {
    for path in shipped_scenarios() {
        let text = std::fs::read_to_string(&path).expect("the scenario is there");
        let line = |start: &str| text.lines().any(|line| line.starts_with(start));
        assert!(line("title = "), "{path} has no title");
        assert!(line("question = "), "{path} asks nothing");
        assert!(
            line("[[expect]]") || line("[[guarantee]]"),
            "{path} does not say what must come out"
        );
    }
}

#[test]
fn no_two_shipped_scenarios_have_the_same_name() {
    let paths = shipped_scenarios();
    let mut names: Vec<_> = paths.iter().filter_map(|path| Path::new(path).file_name()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "a name stands for one scenario");
}

/// A stream that a mapping on a registered consumer reads and an application, which registers its own.
const SHARDS_AND_CONSUMERS: &str = r#"format = 1
title = "Shards and consumers"
duration = "3min"

[stream.clicks]
ShardCount = 2
DesiredShardLevelMetrics = ["OutgoingBytes"]

[producer.web]
target = "stream.clicks"
arrivals = { poisson = "50/s" }
keys = { uniform = 100 }
size = "600B"

[consumer.enriching]
StreamARN = "stream.clicks"

[mapping.enrich]
EventSourceArn = "stream.clicks"
FunctionName = "function.enrich"
StartingPosition = "TRIM_HORIZON"
consumer = "consumer.enriching"

[function.enrich]
time = { per_batch = "20ms" }

[application.audit]
stream = "stream.clicks"
time = { per_batch = "1ms" }
"#;

/// KDS-MET-01, KDS-MET-04: rows of a minute in the namespace `AWS/Kinesis`: those of a stream by its name, those of a shard
/// by stream and shard, those of a consumer by stream and consumer. What is published changes nothing of the run.
#[test]
fn kds_met_04_metrics_have_the_dimensions_of_cloudwatch() {
    let run = |name: &str, text: &str| {
        let place = crate::cli::Place::new(name).with("clicks.toml", text);
        let told = place.run(&["run", "clicks.toml", "--out", "out"]);
        assert_eq!(told.code, Some(0), "{}", told.whole());
        let read = |file: &str| std::fs::read_to_string(place.folder.join("out").join(file)).expect("it was written");
        let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).expect("it is JSON");
        (read("metrics.csv"), summary["run"]["fingerprint"].clone())
    };
    let (csv, fingerprint) = run("dimensions", SHARDS_AND_CONSUMERS);
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let of = |metric: &str| -> Vec<String> {
        let mut dimensions: Vec<String> = rows
            .iter()
            .filter(|row| row[1] == metric)
            .map(|row| {
                assert_eq!((row[0], row[7]), ("AWS/Kinesis", "60"), "{row:?}");
                row[2..5].join(" ")
            })
            .collect();
        dimensions.dedup();
        dimensions
    };
    assert_eq!(of("IncomingRecords"), ["stream.clicks  "]);
    assert_eq!(
        of("OutgoingBytes"),
        [
            "stream.clicks shardId-000000000000 ",
            "stream.clicks shardId-000000000001 "
        ]
    );
    assert_eq!(
        of("SubscribeToShardEvent.Records"),
        ["stream.clicks  enriching", "stream.clicks  audit"]
    );
    let off = SHARDS_AND_CONSUMERS.replace("DesiredShardLevelMetrics = [\"OutgoingBytes\"]\n", "");
    let (csv, other) = run("dimensionsoff", &off);
    assert!(
        !csv.contains("shardId-"),
        "a shard has no metrics by default (KDS-MET-02)"
    );
    assert!(!fingerprint.is_null());
    assert_eq!(fingerprint, other);
}
