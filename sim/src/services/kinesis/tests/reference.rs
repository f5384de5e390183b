//! A stream against the plainest model of one: lists of records, looked through from the start.

use super::control::Owner;
use super::*;
use crate::batch::IteratorType;
use crate::key::{HashRange, KeyTable};
use crate::services::kinesis::operation::Operation;
use crate::services::kinesis::plan::midpoint;
use proptest::collection::vec;
use proptest::prelude::*;

/// What a test does next, with numbers that are read as a choice among what there is.
#[derive(Clone, Debug)]
enum Deed {
    /// Stores records of these keys.
    Put(Vec<u32>),
    Split {
        open: usize,
        middle: bool,
        at: u128,
    },
    Merge {
        open: usize,
    },
    Retention {
        hours: u32,
    },
    /// Lets so many minutes pass.
    Wait(u64),
    Get {
        shard: usize,
        position: u64,
        limit: u32,
    },
    /// Gets an iterator of one of the five types, and reads with it.
    Iterator {
        shard: usize,
        kind: u8,
        /// A record, or the minutes since which records are wanted.
        at: u64,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => vec(0_u32..12, 1..6).prop_map(Deed::Put),
        2 => (any::<usize>(), any::<bool>(), any::<u128>()).prop_map(|(open, middle, at)| Deed::Split { open, middle, at }),
        2 => any::<usize>().prop_map(|open| Deed::Merge { open }),
        1 => (24_u32..72).prop_map(|hours| Deed::Retention { hours }),
        2 => prop_oneof![1_u64..60, 600_u64..2_000].prop_map(Deed::Wait),
        5 => (any::<usize>(), 0_u64..40, 1_u32..8).prop_map(|(shard, position, limit)| Deed::Get { shard, position, limit }),
        5 => (any::<usize>(), 0_u8..5, prop_oneof![0_u64..12, 0_u64..3_000]).prop_map(|(shard, kind, at)| Deed::Iterator { shard, kind, at }),
    ];
    vec(deed, 1..120)
}

struct PlainShard {
    range: HashRange,
    parents: Vec<u32>,
    children: Vec<u32>,
    open: bool,
    /// (arrival, key, ordinal), and whether it has been trimmed.
    records: Vec<(SimTime, u32, u32, bool)>,
}

/// The model.
struct Plain {
    shards: Vec<PlainShard>,
    retention: SimDuration,
}

impl Plain {
    fn new(shards: u32) -> Self {
        let shard = |range| PlainShard {
            range,
            parents: Vec::new(),
            children: Vec::new(),
            open: true,
            records: Vec::new(),
        };
        Self {
            shards: even_ranges(shards).into_iter().map(shard).collect(),
            retention: SimDuration::from_hours(24),
        }
    }
    /// Open shards in order of their ranges.
    fn open(&self) -> Vec<u32> {
        let mut open: Vec<u32> = (0..)
            .zip(&self.shards)
            .filter(|(_, shard)| shard.open)
            .map(|(number, _)| number)
            .collect();
        open.sort_by_key(|&number| self.shards[to_usize(number)].range.start);
        open
    }
    fn replace(&mut self, parents: &[u32], ranges: &[HashRange]) {
        for range in ranges {
            let child = to_u32(self.shards.len());
            for parent in parents {
                let parent = &mut self.shards[to_usize(*parent)];
                parent.open = false;
                parent.children.push(child);
            }
            self.shards.push(PlainShard {
                range: *range,
                parents: parents.to_vec(),
                children: Vec::new(),
                open: true,
                records: Vec::new(),
            });
        }
    }
    fn put(&mut self, at: SimTime, hash: u128, key: u32, ordinal: u32) {
        let mut shards = self.shards.iter_mut();
        let shard = shards.find(|shard| shard.open && shard.range.start <= hash && hash <= shard.range.end);
        let shard = shard.expect("open shards cover everything");
        shard.records.push((at, key, ordinal, false));
    }
    /// Trims by the retention that holds.
    fn trim(&mut self, now: SimTime) {
        for shard in &mut self.shards {
            for record in &mut shard.records {
                record.3 |= record.0 + self.retention <= now;
            }
        }
    }
    /// The position of the record with which a reader of an iterator begins: the first one that is there, in the order of
    /// the shard, and that the type asks for.
    fn iterator(&mut self, now: SimTime, shard: u32, kind: IteratorType) -> u64 {
        self.trim(now);
        let records = &self.shards[to_usize(shard)].records;
        let asked_for = |number: u64, arrived: SimTime| match kind {
            IteratorType::TrimHorizon => true,
            IteratorType::Latest => false,
            IteratorType::AtSequenceNumber(position) => number >= position,
            IteratorType::AfterSequenceNumber(position) => number > position,
            IteratorType::AtTimestamp(at) => arrived >= at,
        };
        let mut numbered = (0_u64..).zip(records);
        let found = numbered.find(|(number, record)| !record.3 && asked_for(*number, record.0));
        found.map_or(u64::try_from(records.len()).expect("few"), |(number, _)| number)
    }
    /// (records read, next position, expired, end).
    fn get(&mut self, now: SimTime, shard: u32, position: u64, limit: u32) -> (Vec<(u32, u32)>, u64, u64, bool) {
        self.trim(now);
        let shard = &self.shards[to_usize(shard)];
        let (mut next, mut expired, mut read) = (position, 0, Vec::new());
        for (number, record) in (0_u64..).zip(&shard.records) {
            if number < position || read.len() == to_usize(limit) {
                continue;
            }
            if record.3 {
                expired += 1;
            } else {
                read.push((record.1, record.2));
            }
            next = number + 1;
        }
        let end = !shard.open && next == u64::try_from(shard.records.len()).expect("few");
        (read, next, expired, end)
    }
}

/// Everything a stream does that can be seen is what the model does.
fn compare(shards: u32, hashes: &[u128], deeds: Vec<Deed>) -> Result<(), TestCaseError> {
    let setup = Setup {
        hashes: hashes.to_vec(),
        iterators: true,
        ..Setup::shards(shards)
    };
    let (mut bench, mut plain) = (setup.build(), Plain::new(shards));
    let mut ordinals = [0; 12];
    let mut now = SimTime::ZERO;
    for deed in deeds {
        now += SimDuration::from_secs(2);
        match deed {
            Deed::Put(keys) => {
                bench.put(now.saturating_sub(SERVICE), PutApi::PutRecords, {
                    let mut next = |&key: &u32| {
                        let ordinal = &mut ordinals[to_usize(key)];
                        *ordinal += 1;
                        record(key, *ordinal, 100)
                    };
                    keys.iter().map(&mut next).collect()
                });
                bench.run_until(now + SimDuration::SECOND);
                let Some(answer) = bench.take_calls().pop() else {
                    return Err(TestCaseError::fail("no answer"));
                };
                for stored in &answer.batch.records {
                    prop_assert_eq!(stored.outcome(), Outcome::Accepted);
                    plain.put(now, hashes[to_usize(stored.key.0)], stored.key.0, stored.ordinal);
                }
            }
            Deed::Split { open, middle, at } => {
                let choices = plain.open();
                let shard = choices[open % choices.len()];
                let range = plain.shards[to_usize(shard)].range;
                let wanted = if middle { midpoint(range) } else { at };
                let refused = bench.ask_and_wait(
                    now,
                    Operation::SplitShard {
                        shard: Some(ShardIndex(shard)),
                        at: (!middle).then_some(at),
                    },
                );
                let possible = range.start < wanted && wanted <= range.end;
                prop_assert_eq!(refused.is_none(), possible);
                if possible {
                    let (start, end) = (range.start, range.end);
                    let lower = HashRange { start, end: wanted - 1 };
                    plain.replace(&[shard], &[lower, HashRange { start: wanted, end }]);
                }
            }
            Deed::Merge { open } => {
                let choices = plain.open();
                if choices.len() > 1 {
                    let at = open % (choices.len() - 1);
                    let (lower, upper) = (choices[at], choices[at + 1]);
                    let operation = Operation::MergeShards {
                        shards: [ShardIndex(upper), ShardIndex(lower)],
                    };
                    prop_assert_eq!(bench.ask_and_wait(now, operation), None);
                    let range = HashRange {
                        start: plain.shards[to_usize(lower)].range.start,
                        end: plain.shards[to_usize(upper)].range.end,
                    };
                    plain.replace(&[lower, upper], &[range]);
                }
            }
            Deed::Retention { hours } => {
                let wanted = SimDuration::from_hours(u64::from(hours));
                let longer = wanted > plain.retention;
                let refused = bench.ask_and_wait(now, Operation::SetRetention { hours });
                prop_assert_eq!(refused.is_some(), wanted == plain.retention);
                // A longer one holds three minutes later.
                plain.trim(if longer {
                    now + SimDuration::from_minutes(3)
                } else {
                    now
                });
                plain.retention = wanted;
            }
            Deed::Wait(minutes) => bench.run_until(now + SimDuration::from_minutes(minutes)),
            Deed::Get { shard, position, limit } => {
                let shard = to_u32(shard % plain.shards.len());
                // No iterator points behind the next record.
                let position = position.min(u64::try_from(plain.shards[to_usize(shard)].records.len()).expect("few"));
                compare_page(&mut bench, &mut plain, now, (shard, position, limit))?;
            }
            Deed::Iterator { shard, kind, at } => {
                let shard = to_u32(shard % plain.shards.len());
                let stored = u64::try_from(plain.shards[to_usize(shard)].records.len()).expect("few");
                let kind = match kind {
                    0 => IteratorType::TrimHorizon,
                    1 => IteratorType::Latest,
                    2 => IteratorType::AtTimestamp(now.saturating_sub(SimDuration::from_minutes(at))),
                    // A sequence number is that of a record that there has been.
                    _ if stored == 0 => IteratorType::TrimHorizon,
                    3 => IteratorType::AtSequenceNumber(at % stored),
                    _ => IteratorType::AfterSequenceNumber(at % stored),
                };
                super::iterators::ask(&mut bench, now.saturating_sub(SERVICE), shard, kind);
                bench.run_until(now + SimDuration::SECOND);
                let Some(Envelope::Iterator(call)) = bench.take_calls().pop().map(|call| call.batch.envelope) else {
                    return Err(TestCaseError::fail("no iterator"));
                };
                prop_assert_eq!(call.error, None);
                prop_assert_eq!(call.position, plain.iterator(now, shard, kind), "{:?}", kind);
                now += SimDuration::from_secs(2);
                compare_page(&mut bench, &mut plain, now, (shard, call.position, 5))?;
            }
        }
        now = now.max(bench.now());
        prop_assert_eq!(bench.open(), plain.open());
        for (real, model) in bench.component.1.shards().iter().zip(&plain.shards) {
            prop_assert_eq!(real.origin.range, model.range);
            let parents: Vec<u32> = real.origin.parents.iter().flatten().map(|parent| parent.0).collect();
            prop_assert_eq!(&parents, &model.parents);
            prop_assert_eq!(
                real.log.next_position(),
                u64::try_from(model.records.len()).expect("few")
            );
        }
    }
    Ok(())
}

/// A page that is served at an instant is what the model reads.
fn compare_page(
    bench: &mut Bench,
    plain: &mut Plain,
    now: SimTime,
    (shard, position, limit): (u32, u64, u32),
) -> Result<(), TestCaseError> {
    bench.get(now.saturating_sub(SERVICE), READER, shard, position, limit);
    bench.run_until(now + SimDuration::SECOND);
    let Some(page) = bench.take_calls().pop() else {
        return Err(TestCaseError::fail("no page"));
    };
    let Envelope::Get(call) = page.batch.envelope else {
        return Err(TestCaseError::fail("no page"));
    };
    prop_assert_eq!(call.error, None);
    let read: Vec<(u32, u32)> = page.batch.records.iter().map(|one| (one.key.0, one.ordinal)).collect();
    let found = (read, call.position, call.expired, call.shard_end);
    prop_assert_eq!(found, plain.get(now, shard, position, limit));
    let named: Vec<u32> = page.batch.child_shards.iter().map(|child| child.shard.0).collect();
    let children = plain.shards[to_usize(shard)].children.clone();
    prop_assert_eq!(named, if call.shard_end { children } else { Vec::new() });
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// KDS-R-01, KDS-R-02, KDS-R-03, KDS-R-04, KDS-RS-09, KDS-R-16, KDS-R-23, KDS-RET-06: whatever is put, split, merged, trimmed and read, in whatever order.
    #[test]
    fn a_stream_is_what_the_plainest_model_of_one_is(
        shards in 1_u32..5, hashes in vec(any::<u128>(), 12), deeds in deeds(),
    ) {
        compare(shards, &hashes, deeds)?;
    }

    /// For the same arrivals a split never has more refused: each child takes what its parent took.
    #[test]
    fn a_split_never_refuses_more_of_the_same_arrivals(
        puts in vec((1_u64..1_500, 0_u32..8, 1_u32..500), 1..60),
        bytes in 1_u64..5_000,
        splits in vec((0_u64..40, any::<u32>()), 1..6),
    ) {
        let refused = |splits: &[(u64, u32)]| {
            let mut setup = Setup::shards(1);
            setup.hashes = even_ranges(8).iter().map(|range| range.start + (1 << 100)).collect();
            setup.model.reshard_time = SimDuration::MIN;
            let mut bench = setup.build();
            let mut due = splits.to_vec();
            due.sort_unstable();
            let (mut due, mut at) = (due.into_iter().peekable(), SimTime::from_secs(1));
            for &(gap, key, count) in &puts {
                at += SimDuration::from_millis(gap);
                bench.run_until(at);
                while due.next_if(|(second, _)| SimTime::from_secs(*second) <= at).is_some_and(|(_, choice)| {
                    let open = bench.open();
                    let shard = open[to_usize(choice) % open.len()];
                    bench.ask(at, Operation::SplitShard { shard: Some(ShardIndex(shard)), at: None });
                    true
                }) {}
                let until = at + SimDuration::MIN;
                bench.run_until(until);
                bench.put(until, PutApi::PutRecords, records(key, count, bytes));
            }
            bench.run_until(at + SimDuration::SECOND);
            let answers = bench.take_calls();
            let records = answers.iter().flat_map(|call| &call.batch.records);
            (records.filter(|record| record.outcome() == Outcome::Throttled).count(), bench.open().len())
        };
        let (whole, split) = (refused(&[]), refused(&splits));
        prop_assert!(split.0 <= whole.0, "{} refused with {} shards, {} with one", split.0, split.1, whole.0);
    }
}

/// The key table of a test has the keys at their hashes.
#[test]
fn keys_lie_at_their_hashes() {
    let keys: KeyTable = keys_at(&[7, u128::MAX]);
    let hashes: Vec<u128> = keys.entries().iter().map(|entry| entry.hash).collect();
    assert_eq!(hashes, [7, u128::MAX]);
}
