//! Queues: bounds, defaults and what AWS refuses by combination.

use crate::support::{lines, loaded};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::{Blueprint, DeduplicationId, DeduplicationScope, FifoThroughputLimit};
use sim::command::{Command, QueueAttribute, QueueOperation};
use sim::engine::time::SimDuration;
use sim::profile::Profile;

/// A queue with these properties, its dead-letter queue, a sender, workers, and more below.
fn shop(queue: &str, sender: &str, more: &str) -> String {
    format!(
        r#"format = 1
title = "Shop"
duration = "10min"

[queue.jobs]
{queue}

[producer.web]
target = "queue.jobs"
arrivals = {{ poisson = "10/s" }}
keys = {{ uniform = 100 }}
{sender}

[worker.clerks]
queue = "queue.jobs"
time = "20ms"

{more}
"#
    )
}
const SIZE: &str = "size = \"600B\"";

fn blueprint(queue: &str, sender: &str, more: &str) -> Blueprint {
    loaded(&shop(queue, &format!("{SIZE}\n{sender}"), more)).blueprint
}
/// The errors, each with its line and its notes.
fn errors_of(text: &str, profile: &str) -> Vec<String> {
    let text = text.replacen("format = 1", &format!("format = 1\nprofile = \"{profile}\""), 1);
    let (scenario, diagnostics) = load(&text, "test", &LoadOptions::default(), &NoTraces);
    let told = diagnostics.iter().map(|diagnostic| {
        let line = lines(core::slice::from_ref(diagnostic), &text, &LoadOptions::default()).concat();
        format!("{line} {}", diagnostic.notes.join(" "))
    });
    let lines: Vec<String> = told.filter(|line| line.starts_with('E')).collect();
    assert_eq!(scenario.is_none(), !lines.is_empty(), "{lines:#?}");
    lines
}
fn errors(queue: &str, sender: &str, more: &str) -> Vec<String> {
    errors_of(&shop(queue, &format!("{SIZE}\n{sender}"), more), "current")
}
/// Exactly one error, which says all this.
#[track_caller]
fn refused(errors: &[String], says: &[&str]) {
    assert_eq!(errors.len(), 1, "{errors:#?}");
    for part in says {
        assert!(errors[0].contains(part), "{part:?} in {errors:#?}");
    }
}

/// SQS-A-01, SQS-A-02, SQS-A-03, SQS-A-04: bounds and defaults of the times; another value is refused with
/// InvalidAttributeValue.
#[test]
fn sqs_a_01_times_keep_to_their_bounds() {
    let queue = &blueprint("", "", "").queues[0];
    assert_eq!(queue.visibility_timeout, SimDuration::from_secs(30));
    assert_eq!(queue.retention, SimDuration::from_hours(96));
    assert_eq!(
        (queue.delay, queue.receive_wait),
        (SimDuration::ZERO, SimDuration::ZERO)
    );
    for (name, least, most) in [
        ("VisibilityTimeout", 0, 43_200),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("DelaySeconds", 0, 900),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ] {
        for value in [least, most] {
            assert_eq!(
                errors(&format!("{name} = {value}"), "", ""),
                [""; 0],
                "{name} = {value}"
            );
        }
        for value in [least - 1, most + 1] {
            let errors = errors(&format!("{name} = {value}"), "", "");
            refused(&errors, &["E0205", name, "InvalidAttributeValue"]);
        }
    }
}

/// SQS-A-05, SQS-A-06, SQS-A-07, SQS-H-02: the largest message is 1 MiB by default and at most, 256 KiB in the profile
/// `exam`; a byte less than 1,024 or more than that is refused.
#[test]
fn sqs_a_05_the_largest_message_depends_on_the_profile() {
    for (profile, most) in [("current", 1_048_576), ("exam", 262_144)] {
        let text = |value: u32| shop(&format!("MaximumMessageSize = {value}"), SIZE, "");
        for value in [1_024, most] {
            assert_eq!(errors_of(&text(value), profile), [""; 0], "{value}");
        }
        for value in [1_023, most + 1] {
            refused(&errors_of(&text(value), profile), &["E0205", "InvalidAttributeValue"]);
        }
    }
    assert_eq!(blueprint("", "", "").queues[0].maximum_message_size, 1_048_576);
    let exam = loaded(&shop("", SIZE, "").replacen("format = 1", "format = 1\nprofile = \"exam\"", 1));
    assert_eq!(exam.blueprint.profile, Profile::Exam);
    assert_eq!(exam.blueprint.queues[0].maximum_message_size, 262_144, "SQS-A-06");
}

/// SQS-A-08: a redrive policy needs both keys. SQS-A-09: its count is 1 to 1,000. SQS-D-07: the queue exists and is of the
/// same type.
#[test]
fn sqs_a_08_a_redrive_policy_is_checked() {
    let policy = |text: &str| format!("RedrivePolicy = {{ {text} }}");
    let dead = "[queue.dead]";
    let to = "deadLetterTargetArn = \"queue.dead\"";
    refused(
        &errors(&policy("maxReceiveCount = 3"), "", dead),
        &["E0105", "InvalidParameterValue"],
    );
    refused(
        &errors(&policy(to), "", dead),
        &["E0105", "maxReceiveCount", "InvalidParameterValue"],
    );
    for count in ["1", "1_000"] {
        let good = policy(&format!("{to}, maxReceiveCount = {count}"));
        assert_eq!(errors(&good, "", dead), [""; 0]);
    }
    for count in ["0", "1_001"] {
        let bad = policy(&format!("{to}, maxReceiveCount = {count}"));
        refused(&errors(&bad, "", dead), &["E0205", "InvalidParameterValue"]);
    }
    let whole = policy(&format!("{to}, maxReceiveCount = 3"));
    refused(&errors(&whole, "", ""), &["E0301", "queue.dead"]);
    let other_type = "[queue.dead]\nFifoQueue = true";
    refused(
        &errors(&whole, "", other_type),
        &["E0303", "SQS-D-07", "InvalidParameterValue"],
    );
}

/// SQS-A-13, SQS-D-11: a dead-letter queue allows its sources: all by default, none, or those listed. SQS-A-14: at most ten.
/// SQS-A-15: and only with byQueue. SQS-D-09: several sources may share it.
#[test]
fn sqs_a_13_a_dead_letter_queue_allows_its_sources() {
    let policy = "RedrivePolicy = { deadLetterTargetArn = \"queue.dead\", maxReceiveCount = 3 }";
    let dead = |allow: &str| format!("[queue.dead]\n{allow}\n[queue.more]\n{policy}");
    assert_eq!(errors(policy, "", &dead("")), [""; 0], "SQS-D-09");
    let allow = |text: &str| dead(&format!("RedriveAllowPolicy = {{ {text} }}"));
    assert_eq!(errors(policy, "", &allow("redrivePermission = \"allowAll\"")), [""; 0]);
    let none = errors(policy, "", &allow("redrivePermission = \"denyAll\""));
    assert_eq!(none.len(), 2, "each source: {none:#?}");
    assert!(none.iter().all(|error| error.contains("SQS-D-11")));
    let both = "redrivePermission = \"byQueue\", sourceQueueArns = [\"queue.jobs\", \"queue.more\"]";
    assert_eq!(errors(policy, "", &allow(both)), [""; 0]);
    let one = "redrivePermission = \"byQueue\", sourceQueueArns = [\"queue.more\"]";
    refused(&errors(policy, "", &allow(one)), &["E0303 7", "SQS-A-13"]);
    let stray = "sourceQueueArns = [\"queue.more\", \"queue.jobs\"]";
    refused(&errors(policy, "", &allow(stray)), &["E0303", "SQS-A-15"]);
    let eleven = format!(
        "redrivePermission = \"byQueue\", sourceQueueArns = [{}]",
        "\"queue.jobs\", ".repeat(10) + "\"queue.more\""
    );
    refused(
        &errors(policy, "", &allow(&eleven)),
        &["E0205", "SQS-A-14", "11 are listed"],
    );
    refused(
        &errors("", "", &allow("redrivePermission = \"some\"")),
        &["E0206", "InvalidAttributeValue"],
    );
}

/// SQS-A-18, SQS-A-19: a standard queue has nothing of a FIFO queue. SQS-A-16, SQS-A-17: and no queue changes its type.
#[test]
fn sqs_a_19_a_standard_queue_has_nothing_of_a_fifo_queue() {
    for property in [
        "DeduplicationScope = \"messageGroup\"",
        "FifoThroughputLimit = \"perMessageGroupId\"",
        "ContentBasedDeduplication = true",
    ] {
        refused(&errors(property, "", ""), &["E0303 7", "InvalidAttributeName"]);
    }
    let change =
        |what: &str| format!("[[intervention]]\nat = \"1min\"\nqueue_attributes = {{ of = \"queue.jobs\", {what} }}");
    for what in ["FifoQueue = false", "DeduplicationScope = \"queue\""] {
        refused(&errors("", "", &change(what)), &["E0303 22", "InvalidAttributeName"]);
    }
    assert_eq!(
        errors("FifoQueue = true", "", &change("FifoQueue = true")),
        [""; 0],
        "SQS-A-17"
    );
    let standard = errors("FifoQueue = true", "", &change("FifoQueue = false"));
    refused(&standard, &["E0303 22", "SQS-A-16", "InvalidAttributeValue"]);
}

/// SQS-A-23, SQS-A-24, SQS-A-25: the defaults of a FIFO queue. SQS-A-26: perMessageGroupId needs messageGroup. SQS-A-27: the
/// other way round it does not.
#[test]
fn sqs_a_26_high_throughput_needs_deduplication_by_group() {
    let fifo = |more: &str| {
        blueprint(&format!("FifoQueue = true\n{more}"), "", "").queues[0]
            .fifo
            .expect("FIFO")
    };
    let plain = fifo("");
    assert_eq!(plain.deduplication_scope, DeduplicationScope::Queue, "SQS-A-24");
    assert_eq!(plain.throughput_limit, FifoThroughputLimit::PerQueue, "SQS-A-25");
    assert!(!plain.content_based_deduplication, "SQS-A-23");
    let by_group = fifo("DeduplicationScope = \"messageGroup\"");
    assert!(!by_group.has_high_throughput(), "SQS-A-27");
    let both = "DeduplicationScope = \"messageGroup\"\nFifoThroughputLimit = \"perMessageGroupId\"";
    assert!(fifo(both).has_high_throughput());
    let alone = "FifoQueue = true\nFifoThroughputLimit = \"perMessageGroupId\"";
    refused(
        &errors(alone, "", ""),
        &["E0303 8", "SQS-A-26", "InvalidAttributeValue"],
    );
    let change = "[[intervention]]\nat = \"1min\"\n\
                  queue_attributes = { of = \"queue.jobs\", FifoThroughputLimit = \"perMessageGroupId\" }";
    refused(&errors("FifoQueue = true", "", change), &["SQS-A-26"]);
    let scoped = "FifoQueue = true\nDeduplicationScope = \"messageGroup\"";
    assert_eq!(errors(scoped, "", change), [""; 0], "the queue's own scope counts");
}

/// SQS-T-05, SQS-T-09, SQS-T-10: the quota of high throughput is that of the account's Region and of the profile.
#[test]
fn the_region_grants_high_throughput() {
    let quota = |region: &str, profile: &str| {
        let text = shop("FifoQueue = true", SIZE, &format!("[account]\nRegion = \"{region}\""));
        let text = text.replacen("format = 1", &format!("format = 1\nprofile = \"{profile}\""), 1);
        loaded(&text).blueprint.queues[0].fifo.expect("FIFO").regional_calls
    };
    assert_eq!(quota("eu-west-1", "current"), 70_000);
    assert_eq!(quota("eu-north-1", "current"), 2_400);
    assert_eq!(quota("eu-west-1", "exam"), 3_000);
}

/// SQS-B-18: a message has at least a byte.
#[test]
fn sqs_b_18_an_empty_message_is_refused() {
    let empty = errors_of(&shop("", "size = \"0B\"", ""), "current");
    refused(&empty, &["E0303", "SQS-B-18", "MissingParameter"]);
    assert_eq!(errors_of(&shop("", "size = \"1B\"", ""), "current"), [""; 0]);
}

/// SQS-B-22: a message to a FIFO queue has a MessageGroupId. SQS-B-23, SQS-H-07: to a standard queue it may have one, but not
/// in the profile `exam`. SQS-H-08: so that profile has no fair queues.
#[test]
fn sqs_b_22_message_groups_depend_on_queue_and_profile() {
    let none = errors("FifoQueue = true", "MessageGroupId = \"none\"", "");
    refused(&none, &["E0303", "SQS-B-22", "MissingParameter"]);
    assert_eq!(errors("", "MessageGroupId = \"none\"", ""), [""; 0]);
    let group = "MessageGroupId = \"key\"";
    assert_eq!(blueprint("", group, "").queues[0].grouped, ["web"]);
    let exam = errors_of(&shop("", &format!("{SIZE}\n{group}"), ""), "exam");
    refused(&exam, &["E0303", "SQS-B-23"]);
}

/// SQS-B-25, SQS-B-26: and a deduplication ID, unless the queue makes one.
#[test]
fn sqs_b_25_a_deduplication_id_is_needed() {
    let none = "MessageDeduplicationId = \"none\"";
    refused(
        &errors("FifoQueue = true", none, ""),
        &["E0303", "SQS-B-25", "InvalidParameterValue"],
    );
    let making = "FifoQueue = true\nContentBasedDeduplication = true";
    assert_eq!(errors(making, none, ""), [""; 0]);
    let sender = &blueprint("FifoQueue = true", "MessageDeduplicationId = \"ordinal\"", "").queues[0].senders[0];
    assert_eq!(
        (sender.producer.as_str(), sender.deduplication_id),
        ("web", DeduplicationId::Ordinal)
    );
}

/// SQS-L-04: a message is delayed by at most 15 minutes. SQS-L-05: to a FIFO queue not at all. SQS-L-06: nothing is accepted.
#[test]
fn sqs_l_04_the_delay_of_a_message_is_bounded() {
    let delay = |text: &str| format!("DelaySeconds = {text}");
    for good in ["\"900s\"", "\"0s\"", "{ uniform = [\"0s\", \"900s\"] }"] {
        assert_eq!(errors("", &delay(good), ""), [""; 0], "{good}");
    }
    for bad in ["\"901s\"", "{ uniform = [\"0s\", \"1000s\"] }"] {
        refused(
            &errors("", &delay(bad), ""),
            &["E0205", "SQS-L-04", "InvalidParameterValue"],
        );
    }
    let fifo = "FifoQueue = true";
    refused(
        &errors(fifo, &delay("\"1s\""), ""),
        &["E0303", "SQS-L-05", "InvalidParameterValue"],
    );
    assert_eq!(errors(fifo, &delay("\"0s\""), ""), [""; 0], "SQS-L-06");
}

/// SQS-R-02, SQS-R-03: what workers ask for keeps to its bounds. SQS-X-01: IDs of attempts are for FIFO queues.
#[test]
fn sqs_r_02_receives_keep_to_their_bounds() {
    let worker = |what: &str| shop("", SIZE, "").replace("time = \"20ms\"", &format!("time = \"20ms\"\n{what}"));
    for (name, most) in [
        ("MaxNumberOfMessages", 10),
        ("WaitTimeSeconds", 20),
        ("VisibilityTimeout", 43_200),
    ] {
        assert_eq!(errors_of(&worker(&format!("{name} = {most}")), "current"), [""; 0]);
        let beyond = errors_of(&worker(&format!("{name} = {}", most + 1)), "current");
        refused(&beyond, &["E0205", name, "InvalidParameterValue"]);
    }
    let none = errors_of(&worker("MaxNumberOfMessages = 0"), "current");
    refused(&none, &["E0205", "InvalidParameterValue"]);
    let attempts = worker("ReceiveRequestAttemptId = true");
    refused(&errors_of(&attempts, "current"), &["E0303", "SQS-X-01"]);
    let fifo = attempts.replace("[queue.jobs]", "[queue.jobs]\nFifoQueue = true");
    assert!(loaded(&fifo).blueprint.fleets[0].attempt_ids);
}

/// SQS-M-01, SQS-M-20: only the dead-letter queue of a queue is redriven. SQS-M-03: to a queue of its type. SQS-M-04: that
/// exists. SQS-M-05: at most 500 a second. SQS-M-19, SQS-H-05: of FIFO queues not in the profile `exam`.
#[test]
fn sqs_m_01_a_redrive_is_checked() {
    let policy = "RedrivePolicy = { deadLetterTargetArn = \"queue.dead\", maxReceiveCount = 3 }";
    let task = |what: &str| {
        format!(
            "[queue.dead]\n[queue.other]\nFifoQueue = true\n[[intervention]]\nat = \"1min\"\nstart_message_move_task = {{ {what} }}"
        )
    };
    let dead = "SourceArn = \"queue.dead\"";
    assert_eq!(errors(policy, "", &task(dead)), [""; 0]);
    refused(
        &errors("", "", &task(dead)),
        &["E0303", "SQS-M-01", "InvalidParameterValue"],
    );
    let fifo = format!("{dead}, DestinationArn = \"queue.other\"");
    refused(
        &errors(policy, "", &task(&fifo)),
        &["E0303", "SQS-M-03", "InvalidParameterValue"],
    );
    let unknown = format!("{dead}, DestinationArn = \"queue.nowhere\"");
    refused(&errors(policy, "", &task(&unknown)), &["E0301", "queue.nowhere"]);
    let fast = format!("{dead}, MaxNumberOfMessagesPerSecond = 501");
    refused(&errors(policy, "", &task(&fast)), &["E0205", "InvalidParameterValue"]);
    let all_fifo = task(dead).replace("[queue.dead]", "[queue.dead]\nFifoQueue = true");
    let text = shop(&format!("FifoQueue = true\n{policy}"), SIZE, &all_fifo);
    assert_eq!(errors_of(&text, "current"), [""; 0]);
    refused(
        &errors_of(&text, "exam"),
        &["E0303", "SQS-M-19", "InvalidParameterValue"],
    );
}

/// SQS-H-06: both profiles have the task.
#[test]
fn interventions_reach_queues_as_they_are_written() {
    let more = r#"[queue.dead]
[[intervention]]
at = "1min"
queue_attributes = { of = "queue.jobs", VisibilityTimeout = 60, DelaySeconds = 5, MessageRetentionPeriod = 61 }
[[intervention]]
at = "2min"
queue_attributes = { of = "queue.jobs", remove_redrive_policy = true, MaximumMessageSize = 2_000 }
[[intervention]]
at = "3min"
purge = { of = "queue.jobs" }
[[intervention]]
at = "4min"
start_message_move_task = { SourceArn = "queue.dead", DestinationArn = "queue.jobs", MaxNumberOfMessagesPerSecond = 7 }
[[intervention]]
at = "5min"
cancel_message_move_task = { SourceArn = "queue.dead" }"#;
    let policy = "RedrivePolicy = { deadLetterTargetArn = \"queue.dead\", maxReceiveCount = 3 }";
    for profile in ["current", "exam"] {
        let text = shop(policy, SIZE, more).replacen("format = 1", &format!("format = 1\nprofile = \"{profile}\""), 1);
        let blueprint = loaded(&text).blueprint;
        let asked: Vec<(&str, QueueOperation)> = blueprint
            .interventions
            .iter()
            .map(|change| of_queue(&change.command))
            .collect();
        let span = SimDuration::from_secs;
        let expected = [
            (
                "jobs",
                QueueOperation::SetAttributes(vec![
                    QueueAttribute::VisibilityTimeout(span(60)),
                    QueueAttribute::MessageRetentionPeriod(span(61)),
                    QueueAttribute::DelaySeconds(span(5)),
                ]),
            ),
            (
                "jobs",
                QueueOperation::SetAttributes(vec![
                    QueueAttribute::MaximumMessageSize(2_000),
                    QueueAttribute::RedrivePolicy(None),
                ]),
            ),
            ("jobs", QueueOperation::Purge),
            (
                "dead",
                QueueOperation::StartMove {
                    destination: Some("jobs".to_owned()),
                    rate: Some(7),
                },
            ),
            ("dead", QueueOperation::CancelMove),
        ];
        assert_eq!(asked, expected);
    }
    let nothing = "[[intervention]]\nat = \"1min\"\nqueue_attributes = { of = \"queue.jobs\" }";
    refused(&errors("", "", nothing), &["E0406"]);
}
fn of_queue(command: &Command) -> (&str, QueueOperation) {
    let Command::ChangeQueue { queue, operation } = command else {
        panic!("{command:?} is about no queue");
    };
    (queue, operation.clone())
}

/// A property of messages without a queue has no effect, and says so.
#[test]
fn what_only_queues_know_has_no_effect_on_a_stream() {
    let text = shop(
        "",
        &format!("{SIZE}\nDelaySeconds = \"5s\""),
        "[stream.clicks]\nShardCount = 1",
    );
    let text = text.replace("target = \"queue.jobs\"", "target = \"stream.clicks\"");
    let (_, diagnostics) = load(&text, "test", &LoadOptions::default(), &NoTraces);
    let lines = lines(&diagnostics, &text, &LoadOptions::default());
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("W0003") && line.contains("DelaySeconds")),
        "{lines:#?}"
    );
}
