//! Throughput against what a shard takes.

use super::timeline::{Timeline, extent, most, sum};
use super::{Axis, Entry, Figure, Layer, Limit, Panel, Role};
use crate::account::Account;
use crate::course::{ShardCourse, StreamCourse};
use crate::text::{count, counted, share};
use sim::engine::quantity::MIB;
use sim::engine::time::SimDuration;

/// Shards that get a panel of their own.
const PANELS_MAX: usize = 6;

/// A shard, with what it is called and what came to it.
struct Load<'c> {
    stream: &'c StreamCourse,
    shard: &'c ShardCourse,
    name: String,
    offered: u64,
    throttled: u64,
}

/// All shards, the busiest first.
fn loads(account: &Account) -> Vec<Load<'_>> {
    let streams = &account.course.streams;
    let mut loads: Vec<Load<'_>> = streams
        .iter()
        .flat_map(|stream| stream.shards.iter().map(move |shard| (stream, shard)))
        .map(|(stream, shard)| {
            let throttled = shard.entries_throttled.iter().sum();
            let of = if streams.len() > 1 {
                format!(" of {}", stream.name)
            } else {
                String::new()
            };
            Load {
                stream,
                shard,
                name: format!("shard {}{of}", shard.number),
                offered: shard.records_accepted.iter().sum::<u64>() + throttled,
                throttled,
            }
        })
        .collect();
    loads.sort_by_key(|load| core::cmp::Reverse(load.offered));
    loads
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Whether the limit on bytes is closer than the one on records.
fn counts_bytes(loads: &[Load<'_>]) -> bool {
    loads.first().is_some_and(|load| {
        let bytes: u64 = load.shard.bytes_accepted.iter().sum();
        let records: u64 = load.shard.records_accepted.iter().sum();
        u128::from(bytes) * u128::from(load.stream.limit_records_per_second)
            > u128::from(records) * u128::from(load.stream.limit_bytes_per_second)
    })
}

/// Throughput of the busiest shards.
pub(super) fn throughput(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let loads = loads(account);
    let in_bytes = counts_bytes(&loads);
    // Of many shards, those that have nearly nothing to do show nothing.
    let busiest = loads.first().map_or(0, |load| load.offered);
    let is_worth = |load: &&Load<'_>| loads.len() <= PANELS_MAX || load.offered * 10 >= busiest;
    let shown: Vec<&Load<'_>> = loads.iter().take(PANELS_MAX).filter(is_worth).collect();
    let limit = shown.first()?.stream.limit_records_per_second;
    let panels = panels(&time, &shown, loads.len(), in_bytes)?;
    let unit = if in_bytes { "MiB/s" } else { "records/s" };
    let which = match (shown.len(), loads.len()) {
        (_, 1) => "The shard".to_owned(),
        (1, all) => format!("The busiest of {all} shards"),
        (some, all) if some < all => format!("The {some} busiest of {all} shards"),
        _ => "Each shard".to_owned(),
    };
    let what = if in_bytes {
        format!(
            "the 1 MiB/s that it takes (KDS-W-02; {} records/s are the other limit)",
            count(limit)
        )
    } else {
        format!("the {} records/s that it takes (KDS-W-01)", count(limit))
    };
    let refused = loads.iter().any(|load| load.throttled > 0);
    Some(Figure {
        name: "shard-throughput",
        title: title(account, &time, &loads),
        caption: format!(
            "{which} in {unit}, {}, against {what}.{} A shard that was idle for a moment lets a short burst pass \
             above the limit (KDS-MOD-02).{}",
            time.averaged(),
            if refused {
                " Refused entries stand on top of what was stored; one that is sent again and refused again counts each time."
            } else {
                ""
            },
            time.marks_told()
        ),
        changes: time.changes(),
        legend: [
            (Role::Accepted, "stored", true),
            (Role::Refused, "refused", refused),
            (Role::Limit, "limit", true),
        ]
        .into_iter()
        .filter(|(_, _, is_there)| *is_there)
        .map(|(role, label, _)| Entry {
            role,
            label: label.to_owned(),
        })
        .collect(),
        panels,
    })
}

/// A panel for each of the shards shown, all with one vertical axis; they have names if there are several shards.
fn panels(time: &Timeline<'_>, shown: &[&Load<'_>], all: usize, in_bytes: bool) -> Option<Vec<Panel>> {
    let panels: Vec<Panel> = shown.iter().map(|load| panel(time, load, in_bytes)).collect();
    let highest = panels.iter().max_by(|one, other| one.y.to.total_cmp(&other.y.to))?;
    let same = highest.y.clone();
    let title = |load: &Load<'_>| format!("{}: {} refused", capital(&load.name), words(load.throttled));
    let named = panels.into_iter().zip(shown).map(|(panel, load)| Panel {
        title: (all > 1).then(|| title(load)),
        y: same.clone(),
        ..panel
    });
    Some(named.collect())
}

/// A number, zero as a word.
fn words(number: u64) -> String {
    if number == 0 { "none".to_owned() } else { count(number) }
}

fn panel(time: &Timeline<'_>, load: &Load<'_>, in_bytes: bool) -> Panel {
    let records = time.rates(&load.shard.records_accepted);
    let bytes = time.rates(&load.shard.bytes_accepted);
    let throttled = time.rates(&load.shard.entries_throttled);
    // How large refused entries were is not told; they are taken to be as large as the stored ones.
    let whole: u64 = load.shard.bytes_accepted.iter().sum();
    let mean = whole as f64 / load.shard.records_accepted.iter().sum::<u64>().max(1) as f64;
    let (stored, refused, limit): (Vec<f64>, Vec<f64>, f64) = if in_bytes {
        let mib = MIB as f64;
        (
            bytes.iter().map(|value| value / mib).collect(),
            throttled.iter().map(|value| value * mean / mib).collect(),
            load.stream.limit_bytes_per_second as f64 / mib,
        )
    } else {
        (records, throttled, load.stream.limit_records_per_second as f64)
    };
    let offered: Vec<f64> = stored.iter().zip(&refused).map(|(one, two)| one + two).collect();
    let zero = vec![0.0; stored.len()];
    let mut layers = vec![time.area(Role::Accepted, &zero, &stored)];
    if load.throttled > 0 {
        layers.push(time.area(Role::Refused, &stored, &offered));
    }
    let label = if in_bytes {
        format!("limit {limit} MiB/s")
    } else {
        format!("limit {}/s", count(load.stream.limit_records_per_second))
    };
    Panel {
        title: None,
        x: time.axis(),
        y: Axis::linear(if in_bytes { "MiB/s" } else { "records/s" }, most(&offered).max(limit)),
        layers,
        limit: Some(Limit::constant(&time.axis(), limit, label)),
        marks: time.marks(),
    }
}

/// What is seen: who refused how much and when, or how close the busiest shard came.
fn title(account: &Account, time: &Timeline<'_>, loads: &[Load<'_>]) -> String {
    let mut refusing: Vec<&Load<'_>> = loads.iter().filter(|load| load.throttled > 0).collect();
    refusing.sort_by_key(|load| core::cmp::Reverse(load.throttled));
    let when = |column: &[u64]| format!(" {}", time.when(column));
    match refusing.as_slice() {
        [] => {
            let shards = account.streams.iter().flat_map(|stream| {
                stream
                    .shards
                    .iter()
                    .map(|shard| (shard.peak_records_per_second, stream.limit_records_per_second))
            });
            let closest = shards.max_by_key(|(peak, _)| *peak);
            let close = closest.map_or_else(String::new, |(peak, limit)| {
                format!(
                    ": the busiest one took {} of the records that it may take in its fullest second",
                    share(peak, limit)
                )
            });
            format!("No shard refused anything{close}")
        }
        [only] => format!(
            "{} refused {}{}",
            capital(&only.name),
            counted(only.throttled, "entry"),
            when(&only.shard.entries_throttled)
        ),
        [first, ..] => {
            let total: u64 = refusing.iter().map(|load| load.throttled).sum();
            let all = sum(refusing.iter().map(|load| &load.shard.entries_throttled));
            format!(
                "{} of {} shards refused {}{}, {} of them {}",
                refusing.len(),
                loads.len(),
                counted(total, "entry"),
                when(&all),
                share(first.throttled, total),
                first.name
            )
        }
    }
}

/// Every shard at a glance, where there are more than get a panel.
pub(super) fn all(account: &Account) -> Option<Figure> {
    let loads = loads(account);
    if loads.len() <= PANELS_MAX {
        return None;
    }
    let several = account.course.streams.len() > 1;
    let streams = account.course.streams.iter();
    let panels: Vec<Panel> = streams
        .filter(|stream| !stream.shards.is_empty())
        .map(|stream| load_panel(stream, account.run.simulated, several.then(|| stream.name.clone())))
        .collect();
    let total: u64 = loads.iter().map(|load| load.offered).sum();
    let first = loads.first()?;
    Some(Figure {
        name: "shard-load",
        title: format!(
            "{} got {} of the load, where an equal share is {}",
            capital(&first.name),
            share(first.offered, total),
            share(1, loads.len() as u64)
        ),
        caption: format!(
            "Records a second that came to each shard, on average over the whole run of {}.",
            account.run.simulated
        ),
        changes: Vec::new(),
        legend: [
            (Role::Accepted, "stored"),
            (Role::Refused, "refused"),
            (Role::Limit, "limit"),
        ]
        .map(|(role, label)| Entry {
            role,
            label: label.to_owned(),
        })
        .to_vec(),
        panels,
    })
}

/// A bar for each shard of a stream: what came to it on average, and the stored part of that.
fn load_panel(stream: &StreamCourse, simulated: SimDuration, title: Option<String>) -> Panel {
    let secs = (simulated.as_nanos() as f64 / 1e9).max(1e-9);
    let bars = |of: fn(&ShardCourse) -> u64| -> Vec<(f64, f64, f64)> {
        let values = stream.shards.iter().map(|shard| of(shard) as f64 / secs);
        values
            .zip(0_u32..)
            .map(|(value, place)| (f64::from(place) + 0.1, f64::from(place) + 0.9, value))
            .collect()
    };
    let offered = bars(|shard| sum([&shard.records_accepted, &shard.entries_throttled]).iter().sum());
    let stored = bars(|shard| shard.records_accepted.iter().sum());
    let limit = stream.limit_records_per_second as f64;
    let highest = offered.iter().map(|(_, _, value)| *value).fold(0.0, f64::max);
    let x = Axis::places("number of the shard", stream.shards.len());
    let label = format!("limit {}/s", count(stream.limit_records_per_second));
    Panel {
        title,
        y: Axis::linear("records/s", highest.max(limit)),
        layers: vec![
            Layer::Bars {
                role: Role::Refused,
                bars: offered,
            },
            Layer::Bars {
                role: Role::Accepted,
                bars: stored,
            },
        ],
        limit: Some(Limit::constant(&x, limit, label)),
        marks: Vec::new(),
        x,
    }
}

/// What streams refuse, by time.
pub(super) fn refusals(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let shards = account.course.streams.iter().flat_map(|stream| &stream.shards);
    let refused = sum(shards.map(|shard| &shard.entries_throttled));
    let given_up = sum(account
        .course
        .producers
        .iter()
        .map(|producer| &producer.records_given_up));
    extent(&refused)?;
    let [refused_rate, given_up_rate] = [&refused, &given_up].map(|column| time.rates(column));
    let worst = most(&refused_rate);
    let lost: u64 = given_up.iter().sum();
    let outcome = if lost > 0 {
        format!("clients gave up {}", counted(lost, "record"))
    } else {
        "clients gave up no record".to_owned()
    };
    let layers = [
        (Role::Refused, &refused_rate, "refused by a shard", true),
        (Role::Repeated, &given_up_rate, "given up", lost > 0),
    ];
    let shown = layers.iter().filter(|(_, _, _, is_there)| *is_there);
    Some(Figure {
        name: "refusals",
        title: format!(
            "Up to {} a second were refused {}; {outcome}",
            counted(worst.round() as u64, "entry"),
            time.when(&refused)
        ),
        caption: format!(
            "Entries a second, {}: what shards refuse (WriteProvisionedThroughputExceeded, KDS-MET-09) and what \
             clients give up. A record that is sent again may be refused again.{}",
            time.averaged(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: shown
            .clone()
            .map(|(role, _, label, _)| Entry {
                role: *role,
                label: (*label).to_owned(),
            })
            .collect(),
        panels: vec![Panel {
            title: None,
            x: time.axis(),
            y: Axis::linear(
                "entries/s",
                shown.clone().map(|(_, values, _, _)| most(values)).fold(0.0, f64::max),
            ),
            layers: shown.map(|(role, values, _, _)| time.line(*role, values)).collect(),
            limit: None,
            marks: time.marks(),
        }],
    })
}
