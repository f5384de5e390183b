//! Order, duplicates and loss, with the first case of a violation as a picture in time.

use super::prose::prose;
use super::tables::chip;
use crate::account::{Account, Check, Sighting, Verdict, Witness};
use crate::text::{counted, printable};
use maud::{Markup, html};
use sim::engine::time::SimTime;

/// What checkers found.
pub(super) fn checks(account: &Account) -> Markup {
    html! {
        @if !account.checks.is_empty() {
            h2 id="order" { "Order, duplicates, loss" }
            div.card {
                @for check in &account.checks { (found(check)) }
            }
        }
    }
}

fn found(check: &Check) -> Markup {
    html! {
        p {
            (chip(check.verdict)) " " b { (check.what) } " at " (prose(&check.at))
            @if check.violations > 0 { ", " (counted(check.violations, "violation")) }
        }
        @if check.verdict != Verdict::Held {
            @if let Some(witness) = &check.witness { (timeline(witness)) }
            @for line in &check.evidence { p.evidence { (prose(line)) } }
        }
    }
}

/// A moment on a lane.
struct Moment {
    at: SimTime,
    class: &'static str,
    what: &'static str,
}

fn moments(sighting: &Sighting) -> Vec<Moment> {
    let all = [
        (sighting.created, "made", "created"),
        (sighting.stored, "saved", "stored"),
        (sighting.effect, "effect", "took effect"),
    ];
    all.into_iter()
        .filter_map(|(at, class, what)| Some(Moment { at: at?, class, what }))
        .collect()
}

/// The moments of the late or repeated record, with what was done to it in between.
fn moments_with_cause(witness: &Witness) -> Vec<Moment> {
    let mut record = moments(&witness.record);
    if let Some((_, at)) = &witness.cause {
        let place = record.partition_point(|moment| moment.at < *at);
        if place > 0 && place < record.len() {
            record.insert(
                place,
                Moment {
                    at: *at,
                    class: "again",
                    what: "sent again",
                },
            );
        }
    }
    record
}

/// What the two lanes are called: that of the other record, then that of the record.
fn lane_names(witness: &Witness) -> [String; 2] {
    let record = witness.record.ordinal;
    match witness.other.map(|other| other.ordinal) {
        Some(other) if other == record => [format!("#{record}, first time"), format!("#{record}, again")],
        other => [format!("record #{}", other.unwrap_or(0)), format!("record #{record}")],
    }
}

/// Two records of a key in one picture: who overtook whom, and where.
fn timeline(witness: &Witness) -> Markup {
    let record = moments_with_cause(witness);
    let other = witness.other.as_ref().map(moments).unwrap_or_default();
    let all = || record.iter().chain(&other).map(|moment| moment.at);
    let (Some(from), Some(to)) = (all().min(), all().max()) else {
        return html! {};
    };
    let [other_name, record_name] = lane_names(witness);
    html! {
        div.lanes role="img" aria-label=(format!("Two records of key {}, from {from} to {to}", printable(&witness.key))) {
            (meanings(witness))
            (lane(&other_name, &other, from, to))
            (lane(&record_name, &record, from, to))
            p.caption {
                "Key " code { (printable(&witness.key)) } ", from " (from) " to " (to)
                @if let Some((what, at)) = &witness.cause { "; " (what) " at " (at) }
                "."
            }
        }
    }
}

/// What the colours and shapes of the lanes mean.
fn meanings(witness: &Witness) -> Markup {
    html! {
        ul.legend {
            li { i style="border:3px solid var(--ink);border-radius:50%" {} "created" }
            li { i style="background:var(--refused)" {} "not stored yet" }
            @if witness.cause.is_some() { li { i style="background:var(--refused);transform:rotate(45deg) scale(.75)" {} "sent again" } }
            li { i style="border:3px solid var(--accepted);border-radius:50%" {} "stored" }
            li { i style="background:var(--accepted)" {} "in the stream and the function" }
            li { i style="background:var(--done);border-radius:50%" {} "took effect" }
        }
    }
}

/// A record's moments on a line of time.
fn lane(name: &str, moments: &[Moment], from: SimTime, to: SimTime) -> Markup {
    let place = |at: SimTime| 100.0 * share(at, from, to);
    html! {
        @if !moments.is_empty() {
            div.lane {
                span { (name) }
                div.track {
                    @for pair in moments.windows(2) {
                        i class=(if pair[1].class == "effect" || pair[0].class == "saved" { "stay" } else { "wait" })
                            style=(format!("left:{:.2}%;width:{:.2}%", place(pair[0].at), place(pair[1].at) - place(pair[0].at))) {}
                    }
                    @for moment in moments {
                        b class=(moment.class) style=(format!("left:{:.2}%", place(moment.at))) title=(format!("{} {}", moment.what, moment.at)) {}
                    }
                }
            }
        }
    }
}

fn share(at: SimTime, from: SimTime, to: SimTime) -> f64 {
    let whole = to.since(from).as_nanos().max(1);
    at.since(from).as_nanos() as f64 / whole as f64
}
