//! Which shards ListShards names.

use super::control::Owner;
use super::*;
use crate::batch::{ListCall, ShardFilter};
use crate::ids::ApplicationId;
use crate::services::kinesis::operation::Operation;

const HOUR: u64 = 3_600;

fn listed(bench: &mut Bench, at: SimTime, filter: ShardFilter) -> Vec<u32> {
    let batch = Batch {
        envelope: Envelope::List(ListCall {
            lister: crate::batch::Lister::Application(ApplicationId(0)),
            filter,
        }),
        ..Batch::default()
    };
    bench.send(at, batch, |batch| {
        world::Event::Stream(ME, Event::ListReceived { batch })
    });
    bench.run_until(at + SimDuration::SECOND);
    let answer = only(bench.take_calls());
    answer.batch.child_shards.iter().map(|child| child.shard.0).collect()
}

/// Shard 0 is split at 100 s into 1 and 2, of which 1 is split at 200 s into 3 and 4.
fn split_twice() -> Bench {
    let mut setup = Setup::shards(1);
    setup.iterators = true;
    let mut bench = setup.build();
    for (second, shard) in [(70, 0), (170, 1)] {
        let shard = Some(ShardIndex(shard));
        let operation = Operation::SplitShard { shard, at: None };
        assert_eq!(bench.ask_and_wait_until(SimTime::from_secs(second), operation), None);
    }
    bench
}

trait Waiting {
    fn ask_and_wait_until(&mut self, at: SimTime, operation: Operation) -> Option<()>;
}
impl Waiting for Bench {
    /// Asks, and lets the reshard's 30 s pass.
    fn ask_and_wait_until(&mut self, at: SimTime, operation: Operation) -> Option<()> {
        self.ask(at, operation);
        self.run_until(at + SimDuration::from_secs(31));
        self.component.1.is_updating().then_some(())
    }
}

/// Those that were open then; at the instant of a split its children are, and its parent is not any more.
#[test]
fn kds_kcl_45_a_reader_that_begins_at_an_instant_begins_with_the_shards_that_were_open_then() {
    let mut bench = split_twice();
    let second = SimTime::from_secs;
    let mut listed = |at: u64, filter| listed(&mut bench, second(at), filter);
    assert_eq!(listed(300, ShardFilter::AtLatest), [2, 3, 4]);
    assert_eq!(listed(310, ShardFilter::AtTrimHorizon), [0]);
    let before = |seconds: u64| ShardFilter::AtTimestamp(second(seconds).saturating_sub(SimDuration::MIN));
    assert_eq!(listed(320, ShardFilter::AtTimestamp(second(50))), [0]);
    assert_eq!(listed(330, before(100)), [0]);
    assert_eq!(listed(340, ShardFilter::AtTimestamp(second(100))), [1, 2]);
    assert_eq!(listed(350, before(200)), [1, 2]);
    assert_eq!(listed(360, ShardFilter::AtTimestamp(second(200))), [2, 3, 4]);
    // Once the first shard has expired, its children are the oldest there are; then 2, and the children of 1.
    let day = 24 * HOUR;
    assert_eq!(listed(day + 150, ShardFilter::AtTrimHorizon), [1, 2]);
    assert_eq!(listed(day + 160, ShardFilter::AtTimestamp(second(50))), [1, 2]);
    assert_eq!(listed(day + 250, ShardFilter::AtTrimHorizon), [2, 3, 4]);
    assert_eq!(listed(day + 260, ShardFilter::AtTimestamp(second(50))), [2, 3, 4]);
}
