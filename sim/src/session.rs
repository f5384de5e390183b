//! A run: a world, its observers, its commands and its checkpoints.
//!
//! `advance` goes forward within an event budget, `seek` goes anywhere by restoring the nearest checkpoint and
//! replaying, `apply` changes the world at the next instant. However an instant is reached, its fingerprint is the same.

use crate::blueprint::{Blueprint, ProducerBlueprint};
use crate::build::BuildError;
use crate::command::{Command, Intervention};
use crate::context::Fault;
use crate::engine::calendar::TieOrder;
use crate::engine::fingerprint::Fingerprint;
use crate::engine::kernel::{Engine, Stop};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::conservation::Violation;
use crate::observe::fact::Fact;
use crate::observe::holdings::Holdings;
use crate::observe::{ObserverConfig, Observers, Probe};
use crate::services::kinesis::Stream;
use crate::world::{Event, World};

/// Events between two looks at faults and limits.
const STRIDE: u64 = 16_384;

/// When the ledgers are compared with what components hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checks {
    /// After every event: for tests.
    EveryEvent,
    /// At the end of each period of simulated time, and at the end of the run.
    Every(SimDuration),
}

/// How a session goes about a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionOptions {
    /// Attach observers, and check the ledgers.
    pub observe: bool,
    /// When to check them.
    pub checks: Checks,
    /// Order of simultaneous events.
    pub tie_order: TieOrder,
    /// Most bytes that records may take; the run fails beyond.
    pub memory_limit: u64,
    /// Simulated time between checkpoints; `None`: only the start is kept.
    pub checkpoint_interval: Option<SimDuration>,
    /// Most bytes that checkpoints may take; beyond, older ones are thinned out.
    pub checkpoint_memory: u64,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            observe: true,
            checks: Checks::Every(SimDuration::from_minutes(1)),
            tie_order: TieOrder::Insertion,
            memory_limit: u64::MAX,
            checkpoint_interval: None,
            checkpoint_memory: 256 * 1_024 * 1_024,
        }
    }
}

/// Why a run cannot go on.
#[derive(Clone, PartialEq, Debug)]
pub enum RunError {
    /// The model found a bug of its own.
    Fault {
        /// When.
        at: SimTime,
        /// What.
        fault: Fault,
    },
    /// A ledger does not balance.
    Violation {
        /// When it was found.
        at: SimTime,
        /// Which, with the history of a record.
        violation: Box<Violation>,
    },
    /// Records take more memory than allowed.
    Memory {
        /// When.
        at: SimTime,
        /// Bytes taken.
        used: u64,
        /// Bytes allowed.
        limit: u64,
        /// What takes most of it.
        filled_by: String,
    },
}

impl core::fmt::Display for RunError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use crate::engine::quantity::ByteCount;
        match self {
            Self::Fault { at, fault } => write!(f, "at {at} the model failed: {fault}"),
            Self::Violation { at, violation } => write!(f, "at {at} the books do not balance: {violation}"),
            Self::Memory {
                at,
                used,
                limit,
                filled_by,
            } => write!(
                f,
                "at {at} the run took {} of memory, more than the {} allowed; most of it is {filled_by}",
                ByteCount(*used),
                ByteCount(*limit)
            ),
        }
    }
}
impl core::error::Error for RunError {}

#[derive(Clone)]
struct Checkpoint {
    engine: Engine<World>,
    observers: Option<Observers>,
    next_check: SimTime,
    memory: u64,
}

/// The observers and one more listener.
struct Both<'p>(&'p mut Observers, &'p mut dyn Probe);
impl Probe for Both<'_> {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.0.on(now, fact);
        self.1.on(now, fact);
    }
}

/// A run in progress.
pub struct Session {
    engine: Engine<World>,
    observers: Option<Observers>,
    options: SessionOptions,
    duration: SimDuration,
    interventions: Vec<Intervention>,
    checkpoints: Vec<Checkpoint>,
    next_check: SimTime,
    next_checkpoint: SimTime,
    holdings: Holdings,
    checks: u64,
    /// Some client makes its calls in cohorts, or a stream has many shards. What shards have stored is told once a second.
    tells: bool,
}

impl Session {
    /// A run at its start.
    pub fn new(blueprint: &Blueprint, options: SessionOptions) -> Result<Self, BuildError> {
        let (world, interventions) = World::build(blueprint)?;
        if u16::try_from(interventions.len()).is_err() {
            return Err(BuildError::TooManyCommands);
        }
        let observers = options.observe.then(|| {
            Observers::all(&ObserverConfig {
                names: world.directory.clone(),
                keys: world.keys.clone(),
                blueprint,
                each_record: options.checks == Checks::EveryEvent,
            })
        });
        let mut engine = Engine::new(world, options.tie_order);
        let (world, mut agenda) = engine.outside();
        for (number, intervention) in (0..).zip(&interventions) {
            agenda.schedule_early(intervention.at, Phase::Release, number, Event::Control(number));
        }
        world.start(&mut agenda);
        let mut session = Self {
            engine,
            observers,
            options,
            duration: blueprint.duration,
            interventions,
            checkpoints: Vec::new(),
            next_check: SimTime::ZERO,
            next_checkpoint: SimTime::ZERO,
            holdings: Holdings::default(),
            checks: 0,
            tells: false,
        };
        session.tells = blueprint.producers.iter().any(ProducerBlueprint::uses_call_window)
            || session.world().streams().iter().any(Stream::sums_up);
        session.next_check = session.check_after(SimTime::ZERO);
        session.keep_checkpoint();
        Ok(session)
    }

    /// The clock.
    pub const fn now(&self) -> SimTime {
        self.engine.now()
    }
    /// The end of the run.
    pub const fn end(&self) -> SimTime {
        SimTime::ZERO.saturating_add(self.duration)
    }
    /// Events handled so far.
    pub const fn events(&self) -> u64 {
        self.engine.events()
    }
    /// The trajectory so far: every event, what moved, and the draws on every random stream.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut fingerprint = self.engine.fingerprint();
        for draws in self.world().draws() {
            fingerprint.mix(draws);
        }
        fingerprint
    }
    /// The world.
    pub const fn world(&self) -> &World {
        &self.engine.model
    }
    /// The observers, if any are attached.
    pub const fn observers(&self) -> Option<&Observers> {
        self.observers.as_ref()
    }
    /// How often all ledgers were compared.
    pub const fn ledger_checks(&self) -> u64 {
        self.checks
    }
    /// What components held when the ledgers were compared last.
    pub const fn holdings(&self) -> &Holdings {
        &self.holdings
    }
    /// Every dated change of the run so far, those of the scenario and those applied since, in order of time.
    pub fn interventions(&self) -> Vec<&Intervention> {
        let mut all: Vec<&Intervention> = self.interventions.iter().collect();
        all.sort_by_key(|intervention| intervention.at);
        all
    }

    /// Goes forward to `until`, or to the end of the run if that comes first, handling `budget` events at most.
    pub fn advance(&mut self, until: SimTime, budget: u64) -> Result<Stop, RunError> {
        self.advance_watched(until, budget, None)
    }

    /// As [`Self::advance`], with one more listener. It changes nothing.
    pub fn advance_watched(
        &mut self,
        until: SimTime,
        budget: u64,
        mut listener: Option<&mut dyn Probe>,
    ) -> Result<Stop, RunError> {
        let until = until.min(self.end());
        let mut left = budget;
        loop {
            let goal = until
                .min(self.next_check)
                .min(self.next_checkpoint)
                .min(self.next_telling());
            let stride = match (self.observers.is_some(), self.options.checks) {
                (true, Checks::EveryEvent) => 1,
                (true, Checks::Every(_)) | (false, _) => STRIDE,
            };
            let before = self.engine.events();
            let mut both;
            let mut watch: Option<&mut dyn Probe> = match (&mut self.observers, listener.as_deref_mut()) {
                (Some(observers), Some(listener)) => {
                    both = Both(observers, listener);
                    Some(&mut both)
                }
                (Some(observers), None) => Some(observers),
                (None, Some(listener)) => Some(listener),
                (None, None) => None,
            };
            let stop = self.engine.run_until(goal, stride.min(left), &mut watch);
            left -= self.engine.events() - before;
            self.tell();
            self.look_for_faults()?;
            if stop == Stop::Reached || stride == 1 {
                self.at_boundary(goal, stop)?;
            }
            if stop == Stop::Reached && goal >= until {
                return Ok(Stop::Reached);
            }
            if left == 0 {
                return Ok(Stop::Budget);
            }
        }
    }

    /// The last instant of the second that is in progress or about to begin, if what is stored in it has to be told then.
    fn next_telling(&self) -> SimTime {
        let second = SimDuration::SECOND.as_nanos();
        let next = self.now().as_nanos() + 1;
        if self.tells && self.observers.is_some() {
            SimTime::from_nanos((next / second + 1) * second - 1)
        } else {
            SimTime::NEVER
        }
    }
    /// Lets the observers know what shards have stored and nobody has told them.
    fn tell(&mut self) {
        if let (true, Some(observers)) = (self.tells, &mut self.observers) {
            let now = self.engine.now();
            self.engine.model.tell(|fact| observers.on(now, fact));
        }
    }

    /// Checks the ledgers and keeps a checkpoint where these are due.
    fn at_boundary(&mut self, goal: SimTime, stop: Stop) -> Result<(), RunError> {
        let reached = stop == Stop::Reached;
        if self.options.checks == Checks::EveryEvent
            || (reached && goal >= self.next_check)
            || (reached && goal >= self.end())
        {
            self.check_ledgers()?;
            self.check_memory()?;
        }
        if reached && goal >= self.next_check {
            self.next_check = self.check_after(goal);
        }
        if reached && goal >= self.next_checkpoint {
            self.keep_checkpoint();
        }
        Ok(())
    }

    fn check_after(&self, at: SimTime) -> SimTime {
        match self.options.checks {
            Checks::Every(period) => at.saturating_add(period.max(SimDuration::MIN)),
            Checks::EveryEvent => SimTime::NEVER,
        }
    }

    /// Compares every ledger with what components hold now.
    pub fn check_ledgers(&mut self) -> Result<(), RunError> {
        let at = self.engine.now();
        let Some(observers) = &mut self.observers else {
            return Ok(());
        };
        self.engine.model.holdings(at, &mut self.holdings);
        self.checks += 1;
        let balance = if at >= SimTime::ZERO.saturating_add(self.duration) {
            observers.finish(&self.holdings, at)
        } else {
            observers.check(&self.holdings, at)
        };
        balance.map_err(|violation| RunError::Violation { at, violation })
    }

    fn look_for_faults(&mut self) -> Result<(), RunError> {
        match self.engine.model.fault.take() {
            Some(fault) => Err(RunError::Fault {
                at: self.engine.now(),
                fault,
            }),
            None => Ok(()),
        }
    }

    fn check_memory(&self) -> Result<(), RunError> {
        let (used, limit) = (self.world().memory(), self.options.memory_limit);
        if used <= limit {
            return Ok(());
        }
        let largest = self
            .world()
            .streams()
            .iter_enumerated()
            .max_by_key(|(_, stream)| stream.memory());
        let filled_by = match largest {
            Some((id, stream)) if stream.memory() * 2 >= used => {
                format!(
                    "records that stream.{} retains for its readers",
                    self.world().directory().streams[id].name
                )
            }
            _ => "records in flight and waiting in clients".to_owned(),
        };
        Err(RunError::Memory {
            at: self.now(),
            used,
            limit,
            filled_by,
        })
    }

    /// Applies a command at the next instant, and returns that instant. It is part of the run from now on: seeking back
    /// and forward again meets it at the same time.
    pub fn apply(&mut self, command: Command) -> Result<SimTime, BuildError> {
        if !command.has_target(self.world().directory()) {
            return Err(BuildError::Target(command.target()));
        }
        let at = self.now() + SimDuration::MIN;
        // Commands that lie ahead keep their numbers: they were scheduled with them.
        let number = u16::try_from(self.engine.model.commands.len()).map_err(|_| BuildError::TooManyCommands)?;
        self.engine.model.commands.push(command.clone());
        self.engine
            .outside()
            .1
            .schedule_early(at, Phase::Release, number, Event::Control(number));
        self.interventions.push(Intervention { at, command });
        // What was kept of a later time took another course.
        let now = self.now();
        self.checkpoints.retain(|checkpoint| checkpoint.engine.now() <= now);
        self.next_checkpoint = self.checkpoint_after(now);
        Ok(at)
    }

    /// Goes to an instant, forward or back.
    pub fn seek(&mut self, to: SimTime) -> Result<(), RunError> {
        let to = to.min(self.end());
        if to < self.now() {
            let nearest = self
                .checkpoints
                .iter()
                .rposition(|checkpoint| checkpoint.engine.now() <= to)
                .unwrap_or(0);
            let Checkpoint {
                engine,
                observers,
                next_check,
                ..
            } = self.checkpoints[nearest].clone();
            self.engine = engine;
            self.observers = observers;
            self.next_check = next_check;
            self.replay_commands();
        }
        self.advance(to, u64::MAX).map(|_| ())
    }

    /// Commands applied after the restored instant are scheduled again.
    fn replay_commands(&mut self) {
        let known = self.engine.model.commands.len();
        for (number, intervention) in self.interventions.iter().enumerate().skip(known) {
            let Ok(number) = u16::try_from(number) else { return };
            self.engine.model.commands.push(intervention.command.clone());
            self.engine
                .outside()
                .1
                .schedule_early(intervention.at, Phase::Release, number, Event::Control(number));
        }
    }

    fn checkpoint_after(&self, at: SimTime) -> SimTime {
        let interval = self.options.checkpoint_interval;
        interval.map_or(SimTime::NEVER, |interval| {
            at.saturating_add(interval.max(SimDuration::MIN))
        })
    }

    fn keep_checkpoint(&mut self) {
        let now = self.now();
        self.next_checkpoint = self.checkpoint_after(now);
        if self.checkpoints.last().is_some_and(|last| last.engine.now() >= now) {
            return;
        }
        let memory = self.world().memory() + self.observers_memory();
        let (engine, observers, next_check) = (self.engine.clone(), self.observers.clone(), self.next_check);
        self.checkpoints.push(Checkpoint {
            engine,
            observers,
            next_check,
            memory,
        });
        while self.checkpoints.len() > 2
            && self.checkpoints.iter().map(|kept| kept.memory).sum::<u64>() > self.options.checkpoint_memory
        {
            self.thin_checkpoints();
        }
    }

    /// About what the observers take: they keep something for each key, each shard and each function.
    fn observers_memory(&self) -> u64 {
        const PER_KEY: usize = 64;
        const PER_SHARD: usize = 2_048;
        let shards: usize = self.world().streams().iter().map(|stream| stream.shards().len()).sum();
        let bytes = self.world().keys().entries().len() * PER_KEY + shards * PER_SHARD;
        self.observers.as_ref().map_or(0, |observers| {
            u64::try_from(bytes).unwrap_or(u64::MAX) + observers.distributions_memory()
        })
    }

    /// Gives up the checkpoint whose loss costs least: dense near now, sparse far away. The start is always kept.
    fn thin_checkpoints(&mut self) {
        let now = self.now();
        let at = |index: usize| self.checkpoints[index].engine.now();
        let cost = |&index: &usize| {
            let gap = at(index + 1).since(at(index - 1)).as_nanos();
            let age = now.since(at(index)).as_nanos().max(1);
            // Ratio of gap to age in thousandths.
            u128::from(gap) * 1_000 / u128::from(age)
        };
        if let Some(victim) = (1..self.checkpoints.len() - 1).min_by_key(cost) {
            self.checkpoints.remove(victim);
        }
    }
}
