//! What services take: throughput, bursts, order, messages in flight.

use super::*;
use sim::blueprint::{DeduplicationScope, FifoThroughputLimit};
use sim::command::{Command, Intervention};
use sim::observe::Probe;
use sim::observe::fact::{Fact, QueueFact, Queueing};
use sim::profile::Profile;
use sim::services::queue::quotas::regional_calls;
use sim::testing::blueprints::stream;

/// 2,000 messages a second of one key: a standard queue takes all, a FIFO queue 300 calls a second, a shard 1,000 records.
#[test]
fn sqs_k_05_one_key_is_limited_by_order() {
    let mut blueprint = world(10);
    blueprint.producers = vec![
        sender("a", "plain", PutApi::SendMessage, evenly(2_000, 1)),
        sender("b", "ordered", PutApi::SendMessage, evenly(2_000, 1)),
        sender("c", "events", PutApi::PutRecord, evenly(2_000, 1)),
    ];
    blueprint.queues = vec![queue("plain"), fifo_queue("ordered")];
    blueprint.streams = vec![stream("events", 1)];
    let session = run(&blueprint);
    let plain = of_queue(&session, "plain");
    assert_eq!((plain.sent, plain.sends_refused), (20_000, 0));
    let ordered = of_queue(&session, "ordered");
    // A second's worth at first, and 300 in each second.
    assert!((3_290..=3_300).contains(&ordered.sent), "{}", ordered.sent);
    assert_eq!(ordered.sent + ordered.sends_refused, 20_000);
    let events = of_stream(&session, "events");
    assert!((10_990..=11_000).contains(&events.accepted()), "{}", events.accepted());
    assert_eq!(events.accepted() + events.throttled(), 20_000);
}

/// 2,000 messages a second over many keys, in batches of ten: a FIFO queue has 200 calls of 300, a stream needs two shards.
#[test]
fn sqs_k_06_batches_spare_a_fifo_queue_and_a_stream_needs_two_shards() {
    let mut blueprint = world(20);
    blueprint.producers = vec![
        sender("a", "ordered", PutApi::SendMessageBatch, evenly(2_000, 10_000)),
        sender("b", "one", PutApi::PutRecords, evenly(2_000, 10_000)),
        sender("c", "two", PutApi::PutRecords, evenly(2_000, 10_000)),
        sender("d", "three", PutApi::PutRecords, evenly(2_000, 10_000)),
    ];
    blueprint.queues = vec![fifo_queue("ordered")];
    blueprint.streams = vec![stream("one", 1), stream("two", 2), stream("three", 3)];
    let session = run(&blueprint);
    let ordered = of_queue(&session, "ordered");
    assert_eq!(ordered.sends_refused, 0);
    assert!(
        (3_990..=4_010).contains(&ordered.requests),
        "200 calls a second: {}",
        ordered.requests
    );
    let refused = |name| of_stream(&session, name).throttled();
    // One shard takes 1,000 a second and a full bucket. Two have room on average; a shard is now and then a few above.
    assert!((18_900..=19_100).contains(&refused("one")), "{}", refused("one"));
    assert!(refused("two") < 400, "{}", refused("two"));
    assert_eq!(refused("three"), 0);
}

/// 5,000 ordered messages a second without batches: normal FIFO refuses 94 %; with high throughput the quotas of Tokyo
/// suffice now, and let 40 % fail by the profile `exam`.
#[test]
fn sqs_k_07_high_throughput_takes_what_normal_fifo_refuses() {
    let share = |high_throughput: bool, profile: Profile| {
        let mut blueprint = world(30);
        blueprint.profile = profile;
        // So that a queue has all its partitions by the time at which it is looked at.
        blueprint.model.queue.partition_growth_time = SimDuration::SECOND;
        blueprint.producers = vec![sender("a", "ordered", PutApi::SendMessage, evenly(5_000, 10_000))];
        blueprint.queues = vec![QueueBlueprint {
            fifo: Some(if high_throughput {
                FifoSettings {
                    deduplication_scope: DeduplicationScope::MessageGroup,
                    throughput_limit: FifoThroughputLimit::PerMessageGroupId,
                    regional_calls: regional_calls("ap-northeast-1", profile),
                    ..FifoSettings::default()
                }
            } else {
                FifoSettings::default()
            }),
            ..queue("ordered")
        }];
        let mut session = begun(&blueprint);
        // After what buckets hold at first.
        to(&mut session, 10_000);
        let before = of_queue(&session, "ordered").sends_refused;
        to(&mut session, 30_000);
        (of_queue(&session, "ordered").sends_refused - before) as f64 / 100_000.0
    };
    assert!((0.935..=0.945).contains(&share(false, Profile::Current)));
    assert!((0.935..=0.945).contains(&share(false, Profile::Exam)));
    assert!(share(true, Profile::Current) < 0.001);
    assert!((0.39..=0.41).contains(&share(true, Profile::Exam)));
}

/// Looks at a queue's backlog.
#[derive(Default)]
struct Backlog {
    peak: u64,
    empty_at: Option<SimTime>,
}
impl Probe for Backlog {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::Queueing {
            fact: Queueing::Queue { depth, .. },
        } = *fact
        {
            let here = depth.available + depth.in_flight;
            self.peak = self.peak.max(here);
            self.empty_at = match self.empty_at {
                _ if here > 0 => None,
                None => Some(now),
                known => known,
            };
        }
    }
}

/// A burst of 10,000 messages a second for a minute, and consumers of 1,000 a second.
#[test]
fn sqs_k_08_a_queue_takes_a_burst_that_a_shard_refuses() {
    let mut blueprint = world(660);
    blueprint.producers = vec![
        sender("a", "jobs", PutApi::SendMessageBatch, evenly(10_000, 1_000)),
        sender("b", "events", PutApi::PutRecords, evenly(10_000, 1_000)),
    ];
    blueprint.interventions = ["a", "b"]
        .map(|producer| Intervention {
            at: SimTime::from_secs(60),
            command: Command::ScaleLoad {
                producer: producer.to_owned(),
                factor: Ratio::ZERO,
            },
        })
        .to_vec();
    blueprint.queues = vec![QueueBlueprint {
        visibility_timeout: SimDuration::from_secs(600),
        ..queue("jobs")
    }];
    blueprint.fleets = vec![fleet("clerks", "jobs", 100, SimDuration::from_millis(100))];
    blueprint.streams = vec![stream("events", 1)];
    let mut session = begun(&blueprint);
    let mut backlog = Backlog::default();
    let mut refused = Vec::new();
    for second in [1, 2, 3, 61, 660] {
        let until = SimTime::from_secs(second);
        session
            .advance_watched(until, u64::MAX, Some(&mut backlog))
            .expect("it runs");
        refused.push(of_stream(&session, "events").throttled());
    }
    let jobs = of_queue(&session, "jobs");
    assert_eq!(jobs.sends_refused + jobs.entries_refused, 0);
    assert!((599_900..=600_100).contains(&jobs.sent), "{}", jobs.sent);
    assert!((539_000..=542_000).contains(&backlog.peak), "{}", backlog.peak);
    let empty = backlog.empty_at.map_or(0, |at| at.since(SimTime::ZERO).as_secs());
    assert!((599..=602).contains(&empty), "540 s after the burst: {empty}");
    assert!((7_900..=8_100).contains(&refused[0]), "{refused:?}");
    for pair in refused[..3].windows(2) {
        assert!((8_900..=9_100).contains(&(pair[1] - pair[0])), "{refused:?}");
    }
    assert_eq!(refused[3], refused[4], "then silence");
}

/// One message group at 1,000 messages a second: the sends fit, and one batch in flight at a time drains ten messages a
/// cycle, however many workers there are. A shard takes as much, and is read in large batches.
#[test]
fn sqs_k_24_one_group_is_drained_a_batch_at_a_time() {
    let drained = |workers: u32, work: u64| {
        let mut blueprint = world(40);
        blueprint.producers = vec![sender("a", "ordered", PutApi::SendMessageBatch, evenly(1_000, 1))];
        blueprint.queues = vec![fifo_queue("ordered")];
        blueprint.fleets = vec![FleetBlueprint {
            starts_at: SimTime::from_secs(5),
            max_messages: 10,
            wait_time: Some(SimDuration::from_secs(20)),
            ..fleet("clerks", "ordered", workers, SimDuration::from_millis(work))
        }];
        let mut session = begun(&blueprint);
        to(&mut session, 10_000);
        let (before, backlog) = (of_queue(&session, "ordered").deleted, backlog(&session));
        to(&mut session, 40_000);
        assert_eq!(of_queue(&session, "ordered").sends_refused, 0);
        let deleted = of_queue(&session, "ordered").deleted - before;
        (
            deleted / 30,
            super::limits::backlog(&session).saturating_sub(backlog) / 30,
        )
    };
    for workers in [1, 5] {
        let (rate, growth) = drained(workers, 1);
        assert!(
            (980..=1_000).contains(&rate),
            "{workers} workers, 10 ms a cycle: {rate}"
        );
        assert!(growth < 25, "{growth}");
        let (rate, growth) = drained(workers, 2);
        assert!((495..=500).contains(&rate), "{workers} workers, 20 ms a cycle: {rate}");
        assert!((495..=510).contains(&growth), "{growth}");
    }
    let mut blueprint = world(40);
    blueprint.producers = vec![sender("a", "events", PutApi::PutRecords, evenly(1_000, 1))];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.applications = vec![application("clerks", "events")];
    let session = run(&blueprint);
    assert_eq!(of_stream(&session, "events").throttled(), 0);
    let clerks = of_application(&session, "clerks");
    assert!(clerks.acknowledged > 35_000, "{}", clerks.acknowledged);
    assert!(
        clerks.records_read / (clerks.reads - clerks.empty_reads) > 500,
        "large batches"
    );
}

fn backlog(session: &Session) -> u64 {
    let held = session.world().queues().iter().map(sim::services::queue::Queue::state);
    held.map(|state| state.available + state.in_flight).sum()
}

/// Errors and empty answers of receives.
#[derive(Default)]
struct Answers {
    refused: u64,
    empty: u64,
}
impl Probe for Answers {
    fn on(&mut self, _now: SimTime, fact: &Fact<'_>) {
        let Fact::Queueing {
            fact: Queueing::Queue { fact, depth, .. },
        } = *fact
        else {
            return;
        };
        match fact {
            QueueFact::ReceiveRefused { error, .. } => {
                assert_eq!(error, sim::batch::ServiceError::OverLimit);
                self.refused += 1;
            }
            QueueFact::Received { records: [], .. } if depth.available > 0 => self.empty += 1,
            _ => {}
        }
    }
}

/// Messages that are received and never deleted: 120,000 are in flight at most, then a short poll ends in OverLimit and a
/// long one in nothing; a FIFO queue of the profile `exam` stops at 20,000 without an error.
#[test]
fn sqs_k_26_messages_in_flight_have_a_limit() {
    let held = |fifo: bool, messages: u32, wait: u64| {
        let mut blueprint = world(180);
        blueprint.profile = if fifo { Profile::Exam } else { Profile::Current };
        let (rate, keys) = if fifo { (2_500, messages) } else { (10_000, 100) };
        let over = SimDuration::from_millis(u64::from(messages) * 1_000 / rate);
        let load = exactly(messages, over, keys);
        blueprint.producers = vec![sender("a", "jobs", PutApi::SendMessageBatch, load)];
        blueprint.queues = vec![QueueBlueprint {
            fifo: fifo.then_some(FifoSettings::default()),
            visibility_timeout: SimDuration::from_hours(12),
            ..queue("jobs")
        }];
        // Each worker dies with what it has received, and another one comes.
        blueprint.fleets = vec![FleetBlueprint {
            starts_at: SimTime::from_secs(60),
            max_messages: 10,
            wait_time: Some(SimDuration::from_secs(wait)),
            crash_rate: Ratio::ONE,
            restart_time: SimDuration::from_millis(400),
            idle_pause: SimDuration::from_millis(500),
            ..fleet("clerks", "jobs", 100, SimDuration::from_millis(1))
        }];
        let mut session = begun(&blueprint);
        let mut answers = Answers::default();
        let end = session.end();
        session
            .advance_watched(end, u64::MAX, Some(&mut answers))
            .expect("it runs");
        let state = session.world().queues().iter().next().expect("one").state();
        (state.in_flight, state.available, answers)
    };
    let (in_flight, available, answers) = held(false, 150_000, 0);
    assert_eq!((in_flight, available), (120_000, 30_000));
    assert!(answers.refused > 0 && answers.empty == 0, "short polls are told");
    let (in_flight, _, answers) = held(false, 150_000, 20);
    assert_eq!(in_flight, 120_000);
    assert!(answers.refused == 0 && answers.empty > 0, "long polls come back empty");
    let (in_flight, available, answers) = held(true, 30_000, 0);
    assert_eq!((in_flight, available), (20_000, 10_000));
    assert!(answers.refused == 0 && answers.empty > 0, "no error");
}
