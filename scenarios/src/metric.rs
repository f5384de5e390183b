//! The metrics that an expectation may name.

use crate::schema::Kind;

pub use crate::statistic::{Sort, Statistic, Unit};

/// A metric row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name; CloudWatch's, where CloudWatch has it.
    pub name: &'static str,
    /// `AWS/Kinesis`, `AWS/Lambda`, `KinesisProducerLibrary`, or `Simulator` for what CloudWatch does not have.
    pub namespace: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it is.
    pub sort: Sort,
    /// The kinds of components that have it.
    pub of: &'static [Kind],
    /// What it says, in a sentence.
    pub doc: &'static str,
}

const fn kinesis(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Kinesis",
        unit,
        sort,
        of: &[Kind::Stream],
        doc,
    }
}
const fn lambda(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Lambda",
        unit,
        sort,
        of: &[Kind::Function],
        doc,
    }
}
const fn mapping(name: &'static str, namespace: &'static str, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace,
        unit: Count,
        sort: Counter,
        of: &[Kind::Mapping],
        doc,
    }
}
const fn producer_library(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "KinesisProducerLibrary",
        unit,
        sort,
        of: &[Kind::Producer],
        doc,
    }
}
const fn simulator(name: &'static str, unit: Unit, sort: Sort, of: &'static [Kind], doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "Simulator",
        unit,
        sort,
        of,
        doc,
    }
}

use Sort::{Counter, Distribution, Gauge, Timing};
use Unit::{Bytes, Count, Milliseconds};

/// Who publishes the metrics that a mapping has only with MetricsConfig (LAM-M-20).
pub(crate) const EVENT_COUNT: &str = "AWS/Lambda";

/// All metrics.
pub const METRICS: &[Metric] = &[
    kinesis(
        "IncomingRecords",
        Count,
        Counter,
        "Records stored, by either put API (KDS-MET-05).",
    ),
    kinesis(
        "IncomingBytes",
        Bytes,
        Counter,
        "Bytes of the records stored (KDS-MET-05).",
    ),
    kinesis(
        "WriteProvisionedThroughputExceeded",
        Count,
        Counter,
        "Records refused because a shard had no write capacity left (KDS-MET-09).",
    ),
    kinesis(
        "ReadProvisionedThroughputExceeded",
        Count,
        Counter,
        "GetRecords calls refused by a read limit (KDS-MET-10).",
    ),
    kinesis(
        "PutRecord.Bytes",
        Bytes,
        Counter,
        "Bytes of PutRecord calls (KDS-MET-06).",
    ),
    kinesis(
        "PutRecord.Latency",
        Milliseconds,
        Timing,
        "Time from the receipt of a PutRecord to its answer; calls that are simulated as a cohort are not timed (KDS-MET-06).",
    ),
    kinesis(
        "PutRecord.Success",
        Count,
        Counter,
        "PutRecord calls that stored their record (KDS-MET-06).",
    ),
    kinesis(
        "PutRecords.Bytes",
        Bytes,
        Counter,
        "Bytes of PutRecords calls (KDS-MET-07).",
    ),
    kinesis(
        "PutRecords.Latency",
        Milliseconds,
        Timing,
        "Time from the receipt of a PutRecords to its answer (KDS-MET-07).",
    ),
    kinesis(
        "PutRecords.Success",
        Count,
        Counter,
        "PutRecords calls that stored a record (KDS-MET-07).",
    ),
    kinesis(
        "PutRecords.TotalRecords",
        Count,
        Counter,
        "Entries of PutRecords calls (KDS-MET-08).",
    ),
    kinesis(
        "PutRecords.SuccessfulRecords",
        Count,
        Counter,
        "Entries stored (KDS-MET-08).",
    ),
    kinesis(
        "PutRecords.FailedRecords",
        Count,
        Counter,
        "Entries that failed inside the service (KDS-MET-08).",
    ),
    kinesis(
        "PutRecords.ThrottledRecords",
        Count,
        Counter,
        "Entries refused for throughput (KDS-MET-08).",
    ),
    kinesis("GetRecords.Bytes", Bytes, Counter, "Bytes read (KDS-MET-11)."),
    kinesis("GetRecords.Records", Count, Counter, "Records read (KDS-MET-11)."),
    kinesis(
        "GetRecords.Latency",
        Milliseconds,
        Timing,
        "Time from the receipt of a GetRecords to its answer (KDS-MET-11).",
    ),
    kinesis(
        "GetRecords.Success",
        Count,
        Counter,
        "GetRecords calls that were answered (KDS-MET-11).",
    ),
    kinesis(
        "GetRecords.IteratorAgeMilliseconds",
        Milliseconds,
        Timing,
        "Age of the last record of a GetRecords call; zero when the reader has caught up (KDS-MET-12).",
    ),
    lambda("Invocations", Count, Counter, "Runs of the function's code (LAM-M-01)."),
    lambda(
        "Errors",
        Count,
        Counter,
        "Invocations that ended in a function error or timeout (LAM-M-02).",
    ),
    lambda(
        "Throttles",
        Count,
        Counter,
        "Invocation requests refused for concurrency (LAM-M-03).",
    ),
    lambda(
        "Duration",
        Milliseconds,
        Timing,
        "Time of the handler, without cold start (LAM-M-04).",
    ),
    lambda(
        "IteratorAge",
        Milliseconds,
        Timing,
        "Age of a batch's last record at hand-over (LAM-M-06).",
    ),
    lambda(
        "ConcurrentExecutions",
        Count,
        Gauge,
        "Invocations in progress (LAM-M-08).",
    ),
    mapping("PolledEventCount", EVENT_COUNT, "Records polled (LAM-M-22)."),
    mapping("FilteredOutEventCount", EVENT_COUNT, "Records filtered out (LAM-M-22)."),
    mapping(
        "InvokedEventCount",
        EVENT_COUNT,
        "Records sent to the function, each time counted (LAM-M-24).",
    ),
    mapping(
        "FailedInvokeEventCount",
        EVENT_COUNT,
        "Records of failed invocations (LAM-M-25).",
    ),
    mapping("DroppedEventCount", EVENT_COUNT, "Records given up untold (LAM-M-26)."),
    mapping(
        "OnFailureDestinationDeliveredEventCount",
        EVENT_COUNT,
        "Records of documents that the on-failure destination got (LAM-M-22).",
    ),
    mapping(
        "RecordsDiscarded",
        "Simulator",
        "Records given up, and nobody was told.",
    ),
    mapping(
        "RecordsDeadLettered",
        "Simulator",
        "Records given up, and the on-failure destination was told.",
    ),
    mapping(
        "RecordsFilteredOut",
        "Simulator",
        "Records that the filters let pass by.",
    ),
    mapping(
        "BatchesFailed",
        "Simulator",
        "Batches that failed, whole or in part, throttled ones included.",
    ),
    mapping(
        "WindowsClosed",
        "Simulator",
        "Tumbling windows that are over (LAM-W-06).",
    ),
    mapping(
        "WindowsTerminatedEarly",
        "Simulator",
        "Tumbling windows whose state outgrew its limit (LAM-W-04).",
    ),
    mapping("BatchesBisected", "Simulator", "Batches cut in two after an error."),
    lambda(
        "ProvisionedConcurrentExecutions",
        Count,
        Gauge,
        "Provisioned environments in use (LAM-M-11).",
    ),
    lambda(
        "ProvisionedConcurrencyInvocations",
        Count,
        Counter,
        "Invocations on provisioned environments (LAM-M-12).",
    ),
    lambda(
        "ProvisionedConcurrencySpilloverInvocations",
        Count,
        Counter,
        "Invocations on demand of a function with provisioned environments (LAM-M-13).",
    ),
    lambda(
        "ProvisionedConcurrencyUtilization",
        Count,
        Gauge,
        "Provisioned environments in use as a part of those allocated, from 0 to 1; silent while idle (LAM-M-14).",
    ),
    lambda(
        "AsyncEventsReceived",
        Count,
        Counter,
        "Asynchronous events accepted (LAM-M-15).",
    ),
    lambda(
        "AsyncEventAge",
        Milliseconds,
        Timing,
        "Time from an event's acceptance to an attempt to process it (LAM-M-16).",
    ),
    lambda(
        "AsyncEventsDropped",
        Count,
        Counter,
        "Asynchronous events given up without success (LAM-M-17).",
    ),
    lambda(
        "DeadLetterErrors",
        Count,
        Counter,
        "Reports to the dead-letter queue that failed (LAM-M-18).",
    ),
    lambda(
        "DestinationDeliveryFailures",
        Count,
        Counter,
        "Reports to a destination that failed, of asynchronous events and of batches that a mapping gave up (LAM-M-18).",
    ),
    producer_library(
        "UserRecordsPut",
        Count,
        Counter,
        "User records of the Kinesis Producer Library that were put (KDS-MET-16).",
    ),
    producer_library(
        "KinesisRecordsPut",
        Count,
        Counter,
        "Kinesis records that these travelled in and that were put (KDS-MET-16).",
    ),
    producer_library(
        "BufferingTime",
        Milliseconds,
        Timing,
        "From a user record's creation, or its last attempt's end, to the next attempt (KDS-MET-16).",
    ),
    producer_library(
        "RetriesPerRecord",
        Count,
        Counter,
        "Attempts of a user record beyond the first (KDS-MET-16).",
    ),
    producer_library(
        "ErrorsByCode",
        Count,
        Counter,
        "Kinesis records refused or failed, and requests that failed whole; of all codes (KDS-MET-16).",
    ),
    simulator(
        "ColdStarts",
        Count,
        Counter,
        &[Kind::Function],
        "Invocations that waited for a new environment.",
    ),
    simulator(
        "RequestsSent",
        Count,
        Counter,
        &[Kind::Invoker],
        "Requests that a direct caller sent.",
    ),
    simulator(
        "RequestsFailed",
        Count,
        Counter,
        &[Kind::Invoker],
        "Direct calls answered with a function error or a timeout.",
    ),
    simulator(
        "RequestsThrottled",
        Count,
        Counter,
        &[Kind::Invoker],
        "Direct calls refused with 429 (LAM-C-23).",
    ),
    simulator(
        "ResponseTime",
        Milliseconds,
        Timing,
        &[Kind::Invoker],
        "Time from a direct call to its answer, of those that were not refused.",
    ),
    simulator("RecordsProduced", Count, Counter, &[Kind::Producer], "Records created."),
    simulator(
        "RecordsGivenUp",
        Count,
        Counter,
        &[Kind::Producer],
        "Records that the client gave up.",
    ),
    simulator(
        "RecordsExpired",
        Count,
        Counter,
        &[Kind::Stream],
        "Records whose retention ended unread.",
    ),
    Metric {
        name: "MillisBehindLatest",
        namespace: "KCL",
        unit: Milliseconds,
        sort: Timing,
        of: &[Kind::Application],
        doc: "How far a GetRecords was behind the tip of its shard; published under the application's name (KDS-MET-16).",
    },
    simulator(
        "RecordsSkipped",
        Count,
        Counter,
        &[Kind::Application],
        "Records of batches that were skipped since the code threw (KDS-KCL-34).",
    ),
    simulator(
        "LeasesTaken",
        Count,
        Counter,
        &[Kind::Application],
        "Leases that workers came to own, for whatever reason.",
    ),
    simulator(
        "LeasesFailedOver",
        Count,
        Counter,
        &[Kind::Application],
        "Leases that a worker took over since their owner no longer renewed them (KDS-KCL-05).",
    ),
    simulator(
        "LeasesMoved",
        Count,
        Counter,
        &[Kind::Application],
        "Leases that moved from a worker to another one that lives.",
    ),
    simulator(
        "RecordsRepeated",
        Count,
        Counter,
        &[Kind::Application],
        "Records that were processed again, after a checkpoint (KDS-KCL-32).",
    ),
    simulator(
        "IteratorsExpired",
        Count,
        Counter,
        &[Kind::Application],
        "GetRecords refused because their iterator was more than five minutes old (KDS-R-05).",
    ),
    simulator(
        "RecordsDelivered",
        Count,
        Counter,
        &[Kind::Sink, Kind::Function, Kind::Application],
        "Records that arrived, each delivery counted.",
    ),
    simulator(
        "EndToEndLatency",
        Milliseconds,
        Distribution,
        &[Kind::Sink, Kind::Function, Kind::Application],
        "From the creation of a record to its delivery.",
    ),
    simulator(
        "Duplicates",
        Count,
        Counter,
        &[Kind::Sink, Kind::Function, Kind::Application],
        "Deliveries of a record beyond its first.",
    ),
    simulator(
        "Inversions",
        Count,
        Counter,
        &[Kind::Sink, Kind::Function, Kind::Application, Kind::Stream],
        "Records that arrived after a later record of their key.",
    ),
];

impl Metric {
    /// The metric of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }
}

#[cfg(test)]
mod tests;
