//! How many batches a mapping has with its function at the same time.

use super::{Story, pipeline, seconds, tell};
use sim::blueprint::Blueprint;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::fact::{Fact, QueueMappingFact, Queueing};
use sim::profile::Profile;
use sim::session::{Session, SessionOptions};
use sim::testing::blueprints::constant;
use sim::testing::note::Notebook;

/// The limits that a mapping had, each with the instant from which it held.
fn limits(story: &Story) -> Vec<(SimTime, u32)> {
    story.find(|note, fact| match fact {
        QueueMappingFact::Weighed { limit, .. } => Some((note.at, limit)),
        _ => None,
    })
}
fn limit_at(limits: &[(SimTime, u32)], at: u64) -> u32 {
    let before = limits.iter().take_while(|limit| limit.0 <= seconds(at));
    before.last().map_or(0, |limit| limit.1)
}

/// A run without a check after every event.
fn tell_fast(blueprint: &Blueprint) -> Story {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("the blueprint is valid");
    let mut notebook = Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .expect("it runs");
    Story {
        session,
        notes: notebook.notes,
    }
}

/// A backlog that lasts, for a function that takes so many milliseconds and has all the concurrency that it wants.
fn backlog(profile: Profile, minutes: u64, handler: u64) -> Blueprint {
    let mut blueprint = pipeline(
        minutes * 60,
        &[(0, 0, 1_000, 5_000 * u32::try_from(minutes).expect("few"))],
    );
    blueprint.producers[0].concurrency = 10_000;
    blueprint.profile = profile;
    blueprint.account_concurrency = 10_000;
    blueprint.region_burst = 10_000;
    blueprint.queue_mappings[0].batch_size = 1;
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(3_000);
    blueprint.functions[0].timeout = SimDuration::from_secs(3_000);
    blueprint.functions[0].per_batch = constant(SimDuration::from_millis(handler));
    blueprint
}

/// LAM-S-03, LAM-U-12, LAM-H-01: 300 more in each minute, of the profile `current`.
#[test]
fn lam_s_03_concurrency_grows_by_300_a_minute_while_a_backlog_lasts() {
    let limits = limits(&tell_fast(&backlog(Profile::Current, 3, 200_000)));
    assert_eq!(limit_at(&limits, 0), 5);
    let grown = [(60, 120), (120, 179)].map(|(from, to)| limit_at(&limits, to) - limit_at(&limits, from));
    assert_eq!(grown, [300, 295]);
    assert!(
        (290..=305).contains(&limit_at(&limits, 61)),
        "{}",
        limit_at(&limits, 61)
    );
}

/// LAM-S-04, LAM-H-01: 60 in the profile `exam`.
#[test]
fn lam_s_04_concurrency_grows_by_60_a_minute_in_the_profile_exam() {
    let limits = limits(&tell_fast(&backlog(Profile::Exam, 3, 200_000)));
    let grown = [(60, 120), (120, 179)].map(|(from, to)| limit_at(&limits, to) - limit_at(&limits, from));
    assert_eq!(grown, [60, 59]);
}

/// LAM-U-12: in steps, all of a minute's growth comes at its end.
#[test]
fn lam_u_12_growth_may_come_in_steps() {
    let mut blueprint = backlog(Profile::Current, 3, 200_000);
    blueprint.model.queue_mapping.scale_in_steps = true;
    let limits = limits(&tell_fast(&blueprint));
    let steps: Vec<u32> = limits.iter().map(|limit| limit.1).collect();
    assert_eq!(steps, [5, 305, 605]);
    assert!(limits[1].0 >= seconds(60) && limits[2].0.since(limits[1].0) == SimDuration::from_secs(60));
}

/// LAM-S-02: when messages appear, five batches are with the function, and not more.
#[test]
fn lam_s_02_processing_begins_with_five_batches() {
    let mut blueprint = pipeline(32, &[(0, 30_500, 10, 500)]);
    blueprint.functions[0].timeout = SimDuration::from_secs(30);
    blueprint.functions[0].per_batch = constant(SimDuration::from_secs(10));
    let story = tell(&blueprint);
    let at_first = story.find(|note, fact| match fact {
        QueueMappingFact::Dispatched { concurrent, .. } if note.at < seconds(31) => Some(concurrent),
        _ => None,
    });
    assert_eq!(at_first, [1, 2, 3, 4, 5]);
}

/// The most that a mapping ever may have with its function, and has, in a run of five minutes.
fn most(profile: Profile, change: impl Fn(&mut Blueprint)) -> (u32, u32) {
    let minutes = if profile == Profile::Current { 5 } else { 20 };
    let mut blueprint = backlog(profile, minutes, 2_000_000);
    change(&mut blueprint);
    let story = tell_fast(&blueprint);
    (story.mapping().max_limit, story.mapping().max_concurrent)
}

/// LAM-S-05, LAM-H-02
#[test]
fn lam_s_05_a_mapping_has_1250_batches_at_most() {
    assert_eq!(most(Profile::Current, |_| {}), (1_250, 1_250));
}

/// LAM-S-06, LAM-H-02
#[test]
fn lam_s_06_in_the_profile_exam_it_has_1000() {
    assert_eq!(most(Profile::Exam, |_| {}), (1_000, 1_000));
}

/// LAM-Q-14, LAM-H-03: MaximumConcurrency bounds it, in both profiles, and never more are with the function.
#[test]
fn lam_q_14_maximum_concurrency_bounds_the_batches_of_a_mapping() {
    for profile in [Profile::Current, Profile::Exam] {
        for limit in [2, 7, 60] {
            let capped = |blueprint: &mut Blueprint| blueprint.queue_mappings[0].maximum_concurrency = Some(limit);
            assert_eq!(most(profile, capped), (limit, limit));
        }
    }
}

/// LAM-S-09, LAM-Q-15: the account's concurrency, or the function's, ends growth before the ceiling does.
#[test]
fn lam_s_09_available_concurrency_bounds_a_mapping() {
    let running = |change: fn(&mut Blueprint)| {
        let mut blueprint = backlog(Profile::Current, 5, 20_000);
        change(&mut blueprint);
        let story = tell_fast(&blueprint);
        (
            story
                .counts()
                .functions
                .iter()
                .map(|function| function.max_concurrent)
                .max(),
            story.mapping().max_limit,
        )
    };
    let (most, limit) = running(|blueprint| blueprint.account_concurrency = 400);
    assert!(most == Some(400) && limit < 1_250, "{most:?} {limit}");
    let reserved = |blueprint: &mut Blueprint| blueprint.functions[0].reserved_concurrency = Some(30);
    let (most, limit) = running(reserved);
    assert!(most == Some(30) && limit < 400, "{most:?} {limit}");
}

/// LAM-S-07, LAM-U-13: after a burst it falls back to five at the rate of its growth, and to two after five minutes
/// without a message.
#[test]
fn lam_s_07_it_falls_back_to_five_and_to_two() {
    let story = tell_fast(&burst(None));
    let limits = limits(&story);
    let most = limits.iter().map(|limit| limit.1).max().expect("there are some");
    assert!(most > 100, "{most}");
    let peak = limits
        .iter()
        .rposition(|limit| limit.1 == most)
        .expect("it is one of them");
    let falls: Vec<(u64, u32)> = limits[peak + 1..limits.len() - 1]
        .windows(2)
        .map(|pair| (pair[1].0.since(pair[0].0).as_millis(), pair[0].1 - pair[1].1))
        .collect();
    let (last, steps) = falls.split_last().expect("it falls");
    assert!(
        steps[..steps.len() - 1].iter().all(|step| *step == (1_000, 5)),
        "{steps:?}"
    );
    assert_eq!(last.1, 3);
    // The message that wakes it finds five again (LAM-S-02).
    assert_eq!(limits.last().map(|limit| limit.1), Some(5));
    // A minute of idleness comes first.
    assert!(limits[peak + 1].0.since(limits[peak].0) >= SimDuration::from_secs(60));
    // Fewer pollers, fewer empty receives (LAM-S-01).
    let woken = story.batches().last().expect("the last message").0;
    assert!(woken > seconds(1_000));
}

/// LAM-S-08: with MaximumConcurrency it stays at five, or at that.
#[test]
fn lam_s_08_with_maximum_concurrency_it_does_not_fall_to_two() {
    for (own, floor) in [(50, 5), (3, 3)] {
        let limits = limits(&tell_fast(&burst(Some(own))));
        assert_eq!(limits.last().map(|limit| limit.1), Some(floor));
        assert!(limits.iter().all(|limit| limit.1 >= floor));
    }
}

/// A burst that keeps a mapping busy for a minute and a half, then silence, then a single message.
fn burst(maximum_concurrency: Option<u32>) -> Blueprint {
    let mut blueprint = pipeline(1_100, &[(0, 0, 1_000, 20_000), (0, 1_000_000, 10, 1)]);
    blueprint.producers[0].concurrency = 10_000;
    blueprint.account_concurrency = 10_000;
    blueprint.functions[0].per_batch = constant(SimDuration::from_secs(2));
    blueprint.functions[0].timeout = SimDuration::from_secs(30);
    blueprint.queue_mappings[0].batch_size = 2;
    blueprint.queue_mappings[0].maximum_concurrency = maximum_concurrency;
    blueprint
}

/// LAM-Q-17: with MaximumConcurrency what cannot be processed stays in the queue, so no receive is wasted on throttles;
/// with reserved concurrency alone messages are received again and again.
#[test]
fn lam_q_17_maximum_concurrency_leaves_messages_in_the_queue() {
    let run = |maximum_concurrency, reserved| {
        let mut blueprint = pipeline(300, &[(0, 0, 10_000, 2_000)]);
        blueprint.functions[0].per_batch = constant(SimDuration::from_secs(2));
        blueprint.functions[0].timeout = SimDuration::from_secs(6);
        blueprint.functions[0].reserved_concurrency = reserved;
        blueprint.queues[0].visibility_timeout = SimDuration::from_secs(6);
        blueprint.queue_mappings[0].maximum_concurrency = maximum_concurrency;
        let story = tell(&blueprint);
        (story.queue().received_again, story.mapping().attempts_throttled)
    };
    assert_eq!(run(Some(2), None), (0, 0));
    let (again, throttled) = run(None, Some(2));
    assert!(again > 100 && throttled > 100, "{again} {throttled}");
}

/// LAM-Q-15, LAM-Q-16: two mappings of one function with MaximumConcurrency 4 each need a reserved concurrency of eight.
#[test]
fn lam_q_16_reserved_concurrency_must_cover_the_mappings_of_a_function() {
    let throttles = |reserved| {
        let mut blueprint = pipeline(120, &[(0, 0, 5_000, 2_000)]);
        blueprint.functions[0].per_batch = constant(SimDuration::from_secs(1));
        blueprint.functions[0].reserved_concurrency = Some(reserved);
        blueprint.queue_mappings[0].maximum_concurrency = Some(4);
        let mut second = blueprint.queue_mappings[0].clone();
        "second".clone_into(&mut second.name);
        blueprint.queue_mappings.push(second);
        let story = tell(&blueprint);
        let most: Vec<u32> = story
            .counts()
            .queue_mappings
            .iter()
            .map(|mapping| mapping.max_concurrent)
            .collect();
        assert_eq!(most, [4, 4]);
        story
            .counts()
            .queue_mappings
            .iter()
            .map(|mapping| mapping.attempts_throttled)
            .sum::<u64>()
    };
    assert_eq!(throttles(8), 0);
    assert!(throttles(7) > 0);
}

/// LAM-S-32: a mapping begins with five batches at once, which a reserved concurrency below five throttles.
#[test]
fn lam_s_32_a_reserved_concurrency_below_five_throttles_the_first_batches() {
    let throttles = |reserved| {
        let mut blueprint = pipeline(60, &[(0, 30_100, 100, 50)]);
        blueprint.functions[0].per_batch = constant(SimDuration::from_millis(500));
        blueprint.functions[0].reserved_concurrency = Some(reserved);
        tell(&blueprint).mapping().attempts_throttled
    };
    assert_eq!(throttles(5), 0);
    assert!(throttles(4) > 0);
}

/// What is in flight is what the batches at work hold: MaximumConcurrency times the batch size, and no more.
#[test]
fn sqs_q_15_concurrency_times_the_batch_size_are_in_flight() {
    let mut blueprint = backlog(Profile::Current, 5, 20_000);
    blueprint.queue_mappings[0].maximum_concurrency = Some(7);
    blueprint.queue_mappings[0].batch_size = 10;
    let story = tell(&blueprint);
    let in_flight = story.notes.iter().filter_map(|note| match note.fact {
        Fact::Queueing {
            fact: Queueing::Queue { depth, .. },
        } => Some(depth.in_flight),
        _ => None,
    });
    assert_eq!(in_flight.max(), Some(70));
}
