//! What stands between a producer's records and its stream: the AWS SDK, or the Kinesis Producer Library on top of it.

use super::library::{Library, LibrarySetting};
use super::{ClientHoldings, Event, Producer};
use crate::blueprint::ProducerBlueprint;
use crate::context::Cx;
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::ids::ProducerId;
use crate::services::ServiceBuildError;

/// A producer with either client.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "producers are few, and most of them are of the large kind; a box would cost each of their events a jump"
)]
pub enum Client {
    /// It calls the SDK itself.
    Sdk(Producer),
    /// It hands its records to the Kinesis Producer Library.
    Library(Box<Library>),
}

impl Client {
    /// A producer at the start of its life.
    pub fn new(
        blueprint: &ProducerBlueprint,
        setting: LibrarySetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        Ok(match &blueprint.library {
            None => Self::Sdk(Producer::new(
                blueprint,
                setting.target,
                setting.keys,
                setting.range,
                setting.model,
                streams,
            )?),
            Some(library) => Self::Library(Box::new(Library::new(blueprint, *library, setting, streams)?)),
        })
    }
    /// Schedules its first event.
    pub fn start(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        match self {
            Self::Sdk(producer) => producer.start(me, cx),
            Self::Library(library) => library.start(me, cx),
        }
    }
    /// Reacts to an event.
    #[inline]
    pub fn handle(&mut self, me: ProducerId, event: Event, cx: &mut Cx<'_, '_>) {
        match self {
            Self::Sdk(producer) => producer.handle(me, event, cx),
            Self::Library(library) => library.handle(me, event, cx),
        }
    }
    /// Multiplies the configured rate from now on.
    pub fn scale_load(&mut self, me: ProducerId, factor: Ratio, cx: &mut Cx<'_, '_>) {
        match self {
            Self::Sdk(producer) => producer.scale_load(me, factor, cx),
            Self::Library(library) => library.scale_load(me, factor, cx),
        }
    }
    /// What the client holds now, in records of the producer.
    pub fn holdings(&self, now: crate::engine::time::SimTime) -> ClientHoldings {
        match self {
            Self::Sdk(producer) => producer.holdings(now),
            Self::Library(library) => library.holdings(now),
        }
    }
    /// Bytes of memory that waiting records take.
    pub fn memory(&self) -> u64 {
        match self {
            Self::Sdk(producer) => producer.memory(),
            Self::Library(library) => library.memory(),
        }
    }
    /// Draws on the producer's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        let (sdk, library) = match self {
            Self::Sdk(producer) => (Some(producer.draws()), None),
            Self::Library(library) => (None, Some(library.draws())),
        };
        sdk.into_iter().flatten().chain(library.into_iter().flatten())
    }
}
