//! Which records a mapping wants (LAM-E-22, LAM-U-10). Contents do not exist, so filters look at what stands for them.

use super::Mapping;
use super::lane::Positions;
use crate::batch::Batch;
use crate::blueprint::Filter;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::quantity::Ratio;
use crate::ids::{MappingId, ShardIndex};
use crate::key::KeyTable;
use crate::observe::fact::Fact;
use crate::record::Record;

/// What stands for the data is the same whoever looks at it.
const CONTENTS: u64 = 0;

/// The filters of a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Filters {
    limits: Vec<Limits>,
    /// By key: a bit for each filter that the key matches.
    of_keys: Vec<u64>,
    /// Records of this key or a later one are aggregated.
    first_aggregate: u32,
}

/// What a filter asks of a record beyond its key.
#[derive(Clone, Copy, Debug)]
struct Limits {
    share: (Ratio, Ratio),
    bytes: (u64, u64),
}

impl Filters {
    pub(crate) fn new(filters: &[Filter], keys: &KeyTable) -> Self {
        let count = u32::try_from(keys.entries().len()).unwrap_or(u32::MAX);
        let bits = |text: String| {
            let bit = |(number, filter): (u32, &Filter)| u64::from(matches(filter, &text)) << number.min(63);
            (0..).zip(filters).map(bit).sum()
        };
        Self {
            first_aggregate: keys.first_aggregate(),
            limits: filters
                .iter()
                .map(|filter| Limits {
                    share: filter.share,
                    bytes: filter.bytes,
                })
                .collect(),
            of_keys: (0..count)
                .map(|key| bits(keys.text(crate::record::KeyId(key))))
                .collect(),
        }
    }

    /// One filter that matches is enough (LAM-E-22).
    pub(crate) fn wants(&self, record: &Record) -> bool {
        let of_key = self.of_keys.get(to_usize(record.key.0)).copied().unwrap_or(0);
        (0_u32..).zip(&self.limits).any(|(number, limits)| {
            let (from, to) = limits.share;
            let bytes = u64::from(record.bytes);
            of_key >> number.min(63) & 1 == 1
                && (limits.bytes.0..limits.bytes.1).contains(&bytes)
                && record.lot(CONTENTS).falls_within(to)
                && !record.lot(CONTENTS).falls_within(from)
        })
    }
}

fn matches(filter: &Filter, key: &str) -> bool {
    (filter.equals.is_empty() || filter.equals.iter().any(|text| text == key))
        && filter.anything_but.iter().all(|text| text != key)
        && filter
            .prefix
            .as_ref()
            .is_none_or(|prefix| key.starts_with(prefix.as_str()))
        && filter
            .suffix
            .as_ref()
            .is_none_or(|suffix| key.ends_with(suffix.as_str()))
}

impl Mapping {
    /// Takes the records that no filter wants out of a page that begins at `first`, and returns the positions of the
    /// others. The mapping is done with what it does not want: the checkpoint moves past it (LAM-K-30).
    pub(super) fn filter(
        &mut self,
        me: MappingId,
        shard: u32,
        page: &mut Batch,
        first: u64,
        cx: &mut Cx<'_, '_>,
    ) -> Vec<u64> {
        let Some(filters) = &self.filters else {
            return Vec::new();
        };
        let (pushed, range) = (self.fan_out.is_some(), self.readers[to_usize(shard)].range);
        let mut unwanted = cx.fresh();
        let mut positions = Vec::with_capacity(page.records.len());
        let mut position = first;
        page.records.retain(|record| {
            let wanted = if record.key.0 < filters.first_aggregate {
                filters.wants(record)
            } else {
                // An aggregated record is no JSON (LAM-K-29); only Lambda itself looks into it, where it is pushed
                // (LAM-K-32). Nothing is left of one of which no user record is wanted.
                let members = cx.user_records.aggregates.members(record.key, record.ordinal);
                let any = |members: &std::sync::Arc<[Record]>| {
                    let own = |member: &&Record| range.contains(cx.keys.entry(member.key).hash);
                    members.iter().filter(own).any(|member| filters.wants(member))
                };
                pushed && members.is_some_and(any)
            };
            if wanted {
                positions.push(position);
            } else {
                unwanted.records.push(*record);
                unwanted.positions.push(position);
                unwanted.bytes += u64::from(record.bytes);
            }
            position += 1;
            wanted
        });
        page.bytes -= unwanted.bytes;
        if !unwanted.records.is_empty() {
            self.readers[to_usize(shard)].waiting.take_away(&unwanted);
            cx.emit(|| Fact::RecordsFilteredOut {
                reader: me.into(),
                shard: ShardIndex(shard),
                records: &unwanted.records,
                positions: &unwanted.positions,
            });
            let done = Positions::List(core::mem::take(&mut unwanted.positions));
            self.finish(me, shard, &done, cx);
        }
        cx.recycle(unwanted);
        positions
    }
}
