//! What a reader will never be done with: records before those that it begins with, records that it gave up, and records
//! that expired.

use super::{Conservation, arrivals, len};
use crate::engine::time::SimTime;
use crate::observe::fact::{ApplicationChange, Fact, MappingChange};

impl Conservation {
    pub(super) fn reading_began(&mut self, fact: &Fact<'_>) {
        if let Fact::ApplicationChanged {
            reader,
            change: ApplicationChange::ReadingBegan { shard, position },
        }
        | Fact::MappingChanged {
            reader,
            change: MappingChange::ReadingBegan { shard, position },
        } = *fact
        {
            self.readers[reader].shard(shard).starts_at(position);
        }
    }

    /// Facts about records that are gone for a reader.
    pub(super) fn gone(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::RecordsDiscarded {
            reader,
            shard,
            remains,
            records,
            positions,
            first_position,
            ..
        } = *fact
        {
            let reading = &mut self.readers[reader];
            reading.finish(now, arrivals(records));
            let result = reading
                .shard(shard)
                .discard(first_position, positions, len(records), remains);
            self.judge(now, (reader, shard), records.first(), result);
        }
        if let Fact::RecordsFilteredOut {
            reader,
            shard,
            records,
            positions,
        } = *fact
        {
            let reading = &mut self.readers[reader];
            reading.finish(now, arrivals(records));
            let result = reading.shard(shard).filter_out(positions, len(records));
            self.judge(now, (reader, shard), records.first(), result);
        }
        if let Fact::RecordsExpiredUnread {
            reader,
            shard,
            first_position,
            count,
        } = *fact
        {
            let reading = &mut self.readers[reader];
            reading.expired = true;
            let result = reading.shard(shard).expired(first_position, count);
            self.judge(now, (reader, shard), None, result);
        }
        if let Fact::RecordsExpiredInRetry {
            reader,
            shard,
            count,
            first_position,
        } = *fact
        {
            let starts_over = self.starts_over(reader);
            let reading = &mut self.readers[reader];
            reading.expired = true;
            if starts_over {
                let result = reading.shard(shard).expired_in_hand(first_position, count);
                self.judge(now, (reader, shard), None, result);
            } else {
                reading.shard(shard).expired_in_retry(count);
            }
        }
    }
}
