//! A scenario file: its text, what was made of it, and what was wrong with it.

use crate::cli::LoadArgs;
use crate::diagnostics::{self, Texts};
use crate::terminal::{Terminal, print_error, visible};
use crate::traces::TraceFiles;
use anyhow::{Context, ensure};
use scenarios::diagnostic::{Diagnostic, Severity};
use scenarios::{LoadOptions, Scenario};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No scenario is that long; a file that is was meant as something else.
const BYTES_MAX: u64 = 8 << 20;

/// A scenario that can run.
pub(crate) struct ScenarioFile {
    /// The file without folder and ending, for folders and reports.
    pub(crate) name: String,
    /// The path as it may be shown.
    pub(crate) path: String,
    /// The text.
    pub(crate) text: String,
    /// What it means.
    pub(crate) scenario: Scenario,
}

/// Reads and understands every scenario before any of them runs. Prints what is wrong; `None` where there were errors.
pub(crate) fn load_all(
    paths: &[PathBuf],
    args: &LoadArgs,
    terminal: &Terminal,
) -> anyhow::Result<Vec<Option<ScenarioFile>>> {
    let mut loaded = Vec::with_capacity(paths.len());
    for path in paths {
        loaded.push(load(path, args, terminal)?);
    }
    Ok(loaded)
}

fn load(path: &Path, args: &LoadArgs, terminal: &Terminal) -> anyhow::Result<Option<ScenarioFile>> {
    let shown = visible(&path.to_string_lossy());
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            print_error(&format!("error: {}\n\n", visible(&format!("{error:#}"))))?;
            return Ok(None);
        }
    };
    let name = name_of(path);
    let options = LoadOptions {
        seed: args.seed,
        replication: args.replication,
        profile: args.profile.map(Into::into),
        memory: Some(args.memory),
        set: args.set.clone(),
    };
    let (scenario, found) = scenarios::load(&text, &name, &options, &TraceFiles::of(path, &args.set, args.memory));
    let texts = Texts {
        path: &shown,
        scenario: &text,
        set: &args.set,
    };
    print_error(&diagnostics::render(&found, texts, terminal))?;
    let errors = found.iter().filter(|diagnostic| is_error(diagnostic)).count() as u64;
    if errors > 0 {
        let errors = reports::text::counted(errors, "error");
        print_error(&format!("{shown}: {errors}, nothing was run\n\n"))?;
    }
    Ok(scenario.filter(|_| errors == 0).map(|scenario| ScenarioFile {
        name,
        path: shown,
        text,
        scenario,
    }))
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}

fn read(path: &Path) -> anyhow::Result<String> {
    let shown = visible(&path.to_string_lossy());
    let unreadable = || format!("the scenario {shown} cannot be read");
    let file = File::open(path).with_context(unreadable)?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(unreadable)?;
    ensure!(
        bytes.len() as u64 <= BYTES_MAX,
        "the scenario {shown} is larger than 8 MiB, which no scenario needs"
    );
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!("the scenario {shown} is not text in UTF-8: byte {at} cannot be part of it")
    })
}

/// The file's name without its ending, as far as it can name a folder.
fn name_of(path: &Path) -> String {
    let stem = path
        .file_stem()
        .map(|stem| visible(&stem.to_string_lossy()))
        .unwrap_or_default();
    if stem.is_empty() || stem.chars().all(|c| c == '.') {
        "scenario".to_owned()
    } else {
        stem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_named_after_its_file() {
        assert_eq!(name_of(Path::new("scenarios/kinesis/hot-shard.toml")), "hot-shard");
        assert_eq!(name_of(Path::new("..toml")), "scenario");
        assert_eq!(name_of(Path::new("..")), "scenario");
    }
}
