//! Names of the components by id, and who is connected to whom: what an observer may know of a world.

use crate::blueprint::{Blueprint, PutApi};
use crate::engine::index::{Idx, IndexVec};
use crate::ids::{FunctionId, MappingId, ProducerId, ReaderId, SinkId, StreamId};
use core::fmt;

/// The components of a world.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory {
    /// Producers.
    pub producers: IndexVec<ProducerId, ProducerEntry>,
    /// Streams.
    pub streams: IndexVec<StreamId, StreamEntry>,
    /// Event source mappings.
    pub mappings: IndexVec<MappingId, MappingEntry>,
    /// Whoever reads a stream: the mappings.
    pub readers: IndexVec<ReaderId, ReaderEntry>,
    /// Functions.
    pub functions: IndexVec<FunctionId, FunctionEntry>,
    /// Sinks.
    pub sinks: IndexVec<SinkId, SinkEntry>,
}

/// A producer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Where it writes.
    pub target: StreamId,
    /// The API that carries its records.
    pub api: PutApi,
    /// The Kinesis Producer Library is its client.
    pub library: bool,
}

/// A stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Shards at the start.
    pub shards: u32,
}

/// An event source mapping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingEntry {
    /// Its name in the scenario.
    pub name: String,
    /// What it reads.
    pub stream: StreamId,
    /// What it invokes.
    pub function: FunctionId,
}

/// A reader of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderEntry {
    /// What it is.
    pub component: Component,
    /// What it reads.
    pub stream: StreamId,
    /// What processes its batches.
    pub function: FunctionId,
}

/// A function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Where it writes, if anywhere.
    pub sink: Option<SinkId>,
}

/// A sink.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkEntry {
    /// Its name in the scenario.
    pub name: String,
}

/// A component of any kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Component {
    /// A producer.
    Producer(ProducerId),
    /// A stream.
    Stream(StreamId),
    /// An event source mapping.
    Mapping(MappingId),
    /// A function.
    Function(FunctionId),
    /// A sink.
    Sink(SinkId),
}

/// A reference in a blueprint that names no component.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownReference {
    /// Who refers.
    pub from: String,
    /// To what.
    pub to: String,
}
impl fmt::Display for UnknownReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refers to {}, which does not exist", self.from, self.to)
    }
}
impl core::error::Error for UnknownReference {}

impl Directory {
    /// The components of a blueprint; ids follow the sorted names of a kind. Fails at the first reference to nothing.
    pub fn of(blueprint: &Blueprint) -> Result<Self, UnknownReference> {
        let streams = sorted(blueprint.streams.iter(), |stream| &stream.name);
        let functions = sorted(blueprint.functions.iter(), |function| &function.name);
        let sinks = sorted(blueprint.sinks.iter(), |sink| &sink.name);
        let stream_names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
        let function_names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
        let sink_names: Vec<&str> = sinks.iter().map(|sink| sink.name.as_str()).collect();
        let mappings: IndexVec<MappingId, MappingEntry> = sorted(blueprint.mappings.iter(), |mapping| &mapping.name)
            .into_iter()
            .map(|mapping| {
                Ok(MappingEntry {
                    name: mapping.name.clone(),
                    stream: find(&stream_names, &mapping.stream, &mapping.name)?,
                    function: find(&function_names, &mapping.function, &mapping.name)?,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            producers: sorted(blueprint.producers.iter(), |producer| &producer.name)
                .into_iter()
                .map(|producer| {
                    Ok(ProducerEntry {
                        name: producer.name.clone(),
                        target: find(&stream_names, &producer.target, &producer.name)?,
                        api: producer.api,
                        library: producer.library.is_some(),
                    })
                })
                .collect::<Result<_, _>>()?,
            streams: streams
                .iter()
                .map(|stream| StreamEntry {
                    name: stream.name.clone(),
                    shards: stream.shard_count,
                })
                .collect(),
            readers: readers(&mappings),
            mappings,
            functions: functions
                .iter()
                .map(|function| {
                    Ok(FunctionEntry {
                        name: function.name.clone(),
                        sink: function
                            .sink
                            .as_ref()
                            .map(|sink| find(&sink_names, sink, &function.name))
                            .transpose()?,
                    })
                })
                .collect::<Result<_, _>>()?,
            sinks: sinks
                .iter()
                .map(|sink| SinkEntry {
                    name: sink.name.clone(),
                })
                .collect(),
        })
    }

    /// The reader as scenario files refer to it: `mapping.enrich`.
    pub fn reader_label(&self, reader: ReaderId) -> String {
        self.readers
            .get(reader)
            .map_or_else(|| "?".to_owned(), |entry| self.label(entry.component))
    }
    /// The component as scenario files refer to it: `stream.clicks`.
    pub fn label(&self, component: Component) -> String {
        let (kind, name) = match component {
            Component::Producer(id) => ("producer", self.producers.get(id).map(|entry| &entry.name)),
            Component::Stream(id) => ("stream", self.streams.get(id).map(|entry| &entry.name)),
            Component::Mapping(id) => ("mapping", self.mappings.get(id).map(|entry| &entry.name)),
            Component::Function(id) => ("function", self.functions.get(id).map(|entry| &entry.name)),
            Component::Sink(id) => ("sink", self.sinks.get(id).map(|entry| &entry.name)),
        };
        format!("{kind}.{}", name.map_or("?", String::as_str))
    }

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
    /// The sink with this name.
    pub fn sink(&self, name: &str) -> Option<SinkId> {
        self.sinks
            .iter_enumerated()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }

    /// Mappings that invoke the function.
    pub fn mappings_of(&self, function: FunctionId) -> impl Iterator<Item = (MappingId, &MappingEntry)> {
        self.mappings
            .iter_enumerated()
            .filter(move |(_, mapping)| mapping.function == function)
    }
}

/// The readers, in order of id.
pub(crate) fn readers(mappings: &IndexVec<MappingId, MappingEntry>) -> IndexVec<ReaderId, ReaderEntry> {
    mappings
        .iter_enumerated()
        .map(|(id, mapping)| ReaderEntry {
            component: Component::Mapping(id),
            stream: mapping.stream,
            function: mapping.function,
        })
        .collect()
}

fn sorted<'b, T>(items: impl Iterator<Item = &'b T>, name: impl Fn(&T) -> &String) -> Vec<&'b T> {
    let mut all: Vec<&T> = items.collect();
    all.sort_by(|one, other| name(one).cmp(name(other)));
    all
}

fn find<I: Idx>(names: &[&str], wanted: &str, from: &str) -> Result<I, UnknownReference> {
    names
        .binary_search(&wanted)
        .map(I::from_index)
        .map_err(|_| UnknownReference {
            from: from.to_owned(),
            to: wanted.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{CapacityMode, StreamBlueprint};
    use crate::engine::time::SimDuration;

    #[test]
    fn ids_follow_the_sorted_names() {
        let stream = |name: &str| StreamBlueprint {
            name: name.to_owned(),
            shard_count: 1,
            retention_hours: 24,
            max_record_size_kib: 1_024,
            mode: CapacityMode::Provisioned,
            warm_throughput_mib: 0,
        };
        let mut blueprint = Blueprint::empty(1, SimDuration::SECOND);
        blueprint.streams = vec![stream("views"), stream("clicks")];
        let directory = Directory::of(&blueprint).expect("there are no references");
        assert_eq!(directory.label(Component::Stream(StreamId(0))), "stream.clicks");
        assert_eq!(directory.label(Component::Stream(StreamId(1))), "stream.views");
        assert_eq!(directory.label(Component::Sink(SinkId(0))), "sink.?");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let error = find::<StreamId>(&["clicks"], "click", "web").expect_err("there is no such stream");
        assert_eq!(error.to_string(), "web refers to click, which does not exist");
    }
}
