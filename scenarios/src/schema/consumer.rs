//! `[consumer.NAME]`: AWS::Kinesis::StreamConsumer.

use super::{Kind, Rows, Shape, required};

/// Properties of a registered consumer.
pub static CONSUMER: Rows = Rows {
    title: "a registered consumer of a stream",
    aws: Some("AWS::Kinesis::StreamConsumer"),
    properties: &[required(
        "StreamARN",
        Shape::Reference(&[Kind::Stream]),
        "The stream that it is registered with, and that pushes records to it (enhanced fan-out).",
    )
    .fact("KDS-EFO-02")],
    not_modelled: &["ConsumerName", "Tags"],
};
