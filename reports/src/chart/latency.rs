//! How long records take.

use super::axis::{decades, seconds};
use super::timeline::Timeline;
use super::{Axis, Entry, Figure, Layer, Mark, Panel, Role};
use crate::account::{Account, LatencyAccount};
use crate::course::{FunctionCourse, LatencyBar};
use sim::engine::time::SimDuration;

/// Places that get a panel; a run with more of them has their figures in its tables.
const PANELS_MAX: usize = 4;

/// Functions whose effects took time, with what is known of their latency in all.
fn places(account: &Account) -> Vec<(&FunctionCourse, &LatencyAccount)> {
    let functions = account.course.functions.iter();
    functions
        .filter_map(|function| {
            let found = account
                .latency
                .iter()
                .find(|latency| latency.function == function.name)?;
            (!function.since_creation.is_empty()).then_some((function, found))
        })
        .take(PANELS_MAX)
        .collect()
}

/// The title of a panel, if there are several.
fn panel_title(places: usize, function: &FunctionCourse) -> Option<String> {
    let by = if function.at == function.name {
        function.at.clone()
    } else {
        format!("{}, from {}", function.at, function.name)
    };
    (places > 1).then_some(by)
}

fn seconds_of(column: &[Option<SimDuration>]) -> Vec<Option<f64>> {
    column.iter().map(|span| span.map(seconds)).collect()
}

/// Percentiles by time.
pub(super) fn over_time(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let places = places(account);
    let worst = places
        .iter()
        .flat_map(|(function, latency)| {
            let steps = function.latency_p99.iter().enumerate();
            steps.filter_map(move |(step, span)| Some(((*span)?, core::cmp::Reverse(step), *latency)))
        })
        .max_by_key(|(span, step, _)| (*span, *step))?;
    let (slowest, core::cmp::Reverse(at), latency) = worst;
    let title = if slowest.as_nanos() > 3 * latency.since_creation.p50.as_nanos() {
        format!(
            "Half of all records took {} or less, but at {} one in a hundred took {slowest} or more",
            latency.since_creation.p50,
            time.clock_of(at)
        )
    } else {
        format!(
            "Latency stayed even: half of all records took {} or less, and at no time did one in a hundred take more than \
             {slowest}",
            latency.since_creation.p50
        )
    };
    let panels = places
        .iter()
        .map(|(function, _)| {
            let columns = [&function.latency_p50, &function.latency_p90, &function.latency_p99].map(|c| seconds_of(c));
            let values = || columns.iter().flatten().flatten().copied();
            let (least, most) = (values().fold(f64::MAX, f64::min), values().fold(0.0, f64::max));
            let is_log = least > 0.0 && most / least > 12.0;
            let scaled = |column: &[Option<f64>]| -> Vec<Option<f64>> {
                let scale = |value: f64| if is_log { decades(value) } else { value };
                column.iter().map(|value| value.map(scale)).collect()
            };
            let roles = [Role::High, Role::Middle, Role::Low];
            Panel {
                title: panel_title(places.len(), function),
                x: time.axis(),
                y: if is_log {
                    Axis::spans_log("latency", least / 1.3, most * 1.3)
                } else {
                    Axis::spans("latency", most)
                },
                layers: columns
                    .iter()
                    .rev()
                    .zip(roles)
                    .map(|(column, role)| time.broken_line(role, &scaled(column)))
                    .collect(),
                limit: None,
                marks: time.marks(),
            }
        })
        .collect();
    Some(Figure {
        name: "latency-over-time",
        title,
        caption: format!(
            "From a record's creation to its effect, for the records that took effect within each {}: half of them took no \
             longer than p50, 90 % no longer than p90, 99 % no longer than p99.{}",
            time.step(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: legend(&[(Role::High, "p99"), (Role::Middle, "p90"), (Role::Low, "p50")]),
        panels,
    })
}

fn legend(entries: &[(Role, &str)]) -> Vec<Entry> {
    entries
        .iter()
        .map(|(role, label)| Entry {
            role: *role,
            label: (*label).to_owned(),
        })
        .collect()
}

/// The distribution over the whole run.
pub(super) fn distribution(account: &Account) -> Option<Figure> {
    let places = places(account);
    let (_, first) = places.first()?;
    let spread = first.since_creation;
    let at = if places.len() > 1 {
        format!(" at {}", first.at)
    } else {
        String::new()
    };
    Some(Figure {
        name: "latency-distribution",
        title: format!(
            "Half of the records took effect within {}{at}, 99 % within {}, the slowest after {}",
            spread.p50, spread.p99, spread.max
        ),
        caption:
            "How many records took how long, over the whole run, as a share for each bar. The bars are equally wide on \
                  the logarithmic axis. Where the two outlines part, records waited before they were stored: at the \
                  producer, or because they were refused."
                .to_owned(),
        changes: Vec::new(),
        legend: legend(&[
            (Role::Middle, "since creation"),
            (Role::Other, "since the stream stored it"),
        ]),
        panels: places
            .iter()
            .map(|(function, latency)| distribution_panel(function, latency, panel_title(places.len(), function)))
            .collect(),
    })
}

fn distribution_panel(function: &FunctionCourse, latency: &LatencyAccount, title: Option<String>) -> Panel {
    let both = [&function.since_creation, &function.since_arrival];
    let least = both.iter().filter_map(|bars| bars.first()).map(|bar| bar.from).min();
    let most = both.iter().filter_map(|bars| bars.last()).map(|bar| bar.to).max();
    let (least, most) = (least.map_or(1e-9, seconds), most.map_or(1.0, seconds));
    let x = Axis::spans_log("latency", (least / 1.2).max(1e-6), most * 1.2);
    let created = binned(&function.since_creation, &x);
    let stored = binned(&function.since_arrival, &x);
    let highest = created
        .iter()
        .chain(&stored)
        .map(|(_, _, share)| *share)
        .fold(0.0, f64::max);
    let percentiles = [
        ("p50", latency.since_creation.p50),
        ("p90", latency.since_creation.p90),
        ("p99", latency.since_creation.p99),
    ];
    Panel {
        title,
        y: Axis::linear("share of records, %", highest),
        layers: vec![
            Layer::Bars {
                role: Role::Middle,
                bars: created,
            },
            Layer::Line {
                role: Role::Other,
                parts: vec![outline(&stored)],
            },
        ],
        limit: None,
        marks: percentiles
            .map(|(name, span)| Mark {
                at: decades(seconds(span).max(1e-9)),
                label: name.to_owned(),
            })
            .to_vec(),
        x,
    }
}

/// Bins for each decade of the logarithmic axis.
const BINS: f64 = 20.0;

/// The share of records, in per cent, in bins that are equally wide on a logarithmic axis.
fn binned(bars: &[LatencyBar], x: &Axis) -> Vec<(f64, f64, f64)> {
    let all: u64 = bars.iter().map(|bar| bar.records).sum();
    let bins = ((x.to - x.from) * BINS).ceil().max(1.0);
    let mut shares = vec![0.0; bins as usize];
    let bin = |span: SimDuration| (decades(seconds(span).max(1e-9)) - x.from) * BINS;
    for bar in bars {
        // A bar that lies in two bins is shared out between them.
        let (from, to) = (bin(bar.from), bin(bar.to));
        let share = 100.0 * bar.records as f64 / all as f64;
        for (number, sum) in shares.iter_mut().enumerate() {
            let (low, high) = (number as f64, number as f64 + 1.0);
            let common = (to.min(high) - from.max(low)).max(0.0);
            if common > 0.0 && to > from {
                *sum += share * common / (to - from);
            }
        }
    }
    let edge = |number: usize| x.from + number as f64 / BINS;
    shares
        .into_iter()
        .enumerate()
        .filter(|(_, share)| *share > 0.0)
        .map(|(number, share)| (edge(number), edge(number + 1), share))
        .collect()
}

/// The upper edge of bars.
fn outline(bars: &[(f64, f64, f64)]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (from, to, height) in bars {
        match points.last() {
            Some((before, _)) if from - before > 1e-9 => {
                let before = *before;
                points.extend([(before, 0.0), (*from, 0.0)]);
            }
            Some(_) => {}
            None => points.push((*from, 0.0)),
        }
        points.extend([(*from, *height), (*to, *height)]);
    }
    if let Some((end, _)) = points.last().copied() {
        points.push((end, 0.0));
    }
    points
}
