//! Distributions: from their forms in a scenario to the model's parameters.

use crate::check::{Checker, Subject};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::fields::{Fields, Value};
use crate::node::NodeValue;
use crate::quantity::Decimal;
use crate::schema::{Dimension, Shape};
use crate::source::{Place, TextId, quoted};
use sim::engine::distribution::Distribution;

/// The 99th percentile of the standard normal distribution.
const NORMAL_P99: f64 = 2.326_347_874_040_841;

impl Checker<'_> {
    pub(crate) fn distribution(
        &mut self,
        shape: &'static Shape,
        subject: Subject<'_>,
        dimension: Dimension,
    ) -> Option<Value> {
        let place = subject.node.place;
        let distribution = match &subject.node.value {
            NodeValue::Text(text) => Distribution::Constant(self.quantity(subject, text, dimension)?),
            NodeValue::Table(table) if table.get("p50").or(table.get("p99")).is_some() => {
                let fields = self.table(table, place, dimension.short_form());
                self.log_normal(&fields)?
            }
            NodeValue::Table(_) => {
                let Some(Value::Table(fields)) = self.value(dimension.form_shape(), subject) else {
                    return None;
                };
                self.form(&fields)?
            }
            _ => return self.wrong_type(shape, subject),
        };
        // The rows' own defaults are compiled by a test, once and for all.
        if place.text != TextId::Default
            && let Err(error) = distribution.compile()
        {
            self.not_a_distribution(place, error.to_string());
            return None;
        }
        Some(Value::Distribution(distribution))
    }

    fn not_a_distribution(&mut self, place: Place, why: impl Into<String>) {
        let title = "the parameters do not make a distribution";
        let fault = Diagnostic::at(Code::InvalidDistribution, place, title, why);
        self.diagnostics.push(place, fault);
    }

    fn form(&mut self, fields: &Fields) -> Option<Distribution> {
        if let Some(parameters) = fields.table("lognormal") {
            return self.log_normal(parameters);
        }
        if let Some(mean) = fields.maybe_number("exponential") {
            return Some(Distribution::Exponential { mean });
        }
        if let [low, high] = fields.list("uniform") {
            let (Value::Number(low), Value::Number(high)) = (&low.value, &high.value) else {
                return None;
            };
            if low > high {
                self.not_a_distribution(fields.place_of("uniform"), "the first value is the smaller one");
                return None;
            }
            return Some(Distribution::Uniform { low: *low, high: *high });
        }
        if let Some(parameters) = fields.table("gamma") {
            let shape = parameters.maybe_number("shape")?;
            let mean = parameters.maybe_number("mean")?;
            return Some(Distribution::Gamma { shape, mean });
        }
        if let Some(parameters) = fields.table("pareto") {
            let scale = parameters.maybe_number("scale")?;
            let shape = parameters.maybe_number("shape")?;
            return Some(Distribution::Pareto { scale, shape });
        }
        if let Some(Value::Percentiles(points)) = fields.found.get("percentiles").map(|field| &field.value) {
            return Some(Distribution::Percentiles(points.clone()));
        }
        let mut parts = Vec::new();
        for part in fields.tables("mixture") {
            parts.push((part.maybe_number("weight")?, part.maybe_distribution("of")?.clone()));
        }
        let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
        if parts.is_empty() {
            return None;
        }
        if total <= 0.0 {
            self.not_a_distribution(fields.place_of("mixture"), "the weights sum to zero");
            return None;
        }
        Some(Distribution::Mixture(parts))
    }

    fn log_normal(&mut self, fields: &Fields) -> Option<Distribution> {
        let number = |name| fields.rows.property(name).and_then(|_| fields.maybe_number(name));
        let given = (number("p50"), number("p99"), number("median"), number("sigma"));
        let (median, sigma) = match given {
            (Some(p50), Some(p99), None, None) => {
                if p50 <= 0.0 || p99 < p50 {
                    self.not_a_distribution(fields.place, "p50 lies above zero, and p99 not below p50");
                    return None;
                }
                (p50, libm::log(p99 / p50) / NORMAL_P99)
            }
            (None, None, Some(median), Some(sigma)) if median > 0.0 => (median, sigma),
            _ => {
                let has_both_forms = fields.rows.property("median").is_some();
                let wrong_value =
                    fields.keys.len() != fields.keys.keys().filter(|&name| number(name).is_some()).count();
                // In the short form, or with a value that is wrong by itself, the fault is filed already.
                if has_both_forms && !wrong_value {
                    self.not_a_distribution(fields.place, "expected p50 and p99, or median (above zero) and sigma");
                }
                return None;
            }
        };
        Some(Distribution::LogNormal { median, sigma })
    }

    pub(crate) fn percentiles(
        &mut self,
        shape: &'static Shape,
        subject: Subject<'_>,
        dimension: Dimension,
    ) -> Option<Value> {
        let NodeValue::Table(table) = &subject.node.value else {
            return self.wrong_type(shape, subject);
        };
        let mut points: Vec<(f64, f64)> = Vec::new();
        for entry in &table.entries {
            let Some(fraction) = fraction(&entry.name) else {
                let title = format!("`{}` is not a percentile", quoted(&entry.name));
                let fault = Diagnostic::at(Code::UnknownProperty, entry.key, title, "expected p0 to p100");
                self.diagnostics.push(entry.key, fault);
                return None;
            };
            if matches!(entry.node.value, NodeValue::Table(_)) {
                let title = "a percentile with decimals needs quotes";
                let fault = Diagnostic::at(Code::WrongType, entry.key, title, "read as a table within a table")
                    .help("write \"p99.9\" = ..");
                self.diagnostics.push(entry.key, fault);
                return None;
            }
            let NodeValue::Text(text) = &entry.node.value else {
                let row = subject.row;
                return self.wrong_type(&Shape::Quantity(dimension), Subject { row, node: &entry.node });
            };
            let value = Subject {
                row: subject.row,
                node: &entry.node,
            };
            points.push((fraction, self.quantity(value, text, dimension)?));
        }
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let increasing = points
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if points.len() < 2 || !increasing {
            self.not_a_distribution(
                subject.node.place,
                "expected two percentiles or more, with values that do not fall",
            );
            return None;
        }
        Some(Value::Percentiles(points))
    }
}

/// The fraction that `p99.9` names, rounded once.
fn fraction(name: &str) -> Option<f64> {
    let ratio = Decimal::parse(name.strip_prefix('p')?)?.ratio()?;
    let fraction = ratio.numerator as f64 / (ratio.denominator as f64 * 100.0);
    (fraction <= 1.0).then_some(fraction)
}
