//! The Kinesis Producer Library in whole worlds: whatever its settings, the books balance in both currencies, deadlines
//! are kept, and order suffers no more than documented.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sim::blueprint::{Arrivals, Blueprint, Filter, Keys, Poison, ProducerLibrary};
use sim::command::{Command, Intervention, Operation};
use sim::directory::Component;
use sim::engine::calendar::TieOrder;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{FunctionId, ProducerId, StreamId};
use sim::observe::Observers;
use sim::observe::counts::{Counts, ReaderCounts};
use sim::observe::fact::Fact;
use sim::observe::metrics::{Metric, Statistic};
use sim::observe::ordering::Place;
use sim::observe::verdict::{Anomaly, Cause, Guarantee, Verdict};
use sim::profile::Profile;
use sim::record::Record;
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::pipeline;
use sim::testing::libraries::libraries;
use sim::testing::note::{Note, Notebook};
use sim::testing::strategies::stream_blueprints;
use std::collections::{BTreeMap, BTreeSet};

const CHECKED: SessionOptions = SessionOptions {
    observe: true,
    checks: Checks::EveryEvent,
    tie_order: TieOrder::Insertion,
    memory_limit: u64::MAX,
    checkpoint_interval: None,
    checkpoint_memory: 0,
};

fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
/// Everything that a run states.
fn notes(blueprint: &Blueprint) -> Result<(Session, Vec<Note>), TestCaseError> {
    let mut session = Session::new(blueprint, CHECKED).expect("the blueprint is valid");
    let mut notebook = Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    Ok((session, notebook.notes))
}
type Identity = (u32, u32);
fn identity(record: &Record) -> Identity {
    (record.key.0, record.ordinal)
}
/// `clicks` with the library into one shard, read by a mapping; the rest as in [`pipeline`].
fn world(library: ProducerLibrary, rate: u64, shards: u32, duration: SimDuration) -> Blueprint {
    let mut blueprint = pipeline(shards, duration);
    blueprint.producers[0].library = Some(library);
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(rate));
    blueprint.producers[0].keys = Keys::Uniform { count: 50 };
    blueprint
}
fn defaults() -> ProducerLibrary {
    ProducerLibrary::defaults(Profile::Current)
}
/// How far behind the latest creation of its key a record was created that is stored after it, at most.
fn furthest_behind(notes: &[Note]) -> SimDuration {
    let mut latest: BTreeMap<u32, SimTime> = BTreeMap::new();
    let mut furthest = SimDuration::ZERO;
    let mut seen: BTreeSet<Identity> = BTreeSet::new();
    let stored = |note: &&Note| matches!(note.fact, Fact::RecordsDelivered { .. } | Fact::RecordsProcessed { .. });
    for record in notes.iter().filter(stored).flat_map(|note| &note.records) {
        if !seen.insert(identity(record)) {
            continue;
        }
        let latest = latest.entry(record.key.0).or_insert(record.created_at);
        furthest = furthest.max(latest.since(record.created_at));
        *latest = (*latest).max(record.created_at);
    }
    furthest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// KDS-KPL-25, KDS-KPL-27: whatever fails, a user record travels in one Kinesis record at a time, each is settled once,
    /// and readers, sinks and order count user records without losing any.
    #[test]
    fn user_records_are_conserved_with_any_settings(
        mut blueprint in stream_blueprints(),
        settings in prop::collection::vec(libraries(), 3),
    ) {
        for (producer, library) in blueprint.producers.iter_mut().zip(settings) {
            producer.library = Some(library);
        }
        // A handler that returns in spite of poison loses it.
        for function in &mut blueprint.functions {
            function.poison = Poison::default();
        }
        // What one mapping filters out another one of the same function need not bring.
        let functions: Vec<String> = blueprint.mappings.iter().map(|mapping| mapping.function.clone()).collect();
        for mapping in &mut blueprint.mappings {
            if functions.iter().filter(|name| **name == mapping.function).count() > 1 {
                mapping.filters = None;
            }
        }
        let (session, notes) = notes(&blueprint)?;
        let mut settled: BTreeSet<Identity> = BTreeSet::new();
        let mut in_flight: BTreeMap<Identity, u32> = BTreeMap::new();
        let mut attempts: BTreeMap<Identity, u32> = BTreeMap::new();
        for note in &notes {
            match note.fact {
                Fact::UserRecordsSent { .. } => for record in &note.records {
                    let before = attempts.insert(identity(record), record.attempt()).unwrap_or(0);
                    prop_assert_eq!(record.attempt(), before + 1, "one attempt at a time");
                    *in_flight.entry(identity(record)).or_default() += 1;
                },
                Fact::UserRecordsStored { .. } => {
                    let different: BTreeSet<Identity> = note.records.iter().map(identity).collect();
                    prop_assert_eq!(different.len(), note.records.len(), "twice in one Kinesis record");
                }
                Fact::RecordsAcknowledged { .. } | Fact::RecordsGivenUp { .. } => for record in &note.records {
                    prop_assert!(settled.insert(identity(record)), "settled twice: {:?}", record);
                },
                _ => {}
            }
        }
        let observers = observers(&session);
        let counts = observers.counts.as_ref().expect("all are");
        let (ordering, readers) = (observers.ordering.as_ref().expect("all are"), &counts.readers);
        let lost = |reader: &ReaderCounts| {
            reader.discarded + reader.mapping.dead_lettered + reader.expired_unread + reader.expired_in_retry
        };
        if readers.iter().all(|reader| lost(reader) == 0) {
            for function in session.world().directory().functions.ids() {
                let verdict = ordering.verdict(Guarantee::NoLoss, Place::Processor(function.into()));
                prop_assert!(!matches!(verdict, Verdict::Violated(_)), "{:?}", verdict);
            }
        }
    }

    /// KDS-KPL-31, KDS-KPL-02: where nothing is refused and a connection is free, no user record waits in the library
    /// longer than RecordMaxBufferedTime and what collection adds. KDS-KPL-29: and none is overtaken by one that was
    /// created more than twice RecordMaxBufferedTime later.
    #[test]
    fn kds_kpl_31_user_records_leave_in_time_where_nothing_is_refused(
        settings in libraries(),
        rate in 1_u64..400,
        shards in 1_u32..4,
        buffered in 20_u64..1_500,
    ) {
        let library = ProducerLibrary {
            record_max_buffered_time: SimDuration::from_millis(buffered),
            record_ttl: defaults().record_ttl,
            request_timeout: defaults().request_timeout,
            max_connections: 256,
            rate_limit: 400,
            ..settings
        };
        let mut blueprint = world(library, rate, shards, SimDuration::from_secs(8));
        // Requests may overtake each other, by less than RecordMaxBufferedTime.
        blueprint.model.put_service_time = Distribution::Uniform { low: 1e6, high: 20e6 };
        let (_, notes) = notes(&blueprint)?;
        let longest = library.record_max_buffered_time + library.collection_time();
        for note in &notes {
            if let Fact::UserRecordsSent { .. } = note.fact {
                for record in &note.records {
                    let waited = note.at.since(record.created_at);
                    prop_assert!(waited <= longest, "{} for {:?}", waited, record);
                }
            }
        }
        let bound = SimDuration::from_nanos(2 * library.record_max_buffered_time.as_nanos());
        prop_assert!(furthest_behind(&notes) <= bound);
    }
}

/// One shard gets user records of many keys, aggregated up to five at a time.
fn few_together() -> ProducerLibrary {
    ProducerLibrary {
        aggregation_max_count: 5,
        ..defaults()
    }
}
fn counts(session: &Session) -> &Counts {
    observers(session).counts.as_ref().expect("all are")
}
fn fine(blueprint: &Blueprint) -> (Session, Vec<Note>) {
    notes(blueprint).expect("the books balance")
}

/// The function takes aggregated records apart: all user records of one have its position and arrival, and their place in
/// it, from 0, is what tells them apart.
#[test]
fn kds_seq_14_user_records_of_a_kinesis_record_share_its_position_and_keep_their_order() {
    let (_, notes) = fine(&world(few_together(), 200, 2, SimDuration::from_secs(10)));
    let mut stored: BTreeMap<(u32, u64), Vec<Identity>> = BTreeMap::new();
    for note in &notes {
        if let Fact::UserRecordsStored { shard, position, .. } = note.fact {
            stored.insert((shard.0, position), note.records.iter().map(identity).collect());
        }
    }
    assert!(stored.values().any(|members| members.len() == 5));
    let mut delivered: BTreeMap<(u32, u64), Vec<Identity>> = BTreeMap::new();
    for note in &notes {
        if let Fact::RecordsDelivered { shard, .. } = note.fact {
            assert_eq!(note.positions.len(), note.records.len());
            for (position, record) in note.positions.iter().zip(&note.records) {
                delivered
                    .entry((shard.0, *position))
                    .or_default()
                    .push(identity(record));
            }
        }
    }
    let aggregated = delivered.iter().filter(|(place, _)| stored.contains_key(place));
    assert!(aggregated.clone().count() > 50);
    for (place, members) in aggregated {
        assert_eq!(members, &stored[place]);
    }
}

/// Limits, CloudWatch and bills count Kinesis records; the producer, the function's work, its sink and the guarantees count
/// user records.
#[test]
fn both_currencies_are_counted_where_they_belong() {
    let mut blueprint = world(defaults(), 400, 1, SimDuration::from_secs(20));
    blueprint.functions[0].per_record = SimDuration::from_millis(1);
    blueprint.functions[0].timeout = SimDuration::from_secs(60);
    let (session, _) = fine(&blueprint);
    let counts = counts(&session);
    let (producer, stream) = (&counts.producers[ProducerId(0)], &counts.streams[StreamId(0)]);
    assert!(producer.library.user_records > 30 * producer.library.kinesis_records);
    assert_eq!(stream.accepted(), stream.aggregated, "each holds some forty");
    assert_eq!(stream.user_records(), producer.library.user_records);
    let usage = observers(&session).usage.as_ref().expect("all are");
    assert_eq!(
        usage.streams[StreamId(0)].put_payload_units,
        stream.accepted(),
        "4 KB each"
    );
    let metrics = observers(&session).metrics.as_ref().expect("all are");
    let sum = |metric, of| {
        let value = metrics.value(metric, of, Statistic::Sum, SimTime::ZERO, session.end());
        value.expect("it has values").numerator
    };
    assert_eq!(
        sum(Metric::IncomingRecords, Component::Stream(StreamId(0))),
        u128::from(stream.accepted())
    );
    let function = &counts.functions[FunctionId(0)];
    assert!(function.records <= stream.accepted(), "its event holds Kinesis records");
    let delivered = counts.sinks[sim::ids::SinkId(0)].delivered;
    let handled = function.duration_nanos / 1_000_000;
    assert!(
        handled >= u128::from(delivered),
        "a millisecond for each user record: {handled} ms for {delivered}"
    );
    assert!(delivered > 30 * function.records, "{delivered} in {}", function.records);
}

/// KDS-KPL-10: the request times out after it was stored, and all its user records are stored again in others.
#[test]
fn kds_kpl_10_a_timed_out_request_may_have_succeeded_and_is_then_a_duplicate() {
    let duplicates = |timeout: u64| {
        let library = ProducerLibrary {
            request_timeout: SimDuration::from_millis(timeout),
            record_ttl: SimDuration::from_millis(1_000),
            ..defaults()
        };
        let (session, _) = fine(&world(library, 100, 1, SimDuration::from_secs(10)));
        let ordering = observers(&session).ordering.as_ref().expect("all are");
        let place = Place::Processor(FunctionId(0).into());
        (
            ordering.counts(place).of(Anomaly::Duplicate),
            ordering.stored_again(),
            ordering.witness(place, Anomaly::Duplicate),
        )
    };
    assert_eq!(
        (duplicates(6_000).0, duplicates(6_000).1),
        (0, 0),
        "the default is beyond any answer"
    );
    // An answer takes 12 ms.
    let (delivered_again, stored_again, witness) = duplicates(11);
    assert!(
        stored_again > 500 && delivered_again > 500,
        "{stored_again} {delivered_again}"
    );
    let cause = witness.expect("there is a case").to_string();
    assert!(
        cause.contains("The Kinesis Producer Library had sent it again"),
        "{cause}"
    );
}

/// Two causes, and nothing else: where neither producer nor consumer retries, there is no duplicate.
#[test]
fn kds_dup_01_duplicates_come_from_producer_retries_and_from_consumer_retries() {
    let duplicates = |change: fn(&mut Blueprint)| {
        let mut blueprint = pipeline(1, SimDuration::from_secs(60));
        change(&mut blueprint);
        let (session, _) = fine(&blueprint);
        let ordering = observers(&session).ordering.as_ref().expect("all are");
        let place = Place::Processor(FunctionId(0).into());
        let cause = ordering
            .witness(place, Anomaly::Duplicate)
            .and_then(|witness| witness.cause);
        (ordering.counts(place).of(Anomaly::Duplicate), cause)
    };
    assert_eq!(duplicates(|_| {}).0, 0);
    let (producer, cause) = duplicates(|blueprint| blueprint.model.lost_acknowledgement_rate = Ratio::new(1, 10));
    assert!(
        producer > 0 && matches!(cause, Some(Cause::SentAgain { .. })),
        "{cause:?}"
    );
    let (consumer, cause) = duplicates(|blueprint| {
        blueprint.functions[0].failure_rate = Ratio::new(1, 10);
        blueprint.functions[0].fails_after_write = true;
    });
    assert!(
        consumer > 0 && matches!(cause, Some(Cause::DispatchedAgain { .. })),
        "{cause:?}"
    );
}

/// An aggregated record goes to the lane of its first user record's hash key; the user records of a key travel behind
/// different ones. With one lane they stay in order.
#[test]
fn lam_k_21_aggregated_records_lose_the_order_of_their_keys_with_parallel_lanes() {
    for (lanes, kept) in [(1, true), (6, false)] {
        let mut blueprint = world(few_together(), 800, 1, SimDuration::from_secs(30));
        blueprint.mappings[0].parallelization_factor = lanes;
        blueprint.mappings[0].batch_size = 3;
        blueprint.functions[0].per_batch = Distribution::Uniform { low: 1e6, high: 60e6 };
        let (session, _) = fine(&blueprint);
        let ordering = observers(&session).ordering.as_ref().expect("all are");
        let verdict = ordering.verdict(Guarantee::OrderPerKey, Place::Processor(FunctionId(0).into()));
        assert_eq!(verdict == Verdict::Holds, kept, "{lanes} lanes: {verdict:?}");
    }
}

/// The library's own metrics, in their namespace.
#[test]
fn kds_met_16_the_library_publishes_what_it_put_how_long_it_buffered_and_how_often_it_tried() {
    assert_eq!(
        Metric::BufferingTime.row().namespace.to_string(),
        "KinesisProducerLibrary"
    );
    let value = |blueprint: &Blueprint, metric, statistic| {
        let (session, _) = fine(blueprint);
        let metrics = observers(&session).metrics.as_ref().expect("all are");
        let found = metrics.value(
            metric,
            Component::Producer(ProducerId(0)),
            statistic,
            SimTime::ZERO,
            session.end(),
        );
        let counts = counts(&session).producers[ProducerId(0)].clone();
        (found.map(|value| value.numerator.div_ceil(value.denominator)), counts)
    };
    let light = world(defaults(), 100, 1, SimDuration::from_secs(30));
    let (put, producer) = value(&light, Metric::UserRecordsPut, Statistic::Sum);
    assert_eq!(put, Some(u128::from(producer.acknowledged)));
    let (put, producer) = value(&light, Metric::KinesisRecordsPut, Statistic::Sum);
    assert_eq!(put, Some(u128::from(producer.library.kinesis_records_put)));
    let (errors, producer) = value(&light, Metric::ErrorsByCode, Statistic::Sum);
    assert!(errors.unwrap_or(0) == 0 && producer.library.errors == 0);
    assert_eq!(value(&light, Metric::RetriesPerRecord, Statistic::Maximum).0, Some(0));
    let waited = value(&light, Metric::BufferingTime, Statistic::Average)
        .0
        .expect("there are values");
    assert!((60..90).contains(&waited), "{waited} ms of up to 120");
    let mut failing = light;
    failing.model.entry_failure_rate = Ratio::new(1, 4);
    let (errors, producer) = value(&failing, Metric::ErrorsByCode, Statistic::Sum);
    assert_eq!(errors, Some(u128::from(producer.library.errors)));
    assert!(producer.library.errors > 50);
    assert!(value(&failing, Metric::RetriesPerRecord, Statistic::Maximum).0 >= Some(2));
    assert!(producer.library.retries > 0);
}

/// What a reader has passed is forgotten, so memory follows the backlog and not the length of the run.
#[test]
fn user_records_are_forgotten_as_their_readers_pass() {
    let memory = |seconds| {
        let blueprint = world(defaults(), 2_000, 1, SimDuration::from_secs(seconds));
        fine(&blueprint).0.world().memory()
    };
    let (short, long) = (memory(20), memory(120));
    assert!(long < short * 2, "{long} after 120 s, {short} after 20 s");
}

/// A shard is split in the middle of a run. What the library aggregated by its old map lands in one of the children, which
/// the library has never heard of: it sends all of it again although it is stored, and refreshes its map (KDS-KPL-30).
/// Without the split nothing of the kind happens.
#[test]
fn kds_kpl_28_a_split_behind_the_library_s_back_makes_duplicates_for_a_moment() {
    let run = |split: bool| {
        let mut blueprint = world(defaults(), 500, 1, SimDuration::from_secs(120));
        if split {
            blueprint.interventions.push(Intervention {
                at: SimTime::from_secs(10),
                command: Command::ChangeStream {
                    stream: "records".to_owned(),
                    operation: Operation::SplitShard { shard: None, at: None },
                },
            });
        }
        fine(&blueprint)
    };
    let place = Place::Processor(FunctionId(0).into());
    let (quiet, _) = run(false);
    assert_eq!(counts(&quiet).producers[ProducerId(0)].library.misplaced, 0);
    let (session, notes) = run(true);
    let library = counts(&session).producers[ProducerId(0)].library;
    assert!(
        (1..10).contains(&library.misplaced),
        "{} Kinesis records in all",
        library.misplaced
    );
    let ordering = observers(&session).ordering.as_ref().expect("all are");
    assert!(
        ordering.stored_again() >= 30,
        "{} user records",
        ordering.stored_again()
    );
    assert_eq!(ordering.counts(place).of(Anomaly::Duplicate), ordering.stored_again());
    assert_eq!(ordering.counts(place).of(Anomaly::Lost), 0);
    let last = |wanted: fn(&Fact<'_>) -> bool| notes.iter().rfind(|note| wanted(&note.fact)).expect("there is one").at;
    let misplaced = last(|fact| matches!(fact, Fact::RequestAnswered { misplaced: 1.., .. }));
    assert!(last(|fact| matches!(fact, Fact::RequestAnswered { .. })) > misplaced + SimDuration::from_secs(60));
    let shards: BTreeSet<u32> = notes
        .iter()
        .filter_map(|note| match note.fact {
            Fact::UserRecordsStored { shard, .. } if note.at > misplaced + SimDuration::SECOND => Some(shard.0),
            _ => None,
        })
        .collect();
    assert_eq!(
        shards,
        BTreeSet::from([1, 2]),
        "aggregated for each child by the new map"
    );
}

/// A mapping on a registered consumer, or one that polls, reads what the library writes.
fn read_by(pushed: bool, library: ProducerLibrary, shards: u32) -> Blueprint {
    let mut blueprint = world(library, 500, shards, SimDuration::from_secs(60));
    blueprint.mappings[0].consumer = pushed.then(|| "reader".to_owned());
    blueprint
}

/// A split puts user records into a shard that is not theirs. Pushed to, a mapping drops them there, and no destination
/// hears of it; the library has sent them again to where they belong, so that a polled one has them twice.
#[test]
fn lam_k_22_lambda_drops_user_records_outside_of_the_range_of_their_shard_where_it_takes_records_apart() {
    let run = |pushed: bool| {
        let mut blueprint = read_by(pushed, defaults(), 1);
        blueprint.duration = SimDuration::from_secs(180);
        blueprint.interventions.push(Intervention {
            at: SimTime::from_secs(10),
            command: Command::ChangeStream {
                stream: "records".to_owned(),
                operation: Operation::SplitShard { shard: None, at: None },
            },
        });
        let (session, _) = fine(&blueprint);
        let counts = &counts(&session).readers[sim::ids::ReaderId(0)];
        let ordering = observers(&session).ordering.as_ref().expect("all are");
        let place = Place::Processor(FunctionId(0).into());
        assert!(!matches!(
            ordering.verdict(Guarantee::NoLoss, place),
            Verdict::Violated(_)
        ));
        assert_eq!(
            (counts.discarded, counts.mapping.dead_lettered),
            (0, 0),
            "nobody is told"
        );
        (
            counts.mapping.user_records_dropped,
            ordering.counts(place).of(Anomaly::Duplicate),
            ordering.stored_again(),
        )
    };
    let (dropped, twice, stored_again) = run(true);
    assert!(dropped > 0);
    assert_eq!(
        dropped + twice,
        stored_again,
        "one of the two copies is dropped, or none"
    );
    let (dropped, twice, stored_again) = run(false);
    assert_eq!((dropped, twice), (0, stored_again));
}

/// LAM-K-29: polled, an aggregated record is no data that a filter could match. The key of the filter is one of fifty.
#[test]
fn lam_k_32_only_pushed_aggregated_records_are_filtered_inside() {
    let wanted = "clicks-000007";
    let run = |pushed: bool| {
        let mut blueprint = read_by(pushed, few_together(), 1);
        blueprint.mappings[0].filters = Some(vec![Filter {
            equals: vec![wanted.to_owned()],
            ..Filter::default()
        }]);
        let (session, notes) = fine(&blueprint);
        let keys = &session.world().keys();
        let delivered = notes
            .iter()
            .filter(|note| matches!(note.fact, Fact::RecordsDelivered { .. }));
        let delivered: Vec<&Record> = delivered.flat_map(|note| &note.records).collect();
        assert!(delivered.iter().all(|record| keys.text(record.key) == wanted));
        let ordering = observers(&session).ordering.as_ref().expect("all are");
        let verdict = ordering.verdict(Guarantee::NoLoss, Place::Processor(FunctionId(0).into()));
        assert!(!matches!(verdict, Verdict::Violated(_)), "{verdict:?}");
        let counts = &counts(&session).readers[sim::ids::ReaderId(0)];
        (delivered.len(), counts.mapping.user_records_filtered_out)
    };
    let (delivered, filtered_out) = run(true);
    // 500 a second for a minute, over 50 keys.
    assert!((500..700).contains(&delivered), "{delivered}");
    assert!(
        filtered_out > 1_000,
        "{filtered_out} in records that had one that was wanted"
    );
    let (delivered, filtered_out) = run(false);
    assert!(delivered < 100, "{delivered} that stood alone");
    assert_eq!(filtered_out, 0);
}
