//! What the library makes of an answer.

use super::Library;
use super::aggregation::{Buffered, length};
use super::shard_map::Placement;
use super::size::count;
use crate::batch::{Batch, BatchId, Envelope, PutCall, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::time::SimTime;
use crate::ids::{ProducerId, ShardIndex};
use crate::observe::fact::{Fact, GiveUpReason, RetryBy};
use crate::record::{Outcome, Record};
use crate::user_records::{LibraryEntry, LibraryRequest};

/// What became of the Kinesis records of a request, as the library sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    stored: u32,
    throttled: u32,
    failed: u32,
    misplaced: u32,
    /// User records that go back to the beginning.
    repeated: u32,
    /// A shard of the map that the answer has shown to be out of date.
    outdated: Option<ShardIndex>,
}

impl Library {
    /// An answer has come, or the library has given up waiting for one.
    pub(super) fn responded(&mut self, me: ProducerId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        if let Envelope::ListShards(call) = batch.envelope {
            return self.shards_listed(me, call, batch, cx);
        }
        let Envelope::Put(
            call @ PutCall {
                library: Some(library), ..
            },
        ) = batch.envelope
        else {
            return cx.fail(Fault::Broken(
                "the library received no answer to a call of its own".to_owned(),
            ));
        };
        let request = match cx.user_records.requests.remove(library.request) {
            Ok(request) => request,
            Err(error) => return cx.fail(Fault::Pool(error)),
        };
        self.busy -= 1;
        self.in_flight -= count(&request.records);
        let mut acknowledged = cx.fresh();
        let mut throttled = Vec::new();
        let answer = if let Some(error) = call.error {
            cx.emit(|| Fact::RequestFailed {
                producer: me,
                error,
                records: length(&batch.records),
            });
            self.failed_whole(&request, error, cx.now(), &mut throttled)
        } else {
            let lists = (&mut acknowledged.records, &mut throttled);
            let answer = self.answered(&batch, &request, cx.now(), lists);
            cx.emit(|| Fact::RequestAnswered {
                producer: me,
                stored: answer.stored,
                throttled: answer.throttled,
                failed: answer.failed,
                misplaced: answer.misplaced,
            });
            answer
        };
        if answer
            .outdated
            .is_some_and(|shard| self.shard_map.invalidate(call.sent_at, shard))
        {
            self.list_shards(me, cx);
        }
        self.state(me, &acknowledged.records, &throttled, answer.repeated, cx);
        cx.recycle(acknowledged);
        cx.recycle(batch);
        self.serve_waiting(me, cx);
        // User records that came meanwhile enter before those that come back now.
        self.take_arrivals(me, cx);
        self.re_enter(me, cx);
        self.plan(me, cx);
    }

    fn state(&self, me: ProducerId, acknowledged: &[Record], throttled: &[Record], repeated: u32, cx: &mut Cx<'_, '_>) {
        if !acknowledged.is_empty() {
            cx.emit(|| Fact::RecordsAcknowledged {
                producer: me,
                records: acknowledged,
            });
        }
        if !throttled.is_empty() {
            cx.emit(|| Fact::RecordsGivenUp {
                producer: me,
                reason: GiveUpReason::Throttled,
                records: throttled,
            });
        }
        if repeated > 0 {
            let at = cx.now() + self.settings.repeat_time();
            cx.emit(|| Fact::RetryScheduled {
                producer: me,
                by: RetryBy::Library,
                at,
                records: repeated,
            });
        }
    }

    /// A call that fails whole fails every record in it, and all are repeated (KDS-KPL-27), unless it was throttled and
    /// the library is told to fail then.
    fn failed_whole(
        &mut self,
        request: &LibraryRequest,
        error: ServiceError,
        now: SimTime,
        throttled: &mut Vec<Record>,
    ) -> Answer {
        let mut answer = Answer::default();
        if self.settings.fail_if_throttled && error == ServiceError::ProvisionedThroughputExceeded {
            throttled.extend_from_slice(&request.records);
            return answer;
        }
        for (record, first_sent_at) in request.records.iter().zip(&request.first_sent_at) {
            answer.repeated += u32::from(self.repeat(*record, *first_sent_at, now));
        }
        answer
    }

    /// An answer entry by entry.
    fn answered(
        &mut self,
        batch: &Batch,
        request: &LibraryRequest,
        now: SimTime,
        (acknowledged, throttled): (&mut Vec<Record>, &mut Vec<Record>),
    ) -> Answer {
        let mut answer = Answer::default();
        let mut members = request.records.iter().zip(&request.first_sent_at);
        for (record, entry) in batch.records.iter().zip(&request.entries) {
            let outcome = record.outcome();
            match outcome {
                Outcome::Accepted => answer.stored += 1,
                Outcome::Throttled => answer.throttled += 1,
                Outcome::Failed => answer.failed += 1,
            }
            let mut misplaced = false;
            for _ in 0..entry.members {
                let Some((member, &first_sent_at)) = members.next() else {
                    break;
                };
                let placement = match outcome {
                    Outcome::Accepted => self.placement(member, entry),
                    Outcome::Throttled | Outcome::Failed => Placement::Right,
                };
                if matches!(placement, Placement::Wrong | Placement::Child { outdated: true }) {
                    answer.outdated = entry.predicted;
                }
                misplaced |= placement == Placement::Wrong;
                if outcome == Outcome::Accepted && placement != Placement::Wrong {
                    acknowledged.push(Record {
                        arrived_at: record.arrived_at,
                        ..*member
                    });
                } else if outcome == Outcome::Throttled && self.settings.fail_if_throttled {
                    throttled.push(*member);
                } else {
                    answer.repeated += u32::from(self.repeat(*member, first_sent_at, now));
                }
            }
            answer.misplaced += u32::from(misplaced);
        }
        answer
    }

    /// Where a user record is that was stored, as far as the library knows (KDS-KPL-28).
    fn placement(&self, member: &Record, entry: &LibraryEntry) -> Placement {
        entry.stored_in.map_or(Placement::Right, |stored| {
            self.shard_map.placement(member.key, entry.predicted, stored)
        })
    }

    /// Sends a user record back to the beginning after an attempt. True unless it has expired.
    fn repeat(&mut self, record: Record, first_sent_at: SimTime, now: SimTime) -> bool {
        let record = Buffered {
            expires_at: record.created_at.saturating_add(self.settings.record_ttl),
            record,
            deadline: now,
            first_sent_at,
            waits_since: now,
        };
        self.waiting += 1;
        self.send_back(record, now)
    }
}
