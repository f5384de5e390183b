//! `shardlab run`: simulates scenarios, tells what happened, writes the results.

use crate::cli::RunArgs;
use crate::outcome::Outcome;
use crate::output::{OutputFile, OutputFolder};
use crate::scenario_file::{ScenarioFile, load_all};
use crate::simulation::{Interrupt, Manner, Simulated, simulate};
use crate::terminal::{Terminal, print, print_error, visible};
use anyhow::ensure;
use reports::account::Account;
use reports::chart;
use reports::export::{csv, json};
use reports::html;
use reports::summary::{self, Layout};
use std::path::{Path, PathBuf};

/// Carries out the command. Nothing runs before every scenario and every output folder has been looked at.
pub(crate) fn run(args: &RunArgs, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let loaded = load_all(&args.scenarios, &args.load, terminal)?;
    let Some(files) = loaded.into_iter().collect::<Option<Vec<ScenarioFile>>>() else {
        return Ok(Outcome::BadInput);
    };
    let folders = claim(args, &files)?;
    let interrupt = Interrupt::install()?;
    let manner = Manner {
        args: &args.load,
        quiet: args.quiet,
        terminal,
        interrupt: &interrupt,
    };
    let mut worst = Outcome::Held;
    for (number, (file, folder)) in files.iter().zip(&folders).enumerate() {
        let finished = simulate(file, manner)?;
        let Simulated::Finished {
            account,
            drawn,
            outcome,
        } = finished
        else {
            worst = worst.max(Outcome::Defect);
            continue;
        };
        print_error(&drawn)?;
        folder.write(&results(&account))?;
        if !args.quiet {
            let layout = Layout {
                width: terminal.width_out,
                colour: terminal.colour_out,
            };
            let between = if number > 0 { "\n\n" } else { "" };
            let written = visible(&folder.path().join(REPORT).to_string_lossy());
            print(&format!(
                "{between}{}\nWritten to {written}\n",
                summary::render(&account, layout)
            ))?;
        }
        worst = worst.max(outcome);
        if interrupt.pressed() {
            return Ok(Outcome::Interrupted);
        }
    }
    Ok(worst)
}

/// The page that a person opens first.
const REPORT: &str = "report.html";

/// The files of a run.
fn results(account: &Account) -> Vec<OutputFile> {
    let figures = chart::figures(account);
    let file = |name: &str, contents| OutputFile {
        name: name.to_owned(),
        contents,
    };
    let mut files = vec![
        file(REPORT, html::render(account, &figures)),
        file("summary.json", json::render(account)),
        file("metrics.csv", csv::render(account)),
    ];
    for figure in &figures {
        files.push(file(&format!("charts/{}.svg", figure.name), chart::svg(figure)));
    }
    files
}

/// The output folder of each scenario.
fn claim(args: &RunArgs, files: &[ScenarioFile]) -> anyhow::Result<Vec<OutputFolder>> {
    let targets: Vec<PathBuf> = files
        .iter()
        .map(|file| match &args.out {
            Some(out) if files.len() == 1 => out.clone(),
            Some(out) => out.join(&file.name),
            None => Path::new("out").join(&file.name),
        })
        .collect();
    for (number, target) in targets.iter().enumerate() {
        ensure!(
            !targets[..number].contains(target),
            "two of the scenarios would write to {}; run them one by one with --out",
            visible(&target.to_string_lossy())
        );
    }
    targets.iter().map(|target| OutputFolder::claim(target)).collect()
}
