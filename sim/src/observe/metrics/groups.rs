//! Which series a component keeps: metrics in a fixed order.

use super::Metric;

pub(super) const STREAM: &[Metric] = &[
    Metric::IncomingRecords,
    Metric::IncomingBytes,
    Metric::PutRecordBytes,
    Metric::PutRecordLatency,
    Metric::PutRecordSuccess,
    Metric::PutRecordsBytes,
    Metric::PutRecordsLatency,
    Metric::PutRecordsSuccess,
    Metric::PutRecordsTotalRecords,
    Metric::PutRecordsSuccessfulRecords,
    Metric::PutRecordsFailedRecords,
    Metric::PutRecordsThrottledRecords,
    Metric::WriteProvisionedThroughputExceeded,
    Metric::ReadProvisionedThroughputExceeded,
    Metric::GetRecordsBytes,
    Metric::GetRecordsRecords,
    Metric::GetRecordsLatency,
    Metric::GetRecordsSuccess,
    Metric::GetRecordsIteratorAgeMilliseconds,
    Metric::RecordsExpired,
];
pub(super) const SHARD: &[Metric] = &[
    Metric::IncomingRecords,
    Metric::IncomingBytes,
    Metric::WriteProvisionedThroughputExceeded,
];
pub(super) const FUNCTION: &[Metric] = &[
    Metric::Invocations,
    Metric::Errors,
    Metric::Throttles,
    Metric::Duration,
    Metric::IteratorAge,
    Metric::ConcurrentExecutions,
    Metric::ProvisionedConcurrentExecutions,
    Metric::ProvisionedConcurrencyInvocations,
    Metric::ProvisionedConcurrencySpilloverInvocations,
    Metric::ProvisionedConcurrencyUtilization,
    Metric::AsyncEventsReceived,
    Metric::AsyncEventAge,
    Metric::AsyncEventsDropped,
    Metric::DeadLetterErrors,
    Metric::DestinationDeliveryFailures,
    Metric::ColdStarts,
    Metric::RecordsDelivered,
    Metric::EndToEndLatency,
];
/// What CloudWatch has for a Region and none of its functions.
pub(super) const ACCOUNT: &[Metric] = &[
    Metric::UnreservedConcurrentExecutions,
    Metric::ClaimedAccountConcurrency,
];
pub(super) const INVOKER: &[Metric] = &[
    Metric::RequestsSent,
    Metric::RequestsFailed,
    Metric::RequestsThrottled,
    Metric::ResponseTime,
];
pub(super) const MAPPING: &[Metric] = &[
    Metric::PolledEventCount,
    Metric::FilteredOutEventCount,
    Metric::InvokedEventCount,
    Metric::FailedInvokeEventCount,
    Metric::DroppedEventCount,
    Metric::OnFailureDestinationDeliveredEventCount,
];
/// Of a registered consumer (KDS-MET-13).
pub(super) const CONSUMER: &[Metric] = &[
    Metric::SubscribeToShardSuccess,
    Metric::SubscribeToShardRateExceeded,
    Metric::SubscribeToShardEventBytes,
    Metric::SubscribeToShardEventRecords,
    Metric::SubscribeToShardEventSuccess,
    Metric::SubscribeToShardEventMillisBehindLatest,
];
pub(super) const APPLICATION: &[Metric] = &[
    Metric::MillisBehindLatest,
    Metric::LeasesTaken,
    Metric::RecordsDelivered,
    Metric::EndToEndLatency,
];
pub(super) const PRODUCER: &[Metric] = &[Metric::RecordsProduced, Metric::RecordsGivenUp];
pub(super) const LIBRARY: &[Metric] = &[
    Metric::RecordsProduced,
    Metric::RecordsGivenUp,
    Metric::UserRecordsPut,
    Metric::KinesisRecordsPut,
    Metric::BufferingTime,
    Metric::RetriesPerRecord,
    Metric::ErrorsByCode,
];
