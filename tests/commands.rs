//! The commands beside `run` and `check`, from outside.

use crate::cli::{Place, Told};

fn shardlab(arguments: &[&str]) -> Told {
    let name: String = arguments.concat().chars().filter(char::is_ascii_alphanumeric).collect();
    Place::new(&name).run(arguments)
}

#[test]
fn explain_knows_codes_metrics_properties_and_facts() {
    let told =
        ["E0306", "PutRecords.ThrottledRecords", "mapping.BatchSize", "KDS-W-01"].map(|id| shardlab(&["explain", id]));
    assert!(told.iter().all(|told| told.code == Some(0) && told.err.is_empty()));
    insta::assert_snapshot!(told.map(|told| told.out).join("----\n"));
}

#[test]
fn explain_lists_a_group_of_facts() {
    let told = shardlab(&["explain", "lam-w"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    assert!(
        told.out.lines().any(|line| line.starts_with("  LAM-W-01  ")),
        "{}",
        told.out
    );
}

#[test]
fn explain_without_an_argument_lists_what_there_is() {
    let told = shardlab(&["explain"]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    for name in ["  E0101 ", "  IncomingRecords ", "  stream.ShardCount ", "  KDS-W "] {
        assert!(told.out.contains(name), "{name} in {}", told.out);
    }
}

#[test]
fn explain_suggests_what_may_be_meant() {
    let told = shardlab(&["explain", "BatchSiez"]);
    insta::assert_snapshot!(told.whole());
    assert_eq!(told.code, Some(2));
    let told = shardlab(&["explain", "\u{1b}[2J"]);
    assert!(!told.err.contains('\u{1b}'), "{:?}", told.err);
}

#[test]
fn bench_prints_rates_and_memory() {
    let told = shardlab(&["bench", "hot", "--seconds", "2", "--rounds", "1"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    assert!(told.out.starts_with("hot: "), "{}", told.out);
    for part in [
        "events a record",
        "records/s",
        "events/s",
        "all observers",
        "no observers",
        "peak memory",
        "mean little",
    ] {
        assert!(told.out.contains(part), "{part} in {}", told.out);
    }
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let told = shardlab(&["completions", shell]);
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{shell}");
        for command in ["explain", "completions"] {
            assert!(told.out.contains(command), "{shell} completes {command}");
        }
    }
}
