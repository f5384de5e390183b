//! Wrong input: a folder of scenarios, one or more for each diagnostic, and the whole message of each.
//!
//! A file is named after the code that it is about. Its first line says what is wrong; a second line `# with ...` gives
//! further arguments for the command line.

use crate::cli::{Place, Told};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejected")
}

/// A wrong scenario.
pub(crate) struct Rejected {
    /// Its name without the ending.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Rejected {
    /// The code that it is about: `E0103`.
    pub(crate) fn code(&self) -> String {
        self.name.split('-').next().unwrap_or_default().to_uppercase()
    }
    /// What its second line adds to the command line.
    fn arguments(&self) -> Vec<&str> {
        let line = self.text.lines().nth(1).and_then(|line| line.strip_prefix("# with "));
        line.map(|line| line.split(' ').collect()).unwrap_or_default()
    }
}

/// All of them, by name.
pub(crate) fn all() -> Vec<Rejected> {
    let mut found: Vec<Rejected> = fs::read_dir(folder())
        .expect("the folder is there")
        .filter_map(|entry| {
            let path = entry.expect("the folder is readable").path();
            let name = path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned();
            let text = fs::read_to_string(&path).expect("the file is text");
            Some(Rejected { name, text })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The test's own copy of the folder, so that whatever were written would be written there.
fn copy(test: &str) -> Place {
    let mut place = Place::new(test);
    for rejected in all() {
        place = place.with(&format!("{}.toml", rejected.name), &rejected.text);
    }
    let traces = place.folder.join("traces");
    fs::create_dir(&traces).expect("the folder can be created");
    for entry in fs::read_dir(folder().join("traces")).expect("the traces are there") {
        let entry = entry.expect("the folder is readable");
        fs::copy(entry.path(), traces.join(entry.file_name())).expect("a trace can be copied");
    }
    place
}

/// What holds of every message, whatever the input.
fn check_message(name: &str, told: &Told) {
    assert!(!told.err.contains("panicked"), "{name}: {}", told.err);
    let is_control = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!told.err.contains(is_control), "{name}: {:?}", told.err);
    assert!(told.err.len() < 64 << 10, "{name}: {} bytes", told.err.len());
}

#[test]
fn every_wrong_scenario_is_told_what_is_wrong_and_leaves_nothing_behind() {
    let place = copy("rejected");
    let before = place.names(".");
    for rejected in all() {
        let file = format!("{}.toml", rejected.name);
        let mut arguments = vec!["run", &file, "--quiet", "--out", "results"];
        arguments.extend(rejected.arguments());
        let told = place.run(&arguments);
        check_message(&rejected.name, &told);
        insta::assert_snapshot!(rejected.name.as_str(), told.whole());
        let code = rejected.code();
        assert!(
            told.err.contains(&format!("[{code}]")),
            "{}: {}",
            rejected.name,
            told.err
        );
        // A run that comes out otherwise, or that merely looks odd, has results all the same.
        let (exit, has_results) = match code.as_str() {
            code if code.starts_with('W') => (0, true),
            code if code.starts_with("E09") => (1, true),
            _ => (2, false),
        };
        assert_eq!(told.code, Some(exit), "{}: {}", rejected.name, told.err);
        assert_eq!(place.folder.join("results").exists(), has_results, "{}", rejected.name);
        let _ = fs::remove_dir_all(place.folder.join("results"));
        assert_eq!(place.names("."), before, "{} leaves nothing behind", rejected.name);
    }
}

#[test]
fn every_code_has_a_wrong_scenario() {
    let codes: Vec<String> = all().iter().map(Rejected::code).collect();
    for row in scenarios::CODES {
        let covered = codes.iter().any(|code| code == row.number);
        assert!(covered, "tests/rejected has no file for {} ({})", row.number, row.title);
    }
}

/// Runs a scenario of so many bytes, which no repository should hold.
fn run_bytes(test: &str, file: &str, bytes: &[u8]) -> Told {
    let place = Place::new(test);
    fs::write(place.folder.join(file), bytes).expect("the file can be written");
    let told = place.run(&["run", file, "--quiet", "--out", "results"]);
    check_message(test, &told);
    assert_eq!(told.code, Some(2), "{test}: {}", told.err);
    assert_eq!(place.names("."), [file], "{test} leaves nothing behind");
    told
}

#[test]
fn a_file_that_is_not_utf_8_names_the_byte() {
    let told = run_bytes("rejected-bytes", "latin.toml", b"format = 1\ntitle = \"caf\xe9\"\n");
    insta::assert_snapshot!(told.whole());
}

#[test]
fn control_characters_of_a_path_are_escaped() {
    let told = run_bytes("rejected-path", "a\u{1b}[2J\u{202e}.toml", b"format = 2");
    insta::assert_snapshot!(told.whole());
}

#[test]
fn ten_thousand_brackets_are_a_syntax_error() {
    let deep = |open: &str, close: &str| format!("a = {}1{}\n", open.repeat(10_000), close.repeat(10_000));
    for (number, text) in [
        deep("[", "]"),
        deep("[", ""),
        deep("{a=", "}"),
        deep("", ""),
        deep("[{b.c=", "}]"),
    ]
    .iter()
    .enumerate()
    {
        let told = run_bytes(&format!("rejected-deep-{number}"), "deep.toml", text.as_bytes());
        assert!(told.err.contains("error[E01"), "{}", told.err);
    }
    for text in [
        format!("a{} = 1\n", ".a".repeat(10_000)),
        format!("[a{}]\n", ".a".repeat(10_000)),
        format!("[[a{}]]\n", ".a".repeat(10_000)),
    ] {
        let told = run_bytes("rejected-dotted", "deep.toml", text.as_bytes());
        assert!(told.err.contains("error[E01"), "{}", told.err);
    }
}

#[test]
fn a_line_of_ten_megabytes_is_no_scenario() {
    let line = |length: usize| format!("format = 1\ntitle = \"{}\n", "x".repeat(length));
    let told = run_bytes("rejected-line", "long.toml", line(10_000_000).as_bytes());
    insta::assert_snapshot!(told.whole());
    // A shorter one is read, and only the end of it is shown.
    let told = run_bytes("rejected-shorter-line", "long.toml", line(7_000_000).as_bytes());
    insta::assert_snapshot!("a_line_of_seven_megabytes", told.whole());
}

#[test]
fn a_hundred_thousand_errors_are_told_in_fifty() {
    let lines: Vec<String> = (0..100_000).map(|number| format!("x{number} = 1\n")).collect();
    let text = lines.concat();
    let told = run_bytes("rejected-many", "many.toml", text.as_bytes());
    assert_eq!(told.err.matches("error[").count(), 50, "{}", told.err);
    let end = "99,953 further messages not shown\n\nmany.toml: 100,002 errors, nothing was run\n\n";
    assert!(told.err.ends_with(end), "{}", told.err);
}

#[test]
fn names_of_a_megabyte_are_cut() {
    let name = "x".repeat(1_000_000);
    let text =
        format!("format = 1\nduration = \"1s\"\n{name} = 1\n[sink.{name}]\n[function.f]\nsink = \"sink.{name}y\"\n");
    let told = run_bytes("rejected-names", "names.toml", text.as_bytes());
    assert!(told.err.len() < 8_000, "{}", told.err);
}
