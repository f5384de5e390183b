//! `shardlab completions`: completion scripts for shells.

use crate::cli::{Cli, CompletionsArgs};
use crate::outcome::Outcome;
use crate::terminal::print;
use clap::CommandFactory;

/// Carries out the command.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<Outcome> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Held)
}
