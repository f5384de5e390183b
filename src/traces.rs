//! Recorded workloads: where a scenario's trace files are looked for.

use crate::terminal::visible;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Marks a path below the folder of recorded workloads.
const DATA: &str = "data:";
/// Names the folder of recorded workloads.
const DATA_VARIABLE: &str = "SHARDLAB_DATA";
/// Where that folder is looked for otherwise, from the working directory.
const DATA_DEFAULT: &str = "../shared/data";

/// Reads trace files for one scenario.
#[derive(Debug)]
pub(crate) struct TraceFiles {
    beside: PathBuf,
    data: PathBuf,
    bytes_max: u64,
}

impl TraceFiles {
    /// For a scenario file. A trace of more than `bytes_max` bytes is refused.
    pub(crate) fn of(scenario: &Path, bytes_max: u64) -> Self {
        let data = std::env::var_os(DATA_VARIABLE)
            .filter(|value| !value.is_empty())
            .map_or_else(|| PathBuf::from(DATA_DEFAULT), PathBuf::from);
        Self {
            beside: scenario.parent().map(Path::to_owned).unwrap_or_default(),
            data,
            bytes_max,
        }
    }
    fn place(&self, path: &str) -> PathBuf {
        match path.strip_prefix(DATA) {
            Some(rest) => self.data.join(rest.trim_start_matches('/')),
            None => self.beside.join(path),
        }
    }
}

impl scenarios::TraceReader for TraceFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let place = self.place(path);
        let told = |error: &dyn std::fmt::Display| {
            let looked = visible(&place.to_string_lossy());
            let hint = if path.starts_with(DATA) {
                format!("; the folder behind `{DATA}` is ${DATA_VARIABLE}, or {DATA_DEFAULT} if that is not set")
            } else {
                "; a path is relative to the folder of the scenario".to_owned()
            };
            format!("looked at {looked}: {error}{hint}")
        };
        let file = File::open(&place).map_err(|error| told(&error))?;
        let mut bytes = Vec::new();
        file.take(self.bytes_max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| told(&error))?;
        if bytes.len() as u64 > self.bytes_max {
            return Err(told(&"the file alone is larger than the memory that --memory allows"));
        }
        Ok(bytes)
    }
}
