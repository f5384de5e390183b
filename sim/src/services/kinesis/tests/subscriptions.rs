//! Enhanced fan-out: what a registered consumer is pushed, and what its subscriptions are refused for.

use super::{Bench, Client, ME, READER, SERVICE, Setup, record, records};
use crate::batch::{
    Batch, ChildShard, Envelope, EventsTaken, IteratorType, PushedEvent, ReadCaller, ServiceError, SubscribeCall,
};
use crate::engine::quantity::{KIB, MIB};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, ReaderId, ShardIndex};
use crate::record::Record;
use crate::services::kinesis::operation::Operation;
use crate::services::kinesis::{ConsumerSetting, Event, quotas};
use crate::testing::blueprints::{NETWORK, millis};
use crate::world;

const PUSH: SimDuration = SimDuration::from_millis(50);
const HORIZON: IteratorType = IteratorType::TrimHorizon;
const NAMES: [&str; 5] = ["audit", "billing", "fraud", "search", "shipping"];

/// A stream with so many consumers that are pushed to without being heard.
fn bench(shards: u32, consumers: u16) -> Bench {
    let mut setup = Setup::shards(shards);
    setup.model.fan_out_events_ahead = 1_000_000;
    setup.readers = (0..consumers).map(ReaderId).collect();
    setup.consumers = (0..consumers)
        .map(|number| ConsumerSetting {
            name: NAMES[usize::from(number)],
            reader: ReaderId(number),
            mapping: false,
        })
        .collect();
    setup.build()
}
fn subscribe(bench: &mut Bench, at: SimTime, reader: ReaderId, shard: u32, kind: IteratorType) {
    let batch = Batch {
        envelope: Envelope::Subscribe(SubscribeCall {
            reader,
            caller: ReadCaller::Mapping(MappingId(reader.0)),
            shard: ShardIndex(shard),
            kind,
            subscription: 0,
            position: 0,
            ends_at: SimTime::ZERO,
            error: None,
        }),
        ..Batch::default()
    };
    bench.send(at, batch, |batch| {
        world::Event::Stream(ME, Event::SubscribeReceived { batch })
    });
}
/// Records of a key, each put by itself so that it is admitted, at the given pace.
fn fill(bench: &mut Bench, from: SimTime, pace: SimDuration, count: u32, bytes: u64) {
    let mut at = from;
    for ordinal in 0..count {
        bench.put(at, crate::blueprint::PutApi::PutRecord, vec![record(0, ordinal, bytes)]);
        at += pace;
    }
}

/// What came to consumers: the answers to their calls, and the events.
#[derive(Default)]
struct Heard {
    answers: Vec<(SimTime, SubscribeCall)>,
    events: Vec<(SimTime, PushedEvent, Vec<Record>, Vec<ChildShard>)>,
}
impl Heard {
    fn errors(&self) -> Vec<Option<ServiceError>> {
        self.answers.iter().map(|(_, call)| call.error).collect()
    }
    /// Events with records.
    fn full(&self, reader: ReaderId) -> Vec<(SimTime, u64, u64)> {
        let of = self
            .events
            .iter()
            .filter(|(_, event, records, _)| event.reader == reader && !records.is_empty());
        of.map(|(at, _, records, _)| {
            let bytes = records.iter().map(|record| u64::from(record.bytes)).sum();
            (*at, u64::try_from(records.len()).expect("few"), bytes)
        })
        .collect()
    }
    fn ordinals(&self, reader: ReaderId) -> Vec<u32> {
        let of = self.events.iter().filter(|(_, event, ..)| event.reader == reader);
        of.flat_map(|(_, _, records, _)| records.iter().map(|record| record.ordinal))
            .collect()
    }
}
fn heard(bench: &mut Bench) -> Heard {
    bench.run();
    let mut heard = Heard::default();
    for call in bench.take_calls() {
        match call.batch.envelope {
            Envelope::Subscribe(answer) => heard.answers.push((call.at, answer)),
            Envelope::Pushed(event) => heard
                .events
                .push((call.at, event, call.batch.records, call.batch.child_shards)),
            _ => {}
        }
    }
    heard
}

/// KDS-EFO-06: one call, and then records come of themselves, each so long after it was stored.
#[test]
fn kds_efo_06_records_are_pushed_as_they_come() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(200), 20, 100);
    let heard = heard(&mut bench);
    let times: Vec<SimTime> = heard.full(READER).into_iter().map(|(at, ..)| at).collect();
    let expected: Vec<SimTime> = (0..20)
        .map(|n| millis(1_000 + 200 * n) + SERVICE + PUSH + NETWORK)
        .collect();
    assert_eq!(times, expected);
    assert_eq!(heard.ordinals(READER), (0..20).collect::<Vec<u32>>());
}

/// What comes within the least time between two events travels together: events are bounded however often is put.
#[test]
fn many_puts_share_an_event() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(1), 900, 100);
    let heard = heard(&mut bench);
    assert!(
        (85..=100).contains(&heard.full(READER).len()),
        "{}",
        heard.full(READER).len()
    );
    for (at, _, records, _) in &heard.events {
        for record in records {
            let age = at.since(record.arrived_at);
            assert!(
                age >= PUSH + NETWORK && age <= PUSH + NETWORK + SimDuration::from_millis(10),
                "{age}"
            );
        }
    }
    assert_eq!(heard.ordinals(READER).len(), 900);
}

#[test]
fn kds_efo_07_nothing_comes_after_five_minutes_and_the_consumer_hears_of_the_end() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(500), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(730), 500, 100);
    let heard = heard(&mut bench);
    let over = millis(500) + SimDuration::from_minutes(5);
    assert_eq!(heard.answers[0].1.ends_at, over);
    let last_full = heard.full(READER).last().expect("some came").0;
    assert!(
        last_full <= over && last_full + SimDuration::from_secs(2) > over,
        "{last_full}"
    );
    let (at, end, ..) = heard.events.last().expect("some came");
    assert!(
        end.closed && end.error.is_none() && *at == over + NETWORK,
        "{at}: {end:?}"
    );
    assert!(heard.full(READER).len() < 500);
}

/// KDS-EFO-12: another subscription goes on exactly where the last one ended, AT the token or AFTER the record before it.
#[test]
fn a_subscription_resumes_at_the_continuation() {
    for after in [false, true] {
        let mut bench = bench(1, 1);
        subscribe(&mut bench, millis(500), READER, 0, HORIZON);
        fill(&mut bench, millis(1_000), SimDuration::from_millis(730), 500, 100);
        bench.run_until(millis(301_000));
        let mut first = Heard::default();
        for call in bench.take_calls() {
            if let Envelope::Pushed(event) = call.batch.envelope {
                first.events.push((call.at, event, call.batch.records, Vec::new()));
            }
        }
        let token = first
            .events
            .last()
            .and_then(|(_, event, ..)| event.continuation)
            .expect("a token");
        let kind = if after {
            IteratorType::AfterSequenceNumber(token - 1)
        } else {
            IteratorType::AtSequenceNumber(token)
        };
        subscribe(&mut bench, millis(302_000), READER, 0, kind);
        let second = heard(&mut bench);
        let all = [first.ordinals(READER), second.ordinals(READER)].concat();
        assert_eq!(all, (0..500).collect::<Vec<u32>>());
    }
}

/// KDS-EFO-12, KDS-EFO-11: events without data come all the same, and carry the token.
#[test]
fn kds_efo_11_an_idle_subscription_pushes_an_empty_event_every_five_seconds() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(1), 3, 100);
    let heard = heard(&mut bench);
    let empty: Vec<_> = heard
        .events
        .iter()
        .filter(|(_, event, records, _)| records.is_empty() && !event.closed)
        .collect();
    assert!((57..=60).contains(&empty.len()), "{}", empty.len());
    assert!(
        empty
            .iter()
            .skip(1)
            .all(|(_, event, ..)| event.continuation == Some(3) && event.millis_behind == 0)
    );
}

/// The five seconds are those of one consumer and one shard.
#[test]
fn kds_efo_09_a_second_subscription_within_five_seconds_is_refused() {
    let mut bench = bench(2, 2);
    for (at, reader, shard) in [(0, 0, 0), (0, 1, 0), (0, 0, 1), (4_999, 0, 0)] {
        subscribe(&mut bench, millis(at), ReaderId(reader), shard, HORIZON);
    }
    let heard = heard(&mut bench);
    let refused = Some(ServiceError::ResourceInUse);
    assert_eq!(heard.errors(), [None, None, None, refused]);
}

/// Only after a call that failed can the limit of one call a second bind: before, KDS-EFO-09 decides.
#[test]
fn kds_efo_08_one_call_a_second_for_a_consumer_and_shard() {
    let mut bench = bench(2, 2);
    for (at, reader, shard) in [
        (0, 0, 0),
        (4_500, 0, 0),
        (5_200, 0, 0),
        (5_200, 1, 0),
        (5_200, 0, 1),
        (5_500, 0, 0),
    ] {
        subscribe(&mut bench, millis(at), ReaderId(reader), shard, HORIZON);
    }
    let heard = heard(&mut bench);
    let (in_use, limit) = (Some(ServiceError::ResourceInUse), Some(ServiceError::LimitExceeded));
    assert_eq!(heard.errors(), [None, in_use, limit, None, None, None]);
}

#[test]
fn kds_efo_10_after_five_seconds_a_second_subscription_takes_over() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(500), 20, 100);
    subscribe(&mut bench, millis(5_000), READER, 0, IteratorType::Latest);
    let heard = heard(&mut bench);
    assert_eq!(heard.errors(), [None, None]);
    let failed: Vec<_> = heard
        .events
        .iter()
        .filter(|(_, event, ..)| event.error.is_some())
        .collect();
    assert_eq!(failed.len(), 1);
    let (at, event, ..) = failed[0];
    assert_eq!(
        (*at, event.error, event.subscription),
        (millis(5_001), Some(ServiceError::ResourceInUse), 1)
    );
    let later = heard.events.iter().filter(|(at, ..)| *at > millis(5_001));
    assert!(later.clone().count() > 10 && later.clone().all(|(_, event, ..)| event.subscription == 2));
}

/// KDS-EFO-11, KDS-EFO-13: the last event of a shard that was split has no token, and names the children.
#[test]
fn kds_efo_13_at_the_end_of_a_shard_the_token_is_null() {
    let mut bench = bench(1, 1);
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(1_000), 10, 100);
    bench.run_until(millis(15_000));
    let split = Operation::SplitShard {
        shard: Some(ShardIndex(0)),
        at: None,
    };
    bench.apply(|(me, stream), cx| stream.operate(*me, split, 0, cx));
    let heard = heard(&mut bench);
    assert_eq!(heard.ordinals(READER).len(), 10);
    let (last, others) = heard.events.split_last().expect("some came");
    let (at, event, _, children) = last;
    assert!(
        event.closed && event.continuation.is_none() && *at > millis(45_000),
        "{event:?}"
    );
    let names: Vec<u32> = children.iter().map(|child| child.shard.0).collect();
    assert_eq!(names, [1, 2]);
    assert!(
        others
            .iter()
            .all(|(_, event, _, children)| event.continuation.is_some() && children.is_empty())
    );
}

#[test]
fn kds_efo_14_a_subscription_starts_at_any_of_five_positions() {
    for (kind, first) in [
        (IteratorType::TrimHorizon, Some(0)),
        (IteratorType::Latest, None),
        (IteratorType::AtSequenceNumber(4), Some(4)),
        (IteratorType::AfterSequenceNumber(4), Some(5)),
        (IteratorType::AtTimestamp(millis(7_010)), Some(6)),
    ] {
        let mut bench = bench(1, 1);
        fill(&mut bench, millis(1_000), SimDuration::from_millis(1_000), 10, 100);
        subscribe(&mut bench, millis(20_000), READER, 0, kind);
        assert_eq!(heard(&mut bench).ordinals(READER).first().copied(), first, "{kind:?}");
    }
}

/// 80 MiB wait, stored within 82 s.
fn backlog(consumers: u16) -> Heard {
    let mut bench = bench(1, consumers);
    fill(&mut bench, millis(0), SimDuration::from_millis(51), 1_600, 50 * KIB);
    for consumer in 0..consumers {
        subscribe(&mut bench, millis(100_000), ReaderId(consumer), 0, HORIZON);
    }
    heard(&mut bench)
}

/// KDS-EFO-01, KDS-MOD-14: two MiB a second, of which two MiB may come at once, in events of a MiB at most; each of five
/// consumers gets that.
#[test]
fn kds_efo_01_each_consumer_gets_two_mebibytes_a_second() {
    let heard = backlog(5);
    for consumer in 0..5 {
        let events = heard.full(ReaderId(consumer));
        let total: u64 = events.iter().map(|(.., bytes)| bytes).sum();
        assert_eq!(total, 1_600 * 50 * KIB);
        assert!(events.iter().all(|(.., bytes)| *bytes <= MIB));
        let (began, ended) = (events[0].0, events.last().expect("some came").0);
        let seconds = ended.since(began).as_millis();
        // 78.125 MiB less the two that the allowance holds.
        assert!((37_500..=38_600).contains(&seconds), "{seconds} ms");
    }
}

/// KDS-MOD-14: at most 10,000 records.
#[test]
fn kds_mod_14_an_event_has_ten_thousand_records_at_most() {
    let mut bench = bench(1, 1);
    for second in 0..30 {
        bench.put(
            millis(second * 1_000),
            crate::blueprint::PutApi::PutRecords,
            records(0, 500, 10),
        );
        bench.put(
            millis(second * 1_000 + 1),
            crate::blueprint::PutApi::PutRecords,
            records(0, 500, 10),
        );
    }
    subscribe(&mut bench, millis(60_000), READER, 0, HORIZON);
    let heard = heard(&mut bench);
    let sizes: Vec<u64> = heard.full(READER).into_iter().map(|(_, records, _)| records).collect();
    assert_eq!(sizes, [10_000, 10_000, 10_000]);
}

/// KDS-MOD-14: a record above a MiB travels alone, and what it has cost beyond the allowance is paid off before the next.
#[test]
fn kds_mod_14_a_large_record_travels_alone_and_is_paid_off() {
    let mut setup = Setup::shards(1);
    setup.blueprint.max_record_size_kib = quotas::MAX_RECORD_SIZE_KIB_MAX;
    setup.consumers = vec![ConsumerSetting {
        name: "audit",
        reader: READER,
        mapping: false,
    }];
    let mut bench = setup.build();
    bench.put(
        millis(0),
        crate::blueprint::PutApi::PutRecord,
        vec![record(0, 0, 10 * MIB)],
    );
    bench.put(
        millis(60_000),
        crate::blueprint::PutApi::PutRecord,
        vec![record(0, 1, 100)],
    );
    subscribe(&mut bench, millis(100_000), READER, 0, HORIZON);
    let events = heard(&mut bench).full(READER);
    let sizes: Vec<u64> = events.iter().map(|(_, _, bytes)| *bytes).collect();
    assert_eq!(sizes, [10 * MIB, 100]);
    let wait = events[1].0.since(events[0].0).as_millis();
    assert!((4_000..=4_100).contains(&wait), "{wait} ms: 8 MiB at 2 MiB a second");
}

/// KDS-EFO-15: consumers that are pushed to leave shared readers their five calls and two MB a second.
#[test]
fn kds_efo_15_fan_out_uses_nothing_of_the_shared_limits() {
    let calls = |consumers: u16| {
        let mut bench = bench(1, 5);
        fill(&mut bench, millis(0), SimDuration::from_millis(51), 1_600, 50 * KIB);
        for consumer in 0..consumers {
            subscribe(&mut bench, millis(100_000), ReaderId(consumer), 0, HORIZON);
        }
        for call in 0..100 {
            bench.get(millis(100_000 + 201 * call), READER, 0, 8 * call, 8);
        }
        bench.run();
        let calls = bench.take_calls().into_iter();
        let pages = calls.filter_map(|call| match call.batch.envelope {
            Envelope::Get(get) => Some((call.at, get.error, call.batch.records.len())),
            _ => None,
        });
        pages.collect::<Vec<_>>()
    };
    let alone = calls(0);
    assert!(alone.iter().all(|(_, error, records)| error.is_none() && *records == 8));
    assert_eq!(calls(5), alone);
}

/// A consumer that takes nothing is pushed no more than was agreed; what it takes makes room.
#[test]
fn events_that_are_not_taken_stop_the_next() {
    let mut setup = Setup::shards(1);
    setup.model.fan_out_events_ahead = 3;
    setup.consumers = vec![ConsumerSetting {
        name: "audit",
        reader: READER,
        mapping: false,
    }];
    let mut bench = setup.build();
    subscribe(&mut bench, millis(0), READER, 0, HORIZON);
    fill(&mut bench, millis(1_000), SimDuration::from_millis(100), 20, 100);
    let taken = Envelope::Acknowledge(EventsTaken {
        reader: READER,
        shard: ShardIndex(0),
        subscription: 1,
        events: 2,
        checkpoint: 3,
    });
    let batch = Batch {
        envelope: taken,
        ..Batch::default()
    };
    bench.send(millis(10_000), batch, |batch| {
        world::Event::Stream(ME, Event::EventAcknowledged { batch })
    });
    let heard = heard(&mut bench);
    let full = heard.full(READER);
    assert_eq!(full.len(), 4, "{full:?}");
    assert!(full[2].0 < millis(2_000) && full[3].0 > millis(10_000));
    assert_eq!(full[3].1, 17, "all the rest at once");
}
