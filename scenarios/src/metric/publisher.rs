//! Rows by who publishes the metric.

use super::{Metric, Sort, Unit};
use crate::schema::Kind;
use Sort::{Counter, Timing};
use Unit::{Count, Milliseconds};

pub(super) const fn kinesis(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Kinesis",
        unit,
        sort,
        of: &[Kind::Stream],
        doc,
    }
}
pub(super) const fn lambda(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/Lambda",
        unit,
        sort,
        of: &[Kind::Function],
        doc,
    }
}
pub(super) const fn sqs(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "AWS/SQS",
        unit,
        sort,
        of: &[Kind::Queue],
        doc,
    }
}
pub(super) const fn sns(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        namespace: "AWS/SNS",
        of: &[Kind::Topic],
        ..sqs(name, unit, sort, doc)
    }
}
pub(super) const fn mapping(name: &'static str, namespace: &'static str, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace,
        unit: Count,
        sort: Counter,
        of: &[Kind::Mapping],
        doc,
    }
}
pub(super) const fn producer_library(name: &'static str, unit: Unit, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        name,
        namespace: "KinesisProducerLibrary",
        unit,
        sort,
        of: &[Kind::Producer],
        doc,
    }
}
pub(super) const fn simulator(
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

/// Of a sink; the namespace is AWS's where AWS has the metric.
pub(super) const fn sink(namespace: &'static str, name: &'static str, sort: Sort, doc: &'static str) -> Metric {
    Metric {
        namespace,
        ..simulator(
            name,
            if matches!(sort, Timing) { Milliseconds } else { Count },
            sort,
            &[Kind::Sink],
            doc,
        )
    }
}
