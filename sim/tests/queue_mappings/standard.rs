//! Polling, batching and deleting, of a standard queue.

use super::{pipeline, seconds, send, tell};
use sim::blueprint::{Filter, QueueMappingBlueprint, RedrivePolicy, Size};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;
use sim::observe::fact::QueueMappingFact;
use sim::profile::Profile;
use sim::testing::blueprints::{constant, function, queue};

/// LAM-S-01, LAM-U-16: five pollers, each with a long poll of 20 s, cost requests although nothing comes: 15 a minute.
#[test]
fn lam_s_01_an_idle_mapping_long_polls() {
    let story = tell(&pipeline(120, &[]));
    // The first receives return after 20 s, the sixth round is under way.
    assert_eq!(story.queue().receives, 25);
    assert_eq!(story.queue().empty_receives, 25);
    assert_eq!(story.mapping().polled, 0);
}

/// Of a queue whose answers take 10 ms with ways of 1 ms, and a message that comes while pollers wait.
#[test]
fn lam_s_20_what_is_processed_is_deleted() {
    let story = tell(&pipeline(60, &[(0, 5_000, 1_000, 100)]));
    let mapping = story.mapping();
    assert_eq!((mapping.polled, mapping.done, mapping.deleted), (100, 100, 100));
    assert_eq!(story.queue().deleted, 100);
    assert_eq!((mapping.failed, mapping.let_go, story.queue().returned), (0, 0, 0));
}

/// LAM-Z-12, LAM-E-05: with no window a single message is a batch, as soon as it is there.
#[test]
fn lam_z_12_a_function_that_returns_gets_each_message_once() {
    let story = tell(&pipeline(60, &[(0, 5_000, 10_000, 3)]));
    let sizes: Vec<usize> = story.batches().iter().map(|batch| batch.1).collect();
    assert_eq!(sizes, [1, 1, 1]);
    // 100 ms of linger, 1 ms to the queue, 10 ms until it answers, 1 ms back.
    let waits = story.find(|note, fact| {
        let created = note.records.first()?.created_at;
        matches!(fact, QueueMappingFact::Dispatched { .. }).then(|| note.at.since(created).as_millis())
    });
    assert_eq!(waits, [112, 112, 112]);
    assert_eq!(story.queue().received_again, 0);
}

/// LAM-S-19, LAM-S-33: what a poller holds is in flight, hidden from others.
#[test]
fn lam_s_19_messages_are_in_flight_while_the_function_runs() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 100, 40)]);
    blueprint.functions[0].timeout = SimDuration::from_secs(20);
    blueprint.functions[0].per_batch = constant(SimDuration::from_secs(15));
    let story = tell(&blueprint);
    assert_eq!(story.queue().max_in_flight, 40);
    assert_eq!((story.queue().received, story.mapping().done), (40, 40));
}

/// LAM-S-33: the quota of the queue bounds what pollers hold; the others wait in the queue.
#[test]
fn lam_s_33_what_pollers_hold_counts_towards_the_quota_of_the_queue() {
    let mut blueprint = pipeline(200, &[(0, 0, 1_000, 150_000)]);
    blueprint.producers[0].max_batch_records = 10;
    blueprint.producers[0].concurrency = 10_000;
    blueprint.queue_mappings[0].batch_size = 10_000;
    blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(300);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(3_600);
    let options = sim::session::SessionOptions::default();
    let mut session = sim::session::Session::new(&blueprint, options).expect("the blueprint is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs");
    let queue = session.world().queues().iter().next().expect("there is one");
    assert_eq!(queue.state().in_flight, 120_000);
    assert_eq!(queue.state().available, 30_000);
}

/// LAM-E-03, LAM-S-12: with a window a batch gathers over several receives until it has its size.
#[test]
fn lam_u_16_a_batch_above_ten_is_filled_by_several_receives() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 1_000, 1_000)]);
    blueprint.queue_mappings[0].batch_size = 100;
    blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(5);
    blueprint.queue_mappings[0].maximum_concurrency = Some(2);
    let story = tell(&blueprint);
    assert!(story.received().iter().all(|received| received.1 <= 10));
    let sizes: Vec<usize> = story.batches().iter().map(|batch| batch.1).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 1_000);
    assert_eq!(sizes.iter().filter(|&&size| size == 100).count(), 10, "{sizes:?}");
}

/// LAM-U-17: a window counts from the end of the invocation before, so under a steady load a batch has a window's worth of
/// messages, up to the moment at which a poll returns.
#[test]
fn lam_u_17_a_window_opens_when_the_invocation_before_it_ends() {
    let mut blueprint = pipeline(120, &[(0, 5_000, 100_000, 1_000)]);
    let mapping = &mut blueprint.queue_mappings[0];
    (mapping.batch_size, mapping.maximum_batching_window) = (1_000, SimDuration::from_secs(10));
    mapping.maximum_concurrency = Some(2);
    let story = tell(&blueprint);
    let batches = story.batches();
    let gaps: Vec<u64> = batches
        .windows(3)
        .map(|three| three[2].0.since(three[0].0).as_millis())
        .collect();
    // Two pollers, each with a batch about every ten seconds. Polls return at every other message.
    assert!(gaps[2..].iter().all(|gap| (10_000..10_900).contains(gap)), "{gaps:?}");
}

/// LAM-S-14: on a quiet queue a batch waits for the long poll that is under way, although its window is over.
#[test]
fn lam_s_14_a_quiet_queue_ends_a_window_only_when_a_long_poll_returns() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 10, 1)]);
    blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(2);
    let story = tell(&blueprint);
    let batches = story.batches();
    assert_eq!(batches.len(), 1);
    // Stored at about 5.1 s; the poll after it began at once and returned 20 s later, with nothing.
    let waited = batches[0].0.since(seconds(5)).as_millis();
    assert!((20_000..20_300).contains(&waited), "{waited} ms");
}

/// LAM-S-15, LAM-U-30: bodies of 500 KB with 810 bytes of metadata: twelve fit 6 MB, thirteen do not.
#[test]
fn lam_s_15_the_payload_of_a_batch_counts_metadata() {
    let fitting = |bytes: u64| {
        let mut blueprint = pipeline(60, &[(0, 5_000, 100, 26)]);
        blueprint.producers[0].size = Size::Drawn(Distribution::Constant(bytes as f64));
        blueprint.producers[0].max_batch_records = 1;
        let mapping = &mut blueprint.queue_mappings[0];
        (mapping.batch_size, mapping.maximum_batching_window) = (100, SimDuration::from_secs(10));
        mapping.maximum_concurrency = Some(2);
        let story = tell(&blueprint);
        assert_eq!(story.mapping().done, 26);
        story.batches().iter().map(|batch| batch.1).max()
    };
    // 14 + 12 x (bytes + 810) is 6 MB with 523,476.
    let key = u64::try_from("key-0".len()).expect("small");
    assert_eq!(fitting(523_476 - key), Some(12));
    assert_eq!(fitting(523_477 - key), Some(11));
}

/// LAM-S-16, LAM-S-18: of messages of 1 MiB five fit an invocation, although one receive brings ten.
#[test]
fn lam_s_18_five_messages_of_the_largest_size_fit_a_batch_of_ten() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 10, 40)]);
    blueprint.producers[0].size = Size::Drawn(Distribution::Constant(1_048_576.0 - 5.0));
    blueprint.producers[0].max_batch_records = 1;
    blueprint.queue_mappings[0].maximum_concurrency = Some(2);
    let story = tell(&blueprint);
    assert_eq!((story.mapping().done, story.queue().entries_refused), (40, 0));
    assert_eq!(story.batches().iter().map(|batch| batch.1).max(), Some(5));
    assert!(story.received().iter().any(|received| received.1 == 10));
    assert!(story.mapping().batches_payload_full > 0);
}

/// LAM-S-30: the function gets what the filter wants; the rest is deleted without an invocation.
#[test]
fn lam_s_30_a_message_that_no_filter_wants_is_deleted() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 1_000, 100), (1, 5_000, 1_000, 50)]);
    blueprint.queue_mappings[0].filters = Some(vec![Filter {
        equals: vec!["key-1".to_owned()],
        ..Filter::default()
    }]);
    let story = tell(&blueprint);
    let mapping = story.mapping();
    assert_eq!((mapping.filtered_out, mapping.invoked, mapping.done), (100, 50, 50));
    assert_eq!((story.queue().deleted, story.queue().returned), (150, 0));
}

/// LAM-S-28: a function may have many queues, and a queue several functions, which compete for its messages.
#[test]
fn lam_s_28_mappings_of_one_queue_compete() {
    let mut blueprint = pipeline(120, &[(0, 5_000, 60_000, 1_000)]);
    blueprint.functions.push(function("other", None));
    blueprint
        .queue_mappings
        .push(QueueMappingBlueprint::new("rival", "jobs", "other"));
    blueprint.queues.push(queue("mail"));
    blueprint.producers.push(sim::blueprint::ProducerBlueprint {
        name: "post".to_owned(),
        target: "mail".to_owned(),
        ..blueprint.producers[0].clone()
    });
    blueprint
        .queue_mappings
        .push(QueueMappingBlueprint::new("post", "mail", "worker"));
    let story = tell(&blueprint);
    // In order of name: post, rival, work.
    let done: Vec<u64> = story
        .counts()
        .queue_mappings
        .iter()
        .map(|mapping| mapping.done)
        .collect();
    assert_eq!(done[0], 1_000);
    assert_eq!(done[1] + done[2], 1_000);
    assert!(done[1].abs_diff(done[2]) < 200, "{done:?}");
}

/// LAM-S-25: what the guide of 2022 says of a window that does not fit the visibility timeout holds in the profile `exam`.
/// A long poll after the first message lets 20 s pass with a window of 5 s and a visibility timeout of 4 s.
#[test]
fn lam_s_25_a_long_window_extends_the_visibility_timeout_in_the_profile_exam() {
    let received = |profile| {
        let mut blueprint = pipeline(60, &[(0, 5_000, 10, 1)]);
        blueprint.profile = profile;
        blueprint.queues[0].visibility_timeout = SimDuration::from_secs(4);
        blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(5);
        let story = tell(&blueprint);
        (story.queue().received, story.queue().deleted)
    };
    assert_eq!(received(Profile::Exam), (1, 1));
    let (received, deleted) = received(Profile::Current);
    assert!(received > 1 && deleted == 1, "{received} received, {deleted} deleted");
}

/// LAM-S-24: six times the function timeout and the window leave room for throttles; less brings messages back while they
/// wait for concurrency.
#[test]
fn lam_s_24_a_visibility_timeout_as_recommended_outlasts_throttles() {
    let given_back = |visibility| {
        let mut blueprint = pipeline(120, &[(0, 5_000, 10_000, 100)]);
        blueprint.functions[0].reserved_concurrency = Some(1);
        blueprint.functions[0].timeout = SimDuration::from_secs(3);
        blueprint.functions[0].per_batch = constant(SimDuration::from_millis(500));
        blueprint.queues[0].visibility_timeout = SimDuration::from_secs(visibility);
        tell(&blueprint).mapping().let_go
    };
    assert!(given_back(3) > 0);
    assert!(given_back(18) < given_back(3), "{} {}", given_back(18), given_back(3));
}

/// LAM-S-26, LAM-S-27: failures end in the dead-letter queue of the source queue, after as many receives as it says; the
/// function's own is for asynchronous events and gets nothing.
#[test]
fn lam_s_27_failures_go_to_the_dead_letter_queue_of_the_source_queue() {
    let mut blueprint = pipeline(200, &[(0, 5_000, 1_000, 20)]);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(5);
    blueprint.queues[0].redrive = Some(RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 5,
    });
    blueprint.queues.push(queue("dead"));
    blueprint.functions[0].failure_rate = Ratio::ONE;
    blueprint.functions[0].asynchronous.dead_letter = Some(sim::blueprint::DestinationBlueprint {
        service: sim::blueprint::DestinationService::Sqs,
        failure_rate: Ratio::ZERO,
    });
    let story = tell(&blueprint);
    assert_eq!((story.queue().dead_lettered, story.queue().received), (20, 100));
    let events: u64 = story
        .counts()
        .functions
        .iter()
        .map(|function| function.events.dead_lettered)
        .sum();
    assert_eq!(events, 0);
}

/// LAM-E-13: switched off it polls no more; switched on again it goes on, with what came meanwhile.
#[test]
fn lam_e_13_a_mapping_of_a_queue_can_be_switched_off_and_on() {
    let mut blueprint = pipeline(300, &[(0, 5_000, 200_000, 2_000)]);
    let switch = |at, enabled| sim::command::Intervention {
        at: seconds(at),
        command: sim::command::Command::SetMappingEnabled {
            mapping: "work".to_owned(),
            enabled,
        },
    };
    // Each takes a minute (LAM-K-18).
    blueprint.interventions = vec![switch(10, false), switch(60, true)];
    let story = tell(&blueprint);
    let batches = story.batches();
    let paused = |at| at > seconds(71) && at < seconds(120);
    assert!(batches.iter().all(|batch| !paused(batch.0)));
    assert!(batches.iter().any(|batch| batch.0 < seconds(70)) && batches.iter().any(|batch| batch.0 > seconds(121)));
    assert_eq!(story.mapping().done, 2_000);
}

/// A mapping that is created during the run begins after a minute, and one that is off does not begin.
#[test]
fn a_mapping_of_a_queue_begins_when_it_is_created_and_enabled() {
    let first = |created, enabled| {
        let mut blueprint = pipeline(200, &[]);
        send(&mut blueprint, &[(0, 1_000, 1_000, 10)]);
        blueprint.queue_mappings[0].created_at = seconds(created);
        blueprint.queue_mappings[0].enabled = enabled;
        tell(&blueprint)
            .batches()
            .first()
            .map(|batch| batch.0.as_millis() / 1_000)
    };
    assert_eq!(first(10, true), Some(70));
    assert_eq!(first(10, false), None);
}
