//! One component under test, without a world around it.
//!
//! A test sends events in, lets time pass, and looks at what came out: calls and replies to other components, each
//! with its batch and the instant of its arrival, and facts. Nobody answers the calls but the test itself.

use super::note::{Note, Notebook};
use crate::batch::{Batch, BatchId, BatchPool};
use crate::context::{Cx, Fault};
use crate::engine::calendar::{Calendar, TieOrder};
use crate::engine::fingerprint::Fingerprint;
use crate::engine::kernel::Agenda;
use crate::engine::phase::Phase;
use crate::engine::time::SimTime;
use crate::ids::{ApplicationId, FleetId, InvokerId, MappingId, ProducerId, QueueId, SinkId, StreamId};
use crate::key::KeyTable;
use crate::record::{KeyId, Record};
use crate::services::application::Application;
use crate::services::fleet::Fleet;
use crate::services::invoker::Invoker;
use crate::services::kinesis::Stream;
use crate::services::lambda::Lambda;
use crate::services::mapping::Mapping;
use crate::services::producer::{Library, Producer};
use crate::services::queue::Queue;
use crate::services::sink::Sink;
use crate::services::topic::Topics;
use crate::services::{
    application, fleet, invoker, kinesis, lambda, mapping, producer, queue, queue_mapping, sink, topic,
};
use crate::user_records::UserRecords;
use crate::world::Event;

/// What can stand under test.
pub trait Component {
    /// Reacts to an event if it is the component's own; false: it is for someone else.
    fn react(&mut self, event: Event, cx: &mut Cx<'_, '_>) -> bool;
}

impl Component for Lambda {
    fn react(&mut self, event: Event, cx: &mut Cx<'_, '_>) -> bool {
        if let Event::Function(function, event) = event {
            self.handle(function, event, cx);
            return true;
        }
        false
    }
}
impl Component for Topics {
    fn react(&mut self, event: Event, cx: &mut Cx<'_, '_>) -> bool {
        if let Event::Topic(topic, event) = event {
            self.handle(topic, event, cx);
            return true;
        }
        false
    }
}
/// Implements [`Component`] for an id and what it stands for.
macro_rules! component {
    ($id:ty, $component:ty, $variant:ident) => {
        impl Component for ($id, $component) {
            fn react(&mut self, event: Event, cx: &mut Cx<'_, '_>) -> bool {
                let own = matches!(event, Event::$variant(id, _) if id == self.0);
                if let Event::$variant(id, event) = event
                    && own
                {
                    self.1.handle(id, event, cx);
                }
                own
            }
        }
    };
}
component!(ApplicationId, Application, Application);
component!(InvokerId, Invoker, Invoker);
component!(MappingId, Mapping, Mapping);
component!(ProducerId, Library, Producer);
component!(ProducerId, Producer, Producer);
component!(SinkId, Sink, Sink);
component!(StreamId, Stream, Stream);
component!(QueueId, Queue, Queue);
component!(FleetId, Fleet, Fleet);

/// A call or a reply that has reached another component.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it arrived there.
    pub at: SimTime,
    /// To whom, and what.
    pub event: Event,
    /// What it carried.
    pub batch: Batch,
}

/// A component under test and everything around it.
#[derive(Clone, Debug)]
pub struct Harness<C> {
    /// The component.
    pub component: C,
    /// The batches under way.
    pub batches: BatchPool,
    /// User records under way and stored.
    pub user_records: UserRecords,
    keys: KeyTable,
    consumers_in_creating: u32,
    calendar: Calendar<Event>,
    fingerprint: Fingerprint,
    now: SimTime,
    notebook: Notebook,
    calls: Vec<Call>,
}

impl<C: Component> Harness<C> {
    /// A component at the start of time.
    pub fn new(component: C) -> Self {
        Self::with_keys(component, KeyTable::default())
    }
    /// A component that needs to know partition keys.
    pub fn with_keys(component: C, keys: KeyTable) -> Self {
        Self {
            component,
            batches: BatchPool::default(),
            user_records: UserRecords::new(keys.first_aggregate()),
            keys,
            consumers_in_creating: 0,
            calendar: Calendar::new(TieOrder::Insertion),
            fingerprint: Fingerprint::new(),
            now: SimTime::ZERO,
            notebook: Notebook::default(),
            calls: Vec::new(),
        }
    }
    /// How far time has passed.
    pub const fn now(&self) -> SimTime {
        self.now
    }
    /// The trajectory so far.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Lets a call or a reply arrive at `at`. `to` names the receiver, as in [`Cx::send`].
    pub fn send(&mut self, at: SimTime, batch: impl Into<Box<Batch>>, to: impl FnOnce(BatchId) -> Event) {
        let id = self
            .batches
            .insert(batch.into())
            .expect("few batches are under way in a test");
        self.schedule(at, Phase::Arrive, to(id));
    }
    /// Lets an event without a batch happen at `at`.
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: Event) {
        assert!(at >= self.now, "{at} has passed: it is {}", self.now);
        self.calendar.schedule(at, phase, event);
    }
    /// Does something to the component at the present instant, as a command would. Events due by now come first.
    pub fn apply<R>(&mut self, change: impl FnOnce(&mut C, &mut Cx<'_, '_>) -> R) -> R {
        self.run_until(self.now);
        self.within(self.now, Phase::Act, change)
    }
    /// Handles everything due at or before `until`.
    pub fn run_until(&mut self, until: SimTime) {
        while let Some(due) = self.calendar.pop_until(until) {
            self.now = due.at;
            let own = self.within(due.at, due.phase, |component, cx| component.react(due.event, cx));
            if own {
                self.fingerprint.event(due.at, due.phase, 0);
                continue;
            }
            // Calls and replies carry a batch, what is not a call of AWS may do without.
            let batch = carried(&due.event).map_or_else(Batch::default, |batch| {
                *self.batches.take(batch).expect("its handle is valid")
            });
            self.calls.push(Call {
                at: due.at,
                event: due.event,
                batch,
            });
        }
        self.now = self.now.max(until);
    }
    /// Handles events until none is left, or ten million have been.
    pub fn run(&mut self) {
        let mut left = 10_000_000_u32;
        while let Some((at, _)) = self.calendar.peek() {
            assert!(left > 0, "the component never comes to rest");
            left -= 1;
            self.run_until(at);
        }
    }

    /// What has been stated so far, in order.
    pub fn notes(&self) -> &[Note] {
        &self.notebook.notes
    }
    /// What the given question finds in what has been stated so far, in order.
    pub fn find<T>(&self, question: impl FnMut(&Note) -> Option<T>) -> Vec<T> {
        self.notebook.notes.iter().filter_map(question).collect()
    }
    /// Takes what has been stated since the last time.
    pub fn take_notes(&mut self) -> Vec<Note> {
        core::mem::take(&mut self.notebook.notes)
    }
    /// Takes the calls and replies that have reached others since the last time, in order of arrival.
    pub fn take_calls(&mut self) -> Vec<Call> {
        core::mem::take(&mut self.calls)
    }
    /// Events pending, for the component or for others.
    pub fn pending(&self) -> usize {
        self.calendar.len()
    }
    /// Batches under way.
    pub fn batches_under_way(&self) -> usize {
        self.batches.iter().count()
    }

    fn within<R>(&mut self, now: SimTime, phase: Phase, act: impl FnOnce(&mut C, &mut Cx<'_, '_>) -> R) -> R {
        let mut fault: Option<Fault> = None;
        let mut agenda = Agenda::new(&mut self.calendar, &mut self.fingerprint, now, phase);
        let mut cx = Cx {
            agenda: &mut agenda,
            batches: &mut self.batches,
            user_records: &mut self.user_records,
            keys: &self.keys,
            consumers_in_creating: &mut self.consumers_in_creating,
            probe: Some(&mut self.notebook),
            fault: &mut fault,
        };
        let result = act(&mut self.component, &mut cx);
        if let Some(fault) = fault {
            panic!("at {now}: {fault}");
        }
        result
    }
}

/// Records of one key, numbered from `first`, of 100 bytes each.
pub fn records(first: u32, count: u32) -> Vec<Record> {
    (first..first + count)
        .map(|ordinal| Record {
            created_at: SimTime::ZERO,
            arrived_at: SimTime::ZERO,
            key: KeyId(0),
            ordinal,
            bytes: 100,
            flags: 0,
        })
        .collect()
}

/// The batch that an event carries to its receiver.
const fn carried(event: &Event) -> Option<BatchId> {
    match *event {
        Event::Application(
            _,
            application::Event::ShardsListed { batch }
            | application::Event::IteratorReceived { batch }
            | application::Event::PageReceived { batch }
            | application::Event::Pushed { batch }
            | application::Event::Written { batch },
        )
        | Event::Function(_, lambda::Event::Invoke { batch } | lambda::Event::Written { batch })
        | Event::Invoker(_, invoker::Event::Answered { batch })
        | Event::Producer(_, producer::Event::Responded { batch })
        | Event::Fleet(_, fleet::Event::Answered { batch })
        | Event::Topic(_, topic::Event::PublishReceived { batch } | topic::Event::Answered { batch })
        | Event::Sink(_, sink::Event::Write { batch } | sink::Event::Done { batch }) => Some(batch),
        Event::Stream(_, event) => carried_to_stream(event),
        Event::Queue(_, event) => carried_to_queue(event),
        Event::Mapping(_, event) => carried_to_mapping(event),
        Event::QueueMapping(_, event) => carried_to_queue_mapping(event),
        Event::Control(_)
        | Event::Topic(_, topic::Event::Due)
        | Event::Fleet(_, fleet::Event::Poll { .. } | fleet::Event::Ended { .. } | fleet::Event::Heartbeat { .. })
        | Event::Application(
            _,
            application::Event::Start
            | application::Event::Renew { .. }
            | application::Event::Assign { .. }
            | application::Event::Discover { .. }
            | application::Event::Heartbeat { .. }
            | application::Event::Dispatch { .. }
            | application::Event::Fetch { .. }
            | application::Event::Processed { .. }
            | application::Event::Checkpointed { .. }
            | application::Event::Replace { .. }
            | application::Event::Join
            | application::Event::LookForConsumer
            | application::Event::ConsumerFound { .. },
        )
        | Event::Function(
            _,
            lambda::Event::HandlerDone { .. }
            | lambda::Event::TimedOut { .. }
            | lambda::Event::QueueDue
            | lambda::Event::Provisioning { .. },
        )
        | Event::Invoker(_, invoker::Event::Send)
        | Event::Sink(_, sink::Event::RequestDue)
        | Event::Producer(
            _,
            producer::Event::Flush { .. } | producer::Event::CallWindow { .. } | producer::Event::RetryDue,
        ) => None,
    }
}

const fn carried_to_stream(event: kinesis::Event) -> Option<BatchId> {
    match event {
        kinesis::Event::PutReceived { batch }
        | kinesis::Event::PutServed { batch }
        | kinesis::Event::GetReceived { batch }
        | kinesis::Event::GetServed { batch }
        | kinesis::Event::IteratorReceived { batch }
        | kinesis::Event::IteratorServed { batch }
        | kinesis::Event::SubscribeReceived { batch }
        | kinesis::Event::EventAcknowledged { batch }
        | kinesis::Event::ListShards { batch } => Some(batch),
        kinesis::Event::CohortWindow
        | kinesis::Event::ShardLeft { .. }
        | kinesis::Event::PushDue { .. }
        | kinesis::Event::KeepAlive { .. }
        | kinesis::Event::ChangeDue { .. }
        | kinesis::Event::ConsumerWanted { .. }
        | kinesis::Event::MinuteOver => None,
    }
}

const fn carried_to_mapping(event: mapping::Event) -> Option<BatchId> {
    match event {
        mapping::Event::PageReceived { batch }
        | mapping::Event::PageReady { batch }
        | mapping::Event::ShardsListed { batch }
        | mapping::Event::IteratorReceived { batch }
        | mapping::Event::Subscribed { batch }
        | mapping::Event::EventReceived { batch }
        | mapping::Event::Invoked { batch } => Some(batch),
        mapping::Event::Poll { .. }
        | mapping::Event::LaneDue { .. }
        | mapping::Event::Begin
        | mapping::Event::AskAgain { .. }
        | mapping::Event::Switch { .. } => None,
    }
}

const fn carried_to_queue_mapping(event: queue_mapping::Event) -> Option<BatchId> {
    match event {
        queue_mapping::Event::Answered { batch }
        | queue_mapping::Event::Invoked { batch }
        | queue_mapping::Event::DeleteAgain { batch } => Some(batch),
        queue_mapping::Event::Weigh { .. }
        | queue_mapping::Event::PollerDue { .. }
        | queue_mapping::Event::Switch { .. } => None,
    }
}

const fn carried_to_queue(event: queue::Event) -> Option<BatchId> {
    match event {
        queue::Event::SendReceived { batch }
        | queue::Event::CallReceived { batch }
        | queue::Event::MovedHere { batch } => Some(batch),
        queue::Event::Due => None,
    }
}
