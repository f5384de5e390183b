//! Totals of sinks.

use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::observe::sink_change::SinkChange;
use crate::record::Record;

/// Totals of a sink.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SinkCounts {
    /// Records taken, repeated ones included.
    pub delivered: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Writes taken; of a table or a bucket requests of which something was written.
    pub writes: u64,
    /// When the last one was.
    pub last_at: SimTime,
    /// Requests that a table or a bucket answered.
    pub requests: u64,
    /// Records in them that it did not take.
    pub refused: u64,
    /// Write units of a table that were consumed (DDB-CAP-01).
    pub write_units: u64,
    /// Writes whose writer was told of an error.
    pub failed_writes: u64,
    /// Records of these that did not take effect.
    pub unwritten: u64,
}

impl SinkCounts {
    pub(super) fn delivered(&mut self, now: SimTime, records: &[Record]) {
        self.delivered += u64::from(to_u32(records.len()));
        self.bytes += records.iter().map(|record| u64::from(record.bytes)).sum::<u64>();
        self.writes += 1;
        self.last_at = now;
    }
    pub(super) fn changed(&mut self, change: SinkChange) {
        match change {
            SinkChange::RequestAnswered {
                records,
                written,
                units,
                ..
            } => {
                self.requests += 1;
                self.refused += u64::from(records - written);
                self.write_units += units;
            }
            SinkChange::WriteFailed { unwritten, .. } => {
                self.failed_writes += 1;
                self.unwritten += u64::from(unwritten);
            }
        }
    }
}
