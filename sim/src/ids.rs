//! Ids of components. They follow the sorted component names of a kind, so the order of tables in a file is irrelevant.

crate::define_index! {
    /// A producer.
    ProducerId(u16)
}
crate::define_index! {
    /// A Kinesis data stream.
    StreamId(u16)
}
crate::define_index! {
    /// An event source mapping.
    MappingId(u16)
}
crate::define_index! {
    /// A Lambda function.
    FunctionId(u16)
}
crate::define_index! {
    /// A downstream system.
    SinkId(u16)
}

crate::define_index! {
    /// A direct caller of functions.
    InvokerId(u16)
}

crate::define_index! {
    /// A consumer application.
    ApplicationId(u16)
}

crate::define_index! {
    /// Whoever reads a stream: event source mappings come first, each with the number that it has among these.
    /// Applications follow. Where a fact tells for whom a batch was processed, mappings of queues follow these.
    ReaderId(u16)
}
crate::define_index! {
    /// Whatever processes the batches of readers: functions come first, each with the number that it has among these.
    /// Applications follow, which process what they read.
    ProcessorId(u16)
}

crate::define_index! {
    /// An SQS queue.
    QueueId(u16)
}
crate::define_index! {
    /// The workers of a queue.
    FleetId(u16)
}

crate::define_index! {
    /// An SNS topic.
    TopicId(u16)
}
crate::define_index! {
    /// A subscription of a topic.
    SubscriptionId(u16)
}
crate::define_index! {
    /// An event source mapping of a queue.
    QueueMappingId(u16)
}

/// Who receives and deletes messages of a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum QueueConsumer {
    /// Workers.
    Fleet(FleetId),
    /// The pollers of an event source mapping.
    Mapping(QueueMappingId),
}

/// Where a producer writes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Destination {
    /// A Kinesis data stream.
    Stream(StreamId),
    /// An SQS queue.
    Queue(QueueId),
    /// An SNS topic.
    Topic(TopicId),
}

impl Destination {
    /// The stream, if it is one.
    pub const fn stream(self) -> Option<StreamId> {
        match self {
            Self::Stream(stream) => Some(stream),
            Self::Queue(_) | Self::Topic(_) => None,
        }
    }
}

impl From<FunctionId> for ProcessorId {
    fn from(function: FunctionId) -> Self {
        Self(function.0)
    }
}

impl From<MappingId> for ReaderId {
    fn from(mapping: MappingId) -> Self {
        Self(mapping.0)
    }
}

/// The number of a shard within its stream, as in `shardId-000000000007` (KDS-REC-14).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShardIndex(pub u32);

impl core::fmt::Display for ShardIndex {
    /// `shardId-` and twelve digits (KDS-REC-14).
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}
