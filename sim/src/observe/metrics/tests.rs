use super::*;
use crate::batch::InvocationOutcome;
use crate::observe::fact::{ReadLimit, Sends, SinkChange};
use crate::observe::sample::{
    CLICKS, ENRICH, ENRICHER, ORDERS, SHARD as FIRST, WEB, at, delivered, directory, put, record, records, refused,
    tally,
};
use crate::record::Outcome;

const STREAM: Component = Component::Stream(CLICKS);
const FUNCTION: Component = Component::Function(ENRICHER);

fn metrics() -> Metrics {
    Metrics::new(directory())
}

/// The statistic over the whole run, times a thousand.
fn thousandths(metrics: &Metrics, metric: Metric, of: Component, statistic: Statistic) -> Option<u128> {
    let value = metrics.value(metric, of, statistic, SimTime::ZERO, SimTime::NEVER)?;
    Some(value.numerator * 1_000 / value.denominator)
}

fn put_by(metrics: &mut Metrics, millis: u64, api: PutApi, batch: &[Record]) {
    let shards = [tally(batch, 0)];
    let fact = Fact::PutHandled {
        late: &[],
        sent: None,
        stream: CLICKS,
        producer: WEB,
        api,
        records: batch,
        shards: &shards,
        received_at: at(millis - 5),
    };
    metrics.on(at(millis), &fact);
}

fn failed(mut record: Record) -> Record {
    record.set_outcome(Outcome::Failed);
    record
}

#[test]
fn kds_met_05_incoming_counts_only_what_is_stored() {
    let mut metrics = metrics();
    put_by(
        &mut metrics,
        10,
        PutApi::PutRecords,
        &[record(0, 0), refused(record(0, 1)), record(0, 2)],
    );
    put_by(
        &mut metrics,
        20,
        PutApi::PutRecord,
        &[record(0, 3), refused(record(0, 4))],
    );
    let sum = |metric| thousandths(&metrics, metric, STREAM, Statistic::Sum);
    assert_eq!(sum(Metric::IncomingRecords), Some(3_000));
    assert_eq!(sum(Metric::IncomingBytes), Some(300_000));
    let shard = metrics
        .shard_series(Metric::IncomingBytes, CLICKS, FIRST)
        .expect("the shard exists");
    let bytes = shard.statistic(Statistic::Sum, SimTime::ZERO, SimTime::NEVER);
    assert_eq!(bytes.map(|bytes| bytes.numerator), Some(300));
}

#[test]
fn kds_met_07_a_put_records_succeeds_if_it_stored_a_record() {
    let mut metrics = metrics();
    put_by(
        &mut metrics,
        10,
        PutApi::PutRecords,
        &[record(0, 0), refused(record(0, 1))],
    );
    put_by(&mut metrics, 20, PutApi::PutRecords, &[refused(record(0, 1))]);
    let average = |metric| thousandths(&metrics, metric, STREAM, Statistic::Average);
    assert_eq!(average(Metric::PutRecordsSuccess), Some(500));
    assert_eq!(average(Metric::PutRecordsLatency), Some(5_000));
    assert_eq!(
        thousandths(&metrics, Metric::PutRecordsBytes, STREAM, Statistic::Sum),
        Some(100_000)
    );
}

#[test]
fn kds_met_08_total_is_the_sum_of_successful_failed_and_throttled() {
    let mut metrics = metrics();
    let batch = [
        record(0, 0),
        refused(record(0, 1)),
        failed(record(0, 2)),
        refused(record(0, 3)),
    ];
    let shards = [tally(&batch[..2], 0)];
    metrics.on(at(10), &put(&batch, &shards, at(10)));
    let fact = Fact::PutRefused {
        stream: CLICKS,
        producer: WEB,
        records: &batch[..2],
        error: ServiceError::InternalFailure,
    };
    metrics.on(at(20), &fact);
    let sums = [
        Metric::PutRecordsTotalRecords,
        Metric::PutRecordsSuccessfulRecords,
        Metric::PutRecordsFailedRecords,
        Metric::PutRecordsThrottledRecords,
    ]
    .map(|metric| thousandths(&metrics, metric, STREAM, Statistic::Sum).unwrap_or(0) / 1_000);
    assert_eq!(sums, [6, 1, 3, 2]);
}

#[test]
fn kds_met_09_write_throttles_count_records_of_both_apis() {
    let mut metrics = metrics();
    put_by(
        &mut metrics,
        10,
        PutApi::PutRecords,
        &[refused(record(0, 0)), refused(record(0, 1))],
    );
    put_by(&mut metrics, 20, PutApi::PutRecord, &[refused(record(0, 2))]);
    let sum = thousandths(
        &metrics,
        Metric::WriteProvisionedThroughputExceeded,
        STREAM,
        Statistic::Sum,
    );
    assert_eq!(sum, Some(3_000));
}

#[test]
fn kds_met_06_each_put_record_of_a_cohort_is_a_call() {
    let mut metrics = metrics();
    put_by(
        &mut metrics,
        10,
        PutApi::PutRecord,
        &[record(0, 0), refused(record(0, 1)), record(0, 2), record(0, 3)],
    );
    let value = |metric, statistic| thousandths(&metrics, metric, STREAM, statistic);
    assert_eq!(value(Metric::PutRecordSuccess, Statistic::Average), Some(750));
    assert_eq!(value(Metric::PutRecordSuccess, Statistic::SampleCount), Some(4_000));
    assert_eq!(value(Metric::IncomingRecords, Statistic::Maximum), Some(1_000));
}

#[test]
fn kds_met_06_a_put_record_takes_from_its_receipt_to_its_answer() {
    let mut metrics = metrics();
    let batch = [record(0, 0)];
    let shards = [tally(&batch, 0)];
    let sent = Sends {
        first_at: at(1),
        at: at(3),
    };
    for (millis, sent) in [(12, Some(sent)), (14, Some(sent)), (99, None)] {
        let fact = Fact::PutHandled {
            late: &[],
            sent,
            stream: CLICKS,
            producer: WEB,
            api: PutApi::PutRecord,
            records: &batch,
            shards: &shards,
            received_at: at(5),
        };
        metrics.on(at(millis), &fact);
    }
    let latency = |statistic| thousandths(&metrics, Metric::PutRecordLatency, STREAM, statistic);
    assert_eq!(
        latency(Statistic::SampleCount),
        Some(2_000),
        "calls of a cohort are not timed"
    );
    assert_eq!(latency(Statistic::Average), Some(8_000));
}

#[test]
fn kds_met_11_a_get_records_takes_from_its_receipt_to_its_answer() {
    let mut metrics = metrics();
    let batch = records(&[0, 1]);
    for (received, answered) in [(10, 13), (20, 27)] {
        let fact = Fact::GetRecordsHandled {
            received_at: at(received),
            stream: CLICKS,
            shard: FIRST,
            reader: ENRICH,
            first_position: 0,
            records: &batch,
            bytes: 200,
            millis_behind: 0,
            again: false,
        };
        metrics.on(at(answered), &fact);
    }
    let value = |metric, statistic| thousandths(&metrics, metric, STREAM, statistic);
    assert_eq!(value(Metric::GetRecordsLatency, Statistic::Average), Some(5_000));
    assert_eq!(value(Metric::GetRecordsLatency, Statistic::Maximum), Some(7_000));
    assert_eq!(value(Metric::GetRecordsBytes, Statistic::Sum), Some(400_000));
    assert_eq!(value(Metric::GetRecordsRecords, Statistic::Sum), Some(4_000));
    assert_eq!(value(Metric::GetRecordsSuccess, Statistic::Average), Some(1_000));
}

#[test]
fn kds_met_10_read_throttles_count_calls_for_either_limit() {
    let mut metrics = metrics();
    for limit in [ReadLimit::Calls, ReadLimit::Bytes] {
        let fact = Fact::GetRecordsThrottled {
            stream: CLICKS,
            shard: FIRST,
            reader: ENRICH,
            limit,
        };
        metrics.on(at(10), &fact);
    }
    let sum = thousandths(
        &metrics,
        Metric::ReadProvisionedThroughputExceeded,
        STREAM,
        Statistic::Sum,
    );
    assert_eq!(sum, Some(2_000));
}

#[test]
fn kds_met_12_iterator_age_is_that_of_the_last_record_and_zero_when_caught_up() {
    let mut metrics = metrics();
    let batch = records(&[0, 90]);
    let age = |metrics: &Metrics, statistic| {
        thousandths(metrics, Metric::GetRecordsIteratorAgeMilliseconds, STREAM, statistic)
    };
    for (millis, millis_behind) in [(400, 1), (500, 0)] {
        let fact = Fact::GetRecordsHandled {
            received_at: SimTime::ZERO,
            stream: CLICKS,
            shard: FIRST,
            reader: ENRICH,
            first_position: 0,
            records: &batch,
            bytes: 200,
            millis_behind,
            again: false,
        };
        metrics.on(at(millis), &fact);
    }
    assert_eq!(
        age(&metrics, Statistic::Maximum),
        Some(300_000),
        "stored at 100 ms, read at 400 ms"
    );
    assert_eq!(age(&metrics, Statistic::Minimum), Some(0));
    assert_eq!(
        thousandths(&metrics, Metric::GetRecordsBytes, STREAM, Statistic::Sum),
        Some(400_000)
    );
}

fn end(
    metrics: &mut Metrics,
    now: SimTime,
    outcome: InvocationOutcome,
    duration: SimDuration,
    cold: Option<SimDuration>,
) {
    let fact = Fact::InvocationEnded {
        init: SimDuration::ZERO,
        passage: crate::batch::Passage::default(),
        shard: crate::ids::ShardIndex(0),
        write_pending: false,
        function: ENRICHER,
        caller: crate::observe::fact::Caller::Reader(ENRICH),
        records: 1,
        outcome,
        duration,
        cold_start: cold,
        concurrent: 2,
        init_within: SimDuration::ZERO,
        provisioned: crate::observe::fact::ProvisionedUse::default(),
    };
    metrics.on(now, &fact);
}

#[test]
fn lam_m_28_errors_and_durations_carry_the_start_of_their_invocation() {
    let mut metrics = metrics();
    // Began in the first minute, ended in the second, a cold start included.
    let (duration, cold) = (SimDuration::from_secs(30), SimDuration::from_secs(10));
    end(
        &mut metrics,
        SimTime::from_secs(70),
        InvocationOutcome::TimedOut,
        duration,
        Some(cold),
    );
    let within = |metric, from, until| {
        let (from, until) = (SimTime::from_secs(from), SimTime::from_secs(until));
        metrics
            .value(metric, FUNCTION, Statistic::Sum, from, until)
            .map(Quotient::as_f64)
    };
    assert_eq!(within(Metric::Errors, 0, 60), Some(1.0));
    assert_eq!(within(Metric::Errors, 60, 120), None);
    assert_eq!(
        within(Metric::Duration, 0, 60),
        Some(30_000.0),
        "LAM-M-04: without the cold start"
    );
}

#[test]
fn a_function_has_invocations_errors_throttles_age_and_concurrency() {
    let mut metrics = metrics();
    let batch = records(&[0, 90]);
    for concurrent in [1, 2, 3] {
        let fact = Fact::InvocationStarted {
            concurrency: crate::observe::sample::ONE_OF_MANY,
            function: ENRICHER,
            caller: crate::observe::fact::Caller::Reader(ENRICH),
            records: &batch,
            cold_start: (concurrent == 3).then_some(SimDuration::SECOND),
            concurrent,
            provisioned: crate::observe::fact::ProvisionedUse::default(),
        };
        metrics.on(at(350), &fact);
    }
    end(
        &mut metrics,
        at(400),
        InvocationOutcome::Succeeded,
        SimDuration::from_millis(50),
        None,
    );
    end(
        &mut metrics,
        at(400),
        InvocationOutcome::FunctionError,
        SimDuration::from_millis(50),
        None,
    );
    let fact = Fact::InvocationThrottled {
        concurrency: crate::observe::sample::ONE_OF_MANY,
        function: ENRICHER,
        caller: crate::observe::fact::Caller::Reader(ENRICH),
        records: 2,
        reason: crate::observe::fact::ThrottleReason::Concurrency,
    };
    metrics.on(at(500), &fact);
    let value = |metric, statistic| thousandths(&metrics, metric, FUNCTION, statistic);
    assert_eq!(value(Metric::Invocations, Statistic::Sum), Some(3_000), "LAM-M-01");
    assert_eq!(value(Metric::Errors, Statistic::Average), Some(500), "LAM-M-02");
    assert_eq!(value(Metric::Throttles, Statistic::Sum), Some(1_000), "LAM-M-03");
    assert_eq!(
        value(Metric::IteratorAge, Statistic::Maximum),
        Some(250_000),
        "LAM-M-06: stored at 100 ms, handed over at 350 ms"
    );
    assert_eq!(
        value(Metric::ConcurrentExecutions, Statistic::Maximum),
        Some(3_000),
        "LAM-M-08"
    );
    assert_eq!(value(Metric::ColdStarts, Statistic::Sum), Some(1_000));
}

/// LAM-U-28: each attempt is a value, the age of the batch's last record when it is handed over.
#[test]
fn lam_u_28_every_attempt_tells_the_age_of_its_last_record() {
    let mut metrics = metrics();
    let batch = records(&[0, 90]);
    for handed_over in [350, 1_400, 3_500] {
        let fact = Fact::InvocationStarted {
            concurrency: crate::observe::sample::ONE_OF_MANY,
            function: ENRICHER,
            caller: crate::observe::fact::Caller::Reader(ENRICH),
            records: &batch,
            cold_start: None,
            concurrent: 1,
            provisioned: crate::observe::fact::ProvisionedUse::default(),
        };
        metrics.on(at(handed_over), &fact);
    }
    let value = |statistic| thousandths(&metrics, Metric::IteratorAge, FUNCTION, statistic);
    assert_eq!(value(Statistic::SampleCount), Some(3_000));
    assert_eq!(value(Statistic::Minimum), Some(250_000));
    assert_eq!(value(Statistic::Average), Some(1_650_000));
    assert_eq!(value(Statistic::Maximum), Some(3_400_000));
}

#[test]
fn effects_are_counted_at_the_function_and_at_its_sink() {
    let mut metrics = metrics();
    let batch = records(&[0, 100]);
    metrics.on(at(250), &delivered(&batch, at(250)));
    for of in [FUNCTION, Component::Sink(ORDERS)] {
        assert_eq!(
            thousandths(&metrics, Metric::RecordsDelivered, of, Statistic::Sum),
            Some(2_000)
        );
        assert_eq!(
            thousandths(&metrics, Metric::EndToEndLatency, of, Statistic::Average),
            Some(200_000)
        );
        assert_eq!(
            thousandths(&metrics, Metric::EndToEndLatency, of, Statistic::Maximum),
            Some(250_000)
        );
    }
    assert_eq!(metrics.series(Metric::Invocations, Component::Sink(ORDERS)), None);
}

#[test]
fn every_metric_has_a_name_of_its_own_and_a_component_that_feeds_it() {
    let groups = [
        super::STREAM,
        super::APPLICATION,
        super::MAPPING,
        super::CONSUMER,
        super::groups::SHARD,
        super::FUNCTION,
        super::ACCOUNT,
        super::INVOKER,
        super::PRODUCER,
        super::LIBRARY,
        super::queue::QUEUE,
        super::topic::TOPIC,
        super::topic::SUBSCRIPTION,
        super::queue_mapping::PROVISIONED_AND_EVENT_COUNT,
        super::sinks::SINK,
        super::sinks::TABLE,
        super::sinks::BUCKET,
    ];
    for metric in Metric::ALL {
        assert_eq!(Metric::named(metric.row().name), Some(*metric));
        assert!(
            groups.iter().any(|group| group.contains(metric)),
            "{}",
            metric.row().name
        );
        assert_eq!(
            metric.row().fact.is_empty(),
            metric.row().namespace == catalogue::Namespace::Simulator
        );
    }
}

/// DDB-MET-01, S3-MET-01: of the same two requests a table tells units, items refused one by one and the time of those that
/// wrote, a bucket requests, the part that was refused and the time of all.
#[test]
fn tables_and_buckets_have_the_metrics_of_their_services() {
    use crate::batch::WriteError;
    use crate::blueprint::{BucketBlueprint, ItemWrites, Resend, SinkService, TableBilling, TableBlueprint};
    let table = SinkService::Table(TableBlueprint {
        billing: TableBilling::Provisioned {
            write_capacity_units: 10,
        },
        writes: ItemWrites::Batch,
        item_bytes: None,
        parallel_requests: 1,
        resend: Resend::NEVER,
    });
    let bucket = SinkService::Bucket(BucketBlueprint {
        prefixes: 1,
        per_mebibyte: SimDuration::ZERO,
        resend: Resend::NEVER,
    });
    let of = Component::Sink(ORDERS);
    let told = |service| {
        let mut directory = (*directory()).clone();
        directory.sinks[ORDERS].service = service;
        let mut metrics = Metrics::new(Arc::new(directory));
        for (written, units, error, millis) in [(25, 30, None, 5), (0, 0, Some(WriteError::Throttled), 3)] {
            let change = SinkChange::RequestAnswered {
                records: 25,
                written,
                units,
                bytes: 0,
                error,
                latency: SimDuration::from_millis(millis),
            };
            metrics.on(at(100), &Fact::SinkChanged { sink: ORDERS, change });
        }
        move |metric, statistic| thousandths(&metrics, metric, of, statistic)
    };
    let (table, bucket) = (told(table), told(bucket));
    assert_eq!(table(Metric::ConsumedWriteCapacityUnits, Statistic::Sum), Some(30_000));
    assert_eq!(table(Metric::WriteThrottleEvents, Statistic::Sum), Some(25_000));
    assert_eq!(table(Metric::SuccessfulRequestLatency, Statistic::Average), Some(5_000));
    assert_eq!(table(Metric::SystemErrors, Statistic::Sum), Some(0));
    assert_eq!(table(Metric::PutRequests, Statistic::Sum), None, "that is S3's");
    assert_eq!(bucket(Metric::PutRequests, Statistic::Sum), Some(2_000));
    assert_eq!(bucket(Metric::ServerErrors, Statistic::Average), Some(500));
    assert_eq!(bucket(Metric::TotalRequestLatency, Statistic::Average), Some(4_000));
    assert_eq!(
        bucket(Metric::WriteThrottleEvents, Statistic::Sum),
        None,
        "that is DynamoDB's"
    );
}
