//! What becomes of expectations: those that cannot be decided say why, and a great number of them takes no great time.

use crate::cli::{Place, SCENARIO};
use std::fmt::Write;
use std::time::Instant;

/// The trickle for two minutes, with expectations in place of its own.
fn trickle(expectations: &[&str]) -> String {
    let (head, _) = SCENARIO.split_once("[[expect]]").expect("it expects something");
    let mut text = head.replace("duration = \"30s\"", "duration = \"2min\"");
    for expectation in expectations {
        write!(text, "\n[[expect]]\n{expectation}\n").expect("strings grow");
    }
    text
}

/// What is said of one expectation that cannot be decided.
fn reason(test: &str, expectation: &str) -> String {
    let told = Place::new(test)
        .with("trickle.toml", &trickle(&[expectation]))
        .run(&["check", "trickle.toml"]);
    assert_eq!(told.code, Some(3), "{}", told.whole());
    told.err
}

#[test]
fn a_metric_that_never_got_a_value_is_said_to_have_none_in_the_whole_run() {
    // The producer uses PutRecords only.
    let told = reason(
        "never",
        "metric = \"PutRecord.Success\"\nof = \"stream.clicks\"\nstatistic = \"Average\"\nabove = 0",
    );
    let reason = "PutRecord.Success of stream.clicks got no value in the whole run";
    assert!(told.contains(reason), "{told}");
}

#[test]
fn a_period_in_which_nothing_happened_is_told_from_a_run_in_which_nothing_did() {
    let told = reason(
        "then",
        "metric = \"EndToEndLatency\"\nof = \"sink.orders\"\nstatistic = \"p50\"\nuntil = \"20ms\"\nabove = 0",
    );
    let reason = "EndToEndLatency of sink.orders got no value between ";
    assert!(told.contains(reason), "{told}");
}

#[test]
fn what_is_counted_as_a_whole_has_a_sum_only() {
    let told = reason(
        "sum",
        "metric = \"Inversions\"\nof = \"sink.orders\"\nstatistic = \"Average\"\nequals = 0",
    );
    let reason = "Inversions of sink.orders is counted as a whole: it has a Sum, and no Average";
    assert!(told.contains(reason), "{told}");
}

#[test]
fn what_is_not_measured_somewhere_is_said_not_to_be() {
    let told = reason(
        "place",
        "metric = \"Inversions\"\nof = \"stream.clicks\"\nstatistic = \"Sum\"\nequals = 0",
    );
    assert!(told.contains("Inversions is not measured at stream.clicks"), "{told}");
}

#[test]
fn a_period_that_cuts_a_minute_is_told_which_ones_do_not() {
    let told = reason(
        "cut",
        "metric = \"Duration\"\nof = \"function.enrich\"\nstatistic = \"Maximum\"\nfrom = \"10s\"\nabove = 0",
    );
    let reason = "the Maximum of Duration is kept for each 1 min, so `from` and `until` must be multiples of that";
    assert!(told.contains(reason), "{told}");
}

#[test]
fn a_run_that_ended_early_is_said_to_have() {
    // The function takes five records a second of twenty, so the stream fills.
    let text =
        trickle(&["metric = \"Duration\"\nof = \"function.enrich\"\nstatistic = \"Sum\"\nfrom = \"1min\"\nabove = 0"])
            .replace("duration = \"2min\"", "duration = \"6h\"")
            .replace("per_batch = \"20ms\"", "per_batch = \"20s\"");
    let told = Place::new("early")
        .with("trickle.toml", &text)
        .run(&["check", "trickle.toml", "--memory", "1MB"]);
    assert_eq!(told.code, Some(3), "{}", told.whole());
    assert!(told.err.contains("the run ended at "), "{}", told.err);
    assert!(told.err.contains(", before the period from "), "{}", told.err);
}

#[test]
fn statistics_of_whole_minutes_are_decided() {
    let expectations = [
        "metric = \"Duration\"\nof = \"function.enrich\"\nstatistic = \"Maximum\"\nabove = \"20ms\"",
        "metric = \"IteratorAge\"\nof = \"function.enrich\"\nstatistic = \"Maximum\"\nfrom = \"1min\"\nbelow = \"5s\"",
        "metric = \"PutRecords.TotalRecords\"\nof = \"stream.clicks\"\nstatistic = \"Minimum\"\nat_least = 1",
        "metric = \"ConcurrentExecutions\"\nof = \"function.enrich\"\nstatistic = \"Maximum\"\nfrom = \"1min\"\nequals = 1",
        "metric = \"PutRecord.Success\"\nof = \"stream.clicks\"\nstatistic = \"Sum\"\nequals = 0",
    ];
    let told = Place::new("minutes")
        .with("trickle.toml", &trickle(&expectations))
        .run(&["check", "trickle.toml"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
}

/// Reports have a line for each of them, but standard error has no more than anybody reads.
#[test]
fn thousands_of_expectations_take_no_longer_than_their_number() {
    let sum = "metric = \"IncomingRecords\"\nof = \"stream.clicks\"\nstatistic = \"Sum\"\nbelow = 5";
    let many = |number: usize| Place::new(&format!("many-{number}")).with("trickle.toml", &trickle(&vec![sum; number]));
    let (few, many) = (many(1_500), many(12_000));
    let timed = |place: &Place| {
        let began = Instant::now();
        let told = place.run(&["check", "trickle.toml"]);
        assert_eq!(told.code, Some(1));
        (began.elapsed(), told)
    };
    // The faster of two attempts: a machine may be busy with something else.
    let (short, told) = timed(&few);
    let short = short.min(timed(&few).0);
    let (long, _) = timed(&many);
    let long = long.min(timed(&many).0);
    assert_eq!(told.err.matches("error[E0901]").count(), 50, "{}", told.err);
    assert!(told.err.contains("1,450 further messages not shown"), "{}", told.err);
    // Eight times as many: 64 times as long if each looked at all the text again.
    assert!(long < short * 24, "{short:?} for 1,500, {long:?} for 12,000");
}
