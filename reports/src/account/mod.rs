//! Everything that a report says about one run, as plain data with units in the names.

mod components;
mod figures;
mod findings;
mod queues;
mod topics;

pub use components::{
    ApplicationAccount, EventAccount, FirstThrottle, FunctionAccount, FunctionUsage, InvokerAccount, LibraryAccount,
    MappingAccount, ProducerAccount, ProvisionedAccount, ReaderAccount, ShardAccount, SinkAccount, SinkUsage,
    StreamAccount, StreamUsage, UsageAccount,
};
pub use figures::{CauseAccount, LatencyAccount, LimitUse, MetricPoint, MetricSeries, Spread};
pub use findings::{Check, Judgement, Ledgers, Sighting, Verdict, Witness};

pub use queues::{QueueAccount, QueueMappingAccount, WorkersAccount};
pub use topics::{PathAccount, SubscriptionAccount, TopicAccount};

use crate::course::Course;
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;

/// The account of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// What was asked.
    pub subject: Subject,
    /// What ran, and how far.
    pub run: Run,
    /// The components, in the order in which records meet them.
    pub components: Vec<Component>,
    /// What was changed during the run, in order of time.
    pub changes: Vec<Change>,
    /// Sources of records.
    pub producers: Vec<ProducerAccount>,
    /// Streams.
    pub streams: Vec<StreamAccount>,
    /// Event source mappings.
    pub readers: Vec<ReaderAccount>,
    /// Functions.
    pub functions: Vec<FunctionAccount>,
    /// Queues.
    pub queues: Vec<QueueAccount>,
    /// Workers of queues.
    pub workers: Vec<WorkersAccount>,
    /// Topics.
    pub topics: Vec<TopicAccount>,
    /// Where the time of messages went, by queue that a topic feeds.
    pub message_paths: Vec<PathAccount>,
    /// Mappings of queues.
    pub queue_mappings: Vec<QueueMappingAccount>,
    /// Direct callers of functions.
    pub invokers: Vec<InvokerAccount>,
    /// Downstream systems.
    pub sinks: Vec<SinkAccount>,
    /// From creation at the producer to the end of processing, by where that is.
    pub latency: Vec<LatencyAccount>,
    /// How close the run came to each limit.
    pub headroom: Vec<LimitUse>,
    /// What a bill counts.
    pub usage: UsageAccount,
    /// Order and duplicates, by place.
    pub checks: Vec<Check>,
    /// The books that were kept.
    pub ledgers: Ledgers,
    /// What happened when.
    pub course: Course,
    /// Series under CloudWatch's names.
    pub metrics: Vec<MetricSeries>,
    /// The scenario's expectations and guarantees.
    pub judgements: Vec<Judgement>,
    /// Modelling choices that this run depended on.
    pub assumptions: Vec<Assumption>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Name of the scenario: its file without folder and ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its question.
    pub question: Option<String>,
}

/// What ran, and how far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Version of shardlab.
    pub version: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Replication number.
    pub replication: u64,
    /// Set of quotas.
    pub profile: Profile,
    /// How long the run was meant to last.
    pub planned: SimDuration,
    /// How far it came.
    pub simulated: SimDuration,
    /// Events handled.
    pub events: u64,
    /// The trajectory's hash.
    pub fingerprint: u64,
    /// The command line that repeats it.
    pub command: String,
    /// How it ended.
    pub ending: Ending,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// As planned.
    Complete,
    /// Somebody stopped it.
    Interrupted,
    /// The model outgrew the memory that it was allowed; says what filled it.
    OutOfMemory(String),
}

/// A component of the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
    /// Its kind as scenario files name it, for example `stream`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it is set to, in a few words.
    pub settings: String,
}

/// A change during the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// When.
    pub at: SimTime,
    /// What, as a clause: `the load of producer.web becomes 4 times what is configured`.
    pub what: String,
}

/// A modelling choice that AWS does not document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assumption {
    /// Its name under `[model]`.
    pub name: &'static str,
    /// Its value, as a scenario writes it.
    pub value: String,
    /// Whether that is the default.
    pub is_default: bool,
    /// The row of the fact sheets that proposes it, if there is one.
    pub fact: Option<&'static str>,
}

impl Account {
    /// The verdict on all expectations and guarantees together.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.judgements.iter().any(|judgement| judgement.verdict == verdict);
        if any(Verdict::Violated) {
            Verdict::Violated
        } else if any(Verdict::Undecided) {
            Verdict::Undecided
        } else {
            Verdict::Held
        }
    }
    /// Records produced by all producers.
    pub fn records_produced(&self) -> u64 {
        self.producers.iter().map(|producer| producer.records_produced).sum()
    }
}
