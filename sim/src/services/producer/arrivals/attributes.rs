//! Keys and sizes of records, a column at a time.

use super::SourceError;
use crate::blueprint::{Arrivals, Keys, ProducerBlueprint, Size, Trace, TraceRows};
use crate::engine::discrete::{AliasTable, NARROW_ENTRIES};
use crate::engine::distribution::Sampler;
use crate::engine::index::to_usize;
use crate::engine::random::{RandomStreams, Stream};
use crate::key::{KeyRange, KeyTable};
use crate::record::KeyId;
use std::sync::Arc;

/// Columns are completed in chunks of so many records, which stay in the nearest cache from one step to the next.
const CHUNK: usize = 256;

/// What fills the key and size columns.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    keys: KeyColumn,
    sizes: SizeColumn,
    texts: TextBytes,
    first: u32,
}

#[derive(Clone, Debug)]
enum KeyColumn {
    Uniform {
        count: u32,
        stream: Stream,
    },
    Weighted {
        table: Arc<AliasTable>,
        stream: Stream,
    },
    /// The trace's keys, by row (of requests) or series (of counts).
    Recorded(Arc<[u32]>),
}

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a producer has one; a box would cost an allocation for each block"
)]
enum SizeColumn {
    Drawn {
        sampler: Sampler,
        stream: Stream,
    },
    /// The trace's sizes, by row.
    Recorded(Arc<Trace>),
}

/// Length of the keys' texts, which counts towards a record's size (KDS-REC-05).
#[derive(Clone, Debug)]
enum TextBytes {
    Equal(u32),
    Each(Arc<[u32]>),
}

impl Attributes {
    pub(super) fn build(
        blueprint: &ProducerBlueprint,
        range: KeyRange,
        table: &KeyTable,
        streams: &mut RandomStreams,
    ) -> Result<Self, SourceError> {
        let trace = match &blueprint.arrivals {
            Arrivals::Trace(trace) => Some(trace),
            Arrivals::Constant(_) | Arrivals::Poisson(_) | Arrivals::Bursts { .. } | Arrivals::Profile { .. } => None,
        };
        if range.count == 0 {
            return Err(SourceError::NoKeys);
        }
        let sizes = match &blueprint.size {
            Size::Drawn(distribution) => SizeColumn::Drawn {
                sampler: streams.sampler(distribution)?,
                stream: streams.stream(&format!("producer.{}/size", blueprint.name))?,
            },
            Size::FromTrace => SizeColumn::Recorded(Arc::clone(recorded_sizes(trace)?)),
        };
        Ok(Self {
            keys: key_column(blueprint, range, trace, streams)?,
            sizes,
            texts: TextBytes::build(range, table),
            first: range.first,
        })
    }
    /// Completes a block of records. `keys` comes in with the row or series of each record, if the arrivals are a
    /// trace's, and goes out with key ids; `bytes` goes out with what counts against limits (KDS-REC-05).
    pub(super) fn complete(&mut self, keys: &mut [u32], bytes: &mut [u32]) {
        for (keys, bytes) in keys.chunks_mut(CHUNK).zip(bytes.chunks_mut(CHUNK)) {
            self.complete_chunk(keys, bytes);
        }
    }
    fn complete_chunk(&mut self, keys: &mut [u32], bytes: &mut [u32]) {
        self.sizes.fill(keys, bytes);
        self.keys.fill(keys);
        match &self.texts {
            TextBytes::Equal(text) => {
                for size in bytes.iter_mut() {
                    *size = size.saturating_add(*text);
                }
            }
            TextBytes::Each(texts) => {
                for (size, key) in bytes.iter_mut().zip(keys.iter()) {
                    *size = size.saturating_add(texts[to_usize(*key)]);
                }
            }
        }
        if self.first > 0 {
            for key in keys {
                *key += self.first;
            }
        }
    }
    /// Random words drawn so far.
    pub(super) const fn draws(&self) -> u64 {
        let keys = match &self.keys {
            KeyColumn::Uniform { stream, .. } | KeyColumn::Weighted { stream, .. } => stream.draws(),
            KeyColumn::Recorded(_) => 0,
        };
        let sizes = match &self.sizes {
            SizeColumn::Drawn { stream, .. } => stream.draws(),
            SizeColumn::Recorded(_) => 0,
        };
        keys + sizes
    }
}

fn recorded_sizes(trace: Option<&Arc<Trace>>) -> Result<&Arc<Trace>, SourceError> {
    trace
        .filter(|trace| match &trace.rows {
            TraceRows::Requests { at, bytes, .. } => bytes.len() == at.len(),
            TraceRows::Counts { .. } => false,
        })
        .ok_or(SourceError::NoSizesInTrace)
}

#[allow(clippy::float_arithmetic, reason = "compiles parameters at load")]
fn key_column(
    blueprint: &ProducerBlueprint,
    range: KeyRange,
    trace: Option<&Arc<Trace>>,
    streams: &mut RandomStreams,
) -> Result<KeyColumn, SourceError> {
    let weights = match &blueprint.keys {
        Keys::Uniform { .. } => None,
        Keys::Zipf { count, exponent } => Some(
            (1..=*count)
                .map(|rank| libm::pow(f64::from(rank), -exponent))
                .collect::<Vec<_>>(),
        ),
        Keys::Hot { share, others } => {
            let mut weights = vec![(1.0 - share) / f64::from((*others).max(1)); to_usize(*others) + 1];
            weights[0] = *share;
            Some(weights)
        }
        Keys::Weighted(list) => {
            let weights: Vec<f64> = list.iter().map(|key| key.weight).collect();
            // The same draws as from a table of equal weights, without the table.
            let equal = weights.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
            (!equal
                || !weights
                    .first()
                    .is_some_and(|weight| weight.is_normal() && *weight > 0.0))
            .then_some(weights)
        }
        Keys::FromTrace => {
            let recorded = trace
                .and_then(|trace| recorded_keys(trace))
                .filter(|keys| keys.iter().all(|key| *key < range.count))
                .ok_or(SourceError::NoKeysInTrace)?;
            return Ok(KeyColumn::Recorded(recorded));
        }
    };
    let stream = streams.stream(&format!("producer.{}/key", blueprint.name))?;
    let Some(weights) = weights else {
        return Ok(KeyColumn::Uniform {
            count: range.count,
            stream,
        });
    };
    debug_assert_eq!(
        weights.len(),
        to_usize(range.count),
        "the table's keys are the blueprint's"
    );
    Ok(KeyColumn::Weighted {
        table: Arc::new(AliasTable::new(&weights)?),
        stream,
    })
}

fn recorded_keys(trace: &Trace) -> Option<Arc<[u32]>> {
    match &trace.rows {
        TraceRows::Requests { at, key, .. } => (key.len() == at.len()).then(|| key.as_slice().into()),
        TraceRows::Counts { series, .. } => series.iter().map(|series| series.key).collect::<Option<Arc<[u32]>>>(),
    }
}

impl KeyColumn {
    fn fill(&mut self, keys: &mut [u32]) {
        match self {
            Self::Uniform { count, stream } => {
                let count = *count;
                if count > NARROW_ENTRIES {
                    fill_wide(stream, keys, |word| high_quarter(u128::from(word) * u128::from(count)));
                    return;
                }
                stream.fill(keys);
                for key in keys {
                    *key = high_half(u64::from(*key) * u64::from(count));
                }
            }
            Self::Weighted { table, stream } => {
                if table.len() > NARROW_ENTRIES {
                    fill_wide(stream, keys, |word| table.sample_wide(word));
                    return;
                }
                stream.fill(keys);
                for key in keys {
                    *key = table.sample(*key);
                }
            }
            Self::Recorded(recorded) => {
                for key in keys {
                    *key = recorded[to_usize(*key)];
                }
            }
        }
    }
}

impl SizeColumn {
    fn fill(&mut self, rows: &[u32], bytes: &mut [u32]) {
        match self {
            Self::Drawn { sampler, stream } => {
                stream.fill(bytes);
                sampler.fill(bytes);
            }
            Self::Recorded(trace) => {
                if let TraceRows::Requests { bytes: recorded, .. } = &trace.rows {
                    for (size, row) in bytes.iter_mut().zip(rows) {
                        *size = recorded[to_usize(*row)];
                    }
                }
            }
        }
    }
}

impl TextBytes {
    fn build(range: KeyRange, table: &KeyTable) -> Self {
        let of = |index: u32| table.entry(KeyId(range.first + index)).text_bytes;
        let first = of(0);
        if (1..range.count).all(|index| of(index) == first) {
            Self::Equal(first)
        } else {
            Self::Each((0..range.count).map(of).collect())
        }
    }
}

/// Fills a column from 64-bit words, for populations so large that 32 bits would favour some.
fn fill_wide(stream: &mut Stream, keys: &mut [u32], mut key_of: impl FnMut(u64) -> u32) {
    const CHUNK: usize = 128;
    let mut words = [0; 2 * CHUNK];
    for chunk in keys.chunks_mut(CHUNK) {
        let words = &mut words[..2 * chunk.len()];
        stream.fill(words);
        for (key, [low, high]) in chunk.iter_mut().zip(words.as_chunks::<2>().0) {
            *key = key_of(u64::from(*low) | u64::from(*high) << 32);
        }
    }
}

#[inline]
#[expect(
    clippy::as_conversions,
    reason = "the high half of a product with a 32-bit number has 32 bits"
)]
const fn high_quarter(value: u128) -> u32 {
    (value >> 64) as u32
}
#[inline]
#[expect(clippy::as_conversions, reason = "the high half of 64 bits has 32")]
const fn high_half(value: u64) -> u32 {
    (value >> 32) as u32
}
