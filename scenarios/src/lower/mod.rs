//! From checked values to the blueprint, with the rules that span several properties or components.

mod application;
mod consumer;
mod expect;
mod filter_policy;
mod intervention;
mod kinesis;
mod lambda;
mod mapping;
mod memory;
mod model;
mod producer;
mod producer_library;
mod queue;
mod queue_change;
mod queue_mapping;
mod queue_rules;
mod rules;
mod sink;
mod topic;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expect::{Expectation, Guarantee};
use crate::fields::Fields;
use crate::schema::Kind;
use crate::schema::top::FORMAT;
use crate::source::{Place, SourceMap};
use crate::trace::TraceReader;
use crate::{Assumption, LoadOptions};
use sim::blueprint::{Blueprint, DEFAULT_REGION, TopicAccount};
use sim::engine::time::SimDuration;
use sim::profile::Profile;

/// What lowering works with and on.
pub(crate) struct Lowering<'a> {
    pub(crate) profile: Profile,
    pub(crate) duration: SimDuration,
    pub(crate) options: &'a LoadOptions,
    pub(crate) traces: &'a dyn TraceReader,
    pub(crate) diagnostics: &'a mut Diagnostics,
    pub(crate) source: &'a mut SourceMap,
    pub(crate) notes: Vec<String>,
}

/// What comes out.
pub(crate) struct Lowered {
    pub(crate) blueprint: Blueprint,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) guarantees: Vec<Guarantee>,
    pub(crate) assumptions: Vec<Assumption>,
}

impl Lowering<'_> {
    pub(crate) fn lower(&mut self, top: &Fields) -> Lowered {
        self.format(top);
        for &kind in Kind::ALL {
            for component in top.components(kind) {
                let place = component.fields.place;
                self.source.add_component(format!("{kind}.{}", component.name), place);
            }
        }
        let mut blueprint = Blueprint::empty(self.options.seed.unwrap_or(top.integer("seed")), self.duration);
        blueprint.replication = self.options.replication;
        blueprint.profile = self.profile;
        if let Some(account) = top.table("account") {
            blueprint.account_concurrency = account.u32("ConcurrentExecutions");
            blueprint.stream_account = self.stream_account(account);
            let region = account.text("Region").unwrap_or(DEFAULT_REGION);
            blueprint.topic_account = TopicAccount::in_region(region);
            blueprint.region_burst = sim::services::lambda::quotas::initial_burst(region);
        }
        let mut assumptions = Vec::new();
        if let Some(fields) = top.table("model") {
            blueprint.model = model::parameters(fields);
            assumptions = self.assumptions(fields);
        }
        for component in top.components(Kind::Stream) {
            let stream = self.stream(&component.name, &component.fields, &blueprint);
            blueprint.streams.push(stream);
        }
        self.streams_of_the_account(top);
        for component in top.components(Kind::Producer) {
            blueprint
                .producers
                .extend(self.producer(&component.name, &component.fields, top));
        }
        self.queues(top, &mut blueprint);
        self.topics(top, &mut blueprint);
        self.consumers(top, &mut blueprint);
        self.mappings(top, &mut blueprint);
        for component in top.components(Kind::Application) {
            let application = self.application(&component.name, &component.fields);
            blueprint.applications.push(application);
        }
        for component in top.components(Kind::Function) {
            blueprint
                .functions
                .push(self.function(&component.name, &component.fields));
        }
        for component in top.components(Kind::Invoker) {
            let invoker = self.invoker(&component.name, &component.fields);
            blueprint.invokers.extend(invoker);
        }
        for component in top.components(Kind::Sink) {
            let sink = self.sink(&component.name, &component.fields);
            blueprint.sinks.push(sink);
        }
        self.interventions(top, &mut blueprint);
        self.queue_rules(top, &blueprint);
        self.rules(top, &blueprint);
        self.memory(top, &blueprint);
        let expectations = self.expectations(top);
        let guarantees = self.guarantees(top);
        Lowered {
            blueprint,
            expectations,
            guarantees,
            assumptions,
        }
    }

    fn format(&mut self, top: &Fields) {
        if let Some(version) = top.maybe_integer("format")
            && version != FORMAT
        {
            let title = format!("`format = {version}` is unknown");
            let help = format!("this program reads format = {FORMAT}");
            self.fault(
                Code::UnknownFormat,
                top.place_of("format"),
                title,
                "unknown version",
                &help,
            );
        }
    }

    /// Files a fault with a label and a help text, either of which may be empty.
    pub(crate) fn fault(&mut self, code: Code, place: Place, title: impl Into<String>, label: &str, help: &str) {
        let mut diagnostic = Diagnostic::at(code, place, title, label);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.diagnostics.push(place, diagnostic);
    }

    /// Properties that another one makes useless.
    pub(crate) fn no_effect(&mut self, fields: &Fields, names: &[&'static str], why: &str) {
        for &name in names {
            if fields.is_given(name) {
                let title = format!("`{name}` has no effect here");
                self.fault(Code::NoEffect, fields.place_of(name), title, why, "leave it out");
            }
        }
    }
}
