//! `shardlab check`: runs scenarios and judges what they expect.

use crate::cli::CheckArgs;
use crate::outcome::Outcome;
use crate::scenario_file::load_all;
use crate::simulation::{Interrupt, Manner, Simulated, simulate};
use crate::terminal::{Terminal, print, print_error, visible};
use reports::account::{Account, Verdict};
use reports::text::counted;

/// A line of the table.
struct Row {
    scenario: String,
    outcome: Outcome,
    figures: String,
}

/// Carries out the command. A scenario that is wrong or fails does not keep the others from being checked.
pub(crate) fn check(args: &CheckArgs, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let loaded = load_all(&args.scenarios, &args.load, terminal)?;
    let interrupt = Interrupt::install()?;
    let manner = Manner {
        args: &args.load,
        quiet: args.quiet,
        terminal,
        interrupt: &interrupt,
    };
    let mut rows = Vec::with_capacity(loaded.len());
    for (file, path) in loaded.iter().zip(&args.scenarios) {
        let scenario = visible(&path.to_string_lossy());
        let Some(file) = file else {
            rows.push(Row {
                scenario,
                outcome: Outcome::BadInput,
                figures: "see the errors above".to_owned(),
            });
            continue;
        };
        if interrupt.pressed() {
            break;
        }
        let (outcome, figures) = match simulate(file, manner)? {
            Simulated::Finished {
                account,
                drawn,
                outcome,
            } => {
                print_error(&drawn)?;
                (outcome, figures(&account))
            }
            Simulated::Broken => (Outcome::Defect, "see the error above".to_owned()),
        };
        rows.push(Row {
            scenario,
            outcome,
            figures,
        });
    }
    if !args.quiet {
        print(&table(&rows))?;
    }
    if interrupt.pressed() {
        return Ok(Outcome::Interrupted);
    }
    Ok(rows.iter().map(|row| row.outcome).max().unwrap_or(Outcome::Held))
}

fn figures(account: &Account) -> String {
    let held = account
        .judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Held)
        .count();
    let stated = match account.judgements.len() {
        0 => "nothing stated".to_owned(),
        all => format!("{held} of {all} held"),
    };
    format!(
        "{stated}; {} in {}; fingerprint {:016x}",
        counted(account.records_produced(), "record"),
        account.run.simulated,
        account.run.fingerprint
    )
}

fn table(rows: &[Row]) -> String {
    let widest = rows.iter().map(|row| row.scenario.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = rows
        .iter()
        .map(|row| format!("{:11}  {:widest$}  {}\n", row.outcome.word(), row.scenario, row.figures))
        .collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_aligns_its_columns() {
        let row = |scenario: &str, outcome| Row {
            scenario: scenario.to_owned(),
            outcome,
            figures: "figures".to_owned(),
        };
        let rows = [row("a.toml", Outcome::Held), row("longer.toml", Outcome::Violated)];
        let expected = "held         a.toml       figures\nviolated     longer.toml  figures\n";
        assert_eq!(table(&rows), expected);
    }
}
