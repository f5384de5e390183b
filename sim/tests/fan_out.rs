//! Enhanced fan-out in whole pipelines.

use sim::blueprint::{Arrivals, Blueprint, ModelParameters, PutApi};
use sim::engine::quantity::Rate;
use sim::engine::time::SimDuration;
use sim::ids::{ProducerId, ReaderId};
use sim::observe::Observers;
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::pipeline;

fn checked(blueprint: &Blueprint) -> Session {
    let options = SessionOptions {
        checks: Checks::EveryEvent,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("the ledgers balance");
    session
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}

/// LAM-K-04, LAM-K-34: a mapping on a registered consumer is pushed everything and polls nothing.
#[test]
fn lam_k_04_a_mapping_on_a_consumer_makes_no_get_records_calls() {
    let mut blueprint = pipeline(2, SimDuration::from_minutes(12));
    blueprint.mappings[0].consumer = Some("enriching".to_owned());
    let session = checked(&blueprint);
    let counts = observers(&session).counts.as_ref().expect("all are attached");
    let reader = &counts.readers[ReaderId(0)];
    assert_eq!(reader.reads, 0);
    assert!(reader.events > 1_000, "{}", reader.events);
    // Two shards, and a renewal every five minutes (KDS-EFO-07).
    assert_eq!((reader.subscriptions, reader.subscriptions_refused), (6, 0));
    let produced = counts.producers[ProducerId(0)].produced;
    assert!(
        reader.acknowledged + 50 > produced,
        "{} of {produced}",
        reader.acknowledged
    );
}

/// Records that are put one at a time, and consumers whose function takes no time.
fn latency(consumers: u32) -> (u64, u64) {
    let mut blueprint = sim::testing::blueprints::fan_out(consumers, SimDuration::from_minutes(10));
    blueprint.model = ModelParameters::default();
    blueprint.producers[0].api = PutApi::PutRecord;
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(20));
    let session = checked(&blueprint);
    let latency = observers(&session).latency.as_ref().expect("all are attached");
    let all = latency.end_to_end();
    let micros = |span: Option<SimDuration>| span.expect("records took effect").as_nanos() / 1_000;
    (micros(all.mean()), micros(all.quantile(500_000)))
}

/// KDS-EFO-16, KDS-LAT-03, KDS-LAT-04: about 70 ms from put to receipt, however many consumers read.
#[test]
fn kds_efo_16_kds_lat_03_kds_lat_04_about_70_ms_with_one_consumer_and_with_five() {
    for consumers in [1, 5] {
        let (mean, median) = latency(consumers);
        assert!((66_000..=74_000).contains(&mean), "{consumers}: mean {mean} us");
        assert!((60_000..=80_000).contains(&median), "{consumers}: median {median} us");
    }
}
