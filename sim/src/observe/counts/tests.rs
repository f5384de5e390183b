use super::*;
use crate::batch::InvocationOutcome;
use crate::engine::time::SimDuration;
use crate::ids::ShardIndex;
use crate::observe::fact::{QueueFact, ShardTally, StreamChange};
use crate::observe::queue_fact::Depth;
use crate::observe::sample::{
    AUDITOR, CLICKS, ENRICH, ENRICHER, ORDERS, SHARD, WEB, at, delivered, directory, put, record, records, refused,
    tally,
};
use crate::record::Outcome;

fn counts() -> Counts {
    Counts::new(&directory())
}

#[test]
fn a_client_is_counted_in_records_and_requests() {
    let mut counts = counts();
    let batch = records(&[0, 1, 2]);
    let sent = |api| Fact::RequestSent {
        bytes: 0,
        producer: WEB,
        target: crate::ids::Destination::Stream(CLICKS),
        api,
        records: &batch,
        attempt: 1,
        resends: 0,
    };
    let waits = |by| Fact::RetryScheduled {
        producer: WEB,
        by,
        at: at(100),
        records: 2,
    };
    let given_up = |reason| Fact::RecordsGivenUp {
        producer: WEB,
        reason,
        records: &batch[..1],
    };
    for fact in [
        Fact::RecordsProduced {
            producer: WEB,
            records: &batch,
        },
        sent(PutApi::PutRecords),
        sent(PutApi::PutRecord),
        waits(RetryBy::Sdk),
        waits(RetryBy::Application),
        given_up(GiveUpReason::NotResent),
        given_up(GiveUpReason::NotResent),
        given_up(GiveUpReason::AttemptsExhausted),
    ] {
        counts.on(at(5), &fact);
    }
    let web = &counts.producers[WEB];
    assert_eq!((web.produced, web.bytes_produced), (3, 300));
    assert_eq!(web.requests_sent, 1 + 3, "a cohort of single puts is three requests");
    assert_eq!((web.repeated_by_sdk, web.resent_by_application), (2, 2));
    assert_eq!((web.given_up_for(GiveUpReason::NotResent), web.given_up()), (2, 3));
}

#[test]
fn a_shard_remembers_its_first_throttle_and_its_busiest_seconds() {
    let mut counts = counts();
    let mut store = |millis, size: usize, bytes| {
        let batch = vec![record(0, 0); size];
        let shards = [ShardTally {
            bytes,
            ..tally(&batch, 0)
        }];
        counts.on(at(millis), &put(&batch, &shards, at(millis)));
    };
    store(100, 3, 900);
    store(900, 3, 900);
    store(1_000, 5, 2_000);
    store(2_500, 2, 100);
    let batch = [record(0, 0), refused(record(0, 1))];
    for millis in [2_600, 2_700] {
        counts.on(at(millis), &put(&batch, &[tally(&batch, 13)], at(millis)));
    }
    let stream = &counts.streams[CLICKS];
    assert_eq!((stream.puts, stream.accepted(), stream.throttled()), (6, 15, 2));
    assert_eq!(stream.first_throttled_at(), Some(at(2_600)));
    let by_records = stream.shards[0].busiest_by_records();
    assert_eq!((by_records.number, by_records.records), (0, 6));
    let by_bytes = stream.shards[0].busiest_by_bytes();
    assert_eq!((by_bytes.number, by_bytes.bytes), (1, 2_000));
}

#[test]
fn an_internal_failure_of_an_entry_belongs_to_no_shard() {
    let mut counts = counts();
    let mut failed = record(0, 1);
    failed.set_outcome(Outcome::Failed);
    let batch = [record(0, 0), failed];
    counts.on(at(5), &put(&batch, &[tally(&batch[..1], 0)], at(5)));
    assert_eq!(
        (
            counts.streams[CLICKS].entries_failed,
            counts.streams[CLICKS].throttled()
        ),
        (1, 0)
    );
}

#[test]
fn a_mapping_remembers_how_far_it_was_behind() {
    let mut counts = counts();
    let batch = records(&[0, 1]);
    for (millis, millis_behind, again) in [(10, 0, false), (20, 7_000, false), (30, 6_000, true)] {
        let fact = Fact::GetRecordsHandled {
            received_at: SimTime::ZERO,
            stream: CLICKS,
            shard: SHARD,
            reader: ENRICH,
            first_position: 0,
            records: if millis == 10 { &[] } else { &batch },
            bytes: 200,
            millis_behind,
            again,
        };
        counts.on(at(millis), &fact);
    }
    for limit in [ReadLimit::Calls, ReadLimit::Calls, ReadLimit::Bytes] {
        let fact = Fact::GetRecordsThrottled {
            stream: CLICKS,
            shard: SHARD,
            reader: ENRICH,
            limit,
        };
        counts.on(at(40), &fact);
    }
    let enrich = &counts.readers[ENRICH];
    assert_eq!(
        (
            enrich.reads,
            enrich.empty_reads,
            enrich.reads_for_retry,
            enrich.records_read
        ),
        (3, 1, 1, 4)
    );
    assert_eq!((enrich.max_millis_behind, enrich.max_millis_behind_at), (7_000, at(20)));
    assert_eq!((enrich.throttled_by_calls, enrich.throttled_by_bytes), (2, 1));
}

#[test]
fn a_function_counts_errors_timeouts_and_cold_starts_apart() {
    let mut counts = counts();
    let batch = records(&[0, 1]);
    let cold_start = Some(SimDuration::from_millis(300));
    for (number, outcome) in [
        InvocationOutcome::Succeeded,
        InvocationOutcome::FunctionError,
        InvocationOutcome::TimedOut,
    ]
    .into_iter()
    .enumerate()
    {
        let cold_start = cold_start.filter(|_| number == 0);
        counts.on(
            at(10),
            &Fact::InvocationStarted {
                concurrency: crate::observe::sample::ONE_OF_MANY,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: &batch,
                cold_start,
                concurrent: u32::from(number == 2) + 1,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        );
        counts.on(
            at(20),
            &Fact::InvocationEnded {
                init: SimDuration::ZERO,
                passage: crate::batch::Passage::default(),
                shard: crate::ids::ShardIndex(0),
                write_pending: false,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: 2,
                outcome,
                duration: SimDuration::from_millis(10),
                cold_start,
                concurrent: 0,
                init_within: SimDuration::ZERO,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        );
    }
    counts.on(
        at(30),
        &Fact::InvocationThrottled {
            concurrency: crate::observe::sample::ONE_OF_MANY,
            function: ENRICHER,
            caller: crate::observe::fact::Caller::Reader(ENRICH),
            records: 2,
            reason: crate::observe::fact::ThrottleReason::Concurrency,
        },
    );
    let enrich = &counts.functions[ENRICHER];
    assert_eq!(
        (enrich.started, enrich.ended, enrich.errors, enrich.timeouts),
        (3, 3, 1, 1)
    );
    assert_eq!((enrich.cold_starts, enrich.cold_start_nanos), (1, 300_000_000));
    assert_eq!((enrich.max_concurrent, enrich.duration_nanos), (2, 30_000_000));
    assert_eq!((enrich.throttles, enrich.first_throttled_at), (1, Some(at(30))));
}

#[test]
fn effects_count_where_they_complete() {
    let mut counts = counts();
    let batch = records(&[0, 1]);
    counts.on(at(40), &delivered(&batch, at(39)));
    counts.on(
        at(50),
        &Fact::RecordsProcessed {
            reader: crate::ids::ReaderId(0),
            positions: &[],
            passage: crate::batch::Passage::default(),
            shard: crate::ids::ShardIndex(0),
            processor: AUDITOR.into(),
            records: &batch,
        },
    );
    let orders = &counts.sinks[ORDERS];
    assert_eq!(
        (orders.delivered, orders.bytes, orders.writes, orders.last_at),
        (2, 200, 1, at(40))
    );
    assert_eq!(
        (
            counts.functions[AUDITOR].processed,
            counts.functions[ENRICHER].processed
        ),
        (2, 0)
    );
}

/// KDS-RS-05, KDS-RS-10: shards come and go, and stand in the list for good.
#[test]
fn kds_rs_10_a_shard_that_was_split_stays_in_the_list() {
    let mut counts = counts();
    let change = |change| Fact::StreamChanged { stream: CLICKS, change };
    let (child, parents) = (ShardIndex(1), [Some(SHARD), None]);
    counts.on(at(5), &change(StreamChange::ShardClosed { shard: SHARD }));
    counts.on(at(5), &change(StreamChange::ShardOpened { shard: child, parents }));
    let stream = &counts.streams[CLICKS];
    assert_eq!((stream.shards.len(), stream.open_shards()), (2, 1));
    assert_eq!(
        (stream.shards[0].opened_at, stream.shards[0].closed_at),
        (None, Some(at(5)))
    );
    assert_eq!(
        (stream.shards[1].opened_at, stream.shards[1].closed_at),
        (Some(at(5)), None)
    );
    assert_eq!(stream.shards[1].parents, parents);
}

/// SQS-M-18: a redrive is billed as the receives, deletes and sends that it is made of, each further 64 KB of payload apart.
#[test]
fn sqs_m_18_a_redrive_is_counted_as_its_calls() {
    let batch = records(&[0, 1, 2]);
    let (from, to) = (crate::ids::QueueId(0), crate::ids::QueueId(1));
    for (bytes, requests) in [(3_000, (2, 1)), (65_537, (3, 2))] {
        let (mut source, mut destination) = (QueueCounts::default(), QueueCounts::default());
        let records = &batch[..];
        source.note(Depth::default(), &QueueFact::Redriven { to, records, bytes });
        let messages = 3;
        destination.note(Depth::default(), &QueueFact::RedrivenHere { from, messages, bytes });
        assert_eq!((source.requests, destination.requests), requests);
        assert_eq!((source.redriven, source.balance().1), (3, 3));
        assert_eq!((destination.sent, destination.redriven_here), (3, 3));
    }
}
