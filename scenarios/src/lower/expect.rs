//! Expectations and guarantees.

use super::Lowering;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, listed, nearest};
use crate::expect::{Bound, Comparison, Expectation, Guarantee, Outcome, Promise};
use crate::fields::{Fields, Value};
use crate::metric::{EVENT_COUNT, METRICS, Metric, Sort, Statistic, Unit};
use crate::schema::Kind;
use crate::source::quoted;
use sim::engine::time::{SimDuration, SimTime};

const PROMISES: &[(&str, Promise)] = &[
    ("order", Promise::OrderPerKey),
    ("no_duplicates", Promise::NoDuplicates),
    ("no_loss", Promise::NoLoss),
];

impl Lowering<'_> {
    pub(super) fn expectations(&mut self, top: &Fields) -> Vec<Expectation> {
        top.tables("expect")
            .filter_map(|fields| self.expectation(fields, top))
            .collect()
    }

    fn expectation(&mut self, fields: &Fields, top: &Fields) -> Option<Expectation> {
        // All faults of a block are reported at once; the early returns come after the last of them.
        let metric = self.metric(fields);
        let of = metric.and_then(|metric| self.measured_component(fields, top, metric));
        let statistic = self.statistic(fields, metric);
        let bounds = metric.map(|metric| self.bounds(fields, metric.unit));
        let (from, until) = self.period(fields);
        let metric = metric?;
        Some(Expectation {
            metric: metric.name,
            of: of?,
            statistic: statistic?,
            from,
            until,
            bounds: bounds?,
            unit: metric.unit,
            source: self.source.add(fields.place),
        })
    }

    fn metric(&mut self, fields: &Fields) -> Option<&'static Metric> {
        let name = fields.text("metric")?;
        let found = Metric::named(name);
        if found.is_none() {
            let place = fields.place_of("metric");
            let title = format!("there is no metric `{}`", quoted(name));
            let mut fault = Diagnostic::at(Code::UnknownMetric, place, title, "unknown metric");
            let names = || METRICS.iter().map(|metric| metric.name);
            let ending = || names().find(|full| full.rsplit_once('.').is_some_and(|(_, last)| last == name));
            fault = match nearest(name, names()).or_else(ending) {
                Some(near) => fault.help(format!("did you mean \"{near}\"?")),
                None => fault.note(format!("there is {}", listed(names(), "and"))),
            };
            self.diagnostics.push(place, fault);
        }
        found
    }

    fn measured_component(&mut self, fields: &Fields, top: &Fields, metric: &Metric) -> Option<String> {
        let kinds = metric.of.iter().map(|kind| kind.name());
        if let Some((kind, name)) = fields.reference("of") {
            if metric.of.contains(&kind) {
                self.published(fields, top, metric, kind, name);
                return Some(format!("{kind}.{name}"));
            }
            let title = format!("{} is no metric of a {kind}", metric.name);
            let help = format!("it belongs to a {}", listed(kinds, "or"));
            self.fault(
                Code::WrongMetric,
                fields.place_of("of"),
                title,
                "wrong kind of component",
                &help,
            );
            return None;
        }
        if fields.is_given("of") {
            return None;
        }
        let candidates: Vec<String> = metric
            .of
            .iter()
            .flat_map(|&kind| {
                let components = top.components(kind).iter();
                components.map(move |component| format!("{kind}.{}", component.name))
            })
            .collect();
        match candidates.as_slice() {
            [only] => {
                if let Some((kind, name)) = only.split_once('.') {
                    let kind = Kind::from_name(kind).unwrap_or(Kind::Stream);
                    self.published(fields, top, metric, kind, name);
                }
                return Some(only.clone());
            }
            [] => {
                let help = format!("it needs a {}", listed(kinds, "or"));
                let title = format!("no component has the metric {}", metric.name);
                self.fault(
                    Code::WrongMetric,
                    fields.place_of("metric"),
                    title,
                    "nothing to measure",
                    &help,
                );
            }
            several => {
                let title = format!("`of` is missing: several components have the metric {}", metric.name);
                let help = format!("add `of`: {}", listed(several.iter().map(String::as_str), "or"));
                self.fault(Code::MissingProperty, fields.place, title, "which one is meant?", &help);
            }
        }
        None
    }

    /// A mapping publishes metrics of its own only where it is told to (LAM-M-20).
    fn published(&mut self, fields: &Fields, top: &Fields, metric: &Metric, kind: Kind, name: &str) {
        let mapping = top.components(kind).iter().find(|component| component.name == name);
        if kind != Kind::Mapping {
            return;
        }
        let source = mapping.and_then(|mapping| mapping.fields.reference("EventSourceArn"));
        if let Some((source, _)) = source
            && metric.of_source().is_some_and(|only| only != source)
        {
            let title = format!("mapping.{name} does not have {}", metric.name);
            let help = if source == Kind::Queue {
                "only mappings of streams do"
            } else {
                "only mappings of queues do"
            };
            let place = fields.place_of("metric");
            return self.fault(Code::WrongMetric, place, title, "nothing to measure", help);
        }
        if metric.namespace != EVENT_COUNT || metric.name == "ProvisionedPollers" {
            return;
        }
        if mapping.is_some_and(|mapping| !mapping.fields.is_given("MetricsConfig")) {
            let title = format!("mapping.{name} does not publish {}", metric.name);
            let help = format!("add `MetricsConfig = {{ Metrics = [\"EventCount\"] }}` to mapping.{name} (LAM-M-20)");
            let place = fields.place_of("metric");
            self.fault(Code::WrongMetric, place, title, "nothing to measure", &help);
        }
    }

    fn statistic(&mut self, fields: &Fields, metric: Option<&Metric>) -> Option<Statistic> {
        let name = fields.text("statistic")?;
        let place = fields.place_of("statistic");
        let Some(statistic) = Statistic::from_name(name) else {
            let title = format!("there is no statistic `{}`", quoted(name));
            let plain: Vec<String> = Statistic::PLAIN.iter().map(Statistic::to_string).collect();
            let near = nearest(name, plain.iter().map(String::as_str));
            let help = near.map_or(String::new(), |near| format!("did you mean \"{near}\"?"));
            let label = "expected Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99";
            self.fault(Code::UnknownWord, place, title, label, &help);
            return None;
        };
        if let Some(metric) = metric
            && !metric.sort.has(statistic)
        {
            let title = format!("{} has no {statistic}", metric.name);
            let label = format!("it has {}", metric.sort.statistics());
            let help = match (metric.sort, statistic) {
                (Sort::Timing, Statistic::Percentile(_)) => {
                    "percentiles need every value: only EndToEndLatency keeps them all, other times keep sum, number, \
                     least and greatest value of each minute"
                }
                _ => "",
            };
            self.fault(Code::WrongMetric, place, title, &label, help);
            return None;
        }
        Some(statistic)
    }

    fn bounds(&mut self, fields: &Fields, unit: Unit) -> Vec<Bound> {
        let mut bounds = Vec::new();
        for &comparison in Comparison::ALL {
            let name = comparison.name();
            let Some(field) = fields.found.get(name) else { continue };
            let value = match (&field.value, unit) {
                (Value::Number(number), _) => *number,
                (Value::Duration(duration), Unit::Milliseconds) => duration.as_nanos() as f64 / 1e6,
                (Value::Bytes(bytes), Unit::Bytes) => *bytes as f64,
                _ => {
                    let title = format!("`{name}` has the wrong unit");
                    let label = match unit {
                        Unit::Count => "a count is expected",
                        Unit::Bytes => "a size is expected",
                        Unit::Milliseconds => "a duration, or a number of milliseconds, is expected",
                    };
                    self.fault(Code::InvalidBounds, field.place, title, label, "");
                    continue;
                }
            };
            let source = self.source.add(field.place);
            bounds.push(Bound {
                comparison,
                value,
                source,
            });
        }
        self.consistent(fields, &bounds);
        bounds
    }

    fn consistent(&mut self, fields: &Fields, bounds: &[Bound]) {
        use Comparison::{Above, AtLeast, AtMost, Below, Equals};
        let given = Comparison::ALL
            .iter()
            .filter(|comparison| fields.is_given(comparison.name()))
            .count();
        if given > bounds.len() {
            return;
        }
        let place = |bound: &Bound| fields.place_of(bound.comparison.name());
        match bounds {
            [] => {
                let help = "add above, at_least, equals, at_most or below";
                self.fault(
                    Code::InvalidBounds,
                    fields.place,
                    "the expectation has no bound",
                    "",
                    help,
                );
            }
            [_] => {}
            [
                low @ Bound {
                    comparison: Above | AtLeast,
                    ..
                },
                high @ Bound {
                    comparison: Below | AtMost,
                    ..
                },
            ] => {
                let both_included = low.comparison == AtLeast && high.comparison == AtMost;
                if low.value > high.value || (low.value >= high.value && !both_included) {
                    let title = "no value lies between the bounds";
                    self.fault(Code::InvalidBounds, place(high), title, "below the lower bound", "");
                }
            }
            [first, .., last] => {
                let at = if last.comparison == Equals { first } else { last };
                let title = "the expectation has too many bounds";
                let help = "one bound, or a lower and an upper one";
                self.fault(Code::InvalidBounds, place(at), title, "one too many", help);
            }
        }
    }

    fn period(&mut self, fields: &Fields) -> (SimTime, SimTime) {
        let from = fields.duration("from");
        let until = fields.maybe_duration("until").unwrap_or(self.duration);
        let wrong = |name: &'static str| fields.is_given(name) && fields.maybe_duration(name).is_none();
        let unknown = self.duration == SimDuration::ZERO || wrong("from") || wrong("until");
        if !unknown && until > self.duration {
            let label = format!("the run lasts {}", self.duration);
            let place = fields.place_of("until");
            self.fault(Code::InvalidPeriod, place, "the period ends after the run", &label, "");
        } else if !unknown && from >= until {
            let name = if fields.is_given("from") { "from" } else { "until" };
            let label = format!("until is {until}");
            self.fault(
                Code::InvalidPeriod,
                fields.place_of(name),
                "the period is empty",
                &label,
                "",
            );
        }
        (SimTime::ZERO + from, SimTime::ZERO + until)
    }

    pub(super) fn guarantees(&mut self, top: &Fields) -> Vec<Guarantee> {
        top.tables("guarantee")
            .filter_map(|fields| self.guarantee(fields))
            .collect()
    }

    fn guarantee(&mut self, fields: &Fields) -> Option<Guarantee> {
        let stated: Vec<(&'static str, Promise)> = PROMISES
            .iter()
            .copied()
            .filter(|(name, _)| fields.is_given(name))
            .collect();
        for (name, _) in &stated {
            let is_false = matches!(
                fields.found.get(name).map(|field| &field.value),
                Some(Value::Flag(false))
            );
            if is_false {
                let title = format!("`{name} = false` promises nothing");
                let help = "to expect a violation, write expected = \"violated\"";
                self.fault(
                    Code::InvalidGuarantee,
                    fields.place_of(name),
                    title,
                    "true is expected",
                    help,
                );
            }
        }
        let [(_, promise)] = stated.as_slice() else {
            let place = stated.get(1).map_or(fields.place, |(name, _)| fields.place_of(name));
            let title = format!("a guarantee states one promise, this one states {}", stated.len());
            let help = "give one of order = \"per-key\", no_duplicates = true or no_loss = true";
            self.fault(Code::InvalidGuarantee, place, title, "one promise is expected", help);
            return None;
        };
        if fields.is_given("at") && fields.is_given("of") {
            let title = "`at` and `of` mean the same";
            self.fault(
                Code::Contradiction,
                fields.place_of("of"),
                title,
                "given twice",
                "leave one out",
            );
        }
        let component = fields.reference("at").or_else(|| fields.reference("of"));
        Some(Guarantee {
            promise: *promise,
            at: component.map(|(kind, name)| format!("{kind}.{name}")),
            expected: match fields.word("expected") {
                "violated" => Outcome::Violated,
                _ => Outcome::Holds,
            },
            source: self.source.add(fields.place),
        })
    }
}
