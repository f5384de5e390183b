//! What is billed of tables and buckets.

use crate::blueprint::SinkService;
use crate::engine::index::to_u32;
use crate::observe::sink_change::SinkChange;
use crate::record::Record;

/// What is billed of a table or a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SinkUsage {
    /// What it is; its settings at the start.
    pub service: SinkService,
    /// Requests that it answered, refusals included: of a bucket all but those are billed (S3-PRI-01).
    pub requests: u64,
    /// Write units consumed: what an on-demand table is billed for (DDB-PRI-01).
    pub write_units: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Records written, those apart that replaced themselves for sure.
    pub records: u64,
}

impl SinkUsage {
    pub(super) const fn new(service: SinkService) -> Self {
        Self {
            service,
            requests: 0,
            write_units: 0,
            bytes: 0,
            records: 0,
        }
    }
    pub(super) fn delivered(&mut self, records: &[Record], rewrites: bool) {
        if !rewrites {
            self.records += u64::from(to_u32(records.len()));
        }
    }
    pub(super) const fn changed(&mut self, change: SinkChange) {
        if let SinkChange::RequestAnswered { units, bytes, .. } = change {
            self.requests += 1;
            self.write_units += units;
            self.bytes += bytes;
        }
    }
}
