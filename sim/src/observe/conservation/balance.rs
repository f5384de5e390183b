//! The equations: what is compared at a check.

use super::{
    AHEAD_NANOS, Arrivals, Client, Component, Conservation, Culprit, FunctionId, Holdings, Ledger, LogHoldings,
    ReaderHoldings, ReaderId, SimTime, Term, signed, to_usize,
};
use crate::ids::StreamId;

impl Conservation {
    pub(super) fn check_producers(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.producers {
            let Client {
                produced,
                acknowledged,
                given_up,
            } = self.producers[held.producer];
            if produced != acknowledged + given_up + held.waiting + held.in_flight {
                self.violate(
                    now,
                    Ledger::Producer,
                    &[Component::Producer(held.producer), self.target(held.producer)],
                    vec![Term::new("produced", produced)],
                    vec![
                        Term::new("acknowledged", acknowledged),
                        Term::new("given up", given_up),
                        Term::new("waiting in the client", held.waiting),
                        Term::new("in flight", held.in_flight),
                    ],
                    None,
                );
            }
        }
    }

    pub(super) fn check_logs(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.logs {
            let LogHoldings {
                stream,
                shard,
                next_position,
                retained,
                trimmed,
            } = *held;
            let accepted = self.streams[stream].shards.get(to_usize(shard.0)).copied().unwrap_or(0);
            if accepted != retained + trimmed || accepted != next_position {
                self.violate(
                    now,
                    Ledger::Log,
                    &[Component::Stream(stream)],
                    vec![Term::new("accepted", accepted)],
                    vec![Term::new("retained", retained), Term::new("trimmed", trimmed)],
                    Some(Culprit {
                        what: format!("{shard}: the next free position is {next_position}."),
                        record: None,
                    }),
                );
            }
        }
        for stream in self.streams.ids() {
            self.check_tallies(stream, now);
        }
    }

    /// The shards' tallies and the records' own outcomes tell the same.
    fn check_tallies(&mut self, stream: StreamId, now: SimTime) {
        let stored = &self.streams[stream];
        let (by_shard, by_record) = (stored.shards.iter().sum::<u64>(), stored.arrivals.records);
        if by_shard != by_record {
            self.violate(
                now,
                Ledger::Identity,
                &[Component::Stream(stream)],
                vec![Term::new("accepted by the shards' tallies", by_shard)],
                vec![Term::new("accepted by the records' outcomes", by_record)],
                None,
            );
        }
    }

    pub(super) fn check_readers(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.readers {
            let ReaderHoldings {
                reader,
                stream,
                shard,
                start,
                cursor,
                in_flight,
            } = *held;
            let stored = self.streams[stream].shards.get(to_usize(shard.0)).copied().unwrap_or(0);
            let component = self.directory.readers[reader].component;
            let reader = self.readers[reader].shard(shard);
            reader.starts_at(start);
            let (left, right) = (
                vec![Term::new("accepted since its start", signed_difference(stored, start))],
                vec![
                    Term::new("acknowledged once", reader.acknowledged),
                    Term::new("discarded", reader.discarded),
                    Term::new("dead-lettered", reader.dead_lettered),
                    Term::new("filtered out", reader.filtered_out),
                    Term::new("expired unread", reader.expired_unread),
                    Term::new("expired before a retry", reader.expired_in_retry),
                    Term::new("in flight", in_flight),
                    Term::new("unread", signed_difference(stored, cursor)),
                ],
            );
            let total = |terms: &[Term]| terms.iter().map(|term| term.value).sum::<i128>();
            if total(&left) == total(&right) && cursor <= reader.read_until {
                continue;
            }
            let what = format!(
                "{shard}: the cursor is {cursor}, positions up to {} were read, the lowest not done is {}, {} were \
                 acknowledged again.",
                reader.read_until,
                reader.first_missing(),
                reader.acknowledged_again
            );
            let about = [component, Component::Stream(stream)];
            let culprit = Some(Culprit { what, record: None });
            self.violate(now, Ledger::Reader, &about, left, right, culprit);
        }
    }

    /// Little's law for invocations: each integral of concurrency is the sum of the invocations' times.
    pub(super) fn check_invocation_time(&mut self, now: SimTime) {
        let functions: Vec<FunctionId> = self.functions.ids().collect();
        for function in functions {
            let (area, ended, running) = self.functions[function].sides(now);
            if area != ended + running {
                self.violate(
                    now,
                    Ledger::InvocationTime,
                    &[Component::Function(function)],
                    vec![Term::new("integral of concurrency (ns)", signed(area))],
                    vec![
                        Term::new("times of those that ended (ns)", signed(ended)),
                        Term::new("times so far of those in progress (ns)", signed(running)),
                    ],
                    None,
                );
            }
        }
    }

    /// Little's law for the backlog of each reader: the integral of (stored - done) is the time from arrival to that,
    /// as the records tell it that the function got, plus the times so far of the records in flight and unread.
    ///
    /// What is unread no reader has seen, so its time is what is left; it lies between nothing and the whole run for each
    /// record, and is nothing when all is read.
    pub(super) fn check_backlog_time(&mut self, now: SimTime) {
        let readers: Vec<ReaderId> = self.readers.ids().collect();
        for reader in readers {
            let stream = self.directory.readers[reader].stream;
            let (stored, reading) = (&self.streams[stream], &self.readers[reader]);
            if reading.expired || reading.shards.iter().any(|reader| reader.start > 0) {
                continue;
            }
            let area = signed(stored.count.until(now)) - stored.ahead - signed(reading.done.until(now));
            let in_flight = reading.read.without(reading.done_arrivals);
            let (in_flight_records, in_flight_time) = backlog(in_flight, now);
            let (unread_records, _) = backlog(stored.arrivals.without(reading.read), now);
            let unread_time = area - reading.waited - in_flight_time;
            let plausible = |records: i128, time: i128| {
                records >= 0
                    && time <= records * i128::from(now.as_nanos())
                    && time >= -records * i128::from(AHEAD_NANOS)
            };
            if plausible(in_flight_records, in_flight_time) && plausible(unread_records, unread_time) {
                continue;
            }
            let waited = reading.waited;
            let what = format!(
                "{in_flight_records} records are in flight and {unread_records} unread, which leaves {unread_time} ns of \
                 waiting to these."
            );
            self.violate(
                now,
                Ledger::BacklogTime,
                &[self.directory.readers[reader].component, Component::Stream(stream)],
                vec![Term::new("integral of the backlog (ns)", area)],
                vec![
                    Term::new("from arrival to acknowledgement (ns)", waited),
                    Term::new("so far of those in flight (ns)", in_flight_time),
                ],
                Some(Culprit { what, record: None }),
            );
        }
    }
}

fn signed_difference(whole: u64, part: u64) -> i128 {
    i128::from(whole) - i128::from(part)
}

/// Number and time so far; a negative number if more came out than went in.
fn backlog(records: Option<Arrivals>, now: SimTime) -> (i128, i128) {
    records.map_or((-1, 0), |records| {
        (i128::from(records.records), records.time_until(now))
    })
}
