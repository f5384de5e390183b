//! Drives a session to its end, or to the point where somebody or something stops it.

use crate::terminal::Progress;
use anyhow::Context;
use reports::account::Ending;
use sim::engine::kernel::Stop;
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimTime;
use sim::session::{RunError, Session};
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

/// Runs the session until `end`. Its trajectory does not depend on the slices.
pub(crate) fn drive(
    session: &mut Session,
    end: SimTime,
    memory_max: u64,
    interrupt: &Interrupt,
    progress: &mut Progress,
) -> Result<Ending, RunError> {
    let mut budget = FIRST_BUDGET;
    loop {
        if interrupt.pressed() {
            return Ok(Ending::Interrupted);
        }
        let began = Instant::now();
        let stop = session.advance(end, budget)?;
        if stop == Stop::Reached {
            return Ok(Ending::Complete);
        }
        if let Some(what) = outgrown(session, memory_max) {
            return Ok(Ending::OutOfMemory(what));
        }
        progress.at(session.now(), session.observers().counts.records_produced());
        let took = began.elapsed();
        if took < SLICE / 2 {
            budget = (budget * 2).min(BUDGET_MAX);
        } else if took > SLICE * 2 {
            budget = (budget / 2).max(1);
        }
    }
}

/// What fills the memory, if the model takes more than it may.
fn outgrown(session: &Session, memory_max: u64) -> Option<String> {
    let taken = session.memory_bytes();
    (taken > memory_max).then(|| format!("it takes {}, and --memory allows {}", ByteCount(taken), ByteCount(memory_max)))
}
