//! The parts of every record against a slow observer that follows each record by itself.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for the facts that it is about"
)]

use super::*;
use crate::blueprint::{Arrivals, Blueprint, Jitter, PutApi, Resend};
use crate::command::{Command, Intervention};
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::SimDuration;
use crate::observe::Probe;
use crate::observe::fact::Caller;
use crate::record::Outcome;
use crate::session::{Checks, Session, SessionOptions};
use crate::testing::blueprints::{NETWORK, SERVICE, millis, pipeline};
use crate::testing::strategies::{blueprints, outages};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A copy of a record in a stream: a record that was stored twice is two.
type Copy = (u32, u32, SimTime);

fn copy(record: &Record) -> Copy {
    (record.key.0, record.ordinal, record.arrived_at)
}

/// What one reader did with one copy.
#[derive(Clone, Default)]
struct Story {
    served_at: SimTime,
    gathered_at: SimTime,
    /// When it was dispatched, and how long it had waited by then for concurrency and for redelivery.
    dispatches: Vec<(SimTime, u64, u64)>,
    starts: Vec<(SimTime, SimDuration)>,
}

/// The next dispatch: the time since the last one was spent waiting for concurrency, or for redelivery.
fn waited(
    (last, throttled, failed): (SimTime, u64, u64),
    now: SimTime,
    outcome: Option<InvocationOutcome>,
) -> (SimTime, u64, u64) {
    let span = (now - last).as_nanos();
    if outcome == Some(InvocationOutcome::Throttled) {
        (now, throttled + span, failed)
    } else {
        (now, throttled, failed + span)
    }
}

/// Follows each record through every fact that names it, and compares.
struct Follower {
    observed: Causes,
    sends: BTreeMap<(u32, u32), Vec<SimTime>>,
    /// The same for user records of the Kinesis Producer Library.
    user_sends: BTreeMap<(u32, u32), Vec<SimTime>>,
    /// Of a user record in an aggregated record: where that lies. And what was read from there.
    carriers: BTreeMap<Copy, (ShardIndex, u64)>,
    read: BTreeMap<(ShardIndex, u64), Copy>,
    /// First and last send of what was stored.
    stored: BTreeMap<Copy, (SimTime, SimTime)>,
    /// Records of a page that is on its way, by mapping, shard and position.
    pages: BTreeMap<(ReaderId, ShardIndex, u64), Vec<Record>>,
    /// How the last attempt of a lane failed, if it did.
    failed: BTreeMap<(ReaderId, ShardIndex, u16), InvocationOutcome>,
    /// The last dispatch of each lane, as in [`Story::dispatches`].
    lanes: BTreeMap<(ReaderId, ShardIndex, u16), (SimTime, u64, u64)>,
    stories: BTreeMap<(ReaderId, Copy), Story>,
    effects: u64,
    totals: [u128; CAUSES],
}

impl Follower {
    fn new(session: &Session) -> Self {
        let world = session.world();
        Self {
            observed: Causes::new(world.directory.clone(), world.keys.clone(), true),
            sends: BTreeMap::new(),
            user_sends: BTreeMap::new(),
            carriers: BTreeMap::new(),
            read: BTreeMap::new(),
            stored: BTreeMap::new(),
            pages: BTreeMap::new(),
            failed: BTreeMap::new(),
            lanes: BTreeMap::new(),
            stories: BTreeMap::new(),
            effects: 0,
            totals: [0; CAUSES],
        }
    }

    fn story(&mut self, reader: ReaderId, record: &Record) -> &mut Story {
        self.stories.entry((reader, copy(record))).or_default()
    }

    fn dispatched(&mut self, now: SimTime, reader: ReaderId, records: &[Record]) {
        for record in records {
            let dispatches = &mut self.story(reader, record).dispatches;
            let next = dispatches.last().map_or((now, 0, 0), |last| waited(*last, now, None));
            dispatches.push(next);
        }
    }

    fn expected(&self, now: SimTime, effect: &Effect<'_>, received_at: SimTime, record: &Record) -> Parts {
        let carrier = self.carriers.get(&copy(record)).map(|place| self.read[place]);
        let story = &self.stories[&(effect.reader, carrier.unwrap_or(copy(record)))];
        let (first_sent, sent) = self.stored[&copy(record)];
        let passage = effect.passage;
        let found = |at: &&(SimTime, u64, u64)| at.0 == passage.dispatched_at;
        let (dispatched_at, throttled, failed) = *story.dispatches.iter().find(found).expect("it was dispatched then");
        let first_dispatched_at = story.dispatches.first().expect("it was dispatched").0;
        let started = |start: &&(SimTime, SimDuration)| start.0 == passage.started_at;
        let (started_at, cold_start) = *story.starts.iter().find(started).expect("it was started then");
        let mut parts = Parts::default();
        for (cause, span) in [
            (Cause::Gathering, first_sent - record.created_at),
            (Cause::PutRetries, sent - first_sent),
            (Cause::Put, record.arrived_at - sent),
            (Cause::WaitingForPoll, story.served_at - record.arrived_at),
            (
                Cause::Transfer,
                (story.gathered_at - story.served_at) + (started_at - dispatched_at),
            ),
            (Cause::WaitingForBatch, first_dispatched_at - story.gathered_at),
            (Cause::WaitingForConcurrency, SimDuration::from_nanos(throttled)),
            (Cause::Redelivery, SimDuration::from_nanos(failed)),
            (Cause::ColdStart, cold_start),
            (Cause::Handler, received_at - (started_at + cold_start)),
            (Cause::Sink, now - received_at),
        ] {
            parts.set(cause, span);
        }
        parts
    }

    fn effect(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Some(effect) = Effect::of(now, fact) else { return };
        let received_at = match *fact {
            Fact::RecordsDelivered { received_at, .. } => received_at,
            _ => now,
        };
        let mut found = Vec::new();
        self.observed
            .explain(now, fact, |record, parts| found.push((*record, parts)));
        assert_eq!(found.len(), effect.records.len());
        for (record, parts) in found {
            let expected = self.expected(now, &effect, received_at, &record);
            assert_eq!(parts, Some(expected), "{record:?} at {now}");
            assert_eq!(expected.sum(), u128::from((now - record.created_at).as_nanos()));
            self.effects += 1;
            for cause in Cause::ALL {
                self.totals[cause.index()] += u128::from(expected.of(cause).as_nanos());
            }
        }
    }

    /// The histograms tell the same.
    fn compare(&self) {
        assert_eq!(self.observed.unexplained(), None);
        let mut all = PlaceCauses::new();
        for place in &self.observed.places {
            all.merge(place);
        }
        for cause in Cause::ALL {
            assert_eq!(all.of(cause).count(), self.effects, "{cause:?}");
            assert_eq!(all.of(cause).sum(), self.totals[cause.index()], "{cause:?}");
        }
        assert_eq!(all.records(), self.effects);
        assert_eq!(all.total(), self.totals.iter().sum::<u128>());
    }
}

impl Probe for Follower {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RequestSent { records, .. } => {
                for record in records {
                    // In a cohort the send time stands in the record.
                    let at = if record.attempt() > 0 { record.arrived_at } else { now };
                    self.sends.entry((record.key.0, record.ordinal)).or_default().push(at);
                }
            }
            Fact::UserRecordsSent { records, .. } => {
                for record in records {
                    let sends = self.user_sends.entry((record.key.0, record.ordinal));
                    sends.or_default().push(now);
                }
            }
            Fact::UserRecordsStored {
                shard,
                position,
                records,
                ..
            } => {
                for record in records {
                    let sends = &self.user_sends[&(record.key.0, record.ordinal)];
                    self.stored.insert(copy(record), (sends[0], sends[sends.len() - 1]));
                    if records.len() > 1 {
                        self.carriers.insert(copy(record), (shard, position));
                    }
                }
            }
            Fact::PutHandled { records, .. } => {
                for record in records.iter().filter(|record| record.outcome() == Outcome::Accepted) {
                    let sends = &self.sends[&(record.key.0, record.ordinal)];
                    let (first, last) = (sends[0], sends[sends.len() - 1]);
                    self.stored.insert(copy(record), (first, last));
                }
            }
            Fact::GetRecordsHandled {
                reader,
                shard,
                first_position,
                records,
                again: false,
                ..
            }
            | Fact::SubscriptionEventPushed {
                reader,
                shard,
                first_position,
                records,
                ..
            } => {
                for (position, record) in (first_position..).zip(records) {
                    self.story(reader, record).served_at = now;
                    self.read.insert((shard, position), copy(record));
                }
                self.pages.insert((reader, shard, first_position), records.to_vec());
            }
            Fact::RecordsGathered {
                reader,
                shard,
                first_position,
                ..
            } => {
                let page = self
                    .pages
                    .remove(&(reader, shard, first_position))
                    .expect("it was read");
                for record in &page {
                    self.story(reader, record).gathered_at = now;
                }
            }
            Fact::BatchFailed {
                reader,
                shard,
                lane,
                outcome,
                ..
            } => {
                self.failed.insert((reader, shard, lane), outcome);
            }
            Fact::BatchDispatched {
                reader,
                shard,
                lane,
                records,
                attempts_before,
                ..
            } => {
                let lane = (reader, shard, lane);
                let failed = self.failed.remove(&lane);
                if attempts_before == 0 {
                    self.lanes.insert(lane, (now, 0, 0));
                    self.dispatched(now, reader, records);
                } else {
                    // What one piece of a batch waits for the others wait for, too.
                    let next = waited(self.lanes[&lane], now, failed);
                    self.lanes.insert(lane, next);
                    for record in records {
                        self.story(reader, record).dispatches.push(next);
                    }
                }
            }
            Fact::InvocationStarted {
                caller: Caller::Reader(reader),
                records,
                cold_start,
                ..
            } => {
                for record in records {
                    let start = (now, cold_start.unwrap_or_default());
                    // Lambda has taken it out of an aggregated record already, where records are pushed.
                    let carrier = self.carriers.get(&copy(record)).map(|place| self.read[place]);
                    let story = self.stories.entry((reader, carrier.unwrap_or(copy(record))));
                    story.or_default().starts.push(start);
                }
            }
            Fact::RecordsProcessed { .. } | Fact::RecordsDelivered { .. } => self.effect(now, fact),
            _ => {}
        }
        self.observed.on(now, fact);
    }
}

/// Runs to the end, comparing every record.
fn follow(blueprint: &Blueprint) -> Follower {
    let options = SessionOptions {
        checks: Checks::Every(SimDuration::SECOND),
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("it is valid");
    let mut follower = Follower::new(&session);
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut follower))
        .expect("the books balance");
    follower.compare();
    follower
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Refused entries, lost acknowledgements, throttles, cold starts, failures, timeouts, several lanes, outages.
    #[test]
    fn the_parts_of_every_record_are_what_happened_to_it_and_sum_to_its_time(blueprint in blueprints()) {
        follow(&blueprint);
    }
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn the_parts_of_every_record_sum_to_its_time_through_outages(blueprint in outages()) {
        follow(&blueprint);
    }
}

fn mean(follower: &Follower, cause: Cause) -> SimDuration {
    let place = follower.observed.of(ProcessorId(0)).expect("there is one");
    place.of(cause).mean().expect("records took effect")
}
fn worst(follower: &Follower, cause: Cause) -> SimDuration {
    let place = follower.observed.of(ProcessorId(0)).expect("there is one");
    place.of(cause).max().expect("records took effect")
}
const fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

#[test]
fn where_nothing_is_scarce_the_causes_are_the_constants_of_the_scenario() {
    let quiet = follow(&pipeline(1, SimDuration::from_secs(60)));
    // 100 records a second gather for 100 ms from the first of them on: eleven in a request.
    assert_eq!(worst(&quiet, Cause::Gathering), ms(100));
    assert_eq!(mean(&quiet, Cause::Gathering), ms(50));
    assert_eq!(worst(&quiet, Cause::PutRetries), SimDuration::ZERO);
    assert_eq!(mean(&quiet, Cause::Put), NETWORK + SERVICE);
    assert!(worst(&quiet, Cause::WaitingForPoll) <= SimDuration::SECOND + SERVICE);
    // The page's way, the dispatch delay, and the invocation's way.
    assert_eq!(mean(&quiet, Cause::Transfer), NETWORK + ms(85) + NETWORK);
    assert_eq!(worst(&quiet, Cause::WaitingForConcurrency), SimDuration::ZERO);
    assert_eq!(worst(&quiet, Cause::Redelivery), SimDuration::ZERO);
    assert_eq!(worst(&quiet, Cause::ColdStart), ms(500));
    assert_eq!(mean(&quiet, Cause::Handler), ms(20) + NETWORK);
    assert_eq!(mean(&quiet, Cause::Sink), ms(5));
}

#[test]
fn a_trouble_shows_up_under_its_own_cause() {
    let quiet = pipeline(1, SimDuration::from_secs(60));
    let (mut hot, mut throttled, mut failing, mut slow) = (quiet.clone(), quiet.clone(), quiet.clone(), quiet);
    hot.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1_100));
    hot.producers[0].resend_failed = Some(Resend {
        attempts: 50,
        backoff: ms(200),
        factor: 1,
        max_backoff: ms(200),
        jitter: Jitter::None,
    });
    let change = |at, command| Intervention {
        at: millis(at),
        command,
    };
    let limit = |limit| Command::SetReservedConcurrency {
        function: "enrich".to_owned(),
        limit,
    };
    throttled.interventions = vec![change(10_000, limit(Some(0))), change(20_000, limit(None))];
    failing.functions[0].failure_rate = Ratio::new(1, 2);
    slow.sinks[0].capacity = Some(Rate::per_second(90));
    let worst_of = |blueprint: &Blueprint, cause| worst(&follow(blueprint), cause);
    assert!(worst_of(&hot, Cause::PutRetries) >= ms(200));
    assert!(worst_of(&throttled, Cause::WaitingForConcurrency) >= SimDuration::from_secs(9));
    assert_eq!(worst_of(&throttled, Cause::Redelivery), SimDuration::ZERO);
    assert!(worst_of(&failing, Cause::Redelivery) >= SimDuration::SECOND);
    assert_eq!(worst_of(&failing, Cause::WaitingForConcurrency), SimDuration::ZERO);
    assert!(worst_of(&slow, Cause::Sink) >= SimDuration::SECOND);
}

/// KDS-DUP-02: the copy that a lost acknowledgement makes has been on its way since the first attempt.
#[test]
fn kds_dup_02_a_copy_counts_from_the_first_attempt() {
    for (api, threshold) in [
        (PutApi::PutRecords, 10_000),
        (PutApi::PutRecord, 10_000),
        (PutApi::PutRecord, 0),
    ] {
        let mut blueprint = pipeline(2, SimDuration::from_secs(60));
        blueprint.model.lost_acknowledgement_rate = Ratio::new(1, 20);
        blueprint.producers[0].api = api;
        blueprint.producers[0].call_window_threshold = Rate::per_second(threshold);
        let timeout = blueprint.model.request_timeout;
        let lost = follow(&blueprint);
        assert!(worst(&lost, Cause::PutRetries) >= timeout, "{api:?}");
        assert_eq!(worst(&lost, Cause::Put), NETWORK + SERVICE, "{api:?}");
        assert!(lost.observed.first_sends.len() <= 50, "what is settled is forgotten");
    }
}

#[test]
fn what_readers_have_passed_is_forgotten() {
    for lanes in [1, 4] {
        let mut blueprint = pipeline(2, SimDuration::from_secs(120));
        blueprint.mappings[0].parallelization_factor = lanes;
        let causes = follow(&blueprint).observed;
        let sends = causes.sends[StreamId(0)].as_ref().expect("there is a reader");
        for (shard, reading) in causes.readings[ReaderId(0)].iter().enumerate() {
            assert!(reading.pages.len() <= 3, "{} pages", reading.pages.len());
            let runs = sends.shard(shard).map_or(0, |sends| sends.runs.len());
            assert!(runs <= 40, "{runs} requests");
        }
    }
}
