//! The stream's side of enhanced fan-out, and what a mapping does with records that are pushed to it.

use super::retries::{all_done, destination, documents, given_up, tried};
use super::*;
use crate::batch::{Batch, EventsTaken, PushedEvent, ServiceError, SubscribeCall};
use crate::blueprint::{DestinationKind, ErrorHandling, Filter, StartingPosition};
use crate::observe::fact::DiscardReason;

/// Subscriptions of a mapping, as its stream keeps them.
pub(super) struct Pushes {
    open: Vec<Subscription>,
    /// Number of the last one.
    number: u32,
    /// How long a subscription lasts (KDS-EFO-07).
    pub(super) lifetime: SimDuration,
    /// Most records of an event.
    pub(super) event_records: u32,
    /// So many events may be under way.
    pub(super) ahead: u32,
    /// Every `SubscribeToShard`.
    pub(super) calls: Vec<(SimTime, SubscribeCall)>,
    /// The most records of a shard that were pushed and not yet acknowledged by the mapping, in events.
    pub(super) most_ahead: u32,
}

struct Subscription {
    call: SubscribeCall,
    position: u64,
    room: u32,
    next_at: SimTime,
}

impl Pushes {
    pub(super) fn new() -> Self {
        Self {
            open: Vec::new(),
            number: 0,
            lifetime: SimDuration::from_minutes(5),
            event_records: 10_000,
            ahead: 4,
            calls: Vec::new(),
            most_ahead: 0,
        }
    }
    pub(super) fn taken(&mut self, taken: EventsTaken) {
        let of = |open: &&mut Subscription| open.call.subscription == taken.subscription;
        if let Some(open) = self.open.iter_mut().find(of) {
            open.room += taken.events;
            assert!(open.room <= self.ahead, "more was taken than was pushed");
        }
    }
}

impl Bench {
    pub(super) fn answer_subscription(&mut self, mut call: Call, mut subscribe: SubscribeCall) {
        self.pushes.calls.push((call.at, subscribe));
        let served = call.at + SERVICE;
        if self.refused.iter().any(|span| span.contains(&call.at)) {
            subscribe.error = Some(ServiceError::ResourceInUse);
        } else {
            let log = &self.logs[to_usize(subscribe.shard.0)];
            subscribe.position = match subscribe.kind {
                IteratorType::AtSequenceNumber(position) => position,
                IteratorType::AfterSequenceNumber(position) => position + 1,
                IteratorType::TrimHorizon => log.horizon(),
                IteratorType::Latest => log.first_after(served),
                IteratorType::AtTimestamp(at) => log.first_after(at.saturating_sub(SimDuration::MIN)),
            };
            self.pushes.number += 1;
            subscribe.subscription = self.pushes.number;
            subscribe.ends_at = served + self.pushes.lifetime;
            self.pushes.open.retain(|open| open.call.shard != subscribe.shard);
            self.pushes.open.push(Subscription {
                call: subscribe,
                position: subscribe.position,
                room: self.pushes.ahead,
                next_at: served + NETWORK,
            });
        }
        call.batch.envelope = Envelope::Subscribe(subscribe);
        self.harness.send(served + NETWORK, call.batch, |batch| {
            world::Event::Mapping(ME, Event::Subscribed { batch })
        });
    }

    /// Pushes what is due by now.
    pub(super) fn push(&mut self) {
        let now = self.harness.now();
        for mut open in core::mem::take(&mut self.pushes.open) {
            if self.push_to(now, &mut open) {
                self.pushes.open.push(open);
            }
        }
    }

    /// Returns false if the subscription is over.
    fn push_to(&mut self, now: SimTime, open: &mut Subscription) -> bool {
        if now < open.next_at {
            return true;
        }
        if now >= open.call.ends_at {
            let continuation = Some(open.position);
            self.send_event(now, open, Batch::default(), (0, 0), continuation, true);
            return false;
        }
        if open.room == 0 {
            return true;
        }
        let log = &mut self.logs[to_usize(open.call.shard.0)];
        log.expire(now, self.retention);
        let mut batch = Batch::default();
        let page = log.read(open.position, self.pushes.event_records, 2 * MIB, now, &mut batch);
        let is_end = page.next == log.next_position();
        let closed = self.closed.iter().find(|(shard, _)| *shard == open.call.shard.0);
        let children = closed.filter(|_| is_end).map(|(_, children)| children.clone());
        if batch.records.is_empty() && page.expired == 0 && children.is_none() {
            return true;
        }
        open.position = page.next;
        open.room -= 1;
        open.next_at = now + SimDuration::from_millis(10);
        self.pushes.most_ahead = self.pushes.most_ahead.max(self.pushes.ahead - open.room);
        let behind = page
            .oldest_left
            .map_or(0, |arrived| now.since(arrived).as_millis().max(1));
        let over = children.is_some();
        batch.child_shards = children.unwrap_or_default();
        let continuation = (!over).then_some(page.next);
        self.send_event(now, open, batch, (behind, page.expired), continuation, over);
        !over
    }

    fn send_event(
        &mut self,
        now: SimTime,
        open: &Subscription,
        mut batch: Batch,
        (millis_behind, expired): (u64, u64),
        continuation: Option<u64>,
        closed: bool,
    ) {
        batch.envelope = Envelope::Pushed(PushedEvent {
            reader: open.call.reader,
            caller: open.call.caller,
            stream: STREAM,
            shard: open.call.shard,
            subscription: open.call.subscription,
            position: open.position,
            served_at: now,
            millis_behind,
            expired,
            continuation,
            closed,
            error: None,
        });
        self.harness.send(now + NETWORK, batch, |batch| {
            world::Event::Mapping(ME, Event::EventReceived { batch })
        });
    }
}

/// A mapping on a registered consumer, with these rules for failures.
fn pushed_to(rules: impl FnOnce(&mut ErrorHandling)) -> Setup {
    let mut setup = Setup::new();
    setup.blueprint.consumer = Some("reader".to_owned());
    rules(&mut setup.blueprint.errors);
    setup
}
/// Reads of new records, which a mapping that is pushed to has none of.
fn polls(bench: &Bench) -> usize {
    let first = |(_, get): &&(SimTime, GetCall)| get.retry_lane.is_none();
    bench.reads.iter().filter(first).count()
}

/// LAM-K-20: what failed is read again, and that is the only read.
#[test]
fn lam_k_20_a_pushed_batch_that_failed_is_read_again_and_tried_as_often_as_a_polled_one() {
    let mut bench = pushed_to(|errors| errors.maximum_retry_attempts = Some(2)).build();
    bench.store_many(millis(0), 3);
    bench.store_many(millis(2_000), 2);
    super::retries::poison(&mut bench, &[1]);
    bench.run_for(60);
    assert_eq!(tried(&bench), [vec![0, 1, 2], vec![0, 1, 2], vec![0, 1, 2], vec![3, 4]]);
    assert_eq!(given_up(&bench).len(), 1);
    assert_eq!((polls(&bench), bench.reads.len()), (0, 2), "two retries");
    assert!(
        bench.reads.iter().all(|(_, get)| get.limit == 3),
        "no more than the batch"
    );
    all_done(&bench, 5);
}

/// LAM-X-11, LAM-X-28: as for a polled batch, neighbours share a document.
#[test]
fn lam_x_11_a_pushed_batch_is_cut_in_two() {
    let mut bench = pushed_to(|errors| {
        errors.bisect_batch_on_function_error = true;
        errors.maximum_retry_attempts = Some(0);
        errors.on_failure = Some(destination(DestinationKind::Queue));
    })
    .build();
    bench.store_many(millis(0), 4);
    super::retries::poison(&mut bench, &[2, 3]);
    bench.run_for(60);
    assert_eq!(
        tried(&bench),
        [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![2], vec![3]]
    );
    let told: Vec<(u64, u64)> = documents(&bench).iter().map(|one| (one.start, one.end)).collect();
    assert_eq!(told, [(2, 3)]);
    let failed = bench.harness.find(|note| match note.fact {
        Fact::BatchFailed { records, .. } => Some(records),
        _ => None,
    });
    assert_eq!(failed, [4, 2, 1, 1], "the whole of what is cut");
    all_done(&bench, 4);
}

#[test]
fn lam_x_17_a_report_about_a_pushed_batch_leaves_its_suffix() {
    let mut bench = pushed_to(|errors| errors.report_batch_item_failures = true).build();
    bench.store_many(millis(0), 4);
    let mut first = true;
    bench.response = Box::new(move |_| {
        let failed = if core::mem::take(&mut first) {
            vec![2]
        } else {
            Vec::new()
        };
        (BatchResponse::ItemFailures, failed)
    });
    bench.run_for(60);
    assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![2, 3]]);
    all_done(&bench, 4);
}

/// Records that grew too old while they waited are given up without an invocation, and that, too, makes room for more:
/// the stream pushes no more than two events that have not been taken.
#[test]
fn lam_x_06_pushed_records_that_wait_too_long_are_given_up_and_make_room_for_others() {
    let mut setup = pushed_to(|errors| errors.maximum_record_age = Some(SimDuration::from_secs(60)));
    setup.blueprint.batch_size = 2;
    let mut bench = setup.build();
    (bench.pushes.event_records, bench.pushes.ahead) = (2, 2);
    bench.store_many(millis(0), 40);
    bench.store_many(SimTime::from_secs(120), 4);
    let mut first = true;
    bench.behaviour = Box::new(move |_| {
        let takes = if core::mem::take(&mut first) { 90 } else { 1 };
        (SimDuration::from_secs(takes), Succeeded)
    });
    bench.run_for(200);
    assert_eq!(bench.pushes.most_ahead, 2);
    let given_up = given_up(&bench);
    assert!(given_up.iter().all(|one| one.2 == DiscardReason::RecordAgeExceeded));
    assert_eq!(given_up.iter().map(|one| one.1.len()).sum::<usize>(), 38);
    assert_eq!(tried(&bench), [vec![0, 1], vec![40, 41], vec![42, 43]]);
    all_done(&bench, 44);
}

/// LAM-K-30: the checkpoint moves past what no filter wants, and the function sees nothing of it.
#[test]
fn lam_e_22_filters_look_at_pushed_records_too() {
    let mut setup = pushed_to(|_| {});
    setup.blueprint.filters = Some(vec![Filter {
        bytes: (200, 300),
        ..Filter::default()
    }]);
    let mut bench = setup.build();
    (bench.pushes.event_records, bench.pushes.ahead) = (1, 1);
    for bytes in [100, 250, 300, 200] {
        bench.store(millis(0), 0, bytes);
    }
    bench.run_for(20);
    let seen: Vec<u32> = bench.invocations.iter().flat_map(Invocation::ordinals).collect();
    assert_eq!(seen, [1, 3]);
    all_done(&bench, 4);
}

/// LAM-W-08: nobody polls, and yet the window is over two minutes after its end without a record.
#[test]
fn lam_w_06_a_window_of_pushed_records_is_closed_and_its_checkpoint_follows() {
    let mut setup = pushed_to(|_| {});
    setup.blueprint.tumbling_window = SimDuration::from_secs(30);
    let mut bench = setup.build();
    bench.state = Box::new(|_| Some(8));
    bench.store_many(SimTime::from_secs(10), 2);
    bench.store_many(SimTime::from_secs(40), 3);
    bench.run_for(179);
    let finals = |bench: &Bench| {
        let ended = |one: &&Invocation| one.call.window.is_some_and(|window| window.is_final);
        bench.invocations.iter().filter(ended).count()
    };
    assert_eq!((finals(&bench), bench.reader().progress.checkpoint()), (1, 2));
    bench.run_for(182);
    assert_eq!((finals(&bench), bench.reader().progress.checkpoint()), (2, 5));
    assert_eq!(polls(&bench), 0);
}

/// KDS-EFO-14: a subscription itself says where it starts, and no iterator is asked for. The record of each second has
/// its number as ordinal.
#[test]
fn lam_k_16_a_mapping_on_a_consumer_subscribes_at_its_starting_position() {
    for (position, expected) in [
        (StartingPosition::TrimHorizon, 0),
        (StartingPosition::Latest, 61),
        (StartingPosition::AtTimestamp(SimTime::from_secs(40)), 40),
    ] {
        let mut setup = pushed_to(|_| {});
        setup.blueprint.starting_position = position;
        setup.blueprint.created_at = SimTime::from_secs(50);
        setup.model.mapping_creation_delay = SimDuration::from_secs(10);
        setup.model.poll_interval = SimDuration::from_millis(100);
        let mut bench = setup.build();
        // A refused subscription begins where it would have begun, or later.
        bench.refused = vec![SimTime::from_secs(60)..millis(60_200)];
        for second in 0..100 {
            bench.store_many(SimTime::from_secs(second), 1);
        }
        bench.run_for(110);
        assert_eq!(bench.invocations[0].ordinals()[0], expected, "{position:?}");
        assert!(bench.pushes.calls.len() >= 2, "the first one was refused");
        let reader = bench.reader();
        assert_eq!((reader.start, reader.progress.checkpoint()), (u64::from(expected), 100));
    }
}

/// KDS-EFO-07: one that is over is followed by another, which begins where it ended.
#[test]
fn kds_efo_12_a_mapping_subscribes_again_where_its_subscription_ended() {
    let mut bench = pushed_to(|_| {}).build();
    bench.pushes.lifetime = SimDuration::from_secs(5);
    for second in 0..30 {
        bench.store_many(SimTime::from_secs(second), 1);
    }
    bench.run_for(35);
    let seen: Vec<u32> = bench.invocations.iter().flat_map(Invocation::ordinals).collect();
    assert_eq!(seen, (0..30).collect::<Vec<_>>());
    assert!(
        (6..=8).contains(&bench.pushes.calls.len()),
        "{}",
        bench.pushes.calls.len()
    );
}

/// LAM-E-13: nothing is acknowledged while the mapping is off; once it is on, what came in meanwhile makes room for more,
/// although the function still works on an earlier batch.
#[test]
fn lam_e_13_a_mapping_that_is_switched_on_again_has_more_pushed_to_it() {
    let mut setup = pushed_to(|_| {});
    setup.model.mapping_creation_delay = SECOND;
    let mut bench = setup.build();
    (bench.pushes.event_records, bench.pushes.ahead) = (1, 1);
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(100), Succeeded));
    let switch = |bench: &mut Bench, second: u64, enabled: bool| {
        bench.run_for(second);
        bench
            .harness
            .apply(|(me, mapping), cx| mapping.set_enabled(*me, enabled, cx));
    };
    bench.store_many(millis(0), 1);
    bench.run_for(10);
    switch(&mut bench, 20, false);
    bench.run_for(30);
    bench.store_many(SimTime::from_secs(30), 2);
    switch(&mut bench, 40, true);
    assert_eq!(
        bench.pushes.open[0].position, 2,
        "one event is all that it takes while it is off"
    );
    bench.run_for(60);
    assert_eq!(bench.pushes.open[0].position, 3);
    assert_eq!(bench.invocations.len(), 1);
}
