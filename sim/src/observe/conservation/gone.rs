//! What a reader will never be done with: records that it gave up, and records that expired.

use super::{Conservation, arrivals};
use crate::engine::time::SimTime;
use crate::observe::fact::Fact;

impl Conservation {
    /// Facts about records that are gone for a reader.
    pub(super) fn gone(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::RecordsDiscarded {
            reader,
            shard,
            records,
            first_position,
            ..
        } = *fact
        {
            let reading = &mut self.readers[reader];
            reading.finish(now, arrivals(records));
            let result = reading.shard(shard).discard(first_position, records);
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
