//! The first screen: what was asked, what came out, and the figures that matter.

use super::prose::prose;
use crate::account::{Account, Ending, Judgement, Verdict};
use crate::summary::headline;
use crate::text::{count, counted, rate, share};
use maud::{Markup, html};
use sim::engine::time::SimDuration;

/// Statements that failed, shown beside the verdict; the others are in their table.
const FAILED_SHOWN: usize = 3;
/// Components of a kind that are drawn.
const STAGE_MAX: usize = 4;

/// Title, question and verdict.
pub(super) fn opening(account: &Account) -> Markup {
    let run = &account.run;
    html! {
        header {
            p.over { "shardlab · " (prose(&account.subject.name)) " · " (run.simulated) " simulated, seed " (run.seed) }
            h1 { (prose(&account.subject.title)) }
            @if let Some(question) = &account.subject.question { p.question { (prose(question)) } }
            @match &run.ending {
                Ending::Complete => {},
                Ending::Interrupted => (stopped(run.simulated, run.planned, "It was interrupted")),
                Ending::OutOfMemory(what) => (stopped(run.simulated, run.planned, &format!("The model outgrew its memory: {what}"))),
            }
            div class={ "verdict " (account.verdict().word()) } {
                span.word { (symbol(account.verdict())) " " (account.verdict().word()) }
                div { (headline(&account.judgements)) (failed(&account.judgements)) }
            }
        }
        (tiles(account))
        (flow(account))
    }
}

/// A verdict for those who do not see its colour.
pub(super) const fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "✓",
        Verdict::Violated => "✗",
        Verdict::Undecided => "?",
    }
}

fn stopped(simulated: SimDuration, planned: SimDuration, what: &str) -> Markup {
    html! {
        div class="verdict stopped" {
            span.word { "stopped" }
            div { (prose(what)) " after " (simulated) " of " (planned) ". All figures cover the time until then." }
        }
    }
}

fn failed(judgements: &[Judgement]) -> Markup {
    let failed = || judgements.iter().filter(|judgement| judgement.verdict != Verdict::Held);
    html! {
        @if failed().next().is_some() {
            ul {
                @for judgement in failed().take(FAILED_SHOWN) {
                    li { (prose(&judgement.statement)) ": " (prose(&judgement.measured)) }
                }
            }
        }
    }
}

/// A figure with its label.
struct Tile {
    label: &'static str,
    value: String,
    more: String,
    is_warning: bool,
}

fn tiles(account: &Account) -> Markup {
    let tiles = [effect(account), latency(account), refusals(account), order(account)];
    html! {
        ul.tiles {
            @for tile in tiles.into_iter().flatten() {
                li.warn[tile.is_warning] {
                    span.label { (tile.label) }
                    span.value { (tile.value) }
                    span.more { (prose(&tile.more)) }
                }
            }
        }
    }
}

fn effect(account: &Account) -> Option<Tile> {
    let created = account.records_produced();
    let given_up: u64 = account
        .producers
        .iter()
        .flat_map(|producer| &producer.records_given_up)
        .map(|(_, records)| records)
        .sum();
    let done: u64 = account
        .latency
        .iter()
        .map(|latency| latency.since_creation.records)
        .sum();
    let processed: u64 = account.workers.iter().map(|workers| workers.processed).sum();
    let lost = if given_up > 0 {
        format!(", {} given up", count(given_up))
    } else {
        String::new()
    };
    (created > 0).then(|| Tile {
        label: if account.streams.is_empty() && !account.workers.is_empty() {
            "Messages processed"
        } else {
            "Records that took effect"
        },
        value: count(done + processed),
        more: format!(
            "of {} created, {}{lost}",
            count(created),
            rate(created, account.run.simulated)
        ),
        is_warning: given_up > 0,
    })
}

fn latency(account: &Account) -> Option<Tile> {
    let slowest = account.latency.iter().max_by_key(|latency| latency.since_creation.p99);
    let Some(slowest) = slowest else {
        return time_to_delete(account);
    };
    let spread = slowest.since_creation;
    let at = if account.latency.len() > 1 {
        format!(" at {}", slowest.at)
    } else {
        String::new()
    };
    Some(Tile {
        label: "Median time to effect",
        value: spread.p50.to_string(),
        more: format!("99 % within {}, all within {}{at}", spread.p99, spread.max),
        is_warning: false,
    })
}

/// Of the slowest queue.
fn time_to_delete(account: &Account) -> Option<Tile> {
    let queues = account.queues.iter();
    let (queue, p50, p99) = queues
        .filter_map(|queue| Some((queue, queue.latency_p50?, queue.latency_p99?)))
        .max_by_key(|(_, _, p99)| *p99)?;
    Some(Tile {
        label: "Median time to the delete",
        value: p50.to_string(),
        more: format!("99 % within {p99} in {}", queue.name),
        is_warning: false,
    })
}

fn refusals(account: &Account) -> Option<Tile> {
    let streams = &account.streams;
    let refused: u64 = streams.iter().map(|stream| stream.entries_throttled).sum();
    let stored: u64 = streams.iter().map(|stream| stream.records_accepted).sum();
    let failed: u64 = account.functions.iter().map(|one| one.errors + one.timeouts).sum();
    let throttled: u64 = account.functions.iter().map(|one| one.throttles).sum();
    let invocations: u64 = account.functions.iter().map(|one| one.invocations).sum();
    if refused == 0 && failed + throttled > 0 {
        let refused = if throttled > 0 {
            format!(", {} refused for concurrency", count(throttled))
        } else {
            String::new()
        };
        return Some(Tile {
            label: "Failed invocations",
            value: count(failed),
            more: format!("of {}{refused}", count(invocations)),
            is_warning: true,
        });
    }
    (!streams.is_empty()).then(|| Tile {
        label: "Entries that shards refused",
        value: count(refused),
        more: if refused > 0 {
            format!("{} of all that were offered", share(refused, refused + stored))
        } else {
            "no shard was full".to_owned()
        },
        is_warning: refused > 0,
    })
}

fn order(account: &Account) -> Option<Tile> {
    let violations = |what: &str| -> u64 {
        let checks = account.checks.iter().filter(|check| check.what == what);
        checks.map(|check| check.violations).sum()
    };
    let (late, again, lost) = (
        violations("order per key"),
        violations("no duplicates"),
        violations("no loss"),
    );
    (!account.checks.is_empty()).then(|| Tile {
        label: "Out of order",
        value: count(late),
        more: tied_counts(again, lost),
        is_warning: late + again + lost > 0,
    })
}

/// Each count on one line with its word.
fn tied_counts(again: u64, lost: u64) -> String {
    let words = |number| if number == 0 { "none".to_owned() } else { count(number) };
    format!("{} twice or more, {}\u{a0}lost", words(again), words(lost))
}

/// A component in the picture of what ran.
struct Stage {
    name: String,
    told: Vec<String>,
    warnings: Vec<String>,
}

/// The way of a record, from producers to sinks.
fn flow(account: &Account) -> Markup {
    let stages = [
        producers(account),
        streams(account),
        topics(account),
        queues(account),
        workers(account),
        queue_mappings(account),
        readers(account),
        functions(account),
        sinks(account),
    ];
    html! {
        div.flow aria-label="The way of the records" {
            @for column in stages.iter().filter(|column| !column.is_empty()) {
                div {
                    @for stage in column.iter().take(STAGE_MAX) {
                        div.stage {
                            b { (prose(&stage.name)) }
                            @for line in &stage.told { span { (line) } }
                            @for line in &stage.warnings { span.warn-text { (line) } }
                        }
                    }
                    @if column.len() > STAGE_MAX { div.stage { span { "and " (column.len() - STAGE_MAX) " more" } } }
                }
            }
        }
    }
}

/// Warnings of what is not zero.
fn warnings(warnings: &[(u64, &str)]) -> Vec<String> {
    let real = warnings.iter().filter(|(number, _)| *number > 0);
    real.map(|(number, what)| format!("{} {what}", count(*number)))
        .collect()
}

fn producers(account: &Account) -> Vec<Stage> {
    let producers = account.producers.iter();
    producers
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                format!("{} created", count(one.records_produced)),
                counted(one.requests_sent, "request"),
            ],
            warnings: warnings(&[
                (
                    one.records_resent
                        + one.records_repeated
                        + one.library.map_or(0, |library| library.user_records_resent),
                    "sent again",
                ),
                (
                    one.records_given_up.iter().map(|(_, records)| records).sum(),
                    "given up",
                ),
            ]),
        })
        .collect()
}

fn streams(account: &Account) -> Vec<Stage> {
    let streams = account.streams.iter();
    streams
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                format!("{} stored", count(one.records_accepted)),
                counted(one.shards.len() as u64, "shard"),
            ],
            warnings: warnings(&[
                (one.entries_throttled, "refused"),
                (one.entries_failed, "failed"),
                (one.acknowledgements_lost, "responses lost"),
            ]),
        })
        .collect()
}

fn readers(account: &Account) -> Vec<Stage> {
    let readers = account.readers.iter();
    readers
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                format!("{} finished", count(one.records_acknowledged)),
                counted(one.batches_sent, "batch"),
            ],
            warnings: warnings(&[
                (one.batches_failed, "batches failed"),
                (one.records_expired, "records expired"),
                (
                    one.mapping.as_ref().map_or(0, |own| own.records_discarded),
                    "records discarded",
                ),
                (
                    one.mapping.as_ref().map_or(0, |own| own.records_dead_lettered),
                    "records dead-lettered",
                ),
                (one.reads_throttled, "reads refused"),
                (
                    one.application.as_ref().map_or(0, |own| own.leases_failed_over),
                    "leases failed over",
                ),
                (
                    one.application.as_ref().map_or(0, |own| own.records_repeated),
                    "records repeated",
                ),
                (
                    one.application.as_ref().map_or(0, |own| own.records_skipped),
                    "records skipped",
                ),
            ]),
        })
        .collect()
}

fn functions(account: &Account) -> Vec<Stage> {
    let functions = account.functions.iter();
    functions
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                counted(one.invocations, "invocation"),
                format!("at most {} at one time", one.concurrent_max),
            ],
            warnings: warnings(&[(one.errors + one.timeouts, "failed"), (one.throttles, "refused")]),
        })
        .collect()
}

fn topics(account: &Account) -> Vec<Stage> {
    let topics = account.topics.iter();
    topics
        .map(|one| {
            let of = |total: fn(&crate::account::SubscriptionAccount) -> u64| one.subscriptions.iter().map(total).sum();
            Stage {
                name: one.name.clone(),
                told: vec![
                    format!("{} published", count(one.published)),
                    format!("{} delivered", count(of(|copies| copies.delivered))),
                ],
                warnings: warnings(&[
                    (one.throttled + one.refused, "refused"),
                    (of(|copies| copies.dead_lettered), "dead letters"),
                    (of(|copies| copies.lost), "lost"),
                ]),
            }
        })
        .collect()
}

fn queues(account: &Account) -> Vec<Stage> {
    let queues = account.queues.iter();
    queues
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                if one.sent == 0 && one.moved_here > 0 {
                    format!("{} moved here", count(one.moved_here))
                } else {
                    format!("{} sent", count(one.sent))
                },
                format!("{} deleted", count(one.deleted)),
            ],
            warnings: warnings(&[
                (one.received_again, "received again"),
                (one.dead_lettered, "dead letters"),
                (one.expired, "expired"),
            ]),
        })
        .collect()
}

fn workers(account: &Account) -> Vec<Stage> {
    let workers = account.workers.iter();
    workers
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![format!("{} processed", count(one.processed))],
            warnings: warnings(&[(one.failed, "failed"), (one.crashes, "died")]),
        })
        .collect()
}

fn queue_mappings(account: &Account) -> Vec<Stage> {
    let mappings = account.queue_mappings.iter();
    mappings
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                counted(one.batches, "batch"),
                format!("{} processed", count(one.processed)),
            ],
            warnings: warnings(&[
                (one.failed, "failed"),
                (one.attempts_throttled, "throttled"),
                (one.let_go, "given back"),
            ]),
        })
        .collect()
}

fn sinks(account: &Account) -> Vec<Stage> {
    let sinks = account.sinks.iter();
    sinks
        .map(|one| Stage {
            name: one.name.clone(),
            told: vec![
                format!("{} taken", count(one.records_delivered)),
                counted(one.writes, "write"),
            ],
            warnings: warnings(&[(one.failed_writes, "failed"), (one.refused, "refused")]),
        })
        .collect()
}
