//! Who gets which lease. In 1.x and 2.x each worker takes and steals for itself, in 3.x an elected leader assigns.

pub(super) mod leader;
mod taking;

use super::{Application, Event, wake};
use crate::blueprint::KclVersion;
use crate::context::Cx;
use crate::ids::{ApplicationId, ShardIndex};
use crate::observe::fact::{ApplicationChange, Fact, LeaseTaking};

impl Application {
    /// A worker's round: it scans and takes, or, if it leads, assigns.
    pub(super) fn assign(&mut self, me: ApplicationId, number: u16, cx: &mut Cx<'_, '_>) {
        let period = match self.version {
            KclVersion::One | KclVersion::Two => {
                self.take_leases(me, number, cx);
                self.timing.taking
            }
            KclVersion::Three => {
                self.lead(number, cx);
                self.timing.assignment
            }
        };
        wake(me, Event::Assign { worker: number }, cx.now() + period, cx);
    }

    /// A worker becomes the owner of a lease: one conditional write.
    fn own(&mut self, number: u16, shard: u32, how: LeaseTaking, cx: &mut Cx<'_, '_>) {
        let Some(lease) = self.table.get_mut(shard) else { return };
        let how = if lease.unused { LeaseTaking::New } else { how };
        lease.give(number);
        let reader = self.reader;
        cx.emit(|| Fact::ApplicationChanged {
            reader,
            change: ApplicationChange::LeaseTaken {
                shard: ShardIndex(shard),
                worker: number,
                how,
            },
        });
        self.use_table(0, 1, cx);
    }
}
