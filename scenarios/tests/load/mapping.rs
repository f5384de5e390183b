//! Properties of event source mappings.

use crate::support::{check, loaded, with};
use sim::blueprint::{DestinationKind, FailingWindow, MappingBlueprint, StartingPosition};
use sim::command::Command;
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};

const POSITION: &str = "StartingPosition = \"TRIM_HORIZON\"";

fn mapping_with(more: &str) -> MappingBlueprint {
    loaded(&with(POSITION, &format!("{POSITION}\n{more}")))
        .blueprint
        .mappings[0]
        .clone()
}
/// Whether the mapping's properties are refused, with this at the start of a diagnostic.
fn refused(more: &str, start: &str) -> bool {
    let text = with(POSITION, &format!("{POSITION}\n{more}"));
    let (scenario, diagnostics) =
        scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces);
    let lines = crate::support::lines(&diagnostics, &text, &scenarios::LoadOptions::default());
    scenario.is_none() && lines.iter().any(|line| line.starts_with(start))
}

#[test]
fn lam_x_04_maximum_retry_attempts_is_unlimited_or_0_to_10_000() {
    for (text, expected) in [
        ("", None),
        ("MaximumRetryAttempts = -1", None),
        ("MaximumRetryAttempts = 0", Some(0)),
        ("MaximumRetryAttempts = 10000", Some(10_000)),
    ] {
        assert_eq!(mapping_with(text).errors.maximum_retry_attempts, expected);
    }
    for wrong in ["-2", "10001"] {
        assert!(refused(&format!("MaximumRetryAttempts = {wrong}"), "E0205 18"));
    }
}

#[test]
fn lam_x_06_maximum_record_age_is_unlimited_or_a_minute_to_a_week() {
    for (text, expected) in [
        ("", None),
        ("MaximumRecordAgeInSeconds = -1", None),
        ("MaximumRecordAgeInSeconds = 60", Some(60)),
        ("MaximumRecordAgeInSeconds = 604800", Some(604_800)),
    ] {
        let age = mapping_with(text).errors.maximum_record_age;
        assert_eq!(age, expected.map(SimDuration::from_secs));
    }
    for wrong in ["0", "59", "604801"] {
        assert!(refused(&format!("MaximumRecordAgeInSeconds = {wrong}"), "E0205 18"));
    }
}

#[test]
fn lam_x_11_bisecting_is_off_by_default() {
    assert!(!mapping_with("").errors.bisect_batch_on_function_error);
    assert!(
        mapping_with("BisectBatchOnFunctionError = true")
            .errors
            .bisect_batch_on_function_error
    );
}

#[test]
fn lam_e_15_report_batch_item_failures_is_the_only_response_type_and_stands_once() {
    let one = "FunctionResponseTypes = [\"ReportBatchItemFailures\"]";
    assert!(mapping_with(one).errors.report_batch_item_failures);
    assert!(!mapping_with("").errors.report_batch_item_failures);
    assert!(refused("FunctionResponseTypes = [\"ReportEverything\"]", "E0206 18"));
    assert!(refused(
        "FunctionResponseTypes = [\"ReportBatchItemFailures\", \"ReportBatchItemFailures\"]",
        "E0208 18",
    ));
}

/// A FIFO queue and a Kafka topic are none of them.
#[test]
fn lam_x_21_a_destination_is_a_standard_queue_a_standard_topic_or_a_bucket() {
    for (text, kind) in [
        ("queue.failed", DestinationKind::Queue),
        ("topic.failed", DestinationKind::Topic),
        ("bucket.failed", DestinationKind::Bucket),
    ] {
        let destination = mapping_with(&format!(
            "DestinationConfig = {{ OnFailure = {{ Destination = \"{text}\" }} }}"
        ));
        let destination = destination.errors.on_failure.expect("it has one");
        assert_eq!((destination.kind, destination.label()), (kind, text.to_owned()));
    }
    for wrong in [
        "queue.failed.fifo",
        "topic.failed.fifo",
        "kafka.failed",
        "queue.",
        "failed",
    ] {
        assert!(refused(
            &format!("DestinationConfig = {{ OnFailure = {{ Destination = \"{wrong}\" }} }}"),
            "E0302 18",
        ));
    }
}

#[test]
fn lam_e_18_there_is_no_destination_for_success() {
    assert!(refused(
        "DestinationConfig = { OnFailure = { Destination = \"queue.a\" }, OnSuccess = { Destination = \"queue.b\" } }",
        "E0103 18 \"OnSuccess\"",
    ));
}

/// LAM-K-26: and no maximum concurrency.
#[test]
fn lam_e_20_lam_k_26_a_mapping_of_a_stream_has_no_pollers_and_no_scaling_of_its_own() {
    assert!(refused("ProvisionedPollerConfig = { MinimumPollers = 2 }", "E0303 18"));
    assert!(refused("ScalingConfig = { MaximumConcurrency = 2 }", "E0303 18"));
}

#[test]
fn lam_e_21_a_mapping_has_five_filters_at_most() {
    let filters = |count: usize| {
        format!(
            "FilterCriteria = {{ Filters = [{}] }}",
            vec!["{ prefix = \"a\" }"; count].join(", ")
        )
    };
    assert_eq!(mapping_with(&filters(5)).filters.map(|filters| filters.len()), Some(5));
    assert!(refused(&filters(6), "E0208 18"));
}

#[test]
fn lam_w_01_a_window_is_15_minutes_at_most_and_zero_is_none() {
    for (text, expected) in [
        ("", 0),
        ("TumblingWindowInSeconds = 0", 0),
        ("TumblingWindowInSeconds = 900", 900),
    ] {
        assert_eq!(mapping_with(text).tumbling_window, SimDuration::from_secs(expected));
    }
    assert!(refused("TumblingWindowInSeconds = 901", "E0205 18"));
}

#[test]
fn lam_u_11_windows_and_several_lanes_exclude_each_other() {
    assert!(refused(
        "TumblingWindowInSeconds = 60\nParallelizationFactor = 2",
        "E0303 19"
    ));
}

#[test]
fn lam_k_17_a_starting_time_goes_with_at_timestamp_and_not_into_the_future() {
    let at = |more: &str| with(POSITION, &format!("StartingPosition = \"AT_TIMESTAMP\"\n{more}"));
    let found = loaded(&at("StartingPositionTimestamp = 60\ncreated_at = \"1min\""))
        .blueprint
        .mappings[0]
        .clone();
    assert_eq!(
        found.starting_position,
        StartingPosition::AtTimestamp(SimTime::from_secs(60))
    );
    check(
        &at("created_at = \"1min\""),
        &[
            "E0303 17 \"\\\"AT_TIMESTAMP\\\"\" AT_TIMESTAMP needs a time (no `StartingPositionTimestamp` is given) -> add it, in seconds from the start of the run (LAM-K-17)",
        ],
    );
    check(
        &at("StartingPositionTimestamp = 61\ncreated_at = \"1min\""),
        &[
            "E0303 18 \"61\" `StartingPositionTimestamp` lies in the future (after the mapping is created) -> it must not lie after `created_at` (LAM-K-17)",
        ],
    );
    check(
        &with(POSITION, &format!("{POSITION}\nStartingPositionTimestamp = 5")),
        &[
            "W0003 18 \"5\" `StartingPositionTimestamp` has no effect here (only AT_TIMESTAMP has a time) -> leave it out",
        ],
    );
}

#[test]
fn lam_e_13_a_mapping_is_enabled_unless_it_says_otherwise_and_may_be_switched() {
    assert!(mapping_with("").enabled);
    assert!(!mapping_with("Enabled = false").enabled);
    let text = crate::support::and(
        "[[intervention]]\nat = \"1min\"\nenabled = { mapping = \"mapping.enrich\", value = false }",
    );
    let command = Command::SetMappingEnabled {
        mapping: "enrich".to_owned(),
        enabled: false,
    };
    assert_eq!(loaded(&text).blueprint.interventions[0].command, command);
}

/// Both profiles follow the current guide: several lanes and aggregation go together.
#[test]
fn lam_h_14_several_lanes_and_aggregated_records_go_together_in_both_profiles() {
    let lanes = with(POSITION, &format!("{POSITION}\nParallelizationFactor = 4"));
    assert!(lanes.contains("size = \"600B\""));
    let text = lanes.replace("size = \"600B\"", "size = \"600B\"\nclient = \"kpl\"");
    for profile in ["current", "exam"] {
        let blueprint = loaded(&format!("profile = \"{profile}\"\n{text}")).blueprint;
        assert_eq!(blueprint.mappings[0].parallelization_factor, 4);
        let library = blueprint.producers[0].library.as_ref();
        assert!(library.is_some_and(|library| library.aggregation_enabled), "{profile}");
    }
}

#[test]
fn a_function_may_fail_in_windows_of_time_and_at_single_records() {
    let time = "time = {";
    let text = with(
        time,
        &format!(
            "failure = {{ windows = [{{ from = \"10s\", until = \"20s\" }}, {{ from = \"15s\", until = \"1min\", rate = 0.5 }}], \
             poison_keys = [\"a\"], poison_ordinals = [0, 7] }}\n{time}"
        ),
    );
    let function = &loaded(&text).blueprint.functions[0];
    let window = |from, until, rate| FailingWindow {
        from: SimTime::from_secs(from),
        until: SimTime::from_secs(until),
        rate,
    };
    assert_eq!(
        function.failing_windows,
        [window(10, 20, Ratio::ONE), window(15, 60, Ratio::new(1, 2))]
    );
    assert_eq!(
        (function.poison.keys.clone(), function.poison.ordinals.clone()),
        (vec!["a".to_owned()], vec![0, 7])
    );
    let empty = format!("failure = {{ windows = [{{ from = \"10s\", until = \"10s\" }}] }}\n{time}");
    let (scenario, diagnostics) = scenarios::load(
        &with(time, &empty),
        "test",
        &scenarios::LoadOptions::default(),
        &scenarios::NoTraces,
    );
    assert!(scenario.is_none());
    let lines = crate::support::lines(&diagnostics, &with(time, &empty), &scenarios::LoadOptions::default());
    assert!(lines[0].starts_with("E0303"), "{lines:?}");
}
