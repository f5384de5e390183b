//! On-demand streams: how they grow, and how long that takes.

use super::control::{HOURS, Owner};
use super::*;
use crate::engine::distribution::Distribution;
use crate::observe::fact::{ReadLimit, StreamChange};
use crate::services::kinesis::operation::{Operation, Refusal};

const MINUTE: u64 = 60;

/// An on-demand stream, whose splits take exactly 15 minutes, with a key in each of its four shards.
fn on_demand() -> Setup {
    let mut setup = Setup::shards(4);
    setup.blueprint.mode = CapacityMode::OnDemand;
    setup.model.on_demand_split_delay = Distribution::Constant(15.0 * 60e9);
    setup
}
/// Puts `records` of `bytes` each to the key, each second from minute to minute.
fn load(bench: &mut Bench, key: u32, minutes: core::ops::Range<u64>, count: u32, bytes: u64) {
    for second in minutes.start * MINUTE..minutes.end * MINUTE {
        let mut left = count;
        while left > 0 {
            let now = left.min(500);
            bench.put(SimTime::from_secs(second), PutApi::PutRecords, records(key, now, bytes));
            left -= now;
        }
    }
}
fn at_minute(minute: u64) -> SimTime {
    SimTime::from_secs(minute * MINUTE)
}
fn shards_at(bench: &mut Bench, minute: u64) -> usize {
    bench.run_until(at_minute(minute));
    bench.take_calls();
    bench.open().len()
}
const fn mode(mode: CapacityMode) -> Operation {
    Operation::SetMode { mode }
}

/// Entries refused between two minutes.
fn refused(bench: &Bench, from: u64, until: u64) -> u64 {
    let handled = bench.notes().iter().filter(|note| {
        matches!(note.fact, Fact::PutHandled { .. }) && (at_minute(from)..at_minute(until)).contains(&note.at)
    });
    handled
        .flat_map(|note| &note.shards)
        .map(|tally| u64::from(tally.throttled))
        .sum()
}

/// KDS-CAP-05, KDS-CAP-06, KDS-MOD-12: more than 500 KiB or 500 records a second over a minute, one split each.
#[test]
fn kds_cap_05_a_shard_with_more_than_half_its_load_is_split_within_15_minutes() {
    for (count, bytes, splits) in [
        (5, 102_401, true),
        (5, 102_399, false),
        (501, 10, true),
        (500, 10, false),
    ] {
        let mut bench = on_demand().build();
        load(&mut bench, 1, 0..2, count, bytes);
        bench.run_until(at_minute(16).saturating_sub(SimDuration::MIN));
        assert_eq!(bench.open(), [0, 1, 2, 3], "the minute's end, and 15 minutes more");
        bench.run_until(at_minute(16));
        let expected = if splits { vec![0, 4, 5, 2, 3] } else { vec![0, 1, 2, 3] };
        assert_eq!(bench.open(), expected, "{count} x {bytes}");
        if splits {
            let ranges: Vec<u128> = bench.component.1.shards()[4..]
                .iter()
                .map(|shard| shard.origin.range.end - shard.origin.range.start)
                .collect();
            assert_eq!(ranges[0], ranges[1], "evenly");
        }
    }
}

/// KDS-CAP-07, KDS-W-29: halving ranges never isolates a key, and one key never gets more than one shard's limit.
#[test]
fn kds_cap_07_splits_do_not_help_one_hot_key() {
    let mut bench = on_demand().build();
    load(&mut bench, 1, 0..70, 1_500, 10);
    bench.run_until(at_minute(70));
    let refused = |from, until| refused(&bench, from, until);
    assert!(
        bench.component.1.map().shards().len() > 5,
        "it was split again and again"
    );
    let (before, after) = (refused(1, 15), refused(55, 69));
    assert_eq!(before, after, "KDS-W-29: 500 a second are refused as before");
    assert_eq!(after, 14 * 60 * 500);
}

/// KDS-CAP-02, KDS-CAP-03: it starts with four shards, and takes twice what it has had, days later as well.
#[test]
fn kds_cap_03_a_stream_takes_twice_its_highest_minute() {
    let mut setup = on_demand();
    setup.hashes = even_ranges(16).iter().map(|range| range.start + (1 << 100)).collect();
    let mut bench = setup.build();
    assert_eq!(bench.open().len(), 4, "KDS-CAP-02");
    let days = 3 * 24 * 60;
    for key in 0..16 {
        // 3,008 a second: twice that are 6,016, and seven shards.
        load(&mut bench, key, 0..2, 188, 10);
        load(&mut bench, key, days..days + 1, 376, 10);
    }
    assert!(shards_at(&mut bench, days) >= 7);
    bench.run_until(at_minute(days + 2));
    let late = bench.notes().iter().filter(|note| note.at >= at_minute(days));
    assert_eq!(
        late.flat_map(|note| &note.shards)
            .map(|tally| tally.throttled)
            .sum::<u32>(),
        0
    );
}

/// KDS-CAP-13, KDS-CAP-03: a stream that was switched to on-demand mode grows from the shards that it had.
#[test]
fn kds_cap_03_a_switched_stream_grows_to_twice_its_highest_minute() {
    let mut setup = Setup::shards(1);
    setup.model.on_demand_split_delay = Distribution::Constant(15.0 * 60e9);
    let mut bench = setup.build();
    bench.ask(SimTime::from_secs(1), mode(CapacityMode::OnDemand));
    load(&mut bench, 0, 1..2, 1_000, 10);
    assert_eq!(shards_at(&mut bench, 17), 2);
}

/// KDS-CAP-04: what more than doubles at once is refused for up to 15 minutes, with even keys; then it is taken.
#[test]
fn kds_cap_04_a_load_that_more_than_doubles_is_throttled_until_the_stream_has_grown() {
    let mut setup = on_demand();
    setup.hashes = even_ranges(16).iter().map(|range| range.start + (1 << 100)).collect();
    let mut bench = setup.build();
    for key in 0..16 {
        load(&mut bench, key, 0..60, 400, 10);
    }
    bench.run_until(at_minute(60));
    let refused = |from, until| refused(&bench, from, until);
    // 6,400 a second for 4,000.
    assert_eq!(refused(2, 16), 14 * 60 * 2_400);
    assert_eq!(refused(17, 59), 0, "eight shards take 8,000");
    assert!(
        bench.component.1.map().shards().len() >= 13,
        "and twice the peak is there"
    );
}

/// KDS-MOD-12: a peak counts for 30 days, and no shard goes away.
#[test]
fn kds_cap_25_a_quiet_stream_keeps_its_shards() {
    let mut bench = on_demand().build();
    load(&mut bench, 1, 0..2, 501, 10);
    assert_eq!(shards_at(&mut bench, 17), 5);
    assert_eq!(shards_at(&mut bench, 3 * 24 * 60), 5);
}

/// KDS-CAP-09, KDS-CAP-10: the Region's bound; the exam's sheets know one for all.
#[test]
fn kds_cap_10_a_stream_does_not_grow_beyond_the_bound_of_its_region() {
    let bound = |region, profile| StreamAccount::in_region(region, profile).on_demand_mib;
    assert_eq!(bound("eu-west-1", Profile::Current), 10_240, "KDS-CAP-09");
    assert_eq!(bound("eu-central-1", Profile::Current), 200);
    assert_eq!(bound("eu-west-1", Profile::Exam), 200);
    let mut setup = on_demand();
    setup.account.on_demand_mib = 6;
    let mut bench = setup.build();
    for key in 0..4 {
        load(&mut bench, key, 0..60, 800, 10);
    }
    assert_eq!(shards_at(&mut bench, 100), 6);
}

/// KDS-CAP-14: the quotas of the Regions.
#[test]
fn kds_cap_14_the_shard_quota_depends_on_the_region() {
    let quota = |region, profile| StreamAccount::in_region(region, profile).shard_quota;
    assert_eq!(quota("us-east-1", Profile::Current), 20_000);
    assert_eq!(quota("sa-east-1", Profile::Current), 1_000);
    assert_eq!(quota("us-west-2", Profile::Exam), 500);
    assert_eq!(quota("sa-east-1", Profile::Exam), 200);
}

/// KDS-CAP-12, KDS-MOD-19: twice in any 24 hours.
#[test]
fn kds_cap_12_the_mode_is_switched_twice_a_day_at_most() {
    let mut bench = Setup::shards(3).build();
    let hour = |hour: u64| SimTime::from_secs(hour * HOURS);
    let (there, back) = (mode(CapacityMode::OnDemand), mode(CapacityMode::Provisioned));
    assert_eq!(bench.ask_and_wait(hour(1), there), None);
    assert_eq!(
        bench.ask_and_wait(hour(2), there),
        Some(Refusal::InvalidArgument),
        "it is on demand"
    );
    assert_eq!(bench.ask_and_wait(hour(3), back), None);
    assert_eq!(bench.ask_and_wait(hour(24), there), Some(Refusal::LimitExceeded));
    assert_eq!(bench.ask_and_wait(hour(25), there), None);
    assert_eq!(bench.ask_and_wait(hour(26), back), Some(Refusal::LimitExceeded));
}

/// KDS-CAP-13: a switch keeps the shards, and neither reads nor writes stop.
#[test]
fn kds_cap_13_a_switch_keeps_the_shards() {
    let mut bench = Setup::shards(7).build();
    bench.ask(SimTime::from_secs(10), mode(CapacityMode::OnDemand));
    assert!(bench.component.1.is_updating());
    bench.put(SimTime::from_secs(20), PutApi::PutRecords, records(0, 5, 100));
    bench.run_until(SimTime::from_secs(41));
    assert_eq!(bench.component.1.mode(), CapacityMode::OnDemand);
    assert_eq!(bench.open(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 5);
    assert_eq!(
        bench.component.1.provisioned_shards(),
        0,
        "they no longer count against the quota"
    );
}

/// KDS-CAP-17, KDS-CAP-21: capacity up front, some time after it was asked for, and only with Advantage.
#[test]
fn kds_cap_17_warm_throughput_is_there_before_the_load() {
    let warm = |mib| Operation::SetWarmThroughput { mib };
    let mut bench = on_demand().build();
    assert_eq!(
        bench.ask_and_wait(SimTime::from_secs(1), warm(10)),
        Some(Refusal::Validation)
    );
    let mut setup = on_demand();
    setup.account.advantage = true;
    setup.account.on_demand_mib = 12;
    let mut bench = setup.build();
    assert_eq!(
        bench.ask_and_wait(SimTime::from_secs(1), warm(13)),
        Some(Refusal::LimitExceeded),
        "KDS-CAP-18"
    );
    bench.ask(SimTime::from_secs(1_000), warm(10));
    assert!(bench.component.1.is_updating(), "KDS-CAP-21");
    assert_eq!(bench.open().len(), 4);
    bench.run_until(SimTime::from_secs(1_030));
    assert_eq!(bench.open().len(), 10);
}

/// KDS-CAP-19: beyond its warm throughput a stream grows as without.
#[test]
fn kds_cap_19_a_stream_grows_beyond_its_warm_throughput() {
    let mut setup = on_demand();
    setup.account.advantage = true;
    let mut bench = setup.build();
    bench.ask(SimTime::from_secs(1), Operation::SetWarmThroughput { mib: 5 });
    load(&mut bench, 1, 1..3, 700, 10);
    assert_eq!(shards_at(&mut bench, 30), 6);
}

/// KDS-CAP-20: lowered, it keeps what the highest minute of the last hour needs.
#[test]
fn kds_cap_20_lowered_warm_throughput_keeps_what_the_last_hour_needed() {
    let warm = |mib| Operation::SetWarmThroughput { mib };
    // The last of the busy minutes ends with minute 8.
    for (minute, kept) in [(40, 8), (67, 8), (68, 4), (150, 4)] {
        let mut setup = on_demand();
        setup.account.advantage = true;
        setup.hashes = even_ranges(20).iter().map(|range| range.start + (1 << 100)).collect();
        let mut bench = setup.build();
        bench.ask(SimTime::from_secs(1), warm(20));
        // 4,000 a second over 20 shards: twice that are eight shards.
        for key in 0..20 {
            load(&mut bench, key, 5..8, 200, 10);
        }
        assert_eq!(shards_at(&mut bench, minute), 20);
        assert_eq!(bench.ask_and_wait(at_minute(minute), warm(2)), None);
        assert_eq!(bench.open().len(), kept, "after minute {minute}");
    }
}

/// KDS-W-04: a shard takes the same in both modes.
#[test]
fn kds_w_04_a_shard_takes_the_same_in_both_modes() {
    let outcomes = |mode| {
        let mut setup = Setup::shards(4);
        setup.blueprint.mode = mode;
        let mut bench = setup.build();
        load(&mut bench, 1, 0..1, 1_200, 10);
        load(&mut bench, 2, 0..1, 300, 4_000);
        bench.run_until(at_minute(1));
        let calls = bench.take_calls().into_iter();
        let outcomes = calls.flat_map(|call| call.batch.records).map(|record| record.outcome());
        outcomes.collect::<Vec<_>>()
    };
    let (on_demand, provisioned) = (outcomes(CapacityMode::OnDemand), outcomes(CapacityMode::Provisioned));
    assert_eq!(on_demand, provisioned);
    assert!(
        on_demand
            .iter()
            .filter(|outcome| **outcome == Outcome::Throttled)
            .count()
            > 10_000
    );
}

/// KDS-CAP-08: with each shard the stream gets twice its write capacity to be read.
#[test]
fn kds_cap_08_read_capacity_grows_with_write_capacity() {
    let mut bench = on_demand().build();
    load(&mut bench, 1, 0..2, 501, 10);
    assert_eq!(shards_at(&mut bench, 17), 5);
    let at = at_minute(17);
    for shard in bench.open() {
        let shard = &mut bench.component.1.shards[to_usize(shard)];
        assert_eq!(shard.admit_read(at), Ok(()));
        shard.charge_read(at, 2 * MIB);
        assert_eq!(shard.admit_read(at), Err(ReadLimit::Bytes), "2 MiB a second each");
        assert_eq!(shard.admit_read(at + SimDuration::SECOND), Ok(()));
    }
}

/// KDS-CAP-03, KDS-MOD-12: what the highest minute of the last 30 days needs is there again, without any load; after that
/// time it is forgotten.
#[test]
fn kds_cap_03_a_peak_counts_for_thirty_days() {
    let day = 24 * 60;
    for (back_after, expected) in [(2 * day, 8), (31 * day, 2)] {
        let mut setup = on_demand();
        setup.hashes = even_ranges(16).iter().map(|range| range.start + (1 << 100)).collect();
        let mut bench = setup.build();
        for key in 0..16 {
            // 3,520 a second: twice that are eight shards.
            load(&mut bench, key, 0..2, 220, 10);
        }
        assert_eq!(shards_at(&mut bench, 60), 8);
        assert_eq!(bench.ask_and_wait(at_minute(60), mode(CapacityMode::Provisioned)), None);
        for (minute, target) in [(70, 4), (80, 2)] {
            assert_eq!(
                bench.ask_and_wait(at_minute(minute), Operation::UpdateShardCount { target }),
                None
            );
        }
        bench.run_until(at_minute(back_after));
        bench.take_calls();
        assert_eq!(
            bench.ask_and_wait(at_minute(back_after), mode(CapacityMode::OnDemand)),
            None
        );
        assert_eq!(
            shards_at(&mut bench, back_after + 120),
            expected,
            "after {back_after} minutes"
        );
    }
}

/// KDS-MOD-12: where the stream as a whole needs more, the shard with the highest load is split, and the widest of equals.
#[test]
fn kds_mod_12_the_busiest_and_then_the_widest_shards_are_split_first() {
    let mut setup = on_demand();
    setup.blueprint.warm_throughput_mib = 5;
    // As if a merge had left one range twice as wide.
    let mut bench = setup.build();
    let merge = Operation::MergeShards {
        shards: [ShardIndex(2), ShardIndex(3)],
    };
    bench.component.1.control.mode = CapacityMode::Provisioned;
    assert_eq!(bench.ask_and_wait(SimTime::from_secs(1), merge), None);
    bench.component.1.control.mode = CapacityMode::OnDemand;
    bench.apply(|(me, stream), cx| stream.start(*me, cx));
    for second in 310..360 {
        bench.put(SimTime::from_secs(second), PutApi::PutRecords, records(1, 100, 10));
    }
    // Three shards, five are wanted: the one with the load and the widest come first.
    bench.run_until(at_minute(21).saturating_sub(SimDuration::MIN));
    assert_eq!(bench.open(), [0, 1, 4]);
    bench.run_until(at_minute(21));
    assert_eq!(bench.open(), [0, 5, 6, 7, 8]);
}

/// 512,000 bytes a second are half of what a shard takes: one byte more in a minute is a need.
#[test]
fn half_the_bytes_of_a_shard_are_counted_to_the_byte() {
    for (more, splits) in [(0, false), (1, true)] {
        let mut bench = on_demand().build();
        load(&mut bench, 1, 0..1, 1, 512_000 - 100);
        bench.put(
            SimTime::from_secs(30),
            PutApi::PutRecords,
            records(1, 1, 60 * 100 + more),
        );
        bench.run_until(at_minute(20));
        assert_eq!(bench.open().len() > 4, splits, "{more} bytes more");
    }
}

#[test]
fn a_shard_that_waits_for_its_split_is_not_chosen_again() {
    let mut bench = on_demand().build();
    load(&mut bench, 1, 0..10, 600, 10);
    bench.run_until(at_minute(14));
    assert_eq!(bench.component.1.scaling.draws(), 1);
    assert_eq!(shards_at(&mut bench, 30), 5);
}

/// The owner may take the stream out of on-demand mode, reshard it, and put it back before the split is due.
#[test]
fn a_split_that_is_due_finds_the_stream_as_its_owner_left_it() {
    let busy = || {
        let mut bench = on_demand().build();
        load(&mut bench, 1, 0..1, 600, 10);
        bench
    };
    let mut bench = busy();
    assert_eq!(bench.ask_and_wait(at_minute(2), mode(CapacityMode::Provisioned)), None);
    assert_eq!(shards_at(&mut bench, 30), 4, "provisioned streams keep their shards");

    let mut bench = busy();
    assert_eq!(bench.ask_and_wait(at_minute(1), mode(CapacityMode::Provisioned)), None);
    let split = Operation::SplitShard {
        shard: Some(ShardIndex(1)),
        at: None,
    };
    assert_eq!(bench.ask_and_wait(at_minute(6), split), None);
    assert_eq!(bench.ask_and_wait(at_minute(11), mode(CapacityMode::OnDemand)), None);
    assert_eq!(shards_at(&mut bench, 30), 5, "the shard is closed already");
}

#[test]
fn a_shard_of_one_hash_key_is_never_split() {
    let mut setup = on_demand();
    setup.blueprint.mode = CapacityMode::Provisioned;
    setup.hashes = vec![0];
    let mut bench = setup.build();
    let alone = Operation::SplitShard {
        shard: Some(ShardIndex(0)),
        at: Some(1),
    };
    assert_eq!(bench.ask_and_wait(at_minute(1), alone), None);
    assert_eq!(bench.ask_and_wait(at_minute(7), mode(CapacityMode::OnDemand)), None);
    load(&mut bench, 0, 13..15, 600, 10);
    assert_eq!(shards_at(&mut bench, 60), 5);
}

/// Asked for as much as it already is, warm throughput takes away what was grown beyond it.
#[test]
fn warm_throughput_asked_for_again_takes_away_what_is_not_needed() {
    let mut setup = on_demand();
    setup.account.advantage = true;
    let mut bench = setup.build();
    let warm = Operation::SetWarmThroughput { mib: 5 };
    assert_eq!(bench.ask_and_wait(SimTime::from_secs(1), warm), None);
    load(&mut bench, 1, 6..8, 700, 10);
    assert_eq!(shards_at(&mut bench, 100), 6);
    assert_eq!(bench.ask_and_wait(at_minute(100), warm), None);
    assert_eq!(bench.open().len(), 5);
}

/// KDS-CAP-14: those of the account's other streams count as well.
#[test]
fn a_switch_to_provisioned_mode_needs_room_in_the_accounts_quota_of_shards() {
    for (elsewhere, refused) in [(96, None), (97, Some(Refusal::LimitExceeded))] {
        let mut setup = on_demand();
        setup.account.shard_quota = 100;
        let mut bench = setup.build();
        let operation = mode(CapacityMode::Provisioned);
        bench.apply(|(me, stream), cx| stream.operate(*me, operation, elsewhere, cx));
        let found = bench.changes().into_iter().find_map(|(_, change)| match change {
            StreamChange::Refused { refusal, .. } => Some(refusal),
            _ => None,
        });
        assert_eq!(found, refused, "four shards here and {elsewhere} elsewhere");
    }
}
