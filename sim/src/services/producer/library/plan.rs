//! When the library next has something to do.

use super::aggregation::deadline;
use super::{Event, Library};
use crate::context::Cx;
use crate::engine::phase::Phase;
use crate::engine::time::SimTime;
use crate::ids::ProducerId;
use crate::record::{KeyId, Record};
use crate::world;

impl Library {
    /// Arms the timer for the earliest deadline, the next poll of the limiter, or the arrival of the user record that
    /// fills a container, whichever comes first.
    pub(super) fn plan(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        self.generation = self.generation.wrapping_add(1);
        let known = self
            .aggregation
            .next_deadline()
            .min(self.collection.deadline())
            .min(self.limiter.next_poll(now))
            .min(self.refresh_at);
        let at = self.look_ahead(known);
        if at < SimTime::NEVER {
            let event = Event::Flush {
                generation: self.generation,
            };
            cx.wake(at.max(now), Phase::Act, world::Event::Producer(me, event));
        }
    }

    /// The first instant up to `until` at which an arrival has to be acted on: it fills a container, or its own deadline
    /// has come. Nothing is taken.
    fn look_ahead(&mut self, mut until: SimTime) -> SimTime {
        self.aggregation.look_ahead();
        self.collection.look_ahead();
        let mut index = 0;
        while self.source.ensure(index + 1) {
            let at = SimTime::from_nanos(self.source.times()[index]);
            if at >= until {
                break;
            }
            let record = Record {
                created_at: at,
                arrived_at: SimTime::ZERO,
                key: KeyId(self.source.keys()[index]),
                ordinal: 0,
                bytes: self.source.bytes()[index],
                flags: 0,
            };
            index += 1;
            if self.sizes.data(&record) > self.settings.max_user_record_size {
                // It is refused, which is noted with whatever comes next.
                until = until.min(at.saturating_add(self.settings.record_max_buffered_time));
                continue;
            }
            let fills = match self.predict(record.key) {
                Some(shard) => self.aggregation.would_flush(shard, &record, &self.sizes),
                None => self.collection.would_flush(u64::from(record.bytes)),
            };
            if fills {
                return at;
            }
            let expires_at = at.saturating_add(self.settings.record_ttl);
            until = until.min(deadline(at, self.settings.record_max_buffered_time, expires_at));
        }
        until
    }
}
