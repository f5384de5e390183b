//! Senders and workers of queues as a whole: throughput, retries, heartbeats, lost answers, and the metrics of it.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use sim::blueprint::{
    Arrivals, Blueprint, FifoSettings, FleetBlueprint, Keys, ProducerBlueprint, PutApi, QueueBlueprint, RedrivePolicy,
    RetryMode, SdkRetry,
};
use sim::directory::Component;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::QueueId;
use sim::observe::counts::{FleetCounts, QueueCounts};
use sim::observe::metrics::{Metric, Statistic};
use sim::session::{Session, SessionOptions};
use sim::testing::blueprints::producer;

fn queue(name: &str) -> QueueBlueprint {
    QueueBlueprint {
        name: name.to_owned(),
        fifo: None,
        visibility_timeout: SimDuration::from_secs(30),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::ZERO,
        receive_wait: SimDuration::from_secs(20),
        maximum_message_size: 1 << 20,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }
}
fn sender(api: PutApi, rate: u64) -> ProducerBlueprint {
    ProducerBlueprint {
        arrivals: Arrivals::Constant(Rate::per_second(rate)),
        api,
        max_batch_records: 10,
        max_batch_bytes: 1 << 18,
        concurrency: 1,
        ..producer("web", "jobs")
    }
}
fn workers(count: u32, per_message: SimDuration) -> FleetBlueprint {
    FleetBlueprint {
        name: "clerks".to_owned(),
        queue: "jobs".to_owned(),
        workers: count,
        starts_at: SimTime::ZERO,
        wait_time: None,
        max_messages: 1,
        visibility_timeout: None,
        idle_pause: SimDuration::ZERO,
        attempt_ids: false,
        retry: SdkRetry::default(),
        per_message: Distribution::Constant(per_message.as_nanos() as f64),
        failure_rate: Ratio::ZERO,
        poison_rate: Ratio::ZERO,
        release_failed: false,
        heartbeat: None,
        crash_rate: Ratio::ZERO,
        restart_time: SimDuration::ZERO,
    }
}
/// A world of one queue, whose calls take exactly 10 ms, and a millisecond on the way.
fn world(queue: QueueBlueprint, sender: ProducerBlueprint, fleets: Vec<FleetBlueprint>, seconds: u64) -> Blueprint {
    let mut blueprint = Blueprint::empty(7, SimDuration::from_secs(seconds));
    blueprint.model.queue.service_time = Distribution::Constant(10e6);
    blueprint.model.queue.duplicate_rate = Ratio::ZERO;
    blueprint.producers.push(sender);
    blueprint.queues.push(queue);
    blueprint.fleets = fleets;
    blueprint
}
fn ended(blueprint: &Blueprint) -> Session {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it builds");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs");
    session
}
fn counts(session: &Session) -> (QueueCounts, FleetCounts) {
    let counts = session
        .observers()
        .and_then(|observers| observers.counts.as_ref())
        .expect("counts");
    let fleet = counts.fleets.iter().next().cloned().unwrap_or_default();
    (counts.queues[QueueId(0)].clone(), fleet)
}
fn value(session: &Session, metric: Metric, statistic: Statistic, minutes: core::ops::Range<u64>) -> Option<u64> {
    let metrics = session
        .observers()
        .and_then(|observers| observers.metrics.as_ref())
        .expect("metrics");
    let at = |minute| SimTime::from_secs(minute * 60);
    let value = metrics.value(
        metric,
        Component::Queue(QueueId(0)),
        statistic,
        at(minutes.start),
        at(minutes.end),
    )?;
    Some(value.as_f64().round() as u64)
}

/// SQS-T-19: without batching one thread gets one call through in each latency. SQS-T-20: more of them get as many more.
#[test]
fn sqs_t_19_throughput_is_the_inverse_of_the_latency() {
    for threads in [1, 4, 16] {
        let sender = ProducerBlueprint {
            concurrency: threads,
            ..sender(PutApi::SendMessage, 5_000)
        };
        let (sent, _) = counts(&ended(&world(queue("jobs"), sender, Vec::new(), 20)));
        let expected = f64::from(threads) * 20.0 / 0.011;
        let ratio = sent.sent as f64 / expected;
        assert!((0.98..1.02).contains(&ratio), "{threads} threads: {} sent", sent.sent);
    }
    // And workers: a receive, 9 ms of work and a delete are 31 ms.
    for threads in [1, 8] {
        let sender = ProducerBlueprint {
            concurrency: 100,
            ..sender(PutApi::SendMessageBatch, 1_000)
        };
        let fleet = workers(threads, SimDuration::from_millis(9));
        let (received, _) = counts(&ended(&world(queue("jobs"), sender, vec![fleet], 60)));
        let ratio = received.deleted as f64 / (f64::from(threads) * 60.0 / 0.031);
        assert!(
            (0.94..1.02).contains(&ratio),
            "{threads} workers: {} deleted",
            received.deleted
        );
    }
}

/// SQS-T-04: workers whose SDK waits before it repeats a throttled call make far fewer of them, for as many messages.
#[test]
fn sqs_t_04_workers_wait_when_they_are_throttled() {
    let run = |retry: SdkRetry| {
        let fifo = QueueBlueprint {
            fifo: Some(FifoSettings::default()),
            ..queue("jobs")
        };
        let sender = ProducerBlueprint {
            keys: Keys::Uniform { count: 1_000 },
            concurrency: 100,
            ..sender(PutApi::SendMessageBatch, 400)
        };
        let fleet = FleetBlueprint {
            retry,
            ..workers(40, SimDuration::from_millis(1))
        };
        counts(&ended(&world(fifo, sender, vec![fleet], 120)))
    };
    let (repeating, _) = run(SdkRetry {
        max_attempts: 10,
        ..SdkRetry::default()
    });
    let (giving_up, _) = run(SdkRetry {
        mode: RetryMode::Off,
        max_attempts: 1,
        timing_2026: false,
    });
    assert!(giving_up.receives_refused > 1_000, "more receives than 300 a second");
    assert!(
        repeating.receives_refused < giving_up.receives_refused / 2,
        "they wait between attempts"
    );
    for one in [repeating, giving_up] {
        assert!(
            (34_000..36_400).contains(&one.deleted),
            "the quota is used all the same: {one:?}"
        );
    }
}

/// SQS-V-27, SQS-L-08: work that outlasts the visibility timeout is done once with a heartbeat, and again and again without.
#[test]
fn sqs_v_27_a_heartbeat_keeps_long_work_to_itself() {
    for (heartbeat, again) in [(Some(SimDuration::from_secs(20)), false), (None, true)] {
        let fleet = FleetBlueprint {
            heartbeat,
            ..workers(20, SimDuration::from_secs(100))
        };
        let sender = ProducerBlueprint {
            arrivals: Arrivals::Constant(Rate {
                count: 1,
                per: SimDuration::from_secs(60),
            }),
            ..sender(PutApi::SendMessage, 1)
        };
        let (one, _) = counts(&ended(&world(queue("jobs"), sender, vec![fleet], 1_200)));
        assert_eq!(one.received_again > 0, again, "{one:?}");
        assert!(one.deleted > 10);
    }
}

/// SQS-X-02, SQS-X-06, SQS-R-18: with ReceiveRequestAttemptId lost answers cost a retry, without it the visibility timeout
/// of the group. SQS-D-05: and with a maxReceiveCount of 1 the message, which nobody has seen.
#[test]
fn sqs_x_06_lost_answers_block_groups_unless_attempts_have_an_id() {
    let run = |attempt_ids: bool, most: u16| {
        let fifo = QueueBlueprint {
            fifo: Some(FifoSettings::default()),
            redrive: Some(RedrivePolicy {
                dead_letter_queue: "dead".to_owned(),
                max_receive_count: most,
            }),
            visibility_timeout: SimDuration::from_secs(120),
            ..queue("jobs")
        };
        let sender = ProducerBlueprint {
            keys: Keys::Uniform { count: 5 },
            ..sender(PutApi::SendMessage, 2)
        };
        let fleet = FleetBlueprint {
            attempt_ids,
            ..workers(3, SimDuration::from_millis(20))
        };
        let mut blueprint = world(fifo, sender, vec![fleet], 1_200);
        blueprint.queues.insert(
            0,
            QueueBlueprint {
                fifo: Some(FifoSettings::default()),
                ..queue("dead")
            },
        );
        blueprint.model.queue.lost_receive_rate = Ratio::new(1, 20);
        blueprint.model.request_timeout = SimDuration::from_secs(2);
        let session = ended(&blueprint);
        let counts = session
            .observers()
            .and_then(|observers| observers.counts.as_ref())
            .expect("counts");
        let latency = session
            .observers()
            .and_then(|observers| observers.latency.as_ref())
            .expect("latency");
        let place = latency.of_queue(QueueId(1)).expect("of the queue");
        (
            counts.queues[QueueId(1)].clone(),
            place.end_to_end.quantile(900_000).expect("some"),
        )
    };
    let (with, quick) = run(true, 5);
    let (without, slow) = run(false, 5);
    assert!(quick < SimDuration::from_secs(10), "{quick}");
    assert!(slow > SimDuration::from_secs(100), "{slow}");
    assert_eq!((with.dead_lettered, without.dead_lettered), (0, 0));
    let (lost, _) = run(false, 1);
    assert!(lost.dead_lettered > 20, "SQS-D-05: {lost:?}");
}

/// SQS-C-01, SQS-Z-28: gauges have a value at each full minute, counts a sum in it. SQS-C-05: with the usual statistics.
/// SQS-C-12, SQS-C-13, SQS-C-14, SQS-C-15, SQS-C-16, SQS-C-17, SQS-C-19, SQS-C-23: what they are.
#[test]
fn sqs_c_01_metrics_come_by_the_minute() {
    let delayed = QueueBlueprint {
        delay: SimDuration::from_secs(30),
        visibility_timeout: SimDuration::from_hours(2),
        ..queue("jobs")
    };
    let sender = ProducerBlueprint {
        linger: SimDuration::from_millis(100),
        concurrency: 10,
        ..sender(PutApi::SendMessageBatch, 100)
    };
    // Ten workers take one message each, and hold it for the rest of the run.
    let fleet = FleetBlueprint {
        starts_at: SimTime::from_secs(90),
        ..workers(10, SimDuration::from_hours(1))
    };
    let session = ended(&world(delayed, sender, vec![fleet], 301));
    let gauge = |metric, minute: u64| value(&session, metric, Statistic::Maximum, minute..minute + 1).expect("a value");
    let near = |found: u64, expected: u64| found.abs_diff(expected) <= 25;
    for minute in 0..5 {
        let sent = (minute + 1) * 6_000;
        let held = if minute == 0 { 0 } else { 10 };
        let delayed = gauge(Metric::ApproximateNumberOfMessagesDelayed, minute);
        let visible = gauge(Metric::ApproximateNumberOfMessagesVisible, minute);
        assert!(near(delayed, 3_000), "SQS-C-14: {delayed}");
        assert!(near(visible + held, sent - 3_000), "SQS-C-12: {visible}");
        assert_eq!(
            gauge(Metric::ApproximateNumberOfMessagesNotVisible, minute),
            held,
            "SQS-C-13"
        );
        let samples = value(
            &session,
            Metric::ApproximateNumberOfMessagesVisible,
            Statistic::SampleCount,
            minute..minute + 1,
        );
        assert_eq!(samples, Some(1), "one value a minute (SQS-Z-28)");
        let sum = value(
            &session,
            Metric::NumberOfMessagesSent,
            Statistic::Sum,
            minute..minute + 1,
        )
        .expect("a sum");
        assert!(near(sum, 6_000), "SQS-C-15: {sum}");
    }
    let over = |metric, statistic| value(&session, metric, statistic, 0..5);
    assert_eq!(
        over(Metric::NumberOfMessagesReceived, Statistic::Sum),
        Some(10),
        "SQS-C-16"
    );
    assert_eq!(
        over(Metric::NumberOfMessagesDeleted, Statistic::Sum),
        None,
        "SQS-C-17: none yet"
    );
    for statistic in [Statistic::Minimum, Statistic::Average, Statistic::Maximum] {
        assert_eq!(
            over(Metric::SentMessageSize, statistic),
            Some(110),
            "SQS-C-19, SQS-C-05"
        );
    }
}

/// SQS-C-02: a queue without messages that nobody has called for six hours has no metrics until it is called again.
#[test]
fn sqs_c_02_an_inactive_queue_has_no_metrics() {
    let short = QueueBlueprint {
        retention: SimDuration::from_secs(60),
        ..queue("jobs")
    };
    let points = [(0, 1), (60, 1), (61, 0), (36_000, 0), (36_001, 1), (36_060, 1)];
    let points = points.map(|(at, rate)| (SimDuration::from_secs(at), Rate::per_second(rate)));
    let sender = ProducerBlueprint {
        arrivals: Arrivals::Profile {
            points: points.to_vec(),
            period: None,
        },
        ..sender(PutApi::SendMessage, 1)
    };
    let session = ended(&world(short, sender, Vec::new(), 36_200));
    let samples = |minutes| {
        value(
            &session,
            Metric::ApproximateNumberOfMessagesVisible,
            Statistic::SampleCount,
            minutes,
        )
        .unwrap_or(0)
    };
    // The last call is in the first minute or two; the queue counts as active for six hours more.
    assert_eq!(samples(0..300), 300);
    let active = samples(0..590);
    assert!((358..=366).contains(&active), "{active} minutes");
    assert_eq!(samples(370..590), 0);
    assert!(samples(600..603) > 0, "called again");
}

/// SQS-C-21: sends that were answered as success and stored nothing, of a FIFO queue whose answers get lost.
#[test]
fn sqs_c_21_swallowed_sends_are_counted() {
    let fifo = QueueBlueprint {
        fifo: Some(FifoSettings::default()),
        ..queue("jobs")
    };
    let sender = ProducerBlueprint {
        concurrency: 100,
        ..sender(PutApi::SendMessage, 20)
    };
    let mut blueprint = world(fifo, sender, Vec::new(), 300);
    blueprint.model.lost_acknowledgement_rate = Ratio::new(1, 10);
    blueprint.model.request_timeout = SimDuration::SECOND;
    let session = ended(&blueprint);
    let (queue, _) = counts(&session);
    assert!((400..900).contains(&queue.deduplicated), "{queue:?}");
    let metric = value(&session, Metric::NumberOfDeduplicatedSentMessages, Statistic::Sum, 0..5);
    assert_eq!(metric, Some(queue.deduplicated));
}
