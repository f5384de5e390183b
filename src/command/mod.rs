//! The commands, one file each.

mod bench;
mod check;
mod completions;
mod explain;
mod run;
mod schema;

use crate::cli::Command;
use crate::outcome::Outcome;
use crate::terminal::Terminal;

/// Carries out a command.
pub(crate) fn dispatch(command: &Command, terminal: &Terminal) -> anyhow::Result<Outcome> {
    match command {
        Command::Run(args) => run::run(args, terminal),
        Command::Check(args) => check::check(args, terminal),
        Command::Explain(args) => explain::explain(args, terminal),
        Command::Schema(args) => schema::schema(args),
        Command::Bench(args) => bench::bench(args),
        Command::Completions(args) => completions::completions(args),
    }
}
