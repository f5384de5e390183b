//! Each diagnostic, with its place and its words.

use crate::support::{BASE, and, check, check_with, with};
use scenarios::{LoadOptions, NoTraces};
use sim::profile::Profile;

#[test]
fn the_base_loads_without_a_word() {
    check(BASE, &[]);
}

#[test]
fn e0101_syntax_errors_come_with_the_rest_of_the_file() {
    check(&with("\"100/s\"", "100/s"), &["x"]);
    check(
        &with("ShardCount = 2", "ShardCount = \nRetentionPeriodHours = 23"),
        &["x"],
    );
}

#[test]
fn e0102_a_name_is_given_twice() {
    check(&and("[stream.clicks]\nRetentionPeriodHours = 48"), &["x"]);
    check(
        &with("capacity = \"5000/s\"", "capacity = \"5000/s\"\ncapacity = \"1/s\""),
        &["x"],
    );
}

#[test]
fn e0103_an_unknown_property_names_the_nearest() {
    check(&with("ShardCount", "ShardCuont"), &["x"]);
    check(&and("[strem.other]\nShardCount = 1"), &["x"]);
    check(&and("linger = \"1s\""), &["x"]);
}

#[test]
fn e0104_what_aws_has_and_the_model_has_not_says_so() {
    let text = with(
        "StartingPosition = \"TRIM_HORIZON\"",
        "StartingPosition = \"AT_TIMESTAMP\"\nBisectBatchOnFunctionError = true",
    );
    check(&text, &["x"]);
    check(&and("[queue.jobs]\nVisibilityTimeout = 30"), &["x"]);
    check(&with("time = {", "Runtime = \"python3.13\"\ntime = {"), &["x"]);
}

#[test]
fn e0105_a_missing_property_marks_the_header() {
    check("", &["x"]);
    check(&with("ShardCount = 2\n", ""), &["x"]);
    check(&with("{ poisson = \"100/s\" }", "{}"), &["x"]);
}

#[test]
fn e0106_a_wrong_type_says_what_is_expected() {
    check(&with("ShardCount = 2", "ShardCount = \"2\""), &["x"]);
    check(&with("\"600B\"", "600"), &["x"]);
    check(&with("\"10min\"", "600"), &["x"]);
    check(&and("[expect]\nmetric = \"Invocations\""), &["x"]);
    check(&and("[stream]\nother = 1"), &["x"]);
}

#[test]
fn e0107_a_name_of_other_characters() {
    check(&and("[sink.\"Big Orders\"]"), &["x"]);
}

#[test]
fn e0108_control_characters_are_named_but_not_printed() {
    check(&with("\"Base\"", "\"Ba\\u001b[31mse\""), &["x"]);
    check(&and("[sink.\"a\\u0007b\"]"), &["x"]);
}

#[test]
fn e0109_an_unknown_format() {
    check(&with("format = 1", "format = 2"), &["x"]);
}

#[test]
fn e0201_not_a_duration() {
    check(&with("\"10min\"", "\"10m\""), &["x"]);
    check(&with("\"20ms\"", "\"soon\""), &["x"]);
}

#[test]
fn e0202_not_a_size() {
    check(&with("\"600B\"", "\"600 bytes\""), &["x"]);
}

#[test]
fn e0203_not_a_rate() {
    check(&with("\"100/s\"", "\"100 Hz\""), &["x"]);
}

#[test]
fn e0204_parameters_that_make_no_distribution() {
    check(&with("\"20ms\"", "{ p50 = \"20ms\", p99 = \"10ms\" }"), &["x"]);
    check(
        &with("\"20ms\"", "{ lognormal = { p50 = \"20ms\", sigma = 1 } }"),
        &["x"],
    );
    check(&with("\"20ms\"", "{ uniform = [\"2ms\", \"1ms\"] }"), &["x"]);
    check(
        &with("\"20ms\"", "{ percentiles = { p0 = \"2ms\", p99 = \"1ms\" } }"),
        &["x"],
    );
    check(
        &with("\"20ms\"", "{ mixture = [{ weight = 0, of = \"1ms\" }] }"),
        &["x"],
    );
    check(
        &with("\"20ms\"", "{ percentiles = { p0 = \"1ms\", p99.9 = \"2ms\" } }"),
        &["x"],
    );
}

#[test]
fn e0205_a_limit_of_aws_carries_its_fact() {
    check(&with("ShardCount = 2", "ShardCount = 0"), &["x"]);
    check(&with("\"TRIM_HORIZON\"", "\"LATEST\"\nBatchSize = 10001"), &["x"]);
    check(&with("\"600B\"", "\"600B\"\nmax_batch_bytes = \"11MiB\""), &["x"]);
}

#[test]
fn e0206_a_word_that_is_none_of_those_allowed() {
    check(&with("\"600B\"", "\"600B\"\napi = \"PutRecrods\""), &["x"]);
    check(&with("{ uniform = 100 }", "\"trase\""), &["x"]);
}

#[test]
fn e0207_a_run_of_no_length() {
    check(&with("\"10min\"", "\"0s\""), &["x"]);
}

#[test]
fn e0208_a_list_that_makes_no_sense() {
    check(&with("{ uniform = 100 }", "{ list = [] }"), &["x"]);
    check(
        &with(
            "{ uniform = 100 }",
            "{ list = [{ key = \"a\" }, { key = \"a\", weight = 2 }] }",
        ),
        &["x"],
    );
    check(
        &with(
            "{ poisson = \"100/s\" }",
            "{ profile = { points = [[\"0s\", \"1/s\"], [\"0s\", \"2/s\"]] } }",
        ),
        &["x"],
    );
    check(
        &with(
            "{ poisson = \"100/s\" }",
            "{ profile = { points = [[\"0s\", \"1/s\", 3]] } }",
        ),
        &["x"],
    );
}

#[test]
fn e0209_a_property_of_the_other_profile() {
    let text = with("ShardCount = 2", "ShardCount = 2\nMaxRecordSizeInKiB = 2048");
    check(&text, &[]);
    let options = LoadOptions {
        profile: Some(Profile::Exam),
        ..LoadOptions::default()
    };
    check_with(&text, &options, &NoTraces, &["x"]);
}

#[test]
fn e0210_not_an_explicit_hash_key() {
    check(
        &with(
            "{ uniform = 100 }",
            "{ list = [{ key = \"a\", ExplicitHashKey = \"007\" }] }",
        ),
        &["x"],
    );
}

#[test]
fn e0301_a_reference_to_nothing_names_the_nearest() {
    check(&with("target = \"stream.clicks\"", "target = \"stream.click\""), &["x"]);
    check(&with("target = \"stream.clicks\"", "target = \"clicks\""), &["x"]);
    check(
        &with(
            "target = \"stream.clicks\"",
            "target = \"arn:aws:kinesis:eu-west-1:1:stream/clicks\"",
        ),
        &["x"],
    );
}

#[test]
fn e0302_a_reference_of_the_wrong_kind() {
    check(&with("target = \"stream.clicks\"", "target = \"sink.orders\""), &["x"]);
}

#[test]
fn e0303_properties_that_contradict_each_other() {
    check(
        &with("{ poisson = \"100/s\" }", "{ poisson = \"100/s\", constant = \"1/s\" }"),
        &["x"],
    );
    check(&with("{ uniform = 100 }", "\"trace\""), &["x"]);
    check(&with("\"600B\"", "\"600B\"\nmax_batch_bytes = \"500B\""), &["x"]);
    check(
        &with("sink = \"sink.orders\"", "failure = { rate = 0.1, after_write = true }"),
        &["x"],
    );
}

#[test]
fn e0304_records_larger_than_the_stream_accepts() {
    check(&with("\"600B\"", "\"1MiB\""), &["x"]);
    check(
        &with(
            "\"600B\"",
            "{ mixture = [{ weight = 99, of = \"1KB\" }, { weight = 1, of = \"2MB\" }] }",
        ),
        &["x"],
    );
}

#[test]
fn e0305_more_concurrency_than_the_account_has() {
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\nReservedConcurrentExecutions = 901",
        ),
        &["x"],
    );
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\nReservedConcurrentExecutions = 900",
        ),
        &[],
    );
}

#[test]
fn e0306_memory_that_retention_is_sure_to_fill() {
    let unread = BASE.split("[mapping").next().expect("the part before the mapping");
    let options = LoadOptions {
        memory: Some(1_000_000),
        ..LoadOptions::default()
    };
    check_with(unread, &options, &NoTraces, &["x"]);
    check_with(BASE, &options, &NoTraces, &[]);
    check_with(&with("uniform = 100", "uniform = 100_000"), &options, &NoTraces, &["x"]);
}

const EXPECT: &str = "[[expect]]\nmetric = \"Invocations\"\nof = \"function.enrich\"\nstatistic = \"Sum\"\nabove = 0\n";

fn expecting(old: &str, new: &str) -> String {
    assert!(EXPECT.contains(old), "{old:?} is in the block");
    and(&EXPECT.replace(old, new))
}

#[test]
fn e0401_an_unknown_metric() {
    check(&and(EXPECT), &[]);
    check(&expecting("\"Invocations\"", "\"Invocation\""), &["x"]);
    check(&expecting("\"Invocations\"", "\"ThrottledRecords\""), &["x"]);
}

#[test]
fn e0402_a_metric_where_it_does_not_exist() {
    check(&expecting("function.enrich", "stream.clicks"), &["x"]);
    check(&expecting("\"Sum\"", "\"p99\""), &["x"]);
}

#[test]
fn e0403_bounds_that_make_no_expectation() {
    check(&expecting("above = 0", ""), &["x"]);
    check(&expecting("above = 0", "above = 5\nbelow = 3"), &["x"]);
    check(&expecting("above = 0", "above = 5\nequals = 6"), &["x"]);
    check(&expecting("above = 0", "above = \"5s\""), &["x"]);
}

#[test]
fn e0404_a_period_outside_the_run() {
    check(&expecting("above = 0", "above = 0\nuntil = \"11min\""), &["x"]);
    check(
        &expecting("above = 0", "above = 0\nfrom = \"2min\"\nuntil = \"2min\""),
        &["x"],
    );
}

#[test]
fn e0405_a_guarantee_states_one_promise() {
    check(&and("[[guarantee]]\norder = \"per-key\"\nno_loss = true"), &["x"]);
    check(&and("[[guarantee]]\nat = \"sink.orders\""), &["x"]);
    check(&and("[[guarantee]]\nno_loss = false"), &["x"]);
}

#[test]
fn e0406_an_intervention_makes_one_change() {
    check(&and("[[intervention]]\nat = \"1min\""), &["x"]);
}

#[test]
fn w0001_a_component_with_nothing_to_do() {
    check(&and("[sink.attic]"), &["x"]);
}

#[test]
fn w0002_an_intervention_after_the_end() {
    check(
        &and("[[intervention]]\nat = \"10min\"\nbreak_sink = { sink = \"sink.orders\", lasts = \"1s\" }"),
        &["x"],
    );
}

#[test]
fn w0003_a_property_without_effect() {
    check(
        &with("\"600B\"", "\"600B\"\napi = \"PutRecord\"\nlinger = \"1s\""),
        &["x"],
    );
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\ninit = \"1s\"\nruntime = \"java21\"",
        ),
        &["x"],
    );
}

#[test]
fn w0004_a_scenario_without_a_producer() {
    check("format = 1\nduration = \"1s\"", &["x"]);
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_text() {
    let text = BASE
        .replace("ShardCount = 2", "ShardCount = 0\nRetention = 48")
        .replace("\"600B\"", "\"600\"")
        .replace("function.enrich\"", "function.enrihc\"")
        .replace("per_batch", "per_bacth");
    check(&text, &["x"]);
}
