//! Shard iterators: where they start, how often they are given out, how long they hold.

use super::{Bench, Client, ME, READER, SERVICE, Setup, records};
use crate::batch::{Batch, Envelope, GetCall, IteratorCall, IteratorType, ReadCaller, ServiceError};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ShardIndex};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::services::kinesis::Event;
use crate::testing::blueprints::millis;
use crate::world;

const CALLER: ReadCaller = ReadCaller::Application {
    application: ApplicationId(0),
    worker: 0,
    tenure: 1,
};

fn bench() -> Bench {
    let mut setup = Setup::shards(2);
    setup.iterators = true;
    setup.build()
}

pub(super) fn ask(bench: &mut Bench, at: SimTime, shard: u32, kind: IteratorType) {
    let batch = Batch {
        envelope: Envelope::Iterator(IteratorCall {
            reader: READER,
            caller: CALLER,
            shard: ShardIndex(shard),
            kind,
            position: 0,
            issued_at: SimTime::ZERO,
            error: None,
        }),
        ..Batch::default()
    };
    bench.send(at, batch, |batch| {
        world::Event::Stream(ME, Event::IteratorReceived { batch })
    });
}
fn answers(bench: &mut Bench) -> Vec<IteratorCall> {
    bench.run();
    let calls = bench.take_calls().into_iter();
    calls
        .filter_map(|call| match call.batch.envelope {
            Envelope::Iterator(call) => Some(call),
            _ => None,
        })
        .collect()
}
/// The position of an iterator that is issued at `at`.
fn position(bench: &mut Bench, at: SimTime, kind: IteratorType) -> u64 {
    ask(bench, at.saturating_sub(SERVICE), 0, kind);
    answers(bench)[0].position
}

/// Ten records are stored in the first shard at 1 s, and ten at 2 s.
fn filled() -> Bench {
    let mut bench = bench();
    bench.put_records(SimTime::from_secs(1), records(0, 10, 100));
    bench.put_records(SimTime::from_secs(2), records(0, 10, 100));
    bench
}

/// KDS-R-01: the five types.
#[test]
fn kds_r_01_an_iterator_starts_where_its_type_says() {
    let mut bench = filled();
    let mut at = SimTime::from_secs(3);
    let mut of = |kind| {
        at += SimDuration::SECOND;
        position(&mut bench, at, kind)
    };
    assert_eq!(of(IteratorType::TrimHorizon), 0);
    assert_eq!(of(IteratorType::Latest), 20);
    assert_eq!(of(IteratorType::AtSequenceNumber(7)), 7);
    assert_eq!(of(IteratorType::AfterSequenceNumber(7)), 8);
    assert_eq!(of(IteratorType::AtTimestamp(SimTime::from_secs(2))), 10);
}

#[test]
fn kds_r_02_at_includes_the_named_record_and_after_does_not() {
    let mut bench = filled();
    let at = position(&mut bench, SimTime::from_secs(3), IteratorType::AtSequenceNumber(12));
    let after = position(&mut bench, SimTime::from_secs(4), IteratorType::AfterSequenceNumber(12));
    assert_eq!((at, after), (12, 13));
}

/// KDS-MOD-22: what is stored after that instant is not behind it.
#[test]
fn kds_mod_22_latest_is_after_what_was_stored_by_then() {
    let mut bench = bench();
    bench.put_records(SimTime::from_secs(1), records(0, 10, 100));
    ask(&mut bench, millis(1_990), 0, IteratorType::Latest);
    let issued = answers(&mut bench)[0];
    assert_eq!(issued.issued_at, millis(2_000));
    bench.put_records(millis(2_001) + SERVICE, records(0, 5, 100));
    assert_eq!(issued.position, 10);
}

/// KDS-R-17, KDS-MOD-23: five at once, five more each second, by shard, whatever GetRecords does meanwhile.
#[test]
fn kds_r_17_a_shard_gives_five_iterators_a_second() {
    let mut bench = bench();
    let at = SimTime::from_secs(1);
    for _ in 0..5 {
        bench.get(at, READER, 0, 0, 10);
    }
    for _ in 0..7 {
        ask(&mut bench, at, 0, IteratorType::TrimHorizon);
    }
    ask(&mut bench, at, 1, IteratorType::TrimHorizon);
    ask(
        &mut bench,
        at + SimDuration::from_millis(200),
        0,
        IteratorType::TrimHorizon,
    );
    ask(
        &mut bench,
        at + SimDuration::from_millis(201),
        0,
        IteratorType::TrimHorizon,
    );
    let answers = answers(&mut bench);
    let refused = |shard: u32| {
        let mine = answers.iter().filter(move |call| call.shard.0 == shard);
        mine.filter(|call| call.error == Some(ServiceError::ProvisionedThroughputExceeded))
            .count()
    };
    assert_eq!(
        (refused(0), refused(1)),
        (3, 0),
        "two at once, and one of the two that came later"
    );
    let stated = bench.find(|note| match note.fact {
        Fact::ApplicationChanged {
            change: ApplicationChange::IteratorAnswered { throttled, .. },
            ..
        } => Some(throttled),
        _ => None,
    });
    assert_eq!(stated.len(), 10);
    assert_eq!(stated.into_iter().filter(|throttled| *throttled).count(), 3);
}

/// A read with an iterator that was issued at `issued`, received at `at`.
fn read(bench: &mut Bench, issued: SimTime, at: SimTime) -> GetCall {
    let batch = Batch {
        envelope: Envelope::Get(GetCall {
            reader: READER,
            caller: CALLER,
            stream: ME,
            shard: ShardIndex(0),
            position: 0,
            limit: 3,
            checkpoint: 0,
            retry_lane: None,
            iterator_issued_at: issued,
            received_at: SimTime::ZERO,
            served_at: SimTime::ZERO,
            millis_behind: 0,
            expired: 0,
            shard_end: false,
            error: None,
        }),
        ..Batch::default()
    };
    bench.send(at, batch, |batch| {
        world::Event::Stream(ME, Event::GetReceived { batch })
    });
    bench.run();
    let calls = bench.take_calls().into_iter();
    let mut found = calls.filter_map(|call| match call.batch.envelope {
        Envelope::Get(call) => Some(call),
        _ => None,
    });
    found.next().expect("it is answered")
}

#[test]
fn kds_r_05_an_iterator_is_good_for_five_minutes() {
    let mut bench = filled();
    let issued = SimTime::from_secs(10);
    let page = read(&mut bench, issued, SimTime::from_secs(310));
    assert_eq!((page.error, page.position), (None, 3));
    assert_eq!(
        page.iterator_issued_at,
        SimTime::from_secs(310) + SERVICE,
        "the next one is fresh"
    );
    let used = read(&mut bench, issued, SimTime::from_secs(311));
    assert_eq!(
        used.error,
        Some(ServiceError::ExpiredIterator),
        "also if it has been used"
    );
    let mut other = filled();
    let late = read(&mut other, issued, SimTime::from_secs(310) + SimDuration::MIN);
    assert_eq!((late.error, late.position), (Some(ServiceError::ExpiredIterator), 0));
}
