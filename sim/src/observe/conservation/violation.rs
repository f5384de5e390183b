//! A ledger that does not balance, with both sides and the record's history.

use crate::engine::time::SimTime;
use core::fmt;

/// Which law was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ledger {
    /// Produced = acknowledged + given up + waiting + in flight.
    Producer,
    /// Accepted = retained + trimmed.
    Log,
    /// Accepted since the start = acknowledged once + discarded + expired + in flight + unread.
    Reader,
    /// Sent + moved here = available + delayed + in flight + deleted + expired + moved away + purged.
    Queue,
    /// Published = copied + filtered out; copied + made once more = delivered + dead-lettered + lost + undelivered.
    Subscription,
    /// Polled = filtered out + processed + failed + let go + held by pollers.
    QueueMapping,
    /// Sent = answered + in flight.
    Invoker,
    /// Received + duplicated = succeeded + dropped + waiting + running.
    EventQueue,
    /// A count balances, but the records are not those that they should be.
    Identity,
    /// The integral of concurrency over time is the sum of the invocations' times.
    InvocationTime,
    /// The integral of the backlog over time is the sum of the records' times in it.
    BacklogTime,
    /// The time of a record is the sum of its parts by cause.
    LatencyParts,
}

impl Ledger {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer ledger",
            Self::Log => "log ledger",
            Self::Reader => "reader ledger",
            Self::Queue => "queue ledger",
            Self::Subscription => "ledger of a subscription",
            Self::QueueMapping => "ledger of a mapping of a queue",
            Self::Invoker => "ledger of a direct caller",
            Self::EventQueue => "ledger of asynchronous events",
            Self::Identity => "identity of records",
            Self::InvocationTime => "Little's law for invocations",
            Self::BacklogTime => "Little's law for the backlog",
            Self::LatencyParts => "latency by cause",
        }
    }
}

/// A term of an equation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    /// What it is.
    pub name: &'static str,
    /// Records, positions or nanoseconds.
    pub value: i128,
}

impl Term {
    /// A term.
    pub fn new(name: &'static str, value: impl Into<i128>) -> Self {
        Self {
            name,
            value: value.into(),
        }
    }
}

/// The record that shows what went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Culprit {
    /// What happened to it, as a sentence.
    pub what: String,
    /// Partition key, ordinal, creation and arrival, if a fact tells them.
    pub record: Option<(String, u32, SimTime, SimTime)>,
}

/// A law that does not hold: the model has a bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// When it was found.
    pub at: SimTime,
    /// Which law.
    pub ledger: Ledger,
    /// Whose, by name.
    pub component: String,
    /// One side of the equation: the sum of these.
    pub left: Vec<Term>,
    /// The other side.
    pub right: Vec<Term>,
    /// The record that shows it, if one does.
    pub culprit: Option<Culprit>,
    /// What the components did lately, oldest first.
    pub history: Vec<String>,
}

struct Side<'s>(&'s [Term]);
impl fmt::Display for Side<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, term) in self.0.iter().enumerate() {
            let plus = if number == 0 { "" } else { " + " };
            write!(f, "{plus}{} {}", term.name, term.value)?;
        }
        if self.0.len() > 1 {
            write!(f, " = {}", self.0.iter().map(|term| term.value).sum::<i128>())?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} of {} is broken at {}:",
            self.ledger.name(),
            self.component,
            self.at
        )?;
        writeln!(f, "  {}", Side(&self.left))?;
        write!(f, "  but {}", Side(&self.right))?;
        if let Some(culprit) = &self.culprit {
            write!(f, "\n  {}", culprit.what)?;
            if let Some((key, ordinal, created, arrived)) = &culprit.record {
                write!(
                    f,
                    "\n  record {ordinal} of key {key}, created {created}, stored {arrived}"
                )?;
            }
        }
        if !self.history.is_empty() {
            f.write_str("\n  what happened lately:")?;
        }
        for line in &self.history {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
impl core::error::Error for Violation {}
