//! Components by the names that scenario files give them.

use super::Directory;
use crate::ids::{ApplicationId, FunctionId, InvokerId, MappingId, ProducerId, SinkId, StreamId};

impl Directory {
    /// The producer with this name.
    pub fn producer(&self, name: &str) -> Option<ProducerId> {
        self.producers
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The stream with this name.
    pub fn stream(&self, name: &str) -> Option<StreamId> {
        self.streams
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The function with this name.
    pub fn function(&self, name: &str) -> Option<FunctionId> {
        self.functions
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The invoker with this name.
    pub fn invoker(&self, name: &str) -> Option<InvokerId> {
        self.invokers
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The sink with this name.
    pub fn sink(&self, name: &str) -> Option<SinkId> {
        self.sinks
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }

    /// The mapping with this name.
    pub fn mapping(&self, name: &str) -> Option<MappingId> {
        self.mappings
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
    /// The application with this name.
    pub fn application(&self, name: &str) -> Option<ApplicationId> {
        self.applications
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }
}
