//! What is asked of queues during a run.

use super::queue::{redrive_policy, scope, throughput_limit};
use crate::fields::Fields;
use sim::command::{Command, QueueAttribute, QueueOperation};
use sim::engine::time::SimDuration;

pub(super) fn command(fields: &Fields) -> Option<Command> {
    if let Some(change) = fields.table("queue_attributes") {
        let operation = QueueOperation::SetAttributes(attributes(change));
        return Some(of(change.name("of"), operation));
    }
    if let Some(change) = fields.table("purge") {
        return Some(of(change.name("of"), QueueOperation::Purge));
    }
    if let Some(change) = fields.table("start_message_move_task") {
        let operation = QueueOperation::StartMove {
            destination: change.reference("DestinationArn").map(|(_, name)| name.to_owned()),
            rate: change.maybe_u32("MaxNumberOfMessagesPerSecond"),
        };
        return Some(of(change.name("SourceArn"), operation));
    }
    let change = fields.table("cancel_message_move_task")?;
    Some(of(change.name("SourceArn"), QueueOperation::CancelMove))
}

const fn of(queue: String, operation: QueueOperation) -> Command {
    Command::ChangeQueue { queue, operation }
}

fn attributes(change: &Fields) -> Vec<QueueAttribute> {
    let seconds = |name| change.maybe_integer(name).map(SimDuration::from_secs);
    let word = |name| Some(change.word(name)).filter(|word| !word.is_empty());
    let policy = change.table("RedrivePolicy").map(redrive_policy);
    let redrive = change
        .flag("remove_redrive_policy")
        .then_some(None)
        .or(policy.map(Some));
    let all = [
        seconds("VisibilityTimeout").map(QueueAttribute::VisibilityTimeout),
        seconds("MessageRetentionPeriod").map(QueueAttribute::MessageRetentionPeriod),
        seconds("DelaySeconds").map(QueueAttribute::DelaySeconds),
        seconds("ReceiveMessageWaitTimeSeconds").map(QueueAttribute::ReceiveMessageWaitTimeSeconds),
        change
            .maybe_u32("MaximumMessageSize")
            .map(QueueAttribute::MaximumMessageSize),
        redrive.map(QueueAttribute::RedrivePolicy),
        word("DeduplicationScope").map(|word| QueueAttribute::DeduplicationScope(scope(word))),
        word("FifoThroughputLimit").map(|word| QueueAttribute::FifoThroughputLimit(throughput_limit(word))),
    ];
    all.into_iter().flatten().collect()
}
