//! What a component may do while it reacts to an event.

use crate::batch::{Batch, BatchId, BatchPool, digest_of_arrivals, digest_of_entries};
use crate::engine::kernel::Agenda;
use crate::engine::phase::Phase;
use crate::engine::pool::PoolError;
use crate::engine::time::{SimDuration, SimTime};
use crate::key::KeyTable;
use crate::observe::Probe;
use crate::observe::fact::Fact;
use crate::record::Record;
use crate::user_records::UserRecords;
use crate::world::Event;

/// The outside of a component: the clock, its own wake-ups, calls and replies, batches, and facts.
///
/// Another component's state is not reachable from here, nor is the world.
pub struct Cx<'a, 'w> {
    pub(crate) agenda: &'a mut Agenda<'w, Event>,
    pub(crate) batches: &'a mut BatchPool,
    pub(crate) user_records: &'a mut UserRecords,
    pub(crate) keys: &'a KeyTable,
    /// Registered consumers of all streams that are in CREATING: the account has a limit of its own (KDS-EFO-03).
    pub(crate) consumers_in_creating: &'a mut u32,
    pub(crate) probe: Option<&'a mut (dyn Probe + 'a)>,
    pub(crate) fault: &'a mut Option<Fault>,
}

/// A bug of the model, found while it ran. It ends the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A batch handle was stale, or too many batches are in flight.
    Pool(PoolError),
    /// A component found its own state to be wrong.
    Broken(String),
}
impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Pool(error) => write!(f, "{error}"),
            Self::Broken(what) => f.write_str(what),
        }
    }
}
impl core::error::Error for Fault {}

impl Cx<'_, '_> {
    /// The instant in progress.
    #[inline]
    pub const fn now(&self) -> SimTime {
        self.agenda.now()
    }
    /// The run's partition keys.
    #[inline]
    pub const fn keys(&self) -> &KeyTable {
        self.keys
    }
    /// Schedules an event of the component's own: a timer (`Act`), an end of service (`Release`).
    #[inline]
    pub fn wake(&mut self, at: SimTime, phase: Phase, event: Event) {
        self.agenda.schedule(at, phase, event);
    }
    /// Sends a call or a reply: it arrives after `delay`, of at least a nanosecond. `to` names the receiver.
    #[inline]
    pub fn send(&mut self, batch: Box<Batch>, delay: SimDuration, to: impl FnOnce(BatchId) -> Event) {
        let moved = u64::from(crate::engine::index::to_u32(batch.records.len()));
        self.agenda.mix(moved << 40 ^ batch.bytes);
        match self.batches.insert(batch) {
            Ok(id) => self
                .agenda
                .schedule(self.now() + delay.max(SimDuration::MIN), Phase::Arrive, to(id)),
            Err(error) => self.fail(Fault::Pool(error)),
        }
    }
    /// Keeps a batch under way without sending it, for an event of the component's own.
    #[inline]
    pub fn hold(&mut self, batch: Box<Batch>) -> Option<BatchId> {
        self.batches
            .insert(batch)
            .map_err(|error| self.fail(Fault::Pool(error)))
            .ok()
    }
    /// Takes a batch that has arrived. `None` ends the run: the handle was stale.
    #[inline]
    pub fn take(&mut self, id: BatchId) -> Option<Box<Batch>> {
        self.batches
            .take(id)
            .map_err(|error| self.fail(Fault::Pool(error)))
            .ok()
    }
    /// An empty batch.
    #[inline]
    pub fn fresh(&mut self) -> Box<Batch> {
        self.batches.fresh()
    }
    /// Gives back a batch whose contents are no longer needed.
    #[inline]
    pub fn recycle(&mut self, batch: Box<Batch>) {
        self.batches.recycle(batch);
    }
    /// States a fact. The closure does not run when nobody listens.
    #[inline]
    pub fn emit<'f>(&mut self, fact: impl FnOnce() -> Fact<'f>) {
        if let Some(probe) = self.probe.as_deref_mut() {
            probe.on(self.agenda.now(), &fact());
        }
    }
    /// Whether anybody listens: what only a fact needs is not gathered otherwise.
    #[inline]
    pub const fn is_watched(&self) -> bool {
        self.probe.is_some()
    }
    /// Whether whoever listens is told now and then what shards have stored of cohorts.
    #[inline]
    pub fn takes_sums(&self) -> bool {
        self.probe.as_deref().is_some_and(Probe::takes_sums)
    }
    /// Mixes a word into the fingerprint.
    #[inline]
    pub fn mix(&mut self, word: u64) {
        self.agenda.mix(word);
    }
    /// Mixes the entries of a put and their outcomes into the fingerprint, when their fate is decided. Those that are
    /// stored arrive at the instant in progress, which is part of the fingerprint; a cohort's have arrivals of their own.
    #[inline]
    pub fn mix_entries(&mut self, records: &[Record]) {
        self.agenda.mix(digest_of_entries(records));
    }
    /// Mixes the identity and arrival of stored records into the fingerprint: of a cohort's, and where an effect completes.
    /// In between, count, bytes and positions of what moves stand for them.
    #[inline]
    pub fn mix_arrivals(&mut self, records: &[Record]) {
        self.agenda.mix(digest_of_arrivals(records));
    }
    /// Ends the run with a fault. The first one counts.
    #[cold]
    pub fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}
