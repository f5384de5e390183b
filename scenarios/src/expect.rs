//! Expectations and guarantees: what a scenario states about its own outcome, and whether it came true.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::metric::{Statistic, Unit};
use crate::source::{SourceId, SourceMap};
use core::fmt;
use sim::engine::time::{SimDuration, SimTime};

/// A statement about a metric (`[[expect]]`).
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// Name of the metric, one of [`METRICS`].
    pub metric: &'static str,
    /// Full name of the component, for example `stream.clicks`.
    pub of: String,
    /// How the period's values become one.
    pub statistic: Statistic,
    /// Start of the period.
    pub from: SimTime,
    /// End of the period.
    pub until: SimTime,
    /// One bound, or a lower and an upper one.
    pub bounds: Vec<Bound>,
    /// The unit of the bounds.
    pub unit: Unit,
    /// The block.
    pub source: SourceId,
}

/// A bound of an expectation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// How the value is compared.
    pub comparison: Comparison,
    /// With what, in the metric's unit.
    pub value: f64,
    /// Where the bound stands.
    pub source: SourceId,
}

/// How a measured value is compared with a bound.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Comparison {
    /// The value is greater.
    Above,
    /// The value is greater or equal.
    AtLeast,
    /// The value is equal.
    Equals,
    /// The value is less or equal.
    AtMost,
    /// The value is less.
    Below,
}

impl Comparison {
    /// All, with the names of their properties.
    pub const ALL: &[Self] = &[Self::Above, Self::AtLeast, Self::Equals, Self::AtMost, Self::Below];

    /// The property's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at_least",
            Self::Equals => "equals",
            Self::AtMost => "at_most",
            Self::Below => "below",
        }
    }
    /// In words, in front of a number.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at least",
            Self::Equals => "equal to",
            Self::AtMost => "at most",
            Self::Below => "below",
        }
    }
    /// The value keeps the bound.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            // Metrics are integers or means of integers; a scenario that asks for equality means the very number.
            Self::Equals => value.total_cmp(&bound).is_eq(),
            Self::AtMost => value <= bound,
            Self::Below => value < bound,
        }
    }
}

/// The metrics of a finished run.
pub trait Measurements {
    /// The statistic that an expectation names, in the metric's unit, or why there is none.
    fn value(&self, expectation: &Expectation) -> Result<f64, Missing>;
}

/// Why an expectation has no value to be compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// The model does not measure the metric at the component.
    NotMeasured,
    /// The metric is counted as a whole: it has a sum and no other statistic.
    OnlySum,
    /// The statistic is kept for periods of this length, and the expectation's period cuts one of them.
    CutsPeriod(SimDuration),
    /// The metric got no value in the expectation's period, though it did at other times.
    NoValueThen,
    /// The metric got no value in the whole run.
    NoValueEver,
    /// The run ended at this instant, before the expectation's period was over.
    NotReached(SimTime),
}

impl Missing {
    /// The reason as a clause.
    fn words(self, expectation: &Expectation) -> String {
        let Expectation {
            metric,
            of,
            statistic,
            from,
            until,
            ..
        } = expectation;
        match self {
            Self::NotMeasured => format!("{metric} is not measured at {of}"),
            Self::OnlySum => format!("{metric} of {of} is counted as a whole: it has a Sum, and no {statistic}"),
            Self::CutsPeriod(length) => format!(
                "the {statistic} of {metric} is kept for each {length}, so `from` and `until` must be multiples of that"
            ),
            Self::NoValueThen => format!("{metric} of {of} got no value between {from} and {until}"),
            Self::NoValueEver => format!("{metric} of {of} got no value in the whole run"),
            Self::NotReached(end) => {
                format!("the run ended at {end}, before the period from {from} to {until} was over")
            }
        }
    }
}

/// What became of an expectation.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It holds.
    Held {
        /// The value, in the metric's unit.
        measured: f64,
    },
    /// It does not.
    Violated {
        /// The value, in the metric's unit.
        measured: f64,
        /// The first bound that it breaks.
        bound: Bound,
    },
    /// Nothing can be said.
    Undecided {
        /// Why.
        reason: String,
    },
}

impl Expectation {
    /// Compares with what was measured.
    pub fn evaluate(&self, measurements: &dyn Measurements) -> Verdict {
        let measured = match measurements.value(self) {
            Ok(measured) => measured,
            Err(missing) => {
                return Verdict::Undecided {
                    reason: missing.words(self),
                };
            }
        };
        let broken = self
            .bounds
            .iter()
            .find(|bound| !bound.comparison.holds(measured, bound.value));
        match broken {
            None => Verdict::Held { measured },
            Some(&bound) => Verdict::Violated { measured, bound },
        }
    }

    /// A violated expectation, as a diagnostic that points at the bound.
    pub fn diagnostic(&self, verdict: &Verdict, source: &SourceMap) -> Option<Diagnostic> {
        let Verdict::Violated { measured, bound } = verdict else {
            return None;
        };
        let unit = self.unit;
        let title = format!("{self} does not hold");
        let label = format!("measured {}{unit}", number(*measured));
        let place = source.place(bound.source);
        Some(Diagnostic::at(Code::ExpectationViolated, place, title, label))
    }
}

impl fmt::Display for Expectation {
    /// `Sum of WriteProvisionedThroughputExceeded of stream.clicks above 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} of {}", self.statistic, self.metric, self.of)?;
        for (index, bound) in self.bounds.iter().enumerate() {
            let and = if index > 0 { " and" } else { "" };
            write!(
                f,
                "{and} {} {}{}",
                bound.comparison.words(),
                number(bound.value),
                self.unit
            )?;
        }
        Ok(())
    }
}

/// Whole numbers without decimals, others with three.
fn number(value: f64) -> String {
    let whole = value.abs() < 1e15 && value.fract().total_cmp(&0.0).is_eq();
    if whole {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

/// A statement about order, duplicates or loss (`[[guarantee]]`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guarantee {
    /// What is promised.
    pub promise: Promise,
    /// Full name of the component where arrivals are watched; `None`: every end of the pipeline.
    pub at: Option<String>,
    /// What the checker is to find. An expected violation counts as held.
    pub expected: Outcome,
    /// The block.
    pub source: SourceId,
}

/// What is promised of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// Records of a key arrive in the order of their creation.
    OrderPerKey,
    /// No record arrives twice.
    NoDuplicates,
    /// Every record that a stream accepted arrives.
    NoLoss,
}

/// What a checker finds of a promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// No counterexample.
    Holds,
    /// There is a counterexample.
    Violated,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OrderPerKey => "order per key",
            Self::NoDuplicates => "no duplicates",
            Self::NoLoss => "no loss",
        })
    }
}

impl Guarantee {
    /// The checker found what the scenario states.
    pub fn is_met_by(&self, found: Outcome) -> bool {
        self.expected == found
    }
    /// A guarantee that turned out otherwise, as a diagnostic. `witness` says what was found.
    pub fn diagnostic(&self, found: Outcome, witness: &str, source: &SourceMap) -> Option<Diagnostic> {
        if self.is_met_by(found) {
            return None;
        }
        let title = match found {
            Outcome::Violated => format!("{} is violated", self.promise),
            Outcome::Holds => format!("{} holds, though its violation was expected", self.promise),
        };
        let place = source.place(self.source);
        Some(Diagnostic::at(Code::GuaranteeViolated, place, title, witness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Place, TextId};

    struct Fixed(Result<f64, Missing>);
    impl Measurements for Fixed {
        fn value(&self, _: &Expectation) -> Result<f64, Missing> {
            self.0
        }
    }

    fn expectation(bounds: &[(Comparison, f64)]) -> (Expectation, SourceMap) {
        let mut source = SourceMap::new("above = 3");
        let id = source.add(Place::new(TextId::Scenario, 8..9));
        let bounds = bounds
            .iter()
            .map(|&(comparison, value)| Bound {
                comparison,
                value,
                source: id,
            })
            .collect();
        let expectation = Expectation {
            metric: "Invocations",
            of: "function.f".to_owned(),
            statistic: Statistic::Sum,
            from: SimTime::ZERO,
            until: SimTime::ZERO + SimDuration::SECOND,
            bounds,
            unit: Unit::Count,
            source: id,
        };
        (expectation, source)
    }

    #[test]
    fn a_value_within_the_bounds_holds() {
        let (between, _) = expectation(&[(Comparison::Above, 3.0), (Comparison::AtMost, 5.0)]);
        assert_eq!(between.evaluate(&Fixed(Ok(5.0))), Verdict::Held { measured: 5.0 });
        let (equal, _) = expectation(&[(Comparison::Equals, 5.0)]);
        assert_eq!(equal.evaluate(&Fixed(Ok(5.0))), Verdict::Held { measured: 5.0 });
    }

    #[test]
    fn e0901_a_violated_expectation_points_at_its_bound() {
        let (expectation, source) = expectation(&[(Comparison::Above, 3.0)]);
        let verdict = expectation.evaluate(&Fixed(Ok(3.0)));
        let diagnostic = expectation.diagnostic(&verdict, &source).expect("violated");
        assert_eq!(diagnostic.code, Code::ExpectationViolated);
        assert_eq!(diagnostic.labels[0].span, 8..9);
        assert_eq!(
            diagnostic.title,
            "Sum of Invocations of function.f above 3 does not hold"
        );
        assert_eq!(diagnostic.labels[0].text, "measured 3");
    }

    #[test]
    fn without_a_value_nothing_is_decided() {
        let (expectation, source) = expectation(&[(Comparison::Above, 3.0)]);
        let told = |missing| {
            let verdict = expectation.evaluate(&Fixed(Err(missing)));
            assert_eq!(expectation.diagnostic(&verdict, &source), None);
            match verdict {
                Verdict::Undecided { reason } => reason,
                decided => panic!("{decided:?}"),
            }
        };
        assert_eq!(told(Missing::NotMeasured), "Invocations is not measured at function.f");
        assert_eq!(
            told(Missing::OnlySum),
            "Invocations of function.f is counted as a whole: it has a Sum, and no Sum"
        );
        assert_eq!(
            told(Missing::NoValueThen),
            "Invocations of function.f got no value between 00:00:00.000 and 00:00:01.000"
        );
        assert_eq!(
            told(Missing::NoValueEver),
            "Invocations of function.f got no value in the whole run"
        );
        assert_eq!(
            told(Missing::NotReached(SimTime::ZERO)),
            "the run ended at 00:00:00.000, before the period from 00:00:00.000 to 00:00:01.000 was over"
        );
        assert_eq!(
            told(Missing::CutsPeriod(SimDuration::from_minutes(1))),
            "the Sum of Invocations is kept for each 1 min, so `from` and `until` must be multiples of that"
        );
    }

    #[test]
    fn e0902_an_expected_violation_counts_as_held() {
        let mut source = SourceMap::new("[[guarantee]]");
        let id = source.add(Place::new(TextId::Scenario, 0..13));
        let guarantee = Guarantee {
            promise: Promise::OrderPerKey,
            at: None,
            expected: Outcome::Violated,
            source: id,
        };
        assert_eq!(guarantee.diagnostic(Outcome::Violated, "", &source), None);
        let diagnostic = guarantee
            .diagnostic(Outcome::Holds, "no inversion", &source)
            .expect("not met");
        assert_eq!(diagnostic.code, Code::GuaranteeViolated);
    }
}
