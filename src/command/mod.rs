//! The commands, one file each.

mod check;
mod run;

use crate::cli::Command;
use crate::outcome::Outcome;
use crate::terminal::Terminal;

/// Carries out a command.
pub(crate) fn dispatch(command: &Command, terminal: &Terminal) -> anyhow::Result<Outcome> {
    match command {
        Command::Run(args) => run::run(args, terminal),
        Command::Check(args) => check::check(args, terminal),
    }
}
