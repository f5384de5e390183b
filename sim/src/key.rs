//! Partition keys of a run: interned once, hashed once.

use crate::blueprint::{Arrivals, Keys, ProducerBlueprint};
use crate::engine::index::{to_u32, to_usize};
use crate::ids::ProducerId;
use crate::record::KeyId;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// A closed range of the 128-bit hash space (KDS-REC-11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashRange {
    /// `StartingHashKey`.
    pub start: u128,
    /// `EndingHashKey`.
    pub end: u128,
}

impl HashRange {
    /// All hash keys.
    pub const WHOLE: Self = Self {
        start: 0,
        end: u128::MAX,
    };
    /// Whether a hash key lies in it.
    pub const fn contains(&self, hash: u128) -> bool {
        self.start <= hash && hash <= self.end
    }
}

/// What the model needs to know of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyEntry {
    /// Position in the stream's hash space: ExplicitHashKey (KDS-REC-10) or MD5 of the text (KDS-REC-08, KDS-REC-09).
    pub hash: u128,
    /// Length of the text in UTF-8 bytes, which counts towards the record's size (KDS-REC-05).
    pub text_bytes: u32,
    /// Shared by equal texts of different producers: lanes, message groups and order checks go by it.
    pub group: u32,
    /// The producer that uses this entry.
    pub producer: ProducerId,
}

/// All keys of a run. The keys of a producer are consecutive.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    entries: Vec<KeyEntry>,
    populations: Vec<Population>,
    /// By producer: the keys that stand for its aggregated records (KDS-KPL-19), one for each of its own; none unless it
    /// uses the Kinesis Producer Library.
    aggregates: Vec<Option<KeyRange>>,
    groups: u32,
}

#[derive(Clone, Debug)]
struct Population {
    producer: String,
    first: u32,
    count: u32,
    names: KeyNames,
}

#[derive(Clone, Debug)]
enum KeyNames {
    /// `<producer>-<number>`.
    Numbered,
    Listed(Vec<String>),
}

/// The partition key of every aggregated record (KDS-KPL-19).
const AGGREGATE_TEXT: &str = "a";

/// The keys of a producer: ids `first .. first + count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyRange {
    /// Id of the first.
    pub first: u32,
    /// Number of keys.
    pub count: u32,
}

/// MD5 of the text as a big-endian number (KDS-REC-08, KDS-REC-09).
pub fn hash_of(text: &str) -> u128 {
    let digest = Md5::digest(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest);
    u128::from_be_bytes(bytes)
}

impl KeyTable {
    /// Interns the keys of producers that are given in order of id.
    pub fn build(producers: &[&ProducerBlueprint]) -> Self {
        let mut table = Self::default();
        let mut groups: BTreeMap<String, u32> = BTreeMap::new();
        for (number, producer) in producers.iter().enumerate() {
            let id = <ProducerId as crate::engine::index::Idx>::from_index(number);
            let (names, explicit, count) = match (&producer.keys, &producer.arrivals) {
                (Keys::Uniform { count } | Keys::Zipf { count, .. }, _) => (KeyNames::Numbered, Vec::new(), *count),
                (Keys::Hot { others, .. }, _) => (KeyNames::Numbered, Vec::new(), others + 1),
                (Keys::Weighted(list), _) => (
                    KeyNames::Listed(list.iter().map(|key| key.text.clone()).collect()),
                    list.iter().map(|key| key.explicit_hash_key).collect(),
                    to_u32(list.len()),
                ),
                (Keys::FromTrace, Arrivals::Trace(trace)) => (
                    KeyNames::Listed(trace.keys.clone()),
                    Vec::new(),
                    to_u32(trace.keys.len()),
                ),
                (
                    Keys::FromTrace,
                    Arrivals::Constant(_) | Arrivals::Poisson(_) | Arrivals::Bursts { .. } | Arrivals::Profile { .. },
                ) => (KeyNames::Listed(Vec::new()), Vec::new(), 0),
            };
            let population = Population {
                producer: producer.name.clone(),
                first: to_u32(table.entries.len()),
                count,
                names,
            };
            for index in 0..count {
                let text = population.text(index);
                let group = *groups.entry(text.clone()).or_insert_with(|| {
                    table.groups += 1;
                    table.groups - 1
                });
                let hash = explicit
                    .get(to_usize(index))
                    .copied()
                    .flatten()
                    .unwrap_or_else(|| hash_of(&text));
                table.entries.push(KeyEntry {
                    hash,
                    text_bytes: to_u32(text.len()),
                    group,
                    producer: id,
                });
            }
            table.populations.push(population);
        }
        table.add_aggregates(producers, &mut groups);
        table
    }
    /// Adds the keys of aggregated records, after all others. An aggregated record travels with the partition key "a" and
    /// an explicit hash key, the hash key of its first user record (KDS-KPL-19).
    fn add_aggregates(&mut self, producers: &[&ProducerBlueprint], groups: &mut BTreeMap<String, u32>) {
        for (number, producer) in producers.iter().enumerate() {
            if producer.library.is_none() {
                self.aggregates.push(None);
                continue;
            }
            let own = self.range(<ProducerId as crate::engine::index::Idx>::from_index(number));
            let group = *groups.entry(AGGREGATE_TEXT.to_owned()).or_insert_with(|| {
                self.groups += 1;
                self.groups - 1
            });
            self.aggregates.push(Some(KeyRange {
                first: to_u32(self.entries.len()),
                count: own.count,
            }));
            for key in own.first..own.first + own.count {
                let member = *self.entry(KeyId(key));
                self.entries.push(KeyEntry {
                    text_bytes: to_u32(AGGREGATE_TEXT.len()),
                    group,
                    ..member
                });
            }
        }
    }
    /// The keys of the producer's aggregated records: the n-th is that of records whose first user record has the n-th of
    /// the producer's keys. Empty unless it uses the Kinesis Producer Library.
    pub fn aggregates(&self, producer: ProducerId) -> KeyRange {
        let range = self.aggregates.get(usize::from(producer.0)).copied().flatten();
        range.unwrap_or(KeyRange {
            first: to_u32(self.entries.len()),
            count: 0,
        })
    }
    /// Id of the first key that stands for aggregated records; all from it on do. Beyond all keys if none does.
    #[inline]
    pub fn first_aggregate(&self) -> u32 {
        let first = self.aggregates.iter().flatten().next();
        first.map_or(u32::MAX, |range| range.first)
    }
    /// The key's entry.
    #[inline]
    pub fn entry(&self, key: KeyId) -> &KeyEntry {
        &self.entries[to_usize(key.0)]
    }
    /// All entries, in order of id.
    pub fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }
    /// By key: the group of its text.
    pub fn group_of_each(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().map(|entry| entry.group)
    }
    /// Number of groups.
    pub const fn groups(&self) -> u32 {
        self.groups
    }
    /// The keys of a producer.
    pub fn range(&self, producer: ProducerId) -> KeyRange {
        let population = &self.populations[usize::from(producer.0)];
        KeyRange {
            first: population.first,
            count: population.count,
        }
    }
    /// The key's text.
    pub fn text(&self, key: KeyId) -> String {
        if key.0 >= self.first_aggregate() {
            return AGGREGATE_TEXT.to_owned();
        }
        let at = self
            .populations
            .partition_point(|population| population.first + population.count <= key.0);
        self.populations
            .get(at)
            .map_or_else(String::new, |population| population.text(key.0 - population.first))
    }
}

impl Population {
    fn text(&self, index: u32) -> String {
        match &self.names {
            KeyNames::Numbered => format!("{}-{index:06}", self.producer),
            KeyNames::Listed(texts) => texts.get(to_usize(index)).cloned().unwrap_or_default(),
        }
    }
}
