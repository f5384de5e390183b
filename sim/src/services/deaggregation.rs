//! De-aggregation: what a consumer's library makes of aggregated records.
//!
//! Streams, and Lambda with shared throughput, hand aggregated records on as they are. The code of the consumer takes
//! them apart: the user records of one have its position, and their order in it as subsequence number (KDS-SEQ-14).

use crate::batch::Batch;
use crate::context::{Cx, Fault};
use crate::record::Record;
use crate::services::kinesis::shard::HashRange;

/// Replaces the aggregated records of a batch by their user records. `first_position` is that of the first record; the
/// batch's own positions, if it lists any, say where the others are. Positions of user records are listed if anybody
/// watches.
///
/// With the `range` of a shard, an aggregated record of which any user record hashes outside of it is dropped as a whole,
/// as the Kinesis Client Library does (KDS-KCL-37). Returns how many user records were dropped by that.
pub(crate) fn deaggregate(
    batch: &mut Batch,
    first_position: u64,
    range: Option<HashRange>,
    cx: &mut Cx<'_, '_>,
) -> u64 {
    let first_aggregate = cx.keys().first_aggregate();
    if !batch.records.iter().any(|record| record.key.0 >= first_aggregate) {
        return 0;
    }
    let mut apart = cx.fresh();
    let (listed, watched) = (!batch.positions.is_empty(), cx.is_watched());
    let mut dropped = 0;
    for (index, record) in batch.records.iter().enumerate() {
        let position = if listed {
            batch.positions[index]
        } else {
            first_position + u64::try_from(index).unwrap_or(u64::MAX)
        };
        let before = apart.records.len();
        if record.key.0 < first_aggregate {
            apart.records.push(*record);
        } else {
            let members = cx.user_records.aggregates.members(record.key, record.ordinal);
            let Some(members) = members else {
                cx.fail(Fault::Broken(format!("the user records of {record:?} are not known")));
                return 0;
            };
            let outside = |member: &Record| {
                let hash = cx.keys.entry(member.key).hash;
                range.is_some_and(|range| !(range.start..=range.end).contains(&hash))
            };
            if members.iter().any(outside) {
                dropped += u64::try_from(members.len()).unwrap_or(u64::MAX);
                continue;
            }
            apart.records.extend(members.iter().map(|member| Record {
                arrived_at: record.arrived_at,
                flags: 0,
                ..*member
            }));
        }
        if watched {
            let count = apart.records.len() - before;
            apart.positions.extend(core::iter::repeat_n(position, count));
        }
    }
    apart.bytes = apart.records.iter().map(|record| u64::from(record.bytes)).sum();
    apart.envelope = batch.envelope;
    core::mem::swap(batch, &mut apart);
    cx.recycle(apart);
    dropped
}
