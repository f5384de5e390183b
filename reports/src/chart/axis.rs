//! Axes: what they measure, how far they go, and where their ticks are.

use crate::text::count;
use sim::engine::time::SimDuration;

/// An axis. Logarithmic ones are in decades.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// The least value.
    pub from: f64,
    /// The greatest value.
    pub to: f64,
    /// Labelled places, ascending.
    pub ticks: Vec<Tick>,
    /// Whether the labels are names of rows rather than values.
    pub has_rows: bool,
}

/// A labelled place on an axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// Its label.
    pub label: String,
}

/// Lengths that divide a time axis, in seconds.
const TIMES: [f64; 22] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
];

impl Axis {
    /// Where a value lies, from 0 to 1.
    pub fn place(&self, value: f64) -> f64 {
        let span = self.to - self.from;
        if span > 0.0 {
            ((value - self.from) / span).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Simulated time, in seconds, from the start of the run.
    pub(super) fn time(span: SimDuration) -> Self {
        let to = (span.as_nanos() as f64 / 1e9).max(1e-3);
        let step = TIMES.into_iter().find(|step| to / step <= 6.5).unwrap_or(to);
        let (unit, write): (&str, fn(u64) -> String) = if to <= 5_400.0 {
            ("min:s", |secs| format!("{}:{:02}", secs / 60, secs % 60))
        } else if to <= 129_600.0 {
            ("h:min", |secs| format!("{}:{:02}", secs / 3_600, secs / 60 % 60))
        } else {
            ("days", |secs| {
                if secs.is_multiple_of(86_400) {
                    (secs / 86_400).to_string()
                } else {
                    String::new()
                }
            })
        };
        Self {
            label: format!("simulated time, {unit}"),
            from: 0.0,
            to,
            ticks: stepped(0.0, to, step, |value| write(value as u64)),
            has_rows: false,
        }
    }

    /// From zero to beyond `most`, in steps that people count in.
    pub(super) fn linear(label: &str, most: f64) -> Self {
        let most = if most > 0.0 { most * 1.04 } else { 1.0 };
        let step = round_step(most / 4.0);
        let to = (most / step).ceil() * step;
        Self {
            label: label.to_owned(),
            from: 0.0,
            to,
            ticks: stepped(0.0, to, step, |value| number(value, step)),
            has_rows: false,
        }
    }
    /// As [`linear`](Self::linear), for things that are counted: no tick between two of them.
    pub(super) fn whole(label: &str, most: f64) -> Self {
        if most < 5.0 {
            let to = most.ceil().max(1.0) + 1.0;
            return Self {
                label: label.to_owned(),
                from: 0.0,
                to,
                ticks: stepped(0.0, to, 1.0, |value| count(value as u64)),
                has_rows: false,
            };
        }
        let axis = Self::linear(label, most);
        let ticks = axis.ticks.into_iter().filter(|tick| is_whole(tick.at)).collect();
        Self { ticks, ..axis }
    }

    /// `number` places side by side, numbered from 0; each is one wide.
    pub(super) fn places(label: &str, number: usize) -> Self {
        let to = number.max(1) as f64;
        let step = round_step((to / 8.0).max(1.0)).ceil();
        Self {
            label: label.to_owned(),
            from: 0.0,
            to,
            ticks: stepped(0.0, to - 1.0, step, |value| count(value as u64))
                .into_iter()
                .map(|tick| Tick {
                    at: tick.at + 0.5,
                    ..tick
                })
                .collect(),
            has_rows: false,
        }
    }

    /// Spans of time from zero to beyond `most`, both in seconds.
    pub(super) fn spans(label: &str, most: f64) -> Self {
        let (unit, name) = time_unit(most);
        let inner = Self::linear(label, most / unit);
        Self {
            label: format!("{label}, {name}"),
            from: 0.0,
            to: inner.to * unit,
            ticks: inner
                .ticks
                .into_iter()
                .map(|tick| Tick {
                    at: tick.at * unit,
                    ..tick
                })
                .collect(),
            has_rows: false,
        }
    }

    /// Spans of time on a logarithmic scale; `least` and `most` in seconds.
    pub(super) fn spans_log(label: &str, least: f64, most: f64) -> Self {
        let (from, to) = (decades(least.max(1e-9)), decades(most.max(1e-9)));
        let (from, to) = if to - from < 0.2 {
            (from - 0.1, to + 0.1)
        } else {
            (from, to)
        };
        let factors: &[u32] = match to - from {
            wide if wide > 2.5 => &[1],
            wide if wide > 1.3 => &[1, 3],
            _ => &[1, 2, 5],
        };
        let mut ticks = Vec::new();
        for decade in (from.floor() as i32)..=(to.ceil() as i32) {
            for factor in factors {
                let at = f64::from(decade) + decades(f64::from(*factor));
                if at >= from - 1e-9 && at <= to + 1e-9 {
                    ticks.push(Tick {
                        at,
                        label: span_label(decade, *factor),
                    });
                }
            }
        }
        Self {
            label: format!("{label}, logarithmic"),
            from,
            to,
            ticks,
            has_rows: false,
        }
    }

    /// Rows with these names, the first one on top; each is one high.
    pub(super) fn rows(names: &[String]) -> Self {
        let to = names.len().max(1) as f64;
        let ticks = (0_u32..).zip(names);
        Self {
            label: String::new(),
            from: 0.0,
            to,
            ticks: ticks
                .map(|(row, name)| Tick {
                    at: to - f64::from(row) - 0.5,
                    label: name.clone(),
                })
                .collect(),
            has_rows: true,
        }
    }
}

/// The decimal logarithm.
pub(super) fn decades(value: f64) -> f64 {
    libm::log10(value)
}

/// Seconds.
pub(super) fn seconds(span: SimDuration) -> f64 {
    span.as_nanos() as f64 / 1e9
}

/// `factor` times ten to the power `decade` seconds, in the unit that people would use.
fn span_label(decade: i32, factor: u32) -> String {
    let (unit, power) = match decade {
        ..=-7 => ("ns", decade + 9),
        -6..=-4 => ("µs", decade + 6),
        -3..=-1 => ("ms", decade + 3),
        0.. => ("s", decade),
    };
    let zeros = "0".repeat(usize::try_from(power).unwrap_or(0));
    let digits = format!("{factor}{zeros}");
    let digits = digits.parse().map_or(digits, count);
    format!("{digits} {unit}")
}

/// The unit for spans up to `most` seconds: its length in seconds, and its name.
fn time_unit(most: f64) -> (f64, &'static str) {
    match most {
        most if most < 1e-3 => (1e-6, "µs"),
        most if most < 1.0 => (1e-3, "ms"),
        most if most < 300.0 => (1.0, "s"),
        most if most < 10_800.0 => (60.0, "min"),
        most if most < 259_200.0 => (3_600.0, "h"),
        _ => (86_400.0, "days"),
    }
}

/// The least of 1, 2, 5, 10, ... that is not below.
fn round_step(least: f64) -> f64 {
    let mut power = 1.0;
    while power * 10.0 <= least {
        power *= 10.0;
    }
    while power > least {
        power /= 10.0;
    }
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(least)
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

fn stepped(from: f64, to: f64, step: f64, label: impl Fn(f64) -> String) -> Vec<Tick> {
    let last = ((to - from) / step + 1e-6).floor() as u32;
    (0..=last)
        .map(|number| from + f64::from(number) * step)
        .map(|at| Tick { at, label: label(at) })
        .collect()
}

/// A number on an axis whose ticks lie `step` apart.
fn number(value: f64, step: f64) -> String {
    match step {
        _ if value <= 0.0 => "0".to_owned(),
        step if step >= 1_000_000.0 => format!("{} M", trimmed(value / 1_000_000.0)),
        step if step >= 10_000.0 => format!("{} k", trimmed(value / 1_000.0)),
        step if step >= 1.0 && is_whole(step) => count(value.round() as u64),
        _ => trimmed(value),
    }
}

/// With as many decimals as it takes.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn time_is_told_in_the_unit_of_the_run() {
        let axis = |secs| Axis::time(SimDuration::from_secs(secs));
        assert_eq!(labels(&axis(300)), ["0:00", "1:00", "2:00", "3:00", "4:00", "5:00"]);
        assert_eq!(
            labels(&axis(3_600)),
            ["0:00", "10:00", "20:00", "30:00", "40:00", "50:00", "60:00"]
        );
        assert_eq!(labels(&axis(14_400)), ["0:00", "1:00", "2:00", "3:00", "4:00"]);
        assert_eq!(labels(&axis(56 * 86_400)), ["0", "14", "28", "42", "56"]);
        assert_eq!(axis(86_400).label, "simulated time, h:min");
    }

    #[test]
    fn steps_are_those_that_people_count_in() {
        assert_eq!(
            labels(&Axis::linear("records/s", 1_600.0)),
            ["0", "500", "1,000", "1,500", "2,000"]
        );
        assert_eq!(
            labels(&Axis::linear("records/s", 0.0)),
            ["0", "0.25", "0.5", "0.75", "1"]
        );
        assert_eq!(
            labels(&Axis::linear("records/s", 93_000.0)),
            ["0", "25 k", "50 k", "75 k", "100 k"]
        );
        assert_eq!(labels(&Axis::whole("invocations", 1.0)), ["0", "1", "2"]);
    }

    #[test]
    fn spans_choose_their_unit() {
        let axis = Axis::spans("age", 1.31);
        assert_eq!(
            (axis.label.as_str(), labels(&axis)),
            ("age, s", vec!["0", "0.5", "1", "1.5"])
        );
        assert_eq!(Axis::spans("age", 0.3).label, "age, ms");
    }

    #[test]
    fn logarithmic_axes_have_ticks_at_decades_or_within_them() {
        assert_eq!(
            labels(&Axis::spans_log("latency", 0.005, 90.0)),
            ["10 ms", "100 ms", "1 s", "10 s"]
        );
        assert_eq!(
            labels(&Axis::spans_log("latency", 0.19, 15.1)),
            ["300 ms", "1 s", "3 s", "10 s"]
        );
        assert_eq!(
            labels(&Axis::spans_log("latency", 0.1, 0.9)),
            ["100 ms", "200 ms", "500 ms"]
        );
        assert_eq!(span_label(4, 1), "10,000 s");
    }
}
