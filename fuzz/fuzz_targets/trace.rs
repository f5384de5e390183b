//! Any bytes as a trace file, read with each way of naming its columns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::{LoadOptions, Severity, TraceReader, load};

struct File<'f>(&'f [u8]);
impl TraceReader for File<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.to_vec())
    }
}

/// The columns that a trace may have, with keys and sizes to match.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("", "{ uniform = 3 }", "\"1B\""),
    (
        ", key = \"b\", size = { column = \"c\", bytes_per_unit = 3.5 }",
        "\"trace\"",
        "\"trace\"",
    ),
    (
        ", count = \"b\", spread = \"uniform\", repeat = true",
        "{ uniform = 3 }",
        "\"1B\"",
    ),
    (
        ", count = \"b\", bin = \"1min\", compression = 20",
        "{ uniform = 3 }",
        "\"1B\"",
    ),
];

fuzz_target!(|data: &[u8]| {
    for (columns, keys, size) in COLUMNS {
        let text = format!(
            "format = 1\nduration = \"10s\"\n[stream.s]\nShardCount = 1\n[producer.p]\ntarget = \"stream.s\"\n\
             arrivals = {{ trace = {{ path = \"t.csv\", time = \"a\"{columns} }} }}\nkeys = {keys}\nsize = {size}\n"
        );
        let (scenario, diagnostics) = load(&text, "fuzz", &LoadOptions::default(), &File(data));
        let has_error = diagnostics.iter().any(|found| found.severity == Severity::Error);
        assert_eq!(
            scenario.is_none(),
            has_error,
            "an error means no scenario, and nothing else does"
        );
        for diagnostic in &diagnostics {
            let notes = diagnostic.notes.iter().any(|note| note.contains(char::is_control));
            assert!(!notes && !diagnostic.title.contains(char::is_control), "{diagnostic:?}");
        }
    }
});
