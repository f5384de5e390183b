//! The `shardlab` command: parses arguments, runs a command, turns its outcome into an exit code.

mod cli;
mod command;
mod diagnostics;
mod facts;
mod judgement;
mod measurements;
mod outcome;
mod output;
mod repetition;
mod scenario_file;
mod simulation;
mod terminal;
mod traces;

use clap::Parser;
use outcome::Outcome;
use std::process::ExitCode;
use terminal::{Terminal, print_error, visible};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let terminal = Terminal::detect(cli.color);
    let outcome = command::dispatch(&cli.command, &terminal).unwrap_or_else(|error| {
        // Should standard error be gone too, the exit code remains.
        let _ = print_error(&format!("error: {}\n", visible(&format!("{error:#}"))));
        Outcome::BadInput
    });
    outcome.into()
}
