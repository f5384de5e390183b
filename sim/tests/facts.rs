//! Facts that show only in the account of a whole run.
#![expect(clippy::as_conversions, reason = "a test's numbers are small")]

use sim::blueprint::{Architecture, Arrivals, Blueprint, ColdStart, Keys, Package};
use sim::directory::Component;
use sim::engine::quantity::Rate;
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{FunctionId, StreamId};
use sim::observe::Observers;
use sim::observe::metrics::{Metric, Statistic};
use sim::services::lambda::cold_start;
use sim::session::{Session, SessionOptions};
use sim::testing::blueprints::pipeline;

fn run(blueprint: &Blueprint) -> Session {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("the blueprint is valid");
    session.seek(session.end()).expect("the ledgers balance");
    session
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
fn sum(session: &Session, metric: Metric, component: Component) -> u64 {
    let metrics = observers(session).metrics.as_ref().expect("all observers are there");
    let whole = (SimTime::ZERO, session.end());
    metrics
        .value(metric, component, Statistic::Sum, whole.0, whole.1)
        .map_or(0, |quotient| quotient.as_f64() as u64)
}

/// Incoming metrics leave out what was refused, so demand is the sum of incoming and throttled.
#[test]
fn kds_w_18_demand_is_what_came_in_and_what_was_refused() {
    let mut blueprint = pipeline(1, SimDuration::from_secs(60));
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1_500));
    blueprint.producers[0].resend_failed = None;
    let session = run(&blueprint);
    let counts = observers(&session).counts.as_ref().expect("all observers are there");
    let stream = Component::Stream(StreamId(0));
    let incoming = sum(&session, Metric::IncomingRecords, stream);
    let throttled = sum(&session, Metric::WriteProvisionedThroughputExceeded, stream);
    let sent: u64 = counts
        .producers
        .iter()
        .map(|client| client.acknowledged + client.given_up())
        .sum();
    assert!(throttled > 20_000, "{throttled}");
    assert!(
        (60_000..62_000).contains(&incoming),
        "{incoming}: one shard's thousand a second, and its first second twice"
    );
    assert!(
        sent <= incoming + throttled && sent + 500 >= incoming + throttled,
        "{sent} of {incoming} + {throttled}"
    );
}

#[test]
fn kds_lat_06_with_a_poll_a_second_the_mean_propagation_delay_is_below_a_second() {
    let mut blueprint = pipeline(2, SimDuration::from_secs(120));
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(100));
    let session = run(&blueprint);
    let latency = observers(&session).latency.as_ref().expect("all observers are there");
    let delay = &latency.of(FunctionId(0).into()).expect("the function has run").since_arrival;
    let mean = delay.sum() / u128::from(delay.count());
    assert!(
        (400_000_000..1_000_000_000).contains(&mean),
        "{mean} ns from the stream to the end of the handler"
    );
}

/// With fewer places than lanes, batches are throttled and the shards fall behind; with enough, neither.
#[test]
fn lam_k_23_concurrency_below_the_number_of_lanes_throttles_and_falls_behind() {
    let outcome = |reserved| {
        let mut blueprint = pipeline(4, SimDuration::from_secs(120));
        blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(400));
        blueprint.producers[0].keys = Keys::Uniform { count: 1_000 };
        blueprint.mappings[0].parallelization_factor = 2;
        blueprint.functions[0].reserved_concurrency = Some(reserved);
        blueprint.functions[0].per_record = SimDuration::from_millis(15);
        blueprint.functions[0].timeout = SimDuration::from_secs(60);
        let session = run(&blueprint);
        let counts = observers(&session).counts.as_ref().expect("all observers are there");
        let throttles: u64 = counts.functions.iter().map(|function| function.throttles).sum();
        let produced: u64 = counts.producers.iter().map(|client| client.acknowledged).sum();
        let done: u64 = counts.readers.iter().map(|reader| reader.acknowledged).sum();
        (throttles, produced - done)
    };
    let (enough, few) = (outcome(8), outcome(2));
    assert_eq!(enough.0, 0, "eight places for eight lanes");
    assert!(few.0 > 0, "two places for eight lanes");
    assert!(
        few.1 > 3 * enough.1,
        "{} unfinished records against {}",
        few.1,
        enough.1
    );
}

/// From below 100 ms to above a second, over the published runtimes and with the time of placement.
#[test]
fn lam_r_13_cold_starts_take_from_below_a_tenth_of_a_second_to_above_a_second() {
    let init = |runtime: &str, package, extra| {
        cold_start::init_duration(&ColdStart::Published {
            runtime: runtime.to_owned(),
            architecture: Architecture::X86,
            package,
            extra: SimDuration::from_millis(extra),
        })
        .expect("a published runtime")
        .compile()
        .expect("a distribution")
    };
    assert!(
        init("rust", Package::Zip, 0).quantile(0.5) < 100_000_000,
        "the leanest runtime"
    );
    assert!(
        init("java21", Package::Image, 0).quantile(0.999) > 900_000_000,
        "the tail of the heaviest"
    );
    assert!(
        init("java21", Package::Zip, 900).quantile(0.5) > 1_000_000_000,
        "with dependencies of its own"
    );
}
