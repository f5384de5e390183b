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
    set: Vec<String>,
    data: PathBuf,
    bytes_max: u64,
}

impl TraceFiles {
    /// For a scenario file and the values that `--set` gives. A trace of more than `bytes_max` bytes is refused.
    pub(crate) fn of(scenario: &Path, set: &[(String, String)], bytes_max: u64) -> Self {
        let data = std::env::var_os(DATA_VARIABLE)
            .filter(|value| !value.is_empty())
            .map_or_else(|| PathBuf::from(DATA_DEFAULT), PathBuf::from);
        Self {
            beside: scenario.parent().map(Path::to_owned).unwrap_or_default(),
            set: set.iter().map(|(_, value)| value.clone()).collect(),
            data,
            bytes_max,
        }
    }
    fn place(&self, path: &str) -> PathBuf {
        match path.strip_prefix(DATA) {
            Some(rest) => self.data.join(rest.trim_start_matches('/')),
            None if self.is_set(path) => PathBuf::from(path),
            None => self.beside.join(path),
        }
    }
    /// Whether the path was typed on the command line, where paths are relative to the working directory.
    fn is_set(&self, path: &str) -> bool {
        let quoted = format!("\"{path}\"");
        self.set.iter().any(|value| value == path || value.contains(&quoted))
    }
}

impl scenarios::TraceReader for TraceFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let place = self.place(path);
        let told = |error: &dyn std::fmt::Display| {
            let looked = visible(&place.to_string_lossy());
            let hint = if path.starts_with(DATA) {
                format!(" (`{DATA}` stands for ${DATA_VARIABLE}, or for {DATA_DEFAULT} if that is not set)")
            } else if self.is_set(path) {
                " (a path in --set is relative to the working directory)".to_owned()
            } else {
                " (a path is relative to the folder of the scenario)".to_owned()
            };
            format!("looked at {looked}{hint}: {error}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_scenario_to_the_command_line_or_to_the_data_folder() {
        let set = [(
            "producer.web.arrivals".to_owned(),
            "{ trace = { path = \"typed.csv\" } }".to_owned(),
        )];
        let files = TraceFiles {
            data: PathBuf::from("recordings"),
            ..TraceFiles::of(Path::new("load/replay.toml"), &set, 1)
        };
        assert_eq!(files.place("rows.csv"), Path::new("load/rows.csv"));
        assert_eq!(files.place("typed.csv"), Path::new("typed.csv"));
        assert_eq!(files.place("data:a/b.csv"), Path::new("recordings/a/b.csv"));
    }
}
