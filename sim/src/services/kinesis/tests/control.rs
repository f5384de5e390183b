//! What is asked of a stream's control plane: when it takes effect, and what is refused.

use super::*;
use crate::observe::fact::StreamChange;
use crate::services::kinesis::operation::{Operation, Refusal};
use crate::services::kinesis::plan::{midpoint, target_ranges, transient_shards};
use crate::services::kinesis::shard_map::HashRange;

pub(super) const HOURS: u64 = 3_600;

/// What a test asks of the control plane.
pub(super) trait Owner {
    fn ask(&mut self, at: SimTime, operation: Operation);
    /// Asks, and lets everything take effect. Returns how it was refused, if it was.
    fn ask_and_wait(&mut self, at: SimTime, operation: Operation) -> Option<Refusal>;
    fn changes(&self) -> Vec<(SimTime, StreamChange)>;
    fn open(&self) -> Vec<u32>;
}
impl Owner for Bench {
    fn ask(&mut self, at: SimTime, operation: Operation) {
        self.run_until(at);
        self.apply(|(me, stream), cx| stream.operate(*me, operation, 0, cx));
    }
    fn ask_and_wait(&mut self, at: SimTime, operation: Operation) -> Option<Refusal> {
        let before = self.changes().len();
        self.ask(at, operation);
        let until = self.now() + SimDuration::from_minutes(5);
        self.run_until(until);
        self.changes()[before..].iter().find_map(|(_, change)| match change {
            StreamChange::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        })
    }
    fn changes(&self) -> Vec<(SimTime, StreamChange)> {
        let change = |note: &crate::testing::note::Note| match note.fact {
            Fact::StreamChanged { change, .. } => Some((note.at, change)),
            _ => None,
        };
        self.notes().iter().filter_map(change).collect()
    }
    fn open(&self) -> Vec<u32> {
        self.component.1.map().shards().iter().map(|shard| shard.0).collect()
    }
}

fn secs(secs: u64) -> SimTime {
    SimTime::from_secs(secs)
}
const fn split(shard: u32) -> Operation {
    Operation::SplitShard {
        shard: Some(ShardIndex(shard)),
        at: None,
    }
}
const fn merge(one: u32, other: u32) -> Operation {
    Operation::MergeShards {
        shards: [ShardIndex(one), ShardIndex(other)],
    }
}
const fn count(target: u32) -> Operation {
    Operation::UpdateShardCount { target }
}
fn opened_at(bench: &Bench) -> Vec<u64> {
    let opened = bench.changes().into_iter().filter_map(|(at, change)| match change {
        StreamChange::ShardOpened { .. } => Some(at.since(SimTime::ZERO).as_secs()),
        _ => None,
    });
    opened.collect()
}

/// KDS-RS-07, KDS-MOD-10, KDS-RS-22, KDS-CTL-09: the call returns at once, the switch comes after 30 s; UPDATING until then.
#[test]
fn kds_rs_07_a_split_is_asynchronous_and_takes_30_s() {
    let mut bench = Setup::shards(1).build();
    bench.ask(secs(10), split(0));
    assert!(bench.component.1.is_updating());
    bench.run_until(millis(39_999));
    assert_eq!(bench.open(), [0]);
    bench.run_until(secs(40));
    assert_eq!(bench.open(), [1, 2]);
    assert!(!bench.component.1.is_updating());
    let (first, last) = (bench.changes()[0], bench.changes()[4]);
    let operation = split(0);
    assert_eq!(first, (secs(10), StreamChange::Accepted { operation }));
    assert_eq!(last, (secs(40), StreamChange::Completed { operation }));
}

/// KDS-W-23: records are taken and given while the stream is UPDATING.
#[test]
fn kds_w_23_writes_and_reads_keep_working_while_a_stream_is_updating() {
    let mut bench = Setup::shards(1).build();
    bench.ask(secs(10), count(2));
    assert!(bench.component.1.is_updating());
    bench.put(secs(20), PutApi::PutRecords, records(0, 5, 100));
    bench.run_until(secs(21));
    bench.take_calls();
    bench.get(secs(22), READER, 0, 0, 10);
    bench.run_until(secs(23));
    assert!(bench.component.1.is_updating());
    let Envelope::Get(page) = only(bench.take_calls()).batch.envelope else {
        panic!("no page")
    };
    assert_eq!((page.error, page.position), (None, 5));
}

/// KDS-RS-08: one at a time; whatever else is asked meanwhile is refused, and stated.
#[test]
fn kds_rs_08_a_stream_that_is_updating_refuses_every_change() {
    let mut bench = Setup::shards(4).build();
    bench.ask(secs(10), split(0));
    let asked = [
        split(1),
        merge(1, 2),
        count(8),
        Operation::SetRetention { hours: 48 },
        Operation::SetMode {
            mode: CapacityMode::OnDemand,
        },
        Operation::SetMaxRecordSize { kib: 2_048 },
    ];
    for operation in asked {
        bench.ask(secs(20), operation);
        let refusal = Refusal::ResourceInUse;
        let refused = (secs(20), StreamChange::Refused { operation, refusal });
        assert_eq!(bench.changes().last(), Some(&refused));
    }
    assert_eq!(Refusal::ResourceInUse.name(), "ResourceInUseException");
    bench.run_until(secs(41));
    assert_eq!(bench.open().len(), 5);
    assert_eq!(bench.ask_and_wait(secs(42), split(1)), None, "ACTIVE again");
}

/// KDS-RS-03: without a hash key of the caller's, the middle as AWS computes it: two keys fewer below than above.
#[test]
fn kds_rs_03_a_split_without_a_hash_key_is_at_the_middle() {
    assert_eq!(midpoint(HashRange::WHOLE), (1 << 127) - 1);
    assert_eq!(midpoint(HashRange { start: 10, end: 21 }), 15);
    let mut bench = Setup::shards(1).build();
    assert_eq!(bench.ask_and_wait(secs(1), split(0)), None);
    let ranges = bench.component.1.ranges();
    assert_eq!((ranges[0].end, ranges[1].start), ((1 << 127) - 2, (1 << 127) - 1));
}

/// KDS-RS-02: both children must get a key.
#[test]
fn kds_rs_02_a_hash_key_at_the_start_or_outside_is_refused() {
    let quarter = even_ranges(4)[1];
    let at = |at| Operation::SplitShard {
        shard: Some(ShardIndex(1)),
        at: Some(at),
    };
    for (hash, refused) in [
        (quarter.start, true),
        (quarter.start - 1, true),
        (quarter.end + 1, true),
        (quarter.start + 1, false),
        (quarter.end, false),
    ] {
        let mut bench = Setup::shards(4).build();
        let found = bench.ask_and_wait(secs(1), at(hash));
        assert_eq!(found, refused.then_some(Refusal::InvalidArgument), "{hash}");
    }
}

/// KDS-RS-04: only neighbours can be merged, in whatever order they are named, and only open ones.
#[test]
fn kds_rs_04_only_neighbours_are_merged() {
    let mut bench = Setup::shards(4).build();
    assert_eq!(bench.ask_and_wait(secs(1), merge(0, 2)), Some(Refusal::InvalidArgument));
    assert_eq!(
        bench.ask_and_wait(secs(400), merge(1, 1)),
        Some(Refusal::InvalidArgument)
    );
    assert_eq!(
        bench.ask_and_wait(secs(800), merge(1, 9)),
        Some(Refusal::ResourceNotFound)
    );
    assert_eq!(bench.ask_and_wait(secs(1_200), merge(2, 1)), None);
    assert_eq!(bench.open(), [0, 4, 3]);
    assert_eq!(
        bench.ask_and_wait(secs(1_600), merge(0, 1)),
        Some(Refusal::InvalidArgument),
        "1 is closed"
    );
    assert_eq!(
        bench.ask_and_wait(secs(2_000), split(2)),
        Some(Refusal::InvalidArgument),
        "2 is closed"
    );
}

/// KDS-RS-06: in on-demand mode nobody but the service reshards.
#[test]
fn kds_rs_06_an_on_demand_stream_refuses_to_be_resharded() {
    let mut setup = Setup::shards(4);
    setup.blueprint.mode = CapacityMode::OnDemand;
    let mut bench = setup.build();
    for (number, operation) in (1..).zip([split(0), merge(0, 1), count(8)]) {
        let refused = bench.ask_and_wait(secs(number * 1_000), operation);
        assert_eq!(refused, Some(Refusal::Validation), "{operation}");
    }
}

/// KDS-RS-12, KDS-RS-13: from half to double; of an odd count the half is rounded up (KDS-MOD-11).
#[test]
fn kds_rs_13_a_call_changes_the_count_by_half_to_double() {
    for (shards, target, refused) in [
        (4, 8, None),
        (4, 9, Some(Refusal::LimitExceeded)),
        (4, 2, None),
        (4, 1, Some(Refusal::LimitExceeded)),
        (5, 3, None),
        (5, 2, Some(Refusal::LimitExceeded)),
        (5, 10, None),
        (5, 5, Some(Refusal::InvalidArgument)),
    ] {
        let mut bench = Setup::shards(shards).build();
        assert_eq!(
            bench.ask_and_wait(secs(1), count(target)),
            refused,
            "{shards} to {target}"
        );
        let wanted = if refused.is_some() { shards } else { target };
        assert_eq!(bench.open().len(), usize::try_from(wanted).expect("few"));
    }
}

/// KDS-RS-14, KDS-MOD-19: ten accepted calls in any 24 hours.
#[test]
fn kds_rs_14_the_count_is_changed_ten_times_a_day_at_most() {
    let mut bench = Setup::shards(2).build();
    for call in 0..10 {
        let target = if call % 2 == 0 { 4 } else { 2 };
        assert_eq!(
            bench.ask_and_wait(secs(1_000 + call * HOURS), count(target)),
            None,
            "call {call}"
        );
    }
    let day = 24 * HOURS;
    assert_eq!(
        bench.ask_and_wait(secs(999 + day), count(4)),
        Some(Refusal::LimitExceeded)
    );
    assert_eq!(
        bench.ask_and_wait(secs(1_000 + day), count(4)),
        None,
        "the first call is a day old"
    );
    assert_eq!(
        bench.ask_and_wait(secs(1_400 + day), count(8)),
        Some(Refusal::LimitExceeded)
    );
    assert_eq!(
        bench.ask_and_wait(secs(1_800 + day), split(4)),
        Some(Refusal::InvalidArgument),
        "4 is closed"
    );
}

/// KDS-RS-15: no stream is scaled beyond 10,000 shards.
#[test]
fn kds_rs_15_ten_thousand_shards_are_the_most() {
    let mut bench = Setup::shards(6_000).build();
    assert_eq!(bench.ask_and_wait(secs(1), count(10_001)), Some(Refusal::LimitExceeded));
    let mut bench = Setup::shards(10_002).build();
    assert_eq!(bench.ask_and_wait(secs(1), count(10_000)), Some(Refusal::LimitExceeded));
    assert_eq!(bench.ask_and_wait(secs(400), count(9_999)), None);
}

/// KDS-RS-16, KDS-CAP-14, KDS-RS-19: the account's quota counts the shards of other streams, and those that only live
/// between splits and merges.
#[test]
fn kds_rs_16_the_quota_of_the_account_holds_for_all_its_shards() {
    let setup = |quota| {
        let mut setup = Setup::shards(4);
        setup.account.shard_quota = quota;
        setup.build()
    };
    let elsewhere = |bench: &mut Bench, operation, elsewhere| {
        bench.apply(|(me, stream), cx| stream.operate(*me, operation, elsewhere, cx));
        matches!(
            bench.changes().last(),
            Some((
                _,
                StreamChange::Refused {
                    refusal: Refusal::LimitExceeded,
                    ..
                }
            ))
        )
    };
    assert!(elsewhere(&mut setup(7), count(8), 0));
    assert!(!elsewhere(&mut setup(8), count(8), 0));
    assert!(elsewhere(&mut setup(8), count(8), 1));
    assert!(elsewhere(&mut setup(5), split(0), 1));
    // From 4 to 5, four cuts are made before the eight pieces are merged.
    let (four, five) = (even_ranges(4), even_ranges(5));
    assert_eq!(transient_shards(&four, &five), 8);
    assert!(elsewhere(&mut setup(7), count(5), 0));
    assert!(!elsewhere(&mut setup(8), count(5), 0));
}

/// KDS-MOD-11: a doubled count splits each shard, a halved one merges neighbours.
#[test]
fn kds_mod_11_doubling_splits_each_shard_and_halving_merges_neighbours() {
    let mut bench = Setup::shards(3).build();
    let before = bench.component.1.ranges().to_vec();
    assert_eq!(bench.ask_and_wait(secs(1), count(6)), None);
    for (pair, range) in bench.component.1.ranges().chunks(2).zip(&before) {
        let middle = range.start + (range.end - range.start) / 2;
        assert_eq!(
            (pair[0].start, pair[0].end, pair[1].start, pair[1].end),
            (range.start, middle, middle + 1, range.end)
        );
    }
    assert_eq!(bench.ask_and_wait(secs(400), count(3)), None);
    assert_eq!(bench.component.1.ranges(), before);
}

/// KDS-MOD-11, KDS-RS-20: any other target leads to shards of equal size, by splits and merges of pairs alone.
#[test]
fn kds_rs_20_any_other_target_leads_to_shards_of_equal_size() {
    for (shards, target) in [(4, 5), (4, 6), (4, 7), (4, 3), (7, 4), (7, 11), (10, 19), (9, 5)] {
        let mut bench = Setup::shards(shards).build();
        assert_eq!(bench.ask_and_wait(secs(1), count(target)), None);
        assert_eq!(bench.component.1.ranges(), even_ranges(target), "{shards} to {target}");
        for shard in bench.component.1.shards() {
            let children = shard.children.iter().flatten().count();
            let parents = shard.origin.parents.iter().flatten().count();
            assert!(children <= 2 && parents <= 2, "KDS-RS-01");
            assert_eq!(shard.is_open(), children == 0);
        }
    }
}

/// KDS-RS-18, KDS-RS-21, KDS-MOD-10: 30 s where the count changes by a multiple of 25 %, else splits come first.
#[test]
fn kds_rs_18_steps_of_25_percent_finish_faster() {
    let end = |shards: u32, target: u32| {
        let mut bench = Setup::shards(shards).build();
        assert_eq!(bench.ask_and_wait(secs(0), count(target)), None);
        let (at, last) = *bench.changes().last().expect("some");
        assert_eq!(
            last,
            StreamChange::Completed {
                operation: count(target)
            }
        );
        (at.since(SimTime::ZERO).as_secs(), opened_at(&bench)[0])
    };
    assert_eq!(end(4, 8), (30, 30));
    assert_eq!(end(4, 5), (30, 30));
    assert_eq!(end(8, 6), (30, 30));
    assert_eq!(end(5, 6), (60, 30));
    assert_eq!(end(10, 17), (60, 30));
}

/// KDS-REC-06, KDS-REC-07: the new size holds after some seconds; one out of range is refused.
#[test]
fn kds_rec_07_larger_records_are_accepted_some_seconds_after_the_call() {
    let mut bench = Setup::shards(1).build();
    for kib in [1_023, 10_241] {
        let refused = bench.ask_and_wait(secs(1), Operation::SetMaxRecordSize { kib });
        assert_eq!(refused, Some(Refusal::Validation), "KDS-REC-06: {kib}");
        bench.run_until(secs(1_000));
    }
    for (at, kib) in [(1_100, 10_240), (1_500, 1_024)] {
        assert_eq!(bench.ask_and_wait(secs(at), Operation::SetMaxRecordSize { kib }), None);
    }
    bench.ask(secs(2_000), Operation::SetMaxRecordSize { kib: 4_096 });
    let large = || vec![record(0, 0, 3 * MIB)];
    let answer = |bench: &mut Bench, at| {
        bench.put(at, PutApi::PutRecords, large());
        bench.run_until(at + SimDuration::SECOND);
        let Envelope::Put(call) = only(bench.take_calls()).batch.envelope else {
            panic!("no answer")
        };
        call.error
    };
    assert_eq!(answer(&mut bench, secs(2_003)), Some(ServiceError::InvalidArgument));
    assert_eq!(answer(&mut bench, secs(2_006)), None);
    let (shard, first) = (ShardIndex(0), &bench.component.1.shards()[0]);
    assert_eq!(
        (first.index, first.log.next_position()),
        (shard, 0),
        "the bucket has to fill up to it first"
    );
    assert_eq!(answer(&mut bench, secs(2_020)), None);
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 1);
}

/// The hottest shard is the one with the highest load of late, refused records included.
#[test]
fn the_hottest_shard_is_the_one_with_the_highest_load_of_late() {
    let mut bench = Setup::shards(3).build();
    for second in 0..30 {
        bench.put(secs(second), PutApi::PutRecords, records(0, 100, 100));
    }
    for second in 400..430 {
        bench.put(secs(second), PutApi::PutRecords, records(2, 50, 100));
        bench.put(secs(second), PutApi::PutRecords, records(1, 3, 100_000));
    }
    bench.run_until(secs(431));
    bench.ask(secs(431), Operation::SplitShard { shard: None, at: None });
    bench.run_until(secs(500));
    assert_eq!(bench.open(), [0, 3, 4, 2], "300 KB/s weigh more than 50 records/s");
}

/// KDS-MOD-11: whatever the counts, the wanted ranges cover the hash space once.
#[test]
fn kds_mod_11_wanted_ranges_cover_the_hash_space_once() {
    for present in 1..40_u32 {
        for target in present.div_ceil(2)..=present * 2 {
            let wanted = target_ranges(&even_ranges(present), to_usize(target));
            assert_eq!(wanted.len(), to_usize(target));
            assert_eq!((wanted[0].start, wanted[wanted.len() - 1].end), (0, u128::MAX));
            assert!(wanted.windows(2).all(|pair| pair[0].end + 1 == pair[1].start));
        }
    }
}

/// The first number that no shard has yet is unknown as well.
#[test]
fn shards_that_never_were_are_not_found() {
    let mut bench = Setup::shards(2).build();
    let unknown = Some(Refusal::ResourceNotFound);
    assert_eq!(bench.ask_and_wait(secs(1_000), merge(1, 2)), unknown);
    assert_eq!(bench.ask_and_wait(secs(2_000), merge(2, 1)), unknown);
    assert_eq!(bench.ask_and_wait(secs(3_000), split(2)), unknown);
}

#[test]
fn a_range_of_one_hash_key_cannot_be_halved_by_doubling() {
    let present = [
        HashRange { start: 0, end: 0 },
        HashRange {
            start: 1,
            end: u128::MAX,
        },
    ];
    let wanted = target_ranges(&present, 4);
    assert_eq!(wanted, even_ranges(4));
}

#[test]
fn operations_are_named_as_aws_names_them() {
    let shards = [ShardIndex(1), ShardIndex(2)];
    let names = [
        (split(1), "SplitShard of shardId-000000000001"),
        (
            Operation::SplitShard { shard: None, at: None },
            "SplitShard of the hottest shard",
        ),
        (
            Operation::MergeShards { shards },
            "MergeShards of shardId-000000000001 and shardId-000000000002",
        ),
        (count(7), "UpdateShardCount to 7"),
        (Operation::SetRetention { hours: 48 }, "a retention of 48 h"),
        (
            Operation::SetMode {
                mode: CapacityMode::Provisioned,
            },
            "UpdateStreamMode to PROVISIONED",
        ),
        (
            Operation::SetMode {
                mode: CapacityMode::OnDemand,
            },
            "UpdateStreamMode to ON_DEMAND",
        ),
        (
            Operation::SetMaxRecordSize { kib: 2_048 },
            "UpdateMaxRecordSize to 2048 KiB",
        ),
        (
            Operation::SetWarmThroughput { mib: 9 },
            "UpdateStreamWarmThroughput to 9 MiB/s",
        ),
    ];
    for (operation, name) in names {
        assert_eq!(operation.to_string(), name);
    }
}
