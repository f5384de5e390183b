//! The account as text, the way a colleague would tell it: the answer first, then what ran, what happened and why,
//! what was checked, and what the reader must take on trust.

use crate::account::{
    Account, Check, Component, Ending, FunctionAccount, Judgement, ProducerAccount, ReaderAccount, ShardAccount,
    SinkAccount, StreamAccount, Verdict,
};
use crate::text::{count, counted, fill, list, printable, rate, share};
use anstyle::{AnsiColor, Style};
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimDuration;

/// How to lay the text out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Columns to fill.
    pub width: usize,
    /// Whether to decorate with colour. It never carries meaning.
    pub colour: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            width: 80,
            colour: false,
        }
    }
}

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
    checks(&mut page, &account.checks);
    ledgers(&mut page, account);
    judgements(&mut page, &account.judgements);
    trust(&mut page, account);
    page.text
}

/// Text that grows downwards.
struct Page {
    text: String,
    layout: Layout,
}

const HEADING: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default().bold();

impl Page {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.layout.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
    fn heading(&mut self, text: &str) {
        let painted = self.paint(HEADING, text);
        self.text.push('\n');
        self.text.push_str(&painted);
        self.text.push('\n');
    }
    fn paragraph(&mut self, text: &str) {
        self.text.push_str(&fill(text, self.layout.width, "  ", "  "));
    }
    fn item(&mut self, text: &str) {
        self.text.push_str(&fill(text, self.layout.width, "  - ", "    "));
    }
    /// A line that begins with a verdict in a column of its own.
    fn judged(&mut self, verdict: Verdict, text: &str) {
        self.marked(colour_of(verdict), verdict.word(), text);
    }
    fn marked(&mut self, style: Style, word: &str, text: &str) {
        const COLUMN: &str = "             ";
        let filled = fill(text, self.layout.width, COLUMN, COLUMN);
        let painted = self.paint(style, word);
        self.text.push_str("  ");
        self.text.push_str(&painted);
        self.text.push_str(&filled[2 + word.len()..]);
    }
    fn detail(&mut self, text: &str) {
        self.text
            .push_str(&fill(text, self.layout.width, "               ", "               "));
    }
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

const fn colour_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Held => GOOD,
        Verdict::Violated => BAD,
        Verdict::Undecided => OPEN,
    }
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
fn headline(judgements: &[Judgement]) -> String {
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
    let span = account.run.simulated;
    for producer in &account.producers {
        page.item(&producer_told(producer, span));
    }
    for stream in &account.streams {
        for sentence in stream_told(stream) {
            page.item(&sentence);
        }
    }
    for reader in &account.readers {
        page.item(&reader_told(reader));
    }
    for function in &account.functions {
        page.item(&function_told(function));
    }
    for sink in &account.sinks {
        page.item(&sink_told(sink, span));
    }
}

fn producer_told(producer: &ProducerAccount, span: SimDuration) -> String {
    let mut told = vec![format!(
        "{} created {} ({} on average) and sent them to {} in {}.",
        producer.name,
        counted(producer.records_produced, "record"),
        rate(producer.records_produced, span),
        producer.target,
        counted(producer.requests_sent, &format!("{} request", producer.api)),
    )];
    if producer.requests_failed > 0 {
        told.push(format!(
            "{} failed whole ({}).",
            counted(producer.requests_failed, "request"),
            share(producer.requests_failed, producer.requests_sent)
        ));
    }
    if producer.records_repeated > 0 {
        told.push(format!(
            "The SDK sent records again {}.",
            times(producer.records_repeated)
        ));
    }
    if producer.records_resent > 0 {
        told.push(format!(
            "The application sent refused records again {}.",
            times(producer.records_resent)
        ));
    }
    let given_up: u64 = producer.records_given_up.iter().map(|(_, records)| records).sum();
    if given_up > 0 {
        let reasons: Vec<String> = match producer.records_given_up.as_slice() {
            [(reason, _)] => vec![reason.clone()],
            several => several
                .iter()
                .map(|(reason, records)| format!("{} because {reason}", count(*records)))
                .collect(),
        };
        told.push(format!(
            "It gave {} up ({}): {}.",
            counted(given_up, "record"),
            share(given_up, producer.records_produced),
            list(&reasons)
        ));
    }
    let acknowledged = if producer.records_acknowledged == producer.records_produced {
        "All".to_owned()
    } else {
        share(producer.records_acknowledged, producer.records_produced)
    };
    let pending = match producer.records_pending {
        0 => String::new(),
        records => format!("; {} waited or were under way at the end", count(records)),
    };
    told.push(format!("{acknowledged} of its records were acknowledged{pending}."));
    told.join(" ")
}

fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", count(number)),
    }
}

fn stream_told(stream: &StreamAccount) -> Vec<String> {
    let offered = stream.records_accepted + stream.entries_throttled + stream.entries_failed;
    let stored = format!(
        "{} stored {} ({}) in {}",
        stream.name,
        counted(stream.records_accepted, "record"),
        ByteCount(stream.bytes_accepted),
        counted(stream.shards.len() as u64, "shard"),
    );
    let mut told = Vec::new();
    if stream.entries_throttled == 0 {
        told.push(format!("{stored} and refused none."));
    } else {
        let first = match &stream.first_throttle {
            Some(first) => format!(", the first at {} in {}", first.at, first.shard),
            None => String::new(),
        };
        told.push(format!(
            "{stored}. It refused {} for throughput, {} of all that were offered{first}.",
            counted(stream.entries_throttled, "entry"),
            share(stream.entries_throttled, offered)
        ));
    }
    if stream.entries_failed > 0 {
        told.push(format!(
            "{} failed for other reasons.",
            counted(stream.entries_failed, "entry")
        ));
    }
    if stream.acknowledgements_lost > 0 {
        told.push(format!(
            "The response to {} was lost although the records were stored.",
            counted(stream.acknowledgements_lost, "request")
        ));
    }
    let mut items = vec![told.join(" ")];
    items.extend(busiest_told(stream));
    items
}

/// The busiest shard, how much of the stream it carried, and which of its limits it came close to.
fn busiest_told(stream: &StreamAccount) -> Option<String> {
    let offered = |shard: &ShardAccount| shard.records_accepted + shard.entries_throttled;
    let busiest = stream
        .shards
        .iter()
        .max_by_key(|shard| (offered(shard), core::cmp::Reverse(&shard.id)))?;
    let records = share(busiest.peak_records_per_second, stream.limit_records_per_second);
    let bytes = share(busiest.peak_bytes_per_second, stream.limit_bytes_per_second);
    let by_bytes = u128::from(busiest.peak_bytes_per_second) * u128::from(stream.limit_records_per_second)
        > u128::from(busiest.peak_records_per_second) * u128::from(stream.limit_bytes_per_second);
    let total: u64 = stream.shards.iter().map(offered).sum();
    let carried = match (stream.shards.len(), total) {
        (1, _) | (_, 0) => format!("{} was", busiest.id),
        _ => format!(
            "{} was the busiest, with {} of the offered load (an equal share is {}). It was",
            busiest.id,
            share(offered(busiest), total),
            share(1, stream.shards.len() as u64)
        ),
    };
    let used = if by_bytes {
        format!(
            "{bytes} full in its fullest second, with {} of the {} that a shard takes (KDS-W-02)",
            ByteCount(busiest.peak_bytes_per_second),
            ByteCount(stream.limit_bytes_per_second)
        )
    } else {
        format!(
            "{records} full in its fullest second, with {} of the {} that a shard takes (KDS-W-01)",
            counted(busiest.peak_records_per_second, "record"),
            count(stream.limit_records_per_second)
        )
    };
    let refused = match busiest.entries_throttled {
        0 => String::new(),
        refused => format!("; {} came on top and were refused", counted(refused, "entry")),
    };
    Some(format!("{carried} {used}{refused}."))
}

fn reader_told(reader: &ReaderAccount) -> String {
    let mut told = vec![format!(
        "{} read {} from {} and finished {}, in {} for {}.",
        reader.name,
        counted(reader.records_read, "record"),
        reader.stream,
        count(reader.records_acknowledged),
        counted(reader.batches_sent, "batch"),
        reader.function,
    )];
    if reader.batches_failed > 0 {
        told.push(format!(
            "{} failed; batches were sent again {}.",
            counted(reader.batches_failed, "batch"),
            times(reader.batches_repeated)
        ));
    }
    if reader.reads_throttled > 0 {
        told.push(format!(
            "{} of its {} were refused.",
            count(reader.reads_throttled),
            counted(reader.reads + reader.reads_throttled, "read")
        ));
    }
    if reader.records_expired > 0 {
        told.push(format!(
            "{} expired before they were processed: they are lost to it.",
            counted(reader.records_expired, "record")
        ));
    }
    told.push(if reader.behind_max.is_zero() {
        "It was never behind.".to_owned()
    } else {
        format!(
            "It lagged at most {} behind the newest record, at {}.",
            reader.behind_max, reader.behind_max_at
        )
    });
    if reader.records_unfinished > 0 {
        told.push(format!(
            "At the end {} were unfinished.",
            counted(reader.records_unfinished, "record")
        ));
    }
    told.join(" ")
}

fn function_told(function: &FunctionAccount) -> String {
    let mut bad = Vec::new();
    if function.errors > 0 {
        bad.push(format!(
            "{} ended in an error ({})",
            count(function.errors),
            share(function.errors, function.invocations)
        ));
    }
    if function.timeouts > 0 {
        bad.push(format!("{} ran into the timeout", count(function.timeouts)));
    }
    if function.throttles > 0 {
        let first = function
            .first_throttle
            .map_or_else(String::new, |at| format!(", the first at {at}"));
        bad.push(format!(
            "{} more were throttled for concurrency{first}",
            count(function.throttles)
        ));
    }
    if bad.is_empty() {
        bad.push("None failed".to_owned());
    }
    let mut told = vec![format!(
        "{} ran {}, at most {} at one time. {}.",
        function.name,
        counted(function.invocations, "invocation"),
        function.concurrent_max,
        list(&bad)
    )];
    if let Some(records) = function.records.checked_div(function.invocations) {
        told.push(format!(
            "An invocation had {} and its handler took {}, on average.",
            counted(records, "record"),
            function.duration_mean
        ));
    }
    told.push(match function.cold_starts {
        0 => "There was no cold start.".to_owned(),
        1 => format!("There was 1 cold start, of {}.", function.cold_start_mean),
        several => format!(
            "There were {} cold starts, of {} on average.",
            count(several),
            function.cold_start_mean
        ),
    });
    told.join(" ")
}

fn sink_told(sink: &SinkAccount, span: SimDuration) -> String {
    if sink.writes == 0 {
        return format!("{} took nothing.", sink.name);
    }
    format!(
        "{} took {} ({} on average) in {}, the last one at {}.",
        sink.name,
        counted(sink.records_delivered, "record"),
        rate(sink.records_delivered, span),
        counted(sink.writes, "write"),
        sink.last_write
    )
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
        let assumptions: Vec<String> = account
            .assumptions
            .iter()
            .map(|assumption| {
                let fact = assumption.fact.map_or_else(String::new, |fact| format!(" ({fact})"));
                let own = if assumption.is_default {
                    ""
                } else {
                    ", set by the scenario"
                };
                format!("{} = {}{fact}{own}", assumption.name, assumption.value)
            })
            .collect();
        page.paragraph(&format!("{}.", assumptions.join("; ")));
    }
    if !account.notes.is_empty() {
        page.heading("Notes");
        for note in &account.notes {
            page.item(&printable(note));
        }
    }
}
