//! Runs a scenario to its end, or to the point where somebody or something stops it.

use crate::cli::LoadArgs;
use crate::diagnostics::Texts;
use crate::judgement::{Evidence, judge};
use crate::measurements::{Measured, pauses};
use crate::outcome::Outcome;
use crate::repetition::command_line;
use crate::scenario_file::ScenarioFile;
use crate::terminal::{Progress, Terminal, print_error, visible};
use anyhow::Context;
use reports::account::{Account, Assumption, Ending, Subject};
use reports::collection::{Circumstances, collect};
use sim::engine::kernel::Stop;
use sim::engine::quantity::ByteCount;
use sim::observe::Observers;
use sim::session::{RunError, Session, SessionOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at the clock, at Ctrl-C and at memory, about this much time passes.
const SLICE: Duration = Duration::from_millis(20);
/// Events of the first slice.
const FIRST_BUDGET: u64 = 1_000;
/// Events of a slice at most.
const BUDGET_MAX: u64 = 1 << 20;

/// Notices Ctrl-C.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C asks the run to stop; pressed again, it ends the process at once.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&pressed);
        ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(crate::outcome::Outcome::Interrupted.code()));
            }
        })
        .context("Ctrl-C cannot be watched for")?;
        Ok(Self(pressed))
    }
    /// Whether it was pressed.
    pub(crate) fn pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of a run.
pub(crate) enum Simulated {
    /// It came to an end, be it an early one.
    Finished {
        /// Everything that can be told.
        account: Box<Account>,
        /// What the scenario stated and did not get, as text for standard error.
        drawn: String,
        /// The verdict.
        outcome: Outcome,
    },
    /// The model contradicted itself. That has been reported.
    Broken,
}

/// How to go about a run.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'m> {
    /// What changes the scenario.
    pub(crate) args: &'m LoadArgs,
    /// Whether progress may be shown.
    pub(crate) quiet: bool,
    /// Where messages go.
    pub(crate) terminal: &'m Terminal,
    /// What may stop the run.
    pub(crate) interrupt: &'m Interrupt,
}

/// Runs a scenario and judges what it states.
pub(crate) fn simulate(file: &ScenarioFile, manner: Manner<'_>) -> anyhow::Result<Simulated> {
    let blueprint = &file.scenario.blueprint;
    let options = SessionOptions {
        memory_limit: manner.args.memory,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).with_context(|| format!("{} cannot be built", file.path))?;
    let mut measured = Measured::new(&session, blueprint, &file.scenario.expectations);
    let mut progress = Progress::begin(manner.terminal, manner.quiet, &file.name, blueprint.duration);
    let driven = drive(&mut session, file, &mut measured, manner.interrupt, &mut progress);
    progress.end();
    let ending = match driven {
        Ok(ending) => ending,
        Err(RunError::Memory {
            used, limit, filled_by, ..
        }) => Ending::OutOfMemory(format!(
            "it grew to {}, beyond the {} that --memory allows, most of it {filled_by}",
            ByteCount(used),
            ByteCount(limit)
        )),
        Err(error @ (RunError::Fault { .. } | RunError::Violation { .. })) => {
            print_error(&broken(file, &error))?;
            return Ok(Simulated::Broken);
        }
    };
    if let Some(observers) = session.observers() {
        measured.finish(session.now(), observers);
    }
    Ok(account_for(file, manner, &session, &measured, ending))
}

/// Judges what the scenario states, and takes the account.
fn account_for(
    file: &ScenarioFile,
    manner: Manner<'_>,
    session: &Session,
    measured: &Measured,
    ending: Ending,
) -> Simulated {
    let texts = Texts {
        path: &file.path,
        scenario: &file.text,
        set: &manner.args.set,
    };
    let evidence = Evidence {
        measured,
        ordering: session.observers().and_then(|observers| observers.ordering.as_ref()),
        directory: session.world().directory(),
        ending: &ending,
    };
    let (judgements, drawn) = judge(file, &evidence, texts, manner.terminal);
    let circumstances = Circumstances {
        subject: Subject {
            name: file.name.clone(),
            title: file.scenario.title.clone(),
            question: file.scenario.question.clone(),
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_line(file, manner.args),
        ending,
        judgements,
        assumptions: file.scenario.assumptions.iter().map(told).collect(),
        notes: file.scenario.notes.clone(),
    };
    let account = Box::new(collect(session, &file.scenario.blueprint, circumstances));
    let outcome = match (&account.run.ending, Outcome::from(account.verdict())) {
        (Ending::Interrupted, _) => Outcome::Interrupted,
        (Ending::OutOfMemory(_), Outcome::Held) => Outcome::Undecided,
        (_, verdict) => verdict,
    };
    Simulated::Finished {
        account,
        drawn,
        outcome,
    }
}

fn told(assumption: &scenarios::Assumption) -> Assumption {
    Assumption {
        name: assumption.name,
        value: assumption.value.clone(),
        is_default: assumption.is_default,
        fact: assumption.fact,
    }
}

fn broken(file: &ScenarioFile, error: &RunError) -> String {
    let told = visible(&format!(
        "error: {}: {error}. This is a defect of shardlab, not of the scenario; please report it with the scenario and \
         the seed {}.",
        file.path, file.scenario.blueprint.seed
    ));
    told + "\n\n"
}

/// Runs the session to its end, pausing where expectations begin or end to look. Its trajectory does not depend on the slices.
fn drive(
    session: &mut Session,
    file: &ScenarioFile,
    measured: &mut Measured,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<Ending, RunError> {
    let end = session.end();
    let mut stops = pauses(&file.scenario.expectations, end);
    stops.push(end);
    let mut budget = FIRST_BUDGET;
    for stop in stops {
        loop {
            if interrupt.pressed() {
                // A run that is stopped on the way keeps its books all the same.
                session.check_ledgers()?;
                return Ok(Ending::Interrupted);
            }
            let began = Instant::now();
            let reached = session.advance(stop, budget)? == Stop::Reached;
            budget = adapted(budget, began.elapsed());
            if let Some(observers) = session.observers() {
                progress.at(session.now(), produced(observers));
                if reached {
                    measured.pause(session.now(), observers);
                }
            }
            if reached {
                break;
            }
        }
    }
    Ok(Ending::Complete)
}

fn produced(observers: &Observers) -> u64 {
    let counts = observers.counts.iter().flat_map(|counts| counts.producers.iter());
    counts.map(|producer| producer.produced).sum()
}

/// The budget for the next slice, so that it takes about as long as it should.
fn adapted(budget: u64, took: Duration) -> u64 {
    if took < SLICE / 2 {
        (budget * 2).min(BUDGET_MAX)
    } else if took > SLICE * 2 {
        (budget / 2).max(1)
    } else {
        budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_takes_about_as_long_as_it_should() {
        assert_eq!(adapted(1_000, Duration::from_millis(1)), 2_000);
        assert_eq!(adapted(1_000, SLICE), 1_000);
        assert_eq!(adapted(1_000, Duration::from_secs(1)), 500);
        assert_eq!(adapted(BUDGET_MAX, Duration::ZERO), BUDGET_MAX);
        assert_eq!(adapted(1, Duration::from_secs(9)), 1);
    }
}
