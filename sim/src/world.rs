//! The closed world: every component and every event there is. No logic.

use crate::ids::{FunctionId, MappingId, ProducerId, SinkId, StreamId};
use crate::services::{kinesis, lambda, mapping, producer, sink};

/// Everything that can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A command takes effect.
    Control(u16),
    /// To a function.
    Function(FunctionId, lambda::Event),
    /// To a mapping.
    Mapping(MappingId, mapping::Event),
    /// To a producer.
    Producer(ProducerId, producer::Event),
    /// To a sink.
    Sink(SinkId, sink::Event),
    /// To a stream.
    Stream(StreamId, kinesis::Event),
}

const _: () = assert!(size_of::<Event>() <= 16, "an event is small");
