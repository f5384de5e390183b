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
    check(
        &with("\"100/s\"", "100/s"),
        &["E0101 10 \"100/s\" a value is missing or lacks its quotes () -> write \"100/s\""],
    );
    check(
        &with("ShardCount = 2", "ShardCount = \nRetentionPeriodHours = 23"),
        &[
            "E0101 6 \"\" a value is missing or lacks its quotes () -> write a number, true, false, or a text in quotes",
            "E0205 7 \"23\" `RetentionPeriodHours` is out of range (expected 24 to 8,760)",
        ],
    );
}

#[test]
fn e0101_what_a_syntax_error_may_hide_is_not_missing() {
    check(
        "format: 1\nduration = \"1s\"",
        &[
            "E0101 1 \":\" invalid unquoted key (expected letters, numbers, `-`, `_`)",
            "E0101 1 \"\" key with no value (expected `=`)",
        ],
    );
}

#[test]
fn e0102_a_name_is_given_twice() {
    check(
        &and("[stream.clicks]\nRetentionPeriodHours = 48"),
        &["E0102 26 \"clicks\" `clicks` is given twice (given again here) & 5 \"clicks\" (first given here)"],
    );
    // What stands below the second header is no further fault.
    check(
        &and("[stream.clicks]\nShardCount = 3"),
        &["E0102 26 \"clicks\" `clicks` is given twice (given again here) & 5 \"clicks\" (first given here)"],
    );
    check(
        &with("capacity = \"5000/s\"", "capacity = \"5000/s\"\ncapacity = \"1/s\""),
        &["E0102 25 \"capacity\" `capacity` is given twice (given again here) & 24 \"capacity\" (first given here)"],
    );
}

#[test]
fn e0103_an_unknown_property_names_the_nearest() {
    check(
        &with("ShardCount", "ShardCuont"),
        &[
            "E0103 6 \"ShardCuont\" a stream has no property `ShardCuont` (unknown property) -> did you mean `ShardCount`?",
        ],
    );
    check(
        &and("[strem.other]\nShardCount = 1"),
        &["E0103 26 \"strem\" a scenario has no property `strem` (unknown property) -> did you mean `stream`?"],
    );
    // A component below a misspelt kind is found all the same.
    check(
        &with("[stream.clicks]", "[strem.clicks]"),
        &["E0103 5 \"strem\" a scenario has no property `strem` (unknown property) -> did you mean `stream`?"],
    );
    check(
        &and("linger = \"1s\""),
        &["E0103 26 \"linger\" a sink has no property `linger` (unknown property)"],
    );
}

#[test]
fn e0104_what_aws_has_and_the_model_has_not_says_so() {
    let text = with(
        "StartingPosition = \"TRIM_HORIZON\"",
        "StartingPosition = \"TRIM_HORIZON\"\nKmsKeyArn = \"key\"",
    );
    check(
        &text,
        &[
            "E0104 18 \"KmsKeyArn\" `KmsKeyArn` of AWS::Lambda::EventSourceMapping is not modelled yet (the model would ignore it) -> leave it out; the result does not contain its effect",
        ],
    );
    check(
        &and("[firehose.archive]\nDeliveryStreamType = \"DirectPut\""),
        &[
            "E0104 26 \"firehose\" `firehose` is not modelled yet (the model would ignore it) -> leave it out; the result does not contain its effect",
        ],
    );
    check(
        &with("time = {", "Runtime = \"python3.13\"\ntime = {"),
        &[
            "E0104 20 \"Runtime\" `Runtime` of AWS::Lambda::Function is not modelled yet (the model would ignore it) -> the model's own knob for this is `runtime`",
        ],
    );
}

#[test]
fn e0105_a_missing_property_marks_the_header() {
    check(
        "",
        &[
            "E0105 1 \"\" a scenario needs `format` (missing here) -> add `format = ..`, an integer",
            "E0105 1 \"\" a scenario needs `duration` (missing here) -> add `duration = ..`, a duration such as \"50ms\" or \"10min\"",
            "W0004 1 \"\" the scenario has no producer (nothing will happen) -> add a [producer.NAME]",
        ],
    );
    check(
        &with("ShardCount = 2\n", ""),
        &[
            "E0105 5 \"[stream.clicks]\" a stream needs `ShardCount` (missing here) -> add `ShardCount = ..`, an integer",
        ],
    );
    check(
        &with("{ poisson = \"100/s\" }", "{}"),
        &[
            "E0105 10 \"{}\" `arrivals` is empty (one property expected) -> give one of `constant`, `poisson`, `bursts`, `profile` or `trace`",
        ],
    );
}

#[test]
fn e0106_a_wrong_type_says_what_is_expected() {
    check(
        &with("ShardCount = 2", "ShardCount = \"2\""),
        &["E0106 6 \"\\\"2\\\"\" `ShardCount` is a string (expected an integer) -> without quotes: 2"],
    );
    check(
        &with("\"600B\"", "600"),
        &[
            "E0106 12 \"600\" `size` is an integer (expected a size such as \"600B\" or a distribution such as { p50 = \"600B\", p99 = \"3KB\" })",
        ],
    );
    check(
        &with("\"10min\"", "600"),
        &[
            "E0106 3 \"600\" `duration` is an integer (expected a duration such as \"50ms\" or \"10min\") -> with its unit: \"600s\"",
        ],
    );
    check(
        &and("[expect]\nmetric = \"Invocations\""),
        &["E0106 26 \"[expect]\" `expect` is a table (expected a list) -> write [[expect]], for one of several"],
    );
    check(
        &and("[stream]\nother = 1"),
        &[
            "E0106 27 \"1\" `stream` holds components, `other` is an integer (a table is expected) -> components are written [stream.NAME], their properties below",
        ],
    );
}

#[test]
fn e0107_a_name_of_other_characters() {
    check(
        &and("[sink.\"Big Orders\"]"),
        &[
            "E0107 26 \"\\\"Big Orders\\\"\" `Big Orders` cannot name a sink (lower-case letters, digits and hyphens are allowed) -> for example `big-orders`",
            "W0001 26 \"\\\"Big Orders\\\"\" `sink.Big Orders` has nothing to do (no function or application writes to it)",
        ],
    );
}

#[test]
fn e0108_control_characters_are_named_but_not_printed() {
    check(
        &with("\"Base\"", "\"Ba\\u001b[31mse\""),
        &[
            "E0108 2 \"\\\"Ba\\\\u001b[31mse\\\"\" `title` contains control characters (plain text is expected) -> without them it reads \"Ba[31mse\"",
        ],
    );
    check(
        &and("[sink.\"a\\u0007b\"]"),
        &[
            "E0108 26 \"\\\"a\\\\u0007b\\\"\" `a\\u{7}b` cannot name a sink (lower-case letters, digits and hyphens are allowed) -> for example `ab`",
            "W0001 26 \"\\\"a\\\\u0007b\\\"\" `sink.a\\u{7}b` has nothing to do (no function or application writes to it)",
        ],
    );
}

#[test]
fn e0109_an_unknown_format() {
    check(
        &with("format = 1", "format = 2"),
        &["E0109 1 \"2\" `format = 2` is unknown (unknown version) -> this program reads format = 1"],
    );
}

#[test]
fn e0201_not_a_duration() {
    check(
        &with("\"10min\"", "\"10m\""),
        &[
            "E0201 3 \"\\\"10m\\\"\" `duration` is not a duration (expected a number and ns, us, ms, s, min, h or d, such as \"50ms\") -> minutes are written \"10min\"",
        ],
    );
    check(
        &with("\"20ms\"", "\"soon\""),
        &[
            "E0201 20 \"\\\"soon\\\"\" `per_batch` is not a duration (expected a number and ns, us, ms, s, min, h or d, such as \"50ms\")",
        ],
    );
}

#[test]
fn e0202_not_a_size() {
    check(
        &with("\"600B\"", "\"600 bytes\""),
        &[
            "E0202 12 \"\\\"600 bytes\\\"\" `size` is not a size (expected a number and B, KB, MB, GB, KiB, MiB or GiB, such as \"600B\")",
        ],
    );
}

#[test]
fn e0203_not_a_rate() {
    check(
        &with("\"100/s\"", "\"100 Hz\""),
        &[
            "E0203 10 \"\\\"100 Hz\\\"\" `poisson` is not a rate (expected a number, a slash and a time, such as \"2400/s\" or \"1/5min\")",
        ],
    );
}

#[test]
fn e0204_parameters_that_make_no_distribution() {
    check(
        &with("\"20ms\"", "{ p50 = \"20ms\", p99 = \"10ms\" }"),
        &[
            "E0204 20 \"{ p50 = \\\"20ms\\\", p99 = \\\"10ms\\\" }\" the parameters do not make a distribution (p50 lies above zero, and p99 not below p50)",
        ],
    );
    check(
        &with("\"20ms\"", "{ lognormal = { p50 = \"20ms\", sigma = 1 } }"),
        &[
            "E0204 20 \"{ p50 = \\\"20ms\\\", sigma = 1 }\" the parameters do not make a distribution (expected p50 and p99, or median (above zero) and sigma)",
        ],
    );
    check(
        &with("\"20ms\"", "{ uniform = [\"2ms\", \"1ms\"] }"),
        &[
            "E0204 20 \"[\\\"2ms\\\", \\\"1ms\\\"]\" the parameters do not make a distribution (the first value is the smaller one)",
        ],
    );
    check(
        &with("\"20ms\"", "{ percentiles = { p0 = \"2ms\", p99 = \"1ms\" } }"),
        &[
            "E0204 20 \"{ p0 = \\\"2ms\\\", p99 = \\\"1ms\\\" }\" the parameters do not make a distribution (expected two percentiles or more, with values that do not fall)",
        ],
    );
    check(
        &with("\"20ms\"", "{ mixture = [{ weight = 0, of = \"1ms\" }] }"),
        &[
            "E0204 20 \"[{ weight = 0, of = \\\"1ms\\\" }]\" the parameters do not make a distribution (the weights sum to zero)",
        ],
    );
    check(
        &with("\"20ms\"", "{ percentiles = { p0 = \"1ms\", p99.9 = \"2ms\" } }"),
        &[
            "E0106 20 \"p99\" a percentile with decimals needs quotes (read as a table within a table) -> write \"p99.9\" = ..",
        ],
    );
}

#[test]
fn e0205_a_limit_of_aws_carries_its_fact() {
    check(
        &with("ShardCount = 2", "ShardCount = 0"),
        &["E0205 6 \"0\" `ShardCount` is out of range (expected 1 to 20,000)"],
    );
    check(
        &with("\"TRIM_HORIZON\"", "\"LATEST\"\nBatchSize = 10001"),
        &["E0205 18 \"10001\" `BatchSize` is out of range (expected 1 to 10,000)"],
    );
    check(
        &with("\"600B\"", "\"600B\"\nmax_batch_bytes = \"11MiB\""),
        &["E0205 13 \"\\\"11MiB\\\"\" `max_batch_bytes` is out of range (expected 1 B to 10 MiB)"],
    );
}

#[test]
fn e0205_more_components_than_the_model_numbers() {
    let sinks = |count: u32| {
        (0..count)
            .map(|number| format!("[sink.s{number}]"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let errors = |text: &str| {
        let (_, diagnostics) = scenarios::load(text, "test", &LoadOptions::default(), &NoTraces);
        let errors = diagnostics
            .iter()
            .filter(|found| found.severity == scenarios::Severity::Error);
        errors
            .map(|found| (found.code.to_string(), found.title.clone()))
            .collect::<Vec<_>>()
    };
    // The base has a sink of its own.
    assert_eq!(errors(&and(&sinks(9_999))), []);
    let expected = (
        "E0205".to_owned(),
        "a scenario has at most 10,000 components of a kind".to_owned(),
    );
    assert_eq!(errors(&and(&sinks(10_000))), [expected]);
}

#[test]
fn e0205_what_cannot_be_counted_is_out_of_range_and_not_malformed() {
    check(
        &with("\"10min\"", "\"99999999999999999999999d\""),
        &["E0205 3 \"\\\"99999999999999999999999d\\\"\" `duration` is out of range (expected at most ten years)"],
    );
    check(
        &with("\"600B\"", "\"18446744073709551615GiB\""),
        &["E0205 12 \"\\\"18446744073709551615GiB\\\"\" `size` is out of range (expected 0 B to 1024 GiB)"],
    );
    check(
        &with("\"100/s\"", "\"999999999999999999999999/ns\""),
        &[
            "E0205 10 \"\\\"999999999999999999999999/ns\\\"\" `poisson` is out of range (expected at most 1,000,000,000/s, over at most ten years)",
        ],
    );
}

#[test]
fn e0206_a_word_that_is_none_of_those_allowed() {
    check(
        &with("\"600B\"", "\"600B\"\napi = \"PutRecrods\""),
        &[
            "E0206 13 \"\\\"PutRecrods\\\"\" `api` cannot be \"PutRecrods\" (expected `PutRecords`, `PutRecord`, `SendMessageBatch`, `SendMessage`, `PublishBatch` or `Publish`) -> did you mean \"PutRecords\"?",
        ],
    );
    check(
        &with("{ uniform = 100 }", "\"trase\""),
        &[
            "E0206 11 \"\\\"trase\\\"\" `keys` cannot be \"trase\" (expected \"trace\" or a table with one of `uniform`, `zipf`, `hot` or `list`) -> did you mean \"trace\"?",
        ],
    );
}

#[test]
fn e0207_a_run_of_no_length() {
    check(
        &with("\"10min\"", "\"0s\""),
        &["E0207 3 \"\\\"0s\\\"\" `duration` is zero (a time longer than zero is expected)"],
    );
}

#[test]
fn e0208_a_list_that_makes_no_sense() {
    check(
        &with("{ uniform = 100 }", "{ list = [] }"),
        &["E0208 11 \"[]\" `list` is an empty list (at least one entry is expected)"],
    );
    check(
        &with(
            "{ uniform = 100 }",
            "{ list = [{ key = \"a\" }, { key = \"a\", weight = 2 }] }",
        ),
        &["E0208 11 \"\\\"a\\\"\" a key is listed twice (again here) -> give it once, with the sum of the weights"],
    );
    check(
        &with(
            "{ poisson = \"100/s\" }",
            "{ profile = { points = [[\"0s\", \"1/s\"], [\"0s\", \"2/s\"]] } }",
        ),
        &[
            "E0208 10 \"\\\"0s\\\"\" the points of a rate over time must increase from zero (out of order) -> the first point is at \"0s\", each further one later than the one before",
        ],
    );
    check(
        &with(
            "{ poisson = \"100/s\" }",
            "{ profile = { points = [[\"0s\", \"1/s\", 3]] } }",
        ),
        &[
            "E0208 10 \"[\\\"0s\\\", \\\"1/s\\\", 3]\" `points` takes pairs (3 values) -> write [a duration such as \"50ms\" or \"10min\", a rate such as \"2400/s\"]",
        ],
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
    check_with(
        &text,
        &options,
        &NoTraces,
        &[
            "E0209 7 \"2048\" `MaxRecordSizeInKiB` does not exist in the profile `exam` (AWS has it since 2025-10-28 (KDS-REC-04)) -> leave it out, or use profile = \"current\"",
        ],
    );
}

#[test]
fn e0210_not_an_explicit_hash_key() {
    check(
        &with(
            "{ uniform = 100 }",
            "{ list = [{ key = \"a\", ExplicitHashKey = \"007\" }] }",
        ),
        &[
            "E0210 11 \"\\\"007\\\"\" `ExplicitHashKey` is not an explicit hash key (expected a decimal number below 2^128 without leading zeros (KDS-REC-10))",
        ],
    );
}

#[test]
fn e0301_a_reference_to_nothing_names_the_nearest() {
    check(
        &with("target = \"stream.clicks\"", "target = \"stream.click\""),
        &[
            "E0301 9 \"\\\"stream.click\\\"\" `target` refers to `stream.click`, which does not exist (no such stream) -> did you mean \"stream.clicks\"?",
        ],
    );
    check(
        &with("target = \"stream.clicks\"", "target = \"clicks\""),
        &[
            "E0301 9 \"\\\"clicks\\\"\" `target` refers to `clicks`, which does not exist (no such stream) -> did you mean \"stream.clicks\"?",
        ],
    );
    check(
        &with(
            "target = \"stream.clicks\"",
            "target = \"arn:aws:kinesis:eu-west-1:1:stream/clicks\"",
        ),
        &[
            "E0301 9 \"\\\"arn:aws:kinesis:eu-west-1:1:stream/clicks\\\"\" `target` refers to `arn:aws:kinesis:eu-west-1:1:stream/clicks`, which does not exist (no such stream) -> where AWS has an ARN, a scenario names its component",
        ],
    );
}

#[test]
fn e0302_a_reference_of_the_wrong_kind() {
    check(
        &with("target = \"stream.clicks\"", "target = \"sink.orders\""),
        &[
            "E0302 9 \"\\\"sink.orders\\\"\" `target` cannot be a sink (expected the name of a component, \"stream.NAME\" or \"queue.NAME\" or \"topic.NAME\")",
        ],
    );
}

#[test]
fn e0303_properties_that_contradict_each_other() {
    check(
        &with("{ poisson = \"100/s\" }", "{ poisson = \"100/s\", constant = \"1/s\" }"),
        &[
            "E0303 10 \"constant\" `arrivals` takes one of `constant`, `poisson`, `bursts`, `profile` or `trace`, not several (a second choice) & 10 \"poisson\" (the first choice)",
        ],
    );
    check(
        &with("{ uniform = 100 }", "\"trace\""),
        &[
            "E0303 11 \"\\\"trace\\\"\" `keys = \"trace\"` needs arrivals from a trace (there is no trace) -> use arrivals = { trace = .. }, or state them here",
        ],
    );
    check(
        &with("\"600B\"", "\"600B\"\nmax_batch_bytes = \"500B\""),
        &[
            "E0303 13 \"\\\"500B\\\"\" a single record does not fit into a PutRecords of this producer (a record has 610 bytes with its key) -> raise max_batch_bytes",
        ],
    );
    check(
        &with("sink = \"sink.orders\"", "failure = { rate = 0.1, after_write = true }"),
        &[
            "E0303 21 \"true\" `after_write` needs a sink to write to (the function has no `sink`) -> add a `sink`",
            "W0001 23 \"orders\" `sink.orders` has nothing to do (no function or application writes to it)",
        ],
    );
}

#[test]
fn e0304_records_larger_than_the_stream_accepts() {
    check(
        &with("\"600B\"", "\"1MiB\""),
        &[
            "E0304 12 \"\\\"1MiB\\\"\" stream.clicks does not accept records of 1,048,586 bytes (1,048,576 bytes of data, and 10 of its key) -> make the records smaller, or raise MaxRecordSizeInKiB to at most 10240 in the profile `current`",
        ],
    );
    check(
        &with(
            "\"600B\"",
            "{ mixture = [{ weight = 99, of = \"1KB\" }, { weight = 1, of = \"2MB\" }] }",
        ),
        &[
            "E0304 12 \"{ mixture = [{ weight = 99, of = \\\"1KB\\\" }, { weight = 1, of = \\\"2MB\\\" }] }\" stream.clicks does not accept records of 2,000,010 bytes (2,000,000 bytes of data, and 10 of its key) -> make the records smaller, or raise MaxRecordSizeInKiB to at most 10240 in the profile `current`",
        ],
    );
}

#[test]
fn e0305_more_concurrency_than_the_account_has() {
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\nReservedConcurrentExecutions = 901",
        ),
        &[
            "E0305 22 \"901\" more concurrency is reserved than the account has (brings the sum to 901, 900 may be reserved) -> reserve less, or raise [account] ConcurrentExecutions (LAM-C-04)",
        ],
    );
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\nReservedConcurrentExecutions = 900",
        ),
        &[],
    );
    let later = "[[intervention]]\nat = \"1min\"\nconcurrency = { function = \"function.enrich\", limit = 901 }";
    check(
        &and(later),
        &[
            "E0305 28 \"901\" more concurrency is reserved than the account has (brings the sum to 901, 900 may be reserved) -> reserve less, or raise [account] ConcurrentExecutions (LAM-C-04, LAM-C-06, LAM-C-07)",
        ],
    );
}

#[test]
fn e0306_memory_that_unread_records_are_sure_to_fill() {
    let options = LoadOptions {
        memory: Some(1_000_000),
        ..LoadOptions::default()
    };
    check_with(BASE, &options, &NoTraces, &[]);
    let barred = with(
        "sink = \"sink.orders\"",
        "sink = \"sink.orders\"\nReservedConcurrentExecutions = 0",
    );
    check_with(
        &barred,
        &options,
        &NoTraces,
        &[
            "E0306 5 \"[stream.clicks]\" stream.clicks would fill 1 MiB of memory (keeps 54,000 unread records) -> shorten the run or the retention, lower the rate, or allow more with --memory",
        ],
    );
    check_with(
        &with("5000/s", "5/s"),
        &options,
        &NoTraces,
        &[
            "E0306 5 \"[stream.clicks]\" stream.clicks would fill 996 KiB of memory (keeps 51,000 unread records) -> shorten the run or the retention, lower the rate, or allow more with --memory",
        ],
    );
    check_with(
        &with("uniform = 100", "uniform = 100_000"),
        &options,
        &NoTraces,
        &[
            "E0306 11 \"{ uniform = 100_000 }\" the table of partition keys would fill 3 MiB of memory (the producers have 100,000 keys in all) -> use fewer keys, or allow more with --memory",
        ],
    );
    // An intervention may free the sink, so nothing is certain.
    let freed = "[[intervention]]\nat = \"1min\"\nsink_capacity = { sink = \"sink.orders\" }";
    let text = format!("{}\n{freed}", with("5000/s", "5/s"));
    check_with(&text, &options, &NoTraces, &[]);
}

#[test]
fn w0001_a_component_with_nothing_to_do() {
    check(
        &and("[sink.attic]"),
        &["W0001 26 \"attic\" `sink.attic` has nothing to do (no function or application writes to it)"],
    );
}

#[test]
fn w0002_an_intervention_after_the_end() {
    check(
        &and("[[intervention]]\nat = \"10min\"\nbreak_sink = { sink = \"sink.orders\", lasts = \"1s\" }"),
        &["W0002 27 \"\\\"10min\\\"\" the intervention comes after the end of the run (the run lasts 10 min)"],
    );
}

#[test]
fn w0003_a_property_without_effect() {
    check(
        &with("\"600B\"", "\"600B\"\napi = \"PutRecord\"\nlinger = \"1s\""),
        &[
            "W0003 14 \"\\\"1s\\\"\" `linger` has no effect here (PutRecord sends each record by itself) -> leave it out",
        ],
    );
    check(
        &with(
            "sink = \"sink.orders\"",
            "sink = \"sink.orders\"\ninit = \"1s\"\nruntime = \"java21\"",
        ),
        &[
            "W0003 23 \"\\\"java21\\\"\" `runtime` has no effect here (`init` states the whole Init time) -> leave it out",
        ],
    );
}

#[test]
fn w0004_a_scenario_without_a_producer() {
    check(
        "format = 1\nduration = \"1s\"",
        &["W0004 2 \"\\\"1s\\\"\" the scenario has no producer (nothing will happen) -> add a [producer.NAME]"],
    );
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_text() {
    let text = BASE
        .replace("ShardCount = 2", "ShardCount = 0\nRetention = 48")
        .replace("\"600B\"", "\"600\"")
        .replace("function.enrich\"", "function.enrihc\"")
        .replace("per_batch", "per_bacth");
    check(
        &text,
        &[
            "E0205 6 \"0\" `ShardCount` is out of range (expected 1 to 20,000)",
            "E0103 7 \"Retention\" a stream has no property `Retention` (unknown property)",
            "E0202 13 \"\\\"600\\\"\" `size` is not a size (expected a number and B, KB, MB, GB, KiB, MiB or GiB, such as \"600B\")",
            "E0301 17 \"\\\"function.enrihc\\\"\" `FunctionName` refers to `function.enrihc`, which does not exist (no such function) -> did you mean \"function.enrich\"?",
            "E0103 21 \"per_bacth\" the time of a handler has no property `per_bacth` (unknown property) -> did you mean `per_batch`?",
        ],
    );
}

#[test]
fn a_limit_names_its_fact_and_a_trace_quotes_its_row() {
    let notes = |text: &str| {
        let (_, diagnostics) = scenarios::load(text, "test", &LoadOptions::default(), &NoTraces);
        diagnostics
            .into_iter()
            .flat_map(|found| found.notes)
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(&with("ShardCount = 2", "ShardCount = 0")), ["see KDS-CAP-14"]);
    assert_eq!(
        notes(&with("\"600B\"", "\"600B\"\nmax_batch_records = 501")),
        ["see KDS-W-06"]
    );
}

/// A wrong limit must not raise further faults against its stand-in.
#[test]
fn a_wrong_value_gives_one_fault() {
    check(
        &with("ShardCount = 2", "ShardCount = 2\nMaxRecordSizeInKiB = 1"),
        &["E0205 7 \"1\" `MaxRecordSizeInKiB` is out of range (expected 1,024 to 10,240)"],
    );
    check(
        &with("\"10min\"", "\"10min\"\naccount = { ConcurrentExecutions = 0 }"),
        &["E0205 4 \"0\" `ConcurrentExecutions` is out of range (expected 1 to 100,000)"],
    );
    check(
        &with("{ poisson = \"100/s\" }", "{ constant = \"0/s\" }"),
        &["E0205 10 \"\\\"0/s\\\"\" `constant` is out of range (expected more than zero)"],
    );
    check(
        &with("\"20ms\"", "{ p50 = \"20ms\" }"),
        &[
            "E0105 20 \"{ p50 = \\\"20ms\\\" }\" a log-normal distribution needs `p99` (missing here) -> add `p99 = ..`, a duration such as \"50ms\" or \"10min\"",
        ],
    );
    check(
        &with("\"20ms\"", "{ lognormal = { p50 = \"20\", p99 = \"80ms\" } }"),
        &[
            "E0201 20 \"\\\"20\\\"\" `p50` is not a duration (expected a number and ns, us, ms, s, min, h or d, such as \"50ms\")",
        ],
    );
}

#[test]
fn every_code_has_a_test() {
    let tests = concat!(
        include_str!("codes.rs"),
        include_str!("outcome.rs"),
        include_str!("set.rs"),
        include_str!("topics.rs"),
        include_str!("traces.rs"),
        include_str!("../../src/expect.rs")
    );
    for row in scenarios::CODES {
        let name = format!("fn {}_", row.number.to_lowercase());
        assert!(tests.contains(&name), "no test of {} {}", row.number, row.title);
    }
}
