//! Facts that only show in a whole pipeline, cohorts against single calls, and sessions.
#![expect(clippy::as_conversions, reason = "the numbers of a test are small")]

use proptest::prelude::*;
use sim::blueprint::{Arrivals, Blueprint, Jitter, Keys, ModelParameters, PutApi, Resend, RetryMode, WeightedKey};
use sim::command::{Command, Intervention};
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{FunctionId, MappingId, ProducerId, SinkId, StreamId};
use sim::observe::Observers;
use sim::observe::counts::{Counts, ReaderCounts};
use sim::observe::fact::Fact;
use sim::observe::ordering::{Ordering, Place};
use sim::observe::verdict::{Anomaly, Guarantee, Verdict};
use sim::record::Outcome;
use sim::session::{Checks, RunError, Session, SessionOptions};
use sim::testing::blueprints::{constant, mapping, millis, pipeline};
use sim::testing::note::{Note, Notebook};

const RECORDS: StreamId = StreamId(0);
const READER: MappingId = MappingId(0);
const ORDERS: Place = Place::Sink(SinkId(0));

fn session(blueprint: &Blueprint) -> Session {
    Session::new(blueprint, SessionOptions::default()).expect("the blueprint is valid")
}
fn run(blueprint: &Blueprint) -> Session {
    let mut session = session(blueprint);
    session.seek(session.end()).expect("the ledgers balance");
    session
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
fn counts(session: &Session) -> &Counts {
    observers(session).counts.as_ref().expect("all observers are there")
}
fn ordering(session: &Session) -> &Ordering {
    observers(session).ordering.as_ref().expect("all observers are there")
}
/// Everything that a run states.
fn notes(blueprint: &Blueprint) -> Vec<Note> {
    let mut session = session(blueprint);
    let mut notebook = Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .expect("the ledgers balance");
    notebook.notes
}

fn with_readers(count: u32, duration: SimDuration) -> Blueprint {
    let mut blueprint = pipeline(1, duration);
    let names = (0..count).map(|number| format!("reader-{number}"));
    blueprint.mappings = names.map(|name| mapping(&name, "records", "enrich")).collect();
    blueprint
}

/// LAM-K-03: they share the shard's five calls a second.
#[test]
fn lam_k_33_lam_k_03_each_mapping_polls_every_shard_and_a_sixth_is_refused_now_and_then() {
    for readers in [1, 5, 6] {
        let session = run(&with_readers(readers, SimDuration::from_secs(100)));
        let all: Vec<&ReaderCounts> = counts(&session).readers.iter().collect();
        let asked = |counts: &ReaderCounts| counts.reads + counts.throttled_by_calls + counts.throttled_by_bytes;
        assert!(
            all.iter().all(|counts| (99..=101).contains(&asked(counts))),
            "once a second each"
        );
        let refused: u64 = all.iter().map(|counts| counts.throttled_by_calls).sum();
        if readers == 6 {
            assert!((90..=101).contains(&refused), "{refused}: one call of six each second");
        } else {
            assert_eq!(refused, 0, "{readers} readers");
        }
        let produced = counts(&session).producers[ProducerId(0)].produced;
        // Each is a consumer of its own. A reader that is always the sixth call sees nothing.
        let behind = all.iter().filter(|counts| counts.acknowledged + 300 < produced).count();
        assert!(behind <= usize::from(readers == 6), "{behind} of {readers} are behind");
    }
}

/// From creation to the page, by record, in milliseconds.
fn mean_propagation_delay(blueprint: &Blueprint) -> u64 {
    let (mut sum, mut count) = (0, 0);
    for note in notes(blueprint) {
        if let Fact::GetRecordsHandled { .. } = note.fact {
            sum += note
                .records
                .iter()
                .map(|record| note.at.since(record.created_at).as_millis())
                .sum::<u64>();
            count += note.records.len() as u64;
        }
    }
    sum / count
}

/// The bands are those of KDS-MOD-09.
#[test]
fn kds_mod_09_propagation_takes_a_fifth_of_a_second_for_one_reader_and_a_second_for_five() {
    for (readers, poll_millis, band) in [(1, 200, 120..220), (5, 1_000, 500..1_050)] {
        let mut blueprint = with_readers(readers, SimDuration::from_secs(200));
        blueprint.model = ModelParameters {
            poll_interval: SimDuration::from_millis(poll_millis),
            ..ModelParameters::default()
        };
        blueprint.producers[0].api = PutApi::PutRecord;
        blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(50));
        let mean = mean_propagation_delay(&blueprint);
        assert!(band.contains(&mean), "{readers}: {mean} ms");
    }
}

/// One hot key above the limit of its shard.
fn overloaded(resend: bool) -> Blueprint {
    let mut blueprint = pipeline(1, SimDuration::from_secs(30));
    let clicks = &mut blueprint.producers[0];
    clicks.arrivals = Arrivals::Profile {
        points: vec![
            (SimDuration::ZERO, Rate::per_second(500)),
            (SimDuration::from_secs(2), Rate::per_second(3_000)),
            (SimDuration::from_secs(5), Rate::per_second(100)),
        ],
        period: None,
    };
    clicks.keys = Keys::Weighted(vec![WeightedKey {
        text: "hot".to_owned(),
        weight: 1.0,
        explicit_hash_key: None,
    }]);
    clicks.resend_failed = resend.then_some(Resend {
        attempts: 20,
        backoff: SimDuration::from_millis(100),
        factor: 2,
        max_backoff: SimDuration::from_secs(2),
        jitter: Jitter::None,
    });
    blueprint
}

/// KDS-W-14: without it, refused entries are lost to the application.
#[test]
fn kds_w_15_kds_w_14_sending_refused_entries_again_saves_them_and_breaks_the_order_of_their_key() {
    let plain = run(&overloaded(false));
    let resent = run(&overloaded(true));
    for session in [&plain, &resent] {
        assert!(counts(session).streams[RECORDS].throttled() > 1_000);
    }
    assert!(counts(&plain).producers[ProducerId(0)].given_up() > 1_000);
    assert_eq!(ordering(&plain).verdict(Guarantee::OrderPerKey, ORDERS), Verdict::Holds);
    assert_eq!(counts(&resent).producers[ProducerId(0)].given_up(), 0);
    let order = ordering(&resent).verdict(Guarantee::OrderPerKey, ORDERS);
    assert!(matches!(order, Verdict::Violated(_)), "{order:?}");
    assert_eq!(
        ordering(&resent).verdict(Guarantee::NoDuplicates, ORDERS),
        Verdict::Holds
    );
}

/// KDS-SDK-17, KDS-DUP-06: the SDK puts again what is stored, and nothing removes it.
#[test]
fn kds_dup_02_a_lost_acknowledgement_makes_duplicates() {
    for (api, threshold) in [
        (PutApi::PutRecords, 10_000),
        (PutApi::PutRecord, 10_000),
        (PutApi::PutRecord, 0),
    ] {
        let mut blueprint = pipeline(2, SimDuration::from_secs(60));
        blueprint.model.lost_acknowledgement_rate = Ratio::new(1, 20);
        blueprint.producers[0].api = api;
        blueprint.producers[0].call_window_threshold = Rate::per_second(threshold);
        let session = run(&blueprint);
        let again = ordering(&session).stored_again();
        let produced = counts(&session).producers[ProducerId(0)].produced;
        assert!(
            (produced / 40..produced / 10).contains(&again),
            "{api:?}: {again} of {produced}"
        );
        let duplicates = ordering(&session).counts(ORDERS).of(Anomaly::Duplicate);
        assert!(duplicates > 0 && duplicates <= again);
    }
}

/// LAM-X-02: a handler that throws after its write repeats the effect of the whole batch.
#[test]
fn lam_e_02_an_effect_happens_again_when_the_function_fails_after_its_write() {
    let mut blueprint = pipeline(1, SimDuration::from_secs(60));
    blueprint.functions[0].failure_rate = Ratio::new(1, 4);
    blueprint.functions[0].fails_after_write = true;
    let session = run(&blueprint);
    let counted = ordering(&session).counts(ORDERS);
    assert!(counted.of(Anomaly::Duplicate) > 100);
    assert_eq!(counted.of(Anomaly::Lost), 0);
    assert_eq!(
        ordering(&session).verdict(Guarantee::OrderPerKey, ORDERS),
        Verdict::Holds
    );
}

/// LAM-K-07: one for each shard and lane.
#[test]
fn lam_k_07_a_mapping_runs_shards_times_lanes_invocations_at_most() {
    for (shards, lanes) in [(1, 1), (3, 1), (2, 4)] {
        let mut blueprint = pipeline(shards, SimDuration::from_secs(30));
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(800));
        blueprint.producers[0].keys = Keys::Uniform { count: 500 };
        blueprint.mappings[0].parallelization_factor = lanes;
        blueprint.functions[0].per_record = SimDuration::from_millis(20);
        let session = run(&blueprint);
        let most = counts(&session).functions[FunctionId(0)].max_concurrent;
        assert_eq!(most, shards * lanes);
    }
}

/// What a run stores: key, ordinal and arrival of every record, sorted; and how many were refused.
fn stored(blueprint: &Blueprint) -> (Vec<(u32, u32, SimTime)>, usize) {
    let (mut stored, mut refused) = (Vec::new(), 0);
    for note in notes(blueprint) {
        if let Fact::PutHandled { .. } = note.fact {
            for record in &note.records {
                match record.outcome() {
                    Outcome::Accepted => stored.push((record.key.0, record.ordinal, record.arrived_at)),
                    Outcome::Throttled | Outcome::Failed => refused += 1,
                }
            }
        }
    }
    stored.sort_unstable();
    (stored, refused)
}

fn single_calls(rate: u64, shards: u32, window_millis: u64, seed: u64) -> Blueprint {
    let mut blueprint = pipeline(shards, SimDuration::from_secs(4));
    blueprint.seed = seed;
    blueprint.model.put_service_time = ModelParameters::default().put_service_time;
    let clicks = &mut blueprint.producers[0];
    clicks.arrivals = Arrivals::Poisson(Rate::per_second(rate));
    clicks.keys = Keys::Zipf {
        count: 50,
        exponent: 1.0,
    };
    clicks.api = PutApi::PutRecord;
    clicks.concurrency = 1_000_000;
    clicks.call_window = SimDuration::from_millis(window_millis);
    clicks.retry.mode = RetryMode::Off;
    clicks.retry.max_attempts = 1;
    blueprint
}
fn by_window(blueprint: &Blueprint) -> Blueprint {
    let mut windowed = blueprint.clone();
    for producer in &mut windowed.producers {
        producer.call_window_threshold = Rate::ZERO;
        assert!(producer.uses_call_window());
    }
    windowed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Without waits and repetitions nothing is approximated: the same records at the same instants.
    #[test]
    fn calls_by_window_are_admitted_as_calls_of_their_own_are(
        rate in 500_u64..6_000, shards in 1_u32..4, window in 1_u64..=2, seed in any::<u64>(), failing in 0_u64..3,
    ) {
        let mut single = single_calls(rate, shards, window, seed);
        single.model.internal_failure_rate = Ratio::new(failing, 10);
        let (each, refused) = stored(&single);
        let (together, refused_together) = stored(&by_window(&single));
        // What is in service at the end has been stated in one of the two only.
        let settled = single.duration.saturating_sub(SimDuration::from_millis(200));
        let until = |list: &[(u32, u32, SimTime)]| {
            list.iter().filter(|record| record.2 < SimTime::ZERO + settled).copied().collect::<Vec<_>>()
        };
        if failing == 0 {
            prop_assert_eq!(until(&each), until(&together));
        }
        let close = |one: usize, other: usize| one.abs_diff(other) * 50 <= one.max(other) + 500;
        prop_assert!(close(each.len(), together.len()), "{} and {} stored", each.len(), together.len());
        // A failed call is refused with PutRefused as one of its own, and as an entry in a window.
        prop_assert!(failing > 0 || close(refused, refused_together), "{refused} and {refused_together} refused");
    }

    /// With retries and few connections, results come a window late: the totals agree within a few per cent.
    #[test]
    fn calls_by_window_agree_with_calls_of_their_own_under_retries_and_few_connections(
        rate in 1_000_u64..3_000, shards in 1_u32..3, seed in any::<u64>(), concurrency in 40_u32..200,
    ) {
        let mut single = single_calls(rate, shards, 1, seed);
        single.producers[0].concurrency = concurrency;
        single.producers[0].retry.mode = RetryMode::Standard;
        single.producers[0].retry.max_attempts = 3;
        let (each, together) = (run(&single), run(&by_window(&single)));
        let stored = |session: &Session| counts(session).streams[RECORDS].accepted();
        prop_assert_eq!(
            counts(&each).producers[ProducerId(0)].produced.abs_diff(counts(&together).producers[ProducerId(0)].produced) < 20,
            true
        );
        let (one, other) = (stored(&each), stored(&together));
        prop_assert!(one.abs_diff(other) * 100 <= one.max(other) * 10, "{one} and {other} stored");
    }
}

#[test]
fn records_stored_by_window_are_read_in_order_of_arrival() {
    let mut blueprint = by_window(&single_calls(3_000, 2, 1, 5));
    blueprint.producers.push(sim::blueprint::ProducerBlueprint {
        name: "views".to_owned(),
        ..blueprint.producers[0].clone()
    });
    let mut latest = [SimTime::ZERO; 2];
    let mut read = 0;
    for note in notes(&blueprint) {
        if let Fact::GetRecordsHandled { shard, .. } = note.fact {
            for record in &note.records {
                assert!(
                    record.arrived_at >= latest[shard.0 as usize],
                    "two producers, one shard, one order"
                );
                assert!(record.arrived_at <= note.at, "nothing is read before it is stored");
                assert!(record.created_at < record.arrived_at);
                latest[shard.0 as usize] = record.arrived_at;
                read += 1;
            }
        }
    }
    assert!(read > 5_000);
}

fn scale(at: SimTime, factor: u64) -> Intervention {
    let producer = "clicks".to_owned();
    Intervention {
        at,
        command: Command::ScaleLoad {
            producer,
            factor: Ratio::new(factor, 1),
        },
    }
}

#[test]
fn a_command_given_live_is_the_same_command_in_the_blueprint() {
    let plain = Blueprint {
        interventions: vec![scale(millis(2_000), 3), scale(millis(12_000), 5)],
        ..pipeline(2, SimDuration::from_secs(20))
    };
    let at = millis(7_000) + SimDuration::MIN;
    let mut planned = plain.clone();
    planned.interventions.push(scale(at, 0));
    let planned = run(&planned);
    for first in [millis(7_000), millis(15_000)] {
        let mut live = Session::new(
            &plain,
            SessionOptions {
                checkpoint_interval: Some(SimDuration::SECOND),
                ..SessionOptions::default()
            },
        )
        .expect("the blueprint is valid");
        // At once, or after having been further.
        live.seek(first).expect("it runs");
        live.seek(millis(7_000)).expect("it runs");
        assert_eq!(live.apply(scale(at, 0).command).expect("there is such a producer"), at);
        live.seek(live.end()).expect("it runs");
        assert_eq!(live.fingerprint(), planned.fingerprint());
        let instants: Vec<SimTime> = live
            .interventions()
            .iter()
            .map(|intervention| intervention.at)
            .collect();
        assert!(instants.is_sorted());
        // And however the session goes to and fro.
        for goal in [13_000, 6_000, 7_000, 8_000, 20_000] {
            live.seek(millis(goal)).expect("it runs");
        }
        assert_eq!(live.fingerprint(), planned.fingerprint());
        assert_eq!(counts(&live), counts(&planned));
    }
}

#[test]
fn a_command_given_in_the_past_changes_what_comes_after_it() {
    let mut live = Session::new(
        &pipeline(1, SimDuration::from_secs(20)),
        SessionOptions {
            checkpoint_interval: Some(SimDuration::SECOND),
            ..SessionOptions::default()
        },
    )
    .expect("the blueprint is valid");
    live.seek(live.end()).expect("it runs");
    let before = counts(&live).producers[ProducerId(0)].produced;
    live.seek(millis(10_000)).expect("it runs");
    live.apply(scale(SimTime::ZERO, 0).command)
        .expect("there is such a producer");
    live.seek(millis(12_500)).expect("it runs");
    live.seek(millis(11_500)).expect("it runs");
    live.seek(live.end()).expect("it runs");
    let after = counts(&live).producers[ProducerId(0)].produced;
    assert!(
        (before / 2 - 20..before / 2 + 20).contains(&after),
        "{before} and {after}"
    );
}

/// Half the shards cannot throttle less, whatever arrives: each of them gets what two of the others get.
#[test]
fn splitting_every_shard_never_throttles_more() {
    for seed in 0..6 {
        let mut blueprint = single_calls(5_000, 1, 1, seed);
        let mut before = usize::MAX;
        for shards in [1, 2, 4, 8] {
            blueprint.streams[0].shard_count = shards;
            let refused = stored(&blueprint).1;
            assert!(refused <= before, "{shards} shards: {refused} after {before}");
            before = refused;
        }
    }
}

/// One connection for 20,000 records a second.
#[test]
fn a_run_fails_when_what_waits_in_a_client_takes_too_much_memory() {
    let mut client = pipeline(1, SimDuration::from_secs(60));
    client.producers[0].arrivals = Arrivals::Constant(Rate::per_second(20_000));
    client.producers[0].concurrency = 1;
    client.model.put_service_time = constant(SimDuration::from_millis(200));
    let mut calls = by_window(&single_calls(20_000, 1, 1, 3));
    calls.duration = SimDuration::from_secs(60);
    calls.producers[0].concurrency = 1;
    for blueprint in [client, calls] {
        let options = SessionOptions {
            checks: Checks::Every(SimDuration::SECOND),
            memory_limit: 12 << 20,
            ..SessionOptions::default()
        };
        let mut session = Session::new(&blueprint, options).expect("the blueprint is valid");
        let end = session.end();
        let error = session.advance(end, u64::MAX).expect_err("more waits than 12 MiB hold");
        assert!(matches!(error, RunError::Memory { .. }), "{error}");
    }
}

#[test]
fn a_reader_advances_although_others_read_the_same_shards() {
    let session = run(&with_readers(3, SimDuration::from_secs(30)));
    let acknowledged: Vec<u64> = counts(&session)
        .readers
        .iter()
        .map(|counts| counts.acknowledged)
        .collect();
    let produced = counts(&session).producers[ProducerId(0)].produced;
    assert!(
        acknowledged.iter().all(|&count| count + 250 > produced),
        "{acknowledged:?} of {produced}"
    );
    assert_eq!(counts(&session).readers[READER.into()].expired_unread, 0);
}
