//! What is billed, on small runs whose bill is known.

use super::*;
use crate::blueprint::{
    ApplicationBlueprint, Architecture, Arrivals, Checkpointing, InitialPosition, InvocationType, InvokerBlueprint,
    KclSettings, KclVersion, Keys, ProvisionedConcurrency, Retrieval, ShardLevelMetrics, Size, WeightedKey,
};
use crate::command::{Command, Intervention};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{Rate, Ratio};
use crate::observe::counts::Counts;
use crate::session::{Session, SessionOptions};
use crate::testing::blueprints::{pipeline, producer, stream};

fn run(blueprint: &Blueprint) -> (Usage, Counts) {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it is valid");
    session.seek(session.end()).expect("the books balance");
    let observers = session.observers().expect("they are attached");
    let of_all = "all observers are there";
    (
        observers.usage.clone().expect(of_all),
        observers.counts.clone().expect(of_all),
    )
}
/// An application with the library's defaults.
fn archive(kcl: KclVersion) -> ApplicationBlueprint {
    ApplicationBlueprint {
        name: "archive".to_owned(),
        stream: "records".to_owned(),
        starts_at: SimTime::ZERO,
        workers: 1,
        kcl,
        retrieval: Retrieval::Polling,
        initial_position: InitialPosition::TrimHorizon,
        settings: KclSettings::defaults(kcl),
        per_batch: Distribution::Constant(20e6),
        per_record: SimDuration::ZERO,
        failure_rate: Ratio::ZERO,
        checkpoint: Checkpointing::EveryBatch,
        sink: None,
    }
}
/// A partition key of five bytes.
fn one_key() -> Keys {
    Keys::Weighted(vec![WeightedKey {
        text: "key-0".to_owned(),
        weight: 1.0,
        explicit_hash_key: None,
    }])
}
fn minute() -> Blueprint {
    pipeline(2, SimDuration::from_secs(60))
}

/// KDS-PRI-03: each record is rounded up by itself, however many share a request.
#[test]
fn kds_pri_02_a_record_of_26_kb_is_two_units() {
    for (bytes, units) in [(100.0, 1), (24_900.0, 1), (26_000.0, 2), (60_000.0, 3)] {
        let mut blueprint = minute();
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(10));
        blueprint.producers[0].size = Size::Drawn(Distribution::Constant(bytes));
        let (usage, counts) = run(&blueprint);
        let (usage, stored) = (&usage.streams[StreamId(0)], counts.streams[StreamId(0)].accepted());
        assert!(stored > 500);
        assert_eq!(usage.put_payload_units, units * stored, "{bytes}");
        assert_eq!(usage.bytes_in, counts.streams[StreamId(0)].bytes());
    }
}

#[test]
fn only_what_is_stored_is_billed_by_unit_and_in_a_cohort_each_record_is_a_request() {
    for threshold in [0, 10_000] {
        let mut blueprint = minute();
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(2_500));
        blueprint.producers[0].api = PutApi::PutRecord;
        blueprint.producers[0].call_window_threshold = Rate::per_second(threshold);
        let (usage, counts) = run(&blueprint);
        let (usage, counted) = (&usage.streams[StreamId(0)], &counts.streams[StreamId(0)]);
        assert!(counted.throttled() > 1_000);
        assert_eq!(usage.put_payload_units, counted.accepted());
        assert_eq!(usage.put_record_requests, counted.puts + counted.puts_refused);
        assert!(usage.put_record_requests >= counted.accepted() + counted.throttled());
    }
}

#[test]
fn kds_pri_01_shards_are_billed_whether_they_are_used_or_not() {
    let mut blueprint = minute();
    blueprint.streams[0].retention_hours = 30;
    let (usage, _) = run(&blueprint);
    let usage = &usage.streams[StreamId(0)];
    assert_eq!(usage.shard_nanos(SimDuration::from_hours(3)), 6 * 3_600 * 1_000_000_000);
    assert_eq!(usage.retention_hours_above_24(), 6);
}

/// A shard is billed while it is open.
#[test]
fn kds_pri_01_shards_are_billed_from_their_opening_to_their_closing() {
    let mut usage = StreamUsage {
        shards: 2,
        ..StreamUsage::default()
    };
    let hour = |hour: u64| SimTime::ZERO + SimDuration::from_hours(hour);
    let shard = crate::ids::ShardIndex(0);
    let parents = [Some(shard), None];
    usage.changed(hour(1), StreamChange::ShardClosed { shard });
    usage.changed(hour(1), StreamChange::ShardOpened { shard, parents });
    usage.changed(hour(1), StreamChange::ShardOpened { shard, parents });
    usage.changed(hour(4), StreamChange::ShardClosed { shard });
    let nanos = |shard_hours: u128| shard_hours * 3_600 * 1_000_000_000;
    assert_eq!(usage.shard_nanos(SimDuration::from_hours(10)), nanos(2 + 3 * 3 + 2 * 6));
    // In on-demand mode nobody pays for shards.
    let operation = Operation::SetMode {
        mode: CapacityMode::OnDemand,
    };
    usage.changed(hour(10), StreamChange::Completed { operation });
    usage.changed(hour(12), StreamChange::ShardOpened { shard, parents });
    assert_eq!(usage.shard_nanos(SimDuration::from_hours(20)), nanos(2 + 3 * 3 + 2 * 6));
}

/// The hours are those of the run, and the partition key is part of what is billed.
#[test]
fn kds_mod_20_a_payload_unit_is_25_times_1000_bytes_of_data_and_key() {
    for (bytes, units) in [(25_000_u32, 1), (25_001, 2), (25_600, 2), (50_000, 2), (50_001, 3)] {
        let mut blueprint = minute();
        blueprint.producers[0].keys = one_key();
        blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(10));
        blueprint.producers[0].size = Size::Drawn(Distribution::Constant(f64::from(bytes) - 5.0));
        let (usage, counts) = run(&blueprint);
        let (usage, stored) = (&usage.streams[StreamId(0)], counts.streams[StreamId(0)].accepted());
        assert_eq!(usage.bytes_in, stored * u64::from(bytes), "the key has five bytes");
        assert_eq!(usage.put_payload_units, units * stored, "{bytes}");
        assert_eq!(
            usage.shard_nanos(blueprint.duration),
            2 * 60_000_000_000,
            "two shards for a minute"
        );
    }
}

/// Each record is rounded up by itself, refused ones are not.
#[test]
fn kds_u_07_in_on_demand_mode_each_record_is_rounded_up_to_a_kb_of_1024_bytes() {
    for (data, kb) in [(1_000.0, 1), (1_019.0, 1), (1_020.0, 2), (10.0, 1), (10_240.0, 11)] {
        for mode in [CapacityMode::OnDemand, CapacityMode::Provisioned] {
            let mut blueprint = minute();
            blueprint.streams[0].mode = mode;
            blueprint.producers[0].keys = one_key();
            blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1_500));
            blueprint.producers[0].size = Size::Drawn(Distribution::Constant(data));
            let (usage, counts) = run(&blueprint);
            let counted = &counts.streams[StreamId(0)];
            assert!(counted.accepted() > 5_000 && counted.throttled() > 1_000);
            let billed = if mode == CapacityMode::OnDemand { kb } else { 0 };
            assert_eq!(
                usage.streams[StreamId(0)].on_demand_kb_in,
                billed * counted.accepted(),
                "{data} bytes in {mode:?}"
            );
        }
    }
}

/// From 24 h to seven days, and from there on; the change counts from the instant at which it takes effect.
#[test]
fn kds_ret_03_retention_has_an_extended_band_up_to_seven_days_and_a_long_term_band_beyond() {
    let hours = |of: u128| of / (3_600 * 1_000_000_000);
    let after_ten_hours = |retention_hours| {
        let usage = StreamUsage {
            shards: 3,
            retention_hours,
            ..StreamUsage::default()
        };
        let time = usage.shard_time(SimDuration::from_hours(10));
        (
            hours(time.open),
            hours(time.extended_retention),
            hours(time.long_term_retention),
        )
    };
    assert_eq!(after_ten_hours(24), (30, 0, 0));
    assert_eq!(after_ten_hours(25), (30, 30, 0));
    assert_eq!(after_ten_hours(168), (30, 30, 0));
    assert_eq!(after_ten_hours(169), (30, 30, 30));
    assert_eq!(after_ten_hours(8_760), (30, 30, 30));

    let mut usage = StreamUsage {
        shards: 2,
        retention_hours: 24,
        ..StreamUsage::default()
    };
    let mut set = |hour, hours| {
        let operation = Operation::SetRetention { hours };
        let at = SimTime::ZERO + SimDuration::from_hours(hour);
        usage.changed(at, StreamChange::Completed { operation });
    };
    set(3, 48);
    set(5, 200);
    set(9, 24);
    let time = usage.shard_time(SimDuration::from_hours(20));
    assert_eq!(
        (
            hours(time.open),
            hours(time.extended_retention),
            hours(time.long_term_retention)
        ),
        (40, 12, 8)
    );
}

/// The commitment is one of the account: what one stream takes beyond its share makes up for another.
#[test]
fn kds_cap_15_advantage_commits_to_25_mib_a_second_in_and_out_over_all_on_demand_streams() {
    let mut blueprint = minute();
    blueprint.streams[0].mode = CapacityMode::OnDemand;
    blueprint.streams.push(stream("others", 1));
    blueprint.producers[0].size = Size::Drawn(Distribution::Constant(2_000.0));
    blueprint.producers.push(producer("others", "others"));
    let (usage, _) = run(&blueprint);
    assert_eq!(
        usage.advantage(SimDuration::from_secs(60)),
        None,
        "it is off by default"
    );
    blueprint.stream_account.advantage = true;
    let (usage, _) = run(&blueprint);
    let (on_demand, provisioned) = (&usage.streams[StreamId(1)], &usage.streams[StreamId(0)]);
    assert!(provisioned.bytes_in > 500_000 && on_demand.bytes_in > 10_000_000);
    let minute = usage.advantage(SimDuration::from_secs(60)).expect("it is on");
    assert_eq!(minute.committed_bytes, 60 * 25 * 1_024 * 1_024);
    assert_eq!(
        minute.shortfall_in,
        minute.committed_bytes - on_demand.on_demand_kb_in * 1_024,
        "the provisioned stream does not count"
    );
    assert_eq!(minute.shortfall_out, minute.committed_bytes - on_demand.bytes_out);
    let twice = |stream: &StreamUsage| StreamUsage {
        on_demand_kb_in: 800_000,
        on_demand_bytes_out: 800_000 * 1_024,
        ..*stream
    };
    let busy = Usage {
        streams: usage.streams.iter().map(twice).collect(),
        ..usage
    };
    let busy = busy.advantage(SimDuration::from_secs(60)).expect("it is on");
    assert_eq!(
        (busy.shortfall_in, busy.shortfall_out),
        (0, 0),
        "two streams take 26 MiB/s together"
    );
}

#[test]
fn kds_kcl_38_version_1_creates_its_lease_table_with_ten_units_and_later_ones_pay_by_request() {
    let ten = LeaseTableCapacity::Provisioned {
        read_units: 10,
        write_units: 10,
    };
    for (version, capacity) in [
        (KclVersion::One, ten),
        (KclVersion::Two, LeaseTableCapacity::OnDemand),
        (KclVersion::Three, LeaseTableCapacity::OnDemand),
    ] {
        let mut blueprint = minute();
        blueprint.applications.push(archive(version));
        let (usage, _) = run(&blueprint);
        let tables: Vec<_> = usage.readers.iter().map(|reader| reader.lease_table).collect();
        assert_eq!(tables, [None, Some(capacity)], "{version:?}; a mapping has no table");
        assert!(usage.readers[ReaderId(1)].lease_rows_written > 0);
    }
}

#[test]
fn reads_are_counted_for_the_stream_and_for_each_reader() {
    let mut blueprint = minute();
    blueprint.functions[0].failure_rate = Ratio::new(1, 2);
    let (usage, counts) = run(&blueprint);
    let (stream, reader) = (&usage.streams[StreamId(0)], &usage.readers[ReaderId(0)]);
    assert_eq!(
        (stream.get_records_requests, stream.bytes_out),
        (reader.get_records_requests, reader.bytes_read)
    );
    let counted = &counts.readers[ReaderId(0)];
    assert_eq!(
        reader.get_records_requests,
        counted.reads + counted.throttled_by_calls + counted.throttled_by_bytes
    );
    assert!(
        reader.bytes_read > 110 * counted.acknowledged,
        "what failed is read again"
    );
}

/// LAM-B-03: each invocation is rounded up by itself; 1,024 MB are a GB.
#[test]
fn lam_b_03_a_handler_of_27_ms_and_a_bit_is_billed_28() {
    let mut blueprint = minute();
    blueprint.functions[0].memory_size = 512;
    blueprint.functions[0].per_batch = Distribution::Constant(20.1e6);
    blueprint.functions[0].cold_start = ColdStart::Own(Distribution::Constant(0.0));
    let (usage, counts) = run(&blueprint);
    let usage = &usage.functions[FunctionId(0)];
    let ended = counts.functions[FunctionId(0)].ended;
    // 20.1 ms, the way to the sink and back, and 5 ms there.
    assert_eq!(usage.billed_millis, 28 * ended);
    assert_eq!(usage.gigabyte_millis(), u128::from(14 * ended));
    assert_eq!(usage.invocations, counts.functions[FunctionId(0)].started);
}

/// Also LAM-H-07.
#[test]
fn lam_b_17_lam_b_18_init_is_billed_now_and_was_not_for_zip_on_managed_runtimes() {
    let published = |runtime: &str, package| ColdStart::Published {
        runtime: runtime.to_owned(),
        architecture: Architecture::X86,
        package,
        extra: SimDuration::ZERO,
    };
    for (cold_start, in_exam) in [
        (published("python3.13", Package::Zip), false),
        (published("python3.13", Package::Image), true),
        (published("provided.al2023", Package::Zip), true),
        (ColdStart::Own(Distribution::Constant(400e6)), false),
    ] {
        for (profile, billed) in [(Profile::Current, true), (Profile::Exam, in_exam)] {
            let mut blueprint = minute();
            blueprint.profile = profile;
            blueprint.functions[0].cold_start = cold_start.clone();
            let (usage, counts) = run(&blueprint);
            let usage = &usage.functions[FunctionId(0)];
            let ended = counts.functions[FunctionId(0)].ended;
            assert_eq!(usage.billed_millis, 27 * ended + usage.init_millis);
            assert_eq!(usage.init_millis > 0, billed, "{cold_start:?} {profile:?}");
            if billed && matches!(cold_start, ColdStart::Own(_)) {
                // Placement is never billed.
                assert_eq!(usage.init_millis, 400 * counts.functions[FunctionId(0)].cold_starts);
            }
        }
    }
}

/// A minute of one direct call a second.
fn direct(invocation_type: InvocationType, payload: u32) -> Blueprint {
    let mut blueprint = Blueprint::empty(3, SimDuration::from_secs(60));
    let mut pay = crate::testing::blueprints::function("pay", None);
    pay.per_batch = Distribution::Constant(20e6);
    pay.cold_start = ColdStart::Own(Distribution::Constant(0.0));
    blueprint.functions = vec![pay];
    blueprint.invokers = vec![InvokerBlueprint {
        name: "shop".to_owned(),
        function: "pay".to_owned(),
        arrivals: Arrivals::Constant(Rate::per_second(1)),
        invocation_type,
        payload,
    }];
    blueprint
}

#[test]
fn lam_b_02_an_asynchronous_event_is_a_request_for_256_kb_and_one_for_each_further_64() {
    const KIB: u32 = 1_024;
    for (bytes, requests) in [
        (1_000, 1),
        (256 * KIB, 1),
        (256 * KIB + 1, 2),
        (320 * KIB, 2),
        (1_024 * KIB, 13),
    ] {
        let (usage, counts) = run(&direct(InvocationType::Event, bytes));
        let invocations = counts.functions[FunctionId(0)].started;
        assert_eq!(invocations, 60);
        assert_eq!(
            usage.functions[FunctionId(0)].requests(),
            requests * invocations,
            "{bytes}"
        );
    }
    let (usage, _) = run(&direct(InvocationType::RequestResponse, 1_024 * KIB));
    assert_eq!(
        usage.functions[FunctionId(0)].requests(),
        60,
        "not so with callers who wait"
    );
}

/// Also LAM-B-12: what runs on provisioned environments is billed apart, and the rest as ever (LAM-B-15).
#[test]
fn lam_b_15_spill_over_is_billed_on_demand() {
    let mut blueprint = direct(InvocationType::RequestResponse, 1_000);
    blueprint.functions[0].per_batch = Distribution::Constant(1.5e9);
    blueprint.functions[0].provisioned_concurrency = Some(ProvisionedConcurrency {
        executions: 1,
        ready_at_start: true,
    });
    let (usage, counts) = run(&blueprint);
    let (usage, counts) = (&usage.functions[FunctionId(0)], &counts.functions[FunctionId(0)]);
    assert!(counts.spilled_over > 20 && counts.provisioned > 20);
    let billed = usage.billed_millis + usage.provisioned_millis;
    assert_eq!(billed, 1_500 * counts.ended);
    assert!(usage.provisioned_millis / 1_500 <= counts.provisioned);
    assert!(usage.billed_millis / 1_500 <= counts.spilled_over);
}

#[test]
fn lam_b_14_provisioned_concurrency_is_billed_from_the_request_on_in_steps_of_five_minutes() {
    let minutes = |minutes: u64| u128::from(SimDuration::from_minutes(minutes).as_nanos());
    let change = |at, executions| Intervention {
        at: SimTime::from_secs(at),
        command: Command::SetProvisionedConcurrency {
            function: "pay".to_owned(),
            executions,
        },
    };
    let billed = |interventions: Vec<Intervention>| {
        let mut blueprint = direct(InvocationType::RequestResponse, 1_000);
        blueprint.duration = SimDuration::from_minutes(30);
        blueprint.interventions = interventions;
        let (usage, _) = run(&blueprint);
        usage.functions[FunctionId(0)].provisioned_nanos(blueprint.duration)
    };
    assert_eq!(billed(Vec::new()), 0);
    assert_eq!(billed(vec![change(600, 10)]), 10 * minutes(20));
    assert_eq!(
        billed(vec![change(600, 10), change(660, 0)]),
        10 * minutes(5),
        "one minute costs five"
    );
    assert_eq!(
        billed(vec![change(600, 10), change(1_020, 0)]),
        10 * minutes(10),
        "seven cost ten"
    );
    assert_eq!(
        billed(vec![change(600, 10), change(720, 20), change(1_020, 0)]),
        10 * minutes(2) + 20 * minutes(8)
    );
}

/// Also LAM-V-13: whether they serve or not.
#[test]
fn lam_v_13_the_init_of_provisioned_environments_is_billed() {
    let mut blueprint = direct(InvocationType::RequestResponse, 1_000);
    blueprint.invokers.clear();
    blueprint.functions[0].cold_start = ColdStart::Own(Distribution::Constant(400e6));
    blueprint.functions[0].provisioned_concurrency = Some(ProvisionedConcurrency {
        executions: 7,
        ready_at_start: false,
    });
    blueprint.model.provisioning_delay = SimDuration::from_secs(1);
    let (usage, counts) = run(&blueprint);
    assert_eq!(counts.functions[FunctionId(0)].started, 0);
    assert_eq!(usage.functions[FunctionId(0)].provisioned_init_millis, 7 * 400);
}

#[test]
fn lam_b_05_arm64_is_told_apart() {
    let mut blueprint = direct(InvocationType::RequestResponse, 1_000);
    for (architecture, arm64) in [(Architecture::X86, false), (Architecture::Arm64, true)] {
        blueprint.functions[0].cold_start = ColdStart::Published {
            runtime: "python3.13".to_owned(),
            architecture,
            package: Package::Zip,
            extra: SimDuration::ZERO,
        };
        assert_eq!(run(&blueprint).0.functions[FunctionId(0)].arm64, arm64);
    }
}

/// KDS-MET-02: each metric of each open shard, whether or not the shards themselves are billed.
#[test]
fn kds_met_02_shard_level_metrics_cost_by_shard_and_metric() {
    let after_an_hour = |metrics: ShardLevelMetrics, mode| {
        let mut blueprint = minute();
        blueprint.streams[0].shard_level_metrics = metrics;
        blueprint.streams[0].mode = mode;
        let (usage, _) = run(&blueprint);
        let hour = usage.streams[StreamId(0)].shard_time(SimDuration::from_hours(1));
        hour.shard_level_metrics / (3_600 * 1_000_000_000)
    };
    let two = ShardLevelMetrics::default().with("IncomingBytes").with("OutgoingBytes");
    for mode in [CapacityMode::Provisioned, CapacityMode::OnDemand] {
        assert_eq!(after_an_hour(ShardLevelMetrics::default(), mode), 0);
        assert_eq!(after_an_hour(two, mode), 2 * 2);
        assert_eq!(after_an_hour(ShardLevelMetrics::ALL, mode), 2 * 7);
    }
}
