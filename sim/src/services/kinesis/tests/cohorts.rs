//! Single-record calls that are handled by window.

use super::*;
use crate::blueprint::{Arrivals, Blueprint, Keys};
use crate::engine::calendar::TieOrder;
use crate::engine::distribution::Distribution;
use crate::engine::kernel::Engine;
use crate::engine::quantity::Rate;
use crate::observe::Probe;
use crate::observe::headroom::Headroom;
use crate::observe::metrics::Metric;
use crate::session::{Session, SessionOptions};
use crate::testing::blueprints::pipeline;
use crate::world::World;
use proptest::prelude::*;

const WINDOW: SimDuration = SimDuration::from_millis(1);

/// A cohort that a producer sends at `at`; its calls begin so many microseconds later. It is received a millisecond
/// after that.
fn cohort(bench: &mut Bench, at: SimTime, bytes: u64, micros: &[u64]) {
    let call = |(ordinal, &micros): (u32, &u64)| {
        let begins = at + SimDuration::from_micros(micros);
        Record {
            created_at: begins,
            arrived_at: begins,
            ..record(0, ordinal, bytes)
        }
    };
    let records: Vec<Record> = (0..).zip(micros).map(call).collect();
    let envelope = Envelope::Put(PutCall {
        first_sent_at: SimTime::ZERO,
        producer: CLICKS,
        target: crate::ids::Destination::Stream(ME),
        api: PutApi::PutRecord,
        cohort: true,
        attempt: 1,
        resends: 0,
        retry_cost: 0,
        sent_at: at,
        received_at: SimTime::ZERO,
        refused: 0,
        error: None,
        library: None,
    });
    let batch = Batch {
        bytes: records.iter().map(|record| u64::from(record.bytes)).sum(),
        records,
        envelope,
        ..Batch::default()
    };
    bench.send(at + NETWORK, batch, |batch| {
        world::Event::Stream(ME, Event::PutReceived { batch })
    });
}

fn arrivals(answers: &[PutAnswer]) -> Vec<SimTime> {
    answers
        .iter()
        .flat_map(|answer| &answer.records)
        .map(|record| record.arrived_at)
        .collect()
}

#[test]
fn each_call_of_a_cohort_is_stored_at_its_own_instant() {
    let mut bench = one_shard();
    cohort(&mut bench, millis(5), 100, &[0, 250, 999]);
    let answers = bench.put_answers();
    let stored_at = |micros: u64| millis(5) + SimDuration::from_micros(micros) + NETWORK + SERVICE;
    assert_eq!(arrivals(&answers), [stored_at(0), stored_at(250), stored_at(999)]);
    assert_eq!(answers.len(), 1);
    let window_ends = millis(5) + NETWORK + SERVICE + WINDOW;
    assert_eq!(answers[0].at, window_ends + NETWORK, "results come up to a window late");
}

#[test]
fn a_cohort_of_one_call_is_a_cohort() {
    let mut bench = one_shard();
    cohort(&mut bench, millis(5), 100, &[900]);
    let answers = bench.put_answers();
    let begins = millis(5) + SimDuration::from_micros(900);
    assert_eq!(arrivals(&answers), [begins + NETWORK + SERVICE]);
    assert!(answers[0].at >= begins + NETWORK + SERVICE + NETWORK);
}

#[test]
fn a_record_of_a_cohort_is_readable_from_its_arrival_on() {
    for (micros, count) in [(499, 1), (500, 2)] {
        let mut bench = one_shard();
        cohort(&mut bench, millis(5), 100, &[0, 500]);
        let served = millis(5) + NETWORK + SERVICE + SimDuration::from_micros(micros);
        bench.get(served.saturating_sub(SERVICE), READER, 0, 0, 10);
        bench.run();
        let calls = bench.take_calls();
        let page = calls
            .iter()
            .find(|call| matches!(call.batch.envelope, Envelope::Get(_)))
            .expect("it was answered");
        assert_eq!(
            page.batch.records.len(),
            count,
            "{micros} µs after the first was stored"
        );
    }
}

#[test]
fn kds_w_01_calls_of_a_cohort_are_admitted_with_the_tokens_of_their_own_instants() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    // The buckets were emptied at 10 ms; the calls are stored at 16.1, 16.2 ... and 17.1 ms.
    cohort(
        &mut bench,
        millis(5),
        10,
        &[100, 200, 300, 400, 500, 600, 700, 800, 1_100],
    );
    let answers = bench.put_answers();
    let outcomes: Vec<Outcome> = answers[2..].iter().flat_map(PutAnswer::outcomes).collect();
    let mut expected = vec![Outcome::Accepted; 9];
    expected[6..8].fill(Outcome::Throttled);
    assert_eq!(outcomes, expected, "a token comes each millisecond");
}

#[test]
fn kds_w_16_calls_of_a_cohort_are_rounded_up_one_by_one() {
    let mut bench = one_shard();
    cohort(&mut bench, millis(5), 1_025, &(0..600).collect::<Vec<u64>>());
    let accepted: usize = bench
        .put_answers()
        .iter()
        .map(|answer| answer.count(Outcome::Accepted))
        .sum();
    // 512 at once, and less than one more KiB in 600 µs.
    assert_eq!(accepted, 512);
}

#[test]
fn kds_mod_16_a_call_of_a_cohort_with_too_large_a_record_is_refused_alone() {
    let mut bench = one_shard();
    cohort(&mut bench, millis(5), MIB + 1, &[400]);
    cohort(&mut bench, millis(5), 10, &[500]);
    let mut answers = bench.put_answers();
    answers.sort_by_key(|answer| answer.error);
    let errors: Vec<_> = answers
        .iter()
        .map(|answer| (answer.error, answer.records.len()))
        .collect();
    assert_eq!(errors, [(None, 1), (Some(ServiceError::InvalidArgument), 1)]);
    assert!(answers[1].at >= millis(5) + SimDuration::from_micros(400) + NETWORK + NETWORK);
}

#[test]
fn kds_mod_17_calls_of_a_cohort_fail_one_by_one() {
    let mut setup = Setup::shards(1);
    setup.model.internal_failure_rate = Ratio::new(1, 2);
    let mut bench = setup.build();
    cohort(&mut bench, millis(5), 10, &(0..400).collect::<Vec<u64>>());
    let answer = only(bench.put_answers());
    let failed = answer.count(Outcome::Failed);
    assert!((150..250).contains(&failed), "{failed} of 400");
    assert_eq!(
        bench.component.1.shards()[0].log.next_position(),
        400 - u64::try_from(failed).expect("few")
    );
}

#[test]
fn kds_mod_18_a_call_of_a_cohort_whose_response_is_lost_times_out_at_its_own_time() {
    let mut setup = Setup::shards(1);
    setup.model.lost_acknowledgement_rate = Ratio::ONE;
    let mut bench = setup.build();
    // The calls begin in two windows, and the client notices at the end of each.
    cohort(&mut bench, millis(5), 10, &[0, 999, 1_500]);
    let answers = bench.put_answers();
    let heard: Vec<_> = answers
        .iter()
        .map(|answer| (answer.at, answer.error, answer.records.len()))
        .collect();
    let timeout = Some(ServiceError::RequestTimeout);
    assert_eq!(heard, [(millis(5_006), timeout, 2), (millis(5_007), timeout, 1)]);
    assert_eq!(
        bench.component.1.shards()[0].log.next_position(),
        3,
        "stored all the same (KDS-W-27)"
    );
}

#[test]
fn a_call_of_a_cohort_that_takes_longer_than_the_client_waits_times_out() {
    let mut setup = Setup::shards(1);
    setup.model.request_timeout = SimDuration::from_millis(11);
    let mut bench = setup.build();
    cohort(&mut bench, millis(5), 10, &[0, 1]);
    let errors: Vec<_> = bench.put_answers().iter().map(|answer| answer.error).collect();
    assert_eq!(
        errors,
        [Some(ServiceError::RequestTimeout)],
        "12 ms are too long for both"
    );
}

#[test]
fn each_window_has_one_event_however_service_times_overtake_each_other() {
    let mut setup = Setup::shards(1);
    setup.model.put_service_time = Distribution::Uniform { low: 0.0, high: 400e6 };
    let mut bench = setup.build();
    for number in 0..2_000 {
        cohort(&mut bench, millis(number * 20), 10, &[0]);
    }
    bench.run_until(millis(2_000 * 20));
    // About ten calls are in service, each in a window of its own, and of their windows only the next has an event; of
    // those that were the next and are it no more, a few are left.
    assert!(bench.pending() < 15, "{} events are pending", bench.pending());
    let answered: usize = bench.put_answers().iter().map(|answer| answer.records.len()).sum();
    assert_eq!(answered, 2_000);
}

#[test]
fn without_readers_what_cohorts_store_takes_no_memory() {
    let mut setup = Setup::shards(1);
    setup.readers.clear();
    let mut bench = setup.build();
    for number in 0..200 {
        cohort(&mut bench, millis(number * 100), 10, &(0..100).collect::<Vec<u64>>());
    }
    bench.run();
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 20_000);
    assert!(
        bench.component.1.memory() < 200_000,
        "{} bytes",
        bench.component.1.memory()
    );
}

#[test]
fn records_in_service_are_those_of_cohorts_and_of_calls_of_their_own() {
    let mut bench = one_shard();
    cohort(&mut bench, millis(5), 10, &[0, 1, 2]);
    bench.put(millis(7), PutApi::PutRecords, records(0, 5, 10));
    bench.run_until(millis(8));
    assert_eq!(bench.component.1.in_service(), 8);
    bench.run();
    assert_eq!(bench.component.1.in_service(), 0);
}

#[test]
fn a_call_of_a_cohort_with_a_service_time_far_below_a_window_is_answered_in_the_next() {
    let mut setup = Setup::shards(1);
    setup.model.put_service_time = Distribution::Constant(20_000.0);
    let mut bench = setup.build();
    cohort(&mut bench, millis(5), 10, &[0, 100, 900]);
    let answers = bench.put_answers();
    let stored_at = |micros: u64| millis(6) + SimDuration::from_micros(micros + 20);
    assert_eq!(arrivals(&answers), [stored_at(0), stored_at(100), stored_at(900)]);
    assert_eq!(only(answers).at, millis(7) + WINDOW + NETWORK);
}

/// Facts need the tallies of shards, whether or not anything else measures their load.
#[test]
fn the_facts_of_a_cohort_tell_what_its_shards_did_where_nobody_measures() {
    for metered in [true, false] {
        let mut setup = Setup::shards(1);
        setup.metered = metered;
        let mut bench = setup.build();
        cohort(&mut bench, millis(5), 10, &[0, 1, 2]);
        bench.run();
        let stored = bench.find(|note| match note.fact {
            Fact::PutHandled { .. } => Some(note.shards.iter().map(|tally| tally.accepted).sum::<u32>()),
            _ => None,
        });
        assert_eq!(stored, [3], "metered: {metered}");
    }
}

#[test]
fn without_readers_every_shard_forgets_what_cohorts_store() {
    let mut setup = Setup::shards(3);
    setup.hashes.rotate_left(2);
    setup.readers.clear();
    let mut bench = setup.build();
    for number in 0..200 {
        cohort(&mut bench, millis(number * 100), 10, &(0..100).collect::<Vec<u64>>());
    }
    bench.run();
    let stored: Vec<u64> = bench
        .component
        .1
        .shards()
        .iter()
        .map(|shard| shard.log.next_position())
        .collect();
    assert_eq!(stored, [0, 0, 20_000], "key 0 lies in the last shard");
    assert!(
        bench.component.1.memory() < 200_000,
        "{} bytes",
        bench.component.1.memory()
    );
}

/// What scaling goes by is measured whether or not anybody looks.
#[test]
fn a_stream_grows_with_the_load_of_cohorts_that_nobody_observes() {
    let shards = |observe| {
        let mut blueprint = pipeline(4, SimDuration::from_secs(210));
        blueprint.streams[0].mode = CapacityMode::OnDemand;
        blueprint.model.on_demand_split_delay = Distribution::Constant(60e9);
        blueprint.producers[0].api = PutApi::PutRecord;
        blueprint.producers[0].keys = Keys::Uniform { count: 1 };
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(700));
        blueprint.producers[0].call_window_threshold = Rate::per_second(0);
        let options = SessionOptions {
            observe,
            ..SessionOptions::default()
        };
        let mut session = Session::new(&blueprint, options).expect("it is valid");
        session.seek(session.end()).expect("the books balance");
        let stream = &session.world().streams()[ME];
        assert!(stream.cohort_windows() > 10_000);
        (stream.map().shards().len(), session.fingerprint())
    };
    let (unobserved, observed) = (shards(false), shards(true));
    assert_eq!(unobserved, observed);
    assert!(unobserved.0 > 4);
}

/// Two producers of single records and one of batches, on a few shards: so many records a second, of so many bytes.
fn crowded(rate: u64, bytes: f64, service: Distribution, concurrency: u32) -> Blueprint {
    let mut blueprint = pipeline(3, SimDuration::from_secs(4));
    let one = &mut blueprint.producers[0];
    one.size = crate::blueprint::Size::Drawn(Distribution::Uniform {
        low: bytes / 2.0,
        high: bytes,
    });
    one.keys = Keys::Uniform { count: 30 };
    let mut batches = one.clone();
    batches.name = "batches".to_owned();
    batches.arrivals = Arrivals::Poisson(Rate::per_second(50));
    one.api = PutApi::PutRecord;
    one.call_window_threshold = Rate::per_second(0);
    one.concurrency = concurrency;
    one.arrivals = Arrivals::Poisson(Rate::per_second(rate));
    let mut other = one.clone();
    other.name = "other".to_owned();
    blueprint.producers.extend([batches, other]);
    blueprint.model.put_service_time = service;
    blueprint
}

/// Records that a shard has stored, and how much of its limits is used.
type Used = (u64, (u64, u64));

/// The trajectory of a run, what its shards have stored, and how much of their limits is used.
fn course(blueprint: &Blueprint, decides_each_call: bool) -> (String, Vec<Used>) {
    let (mut world, _) = World::build(blueprint).expect("it is valid");
    if decides_each_call {
        world.streams[ME].decide_each_call();
    }
    let mut engine = Engine::new(world, TieOrder::Insertion);
    let (world, mut agenda) = engine.outside();
    world.start(&mut agenda);
    let end = SimTime::ZERO + blueprint.duration;
    engine.run_until(end, u64::MAX, &mut None);
    assert!(engine.model.fault.is_none());
    assert!(engine.model.streams()[ME].cohort_windows() > 1_000);
    let shards = engine.model.streams[ME].shards().to_vec();
    let shards = shards.into_iter().map(|mut shard| {
        let stored = shard.log.next_position();
        (stored, shard.write_used_ppm(end))
    });
    (engine.fingerprint().to_string(), shards.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Well below the limits, around them and beyond, with service times that fit a window and that do not, and with calls
    /// that wait for a connection: where it is certain that nothing is refused, the run is what it is if each call is
    /// decided by itself.
    #[test]
    fn what_is_certain_is_what_deciding_each_call_gives(
        rate in prop_oneof![Just(300_u64), 900_u64..1_600, Just(4_000)],
        bytes in prop_oneof![Just(200.0), Just(1_500.0)],
        median in prop_oneof![Just(2e4), Just(3e5), Just(2e7)],
        concurrency in prop_oneof![4 => Just(u32::MAX), 1 => Just(30)],
    ) {
        let service = Distribution::LogNormal { median, sigma: 0.6 };
        let blueprint = crowded(rate, bytes, service, concurrency);
        prop_assert_eq!(course(&blueprint, false), course(&blueprint, true));
    }
}

/// Hears everything and needs to be told everything.
struct Listener(u64);
impl Probe for Listener {
    fn on(&mut self, _: SimTime, fact: &Fact<'_>) {
        self.0 += u64::from(matches!(fact, Fact::ShardsWritten { .. }));
    }
}

/// Observers that are told once a second what shards have stored know what those know that are told with each window,
/// wherever the run is halted.
#[test]
fn what_is_told_once_a_second_is_what_is_told_with_each_window() {
    for rate in [400, 1_100, 4_000] {
        let blueprint = crowded(rate, 700.0, Distribution::Constant(2e6), u32::MAX);
        let known = |listened: bool, halts: u64| {
            let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it is valid");
            let mut listener = Listener(0);
            for halt in 1..=halts {
                let until = SimTime::from_nanos(session.end().as_nanos() * halt / halts);
                let listener: Option<&mut dyn Probe> = if listened { Some(&mut listener) } else { None };
                let stop = session.advance_watched(until, u64::MAX, listener);
                assert!(stop.is_ok(), "{stop:?}");
                session.check_ledgers().expect("the books balance");
            }
            assert_eq!(listener.0, 0);
            let observers = session.observers().expect("they are attached");
            let shard = |number| {
                let metrics = observers.metrics.as_ref();
                let series = |metric| metrics.and_then(|all| all.shard_series(metric, ME, ShardIndex(number)));
                [Metric::IncomingRecords, Metric::IncomingBytes].map(|metric| format!("{:?}", series(metric)))
            };
            (
                observers.counts.clone(),
                observers.usage.clone(),
                observers.headroom.as_ref().map(Headroom::rows),
                [shard(0), shard(1), shard(2)],
                session.fingerprint(),
            )
        };
        let each = known(true, 1);
        assert_eq!(known(false, 1), each);
        assert_eq!(known(false, 7), each);
    }
}
