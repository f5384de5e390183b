//! The metrics that an expectation may name.

use crate::schema::Kind;

mod catalogue;
mod publisher;

pub use crate::statistic::{Sort, Statistic, Unit};
pub(crate) use catalogue::EVENT_COUNT;
pub use catalogue::METRICS;

/// A metric row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name; CloudWatch's, where CloudWatch has it.
    pub name: &'static str,
    /// `AWS/Kinesis`, `AWS/Lambda`, `KinesisProducerLibrary`, or `Simulator` for what CloudWatch does not have.
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

impl Metric {
    /// The metric of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }
}

#[cfg(test)]
mod tests;
