//! The Kinesis Producer Library as a producer's client.

use super::Lowering;
use crate::fields::Fields;
use sim::blueprint::ProducerLibrary;
use sim::engine::time::SimDuration;

/// What only a client of the application's own goes by.
const SDK_KNOBS: &[&str] = &[
    "api",
    "linger",
    "max_batch_records",
    "max_batch_bytes",
    "concurrency",
    "SequenceNumberForOrdering",
    "retry",
    "resend_failed",
    "call_window",
    "call_window_threshold",
];

impl Lowering<'_> {
    /// The library's settings, if it is the producer's client.
    pub(super) fn library(&mut self, fields: &Fields) -> Option<ProducerLibrary> {
        if fields.word("client") != "kpl" {
            self.no_effect(fields, &["kpl"], "these settings need client = \"kpl\"");
            return None;
        }
        self.no_effect(fields, SDK_KNOBS, "the Kinesis Producer Library decides that by itself");
        let defaults = ProducerLibrary::defaults(self.profile);
        let Some(kpl) = fields.table("kpl") else {
            return Some(defaults);
        };
        if !kpl.flag("AggregationEnabled") {
            let knobs = ["AggregationMaxCount", "AggregationMaxSize", "RateLimit"];
            let why = "without aggregation the library does not look at shards";
            self.no_effect(kpl, &knobs, why);
        }
        let millis = |name| SimDuration::from_millis(kpl.integer(name));
        Some(ProducerLibrary {
            record_max_buffered_time: millis("RecordMaxBufferedTime"),
            aggregation_enabled: kpl.flag("AggregationEnabled"),
            aggregation_max_count: kpl.u32("AggregationMaxCount"),
            aggregation_max_size: kpl.integer("AggregationMaxSize"),
            collection_max_count: kpl.u32("CollectionMaxCount"),
            collection_max_size: kpl.integer("CollectionMaxSize"),
            rate_limit: kpl.u32("RateLimit"),
            record_ttl: millis("RecordTtl"),
            fail_if_throttled: kpl.flag("FailIfThrottled"),
            max_connections: kpl.u32("MaxConnections"),
            request_timeout: millis("RequestTimeout"),
            max_user_record_size: kpl.integer("MaxUserRecordSize"),
            ..defaults
        })
    }
}
