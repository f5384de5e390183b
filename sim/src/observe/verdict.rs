//! What an observer concludes about a guarantee, and the evidence.

use crate::batch::InvocationOutcome;
use crate::engine::time::SimTime;
use crate::observe::fact::RetryBy;
use core::fmt;

/// A promise that a scenario may demand of a place where effects complete.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Guarantee {
    /// The records of a key take effect in the order in which their producer created them.
    OrderPerKey,
    /// No record takes effect twice.
    NoDuplicates,
    /// Every record that the stream accepted takes effect, or is still on its way when the run ends.
    NoLoss,
}

impl Guarantee {
    /// As scenario files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderPerKey => "order per key",
            Self::NoDuplicates => "no duplicates",
            Self::NoLoss => "no loss",
        }
    }
}

/// What went wrong with a record. The names are those of Maelstrom's Kafka workload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Anomaly {
    /// It took effect again.
    Duplicate,
    /// It took effect after a later record of its key, which came in an earlier batch.
    NonmonotonicExternal,
    /// It took effect after a later record of its key in the same batch.
    NonmonotonicInternal,
    /// It was stored when a later record of its key took effect, and had not taken effect itself.
    Skip,
    /// It was stored, and expired or was discarded before the reader had processed it.
    Lost,
    /// It was stored, and has not taken effect by the end of the run.
    Unobserved,
}

impl Anomaly {
    /// All anomalies, in order of their index.
    pub const ALL: [Self; 6] = [
        Self::Duplicate,
        Self::NonmonotonicExternal,
        Self::NonmonotonicInternal,
        Self::Skip,
        Self::Lost,
        Self::Unobserved,
    ];
    /// Position in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        match self {
            Self::Duplicate => 0,
            Self::NonmonotonicExternal => 1,
            Self::NonmonotonicInternal => 2,
            Self::Skip => 3,
            Self::Lost => 4,
            Self::Unobserved => 5,
        }
    }
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::NonmonotonicExternal => "nonmonotonic external",
            Self::NonmonotonicInternal => "nonmonotonic internal",
            Self::Skip => "skip",
            Self::Lost => "lost",
            Self::Unobserved => "unobserved",
        }
    }
}

/// The conclusion about a guarantee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It held for everything that was seen.
    Holds,
    /// It did not hold; the first case.
    Violated(Box<Witness>),
    /// Nothing was seen that could decide it; why.
    Undecided(String),
}

impl Verdict {
    /// True for `Holds`.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }
    /// The evidence, if violated.
    pub const fn witness(&self) -> Option<&Witness> {
        match self {
            Self::Violated(witness) => Some(witness),
            Self::Holds | Self::Undecided(_) => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Violated(witness) => write!(f, "violated: {witness}"),
            Self::Undecided(reason) => write!(f, "undecided: {reason}"),
        }
    }
}

/// Where and when a record was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// Its number within its key.
    pub ordinal: u32,
    /// When it was created; `None` if no fact told.
    pub created_at: Option<SimTime>,
    /// When the stream stored it; `None` if no fact told.
    pub arrived_at: Option<SimTime>,
    /// When it took effect; `None` if it has not, or no fact told.
    pub delivered_at: Option<SimTime>,
}

/// What made a record come late or again, as far as facts tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Its client sent it again.
    SentAgain {
        /// Who repeats.
        by: RetryBy,
        /// When it was sent again the last time.
        at: SimTime,
        /// How many sends came before.
        sends_before: u32,
    },
    /// Its batch was invoked again.
    DispatchedAgain {
        /// The reader, as scenario files refer to it.
        reader: String,
        /// When the batch was sent to the function again.
        at: SimTime,
        /// Attempts before this one.
        attempts_before: u32,
        /// How and when the attempt before failed, if a fact told.
        failed: Option<(InvocationOutcome, SimTime)>,
    },
    /// It was stored after the later record: the client had several requests in flight, and one overtook the other.
    Overtaken {
        /// When the later record was stored.
        later_stored_at: SimTime,
    },
    /// Retention ended before the reader came.
    Expired {
        /// The reader, as scenario files refer to it.
        reader: String,
        /// The shard, as AWS prints it.
        shard: String,
        /// Position of the first record that expired.
        first_position: u64,
        /// How many expired at this instant.
        count: u64,
        /// When this was noticed.
        at: SimTime,
        /// True if it waited for a retry of its failed batch.
        in_retry: bool,
    },
    /// The code of an application threw, and the batch was skipped (KDS-KCL-34).
    Skipped {
        /// The reader, as scenario files refer to it.
        reader: String,
        /// When a checkpoint passed it.
        at: SimTime,
    },
    /// A mapping gave it up.
    GivenUp {
        /// The reader, as scenario files refer to it.
        reader: String,
        /// When.
        at: SimTime,
        /// Why, and whether anybody was told.
        why: String,
    },
}

/// The first case of an anomaly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Which kind.
    pub anomaly: Anomaly,
    /// Where effects complete, by name.
    pub place: String,
    /// Partition key of the record; empty if the facts give only positions.
    pub key: String,
    /// The record; `None` if the facts give only positions.
    pub record: Option<Sighting>,
    /// The later record of its key, if there is one in the story; for a duplicate the record's first time.
    pub other: Option<Sighting>,
    /// What caused it, if a fact tells.
    pub cause: Option<Cause>,
    /// How many records of the run met the same fate.
    pub cases: u64,
}

/// ` (created 00:00:01.000, stored 00:00:01.020)`
struct Times(Sighting);
impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.created_at, self.0.arrived_at) {
            (Some(created), Some(arrived)) => write!(f, " (created {created}, stored {arrived})"),
            (Some(created), None) => write!(f, " (created {created})"),
            (None, Some(arrived)) => write!(f, " (stored {arrived})"),
            (None, None) => Ok(()),
        }
    }
}

impl Witness {
    fn story(&self, f: &mut fmt::Formatter<'_>, record: Sighting) -> fmt::Result {
        let (place, key, ordinal) = (&self.place, &self.key, record.ordinal);
        let at = record.delivered_at.unwrap_or(SimTime::NEVER);
        match (self.anomaly, self.other) {
            (Anomaly::Duplicate, other) => {
                write!(
                    f,
                    "Record {ordinal} of key {key}{} took effect again at {place} at {at}.",
                    Times(record)
                )?;
                match other.and_then(|first| first.delivered_at) {
                    Some(first) => write!(f, " The first time was {first}."),
                    None => Ok(()),
                }
            }
            (Anomaly::NonmonotonicExternal | Anomaly::NonmonotonicInternal, Some(later)) => {
                write!(
                    f,
                    "Record {ordinal} of key {key}{} took effect at {place} at {at}, after record {}{}, which took effect ",
                    Times(record),
                    later.ordinal,
                    Times(later)
                )?;
                match (self.anomaly == Anomaly::NonmonotonicInternal, later.delivered_at) {
                    (false, Some(earlier)) => write!(f, "in an earlier batch at {earlier}."),
                    (_, None) => f.write_str("before."),
                    (true, Some(_)) => f.write_str("before it in the same batch."),
                }
            }
            (Anomaly::Skip, Some(later)) => {
                write!(
                    f,
                    "Record {} of key {key}{} took effect at {place}",
                    later.ordinal,
                    Times(later)
                )?;
                if let Some(when) = later.delivered_at {
                    write!(f, " at {when}")?;
                }
                write!(f, " although record {ordinal}, stored before that, had not.")
            }
            (Anomaly::Unobserved, _) => write!(
                f,
                "Record {ordinal} of key {key}{} was stored, but had not taken effect at {place} by the end of the run.",
                Times(record)
            ),
            (Anomaly::Lost | Anomaly::Skip | Anomaly::NonmonotonicExternal | Anomaly::NonmonotonicInternal, _) => {
                write!(
                    f,
                    "Record {ordinal} of key {key}{} never took effect at {place}.",
                    Times(record)
                )
            }
        }
    }
}

impl fmt::Display for Witness {
    /// A few plain sentences with times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            self.story(f, record)?;
            f.write_str(" ")?;
        }
        if let Some(cause) = &self.cause {
            write!(f, "{cause} ")?;
        }
        let (verb, name) = (if self.cases == 1 { "case" } else { "cases" }, self.anomaly.name());
        write!(f, "{} {verb} of `{name}` at {} in all.", self.cases, self.place)
    }
}

/// How an attempt ended, as a verb.
const fn ended(outcome: InvocationOutcome) -> &'static str {
    match outcome {
        InvocationOutcome::Succeeded => "reported failures",
        InvocationOutcome::FunctionError => "ended in a function error",
        InvocationOutcome::TimedOut => "timed out",
        InvocationOutcome::Throttled => "was throttled",
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SentAgain { by, at, sends_before } => {
                let who = match by {
                    RetryBy::Sdk => "The SDK had repeated its request",
                    RetryBy::Application => "Its client had sent it again",
                    RetryBy::Library => "The Kinesis Producer Library had sent it again",
                };
                let times = if *sends_before == 1 { "send" } else { "sends" };
                write!(f, "{who} at {at}, after {sends_before} earlier {times}.")
            }
            Self::DispatchedAgain {
                reader,
                at,
                attempts_before,
                failed,
            } => {
                if reader.starts_with("application.") {
                    return write!(f, "{reader} began with its batch again at {at}, after a checkpoint.");
                }
                let attempt = attempts_before + 1;
                write!(
                    f,
                    "{reader} sent its batch to the function again at {at} (attempt {attempt})"
                )?;
                match failed {
                    Some((outcome, when)) => write!(f, ", since the attempt before {} at {when}.", ended(*outcome)),
                    None => f.write_str("."),
                }
            }
            Self::Overtaken { later_stored_at } => write!(
                f,
                "The later record was stored first, at {later_stored_at}: requests in flight overtook each other."
            ),
            Self::Expired {
                reader,
                shard,
                first_position,
                count,
                at,
                in_retry,
            } => {
                let (records, how) = (
                    if *count == 1 { "record" } else { "records" },
                    if *in_retry {
                        "while their failed batch waited for a retry"
                    } else {
                        "before it had read them"
                    },
                );
                write!(
                    f,
                    "{count} {records} of {shard}, from position {first_position} on, expired for {reader} {how} \
                     (noticed at {at})."
                )
            }
            Self::Skipped { reader, at } => write!(
                f,
                "{reader} had skipped its batch since the code threw, and its checkpoint passed it at {at}."
            ),
            Self::GivenUp { reader, at, why } => write!(f, "{reader} discarded it at {at}, since {why}."),
        }
    }
}
