//! The metrics that an expectation may name.

use crate::schema::Kind;

pub use crate::metric_row::Metric;
use crate::metric_row::{kinesis, lambda, producer_library, simulator, sqs};
pub use crate::statistic::{Sort, Statistic, Unit};

use Sort::{Counter, Distribution, Gauge, Timing};
use Unit::{Bytes, Count, Milliseconds};

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
    sqs(
        "NumberOfMessagesSent",
        Count,
        Counter,
        "Messages added by sends (SQS-C-15).",
    ),
    sqs(
        "SentMessageSize",
        Bytes,
        Timing,
        "Size of the messages added by sends (SQS-C-19).",
    ),
    sqs(
        "NumberOfMessagesReceived",
        Count,
        Counter,
        "Messages returned by receives, each time counted (SQS-C-16).",
    ),
    sqs(
        "NumberOfEmptyReceives",
        Count,
        Counter,
        "Receives that returned nothing (SQS-C-18).",
    ),
    sqs(
        "NumberOfMessagesDeleted",
        Count,
        Counter,
        "Deletes with a valid handle, repeated ones included (SQS-C-17).",
    ),
    sqs(
        "ApproximateNumberOfMessagesVisible",
        Count,
        Gauge,
        "Messages available for receive, at each full minute (SQS-C-12).",
    ),
    sqs(
        "ApproximateNumberOfMessagesNotVisible",
        Count,
        Gauge,
        "Messages in flight, at each full minute (SQS-C-13).",
    ),
    sqs(
        "ApproximateNumberOfMessagesDelayed",
        Count,
        Gauge,
        "Messages delayed, at each full minute (SQS-C-14).",
    ),
    sqs(
        "ApproximateAgeOfOldestMessage",
        Count,
        Gauge,
        "Age of the oldest message in seconds, at each full minute (SQS-C-06).",
    ),
    sqs(
        "NumberOfDeduplicatedSentMessages",
        Count,
        Counter,
        "Sends that were answered as success and stored nothing (SQS-C-21).",
    ),
    sqs(
        "ApproximateNumberOfGroupsWithInflightMessages",
        Count,
        Gauge,
        "Message groups with a message in flight, at each full minute (SQS-C-20).",
    ),
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
        "Reports to a destination that failed (LAM-M-18).",
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
        "MessagesReceivedAgain",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages returned by a receive though an earlier one had returned them, too.",
    ),
    simulator(
        "MessagesExpired",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages lost by retention (SQS-L-12).",
    ),
    simulator(
        "MessagesDeadLettered",
        Count,
        Counter,
        &[Kind::Queue],
        "Messages moved to the dead-letter queue (SQS-D-01).",
    ),
    simulator(
        "MessagesRefused",
        Count,
        Counter,
        &[Kind::Queue],
        "Entries of sends that were refused one by one, and sends that were refused whole.",
    ),
    simulator(
        "Requests",
        Count,
        Counter,
        &[Kind::Queue],
        "Requests as a bill counts them: calls, and each further 64 KB of payload (SQS-G-01 to SQS-G-06).",
    ),
    simulator(
        "MessagesProcessed",
        Count,
        Counter,
        &[Kind::Worker],
        "Messages processed well, each time counted.",
    ),
    simulator(
        "MessagesFailed",
        Count,
        Counter,
        &[Kind::Worker],
        "Messages that the code failed with, each time counted.",
    ),
    simulator(
        "Crashes",
        Count,
        Counter,
        &[Kind::Worker],
        "Workers that died in the middle of a batch.",
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
        &[Kind::Sink, Kind::Function, Kind::Application, Kind::Queue],
        "From the creation of a record to its delivery; of a queue: to the delete.",
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
mod tests {
    use super::*;

    #[test]
    fn statistics_have_cloudwatch_names() {
        let check = |name: &str, expected: Option<Statistic>| {
            assert_eq!(Statistic::from_name(name), expected, "{name}");
            if let Some(statistic) = expected {
                assert_eq!(statistic.to_string(), name);
            }
        };
        check("Sum", Some(Statistic::Sum));
        check("p99", Some(Statistic::Percentile(99_000)));
        check("p99.9", Some(Statistic::Percentile(99_900)));
        check("p99.95", Some(Statistic::Percentile(99_950)));
        check("p100", Some(Statistic::Percentile(100_000)));
        for wrong in ["sum", "p", "p101", "p99.", "pp", "p-1", "p1e2", "p99.9999"] {
            check(wrong, None);
        }
    }
}
