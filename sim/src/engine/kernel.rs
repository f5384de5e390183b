//! The event loop: generic, and as small as that.

use super::calendar::{Calendar, TieOrder};
use super::fingerprint::Fingerprint;
use super::phase::Phase;
use super::time::{SimDuration, SimTime};

/// A closed world that reacts to events.
pub trait Model {
    /// A small value; one enum over everything that can happen.
    type Event: Copy;
    /// What may look on while the model runs. It is lent for each step and is never part of the model.
    type Watch<'w>;
    /// The event's kind and target as a number, for the fingerprint.
    fn tag(event: &Self::Event) -> u64;
    /// Reacts to one event.
    fn handle(&mut self, event: Self::Event, agenda: &mut Agenda<'_, Self::Event>, watch: &mut Self::Watch<'_>);
}

/// What a handler may do with time: read it, schedule after it, and mix what it moved into the fingerprint.
#[derive(Debug)]
pub struct Agenda<'a, E> {
    calendar: &'a mut Calendar<E>,
    fingerprint: &'a mut Fingerprint,
    now: SimTime,
    phase: Phase,
}

impl<'a, E: Copy> Agenda<'a, E> {
    /// An agenda at the given instant and phase.
    #[inline]
    pub(crate) const fn new(
        calendar: &'a mut Calendar<E>,
        fingerprint: &'a mut Fingerprint,
        now: SimTime,
        phase: Phase,
    ) -> Self {
        Self {
            calendar,
            fingerprint,
            now,
            phase,
        }
    }
    /// The instant in progress.
    pub const fn now(&self) -> SimTime {
        self.now
    }
    /// Schedules an event. Panics when that lies before the (time, phase) in progress: a bug of the model.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, event: E) {
        assert!(
            (at, phase) >= (self.now, self.phase),
            "an event was scheduled at {at} in phase {phase:?}, before {} in phase {:?}",
            self.now,
            self.phase
        );
        self.calendar.schedule(at, phase, event);
    }
    /// Schedules an event that comes before all others of its time and phase; ranks order such events among themselves.
    pub fn schedule_early(&mut self, at: SimTime, phase: Phase, rank: u16, event: E) {
        assert!(
            (at, phase) >= (self.now, self.phase),
            "an event was scheduled in the past"
        );
        self.calendar.schedule_early(at, phase, rank, event);
    }
    /// Mixes a word into the fingerprint.
    #[inline]
    pub fn mix(&mut self, word: u64) {
        self.fingerprint.mix(word);
    }
}

/// A model, its pending events and its clock.
#[derive(Clone, Debug)]
pub struct Engine<M: Model> {
    /// The model.
    pub model: M,
    calendar: Calendar<M::Event>,
    fingerprint: Fingerprint,
    now: SimTime,
    phase: Phase,
    events: u64,
}

/// Why `run_until` came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Everything up to the limit has happened; the clock stands at the limit.
    Reached,
    /// The event budget is used up; the clock stands at the last event.
    Budget,
}

impl<M: Model> Engine<M> {
    /// A model at the start of time, with nothing pending.
    pub const fn new(model: M, order: TieOrder) -> Self {
        Self {
            model,
            calendar: Calendar::new(order),
            fingerprint: Fingerprint::new(),
            now: SimTime::ZERO,
            phase: Phase::Release,
            events: 0,
        }
    }
    /// The clock.
    pub const fn now(&self) -> SimTime {
        self.now
    }
    /// Events handled so far.
    pub const fn events(&self) -> u64 {
        self.events
    }
    /// Events pending.
    pub fn pending(&self) -> usize {
        self.calendar.len()
    }
    /// The trajectory so far.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
    /// The model together with its agenda, to start it or to apply a command between events.
    pub fn outside(&mut self) -> (&mut M, Agenda<'_, M::Event>) {
        let agenda = Agenda::new(&mut self.calendar, &mut self.fingerprint, self.now, self.phase);
        (&mut self.model, agenda)
    }
    /// When the next event is due.
    pub fn next_at(&mut self) -> Option<SimTime> {
        self.calendar.peek().map(|(at, _)| at)
    }

    /// Handles one event if one is due at or before `until`.
    #[inline]
    pub fn step(&mut self, until: SimTime, watch: &mut M::Watch<'_>) -> bool {
        let Some(due) = self.calendar.pop_until(until) else {
            return false;
        };
        self.now = due.at;
        self.phase = due.phase;
        self.events += 1;
        // A metric period exists only while someone observes, so it leaves no trace.
        if due.phase != Phase::Observe {
            self.fingerprint.event(due.at, due.phase, M::tag(&due.event));
        }
        let mut agenda = Agenda::new(&mut self.calendar, &mut self.fingerprint, due.at, due.phase);
        self.model.handle(due.event, &mut agenda, watch);
        true
    }

    /// Handles every event due at or before `until`, `budget` of them at most.
    pub fn run_until(&mut self, until: SimTime, budget: u64, watch: &mut M::Watch<'_>) -> Stop {
        let mut left = budget;
        while left > 0 {
            if !self.step(until, watch) {
                if until > self.now && until != SimTime::NEVER {
                    self.now = until;
                    self.phase = Phase::Observe;
                }
                return Stop::Reached;
            }
            left -= 1;
        }
        Stop::Budget
    }

    /// Moves the clock to `at` without handling anything. Panics if an event is due before it.
    pub fn advance_clock(&mut self, at: SimTime) {
        assert!(
            self.next_at().is_none_or(|next| next >= at),
            "an event is due before {at}"
        );
        if at > self.now {
            self.now = at;
            self.phase = Phase::Release;
        }
    }
}

/// The least time between cause and effect of two components.
pub const LEAST_DELAY: SimDuration = SimDuration::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Ticker {
        period: u64,
        ticks: u64,
        backwards: bool,
    }
    impl Model for Ticker {
        type Event = ();
        type Watch<'w> = Vec<u64>;
        fn tag((): &()) -> u64 {
            7
        }
        fn handle(&mut self, (): (), agenda: &mut Agenda<'_, ()>, seen: &mut Vec<u64>) {
            self.ticks += 1;
            seen.push(agenda.now().as_nanos());
            if self.backwards {
                agenda.schedule(agenda.now(), Phase::Release, ());
            }
            agenda.schedule(agenda.now() + SimDuration::from_nanos(self.period), Phase::Act, ());
        }
    }
    fn ticker(period: u64) -> Engine<Ticker> {
        let mut engine = Engine::new(
            Ticker {
                period,
                ticks: 0,
                backwards: false,
            },
            TieOrder::Insertion,
        );
        engine.outside().1.schedule(SimTime::ZERO, Phase::Act, ());
        engine
    }

    #[test]
    fn a_run_in_pieces_is_the_run_in_one() {
        let (mut whole, mut parts) = (ticker(10), ticker(10));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        assert_eq!(
            whole.run_until(SimTime::from_nanos(1_000), u64::MAX, &mut a),
            Stop::Reached
        );
        assert_eq!(
            parts.run_until(SimTime::from_nanos(333), u64::MAX, &mut b),
            Stop::Reached
        );
        assert_eq!(parts.now(), SimTime::from_nanos(333));
        assert_eq!(parts.run_until(SimTime::from_nanos(1_000), 5, &mut b), Stop::Budget);
        assert_eq!(
            parts.run_until(SimTime::from_nanos(1_000), u64::MAX, &mut b),
            Stop::Reached
        );
        assert_eq!(
            (whole.fingerprint(), whole.events(), a.len()),
            (parts.fingerprint(), parts.events(), 101)
        );
        assert_eq!(a, b);
    }

    #[test]
    fn one_nanosecond_changes_the_fingerprint() {
        let (mut a, mut b) = (ticker(10), ticker(11));
        a.run_until(SimTime::from_nanos(10), u64::MAX, &mut Vec::new());
        b.run_until(SimTime::from_nanos(11), u64::MAX, &mut Vec::new());
        assert_eq!(a.events(), b.events());
        assert_ne!(a.fingerprint(), b.fingerprint());
    }

    #[test]
    #[should_panic(expected = "before")]
    fn scheduling_before_the_phase_in_progress_is_a_bug() {
        let mut engine = ticker(10);
        engine.model.backwards = true;
        engine.run_until(SimTime::from_nanos(10), u64::MAX, &mut Vec::new());
    }
}
