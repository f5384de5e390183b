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
