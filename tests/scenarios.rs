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
