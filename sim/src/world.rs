//! The closed world: every component and every event there is. No logic beyond who gets what.

use crate::batch::BatchPool;
use crate::command::{Command, Targets};
use crate::context::{Cx, Fault};
use crate::directory::Directory;
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::kernel::{Agenda, Model};
use crate::engine::time::SimTime;
use crate::ids::{
    ApplicationId, FleetId, FunctionId, InvokerId, MappingId, ProducerId, QueueId, QueueMappingId, ShardIndex, SinkId,
    StreamId, TopicId,
};
use crate::key::KeyTable;
use crate::observe::Probe;
use crate::observe::fact::Fact;
use crate::observe::holdings::{
    EventHoldings, Holdings, InvokerHoldings, LogHoldings, ProducerHoldings, QueueHoldings, QueueMappingHoldings,
    ReaderHoldings,
};
use crate::services::application::Application;
use crate::services::fleet::Fleet;
use crate::services::invoker::Invoker;
use crate::services::kinesis::Stream;
use crate::services::lambda::Lambda;
use crate::services::mapping::Mapping;
use crate::services::producer::Client;
use crate::services::queue::Queue;
use crate::services::queue_mapping::QueueMapping;
use crate::services::sink::Sink;
use crate::services::topic::Topics;
use crate::services::{
    application, fleet, invoker, kinesis, lambda, mapping, producer, queue, queue_mapping, sink, topic,
};
use crate::user_records::UserRecords;
use std::sync::Arc;

/// Everything that can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// To an application.
    Application(ApplicationId, application::Event),
    /// A command takes effect.
    Control(u16),
    /// To workers of a queue.
    Fleet(FleetId, fleet::Event),
    /// To a function.
    Function(FunctionId, lambda::Event),
    /// To an invoker.
    Invoker(InvokerId, invoker::Event),
    /// To a mapping.
    Mapping(MappingId, mapping::Event),
    /// To a producer.
    Producer(ProducerId, producer::Event),
    /// To a queue.
    Queue(QueueId, queue::Event),
    /// To a mapping of a queue.
    QueueMapping(QueueMappingId, queue_mapping::Event),
    /// To a sink.
    Sink(SinkId, sink::Event),
    /// To a stream.
    Stream(StreamId, kinesis::Event),
    /// To a topic.
    Topic(TopicId, topic::Event),
}

const _: () = assert!(size_of::<Event>() <= 16, "an event is small");

/// All components, the batches between them, and the commands that will take effect.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) applications: IndexVec<ApplicationId, Application>,
    pub(crate) queues: IndexVec<QueueId, Queue>,
    pub(crate) queue_mappings: IndexVec<QueueMappingId, QueueMapping>,
    pub(crate) fleets: IndexVec<FleetId, Fleet>,
    pub(crate) topics: Topics,
    pub(crate) invokers: IndexVec<InvokerId, Invoker>,
    pub(crate) lambda: Lambda,
    pub(crate) mappings: IndexVec<MappingId, Mapping>,
    pub(crate) producers: IndexVec<ProducerId, Client>,
    pub(crate) sinks: IndexVec<SinkId, Sink>,
    pub(crate) streams: IndexVec<StreamId, Stream>,
    pub(crate) batches: BatchPool,
    pub(crate) user_records: UserRecords,
    pub(crate) keys: Arc<KeyTable>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) commands: Vec<Command>,
    /// Registered consumers of all streams that are in CREATING (KDS-EFO-03).
    pub(crate) consumers_in_creating: u32,
    pub(crate) fault: Option<Fault>,
}

const _: () = {
    const fn plain_data<T: Clone + Send + Sync + 'static>() {}
    plain_data::<World>();
};

impl Model for World {
    type Event = Event;
    type Watch<'w> = Option<&'w mut (dyn Probe + 'w)>;

    #[inline]
    fn tag(event: &Event) -> u64 {
        // A component with more than sixteen kinds of events goes on above the number of the target.
        let word = |target: u16, component: u64, kind: u64| {
            (kind >> 4) << 32 | u64::from(target) << 8 | component << 4 | (kind & 15)
        };
        match event {
            // Numbers depend on when a command became known, which is no part of what happens.
            Event::Control(_) => word(0, 0, 0),
            Event::Function(id, event) => word(id.0, 1, event.kind()),
            Event::Mapping(id, event) => word(id.0, 2, event.kind()),
            Event::Producer(id, event) => word(id.0, 3, event.kind()),
            Event::Sink(id, event) => word(id.0, 4, event.kind()),
            Event::Stream(id, event) => word(id.0, 5, event.kind()),
            Event::Application(id, event) => word(id.0, 6, event.kind()),
            Event::Invoker(id, event) => word(id.0, 7, event.kind()),
            Event::Queue(id, event) => word(id.0, 8, event.kind()),
            Event::Fleet(id, event) => word(id.0, 9, event.kind()),
            Event::Topic(id, event) => word(id.0, 10, event.kind()),
            Event::QueueMapping(id, event) => word(id.0, 11, event.kind()),
        }
    }

    #[inline]
    fn handle(&mut self, event: Event, agenda: &mut Agenda<'_, Event>, watch: &mut Self::Watch<'_>) {
        let probe = watch.as_deref_mut().map(|probe| -> &mut dyn Probe { probe });
        let cx = &mut Cx {
            agenda,
            batches: &mut self.batches,
            user_records: &mut self.user_records,
            keys: &self.keys,
            consumers_in_creating: &mut self.consumers_in_creating,
            probe,
            fault: &mut self.fault,
        };
        match event {
            Event::Control(number) => {
                let targets = Targets {
                    applications: &mut self.applications,
                    producers: &mut self.producers,
                    queues: &mut self.queues,
                    streams: &mut self.streams,
                    sinks: &mut self.sinks,
                    lambda: &mut self.lambda,
                    mappings: &mut self.mappings,
                    topics: &mut self.topics,
                    queue_mappings: &mut self.queue_mappings,
                    directory: &self.directory,
                };
                if let Some(command) = self.commands.get(usize::from(number)) {
                    command.take_effect(number, targets, cx);
                }
            }
            Event::Application(id, event) => self.applications[id].handle(id, event, cx),
            Event::Fleet(id, event) => self.fleets[id].handle(id, event, cx),
            Event::Function(id, event) => self.lambda.handle(id, event, cx),
            Event::Invoker(id, event) => self.invokers[id].handle(id, event, cx),
            Event::Mapping(id, event) => self.mappings[id].handle(id, event, cx),
            Event::Producer(id, event) => self.producers[id].handle(id, event, cx),
            Event::Queue(id, event) => self.queues[id].handle(id, event, cx),
            Event::QueueMapping(id, event) => self.queue_mappings[id].handle(id, event, cx),
            Event::Sink(id, event) => self.sinks[id].handle(id, event, cx),
            Event::Stream(id, event) => self.streams[id].handle(id, event, cx),
            Event::Topic(id, event) => self.topics.handle(id, event, cx),
        }
    }
}

impl World {
    /// Who is who.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
    /// The keys of the run.
    pub fn keys(&self) -> &Arc<KeyTable> {
        &self.keys
    }
    /// The streams.
    pub fn streams(&self) -> &IndexVec<StreamId, Stream> {
        &self.streams
    }
    /// The mappings.
    pub fn mappings(&self) -> &IndexVec<MappingId, Mapping> {
        &self.mappings
    }
    /// The applications.
    pub fn applications(&self) -> &IndexVec<ApplicationId, Application> {
        &self.applications
    }
    /// The queues.
    pub fn queues(&self) -> &IndexVec<QueueId, Queue> {
        &self.queues
    }
    /// The mappings of queues.
    pub fn queue_mappings(&self) -> &IndexVec<QueueMappingId, QueueMapping> {
        &self.queue_mappings
    }
    /// The workers of queues.
    pub fn fleets(&self) -> &IndexVec<FleetId, Fleet> {
        &self.fleets
    }
    /// The functions.
    pub fn lambda(&self) -> &Lambda {
        &self.lambda
    }
    /// Bytes of memory that the records of the run take: retained, waiting and in flight.
    pub fn memory(&self) -> u64 {
        let streams = self.streams.iter().map(Stream::memory);
        let clients = self.producers.iter().map(Client::memory);
        let lanes = self.mappings.iter().map(Mapping::memory);
        let workers = self.applications.iter().map(Application::memory);
        let queues = self.queues.iter().map(Queue::memory);
        let fleets = self.fleets.iter().map(Fleet::memory);
        let pollers = self.queue_mappings.iter().map(QueueMapping::memory);
        let records = streams
            .chain(clients)
            .chain(lanes)
            .chain(workers)
            .chain(queues)
            .chain(fleets)
            .chain(pollers)
            .sum::<u64>();
        records + self.topics.memory() + self.batches.memory() + self.user_records.memory()
    }

    /// Schedules everything that happens of itself, in order of kind and name.
    pub(crate) fn start(&mut self, agenda: &mut Agenda<'_, Event>) {
        for (number, entry) in self.keys.entries().iter().enumerate() {
            agenda.mix(u64::try_from(number).unwrap_or(u64::MAX) ^ u64::try_from(entry.hash >> 64).unwrap_or(0));
        }
        let cx = &mut Cx {
            agenda,
            batches: &mut self.batches,
            user_records: &mut self.user_records,
            keys: &self.keys,
            consumers_in_creating: &mut self.consumers_in_creating,
            probe: None,
            fault: &mut self.fault,
        };
        for id in self.mappings.ids() {
            self.mappings[id].start(id, cx);
        }
        for id in self.applications.ids() {
            self.applications[id].start(id, cx);
        }
        for id in self.fleets.ids() {
            self.fleets[id].start(id, cx);
        }
        for id in self.queue_mappings.ids() {
            self.queue_mappings[id].start(id, cx);
        }
        self.lambda.start(cx);
        for id in self.invokers.ids() {
            self.invokers[id].start(id, cx);
        }
        for id in self.producers.ids() {
            self.producers[id].start(id, cx);
        }
        for id in self.streams.ids() {
            self.streams[id].start(id, cx);
        }
    }

    /// Tells what shards have stored of cohorts, where no event of the run has done so.
    pub(crate) fn tell(&mut self, mut listener: impl FnMut(&Fact<'_>)) {
        for stream in self.streams.ids() {
            self.streams[stream].tell_each(|shards| listener(&Fact::ShardsWritten { stream, shards }));
        }
    }

    /// Draws on every random stream, in a fixed order, for the fingerprint.
    pub(crate) fn draws(&self) -> impl Iterator<Item = u64> {
        let producers = self.producers.iter().flat_map(Client::draws);
        let streams = self.streams.iter().flat_map(Stream::draws);
        let mappings = self.mappings.iter().flat_map(Mapping::draws);
        let sinks = self.sinks.iter().map(Sink::draws);
        producers
            .chain(streams)
            .chain(mappings)
            .chain([self.lambda.draws()])
            .chain(sinks)
            .chain(self.applications.iter().flat_map(Application::draws))
            .chain(self.invokers.iter().flat_map(Invoker::draws))
            .chain(self.queues.iter().map(Queue::draws))
            .chain(self.fleets.iter().map(Fleet::draws))
            .chain(self.topics.draws())
            .chain(self.queue_mappings.iter().map(QueueMapping::draws))
    }

    /// What every component holds at `now`, for the conservation check. Logs are brought up to `now` first.
    pub(crate) fn holdings(&mut self, now: SimTime, out: &mut Holdings) {
        out.clear();
        for (producer, client) in self.producers.iter_enumerated() {
            let held = client.holdings(now);
            let (unstated, waiting, in_flight) = (held.gathering, held.waiting, held.in_flight);
            out.producers.push(ProducerHoldings {
                producer,
                unstated,
                waiting,
                in_flight,
            });
        }
        self.messages_held(out);
        for id in self.streams.ids() {
            self.streams[id].expire(now);
            out.logs.extend(self.streams[id].shards().iter().map(|shard| {
                let (next_position, trimmed) = (shard.log.next_position(), shard.log.horizon());
                LogHoldings {
                    stream: id,
                    shard: shard.index,
                    next_position,
                    retained: next_position - trimmed,
                    trimmed,
                }
            }));
        }
        for (id, mapping) in self.mappings.iter_enumerated() {
            let (reader, stream) = (id.into(), mapping.stream());
            // Shards that it has not heard of yet: all that they hold is unread.
            let unheard = mapping.places().count()..self.streams[stream].shards().len();
            out.readers.extend(unheard.map(|shard| ReaderHoldings {
                reader,
                stream,
                shard: ShardIndex(to_u32(shard)),
                start: 0,
                cursor: 0,
                in_flight: 0,
            }));
            out.readers.extend(mapping.places().map(|place| ReaderHoldings {
                reader,
                stream,
                shard: place.shard,
                start: place.start,
                cursor: place.cursor,
                in_flight: place.in_flight,
            }));
        }
        for application in &self.applications {
            let shards = to_u32(self.streams[application.stream()].shards().len());
            out.readers
                .extend(application.places(shards).map(|place| ReaderHoldings {
                    reader: application.reader(),
                    stream: application.stream(),
                    shard: place.shard,
                    start: place.start,
                    cursor: place.cursor,
                    in_flight: place.in_flight,
                }));
        }
    }

    /// What queues, topics, direct callers and the queues of asynchronous events hold.
    fn messages_held(&self, out: &mut Holdings) {
        out.queues
            .extend(self.queues.iter_enumerated().map(|(queue, held)| QueueHoldings {
                queue,
                held: held.state(),
            }));
        out.subscriptions.extend(self.topics.undelivered());
        out.queue_mappings.extend(
            self.queue_mappings
                .iter_enumerated()
                .map(|(mapping, state)| QueueMappingHoldings {
                    mapping,
                    held: state.in_hand(),
                }),
        );
        out.invokers
            .extend(self.invokers.iter_enumerated().map(|(invoker, state)| InvokerHoldings {
                invoker,
                in_flight: state.in_flight(),
            }));
        out.events
            .extend(self.lambda.queues().map(|(function, waiting, running)| EventHoldings {
                function,
                waiting,
                running,
            }));
    }
}
