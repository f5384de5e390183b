//! One metric that an expectation may name.

use crate::schema::Kind;
use crate::statistic::{Sort, Unit};

/// A metric row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metric {
    /// Its name; CloudWatch's, where CloudWatch has it.
    pub name: &'static str,
    /// `AWS/Kinesis`, `AWS/Lambda`, `AWS/SQS`, `KinesisProducerLibrary`, or `Simulator` for what CloudWatch does not have.
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

pub(crate) const fn kinesis(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Kinesis",
        unit,
        sort,
        of: &[Kind::Stream],
        doc,
    }
}
pub(crate) const fn lambda(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Lambda",
        unit,
        sort,
        of: &[Kind::Function],
        doc,
    }
}
pub(crate) const fn sqs(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/SQS",
        unit,
        sort,
        of: &[Kind::Queue],
        doc,
    }
}
pub(crate) const fn producer_library(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "KinesisProducerLibrary",
        unit,
        sort,
        of: &[Kind::Producer],
        doc,
    }
}
pub(crate) const fn simulator(
    name: &'static str,
    unit: Unit,
    sort: Sort,
    of: &'static [Kind],
    doc: &'static str,
) -> Metric {
    Metric {
        name,
        namespace: "Simulator",
        unit,
        sort,
        of,
        doc,
    }
}
