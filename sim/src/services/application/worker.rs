//! A worker: how it starts, what it does all the time, how it stands still, stops and dies.

use super::consumer::{Consumer, Stage, Standing};
use super::lease::{Checkpoint, Sight};
use super::timing::{DISPATCH_INTERVAL, HEARTBEAT_INTERVAL};
use super::{Application, Event, count, wake};
use crate::batch::{BatchId, Envelope, ListCall, Lister, ShardFilter};
use crate::blueprint::{InitialPosition, KclVersion};
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ShardIndex};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::services::kinesis;
use crate::world;
use std::collections::BTreeMap;

/// A worker.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) alive: bool,
    /// It was asked to stop, finishes the batches in hand and checkpoints.
    pub(super) stopping: bool,
    /// It stands still until then.
    pub(super) paused_until: SimTime,
    /// What it knows of the lease table.
    pub(super) sight: Sight,
    /// What it knows of the leader's lock: its counter, and since when.
    pub(super) lock_seen: (u64, SimTime),
    /// When it last wrote its metrics (3.x).
    pub(super) metrics_at: SimTime,
    /// The leases that it believes to own, with the counter of its last renewal.
    pub(super) held: BTreeMap<u32, u64>,
    /// Its record processors, by shard. One may outlive its lease.
    pub(super) consumers: BTreeMap<u32, Consumer>,
    /// Runs of the leader's assignment so far.
    pub(super) runs: u32,
}

impl Worker {
    pub(super) fn new(now: SimTime) -> Self {
        Self {
            alive: true,
            stopping: false,
            paused_until: SimTime::ZERO,
            sight: Sight::default(),
            lock_seen: (u64::MAX, now),
            metrics_at: now,
            held: BTreeMap::new(),
            consumers: BTreeMap::new(),
            runs: 0,
        }
    }
    pub(super) fn memory(&self) -> u64 {
        self.consumers.values().map(Consumer::memory).sum()
    }
}

/// How a deployment goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Rollout {
    /// From the stop of a worker to the start of its successor.
    takes: SimDuration,
    /// Workers are asked to stop, and checkpoint.
    graceful: bool,
}

impl Application {
    /// A worker starts. The first one to find the lease table empty has it filled (KDS-KCL-45).
    pub(super) fn join(&mut self, me: ApplicationId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let Ok(worker) = u16::try_from(self.workers.len()) else {
            return;
        };
        self.workers.push(Worker::new(now));
        if self.table.is_empty() {
            // It begins to work when the leases are there.
            if !self.listing {
                self.list_shards(me, cx);
            }
            return;
        }
        self.set_to_work(me, worker, cx);
    }

    /// Asks for the shards with which the application begins (KDS-KCL-45).
    fn list_shards(&mut self, me: ApplicationId, cx: &mut Cx<'_, '_>) {
        self.listing = true;
        let filter = match self.initial {
            InitialPosition::TrimHorizon => ShardFilter::AtTrimHorizon,
            InitialPosition::Latest => ShardFilter::AtLatest,
            InitialPosition::AtTimestamp(at) => ShardFilter::AtTimestamp(at),
        };
        let mut batch = cx.fresh();
        batch.envelope = Envelope::List(ListCall {
            lister: Lister::Application(me),
            filter,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::ListReceived { batch })
        });
    }

    /// The lease table is filled, and the workers that waited for it begin.
    pub(super) fn shards_listed(&mut self, me: ApplicationId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let mut written = 0;
        for listed in &batch.child_shards {
            let parents = listed.parents.map(|parent| parent.map(|parent| parent.0));
            written += u32::from(
                self.table
                    .create(listed.shard.0, Checkpoint::Initial(self.initial), parents),
            );
        }
        cx.recycle(batch);
        self.use_table(0, written, cx);
        for worker in 0..u16::try_from(self.workers.len()).unwrap_or(u16::MAX) {
            if self.worker(worker).alive {
                self.set_to_work(me, worker, cx);
            }
        }
    }

    fn set_to_work(&mut self, me: ApplicationId, worker: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        // Nothing happens at the same instant: each worker's first round comes one step later.
        let soon = now + SimDuration::MIN;
        wake(me, Event::Renew { worker }, soon, cx);
        wake(me, Event::Assign { worker }, soon, cx);
        wake(me, Event::Dispatch { worker }, now + DISPATCH_INTERVAL, cx);
        if self.version == KclVersion::Three {
            self.use_table(0, 1, cx);
            wake(me, Event::Discover { worker }, soon, cx);
            wake(me, Event::Heartbeat { worker }, now + HEARTBEAT_INTERVAL, cx);
        }
    }

    /// Renews every lease by a conditional write; one that somebody else has got is lost (KDS-KCL-06).
    pub(super) fn renew(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let period = self.timing.renewal;
        let held: Vec<(u32, u64)> = self
            .worker(number)
            .held
            .iter()
            .map(|(&shard, &seen)| (shard, seen))
            .collect();
        let writes = to_u32(held.len());
        for (shard, seen) in held {
            let throughput = self.measured(number, shard, period);
            let renewed = self.table.get_mut(shard).and_then(|lease| {
                let mine = lease.owner == Some(number) && lease.counter == seen && lease.handing_over.is_none();
                mine.then(|| {
                    lease.counter += 1;
                    // Half of what it was, half of what it is: a lease's load is no matter of seconds.
                    lease.throughput = lease.throughput.midpoint(throughput);
                    lease.counter
                })
            });
            match renewed {
                Some(counter) => {
                    self.worker(number).held.insert(shard, counter);
                }
                None => self.renewal_refused(me, number, shard, cx),
            }
        }
        self.use_table(0, writes, cx);
        wake(me, Event::Renew { worker: number }, cx.now() + period, cx);
    }

    fn renewal_refused(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let hands_over = self
            .table
            .get(shard)
            .is_some_and(|lease| lease.handing_over.is_some_and(|(old, _)| old == number));
        if !hands_over {
            return self.lose(me, number, shard, cx);
        }
        // The record processor may end its batch and checkpoint before the lease goes (KDS-KCL-17).
        match self.worker(number).consumers.get_mut(&shard) {
            Some(consumer) => {
                consumer.stop();
                self.stop_if_idle(me, number, shard, cx);
            }
            None => self.hand_over(me, number, shard, cx),
        }
    }

    /// The bytes a second that a record processor got since the last renewal.
    fn measured(&mut self, number: u16, shard: u32, period: SimDuration) -> u64 {
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return 0;
        };
        let bytes = core::mem::take(&mut consumer.bytes_fetched);
        bytes.saturating_mul(1_000) / period.as_millis().max(1)
    }

    /// The worker learns that a lease is no longer its own: what waits is dropped, what is processed goes on
    /// (KDS-KCL-33).
    pub(super) fn lose(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        if self.worker(number).held.remove(&shard).is_some() {
            cx.emit(|| Fact::ApplicationChanged {
                reader,
                change: ApplicationChange::LeaseLost {
                    shard: ShardIndex(shard),
                    worker: number,
                },
            });
        }
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        consumer.standing = Standing::Lost;
        for waiting in consumer.drain() {
            cx.recycle(waiting.batch);
        }
        self.retire(me, number, shard, cx);
    }

    /// Removes a record processor that has nothing left to do.
    pub(super) fn retire(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let worker = self.worker(number);
        if worker
            .consumers
            .get(&shard)
            .is_some_and(|consumer| consumer.is_lost() && consumer.is_idle())
        {
            worker.consumers.remove(&shard);
        }
        if worker.stopping && worker.consumers.is_empty() {
            self.die(me, number, cx);
        }
    }

    /// Looks after the leases: new ones get a record processor, blocked ones look for their parents.
    pub(super) fn dispatch(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        if !self.worker(number).stopping {
            let held: Vec<u32> = self.worker(number).held.keys().copied().collect();
            for shard in held {
                self.tend(me, number, shard, cx);
            }
        }
        self.clean_up(number, cx);
        wake(me, Event::Dispatch { worker: number }, cx.now() + DISPATCH_INTERVAL, cx);
    }

    fn tend(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if !self.worker(number).consumers.contains_key(&shard) {
            self.tenures = self.tenures.wrapping_add(1);
            let consumer = Consumer::new(self.tenures, now);
            self.worker(number).consumers.insert(shard, consumer);
        }
        let Some(consumer) = self.worker(number).consumers.get(&shard) else {
            return;
        };
        if let Stage::Blocked { look_at } = consumer.stage
            && look_at <= now
            && !consumer.is_lost()
        {
            self.begin(me, number, shard, cx);
        }
    }

    pub(super) fn worker(&mut self, number: u16) -> &mut Worker {
        &mut self.workers[usize::from(number)]
    }

    /// The record processor of a worker's tenure, if it lives and the tenure is the present one.
    pub(super) fn consumer(&mut self, number: u16, shard: u32, tenure: u16) -> Option<&mut Consumer> {
        let worker = self.worker(number);
        if !worker.alive {
            return None;
        }
        worker
            .consumers
            .get_mut(&shard)
            .filter(|consumer| consumer.tenure == tenure)
    }

    /// A worker dies: whatever it holds in memory is gone, and its leases stay with it until they expire.
    pub(super) fn die(&mut self, _me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        let worker = self.worker(number);
        worker.alive = false;
        worker.held.clear();
        for (shard, mut consumer) in core::mem::take(&mut worker.consumers) {
            for waiting in consumer.drain() {
                cx.recycle(waiting.batch);
            }
            if let Some(work) = consumer.work
                && let Some(mut batch) = work.batch
            {
                self.put_together((shard, consumer.tenure), &mut batch);
                cx.emit(|| Fact::ApplicationChanged {
                    reader,
                    change: ApplicationChange::BatchAbandoned {
                        shard: ShardIndex(shard),
                        first_position: work.passage.first_position,
                        records: to_u32(batch.records.len()),
                    },
                });
                debug_assert_eq!(work.records, count(batch.records.len()));
                cx.recycle(batch);
            }
        }
    }

    /// The living worker with this number, or, without one, the one with most leases.
    fn chosen(&self, worker: Option<u16>) -> Option<u16> {
        let living = |number: &u16| {
            self.workers
                .get(usize::from(*number))
                .is_some_and(|worker| worker.alive)
        };
        match worker {
            Some(number) => Some(number).filter(living),
            None => (0..u16::try_from(self.workers.len()).unwrap_or(u16::MAX))
                .filter(living)
                .max_by_key(|number| (self.table.owned_by(*number), core::cmp::Reverse(*number))),
        }
    }

    /// A worker dies at once: the named one, or the one with most leases.
    pub fn kill(&mut self, me: ApplicationId, worker: Option<u16>, cx: &mut Cx<'_, '_>) {
        if let Some(number) = self.chosen(worker) {
            self.die(me, number, cx);
        }
    }
    /// A worker stands still for a while, as in a long garbage collection: the named one, or the one with most leases.
    pub fn pause(&mut self, worker: Option<u16>, lasts: SimDuration, cx: &mut Cx<'_, '_>) {
        if let Some(number) = self.chosen(worker) {
            let until = cx.now().saturating_add(lasts);
            let worker = self.worker(number);
            worker.paused_until = worker.paused_until.max(until);
        }
    }
    /// New workers start.
    pub fn add_workers(&mut self, me: ApplicationId, workers: u32, cx: &mut Cx<'_, '_>) {
        for _ in 0..workers {
            self.join(me, cx);
        }
    }
    /// Replaces all living workers one after the other, each `every` after the one before.
    pub fn deploy(
        &mut self,
        me: ApplicationId,
        every: SimDuration,
        takes: SimDuration,
        graceful: bool,
        cx: &mut Cx<'_, '_>,
    ) {
        self.rollout = Rollout { takes, graceful };
        let mut at = cx.now() + SimDuration::MIN;
        for (number, worker) in (0..).zip(&self.workers) {
            if worker.alive {
                wake(me, Event::Replace { worker: number }, at, cx);
                at = at.saturating_add(every);
            }
        }
    }

    pub(super) fn replace(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        if !self.worker(number).alive {
            return;
        }
        wake(me, Event::Join, cx.now() + self.rollout.takes.max(SimDuration::MIN), cx);
        if !self.rollout.graceful {
            return self.die(me, number, cx);
        }
        let worker = self.worker(number);
        worker.stopping = true;
        let shards: Vec<u32> = worker.consumers.keys().copied().collect();
        if shards.is_empty() {
            return self.die(me, number, cx);
        }
        for shard in shards {
            if let Some(consumer) = self.worker(number).consumers.get_mut(&shard) {
                consumer.stop();
            }
            self.stop_if_idle(me, number, shard, cx);
        }
    }
}

/// Where a lease of a child shard begins: always at its oldest record (KDS-KCL-26).
pub(super) const CHILD_POSITION: InitialPosition = InitialPosition::TrimHorizon;
