//! 1.x and 2.x: each worker scans the table and takes leases up to its fair share.

use super::super::Application;
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::ids::ApplicationId;
use crate::observe::fact::LeaseTaking;
use std::collections::BTreeMap;

/// Leases that each worker should have (KDS-KCL-09).
pub(super) fn target(leases: u32, workers: u32, most: u32) -> u32 {
    let fair = if workers >= leases {
        1
    } else {
        leases.div_ceil(workers.max(1))
    };
    fair.min(most)
}

/// How many leases to take from the most loaded worker, which has `load`: what it has above the target, and one if two or
/// more are missing and it is exactly at the target (KDS-KCL-10).
pub(super) fn to_steal(missing: u32, load: u32, target: u32, at_one_time: u32) -> u32 {
    let above = load.saturating_sub(target);
    let wanted = missing.min(above);
    let wanted = if wanted == 0 && missing > 1 && load >= target {
        1
    } else {
        wanted
    };
    wanted.min(at_one_time)
}

impl Application {
    /// One round of a worker.
    pub(super) fn take_leases(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if self.worker(number).stopping {
            return;
        }
        self.use_table(self.table.rows(), 0, cx);
        let mut sight = core::mem::take(&mut self.worker(number).sight);
        sight.scan(&self.table, now);
        let (failover, priority) = (self.timing.failover, self.timing.priority);
        let unchanged = |limit| -> Vec<u32> {
            let open = self.table.open();
            let expired = open.filter(|(shard, lease)| sight.is_expired(*shard, lease, now, limit));
            expired.map(|(shard, _)| shard).collect()
        };
        let (expired, neglected) = (unchanged(failover), unchanged(priority));
        let mine = self.table.owned_by(number);
        let most = self.settings.max_leases_for_worker;
        // Those without an owner are no neglect: they are new.
        let neglected: Vec<u32> = neglected
            .into_iter()
            .filter(|shard| self.table.get(*shard).is_some_and(|lease| lease.owner.is_some()))
            .collect();
        let taken = if self.settings.priority_lease_assignment && !neglected.is_empty() {
            let room = most.saturating_sub(mine);
            self.pick(neglected, room)
        } else {
            let loads = self.loads(number, &expired);
            let target = target(to_u32(self.table.open().count()), to_u32(loads.len()), most);
            let missing = target.saturating_sub(mine);
            if missing == 0 {
                Vec::new()
            } else if expired.is_empty() {
                self.worker(number).sight = sight;
                return self.steal(me, number, (missing, target), &loads, cx);
            } else {
                self.pick(expired, missing)
            }
        };
        self.worker(number).sight = sight;
        for shard in taken {
            self.take(me, number, shard, LeaseTaking::Expired, cx);
        }
    }

    /// By worker: leases that are not expired. A worker without any counts only if it is this one.
    fn loads(&self, number: u16, expired: &[u32]) -> BTreeMap<u16, u32> {
        let mut loads = BTreeMap::from([(number, 0)]);
        for (shard, lease) in self.table.open() {
            if let Some(owner) = lease.owner
                && !expired.contains(&shard)
            {
                *loads.entry(owner).or_insert(0) += 1;
            }
        }
        loads
    }

    fn steal(
        &mut self,
        me: ApplicationId,
        number: u16,
        (missing, target): (u32, u32),
        loads: &BTreeMap<u16, u32>,
        cx: &mut Cx<'_, '_>,
    ) {
        let others = loads.iter().filter(|(worker, _)| **worker != number);
        let Some((&victim, &load)) = others.max_by_key(|(worker, load)| (**load, core::cmp::Reverse(**worker))) else {
            return;
        };
        let count = to_steal(missing, load, target, self.settings.max_leases_to_steal_at_one_time);
        let open = self.table.open();
        let theirs: Vec<u32> = open
            .filter(|(_, lease)| lease.owner == Some(victim))
            .map(|(shard, _)| shard)
            .collect();
        for shard in self.pick(theirs, count) {
            self.take(me, number, shard, LeaseTaking::Moved, cx);
        }
    }

    fn take(&mut self, me: ApplicationId, number: u16, shard: u32, how: LeaseTaking, cx: &mut Cx<'_, '_>) {
        // One that it had lost without knowing: its record processor is that of an earlier tenure.
        self.lose(me, number, shard, cx);
        self.own(number, shard, how, cx);
        if let Some(counter) = self.table.get(shard).map(|lease| lease.counter) {
            self.worker(number).held.insert(shard, counter);
        }
    }

    /// Some of the shards, at random, so that workers do not all reach for the same.
    fn pick(&mut self, mut shards: Vec<u32>, count: u32) -> Vec<u32> {
        let count = to_usize(count).min(shards.len());
        for place in 0..count {
            let rest = u64::from(to_u32(shards.len() - place));
            let other = place + usize::try_from(self.choice.below(rest)).unwrap_or(0);
            shards.swap(place, other);
        }
        shards.truncate(count);
        shards
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lease::Checkpoint;
    use super::super::super::worker::Worker;
    use super::super::super::{Application, ApplicationSetting};
    use super::*;
    use crate::blueprint::{InitialPosition, KclVersion};
    use crate::engine::random::RandomStreams;
    use crate::engine::time::SimTime;
    use crate::ids::{ProcessorId, ReaderId, StreamId};
    use crate::services::application::tests::application;
    use crate::testing::blueprints::model;
    use crate::testing::harness::Harness;

    /// Worker 0 of three has its fair share of four leases; that of worker 2 has not been renewed for so many seconds.
    fn owner_of_a_neglected_lease(priority: bool, seconds: u64) -> Option<u16> {
        let mut blueprint = application(KclVersion::Two, 1);
        blueprint.settings.priority_lease_assignment = priority;
        let setting = ApplicationSetting {
            model: &model(),
            stream: StreamId(0),
            reader: ReaderId(0),
            processor: ProcessorId(0),
            sink: None,
        };
        let mut audit = Application::new(&blueprint, setting, &mut RandomStreams::new(7, 0)).expect("it is valid");
        audit.workers.push(Worker::new(SimTime::ZERO));
        for (shard, owner) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
            audit
                .table
                .create(shard, Checkpoint::Initial(InitialPosition::TrimHorizon), [None; 2]);
            audit.table.get_mut(shard).expect("it is there").give(owner);
        }
        let mut sight = core::mem::take(&mut audit.worker(0).sight);
        sight.scan(&audit.table, SimTime::ZERO);
        audit.worker(0).sight = sight;
        let mut harness = Harness::new((ApplicationId(0), audit));
        harness.run_until(SimTime::from_secs(seconds));
        harness.apply(|(me, audit), cx| {
            for shard in 0..3 {
                audit.table.get_mut(shard).expect("it is there").counter += 1;
            }
            audit.take_leases(*me, 0, cx);
        });
        harness.component.1.owner_of(crate::ids::ShardIndex(3))
    }

    #[test]
    fn kds_kcl_11_a_lease_neglected_for_three_failover_times_is_taken_whatever_the_target() {
        assert_eq!(owner_of_a_neglected_lease(true, 29), Some(2), "worker 0 has its share");
        assert_eq!(owner_of_a_neglected_lease(true, 31), Some(0));
        assert_eq!(owner_of_a_neglected_lease(false, 31), Some(2), "switched off");
    }

    #[test]
    fn kds_kcl_09_the_target_is_a_fair_share() {
        assert_eq!(target(4, 4, 100), 1);
        assert_eq!(target(4, 8, 100), 1);
        assert_eq!(target(10, 4, 100), 3);
        assert_eq!(target(10, 4, 2), 2, "maxLeasesForWorker");
    }

    #[test]
    fn kds_kcl_10_stealing_takes_little_at_a_time() {
        assert_eq!(to_steal(3, 8, 4, 1), 1);
        assert_eq!(to_steal(3, 8, 4, 10), 3);
        assert_eq!(to_steal(3, 5, 4, 10), 1, "no more than is above the target");
        assert_eq!(to_steal(1, 4, 4, 10), 0, "one is missing and none is above");
        assert_eq!(to_steal(2, 4, 4, 10), 1, "two are missing");
    }
}
