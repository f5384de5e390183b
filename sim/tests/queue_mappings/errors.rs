//! Errors, throttles and reports of failed messages.

use super::{Story, pipeline, seconds, tell};
use sim::batch::{BatchResponse, InvocationOutcome};
use sim::blueprint::{Blueprint, Poison, PoisonResponse, RedrivePolicy};
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;
use sim::observe::fact::{Fact, QueueFact, QueueMappingFact, Queueing};
use sim::testing::blueprints::{constant, queue};
use std::collections::BTreeMap;

/// Ten messages in one request, at five seconds, and a function that fails with all of them until `until`.
fn failing(until: u64) -> Blueprint {
    let mut blueprint = pipeline(120, &[(0, 5_000, 10, 10)]);
    blueprint.functions[0].failing_windows = vec![sim::blueprint::FailingWindow {
        from: seconds(0),
        until: seconds(until),
        rate: Ratio::ONE,
    }];
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(15);
    blueprint
}

/// LAM-Z-13, LAM-S-21, LAM-S-34, LAM-S-35: after an exception nothing is deleted, and all come back when the visibility
/// timeout is over: neither earlier nor later.
#[test]
fn lam_z_13_after_an_exception_all_messages_come_back_after_the_visibility_timeout() {
    let story = tell(&failing(10));
    let received = story.received();
    assert_eq!(received.iter().map(|one| one.1).collect::<Vec<_>>(), [10, 10]);
    // The timeout begins when the answer leaves, 10 ms after the receive.
    assert_eq!(received[1].0.since(received[0].0), SimDuration::from_millis(15_010));
    assert_eq!(
        (story.mapping().failed, story.mapping().done, story.queue().returned),
        (10, 10, 10)
    );
    // Nothing else hides or shows messages.
    assert_eq!(story.queue().visibility_calls, 0);
    assert_eq!(story.queue().received_again, 10);
}

/// LAM-Z-13: a timeout of the function is the same.
#[test]
fn lam_s_21_after_a_timeout_all_messages_come_back() {
    let mut blueprint = failing(0);
    blueprint.functions[0].per_batch = constant(SimDuration::from_secs(10));
    blueprint.functions[0].timeout = SimDuration::from_secs(2);
    let story = tell(&blueprint);
    let outcomes = story.find(|_, fact| match fact {
        QueueMappingFact::Failed { outcome, .. } => Some(outcome),
        _ => None,
    });
    assert_eq!(outcomes[0], InvocationOutcome::TimedOut);
    assert_eq!((story.mapping().done, story.queue().deleted), (0, 0));
    // A receive each 15 s from 5 s on.
    assert_eq!(story.queue().received, 80);
}

/// LAM-S-22: what came back is grouped anew: a batch has no identity.
#[test]
fn lam_s_22_redelivered_messages_are_batched_anew() {
    let mut blueprint = failing(10);
    blueprint.queue_mappings[0].batch_size = 3;
    let story = tell(&blueprint);
    let batches = story.find(|note, fact| {
        let mut ordinals: Vec<u32> = note.records.iter().map(|record| record.ordinal).collect();
        ordinals.sort_unstable();
        matches!(fact, QueueMappingFact::Dispatched { .. }).then_some((note.at < seconds(10), ordinals))
    });
    let of = |first: bool| {
        let mut groups: Vec<Vec<u32>> = batches
            .iter()
            .filter(|one| one.0 == first)
            .map(|one| one.1.clone())
            .collect();
        groups.sort();
        groups
    };
    let (before, after) = (of(true), of(false));
    assert_eq!((before.concat().len(), after.concat().len()), (10, 10));
    assert_ne!(before, after);
}

/// The reported failures of a run whose function cannot process the last three of ten messages, with this response.
fn reporting(response: BatchResponse, reports: bool, stops: bool) -> Story {
    let mut blueprint = pipeline(30, &[(0, 5_000, 10, 10)]);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(60);
    blueprint.queue_mappings[0].report_batch_item_failures = reports;
    blueprint.functions[0].poison = Poison {
        ordinals: vec![3, 7, 8],
        response: PoisonResponse::Returns { response, stops },
        ..Poison::default()
    };
    tell(&blueprint)
}

/// LAM-Z-14, LAM-Q-05: what is reported comes back, the others are deleted.
#[test]
fn lam_z_14_reported_messages_come_back_and_the_others_are_deleted() {
    let story = reporting(BatchResponse::ItemFailures, true, false);
    assert_eq!(
        (story.mapping().failed, story.mapping().done, story.queue().deleted),
        (3, 7, 7)
    );
    assert_eq!(story.mapping().batches_failed_in_part, 1);
    // They are still hidden.
    let queue = story.session.world().queues().iter().next().expect("there is one");
    assert_eq!((queue.state().in_flight, queue.state().available), (3, 0));
}

/// LAM-E-16: without ReportBatchItemFailures a report counts for nothing.
#[test]
fn lam_e_16_a_report_counts_only_where_it_is_asked_for() {
    let story = reporting(BatchResponse::ItemFailures, false, false);
    assert_eq!((story.mapping().failed, story.queue().deleted), (0, 10));
}

/// LAM-Q-07: four responses are a success, whatever the function failed to process.
#[test]
fn lam_q_07_four_responses_mean_that_everything_succeeded() {
    use BatchResponse::{EmptyList, EmptyObject, Null, NullList};
    for response in [EmptyList, NullList, EmptyObject, Null] {
        let story = reporting(response, true, false);
        assert_eq!((story.mapping().failed, story.queue().deleted), (0, 10), "{response:?}");
    }
}

/// LAM-Q-08, LAM-Z-15: five mean that everything failed, and concurrency stays as it is (LAM-Q-04).
#[test]
fn lam_z_15_five_responses_mean_that_everything_failed() {
    use BatchResponse::{EmptyIdentifier, InvalidJson, MisnamedIdentifier, NullIdentifier, UnknownIdentifier};
    for response in [
        EmptyIdentifier,
        NullIdentifier,
        MisnamedIdentifier,
        InvalidJson,
        UnknownIdentifier,
    ] {
        let story = reporting(response, true, false);
        assert_eq!((story.mapping().failed, story.queue().deleted), (10, 0), "{response:?}");
        assert_eq!(story.mapping().batches_failed, 1);
        assert_eq!(story.mapping().min_limit, Some(5));
    }
}

/// LAM-Q-06: an exception fails the whole batch, with ReportBatchItemFailures too.
#[test]
fn lam_q_06_an_exception_fails_the_whole_batch() {
    let mut blueprint = failing(200);
    blueprint.queue_mappings[0].report_batch_item_failures = true;
    let story = tell(&blueprint);
    assert_eq!((story.mapping().done, story.queue().deleted), (0, 0));
    assert!(story.mapping().failed >= 10);
    assert_eq!(story.mapping().batches_failed_in_part, 0);
}

/// LAM-Q-20: where a function reports what it has processed as failed, the queue's own metrics show it.
#[test]
fn lam_q_20_wrong_reports_show_in_the_metrics_of_the_queue() {
    use sim::directory::Component;
    use sim::observe::metrics::{Metric, Statistic};
    let mut blueprint = pipeline(300, &[(0, 5_000, 240_000, 500)]);
    blueprint.queue_mappings[0].report_batch_item_failures = true;
    blueprint.functions[0].poison = Poison {
        share: Ratio::ONE,
        response: PoisonResponse::Returns {
            response: BatchResponse::ItemFailures,
            stops: false,
        },
        ..Poison::default()
    };
    let story = tell(&blueprint);
    let metrics = story
        .session
        .observers()
        .and_then(|observers| observers.metrics.as_ref())
        .expect("they are kept");
    let of = Component::Queue(sim::ids::QueueId(0));
    let value = |metric, statistic| metrics.value(metric, of, statistic, seconds(60), seconds(300));
    assert!(value(Metric::NumberOfMessagesDeleted, Statistic::Sum).is_none_or(|sum| sum.numerator == 0));
    let counts = story.queue();
    assert!(counts.received_again > 500 && counts.deleted == 0);
    // Messages received three times leave the age metric, younger ones stand in for them.
    assert!(value(Metric::ApproximateAgeOfOldestMessage, Statistic::Maximum).is_some_and(|age| age.numerator > 30));
}

/// The limits of a backlog for a function of 50 ms with this error rate.
fn limits_with_errors(rate: Ratio, reports: bool) -> Story {
    let mut blueprint = pipeline(120, &[(0, 0, 1_000, 60_000)]);
    blueprint.producers[0].concurrency = 10_000;
    blueprint.queue_mappings[0].batch_size = 1;
    blueprint.queue_mappings[0].report_batch_item_failures = reports;
    blueprint.functions[0].per_batch = constant(SimDuration::from_millis(50));
    blueprint.functions[0].failure_rate = rate;
    tell(&blueprint)
}

/// LAM-Q-01, LAM-U-14: function errors lower the number of concurrent batches; with ReportBatchItemFailures they do not
/// (LAM-Q-04).
#[test]
fn lam_q_01_lam_q_04_errors_lower_concurrency_unless_failures_are_reported() {
    let most = |rate, reports| limits_with_errors(rate, reports).mapping().max_limit;
    let (calm, troubled) = (most(Ratio::ZERO, false), most(Ratio::new(1, 10), false));
    assert!(troubled * 3 < calm, "{troubled} {calm}");
    // A second in which a poller happens to wait for a message is no second of growth.
    assert!(most(Ratio::new(1, 10), true) >= calm - 20);
}

/// LAM-Z-16, LAM-Q-02, LAM-U-15: a throttled batch is kept and tried again after 1, 2, 4 and 8 s, until a second before the
/// end of its visibility timeout; then it is let go, and comes back.
#[test]
fn lam_z_16_a_throttled_batch_is_tried_until_its_visibility_timeout_ends() {
    let mut blueprint = failing(0);
    blueprint.functions[0].reserved_concurrency = Some(0);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(20);
    let story = tell(&blueprint);
    let attempts = story.find(|note, fact| match fact {
        QueueMappingFact::Dispatched { attempts_before, .. } => Some((attempts_before, note.at)),
        _ => None,
    });
    let gaps: Vec<u64> = attempts[..5]
        .windows(2)
        .map(|pair| pair[1].1.since(pair[0].1).as_millis())
        .collect();
    assert_eq!(gaps, [1_002, 2_002, 4_002, 8_002]);
    assert_eq!(attempts[5].0, 0, "the next is another delivery");
    let let_go = story.find(|note, fact| matches!(fact, QueueMappingFact::LetGo { .. }).then_some(note.at));
    let received = story.received();
    // The answer came 11 ms after the receive.
    assert_eq!(let_go[0].since(received[0].0), SimDuration::from_millis(19_011));
    assert_eq!(received[1].0.since(received[0].0), SimDuration::from_millis(20_010));
}

/// LAM-Q-21, LAM-Q-03, LAM-Z-17: with a reserved concurrency of zero messages cycle through visibility timeouts until
/// their receives are used up; the function never sees them, and the receive after the last moves them.
#[test]
fn lam_q_21_without_concurrency_messages_end_in_the_dead_letter_queue() {
    let mut blueprint = failing(0);
    blueprint.functions[0].reserved_concurrency = Some(0);
    blueprint.queues[0].redrive = Some(RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 3,
    });
    blueprint.queues.push(queue("dead"));
    let story = tell(&blueprint);
    assert_eq!((story.queue().received, story.queue().dead_lettered), (30, 10));
    assert_eq!(story.mapping().let_go, 30);
    assert!(story.counts().functions.iter().all(|function| function.started == 0));
}

/// LAM-Z-17: the move happens at the receive that would be one too many, and brings Lambda nothing.
#[test]
fn lam_z_17_the_receive_after_the_last_moves_a_message() {
    let mut blueprint = failing(200);
    blueprint.queues[0].redrive = Some(RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 2,
    });
    blueprint.queues.push(queue("dead"));
    let story = tell(&blueprint);
    let moved = story.notes.iter().find_map(|note| match note.fact {
        Fact::Queueing {
            fact:
                Queueing::Queue {
                    fact: QueueFact::DeadLettered { .. },
                    ..
                },
        } => Some(note.at),
        _ => None,
    });
    let received = story.received();
    assert_eq!(received.len(), 2);
    let after = moved.expect("they are moved").since(received[1].0);
    assert_eq!(after, SimDuration::from_millis(15_010));
    assert_eq!(story.mapping().failed, 20);
}

/// LAM-Q-03, LAM-S-26: throttles alone use receives up. A maxReceiveCount of one loses messages that five save.
#[test]
fn lam_s_26_a_low_max_receive_count_loses_messages_to_throttles() {
    let lost = |most| {
        let mut blueprint = pipeline(400, &[(0, 5_000, 5_000, 300)]);
        blueprint.functions[0].reserved_concurrency = Some(1);
        blueprint.functions[0].per_batch = constant(SimDuration::from_millis(800));
        blueprint.queues[0].visibility_timeout = SimDuration::from_secs(6);
        blueprint.queues[0].redrive = Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count: most,
        });
        blueprint.queues.push(queue("dead"));
        let story = tell(&blueprint);
        assert_eq!(story.mapping().failed, 0, "the function never fails");
        story.queue().dead_lettered
    };
    let (one, five) = (lost(1), lost(5));
    assert!(one > 30 && five < one / 3, "{one} {five}");
}

/// LAM-Q-02, LAM-U-15: ten seconds with throttles lower the number of pollers by a fifth, to two at least.
#[test]
fn lam_u_15_throttles_lower_concurrency_by_a_fifth_each_ten_seconds() {
    let mut blueprint = pipeline(100, &[(0, 0, 1_000, 5_000)]);
    blueprint.functions[0].reserved_concurrency = Some(0);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(600);
    let story = tell(&blueprint);
    let limits = story.find(|note, fact| match fact {
        QueueMappingFact::Weighed { limit, .. } => Some((note.at.as_nanos() / 1_000_000_000, limit)),
        _ => None,
    });
    let by_second: BTreeMap<u64, u32> = limits.into_iter().collect();
    let values: Vec<u32> = by_second.values().copied().collect();
    // 5, 4, 3.2, 2.56, 2.05, 2
    assert_eq!(values, [5, 4, 3, 2]);
}

/// LAM-M-21, LAM-M-20, LAM-M-25: the EventCount group of a mapping that asks for it, where one in ten messages of the wanted
/// half fails once.
#[test]
fn lam_m_21_a_mapping_of_a_queue_counts_its_events() {
    use sim::blueprint::Filter;
    use sim::directory::Component;
    use sim::observe::metrics::{Metric, Statistic};
    let count = |asked| {
        let mut blueprint = pipeline(120, &[(0, 5_000, 1_000, 100), (1, 5_000, 1_000, 40)]);
        let mapping = &mut blueprint.queue_mappings[0];
        mapping.event_count_metrics = asked;
        mapping.batch_size = 1;
        mapping.filters = Some(vec![Filter {
            equals: vec!["key-0".to_owned()],
            ..Filter::default()
        }]);
        blueprint.functions[0].failure_rate = Ratio::new(1, 10);
        let story = tell(&blueprint);
        let failed = story.mapping().failed;
        let observers = story.session.observers().expect("they are attached");
        let metrics = observers.metrics.as_ref().expect("all are").clone();
        let of = Component::QueueMapping(sim::ids::QueueMappingId(0));
        let sum = move |metric| {
            let value = metrics.value(metric, of, Statistic::Sum, seconds(0), seconds(120));
            value.map(|value| u64::try_from(value.numerator / value.denominator).expect("small"))
        };
        let all = [
            Metric::PolledEventCount,
            Metric::FilteredOutEventCount,
            Metric::InvokedEventCount,
            Metric::FailedInvokeEventCount,
            Metric::DeletedEventCount,
        ];
        (failed, all.map(sum))
    };
    let (failed, counts) = count(true);
    assert!(failed > 3, "{failed}");
    // 100 wanted and 40 unwanted ones, and those that failed once more.
    assert_eq!(counts, [140 + failed, 40, 100 + failed, failed, 140].map(Some));
    assert_eq!(count(false).1, [None; 5]);
}
