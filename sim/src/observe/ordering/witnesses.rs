//! Witnesses: how the first case of an anomaly is shown.

use super::Delivery;
use super::causes::{Causes, head};
use super::point::Irregular;
use crate::directory::{Component, Directory};
use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::ids::ProcessorId;
use crate::key::KeyTable;
use crate::observe::recent::Recent;
use crate::observe::verdict::{Anomaly, Cause, Sighting, Witness};
use crate::record::Record;

/// The sink of the processor, or the processor itself.
pub(super) fn place_name(directory: &Directory, processor: ProcessorId) -> String {
    match directory.processors.get(processor).and_then(|entry| entry.sink) {
        Some(sink) => directory.label(Component::Sink(sink)),
        None => directory.processor_label(processor),
    }
}

pub(super) const fn unseen(ordinal: u32) -> Sighting {
    Sighting {
        ordinal,
        created_at: None,
        arrived_at: None,
        delivered_at: None,
    }
}

/// What a witness can draw on while a batch is examined.
pub(super) struct Context<'c> {
    pub(super) now: SimTime,
    pub(super) processor: ProcessorId,
    pub(super) records: &'c [Record],
    pub(super) causes: &'c Causes,
    pub(super) directory: &'c Directory,
    pub(super) keys: &'c KeyTable,
    pub(super) deliveries: &'c Recent<Delivery, 64>,
}

impl Context<'_> {
    #[cold]
    pub(super) fn never_accepted(&self, record: &Record) -> String {
        format!(
            "record {} of key {} took effect at {} at {}, but no stream has accepted it",
            record.ordinal,
            self.keys.text(record.key),
            place_name(self.directory, self.processor),
            self.now
        )
    }

    #[cold]
    pub(super) fn witness(&self, anomaly: Anomaly, irregular: Irregular, record: &Record) -> Witness {
        let seen = Sighting {
            ordinal: record.ordinal,
            created_at: Some(record.created_at),
            arrived_at: Some(record.arrived_at),
            delivered_at: Some(self.now),
        };
        let key = self.keys.text(record.key);
        let of_batch = || self.causes.of_batch(self.processor, self.records, self.directory);
        let of_record = || self.causes.of_record(record);
        let (record, other, cause) = match irregular {
            Irregular::Late { overtaker, .. } => {
                let later = overtaker.map(|overtaker| Sighting {
                    ordinal: overtaker.ordinal,
                    created_at: Some(overtaker.created_at),
                    arrived_at: Some(overtaker.arrived_at),
                    delivered_at: Some(overtaker.delivered_at),
                });
                let overtaken = overtaker
                    .filter(|overtaker| overtaker.arrived_at < record.arrived_at)
                    .map(|overtaker| Cause::Overtaken {
                        later_stored_at: overtaker.arrived_at,
                    });
                (Some(seen), later, of_record().or_else(of_batch).or(overtaken))
            }
            Irregular::Skipping { first } => (first.map(unseen), Some(seen), None),
            Irregular::Again | Irregular::NeverAccepted => {
                let first = self.first_delivery().map(|at| Sighting {
                    delivered_at: Some(at),
                    ..seen
                });
                (Some(seen), first, of_batch().or_else(of_record))
            }
        };
        Witness {
            anomaly,
            place: place_name(self.directory, self.processor),
            key,
            record,
            other,
            cause,
            cases: 0,
        }
    }

    /// When the same batch took effect before, if that was lately.
    fn first_delivery(&self) -> Option<SimTime> {
        let first = head(self.records)?;
        self.deliveries
            .iter()
            .find(|delivery| delivery.first == first && delivery.records == to_u32(self.records.len()))
            .map(|delivery| delivery.at)
    }
}
