//! How large an aggregated record is.
//!
//! The format is a frame of 20 bytes (KDS-KPL-18) around a protocol buffer with a table of partition keys, a table of
//! explicit hash keys, and the user records, which refer to the tables by index. So a key costs its text once for all
//! its records. The library decides when a container is full by an estimate that it can keep up cheaply, and what fits
//! by the real size; both are here, the second byte by byte as a protocol buffer is written: a field costs one byte for
//! its tag, a length or an index as many bytes as it has groups of seven bits.

use crate::blueprint::{Keys, ProducerBlueprint};
use crate::engine::index::{to_u32, to_usize};
use crate::key::{KeyRange, KeyTable};
use crate::record::{KeyId, Record};

/// Magic number and MD5 around the protocol buffer (KDS-KPL-18).
pub(super) const FRAME_BYTES: u64 = 4 + 16;
/// The partition key of an aggregated record, "a" (KDS-KPL-19).
pub(super) const AGGREGATE_KEY_BYTES: u32 = 1;
/// What the library's estimate adds to the bytes of a data blob or of a table's entry, for tag and length.
const ESTIMATED_FIELD: u64 = 3;
/// What it adds for the index of a table's entry.
const ESTIMATED_INDEX: u64 = 2;

/// What the size of an aggregated record depends on, by key of the producer.
#[derive(Clone, Debug)]
pub(super) struct KeySizes {
    first: u32,
    keys: Vec<KeySize>,
}

#[derive(Clone, Copy, Debug)]
struct KeySize {
    /// Bytes of the partition key.
    text: u32,
    /// Digits of the explicit hash key; zero: there is none. Two keys with the same one count twice.
    explicit: u32,
}

/// Bytes of a number in groups of seven bits.
const fn variable(number: u64) -> u64 {
    let bits = (u64::BITS - (number | 1).leading_zeros()).next_multiple_of(7);
    match bits {
        7 => 1,
        14 => 2,
        21 => 3,
        28 => 4,
        _ => 5,
    }
}
/// A field of so many bytes: tag, length, contents.
const fn field(bytes: u64) -> u64 {
    1 + variable(bytes) + bytes
}

impl KeySizes {
    pub(super) fn new(blueprint: &ProducerBlueprint, keys: &KeyTable, range: KeyRange) -> Self {
        let explicit = |index: usize| match &blueprint.keys {
            Keys::Weighted(list) => list
                .get(index)
                .and_then(|key| key.explicit_hash_key)
                .map_or(0, |hash| hash.checked_ilog10().unwrap_or(0) + 1),
            Keys::Uniform { .. } | Keys::Zipf { .. } | Keys::Hot { .. } | Keys::FromTrace => 0,
        };
        Self {
            first: range.first,
            keys: (range.first..range.first + range.count)
                .map(|key| KeySize {
                    text: keys.entry(KeyId(key)).text_bytes,
                    explicit: explicit(to_usize(key - range.first)),
                })
                .collect(),
        }
    }
    fn of(&self, key: KeyId) -> KeySize {
        self.keys[to_usize(key.0 - self.first)]
    }
    /// Bytes of a record's data.
    #[inline]
    pub(super) fn data(&self, record: &Record) -> u64 {
        u64::from(record.bytes) - u64::from(self.of(record.key).text)
    }
    /// By how much the library's estimate of a container grows with a record, whose key may be new there.
    #[inline]
    pub(super) fn estimated(&self, record: &Record, new_key: bool) -> u64 {
        let key = self.of(record.key);
        let entry = |bytes: u32| {
            let text = if new_key { u64::from(bytes) + ESTIMATED_FIELD } else { 0 };
            text + ESTIMATED_INDEX
        };
        let explicit = if key.explicit > 0 { entry(key.explicit) } else { 0 };
        self.data(record) + ESTIMATED_FIELD + entry(key.text) + explicit
    }
}

/// Measures an aggregated record as user records are added to it.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    /// By key: in which record it was met last, and its index in the tables there.
    seen: Vec<(u64, u32, u32)>,
    record: u64,
    texts: u32,
    explicit: u32,
    bytes: u64,
}

impl Measure {
    pub(super) fn new(keys: u32) -> Self {
        Self {
            seen: vec![(0, 0, 0); to_usize(keys)],
            record: 0,
            texts: 0,
            explicit: 0,
            bytes: 0,
        }
    }
    /// Begins with another aggregated record.
    pub(super) const fn begin(&mut self) {
        self.record += 1;
        (self.texts, self.explicit) = (0, 0);
        self.bytes = FRAME_BYTES;
    }
    /// Adds a user record; returns how many bytes of data the aggregated record has now.
    pub(super) fn add(&mut self, record: &Record, sizes: &KeySizes) -> u64 {
        let key = sizes.of(record.key);
        let seen = &mut self.seen[to_usize(record.key.0 - sizes.first)];
        if seen.0 != self.record {
            *seen = (self.record, self.texts, self.explicit);
            self.texts += 1;
            self.bytes += field(u64::from(key.text));
            if key.explicit > 0 {
                self.explicit += 1;
                self.bytes += field(u64::from(key.explicit));
            }
        }
        let index = |number: u32| 1 + variable(u64::from(number));
        let explicit = if key.explicit > 0 { index(seen.2) } else { 0 };
        self.bytes += field(index(seen.1) + explicit + field(sizes.data(record)));
        self.bytes
    }
}

/// Bytes that count against limits: data and the partition key "a".
pub(super) fn aggregate_bytes(data: u64) -> u32 {
    u32::try_from(data)
        .unwrap_or(u32::MAX)
        .saturating_add(AGGREGATE_KEY_BYTES)
}

/// How many there are, as records are counted.
pub(super) fn count<T>(items: &[T]) -> u64 {
    u64::from(to_u32(items.len()))
}
