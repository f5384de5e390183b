//! From a blueprint to a world.

use crate::batch::BatchPool;
use crate::blueprint::{Blueprint, ProducerBlueprint};
use crate::command::{Command, Intervention};
use crate::directory::{Component, Directory, UnknownReference};
use crate::engine::index::{Idx, IndexVec};
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;
use crate::ids::{
    ApplicationId, Destination, FleetId, MappingId, ProducerId, QueueId, QueueMappingId, ReaderId, StreamId,
};
use crate::key::KeyTable;
use crate::services::ServiceBuildError;
use crate::services::application::{Application, ApplicationSetting};
use crate::services::fleet::Fleet;
use crate::services::invoker::Invoker;
use crate::services::kinesis::{ConsumerSetting, Stream, StreamSetting};
use crate::services::lambda::{Account, Lambda};
use crate::services::mapping::{Mapping, MappingSetting};
use crate::services::producer::{Client, LibrarySetting};
use crate::services::queue::{Queue, QueueSetting};
use crate::services::queue_mapping::{QueueMapping, QueueMappingSetting};
use crate::services::sink::Sink;
use crate::services::topic::{Subscribed, TopicSetting, Topics};
use crate::user_records::UserRecords;
use crate::world::World;
use std::sync::Arc;

/// Why a blueprint is no world.
#[derive(Clone, PartialEq, Debug)]
pub enum BuildError {
    /// A component refers to one that does not exist.
    Reference(UnknownReference),
    /// A component cannot be built.
    Service(ServiceBuildError),
    /// A command changes a component that does not exist.
    Target(String),
    /// Two components of one kind have the same name.
    Twice(String),
    /// There are more than 65,535 commands.
    TooManyCommands,
}

impl core::fmt::Display for BuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Reference(error) => write!(f, "{error}"),
            Self::Service(error) => write!(f, "{error}"),
            Self::Target(target) => write!(f, "an intervention changes {target}, which does not exist"),
            Self::Twice(component) => write!(f, "there are two components named {component}"),
            Self::TooManyCommands => f.write_str("a run takes 65,535 interventions at most"),
        }
    }
}
impl core::error::Error for BuildError {}
impl From<ServiceBuildError> for BuildError {
    fn from(error: ServiceBuildError) -> Self {
        Self::Service(error)
    }
}

/// A blueprint's items of one kind, in order of id.
fn sorted<'b, T>(items: &'b [T], kind: &str, name: impl Fn(&T) -> &str) -> Result<Vec<&'b T>, BuildError> {
    let mut all: Vec<&T> = items.iter().collect();
    all.sort_by(|a, b| name(a).cmp(name(b)));
    match all.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
        Some(pair) => Err(BuildError::Twice(format!("{kind}.{}", name(pair[0])))),
        None => Ok(all),
    }
}

impl World {
    /// A world at the start of its time, with nothing scheduled, and its interventions in order of time.
    pub(crate) fn build(blueprint: &Blueprint) -> Result<(Self, Vec<Intervention>), BuildError> {
        let directory = Directory::of(blueprint).map_err(BuildError::Reference)?;
        let producers = sorted(&blueprint.producers, "producer", |producer| &producer.name)?;
        let functions = sorted(&blueprint.functions, "function", |function| &function.name)?;
        let keys = KeyTable::build(&producers);
        let mut random = RandomStreams::new(blueprint.seed, blueprint.replication);
        let streams = build_streams(blueprint, &directory, &producers, &keys, &mut random)?;
        let mappings = build_mappings(blueprint, &directory, &streams, &keys, &mut random)?;
        let applications = build_applications(blueprint, &directory, &mut random)?;
        let sink_of_function: Vec<_> = directory.functions.iter().map(|function| function.sink).collect();
        let account = Account {
            profile: blueprint.profile,
            concurrency: blueprint.account_concurrency,
            region_burst: blueprint.region_burst,
        };
        let lambda = Lambda::new(&functions, &sink_of_function, account, &blueprint.model, &mut random)?;
        let mut invokers = IndexVec::new();
        for (invoker, entry) in sorted(&blueprint.invokers, "invoker", |invoker| &invoker.name)?
            .into_iter()
            .zip(&directory.invokers)
        {
            invokers.push(Invoker::new(invoker, entry.function, &blueprint.model, &mut random)?);
        }
        let clients = build_clients(blueprint, &directory, (&producers, &keys), &streams, &mut random)?;
        let queues = build_queues(blueprint, &directory, &keys, &mut random)?;
        let topics = build_topics(blueprint, &directory, &keys, &mut random)?;
        let fleets = build_fleets(blueprint, &directory, &mut random)?;
        let queue_mappings = build_queue_mappings(blueprint, &directory, &keys, &mut random)?;
        let mut sinks = IndexVec::new();
        for sink in sorted(&blueprint.sinks, "sink", |sink| &sink.name)? {
            sinks.push(Sink::new(sink, &blueprint.model, &mut random)?);
        }
        let mut interventions = blueprint.interventions.clone();
        interventions.sort_by_key(|intervention| intervention.at);
        if let Some(lost) = interventions
            .iter()
            .find(|intervention| !intervention.command.has_target(&directory))
        {
            return Err(BuildError::Target(lost.command.target()));
        }
        let world = Self {
            applications,
            queues,
            fleets,
            topics,
            queue_mappings,
            invokers,
            lambda,
            mappings,
            producers: clients,
            sinks,
            streams,
            batches: BatchPool::default(),
            user_records: UserRecords::new(keys.first_aggregate()),
            keys: Arc::new(keys),
            directory: Arc::new(directory),
            commands: interventions
                .iter()
                .map(|intervention| intervention.command.clone())
                .collect(),
            consumers_in_creating: 0,
            fault: None,
        };
        Ok((world, interventions))
    }
}

fn build_streams(
    blueprint: &Blueprint,
    directory: &Directory,
    producers: &[&ProducerBlueprint],
    keys: &KeyTable,
    random: &mut RandomStreams,
) -> Result<IndexVec<StreamId, Stream>, BuildError> {
    let mut streams = IndexVec::<StreamId, Stream>::new();
    for stream in sorted(&blueprint.streams, "stream", |stream| &stream.name)? {
        let id = StreamId::from_index(streams.len());
        let readers: Vec<ReaderId> = directory
            .readers
            .iter_enumerated()
            .filter(|(_, reader)| reader.stream == id)
            .map(|(reader, _)| reader)
            .collect();
        let consumers = consumers_of(directory, id);
        let setting = StreamSetting {
            profile: blueprint.profile,
            model: &blueprint.model,
            keys,
            readers: &readers,
            iterators: readers.iter().any(|reader| match directory.readers[*reader].component {
                Component::Application(_) => true,
                Component::Mapping(mapping) => directory.mappings[mapping].begins_late,
                Component::Queue(_)
                | Component::Fleet(_)
                | Component::Topic(_)
                | Component::Subscription(_)
                | Component::QueueMapping(_)
                | Component::Producer(_)
                | Component::Stream(_)
                | Component::Function(_)
                | Component::Invoker(_)
                | Component::Sink(_) => false,
            }),
            consumers: &consumers,
            account: blueprint.stream_account,
            metered: interventions_need_loads(blueprint, &stream.name),
            call_window: call_window(producers, &stream.name),
        };
        streams.push(Stream::new(stream, setting, random)?);
    }
    Ok(streams)
}

fn build_clients(
    blueprint: &Blueprint,
    directory: &Directory,
    (producers, keys): (&[&ProducerBlueprint], &KeyTable),
    streams: &IndexVec<StreamId, Stream>,
    random: &mut RandomStreams,
) -> Result<IndexVec<ProducerId, Client>, BuildError> {
    let mut clients = IndexVec::<ProducerId, Client>::new();
    for (producer, entry) in producers.iter().zip(&directory.producers) {
        let range = keys.range(ProducerId::from_index(clients.len()));
        let setting = LibrarySetting {
            target: entry.target,
            keys,
            range,
            aggregates: keys.aggregates(ProducerId::from_index(clients.len())),
            shards: match entry.target {
                Destination::Stream(stream) => streams[stream].ranges(),
                Destination::Queue(_) | Destination::Topic(_) => &[],
            },
            model: &blueprint.model,
        };
        clients.push(Client::new(producer, setting, random)?);
    }
    Ok(clients)
}

/// The stream's registered consumers, in order of their names.
fn consumers_of(directory: &Directory, stream: StreamId) -> Vec<ConsumerSetting<'_>> {
    let consumers = directory.streams[stream].consumers.iter();
    consumers
        .map(|entry| {
            let component = entry.reader.map(|reader| directory.readers[reader].component);
            ConsumerSetting {
                name: &entry.name,
                reader: entry.reader,
                mapping: matches!(component, Some(Component::Mapping(_))),
                registered: entry.registered,
            }
        })
        .collect()
}

fn build_mappings(
    blueprint: &Blueprint,
    directory: &Directory,
    streams: &IndexVec<StreamId, Stream>,
    keys: &KeyTable,
    random: &mut RandomStreams,
) -> Result<IndexVec<MappingId, Mapping>, BuildError> {
    let mut mappings = IndexVec::new();
    for (mapping, entry) in sorted(&blueprint.mappings, "mapping", |mapping| &mapping.name)?
        .into_iter()
        .zip(&directory.mappings)
    {
        let setting = MappingSetting {
            model: &blueprint.model,
            keys,
            stream: entry.stream,
            ranges: streams[entry.stream].ranges(),
            function: entry.function,
        };
        mappings.push(Mapping::new(mapping, setting, random)?);
    }
    Ok(mappings)
}

fn build_applications(
    blueprint: &Blueprint,
    directory: &Directory,
    random: &mut RandomStreams,
) -> Result<IndexVec<ApplicationId, Application>, BuildError> {
    let mut applications = IndexVec::<ApplicationId, Application>::new();
    let all = sorted(&blueprint.applications, "application", |application| &application.name)?;
    for (application, entry) in all.into_iter().zip(&directory.applications) {
        let id = ApplicationId::from_index(applications.len());
        let setting = ApplicationSetting {
            model: &blueprint.model,
            stream: entry.stream,
            reader: directory.reader_of(id),
            processor: directory.processor_of(id),
            sink: entry.sink,
        };
        applications.push(Application::new(application, setting, random)?);
    }
    Ok(applications)
}

fn build_queues(
    blueprint: &Blueprint,
    directory: &Directory,
    keys: &KeyTable,
    random: &mut RandomStreams,
) -> Result<IndexVec<QueueId, Queue>, BuildError> {
    let mut queues = IndexVec::new();
    let all = sorted(&blueprint.queues, "queue", |queue| &queue.name)?;
    let groups: Arc<[u32]> = if all.is_empty() {
        Arc::default()
    } else {
        keys.group_of_each().collect()
    };
    for (queue, entry) in all.into_iter().zip(&directory.queues) {
        let senders = queue.senders.iter().map(|sender| &sender.producer);
        let unknown = |producer: &String| UnknownReference {
            from: queue.name.clone(),
            to: producer.clone(),
        };
        let senders = senders
            .map(|producer| {
                directory
                    .producer(producer)
                    .ok_or_else(|| BuildError::Reference(unknown(producer)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let setting = QueueSetting {
            profile: blueprint.profile,
            model: &blueprint.model,
            dead_letter_queue: entry.dead_letter_queue,
            groups: &groups,
            mapped: blueprint
                .queue_mappings
                .iter()
                .any(|mapping| mapping.queue == queue.name),
            grouped: &directory.producers_named(&queue.grouped),
            senders: &senders,
        };
        queues.push(Queue::new(queue, setting, random)?);
    }
    Ok(queues)
}

fn build_topics(
    blueprint: &Blueprint,
    directory: &Directory,
    keys: &KeyTable,
    random: &mut RandomStreams,
) -> Result<Topics, BuildError> {
    let mut topics = Topics::new(blueprint.topic_account);
    let subscriptions = sorted(&blueprint.subscriptions, "subscription", |one| &one.name)?;
    let subscribed: Vec<Subscribed<'_>> = subscriptions
        .into_iter()
        .zip(directory.subscriptions.iter_enumerated())
        .map(|(blueprint, (id, entry))| Subscribed {
            blueprint,
            id,
            queue: entry.queue,
            dead_letter_queue: entry.dead_letter_queue,
        })
        .collect();
    let producers = directory.producers.iter_enumerated();
    let publishers: Vec<(&str, ProducerId)> = producers.map(|(id, entry)| (entry.name.as_str(), id)).collect();
    let groups: Arc<[u32]> = if blueprint.topics.is_empty() {
        Arc::default()
    } else {
        keys.group_of_each().collect()
    };
    for topic in sorted(&blueprint.topics, "topic", |topic| &topic.name)? {
        let of_topic: Vec<Subscribed<'_>> = subscribed
            .iter()
            .filter(|one| one.blueprint.topic == topic.name)
            .copied()
            .collect();
        let setting = TopicSetting {
            profile: blueprint.profile,
            model: &blueprint.model,
            subscriptions: &of_topic,
            groups: &groups,
            publishers: &publishers,
        };
        topics.add(topic, setting, random)?;
    }
    Ok(topics)
}

fn build_fleets(
    blueprint: &Blueprint,
    directory: &Directory,
    random: &mut RandomStreams,
) -> Result<IndexVec<FleetId, Fleet>, BuildError> {
    let mut fleets = IndexVec::new();
    let all = sorted(&blueprint.fleets, "worker", |fleet| &fleet.name)?;
    for (fleet, entry) in all.into_iter().zip(&directory.fleets) {
        let queue = blueprint.queues.iter().find(|queue| queue.name == fleet.queue);
        let timeout = queue.map_or(SimDuration::ZERO, |queue| queue.visibility_timeout);
        fleets.push(Fleet::new(fleet, entry.queue, timeout, &blueprint.model, random)?);
    }
    Ok(fleets)
}

fn build_queue_mappings(
    blueprint: &Blueprint,
    directory: &Directory,
    keys: &KeyTable,
    random: &mut RandomStreams,
) -> Result<IndexVec<QueueMappingId, QueueMapping>, BuildError> {
    let mut mappings = IndexVec::<QueueMappingId, QueueMapping>::new();
    let all = sorted(&blueprint.queue_mappings, "mapping", |mapping| &mapping.name)?;
    for (mapping, entry) in all.into_iter().zip(&directory.queue_mappings) {
        if directory.mapping(&mapping.name).is_some() {
            return Err(BuildError::Twice(format!("mapping.{}", mapping.name)));
        }
        let queue = blueprint.queues.iter().find(|queue| queue.name == mapping.queue);
        let mut functions = blueprint.functions.iter();
        let function = functions.find(|function| function.name == mapping.function);
        let setting = QueueMappingSetting {
            profile: blueprint.profile,
            model: &blueprint.model,
            keys,
            queue: entry.queue,
            visibility_timeout: queue.map_or(SimDuration::ZERO, |queue| queue.visibility_timeout),
            function: entry.function,
            function_timeout: function.map_or(SimDuration::ZERO, |function| function.timeout),
            reader: directory.reader_of_queue_mapping(QueueMappingId::from_index(mappings.len())),
        };
        mappings.push(QueueMapping::new(mapping, setting, random)?);
    }
    Ok(mappings)
}

/// Whether something that is asked of the stream depends on the load of its shards.
fn interventions_need_loads(blueprint: &Blueprint, stream: &str) -> bool {
    let mut commands = blueprint.interventions.iter().map(|intervention| &intervention.command);
    commands.any(|command| matches!(command, Command::ChangeStream { stream: changed, .. } if changed == stream))
}

/// The narrowest call window of the stream's fast single-record producers.
fn call_window(producers: &[&ProducerBlueprint], stream: &str) -> SimDuration {
    let windows = producers
        .iter()
        .filter(|producer| producer.target == stream && producer.uses_call_window());
    windows
        .map(|producer| producer.call_window)
        .min()
        .unwrap_or(SimDuration::from_millis(1))
}
