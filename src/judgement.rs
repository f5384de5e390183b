//! Judges what a scenario states about its outcome, and draws what did not come out.

use crate::diagnostics::{self, Finding, Texts};
use crate::measurements::Measured;
use crate::scenario_file::ScenarioFile;
use crate::terminal::Terminal;
use reports::account::{Ending, Judgement, Verdict};
use reports::collection::verdict_of;
use scenarios::diagnostic::{Diagnostic, Severity};
use scenarios::expect::{self, Expectation, Guarantee, Outcome, Promise};
use scenarios::metric::Unit;
use scenarios::source::SourceId;
use sim::directory::Directory;
use sim::engine::time::SimTime;
use sim::observe::ordering::{Ordering, Place};
use sim::observe::verdict;

/// What a run came to.
pub(crate) struct Evidence<'r> {
    /// The values that expectations ask for.
    pub(crate) measured: &'r Measured,
    /// The checker of order, duplicates and loss.
    pub(crate) ordering: Option<&'r Ordering>,
    /// Who is who.
    pub(crate) directory: &'r Directory,
    /// How the run ended.
    pub(crate) ending: &'r Ending,
}

/// A judgement, and what to draw of it.
struct Judged {
    judgement: Judgement,
    violated: Option<Diagnostic>,
    undecided: Option<String>,
    source: SourceId,
}

/// Judges every expectation and guarantee. Returns the judgements, and those that did not come out as drawn text.
pub(crate) fn judge(
    file: &ScenarioFile,
    evidence: &Evidence<'_>,
    texts: Texts<'_>,
    terminal: &Terminal,
) -> (Vec<Judgement>, String) {
    let expectations = file
        .scenario
        .expectations
        .iter()
        .map(|one| judge_expectation(one, file, evidence));
    let guarantees = file
        .scenario
        .guarantees
        .iter()
        .map(|one| judge_guarantee(one, file, evidence));
    let judged: Vec<Judged> = expectations.chain(guarantees).collect();
    let drawn = draw(&judged, file, texts, terminal);
    (judged.into_iter().map(|one| one.judgement).collect(), drawn)
}

/// Those that did not come out, one after the other, as far as anybody would read on.
fn draw(judged: &[Judged], file: &ScenarioFile, texts: Texts<'_>, terminal: &Terminal) -> String {
    let mut drawn = String::new();
    let told = |one: &&Judged| one.violated.is_some() || one.undecided.is_some();
    for one in judged.iter().filter(told).take(diagnostics::SHOWN_MAX) {
        if let Some(diagnostic) = &one.violated {
            drawn += &diagnostics::render(core::slice::from_ref(diagnostic), texts, terminal);
        } else if let Some(reason) = &one.undecided {
            let place = file.scenario.source.place(one.source);
            let finding = Finding {
                severity: Severity::Warning,
                title: &format!("{} could not be decided", one.judgement.statement),
                origin: place.origin(),
                span: place.span(),
                label: reason,
            };
            drawn += &diagnostics::render_finding(&finding, texts, terminal);
        }
    }
    drawn += &diagnostics::render_rest(judged.iter().filter(told).count());
    drawn
}

fn line_of(file: &ScenarioFile, source: SourceId) -> Option<u32> {
    let place = file.scenario.source.place(source);
    let line = file.scenario.source.line(place.span().start);
    (!place.is_set()).then(|| u32::try_from(line).ok()).flatten()
}

/// Why nothing final can be said of a run, if it did not come to its end.
fn cut_short(ending: &Ending) -> Option<&'static str> {
    match ending {
        Ending::Complete => None,
        Ending::Interrupted => Some("the run was interrupted"),
        Ending::OutOfMemory(_) => Some("the run was stopped for its memory"),
    }
}

fn judge_expectation(expectation: &Expectation, file: &ScenarioFile, evidence: &Evidence<'_>) -> Judged {
    // A period that was over before the run was stopped can be judged.
    let found = expectation.evaluate(evidence.measured);
    let value = match &found {
        expect::Verdict::Held { measured } | expect::Verdict::Violated { measured, .. } => Some(*measured),
        expect::Verdict::Undecided { .. } => None,
    };
    let (verdict, measured, undecided) = match &found {
        expect::Verdict::Held { measured } => (Verdict::Held, figure(*measured, expectation), None),
        expect::Verdict::Violated { measured, .. } => (Verdict::Violated, figure(*measured, expectation), None),
        expect::Verdict::Undecided { reason } => (Verdict::Undecided, reason.clone(), Some(reason.clone())),
    };
    Judged {
        judgement: Judgement {
            kind: "expect",
            statement: format!("{expectation}{}", period(expectation, file)),
            measured,
            value,
            unit: Some(match expectation.unit {
                Unit::Count => "count",
                Unit::Bytes => "bytes",
                Unit::Milliseconds => "ms",
            }),
            verdict,
            line: line_of(file, expectation.source),
        },
        violated: expectation.diagnostic(&found, &file.scenario.source),
        undecided,
        source: expectation.source,
    }
}

/// The period that an expectation looks at, if that is not the whole run.
fn period(expectation: &Expectation, file: &ScenarioFile) -> String {
    let end = SimTime::ZERO.saturating_add(file.scenario.blueprint.duration);
    let since_start = |at: SimTime| at.since(SimTime::ZERO);
    match (expectation.from, expectation.until) {
        (SimTime::ZERO, until) if until >= end => String::new(),
        (SimTime::ZERO, until) => format!(", until {}", since_start(until)),
        (from, until) if until >= end => format!(", from {} on", since_start(from)),
        (from, until) => format!(", from {} until {}", since_start(from), since_start(until)),
    }
}

fn figure(measured: f64, expectation: &Expectation) -> String {
    let whole = measured.fract().total_cmp(&0.0).is_eq() && measured.abs() < 1e15;
    let number = if whole {
        reports::text::count(measured as u64)
    } else {
        format!("{measured:.3}")
    };
    format!("measured {number}{}", expectation.unit)
}

fn judge_guarantee(guarantee: &Guarantee, file: &ScenarioFile, evidence: &Evidence<'_>) -> Judged {
    let at = guarantee.at.as_deref();
    let wanted = match guarantee.promise {
        Promise::OrderPerKey => verdict::Guarantee::OrderPerKey,
        Promise::NoDuplicates => verdict::Guarantee::NoDuplicates,
        Promise::NoLoss => verdict::Guarantee::NoLoss,
    };
    let (found, words) = match (places(at, evidence.directory), evidence.ordering) {
        (Ok(places), Some(ordering)) => worst(places.iter().map(|place| verdict_of(&ordering.verdict(wanted, *place)))),
        (Ok(_), None) => (Verdict::Undecided, "nothing was checked".to_owned()),
        (Err(reason), _) => (Verdict::Undecided, reason),
    };
    // What has been violated stays so; what has held until now may still be violated.
    let (found, words) = match (found, cut_short(evidence.ending)) {
        (Verdict::Held, Some(reason)) => (Verdict::Undecided, reason.to_owned()),
        _ => (found, words),
    };
    let expected = match guarantee.expected {
        Outcome::Holds => "",
        Outcome::Violated => ", to be violated",
    };
    let place = at.map_or_else(|| "everywhere".to_owned(), |at| format!("at {at}"));
    let outcome = match found {
        Verdict::Held => Some(Outcome::Holds),
        Verdict::Violated => Some(Outcome::Violated),
        Verdict::Undecided => None,
    };
    let verdict = match outcome {
        Some(outcome) if guarantee.is_met_by(outcome) => Verdict::Held,
        Some(_) => Verdict::Violated,
        None => Verdict::Undecided,
    };
    Judged {
        judgement: Judgement {
            kind: "guarantee",
            statement: format!("{} {place}{expected}", guarantee.promise),
            measured: match outcome {
                Some(Outcome::Holds) => "it holds".to_owned(),
                Some(Outcome::Violated) => "it is violated".to_owned(),
                None => words.clone(),
            },
            value: None,
            unit: None,
            verdict,
            line: line_of(file, guarantee.source),
        },
        violated: outcome.and_then(|outcome| guarantee.diagnostic(outcome, &words, &file.scenario.source)),
        undecided: outcome.is_none().then_some(words),
        source: guarantee.source,
    }
}

/// The places that a guarantee speaks of: the one that it names, or every end of the pipeline.
fn places(at: Option<&str>, directory: &Directory) -> Result<Vec<Place>, String> {
    let Some(at) = at else {
        let sinks = directory.sinks.ids().map(Place::Sink);
        let processors = directory
            .processors
            .iter_enumerated()
            .filter(|(id, processor)| processor.sink.is_none() && directory.readers_of(*id).next().is_some());
        return Ok(sinks.chain(processors.map(|(id, _)| Place::Processor(id))).collect());
    };
    let place = match at.split_once('.') {
        Some(("sink", name)) => directory.sink(name).map(Place::Sink),
        Some(("function", name)) => directory.function(name).map(|id| Place::Processor(id.into())),
        Some(("application", name)) => directory
            .application(name)
            .map(|id| Place::Processor(directory.processor_of(id))),
        _ => None,
    };
    place
        .map(|place| vec![place])
        .ok_or_else(|| format!("nothing is checked at {at}: name a sink, a function or an application"))
}

/// The verdict on several places together, with the evidence of the one that decides it.
fn worst(verdicts: impl Iterator<Item = (Verdict, Vec<String>)>) -> (Verdict, String) {
    let weight = |verdict: Verdict| match verdict {
        Verdict::Held => 0,
        Verdict::Undecided => 1,
        Verdict::Violated => 2,
    };
    verdicts
        .reduce(|one, other| if weight(other.0) > weight(one.0) { other } else { one })
        .map_or_else(
            || {
                (
                    Verdict::Undecided,
                    "the scenario has no place where records take effect".to_owned(),
                )
            },
            |(verdict, evidence)| (verdict, evidence.join(" ")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_violated_place_decides_for_all() {
        let held = || (Verdict::Held, Vec::new());
        let violated = (Verdict::Violated, vec!["record 3".to_owned()]);
        let open = (Verdict::Undecided, vec!["nothing seen".to_owned()]);
        assert_eq!(
            worst([held(), violated, open.clone()].into_iter()),
            (Verdict::Violated, "record 3".to_owned())
        );
        assert_eq!(
            worst([held(), open].into_iter()),
            (Verdict::Undecided, "nothing seen".to_owned())
        );
        assert_eq!(worst([held()].into_iter()), (Verdict::Held, String::new()));
        assert_eq!(worst([].into_iter()).0, Verdict::Undecided);
    }
}
