//! What AWS refuses about queues, by combination: with its own error, where one is known.

use super::Lowering;
use crate::codes::Code;
use crate::fields::{Component, Field, Fields, Value};
use crate::schema::Kind;
use crate::source::Place;
use sim::blueprint::{Blueprint, QueueBlueprint};
use sim::profile::Profile;
use sim::services::queue::quotas::LONGEST_DELAY;

/// Queues that a redrive allow policy lists at most (SQS-A-14).
const MOST_SOURCES: usize = 10;
/// What only FIFO queues have.
const FIFO_ONLY: [&str; 4] = [
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

impl Lowering<'_> {
    pub(super) fn queue_rules(&mut self, top: &Fields, blueprint: &Blueprint) {
        for queue in top.components(Kind::Queue) {
            self.attributes_of_queue(&queue.fields);
            self.allow_policy(&queue.fields);
            if let Some(policy) = queue.fields.table("RedrivePolicy") {
                self.dead_letter_queue(top, (&queue.name, policy), &blueprint.queues);
            }
        }
        for producer in top.components(Kind::Producer) {
            self.messages(&producer.fields, &blueprint.queues);
        }
        for worker in top.components(Kind::Worker) {
            let queue = named(&blueprint.queues, &worker.fields.name("queue"));
            if worker.fields.flag("ReceiveRequestAttemptId") && queue.is_some_and(|queue| queue.fifo.is_none()) {
                let place = worker.fields.place_of("ReceiveRequestAttemptId");
                let title = "a standard queue has no ReceiveRequestAttemptId (SQS-X-01)";
                self.refuse(place, title, "InvalidParameterValue", "use it with FIFO queues");
            }
        }
        for change in top.tables("intervention") {
            self.change_of_queue(top, change, &blueprint.queues);
        }
    }

    fn refuse(&mut self, place: Place, title: &str, error: &str, help: &str) {
        let label = format!("AWS refuses it with {error}");
        self.fault(Code::Contradiction, place, title, &label, help);
    }

    fn attributes_of_queue(&mut self, fields: &Fields) {
        if fields.flag("FifoQueue") {
            self.high_throughput(fields, fields.word("DeduplicationScope"));
        } else {
            self.of_standard_queue(fields);
        }
    }
    /// To state what holds anyway is as good as to leave it out.
    fn of_standard_queue(&mut self, fields: &Fields) {
        for name in FIFO_ONLY {
            let Some(row) = fields.rows.property(name) else {
                continue;
            };
            let stated = fields.flag(name).to_string();
            let word = format!("\"{}\"", fields.word(name));
            let default = row.default.text(self.profile);
            let says_nothing = default.is_some_and(|default| default == stated || default == word);
            if fields.is_given(name) && !says_nothing {
                let title = format!("a standard queue does not have `{name}` (SQS-A-18, SQS-A-19)");
                let help = "leave it out, or set FifoQueue = true";
                self.refuse(fields.place_of(name), &title, "InvalidAttributeName", help);
            }
        }
    }
    /// High throughput needs deduplication by group (SQS-A-26); the other way round it does not (SQS-A-27).
    fn high_throughput(&mut self, fields: &Fields, scope: &str) {
        if fields.word("FifoThroughputLimit") == "perMessageGroupId" && scope != "messageGroup" {
            let place = fields.place_of("FifoThroughputLimit");
            let title = "perMessageGroupId needs DeduplicationScope = \"messageGroup\" (SQS-A-26)";
            self.refuse(place, title, "InvalidAttributeValue", "set both, or neither");
        }
    }

    fn allow_policy(&mut self, fields: &Fields) {
        let Some(policy) = fields.table("RedriveAllowPolicy") else {
            return;
        };
        let sources = policy.list("sourceQueueArns");
        let by_queue = policy.word("redrivePermission") == "byQueue";
        if policy.is_given("sourceQueueArns") && !by_queue {
            let place = policy.place_of("sourceQueueArns");
            let title = "sourceQueueArns needs redrivePermission = \"byQueue\" (SQS-A-15)";
            self.refuse(place, title, "InvalidParameterValue", "leave one of them out");
        }
        if by_queue && sources.is_empty() && policy.is_sound("sourceQueueArns") {
            let place = policy.place_of("redrivePermission");
            let title = "redrivePermission = \"byQueue\" lists the queues (SQS-A-14)";
            self.refuse(place, title, "InvalidParameterValue", "add sourceQueueArns");
        }
        if sources.len() > MOST_SOURCES {
            let place = policy.place_of("sourceQueueArns");
            let title = format!("sourceQueueArns lists at most {MOST_SOURCES} queues (SQS-A-14)");
            let label = format!(
                "{} are listed; AWS refuses it with InvalidParameterValue",
                sources.len()
            );
            self.fault(Code::OutOfRange, place, title, &label, "use allowAll for more");
        }
    }

    /// A dead-letter queue is of its source's type (SQS-D-07) and allows it (SQS-A-13, SQS-D-11).
    fn dead_letter_queue(&mut self, top: &Fields, (source, policy): (&str, &Fields), queues: &[QueueBlueprint]) {
        let target = policy.name("deadLetterTargetArn");
        let place = policy.place_of("deadLetterTargetArn");
        if let (Some(own), Some(other)) = (named(queues, source), named(queues, &target))
            && own.fifo.is_some() != other.fifo.is_some()
        {
            let title = "a dead-letter queue has the type of its source (SQS-D-07)";
            let label = if own.fifo.is_some() {
                "this is a standard queue; AWS refuses it with InvalidParameterValue"
            } else {
                "this is a FIFO queue; AWS refuses it with InvalidParameterValue"
            };
            self.fault(Code::Contradiction, place, title, label, "set FifoQueue alike for both");
        }
        let component = component(top, &target);
        let Some(allowed) = component.and_then(|component| component.fields.table("RedriveAllowPolicy")) else {
            return;
        };
        let lists = |field: &Field| matches!(&field.value, Value::Reference(_, name) if name == source);
        let forbidden = match allowed.word("redrivePermission") {
            "denyAll" => true,
            "byQueue" => !allowed.list("sourceQueueArns").iter().any(lists),
            _ => false,
        };
        if forbidden {
            let title = "this queue does not allow it to be the dead-letter queue (SQS-A-13, SQS-D-11)";
            let help = "allow it in the RedriveAllowPolicy of the dead-letter queue";
            self.refuse(place, title, "InvalidParameterValue", help);
        }
    }

    /// What a message may state.
    fn messages(&mut self, fields: &Fields, queues: &[QueueBlueprint]) {
        let target = fields.reference("target").filter(|(kind, _)| *kind == Kind::Queue);
        let Some(queue) = target.and_then(|(_, name)| named(queues, name)) else {
            return;
        };
        let greatest = |name| {
            let sampler = fields.maybe_distribution(name).and_then(|law| law.compile().ok());
            sampler.map(|sampler| sampler.quantile(1.0))
        };
        if greatest("size") == Some(0) {
            let title = "a message has at least one byte (SQS-B-18)";
            self.refuse(fields.place_of("size"), title, "MissingParameter", "give it a size");
        }
        let delay = greatest("DelaySeconds").unwrap_or(0);
        let place = fields.place_of("DelaySeconds");
        if delay > LONGEST_DELAY.as_nanos() {
            let label = "AWS refuses it with InvalidParameterValue";
            let title = "a message is delayed by at most 15 minutes (SQS-L-04)";
            self.fault(Code::OutOfRange, place, title, label, "state at most 900s");
        } else if delay > 0 && queue.fifo.is_some() {
            let title = "a message to a FIFO queue has no delay of its own (SQS-L-05)";
            let help = "set DelaySeconds of the queue";
            self.refuse(place, title, "InvalidParameterValue", help);
        }
        let computes = queue.fifo.is_none_or(|fifo| fifo.content_based_deduplication);
        if fields.word("MessageDeduplicationId") == "none" && !computes {
            let place = fields.place_of("MessageDeduplicationId");
            let title = "a message to this queue needs a MessageDeduplicationId (SQS-B-25, SQS-B-26)";
            let help = "set ContentBasedDeduplication = true at the queue, or give one";
            self.refuse(place, title, "InvalidParameterValue", help);
        }
    }

    fn change_of_queue(&mut self, top: &Fields, change: &Fields, queues: &[QueueBlueprint]) {
        if let Some(attributes) = change.table("queue_attributes") {
            self.change_of_attributes(top, attributes, queues);
        }
        if let Some(task) = change.table("start_message_move_task") {
            self.move_task(task, queues);
        }
    }
    fn change_of_attributes(&mut self, top: &Fields, change: &Fields, queues: &[QueueBlueprint]) {
        let name = change.name("of");
        let (Some(queue), Some(component)) = (named(queues, &name), component(top, &name)) else {
            return;
        };
        if change.keys.keys().all(|key| *key == "of") {
            let title = "a change of attributes changes at least one";
            let help = "state the new value of one, for example VisibilityTimeout = 60";
            self.fault(Code::InvalidIntervention, change.place, title, "none is given", help);
        }
        if queue.fifo.is_none() {
            self.of_standard_queue(change);
        } else {
            if change.is_given("FifoQueue") && !change.flag("FifoQueue") {
                let title = "a queue never changes its type (SQS-A-16, SQS-A-17)";
                let place = change.place_of("FifoQueue");
                self.refuse(place, title, "InvalidAttributeValue", "leave it out");
            }
            let given = change.is_given("DeduplicationScope");
            let scope = if given { change } else { &component.fields }.word("DeduplicationScope");
            self.high_throughput(change, scope);
        }
        if let Some(policy) = change.table("RedrivePolicy") {
            self.dead_letter_queue(top, (&name, policy), queues);
            if change.flag("remove_redrive_policy") {
                let place = change.place_of("remove_redrive_policy");
                let title = "a redrive policy is set or removed";
                self.fault(
                    Code::Contradiction,
                    place,
                    title,
                    "and set here too",
                    "leave one of them out",
                );
            }
        }
    }
    fn move_task(&mut self, task: &Fields, queues: &[QueueBlueprint]) {
        let name = task.name("SourceArn");
        let Some(source) = named(queues, &name) else { return };
        let place = task.place_of("SourceArn");
        let is_target = |queue: &QueueBlueprint| {
            let policy = queue.redrive.as_ref();
            policy.is_some_and(|policy| policy.dead_letter_queue == name)
        };
        if !queues.iter().any(is_target) {
            let title = "only the dead-letter queue of a queue can be redriven (SQS-M-01, SQS-M-20)";
            let help = "name it in the RedrivePolicy of a queue";
            self.refuse(place, title, "InvalidParameterValue", help);
        }
        if source.fifo.is_some() && self.profile == Profile::Exam {
            let title = "dead-letter queues of FIFO queues are not redriven in the profile `exam` (SQS-M-19, SQS-H-05)";
            self.refuse(place, title, "InvalidParameterValue", "use the profile `current`");
        }
        let destination = named(queues, &task.name("DestinationArn"));
        if destination.is_some_and(|destination| destination.fifo.is_some() != source.fifo.is_some()) {
            let place = task.place_of("DestinationArn");
            let title = "a redrive goes to a queue of the same type (SQS-M-03)";
            self.refuse(place, title, "InvalidParameterValue", "name another queue");
        }
    }
}

fn named<'q>(queues: &'q [QueueBlueprint], name: &str) -> Option<&'q QueueBlueprint> {
    queues.iter().find(|queue| queue.name == name)
}
fn component<'f>(top: &'f Fields, name: &str) -> Option<&'f Component> {
    let mut queues = top.components(Kind::Queue).iter();
    queues.find(|queue| queue.name == name)
}
