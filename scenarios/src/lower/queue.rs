//! Queues and their workers.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use crate::schema::Kind;
use sim::blueprint::{Blueprint, FifoSettings, FleetBlueprint, QueueBlueprint, RedrivePolicy};
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;

impl Lowering<'_> {
    /// Queues and their workers.
    pub(super) fn queues(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for component in top.components(Kind::Queue) {
            let queue = self.queue(&component.name, &component.fields);
            blueprint.queues.push(queue);
        }
        self.message_groups(top, &mut blueprint.queues);
        self.dead_letter_queues(top, &blueprint.queues);
        for component in top.components(Kind::Worker) {
            blueprint.fleets.push(workers(&component.name, &component.fields));
        }
    }

    fn queue(&mut self, name: &str, fields: &Fields) -> QueueBlueprint {
        let seconds = |property| SimDuration::from_secs(fields.integer(property));
        let fifo = fields.flag("FifoQueue");
        if !fifo {
            let why = "only a FIFO queue has it (SQS-A-19)";
            self.no_effect(fields, &["FifoThroughputLimit"], why);
        }
        QueueBlueprint {
            name: name.to_owned(),
            fifo: fifo.then(|| FifoSettings {
                high_throughput: fields.word("FifoThroughputLimit") == "perMessageGroupId",
            }),
            visibility_timeout: seconds("VisibilityTimeout"),
            retention: seconds("MessageRetentionPeriod"),
            delay: seconds("DelaySeconds"),
            receive_wait: seconds("ReceiveMessageWaitTimeSeconds"),
            maximum_message_size: fields.u32("MaximumMessageSize"),
            redrive: fields.table("RedrivePolicy").map(|policy| RedrivePolicy {
                dead_letter_queue: policy.name("deadLetterTargetArn"),
                max_receive_count: u16::try_from(policy.integer("maxReceiveCount")).unwrap_or(1_000),
            }),
            grouped: Vec::new(),
        }
    }

    /// Producers that state a MessageGroupId on a standard queue make it fair (SQS-Q-02); a FIFO queue's always do.
    fn message_groups(&mut self, top: &Fields, queues: &mut [QueueBlueprint]) {
        for producer in top.components(Kind::Producer) {
            if producer.fields.word("MessageGroupId").is_empty() {
                continue;
            }
            let target = producer.fields.name("target");
            let queue = queues.iter_mut().find(|queue| queue.name == target);
            let queue = queue.filter(|_| {
                producer
                    .fields
                    .reference("target")
                    .is_some_and(|(kind, _)| kind == Kind::Queue)
            });
            match queue {
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

    /// A dead-letter queue has the type of its source (SQS-D-07).
    fn dead_letter_queues(&mut self, top: &Fields, queues: &[QueueBlueprint]) {
        for component in top.components(Kind::Queue) {
            let Some(policy) = component.fields.table("RedrivePolicy") else {
                continue;
            };
            let find = |name: &str| queues.iter().find(|queue| queue.name == name);
            let (own, other) = (find(&component.name), find(&policy.name("deadLetterTargetArn")));
            if let (Some(own), Some(other)) = (own, other)
                && own.fifo.is_some() != other.fifo.is_some()
            {
                let title = "a dead-letter queue has the type of its source (SQS-D-07)";
                let label = if own.fifo.is_some() {
                    "this is a standard queue"
                } else {
                    "this is a FIFO queue"
                };
                let help = "set FifoQueue alike for both";
                let place = policy.place_of("deadLetterTargetArn");
                self.fault(Code::Contradiction, place, title, label, help);
            }
        }
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
        per_message: fields.distribution("time"),
        failure_rate: failure.map_or(Ratio::ZERO, |failure| failure.ratio("rate")),
        poison_rate: failure.map_or(Ratio::ZERO, |failure| failure.ratio("poison")),
        release_failed: failure.is_some_and(|failure| failure.flag("release")),
        heartbeat: fields.maybe_duration("heartbeat"),
        crash_rate: crash.map_or(Ratio::ZERO, |crash| crash.ratio("rate")),
        restart_time: crash.map_or(SimDuration::ZERO, |crash| crash.duration("restart")),
    }
}
