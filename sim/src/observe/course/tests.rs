use super::*;
use crate::batch::InvocationOutcome;
use crate::engine::time::SimDuration;
use crate::observe::sample::{
    CLICKS, ENRICH, ENRICHER, SHARD, WEB, at, delivered, directory, keys, put, record, records, refused, tally,
};
use crate::observe::{ObserverConfig, Observers, Probe};
use crate::record::Record;

fn observers() -> Observers {
    Observers::all(&ObserverConfig {
        names: directory(),
        keys: keys(2),
        blueprint: &crate::blueprint::Blueprint::empty(1, SimDuration::SECOND),
        each_record: false,
    })
}

fn course(observers: &Observers, millis: u64) -> Course {
    observers.course_until(at(millis)).expect("all observers are there")
}

fn started(records: &[Record], concurrent: u32) -> Fact<'_> {
    Fact::InvocationStarted {
        concurrency: crate::observe::sample::ONE_OF_MANY,
        function: ENRICHER,
        caller: crate::observe::fact::Caller::Reader(ENRICH),
        records,
        cold_start: None,
        concurrent,
        provisioned: crate::observe::fact::ProvisionedUse::default(),
    }
}

#[test]
fn each_step_holds_what_happened_in_it() {
    let mut observers = observers();
    let batch = [record(0, 0), record(0, 1), refused(record(1, 0))];
    let again = [record(0, 2)];
    observers.on(at(500), &put(&batch, &[tally(&batch, 0)], at(400)));
    observers.on(at(1_000), &put(&again, &[tally(&again, 2)], at(900)));
    observers.on(
        at(3_100),
        &Fact::RecordsProduced {
            producer: WEB,
            records: &batch,
        },
    );
    let course = course(&observers, 4_500);
    assert_eq!(course.grid().length(), SimDuration::SECOND);
    let shard: Vec<(u64, u64, u64)> = course
        .shards(CLICKS)
        .next()
        .expect("there is a shard")
        .iter()
        .map(|step| (step.accepted, step.bytes, step.throttled))
        .collect();
    assert_eq!(shard, [(2, 200, 1), (1, 100, 0), (0, 0, 0), (0, 0, 0)]);
    let produced: Vec<u64> = course.producer(WEB).iter().map(|step| step.produced).collect();
    assert_eq!(produced, [0, 0, 0, 3]);
}

#[test]
fn effects_have_latencies_and_anomalies_in_their_step() {
    let mut observers = observers();
    let batch = records(&[0, 1, 2]);
    observers.on(at(20), &put(&batch, &[tally(&batch, 0)], at(20)));
    observers.on(at(30), &delivered(&records(&[0, 2]), at(30)));
    observers.on(at(1_030), &delivered(&records(&[1]), at(1_030)));
    observers.on(at(1_040), &delivered(&records(&[2]), at(1_040)));
    let course = course(&observers, 1_500);
    let effects: Vec<(u64, u64, u64)> = course
        .effects(ENRICHER.into())
        .iter()
        .map(|step| (step.delivered, step.out_of_order, step.duplicates))
        .collect();
    assert_eq!(effects, [(2, 0, 0), (2, 1, 1)]);
    let medians: Vec<Option<u64>> = course
        .latency(ENRICHER.into())
        .iter()
        .map(|spread| {
            spread
                .quantile(500_000)
                .map(crate::engine::time::SimDuration::as_millis)
        })
        .collect();
    // 28 and 30 ms, then 1,029 and 1,038 ms, told by their buckets.
    assert_eq!(medians, [Some(27), Some(1_015)]);
    assert_eq!(
        course
            .latency(ENRICHER.into())
            .iter()
            .map(Spread::records)
            .collect::<Vec<_>>(),
        [2, 2]
    );
}

#[test]
fn concurrency_lasts_until_an_invocation_ends() {
    let mut observers = observers();
    observers.on(at(200), &started(&records(&[3]), 2));
    let ended = Fact::InvocationEnded {
        init: SimDuration::ZERO,
        passage: crate::batch::Passage::default(),
        shard: crate::ids::ShardIndex(0),
        write_pending: false,
        function: ENRICHER,
        caller: crate::observe::fact::Caller::Reader(ENRICH),
        records: 1,
        outcome: InvocationOutcome::TimedOut,
        duration: SimDuration::from_millis(2_000),
        cold_start: None,
        concurrent: 0,
        init_within: SimDuration::ZERO,
        provisioned: crate::observe::fact::ProvisionedUse::default(),
    };
    observers.on(at(2_200), &ended);
    observers.on(at(3_100), &started(&records(&[8]), 1));
    let course = course(&observers, 3_200);
    let steps: Vec<(u64, u64, Option<u64>)> = course
        .processor(ENRICHER.into())
        .iter()
        .map(|step| {
            (
                step.concurrent_max,
                step.failed,
                step.iterator_age_max.map(SimDuration::as_millis),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [(2, 0, Some(187)), (2, 0, None), (2, 1, None), (1, 0, Some(3_082))]
    );
}

#[test]
fn what_happens_at_the_end_belongs_to_the_last_step() {
    let mut observers = observers();
    let read = Fact::GetRecordsHandled {
        received_at: SimTime::ZERO,
        stream: CLICKS,
        shard: SHARD,
        reader: ENRICH,
        first_position: 0,
        records: &[],
        bytes: 0,
        millis_behind: 7,
        again: false,
    };
    observers.on(at(1_999), &started(&records(&[3]), 1));
    observers.on(at(2_000), &read);
    let course = course(&observers, 2_000);
    assert_eq!(course.grid().steps(), 2);
    let behind: Vec<Option<u64>> = course
        .reader(ENRICH)
        .iter()
        .map(|step| step.millis_behind_max)
        .collect();
    assert_eq!(behind, [None, Some(7)]);
}
