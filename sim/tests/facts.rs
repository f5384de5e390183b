//! Facts that show only in the account of a whole run.
#![expect(clippy::as_conversions, reason = "a test's numbers are small")]

use sim::blueprint::{Architecture, Arrivals, Blueprint, CapacityMode, ColdStart, Keys, Package, Size, WeightedKey};
use sim::command::{Command, Intervention, Operation};
use sim::directory::Component;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{FunctionId, StreamId};
use sim::observe::Observers;
use sim::observe::metrics::{Metric, Statistic};
use sim::services::kinesis::shard_map::even_ranges;
use sim::services::lambda::cold_start;
use sim::session::{Session, SessionOptions};
use sim::testing::blueprints::{mapping, pipeline, stream};

fn run(blueprint: &Blueprint) -> Session {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("the blueprint is valid");
    session.seek(session.end()).expect("the ledgers balance");
    session
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
fn sum(session: &Session, metric: Metric, component: Component) -> u64 {
    let metrics = observers(session).metrics.as_ref().expect("all observers are there");
    let whole = (SimTime::ZERO, session.end());
    metrics
        .value(metric, component, Statistic::Sum, whole.0, whole.1)
        .map_or(0, |quotient| quotient.as_f64() as u64)
}

/// Whether so many shards take `in_kib` a second in records of 10 KiB, and give all of it to each reader in time.
fn suffices(shards: u32, in_kib: u32, readers: u32) -> bool {
    let mut blueprint = pipeline(shards, SimDuration::from_secs(180));
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(u64::from(in_kib / 10)));
    let keys = even_ranges(shards).into_iter().map(|range| WeightedKey {
        text: format!("{:05}", range.start >> 112),
        weight: 1.0,
        explicit_hash_key: Some(range.start),
    });
    blueprint.producers[0].keys = Keys::Weighted(keys.collect());
    blueprint.producers[0].size = Size::Drawn(Distribution::Constant(10_235.0));
    for reader in 1..readers {
        blueprint
            .mappings
            .push(mapping(&format!("reader-{reader}"), "records", "enrich"));
    }
    let session = run(&blueprint);
    let counts = observers(&session).counts.as_ref().expect("all observers are there");
    let stream = &counts.streams[StreamId(0)];
    let late = 5 * u64::from(in_kib / 10);
    let in_time = |reader: &sim::observe::counts::ReaderCounts| reader.acknowledged + late >= stream.accepted();
    stream.throttled() == 0 && counts.readers.iter().all(in_time)
}

/// AWS's formula, which has 1,024 KiB a second in and 2,048 KiB a second out for a shard: with a thousand KB and two
/// thousand the first and third of these loads would need two shards.
#[test]
fn kds_u_05_as_many_shards_as_the_sizing_formula_says_suffice_and_one_less_does_not() {
    for (in_kib, readers) in [(1_010_u32, 1_u32), (1_040, 1), (1_010, 2), (1_010, 3)] {
        let shards = in_kib.div_ceil(1_024).max((in_kib * readers).div_ceil(2_048));
        assert!(
            suffices(shards, in_kib, readers),
            "{shards} for {in_kib} KiB/s and {readers} readers"
        );
        if shards > 1 {
            assert!(
                !suffices(shards - 1, in_kib, readers),
                "{} for {in_kib} KiB/s and {readers} readers",
                shards - 1
            );
        }
    }
}

/// Incoming metrics leave out what was refused, so demand is the sum of incoming and throttled.
#[test]
fn kds_w_18_demand_is_what_came_in_and_what_was_refused() {
    let mut blueprint = pipeline(1, SimDuration::from_secs(60));
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1_500));
    blueprint.producers[0].resend_failed = None;
    let session = run(&blueprint);
    let counts = observers(&session).counts.as_ref().expect("all observers are there");
    let stream = Component::Stream(StreamId(0));
    let incoming = sum(&session, Metric::IncomingRecords, stream);
    let throttled = sum(&session, Metric::WriteProvisionedThroughputExceeded, stream);
    let sent: u64 = counts
        .producers
        .iter()
        .map(|client| client.acknowledged + client.given_up())
        .sum();
    assert!(throttled > 20_000, "{throttled}");
    assert!(
        (60_000..62_000).contains(&incoming),
        "{incoming}: one shard's thousand a second, and its first second twice"
    );
    assert!(
        sent <= incoming + throttled && sent + 500 >= incoming + throttled,
        "{sent} of {incoming} + {throttled}"
    );
}

#[test]
fn kds_lat_06_with_a_poll_a_second_the_mean_propagation_delay_is_below_a_second() {
    let mut blueprint = pipeline(2, SimDuration::from_secs(120));
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(100));
    let session = run(&blueprint);
    let latency = observers(&session).latency.as_ref().expect("all observers are there");
    let delay = &latency
        .of(FunctionId(0).into())
        .expect("the function has run")
        .since_arrival;
    let mean = delay.sum() / u128::from(delay.count());
    assert!(
        (400_000_000..1_000_000_000).contains(&mean),
        "{mean} ns from the stream to the end of the handler"
    );
}

/// With fewer places than lanes, batches are throttled and the shards fall behind; with enough, neither.
#[test]
fn lam_k_23_concurrency_below_the_number_of_lanes_throttles_and_falls_behind() {
    let outcome = |reserved| {
        let mut blueprint = pipeline(4, SimDuration::from_secs(120));
        blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(400));
        blueprint.producers[0].keys = Keys::Uniform { count: 1_000 };
        blueprint.mappings[0].parallelization_factor = 2;
        blueprint.functions[0].reserved_concurrency = Some(reserved);
        blueprint.functions[0].per_record = SimDuration::from_millis(15);
        blueprint.functions[0].timeout = SimDuration::from_secs(60);
        let session = run(&blueprint);
        let counts = observers(&session).counts.as_ref().expect("all observers are there");
        let throttles: u64 = counts.functions.iter().map(|function| function.throttles).sum();
        let produced: u64 = counts.producers.iter().map(|client| client.acknowledged).sum();
        let done: u64 = counts.readers.iter().map(|reader| reader.acknowledged).sum();
        (throttles, produced - done)
    };
    let (enough, few) = (outcome(8), outcome(2));
    assert_eq!(enough.0, 0, "eight places for eight lanes");
    assert!(few.0 > 0, "two places for eight lanes");
    assert!(
        few.1 > 3 * enough.1,
        "{} unfinished records against {}",
        few.1,
        enough.1
    );
}

/// From below 100 ms to above a second, over the published runtimes and with the time of placement.
#[test]
fn lam_r_13_cold_starts_take_from_below_a_tenth_of_a_second_to_above_a_second() {
    let init = |runtime: &str, package, extra| {
        cold_start::init_duration(&ColdStart::Published {
            runtime: runtime.to_owned(),
            architecture: Architecture::X86,
            package,
            extra: SimDuration::from_millis(extra),
        })
        .expect("a published runtime")
        .compile()
        .expect("a distribution")
    };
    assert!(
        init("rust", Package::Zip, 0).quantile(0.5) < 100_000_000,
        "the leanest runtime"
    );
    assert!(
        init("java21", Package::Image, 0).quantile(0.999) > 900_000_000,
        "the tail of the heaviest"
    );
    assert!(
        init("java21", Package::Zip, 900).quantile(0.5) > 1_000_000_000,
        "with dependencies of its own"
    );
}

/// KDS-RS-16, KDS-CAP-14: the quota is the account's: shards of other provisioned streams count, those in on-demand mode
/// do not.
#[test]
fn kds_rs_16_shards_of_other_provisioned_streams_count_against_the_quota() {
    let opened = |other: CapacityMode, quota: u32| {
        let mut blueprint = pipeline(4, SimDuration::from_secs(60));
        let mut second = stream("other", 4);
        second.mode = other;
        blueprint.streams.push(second);
        blueprint.stream_account.shard_quota = quota;
        let at = SimTime::from_secs(10);
        let command = Command::ChangeStream {
            stream: "records".to_owned(),
            operation: Operation::UpdateShardCount { target: 8 },
        };
        blueprint.interventions.push(Intervention { at, command });
        let session = run(&blueprint);
        let counts = observers(&session).counts.as_ref().expect("all observers are there");
        let records = session.world().directory().stream("records").expect("it is there");
        let changes = &counts.streams[records].changes;
        assert_eq!(changes.refused == 1, changes.opened == 0);
        changes.opened
    };
    assert_eq!(opened(CapacityMode::Provisioned, 11), 0);
    assert_eq!(opened(CapacityMode::Provisioned, 12), 8);
    assert_eq!(opened(CapacityMode::OnDemand, 11), 8);
}

/// KDS-RS-26, KDS-R-23: a split does not shorten the backlog of a shard: it stays in the parent, and the children wait for it.
#[test]
fn kds_rs_26_a_split_does_not_reduce_the_backlog_of_the_parent() {
    let slow = |split: bool| {
        let mut blueprint = pipeline(1, SimDuration::from_secs(600));
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(300));
        // The function takes half of what comes in a lane; the children have one lane each.
        blueprint.functions[0].per_record = SimDuration::from_micros(6_000);
        if split {
            let (at, shard) = (SimTime::from_secs(170), None);
            let command = Command::ChangeStream {
                stream: "records".to_owned(),
                operation: Operation::SplitShard { shard, at: None },
            };
            blueprint.interventions.push(Intervention { at, command });
        }
        let mut session = Session::new(&blueprint, SessionOptions::default()).expect("the blueprint is valid");
        let mut done_at = |secs| {
            session.seek(SimTime::from_secs(secs)).expect("the ledgers balance");
            observers(&session)
                .counts
                .as_ref()
                .expect("all are there")
                .readers
                .iter()
                .map(|one| one.acknowledged)
                .sum::<u64>()
        };
        [300, 370, 600].map(&mut done_at)
    };
    let (whole, split) = (slow(false), slow(true));
    // 60,000 records at 159 a second: until 377 s the parent is worked off as if nothing had happened.
    let close = |one: u64, other: u64| one.abs_diff(other) < one / 50;
    assert!(
        close(whole[0], split[0]) && close(whole[1], split[1]),
        "{whole:?} {split:?}"
    );
    assert!(
        split[2] > whole[2] + whole[2] / 4,
        "{whole:?} {split:?}: then two lanes work"
    );
}
