//! Properties of event source mappings of queues.

use crate::support::{lines, loaded};
use sim::blueprint::{ProvisionedPollers, QueueMappingBlueprint};
use sim::engine::time::SimDuration;

const TEXT: &str = r#"format = 1
duration = "10min"

[queue.jobs]
VisibilityTimeout = 60

[producer.web]
target = "queue.jobs"
arrivals = { poisson = "20/s" }
keys = { uniform = 5 }
size = "300B"
api = "SendMessage"

[function.work]
Timeout = 60
time = { per_batch = "20ms" }

[mapping.jobs]
EventSourceArn = "queue.jobs"
FunctionName = "function.work"
"#;

fn mapping_with(more: &str) -> QueueMappingBlueprint {
    let blueprint = loaded(&format!("{TEXT}{more}")).blueprint;
    assert!(blueprint.mappings.is_empty());
    blueprint.queue_mappings[0].clone()
}

/// The codes of what is wrong with a text.
fn codes(text: &str) -> Vec<String> {
    let options = scenarios::LoadOptions::default();
    let (scenario, diagnostics) = scenarios::load(text, "test", &options, &scenarios::NoTraces);
    assert_eq!(scenario.is_none(), !diagnostics.is_empty());
    let lines = lines(&diagnostics, text, &options);
    lines
        .iter()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}
fn refused(more: &str, code: &str) -> bool {
    codes(&format!("{TEXT}{more}")) == [code]
}

#[test]
fn lam_s_10_a_batch_of_a_standard_queue_has_10_messages_by_default_and_10_000_at_most() {
    assert_eq!(mapping_with("").batch_size, 10);
    let large = mapping_with("BatchSize = 10000\nMaximumBatchingWindowInSeconds = 300");
    assert_eq!(
        (large.batch_size, large.maximum_batching_window),
        (10_000, SimDuration::from_secs(300))
    );
    for wrong in ["0", "10001"] {
        assert!(refused(
            &format!("BatchSize = {wrong}\nMaximumBatchingWindowInSeconds = 1"),
            "E0205"
        ));
    }
}

#[test]
fn lam_s_12_more_than_10_messages_need_a_window() {
    assert_eq!(mapping_with("BatchSize = 10").batch_size, 10);
    assert!(refused("BatchSize = 11", "E0303"));
    assert_eq!(
        mapping_with("BatchSize = 11\nMaximumBatchingWindowInSeconds = 1").batch_size,
        11
    );
}

#[test]
fn lam_s_13_windows_last_from_nothing_to_300_seconds() {
    assert!(mapping_with("").maximum_batching_window.is_zero());
    assert!(refused("MaximumBatchingWindowInSeconds = 301", "E0205"));
    // Of a FIFO queue there are none.
    let fifo = TEXT.replace("[queue.jobs]", "[queue.jobs]\nFifoQueue = true");
    assert_eq!(codes(&format!("{fifo}MaximumBatchingWindowInSeconds = 1")), ["E0303"]);
    assert!(codes(&fifo).is_empty());
}

#[test]
fn lam_s_11_a_batch_of_a_fifo_queue_has_10_messages_at_most() {
    let fifo = TEXT.replace("[queue.jobs]", "[queue.jobs]\nFifoQueue = true");
    assert!(codes(&format!("{fifo}BatchSize = 10")).is_empty());
    assert_eq!(codes(&format!("{fifo}BatchSize = 11")), ["E0303"]);
}

#[test]
fn lam_s_23_the_function_may_not_run_longer_than_a_message_is_hidden() {
    assert!(codes(TEXT).is_empty());
    assert_eq!(
        codes(&TEXT.replace("Timeout = 60\ntime", "Timeout = 61\ntime")),
        ["E0303"]
    );
}

/// LAM-E-20: and the other way round.
#[test]
fn lam_e_19_a_mapping_of_a_queue_has_nothing_that_is_for_streams() {
    for property in [
        "MaximumRetryAttempts = 3",
        "MaximumRecordAgeInSeconds = 60",
        "BisectBatchOnFunctionError = true",
        "DestinationConfig = { OnFailure = { Destination = \"queue.failed\" } }",
        "ParallelizationFactor = 2",
        "TumblingWindowInSeconds = 60",
        "StartingPosition = \"LATEST\"",
    ] {
        assert!(refused(property, "E0303"), "{property}");
    }
}

/// LAM-H-03: in both profiles.
#[test]
fn lam_q_14_maximum_concurrency_is_2_to_1000() {
    assert_eq!(mapping_with("").maximum_concurrency, None);
    for profile in ["exam", "current"] {
        for limit in [2, 1_000] {
            let text = format!("profile = \"{profile}\"\n{TEXT}ScalingConfig = {{ MaximumConcurrency = {limit} }}");
            assert_eq!(
                loaded(&text).blueprint.queue_mappings[0].maximum_concurrency,
                Some(limit)
            );
        }
    }
    for wrong in ["1", "1001"] {
        assert!(refused(
            &format!("ScalingConfig = {{ MaximumConcurrency = {wrong} }}"),
            "E0205"
        ));
    }
}

#[test]
fn lam_p_01_minimum_pollers_is_2_to_200_and_2_by_default() {
    let pollers = |text: &str| mapping_with(&format!("ProvisionedPollerConfig = {{ {text} }}")).provisioned;
    let of = |minimum, maximum| Some(ProvisionedPollers { minimum, maximum });
    assert_eq!(pollers("MaximumPollers = 10"), of(2, 10));
    assert_eq!(pollers("MinimumPollers = 200"), of(200, 200));
    for wrong in ["1", "201"] {
        assert!(refused(
            &format!("ProvisionedPollerConfig = {{ MinimumPollers = {wrong} }}"),
            "E0205"
        ));
    }
}

/// LAM-P-02, LAM-P-03, LAM-H-04: 10,000 of them, not 2,000 as before August 2026.
#[test]
fn lam_p_02_maximum_pollers_is_2_to_10_000_and_200_by_default() {
    let pollers = |text: &str| mapping_with(&format!("ProvisionedPollerConfig = {{ {text} }}")).provisioned;
    assert_eq!(pollers("MinimumPollers = 5").map(|pollers| pollers.maximum), Some(200));
    assert_eq!(
        pollers("MaximumPollers = 10000").map(|pollers| pollers.maximum),
        Some(10_000)
    );
    for wrong in ["1", "10001"] {
        assert!(refused(
            &format!("ProvisionedPollerConfig = {{ MaximumPollers = {wrong} }}"),
            "E0205"
        ));
    }
}

#[test]
fn lam_p_13_an_empty_table_turns_provisioned_mode_off() {
    assert_eq!(mapping_with("ProvisionedPollerConfig = {}").provisioned, None);
}

/// LAM-Q-18: MaximumConcurrency excludes provisioned mode.
#[test]
fn lam_p_08_provisioned_mode_and_maximum_concurrency_exclude_each_other() {
    let both = "ScalingConfig = { MaximumConcurrency = 5 }\nProvisionedPollerConfig = { MinimumPollers = 2 }";
    assert!(refused(both, "E0303"));
}

#[test]
fn lam_h_04_the_profile_exam_has_no_provisioned_mode() {
    let text = format!("profile = \"exam\"\n{TEXT}ProvisionedPollerConfig = {{ MinimumPollers = 2 }}");
    assert_eq!(codes(&text), ["E0209"]);
}

/// LAM-S-16, LAM-S-17: a queue takes messages of 1 MiB, in the profile `exam` of 256 KiB.
#[test]
fn lam_h_08_messages_may_have_a_mebibyte_and_in_the_profile_exam_a_quarter_of_it() {
    let largest =
        |profile| loaded(&format!("profile = \"{profile}\"\n{TEXT}")).blueprint.queues[0].maximum_message_size;
    assert_eq!((largest("current"), largest("exam")), (1_048_576, 262_144));
}

#[test]
fn a_mapping_of_a_queue_may_filter_report_and_tell_metrics() {
    let mapping = mapping_with(
        "FilterCriteria = { Filters = [{ prefix = \"a\" }] }\nFunctionResponseTypes = [\"ReportBatchItemFailures\"]\n\
         MetricsConfig = { Metrics = [\"EventCount\"] }\nEnabled = false\ncreated_at = \"1min\"",
    );
    assert_eq!(mapping.filters.map(|filters| filters.len()), Some(1));
    assert!(mapping.report_batch_item_failures && mapping.event_count_metrics && !mapping.enabled);
    assert_eq!((mapping.queue.as_str(), mapping.function.as_str()), ("jobs", "work"));
    assert_eq!(mapping.created_at.as_millis(), 60_000);
}

#[test]
fn metrics_of_the_other_kind_of_mapping_are_refused() {
    let expect = |metric| format!("{TEXT}\n[[expect]]\nmetric = \"{metric}\"\nstatistic = \"Sum\"\nabove = 0");
    assert_eq!(codes(&expect("BatchesBisected")), ["E0402"]);
    assert!(codes(&expect("MessagesLetGo")).is_empty());
    // The group has to be asked for (LAM-M-20).
    assert_eq!(codes(&expect("DeletedEventCount")), ["E0402"]);
}
