//! Notes of what may bring a record late or again. Consulted only for the first case of an anomaly.

use crate::batch::InvocationOutcome;
use crate::directory::Directory;
use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::ids::{FunctionId, MappingId, ShardIndex};
use crate::observe::fact::{Fact, RetryBy};
use crate::observe::recent::Recent;
use crate::observe::verdict::Cause;
use crate::record::{KeyId, Record};

/// A record that was sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct SentAgain {
    at: SimTime,
    key: KeyId,
    ordinal: u32,
    attempt: u32,
    resends: u32,
}

/// A batch that was invoked again; its first record and its length stand for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct DispatchedAgain {
    at: SimTime,
    mapping: MappingId,
    function: FunctionId,
    lane: (ShardIndex, u16),
    attempts_before: u32,
    first: (KeyId, u32),
    records: u32,
}

/// A batch that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Failed {
    at: SimTime,
    mapping: MappingId,
    lane: (ShardIndex, u16),
    outcome: InvocationOutcome,
}

/// The notes. Memory is constant: about 130 KiB once records are sent again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Causes {
    sent_again: Recent<SentAgain, 4_096>,
    dispatched_again: Recent<DispatchedAgain, 256>,
    failed: Recent<Failed, 256>,
}

/// The identity that stands for a batch.
pub(super) fn head(records: &[Record]) -> Option<(KeyId, u32)> {
    records.first().map(|record| (record.key, record.ordinal))
}

impl Causes {
    pub(super) fn request_sent(&mut self, now: SimTime, records: &[Record], attempt: u32, resends: u32) {
        for record in records {
            self.sent_again.push(SentAgain {
                at: now,
                key: record.key,
                ordinal: record.ordinal,
                attempt,
                resends,
            });
        }
    }

    /// Takes note of a failed batch or of one that is invoked again.
    pub(super) fn batch(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::BatchFailed {
            mapping,
            shard,
            lane,
            outcome,
            ..
        } = *fact
        {
            self.failed.push(Failed {
                at: now,
                mapping,
                lane: (shard, lane),
                outcome,
            });
        }
        if let Fact::BatchDispatched {
            mapping,
            function,
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
                mapping,
                function,
                lane: (shard, lane),
                attempts_before,
                first,
                records: to_u32(records.len()),
            });
        }
    }

    /// Why the client sent the record again, if it did lately.
    pub(super) fn of_record(&self, record: &Record) -> Option<Cause> {
        self.sent_again
            .iter()
            .rev()
            .find(|note| note.key == record.key && note.ordinal == record.ordinal)
            .map(|note| Cause::SentAgain {
                by: if note.attempt > 1 {
                    RetryBy::Sdk
                } else {
                    RetryBy::Application
                },
                at: note.at,
                sends_before: note.attempt - 1 + note.resends,
            })
    }

    /// Why the batch was invoked again, if it was lately.
    pub(super) fn of_batch(&self, function: FunctionId, records: &[Record], directory: &Directory) -> Option<Cause> {
        let first = head(records)?;
        let again =
            self.dispatched_again.iter().rev().find(|note| {
                note.function == function && note.first == first && note.records == to_u32(records.len())
            })?;
        let failed = self
            .failed
            .iter()
            .rev()
            .find(|note| note.mapping == again.mapping && note.lane == again.lane && note.at <= again.at);
        Some(Cause::DispatchedAgain {
            mapping: mapping_name(directory, again.mapping),
            at: again.at,
            attempts_before: again.attempts_before,
            failed: failed.map(|note| (note.outcome, note.at)),
        })
    }
}

/// What made records unreachable for a reader.
pub(super) fn loss(now: SimTime, fact: &Fact<'_>, directory: &Directory) -> Option<Cause> {
    if let Fact::RecordsDiscarded { mapping, .. } = *fact {
        let mapping = mapping_name(directory, mapping);
        return Some(Cause::TooLarge { mapping, at: now });
    }
    let (Fact::RecordsExpiredUnread {
        mapping,
        shard,
        first_position,
        count,
    }
    | Fact::RecordsExpiredInRetry {
        mapping,
        shard,
        first_position,
        count,
    }) = *fact
    else {
        return None;
    };
    let in_retry = matches!(fact, Fact::RecordsExpiredInRetry { .. });
    Some(Cause::Expired {
        mapping: mapping_name(directory, mapping),
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

/// The mapping's name in the scenario.
fn mapping_name(directory: &Directory, mapping: MappingId) -> String {
    directory
        .mappings
        .get(mapping)
        .map_or_else(String::new, |entry| entry.name.clone())
}
