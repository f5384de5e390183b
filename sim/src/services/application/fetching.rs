//! How a shard's records come to its record processor by polling: an iterator, then page after page, ahead of processing.

use super::consumer::{Consumer, Stage, Waiting};
use super::lease::Checkpoint;
use super::timing::{PARENT_INTERVAL, PREFETCH_BYTES, PREFETCH_RECORDS, TASK_BACKOFF};
use super::{Application, Event, broken, count, wake};
use crate::batch::{Batch, BatchId, Envelope, GetCall, IteratorCall, IteratorType, ReadCaller, ServiceError};
use crate::blueprint::{InitialPosition, Retrieval};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ShardIndex};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::services::kinesis;
use crate::world;

impl Application {
    /// A record processor begins, unless a parent of its shard is not done (KDS-KCL-27).
    pub(super) fn begin(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some(lease) = self.table.get(shard) else { return };
        let blocked = lease
            .parents
            .iter()
            .flatten()
            .any(|parent| self.table.get(*parent).is_some_and(|lease| !lease.is_done()));
        let (checkpoint, reads) = (lease.checkpoint, to_u32(lease.parents.iter().flatten().count()) + 1);
        self.use_table(reads, 0, cx);
        let began_at = self.progress(shard).start;
        let now = cx.now();
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        if blocked {
            consumer.stage = Stage::Blocked {
                look_at: now + PARENT_INTERVAL,
            };
            return;
        }
        consumer.stage = Stage::Starting;
        match (checkpoint, began_at) {
            (Checkpoint::At(position), _) | (Checkpoint::Initial(_), Some(position)) => consumer.begin_at(position),
            (Checkpoint::Initial(_), None) => {}
            // Nothing is left to do: the lease will be cleaned up.
            (Checkpoint::ShardEnd, _) => return,
        }
        if self.retrieval == Retrieval::FanOut {
            return self.subscribe(me, number, shard, cx);
        }
        self.ask_iterator(me, number, shard, cx);
    }

    /// Where the record processor's iterator has to start.
    fn wanted_iterator(&mut self, number: u16, shard: u32) -> Option<IteratorType> {
        let began = self.progress(shard).start.is_some();
        let checkpoint = self.table.get(shard)?.checkpoint;
        let consumer = self.worker(number).consumers.get(&shard)?;
        Some(match (checkpoint, began) {
            (Checkpoint::Initial(position), false) => match position {
                InitialPosition::TrimHorizon => IteratorType::TrimHorizon,
                InitialPosition::Latest => IteratorType::Latest,
                InitialPosition::AtTimestamp(at) => IteratorType::AtTimestamp(at),
            },
            // It has read before: its iterator has expired, and it goes on after the last record (KDS-KCL-24).
            _ if consumer.next > consumer.resume => IteratorType::AfterSequenceNumber(consumer.next - 1),
            // It resumes at the last record that is done, and drops it (KDS-KCL-36).
            (Checkpoint::At(_), _) if consumer.resume > 0 => IteratorType::AtSequenceNumber(consumer.resume - 1),
            _ => IteratorType::AtSequenceNumber(consumer.resume),
        })
    }

    /// A worker is about to ask for a place in a shard: which one, and in whose name.
    pub(super) fn begin_call(
        &mut self,
        me: ApplicationId,
        number: u16,
        shard: u32,
    ) -> Option<(IteratorType, ReadCaller)> {
        let kind = self.wanted_iterator(number, shard)?;
        let consumer = self.worker(number).consumers.get_mut(&shard)?;
        consumer.calling = true;
        let caller = ReadCaller::Application {
            application: me,
            worker: number,
            tenure: consumer.tenure,
        };
        Some((kind, caller))
    }

    fn ask_iterator(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some((kind, caller)) = self.begin_call(me, number, shard) else {
            return;
        };
        let (reader, stream) = (self.reader, self.stream);
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Iterator(IteratorCall {
            reader,
            caller,
            shard: ShardIndex(shard),
            kind,
            position: 0,
            issued_at: SimTime::ZERO,
            error: None,
        });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::IteratorReceived { batch })
        });
    }

    /// Takes a response for a worker: `None` if the worker is dead, or stands still and will take it later.
    pub(super) fn receive(
        &mut self,
        me: ApplicationId,
        id: BatchId,
        again: impl FnOnce(BatchId) -> Event,
        cx: &mut Cx<'_, '_>,
    ) -> Option<Box<Batch>> {
        let batch = cx.take(id)?;
        let caller = match batch.envelope {
            Envelope::Get(call) => Some(call.caller),
            Envelope::Iterator(call) => Some(call.caller),
            Envelope::Subscribe(call) => Some(call.caller),
            Envelope::Pushed(event) => Some(event.caller),
            Envelope::Empty
            | Envelope::ListShards(_)
            | Envelope::Put(_)
            | Envelope::Acknowledge(_)
            | Envelope::Invoke(_)
            | Envelope::InvokeDirect(_)
            | Envelope::Write(_)
            | Envelope::Queue(_)
            | Envelope::Moved(_)
            | Envelope::Notification(_)
            | Envelope::Redriven(_) => None,
        };
        let Some(ReadCaller::Application { worker, .. }) = caller else {
            broken(cx, "an answer that is none of its own");
            return None;
        };
        if let Envelope::Get(GetCall {
            shard,
            caller: ReadCaller::Application { tenure, .. },
            ..
        }) = batch.envelope
        {
            self.reads.remove(&(shard.0, tenure));
        }
        let worker = self.worker(worker);
        if !worker.alive {
            cx.recycle(batch);
            return None;
        }
        let until = worker.paused_until;
        if until > cx.now() {
            if let Some(id) = cx.hold(batch) {
                wake(me, again(id), until, cx);
            }
            return None;
        }
        Some(batch)
    }

    pub(super) fn iterator_received(&mut self, me: ApplicationId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = self.receive(me, id, |batch| Event::IteratorReceived { batch }, cx) else {
            return;
        };
        let Envelope::Iterator(call) = batch.envelope else {
            return broken(cx, "an iterator without its call");
        };
        cx.recycle(batch);
        let ReadCaller::Application { worker, tenure, .. } = call.caller else {
            return;
        };
        let (now, shard) = (cx.now(), call.shard.0);
        let Some(consumer) = self.consumer(worker, shard, tenure) else {
            return;
        };
        consumer.calling = false;
        if consumer.is_lost() {
            return;
        }
        if call.error.is_some() {
            // The call failed, and is tried again after the library's backoff (KDS-KCL-41).
            return self.fetch_at(me, worker, shard, now + TASK_BACKOFF, cx);
        }
        consumer.iterator_issued_at = Some(call.issued_at);
        self.start_at(worker, shard, tenure, call.position, cx);
        self.fetch_at(me, worker, shard, now, cx);
    }

    /// The stream has told from which position it will give records.
    pub(super) fn start_at(&mut self, worker: u16, shard: u32, tenure: u16, position: u64, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        let Some(consumer) = self.consumer(worker, shard, tenure) else {
            return;
        };
        if consumer.stage == Stage::Starting {
            consumer.stage = Stage::Running;
            consumer.last_success = SimTime::ZERO;
            // What has expired in a shard whose parent it has read is lost to it; before that, nothing was its own.
            let first = if self.has_read_a_parent(shard) { 0 } else { position };
            if self.progress(shard).begin(first) {
                cx.emit(|| Fact::ApplicationChanged {
                    reader,
                    change: ApplicationChange::ReadingBegan {
                        shard: ShardIndex(shard),
                        position: first,
                    },
                });
                if let Some(consumer) = self.consumer(worker, shard, tenure) {
                    consumer.begin_at(first);
                }
            }
        }
        let Some(consumer) = self.consumer(worker, shard, tenure) else {
            return;
        };
        let expired = position > consumer.next;
        consumer.next = position;
        if expired {
            // The stream begins later than where it wanted to resume: what lies between is gone (KDS-MOD-13).
            self.expire(shard, position, cx);
        }
    }

    fn has_read_a_parent(&self, shard: u32) -> bool {
        let parents = self.table.get(shard).map_or([None; 2], |lease| lease.parents);
        let mut read = parents
            .iter()
            .flatten()
            .filter_map(|parent| self.progress.get(to_usize(*parent)));
        read.any(|progress| progress.start.is_some())
    }

    pub(super) fn fetch_at(&mut self, me: ApplicationId, number: u16, shard: u32, at: SimTime, cx: &mut Cx<'_, '_>) {
        if let Some(consumer) = self.worker(number).consumers.get_mut(&shard)
            && !consumer.timer
        {
            consumer.timer = true;
            let tenure = consumer.tenure;
            let event = Event::Fetch {
                shard,
                worker: number,
                tenure,
            };
            wake(me, event, at.max(cx.now() + SimDuration::MIN), cx);
        }
    }

    /// The next read is due: with room for it, it is made; without, the next batch that is taken makes room.
    pub(super) fn fetch_due(&mut self, me: ApplicationId, number: u16, shard: u32, tenure: u16, cx: &mut Cx<'_, '_>) {
        let batches = to_usize(self.settings.max_pending_process_records_input);
        let Some(consumer) = self.consumer(number, shard, tenure) else {
            return;
        };
        consumer.timer = false;
        if consumer.calling || consumer.is_lost() || consumer.is_stopping() || consumer.shard_end.is_some() {
            return;
        }
        if self.retrieval == Retrieval::FanOut {
            return self.subscribe(me, number, shard, cx);
        }
        let Some(consumer) = self.consumer(number, shard, tenure) else {
            return;
        };
        let Some(issued_at) = consumer.iterator_issued_at else {
            return self.ask_iterator(me, number, shard, cx);
        };
        if !consumer.has_room(batches, PREFETCH_RECORDS, PREFETCH_BYTES) {
            return;
        }
        consumer.calling = true;
        let position = consumer.next;
        self.get(me, number, shard, (position, issued_at, tenure), cx);
    }

    fn get(
        &mut self,
        me: ApplicationId,
        worker: u16,
        shard: u32,
        (position, iterator_issued_at, tenure): (u64, SimTime, u16),
        cx: &mut Cx<'_, '_>,
    ) {
        self.reads.insert((shard, tenure), position);
        let checkpoint = self.lowest_needed(shard);
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Get(GetCall {
            reader: self.reader,
            caller: ReadCaller::Application {
                application: me,
                worker,
                tenure,
            },
            stream: self.stream,
            shard: ShardIndex(shard),
            position,
            limit: self.settings.max_records,
            checkpoint,
            retry_lane: None,
            iterator_issued_at,
            received_at: SimTime::ZERO,
            served_at: SimTime::ZERO,
            millis_behind: 0,
            expired: 0,
            shard_end: false,
            error: None,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::GetReceived { batch })
        });
    }

    /// The lowest position of a shard that a worker may still read: whoever takes over starts at the last record that is
    /// done (KDS-KCL-36), and one that has lost the lease may not know it yet. `MAX`: nobody reads the shard any more.
    pub(super) fn lowest_needed(&mut self, shard: u32) -> u64 {
        let start = self.progress(shard).start.unwrap_or(0);
        let resumed = match self.table.get(shard).map(|lease| lease.checkpoint) {
            Some(Checkpoint::At(position)) => position.saturating_sub(1),
            Some(Checkpoint::Initial(_)) => start,
            Some(Checkpoint::ShardEnd) | None => u64::MAX,
        };
        let living = self.workers.iter().filter(|worker| worker.alive);
        let consumers = living.filter_map(|worker| worker.consumers.get(&shard));
        // What a record processor has not finished may hold aggregated records, whose user records the stream keeps.
        let wanted = consumers.filter_map(Consumer::oldest_needed);
        let reads = self
            .reads
            .range((shard, 0)..=(shard, u16::MAX))
            .map(|(_, position)| *position);
        wanted.chain(reads).fold(resumed, u64::min)
    }

    pub(super) fn page_received(&mut self, me: ApplicationId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = self.receive(me, id, |batch| Event::PageReceived { batch }, cx) else {
            return;
        };
        let Envelope::Get(call) = batch.envelope else {
            return broken(cx, "a page without its call");
        };
        let ReadCaller::Application { worker, tenure, .. } = call.caller else {
            return;
        };
        let (now, shard, idle) = (cx.now(), call.shard.0, self.timing.idle);
        let Some(consumer) = self
            .consumer(worker, shard, tenure)
            .filter(|consumer| !consumer.is_lost())
        else {
            // Nobody waits for it any more: its lease is gone.
            if let Some(consumer) = self.consumer(worker, shard, tenure) {
                consumer.calling = false;
            }
            return cx.recycle(batch);
        };
        consumer.calling = false;
        match call.error {
            Some(ServiceError::ExpiredIterator) => {
                cx.recycle(batch);
                consumer.iterator_issued_at = None;
                return self.ask_iterator(me, worker, shard, cx);
            }
            // Throttled or failed: the whole idle time again, no backoff (KDS-KCL-21).
            Some(_) => {
                cx.recycle(batch);
                return self.fetch_at(me, worker, shard, now + idle, cx);
            }
            None => {}
        }
        consumer.last_success = now;
        consumer.next = call.position;
        consumer.iterator_issued_at = Some(call.iterator_issued_at);
        consumer.bytes_fetched += batch.bytes;
        self.take_page(worker, call, batch, cx);
        self.process_next(me, worker, shard, cx);
        self.fetch_at(me, worker, shard, now + idle, cx);
    }

    /// Puts a page into the line of its record processor.
    pub(super) fn take_page(&mut self, worker: u16, call: GetCall, mut batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let (now, shard) = (cx.now(), call.shard.0);
        let mut first = call.position - count(batch.records.len());
        let children = core::mem::take(&mut batch.child_shards);
        if call.expired > 0 {
            self.expire(shard, first, cx);
        }
        let Some(consumer) = self.worker(worker).consumers.get_mut(&shard) else {
            return;
        };
        if call.shard_end {
            consumer.shard_end = Some(children);
        }
        let known = usize::try_from(consumer.resume.saturating_sub(first)).unwrap_or(usize::MAX);
        if known > 0 && !batch.records.is_empty() {
            batch.records.drain(..known.min(batch.records.len()));
            batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
            first = call.position - count(batch.records.len());
        }
        let unseen = self.progress(shard).see(call.position).max(first);
        if unseen < call.position {
            let reader = self.reader;
            cx.emit(|| Fact::RecordsGathered {
                reader,
                shard: call.shard,
                first_position: unseen,
                records: u32::try_from(call.position - unseen).unwrap_or(u32::MAX),
                served_at: call.served_at,
            });
        }
        // The record processor is not called for nothing (KDS-KCL-42).
        if batch.records.is_empty() {
            cx.recycle(batch);
        } else if let Some(consumer) = self.worker(worker).consumers.get_mut(&shard) {
            consumer.push(Waiting {
                first,
                page: (call.served_at, now),
                batch,
            });
        }
    }

    /// Everything before `horizon` is gone from the stream.
    fn expire(&mut self, shard: u32, horizon: u64, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        let expired = self.progress(shard).expire(horizon);
        for (first_position, count) in expired.in_hand {
            cx.emit(|| Fact::RecordsExpiredInRetry {
                reader,
                shard: ShardIndex(shard),
                count,
                first_position,
            });
        }
        if let Some((first_position, count)) = expired.unread {
            cx.emit(|| Fact::RecordsExpiredUnread {
                reader,
                shard: ShardIndex(shard),
                first_position,
                count,
            });
        }
    }

    /// A batch was taken out of the line: there may be room for a read that waited for it.
    pub(super) fn fetch_if_due(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        if self.retrieval == Retrieval::FanOut {
            return self.take_more(number, shard, cx);
        }
        let idle = self.timing.idle;
        if let Some(consumer) = self.worker(number).consumers.get(&shard)
            && !consumer.calling
            && consumer.stage == Stage::Running
        {
            let at = consumer.last_success.saturating_add(idle);
            self.fetch_at(me, number, shard, at, cx);
        }
    }
}
