//! What a sink does with writes.

mod stores;

use super::*;
use crate::batch::{Batch, EventSource, InvocationOutcome, InvokeCall, WriteCall, Writer};
use crate::engine::distribution::Distribution;
use crate::engine::pool::{Handle, Pool};
use crate::ids::{FunctionId, MappingId, ProcessorId, ShardIndex};
use crate::testing::harness::{Harness, records};
use proptest::prelude::*;

const ORDERS: SinkId = SinkId(2);
const ENRICH: FunctionId = FunctionId(1);
type Sinking = Harness<(SinkId, Sink)>;

fn millis(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}
/// A sink whose network takes a millisecond each way.
fn sink(capacity: Option<Rate>, latency: Distribution) -> Sinking {
    let blueprint = SinkBlueprint {
        name: "orders".to_owned(),
        capacity,
        latency,
        max_connections: None,
        idempotent: false,
        service: SinkService::Database,
    };
    let model = ModelParameters {
        network_latency: Distribution::Constant(1e6),
        ..ModelParameters::default()
    };
    let sink = Sink::new(&blueprint, &model, &mut RandomStreams::new(7, 0)).expect("the blueprint is valid");
    Harness::new((ORDERS, sink))
}
/// A sink without latency.
fn line(capacity: Rate) -> Sinking {
    sink(Some(capacity), Distribution::Constant(0.0))
}
fn invocation() -> Handle {
    Pool::new().insert(()).expect("an empty pool has room")
}
fn batch(first: u32, count: u32) -> Batch {
    let invoke = InvokeCall {
        passage: crate::batch::Passage::default(),
        source: EventSource::Stream(MappingId(0)),
        reader: MappingId(0).into(),
        function: ENRICH,
        shard: ShardIndex(0),
        lane: 0,
        outcome: InvocationOutcome::Succeeded,
        response: crate::batch::BatchResponse::default(),
        window: None,
        state: None,
    };
    Batch {
        records: records(first, count),
        envelope: Envelope::Write(WriteCall {
            processor: ENRICH.into(),
            sink: ORDERS,
            reader: MappingId(0).into(),
            shard: ShardIndex(0),
            passage: invoke.passage,
            writer: Writer::Function {
                invocation: invocation(),
                invoke,
            },
            outcome: WriteOutcome::Written,
        }),
        ..Batch::default()
    }
}
fn write(harness: &mut Sinking, at: SimTime, first: u32, count: u32) {
    harness.send(at, batch(first, count), |batch| {
        world::Event::Sink(ORDERS, Event::Write { batch })
    });
}
/// Instants of delivery and the ordinal of the first record, in order.
fn deliveries(harness: &Sinking) -> Vec<(SimTime, u32)> {
    harness.find(|note| {
        let first = note.records.first().map_or(0, |record| record.ordinal);
        matches!(note.fact, Fact::RecordsDelivered { .. }).then_some((note.at, first))
    })
}
fn set_capacity(harness: &mut Sinking, at: SimTime, capacity: Option<Rate>) {
    harness.run_until(at);
    harness.apply(|(me, sink), cx| sink.set_capacity(*me, capacity, cx));
}
fn break_for(harness: &mut Sinking, at: SimTime, lasts: SimDuration) {
    harness.run_until(at);
    harness.apply(|(me, sink), cx| sink.break_for(*me, lasts, cx));
}

#[test]
fn a_write_is_delivered_and_answered_with_its_own_batch() {
    let mut harness = sink(None, Distribution::Constant(5e6));
    write(&mut harness, millis(10), 40, 3);
    harness.run();
    let [note] = harness.notes() else { panic!("one fact") };
    assert!(
        matches!(note.fact, Fact::RecordsDelivered { sink: ORDERS, processor: ProcessorId(1), received_at, .. } if received_at == millis(10))
    );
    assert_eq!((note.at, &note.records), (millis(15), &records(40, 3)));
    let calls = harness.take_calls();
    assert_eq!(calls.len(), 1);
    assert!(matches!(
        calls[0].event,
        world::Event::Function(ENRICH, lambda::Event::Written { .. })
    ));
    assert_eq!((calls[0].at, &calls[0].batch.records), (millis(16), &records(40, 3)));
    let Envelope::Write(call) = calls[0].batch.envelope else {
        panic!("the write's own envelope")
    };
    assert!(matches!(call.writer, Writer::Function { invocation: waits, .. } if waits == invocation()));
}

#[test]
fn writes_of_n_records_take_n_over_the_capacity_one_after_the_other() {
    let mut harness = line(Rate::per_second(1_000));
    write(&mut harness, millis(0), 0, 500);
    write(&mut harness, millis(100), 500, 250);
    write(&mut harness, millis(2_000), 750, 10);
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(millis(500), 0), (millis(750), 500), (millis(2_010), 750)]
    );
}

#[test]
fn a_capacity_that_does_not_divide_a_second_is_exact_in_the_long_run() {
    let mut harness = line(Rate::per_second(3));
    for number in 0..3_000 {
        write(&mut harness, SimTime::ZERO, number, 1);
    }
    harness.run();
    let delivered = deliveries(&harness);
    assert_eq!(delivered[0].0, SimTime::from_nanos(333_333_333));
    assert_eq!(delivered[2].0, SimTime::from_secs(1));
    assert_eq!(delivered[2_999].0, SimTime::from_secs(1_000));
}

#[test]
fn latency_comes_on_top_and_holds_nobody_up() {
    let mut harness = sink(Some(Rate::per_second(1_000)), Distribution::Constant(5e9));
    for number in 0..3 {
        write(&mut harness, SimTime::ZERO, number, 1);
    }
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(millis(5_001), 0), (millis(5_002), 1), (millis(5_003), 2)]
    );
}

#[test]
fn without_a_capacity_only_latency_counts() {
    let mut harness = sink(None, Distribution::Constant(5e6));
    for number in 0..3 {
        write(&mut harness, SimTime::ZERO, number, 10_000);
    }
    harness.run();
    assert_eq!(deliveries(&harness), [(millis(5), 0), (millis(5), 1), (millis(5), 2)]);
}

#[test]
fn a_higher_capacity_serves_what_waits_and_what_is_in_service() {
    let mut harness = line(Rate::per_second(1));
    write(&mut harness, millis(0), 0, 10);
    write(&mut harness, millis(0), 10, 30);
    set_capacity(&mut harness, SimTime::from_secs(4), Some(Rate::per_second(6)));
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(SimTime::from_secs(5), 0), (SimTime::from_secs(10), 10)],
        "six records were left of the first"
    );
}

#[test]
fn a_lower_capacity_slows_what_waits_and_leaves_alone_what_has_left_the_line() {
    let mut harness = sink(Some(Rate::per_second(10)), Distribution::Constant(2e9));
    for first in [0, 10, 20] {
        write(&mut harness, SimTime::ZERO, first, 10);
    }
    set_capacity(&mut harness, millis(1_500), Some(Rate::per_second(5)));
    write(&mut harness, millis(1_500), 30, 5);
    harness.run();
    let s = SimTime::from_secs;
    assert_eq!(
        deliveries(&harness),
        [(s(3), 0), (millis(4_500), 10), (millis(6_500), 20), (millis(7_500), 30)]
    );
}

#[test]
fn without_any_capacity_writes_wait_until_there_is_some() {
    let mut harness = line(Rate::ZERO);
    write(&mut harness, SimTime::ZERO, 0, 10);
    harness.run();
    assert_eq!((deliveries(&harness).len(), harness.component.1.records()), (0, 10));
    set_capacity(&mut harness, SimTime::from_secs(100), Some(Rate::per_second(10)));
    write(&mut harness, SimTime::from_secs(100), 10, 10);
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(SimTime::from_secs(101), 0), (SimTime::from_secs(102), 10)]
    );
}

#[test]
fn lifting_the_capacity_lets_everybody_through_at_once() {
    let mut harness = line(Rate::per_second(1));
    write(&mut harness, SimTime::ZERO, 0, 100);
    write(&mut harness, SimTime::ZERO, 100, 100);
    set_capacity(&mut harness, SimTime::from_secs(10), None);
    harness.run();
    let at_once = SimTime::from_secs(10) + SimDuration::MIN;
    assert_eq!(deliveries(&harness), [(at_once, 0), (at_once, 100)]);
}

#[test]
fn in_an_outage_everything_inside_stands_still() {
    let mut harness = sink(Some(Rate::per_second(10)), Distribution::Constant(1e9));
    for first in [0, 10, 20] {
        write(&mut harness, SimTime::ZERO, first, 10);
    }
    // Delivered at 2 s; with its latency running until 3 s; in service until 3 s.
    break_for(&mut harness, millis(2_500), SimDuration::from_secs(60));
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(millis(2_000), 0), (millis(63_000), 10), (millis(64_000), 20)],
        "what is delivered stays delivered, and the rest goes on where it stopped"
    );
}

#[test]
fn a_write_that_arrives_in_an_outage_is_served_after_it() {
    for capacity in [None, Some(Rate::per_second(10))] {
        let mut harness = sink(capacity, Distribution::Constant(1e9));
        break_for(&mut harness, SimTime::from_secs(1), SimDuration::from_secs(10));
        write(&mut harness, SimTime::from_secs(5), 0, 10);
        write(&mut harness, SimTime::from_secs(30), 10, 10);
        harness.run();
        let service = SimDuration::from_secs(u64::from(capacity.is_some()));
        assert_eq!(
            deliveries(&harness),
            [
                (SimTime::from_secs(12) + service, 0),
                (SimTime::from_secs(31) + service, 10)
            ]
        );
    }
}

#[test]
fn outages_that_overlap_are_one() {
    let mut harness = line(Rate::per_second(10));
    write(&mut harness, SimTime::ZERO, 0, 10);
    break_for(&mut harness, millis(500), SimDuration::from_secs(10));
    break_for(&mut harness, millis(5_500), SimDuration::from_secs(2));
    break_for(&mut harness, millis(8_500), SimDuration::from_secs(10));
    harness.run();
    assert_eq!(
        deliveries(&harness),
        [(millis(19_000), 0)],
        "from 0.5 s to 18.5 s, and half a second of service was left"
    );
}

#[test]
fn a_capacity_that_changes_in_an_outage_holds_after_it() {
    let mut harness = line(Rate::per_second(10));
    write(&mut harness, SimTime::ZERO, 0, 10);
    break_for(&mut harness, millis(500), SimDuration::from_secs(10));
    set_capacity(&mut harness, SimTime::from_secs(3), Some(Rate::per_second(5)));
    write(&mut harness, SimTime::from_secs(4), 10, 5);
    harness.run();
    assert_eq!(deliveries(&harness), [(millis(11_500), 0), (millis(12_500), 10)]);
}

#[test]
fn what_is_inside_can_be_counted() {
    let mut harness = line(Rate::per_second(10));
    write(&mut harness, SimTime::ZERO, 0, 10);
    write(&mut harness, SimTime::ZERO, 10, 5);
    harness.run_until(SimTime::ZERO);
    assert_eq!((harness.component.1.records(), harness.component.1.writes()), (15, 2));
    harness.run_until(SimTime::from_secs(1));
    assert_eq!((harness.component.1.records(), harness.component.1.writes()), (5, 1));
    harness.run();
    assert_eq!((harness.component.1.records(), harness.component.1.writes()), (0, 0));
}

#[test]
fn a_busy_sink_keeps_one_timer() {
    let mut harness = line(Rate::per_second(10));
    for number in 0..50 {
        write(&mut harness, SimTime::ZERO, number, 1);
    }
    harness.run_until(SimTime::ZERO);
    assert_eq!(harness.pending(), 1);
}

#[test]
fn the_fingerprint_sees_which_records_were_delivered() {
    let run = |first| {
        let mut harness = sink(None, Distribution::Constant(0.0));
        write(&mut harness, SimTime::ZERO, first, 3);
        harness.run();
        harness.fingerprint()
    };
    assert_eq!(run(0), run(0));
    assert_ne!(run(0), run(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A server with a first-come line, reckoned in fractions of a nanosecond: the line must agree with it, rounded down.
    #[test]
    fn the_line_is_an_exact_first_come_queue(
        count in 1..2_000_u64,
        per in 1..2_000_000_u64,
        writes in prop::collection::vec((0..5_000_000_u64, 0..600_u32), 1..60),
    ) {
        let per = SimDuration::from_nanos(per);
        let mut harness = line(Rate { count, per });
        let (mut at, mut free, mut expected) = (0_u128, 0_u128, Vec::new());
        for (number, (after, records)) in (0_u32..).zip(&writes) {
            at += u128::from(*after);
            write(&mut harness, SimTime::from_nanos(u64::try_from(at).expect("soon")), number * 1_000, *records);
            // In units of 1/count nanosecond.
            let arrival = at * u128::from(count);
            free = free.max(arrival) + u128::from(*records) * u128::from(per.as_nanos());
            // An empty write, or one below a nanosecond, is answered a nanosecond after it came.
            let done = (free / u128::from(count)).max(at + 1);
            expected.push(SimTime::from_nanos(u64::try_from(done).expect("soon")));
        }
        harness.run();
        let mut delivered: Vec<SimTime> = deliveries(&harness).into_iter().map(|(at, _)| at).collect();
        delivered.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(delivered, expected);
        prop_assert_eq!(harness.component.1.records(), 0);
    }

    #[test]
    fn every_write_is_delivered_once_whatever_happens_to_the_sink(
        writes in prop::collection::vec((0..3_000_u64, 0..50_u32), 1..40),
        changes in prop::collection::vec((0..30_000_u64, 0..4_u64, 1..20_000_u64), 0..12),
    ) {
        let mut harness = sink(Some(Rate::per_second(20)), Distribution::Uniform { low: 0.0, high: 5e9 });
        let mut at = 0;
        for (number, (after, records)) in (0_u32..).zip(&writes) {
            at += after;
            write(&mut harness, millis(at), number * 100, *records);
        }
        let mut changes = changes;
        changes.sort_unstable();
        for (at, kind, size) in changes {
            match kind {
                0 => break_for(&mut harness, millis(at), SimDuration::from_millis(size)),
                1 => set_capacity(&mut harness, millis(at), Some(Rate::ZERO)),
                2 => set_capacity(&mut harness, millis(at), None),
                _ => set_capacity(&mut harness, millis(at), Some(Rate::per_second(size))),
            }
        }
        let now = harness.now();
        set_capacity(&mut harness, now, Some(Rate::per_second(1_000)));
        harness.run();
        prop_assert_eq!(harness.take_calls().len(), writes.len());
        prop_assert_eq!(deliveries(&harness).len(), writes.len());
        prop_assert_eq!((harness.component.1.records(), harness.batches_under_way()), (0, 0));
    }
}
