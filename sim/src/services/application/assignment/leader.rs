//! 3.x: an elected leader gives every lease to a worker, by load (KDS-KCL-12, KDS-KCL-14).
//!
//! Load is what workers process: their CPU is not simulated, so this is the library's fallback to throughput
//! (KDS-KCL-16), and to the number of leases while nothing has flowed yet.

use super::super::timing::{
    BALANCE_THRESHOLD_PERCENT, DAMPENING_PERCENT, HAND_OVER, HEARTBEAT_INTERVAL, LOCK_LEASE, METRICS_FRESH,
    RUNS_TO_BALANCE,
};
use super::super::{Application, Event, wake};
use crate::context::Cx;
use crate::engine::time::SimTime;
use crate::ids::ApplicationId;
use crate::observe::fact::LeaseTaking;
use std::collections::BTreeMap;

/// The leader's lock, a row like a lease: a counter that its owner raises.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in super::super) struct Lock {
    pub(in super::super) owner: Option<u16>,
    counter: u64,
}

/// What a worker has to do: bytes a second, then leases.
type Load = (u64, u32);

impl Application {
    /// A worker writes its metrics; the leader renews its lock (KDS-KCL-19).
    pub(in super::super) fn heartbeat(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let leads = self.lock.owner == Some(number);
        self.lock.counter += u64::from(leads);
        self.worker(number).metrics_at = now;
        self.use_table(0, 1 + u32::from(leads), cx);
        wake(me, Event::Heartbeat { worker: number }, now + HEARTBEAT_INTERVAL, cx);
    }

    /// Whether the worker leads; it takes a lock that it has seen unchanged for longer than its lease (KDS-KCL-19).
    fn is_leader(&mut self, number: u16, now: SimTime) -> bool {
        let lock = self.lock;
        if lock.owner == Some(number) {
            return true;
        }
        let worker = self.worker(number);
        if lock.owner.is_some() && worker.lock_seen.0 != lock.counter {
            worker.lock_seen = (lock.counter, now);
        }
        let free = lock.owner.is_none() || now.since(worker.lock_seen.1) > LOCK_LEASE;
        if free && !worker.stopping {
            worker.runs = 0;
            self.lock = Lock {
                owner: Some(number),
                counter: lock.counter + 1,
            };
        }
        free
    }

    /// A run of the leader's assignment; of any other worker, a look at the lock.
    pub(super) fn lead(&mut self, number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        self.use_table(1, 0, cx);
        if !self.is_leader(number, now) {
            return;
        }
        self.use_table(self.table.rows(), 0, cx);
        let mut sight = core::mem::take(&mut self.worker(number).sight);
        sight.scan(&self.table, now);
        let mut free: Vec<(SimTime, u32)> = Vec::new();
        for (shard, lease) in self.table.open() {
            // One that is being handed over is nobody's to renew; its new owner takes it when the time is up.
            let handed_over = lease
                .handing_over
                .is_some_and(|(_, since)| now.since(since) <= HAND_OVER);
            if !handed_over && sight.is_expired(shard, lease, now, self.timing.failover) {
                free.push((sight.unchanged_since(shard, lease), shard));
            }
        }
        free.sort_unstable();
        let expired: Vec<u32> = free.iter().map(|&(_, shard)| shard).collect();
        let mut loads = self.worker_loads(&expired, now);
        for shard in expired {
            self.give_away(shard, &mut loads, cx);
        }
        let worker = self.worker(number);
        worker.runs += 1;
        let balances = worker.runs.is_multiple_of(RUNS_TO_BALANCE);
        worker.sight = sight;
        if balances {
            self.balance(&mut loads, cx);
        }
    }

    /// The load of each worker that is there: its metrics are fresh, and none of its leases has expired.
    fn worker_loads(&self, expired: &[u32], now: SimTime) -> BTreeMap<u16, Load> {
        let mut loads: BTreeMap<u16, Load> = (0..)
            .zip(&self.workers)
            .filter(|(_, worker)| now.since(worker.metrics_at) <= METRICS_FRESH && !worker.stopping)
            .map(|(number, _)| (number, (0, 0)))
            .collect();
        for (shard, lease) in self.table.open() {
            let Some(owner) = lease.owner else { continue };
            if expired.contains(&shard) {
                loads.remove(&owner);
            } else if let Some(load) = loads.get_mut(&owner) {
                load.0 += lease.throughput;
                load.1 += 1;
            }
        }
        loads
    }

    /// Gives a free lease to the worker with most headroom.
    fn give_away(&mut self, shard: u32, loads: &mut BTreeMap<u16, Load>, cx: &mut Cx<'_, '_>) {
        let most = self.settings.max_leases_for_worker;
        let able = loads.iter().filter(|(_, load)| load.1 < most);
        let Some(&number) = able
            .min_by_key(|(number, load)| (**load, **number))
            .map(|(number, _)| number)
        else {
            return;
        };
        self.own(number, shard, LeaseTaking::Expired, cx);
        let throughput = self.table.get(shard).map_or(0, |lease| lease.throughput);
        if let Some(load) = loads.get_mut(&number) {
            load.0 += throughput;
            load.1 += 1;
        }
    }

    /// Moves load from workers above the average to those below it (KDS-KCL-15).
    fn balance(&mut self, loads: &mut BTreeMap<u16, Load>, cx: &mut Cx<'_, '_>) {
        let workers = u64::try_from(loads.len()).unwrap_or(u64::MAX).max(1);
        let by_throughput = loads.values().any(|load| load.0 > 0);
        let measure = |load: &Load| if by_throughput { load.0 } else { u64::from(load.1) * 100 };
        let mean = loads.values().map(measure).sum::<u64>() / workers;
        let threshold = mean + mean * BALANCE_THRESHOLD_PERCENT / 100;
        let above = loads.iter().filter(|(_, load)| measure(load) > threshold);
        let above: Vec<u16> = above.map(|(number, _)| *number).collect();
        for from in above {
            let excess = loads.get(&from).map_or(0, measure) - mean;
            let mut to_move = excess * DAMPENING_PERCENT / 100;
            let mut moved = 0;
            let mut theirs: Vec<(u64, u32)> = self
                .table
                .open()
                .filter(|(_, lease)| lease.owner == Some(from) && lease.handing_over.is_none())
                .map(|(shard, lease)| (if by_throughput { lease.throughput } else { 100 }, shard))
                .collect();
            theirs.sort_unstable_by_key(|&(size, shard)| (core::cmp::Reverse(size), shard));
            let last = theirs.len().saturating_sub(1);
            for (place, (size, shard)) in theirs.into_iter().enumerate() {
                let lightest = loads
                    .iter()
                    .min_by_key(|(number, load)| (measure(load), load.1, **number));
                let Some((&to, load)) = lightest else { break };
                // What is to be moved bounds what moves, except that one lease always may; none that only changes sides.
                let fits = size <= to_move || (moved == 0 && place == last);
                let helps = size > 0 && measure(load) + size < loads.get(&from).map_or(0, measure);
                if to == from || !fits || !helps || load.1 >= self.settings.max_leases_for_worker {
                    continue;
                }
                to_move = to_move.saturating_sub(size);
                moved += 1;
                self.move_lease(shard, from, to, cx);
                let throughput = self.table.get(shard).map_or(0, |lease| lease.throughput);
                if let Some(load) = loads.get_mut(&from) {
                    *load = (load.0.saturating_sub(throughput), load.1.saturating_sub(1));
                }
                if let Some(load) = loads.get_mut(&to) {
                    *load = (load.0 + throughput, load.1 + 1);
                }
            }
        }
    }

    fn move_lease(&mut self, shard: u32, from: u16, to: u16, cx: &mut Cx<'_, '_>) {
        self.own(to, shard, LeaseTaking::Moved, cx);
        if self.settings.graceful_lease_handoff
            && let Some(lease) = self.table.get_mut(shard)
        {
            lease.handing_over = Some((from, cx.now()));
        }
    }

    /// A worker looks for leases in its name that it does not hold yet (KDS-KCL-13). One that is being handed over is not
    /// its own yet, unless the old owner has used up its time (KDS-KCL-17).
    pub(in super::super) fn discover(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let mut found: Vec<u32> = Vec::new();
        for (shard, lease) in self.table.open() {
            let free = lease.handing_over.is_none_or(|(_, since)| now.since(since) > HAND_OVER);
            if lease.owner == Some(number) && free {
                found.push(shard);
            }
        }
        self.use_table(self.table.owned_by(number), 0, cx);
        for shard in found {
            if self.worker(number).held.contains_key(&shard) || self.worker(number).stopping {
                continue;
            }
            let Some(lease) = self.table.get_mut(shard) else {
                continue;
            };
            lease.handing_over = None;
            lease.counter += 1;
            let counter = lease.counter;
            self.worker(number).held.insert(shard, counter);
        }
        let period = self.timing.discovery;
        wake(me, Event::Discover { worker: number }, now + period, cx);
    }
}
