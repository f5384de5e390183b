//! `[model]`, and the list of assumptions that a run's report shows.

use super::Lowering;
use crate::Assumption;
use crate::fields::Fields;
use crate::source::printable;
use sim::blueprint::{ModelParameters, QueueMappingModel, QueueModel, TopicModel};

pub(super) fn parameters(fields: &Fields) -> ModelParameters {
    ModelParameters {
        network_latency: fields.distribution("network_latency"),
        put_service_time: fields.distribution("put_service_time"),
        get_service_time: fields.distribution("get_service_time"),
        internal_failure_rate: fields.ratio("internal_failure_rate"),
        entry_failure_rate: fields.ratio("entry_failure_rate"),
        lost_acknowledgement_rate: fields.ratio("lost_acknowledgement_rate"),
        request_timeout: fields.duration("request_timeout"),
        retry_after: fields.duration("retry_after"),
        fan_out_delay: fields.distribution("fan_out_delay"),
        fan_out_mapping_delay: fields.distribution("fan_out_mapping_delay"),
        fan_out_dispatch_delay: fields.duration("fan_out_dispatch_delay"),
        fan_out_event_interval: fields.duration("fan_out_event_interval"),
        fan_out_keep_alive: fields.duration("fan_out_keep_alive"),
        fan_out_events_ahead: fields.u32("fan_out_events_ahead"),
        consumer_creation_time: fields.duration("consumer_creation_time"),
        consumer_deletion_time: fields.duration("consumer_deletion_time"),
        poll_dispatch_delay: fields.duration("poll_dispatch_delay"),
        poll_interval: fields.duration("poll_interval"),
        min_poll_interval: fields.duration("min_poll_interval"),
        poll_page_records: fields.u32("poll_page_records"),
        mapping_creation_delay: fields.duration("mapping_creation_delay"),
        shard_discovery_interval: fields.duration("shard_discovery_interval"),
        reshard_time: fields.duration("reshard_time"),
        capacity_mode_switch_time: fields.duration("capacity_mode_switch_time"),
        retention_increase_time: fields.duration("retention_increase_time"),
        max_record_size_change_time: fields.duration("max_record_size_change_time"),
        on_demand_split_delay: fields.distribution("on_demand_split_delay"),
        retry_backoff: fields.duration("retry_backoff"),
        retry_backoff_max: fields.duration("retry_backoff_max"),
        throttle_backoff: fields.duration("throttle_backoff"),
        throttle_backoff_max: fields.duration("throttle_backoff_max"),
        placement_time: fields.distribution("placement_time"),
        idle_lifetime: fields.distribution("idle_lifetime"),
        environment_lifetime: fields.distribution("environment_lifetime"),
        provisioning_delay: fields.duration("provisioning_delay"),
        async_throttle_backoff: fields.duration("async_throttle_backoff"),
        async_throttle_backoff_max: fields.duration("async_throttle_backoff_max"),
        async_duplicate_rate: fields.ratio("async_duplicate_rate"),
        poller_failover_rate: fields.ratio("poller_failover_rate"),
        lease_write_time: fields.distribution("lease_write_time"),
        payload_record_overhead: u32::try_from(fields.bytes("payload_record_overhead")).unwrap_or(u32::MAX),
        queue_mapping: of_queue_mappings(fields),
        queue: of_queues(fields),
        topic: of_topics(fields),
    }
}

fn of_queue_mappings(fields: &Fields) -> QueueMappingModel {
    QueueMappingModel {
        poll_time: fields.distribution("queue_poll_time"),
        poll_time_fifo: fields.distribution("queue_poll_time_fifo"),
        error_backoff: fields.ratio("queue_error_backoff"),
        throttle_backoff: fields.ratio("queue_throttle_backoff"),
        scale_in_steps: fields.flag("queue_scale_in_steps"),
        scale_down_after: fields.duration("queue_scale_down_after"),
        idle_after: fields.duration("queue_idle_after"),
        retry_pause: fields.duration("queue_retry_pause"),
        payload_message_overhead: u32::try_from(fields.bytes("payload_message_overhead")).unwrap_or(u32::MAX),
        provisioned_scale_down_after: fields.duration("provisioned_scale_down_after"),
        provisioned_scale_down: fields.ratio("provisioned_scale_down"),
    }
}
fn of_queues(fields: &Fields) -> QueueModel {
    QueueModel {
        servers: fields.u32("queue_servers"),
        short_poll_servers: fields.u32("short_poll_servers"),
        order_jitter: fields.distribution("queue_order_jitter"),
        duplicate_rate: fields.ratio("queue_duplicate_rate"),
        outdated_delete_rate: fields.ratio("outdated_delete_rate"),
        service_time: fields.distribution("queue_service_time"),
        lost_receive_rate: fields.ratio("lost_receive_rate"),
        attribute_propagation: fields.distribution("queue_attribute_propagation"),
        retention_propagation: fields.distribution("queue_retention_propagation"),
        purge_time: fields.distribution("queue_purge_time"),
        purge_late_loss_rate: fields.ratio("queue_purge_late_loss_rate"),
        move_rate: fields.u32("message_move_rate"),
        move_rate_fifo: fields.u32("message_move_rate_fifo"),
        partition_growth_time: fields.duration("fifo_partition_growth_time"),
        partition_shrink_time: fields.duration("fifo_partition_shrink_time"),
    }
}
fn of_topics(fields: &Fields) -> TopicModel {
    TopicModel {
        delivery_time: fields.distribution("topic_delivery_time"),
        duplicate_rate: fields.ratio("topic_duplicate_rate"),
        service_time: fields.distribution("topic_service_time"),
        retry_jitter: fields.ratio("topic_retry_jitter"),
        envelope_bytes: u32::try_from(fields.bytes("topic_envelope")).unwrap_or(u32::MAX),
        filter_change_time: fields.distribution("topic_filter_change_time"),
    }
}

impl Lowering<'_> {
    /// Every parameter with its value as written, by the user or in its row.
    pub(super) fn assumptions(&self, fields: &Fields) -> Vec<Assumption> {
        fields
            .rows
            .properties
            .iter()
            .map(|row| {
                let is_default = !fields.is_given(row.name);
                let text = if is_default {
                    row.default.text(self.profile).unwrap_or_default().to_owned()
                } else {
                    self.text_at(fields, row.name)
                };
                Assumption {
                    name: row.name,
                    value: printable(text.trim_matches('"')),
                    is_default,
                    reason: row.doc,
                    fact: row.fact,
                }
            })
            .collect()
    }

    fn text_at(&self, fields: &Fields, name: &'static str) -> String {
        let place = fields.place_of(name);
        let text = match place.origin() {
            crate::Origin::Set(index) => self
                .options
                .set
                .get(index)
                .map(|(path, value)| crate::source::set_text(path, value))
                .unwrap_or_default(),
            crate::Origin::Scenario | crate::Origin::Trace { .. } => self.source.text().to_owned(),
        };
        text.get(place.span()).unwrap_or_default().to_owned()
    }
}
