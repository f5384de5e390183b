//! FIFO queues: message groups.

use super::{Story, pipeline, seconds, tell};
use sim::batch::BatchResponse;
use sim::blueprint::{
    Blueprint, DeduplicationScope, FailingWindow, FifoSettings, FifoThroughputLimit, Poison, PoisonResponse,
};
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::fact::{Fact, QueueMappingFact};
use sim::profile::Profile;
use sim::testing::blueprints::constant;
use std::collections::BTreeMap;

fn high_throughput() -> FifoSettings {
    FifoSettings {
        deduplication_scope: DeduplicationScope::MessageGroup,
        throughput_limit: FifoThroughputLimit::PerMessageGroupId,
        ..FifoSettings::default()
    }
}

/// Groups with so many messages each, sent within `length` ms from five seconds on.
fn groups(groups: u32, messages: u32, length: u64) -> Blueprint {
    let bins: Vec<(u32, u64, u64, u32)> = (0..groups).map(|group| (group, 5_000, length, messages)).collect();
    let mut blueprint = pipeline(120, &bins);
    blueprint.queues[0].fifo = Some(high_throughput());
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(20);
    blueprint
}

/// By group: the batches that hold it, from their dispatch to the answer, and the ordinals in them.
fn runs(story: &Story) -> BTreeMap<u32, Vec<(SimTime, Vec<u32>)>> {
    let mut runs: BTreeMap<u32, Vec<(SimTime, Vec<u32>)>> = BTreeMap::new();
    for note in &story.notes {
        if let Fact::RecordsProcessed { .. } = note.fact {
            let mut of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for record in &note.records {
                of.entry(record.key.0).or_default().push(record.ordinal);
            }
            for (group, ordinals) in of {
                runs.entry(group).or_default().push((note.at, ordinals));
            }
        }
    }
    runs
}

/// LAM-Q-10: of each group one batch at a time, in order.
#[test]
fn lam_q_10_one_invocation_at_a_time_has_a_group() {
    let mut blueprint = groups(3, 30, 2_000);
    blueprint.functions[0].per_batch = constant(SimDuration::from_millis(500));
    blueprint.queue_mappings[0].batch_size = 4;
    let story = tell(&blueprint);
    assert_eq!(story.mapping().done, 90);
    for (group, batches) in runs(&story) {
        let ordinals: Vec<u32> = batches.iter().flat_map(|batch| batch.1.clone()).collect();
        assert_eq!(ordinals, (0..30).collect::<Vec<u32>>(), "group {group}");
        // The handler takes 500 ms, so do batches of a group, at least.
        assert!(
            batches
                .windows(2)
                .all(|pair| pair[1].0.since(pair[0].0).as_millis() >= 500)
        );
    }
}

/// LAM-Q-11, LAM-U-18: concurrency goes as far as there are groups, or MaximumConcurrency.
#[test]
fn lam_q_11_concurrency_is_bounded_by_groups() {
    let most = |count, own| {
        let mut blueprint = groups(count, 40, 500);
        blueprint.functions[0].per_batch = constant(SimDuration::from_millis(900));
        blueprint.queue_mappings[0].batch_size = 1;
        blueprint.queue_mappings[0].maximum_concurrency = own;
        tell(&blueprint).mapping().max_concurrent
    };
    assert_eq!(most(2, None), 2);
    assert_eq!(most(12, None), 12);
    assert_eq!(most(12, Some(7)), 7);
}

/// LAM-Q-12, LAM-H-15: a batch may hold several groups; in the profile `exam` it holds one.
#[test]
fn lam_q_12_a_batch_may_hold_several_groups() {
    let groups_of_batches = |profile| {
        let mut blueprint = groups(6, 5, 10);
        blueprint.profile = profile;
        let story = tell(&blueprint);
        assert_eq!(story.mapping().done, 30);
        story.find(|note, fact| {
            let mut of: Vec<u32> = note.records.iter().map(|record| record.key.0).collect();
            // Messages of a group stand together, in order.
            let in_order = note
                .records
                .windows(2)
                .all(|pair| pair[0].key != pair[1].key || pair[0].ordinal < pair[1].ordinal);
            assert!(in_order);
            of.dedup();
            matches!(fact, QueueMappingFact::Dispatched { .. }).then_some(of.len())
        })
    };
    assert!(groups_of_batches(Profile::Current).iter().any(|groups| *groups > 1));
    assert!(groups_of_batches(Profile::Exam).iter().all(|groups| *groups == 1));
}

/// LAM-Q-13, LAM-Z-18: a batch with two groups fails: both wait for their visibility timeout, others go on.
#[test]
fn lam_z_18_a_failed_batch_blocks_its_groups_and_no_other() {
    let mut blueprint = pipeline(
        60,
        &[
            (0, 5_000, 10, 3),
            (1, 5_000, 10, 3),
            (2, 7_000, 10_000, 10),
            (0, 8_000, 10, 2),
            (1, 8_000, 10, 2),
        ],
    );
    blueprint.queues[0].fifo = Some(high_throughput());
    blueprint.functions[0].failing_windows = vec![FailingWindow {
        from: seconds(0),
        until: seconds(6),
        rate: Ratio::ONE,
    }];
    let story = tell(&blueprint);
    assert_eq!((story.mapping().failed, story.mapping().batches_failed), (6, 1));
    let runs = runs(&story);
    // Blocked for 30 s from the receive at 5.1 s: their later messages as well.
    for group in [0, 1] {
        assert!(
            runs[&group].iter().all(|batch| batch.0 > seconds(35)),
            "{:?}",
            runs[&group]
        );
        let ordinals: Vec<u32> = runs[&group].iter().flat_map(|batch| batch.1.clone()).collect();
        assert_eq!(ordinals, [0, 1, 2, 3, 4]);
    }
    assert!(runs[&2].iter().all(|batch| batch.0 < seconds(18)));
}

/// A function that cannot process the third of ten messages of a group.
fn third_is_poison(stops: bool) -> Story {
    let mut blueprint = groups(1, 10, 10);
    blueprint.duration = SimDuration::from_secs(15);
    blueprint.queue_mappings[0].report_batch_item_failures = true;
    blueprint.functions[0].poison = Poison {
        ordinals: vec![2],
        response: PoisonResponse::Returns {
            response: BatchResponse::ItemFailures,
            stops,
        },
        ..Poison::default()
    };
    tell(&blueprint)
}

/// LAM-Z-19: a function that reports only what failed lets later messages of the group be deleted, processed before it.
#[test]
fn lam_z_19_a_report_of_one_message_lets_later_ones_pass_it() {
    let story = third_is_poison(false);
    assert_eq!((story.mapping().failed, story.queue().deleted), (1, 9));
    let ordinals: Vec<u32> = runs(&story)[&0].iter().flat_map(|batch| batch.1.clone()).collect();
    assert_eq!(ordinals, [0, 1, 3, 4, 5, 6, 7, 8, 9]);
}

/// LAM-Q-09: one that stops there and reports all the rest keeps the order: nothing later is processed or deleted.
#[test]
fn lam_q_09_a_function_that_stops_and_reports_the_rest_keeps_the_order() {
    let story = third_is_poison(true);
    assert_eq!((story.mapping().failed, story.queue().deleted), (8, 2));
    let ordinals: Vec<u32> = runs(&story)[&0].iter().flat_map(|batch| batch.1.clone()).collect();
    assert_eq!(ordinals, [0, 1]);
}

/// SQS-T-04, LAM-U-12: what a FIFO queue refuses is asked for again; pollers that are refused do not call for more.
#[test]
fn calls_that_a_fifo_queue_refuses_are_made_again() {
    let mut blueprint = groups(400, 10, 1_000);
    blueprint.queues[0].fifo = Some(FifoSettings::default());
    blueprint.producers[0].concurrency = 400;
    blueprint.functions[0].per_batch = constant(SimDuration::from_millis(1));
    blueprint.queue_mappings[0].batch_size = 1;
    let story = tell(&blueprint);
    assert!(story.mapping().calls_refused > 0);
    assert_eq!(story.queue().sent, story.mapping().done);
    assert_eq!(
        (story.mapping().deleted, story.mapping().deletes_refused),
        (story.mapping().done, 0)
    );
}
