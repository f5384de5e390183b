//! The life of registered consumers: their states, and how many there may be.

use super::control::Owner;
use super::subscriptions::{heard, subscribe};
use super::{Bench, Client, ME, READER, Setup, record};
use crate::batch::{IteratorType, ServiceError};
use crate::blueprint::PutApi;
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ReaderId};
use crate::observe::fact::StreamChange;
use crate::services::application;
use crate::services::kinesis::operation::{CapacityMode, ConsumerStatus, Operation, Refusal};
use crate::services::kinesis::{ConsumerSetting, Event};
use crate::testing::blueprints::{NETWORK, millis};
use crate::world;

const NAMES: [&str; 52] = [
    "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8",
    "b9", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7",
    "d8", "d9", "e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "f0", "f1",
];

/// Consumers of which so many are registered at the start. The first is read as.
fn setup(consumers: usize, registered: usize) -> Setup {
    let mut setup = Setup::shards(1);
    let consumers = NAMES[..consumers].iter().enumerate();
    setup.consumers = consumers
        .map(|(number, name)| ConsumerSetting {
            name,
            reader: (number == 0).then_some(READER),
            mapping: false,
            registered: number < registered,
        })
        .collect();
    setup
}
fn register(bench: &mut Bench, at: SimTime, consumer: usize) -> Option<Refusal> {
    bench.run_until(at);
    let before = bench.changes().len();
    bench.apply(|(me, stream), cx| stream.register_consumer(*me, NAMES[consumer], cx));
    refused(bench, before)
}
fn deregister(bench: &mut Bench, at: SimTime, consumer: usize) -> Option<Refusal> {
    bench.run_until(at);
    let before = bench.changes().len();
    bench.apply(|(me, stream), cx| stream.deregister_consumer(*me, NAMES[consumer], cx));
    refused(bench, before)
}
fn refused(bench: &Bench, before: usize) -> Option<Refusal> {
    bench.changes()[before..].iter().find_map(|(_, change)| match change {
        StreamChange::ConsumerRefused { refusal, .. } => Some(*refusal),
        _ => None,
    })
}
/// When it came to which state, in seconds.
fn states(bench: &Bench, of: u16) -> Vec<(u64, Option<ConsumerStatus>)> {
    let changes = bench.changes().into_iter();
    let states = changes.filter_map(|(at, change)| match change {
        StreamChange::ConsumerChanged { consumer, status } if consumer == of => {
            Some((at.since(SimTime::ZERO).as_secs(), status))
        }
        _ => None,
    });
    states.collect()
}

const CREATING: Option<ConsumerStatus> = Some(ConsumerStatus::Creating);
const ACTIVE: Option<ConsumerStatus> = Some(ConsumerStatus::Active);
const DELETING: Option<ConsumerStatus> = Some(ConsumerStatus::Deleting);

/// What it has subscribed to ends when it is deregistered.
#[test]
fn kds_efo_05_a_consumer_reads_while_it_is_active() {
    let mut bench = setup(1, 0).build();
    let horizon = IteratorType::TrimHorizon;
    for (number, second) in [500, 15_000, 21_000].into_iter().zip(0..) {
        bench.put(millis(number), PutApi::PutRecord, vec![record(0, second, 100)]);
    }
    for at in [1_000, 4_000, 13_000, 25_000, 32_000] {
        subscribe(&mut bench, millis(at), READER, 0, horizon);
    }
    assert_eq!(register(&mut bench, millis(2_000), 0), None);
    assert_eq!(deregister(&mut bench, millis(20_000), 0), None);
    let heard = heard(&mut bench);
    let (gone, passing) = (Some(ServiceError::ResourceNotFound), Some(ServiceError::ResourceInUse));
    assert_eq!(heard.errors(), [gone, passing, None, passing, gone]);
    assert_eq!(
        heard.ordinals(READER),
        [0, 1],
        "not what was put after it was deregistered"
    );
    let (at, last, ..) = heard.events.last().expect("there are some");
    assert_eq!((*at, last.closed, last.error), (millis(20_000) + NETWORK, true, gone));
    assert_eq!(
        states(&bench, 0),
        [(2, CREATING), (12, ACTIVE), (20, DELETING), (30, None)]
    );
}

/// Five on one stream here; the whole account counts (see the tests of whole worlds).
#[test]
fn kds_efo_03_the_sixth_consumer_in_creating_is_refused() {
    let mut bench = setup(9, 2).build();
    for consumer in 2..7 {
        assert_eq!(register(&mut bench, millis(1_000), consumer), None, "{consumer}");
    }
    assert_eq!(register(&mut bench, millis(10_999), 7), Some(Refusal::LimitExceeded));
    assert_eq!(states(&bench, 7), [], "a call that is refused does nothing");
    assert_eq!(register(&mut bench, millis(11_001), 7), None, "the others are ACTIVE");
    for consumer in 2..6 {
        assert_eq!(deregister(&mut bench, millis(12_000), consumer), None);
    }
    for consumer in 2..6 {
        assert_eq!(register(&mut bench, millis(22_500), consumer), None, "{consumer}");
    }
    assert_eq!(register(&mut bench, millis(22_600), 8), None, "number 7 is ACTIVE");
    // One that is deregistered while it is CREATING makes room, and never becomes ACTIVE.
    assert_eq!(deregister(&mut bench, millis(23_000), 8), None);
    let last = register(&mut bench, millis(23_001), 8);
    assert_eq!(last, Some(Refusal::ResourceInUse), "it is DELETING");
    assert_eq!(deregister(&mut bench, millis(23_002), 7), None);
    bench.run();
    assert_eq!(states(&bench, 8), [(22, CREATING), (23, DELETING), (33, None)]);
    assert_eq!(
        states(&bench, 3),
        [
            (1, CREATING),
            (11, ACTIVE),
            (12, DELETING),
            (22, None),
            (22, CREATING),
            (32, ACTIVE)
        ]
    );
}

/// A place is taken until a consumer is gone.
#[test]
fn kds_efo_02_the_stream_refuses_the_consumer_after_the_twentieth() {
    let mut bench = setup(22, 19).build();
    assert_eq!(
        register(&mut bench, millis(1_000), 3),
        Some(Refusal::ResourceInUse),
        "it is there"
    );
    assert_eq!(register(&mut bench, millis(1_000), 19), None);
    assert_eq!(register(&mut bench, millis(1_000), 20), Some(Refusal::LimitExceeded));
    assert_eq!(
        deregister(&mut bench, millis(2_000), 20),
        Some(Refusal::ResourceNotFound)
    );
    assert_eq!(deregister(&mut bench, millis(2_000), 0), None);
    assert_eq!(
        deregister(&mut bench, millis(3_000), 0),
        Some(Refusal::ResourceNotFound),
        "twice"
    );
    assert_eq!(
        register(&mut bench, millis(11_900), 20),
        Some(Refusal::LimitExceeded),
        "it is DELETING"
    );
    assert_eq!(register(&mut bench, millis(12_100), 20), None);
}

/// On demand with Advantage fifty; either of both alone is not enough.
#[test]
fn kds_efo_02_with_advantage_and_on_demand_the_stream_takes_fifty() {
    for (mode, advantage, most) in [
        (CapacityMode::OnDemand, true, 50),
        (CapacityMode::OnDemand, false, 20),
        (CapacityMode::Provisioned, true, 20),
    ] {
        let mut setup = setup(52, most);
        setup.blueprint.mode = mode;
        setup.account.advantage = advantage;
        setup.consumers[0].registered = false;
        let mut bench = setup.build();
        assert_eq!(register(&mut bench, millis(1_000), 0), None, "{mode:?}");
        let one_more = register(&mut bench, millis(1_000), most);
        assert_eq!(one_more, Some(Refusal::LimitExceeded), "{mode:?} {advantage}");
    }
}

/// The application's call: registers what is not there, and looks for it until it is ACTIVE.
#[test]
fn kds_efo_19_an_application_registers_the_consumer_that_it_does_not_find() {
    let mut bench = setup(7, 0).build();
    let wanted = |bench: &mut Bench, at| {
        bench.schedule(
            at,
            Phase::Arrive,
            world::Event::Stream(
                ME,
                Event::ConsumerWanted {
                    application: ApplicationId(0),
                    reader: READER,
                },
            ),
        );
    };
    for consumer in 1..6 {
        assert_eq!(register(&mut bench, millis(1_000), consumer), None);
    }
    // Refused, CREATING, ACTIVE.
    for at in [2_000, 12_000, 15_000, 22_500] {
        wanted(&mut bench, millis(at));
    }
    bench.run();
    let found = bench.take_calls().into_iter().filter_map(|call| match call.event {
        world::Event::Application(_, application::Event::ConsumerFound { is_active }) => Some((call.at, is_active)),
        _ => None,
    });
    let at = |ms, is_active| (millis(ms) + NETWORK, is_active);
    assert_eq!(
        found.collect::<Vec<_>>(),
        [at(2_000, false), at(12_000, false), at(15_000, false), at(22_500, true)]
    );
    assert_eq!(states(&bench, 0), [(12, CREATING), (22, ACTIVE)]);
    let refused = bench.changes().iter().any(|(at, change)| {
        let refusal = Refusal::LimitExceeded;
        *at == millis(2_000) && *change == StreamChange::ConsumerRefused { consumer: 0, refusal }
    });
    assert!(refused, "five were in CREATING");
}

#[test]
fn a_mode_switch_takes_no_consumer_away() {
    let mut setup = setup(52, 40);
    setup.blueprint.mode = CapacityMode::OnDemand;
    setup.account.advantage = true;
    let mut bench = setup.build();
    let mode = CapacityMode::Provisioned;
    assert_eq!(bench.ask_and_wait(millis(1_000), Operation::SetMode { mode }), None);
    let now = bench.now();
    assert_eq!(register(&mut bench, now, 41), Some(Refusal::LimitExceeded));
    subscribe(
        &mut bench,
        now + SimDuration::SECOND,
        ReaderId(0),
        0,
        IteratorType::TrimHorizon,
    );
    assert_eq!(heard(&mut bench).errors(), [None]);
}
