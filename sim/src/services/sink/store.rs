//! A table or a bucket: it takes or refuses each request at once, and the writer's code sends again what was refused,
//! after a backoff, until it gives up.
//!
//! A write becomes requests: for a table one for every 25 items or one an item, for a bucket one object. The code sends
//! the next when the last has gone through, or several at a time. Gives it up one, it sends no more, waits for those
//! under way and fails; what they wrote stays written.

use super::bucket::Bucket;
use super::table::Table;
use super::{Effect, Event, arm, write_call};
use crate::batch::{Batch, WriteCall, WriteError, WriteOutcome};
use crate::blueprint::{ItemWrites, Resend, SinkBlueprint, SinkService};
use crate::context::{Cx, Fault};
use crate::engine::deadlines::Deadlines;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::pool::{Handle, Pool};
use crate::engine::quantity::{MIB, Rate};
use crate::engine::random::Stream;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::SinkId;
use crate::observe::fact::{Fact, SinkChange};
use crate::record::Record;
use crate::services::producer::retry::resend_after;
use crate::services::random_span::RandomSpan;

/// Items of a BatchWriteItem (DDB-W-01).
const BATCH_ITEMS: u32 = 25;

/// A store and the code that writes to it.
#[derive(Clone, Debug)]
pub(super) struct Store {
    limits: Limits,
    /// Records of a request; `None`: all of them.
    chunk: Option<u32>,
    parallel: u32,
    latency: RandomSpan,
    per_mebibyte: SimDuration,
    resend: Resend,
    backoff: Stream,
    idempotent: bool,
    writes: Pool<Write>,
    requests: Deadlines<Request>,
    /// To be set when everything due is done.
    timer: Option<SimTime>,
    records: u64,
    out_until: SimTime,
    /// Of a request that went through in part.
    chosen: (Vec<Record>, Vec<u64>),
}

#[derive(Clone, Debug)]
enum Limits {
    Table(Table),
    Bucket(Bucket),
}

#[derive(Clone, Debug)]
struct Write {
    batch: Box<Batch>,
    call: WriteCall,
    received_at: SimTime,
    /// The first record that no request has taken up.
    next: u32,
    under_way: u32,
    written: u32,
    error: Option<WriteError>,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    write: Handle,
    /// Its records.
    first: u32,
    records: u32,
    /// Those that are not written, a bit each; of an object the lowest stands for all.
    open: u32,
    sent_at: SimTime,
    /// What is to be told; `None`: it waits for its backoff to end.
    answer: Option<Answer>,
    resends: u32,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    accepted: u32,
    units: u64,
    error: Option<WriteError>,
}

impl Store {
    pub(super) fn new(blueprint: &SinkBlueprint, latency: RandomSpan, backoff: Stream) -> Self {
        let idempotent = blueprint.idempotent;
        let (limits, chunk, parallel, per_mebibyte, resend) = match &blueprint.service {
            SinkService::Table(table) => {
                let chunk = match table.writes {
                    ItemWrites::Batch => BATCH_ITEMS,
                    ItemWrites::Single => 1,
                };
                let limits = Limits::Table(Table::new(table));
                (
                    limits,
                    Some(chunk),
                    table.parallel_requests,
                    SimDuration::ZERO,
                    table.resend,
                )
            }
            SinkService::Bucket(bucket) => {
                let limits = Limits::Bucket(Bucket::new(bucket.prefixes, idempotent));
                (limits, None, 1, bucket.per_mebibyte, bucket.resend)
            }
            SinkService::Database | SinkService::Warehouse => {
                let limits = Limits::Bucket(Bucket::new(1, idempotent));
                (limits, None, 1, SimDuration::ZERO, Resend::NEVER)
            }
        };
        Self {
            limits,
            chunk,
            parallel: parallel.max(1),
            latency,
            per_mebibyte,
            resend,
            backoff,
            idempotent,
            writes: Pool::new(),
            requests: Deadlines::new(),
            timer: None,
            records: 0,
            out_until: SimTime::ZERO,
            chosen: (Vec::new(), Vec::new()),
        }
    }

    /// Begins a write; gives it back if there is nothing to write.
    pub(super) fn write(
        &mut self,
        me: SinkId,
        batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) -> Option<(Box<Batch>, WriteOutcome)> {
        let call = write_call(&batch, cx)?;
        if batch.records.is_empty() {
            return Some((batch, WriteOutcome::Written));
        }
        self.records += u64::from(to_u32(batch.records.len()));
        let write = Write {
            batch,
            call,
            received_at: cx.now(),
            next: 0,
            under_way: 0,
            written: 0,
            error: None,
        };
        let write = self
            .writes
            .insert(write)
            .map_err(|error| cx.fail(Fault::Pool(error)))
            .ok()?;
        let ended = self.send_more(write, cx);
        self.await_next(me, cx);
        ended
    }

    /// Goes on with the requests that are due, until a write ends.
    pub(super) fn go_on(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) -> Option<(Box<Batch>, WriteOutcome)> {
        while let Some(mut request) = self.requests.pop_due(cx.now()) {
            let Some(answer) = request.answer.take() else {
                self.send(request, cx);
                continue;
            };
            let ended = self.answered(me, request, answer, cx);
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// Everything due is done: sets the next timer.
    pub(super) fn await_next(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) {
        let timer = self.requests.fired(cx.now()).or(self.timer.take());
        arm(timer, me, Event::RequestDue, cx);
    }

    /// Changes the write capacity units of a table, or the requests that a prefix of a bucket takes.
    pub(super) fn set_capacity(&mut self, capacity: Option<Rate>, now: SimTime) {
        match &mut self.limits {
            Limits::Table(table) => table.set_units(capacity, now),
            Limits::Bucket(bucket) => bucket.set_rate(capacity),
        }
    }
    /// Until then every request fails.
    pub(super) fn break_until(&mut self, until: SimTime) {
        self.out_until = self.out_until.max(until);
    }
    pub(super) const fn records(&self) -> u64 {
        self.records
    }
    pub(super) fn writes(&self) -> usize {
        to_usize(self.writes.live())
    }
    pub(super) const fn draws(&self) -> [u64; 2] {
        [self.latency.draws(), self.backoff.draws()]
    }

    /// Sends as many requests as may be under way; ends the write when nothing is.
    fn send_more(&mut self, write: Handle, cx: &mut Cx<'_, '_>) -> Option<(Box<Batch>, WriteOutcome)> {
        loop {
            let state = match self.writes.get_mut(write) {
                Ok(state) => state,
                Err(error) => {
                    cx.fail(Fault::Pool(error));
                    return None;
                }
            };
            let left = to_u32(state.batch.records.len()) - state.next;
            if left == 0 || state.error.is_some() || state.under_way == self.parallel {
                let over = state.under_way == 0;
                return if over { self.end(write, cx) } else { None };
            }
            let records = self.chunk.map_or(left, |chunk| chunk.min(left));
            let request = Request {
                write,
                first: state.next,
                records,
                open: self.chunk.map_or(1, |_| all(records)),
                sent_at: cx.now(),
                answer: None,
                resends: 0,
            };
            state.next += records;
            state.under_way += 1;
            self.send(request, cx);
        }
    }

    fn file(&mut self, at: SimTime, request: Request) {
        self.timer = self.requests.add(at, request).or(self.timer);
    }

    /// Sends a request. Its fate is decided as it comes in; the answer tells it.
    fn send(&mut self, mut request: Request, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let Ok(write) = self.writes.get(request.write) else {
            return;
        };
        let records = &write.batch.records[range(&request)];
        let mut answer = Answer {
            accepted: 0,
            units: 0,
            error: None,
        };
        let mut takes = self.latency.draw();
        if now < self.out_until {
            answer.error = Some(WriteError::Unavailable);
        } else {
            match &mut self.limits {
                Limits::Table(table) => {
                    let admission = table.admit(records, request.open, cx);
                    (answer.accepted, answer.units) = (admission.accepted, admission.units);
                    if admission.invalid {
                        answer.error = Some(WriteError::ItemTooLarge);
                    }
                }
                Limits::Bucket(bucket) => answer.accepted = u32::from(bucket.admit(write.call.shard, now)),
            }
            if answer.accepted != request.open {
                answer.error = answer.error.or(Some(WriteError::Throttled));
            } else if !self.per_mebibyte.is_zero() {
                let nanos = u128::from(self.per_mebibyte.as_nanos()) * u128::from(bytes(records)) / u128::from(MIB);
                takes = takes.saturating_add(SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
            }
        }
        request.sent_at = now;
        request.answer = Some(answer);
        self.file(now.saturating_add(takes.max(SimDuration::MIN)), request);
    }

    fn answered(
        &mut self,
        me: SinkId,
        mut request: Request,
        answer: Answer,
        cx: &mut Cx<'_, '_>,
    ) -> Option<(Box<Batch>, WriteOutcome)> {
        self.take_effect(me, &request, answer, cx);
        request.open &= !answer.accepted;
        let Some(error) = answer.error.filter(|_| request.open != 0) else {
            return self.gone_through(request.write, None, cx);
        };
        let again = if error == WriteError::ItemTooLarge {
            None
        } else {
            resend_after(&self.resend, request.resends, &mut self.backoff)
        };
        let Some(wait) = again else {
            return self.gone_through(request.write, Some(error), cx);
        };
        request.resends += 1;
        self.file(cx.now().saturating_add(wait.max(SimDuration::MIN)), request);
        None
    }

    /// A request is over.
    fn gone_through(
        &mut self,
        write: Handle,
        error: Option<WriteError>,
        cx: &mut Cx<'_, '_>,
    ) -> Option<(Box<Batch>, WriteOutcome)> {
        if let Ok(state) = self.writes.get_mut(write) {
            state.under_way -= 1;
            state.error = state.error.or(error);
        }
        self.send_more(write, cx)
    }

    /// What a request wrote has taken effect.
    fn take_effect(&mut self, me: SinkId, request: &Request, answer: Answer, cx: &mut Cx<'_, '_>) {
        let Ok(write) = self.writes.get_mut(request.write) else {
            return;
        };
        let (records, positions) = (&write.batch.records[range(request)], &write.batch.positions);
        let first = write.call.passage.first_position + u64::from(request.first);
        let position = |at: usize| positions.get(to_usize(request.first) + at).copied();
        let (asked, rewrites, whole) = match &mut self.limits {
            Limits::Table(_) => {
                let whole = answer.accepted == all(request.records);
                (request.open.count_ones(), self.idempotent, whole)
            }
            Limits::Bucket(bucket) => {
                let last = position(records.len() - 1).unwrap_or(first + u64::from(request.records) - 1);
                let name = (position(0).unwrap_or(first), last);
                let stored = answer.accepted != 0;
                let again = stored && bucket.replaces(write.call.reader, write.call.shard, name);
                (request.records, again, stored)
            }
        };
        let (chosen, chosen_positions) = &mut self.chosen;
        chosen.clear();
        chosen_positions.clear();
        if answer.accepted == 0 {
            // Nothing has taken effect.
        } else if !whole {
            for (at, record) in records
                .iter()
                .enumerate()
                .filter(|(at, _)| answer.accepted >> at & 1 == 1)
            {
                chosen.push(*record);
                chosen_positions.push(position(at).unwrap_or(first + u64::from(to_u32(at))));
            }
        } else if !positions.is_empty() {
            chosen_positions.extend_from_slice(&positions[range(request)]);
        } else if request.first > 0 {
            chosen_positions.extend(first..first + u64::from(request.records));
        }
        let effect = if whole { records } else { chosen.as_slice() };
        let latency = cx.now() - request.sent_at;
        let change = SinkChange::RequestAnswered {
            records: asked,
            written: to_u32(effect.len()),
            units: answer.units,
            bytes: bytes(effect),
            error: answer.error,
            latency,
        };
        cx.emit(|| Fact::SinkChanged { sink: me, change });
        if effect.is_empty() {
            return;
        }
        let written = to_u32(effect.len());
        Effect {
            sink: me,
            call: write.call,
            records: effect,
            positions: chosen_positions,
            received_at: write.received_at,
            capacity: None,
            rewrites,
            more: write.written + written < to_u32(write.batch.records.len()),
        }
        .take_effect(cx);
        write.written += written;
        self.records -= u64::from(written);
    }

    fn end(&mut self, write: Handle, cx: &mut Cx<'_, '_>) -> Option<(Box<Batch>, WriteOutcome)> {
        let write = self
            .writes
            .remove(write)
            .map_err(|error| cx.fail(Fault::Pool(error)))
            .ok()?;
        let unwritten = to_u32(write.batch.records.len()) - write.written;
        self.records -= u64::from(unwritten);
        let outcome = write
            .error
            .map_or(WriteOutcome::Written, |error| WriteOutcome::Failed { error, unwritten });
        Some((write.batch, outcome))
    }
}

fn range(request: &Request) -> core::ops::Range<usize> {
    let first = to_usize(request.first);
    first..first + to_usize(request.records)
}
/// A bit for each of up to 32 items.
const fn all(items: u32) -> u32 {
    match 1_u32.checked_shl(items) {
        Some(next) => next - 1,
        None => u32::MAX,
    }
}
fn bytes(records: &[Record]) -> u64 {
    records.iter().map(|record| u64::from(record.bytes)).sum()
}
