//! Retention that changes during a run, and closed shards that expire.

use super::control::{HOURS, Owner};
use super::*;
use crate::observe::fact::StreamChange;
use crate::services::kinesis::operation::{Operation, Refusal};
use crate::services::kinesis::shard::ShardState;

const fn retention(hours: u32) -> Operation {
    Operation::SetRetention { hours }
}
fn hours(hours: u64) -> SimTime {
    SimTime::from_secs(hours * HOURS)
}
/// A record an hour, from the first on.
fn hourly(shards: u32, kept_hours: u32, until: u64) -> Bench {
    let mut setup = Setup::shards(shards);
    setup.blueprint.retention_hours = kept_hours;
    let mut bench = setup.build();
    for hour in 1..=until {
        bench.put(hours(hour), PutApi::PutRecords, vec![record(0, 0, 100)]);
    }
    bench.run_until(hours(until) + SimDuration::SECOND);
    bench.take_calls();
    bench
}
fn unexpired(bench: &mut Bench, at: SimTime) -> u64 {
    bench.run_until(at);
    bench.get(at, READER, 0, 0, 10_000);
    bench.run_until(at + SimDuration::SECOND);
    let page = only(bench.take_calls());
    u64::from(to_u32(page.batch.records.len()))
}

/// KDS-RET-04: whole hours, a larger value or a smaller one, from 24 to 8,760.
#[test]
fn kds_ret_04_a_retention_must_change_and_stay_within_bounds() {
    let mut bench = hourly(1, 48, 1);
    for (hour, (kept, refused)) in (2..).zip([
        (48, Some(Refusal::InvalidArgument)),
        (23, Some(Refusal::InvalidArgument)),
        (8_761, Some(Refusal::InvalidArgument)),
        (24, None),
        (8_760, None),
    ]) {
        assert_eq!(bench.ask_and_wait(hours(hour), retention(kept)), refused, "{kept} h");
    }
}

/// KDS-RET-05: a longer retention is in effect after minutes, and what was not trimmed until then lives longer.
#[test]
fn kds_ret_05_an_increase_takes_minutes() {
    let mut bench = hourly(1, 24, 30);
    // The record of hour 7 expires at 31:00, that of hour 8 at 32:00.
    bench.ask(hours(32).saturating_sub(SimDuration::from_minutes(1)), retention(48));
    assert_eq!(
        unexpired(&mut bench, hours(32) + SimDuration::MIN),
        22,
        "not in effect yet"
    );
    let effect = hours(32) + SimDuration::from_minutes(2);
    let completed = StreamChange::Completed {
        operation: retention(48),
    };
    assert_eq!(
        unexpired(&mut bench, hours(40)),
        22,
        "from then on nothing expires for a day"
    );
    assert!(bench.changes().contains(&(effect, completed)));
}

/// KDS-RET-06: nobody has looked at the shard for hours, and yet what had expired by then stays so.
#[test]
fn kds_ret_06_an_increase_revives_nothing() {
    let mut bench = hourly(1, 24, 20);
    bench.ask(hours(34), retention(100));
    assert_eq!(unexpired(&mut bench, hours(35)), 10, "the records of hours 11 to 20");
}

/// KDS-RET-07: a shorter retention is in effect at once; the reader is told what it has lost.
#[test]
fn kds_ret_07_a_decrease_takes_effect_at_once() {
    let mut bench = hourly(1, 48, 40);
    assert_eq!(unexpired(&mut bench, hours(41)), 40);
    bench.ask(hours(42), retention(24));
    assert!(!bench.component.1.is_updating());
    let trimmed = bench.component.1.shards()[0].log.horizon();
    assert_eq!(
        trimmed, 17,
        "also without a read or a put; that of hour 18 came a little later"
    );
    let (call, read) = bench.read(hours(42) + SimDuration::SECOND, 0, 0);
    assert_eq!(
        (call.expired, read.len()),
        (18, 22),
        "hours 1 to 18 are older than a day"
    );
}

/// KDS-RET-11, KDS-RS-10: a closed shard expires with its last records, and that follows a retention that changes.
#[test]
fn kds_ret_11_a_closed_shard_expires_with_all_that_it_held() {
    let state = |bench: &Bench| bench.component.1.shards()[0].state;
    let split = Operation::SplitShard {
        shard: Some(ShardIndex(0)),
        at: None,
    };
    let closed = hours(5) + SimDuration::from_secs(30);
    let day = SimDuration::from_hours(24);
    let mut bench = hourly(1, 24, 4);
    bench.ask(hours(5), split);
    bench.run_until((closed + day).saturating_sub(SimDuration::MIN));
    assert_eq!(state(&bench), ShardState::Closed { at: closed });
    bench.run_until(closed + day);
    assert_eq!(state(&bench), ShardState::Expired { at: closed + day });
    let shard = ShardIndex(0);
    assert_eq!(
        bench.changes().last(),
        Some(&(closed + day, StreamChange::ShardExpired { shard }))
    );
    let (call, read) = bench.read(closed + day + SimDuration::SECOND, 0, 0);
    assert_eq!((call.expired, read.len(), call.shard_end), (4, 0, true));

    let mut bench = hourly(1, 24, 4);
    bench.ask(hours(5), split);
    bench.ask_and_wait(hours(6), retention(48));
    bench.run_until(closed + day + day);
    assert_eq!(state(&bench), ShardState::Expired { at: closed + day + day });

    let mut bench = hourly(1, 48, 4);
    bench.ask(hours(5), split);
    bench.ask(hours(40), retention(24));
    assert_eq!(state(&bench), ShardState::Expired { at: hours(40) });
    bench.run_until(hours(200));
    assert_eq!(state(&bench), ShardState::Expired { at: hours(40) });
}

/// KDS-RET-06: also what nobody has put or read since, so that nothing has trimmed it.
#[test]
fn kds_ret_06_a_longer_retention_revives_nothing_that_has_expired_unnoticed() {
    let mut bench = hourly(1, 24, 3);
    bench.ask(hours(30), retention(48));
    assert_eq!(unexpired(&mut bench, hours(31)), 0);
}
