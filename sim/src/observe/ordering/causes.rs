//! Notes of what may bring a record late or again. Consulted only for the first case of an anomaly.

use crate::batch::InvocationOutcome;
use crate::directory::Directory;
use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::ids::{ProcessorId, ReaderId, ShardIndex};
use crate::observe::fact::{DiscardReason, Fact, RetryBy};
use crate::observe::recent::Recent;
use crate::observe::verdict::Cause;
use crate::record::{KeyId, Record};

/// A request whose records had been sent before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct SentAgain {
    at: SimTime,
    by: RetryBy,
    sends_before: u32,
    /// How many records had been sent again when it was, its own included.
    records_by_then: u64,
}

/// The last records that were sent again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Repeated {
    /// A ring: the n-th one stands at n mod `RECORDS`.
    records: Vec<u64>,
    /// How many there have been.
    count: u64,
    requests: Recent<SentAgain, RECORDS>,
}

/// Records of which it is known when they were sent again.
const RECORDS: usize = 4_096;

/// A batch that was invoked again; its first record and its length stand for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct DispatchedAgain {
    at: SimTime,
    reader: ReaderId,
    processor: ProcessorId,
    lane: (ShardIndex, u16),
    attempts_before: u32,
    first: (KeyId, u32),
    records: u32,
}

/// A batch that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Failed {
    at: SimTime,
    reader: ReaderId,
    lane: (ShardIndex, u16),
    outcome: InvocationOutcome,
}

/// The notes. Memory is constant: up to 130 KiB once records are sent again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Causes {
    repeated: Repeated,
    dispatched_again: Recent<DispatchedAgain, 256>,
    failed: Recent<Failed, 256>,
}

/// The identity that stands for a batch.
pub(super) fn head(records: &[Record]) -> Option<(KeyId, u32)> {
    records.first().map(|record| (record.key, record.ordinal))
}

impl Repeated {
    fn push(&mut self, now: SimTime, records: &[Record], by: RetryBy, sends_before: u32) {
        self.records.resize(RECORDS, 0);
        let forgotten = records.len().saturating_sub(RECORDS);
        let (early, late) = self
            .records
            .split_at_mut(slot(self.count + u64::from(to_u32(forgotten))));
        let (first, second) = records[forgotten..].split_at(late.len().min(records.len() - forgotten));
        note(late, first);
        note(early, second);
        self.count += u64::from(to_u32(records.len()));
        self.requests.push(SentAgain {
            at: now,
            by,
            sends_before,
            records_by_then: self.count,
        });
    }
    /// The last request that sent the record again.
    fn last_of(&self, record: &Record) -> Option<&SentAgain> {
        let oldest = self.count.saturating_sub(u64::from(to_u32(RECORDS)));
        let number = (oldest..self.count)
            .rev()
            .find(|number| self.records.get(slot(*number)) == Some(&identity(record)))?;
        self.requests.iter().find(|request| request.records_by_then > number)
    }
}

/// Key and ordinal in one word, in the order in which they stand in memory.
#[inline]
fn identity(record: &Record) -> u64 {
    u64::from(record.ordinal) << 32 | u64::from(record.key.0)
}

#[inline]
fn note(slots: &mut [u64], records: &[Record]) {
    for (slot, record) in slots.iter_mut().zip(records) {
        *slot = identity(record);
    }
}

/// Where the record with this number stands.
fn slot(number: u64) -> usize {
    usize::try_from(number % u64::from(to_u32(RECORDS))).unwrap_or(0)
}

impl Causes {
    pub(super) fn request_sent(&mut self, now: SimTime, records: &[Record], attempt: u32, resends: u32) {
        let by = if attempt > 1 {
            RetryBy::Sdk
        } else {
            RetryBy::Application
        };
        self.repeated.push(now, records, by, attempt - 1 + resends);
    }
    /// The Kinesis Producer Library sends user records; some of them it has sent before.
    pub(super) fn user_records_sent(&mut self, now: SimTime, records: &[Record]) {
        for run in records.chunk_by(|one, next| one.attempt() == next.attempt()) {
            if let Some(attempts @ 2..) = run.first().map(Record::attempt) {
                self.repeated.push(now, run, RetryBy::Library, attempts - 1);
            }
        }
    }

    /// Takes note of a failed batch or of one that is invoked again.
    pub(super) fn batch(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::BatchFailed {
            reader,
            shard,
            lane,
            outcome,
            ..
        } = *fact
        {
            self.failed.push(Failed {
                at: now,
                reader,
                lane: (shard, lane),
                outcome,
            });
        }
        if let Fact::BatchDispatched {
            reader,
            processor,
            shard,
            lane,
            records,
            attempts_before: attempts_before @ 1..,
            ..
        } = *fact
            && let Some(first) = head(records)
        {
            self.dispatched_again.push(DispatchedAgain {
                at: now,
                reader,
                processor,
                lane: (shard, lane),
                attempts_before,
                first,
                records: to_u32(records.len()),
            });
        }
    }

    /// Why the client sent the record again, if it did lately.
    pub(super) fn of_record(&self, record: &Record) -> Option<Cause> {
        self.repeated.last_of(record).map(|note| Cause::SentAgain {
            by: note.by,
            at: note.at,
            sends_before: note.sends_before,
        })
    }

    /// Why the batch was invoked again, if it was lately.
    pub(super) fn of_batch(&self, processor: ProcessorId, records: &[Record], directory: &Directory) -> Option<Cause> {
        let first = head(records)?;
        let again =
            self.dispatched_again.iter().rev().find(|note| {
                note.processor == processor && note.first == first && note.records == to_u32(records.len())
            })?;
        let failed = self
            .failed
            .iter()
            .rev()
            .find(|note| note.reader == again.reader && note.lane == again.lane && note.at <= again.at);
        Some(Cause::DispatchedAgain {
            reader: directory.reader_label(again.reader),
            at: again.at,
            attempts_before: again.attempts_before,
            failed: failed.map(|note| (note.outcome, note.at)),
        })
    }
}

/// What made records unreachable for a reader.
pub(super) fn loss(now: SimTime, fact: &Fact<'_>, directory: &Directory) -> Option<Cause> {
    if let Fact::RecordsDiscarded {
        reader,
        reason,
        remains,
        ..
    } = *fact
    {
        let reader = directory.reader_label(reader);
        return Some(if reason == DiscardReason::ProcessingFailed {
            Cause::Skipped { reader, at: now }
        } else {
            Cause::GivenUp {
                reader,
                at: now,
                why: format!("{}{}", reason.why(), remains.then()),
            }
        });
    }
    let (Fact::RecordsExpiredUnread {
        reader,
        shard,
        first_position,
        count,
    }
    | Fact::RecordsExpiredInRetry {
        reader,
        shard,
        first_position,
        count,
    }) = *fact
    else {
        return None;
    };
    let in_retry = matches!(fact, Fact::RecordsExpiredInRetry { .. });
    Some(Cause::Expired {
        reader: directory.reader_label(reader),
        shard: shard.to_string(),
        first_position,
        count,
        at: now,
        in_retry,
    })
}

/// The first record that a mapping discarded.
pub(super) fn discarded<'f>(fact: &Fact<'f>) -> Option<&'f Record> {
    if let Fact::RecordsDiscarded { records, .. } = *fact {
        records.first()
    } else {
        None
    }
}
