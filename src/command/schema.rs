//! `shardlab schema`: the JSON Schema of scenario files.

use crate::cli::SchemaArgs;
use crate::outcome::Outcome;
use crate::terminal::{print, visible};
use anyhow::Context;

/// Carries out the command.
pub(crate) fn schema(args: &SchemaArgs) -> anyhow::Result<Outcome> {
    let mut text =
        serde_json::to_string_pretty(&scenarios::reference::json_schema()).context("the schema cannot be written")?;
    text.push('\n');
    match &args.out {
        None => print(&text)?,
        Some(path) => std::fs::write(path, text)
            .with_context(|| format!("the schema cannot be written to {}", visible(&path.to_string_lossy())))?,
    }
    Ok(Outcome::Held)
}
