//! The account as text, the way a colleague would tell it: the answer first, then what ran, what happened and why,
//! what was checked, and what the reader must take on trust.

mod direct;
mod page;
mod queues;
mod sentences;
mod topics;

pub use page::Layout;

use crate::account::{Account, Check, Component, Ending, Judgement, LimitUse, Verdict};
use crate::text::{counted, fill, printable, share};
use direct::{events_told, invoker_told, provisioned_told};
use page::{BAD, GOOD, HEADING, OPEN, Page};
use sentences::{function_told, producer_told, reader_told, sink_told, stream_told, times};

/// The whole account as text.
pub fn render(account: &Account, layout: Layout) -> String {
    let mut page = Page {
        text: String::new(),
        layout,
    };
    opening(&mut page, account);
    what_ran(&mut page, account);
    what_happened(&mut page, account);
    latency(&mut page, account);
    causes(&mut page, account);
    headroom(&mut page, account);
    checks(&mut page, &account.checks);
    ledgers(&mut page, account);
    judgements(&mut page, &account.judgements);
    trust(&mut page, account);
    page.text
}

fn opening(page: &mut Page, account: &Account) {
    let title = page.paint(HEADING, &printable(&account.subject.title));
    page.line(&title);
    if let Some(question) = &account.subject.question {
        let width = page.layout.width;
        page.text.push_str(&fill(&printable(question), width, "", ""));
    }
    page.line("");
    match &account.run.ending {
        Ending::Complete => {}
        Ending::Interrupted => {
            let told = format!(
                "It was interrupted after {} of {}. All figures cover the time until then.",
                account.run.simulated, account.run.planned
            );
            page.marked(OPEN, "stopped", &told);
        }
        Ending::OutOfMemory(what) => {
            let told = format!(
                "After {} of {} the model outgrew its memory: {what}. All figures cover the time until then.",
                account.run.simulated, account.run.planned
            );
            page.marked(OPEN, "stopped", &told);
        }
    }
    page.judged(account.verdict(), &headline(&account.judgements));
}

/// One sentence on all expectations and guarantees.
pub(crate) fn headline(judgements: &[Judgement]) -> String {
    let number = |verdict| {
        judgements
            .iter()
            .filter(|judgement| judgement.verdict == verdict)
            .count() as u64
    };
    let all = judgements.len() as u64;
    let what = "expectation or guarantee";
    match (number(Verdict::Violated), number(Verdict::Undecided)) {
        _ if all == 0 => "The scenario states no expectation and no guarantee, so nothing could fail.".to_owned(),
        (0, 0) if all == 1 => "The one thing that the scenario states came out as stated.".to_owned(),
        (0, 0) => format!("All {all} expectations and guarantees came out as stated."),
        (0, open) => format!("{open} of {all} could not be decided; see below."),
        (failed, _) if all == 1 => format!("The scenario's one {what} failed ({failed} of 1); see below."),
        (failed, _) => format!("{failed} of {all} expectations and guarantees failed; see below."),
    }
}

fn what_ran(page: &mut Page, account: &Account) {
    page.heading("What ran");
    let name = |component: &Component| format!("{}.{}", component.kind, printable(&component.name));
    let widest = account
        .components
        .iter()
        .map(|component| name(component).chars().count())
        .max();
    let column = widest.unwrap_or(0).min(30) + 2;
    for component in &account.components {
        let first = format!("  {:column$}", name(component));
        let rest = " ".repeat(column + 2);
        page.text
            .push_str(&fill(&component.settings, page.layout.width, &first, &rest));
    }
    for change in &account.changes {
        page.item(&format!("At {} {}.", change.at, change.what));
    }
    let run = &account.run;
    let replication = match run.replication {
        0 => String::new(),
        number => format!(", replication {number}"),
    };
    page.paragraph(&format!(
        "{} simulated in {}; seed {}{replication}, profile {}, fingerprint {:016x}.",
        run.simulated,
        counted(run.events, "event"),
        run.seed,
        run.profile,
        run.fingerprint
    ));
}

fn what_happened(page: &mut Page, account: &Account) {
    page.heading("What happened");
    for sentences in told(account) {
        page.item(&sentences);
    }
}

/// What each component did, in the order in which records meet them.
pub(crate) fn told(account: &Account) -> Vec<String> {
    let span = account.run.simulated;
    let producers = account.producers.iter().map(|producer| producer_told(producer, span));
    let streams = account.streams.iter().flat_map(stream_told);
    let readers = account.readers.iter().map(reader_told);
    let invokers = account.invokers.iter().map(|invoker| invoker_told(invoker, span));
    let functions = account.functions.iter().flat_map(|function| {
        let events = function
            .events
            .as_ref()
            .map(|events| events_told(&function.name, events));
        let provisioned = function.provisioned.as_ref();
        let provisioned = provisioned.map(|provisioned| provisioned_told(&function.name, provisioned));
        core::iter::once(function_told(function))
            .chain(provisioned)
            .chain(events)
    });
    let sinks = account.sinks.iter().map(|sink| sink_told(sink, span));
    let topics = account.topics.iter().flat_map(topics::topic_told);
    let paths = account.message_paths.iter().map(topics::path_told);
    let sources = producers.chain(streams).chain(topics);
    let queues = account.queues.iter().map(queues::queue_told);
    let workers = account.workers.iter().map(queues::workers_told);
    let mappings = account.queue_mappings.iter().map(queues::queue_mapping_told);
    let served = queues.chain(workers).chain(mappings).chain(paths);
    let runs = invokers.chain(functions);
    sources.chain(served).chain(readers).chain(runs).chain(sinks).collect()
}

fn latency(page: &mut Page, account: &Account) {
    if account.latency.is_empty() {
        return;
    }
    page.heading("How long until a record has taken effect");
    for row in &account.latency {
        let shared = account.latency.iter().filter(|other| other.at == row.at).count() > 1;
        let by = if shared {
            format!(", written by {}", row.function)
        } else {
            String::new()
        };
        let records = counted(row.since_creation.records, "record");
        page.paragraph(&format!("{}{by}: {records}", row.at));
        page.line(&format!(
            "    {:20}{:>10}{:>10}{:>10}{:>10}",
            "", "p50", "p90", "p99", "max"
        ));
        for (name, spread) in [
            ("since creation", row.since_creation),
            ("since it was stored", row.since_arrival),
        ] {
            let [p50, p90, p99, max] = [spread.p50, spread.p90, spread.p99, spread.max].map(|span| span.to_string());
            page.line(&format!("    {name:20}{p50:>10}{p90:>10}{p99:>10}{max:>10}"));
        }
    }
}

/// One table for each place, without causes that took less than a thousandth of the time.
fn causes(page: &mut Page, account: &Account) {
    for row in account.latency.iter().filter(|row| !row.causes.is_empty()) {
        page.heading(&format!("Where the time goes until {}", row.at));
        page.line(&format!(
            "    {:24}{:>9}{:>10}{:>10}{:>10}",
            "", "share", "mean", "p50", "p99"
        ));
        for part in row.causes.iter().filter(|part| part.share_per_mille > 0) {
            let share = share(part.share_per_mille, 1_000);
            let [mean, p50, p99] = [part.time.mean, part.time.p50, part.time.p99].map(|span| span.to_string());
            page.line(&format!("    {:24}{share:>9}{mean:>10}{p50:>10}{p99:>10}", part.name));
        }
    }
}

/// Uses below this are not worth a line, unless the limit was reached all the same.
const NOTABLE_PER_MILLE: u64 = 100;

fn headroom(page: &mut Page, account: &Account) {
    if account.headroom.is_empty() {
        return;
    }
    page.heading("How close to the limits");
    let is_notable =
        |row: &&LimitUse| row.hurts && (row.first_reached.is_some() || row.used_per_mille >= NOTABLE_PER_MILLE);
    for row in account.headroom.iter().filter(is_notable) {
        let fact = row.fact.map_or_else(String::new, |fact| format!(" ({fact})"));
        let reached = match row.first_reached {
            Some(at) => format!("reached at {at}, {}", times(row.uses_at_limit)),
            None => format!("reached at {} the load", row.reached_at_load),
        };
        let reached = match (row.first_reached, row.reached_at_load_per_mille) {
            (None, None) => "never reached".to_owned(),
            _ => reached,
        };
        let colour = if row.first_reached.is_some() { BAD } else { GOOD };
        let text = format!(
            "{} of {}: {} of {}, {reached}{fact}",
            row.limit, row.of, row.peak, row.allowed
        );
        page.marked(colour, &format!("{} %", row.used_per_mille / 10), &printable(&text));
    }
    page.paragraph("Limits that refuse, cut off or delay, as far as a tenth of them was used. Peaks of rates are over whole seconds.");
}

fn checks(page: &mut Page, checks: &[Check]) {
    if checks.is_empty() {
        return;
    }
    page.heading("Order and duplicates");
    for check in checks {
        let often = match check.violations {
            0 => String::new(),
            number => format!(", {}", times(number)),
        };
        page.judged(check.verdict, &format!("{} at {}{often}", check.what, check.at));
        for line in &check.evidence {
            page.detail(&printable(line));
        }
    }
}

fn ledgers(page: &mut Page, account: &Account) {
    let ledgers = &account.ledgers;
    if ledgers.balances.is_empty() {
        return;
    }
    page.heading("The books balance");
    page.paragraph(&format!(
        "Every record is accounted for, and Little's law holds. Checked {} during the run; at its end:",
        times(ledgers.checks)
    ));
    for balance in &ledgers.balances {
        page.item(balance);
    }
}

fn judgements(page: &mut Page, judgements: &[Judgement]) {
    if judgements.is_empty() {
        return;
    }
    page.heading("Expectations and guarantees");
    for judgement in judgements {
        let line = judgement
            .line
            .map_or_else(String::new, |line| format!(" (line {line})"));
        page.judged(
            judgement.verdict,
            &format!("{}: {}{line}", judgement.statement, judgement.measured),
        );
    }
}

fn trust(page: &mut Page, account: &Account) {
    if !account.assumptions.is_empty() {
        page.heading("Taken on trust, since AWS does not document it");
        for assumption in &account.assumptions {
            let fact = assumption.fact.map_or_else(String::new, |fact| format!(" ({fact})"));
            let own = if assumption.is_default {
                ""
            } else {
                ", set by the scenario"
            };
            page.item(&format!("{} = {}{fact}{own}", assumption.name, assumption.value));
        }
    }
    if !account.notes.is_empty() {
        page.heading("Notes");
        for note in &account.notes {
            page.item(&printable(note));
        }
    }
}
