//! What the page tells in tables and lists.

use super::opening::symbol;
use super::prose::prose;
use crate::account::{Account, Assumption, ShardAccount, Verdict};
use crate::summary::told;
use crate::text::{count, counted, printable, share, tied};
use maud::{Markup, html};
use sim::engine::quantity::ByteCount;

/// A verdict as a word in its colour.
pub(super) fn chip(verdict: Verdict) -> Markup {
    html! { span class={ "chip " (verdict.word()) } { (symbol(verdict)) " " (verdict.word()) } }
}

fn fact(id: Option<&str>) -> Markup {
    html! { @if let Some(id) = id { span.fact { (id) } } }
}

/// Expectations and guarantees.
pub(super) fn judgements(account: &Account) -> Markup {
    html! {
        @if !account.judgements.is_empty() {
            h2 id="judgements" { "Expectations and guarantees" }
            div.card {
                table.stack {
                    thead { tr { th { "Verdict" } th { "What the scenario states" } th { "What came out" } th.number { "Line" } } }
                    tbody {
                        @for judgement in &account.judgements {
                            tr {
                                td { (chip(judgement.verdict)) }
                                td { (prose(&judgement.statement)) }
                                td { (prose(&judgement.measured)) }
                                td.number data-label="Line" { @if let Some(line) = judgement.line { (line) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How close the run came to its limits.
pub(super) fn headroom(account: &Account) -> Markup {
    html! {
        @if !account.headroom.is_empty() {
            h2 id="limits" { "How close to the limits" }
            div.card {
                table.stack {
                    thead { tr { th { "Limit" } th { "Peak use" } th.number { "Allowed" } th.number { "Reached first" } th.number { "Reached at load" } th { "Fact" } } }
                    tbody {
                        @for row in &account.headroom {
                            @let full = row.hurts && row.first_reached.is_some();
                            tr {
                                td { b { (prose(&row.limit)) } br; span.fact { (prose(&row.of)) } }
                                td {
                                    span.warn-text[full] { (tied(&row.peak)) ", " (tied(&share(row.peak_value, row.allowed_value))) }
                                    span.meter { i.full[full] style=(format!("width:{}%", row.used_per_mille.min(1_000) as f64 / 10.0)) {} }
                                }
                                td.number data-label="Allowed" { (row.allowed) }
                                td.number data-label="Reached first" { @match row.first_reached { Some(at) => (at), None => "never" } }
                                td.number data-label="Reached at load" { (row.reached_at_load) }
                                td { (fact(row.fact)) }
                            }
                        }
                    }
                }
            }
        }
        (shards(account))
    }
}

/// All shards, folded away.
fn shards(account: &Account) -> Markup {
    html! {
        @for stream in account.streams.iter().filter(|stream| stream.shards.len() > 1) {
            details {
                summary { "Every shard of " (prose(&stream.name)) " (" (stream.shards.len()) ")" }
                div.card.scroll {
                    table {
                        thead { tr { th { "Shard" } th.number { "Stored" } th.number { "Bytes" } th.number { "Refused" } th.number { "Fullest second" } th.number { "First refusal" } th { "Open" } } }
                        tbody {
                            @for shard in &stream.shards {
                                tr {
                                    td { (shard.id) }
                                    td.number { (count(shard.records_accepted)) }
                                    td.number { (ByteCount(shard.bytes_accepted)) }
                                    td.number { (count(shard.entries_throttled)) }
                                    td.number { (count(shard.peak_records_per_second)) " records, " (ByteCount(shard.peak_bytes_per_second)) }
                                    td.number { @match shard.first_throttle { Some(at) => (at), None => "none" } }
                                    td { (open(shard)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How long a shard was open.
fn open(shard: &ShardAccount) -> String {
    match (shard.opened, shard.closed) {
        (None, None) => "always".to_owned(),
        (Some(opened), None) => format!("since {opened}"),
        (None, Some(closed)) => format!("until {closed}"),
        (Some(opened), Some(closed)) => format!("from {opened} to {closed}"),
    }
}

/// Latency in figures.
pub(super) fn latency(account: &Account) -> Markup {
    html! {
        @if !account.latency.is_empty() {
            h2 id="latency" { "Latency in figures" }
            div.card {
                table.stack {
                    thead { tr { th { "Until a record has taken effect" } th.number { "p50" } th.number { "p90" } th.number { "p99" } th.number { "Slowest" } th.number { "Mean" } } }
                    tbody {
                        @for row in &account.latency {
                            @for (name, spread) in [("since creation", row.since_creation), ("since it was stored", row.since_arrival)] {
                                tr {
                                    td { (prose(&row.at)) ", " (name) br; span.fact { (counted(spread.records, "record")) ", by " (prose(&row.function)) } }
                                    @for (name, span) in [("p50", spread.p50), ("p90", spread.p90), ("p99", spread.p99), ("Slowest", spread.max), ("Mean", spread.mean)] { td.number data-label=(name) { (span) } }
                                }
                            }
                        }
                    }
                }
            }
            (causes(account))
        }
    }
}

/// Where the time of records went, in figures, folded away since a chart shows it.
fn causes(account: &Account) -> Markup {
    html! {
        @for row in account.latency.iter().filter(|row| !row.causes.is_empty()) {
            details {
                summary { "Where the time goes until " (prose(&row.at)) }
                div.card.scroll {
                    table {
                        thead { tr { th { "Cause" } th.number { "Share" } th.number { "Mean" } th.number { "p50" } th.number { "p99" } th.number { "Longest" } } }
                        tbody {
                            @for part in &row.causes {
                                tr {
                                    td { (part.name) }
                                    td.number { (share(part.share_per_mille, 1_000)) }
                                    @for span in [part.time.mean, part.time.p50, part.time.p99, part.time.max] { td.number { (span) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a bill counts.
pub(super) fn usage(account: &Account) -> Markup {
    let usage = &account.usage;
    html! {
        @if !usage.streams.is_empty() || !usage.functions.is_empty() {
            h2 id="usage" { "What a bill counts" }
            div.card.usage {
                @for stream in &usage.streams {
                    div {
                        b { (prose(&stream.name)) }
                        dl {
                            dt { "shard hours" } dd { (format!("{:.2}", stream.shard_hours)) }
                            dt { "PUT payload units" } dd { (count(stream.put_payload_units)) }
                            dt { "GetRecords requests" } dd { (count(stream.get_records_requests)) }
                            dt { "bytes in" } dd { (ByteCount(stream.bytes_in)) }
                            dt { "bytes out" } dd { (ByteCount(stream.bytes_out)) }
                        }
                    }
                }
                @for sink in &usage.sinks {
                    div {
                        b { (prose(&sink.name)) }
                        dl {
                            dt { "requests that wrote" } dd { (count(sink.requests)) }
                            @if sink.write_units > 0 {
                                dt { "write units" } dd { (count(sink.write_units)) }
                            }
                            @if let Some(hours) = sink.provisioned_unit_hours {
                                dt { "provisioned unit hours" } dd { (format!("{hours:.1}")) }
                            }
                            dt { "bytes written" } dd { (ByteCount(sink.bytes)) }
                        }
                    }
                }
                @for function in &usage.functions {
                    div {
                        b { (prose(&function.name)) }
                        dl {
                            dt { "requests" } dd { (count(function.requests)) }
                            dt { "GB-seconds" } dd { (format!("{:.3}", function.gb_ms as f64 / 1_000.0)) }
                            dt { "billed time" } dd { (count(function.billed_ms)) " ms" }
                            dt { "of it Init" } dd { (count(function.init_ms)) " ms" }
                            @if function.provisioned_gb_hours > 0.0 {
                                dt { "provisioned GB hours" } dd { (format!("{:.3}", function.provisioned_gb_hours)) }
                                dt { "GB-seconds on these" }
                                dd { (format!("{:.3}", function.provisioned_gb_ms as f64 / 1_000.0)) }
                            }
                            dt { "memory" } dd { (count(u64::from(function.memory_mb))) " MB" }
                        }
                    }
                }
            }
        }
    }
}

/// What each component did, in sentences.
pub(super) fn story(account: &Account) -> Markup {
    html! {
        h2 id="story" { "In words" }
        div.card { ul.list { @for sentence in told(account) { li { (prose(&sentence)) } } } }
    }
}

/// The books.
pub(super) fn ledgers(account: &Account) -> Markup {
    html! {
        @if !account.ledgers.balances.is_empty() {
            h2 id="books" { "The books balance" }
            div.card {
                p {
                    "Every record is accounted for, and Little’s law holds. Checked "
                    (counted(account.ledgers.checks, "time")) " during the run; at its end:"
                }
                ul.list { @for balance in &account.ledgers.balances { li { (prose(balance)) } } }
            }
        }
    }
}

/// What ran, and how it was set.
pub(super) fn setup(account: &Account) -> Markup {
    html! {
        h2 id="setup" { "What ran" }
        div.card {
            dl {
                @for component in &account.components {
                    dt { (component.kind) "." (prose(&component.name)) }
                    dd { (prose(&component.settings)) }
                }
            }
        }
    }
}

/// Changes during the run, with the numbers that charts show.
pub(super) fn changes(account: &Account) -> Markup {
    html! {
        @if !account.changes.is_empty() {
            ul.changes {
                @for (change, number) in account.changes.iter().zip(1_u32..) {
                    li { b { (number) } (crate::chart::clock(change.at, account.run.simulated)) ": " (prose(&change.what)) }
                }
            }
        }
    }
}

/// Modelling choices and notes.
pub(super) fn trust(account: &Account) -> Markup {
    html! {
        @if !account.assumptions.is_empty() {
            h2 id="assumptions" { "Taken on trust" }
            div.card {
                p { "AWS does not document these. They are parameters of the model; a scenario sets them under " code { "[model]" } "." }
                table.stack {
                    thead { tr { th { "Parameter" } th { "Value" } th { "Fact" } th { "Set by" } } }
                    tbody { @for assumption in &account.assumptions { (assumed(assumption)) } }
                }
            }
        }
        @if !account.notes.is_empty() {
            h2 id="notes" { "Notes" }
            div.card { ul.list { @for note in &account.notes { li { (prose(note)) } } } }
        }
    }
}

fn assumed(assumption: &Assumption) -> Markup {
    html! {
        tr {
            td { code { (assumption.name) } }
            td { code { (printable(&assumption.value)) } }
            td { (fact(assumption.fact)) }
            td { @if assumption.is_default { "default" } @else { b { "the scenario" } } }
        }
    }
}

/// How to do it again.
pub(super) fn repeat(account: &Account) -> Markup {
    let run = &account.run;
    html! {
        h2 id="repeat" { "Repeat this run" }
        div.card {
            pre { code { (printable(&run.command)) } }
            dl {
                dt { "Fingerprint" }
                dd { code { (format!("{:016x}", run.fingerprint)) } ": the same on every machine that repeats the run" }
                dt { "Seed" }
                dd { (run.seed) ", replication " (run.replication) }
                dt { "Quotas" }
                dd { "profile " (run.profile) }
                dt { "Simulated" }
                dd { (run.simulated) ", in " (counted(run.events, "event")) }
                dt { "Version" }
                dd { "shardlab " (prose(&run.version)) }
            }
        }
    }
}
