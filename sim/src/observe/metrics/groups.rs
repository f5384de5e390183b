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
    Metric::DestinationDeliveryFailures,
    Metric::ColdStarts,
    Metric::RecordsDelivered,
    Metric::EndToEndLatency,
];
pub(super) const MAPPING: &[Metric] = &[
    Metric::PolledEventCount,
    Metric::FilteredOutEventCount,
    Metric::InvokedEventCount,
    Metric::FailedInvokeEventCount,
    Metric::DroppedEventCount,
    Metric::OnFailureDestinationDeliveredEventCount,
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
pub(super) const SINK: &[Metric] = &[Metric::RecordsDelivered, Metric::EndToEndLatency];
