//! Rules that span components.

use super::Lowering;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::fields::{Component, Fields};
use crate::scalar::grouped;
use crate::schema::Kind;
use crate::source::{Place, quoted};
use sim::blueprint::{Arrivals, Blueprint, Keys, ProducerBlueprint, PutApi, Size, TraceRows};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::KIB;

/// Concurrency that always stays unreserved (LAM-C-07).
pub(super) const ALWAYS_UNRESERVED: u32 = 100;

/// A kind of component, and the property by which it leads to others.
type User = (Kind, &'static str);

impl Lowering<'_> {
    pub(super) fn rules(&mut self, top: &Fields, blueprint: &Blueprint) {
        self.reserved_concurrency(top, blueprint);
        self.visibility_of_mapped_queues(top, blueprint);
        for producer in &blueprint.producers {
            self.record_size(top, blueprint, producer);
        }
        self.unused(top);
        self.direct_calls(top);
        let nobody = top.components(Kind::Producer).is_empty() && top.components(Kind::Invoker).is_empty();
        if nobody && !top.is_given("producer") && !top.is_given("invoker") {
            let place = top.place_of("duration");
            let help = "add a [producer.NAME]";
            self.fault(
                Code::NothingHappens,
                place,
                "the scenario has no producer",
                "nothing will happen",
                help,
            );
        }
    }

    fn reserved_concurrency(&mut self, top: &Fields, blueprint: &Blueprint) {
        if !top
            .table("account")
            .is_some_and(|account| account.is_sound("ConcurrentExecutions"))
        {
            return;
        }
        let available = blueprint.account_concurrency.saturating_sub(ALWAYS_UNRESERVED);
        let mut reserved: u64 = 0;
        let mut given: Vec<&Component> = top
            .components(Kind::Function)
            .iter()
            .filter(|function| allocation(function).is_some())
            .collect();
        given.sort_by_key(|function| allocation(function).map(|(_, place)| place));
        for function in given {
            let Some((own, place)) = allocation(function) else {
                continue;
            };
            self.provisioned_concurrency(function);
            reserved += own;
            if reserved > u64::from(available) {
                let title = "more concurrency is reserved than the account has";
                let label = format!("brings the sum to {reserved}, {available} may be reserved");
                let fault = Diagnostic::at(Code::ConcurrencyExceeded, place, title, label)
                    .note(format!(
                        "the account has {}, of which {ALWAYS_UNRESERVED} always stay unreserved (LAM-C-06, LAM-C-07)",
                        blueprint.account_concurrency
                    ))
                    .help("reserve less, or raise [account] ConcurrentExecutions (LAM-C-04)");
                self.diagnostics.push(place, fault);
                return;
            }
        }
    }

    /// What is provisioned is part of what is reserved (LAM-V-02).
    fn provisioned_concurrency(&mut self, function: &Component) {
        let Some(wanted) = function.fields.table("ProvisionedConcurrencyConfig") else {
            return;
        };
        let reserved = function.fields.maybe_integer("ReservedConcurrentExecutions");
        let provisioned = wanted.integer("ProvisionedConcurrentExecutions");
        if let Some(reserved) = reserved.filter(|&reserved| reserved < provisioned) {
            let place = wanted.place_of("ProvisionedConcurrentExecutions");
            let title = "more concurrency is provisioned than reserved";
            let label = format!("ReservedConcurrentExecutions is {reserved}");
            let help = "provision less, or reserve more (LAM-V-02)";
            self.fault(Code::ConcurrencyExceeded, place, title, &label, help);
        }
    }

    /// Properties that only asynchronous events have a use for (LAM-D-01, LAM-D-09), and a sink that gets none.
    fn direct_calls(&mut self, top: &Fields) {
        let calls = |kind: Kind, name: &str, with: &dyn Fn(&Component) -> bool| {
            let mut users = top.components(kind).iter();
            users.any(|user| user.fields.reference("FunctionName") == Some((Kind::Function, name)) && with(user))
        };
        let event = |invoker: &Component| invoker.fields.word("InvocationType") == "Event";
        for function in top.components(Kind::Function) {
            let name = function.name.as_str();
            if !calls(Kind::Invoker, name, &event) {
                let why = "no invoker sends it asynchronous events";
                self.no_effect(&function.fields, &["EventInvokeConfig", "DeadLetterConfig"], why);
            }
            let any = |_: &Component| true;
            if calls(Kind::Invoker, name, &any) && !calls(Kind::Mapping, name, &any) {
                let why = "only a mapping brings records that can be written";
                self.no_effect(&function.fields, &["sink"], why);
            }
        }
    }

    fn record_size(&mut self, top: &Fields, blueprint: &Blueprint, producer: &ProducerBlueprint) {
        let find = |kind: Kind, name: &str| {
            let mut components = top.components(kind).iter();
            components.find(|component| component.name == name)
        };
        let (Some(component), Some(target)) = (
            find(Kind::Producer, &producer.name),
            find(Kind::Stream, &producer.target),
        ) else {
            return;
        };
        let stream = blueprint.streams.iter().find(|stream| stream.name == producer.target);
        let data = largest_sure_size(&producer.size, &producer.arrivals);
        let (Some(stream), Some(data)) = (stream, data) else {
            return;
        };
        let record = data.saturating_add(shortest_key(producer));
        let place = component.fields.place_of("size");
        let limit = u64::from(stream.max_record_size_kib) * KIB;
        if record > limit && target.fields.is_sound("MaxRecordSizeInKiB") {
            let title = format!(
                "stream.{} does not accept records of {} bytes",
                stream.name,
                grouped(record)
            );
            let label = format!("{} bytes of data, and {} of its key", grouped(data), record - data);
            let why = format!(
                "MaxRecordSizeInKiB = {}: {} bytes, the partition key included (KDS-REC-04, KDS-REC-05)",
                stream.max_record_size_kib,
                grouped(limit)
            );
            let fault = Diagnostic::at(Code::RecordTooLarge, place, title, label)
                .note(why)
                .help(
                    "make the records smaller, or raise MaxRecordSizeInKiB to at most 10240 in the profile `current`",
                );
            self.diagnostics.push(place, fault);
        } else if producer.api == PutApi::PutRecords
            && component.fields.is_sound("max_batch_bytes")
            && record > producer.max_batch_bytes
        {
            let title = "a single record does not fit into a PutRecords of this producer";
            let label = format!("a record has {} bytes with its key", grouped(record));
            let place = component.fields.place_of("max_batch_bytes");
            self.fault(Code::Contradiction, place, title, &label, "raise max_batch_bytes");
        }
    }

    /// Components that nothing leads to.
    fn unused(&mut self, top: &Fields) {
        let used = |users: &[(Kind, &'static str)], kind: Kind, name: &str| {
            users.iter().any(|&(user, property)| {
                top.components(user)
                    .iter()
                    .any(|component| component.fields.reference(property) == Some((kind, name)))
            })
        };
        let mut idle: Vec<(Place, String, &str)> = Vec::new();
        let writers: &[User] = &[(Kind::Function, "sink"), (Kind::Application, "sink")];
        let checks: &[(Kind, &[User], &str)] = &[
            (Kind::Stream, &[(Kind::Producer, "target")], "no producer writes to it"),
            (
                Kind::Function,
                &[(Kind::Mapping, "FunctionName"), (Kind::Invoker, "FunctionName")],
                "no mapping or invoker invokes it",
            ),
            (
                Kind::Queue,
                &[
                    (Kind::Producer, "target"),
                    (Kind::Worker, "queue"),
                    (Kind::Subscription, "Endpoint"),
                    (Kind::Mapping, "EventSourceArn"),
                ],
                "nobody sends to it or receives from it",
            ),
            (Kind::Topic, &[(Kind::Producer, "target")], "nobody publishes to it"),
            (
                Kind::Consumer,
                &[(Kind::Mapping, "consumer")],
                "no mapping or application reads as it",
            ),
            (Kind::Sink, writers, "no function or application writes to it"),
        ];
        for &(kind, users, why) in checks {
            // With a wrong reference about, the user that is meant may be the one that has it.
            let unsure = users.iter().any(|&(user, property)| {
                top.components(user)
                    .iter()
                    .any(|one| one.fields.is_given(property) && one.fields.reference(property).is_none())
            });
            for component in top.components(kind) {
                // An application reads as the consumer of its name, if there is one.
                let mut applications = top.components(Kind::Application).iter();
                if kind == Kind::Consumer && applications.any(|application| application.name == component.name) {
                    continue;
                }
                let dead_letters = kind == Kind::Queue && is_dead_letter_queue(top, &component.name);
                if !unsure && !used(users, kind, &component.name) && !dead_letters {
                    idle.push((component.key, format!("{kind}.{}", component.name), why));
                }
            }
        }
        for (place, name, why) in idle {
            let title = format!("`{}` has nothing to do", quoted(&name));
            self.fault(Code::Unused, place, title, why, "");
        }
    }
}

/// Whether a redrive policy of another queue or of a subscription names this one.
fn is_dead_letter_queue(top: &Fields, name: &str) -> bool {
    let owners = top
        .components(Kind::Queue)
        .iter()
        .chain(top.components(Kind::Subscription));
    let mut policies = owners.filter_map(|owner| owner.fields.table("RedrivePolicy"));
    policies.any(|policy| policy.reference("deadLetterTargetArn") == Some((Kind::Queue, name)))
}

/// What a function takes from the account whether it runs or not, and where that is stated (LAM-C-34).
fn allocation(function: &Component) -> Option<(u64, Place)> {
    let fields = &function.fields;
    if let Some(reserved) = fields.maybe_integer("ReservedConcurrentExecutions") {
        return Some((reserved, fields.place_of("ReservedConcurrentExecutions")));
    }
    let wanted = fields.table("ProvisionedConcurrencyConfig")?;
    let executions = wanted.maybe_integer("ProvisionedConcurrentExecutions")?;
    Some((executions, wanted.place_of("ProvisionedConcurrentExecutions")))
}

/// The largest size that is sure to occur, if the parameters show one.
fn largest_sure_size(size: &Size, arrivals: &Arrivals) -> Option<u64> {
    match (size, arrivals) {
        (Size::Drawn(distribution), _) => largest_sure_value(distribution).map(|value| value as u64),
        (Size::FromTrace, Arrivals::Trace(trace)) => match &trace.rows {
            TraceRows::Requests { bytes, .. } => bytes.iter().max().map(|&bytes| u64::from(bytes)),
            TraceRows::Counts { .. } => None,
        },
        (Size::FromTrace, _) => None,
    }
}

fn largest_sure_value(distribution: &Distribution) -> Option<f64> {
    match distribution {
        Distribution::Constant(value) => Some(*value),
        Distribution::Uniform { high, .. } => Some(*high),
        Distribution::Percentiles(points) => points.last().map(|(_, value)| *value),
        Distribution::Pareto { scale, .. } => Some(*scale),
        Distribution::Mixture(parts) => parts
            .iter()
            .filter(|(weight, _)| *weight > 0.0)
            .filter_map(|(_, part)| largest_sure_value(part))
            .max_by(f64::total_cmp),
        Distribution::Exponential { .. } | Distribution::LogNormal { .. } | Distribution::Gamma { .. } => None,
    }
}

/// Bytes of the shortest partition key. Numbered keys read `<producer>-000000`.
fn shortest_key(producer: &ProducerBlueprint) -> u64 {
    let shortest = match (&producer.keys, &producer.arrivals) {
        (Keys::Weighted(keys), _) => keys.iter().map(|key| key.text.len()).min(),
        (Keys::FromTrace, Arrivals::Trace(trace)) => trace.keys.iter().map(String::len).min(),
        (Keys::FromTrace, _) => None,
        (Keys::Uniform { .. } | Keys::Zipf { .. } | Keys::Hot { .. }, _) => Some(producer.name.len() + 7),
    };
    u64::try_from(shortest.unwrap_or(0)).unwrap_or(0)
}
