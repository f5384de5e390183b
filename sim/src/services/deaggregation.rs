//! De-aggregation: what a consumer's library makes of aggregated records.
//!
//! Streams, and Lambda with shared throughput, hand aggregated records on as they are. The code of the consumer takes
//! them apart: the user records of one have its position, and their order in it as subsequence number (KDS-SEQ-14).

use crate::batch::Batch;
use crate::context::{Cx, Fault};
use crate::key::HashRange;
use crate::record::Record;

/// Whether any record of a batch is an aggregated one.
pub(crate) fn is_aggregated(batch: &Batch, cx: &Cx<'_, '_>) -> bool {
    let first_aggregate = cx.keys().first_aggregate();
    // Where nobody aggregates, no record is looked at.
    first_aggregate != u32::MAX && batch.records.iter().any(|record| record.key.0 >= first_aggregate)
}

/// Replaces the aggregated records of a batch by their user records. `first_position` is that of the first record; the
/// batch's own positions, if it lists any, say where the others are. Positions of user records are listed.
///
/// With the `range` of a shard, an aggregated record of which any user record hashes outside of it is dropped as a whole,
/// as the Kinesis Client Library does (KDS-KCL-37). Returns how many user records were dropped by that.
pub(crate) fn deaggregate(
    batch: &mut Batch,
    first_position: u64,
    range: Option<HashRange>,
    cx: &mut Cx<'_, '_>,
) -> u64 {
    if !is_aggregated(batch, cx) {
        return 0;
    }
    let first_aggregate = cx.keys().first_aggregate();
    let mut apart = cx.fresh();
    let listed = !batch.positions.is_empty();
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
                range.is_some_and(|range| !range.contains(hash))
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
        let count = apart.records.len() - before;
        apart.positions.extend(core::iter::repeat_n(position, count));
    }
    apart.bytes = apart.records.iter().map(|record| u64::from(record.bytes)).sum();
    apart.envelope = batch.envelope;
    core::mem::swap(batch, &mut apart);
    cx.recycle(apart);
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::ProducerLibrary;
    use crate::profile::Profile;
    use crate::record::KeyId;
    use crate::testing::blueprints::producer;
    use crate::testing::harness::{Component, Harness, records};
    use crate::world::Event;

    struct Nobody;
    impl Component for Nobody {
        fn react(&mut self, _: Event, _: &mut Cx<'_, '_>) -> bool {
            false
        }
    }

    /// One aggregated record of keys 0 and 1, between two plain ones of key 0.
    fn batch() -> (Harness<Nobody>, Batch, u128, u128) {
        let blueprint = crate::blueprint::ProducerBlueprint {
            library: Some(ProducerLibrary::defaults(Profile::Current)),
            ..producer("app", "records")
        };
        let keys = crate::key::KeyTable::build(&[&blueprint]);
        let (first, second) = (keys.entry(KeyId(0)).hash, keys.entry(KeyId(1)).hash);
        let carrier = KeyId(keys.first_aggregate());
        let mut harness = Harness::with_keys(Nobody, keys);
        let mut members = records(1, 2);
        members[1].key = KeyId(1);
        harness.user_records.aggregates.keep(carrier, 0, &members);
        let mut all = records(0, 3);
        (all[1].key, all[1].ordinal, all[1].bytes) = (carrier, 0, 240);
        let batch = Batch {
            records: all,
            bytes: 440,
            ..Batch::default()
        };
        (harness, batch, first, second)
    }
    fn identities(batch: &Batch) -> Vec<(u32, u32, u64)> {
        let records = batch.records.iter().zip(&batch.positions);
        records
            .map(|(record, position)| (record.key.0, record.ordinal, *position))
            .collect()
    }

    #[test]
    fn aggregated_records_are_replaced_by_their_user_records() {
        let (mut harness, mut batch, ..) = batch();
        let dropped = harness.apply(|_, cx| deaggregate(&mut batch, 7, None, cx));
        assert_eq!((dropped, batch.bytes), (0, 400));
        assert_eq!(identities(&batch), [(0, 0, 7), (0, 1, 8), (1, 2, 8), (0, 2, 9)]);
    }

    /// The range has the first user record but not the second: both are gone, and the plain records stay.
    #[test]
    fn kds_kcl_37_one_user_record_outside_the_range_drops_the_whole_aggregated_record() {
        for keeps in [true, false] {
            let (mut harness, mut batch, first, second) = batch();
            let (low, high) = (first.min(second), first.max(second));
            let range = match (keeps, first < second) {
                (true, _) => HashRange { start: low, end: high },
                (false, true) => HashRange {
                    start: low,
                    end: high - 1,
                },
                (false, false) => HashRange {
                    start: low + 1,
                    end: high,
                },
            };
            let dropped = harness.apply(|_, cx| deaggregate(&mut batch, 0, Some(range), cx));
            assert_eq!(dropped, if keeps { 0 } else { 2 });
            assert_eq!(batch.records.len(), if keeps { 4 } else { 2 });
        }
    }
}
