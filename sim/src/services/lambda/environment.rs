//! Execution environments: created by the first invocation that finds none idle, kept for a while, then given up.

use crate::engine::time::{SimDuration, SimTime};
use crate::services::random_span::RandomSpan;

/// An environment that serves an invocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Environment {
    /// From this instant on it is replaced as soon as no invocation runs in it (LAM-R-10, LAM-U-22).
    retires_at: SimTime,
}

/// What an invocation waits for that finds no idle environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColdStartTime {
    /// Finding a place for the environment.
    pub(super) placement: SimDuration,
    /// Its Init phase.
    pub(super) init: SimDuration,
}

impl ColdStartTime {
    /// The two together.
    pub(super) const fn total(self) -> SimDuration {
        self.placement.saturating_add(self.init)
    }
}

/// An environment that waits for its next invocation.
#[derive(Clone, Copy, Debug)]
struct IdleEnvironment {
    environment: Environment,
    /// It is gone from this instant on, for idleness or age.
    expires_at: SimTime,
}

/// The environments of one function.
///
/// Idle ones lie on a stack: the most recently used serves next, so that a surplus ages out (LAM-U-23). No timer
/// removes an expired one: it is noticed when its turn comes, and until then it has no effect.
#[derive(Clone, Debug)]
pub(super) struct Environments {
    /// Finding a place for a new environment (LAM-U-20).
    pub(super) placement: RandomSpan,
    /// Its Init phase (LAM-U-20).
    pub(super) init: RandomSpan,
    /// How long it may be idle (LAM-R-09, LAM-U-21).
    pub(super) idle_lifetime: RandomSpan,
    /// How old it may become (LAM-U-22).
    pub(super) lifetime: RandomSpan,
    idle: Vec<IdleEnvironment>,
}

impl Environments {
    pub(super) const fn new(
        placement: RandomSpan,
        init: RandomSpan,
        idle_lifetime: RandomSpan,
        lifetime: RandomSpan,
    ) -> Self {
        Self {
            placement,
            init,
            idle_lifetime,
            lifetime,
            idle: Vec::new(),
        }
    }
    /// An environment for an invocation, and the time that it takes to create it if none was idle (LAM-C-03).
    #[inline]
    pub(super) fn occupy(&mut self, now: SimTime) -> (Environment, Option<ColdStartTime>) {
        while let Some(idle) = self.idle.pop() {
            if now < idle.expires_at {
                return (idle.environment, None);
            }
        }
        let cold_start = ColdStartTime {
            placement: self.placement.draw(),
            init: self.init.draw(),
        };
        let retires_at = now.saturating_add(self.lifetime.draw());
        (Environment { retires_at }, Some(cold_start))
    }
    /// An invocation has ended and left its environment usable.
    #[inline]
    pub(super) fn vacate(&mut self, now: SimTime, environment: Environment) {
        if now >= environment.retires_at {
            return;
        }
        let idle_until = now.saturating_add(self.idle_lifetime.draw());
        self.idle.push(IdleEnvironment {
            environment,
            expires_at: idle_until.min(environment.retires_at),
        });
    }
}
