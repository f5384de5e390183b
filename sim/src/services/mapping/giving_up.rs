//! Records that a mapping gives up, and the documents that it writes about them.

use super::Mapping;
use super::lane::{GivenUp, LaneBatch, Positions};
use crate::blueprint::{DestinationKind, MappingBlueprint};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::SimTime;
use crate::ids::{MappingId, ShardIndex};
use crate::observe::fact::{DiscardReason, Fact, FailureDocument, MappingChange, Remains};
use crate::record::Record;
use crate::services::ServiceBuildError;

/// The on-failure destination, seen from the mapping.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// Its documents carry the records (LAM-X-23).
    with_payload: bool,
    failure_rate: Ratio,
    failure: Random,
}

impl Destination {
    pub(super) fn new(
        component: &str,
        blueprint: &MappingBlueprint,
        streams: &mut RandomStreams,
    ) -> Result<Option<Self>, ServiceBuildError> {
        let Some(destination) = &blueprint.errors.on_failure else {
            return Ok(None);
        };
        Ok(Some(Self {
            with_payload: destination.kind == DestinationKind::Bucket,
            failure_rate: destination.failure_rate,
            failure: streams.stream(&format!("{component}/destination-failure"))?,
        }))
    }
    /// Tries to deliver a document.
    fn deliver(&mut self) -> Remains {
        if self.failure.chance(self.failure_rate) {
            Remains::Undeliverable
        } else {
            Remains::DeadLettered
        }
    }
    pub(super) fn draws(&self) -> u64 {
        self.failure.draws()
    }
}

impl Mapping {
    /// How many of the records, which are in order of arrival, are older than MaximumRecordAgeInSeconds (LAM-U-08).
    pub(super) fn too_old(&self, records: &[Record], now: SimTime) -> usize {
        let Some(age) = self.errors.maximum_record_age else {
            return 0;
        };
        let is_old = |record: &&Record| record.arrived_at.saturating_add(age) < now;
        records.iter().take_while(is_old).count()
    }

    /// Leaves records alone that waited in a lane until they were too old; at most a batch of them stands in one document.
    /// Returns false if there are none.
    pub(super) fn discard_aged(&mut self, me: MappingId, shard: u32, lane_number: u16, cx: &mut Cx<'_, '_>) -> bool {
        let lane = &self.readers[to_usize(shard)].lanes[usize::from(lane_number)];
        let aged = self.too_old(lane.waiting(), cx.now()).min(self.batch_size);
        if aged > 0 {
            self.discard_waiting(me, shard, lane_number, aged, DiscardReason::RecordAgeExceeded, cx);
        }
        aged > 0
    }

    /// Takes the first records that wait for a lane away: the function never gets them.
    pub(super) fn discard_waiting(
        &mut self,
        me: MappingId,
        shard: u32,
        lane_number: u16,
        count: usize,
        reason: DiscardReason,
        cx: &mut Cx<'_, '_>,
    ) {
        let reader = &mut self.readers[to_usize(shard)];
        let mut batch = cx.fresh();
        let positions = reader.lanes[usize::from(lane_number)].take(count, &mut batch);
        reader.waiting.take_away(&batch);
        let given_up = GivenUp {
            positions,
            records: core::mem::take(&mut batch.records),
            reason,
            invocations: 0,
        };
        self.discard(me, shard, &given_up, cx);
        batch.records = given_up.records;
        cx.recycle(batch);
        // Nobody is invoked, so nobody's answer will ask for more.
        self.acknowledge(me, shard, cx);
    }

    /// The batch is through, and pieces of it were given up: neighbours go into one document (LAM-X-28).
    pub(super) fn discard_given_up(
        &mut self,
        me: MappingId,
        shard: u32,
        _lane: u16,
        held: &mut LaneBatch,
        cx: &mut Cx<'_, '_>,
    ) {
        for given_up in core::mem::take(&mut held.given_up) {
            self.discard(me, shard, &given_up, cx);
        }
    }

    /// Gives records up, and tells the on-failure destination (LAM-Z-09, LAM-Z-10).
    fn discard(&mut self, me: MappingId, shard: u32, given_up: &GivenUp, cx: &mut Cx<'_, '_>) {
        let GivenUp {
            positions,
            records,
            reason,
            ..
        } = given_up;
        let remains = match &mut self.destination {
            None => Remains::Dropped,
            Some(destination) => destination.deliver(),
        };
        cx.emit(|| Fact::RecordsDiscarded {
            reader: me.into(),
            shard: ShardIndex(shard),
            reason: *reason,
            remains,
            records,
            positions: positions.listed(),
            first_position: positions.first(),
        });
        if let Some(destination) = &self.destination {
            let document = document(given_up, shard, destination.with_payload, remains);
            cx.emit(|| Fact::MappingChanged {
                reader: me.into(),
                change: MappingChange::DocumentWritten(document),
            });
        }
        self.finish(me, shard, positions, cx);
    }
}

/// LAM-X-24, LAM-X-25.
fn document(given_up: &GivenUp, shard: u32, with_payload: bool, remains: Remains) -> FailureDocument {
    let GivenUp {
        positions,
        records,
        reason,
        invocations,
    } = given_up;
    let arrival = |record: Option<&Record>| record.map_or(SimTime::ZERO, |record| record.arrived_at);
    FailureDocument {
        condition: *reason,
        invocations: *invocations,
        shard: ShardIndex(shard),
        start: positions.first(),
        end: Positions::end(positions).saturating_sub(1),
        first_arrival: arrival(records.first()),
        last_arrival: arrival(records.last()),
        records: to_u32(records.len()),
        payload_bytes: if with_payload {
            records.iter().map(|record| u64::from(record.bytes)).sum()
        } else {
            0
        },
        delivered: remains == Remains::DeadLettered,
    }
}
