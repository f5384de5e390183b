//! Random requests to the control plane of streams.

use super::blueprints::model;
use crate::blueprint::{CapacityMode, ModelParameters};
use crate::command::{Command, Intervention, Operation};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// Anything that a stream may be asked for, possible or not.
pub fn operations() -> impl Strategy<Value = Operation> {
    let shard = || (0_u32..10).prop_map(ShardIndex);
    prop_oneof![
        3 => (option::of(shard()), option::of(any::<u128>()), any::<bool>()).prop_map(|(shard, at, middle)| {
            let at = at.filter(|_| !middle);
            Operation::SplitShard { shard, at }
        }),
        2 => (shard(), shard()).prop_map(|(one, other)| Operation::MergeShards { shards: [one, other] }),
        3 => (1_u32..12).prop_map(|target| Operation::UpdateShardCount { target }),
        1 => prop_oneof![Just(24_u32), Just(48), 24_u32..9_000].prop_map(|hours| Operation::SetRetention { hours }),
        1 => prop_oneof![Just(CapacityMode::OnDemand), Just(CapacityMode::Provisioned)]
            .prop_map(|mode| Operation::SetMode { mode }),
        1 => (1_000_u32..10_300).prop_map(|kib| Operation::SetMaxRecordSize { kib }),
    ]
}

/// A stream changes within seconds, so that many changes fit into a short run.
pub(super) fn quick_changes() -> ModelParameters {
    let ms = SimDuration::from_millis;
    ModelParameters {
        shard_discovery_interval: ms(700),
        mapping_creation_delay: ms(900),
        reshard_time: ms(1_500),
        capacity_mode_switch_time: ms(1_000),
        retention_increase_time: ms(900),
        max_record_size_change_time: ms(800),
        ..model()
    }
}

/// Something is asked of the stream `records`.
pub(super) fn asked_of_records((at, operation): (SimTime, Operation)) -> Intervention {
    let stream = "records".to_owned();
    let command = Command::ChangeStream { stream, operation };
    Intervention { at, command }
}
