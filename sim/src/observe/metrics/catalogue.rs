//! The metrics that a run keeps as series: one row each.

use core::fmt;

/// Who publishes a metric.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Namespace {
    /// Kinesis Data Streams (KDS-MET-01).
    Kinesis,
    /// Lambda.
    Lambda,
    /// SQS (SQS-C).
    Queue,
    /// SNS.
    Topic,
    /// The Kinesis Client Library, under the name of the application (KDS-MET-16).
    Application,
    /// The Kinesis Producer Library itself (KDS-MET-16).
    ProducerLibrary,
    /// DynamoDB.
    DynamoDb,
    /// S3, if its request metrics are switched on (S3-MET-01).
    S3,
    /// CloudWatch has no such number.
    Simulator,
}
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kinesis => "AWS/Kinesis",
            Self::Lambda => "AWS/Lambda",
            Self::Queue => "AWS/SQS",
            Self::Topic => "AWS/SNS",
            Self::Application => "KCL",
            Self::ProducerLibrary => "KinesisProducerLibrary",
            Self::DynamoDb => "AWS/DynamoDB",
            Self::S3 => "AWS/S3",
            Self::Simulator => "Simulator",
        })
    }
}

/// What values are measured in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A part of a whole, from 0 to 1. Series hold millionths.
    Fraction,
    /// Milliseconds. Series hold microseconds, so that a mean keeps its decimals.
    Milliseconds,
}

impl Unit {
    /// Parts of the unit that a series counts in.
    pub const fn parts(self) -> u128 {
        match self {
            Self::Count | Self::Bytes | Self::Seconds => 1,
            Self::Milliseconds => 1_000,
            Self::Fraction => 1_000_000,
        }
    }
}

/// A metric of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The name, CloudWatch's where CloudWatch has it.
    pub name: &'static str,
    /// Who publishes it.
    pub namespace: Namespace,
    /// Unit of its values.
    pub unit: Unit,
    /// The statistic that people look at.
    pub statistic: super::Statistic,
    /// What a value is.
    pub meaning: &'static str,
    /// The fact that defines it; empty for our own.
    pub fact: &'static str,
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $metric:ident = $name:literal, $namespace:ident, $unit:ident, $statistic:ident, $meaning:literal, $fact:literal;)*) => {
        /// A metric that a run keeps as a series.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Metric {
            $(#[doc = $meaning] $metric,)*
        }
        impl Metric {
            /// All metrics.
            pub const ALL: &'static [Self] = &[$(Self::$metric),*];
            /// Its place among all.
            #[expect(clippy::as_conversions, reason = "a variant without fields is its number")]
            pub(super) const fn index(self) -> usize {
                self as usize
            }
            /// Its row.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$metric => &Row {
                        name: $name,
                        namespace: Namespace::$namespace,
                        unit: Unit::$unit,
                        statistic: super::Statistic::$statistic,
                        meaning: $meaning,
                        fact: $fact,
                    },)*
                }
            }
        }
    };
}

catalogue! {
    IncomingRecords = "IncomingRecords", Kinesis, Count, Sum, "Records stored by a put call.", "KDS-MET-05";
    IncomingBytes = "IncomingBytes", Kinesis, Bytes, Sum, "Bytes stored by a put call.", "KDS-MET-05";
    PutRecordBytes = "PutRecord.Bytes", Kinesis, Bytes, Sum, "Bytes that a PutRecord stored.", "KDS-MET-06";
    PutRecordLatency = "PutRecord.Latency", Kinesis, Milliseconds, Average, "From the receipt of a PutRecord to its answer; calls that are simulated as a cohort are not timed.", "KDS-MET-06";
    PutRecordSuccess = "PutRecord.Success", Kinesis, Count, Average, "1 for a PutRecord that stored its record, else 0.", "KDS-MET-06";
    PutRecordsBytes = "PutRecords.Bytes", Kinesis, Bytes, Sum, "Bytes that a PutRecords stored.", "KDS-MET-07";
    PutRecordsLatency = "PutRecords.Latency", Kinesis, Milliseconds, Average, "From the receipt of a PutRecords to its answer.", "KDS-MET-07";
    PutRecordsSuccess = "PutRecords.Success", Kinesis, Count, Average, "1 for a PutRecords that stored a record, else 0.", "KDS-MET-07";
    PutRecordsTotalRecords = "PutRecords.TotalRecords", Kinesis, Count, Sum, "Entries of a PutRecords.", "KDS-MET-08";
    PutRecordsSuccessfulRecords = "PutRecords.SuccessfulRecords", Kinesis, Count, Sum, "Entries of a PutRecords that were stored.", "KDS-MET-08";
    PutRecordsFailedRecords = "PutRecords.FailedRecords", Kinesis, Count, Sum, "Entries of a PutRecords that failed inside the service.", "KDS-MET-08";
    PutRecordsThrottledRecords = "PutRecords.ThrottledRecords", Kinesis, Count, Sum, "Entries of a PutRecords that were refused for throughput.", "KDS-MET-08";
    WriteProvisionedThroughputExceeded = "WriteProvisionedThroughputExceeded", Kinesis, Count, Sum, "Records of a put call, of either API, that were refused for throughput.", "KDS-MET-09";
    ReadProvisionedThroughputExceeded = "ReadProvisionedThroughputExceeded", Kinesis, Count, Sum, "1 for a GetRecords refused by a read limit, else 0.", "KDS-MET-10";
    GetRecordsBytes = "GetRecords.Bytes", Kinesis, Bytes, Sum, "Bytes that a GetRecords returned.", "KDS-MET-11";
    GetRecordsRecords = "GetRecords.Records", Kinesis, Count, Sum, "Records that a GetRecords returned.", "KDS-MET-11";
    GetRecordsLatency = "GetRecords.Latency", Kinesis, Milliseconds, Average, "From the receipt of a GetRecords to its answer.", "KDS-MET-11";
    SubscribeToShardSuccess = "SubscribeToShard.Success", Kinesis, Count, Average, "Share of the calls to SubscribeToShard that succeeded.", "KDS-MET-13";
    SubscribeToShardRateExceeded = "SubscribeToShard.RateExceeded", Kinesis, Count, Sum, "Calls to SubscribeToShard refused since a subscription was active or calls came too fast.", "KDS-MET-14";
    SubscribeToShardEventBytes = "SubscribeToShardEvent.Bytes", Kinesis, Bytes, Sum, "Bytes pushed to the consumer.", "KDS-MET-13";
    SubscribeToShardEventRecords = "SubscribeToShardEvent.Records", Kinesis, Count, Sum, "Records pushed to the consumer.", "KDS-MET-13";
    SubscribeToShardEventSuccess = "SubscribeToShardEvent.Success", Kinesis, Count, Average, "Share of the events that were pushed without an error.", "KDS-MET-13";
    SubscribeToShardEventMillisBehindLatest = "SubscribeToShardEvent.MillisBehindLatest", Kinesis, Milliseconds, Maximum, "How far behind the tip of the shard the events were.", "KDS-MET-13";
    GetRecordsSuccess = "GetRecords.Success", Kinesis, Count, Average, "1 for a GetRecords that was answered, else 0.", "KDS-MET-11";
    GetRecordsIteratorAgeMilliseconds = "GetRecords.IteratorAgeMilliseconds", Kinesis, Milliseconds, Maximum, "Age of the last record of a GetRecords; 0 when caught up.", "KDS-MET-12";
    OutgoingBytes = "OutgoingBytes", Kinesis, Bytes, Sum, "Bytes that a shard gave to readers, by GetRecords and by fan-out.", "KDS-MET-15";
    OutgoingRecords = "OutgoingRecords", Kinesis, Count, Sum, "Records that a shard gave to readers, by GetRecords and by fan-out.", "KDS-MET-15";
    IteratorAgeMilliseconds = "IteratorAgeMilliseconds", Kinesis, Milliseconds, Maximum, "Age of the last record of a GetRecords of a shard; 0 when caught up.", "KDS-MET-03";
    Invocations = "Invocations", Lambda, Count, Sum, "Runs of the function's code.", "LAM-M-01";
    Errors = "Errors", Lambda, Count, Sum, "1 for an invocation that ended in a function error or timeout, else 0; stamped with its start.", "LAM-M-02";
    Throttles = "Throttles", Lambda, Count, Sum, "Invocation requests that were refused.", "LAM-M-03";
    Duration = "Duration", Lambda, Milliseconds, Average, "Time of the handler without cold start, stamped with the invocation's start.", "LAM-M-04";
    IteratorAge = "IteratorAge", Lambda, Milliseconds, Maximum, "Age of a batch's last record when the function gets it.", "LAM-M-06";
    ConcurrentExecutions = "ConcurrentExecutions", Lambda, Count, Maximum, "Invocations in progress, at each start and end of one.", "LAM-M-08";
    PolledEventCount = "PolledEventCount", Lambda, Count, Sum, "Records that a poll of a mapping brought; 0 for an empty one.", "LAM-M-22";
    FilteredOutEventCount = "FilteredOutEventCount", Lambda, Count, Sum, "Records that the filters of a mapping let pass by.", "LAM-M-22";
    InvokedEventCount = "InvokedEventCount", Lambda, Count, Sum, "Records that a mapping sent to its function, each time counted.", "LAM-M-22";
    FailedInvokeEventCount = "FailedInvokeEventCount", Lambda, Count, Sum, "Records of invocations that failed, or that were reported as failed, stamped with the end.", "LAM-M-25";
    DroppedEventCount = "DroppedEventCount", Lambda, Count, Sum, "Records that a mapping gave up and of which nobody was told.", "LAM-M-26";
    OnFailureDestinationDeliveredEventCount = "OnFailureDestinationDeliveredEventCount", Lambda, Count, Sum, "Records of documents that the on-failure destination got.", "LAM-M-22";
    DeletedEventCount = "DeletedEventCount", Lambda, Count, Sum, "Messages that a mapping deleted from its queue.", "LAM-M-21";
    ProvisionedPollers = "ProvisionedPollers", Lambda, Count, Maximum, "Pollers of a mapping in provisioned mode, every five seconds.", "LAM-M-27";
    ProvisionedConcurrentExecutions = "ProvisionedConcurrentExecutions", Lambda, Count, Maximum, "Provisioned environments in use, at each start and end of an invocation.", "LAM-M-11";
    ProvisionedConcurrencyInvocations = "ProvisionedConcurrencyInvocations", Lambda, Count, Sum, "1 for an invocation on a provisioned environment, 0 for one that spilled over.", "LAM-M-12";
    ProvisionedConcurrencySpilloverInvocations = "ProvisionedConcurrencySpilloverInvocations", Lambda, Count, Sum, "1 for an invocation on demand of a function with provisioned environments, else 0.", "LAM-M-13";
    ProvisionedConcurrencyUtilization = "ProvisionedConcurrencyUtilization", Lambda, Fraction, Maximum, "Provisioned environments in use, as a part of those allocated; silent while the function is idle.", "LAM-M-14";
    UnreservedConcurrentExecutions = "UnreservedConcurrentExecutions", Lambda, Count, Maximum, "Invocations in progress of all functions without reserved concurrency, on demand; of the Region.", "LAM-M-09";
    ClaimedAccountConcurrency = "ClaimedAccountConcurrency", Lambda, Count, Maximum, "Concurrency that is out of reach for further invocations on demand: unreserved ones in progress, and all that is reserved or provisioned; of the Region.", "LAM-M-10";
    AsyncEventsReceived = "AsyncEventsReceived", Lambda, Count, Sum, "Asynchronous events that Lambda accepted.", "LAM-M-15";
    AsyncEventAge = "AsyncEventAge", Lambda, Milliseconds, Average, "From an event's acceptance to an attempt to process it.", "LAM-M-16";
    AsyncEventsDropped = "AsyncEventsDropped", Lambda, Count, Sum, "Asynchronous events given up without success.", "LAM-M-17";
    DeadLetterErrors = "DeadLetterErrors", Lambda, Count, Sum, "1 for a report to the dead-letter queue that failed, 0 for one that arrived.", "LAM-M-18";
    DestinationDeliveryFailures = "DestinationDeliveryFailures", Lambda, Count, Sum, "1 for a report to a destination that failed, 0 for one that arrived: of asynchronous events, and of batches that a mapping gave up.", "LAM-M-18";
    UserRecordsPut = "UserRecordsPut", ProducerLibrary, Count, Sum, "1 for a user record that was put, 0 for one that failed.", "KDS-MET-16";
    KinesisRecordsPut = "KinesisRecordsPut", ProducerLibrary, Count, Sum, "1 for a Kinesis record that was put, 0 for one that was refused.", "KDS-MET-16";
    BufferingTime = "BufferingTime", ProducerLibrary, Milliseconds, Average, "From a user record's creation, or the end of its last attempt, to the next attempt.", "KDS-MET-16";
    RetriesPerRecord = "RetriesPerRecord", ProducerLibrary, Count, Average, "Attempts of a user record beyond the first.", "KDS-MET-16";
    ErrorsByCode = "ErrorsByCode", ProducerLibrary, Count, Sum, "Kinesis records that were refused or failed, and requests that failed whole; of all codes.", "KDS-MET-16";
    NumberOfMessagesSent = "NumberOfMessagesSent", Queue, Count, Sum, "Messages added by sends.", "SQS-C-15";
    SentMessageSize = "SentMessageSize", Queue, Bytes, Average, "Size of a message added by a send.", "SQS-C-19";
    NumberOfMessagesReceived = "NumberOfMessagesReceived", Queue, Count, Sum, "Messages returned by receives, each time counted.", "SQS-C-16";
    NumberOfEmptyReceives = "NumberOfEmptyReceives", Queue, Count, Sum, "1 for a receive that returned nothing, else 0.", "SQS-C-18";
    NumberOfMessagesDeleted = "NumberOfMessagesDeleted", Queue, Count, Sum, "Deletes with a valid handle, repeated ones included.", "SQS-C-17";
    ApproximateNumberOfMessagesVisible = "ApproximateNumberOfMessagesVisible", Queue, Count, Maximum, "Messages available for receive, at each full minute.", "SQS-C-12";
    ApproximateNumberOfMessagesNotVisible = "ApproximateNumberOfMessagesNotVisible", Queue, Count, Maximum, "Messages in flight, at each full minute.", "SQS-C-13";
    ApproximateNumberOfMessagesDelayed = "ApproximateNumberOfMessagesDelayed", Queue, Count, Maximum, "Messages delayed, at each full minute.", "SQS-C-14";
    ApproximateAgeOfOldestMessage = "ApproximateAgeOfOldestMessage", Queue, Seconds, Maximum, "Age of the oldest message; in a standard queue, of those received less than three times.", "SQS-C-06";
    NumberOfDeduplicatedSentMessages = "NumberOfDeduplicatedSentMessages", Queue, Count, Sum, "Sends that were answered as success and stored nothing.", "SQS-C-21";
    ApproximateNumberOfGroupsWithInflightMessages = "ApproximateNumberOfGroupsWithInflightMessages", Queue, Count, Maximum, "Message groups with a message in flight, at each full minute.", "SQS-C-20";
    ApproximateNumberOfMessagesVisibleInQuietGroups = "ApproximateNumberOfMessagesVisibleInQuietGroups", Queue, Count, Maximum, "Messages available for receive, without those of noisy tenants, at each full minute.", "SQS-Q-17";
    ApproximateNumberOfMessagesNotVisibleInQuietGroups = "ApproximateNumberOfMessagesNotVisibleInQuietGroups", Queue, Count, Maximum, "Messages in flight, without those of noisy tenants, at each full minute.", "SQS-Q-17";
    ApproximateNumberOfMessagesDelayedInQuietGroups = "ApproximateNumberOfMessagesDelayedInQuietGroups", Queue, Count, Maximum, "Messages delayed, without those of noisy tenants, at each full minute.", "SQS-Q-17";
    ApproximateAgeOfOldestMessageInQuietGroups = "ApproximateAgeOfOldestMessageInQuietGroups", Queue, Seconds, Maximum, "Age of the next available message of a quiet tenant, at each full minute.", "SQS-Q-17";
    ApproximateNumberOfNoisyGroups = "ApproximateNumberOfNoisyGroups", Queue, Count, Maximum, "Tenants of a fair queue that are noisy, at each full minute.", "SQS-Q-17";
    BatchesInProgress = "BatchesInProgress", Simulator, Count, Maximum, "Batches of a mapping of a queue that the function has, at each one that it sends.", "";
    ConcurrencyLimit = "ConcurrencyLimit", Simulator, Count, Maximum, "Batches of a mapping of a queue that the function may have at the same time, each time that it changes.", "";
    MessagesLetGo = "MessagesLetGo", Simulator, Count, Sum, "Messages that a mapping gave back to its queue, most of them after throttles.", "";
    MessagesReceivedAgain = "MessagesReceivedAgain", Simulator, Count, Sum, "Messages that a receive returned though an earlier one had, too.", "";
    MessagesExpired = "MessagesExpired", Simulator, Count, Sum, "Messages lost by retention.", "";
    MessagesDeadLettered = "MessagesDeadLettered", Simulator, Count, Sum, "Messages moved to the dead-letter queue.", "";
    NumberOfMessagesPublished = "NumberOfMessagesPublished", Topic, Count, Sum, "Messages published, without those that a FIFO topic knew.", "SNS-MET-01";
    PublishSize = "PublishSize", Topic, Bytes, Average, "Size of a message published.", "SNS-MET-01";
    NumberOfNotificationsDelivered = "NumberOfNotificationsDelivered", Topic, Count, Sum, "Copies that subscribed queues took.", "SNS-MET-01";
    NumberOfNotificationsFailed = "NumberOfNotificationsFailed", Topic, Count, Sum, "Copies that the topic stopped trying to deliver.", "SNS-MET-01";
    NumberOfNotificationsFilteredOut = "NumberOfNotificationsFilteredOut", Topic, Count, Sum, "Copies that filter policies did not accept.", "SQS-S-17";
    NumberOfNotificationsFilteredOutMessageAttributes = "NumberOfNotificationsFilteredOut-MessageAttributes", Topic, Count, Sum, "Copies not accepted since the attributes of the message have other values.", "SNS-MET-01";
    NumberOfNotificationsFilteredOutNoMessageAttributes = "NumberOfNotificationsFilteredOut-NoMessageAttributes", Topic, Count, Sum, "Copies not accepted since the message has no attributes.", "SNS-MET-01";
    NumberOfNotificationsFilteredOutMessageBody = "NumberOfNotificationsFilteredOut-MessageBody", Topic, Count, Sum, "Copies not accepted since the fields of the body have other values.", "SNS-MET-01";
    NumberOfNotificationsRedrivenToDlq = "NumberOfNotificationsRedrivenToDlq", Topic, Count, Sum, "Copies moved to the dead-letter queue of their subscription.", "SNS-MET-01";
    NumberOfNotificationsFailedToRedriveToDlq = "NumberOfNotificationsFailedToRedriveToDlq", Topic, Count, Sum, "Copies that the dead-letter queue of their subscription did not take.", "SNS-MET-01";
    MessagesThrottled = "MessagesThrottled", Simulator, Count, Sum, "Messages that a topic refused for throughput.", "";
    CopiesDelivered = "CopiesDelivered", Simulator, Count, Sum, "Copies that the subscription's queue took.", "";
    CopiesFilteredOut = "CopiesFilteredOut", Simulator, Count, Sum, "Copies that the subscription's filter policy did not accept.", "";
    CopiesRetried = "CopiesRetried", Simulator, Count, Sum, "Attempts of the subscription that failed and were to be repeated, each copy counted.", "";
    CopiesDeadLettered = "CopiesDeadLettered", Simulator, Count, Sum, "Copies moved to the subscription's dead-letter queue.", "";
    CopiesLost = "CopiesLost", Simulator, Count, Sum, "Copies of the subscription that are lost.", "";
    CopiesUndelivered = "CopiesUndelivered", Simulator, Count, Maximum, "Copies that the subscription has to deliver, at each full minute.", "";
    DeliveryLatency = "DeliveryLatency", Simulator, Milliseconds, Average, "From the publish of a message to its arrival in the subscription's queue.", "";
    ConsumedWriteCapacityUnits = "ConsumedWriteCapacityUnits", DynamoDb, Count, Sum, "Write units that a table's requests consumed.", "DDB-MET-01";
    WriteThrottleEvents = "WriteThrottleEvents", DynamoDb, Count, Sum, "Items that a table refused for throughput, those of a BatchWriteItem one by one.", "DDB-MET-01";
    SuccessfulRequestLatency = "SuccessfulRequestLatency", DynamoDb, Milliseconds, Average, "From a request to its answer, of those that wrote an item.", "DDB-MET-01";
    SystemErrors = "SystemErrors", DynamoDb, Count, Sum, "Requests that the service answered with an error of its own.", "DDB-MET-01";
    PutRequests = "PutRequests", S3, Count, Sum, "Requests to write an object.", "S3-MET-01";
    ServerErrors = "5xxErrors", S3, Count, Average, "1 for a request that was answered with 503, else 0.", "S3-MET-01";
    TotalRequestLatency = "TotalRequestLatency", S3, Milliseconds, Average, "From a request to its answer.", "S3-MET-01";
    WritesFailed = "WritesFailed", Simulator, Count, Sum, "Writes whose writer was told of an error.", "";
    RequestsSent = "RequestsSent", Simulator, Count, Sum, "Requests that a direct caller sent.", "";
    RequestsFailed = "RequestsFailed", Simulator, Count, Sum, "1 for an answer to a direct caller that tells of a function error or timeout, else 0.", "";
    RequestsThrottled = "RequestsThrottled", Simulator, Count, Sum, "1 for a direct call refused with 429, else 0.", "";
    ResponseTime = "ResponseTime", Simulator, Milliseconds, Average, "From a direct call to its answer, of those that were not refused.", "";
    ColdStarts = "ColdStarts", Simulator, Count, Sum, "Invocations that waited for a new environment.", "";
    RecordsProduced = "RecordsProduced", Simulator, Count, Sum, "Records handed to the client.", "";
    RecordsGivenUp = "RecordsGivenUp", Simulator, Count, Sum, "Records that the client gave up.", "";
    MillisBehindLatest = "MillisBehindLatest", Application, Milliseconds, Maximum, "How far a GetRecords of the application was behind the tip of its shard.", "KDS-MET-16";
    LeasesTaken = "LeasesTaken", Simulator, Count, Sum, "1 each time that a worker of the application came to own a lease.", "";
    RecordsExpired = "RecordsExpired", Simulator, Count, Sum, "Records whose retention ended before a reader was done with them.", "";
    RecordsDelivered = "RecordsDelivered", Simulator, Count, Sum, "Records whose effect is complete, each time counted.", "";
    EndToEndLatency = "EndToEndLatency", Simulator, Milliseconds, Average, "From a record's creation to its effect.", "";
}

impl Metric {
    /// The metric with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.row().name == name)
    }
}
