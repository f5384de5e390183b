//! Registered consumers, and how many a stream may have.

use super::Lowering;
use super::application::retrieval;
use crate::codes::Code;
use crate::fields::Fields;
use crate::schema::Kind;
use crate::source::Place;
use sim::blueprint::{Blueprint, CapacityMode, ConsumerBlueprint, Retrieval};
use sim::services::kinesis::quotas;
use std::collections::{BTreeMap, BTreeSet};

impl Lowering<'_> {
    pub(super) fn consumers(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for component in top.components(Kind::Consumer) {
            blueprint.consumers.push(ConsumerBlueprint {
                name: component.name.clone(),
                stream: component.fields.name("StreamARN"),
            });
        }
        self.consumers_of_mappings(top);
        self.consumers_of_streams(top, blueprint);
    }

    /// A mapping reads the stream that its consumer is registered with, and no other reads as the same.
    fn consumers_of_mappings(&mut self, top: &Fields) {
        let mut taken = BTreeSet::new();
        for mapping in top.components(Kind::Mapping) {
            let Some((_, name)) = mapping.fields.reference("consumer") else {
                continue;
            };
            let place = mapping.fields.place_of("consumer");
            if !taken.insert(name.to_owned()) {
                let title = format!("two mappings read as `consumer.{name}`");
                let help = "register another consumer: a subscription has one reader (KDS-EFO-10)";
                self.fault(Code::Contradiction, place, title, "the second one", help);
            }
            let mut consumers = top.components(Kind::Consumer).iter();
            let consumer = consumers.find(|consumer| consumer.name == name);
            let registered = consumer.and_then(|consumer| consumer.fields.reference("StreamARN"));
            let read = mapping.fields.reference("EventSourceArn");
            if let (Some((_, registered)), Some((_, read))) = (registered, read)
                && registered != read
            {
                let title = format!("`consumer.{name}` is registered with another stream");
                let label = format!("it is a consumer of `stream.{registered}`");
                let help = "a consumer is bound to one stream (KDS-EFO-04)";
                self.fault(Code::Contradiction, place, title, &label, help);
            }
        }
    }

    /// Registered consumers of each stream (KDS-EFO-02). An application with fan-out registers one (KDS-EFO-19).
    fn consumers_of_streams(&mut self, top: &Fields, blueprint: &Blueprint) {
        let registered = top.components(Kind::Consumer).iter();
        let registered = registered.map(|one| (one.fields.reference("StreamARN"), one.key));
        let applications = top.components(Kind::Application).iter();
        let applications = applications
            .filter(|one| retrieval(&one.fields) == Retrieval::FanOut)
            .map(|one| (one.fields.reference("stream"), one.key));
        let mut of_streams: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        for (stream, place) in registered.chain(applications) {
            if let Some((_, stream)) = stream {
                of_streams.entry(stream).or_default().push(place);
            }
        }
        let mut excess = Vec::new();
        for stream in &blueprint.streams {
            let advantage = stream.mode == CapacityMode::OnDemand && blueprint.stream_account.advantage;
            let most = quotas::registered_consumers(advantage);
            if let Some(places) = of_streams.get_mut(stream.name.as_str()) {
                places.sort_unstable();
                excess.extend(places.get(most).map(|place| (*place, stream.name.clone(), most)));
            }
        }
        for (place, stream, most) in excess {
            let title = format!("`stream.{stream}` has at most {most} registered consumers");
            let help = "let some of its readers poll (KDS-EFO-02)";
            self.fault(Code::OutOfRange, place, title, "one too many", help);
        }
    }
}
