//! Records that take effect together, and their time.

use super::cause::{Cause, Parts};
use super::requests::Requests;
use super::runs::{PageRun, Runs, SendRun};
use super::sends::{ShardSends, count};
use super::{PlaceCauses, ProcessorId, ReaderId, ShardIndex};
use crate::batch::Passage;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::{Fact, Sends};
use crate::record::Record;

/// An effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect<'f> {
    pub(super) now: SimTime,
    pub(super) processor: ProcessorId,
    pub(super) reader: ReaderId,
    pub(super) shard: ShardIndex,
    pub(super) records: &'f [Record],
    positions: &'f [u64],
    pub(super) passage: Passage,
    /// When the handler's results reached the sink; where there is none, now.
    written_at: SimTime,
}

/// What is known of how the records of a shard were sent.
#[derive(Clone, Copy)]
pub(super) struct Sent<'s> {
    pub(super) shard: &'s ShardSends,
    pub(super) requests: &'s Requests,
}

impl Sent<'_> {
    /// When a record was first sent, and when it was sent in the request that was stored, if it is in no run.
    #[inline]
    fn of(&self, record: &Record) -> Sends {
        self.requests.find(record.arrived_at).unwrap_or(Sends {
            first_at: record.created_at,
            at: record.created_at,
        })
    }
}

/// Neighbours that were read together, and sent together or in no run.
pub(super) struct Segment<'s, 'f> {
    pub(super) records: &'f [Record],
    page: Option<PageRun>,
    send: Option<&'s SendRun>,
    sent: Sent<'s>,
}

impl<'f> Effect<'f> {
    /// The effect that a fact states, if it states one.
    pub(super) const fn of(now: SimTime, fact: &Fact<'f>) -> Option<Self> {
        let (Fact::RecordsProcessed {
            processor,
            records,
            reader,
            shard,
            positions,
            passage,
        }
        | Fact::RecordsDelivered {
            processor,
            records,
            reader,
            shard,
            positions,
            passage,
            ..
        }) = *fact
        else {
            return None;
        };
        let written_at = if let Fact::RecordsDelivered { received_at, .. } = *fact {
            received_at
        } else {
            now
        };
        Some(Self {
            now,
            processor,
            reader,
            shard,
            records,
            positions,
            passage,
            written_at,
        })
    }

    /// When its batch was sent to the function for the first time.
    pub(super) const fn dispatched_first_at(&self) -> SimTime {
        self.passage.first_dispatched_at
    }
    fn position(&self, index: usize) -> u64 {
        self.positions
            .get(index)
            .copied()
            .unwrap_or_else(|| self.passage.first_position + count(&self.records[..index]))
    }
    /// The page that the batch is, where it says so.
    fn own_page(&self) -> Option<PageRun> {
        self.passage.page.map(|(served_at, gathered_at)| PageRun {
            first: self.passage.first_position,
            end: self.passage.first_position + count(self.records),
            served_at,
            gathered_at,
        })
    }
    /// Index of the first record from `from` on that lies at `until` or beyond.
    #[inline]
    fn reach(&self, from: usize, until: u64) -> usize {
        if self.positions.is_empty() {
            let ahead = usize::try_from(until - self.passage.first_position).unwrap_or(usize::MAX);
            return ahead.min(self.records.len());
        }
        let rest = self.positions[from..].iter();
        from + rest.take_while(|&&position| position < until).count()
    }
    /// From the sending of the invocation to its start: the way to the function.
    pub(super) const fn way(&self) -> SimDuration {
        self.passage.started_at.since(self.passage.dispatched_at)
    }
    /// The parts that are the same for all records.
    pub(super) fn shared(&self) -> Parts {
        let passage = &self.passage;
        let retried = passage.dispatched_at.since(passage.first_dispatched_at);
        let handler_started_at = passage.started_at.saturating_add(passage.cold_start);
        let mut parts = Parts::default();
        parts.set(Cause::WaitingForConcurrency, passage.throttled_for);
        parts.set(Cause::Redelivery, retried.saturating_sub(passage.throttled_for));
        parts.set(Cause::ColdStart, passage.cold_start);
        parts.set(Cause::Handler, self.written_at.since(handler_started_at));
        parts.set(Cause::Sink, self.now.since(self.written_at));
        parts
    }

    /// Calls `each` for every stretch of records that were sent together and read together, in order.
    #[inline]
    pub(super) fn segments<'s>(
        &self,
        pages: &'s Runs<PageRun>,
        sent: Sent<'s>,
        mut each: impl FnMut(&Segment<'s, 'f>),
    ) {
        if self.records.is_empty() {
            return;
        }
        let first = self.position(0);
        let (mut pages, mut runs) = (pages.from(first), sent.shard.runs.from(first));
        let mut at = 0;
        while at < self.records.len() {
            let position = self.position(at);
            let (page, page_until) = if let Some(page) = self.own_page() {
                (Some(page), u64::MAX)
            } else {
                let (page, until) = pages.find(position);
                (page.copied(), until)
            };
            let (send, send_until) = runs.find(position);
            let end = self.reach(at, page_until.min(send_until));
            each(&Segment {
                records: &self.records[at..end],
                page,
                send,
                sent,
            });
            at = end;
        }
    }

    /// Adds the time of all records to the histograms of their place.
    pub(super) fn measure(&self, pages: &Runs<PageRun>, sent: Sent<'_>, place: &mut PlaceCauses) {
        let mut together = Together::default();
        let mut explained = 0;
        self.segments(pages, sent, |segment| {
            let Some(page) = segment.page else { return };
            if together.page.is_none_or(|known| known.end != page.end) {
                together.flush(self, place);
                together.page = Some(page);
            }
            together.records += count(segment.records);
            explained += count(segment.records);
            segment.measure(&page, place, &mut together);
        });
        together.flush(self, place);
        place
            .mut_of(Cause::PutRetries)
            .record_many(SimDuration::ZERO, together.sent_once - together.sent_again);
        place
            .mut_of(Cause::Gathering)
            .record_many(SimDuration::ZERO, together.sent_at_creation);
        let shared = self.shared();
        for cause in [
            Cause::WaitingForConcurrency,
            Cause::Redelivery,
            Cause::ColdStart,
            Cause::Handler,
            Cause::Sink,
        ] {
            place.mut_of(cause).record_many(shared.of(cause), explained);
        }
    }
}

/// Records that are looked up one after the other before they are measured.
const TOGETHER: usize = 64;

/// What several segments have in common, measured once.
#[derive(Default)]
struct Together {
    page: Option<PageRun>,
    /// Records of that page so far.
    records: u64,
    /// Records that were never sent again, but for those that are counted in `sent_again` too.
    sent_once: u64,
    sent_again: u64,
    /// Of these, those that were sent when they were created.
    sent_at_creation: u64,
}

impl Together {
    fn flush(&mut self, effect: &Effect<'_>, place: &mut PlaceCauses) {
        if let Some(page) = self.page {
            let (transfer, batch) = page_parts(&page, effect);
            place.mut_of(Cause::Transfer).record_many(transfer, self.records);
            place.mut_of(Cause::WaitingForBatch).record_many(batch, self.records);
        }
        self.records = 0;
    }
}

/// The parts that are the same for all records of a page: transfer, and waiting for the batch.
fn page_parts(page: &PageRun, effect: &Effect<'_>) -> (SimDuration, SimDuration) {
    let transfer = page.gathered_at.since(page.served_at).saturating_add(effect.way());
    let batch = effect.passage.first_dispatched_at.since(page.gathered_at);
    (transfer, batch)
}

impl Segment<'_, '_> {
    /// The parts of one of its records.
    pub(super) fn parts(&self, effect: &Effect<'_>, record: &Record, shared: Parts) -> Option<Parts> {
        let page = self.page?;
        let (first_sent_at, sent_at) = if let Some(send) = self.send {
            let first = self.sent.shard.resent.first_sent_at(record);
            (first.unwrap_or(send.first_sent_at), send.sent_at)
        } else {
            let sends = self.sent.of(record);
            (sends.first_at, sends.at)
        };
        let (transfer, batch) = page_parts(&page, effect);
        let mut parts = shared;
        parts.set(Cause::Gathering, first_sent_at.since(record.created_at));
        parts.set(Cause::PutRetries, sent_at.since(first_sent_at));
        parts.set(Cause::Put, record.arrived_at.since(sent_at));
        parts.set(Cause::WaitingForPoll, page.served_at.since(record.arrived_at));
        parts.set(Cause::Transfer, transfer);
        parts.set(Cause::WaitingForBatch, batch);
        Some(parts)
    }

    /// Adds the parts until the page was cut.
    #[inline]
    fn measure(&self, page: &PageRun, place: &mut PlaceCauses, together: &mut Together) {
        let records = self.records;
        let number = count(records);
        let Some(send) = self.send else {
            if !self.sent.requests.is_empty() {
                return self.measure_requests(page, place, together);
            }
            together.sent_once += number;
            together.sent_at_creation += number;
            let ways = records.iter().map(|record| record.arrived_at.since(record.created_at));
            place.mut_of(Cause::Put).record_spread(ways);
            let waits = records.iter().map(|record| page.served_at.since(record.arrived_at));
            place.mut_of(Cause::WaitingForPoll).record_spread(waits);
            return;
        };
        self.measure_sends(send, place, together);
        match records.first() {
            Some(first) if send.together => {
                let arrived_at = first.arrived_at;
                place
                    .mut_of(Cause::Put)
                    .record_many(arrived_at.since(send.sent_at), number);
                place
                    .mut_of(Cause::WaitingForPoll)
                    .record_many(page.served_at.since(arrived_at), number);
            }
            _ => {
                let ways = records.iter().map(|record| record.arrived_at.since(send.sent_at));
                place.mut_of(Cause::Put).record_spread(ways);
                let waits = records.iter().map(|record| page.served_at.since(record.arrived_at));
                place.mut_of(Cause::WaitingForPoll).record_spread(waits);
            }
        }
    }

    /// The same of records in no run, of which each may be of another request.
    fn measure_requests(&self, page: &PageRun, place: &mut PlaceCauses, together: &mut Together) {
        let none = Sends {
            first_at: SimTime::ZERO,
            at: SimTime::ZERO,
        };
        let mut all = [none; TOGETHER];
        for records in self.records.chunks(TOGETHER) {
            for (sends, record) in all.iter_mut().zip(records) {
                *sends = self.sent.of(record);
            }
            let sent = || all.iter().zip(records);
            let gathering = sent().map(|(sends, record)| sends.first_at.since(record.created_at));
            place.mut_of(Cause::Gathering).record_spread(gathering);
            let ways = sent().map(|(sends, record)| record.arrived_at.since(sends.at));
            place.mut_of(Cause::Put).record_spread(ways);
            // Neighbours arrived shortly one after the other.
            place
                .mut_of(Cause::WaitingForPoll)
                .record_batch(page.served_at, records, |record| record.arrived_at);
            let retries = sent().map(|(sends, _)| sends.at.since(sends.first_at));
            for retries in retries.filter(|retries| !retries.is_zero()) {
                place.mut_of(Cause::PutRetries).record_many(retries, 1);
                together.sent_again += 1;
            }
        }
        together.sent_once += count(self.records);
    }

    /// Adds the parts until the records were sent in the request that was stored.
    #[inline]
    fn measure_sends(&self, send: &SendRun, place: &mut PlaceCauses, together: &mut Together) {
        let records = self.records;
        let resent = &self.sent.shard.resent;
        if resent.concerns(records) {
            let first = |record: &Record| resent.first_sent_at(record).unwrap_or(send.first_sent_at);
            let waits = records.iter().map(|record| first(record).since(record.created_at));
            place.mut_of(Cause::Gathering).record_spread(waits);
            let retries = records.iter().map(|record| send.sent_at.since(first(record)));
            return place.mut_of(Cause::PutRetries).record_spread(retries);
        }
        let waits = records.iter().map(|record| send.first_sent_at.since(record.created_at));
        place.mut_of(Cause::Gathering).record_spread(waits);
        let retries = send.sent_at.since(send.first_sent_at);
        if retries.is_zero() {
            together.sent_once += count(records);
        } else {
            place.mut_of(Cause::PutRetries).record_many(retries, count(records));
        }
    }
}
