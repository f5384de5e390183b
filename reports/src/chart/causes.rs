//! Where the time of records went.

use super::axis::seconds;
use super::{Axis, Entry, Figure, Layer, Panel, Role};
use crate::account::{Account, CauseAccount, LatencyAccount};
use crate::text::share;

/// Places that get a panel.
const PANELS_MAX: usize = 4;

/// Kinds of causes, with their colour and name.
const KINDS: [(Kind, Role, &str); 3] = [
    (Kind::Waiting, Role::Accepted, "waiting, as configured"),
    (Kind::Work, Role::Done, "work and ways"),
    (Kind::Trouble, Role::Refused, "refusals and failures"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something is gathered or awaited, as configured.
    Waiting,
    /// Something works, or travels.
    Work,
    /// Something was refused or failed.
    Trouble,
}

fn kind(cause: &CauseAccount) -> Kind {
    match cause.key {
        "gathering" | "waiting_for_poll" | "waiting_for_batch" => Kind::Waiting,
        "put_retries" | "waiting_for_concurrency" | "redelivery" => Kind::Trouble,
        _ => Kind::Work,
    }
}

/// Mean latency by cause, as a bar that is taken apart: each cause begins where the one before ends.
pub(super) fn causes(account: &Account) -> Option<Figure> {
    let all = account.latency.iter().filter(|place| !place.causes.is_empty());
    let places: Vec<&LatencyAccount> = all.take(PANELS_MAX).collect();
    let first = places.first()?;
    let largest = first.causes.iter().max_by_key(|cause| cause.total_ns)?;
    let mean = first.since_creation.mean;
    let trouble = of_kind(first, Kind::Trouble);
    let also = if trouble >= 10 && kind(largest) != Kind::Trouble {
        format!(", and {} to refusals and failures", share(trouble, 1_000))
    } else {
        String::new()
    };
    let at = if places.len() > 1 {
        format!(" at {}", first.at)
    } else {
        String::new()
    };
    let legend = KINDS
        .iter()
        .filter(|(kind, _, _)| places.iter().any(|place| of_kind(place, *kind) > 0));
    Some(Figure {
        name: "latency-by-cause",
        title: format!(
            "Of the {mean} that a record took on average{at}, {} went to {}{also}",
            share(largest.share_per_mille, 1_000),
            noun(largest.name)
        ),
        caption: "The mean latency of all records, by cause, in the order in which a record meets them: each bar begins where \
                  the one before ends. The parts of each record sum exactly to its latency. Causes below 0.1 % are left out."
            .to_owned(),
        changes: Vec::new(),
        legend: legend
            .map(|(_, role, label)| Entry {
                role: *role,
                label: (*label).to_owned(),
            })
            .collect(),
        panels: places.iter().map(|place| panel(place, places.len())).collect(),
    })
}

/// Their share of all time, in thousandths.
fn of_kind(place: &LatencyAccount, wanted: Kind) -> u64 {
    let causes = place.causes.iter().filter(|cause| kind(cause) == wanted);
    causes.map(|cause| cause.share_per_mille).sum()
}

/// The name of a cause after "went to".
fn noun(name: &str) -> String {
    match name {
        "throttled or sent again" => "being throttled or sent again".to_owned(),
        "failed and tried again" => "failing and being tried again".to_owned(),
        "put" | "handler" | "sink" => format!("the {name}"),
        "cold start" => "cold starts".to_owned(),
        "from shard to function" => "the way from shard to function".to_owned(),
        name => name.to_owned(),
    }
}

fn panel(place: &LatencyAccount, places: usize) -> Panel {
    let shown: Vec<&CauseAccount> = place.causes.iter().filter(|part| part.share_per_mille > 0).collect();
    let whole: f64 = place.causes.iter().map(|part| seconds(part.time.mean)).sum();
    let labels: Vec<String> = shown
        .iter()
        .map(|part| format!("{}, {}", part.name, part.time.mean))
        .collect();
    let rows = shown.len() as f64;
    let mut from = 0.0;
    let mut blocks: Vec<(Role, (f64, f64, f64, f64))> = Vec::new();
    for (row, part) in (0_u32..).zip(&shown) {
        let to = from + seconds(part.time.mean);
        let top = rows - f64::from(row);
        let role = KINDS
            .iter()
            .find(|(own, _, _)| *own == kind(part))
            .map(|(_, role, _)| *role);
        blocks.push((role.unwrap_or(Role::Other), (from, to, top - 0.84, top - 0.16)));
        from = to;
    }
    Panel {
        title: (places > 1).then(|| place.at.clone()),
        x: Axis::spans("time since creation", whole),
        y: Axis::rows(&labels),
        layers: KINDS
            .iter()
            .map(|(_, role, _)| Layer::Blocks {
                role: *role,
                blocks: blocks
                    .iter()
                    .filter(|(own, _)| own == role)
                    .map(|(_, block)| *block)
                    .collect(),
            })
            .collect(),
        limit: None,
        marks: Vec::new(),
    }
}
