//! The command line: definitions only. The doc comments here are the help texts.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0    every expectation and guarantee held
  1    one of them was violated
  2    something was wrong with the input: a scenario, an option, the output folder
  3    one of them could not be decided
  4    the model broke its own books: a defect of shardlab
  130  interrupted with Ctrl-C";

const RUN_EXAMPLES: &str = "\
Examples:
  shardlab run scenarios/first-steps/hello-stream.toml
  shardlab run my-load.toml --set stream.clicks.ShardCount=8
  shardlab run my-load.toml --seed 7 --replication 3 --out results/third";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  shardlab explain E0205                                a diagnostic code
  shardlab explain WriteProvisionedThroughputExceeded   a metric
  shardlab explain mapping.BatchSize                    a property of a scenario
  shardlab explain KDS-W-01                             a fact
  shardlab explain KDS-W                                all facts whose IDs begin like this";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  shardlab schema --out scenario.schema.json

An editor that knows Taplo or Even Better TOML takes it from a comment at the top of a scenario:
  #:schema ./scenario.schema.json";

const BENCH_EXAMPLES: &str = "\
Examples:
  shardlab bench
  shardlab bench plain --rounds 11";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  shardlab completions bash > ~/.local/share/bash-completion/completions/shardlab
  shardlab completions fish > ~/.config/fish/completions/shardlab.fish";

const CHECK_EXAMPLES: &str = "\
Examples:
  shardlab check scenarios/first-steps/*.toml
  shardlab check my-load.toml --profile exam";

/// Simulate AWS streaming on your own machine and see what would happen.
///
/// A scenario file describes producers, a Kinesis data stream, a Lambda event source mapping, a function and a sink.
/// shardlab runs it in simulated time, the same way every time, and tells what happened and why.
#[derive(Parser, Debug)]
#[command(name = "shardlab", version, styles = STYLES, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// When to use colour. The environment variable NO_COLOR counts as "never".
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColourChoice::Auto, alias = "colour")]
    pub(crate) color: ColourChoice,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands there are.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run scenarios and tell what happened
    ///
    /// Prints an account of each run and writes it into the output folder: `report.html` for people (one file, for any
    /// browser), its charts under `charts`, `metrics.csv` and `summary.json` for programs. Wrong scenarios are reported
    /// with all their errors before anything runs.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run scenarios and judge what they expect
    ///
    /// Validates each scenario, runs it, and judges its [[expect]] and [[guarantee]] blocks. One that failed is shown
    /// in the scenario with the measured value. Writes no files.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Explain a diagnostic code, a metric, a property or a fact
    ///
    /// Without an argument: lists what can be explained.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Write a JSON Schema of scenario files, for editors
    ///
    /// The schema (draft 2020-12) is written from the same rows that check scenarios, and accepts whatever they accept.
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
    /// Measure how fast this machine simulates
    ///
    /// Runs fixed workloads through the whole model, with all observers and with none, and prints medians. Absolute
    /// figures of a shared machine mean little: compare only what was measured side by side.
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
    /// Write a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
}

/// Arguments of `run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Scenario files
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Where to write the results; with several scenarios, one folder for each goes inside [default: out/<scenario>]
    ///
    /// The folder appears complete or not at all. One that shardlab wrote before is replaced, any other one is left
    /// alone and refused.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print neither the account nor the progress, only problems
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// What changes the run.
    #[command(flatten)]
    pub(crate) load: LoadArgs,
}

/// Arguments of `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Scenario files
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Print neither the table nor the progress, only problems
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// What changes the run.
    #[command(flatten)]
    pub(crate) load: LoadArgs,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// What to explain
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// File to write, in place of standard output; replaced if it exists
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `bench`.
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// Workloads to measure [default: all]
    #[arg(value_name = "WORKLOAD", value_enum)]
    pub(crate) workloads: Vec<WorkloadChoice>,
    /// Rounds, of which the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=999))]
    pub(crate) rounds: u32,
    /// Simulated seconds of each run [default: the workload's own, so that it takes about a second]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) seconds: Option<u64>,
}

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The workloads of `bench`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WorkloadChoice {
    /// PutRecords of a thousand evenly spread keys, below every limit
    Plain,
    /// The same with Zipf-distributed keys: hot shards refuse entries, which are sent again
    Hot,
    /// Single-record PutRecord calls, simulated in cohorts
    Cohorts,
}

impl From<WorkloadChoice> for sim::workloads::Workload {
    fn from(choice: WorkloadChoice) -> Self {
        match choice {
            WorkloadChoice::Plain => Self::Plain,
            WorkloadChoice::Hot => Self::Hot,
            WorkloadChoice::Cohorts => Self::Cohorts,
        }
    }
}

/// What `run` and `check` take to change a scenario.
#[derive(Args, Debug)]
pub(crate) struct LoadArgs {
    /// Seed of all random numbers, in place of the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Number of the replication: the same scenario with other random numbers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) replication: u64,
    /// Set of quotas, in place of the scenario's
    #[arg(long, value_name = "PROFILE", value_enum)]
    pub(crate) profile: Option<ProfileChoice>,
    /// Change a property of the scenario, as in `stream.clicks.ShardCount=8`; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Memory that a run may take
    #[arg(long, value_name = "SIZE", value_parser = byte_count, default_value = "4GiB")]
    pub(crate) memory: u64,
}

/// Colour on terminals.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into pipes and files
    Always,
    /// Not at all
    Never,
}

/// The sets of quotas.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProfileChoice {
    /// The long-standing values that exam material repeats
    Exam,
    /// The newest documented values
    Current,
}

impl From<ProfileChoice> for sim::profile::Profile {
    fn from(choice: ProfileChoice) -> Self {
        match choice {
            ProfileChoice::Exam => Self::Exam,
            ProfileChoice::Current => Self::Current,
        }
    }
}

/// Splits `path=value` at its first equals sign.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected PATH=VALUE, for example stream.clicks.ShardCount=8".to_owned()),
    }
}

/// Reads a size with its unit.
fn byte_count(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("B", 1),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let count: Option<u64> = number.parse().ok();
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    match (count, unit) {
        (Some(count), Some((_, size))) if count > 0 => count
            .checked_mul(*size)
            .ok_or_else(|| "that is more than can be counted in 64 bits".to_owned()),
        _ => Err("expected a size such as 512MiB or 4GiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_decimal_or_binary_units() {
        assert_eq!(byte_count("4GiB"), Ok(4 << 30));
        assert_eq!(byte_count("512 mib"), Ok(512 << 20));
        assert_eq!(byte_count("3GB"), Ok(3_000_000_000));
        assert_eq!(byte_count("1000"), Ok(1_000));
        for wrong in ["", "GiB", "0", "4GiBs", "-1", "1.5GiB", "99999999999TiB"] {
            assert!(byte_count(wrong).is_err(), "{wrong} is refused");
        }
    }

    #[test]
    fn an_assignment_is_split_at_its_first_equals_sign() {
        let parts = |path: &str, value: &str| Ok((path.to_owned(), value.to_owned()));
        assert_eq!(assignment("a.b=c=d"), parts("a.b", "c=d"));
        assert_eq!(assignment("a.b="), parts("a.b", ""));
        assert!(assignment("=1").is_err());
        assert!(assignment("seed").is_err());
    }
}
