//! What the record processor does with a batch: it takes its time, throws or writes to the sink, and is done.

use super::consumer::{Waiting, Work};
use super::{Application, Event, broken, count, wake};
use crate::batch::{Batch, BatchId, Envelope, Passage, WriteCall, WriteOutcome, Writer};
use crate::blueprint::Checkpointing;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::time::SimDuration;
use crate::ids::{ApplicationId, ShardIndex, SinkId};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::services::deaggregation::{deaggregate, is_aggregated};
use crate::services::sink;
use crate::world;

impl Application {
    /// Hands the next batch to the record processor, if it is free and one waits.
    pub(super) fn process_next(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        if !consumer.is_idle() || consumer.is_lost() || consumer.is_stopping() {
            return;
        }
        let Some(Waiting { first, page, mut batch }) = consumer.pop() else {
            if consumer.shard_end.is_some() {
                self.end_shard(me, number, shard, cx);
            }
            return;
        };
        let records = count(batch.records.len());
        let passage = Passage {
            first_position: first,
            first_dispatched_at: now,
            dispatched_at: now,
            started_at: now,
            page: Some(page),
            ..Passage::default()
        };
        consumer.delivered = first + records;
        let tenure = consumer.tenure;
        let progress = self.progress(shard);
        let again = first < progress.dispatched;
        progress.dispatched = progress.dispatched.max(first + records);
        let (reader, processor) = (self.reader, self.processor);
        cx.emit(|| Fact::BatchDispatched {
            reader,
            processor,
            shard: ShardIndex(shard),
            lane: number,
            first_position: first,
            records: &batch.records,
            bytes: batch.bytes,
            attempts_before: u32::from(again),
            payload_full: false,
        });
        self.take_apart((shard, tenure), first, &mut batch, cx);
        let handler = &mut self.handler;
        let span = handler
            .per_batch
            .draw()
            .saturating_add(handler.per_record.saturating_mul(count(batch.records.len())));
        let fails = !handler.failure_rate.is_zero() && handler.failure.chance(handler.failure_rate);
        if let Some(consumer) = self.worker(number).consumers.get_mut(&shard) {
            consumer.work = Some(Work {
                records,
                batch: Some(batch),
                fails,
                passage,
            });
        }
        let event = Event::Processed {
            shard,
            worker: number,
            tenure,
        };
        wake(me, event, now.saturating_add(span.max(SimDuration::MIN)), cx);
        self.fetch_if_due(me, number, shard, cx);
    }

    /// The library hands the user records of aggregated ones to the record processor, whose work is by user record. What
    /// the stream holds is kept until the batch is done: positions and checkpoints are of that.
    fn take_apart(&mut self, place: (u32, u16), first: u64, batch: &mut Batch, cx: &mut Cx<'_, '_>) {
        if !is_aggregated(batch, cx) {
            return;
        }
        self.aggregated.insert(place, batch.records.clone());
        deaggregate(batch, first, None, cx);
    }

    /// The Kinesis records of a batch that is done or given up.
    pub(super) fn put_together(&mut self, place: (u32, u16), batch: &mut Batch) {
        if let Some(records) = self.aggregated.remove(&place) {
            batch.records = records;
            batch.positions.clear();
        }
    }

    /// The record processor's code has returned or thrown.
    pub(super) fn processed(&mut self, me: ApplicationId, number: u16, shard: u32, tenure: u16, cx: &mut Cx<'_, '_>) {
        let sink = self.sink;
        let Some(consumer) = self.consumer(number, shard, tenure) else {
            return;
        };
        let Some(work) = &mut consumer.work else {
            return broken(cx, "the end of a batch that it has not begun");
        };
        let Some(mut batch) = work.batch.take() else {
            return broken(cx, "the end of a batch twice");
        };
        let (passage, fails) = (work.passage, work.fails);
        if fails {
            self.put_together((shard, tenure), &mut batch);
            self.skip(shard, passage.first_position, batch, cx);
            return self.batch_done(me, number, shard, cx);
        }
        if let Some(sink) = sink {
            return self.write(me, number, shard, (sink, tenure, passage), batch, cx);
        }
        let (reader, processor) = (self.reader, self.processor);
        cx.emit(|| Fact::RecordsProcessed {
            processor,
            records: &batch.records,
            reader,
            shard: ShardIndex(shard),
            positions: &batch.positions,
            passage,
        });
        cx.mix_arrivals(&batch.records);
        self.put_together((shard, tenure), &mut batch);
        self.acknowledge(number, shard, passage.first_position, &batch, cx);
        cx.recycle(batch);
        self.batch_done(me, number, shard, cx);
    }

    /// The record processor has thrown: the library goes on with the next batch (KDS-KCL-34).
    fn skip(&mut self, shard: u32, first_position: u64, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let reader = self.reader;
        cx.emit(|| Fact::ApplicationChanged {
            reader,
            change: ApplicationChange::BatchSkipped {
                shard: ShardIndex(shard),
                first_position,
                records: to_u32(batch.records.len()),
            },
        });
        self.progress(shard).skip(first_position, &batch.records);
        cx.recycle(batch);
    }

    fn write(
        &mut self,
        me: ApplicationId,
        worker: u16,
        shard: u32,
        (sink, tenure, passage): (SinkId, u16, Passage),
        mut batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::Write(WriteCall {
            processor: self.processor,
            sink,
            reader: self.reader,
            shard: ShardIndex(shard),
            passage,
            writer: Writer::Application {
                application: me,
                worker,
                tenure,
            },
            outcome: WriteOutcome::Written,
        });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Sink(sink, sink::Event::Write { batch })
        });
    }

    /// The sink has taken a batch. It is done even if the worker has died meanwhile.
    pub(super) fn written(&mut self, me: ApplicationId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Write(call) = batch.envelope else {
            return broken(cx, "the answer to a write without its call");
        };
        let Writer::Application { worker, tenure, .. } = call.writer else {
            return broken(cx, "the answer to somebody else's write");
        };
        let shard = call.shard.0;
        let until = self.worker(worker).paused_until;
        if self.worker(worker).alive && until > cx.now() {
            if let Some(batch) = cx.hold(batch) {
                wake(me, Event::Written { batch }, until, cx);
            }
            return;
        }
        self.put_together((shard, tenure), &mut batch);
        if call.outcome == WriteOutcome::Written {
            self.acknowledge(worker, shard, call.passage.first_position, &batch, cx);
            cx.recycle(batch);
        } else if self.consumer(worker, shard, tenure).is_some() {
            self.skip(shard, call.passage.first_position, batch, cx);
        } else {
            cx.recycle(batch);
        }
        if self.consumer(worker, shard, tenure).is_some() {
            self.batch_done(me, worker, shard, cx);
        }
    }

    /// The records of a batch are done, whoever did it.
    fn acknowledge(&mut self, number: u16, shard: u32, first: u64, batch: &Batch, cx: &mut Cx<'_, '_>) {
        let records = to_u32(batch.records.len());
        let again = self.progress(shard).finish(first, u64::from(records));
        let reader = self.reader;
        cx.emit(|| Fact::BatchAcknowledged {
            reader,
            shard: ShardIndex(shard),
            lane: number,
            records,
            again: u32::try_from(again).unwrap_or(u32::MAX),
            batch: &batch.records,
            positions: &[],
            first_position: first,
        });
    }

    /// The record processor is free again: it checkpoints if it is time to, and goes on.
    fn batch_done(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let checkpointing = self.checkpointing;
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        if let Some(work) = consumer.work.take() {
            consumer.finished = work.passage.first_position + work.records;
        }
        let due = match checkpointing {
            Checkpointing::EveryBatch => true,
            Checkpointing::Every(span) => now.since(consumer.checkpoint_at) >= span,
            Checkpointing::Never => false,
        };
        if due {
            return self.checkpoint(me, number, shard, cx);
        }
        self.go_on(me, number, shard, cx);
    }

    /// After a batch and its checkpoint: the next batch, or the end.
    pub(super) fn go_on(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some(consumer) = self.worker(number).consumers.get(&shard) else {
            return;
        };
        if consumer.is_lost() {
            return self.retire(me, number, shard, cx);
        }
        if consumer.is_stopping() {
            return self.stop_if_idle(me, number, shard, cx);
        }
        self.process_next(me, number, shard, cx);
    }
}
