//! What may change during a run, as data: interventions of a scenario and commands of a live session are the same.

use crate::blueprint::FilterPolicy;
use crate::context::{Cx, Fault};
use crate::directory::Directory;
use crate::engine::index::IndexVec;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, MappingId, ProducerId, QueueId, QueueMappingId, SinkId, StreamId};
use crate::observe::fact::Fact;
pub use crate::queue_operation::{QueueAttribute, QueueOperation};
use crate::services::application::Application;
use crate::services::kinesis::Stream;
pub use crate::services::kinesis::operation::Operation;
use crate::services::lambda::Lambda;
use crate::services::mapping::Mapping;
use crate::services::producer::Client;
use crate::services::queue::Queue;
use crate::services::queue_mapping::QueueMapping;
use crate::services::sink::Sink;
use crate::services::topic::Topics;
use std::sync::Arc;

/// A dated change.
#[derive(Clone, PartialEq, Debug)]
pub struct Intervention {
    /// When.
    pub at: SimTime,
    /// What.
    pub command: Command,
}

/// A change to a component, named by its scenario name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Multiplies a producer's configured rate from now on (1: as configured). Not for traces.
    ScaleLoad {
        /// The producer.
        producer: String,
        /// The factor, of the configured rate, not of the present one.
        factor: Ratio,
    },
    /// Changes a function's reserved concurrency (LAM-C-06); `None` gives it back to the account's pool.
    SetReservedConcurrency {
        /// The function.
        function: String,
        /// The new value.
        limit: Option<u32>,
    },
    /// Asks for a number of provisioned environments (LAM-V-08..10); zero gives them back.
    SetProvisionedConcurrency {
        /// The function.
        function: String,
        /// How many.
        executions: u32,
    },
    /// Changes the probability of a function error.
    SetFailureRate {
        /// The function.
        function: String,
        /// The new probability.
        rate: Ratio,
    },
    /// Switches a mapping off or on (LAM-E-13).
    SetMappingEnabled {
        /// The mapping.
        mapping: String,
        /// The new value.
        enabled: bool,
    },
    /// Changes a sink's capacity; `None`: unlimited.
    SetSinkCapacity {
        /// The sink.
        sink: String,
        /// The new capacity.
        capacity: Option<Rate>,
    },
    /// Asks something of a stream's control plane, which may refuse it.
    ChangeStream {
        /// The stream.
        stream: String,
        /// What.
        operation: Operation,
    },
    /// Asks something of a queue's control plane, which may refuse it.
    ChangeQueue {
        /// The queue.
        queue: String,
        /// What.
        operation: QueueOperation,
    },
    /// `RegisterStreamConsumer` (KDS-EFO-03), which the stream may refuse.
    RegisterConsumer {
        /// The stream.
        stream: String,
        /// Name of the consumer; an application's is that of the application (KDS-EFO-19).
        consumer: String,
    },
    /// `DeregisterStreamConsumer`.
    DeregisterConsumer {
        /// The stream.
        stream: String,
        /// Name of the consumer.
        consumer: String,
    },
    /// A sink stops answering for a while: writes that reach it wait until it is back.
    BreakSink {
        /// The sink.
        sink: String,
        /// For how long.
        lasts: SimDuration,
    },
    /// A queue fails whatever is asked of it for a while.
    BreakQueue {
        /// The queue.
        queue: String,
        /// For how long.
        lasts: SimDuration,
    },
    /// The policy of a subscription's queue does not allow the topic to send to it for a while (SQS-S-09).
    DenySubscription {
        /// The subscription.
        subscription: String,
        /// For how long.
        lasts: SimDuration,
    },
    /// Gives a subscription another filter policy, in effect some time later (SQS-S-14); `None`: everything passes.
    SetFilterPolicy {
        /// The subscription.
        subscription: String,
        /// The new policy.
        policy: Option<Arc<FilterPolicy>>,
    },
    /// A worker of an application dies at once; its leases expire (KDS-KCL-05).
    KillWorker {
        /// The application.
        application: String,
        /// Number of the worker, from 0; `None`: the one with most leases.
        worker: Option<u16>,
    },
    /// A worker of an application stands still for a while, and then goes on with what it had in hand (KDS-KCL-33).
    PauseWorker {
        /// The application.
        application: String,
        /// Number of the worker, from 0; `None`: the one with most leases.
        worker: Option<u16>,
        /// For how long.
        lasts: SimDuration,
    },
    /// Workers are added to an application.
    StartWorkers {
        /// The application.
        application: String,
        /// How many.
        workers: u32,
    },
    /// All workers of an application are replaced, one after the other (KDS-DUP-03).
    Deploy {
        /// The application.
        application: String,
        /// From one worker to the next.
        every: SimDuration,
        /// From the stop of a worker to the start of its successor.
        takes: SimDuration,
        /// Workers end the batch in hand and checkpoint before they stop.
        graceful: bool,
    },
}

impl Command {
    /// The component that it changes, as scenario files refer to it: `producer.web`.
    pub fn target(&self) -> String {
        match self {
            Self::ScaleLoad { producer, .. } => format!("producer.{producer}"),
            Self::ChangeStream { stream, .. } => format!("stream.{stream}"),
            Self::ChangeQueue { queue, .. } | Self::BreakQueue { queue, .. } => format!("queue.{queue}"),
            Self::RegisterConsumer { consumer, .. } | Self::DeregisterConsumer { consumer, .. } => {
                format!("consumer.{consumer}")
            }
            Self::SetReservedConcurrency { function, .. }
            | Self::SetProvisionedConcurrency { function, .. }
            | Self::SetFailureRate { function, .. } => {
                format!("function.{function}")
            }
            Self::SetMappingEnabled { mapping, .. } => format!("mapping.{mapping}"),
            Self::SetSinkCapacity { sink, .. } | Self::BreakSink { sink, .. } => format!("sink.{sink}"),
            Self::DenySubscription { subscription, .. } | Self::SetFilterPolicy { subscription, .. } => {
                format!("subscription.{subscription}")
            }
            Self::KillWorker { application, .. }
            | Self::PauseWorker { application, .. }
            | Self::StartWorkers { application, .. }
            | Self::Deploy { application, .. } => format!("application.{application}"),
        }
    }
}

/// What commands change.
pub(crate) struct Targets<'a> {
    pub(crate) applications: &'a mut IndexVec<ApplicationId, Application>,
    pub(crate) producers: &'a mut IndexVec<ProducerId, Client>,
    pub(crate) queues: &'a mut IndexVec<QueueId, Queue>,
    pub(crate) streams: &'a mut IndexVec<StreamId, Stream>,
    pub(crate) sinks: &'a mut IndexVec<SinkId, Sink>,
    pub(crate) lambda: &'a mut Lambda,
    pub(crate) mappings: &'a mut IndexVec<MappingId, Mapping>,
    pub(crate) topics: &'a mut Topics,
    pub(crate) queue_mappings: &'a mut IndexVec<QueueMappingId, QueueMapping>,
    pub(crate) directory: &'a Directory,
}

impl Command {
    /// Whether the component that it changes exists.
    pub fn has_target(&self, directory: &Directory) -> bool {
        match self {
            Self::ScaleLoad { producer, .. } => directory.producer(producer).is_some(),
            Self::ChangeStream { stream, .. } => directory.stream(stream).is_some(),
            Self::ChangeQueue { queue, .. } | Self::BreakQueue { queue, .. } => directory.queue(queue).is_some(),
            Self::RegisterConsumer { stream, consumer } | Self::DeregisterConsumer { stream, consumer } => {
                let stream = directory.stream(stream).map(|id| &directory.streams[id]);
                stream.is_some_and(|stream| stream.consumers.iter().any(|entry| entry.name == *consumer))
            }
            Self::SetReservedConcurrency { function, .. }
            | Self::SetProvisionedConcurrency { function, .. }
            | Self::SetFailureRate { function, .. } => directory.function(function).is_some(),
            Self::SetMappingEnabled { mapping, .. } => {
                directory.mapping(mapping).is_some() || directory.queue_mapping(mapping).is_some()
            }
            Self::SetSinkCapacity { sink, .. } | Self::BreakSink { sink, .. } => directory.sink(sink).is_some(),
            Self::DenySubscription { subscription, .. } | Self::SetFilterPolicy { subscription, .. } => {
                directory.subscription(subscription).is_some()
            }
            Self::KillWorker { application, .. }
            | Self::PauseWorker { application, .. }
            | Self::StartWorkers { application, .. }
            | Self::Deploy { application, .. } => directory.application(application).is_some(),
        }
    }

    /// The command takes effect. Its target exists: that was checked when it was accepted.
    pub(crate) fn take_effect(&self, number: u16, targets: Targets<'_>, cx: &mut Cx<'_, '_>) {
        cx.emit(|| Fact::Intervened { number });
        let Targets {
            applications,
            producers,
            queues,
            streams,
            sinks,
            lambda,
            mappings,
            topics,
            queue_mappings,
            directory,
        } = targets;
        match self {
            Self::ScaleLoad { producer, factor } => {
                if let Some(id) = directory.producer(producer) {
                    producers[id].scale_load(id, *factor, cx);
                }
            }
            Self::ChangeQueue { queue, operation } => change_queue(queues, (queue, operation), directory, cx),
            Self::ChangeStream { stream, .. }
            | Self::RegisterConsumer { stream, .. }
            | Self::DeregisterConsumer { stream, .. } => {
                if let Some(id) = directory.stream(stream) {
                    self.change_stream(streams, id, cx);
                }
            }
            Self::SetReservedConcurrency { function, limit } => {
                if let Some(id) = directory.function(function)
                    && let Err(error) = lambda.set_reserved_concurrency(id, *limit)
                {
                    cx.fail(Fault::Broken(format!("function.{function}: {error}")));
                }
            }
            Self::SetProvisionedConcurrency { function, executions } => {
                if let Some(id) = directory.function(function) {
                    lambda.set_provisioned_concurrency(id, *executions, cx);
                }
            }
            Self::SetFailureRate { function, rate } => {
                if let Some(id) = directory.function(function) {
                    lambda.set_failure_rate(id, *rate);
                }
            }
            Self::SetMappingEnabled { mapping, enabled } => {
                if let Some(id) = directory.mapping(mapping) {
                    mappings[id].set_enabled(id, *enabled, cx);
                } else if let Some(id) = directory.queue_mapping(mapping) {
                    queue_mappings[id].set_enabled(id, *enabled, cx);
                }
            }
            Self::SetSinkCapacity { sink, .. } | Self::BreakSink { sink, .. } => {
                if let Some(id) = directory.sink(sink) {
                    self.change_sink(&mut sinks[id], id, cx);
                }
            }
            Self::BreakQueue { .. } | Self::DenySubscription { .. } | Self::SetFilterPolicy { .. } => {
                self.change_delivery(queues, topics, directory, cx);
            }
            Self::KillWorker { application, .. }
            | Self::PauseWorker { application, .. }
            | Self::StartWorkers { application, .. }
            | Self::Deploy { application, .. } => {
                if let Some(id) = directory.application(application) {
                    self.change_workers(&mut applications[id], id, cx);
                }
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of the commands to a stream")]
    fn change_stream(&self, streams: &mut IndexVec<StreamId, Stream>, id: StreamId, cx: &mut Cx<'_, '_>) {
        match self {
            Self::ChangeStream { operation, .. } => {
                let all: u32 = streams.iter().map(Stream::provisioned_shards).sum();
                let elsewhere = all - streams[id].provisioned_shards();
                streams[id].operate(id, *operation, elsewhere, cx);
            }
            Self::RegisterConsumer { consumer, .. } => streams[id].register_consumer(id, consumer, cx),
            Self::DeregisterConsumer { consumer, .. } => streams[id].deregister_consumer(id, consumer, cx),
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the commands to queues and subscriptions"
    )]
    fn change_delivery(
        &self,
        queues: &mut IndexVec<QueueId, Queue>,
        topics: &mut Topics,
        directory: &Directory,
        cx: &mut Cx<'_, '_>,
    ) {
        let topic_of = |name: &String| {
            let id = directory.subscription(name)?;
            Some((directory.subscriptions[id].topic, id))
        };
        match self {
            Self::BreakQueue { queue, lasts } => {
                if let Some(id) = directory.queue(queue) {
                    queues[id].break_for(*lasts, cx);
                }
            }
            Self::DenySubscription { subscription, lasts } => {
                if let Some((topic, id)) = topic_of(subscription) {
                    topics.deny(topic, id, *lasts, cx);
                }
            }
            Self::SetFilterPolicy { subscription, policy } => {
                if let Some((topic, id)) = topic_of(subscription) {
                    topics.set_filter_policy(topic, id, policy.clone(), cx);
                }
            }
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of the commands to a sink")]
    fn change_sink(&self, sink: &mut Sink, id: SinkId, cx: &mut Cx<'_, '_>) {
        match self {
            Self::SetSinkCapacity { capacity, .. } => sink.set_capacity(id, *capacity, cx),
            Self::BreakSink { lasts, .. } => sink.break_for(id, *lasts, cx),
            _ => {}
        }
    }

    fn change_workers(&self, application: &mut Application, id: ApplicationId, cx: &mut Cx<'_, '_>) {
        match self {
            Self::KillWorker { worker, .. } => application.kill(id, *worker, cx),
            Self::PauseWorker { worker, lasts, .. } => application.pause(*worker, *lasts, cx),
            Self::StartWorkers { workers, .. } => application.add_workers(id, *workers, cx),
            Self::Deploy {
                every, takes, graceful, ..
            } => application.deploy(id, *every, *takes, *graceful, cx),
            Self::ScaleLoad { .. }
            | Self::ChangeStream { .. }
            | Self::ChangeQueue { .. }
            | Self::SetReservedConcurrency { .. }
            | Self::SetProvisionedConcurrency { .. }
            | Self::SetFailureRate { .. }
            | Self::SetMappingEnabled { .. }
            | Self::SetSinkCapacity { .. }
            | Self::RegisterConsumer { .. }
            | Self::DeregisterConsumer { .. }
            | Self::BreakQueue { .. }
            | Self::DenySubscription { .. }
            | Self::SetFilterPolicy { .. }
            | Self::BreakSink { .. } => {}
        }
    }
}

fn change_queue(
    queues: &mut IndexVec<QueueId, Queue>,
    (queue, operation): (&str, &QueueOperation),
    directory: &Directory,
    cx: &mut Cx<'_, '_>,
) {
    if let Some(id) = directory.queue(queue) {
        let tasks = queues.iter().filter(|queue| queue.is_moving()).count();
        queues[id].operate(id, operation, (|name: &str| directory.queue(name), tasks), cx);
    }
}
