//! The metrics that an expectation may name.

use crate::schema::Kind;

mod catalogue;
mod publisher;
mod queues;
mod topics;

pub use crate::statistic::{Sort, Statistic, Unit};
pub(crate) use catalogue::EVENT_COUNT;
use catalogue::ROWS;
use queues::QUEUES;
use topics::TOPICS;

/// A metric row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name; CloudWatch's, where CloudWatch has it.
    pub name: &'static str,
    /// `AWS/Kinesis`, `AWS/Lambda`, `AWS/SQS`, `AWS/SNS`, `KinesisProducerLibrary`, or `Simulator` for what CloudWatch does not have.
    pub namespace: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it is.
    pub sort: Sort,
    /// The kinds of components that have it.
    pub of: &'static [Kind],
    /// What it says, in a sentence.
    pub doc: &'static str,
}

/// All metrics.
pub const METRICS: &[Metric] = &joined::<{ ROWS.len() + QUEUES.len() + TOPICS.len() }>();

const fn joined<const COUNT: usize>() -> [Metric; COUNT] {
    let mut all = [ROWS[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < ROWS.len() {
            ROWS[at]
        } else if at < ROWS.len() + QUEUES.len() {
            QUEUES[at - ROWS.len()]
        } else {
            TOPICS[at - ROWS.len() - QUEUES.len()]
        };
        at += 1;
    }
    all
}

impl Metric {
    /// The metric of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }
    /// Of a metric of mappings: the only kind of source whose mappings have it, if there is one.
    pub(crate) fn of_source(&self) -> Option<Kind> {
        match self.name {
            "DroppedEventCount"
            | "OnFailureDestinationDeliveredEventCount"
            | "RecordsDiscarded"
            | "RecordsDeadLettered"
            | "WindowsClosed"
            | "WindowsTerminatedEarly"
            | "BatchesBisected" => Some(Kind::Stream),
            "DeletedEventCount" | "ProvisionedPollers" | "BatchesInProgress" | "ConcurrencyLimit"
            | "BatchesThrottled" | "MessagesLetGo" => Some(Kind::Queue),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
