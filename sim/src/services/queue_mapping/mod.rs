//! An event source mapping of a queue: Lambda's own pollers.
//!
//! Each poller has one batch at a time: it long-polls the queue (LAM-S-01), invokes the function with what it got, waits
//! for the answer, deletes what is processed (LAM-S-20) and polls again. How many pollers there are is weighed once a
//! second (LAM-U-12 to LAM-U-15): more while all are busy, fewer while they wait, after errors and after throttles. What a
//! function fails with stays hidden until its visibility timeout is over (LAM-S-21); nothing shortens that (LAM-S-34).
//!
//! A provisioned poller is ten of these that share the limits of one (LAM-P-04).

mod batching;
mod invoking;
mod polling;
mod provisioned;
pub mod quotas;
mod scaling;

use crate::batch::BatchId;
use crate::blueprint::{ModelParameters, QueueMappingBlueprint};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, QueueId, QueueMappingId, ReaderId};
use crate::key::KeyTable;
use crate::observe::fact::{Fact, Queueing};
use crate::observe::queue_mapping_fact::QueueMappingFact;
use crate::profile::Profile;
use crate::services::ServiceBuildError;
use crate::services::mapping::filters::Filters;
use crate::services::network::Link;
use crate::world;
use batching::{Payload, Poller, State};
use provisioned::Provisioned;
use scaling::OnDemand;

/// What happens to a mapping of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The queue answered.
    Answered {
        /// The answer.
        batch: BatchId,
    },
    /// The function answered.
    Invoked {
        /// The response.
        batch: BatchId,
    },
    /// A second is over.
    Weigh {
        /// Marks the armed timer; an earlier one is stale.
        generation: u32,
    },
    /// A poller goes on: it starts, its pause is over, or its wait after a throttle.
    PollerDue {
        /// Which.
        poller: u32,
        /// Marks its armed timer; an earlier one is stale.
        generation: u32,
    },
    /// A delete that the queue has refused is repeated.
    DeleteAgain {
        /// The request.
        batch: BatchId,
    },
    /// A change of Enabled is in effect.
    Switch {
        /// The new value.
        enabled: bool,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Answered { .. } => 0,
            Self::Invoked { .. } => 1,
            Self::Weigh { .. } => 2,
            Self::PollerDue { .. } => 3,
            Self::DeleteAgain { .. } => 4,
            Self::Switch { .. } => 5,
        }
    }
}

/// How many pollers there may be.
#[derive(Clone, Debug)]
enum Scaling {
    OnDemand(Box<OnDemand>),
    Provisioned(Box<Provisioned>),
}

/// A mapping of a queue.
#[derive(Clone, Debug)]
pub struct QueueMapping {
    queue: QueueId,
    function: FunctionId,
    reader: ReaderId,
    enabled: bool,
    begins_at: SimTime,
    batch_size: usize,
    window: SimDuration,
    report_batch_item_failures: bool,
    filters: Option<Filters>,
    payload: Payload,
    /// How long what a receive brings is hidden, and whether the receive says so.
    visibility: (SimDuration, bool),
    pollers: Vec<Poller>,
    /// Those that do not rest.
    active: u32,
    /// Those whose batch is with the function.
    invoking: u32,
    /// Messages whose delete is under way.
    deleting: u64,
    scaling: Scaling,
    /// Waiting of pollers at the queue, as far as it is known, since pollers were weighed last.
    waited: SimDuration,
    last_weighed: SimTime,
    /// The limit that was stated last.
    told: u32,
    generation: u32,
    retry_pause: SimDuration,
    throttle_backoff: (SimDuration, SimDuration),
    creation: SimDuration,
    link: Link,
}

/// What a mapping of a queue is built from, beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct QueueMappingSetting<'a> {
    /// Which quotas hold.
    pub profile: Profile,
    /// Undocumented choices.
    pub model: &'a ModelParameters,
    /// Keys of the run.
    pub keys: &'a KeyTable,
    /// The queue.
    pub queue: QueueId,
    /// Its VisibilityTimeout.
    pub visibility_timeout: SimDuration,
    /// The function.
    pub function: FunctionId,
    /// Timeout of the function.
    pub function_timeout: SimDuration,
    /// The mapping as a reader.
    pub reader: ReaderId,
}

/// What a mapping of a queue has in hand, in messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InHand {
    /// With its pollers: gathered, with the function, or waiting after a throttle.
    pub held: u64,
    /// Processed, with a delete that is under way.
    pub deleting: u64,
}

impl QueueMapping {
    /// A mapping that has polled nothing. Makes the random stream network.
    pub fn new(
        blueprint: &QueueMappingBlueprint,
        setting: QueueMappingSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let (model, profile) = (setting.model, setting.profile);
        let window = blueprint.maximum_batching_window;
        let needed = window + setting.function_timeout;
        // What the guide of 2022 says of a window that does not fit (LAM-S-25).
        let extended = profile == Profile::Exam && !window.is_zero() && needed > setting.visibility_timeout;
        Ok(Self {
            queue: setting.queue,
            function: setting.function,
            reader: setting.reader,
            enabled: blueprint.enabled,
            begins_at: if blueprint.created_at > SimTime::ZERO {
                blueprint.created_at.saturating_add(model.mapping_creation_delay)
            } else {
                SimTime::ZERO
            },
            batch_size: to_usize(blueprint.batch_size),
            window,
            report_batch_item_failures: blueprint.report_batch_item_failures,
            filters: (blueprint.filters.as_ref()).map(|filters| Filters::new(filters, setting.keys)),
            payload: Payload::new(model.queue_mapping.payload_message_overhead),
            visibility: if extended {
                (needed + quotas::VISIBILITY_MARGIN, true)
            } else {
                (setting.visibility_timeout, false)
            },
            pollers: Vec::new(),
            active: 0,
            invoking: 0,
            deleting: 0,
            scaling: match blueprint.provisioned {
                None => Scaling::OnDemand(Box::new(OnDemand::new(
                    profile,
                    blueprint.maximum_concurrency,
                    &model.queue_mapping,
                ))),
                Some(pollers) => Scaling::Provisioned(Box::new(Provisioned::new(pollers, &model.queue_mapping))),
            },
            waited: SimDuration::ZERO,
            last_weighed: SimTime::ZERO,
            told: 0,
            generation: 0,
            retry_pause: model.queue_mapping.retry_pause,
            throttle_backoff: (model.throttle_backoff, model.throttle_backoff_max),
            creation: model.mapping_creation_delay,
            link: Link::new(&format!("mapping.{}", blueprint.name), model, streams)?,
        })
    }

    /// Begins to poll, now or when it is created.
    pub fn start(&mut self, me: QueueMappingId, cx: &mut Cx<'_, '_>) {
        if self.enabled {
            self.enabled = false;
            let event = world::Event::QueueMapping(me, Event::Switch { enabled: true });
            cx.wake(self.begins_at, Phase::Act, event);
        }
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: QueueMappingId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Answered { batch } => self.answered(me, batch, cx),
            Event::Invoked { batch } => self.invoked(me, batch, cx),
            Event::Weigh { generation } if generation == self.generation && self.enabled => self.weigh(me, cx),
            Event::Weigh { .. } => {}
            Event::PollerDue { poller, generation } => self.poller_due(me, poller, generation, cx),
            Event::DeleteAgain { batch } => self.delete_again(batch, cx),
            Event::Switch { enabled } => self.switch(me, enabled, cx),
        }
    }

    /// The queue that it polls.
    pub const fn queue(&self) -> QueueId {
        self.queue
    }
    /// The function that it invokes.
    pub const fn function(&self) -> FunctionId {
        self.function
    }
    /// What it has in hand.
    pub fn in_hand(&self) -> InHand {
        let held: usize = self.pollers.iter().map(|poller| poller.held.records.len()).sum();
        InHand {
            held: u64::from(to_u32(held)),
            deleting: self.deleting,
        }
    }
    /// Batches with the function.
    pub const fn invoking(&self) -> u32 {
        self.invoking
    }
    /// Bytes of memory that the messages in its hands take.
    pub fn memory(&self) -> u64 {
        self.pollers.iter().map(|poller| poller.held.memory()).sum()
    }
    /// Draws on its random streams, for the fingerprint.
    pub const fn draws(&self) -> u64 {
        self.link.draws()
    }

    /// Asks for Enabled to be changed, which takes as long as the creation of a mapping (LAM-K-18).
    pub fn set_enabled(&self, me: QueueMappingId, enabled: bool, cx: &mut Cx<'_, '_>) {
        let at = cx.now().saturating_add(self.creation);
        cx.wake(
            at,
            Phase::Act,
            world::Event::QueueMapping(me, Event::Switch { enabled }),
        );
    }

    /// Switched off it polls no more (LAM-E-13): what is with the function ends as it would, what a poll under way still
    /// brings is processed, and what had gathered for a batch goes back.
    fn switch(&mut self, me: QueueMappingId, enabled: bool, cx: &mut Cx<'_, '_>) {
        if self.enabled == enabled {
            return;
        }
        self.enabled = enabled;
        if cx.now() > SimTime::ZERO {
            state(me, QueueMappingFact::Switched { enabled }, cx);
        }
        self.generation = self.generation.wrapping_add(1);
        if !enabled {
            for poller in 0..to_u32(self.pollers.len()) {
                if self.pollers[to_usize(poller)].state == State::Gathering {
                    self.let_go(me, poller, usize::MAX, cx);
                    self.rest(poller);
                }
            }
            return;
        }
        self.last_weighed = cx.now();
        self.waited = SimDuration::ZERO;
        match &mut self.scaling {
            Scaling::OnDemand(scaling) => scaling.begin(cx.now()),
            Scaling::Provisioned(scaling) => scaling.begin(cx.now()),
        }
        self.state_weighed(me, cx);
        self.raise(me, cx);
        self.weigh_later(me, cx);
    }

    /// Pollers that there may be.
    fn target(&self) -> u32 {
        if !self.enabled {
            return 0;
        }
        match &self.scaling {
            Scaling::OnDemand(scaling) => scaling.limit(),
            Scaling::Provisioned(scaling) => scaling.pollers() * quotas::INVOCATIONS_OF_A_POLLER,
        }
    }

    /// Wakes a poller at an instant, and at no other.
    fn wake_poller(&mut self, me: QueueMappingId, poller: u32, at: SimTime, cx: &mut Cx<'_, '_>) {
        let own = &mut self.pollers[to_usize(poller)];
        own.generation = own.generation.wrapping_add(1);
        let event = Event::PollerDue {
            poller,
            generation: own.generation,
        };
        cx.wake(at, Phase::Act, world::Event::QueueMapping(me, event));
    }
}

fn state(me: QueueMappingId, fact: QueueMappingFact<'_>, cx: &mut Cx<'_, '_>) {
    cx.emit(|| Fact::Queueing {
        fact: Queueing::Mapping { mapping: me, fact },
    });
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("a mapping of a queue met {what}")));
}
