//! What expectations are compared with.
//!
//! Observers keep running totals. To tell a period's share, the run pauses at the instants that expectations name: what
//! an expectation needs is kept where its period begins, and its value is taken where the period ends. The share is a
//! difference, and exact. What totals do not tell (a mean, a least value) comes from the metrics of each minute, once
//! the run is over. Memory and time grow with the number of different periods, and not with that of expectations.

mod series;
mod totals;

use scenarios::expect::{Expectation, Measurements, Missing};
use scenarios::metric::Statistic;
use sim::blueprint::PutApi;
use sim::directory::Directory;
use sim::engine::time::SimTime;
use sim::ids::StreamId;
use sim::observe::Observers;
use std::collections::{BTreeMap, BTreeSet};
use totals::{Begin, End, Period};

/// What expectations ask for. Those that ask for the same share one value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Question {
    /// First, so that those that are due come first.
    until: SimTime,
    from: SimTime,
    metric: &'static str,
    of: String,
    statistic: Statistic,
}

impl Question {
    fn of(expectation: &Expectation) -> Self {
        Self {
            until: expectation.until,
            from: expectation.from,
            metric: expectation.metric,
            of: expectation.of.clone(),
            statistic: expectation.statistic,
        }
    }
    fn needs_latency(&self) -> bool {
        self.metric == "EndToEndLatency"
    }
}

/// An instant at which periods begin.
#[derive(Default)]
struct Opening {
    /// Periods that begin here and are not over.
    open: usize,
    /// One of them is about latency.
    needs_latency: bool,
    /// The totals, from this instant on.
    begin: Option<Begin>,
}

/// The values of all expectations of a run.
pub(crate) struct Measured {
    directory: Directory,
    /// The put APIs that producers use, by stream.
    apis: BTreeMap<StreamId, Vec<PutApi>>,
    openings: BTreeMap<SimTime, Opening>,
    /// Questions whose periods are not over, the next one to end first.
    pending: BTreeSet<Question>,
    /// Questions whose periods are over, and which totals do not answer.
    unanswered: Vec<Question>,
    answers: BTreeMap<Question, Result<f64, Missing>>,
}

/// The instants within the run at which it pauses: where expectations begin or end to look.
pub(crate) fn pauses(expectations: &[Expectation], end: SimTime) -> Vec<SimTime> {
    let mut instants: Vec<SimTime> = expectations
        .iter()
        .flat_map(|expectation| [expectation.from, expectation.until])
        .filter(|at| *at > SimTime::ZERO && *at < end)
        .collect();
    instants.sort();
    instants.dedup();
    instants
}

impl Measured {
    /// Nothing yet.
    pub(crate) fn new(
        session: &sim::session::Session,
        blueprint: &sim::blueprint::Blueprint,
        expectations: &[Expectation],
    ) -> Self {
        let directory = session.world().directory().clone();
        let mut apis: BTreeMap<StreamId, Vec<PutApi>> = BTreeMap::new();
        for producer in &directory.producers {
            let found = blueprint.producers.iter().find(|one| one.name == producer.name);
            let Some(stream) = producer.target.stream() else {
                continue;
            };
            apis.entry(stream).or_default().extend(found.map(|one| one.api));
        }
        let pending: BTreeSet<Question> = expectations.iter().map(Question::of).collect();
        let mut openings: BTreeMap<SimTime, Opening> = BTreeMap::new();
        for question in pending.iter().filter(|question| question.from > SimTime::ZERO) {
            let opening = openings.entry(question.from).or_default();
            opening.open += 1;
            opening.needs_latency |= question.needs_latency();
        }
        Self {
            directory,
            apis,
            openings,
            pending,
            unanswered: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    /// The run pauses: answers questions whose periods end now, and keeps what those that begin now will need.
    pub(crate) fn pause(&mut self, now: SimTime, observers: &Observers) {
        self.answer(now, observers);
        if let Some(opening) = self.openings.get_mut(&now).filter(|opening| opening.open > 0) {
            opening.begin = Begin::of(observers, &self.directory, opening.needs_latency);
        }
    }
    /// The run is over, at the instant that was planned or before.
    pub(crate) fn finish(&mut self, now: SimTime, observers: &Observers) {
        self.answer(now, observers);
        for question in core::mem::take(&mut self.unanswered) {
            let answer = series::value(&question, &self.directory, now, observers);
            self.answers.insert(question, answer);
        }
        for (question, answer) in &mut self.answers {
            if *answer == Err(Missing::NoValueThen) && series::is_empty(question, &self.directory, observers) {
                *answer = Err(Missing::NoValueEver);
            }
        }
        for question in core::mem::take(&mut self.pending) {
            self.answers.insert(question, Err(Missing::NotReached(now)));
        }
    }
    /// Answers what totals can tell of periods that are over.
    fn answer(&mut self, now: SimTime, observers: &Observers) {
        while let Some(question) = self.pending.first().filter(|question| question.until <= now).cloned() {
            self.pending.remove(&question);
            match self.total(&question, observers) {
                Some(answer) => {
                    self.answers.insert(question, answer);
                }
                None => self.unanswered.push(question),
            }
        }
    }
    /// What totals tell of a period that ends now.
    fn total(&mut self, question: &Question, observers: &Observers) -> Option<Result<f64, Missing>> {
        let end = End::of(observers)?;
        let whole = question.from == SimTime::ZERO;
        let opening = self.openings.get_mut(&question.from);
        let begin = opening.as_ref().and_then(|opening| opening.begin.as_ref());
        let answer = if begin.is_some() || whole {
            Period { begin, end }.value(question, &self.directory, &self.apis)
        } else {
            None
        };
        if let Some(opening) = opening {
            opening.open -= 1;
            if opening.open == 0 {
                opening.begin = None;
            }
        }
        answer
    }
}

impl Measurements for Measured {
    fn value(&self, expectation: &Expectation) -> Result<f64, Missing> {
        let answer = self.answers.get(&Question::of(expectation)).copied();
        answer.unwrap_or(Err(Missing::NotMeasured))
    }
}
