//! Which registered consumers a stream has or may get, and who reads as them.

use super::{ApplicationEntry, MappingEntry};
use crate::blueprint::{Blueprint, Retrieval};
use crate::engine::index::{Idx, IndexVec};
use crate::ids::{ApplicationId, MappingId, ReaderId};
use std::collections::BTreeMap;

/// A registered consumer of a stream (KDS-EFO).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerEntry {
    /// Its name, which no other consumer of the stream has.
    pub name: String,
    /// Who reads as this consumer, if anybody.
    pub reader: Option<ReaderId>,
    /// It is ACTIVE when the run starts.
    pub registered: bool,
}

/// The consumers of a stream: those that are declared, those that mappings name, and those of applications that are pushed
/// to, which have the application's name and are registered by it (KDS-EFO-19).
pub(super) fn consumers(
    blueprint: &Blueprint,
    stream: &str,
    mappings: &IndexVec<MappingId, MappingEntry>,
    applications: &IndexVec<ApplicationId, ApplicationEntry>,
) -> Vec<ConsumerEntry> {
    let mut found = BTreeMap::new();
    for consumer in blueprint.consumers.iter().filter(|consumer| consumer.stream == stream) {
        found.insert(consumer.name.clone(), (None, consumer.registered));
    }
    for mapping in blueprint.mappings.iter().filter(|mapping| mapping.stream == stream) {
        let id = mappings.iter_enumerated().find(|(_, entry)| entry.name == mapping.name);
        if let (Some(name), Some((id, _))) = (&mapping.consumer, id) {
            found.entry(name.clone()).or_insert((None, true)).0 = Some(id.into());
        }
    }
    for application in blueprint.applications.iter().filter(|found| found.stream == stream) {
        let id = applications
            .iter_enumerated()
            .find(|(_, entry)| entry.name == application.name);
        if let (Retrieval::FanOut, Some((id, _))) = (application.retrieval, id) {
            let reader = ReaderId::from_index(mappings.len() + id.index());
            found.entry(application.name.clone()).or_insert((None, false)).0 = Some(reader);
        }
    }
    found
        .into_iter()
        .map(|(name, (reader, registered))| ConsumerEntry {
            name,
            reader,
            registered,
        })
        .collect()
}
