//! Requests to a stream of many shards, of which observers are told in sums.

use super::*;
use crate::blueprint::{Arrivals, Blueprint, Keys, Resend};
use crate::directory::Component;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::ids::{FunctionId, ProcessorId};
use crate::observe::Probe;
use crate::observe::headroom::Headroom;
use crate::observe::metrics::Metric;
use crate::session::{Checks, Session, SessionOptions};
use crate::testing::blueprints::pipeline;

/// Hears everything, and counts what is told in sums and of how many requests nothing else is told.
#[derive(Default)]
struct Listener {
    takes_sums: bool,
    sums: u64,
    requests: u64,
}
impl Probe for Listener {
    fn on(&mut self, _: SimTime, fact: &Fact<'_>) {
        match fact {
            Fact::ShardsWritten { .. } => self.sums += 1,
            Fact::PutHandled { shards: [], .. } => self.requests += 1,
            _ => {}
        }
    }
    fn takes_sums(&self) -> bool {
        self.takes_sums
    }
}

/// Two producers of requests and one of single records, on so many keys of 64 shards.
fn wide(rate: u64, keys: u32, arrivals: impl Fn(Rate) -> Arrivals, service: Distribution) -> Blueprint {
    let mut blueprint = pipeline(64, SimDuration::from_secs(4));
    let one = &mut blueprint.producers[0];
    one.keys = Keys::Uniform { count: keys };
    one.arrivals = arrivals(Rate::per_second(rate));
    one.max_batch_records = 200;
    one.resend_failed = Some(Resend {
        attempts: 3,
        backoff: millis(100) - SimTime::ZERO,
        factor: 2,
        max_backoff: SimDuration::from_secs(2),
        jitter: crate::blueprint::Jitter::None,
    });
    let mut other = one.clone();
    other.name = "other".to_owned();
    let mut single = one.clone();
    single.name = "single".to_owned();
    single.api = PutApi::PutRecord;
    single.arrivals = arrivals(Rate::per_second(200));
    blueprint.producers.extend([other, single]);
    blueprint.model.put_service_time = service;
    blueprint
}

/// All that observers know at the end of a run.
fn known(
    blueprint: &Blueprint,
    mut listener: Option<&mut Listener>,
    halts: u64,
) -> impl PartialEq + core::fmt::Debug + use<> {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it is valid");
    for halt in 1..=halts {
        let until = SimTime::from_nanos(session.end().as_nanos() * halt / halts);
        let listener: Option<&mut dyn Probe> = match &mut listener {
            Some(listener) => Some(*listener),
            None => None,
        };
        let stop = session.advance_watched(until, u64::MAX, listener);
        assert!(stop.is_ok(), "{stop:?}");
        session.check_ledgers().expect("the books balance");
    }
    let observers = session.observers().expect("they are attached");
    let metrics = observers.metrics.as_ref();
    let series = |metric| {
        format!(
            "{:?}",
            metrics.and_then(|all| all.series(metric, Component::Stream(ME)))
        )
    };
    let causes = observers.causes.as_ref();
    (
        observers.counts.clone(),
        observers.usage.clone(),
        observers.latency.clone(),
        causes
            .and_then(|causes| causes.of(ProcessorId::from(FunctionId(0))))
            .cloned(),
        [
            Metric::IncomingBytes,
            Metric::PutRecordsBytes,
            Metric::PutRecordsSuccess,
        ]
        .map(series),
        session.fingerprint(),
    )
}

fn constant(rate: Rate) -> Arrivals {
    Arrivals::Constant(rate)
}

/// With room for all, with a few keys of which some get too much, and with requests that are served at one instant: what is
/// told in sums adds up to what is told request by request, wherever the run is halted, and the run is the same.
#[test]
fn what_is_told_in_sums_is_what_is_told_request_by_request() {
    let spread = Distribution::LogNormal {
        median: 2e7,
        sigma: 0.6,
    };
    let fixed = Distribution::Constant(2e7);
    let cases = [
        (wide(8_000, 2_000, Arrivals::Poisson, spread.clone()), true),
        (wide(8_000, 9, Arrivals::Poisson, spread), false),
        (wide(8_000, 300, constant, fixed), true),
    ];
    for (blueprint, calm) in cases {
        let mut listener = Listener::default();
        let each = known(&blueprint, Some(&mut listener), 1);
        assert_eq!(
            (listener.sums, listener.requests),
            (0, 0),
            "whoever wants every tally gets it"
        );
        assert!(known(&blueprint, None, 1) == each);
        assert!(known(&blueprint, None, 7) == each);
        let throttled = throttled(&blueprint);
        assert_eq!(throttled == 0, calm, "{throttled}");
    }
}

fn observed(blueprint: &Blueprint, checks: Checks) -> Session {
    let options = SessionOptions {
        checks,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("it is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("the books balance");
    session
}
fn throttled(blueprint: &Blueprint) -> u64 {
    let session = observed(blueprint, Checks::Every(SimDuration::SECOND));
    let counts = session.observers().and_then(|observers| observers.counts.as_ref());
    counts.expect("they are attached").streams[ME].throttled()
}

/// Each record's time is explained by its parts, in requests that are told in sums and in those that are not.
#[test]
fn the_parts_of_each_records_time_sum_to_it_where_requests_are_told_in_sums() {
    for keys in [9, 300] {
        let mut blueprint = wide(1_500, keys, constant, Distribution::Constant(2e7));
        blueprint.duration = SimDuration::from_secs(2);
        observed(&blueprint, Checks::EveryEvent);
    }
}

/// How close limits came is told once a second, and so it is the same where no limit is reached within one.
#[test]
fn the_use_of_limits_adds_up_to_the_same() {
    let blueprint = wide(4_000, 2_000, Arrivals::Poisson, Distribution::Constant(2e7));
    let rows = |listened: bool| {
        let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it is valid");
        let mut listener = Listener::default();
        let listener: Option<&mut dyn Probe> = if listened { Some(&mut listener) } else { None };
        let end = session.end();
        session
            .advance_watched(end, u64::MAX, listener)
            .expect("the books balance");
        let headroom = session.observers().and_then(|observers| observers.headroom.as_ref());
        headroom.map(Headroom::rows)
    };
    assert_eq!(rows(false), rows(true));
}

/// Alone, whoever takes sums hears of requests without their shards, and of the shards once a second and with each read.
#[test]
fn most_requests_are_told_in_sums() {
    let blueprint = wide(4_000, 2_000, Arrivals::Poisson, Distribution::Constant(2e7));
    let options = SessionOptions {
        observe: false,
        ..SessionOptions::default()
    };
    let mut session = Session::new(&blueprint, options).expect("it is valid");
    let mut listener = Listener {
        takes_sums: true,
        ..Listener::default()
    };
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut listener))
        .expect("it runs");
    assert!(
        listener.requests > 100 && listener.sums > 100,
        "{} {}",
        listener.requests,
        listener.sums
    );
}
