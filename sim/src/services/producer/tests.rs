//! What a client does, seen from its stream and its facts.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    reason = "a test looks for the facts and calls that it is about, and its numbers are small"
)]

mod properties;
mod requests;
mod windows;

use super::*;
use crate::batch::ServiceError;
use crate::blueprint::{Arrivals, Jitter, Keys, RetryMode, SdkRetry, Size, WeightedKey};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{MIB, Rate};
use crate::observe::fact::GiveUpReason;
use crate::record::Outcome;
use crate::testing::blueprints::{NETWORK, millis, model, producer};
use crate::testing::harness::{Call, Harness};

const ME: ProducerId = ProducerId(0);
const STREAM: crate::ids::Destination = crate::ids::Destination::Stream(crate::ids::StreamId(4));
/// From a request's departure to its response, unless a test says otherwise.
const ROUND_TRIP: SimDuration = SimDuration::from_millis(12);

/// A request that reached the stream.
#[derive(Clone, Debug)]
struct Request {
    /// When it left the client.
    sent_at: SimTime,
    call: PutCall,
    records: Vec<Record>,
}
impl Request {
    fn ordinals(&self) -> Vec<u32> {
        self.records.iter().map(|record| record.ordinal).collect()
    }
}

/// What the stream does with a request: it sets outcomes or an error, and tells how long the response takes.
type Behaviour = Box<dyn FnMut(&Request, &mut [Record]) -> (SimDuration, Option<ServiceError>)>;

/// A client and a stream that behaves as told.
struct Bench {
    harness: Harness<(ProducerId, Producer)>,
    behaviour: Behaviour,
    requests: Vec<Request>,
    /// The most calls that held a connection at one time, seen between milliseconds.
    busiest: u32,
}

fn bench(blueprint: &ProducerBlueprint) -> Bench {
    let keys = KeyTable::build(&[blueprint]);
    let mut streams = RandomStreams::new(7, 0);
    let range = keys.range(ME);
    let client = Producer::new(blueprint, STREAM, &keys, range, &model(), &mut streams).expect("it is valid");
    let mut harness = Harness::with_keys((ME, client), keys);
    harness.apply(|(me, client), cx| client.start(*me, cx));
    Bench {
        harness,
        behaviour: Box::new(|_, _| (ROUND_TRIP, None)),
        requests: Vec::new(),
        busiest: 0,
    }
}

impl Bench {
    fn run_until(&mut self, until: SimTime) {
        while self.harness.now() < until {
            let next = self.harness.now() + SimDuration::from_micros(500);
            self.harness.run_until(next);
            self.busiest = self.busiest.max(self.client().busy);
            for call in self.harness.take_calls() {
                self.answer(call);
            }
        }
    }
    fn answer(&mut self, mut call: Call) {
        let Envelope::Put(put) = call.batch.envelope else {
            panic!("{call:?} is no put")
        };
        let request = Request {
            sent_at: call.at.saturating_sub(NETWORK),
            call: put,
            records: call.batch.records.clone(),
        };
        assert_eq!(request.sent_at, put.sent_at);
        let (takes, error) = (self.behaviour)(&request, &mut call.batch.records);
        let outcomes = call.batch.records.iter().map(Record::outcome);
        let refused = to_u32(outcomes.filter(|outcome| *outcome != Outcome::Accepted).count());
        call.batch.envelope = Envelope::Put(PutCall { refused, error, ..put });
        let at = (request.sent_at + takes).max(call.at + SimDuration::from_micros(500));
        self.harness.send(at, call.batch, |batch| {
            world::Event::Producer(ME, Event::Responded { batch })
        });
        self.requests.push(request);
    }
    fn client(&self) -> &Producer {
        &self.harness.component.1
    }
    fn sent(&self) -> Vec<(u64, usize)> {
        let each = self.requests.iter();
        each.map(|request| (request.sent_at.as_millis(), request.records.len()))
            .collect()
    }
    /// Records of the facts that `which` picks.
    fn total(&self, which: impl Fn(&Fact<'_>) -> bool) -> usize {
        let picked = self.harness.notes().iter().filter(|note| which(&note.fact));
        picked.map(|note| note.records.len()).sum()
    }
    fn produced(&self) -> usize {
        self.total(|fact| matches!(fact, Fact::RecordsProduced { .. }))
    }
    fn acknowledged(&self) -> usize {
        self.total(|fact| matches!(fact, Fact::RecordsAcknowledged { .. }))
    }
    fn given_up(&self, why: GiveUpReason) -> usize {
        self.total(|fact| matches!(fact, Fact::RecordsGivenUp { reason, .. } if *reason == why))
    }
}

/// As many a second, evenly spaced.
fn every(rate: u64) -> ProducerBlueprint {
    ProducerBlueprint {
        arrivals: Arrivals::Constant(Rate::per_second(rate)),
        ..producer("clicks", "records")
    }
}
/// The application sends refused entries again after 200 ms, 400 ms ...
fn resending(attempts: u32, blueprint: ProducerBlueprint) -> ProducerBlueprint {
    ProducerBlueprint {
        resend_failed: Some(Resend {
            attempts,
            backoff: SimDuration::from_millis(200),
            factor: 2,
            max_backoff: SimDuration::from_secs(5),
            jitter: Jitter::None,
        }),
        ..blueprint
    }
}
/// Single records, handled by window.
fn windowed(rate: u64) -> ProducerBlueprint {
    ProducerBlueprint {
        api: PutApi::PutRecord,
        call_window_threshold: Rate::ZERO,
        concurrency: 10_000,
        ..every(rate)
    }
}
/// The SDK makes so many attempts.
fn attempts(max_attempts: u32, blueprint: ProducerBlueprint) -> ProducerBlueprint {
    let mut blueprint = blueprint;
    blueprint.retry.max_attempts = max_attempts;
    blueprint
}
