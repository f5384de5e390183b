//! From scenario text to a blueprint of the model.
//!
//! ```text
//! text -> tree with places (all syntax errors)              parse, node
//!      -> one pass by the property rows (all structural     check, scalar, distribution; rows in schema
//!         errors, with exact spans)
//!      -> lowering: rules across properties and components  lower, trace
//!      -> Blueprint, expectations, guarantees, SourceMap
//! ```
//!
//! All errors of a scenario come at once, in the order of their places. The crate touches no file: trace files come
//! through a [`TraceReader`].

mod check;
pub mod codes;
pub mod diagnostic;
mod distribution;
pub mod expect;
mod fields;
mod lower;
pub mod metric;
mod node;
mod parse;
mod quantity;
pub mod reference;
mod scalar;
pub mod schema;
pub mod source;
pub mod statistic;
mod trace;

pub use codes::{CODES, Code, CodeRow};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use expect::{Bound, Comparison, Expectation, Guarantee, Measurements, Outcome, Promise, Verdict};
pub use metric::{METRICS, Metric, Statistic, Unit};
pub use source::{Origin, Place, SourceId, SourceMap, printable, set_text, visible};
pub use trace::{NoTraces, TraceReader};

use check::Checker;
use diagnostic::Diagnostics;
use lower::Lowering;
use schema::{Kind, top::TOP};
use sim::blueprint::Blueprint;
use sim::engine::time::SimDuration;
use sim::profile::Profile;

/// What the command line adds to a scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadOptions {
    /// Seed in place of the file's.
    pub seed: Option<u64>,
    /// Replication number: the same scenario with other random numbers.
    pub replication: u64,
    /// Profile in place of the file's.
    pub profile: Option<Profile>,
    /// Memory in bytes that a run may use; a scenario that is sure to need more is refused.
    pub memory: Option<u64>,
    /// `--set path=value`, in order: `("producer.web.linger", "\"50ms\"")`.
    pub set: Vec<(String, String)>,
}

/// A scenario that can run.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// The name that it was loaded under.
    pub name: String,
    /// Its title; its name if it has none.
    pub title: String,
    /// The question that it answers.
    pub question: Option<String>,
    /// The world to build.
    pub blueprint: Blueprint,
    /// What must come out, by metrics.
    pub expectations: Vec<Expectation>,
    /// What must come out, by promises.
    pub guarantees: Vec<Guarantee>,
    /// Facts for the summary, such as where a trace comes from and how fast it is replayed.
    pub notes: Vec<String>,
    /// Every parameter of the model that AWS does not document.
    pub assumptions: Vec<Assumption>,
    /// Back to the lines of the file.
    pub source: SourceMap,
}

/// A choice that AWS does not document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assumption {
    /// Name of the parameter under `[model]`.
    pub name: &'static str,
    /// Its value, as a scenario writes it.
    pub value: String,
    /// The value is the default.
    pub is_default: bool,
    /// What it stands for.
    pub reason: &'static str,
    /// The fact row that proposes it.
    pub fact: Option<&'static str>,
}

/// Reads a scenario. All that is wrong with it comes back at once, in the order of the text; with an error there is no
/// scenario, with warnings alone there is.
pub fn load(
    text: &str,
    name: &str,
    options: &LoadOptions,
    traces: &dyn TraceReader,
) -> (Option<Scenario>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let mut table = parse::document(text, &mut diagnostics);
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    for (index, (path, value)) in options.set.iter().enumerate() {
        parse::set(&mut table, index, path, value, &kinds, &mut diagnostics);
    }
    let names = check::component_names(&table);
    let profile = options.profile.unwrap_or_else(|| check::stated_profile(&table));
    let top = Checker {
        profile,
        names,
        diagnostics: &mut diagnostics,
    }
    .table(&table, source::START, &TOP);
    let mut source = SourceMap::new(text);
    let mut lowering = Lowering {
        profile,
        duration: top.maybe_duration("duration").unwrap_or(SimDuration::ZERO),
        options,
        traces,
        diagnostics: &mut diagnostics,
        source: &mut source,
        notes: Vec::new(),
    };
    let lowered = lowering.lower(&top);
    let notes = lowering.notes;
    let scenario = Scenario {
        name: name.to_owned(),
        title: top.text("title").unwrap_or(name).to_owned(),
        question: top.text("question").map(str::to_owned),
        blueprint: lowered.blueprint,
        expectations: lowered.expectations,
        guarantees: lowered.guarantees,
        notes,
        assumptions: lowered.assumptions,
        source,
    };
    let complete = !diagnostics.has_errors();
    (complete.then_some(scenario), diagnostics.into_sorted())
}
