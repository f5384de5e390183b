//! Diagnostics about what a scenario expects and changes.

use crate::support::{and, check};

const EXPECT: &str = "[[expect]]\nmetric = \"Invocations\"\nof = \"function.enrich\"\nstatistic = \"Sum\"\nabove = 0\n";

fn expecting(old: &str, new: &str) -> String {
    assert!(EXPECT.contains(old), "{old:?} is in the block");
    and(&EXPECT.replace(old, new))
}

#[test]
fn e0401_an_unknown_metric() {
    check(&and(EXPECT), &[]);
    check(
        &expecting("\"Invocations\"", "\"Invocation\""),
        &[
            "E0401 27 \"\\\"Invocation\\\"\" there is no metric `Invocation` (unknown metric) -> did you mean \"Invocations\"?",
        ],
    );
    check(
        &expecting("\"Invocations\"", "\"ThrottledRecords\""),
        &[
            "E0401 27 \"\\\"ThrottledRecords\\\"\" there is no metric `ThrottledRecords` (unknown metric) -> did you mean \"PutRecords.ThrottledRecords\"?",
        ],
    );
}

#[test]
fn e0402_a_metric_where_it_does_not_exist() {
    check(
        &expecting("function.enrich", "stream.clicks"),
        &[
            "E0402 28 \"\\\"stream.clicks\\\"\" Invocations is no metric of a stream (wrong kind of component) -> it belongs to a `function`",
        ],
    );
    check(
        &expecting("\"Sum\"", "\"p99\""),
        &["E0402 29 \"\\\"p99\\\"\" Invocations has no p99 (it has Sum, Average, Minimum, Maximum and SampleCount)"],
    );
}

#[test]
fn e0403_bounds_that_make_no_expectation() {
    check(
        &expecting("above = 0", ""),
        &["E0403 26 \"[[expect]]\" the expectation has no bound () -> add above, at_least, equals, at_most or below"],
    );
    check(
        &expecting("above = 0", "above = 5\nbelow = 3"),
        &["E0403 31 \"3\" no value lies between the bounds (below the lower bound)"],
    );
    check(
        &expecting("above = 0", "above = 5\nequals = 6"),
        &[
            "E0403 30 \"5\" the expectation has too many bounds (one too many) -> one bound, or a lower and an upper one",
        ],
    );
    check(
        &expecting("above = 0", "above = \"5s\""),
        &["E0403 30 \"\\\"5s\\\"\" `above` has the wrong unit (a count is expected)"],
    );
}

#[test]
fn e0404_a_period_outside_the_run() {
    check(
        &expecting("above = 0", "above = 0\nuntil = \"11min\""),
        &["E0404 31 \"\\\"11min\\\"\" the period ends after the run (the run lasts 10 min)"],
    );
    check(
        &expecting("above = 0", "above = 0\nfrom = \"2min\"\nuntil = \"2min\""),
        &["E0404 31 \"\\\"2min\\\"\" the period is empty (until is 2 min)"],
    );
}

#[test]
fn e0405_a_guarantee_states_one_promise() {
    check(
        &and("[[guarantee]]\norder = \"per-key\"\nno_loss = true"),
        &[
            "E0405 28 \"true\" a guarantee states one promise, this one states 2 (one promise is expected) -> give one of order = \"per-key\", no_duplicates = true or no_loss = true",
        ],
    );
    check(
        &and("[[guarantee]]\nat = \"sink.orders\""),
        &[
            "E0405 26 \"[[guarantee]]\" a guarantee states one promise, this one states 0 (one promise is expected) -> give one of order = \"per-key\", no_duplicates = true or no_loss = true",
        ],
    );
    check(
        &and("[[guarantee]]\nno_loss = false"),
        &[
            "E0405 27 \"false\" `no_loss = false` promises nothing (true is expected) -> to expect a violation, write expected = \"violated\"",
        ],
    );
}

#[test]
fn e0406_an_intervention_makes_one_change() {
    check(
        &and("[[intervention]]\nat = \"1min\""),
        &[
            "E0406 26 \"[[intervention]]\" an intervention makes one change, this one makes 0 (one change is expected) -> give one of `scale_load`, `concurrency`, `provisioned_concurrency`, `failure_rate`, `enabled`, `sink_capacity`, `break_sink`, `break_queue`, `deny_subscription`, `filter_policy`, `kill_worker`, `pause_worker`, `start_worker`, `deploy`, `split`, `merge`, `shard_count`, `retention`, `capacity_mode`, `max_record_size`, `warm_throughput`, `register_consumer`, `deregister_consumer`, `queue_attributes`, `purge`, `start_message_move_task` or `cancel_message_move_task`",
        ],
    );
}
