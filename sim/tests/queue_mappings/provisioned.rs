//! Provisioned pollers.

use super::{Story, pipeline, seconds, tell};
use sim::blueprint::{Blueprint, ProvisionedPollers, Size};
use sim::engine::distribution::Distribution;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::fact::QueueMappingFact;
use sim::testing::blueprints::constant;

/// A backlog of so many messages, for a function of so many milliseconds with all the concurrency that it wants.
fn provisioned(minimum: u32, maximum: u32, seconds: u64, messages: u32, handler: u64) -> Blueprint {
    let mut blueprint = pipeline(seconds, &[(0, 0, 1_000, messages)]);
    blueprint.producers[0].concurrency = 10_000;
    blueprint.account_concurrency = 100_000;
    blueprint.queue_mappings[0].provisioned = Some(ProvisionedPollers { minimum, maximum });
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(600);
    blueprint.functions[0].timeout = SimDuration::from_secs(600);
    blueprint.functions[0].per_batch = constant(SimDuration::from_millis(handler));
    blueprint
}

/// The pollers that there were, with the instants at which they were looked at.
fn pollers(story: &Story) -> Vec<(SimTime, u32)> {
    story.find(|note, fact| match fact {
        QueueMappingFact::Weighed { pollers, .. } => Some((note.at, pollers)),
        _ => None,
    })
}

/// LAM-P-04: a poller has ten batches at a time.
#[test]
fn lam_p_04_a_poller_has_ten_invocations_at_a_time() {
    let story = tell(&provisioned(3, 3, 60, 1_000, 5_000));
    assert_eq!(story.mapping().max_concurrent, 30);
    assert_eq!(story.mapping().done, 1_000);
}

/// LAM-P-04, LAM-P-10: and ten calls of the queue a second, where invocations are short.
#[test]
fn lam_p_10_a_poller_calls_the_queue_ten_times_a_second() {
    let mut blueprint = provisioned(2, 2, 60, 3_000, 1);
    blueprint.queue_mappings[0].batch_size = 1;
    let story = tell(&blueprint);
    let received = story.received();
    let within = |from, until| {
        received
            .iter()
            .filter(|one| one.0 >= seconds(from) && one.0 < seconds(until))
            .count()
    };
    assert_eq!(within(10, 50), 40 * 20);
    // A second's worth may come at once.
    assert!(within(0, 10) <= 220);
}

/// LAM-P-04: and 1 MB a second, where messages are large.
#[test]
fn lam_p_04_a_poller_takes_a_megabyte_a_second() {
    let mut blueprint = provisioned(2, 2, 130, 3_000, 1);
    blueprint.producers[0].size = Size::Drawn(Distribution::Constant(100_000.0));
    blueprint.producers[0].max_batch_bytes = 200_000;
    let story = tell(&blueprint);
    let received = story.received();
    let later = received
        .iter()
        .filter(|one| one.0 >= seconds(20) && one.0 < seconds(120));
    let bytes: usize = later.map(|one| one.1 * 100_005).sum();
    let allowed = 2 * 100 * 1_024 * 1_024;
    assert!(bytes.abs_diff(allowed) < allowed / 20, "{bytes} of {allowed}");
}

/// LAM-P-05, LAM-U-19, LAM-P-07: while a backlog lasts a hundred pollers are added each minute, up to the maximum.
#[test]
fn lam_p_05_a_thousand_concurrent_invocations_are_added_each_minute() {
    let story = tell(&provisioned(2, 150, 150, 40_000, 100_000));
    let found = pollers(&story);
    let at = |second| {
        found
            .iter()
            .take_while(|one| one.0 <= seconds(second))
            .last()
            .map_or(0, |one| one.1)
    };
    assert_eq!(at(0), 2);
    assert_eq!(at(65) - at(5), 100);
    assert_eq!(at(150), 150);
    assert_eq!(story.mapping().max_limit, 1_500);
}

/// LAM-P-06: ten for each of MaximumPollers is what a mapping may reach.
#[test]
fn lam_p_06_the_largest_concurrency_is_ten_for_each_poller() {
    let story = tell(&provisioned(2, 20, 60, 20_000, 30_000));
    assert_eq!((story.mapping().max_concurrent, story.mapping().max_pollers), (200, 20));
}

/// LAM-P-07, LAM-U-19: three minutes after the backlog is gone a tenth goes each minute, down to the minimum.
#[test]
fn lam_p_07_pollers_fall_back_to_the_minimum() {
    let mut blueprint = provisioned(4, 40, 2_400, 2_000, 10_000);
    blueprint.queue_mappings[0].batch_size = 1;
    let story = tell(&blueprint);
    let found = pollers(&story);
    let peak = found.iter().map(|one| one.1).max().expect("there are some");
    assert_eq!(peak, 40);
    let last_peak = found.iter().rfind(|one| one.1 == peak).expect("it is one of them").0;
    let drained = story.batches().last().expect("there is one").0;
    let quiet = last_peak.since(drained).as_secs();
    assert!((175..200).contains(&quiet), "{quiet} s");
    let minute_later = found
        .iter()
        .find(|one| one.0 >= last_peak + SimDuration::from_secs(60))
        .expect("one")
        .1;
    assert_eq!(minute_later, 36);
    assert_eq!(found.last().map(|one| one.1), Some(4));
}

/// LAM-P-14, LAM-M-27: ProvisionedPollers shows them each minute.
#[test]
fn lam_m_27_provisioned_pollers_is_a_metric() {
    use sim::directory::Component;
    use sim::observe::metrics::{Metric, Statistic};
    let story = tell(&provisioned(2, 20, 180, 20_000, 30_000));
    let metrics = story
        .session
        .observers()
        .and_then(|observers| observers.metrics.as_ref())
        .expect("they are kept");
    let of = Component::QueueMapping(sim::ids::QueueMappingId(0));
    let most = |from, until| {
        let value = metrics.value(
            Metric::ProvisionedPollers,
            of,
            Statistic::Maximum,
            seconds(from),
            seconds(until),
        );
        value.map(|value| value.numerator / value.denominator)
    };
    assert_eq!((most(0, 60), most(60, 120)), (Some(20), Some(20)));
    let on_demand = tell(&pipeline(60, &[(0, 0, 1_000, 100)]));
    let metrics = on_demand
        .session
        .observers()
        .and_then(|observers| observers.metrics.as_ref())
        .expect("they are kept");
    assert!(metrics.series(Metric::ProvisionedPollers, of).is_none());
}

/// LAM-P-15: a window makes a message wait, in provisioned mode as in the other.
#[test]
fn lam_p_15_a_window_of_zero_has_the_lowest_latency() {
    let slowest = |window| {
        let mut blueprint = pipeline(120, &[(0, 0, 100_000, 300)]);
        blueprint.queue_mappings[0].provisioned = Some(ProvisionedPollers { minimum: 2, maximum: 2 });
        blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(window);
        let story = tell(&blueprint);
        let waits = story.find(|note, fact| {
            let created = note.records.iter().map(|record| record.created_at).min()?;
            let late = note.at > seconds(10) && matches!(fact, QueueMappingFact::Dispatched { .. });
            late.then(|| note.at.since(created).as_millis())
        });
        waits.into_iter().max().expect("there are some")
    };
    assert!(slowest(0) < 200);
    assert!(slowest(2) >= 2_000);
}
