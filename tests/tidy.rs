//! Rules of the house that no lint knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// No file may be longer.
const LINES_MAX: usize = 700;
/// Files should not be longer than this; those that are stand in `LONG_FILES`.
const LINES_WANTED: usize = 500;
/// Files between the two bounds, each of which is one story that a split would only hide.
const LONG_FILES: &[&str] = &["sim/src/observe/fact.rs", "sim/src/services/log.rs"];
/// No function may be longer.
const FUNCTION_LINES_MAX: usize = 70;
/// Functions that may be longer: matches over every fact, each arm of which is a line or two.
const LONG_FUNCTIONS: &[(&str, &str)] = &[("sim/src/observe/history.rs", "on")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the repository.
struct Source {
    /// Its path from the root, with forward slashes.
    path: String,
    text: String,
}

/// Every file below the root with one of these endings, sorted, leaving out what is built.
fn sources(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the repository is readable") {
            let path: PathBuf = entry.expect("the repository is readable").path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "out" | ".git") {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let relative = path.strip_prefix(root()).expect("the walk began at the root");
                found.push(Source {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    text: fs::read_to_string(&path).expect("sources are UTF-8"),
                });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Test files hold tables and long sequences of steps, which a split would only hide.
fn is_test(path: &str) -> bool {
    path.contains("tests/") || path.ends_with("/tests.rs")
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn no_file_is_too_long() {
    let mut offenders = Vec::new();
    for source in sources(&[".rs"]) {
        let lines = source.text.lines().count();
        if lines <= LINES_MAX && is_test(&source.path) {
            continue;
        }
        let listed = LONG_FILES.contains(&source.path.as_str());
        if lines > LINES_MAX || (lines > LINES_WANTED && !listed) {
            offenders.push(format!("{}: {lines} lines", source.path));
        } else if listed && lines <= LINES_WANTED {
            offenders.push(format!("{}: no longer long, take it off the list", source.path));
        }
    }
    assert_none(
        &offenders,
        "a file holds one story of at most 500 lines (LONG_FILES lists those between 500 and 700)",
    );
}

/// Functions of formatted code with their lengths: from the line with `fn` to the brace in the same column.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let head = code.split("fn ").next().unwrap_or_default();
        let words = ["pub", "pub(crate)", "pub(super)", "const", "async"];
        if !code.contains("fn ") || !head.split_whitespace().all(|word| words.contains(&word)) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(line.len() - code.len()));
        let name = code[head.len() + 3..].split(['(', '<']).next().unwrap_or_default();
        let opens = lines[start..]
            .iter()
            .position(|line| line.ends_with('{') || line.ends_with(';') || line.ends_with('}'));
        if opens.is_some_and(|offset| lines[start + offset].ends_with('{')) {
            let length = lines[start..].iter().position(|line| *line == closing);
            found.push((name.to_owned(), length.map_or(0, |length| length + 1)));
        }
    }
    found
}

#[test]
fn no_function_is_too_long() {
    let mut offenders = Vec::new();
    for source in sources(&[".rs"]) {
        for (name, length) in functions(&source.text) {
            let listed = LONG_FUNCTIONS.contains(&(source.path.as_str(), name.as_str()));
            if length > FUNCTION_LINES_MAX && !listed && !is_test(&source.path) {
                offenders.push(format!("{}: {name} has {length} lines", source.path));
            }
        }
    }
    assert_none(&offenders, "a function fits on a screen of 70 lines");
}

#[test]
fn function_lengths_are_counted_right() {
    let text = "impl A {\n    fn b(\n        c: u8,\n    ) {\n        d();\n    }\n    pub const fn e() -> u8;\n}\nfn f() {\n}\n";
    assert_eq!(functions(text), [("b".to_owned(), 5), ("f".to_owned(), 2)]);
}

#[test]
fn every_file_says_what_it_is_for() {
    let offenders: Vec<String> = sources(&[".rs"])
        .into_iter()
        .filter(|source| !(source.text.starts_with("//! ") || source.path.contains("/src/") && is_test(&source.path)))
        .map(|source| source.path)
        .collect();
    assert_none(&offenders, "a file begins with its module doc");
}

#[test]
fn nothing_is_switched_off_or_left_for_later() {
    // Put together here, so that this file does not contain them.
    let banned = [
        concat!("#[ig", "nore"),
        concat!("tod", "o!("),
        concat!("unimple", "mented!("),
        concat!("allow(dead", "_code)"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
    ];
    let mut offenders = Vec::new();
    for source in sources(&[".rs"]) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(word) = banned.iter().find(|word| line.contains(**word)) {
                offenders.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert_none(&offenders, "what is merged is finished");
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("C:", "\\Users"),
    ];
    let mut offenders = Vec::new();
    for source in sources(&[".rs", ".toml", ".md", ".yml", ".snap", ".csv", ".json", ".ci/run"]) {
        for (number, line) in source.text.lines().enumerate() {
            if banned.iter().any(|path| line.contains(path)) {
                offenders.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_none(&offenders, "paths are relative to the repository");
}

#[test]
fn the_test_binary_names_every_file_of_its_folder() {
    let listed: BTreeSet<String> = fs::read_to_string(root().join("tests/main.rs"))
        .expect("tests/main.rs is there")
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    let present: BTreeSet<String> = fs::read_dir(root().join("tests"))
        .expect("the tests are there")
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .into_string()
                .ok()?
                .strip_suffix(".rs")
                .map(str::to_owned)
        })
        .filter(|name| name != "main")
        .collect();
    assert_eq!(listed, present, "tests/main.rs lists other modules than the folder has");
}

const FACT_PREFIXES: [&str; 11] = ["KDS", "KCL", "KPL", "LAM", "SQS", "SNS", "FH", "S3", "EX", "DDB", "RS"];

/// The fact IDs in a text: `KDS-W-01`, `LAM-K-20`, `EX-07`.
fn fact_ids(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c: char| !is_part(c))
        .map(|word| word.trim_matches('-'))
        .filter(|word| is_fact_id(word))
        .map(str::to_owned)
        .collect()
}

fn is_fact_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return false;
    };
    let number = last.trim_end_matches(|c: char| c.is_ascii_lowercase());
    FACT_PREFIXES.contains(first)
        && middle
            .iter()
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
        && last.len() - number.len() <= 1
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}

/// The IDs that begin a row of a fact sheet.
fn fact_rows() -> BTreeSet<String> {
    sources(&[".md"])
        .iter()
        .filter(|source| source.path.starts_with("docs/facts/"))
        .flat_map(|source| source.text.lines())
        .filter_map(|line| {
            line.strip_prefix('|')?
                .split('|')
                .next()
                .map(|cell| cell.trim().to_owned())
        })
        .filter(|cell| is_fact_id(cell))
        .collect()
}

#[test]
fn a_fact_id_is_told_from_other_words() {
    let found: Vec<String> = fact_ids("see KDS-W-01/02, (KDS-SDK-01..17), LAM-E-04; KDS-SDK, UTF-8, SHA-256 and EX-53")
        .into_iter()
        .collect();
    assert_eq!(found, ["EX-53", "KDS-SDK-01", "KDS-W-01", "LAM-E-04"]);
}

/// Fact IDs that stand in tests: in a test's name, its doc comment or its body.
fn tested_facts(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        if line.trim() != "#[test]" {
            continue;
        }
        let comment = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.trim_start().starts_with("//"));
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let body = lines[at..].iter().take_while(|line| **line != end);
        for line in comment.chain(body) {
            found.extend(fact_ids(line));
            let name = line.trim_start().strip_prefix("fn ").unwrap_or_default();
            let words: Vec<String> = name.split(['_', '(']).map(str::to_uppercase).collect();
            found.extend(
                words
                    .windows(3)
                    .map(|three| three.join("-"))
                    .filter(|id| is_fact_id(id)),
            );
        }
    }
    found
}

#[test]
fn every_fact_of_the_slice_has_a_test() {
    let list = fs::read_to_string(root().join("sim/facts.toml")).expect("the list is there");
    let slice = list.split("\n[slice]").nth(1).unwrap_or_default();
    let slice = fact_ids(slice.split("\n[out_of_scope]").next().unwrap_or_default());
    assert!(slice.len() > 150, "{} facts are listed", slice.len());
    let tested: BTreeSet<String> = sources(&[".rs"])
        .iter()
        .flat_map(|source| tested_facts(&source.text))
        .collect();
    let untested: Vec<String> = slice.difference(&tested).cloned().collect();
    assert_none(&untested, "a fact that the slice models stands in a test");
}

#[test]
fn every_fact_that_is_cited_exists() {
    let rows = fact_rows();
    let mut offenders = Vec::new();
    for source in sources(&[".rs", ".toml"]) {
        // This file's own examples are not citations.
        if source.path == "tests/tidy.rs" {
            continue;
        }
        for id in fact_ids(&source.text) {
            if !rows.contains(&id) {
                offenders.push(format!("{}: {id}", source.path));
            }
        }
    }
    assert_none(&offenders, "a cited fact is a row of docs/facts");
}

#[test]
fn the_fact_sheets_are_the_shared_ones_where_those_are_at_hand() {
    let shared = root().join("../shared/facts");
    if !shared.is_dir() {
        return;
    }
    let mut offenders = Vec::new();
    for entry in fs::read_dir(root().join("docs/facts")).expect("the sheets are readable") {
        let path = entry.expect("the sheets are readable").path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        // The introduction is ours, and so may be further sheets.
        let theirs = shared.join(&name);
        if name != "README.md" && theirs.is_file() && fs::read(&path).ok() != fs::read(theirs).ok() {
            offenders.push(name);
        }
    }
    assert_none(&offenders, "docs/facts holds the shared fact sheets unchanged");
}

/// Names of the variants of `enum Fact`.
fn fact_variants(text: &str) -> Vec<String> {
    let body = text.split("pub enum Fact<'f> {").nth(1).unwrap_or_default();
    body.lines()
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.trim_end_matches([' ', '{', ',']).to_owned())
        .collect()
}

#[test]
fn every_fact_that_the_model_states_is_read_by_an_observer() {
    let all = sources(&[".rs"]);
    let definition = all
        .iter()
        .find(|source| source.path == "sim/src/observe/fact.rs")
        .expect("facts are defined there");
    let variants = fact_variants(&definition.text);
    assert!(variants.len() > 20, "the variants were found: {variants:?}");
    let observers: String = all
        .iter()
        .filter(|source| source.path.starts_with("sim/src/observe/") && source.path != definition.path)
        .map(|source| source.text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let offenders: Vec<String> = variants
        .into_iter()
        .filter(|variant| {
            // An arm that binds nothing and does nothing only names the fact.
            let pattern = format!("Fact::{variant} {{ ");
            let reads = |rest: &str| match rest.strip_prefix(".. } ") {
                Some(after) => after.starts_with("=> ") && !after.starts_with("=> {}"),
                None => true,
            };
            !observers.split(&pattern).skip(1).any(reads)
        })
        .collect();
    assert_none(&offenders, "a fact that no observer reads is not worth stating");
}

#[test]
fn dependencies_point_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("sim/Cargo.toml", &[][..]),
        ("scenarios/Cargo.toml", &["sim"][..]),
        ("reports/Cargo.toml", &["sim"][..]),
        ("tui/Cargo.toml", &["sim", "reports"][..]),
    ]);
    let mut offenders = Vec::new();
    for (manifest, may) in allowed {
        let text = fs::read_to_string(root().join(manifest)).expect("the manifest is there");
        let normal = text
            .split("[dependencies]")
            .nth(1)
            .unwrap_or_default()
            .split("\n[")
            .next()
            .unwrap_or_default();
        for line in normal.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let ours = ["sim", "scenarios", "reports", "tui"].contains(&name);
            if (ours && !may.contains(&name)) || (manifest.starts_with("sim") && name.starts_with("serde")) {
                offenders.push(format!("{manifest}: {name}"));
            }
        }
    }
    assert_none(&offenders, "a crate depends only on those below it");
}

#[test]
fn the_model_touches_neither_clock_nor_files() {
    let banned = [
        "std::fs",
        "std::env",
        "std::time",
        "std::thread",
        "std::net",
        "std::process",
        "HashMap",
        "HashSet",
    ];
    let mut offenders = Vec::new();
    for source in sources(&[".rs"]) {
        if !source.path.starts_with("sim/src/") && !source.path.starts_with("scenarios/src/") {
            continue;
        }
        // Tests may: what they need stands below the product's code, or in a file of its own.
        let product = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        if source.path.ends_with("/tests.rs") || source.path.contains("/tests/") {
            continue;
        }
        for (number, line) in product.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = banned.iter().find(|word| code.contains(**word)) {
                offenders.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert_none(&offenders, "a run depends on its scenario and seed alone");
}
