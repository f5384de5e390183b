//! What was found out: order, duplicates, loss, ledgers, and how the scenario's statements came out.

use sim::engine::time::SimTime;

/// A verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// It is as said.
    Held,
    /// It is not.
    Violated,
    /// Nobody can tell.
    Undecided,
}

impl Verdict {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated => "violated",
            Self::Undecided => "undecided",
        }
    }
}

/// What a checker found at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was checked, for example `order per key`.
    pub what: String,
    /// Where, for example `sink.orders`.
    pub at: String,
    /// What came out.
    pub verdict: Verdict,
    /// How often it was violated.
    pub violations: u64,
    /// The shortest evidence, or why nobody can tell; a line each.
    pub evidence: Vec<String>,
    /// The first case, if it was violated.
    pub witness: Option<Witness>,
}

/// The first case of a violation: what happened to a record, and to one that it met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Partition key of both.
    pub key: String,
    /// The record.
    pub record: Sighting,
    /// The later record of its key that was faster; for a duplicate the record's first time.
    pub other: Option<Sighting>,
    /// What was done to it meanwhile, and when: `sent again`.
    pub cause: Option<(String, SimTime)>,
}

/// Where and when a record was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// Its number within its key.
    pub ordinal: u32,
    /// When it was created.
    pub created: Option<SimTime>,
    /// When the stream stored it.
    pub stored: Option<SimTime>,
    /// When it took effect.
    pub effect: Option<SimTime>,
}

/// The books that were kept during the run. A book that does not balance ends a run, so here they all do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledgers {
    /// How often each was checked.
    pub checks: u64,
    /// The entries, a line each, for example `producer.web: 10 created = 9 accepted + 1 given up`.
    pub balances: Vec<String>,
}

/// How an expectation or a guarantee came out.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// `expect` or `guarantee`.
    pub kind: &'static str,
    /// What was stated, in words.
    pub statement: String,
    /// What was measured, in words.
    pub measured: String,
    /// The measured value of an expectation, in the metric's unit.
    pub value: Option<f64>,
    /// That unit: `count`, `bytes` or `ms`.
    pub unit: Option<&'static str>,
    /// What came out.
    pub verdict: Verdict,
    /// Line of the scenario, from 1.
    pub line: Option<u32>,
}
