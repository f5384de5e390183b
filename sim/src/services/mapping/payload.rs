//! How many records fit an invocation.

use super::quotas;
use crate::engine::index::to_u32;
use crate::key::KeyTable;
use crate::record::Record;

/// Computes payload sizes (LAM-U-29): a frame, and for each record its data in base64 (LAM-K-13), its partition key and
/// a constant of metadata.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    overhead: u64,
    longest_key: u64,
}

impl Payload {
    pub(crate) fn new(overhead: u32, keys: &KeyTable) -> Self {
        let longest_key = keys.entries().iter().map(|entry| entry.text_bytes).max().unwrap_or(0);
        Self {
            overhead: u64::from(overhead),
            longest_key: u64::from(longest_key),
        }
    }
    /// Payload bytes of one record.
    #[inline]
    fn of(&self, record: &Record, keys: &KeyTable) -> u64 {
        let key = u64::from(keys.entry(record.key).text_bytes);
        let data = u64::from(record.bytes).saturating_sub(key);
        4 * data.div_ceil(3) + key + self.overhead
    }
    /// Payload bytes of records together.
    pub(crate) fn of_all(&self, records: &[Record], keys: &KeyTable) -> u64 {
        let each = records.iter().map(|record| self.of(record, keys));
        quotas::PAYLOAD_FRAME_BYTES + each.sum::<u64>()
    }
    /// An upper bound of the payload bytes of so many records that have so many bytes together.
    pub(crate) fn at_most(&self, records: u32, bytes: u64) -> u64 {
        let each = 4 + self.longest_key + self.overhead;
        quotas::PAYLOAD_FRAME_BYTES + bytes.div_ceil(3) * 4 + u64::from(records) * each
    }
    /// True if the record exceeds the limit by itself (LAM-K-25).
    pub(super) fn oversized(&self, record: &Record, keys: &KeyTable) -> bool {
        quotas::PAYLOAD_FRAME_BYTES + self.of(record, keys) > quotas::MAX_PAYLOAD_BYTES
    }
    /// How many of the first records, which have so many bytes together, fit the limit (LAM-E-03, LAM-E-09).
    pub(super) fn fitting(&self, records: &[Record], bytes: u64, keys: &KeyTable) -> usize {
        // Sums decide the common case without looking keys up.
        if self.at_most(to_u32(records.len()), bytes) <= quotas::MAX_PAYLOAD_BYTES {
            return records.len();
        }
        let mut total = quotas::PAYLOAD_FRAME_BYTES;
        records
            .iter()
            .take_while(|record| {
                total += self.of(record, keys);
                total <= quotas::MAX_PAYLOAD_BYTES
            })
            .count()
    }
}
