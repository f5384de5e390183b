//! What charts over simulated time have in common.

use super::{Axis, Layer, Mark, Role};
use crate::account::Account;
use sim::engine::time::{SimDuration, SimTime};

/// The time axis of a run, and how columns are drawn along it.
pub(super) struct Timeline<'a> {
    account: &'a Account,
    /// Length of each step that is drawn, in seconds.
    seconds: Vec<f64>,
}

impl<'a> Timeline<'a> {
    /// `None` if nobody followed the run.
    pub(super) fn of(account: &'a Account) -> Option<Self> {
        let course = &account.course;
        let mut seconds = course.seconds(account.run.simulated);
        // A last step that was hardly begun has no rate worth drawing.
        let whole = course.step.as_nanos() as f64 / 1e9;
        while seconds.len() > 1 && seconds.last().is_some_and(|last| *last < whole / 4.0) {
            seconds.pop();
        }
        (!seconds.is_empty() && !account.run.simulated.is_zero()).then_some(Self { account, seconds })
    }

    /// The axis.
    pub(super) fn axis(&self) -> Axis {
        Axis::time(self.account.run.simulated)
    }
    /// Changes during the run, numbered.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let changes = self.account.changes.iter().zip(1..);
        changes
            .map(|(change, number): (_, u32)| Mark {
                at: change.at.as_nanos() as f64 / 1e9,
                label: number.to_string(),
            })
            .collect()
    }
    /// The same in words: `1: at 2:00 the load of producer.web becomes 4 times what is configured`.
    pub(super) fn changes(&self) -> Vec<String> {
        let changes = self.account.changes.iter().zip(1..);
        changes
            .map(|(change, number): (_, u32)| format!("{number}: at {} {}", self.clock(change.at), change.what))
            .collect()
    }
    /// A sentence for captions on what the numbers in the chart are.
    pub(super) fn marks_told(&self) -> &'static str {
        match self.account.changes.len() {
            0 => "",
            1 => " The dashed line 1 is the change during the run.",
            _ => " Dashed, numbered lines are the changes during the run.",
        }
    }

    /// Each step's share of a second: a column as a rate.
    pub(super) fn rates(&self, column: &[u64]) -> Vec<f64> {
        let steps = column.iter().zip(&self.seconds);
        steps
            .map(|(value, secs)| if *secs > 0.0 { *value as f64 / secs } else { 0.0 })
            .collect()
    }
    /// How long a step is, in words: `second`, `10 s`.
    pub(super) fn step(&self) -> String {
        match self.account.course.step {
            SimDuration::SECOND => "second".to_owned(),
            step if step == SimDuration::from_minutes(1) => "minute".to_owned(),
            step if step == SimDuration::from_hours(1) => "hour".to_owned(),
            step => step.to_string(),
        }
    }
    /// What a rate that is drawn means, in words: `for each second`, `as an average over each 10 s`.
    pub(super) fn averaged(&self) -> String {
        if self.account.course.step <= SimDuration::SECOND {
            format!("for each {}", self.step())
        } else {
            format!("as an average over each {}", self.step())
        }
    }
    /// An instant as people say it.
    pub(super) fn clock(&self, at: SimTime) -> String {
        clock(at, self.account.run.simulated)
    }
    /// The start of a step as people say it.
    pub(super) fn clock_of(&self, step: usize) -> String {
        self.clock(self.account.course.start(step))
    }
    /// The end of a step as people say it.
    pub(super) fn clock_after(&self, step: usize) -> String {
        let end = SimTime::ZERO.saturating_add(self.account.run.simulated);
        self.clock(self.account.course.start(step + 1).min(end))
    }

    /// When the things of a column happened: `between 2:04 and 2:22`, and where most of them did if a few lie far away.
    pub(super) fn when(&self, column: &[u64]) -> String {
        let Some((first, last)) = extent(column) else {
            return String::new();
        };
        let all: u64 = column.iter().sum();
        // The steps that hold the middle 95 %.
        let reaches = |share: u64| {
            let mut seen = 0;
            column.iter().position(|value| {
                seen += value;
                u128::from(seen) * 1_000 >= u128::from(all) * u128::from(share)
            })
        };
        let (begin, end) = (reaches(25).unwrap_or(first), reaches(975).unwrap_or(last));
        let span = |from, to| format!("between {} and {}", self.clock_of(from), self.clock_after(to));
        if (end - begin + 1) * 10 > column.len() * 9 {
            "throughout the run".to_owned()
        } else if (end - begin + 1) * 2 < last - first + 1 {
            format!("{}, 95 % of them {}", span(first, last), span(begin, end))
        } else {
            span(first, last)
        }
    }

    /// Start and end of a step.
    pub(super) fn instants(&self, step: usize) -> (SimTime, SimTime) {
        let end = SimTime::ZERO.saturating_add(self.account.run.simulated);
        let course = &self.account.course;
        (course.start(step), course.start(step + 1).min(end))
    }
    /// Start and end of a step on the axis.
    fn ends(&self, step: usize) -> (f64, f64) {
        let from = self.account.course.start(step).as_nanos() as f64 / 1e9;
        (from, from + self.seconds.get(step).copied().unwrap_or(0.0))
    }
    fn middle(&self, step: usize) -> f64 {
        let (from, to) = self.ends(step);
        from.midpoint(to)
    }
    /// Values of x over which values are drawn: the middles of the steps, and the ends of the whole.
    fn along<T: Copy>(&self, values: &[T]) -> Vec<(f64, T)> {
        let steps = values.len().min(self.seconds.len());
        let mut along: Vec<(f64, T)> = (0..steps).map(|step| (self.middle(step), values[step])).collect();
        if let (Some(first), Some(last)) = (along.first().copied(), along.last().copied()) {
            along.insert(0, (self.ends(0).0, first.1));
            along.push((self.ends(steps - 1).1, last.1));
        }
        along
    }

    /// A curve.
    pub(super) fn line(&self, role: Role, values: &[f64]) -> Layer {
        Layer::Line {
            role,
            parts: vec![self.along(values)],
        }
    }
    /// A curve with gaps; a step between two gaps is a dash.
    pub(super) fn broken_line(&self, role: Role, values: &[Option<f64>]) -> Layer {
        let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut open: Vec<(usize, f64)> = Vec::new();
        let steps = values.len().min(self.seconds.len());
        for step in 0..=steps {
            match values.get(step).copied().flatten().filter(|_| step < steps) {
                Some(value) => open.push((step, value)),
                None => parts.extend(self.part(&core::mem::take(&mut open))),
            }
        }
        Layer::Line { role, parts }
    }
    fn part(&self, values: &[(usize, f64)]) -> Option<Vec<(f64, f64)>> {
        match values {
            [] => None,
            [(step, value)] => {
                let (from, to) = self.ends(*step);
                Some(vec![(from, *value), (to, *value)])
            }
            several => Some(
                several
                    .iter()
                    .map(|(step, value)| (self.middle(*step), *value))
                    .collect(),
            ),
        }
    }
    /// A curve that stays on its value for the whole step.
    pub(super) fn stairs(&self, role: Role, values: &[f64]) -> Layer {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (step, value) in values.iter().enumerate().take(self.seconds.len()) {
            let (from, to) = self.ends(step);
            if points.last().is_some_and(|(_, before)| before.total_cmp(value).is_eq()) {
                points.pop();
            } else {
                points.push((from, *value));
            }
            points.push((to, *value));
        }
        Layer::Line {
            role,
            parts: vec![points],
        }
    }
    /// The area between two curves. Steps where it is empty on both sides are left out.
    pub(super) fn area(&self, role: Role, lower: &[f64], upper: &[f64]) -> Layer {
        let both: Vec<(f64, f64)> = lower.iter().copied().zip(upper.iter().copied()).collect();
        let points = self.along(&both).into_iter().map(|(x, (low, high))| (x, low, high));
        Layer::Area {
            role,
            points: points.collect(),
        }
    }
}

/// The sum of columns.
pub(super) fn sum<'c>(columns: impl IntoIterator<Item = &'c Vec<u64>>) -> Vec<u64> {
    let mut sum: Vec<u64> = Vec::new();
    for column in columns {
        sum.resize(sum.len().max(column.len()), 0);
        for (total, value) in sum.iter_mut().zip(column) {
            *total += value;
        }
    }
    sum
}

/// The greatest of some numbers; zero if there are none.
pub(super) fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// The steps in which something happened: the first and the last.
pub(super) fn extent(column: &[u64]) -> Option<(usize, usize)> {
    let first = column.iter().position(|value| *value > 0)?;
    let last = column.iter().rposition(|value| *value > 0)?;
    Some((first, last))
}

/// An instant as people say it, in a run of some length: `2:04`, `1:02:30`, `day 3, 04:10`.
pub(crate) fn clock(at: SimTime, run: SimDuration) -> String {
    let secs = at.as_millis() / 1_000;
    let (days, hours, minutes, seconds) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    if run <= SimDuration::from_minutes(90) {
        format!("{}:{seconds:02}", secs / 60)
    } else if run <= SimDuration::from_hours(36) {
        format!("{}:{minutes:02}:{seconds:02}", secs / 3_600)
    } else {
        format!("day {}, {hours:02}:{minutes:02}", days + 1)
    }
}
