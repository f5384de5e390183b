//! Execution environments: created by the first invocation that finds none idle, kept for a while, then given up; or
//! provisioned, and kept as long as they are asked for.

use super::quotas::INIT_LIMIT;
use crate::engine::time::{SimDuration, SimTime};
use crate::services::random_span::RandomSpan;

/// An environment that serves an invocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Environment {
    /// From this instant on it is replaced as soon as no invocation runs in it (LAM-R-10, LAM-U-22).
    retires_at: SimTime,
    /// It was provisioned, not created by a request (LAM-V-15: that never changes).
    pub(super) provisioned: bool,
    condition: Condition,
}

/// What the next invocation finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    /// Nothing has run in it.
    Fresh,
    /// It has served.
    Warm,
    /// Its last invocation crashed or timed out, so Init runs again within the next one (LAM-R-06).
    Reset,
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

/// What an invocation gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occupied {
    pub(super) environment: Environment,
    /// The time that it takes to create it, if none was idle (LAM-C-03).
    pub(super) cold_start: Option<ColdStartTime>,
    /// Init that runs within the invocation and counts towards its duration and timeout: after a reset (LAM-R-06), or
    /// because the first one took too long (LAM-R-04).
    pub(super) init_within: SimDuration,
    /// No handler has run in it before.
    pub(super) first: bool,
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
    /// Provisioned ones that are idle.
    idle_provisioned: Vec<Environment>,
    /// Provisioned ones that may be used, idle or busy.
    provisioned: u32,
    busy_provisioned: u32,
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
            idle_provisioned: Vec::new(),
            provisioned: 0,
            busy_provisioned: 0,
        }
    }
    /// Whether an environment on demand is idle.
    #[inline]
    pub(super) fn has_idle(&mut self, now: SimTime) -> bool {
        while self.idle.last().is_some_and(|idle| now >= idle.expires_at) {
            self.idle.pop();
        }
        !self.idle.is_empty()
    }
    /// Whether a provisioned environment is idle.
    #[inline]
    pub(super) const fn has_idle_provisioned(&self) -> bool {
        self.busy_provisioned < self.provisioned
    }
    /// An environment for an invocation; a new one if none on demand is idle (LAM-C-03).
    #[inline]
    pub(super) fn occupy(&mut self, now: SimTime) -> Occupied {
        if self.has_idle(now)
            && let Some(idle) = self.idle.pop()
        {
            return self.use_again(idle.environment);
        }
        let (placement, init) = (self.placement.draw(), self.init.draw());
        let environment = Environment {
            retires_at: now.saturating_add(self.lifetime.draw()),
            provisioned: false,
            condition: Condition::Warm,
        };
        let cut = init > INIT_LIMIT;
        Occupied {
            environment,
            cold_start: Some(ColdStartTime {
                placement,
                init: init.min(INIT_LIMIT),
            }),
            init_within: if cut { init } else { SimDuration::ZERO },
            first: true,
        }
    }
    /// A provisioned environment for an invocation. One that Lambda has replaced in the background is as good as any
    /// (LAM-V-12).
    #[inline]
    pub(super) fn occupy_provisioned(&mut self) -> Option<Occupied> {
        let environment = self.idle_provisioned.pop()?;
        self.busy_provisioned += 1;
        Some(self.use_again(environment))
    }
    fn use_again(&mut self, environment: Environment) -> Occupied {
        let init_within = match environment.condition {
            Condition::Reset => self.init.draw(),
            Condition::Fresh | Condition::Warm => SimDuration::ZERO,
        };
        Occupied {
            environment: Environment {
                condition: Condition::Warm,
                ..environment
            },
            cold_start: None,
            init_within,
            first: environment.condition != Condition::Warm,
        }
    }
    /// An invocation has ended; `reset`: it crashed or timed out.
    #[inline]
    pub(super) fn vacate(&mut self, now: SimTime, mut environment: Environment, reset: bool) {
        if reset {
            environment.condition = Condition::Reset;
        }
        if environment.provisioned {
            self.busy_provisioned -= 1;
            // Fewer may be provisioned than when it began.
            if self.busy_provisioned < self.provisioned && self.idle_provisioned.len() < self.room_for_idle() {
                self.idle_provisioned.push(environment);
            }
            return;
        }
        if now >= environment.retires_at {
            return;
        }
        let idle_until = now.saturating_add(self.idle_lifetime.draw());
        self.idle.push(IdleEnvironment {
            environment,
            expires_at: idle_until.min(environment.retires_at),
        });
    }
    /// So many provisioned environments may be used from now on. Returns how many were initialised for that, and the
    /// sum of their Init times, which may exceed the limit of an Init on demand (LAM-V-13, LAM-V-14).
    pub(super) fn provision(&mut self, count: u32) -> (u32, SimDuration) {
        let created = count.saturating_sub(self.provisioned);
        self.provisioned = count;
        let mut init = SimDuration::ZERO;
        for _ in 0..created {
            init = init.saturating_add(self.init.draw());
            self.idle_provisioned.push(Environment {
                retires_at: SimTime::NEVER,
                provisioned: true,
                condition: Condition::Fresh,
            });
        }
        let room = self.room_for_idle();
        self.idle_provisioned.truncate(room);
        (created, init)
    }
    /// Provisioned environments that may be used.
    pub(super) const fn provisioned(&self) -> u32 {
        self.provisioned
    }
    /// Provisioned environments in use.
    pub(super) const fn busy_provisioned(&self) -> u32 {
        self.busy_provisioned
    }
    fn room_for_idle(&self) -> usize {
        crate::engine::index::to_usize(self.provisioned.saturating_sub(self.busy_provisioned))
    }
}
