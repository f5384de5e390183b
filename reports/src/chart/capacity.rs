//! How far readers lag, and how busy functions are.

use super::axis::seconds;
use super::timeline::{Timeline, extent, most, sum};
use super::{Axis, Entry, Figure, Mark, Panel, Role};
use crate::account::Account;
use crate::course::FunctionCourse;
use crate::text::{count, counted, share};

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
    let functions = functions(account);
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

/// Invocations at one time, against how many there may be.
pub(super) fn concurrency(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let functions = functions(account);
    let peak = |function: &FunctionCourse| function.concurrent_max.iter().copied().max().unwrap_or(0);
    let fullest = *functions.iter().max_by_key(|function| {
        u128::from(peak(function)) * 1_000_000 / u128::from(function.concurrency_limit.max(1))
    })?;
    // A limit far above would leave nothing to see of the curve.
    let is_near = |function: &FunctionCourse| peak(function) * 5 >= function.concurrency_limit;
    let far: Vec<String> = functions
        .iter()
        .filter(|function| !is_near(function))
        .map(|function| count(function.concurrency_limit))
        .collect();
    let limits = match (far.len(), far.first()) {
        (1, Some(limit)) => format!(" The limit, {limit}, lies far above the drawing."),
        (0, _) | (_, None) => String::new(),
        _ => " Limits that lie far above the drawing are left out.".to_owned(),
    };
    let panels = functions
        .iter()
        .map(|function| {
            let values: Vec<f64> = function.concurrent_max.iter().map(|value| *value as f64).collect();
            let limit = function.concurrency_limit as f64;
            let highest = if is_near(function) {
                most(&values).max(limit)
            } else {
                most(&values)
            };
            Panel {
                title: (functions.len() > 1).then(|| function.name.clone()),
                x: time.axis(),
                y: Axis::whole("invocations", highest),
                layers: vec![time.stairs(Role::Accepted, &values)],
                limit: is_near(function).then(|| Mark {
                    at: limit,
                    label: format!("limit {}", count(function.concurrency_limit)),
                }),
                marks: time.marks(),
            }
        })
        .collect();
    let kind = if fullest.is_reserved {
        "reserved for it (LAM-C-06)"
    } else {
        "of the account (LAM-C-04)"
    };
    let mut legend = vec![(Role::Accepted, "most at one time")];
    if functions.iter().any(|function| is_near(function)) {
        legend.push((Role::Limit, "limit"));
    }
    Some(Figure {
        name: "concurrency",
        title: format!(
            "{} ran at most {} at one time, {} of the {} {kind}",
            fullest.name,
            counted(peak(fullest), "invocation"),
            share(peak(fullest), fullest.concurrency_limit),
            count(fullest.concurrency_limit)
        ),
        caption: format!(
            "ConcurrentExecutions (LAM-M-08): the most invocations in progress at one time, for each {}.{limits}{}",
            time.step(),
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
            "Invocations a second, for each {}: those that ended in an error or the timeout (Errors, \
             LAM-M-02) and those that were refused (Throttles, LAM-M-03).{}",
            time.step(),
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
