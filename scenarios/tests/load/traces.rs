//! Recorded workloads.

use crate::support::{Files, check_with, loaded_with, with};
use scenarios::{LoadOptions, Scenario};
use sim::blueprint::{Arrivals, Keys, Size, Spread, Trace, TraceRows};
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;
use std::collections::BTreeMap;

fn files(files: &[(&'static str, &'static str)]) -> Files {
    Files(
        files
            .iter()
            .map(|&(path, text)| (path, text.as_bytes()))
            .collect::<BTreeMap<_, _>>(),
    )
}

fn text(trace: &str) -> String {
    with("{ poisson = \"100/s\" }", &format!("{{ trace = {{ {trace} }} }}"))
}

fn trace_of(scenario: &Scenario) -> &Trace {
    let Arrivals::Trace(trace) = &scenario.blueprint.producers[0].arrivals else {
        panic!("a trace")
    };
    trace
}

fn replay(trace: &str, csv: &'static str) -> Scenario {
    loaded_with(&text(trace), &LoadOptions::default(), &files(&[("a.csv", csv)]))
}

#[track_caller]
fn expect_wrong(trace: &str, csv: &'static str, expected: &[&str]) {
    check_with(
        &text(trace),
        &LoadOptions::default(),
        &files(&[("a.csv", csv)]),
        expected,
    );
}

const REQUESTS: &str = "path = \"a.csv\", time = \"at\"";
const COUNTS: &str = "path = \"a.csv\", time = \"at\", count = \"n\"";

#[test]
fn a_row_is_a_request_with_key_and_size() {
    let text = text("path = \"a.csv\", time = \"TIMESTAMP\", key = \"user\", size = { column = \"ContextTokens\", bytes_per_unit = 4 }, compression = 20")
        .replace("{ uniform = 100 }", "\"trace\"")
        .replace("\"600B\"", "\"trace\"");
    let csv = "TIMESTAMP,user,ContextTokens\n2023-11-16 18:17:03.9799600,ann,4808\n2023-11-16 18:17:04.0319600,bob,3180\n2023-11-16 18:17:04.0319600,ann,7";
    let scenario = loaded_with(&text, &LoadOptions::default(), &files(&[("a.csv", csv)]));
    let trace = trace_of(&scenario);
    assert_eq!(
        trace.rows,
        TraceRows::Requests {
            at: vec![0, 52_000_000, 52_000_000],
            key: vec![0, 1, 0],
            bytes: vec![19_232, 12_720, 28],
        }
    );
    assert_eq!(trace.keys, ["ann", "bob"]);
    assert_eq!(trace.compression, Ratio::new(20, 1));
    // The recording ends a mean distance after its last row.
    assert_eq!(trace.span, SimDuration::from_millis(78));
    let producer = &scenario.blueprint.producers[0];
    assert_eq!((&producer.keys, &producer.size), (&Keys::FromTrace, &Size::FromTrace));
}

#[test]
fn a_row_may_count_the_requests_of_a_bin() {
    let scenario = replay(
        COUNTS,
        "at,n\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,0\n2014-04-10 00:24:00,56\n2014-04-10 00:29:00,1\n",
    );
    let minutes = |minutes: u64| minutes * 60_000_000_000;
    let TraceRows::Counts { series, spread } = &trace_of(&scenario).rows else {
        panic!("counts")
    };
    // The gap of a quarter of an hour does not stretch the bin before it.
    let bins = vec![
        (0, minutes(5), 94),
        (minutes(5), minutes(5), 0),
        (minutes(20), minutes(5), 56),
        (minutes(25), minutes(5), 1),
    ];
    assert_eq!(series[0].bins, bins);
    assert_eq!((series[0].key, *spread), (None, Spread::Even));
    assert_eq!(trace_of(&scenario).span, SimDuration::from_minutes(30));
}

#[test]
fn several_series_share_one_clock() {
    let text = text("series = [{ path = \"a.csv\", key = \"A\" }, { path = \"b.csv\", key = \"B\" }], time = \"at\", count = \"n\", bin = \"2s\", spread = \"uniform\"")
        .replace("{ uniform = 100 }", "\"trace\"");
    let files = files(&[("a.csv", "at,n\n10,1\n12,2\n"), ("b.csv", "at,n\n8,3\n9,4")]);
    let scenario = loaded_with(&text, &LoadOptions::default(), &files);
    let TraceRows::Counts { series, spread } = &trace_of(&scenario).rows else {
        panic!("counts")
    };
    let s = 1_000_000_000;
    assert_eq!(
        (series[0].key, &series[0].bins),
        (Some(0), &vec![(2 * s, 2 * s, 1), (4 * s, 2 * s, 2)])
    );
    // Bins are cut where the next one begins, so that they stay disjoint.
    assert_eq!(
        (series[1].key, &series[1].bins),
        (Some(1), &vec![(0, s, 3), (s, 2 * s, 4)])
    );
    assert_eq!(*spread, Spread::Uniform);
    assert_eq!(trace_of(&scenario).keys, ["A", "B"]);
}

#[test]
fn several_files_of_requests_are_merged_by_time() {
    let text = text("series = [{ path = \"a.csv\" }, { path = \"b.csv\" }], time = \"at\"");
    let files = files(&[("a.csv", "at\n1\n3\n"), ("b.csv", "at\n2\n3\n")]);
    let scenario = loaded_with(&text, &LoadOptions::default(), &files);
    let TraceRows::Requests { at, .. } = &trace_of(&scenario).rows else {
        panic!("requests")
    };
    assert_eq!(at, &[0, 1_000_000_000, 2_000_000_000, 2_000_000_000]);
}

#[test]
fn e0501_a_trace_that_cannot_be_read_says_where_it_was_sought() {
    expect_wrong(
        "path = \"b.csv\", time = \"at\"",
        "",
        &["E0501 10 \"\\\"b.csv\\\"\" the trace `b.csv` cannot be read (no such file in memory: b.csv)"],
    );
    let options = LoadOptions {
        set: vec![("producer.web.arrivals.trace.path".to_owned(), "c.csv".to_owned())],
        ..LoadOptions::default()
    };
    check_with(
        &text(REQUESTS),
        &options,
        &files(&[]),
        &["E0501 --set 1 \"c.csv\" the trace `c.csv` cannot be read (sought in the working directory: c.csv)"],
    );
}

#[test]
fn e0502_a_malformed_row_has_its_line() {
    expect_wrong(
        REQUESTS,
        "at,b\n1,2\n2\n3,4\n",
        &["E0502 a.csv:3 the row has 1 field, the header has 2"],
    );
}

#[test]
fn e0503_an_unknown_column_names_the_nearest() {
    expect_wrong(
        "path = \"a.csv\", time = \"timestmap\"",
        "timestamp\n1\n",
        &[
            "E0503 10 \"\\\"timestmap\\\"\" `a.csv` has no column `timestmap` (no such column) -> did you mean \"timestamp\"?",
        ],
    );
    expect_wrong(
        "path = \"a.csv\", time = \"when\", size = { column = \"b\" }",
        "at,b\n1,2\n",
        &["E0503 10 \"\\\"when\\\"\" `a.csv` has no column `when` (no such column)"],
    );
}

#[test]
fn e0504_a_timestamp_that_cannot_be_read() {
    expect_wrong(
        REQUESTS,
        "at\n1\nyesterday\n",
        &[
            "E0504 a.csv:3 `yesterday` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
        ],
    );
}

#[test]
fn e0505_timestamps_that_go_back() {
    expect_wrong(
        REQUESTS,
        "at\n5\n6\n4\n5\n",
        &[
            "E0505 a.csv:4 the timestamp lies before that of the row above",
            "E0505 a.csv:5 the timestamp lies before that of the row above",
        ],
    );
    expect_wrong(
        COUNTS,
        "at,n\n5,1\n5,1\n",
        &["E0505 a.csv:3 the timestamp is that of the row above, but bins must move forward"],
    );
}

#[test]
fn e0506_numbers_that_make_no_sense() {
    expect_wrong(
        COUNTS,
        "at,n\n1,-3\n2,1.5\n3,94.0\n4,x\n",
        &[
            "E0506 a.csv:2 `-3` is not a number of requests",
            "E0506 a.csv:3 `1.5` is not a number of requests",
            "E0506 a.csv:5 `x` is not a number of requests",
        ],
    );
    let sized = "path = \"a.csv\", time = \"at\", size = { column = \"b\", bytes_per_unit = 1000 }";
    expect_wrong(
        sized,
        "at,b\n1,11000\n2,-1\n",
        &[
            "E0506 a.csv:2 11000000 bytes are more than any record may have (KDS-REC-03)",
            "E0506 a.csv:3 `-1` is not a size",
        ],
    );
}

#[test]
fn e0507_a_key_that_is_not_allowed() {
    expect_wrong(
        "path = \"a.csv\", time = \"at\", key = \"k\"",
        "at,k\n1,\n",
        &["E0507 a.csv:2 the partition key has 0 characters, 1 to 256 are allowed (KDS-REC-02)"],
    );
}

#[test]
fn e0508_a_trace_without_rows() {
    expect_wrong(
        REQUESTS,
        "at\n",
        &[
            "E0508 10 \"\\\"a.csv\\\"\" the trace `a.csv` holds no rows (a header line and at least one row are expected)",
        ],
    );
}

#[test]
fn only_the_first_faults_of_a_file_are_told() {
    expect_wrong(
        REQUESTS,
        "at\na\nb\nc\nd\ne\nf\ng\n",
        &[
            "E0504 a.csv:2 `a` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
            "E0504 a.csv:3 `b` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
            "E0504 a.csv:4 `c` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
            "E0504 a.csv:5 `d` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
            "E0504 a.csv:6 `e` is not a timestamp -> write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds",
        ],
    );
}

#[test]
fn rules_between_the_properties_of_a_trace() {
    expect_wrong(
        "time = \"at\"",
        "at\n1\n",
        &["E0105 10 \"{ time = \\\"at\\\" }\" a trace needs `path` or `series` () -> add `path = \"..\"`"],
    );
    expect_wrong(
        "path = \"a.csv\", time = \"at\", spread = \"start\"",
        "at\n1\n",
        &["W0003 10 \"\\\"start\\\"\" `spread` has no effect without `count` (rows are single requests here)"],
    );
    expect_wrong(
        "path = \"a.csv\", time = \"at\", count = \"n\", size = { column = \"b\" }",
        "at,n,b\n1,1,1\n",
        &[
            "E0303 10 \"{ column = \\\"b\\\" }\" a trace of counts has no column for `size` () -> give the producer a `size` of its own",
        ],
    );
    expect_wrong(
        "path = \"a.csv\", time = \"at\", series = [{ path = \"a.csv\" }]",
        "at\n1\n",
        &[
            "E0303 10 \"[{ path = \\\"a.csv\\\" }]\" a trace has either `path` or `series` () -> name every file in `series`",
        ],
    );
}

#[test]
fn a_repetition_takes_time() {
    let trace = "path = \"a.csv\", time = \"at\", repeat = true";
    assert_eq!(trace_of(&replay(trace, "at\n1\n")).span, SimDuration::from_secs(1));
    expect_wrong(
        &format!("{trace}, compression = 1e6"),
        "at\n1\n1.000000001\n",
        &[
            "E0303 10 \"{ path = \\\"a.csv\\\", time = \\\"at\\\", repeat = true, compression = 1e6 }\" a replay that repeats needs a length (takes no time) -> compress it less, or do not repeat it",
        ],
    );
}

#[test]
fn a_record_of_the_trace_may_be_too_large_for_the_stream() {
    let text = text("path = \"a.csv\", time = \"at\", size = { column = \"b\" }").replace("\"600B\"", "\"trace\"");
    check_with(
        &text,
        &LoadOptions::default(),
        &files(&[("a.csv", "at,b\n1,2000000\n")]),
        &[
            "E0304 12 \"\\\"trace\\\"\" stream.clicks does not accept records of 2,000,010 bytes (2,000,000 bytes of data, and 10 of its key) -> make the records smaller, or raise MaxRecordSizeInKiB to at most 10240 in the profile `current`",
        ],
    );
}
