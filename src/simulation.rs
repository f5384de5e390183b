//! Runs a scenario to its end, or to the point where somebody or something stops it.

use crate::cli::LoadArgs;
use crate::diagnostics::Texts;
use crate::judgement::{Evidence, judge};
use crate::measurements::{Totalled, pauses};
use crate::outcome::Outcome;
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

/// Runs a scenario and judges what it states.
pub(crate) fn simulate(
    file: &ScenarioFile,
    args: &LoadArgs,
    quiet: bool,
    terminal: &Terminal,
    interrupt: &Interrupt,
) -> anyhow::Result<Simulated> {
    let blueprint = &file.scenario.blueprint;
    let options = SessionOptions {
        memory_limit: args.memory,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).with_context(|| format!("{} cannot be built", file.path))?;
    let mut totals = Totalled::new(&session, blueprint);
    let mut progress = Progress::begin(terminal, quiet, &file.name, blueprint.duration);
    let driven = drive(&mut session, file, &mut totals, interrupt, &mut progress);
    progress.end();
    // A run that was stopped on the way keeps its books all the same.
    let driven = match driven {
        Ok(Ending::Interrupted) => session.check_ledgers().map(|()| Ending::Interrupted),
        other => other,
    };
    let ending = match driven {
        Ok(ending) => ending,
        Err(RunError::Memory {
            used, limit, filled_by, ..
        }) => Ending::OutOfMemory(format!(
            "it took {} of the {} that --memory allows, most of it {filled_by}",
            ByteCount(used),
            ByteCount(limit)
        )),
        Err(error @ (RunError::Fault { .. } | RunError::Violation { .. })) => {
            print_error(&format!("{}\n\n", broken(file, &error)))?;
            return Ok(Simulated::Broken);
        }
    };
    let Some(observers) = session.observers() else {
        anyhow::bail!("{} ran without observers", file.path);
    };
    totals.keep(session.now(), observers);
    let evidence = Evidence {
        measured: &totals,
        observers,
        directory: session.world().directory(),
        ending: &ending,
    };
    let texts = Texts {
        path: &file.path,
        scenario: &file.text,
        set: &args.set,
    };
    let (judgements, drawn) = judge(file, &evidence, texts, terminal);
    let interrupted = ending == Ending::Interrupted;
    let complete = ending == Ending::Complete;
    let circumstances = Circumstances {
        subject: Subject {
            name: file.name.clone(),
            title: file.scenario.title.clone(),
            question: file.scenario.question.clone(),
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ending,
        judgements,
        assumptions: file.scenario.assumptions.iter().map(told).collect(),
        notes: file.scenario.notes.clone(),
    };
    let account = Box::new(collect(&session, blueprint, circumstances));
    let outcome = match Outcome::from(account.verdict()) {
        _ if interrupted => Outcome::Interrupted,
        Outcome::Held if !complete => Outcome::Undecided,
        verdict => verdict,
    };
    Ok(Simulated::Finished {
        account,
        drawn,
        outcome,
    })
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
    visible(&format!(
        "error: {}: {error}. This is a defect of shardlab, not of the scenario; please report it with the scenario and \
         the seed {}.",
        file.path, file.scenario.blueprint.seed
    ))
}

/// Runs the session to its end, pausing where expectations want totals. Its trajectory does not depend on the slices.
fn drive(
    session: &mut Session,
    file: &ScenarioFile,
    totals: &mut Totalled,
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
                return Ok(Ending::Interrupted);
            }
            let began = Instant::now();
            let reached = session.advance(stop, budget)? == Stop::Reached;
            budget = adapted(budget, began.elapsed());
            if let Some(observers) = session.observers() {
                progress.at(session.now(), produced(observers));
                if reached {
                    totals.keep(session.now(), observers);
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
