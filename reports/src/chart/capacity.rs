//! How far readers lag, and how busy functions are.

use super::axis::seconds;
use super::timeline::{Timeline, extent, most, sum};
use super::{Axis, Entry, Figure, Limit, Panel, Role};
use crate::account::Account;
use crate::course::{ConcurrencyLimit, FunctionCourse};
use crate::text::{count, counted, share};
use sim::engine::time::SimTime;

/// Components that get a panel of their own.
const PANELS_MAX: usize = 4;

fn entries(entries: &[(Role, &str)]) -> Vec<Entry> {
    entries
        .iter()
        .map(|(role, label)| Entry {
            role: *role,
            label: (*label).to_owned(),
        })
        .collect()
}

/// Functions and applications that got records, functions first.
fn processors(account: &Account) -> Vec<&FunctionCourse> {
    let processors = account.course.functions.iter();
    processors
        .filter(|processor| processor.iterator_age_max.iter().any(Option::is_some))
        .take(PANELS_MAX)
        .collect()
}

/// Functions that ran, in order of name.
fn functions(account: &Account) -> Vec<&FunctionCourse> {
    let functions = account.course.functions.iter();
    functions
        .filter(|function| function.invocations.iter().any(|started| *started > 0))
        .take(PANELS_MAX)
        .collect()
}

/// Age of records when functions get them.
pub(super) fn iterator_age(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let functions = processors(account);
    let (oldest, at, worst) = functions
        .iter()
        .flat_map(|function| {
            let steps = function.iterator_age_max.iter().enumerate();
            steps.filter_map(move |(step, age)| Some(((*age)?, core::cmp::Reverse(step), *function)))
        })
        .max_by_key(|(age, step, _)| (*age, *step))?;
    let behind: Vec<_> = account
        .readers
        .iter()
        .zip(&account.course.readers)
        .filter(|(reader, _)| !reader.behind_max.is_zero())
        .collect();
    let title = format!(
        "{} got records that had waited up to {oldest} in the stream, at {}",
        worst.name,
        time.clock_of(at.0)
    );
    let panels = functions
        .iter()
        .map(|function| {
            let ages: Vec<Option<f64>> = function.iterator_age_max.iter().map(|age| age.map(seconds)).collect();
            let lag = behind.iter().find(|(reader, _)| reader.function == function.name);
            let lags: Vec<Option<f64>> = lag.map_or_else(Vec::new, |(_, course)| {
                course.behind_max.iter().map(|lag| lag.map(seconds)).collect()
            });
            let most = ages.iter().chain(&lags).flatten().copied().fold(0.0, f64::max);
            let mut layers = Vec::new();
            if !lags.is_empty() {
                layers.push(time.broken_line(Role::Other, &lags));
            }
            layers.push(time.broken_line(Role::Accepted, &ages));
            Panel {
                title: (functions.len() > 1).then(|| function.name.clone()),
                x: time.axis(),
                y: Axis::spans("age", most),
                layers,
                limit: None,
                marks: time.marks(),
            }
        })
        .collect();
    let mut legend = vec![(Role::Accepted, "IteratorAge")];
    if !behind.is_empty() {
        legend.push((Role::Other, "MillisBehindLatest"));
    }
    let lag = if behind.is_empty() {
        "No GetRecords was behind the newest record when it returned."
    } else {
        "MillisBehindLatest is how far a GetRecords was behind the newest record."
    };
    Some(Figure {
        name: "iterator-age",
        title,
        caption: format!(
            "The greatest age for each {}: IteratorAge is that of a batch's last record when the function gets it \
             (LAM-M-06). {lag}{}",
            time.step(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: entries(&legend),
        panels,
    })
}

/// The fullest step of a function: invocations at one time, and how many there could be then.
struct Fullest<'a> {
    function: &'a FunctionCourse,
    used: u64,
    limit: ConcurrencyLimit,
}

impl<'a> Fullest<'a> {
    fn of(time: &Timeline<'_>, function: &'a FunctionCourse) -> Option<Self> {
        let steps = function.concurrent_max.iter().enumerate();
        let full = steps.filter_map(|(step, used)| {
            // In a step with a change the limit was at most the greater one.
            let (from, to) = time.instants(step);
            let limits = function.concurrency_limits.iter().zip(limit_ends(function));
            let during = limits.filter(|(limit, end)| limit.from < to && *end > from);
            let limit = *during.map(|(limit, _)| limit).max_by_key(|limit| limit.invocations)?;
            Some((*used, limit, core::cmp::Reverse(step)))
        });
        let (used, limit, _) = full.max_by_key(|(used, limit, step)| {
            let share = u128::from(*used) * 1_000_000 / u128::from(limit.invocations.max(1));
            (share, *used, *step)
        })?;
        Some(Self { function, used, limit })
    }
    fn per_million(&self) -> u128 {
        u128::from(self.used) * 1_000_000 / u128::from(self.limit.invocations.max(1))
    }
}

/// When each limit of a function ends: where the next one begins.
fn limit_ends(function: &FunctionCourse) -> impl Iterator<Item = SimTime> {
    let begins = function.concurrency_limits.iter().skip(1).map(|limit| limit.from);
    begins.chain([SimTime::NEVER])
}

/// The limits of a function that are near enough to its use to be drawn: others would leave nothing to see of the curve.
fn near_limits(time: &Timeline<'_>, function: &FunctionCourse) -> Option<Limit> {
    let peak = function.concurrent_max.iter().copied().max().unwrap_or(0);
    let axis = time.axis();
    let limits = function.concurrency_limits.iter().zip(limit_ends(function));
    let near: Vec<(&ConcurrencyLimit, SimTime)> = limits
        .filter(|(limit, _)| peak.saturating_mul(5) >= limit.invocations)
        .collect();
    let (last, _) = near.last()?;
    let seconds = |at: SimTime| (at.as_nanos() as f64 / 1e9).min(axis.to);
    Some(Limit {
        label: format!("limit {}", count(last.invocations)),
        parts: near
            .iter()
            .map(|(limit, end)| (seconds(limit.from), seconds(*end), limit.invocations as f64))
            .collect(),
    })
}

/// A sentence on limits that are not drawn.
fn far_limits(functions: &[&FunctionCourse], drawn: &[Option<Limit>]) -> String {
    let is_whole = |(function, limit): &(&&FunctionCourse, &Option<Limit>)| {
        let drawn = limit.as_ref().map_or(0, |limit| limit.parts.len());
        drawn == function.concurrency_limits.len()
    };
    let far: Vec<&FunctionCourse> = functions
        .iter()
        .zip(drawn)
        .filter(|pair| !is_whole(pair))
        .map(|(function, _)| *function)
        .collect();
    match far.as_slice() {
        [] => String::new(),
        [only] if only.concurrency_limits.len() == 1 => format!(
            " The limit, {}, lies far above the drawing.",
            count(only.concurrency_limits.iter().map(|limit| limit.invocations).sum())
        ),
        _ => " Limits that lie far above the drawing are left out.".to_owned(),
    }
}

/// Invocations at one time, against how many there may be.
pub(super) fn concurrency(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let functions = functions(account);
    let fullest = functions
        .iter()
        .filter_map(|function| Fullest::of(&time, function))
        .reduce(|one, other| {
            if other.per_million() > one.per_million() {
                other
            } else {
                one
            }
        })?;
    let limits: Vec<Option<Limit>> = functions.iter().map(|function| near_limits(&time, function)).collect();
    let panels = functions
        .iter()
        .zip(&limits)
        .map(|(function, limit)| {
            let values: Vec<f64> = function.concurrent_max.iter().map(|value| *value as f64).collect();
            let limits = limit.iter().flat_map(|limit| &limit.parts).map(|(_, _, at)| *at);
            Panel {
                title: (functions.len() > 1).then(|| function.name.clone()),
                x: time.axis(),
                y: Axis::whole("invocations", limits.fold(most(&values), f64::max)),
                layers: vec![time.stairs(Role::Accepted, &values)],
                limit: limit.clone(),
                marks: time.marks(),
            }
        })
        .collect();
    let kind = if fullest.limit.is_reserved {
        "reserved for it (LAM-C-06)"
    } else {
        "of the account (LAM-C-04)"
    };
    let name = &fullest.function.name;
    let used = counted(fullest.used, "invocation");
    let of = format!(
        "{} of the {}",
        share(fullest.used, fullest.limit.invocations),
        count(fullest.limit.invocations)
    );
    let mut legend = vec![(Role::Accepted, "most at one time")];
    if limits.iter().any(Option::is_some) {
        legend.push((Role::Limit, "limit"));
    }
    Some(Figure {
        name: "concurrency",
        title: if fullest.function.concurrency_limits.len() > 1 {
            format!("{name} was fullest with {used} at one time, {of} that were {kind} then")
        } else {
            format!("{name} ran at most {used} at one time, {of} {kind}")
        },
        caption: format!(
            "ConcurrentExecutions (LAM-M-08): the most invocations in progress at one time, for each {}.{}{}",
            time.step(),
            far_limits(&functions, &limits),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: entries(&legend),
        panels,
    })
}

/// Invocations that failed, were refused, or waited for a new environment.
pub(super) fn failures(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let functions = &account.course.functions;
    let total = |of: fn(&FunctionCourse) -> &Vec<u64>| sum(functions.iter().map(of));
    let (failed, throttled) = (total(|one| &one.failures), total(|one| &one.throttles));
    let both = sum([&failed, &throttled]);
    extent(&both)?;
    let started = total(|one| &one.invocations);
    let counts = [&started, &failed, &throttled].map(|column| column.iter().sum::<u64>());
    let refused = match counts[2] {
        1 => "1 invocation was refused for concurrency".to_owned(),
        several => format!("{} were refused for concurrency", counted(several, "invocation")),
    };
    let failed_told = format!("{} of {} failed", count(counts[1]), counted(counts[0], "invocation"));
    let told = match (counts[1], counts[2]) {
        (0, _) => refused,
        (_, 0) => failed_told,
        _ => format!("{failed_told} and {refused}"),
    };
    let layers = [
        (Role::Refused, &failed, "failed", counts[1] > 0),
        (Role::Repeated, &throttled, "refused", counts[2] > 0),
    ];
    let shown: Vec<(Role, Vec<f64>, &str)> = layers
        .into_iter()
        .filter(|(_, _, _, is_there)| *is_there)
        .map(|(role, column, label, _)| (role, time.rates(column), label))
        .collect();
    Some(Figure {
        name: "failures",
        title: format!("{told}, {}", time.when(&both)),
        caption: format!(
            "Invocations a second, {}: those that ended in an error or the timeout (Errors, \
             LAM-M-02) and those that were refused (Throttles, LAM-M-03).{}",
            time.averaged(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: entries(&shown.iter().map(|(role, _, label)| (*role, *label)).collect::<Vec<_>>()),
        panels: vec![Panel {
            title: None,
            x: time.axis(),
            y: Axis::linear(
                "invocations/s",
                shown.iter().map(|(_, values, _)| most(values)).fold(0.0, f64::max),
            ),
            layers: shown.iter().map(|(role, values, _)| time.line(*role, values)).collect(),
            limit: None,
            marks: time.marks(),
        }],
    })
}
