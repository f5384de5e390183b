//! Provisioned concurrency on its way: asked for, prepared, allocated, and usable only as a whole (LAM-V-08..11).

/// How far the allocation of a function's provisioned environments is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing is under way.
    Settled,
    /// Asked for; allocation has not begun (LAM-V-08).
    Preparing,
    /// Allocation is in progress (LAM-V-09).
    Allocating,
}

/// The allocation of a function's provisioned environments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provisioning {
    phase: Phase,
    executions: u32,
    /// Marks the timer of the request in progress.
    generation: u32,
}

/// What is to be done when the timer fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// The timer is of an earlier request.
    Nothing,
    /// Allocation of environments for this many begins.
    Allocate(u32),
    /// They are ready.
    Ready(u32),
}

impl Provisioning {
    pub(super) const fn new() -> Self {
        Self {
            phase: Phase::Settled,
            executions: 0,
            generation: 0,
        }
    }
    /// A request replaces the one in progress. Returns the generation of its timer.
    pub(super) const fn request(&mut self, executions: u32) -> u32 {
        self.phase = Phase::Preparing;
        self.executions = executions;
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }
    /// The timer has fired.
    pub(super) fn due(&mut self, generation: u32) -> Due {
        if generation != self.generation {
            return Due::Nothing;
        }
        match self.phase {
            Phase::Settled => Due::Nothing,
            Phase::Preparing => {
                self.phase = Phase::Allocating;
                Due::Allocate(self.executions)
            }
            Phase::Allocating => {
                self.phase = Phase::Settled;
                Due::Ready(self.executions)
            }
        }
    }
}
