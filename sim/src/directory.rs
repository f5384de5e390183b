//! Names of the components by id, and who is connected to whom: what an observer may know of a world.

mod consumers;
mod names;
mod queues;
mod topics;

pub use consumers::ConsumerEntry;
use consumers::consumers;
use queues::queue_mappings;
pub use queues::{FleetEntry, QueueEntry, QueueMappingEntry};
pub use topics::{SubscriptionEntry, TopicEntry};

use crate::blueprint::{
    Blueprint, FailureDestination, InvocationType, MappingBlueprint, PutApi, ShardLevelMetrics, SinkService,
};
use crate::engine::index::{Idx, IndexVec};
use crate::ids::{
    ApplicationId, Destination, FleetId, FunctionId, InvokerId, MappingId, ProcessorId, ProducerId, QueueId,
    QueueMappingId, ReaderId, SinkId, StreamId, SubscriptionId, TopicId,
};
use core::fmt;

/// The components of a world.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory {
    /// Producers.
    pub producers: IndexVec<ProducerId, ProducerEntry>,
    /// Streams.
    pub streams: IndexVec<StreamId, StreamEntry>,
    /// Event source mappings.
    pub mappings: IndexVec<MappingId, MappingEntry>,
    /// Consumer applications.
    pub applications: IndexVec<ApplicationId, ApplicationEntry>,
    /// Whoever reads a stream: the mappings, then the applications.
    pub readers: IndexVec<ReaderId, ReaderEntry>,
    /// Functions.
    pub functions: IndexVec<FunctionId, FunctionEntry>,
    /// Direct callers of functions.
    pub invokers: IndexVec<InvokerId, InvokerEntry>,
    /// Whatever processes the batches of readers: the functions, then the applications.
    pub processors: IndexVec<ProcessorId, ProcessorEntry>,
    /// Sinks.
    pub sinks: IndexVec<SinkId, SinkEntry>,
    /// Queues.
    pub queues: IndexVec<QueueId, QueueEntry>,
    /// Workers of queues.
    pub fleets: IndexVec<FleetId, FleetEntry>,
    /// Topics.
    pub topics: IndexVec<TopicId, TopicEntry>,
    /// Subscriptions of topics.
    pub subscriptions: IndexVec<SubscriptionId, SubscriptionEntry>,
    /// Event source mappings of queues.
    pub queue_mappings: IndexVec<QueueMappingId, QueueMappingEntry>,
}

/// A producer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Where it writes.
    pub target: Destination,
    /// The API that carries its records.
    pub api: PutApi,
    /// The Kinesis Producer Library is its client.
    pub library: bool,
}

/// A stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Shards at the start.
    pub shards: u32,
    /// Metrics for each shard (KDS-MET-02).
    pub shard_level_metrics: ShardLevelMetrics,
    /// Its registered consumers, and those that may be registered, in order of their names.
    pub consumers: Vec<ConsumerEntry>,
}

/// An event source mapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it reads.
    pub stream: StreamId,
    /// What it invokes.
    pub function: FunctionId,
    /// It is created during the run.
    pub begins_late: bool,
    /// MetricsConfig holds EventCount (LAM-M-20).
    pub event_count: bool,
    /// Its on-failure destination, as scenario files write it.
    pub on_failure: Option<String>,
}

impl MappingEntry {
    fn of(mapping: &MappingBlueprint, stream: StreamId, function: FunctionId) -> Self {
        Self {
            name: mapping.name.clone(),
            stream,
            function,
            begins_late: mapping.begins_late(),
            event_count: mapping.event_count_metrics,
            on_failure: mapping.errors.on_failure.as_ref().map(FailureDestination::label),
        }
    }
}

/// A reader of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderEntry {
    /// What it is.
    pub component: Component,
    /// What it reads.
    pub stream: StreamId,
    /// What processes its batches.
    pub processor: ProcessorId,
}

/// A consumer application, which reads and processes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it reads.
    pub stream: StreamId,
    /// Where it writes, if anywhere.
    pub sink: Option<SinkId>,
}

/// What processes batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessorEntry {
    /// What it is.
    pub component: Component,
    /// Where its effects complete; `None`: in itself.
    pub sink: Option<SinkId>,
}

/// A function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Where it writes, if anywhere.
    pub sink: Option<SinkId>,
}

/// A direct caller of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvokerEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it invokes.
    pub function: FunctionId,
    /// How.
    pub invocation_type: InvocationType,
}

/// A sink.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it is.
    pub service: SinkService,
}

/// A component of any kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Component {
    /// A producer.
    Producer(ProducerId),
    /// A stream.
    Stream(StreamId),
    /// An event source mapping.
    Mapping(MappingId),
    /// A consumer application.
    Application(ApplicationId),
    /// A function.
    Function(FunctionId),
    /// A direct caller of a function.
    Invoker(InvokerId),
    /// A sink.
    Sink(SinkId),
    /// A queue.
    Queue(QueueId),
    /// Workers of a queue.
    Fleet(FleetId),
    /// A topic.
    Topic(TopicId),
    /// A subscription of a topic.
    Subscription(SubscriptionId),
    /// An event source mapping of a queue.
    QueueMapping(QueueMappingId),
}

/// A reference in a blueprint that names no component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownReference {
    /// Who refers.
    pub from: String,
    /// To what.
    pub to: String,
}
impl fmt::Display for UnknownReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refers to {}, which does not exist", self.from, self.to)
    }
}
impl core::error::Error for UnknownReference {}

impl Directory {
    /// The components of a blueprint; ids follow the sorted names of a kind. Fails at the first reference to nothing.
    pub fn of(blueprint: &Blueprint) -> Result<Self, UnknownReference> {
        let streams = sorted(blueprint.streams.iter(), |stream| &stream.name);
        let functions = sorted(blueprint.functions.iter(), |function| &function.name);
        let sinks = sorted(blueprint.sinks.iter(), |sink| &sink.name);
        let stream_names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        let function_names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
        let sink_names: Vec<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
        let (queues, fleets) = queues::queues(blueprint)?;
        let queue_names: Vec<&str> = queues.iter().map(|queue| queue.name.as_str()).collect();
        let (topics, subscriptions) = topics::topics(blueprint, &queue_names)?;
        let mappings: IndexVec<MappingId, MappingEntry> = sorted(blueprint.mappings.iter(), |mapping| &mapping.name)
            .into_iter()
            .map(|mapping| {
                let stream = find(&stream_names, &mapping.stream, &mapping.name)?;
                let function = find(&function_names, &mapping.function, &mapping.name)?;
                Ok(MappingEntry::of(mapping, stream, function))
            })
            .collect::<Result<_, _>>()?;
        let functions: IndexVec<FunctionId, FunctionEntry> = functions
            .iter()
            .map(|function| {
                Ok(FunctionEntry {
                    name: function.name.clone(),
                    sink: maybe(&sink_names, function.sink.as_ref(), &function.name)?,
                })
            })
            .collect::<Result<_, _>>()?;
        let applications = sorted(blueprint.applications.iter(), |application| &application.name)
            .into_iter()
            .map(|application| {
                Ok(ApplicationEntry {
                    name: application.name.clone(),
                    stream: find(&stream_names, &application.stream, &application.name)?,
                    sink: maybe(&sink_names, application.sink.as_ref(), &application.name)?,
                })
            });
        let applications = applications.collect::<Result<IndexVec<ApplicationId, _>, _>>()?;
        Ok(Self {
            producers: topics::producers(blueprint, &stream_names, &queue_names, &topics)?,
            streams: (streams.iter().map(|stream| StreamEntry {
                name: stream.name.clone(),
                shards: stream.shard_count,
                shard_level_metrics: stream.shard_level_metrics,
                consumers: consumers(blueprint, &stream.name, &mappings, &applications),
            }))
            .collect(),
            queue_mappings: queue_mappings(blueprint, &queue_names, &function_names)?,
            queues,
            fleets,
            topics,
            subscriptions,
            invokers: invokers(blueprint, &function_names)?,
            readers: readers(&mappings, &functions, &applications),
            processors: processors(&functions, &applications),
            mappings,
            applications,
            functions,
            sinks: sinks
                .iter()
                .map(|sink| SinkEntry {
                    name: sink.name.clone(),
                    service: sink.service,
                })
                .collect(),
        })
    }

    /// The reader as scenario files refer to it: `mapping.enrich`.
    pub fn reader_label(&self, reader: ReaderId) -> String {
        match (self.readers.get(reader), self.queue_mapping_of(reader)) {
            (Some(entry), _) => self.label(entry.component),
            (None, Some(mapping)) => self.label(Component::QueueMapping(mapping)),
            (None, None) => "?".to_owned(),
        }
    }
    /// The component as scenario files refer to it: `stream.clicks`.
    pub fn label(&self, component: Component) -> String {
        let (kind, name) = match component {
            Component::Producer(id) => ("producer", self.producers.get(id).map(|entry| &entry.name)),
            Component::Stream(id) => ("stream", self.streams.get(id).map(|entry| &entry.name)),
            Component::Mapping(id) => ("mapping", self.mappings.get(id).map(|entry| &entry.name)),
            Component::Application(id) => ("application", self.applications.get(id).map(|entry| &entry.name)),
            Component::Function(id) => ("function", self.functions.get(id).map(|entry| &entry.name)),
            Component::Invoker(id) => ("invoker", self.invokers.get(id).map(|entry| &entry.name)),
            Component::Sink(id) => ("sink", self.sinks.get(id).map(|entry| &entry.name)),
            Component::Queue(id) => ("queue", self.queues.get(id).map(|entry| &entry.name)),
            Component::Fleet(id) => ("worker", self.fleets.get(id).map(|entry| &entry.name)),
            Component::Topic(id) => ("topic", self.topics.get(id).map(|entry| &entry.name)),
            Component::Subscription(id) => ("subscription", self.subscriptions.get(id).map(|entry| &entry.name)),
            Component::QueueMapping(id) => ("mapping", self.queue_mappings.get(id).map(|entry| &entry.name)),
        };
        format!("{kind}.{}", name.map_or("?", String::as_str))
    }

    /// The application as a reader.
    pub fn reader_of(&self, application: ApplicationId) -> ReaderId {
        ReaderId::from_index(self.mappings.len() + application.index())
    }
    /// The application as a processor.
    pub fn processor_of(&self, application: ApplicationId) -> ProcessorId {
        ProcessorId::from_index(self.functions.len() + application.index())
    }
    /// The stream that the component is or reads.
    pub fn stream_of(&self, component: Component) -> Option<StreamId> {
        let reader = match component {
            Component::Stream(id) => return Some(id),
            Component::Mapping(id) => id.into(),
            Component::Application(id) => self.reader_of(id),
            Component::Producer(_)
            | Component::Function(_)
            | Component::Invoker(_)
            | Component::Sink(_)
            | Component::Queue(_)
            | Component::Topic(_)
            | Component::Subscription(_)
            | Component::QueueMapping(_)
            | Component::Fleet(_) => {
                return None;
            }
        };
        self.readers.get(reader).map(|entry| entry.stream)
    }
    /// The component that processes: `function.enrich`.
    pub fn processor_label(&self, processor: ProcessorId) -> String {
        let entry = self.processors.get(processor);
        entry.map_or_else(|| "?".to_owned(), |entry| self.label(entry.component))
    }
    /// Readers whose batches the processor processes.
    pub fn readers_of(&self, processor: ProcessorId) -> impl Iterator<Item = (ReaderId, &ReaderEntry)> {
        self.readers
            .iter_enumerated()
            .filter(move |(_, reader)| reader.processor == processor)
    }
}

/// The direct callers, in order of id.
fn invokers(
    blueprint: &Blueprint,
    function_names: &[&str],
) -> Result<IndexVec<InvokerId, InvokerEntry>, UnknownReference> {
    sorted(blueprint.invokers.iter(), |invoker| &invoker.name)
        .into_iter()
        .map(|invoker| {
            Ok(InvokerEntry {
                name: invoker.name.clone(),
                function: find(function_names, &invoker.function, &invoker.name)?,
                invocation_type: invoker.invocation_type,
            })
        })
        .collect()
}

/// The readers, in order of id.
pub(crate) fn readers(
    mappings: &IndexVec<MappingId, MappingEntry>,
    functions: &IndexVec<FunctionId, FunctionEntry>,
    applications: &IndexVec<ApplicationId, ApplicationEntry>,
) -> IndexVec<ReaderId, ReaderEntry> {
    let mappings = mappings.iter_enumerated().map(|(id, mapping)| ReaderEntry {
        component: Component::Mapping(id),
        stream: mapping.stream,
        processor: mapping.function.into(),
    });
    let applications = applications.iter_enumerated().map(|(id, application)| ReaderEntry {
        component: Component::Application(id),
        stream: application.stream,
        processor: ProcessorId::from_index(functions.len() + id.index()),
    });
    mappings.chain(applications).collect()
}

/// The processors, in order of id.
pub(crate) fn processors(
    functions: &IndexVec<FunctionId, FunctionEntry>,
    applications: &IndexVec<ApplicationId, ApplicationEntry>,
) -> IndexVec<ProcessorId, ProcessorEntry> {
    let functions = functions.iter_enumerated().map(|(id, function)| ProcessorEntry {
        component: Component::Function(id),
        sink: function.sink,
    });
    let applications = applications.iter_enumerated().map(|(id, application)| ProcessorEntry {
        component: Component::Application(id),
        sink: application.sink,
    });
    functions.chain(applications).collect()
}

fn sorted<'b, T>(items: impl Iterator<Item = &'b T>, name: impl Fn(&T) -> &String) -> Vec<&'b T> {
    let mut all: Vec<&T> = items.collect();
    all.sort_by(|one, other| name(one).cmp(name(other)));
    all
}

fn maybe<I: Idx>(names: &[&str], wanted: Option<&String>, from: &str) -> Result<Option<I>, UnknownReference> {
    wanted.map(|wanted| find(names, wanted, from)).transpose()
}

fn find<I: Idx>(names: &[&str], wanted: &str, from: &str) -> Result<I, UnknownReference> {
    names
        .binary_search(&wanted)
        .map(I::from_index)
        .map_err(|_| UnknownReference {
            from: from.to_owned(),
            to: wanted.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{CapacityMode, StreamBlueprint};
    use crate::engine::time::SimDuration;

    #[test]
    fn ids_follow_the_sorted_names() {
        let stream = |name: &str| StreamBlueprint {
            name: name.to_owned(),
            shard_count: 1,
            retention_hours: 24,
            max_record_size_kib: 1_024,
            mode: CapacityMode::Provisioned,
            warm_throughput_mib: 0,
            shard_level_metrics: ShardLevelMetrics::default(),
        };
        let mut blueprint = Blueprint::empty(1, SimDuration::SECOND);
        blueprint.streams = vec![stream("views"), stream("clicks")];
        let directory = Directory::of(&blueprint).expect("there are no references");
        assert_eq!(directory.label(Component::Stream(StreamId(0))), "stream.clicks");
        assert_eq!(directory.label(Component::Stream(StreamId(1))), "stream.views");
        assert_eq!(directory.label(Component::Sink(SinkId(0))), "sink.?");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let error = find::<StreamId>(&["clicks"], "click", "web").expect_err("there is no such stream");
        assert_eq!(error.to_string(), "web refers to click, which does not exist");
    }
}
