//! Registered consumers, and how many a stream may have.

use super::Lowering;
use super::application::retrieval;
use crate::codes::Code;
use crate::fields::{Component, Fields};
use crate::schema::Kind;
use crate::source::Place;
use sim::blueprint::{Blueprint, CapacityMode, ConsumerBlueprint, Retrieval};
use sim::command::Command;
use sim::services::kinesis::quotas;
use std::collections::{BTreeMap, BTreeSet};

impl Lowering<'_> {
    pub(super) fn consumers(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for component in top.components(Kind::Consumer) {
            blueprint.consumers.push(ConsumerBlueprint {
                name: component.name.clone(),
                stream: component.fields.name("StreamARN"),
                registered: component.fields.flag("registered"),
            });
        }
        self.consumers_of_mappings(top);
        self.consumers_of_applications(top);
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

    /// An intervention that registers or deregisters a consumer; `None`: it does something else, or names none.
    pub(super) fn change_of_consumer(&mut self, fields: &Fields, blueprint: &Blueprint) -> Option<Command> {
        let registers = fields.table("register_consumer");
        let change = registers.or_else(|| fields.table("deregister_consumer"))?;
        let (kind, name) = change.reference("of")?;
        let stream = if kind == Kind::Application {
            let application = blueprint.applications.iter().find(|found| found.name == name)?;
            if application.retrieval == Retrieval::Polling {
                let title = format!("`application.{name}` has no registered consumer");
                let help = "name one that is pushed to (KDS-EFO-19)";
                self.fault(Code::Contradiction, change.place_of("of"), title, "it polls", help);
                return None;
            }
            application.stream.clone()
        } else {
            blueprint
                .consumers
                .iter()
                .find(|found| found.name == name)?
                .stream
                .clone()
        };
        let consumer = name.to_owned();
        Some(if registers.is_some() {
            Command::RegisterConsumer { stream, consumer }
        } else {
            Command::DeregisterConsumer { stream, consumer }
        })
    }

    /// A consumer has one reader. An application that finds one of its name reads as that (KDS-EFO-19).
    fn consumers_of_applications(&mut self, top: &Fields) {
        for application in top.components(Kind::Application) {
            let (name, stream) = (&application.name, application.fields.reference("stream"));
            if retrieval(&application.fields) == Retrieval::Polling {
                continue;
            }
            let mut mappings = top.components(Kind::Mapping).iter();
            let taken = mappings.any(|mapping| {
                let read = mapping.fields.reference("EventSourceArn");
                let consumer = mapping.fields.reference("consumer");
                consumer.is_some_and(|(_, consumer)| consumer == name) && read == stream
            });
            if taken {
                let title = format!("a mapping reads as `consumer.{name}` already");
                let label = "the consumer of this application has the same name";
                let help = "call one of them otherwise: a subscription has one reader (KDS-EFO-04, KDS-EFO-10)";
                self.fault(Code::Contradiction, application.key, title, label, help);
            }
        }
    }

    /// Registered consumers of each stream (KDS-EFO-02). An application with fan-out registers one (KDS-EFO-19).
    fn consumers_of_streams(&mut self, top: &Fields, blueprint: &Blueprint) {
        let registered = top.components(Kind::Consumer).iter();
        let registered = registered.map(|one| (one.fields.reference("StreamARN"), one.key));
        let is_declared = |application: &Component| {
            let stream = application.fields.reference("stream");
            let mut declared = top.components(Kind::Consumer).iter();
            declared.any(|one| one.name == application.name && one.fields.reference("StreamARN") == stream)
        };
        let applications = top.components(Kind::Application).iter();
        let applications = applications
            .filter(|one| retrieval(&one.fields) == Retrieval::FanOut && !is_declared(one))
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
