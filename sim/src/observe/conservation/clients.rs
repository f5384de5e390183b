//! A producer's records one by one: created in order without a gap, and settled once.

use super::{Component, Conservation, Fact, Ledger, Record, SimTime, Term, len, to_usize};
use crate::ids::ProducerId;
use crate::observe::ordinals::{Inserted, Ordinals};

/// Which ordinals clients have been handed, and which they are done with.
#[derive(Clone, Debug)]
pub(super) struct ClientOrdinals {
    produced: Vec<u32>,
    settled: Ordinals,
}

impl ClientOrdinals {
    pub(super) fn new(keys: usize) -> Self {
        Self {
            produced: vec![0; keys],
            settled: Ordinals::new(keys),
        }
    }
}

impl Conservation {
    /// Facts about the records of a client.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of a few facts")]
    pub(super) fn producer(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RecordsProduced { producer, records } => {
                self.producers[producer].produced += len(records);
                self.check_created(now, producer, records);
            }
            Fact::RecordsAcknowledged { producer, records } => {
                self.producers[producer].acknowledged += len(records);
                self.check_settled(now, producer, records);
            }
            Fact::RecordsGivenUp { producer, records, .. } => {
                self.producers[producer].given_up += len(records);
                self.check_settled(now, producer, records);
            }
            _ => {}
        }
    }

    fn check_created(&mut self, now: SimTime, producer: ProducerId, records: &[Record]) {
        let Some(ordinals) = &mut self.ordinals else { return };
        for record in records {
            let next = &mut ordinals.produced[to_usize(record.key.0)];
            let expected = *next;
            *next += 1;
            if record.ordinal != expected {
                let culprit = self.culprit("A producer numbers the records of a key without a gap.", Some(record));
                return self.violate(
                    now,
                    Ledger::Identity,
                    &[Component::Producer(producer)],
                    vec![Term::new("ordinal created", record.ordinal)],
                    vec![Term::new("next of its key", expected)],
                    culprit,
                );
            }
        }
    }

    fn check_settled(&mut self, now: SimTime, producer: ProducerId, records: &[Record]) {
        let Some(ordinals) = &mut self.ordinals else { return };
        for record in records {
            let again = ordinals.settled.insert(record.key, record.ordinal) == Inserted::Again;
            if again || record.ordinal >= ordinals.produced[to_usize(record.key.0)] {
                let what = if again {
                    "The client was done with it before."
                } else {
                    "The client was never handed it."
                };
                let culprit = self.culprit(what, Some(record));
                return self.violate(
                    now,
                    Ledger::Identity,
                    &[Component::Producer(producer), self.target(producer)],
                    vec![Term::new(
                        "times that the client acknowledged it or gave it up",
                        1 + i32::from(again),
                    )],
                    vec![Term::new("times that it was produced", i32::from(again))],
                    culprit,
                );
            }
        }
    }
}
