//! Queues and their workers.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use crate::schema::Kind;
use sim::blueprint::{
    Blueprint, DEFAULT_REGION, DeduplicationId, DeduplicationScope, FifoSettings, FifoThroughputLimit, FleetBlueprint,
    QueueBlueprint, RedrivePolicy, SenderBlueprint,
};
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;
use sim::services::queue::quotas::regional_calls;

impl Lowering<'_> {
    /// Queues and their workers.
    pub(super) fn queues(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        let region = top.table("account").and_then(|account| account.text("Region"));
        let calls = regional_calls(region.unwrap_or(DEFAULT_REGION), self.profile);
        for component in top.components(Kind::Queue) {
            let queue = Self::queue(&component.name, &component.fields, calls);
            blueprint.queues.push(queue);
        }
        self.message_groups(top, &mut blueprint.queues);
        self.senders(top, &mut blueprint.queues);
        for component in top.components(Kind::Worker) {
            blueprint.fleets.push(workers(&component.name, &component.fields));
        }
    }

    fn queue(name: &str, fields: &Fields, regional_calls: u32) -> QueueBlueprint {
        let seconds = |property| SimDuration::from_secs(fields.integer(property));
        let fifo = fields.flag("FifoQueue");
        QueueBlueprint {
            name: name.to_owned(),
            fifo: fifo.then(|| FifoSettings {
                deduplication_scope: scope(fields.word("DeduplicationScope")),
                throughput_limit: throughput_limit(fields.word("FifoThroughputLimit")),
                content_based_deduplication: fields.flag("ContentBasedDeduplication"),
                regional_calls,
            }),
            visibility_timeout: seconds("VisibilityTimeout"),
            retention: seconds("MessageRetentionPeriod"),
            delay: seconds("DelaySeconds"),
            receive_wait: seconds("ReceiveMessageWaitTimeSeconds"),
            maximum_message_size: fields.u32("MaximumMessageSize"),
            redrive: fields.table("RedrivePolicy").map(redrive_policy),
            grouped: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// Producers that state a MessageGroupId on a standard queue make it fair (SQS-Q-02); a FIFO queue's always do.
    fn message_groups(&mut self, top: &Fields, queues: &mut [QueueBlueprint]) {
        for producer in top.components(Kind::Producer) {
            let group = producer.fields.word("MessageGroupId");
            if group.is_empty() {
                continue;
            }
            let target = producer.fields.name("target");
            if let Some((Kind::Topic, _)) = producer.fields.reference("target") {
                if group == "key" {
                    self.message_groups_of_topic(&producer.name, &target, top, queues);
                }
                continue;
            }
            let queue = queues.iter_mut().find(|queue| queue.name == target);
            let queue = queue.filter(|_| {
                producer
                    .fields
                    .reference("target")
                    .is_some_and(|(kind, _)| kind == Kind::Queue)
            });
            match queue {
                Some(queue) if group == "none" => {
                    if queue.fifo.is_some() {
                        let place = producer.fields.place_of("MessageGroupId");
                        let title = "a message to a FIFO queue needs a MessageGroupId (SQS-B-22)";
                        let label = "AWS refuses it with MissingParameter";
                        self.fault(
                            Code::Contradiction,
                            place,
                            title,
                            label,
                            "leave it out: it is the key then",
                        );
                    }
                }
                Some(queue) if queue.fifo.is_none() && self.profile == Profile::Exam => {
                    let place = producer.fields.place_of("MessageGroupId");
                    let title = "standard queues refuse MessageGroupId in the profile `exam` (SQS-B-23)";
                    let label = "fair queues are there since 2025";
                    self.fault(
                        Code::Contradiction,
                        place,
                        title,
                        label,
                        "leave it out, or use the profile `current`",
                    );
                }
                Some(queue) if queue.fifo.is_none() => queue.grouped.push(producer.name.clone()),
                Some(_) => {}
                None => self.no_effect(&producer.fields, &["MessageGroupId"], "only queues have message groups"),
            }
        }
    }

    /// A standard topic hands the MessageGroupId on to standard queues, which it makes fair (SQS-Q-19).
    fn message_groups_of_topic(&self, producer: &str, topic: &str, top: &Fields, queues: &mut [QueueBlueprint]) {
        if self.profile == Profile::Exam {
            return;
        }
        let subscriptions = top.components(Kind::Subscription);
        for subscription in subscriptions.iter().filter(|one| one.fields.name("TopicArn") == topic) {
            let endpoint = subscription.fields.name("Endpoint");
            let queue = queues.iter_mut().find(|queue| queue.name == endpoint);
            if let Some(queue) = queue.filter(|queue| queue.fifo.is_none())
                && !queue.grouped.iter().any(|grouped| grouped == producer)
            {
                queue.grouped.push(producer.to_owned());
            }
        }
    }

    /// What producers state with their messages.
    fn senders(&mut self, top: &Fields, queues: &mut [QueueBlueprint]) {
        for producer in top.components(Kind::Producer) {
            let fields = &producer.fields;
            let target = fields.reference("target").filter(|(kind, _)| *kind == Kind::Queue);
            let queue = target.and_then(|(_, name)| queues.iter_mut().find(|queue| queue.name == name));
            let Some(queue) = queue else {
                let why = "only messages to a queue have it";
                self.no_effect(fields, &["DelaySeconds", "MessageDeduplicationId"], why);
                continue;
            };
            if queue.fifo.is_none() {
                let why = "only a FIFO queue deduplicates (SQS-O-06)";
                self.no_effect(fields, &["MessageDeduplicationId"], why);
            }
            if fields.is_given("DelaySeconds") || fields.is_given("MessageDeduplicationId") {
                queue.senders.push(SenderBlueprint {
                    producer: producer.name.clone(),
                    delay: fields.maybe_distribution("DelaySeconds").cloned(),
                    deduplication_id: match fields.word("MessageDeduplicationId") {
                        "ordinal" => DeduplicationId::Ordinal,
                        "attempt" => DeduplicationId::Attempt,
                        "none" => DeduplicationId::Absent,
                        _ => DeduplicationId::Message,
                    },
                });
            }
        }
    }
}

pub(super) fn redrive_policy(policy: &Fields) -> RedrivePolicy {
    RedrivePolicy {
        dead_letter_queue: policy.name("deadLetterTargetArn"),
        max_receive_count: u16::try_from(policy.integer("maxReceiveCount")).unwrap_or(1_000),
    }
}
pub(super) fn scope(word: &str) -> DeduplicationScope {
    match word {
        "messageGroup" => DeduplicationScope::MessageGroup,
        _ => DeduplicationScope::Queue,
    }
}
pub(super) fn throughput_limit(word: &str) -> FifoThroughputLimit {
    match word {
        "perMessageGroupId" => FifoThroughputLimit::PerMessageGroupId,
        _ => FifoThroughputLimit::PerQueue,
    }
}

fn workers(name: &str, fields: &Fields) -> FleetBlueprint {
    let seconds = |property| fields.maybe_integer(property).map(SimDuration::from_secs);
    let (failure, crash) = (fields.table("failure"), fields.table("crash"));
    FleetBlueprint {
        name: name.to_owned(),
        queue: fields.name("queue"),
        workers: fields.u32("count"),
        starts_at: SimTime::ZERO + fields.duration("starts_at"),
        wait_time: seconds("WaitTimeSeconds"),
        max_messages: fields.u32("MaxNumberOfMessages"),
        visibility_timeout: seconds("VisibilityTimeout"),
        idle_pause: fields.duration("idle_pause"),
        attempt_ids: fields.flag("ReceiveRequestAttemptId"),
        retry: super::producer::retry(fields.table("retry")),
        per_message: fields.distribution("time"),
        failure_rate: failure.map_or(Ratio::ZERO, |failure| failure.ratio("rate")),
        poison_rate: failure.map_or(Ratio::ZERO, |failure| failure.ratio("poison")),
        release_failed: failure.is_some_and(|failure| failure.flag("release")),
        heartbeat: fields.maybe_duration("heartbeat"),
        crash_rate: crash.map_or(Ratio::ZERO, |crash| crash.ratio("rate")),
        restart_time: crash.map_or(SimDuration::ZERO, |crash| crash.duration("restart")),
    }
}
