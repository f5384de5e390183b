//! The command line from outside: help, exit codes, messages, output folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A small pipeline that runs in a moment.
pub(crate) const SCENARIO: &str = r#"format = 1
title = "A trickle"
question = "Does everything arrive?"
seed = 11
duration = "30s"

[stream.clicks]
ShardCount = 1

[producer.web]
target = "stream.clicks"
arrivals = { constant = "20/s" }
keys = { uniform = 5 }
size = "300B"
api = "PutRecords"
concurrency = 1

[mapping.enrich]
EventSourceArn = "stream.clicks"
FunctionName = "function.enrich"
StartingPosition = "TRIM_HORIZON"
BatchSize = 100

[function.enrich]
MemorySize = 512
Timeout = 30
init = "500ms"
time = { per_batch = "20ms" }
sink = "sink.orders"

[sink.orders]
capacity = "5000/s"
latency = "5ms"

[[expect]]
metric = "RecordsProduced"
of = "producer.web"
statistic = "Sum"
above = 500

[[guarantee]]
order = "per-key"
at = "sink.orders"
"#;

/// A folder of the test's own and a way to call the program in it.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the test's folder can be created");
        Self { folder }
    }
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.join(name), text).expect("the file can be written");
        self
    }
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardlab"));
        command.args(arguments).current_dir(&self.folder);
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "SHARDLAB_DATA"] {
            command.env_remove(variable);
        }
        command
    }
    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        Told::by(&self.command(arguments).output().expect("the program starts"))
    }
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.join(folder))
            .map(|entries| {
                entries
                    .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                    .collect()
            })
            .unwrap_or_default();
        names.sort();
        names
    }
    fn json(&self, path: &str) -> serde_json::Value {
        let text = fs::read_to_string(self.folder.join(path)).expect("the file was written");
        serde_json::from_str(&text).expect("the file is JSON")
    }
}

/// What a call came to.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn by(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program speaks UTF-8");
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
    /// Everything at once, for snapshots.
    pub(crate) fn whole(&self) -> String {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        format!("exit code {code}\n---- stdout\n{}---- stderr\n{}", self.out, self.err)
    }
}

#[test]
fn help_says_what_the_program_is_for() {
    insta::assert_snapshot!(Place::new("help").run(&["--help"]).whole());
}

#[test]
fn help_of_run_shows_options_and_examples() {
    insta::assert_snapshot!(Place::new("help-run").run(&["run", "--help"]).whole());
}

#[test]
fn help_of_check_shows_options_and_examples() {
    insta::assert_snapshot!(Place::new("help-check").run(&["check", "--help"]).whole());
}

#[test]
fn a_wrong_option_is_bad_input() {
    let told = Place::new("option").run(&["run", "a.toml", "--memory", "much"]);
    insta::assert_snapshot!(told.whole());
}

#[test]
fn a_missing_file_is_bad_input() {
    let told = Place::new("missing").run(&["run", "no-such-scenario.toml"]);
    insta::assert_snapshot!(told.whole());
}

#[test]
fn all_errors_of_a_scenario_are_told_at_once_and_nothing_is_written() {
    let text = SCENARIO
        .replace("ShardCount = 1", "ShardCuont = 1")
        .replace("\"stream.clicks\"\narrivals", "\"stream.klicks\"\narrivals");
    let place = Place::new("wrong").with("wrong.toml", &text);
    let told = place.run(&["run", "wrong.toml"]);
    insta::assert_snapshot!(told.whole());
    assert_eq!(place.names("."), ["wrong.toml"]);
}

#[test]
fn control_characters_of_a_path_do_not_reach_the_terminal() {
    let told = Place::new("control").run(&["run", "a\u{1b}[2Jb.toml"]);
    assert_eq!(told.code, Some(2));
    assert!(!told.err.contains('\u{1b}'), "{:?}", told.err);
    assert!(told.err.contains("a\\u{1b}[2Jb.toml"), "{:?}", told.err);
}

#[test]
fn a_file_that_is_not_text_is_bad_input() {
    let place = Place::new("binary");
    fs::write(place.folder.join("binary.toml"), [b'a', 0xff, 0xfe]).expect("the file can be written");
    let told = place.run(&["check", "binary.toml"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("is not text in UTF-8: byte 1"), "{}", told.err);
}

#[test]
fn a_missing_trace_file_is_told_with_the_place_that_was_looked_at() {
    let text = SCENARIO.replace(
        "{ constant = \"20/s\" }",
        "{ trace = { path = \"data:no-such/trace.csv\", time = \"timestamp\" } }",
    );
    let told = Place::new("trace")
        .with("replay.toml", &text)
        .run(&["check", "replay.toml"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("../shared/data/no-such/trace.csv"), "{}", told.err);
    assert!(told.err.contains("$SHARDLAB_DATA"), "{}", told.err);
}

#[test]
fn run_tells_what_happened_and_writes_it() {
    let place = Place::new("run").with("trickle.toml", SCENARIO);
    let told = place.run(&["run", "trickle.toml"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    assert!(
        told.out.starts_with("A trickle\nDoes everything arrive?\n"),
        "{}",
        told.out
    );
    assert!(
        told.out.ends_with("Written to out/trickle/report.html\n"),
        "{}",
        told.out
    );
    assert_eq!(told.err, "", "a run without problems says nothing on standard error");
    assert_eq!(place.names("out"), ["trickle"]);
    assert_eq!(
        place.names("out/trickle"),
        [
            ".shardlab-output",
            "charts",
            "metrics.csv",
            "report.html",
            "summary.json"
        ]
    );
    let summary = place.json("out/trickle/summary.json");
    assert_eq!(summary["schema"], "shardlab.summary/1");
    assert_eq!(summary["verdict"], "held");
    assert_eq!(summary["run"]["interrupted"], false);
    assert_eq!(summary["run"]["seed"], 11);
}

#[test]
fn run_writes_a_page_with_its_charts_and_the_metrics() {
    let place = Place::new("page").with("trickle.toml", SCENARIO);
    let told = place.run(&[
        "run",
        "trickle.toml",
        "-q",
        "--set",
        "producer.web.keys={ uniform = 7 }",
    ]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    let charts = place.names("out/trickle/charts");
    for chart in ["latency-over-time.svg", "records.svg", "shard-throughput.svg"] {
        assert!(charts.iter().any(|name| name == chart), "{chart}: {charts:?}");
    }
    let read = |name: &str| fs::read_to_string(place.folder.join("out/trickle").join(name)).expect("it was written");
    let page = read("report.html");
    assert!(page.contains("A trickle") && page.contains("Does everything arrive?"));
    assert!(
        page.contains("shardlab run trickle.toml --seed 11 --set 'producer.web.keys={ uniform = 7 }'"),
        "the page says how to repeat the run"
    );
    let csv = read("metrics.csv");
    assert!(
        csv.contains("\nAWS/Kinesis,IncomingRecords,stream.clicks,,,Count,0,60,"),
        "{csv}"
    );
    let marker = read(".shardlab-output");
    let listed: Vec<&str> = marker.lines().skip(1).collect();
    assert_eq!(listed.len(), 3 + charts.len(), "{marker}");
    for name in listed {
        assert!(place.folder.join("out/trickle").join(name).is_file(), "{name}");
    }
    // A second run takes the place of the whole set.
    assert_eq!(place.run(&["run", "trickle.toml", "-q"]).code, Some(0));
    assert!(!read("report.html").contains("--set"));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let place = Place::new("bytes").with("trickle.toml", SCENARIO);
    let texts = ["one", "two"].map(|out| {
        assert_eq!(
            place.run(&["run", "trickle.toml", "--quiet", "--out", out]).code,
            Some(0)
        );
        let read = |name: &str| fs::read_to_string(place.folder.join(out).join(name)).expect("the file was written");
        let charts = place.names(&format!("{out}/charts"));
        let drawn: String = charts.iter().map(|name| read(&format!("charts/{name}"))).collect();
        [read("summary.json"), read("report.html"), read("metrics.csv"), drawn]
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn piped_output_has_neither_colour_nor_progress() {
    let place = Place::new("colour").with("trickle.toml", SCENARIO);
    let plain = place.run(&["run", "trickle.toml"]);
    assert!(
        !plain.out.contains('\u{1b}') && !plain.err.contains('\u{1b}'),
        "{}",
        plain.whole()
    );
    let painted = place.run(&["run", "trickle.toml", "--color", "always"]);
    assert!(painted.out.contains('\u{1b}'));
    let wrong = place.run(&["run", "trickle.toml", "--color", "always", "--set", "nonsense=1"]);
    assert!(wrong.err.contains('\u{1b}'));
}

#[test]
fn quiet_prints_nothing_when_all_is_well() {
    let told = Place::new("quiet")
        .with("trickle.toml", SCENARIO)
        .run(&["run", "trickle.toml", "-q"]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (Some(0), "", ""));
}

#[test]
fn a_folder_of_somebody_else_is_refused_before_anything_runs() {
    let place = Place::new("foreign").with("trickle.toml", SCENARIO);
    fs::create_dir_all(place.folder.join("thesis")).expect("the folder can be created");
    fs::write(place.folder.join("thesis/chapter.txt"), "years of work").expect("the file can be written");
    let told = place.run(&["run", "trickle.toml", "--out", "thesis"]);
    insta::assert_snapshot!(told.whole());
    assert_eq!(place.names("thesis"), ["chapter.txt"]);
}

#[test]
fn an_earlier_result_is_replaced() {
    let place = Place::new("replace").with("trickle.toml", SCENARIO);
    for seed in ["1", "2"] {
        assert_eq!(
            place.run(&["run", "trickle.toml", "--quiet", "--seed", seed]).code,
            Some(0)
        );
    }
    assert_eq!(place.json("out/trickle/summary.json")["run"]["seed"], 2);
    assert_eq!(place.names("out"), ["trickle"]);
}

#[test]
fn several_scenarios_get_a_folder_each() {
    let place = Place::new("several")
        .with("one.toml", SCENARIO)
        .with("two.toml", SCENARIO);
    let told = place.run(&["run", "one.toml", "two.toml", "--quiet", "--out", "results"]);
    assert_eq!(told.code, Some(0), "{}", told.whole());
    assert_eq!(place.names("results"), ["one", "two"]);
    let twice = place.run(&["run", "one.toml", "one.toml"]);
    assert_eq!(twice.code, Some(2));
    assert!(
        twice.err.contains("two of the scenarios would write to out/one"),
        "{}",
        twice.err
    );
}

#[test]
fn a_violated_expectation_is_shown_where_it_is_stated() {
    let text = SCENARIO.replace("above = 500", "below = 500");
    let place = Place::new("violated").with("trickle.toml", &text);
    let told = place.run(&["check", "trickle.toml"]);
    let (before, fingerprint) = told
        .out
        .split_once("fingerprint ")
        .expect("the table tells the fingerprint");
    assert_eq!(fingerprint.trim_end().len(), 16, "{fingerprint}");
    insta::assert_snapshot!(format!("{before}fingerprint ...\n---- stderr\n{}", told.err));
    assert_eq!(told.code, Some(1));
    assert_eq!(place.names("."), ["trickle.toml"], "check writes nothing");
}

#[test]
fn check_goes_on_after_a_wrong_scenario_and_the_worst_counts() {
    let place = Place::new("worst")
        .with("good.toml", SCENARIO)
        .with("bad.toml", "format = 1\n");
    let told = place.run(&["check", "bad.toml", "good.toml"]);
    assert_eq!(told.code, Some(2));
    let words: Vec<&str> = told.out.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(words, ["bad input", "held"], "{}", told.out);
}

#[test]
fn what_no_run_can_tell_is_undecided() {
    let text = SCENARIO
        .replace("duration = \"30s\"", "duration = \"50ms\"")
        .replace("above = 500", "at_least = 0");
    let told = Place::new("undecided")
        .with("short.toml", &text)
        .run(&["check", "short.toml"]);
    assert_eq!(told.code, Some(3), "{}", told.whole());
    assert!(
        told.err
            .contains("warning: order per key at sink.orders could not be decided"),
        "{}",
        told.err
    );
}

/// A year of it takes far longer than the test waits.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_complete_set_that_is_marked() {
    use std::process::Stdio;
    use std::time::Duration;
    let text = SCENARIO.replace("duration = \"30s\"", "duration = \"365d\"");
    let place = Place::new("interrupt").with("year.toml", &text);
    let mut child = place
        .command(&["run", "year.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(
        child.try_wait().expect("the program can be asked").is_none(),
        "it is still running"
    );
    let id = child.id().to_string();
    let sent = Command::new("kill")
        .args(["-INT", &id])
        .status()
        .expect("kill is there");
    assert!(sent.success());
    let told = Told::by(&child.wait_with_output().expect("the program ends"));
    assert_eq!(told.code, Some(130), "{}", told.whole());
    assert!(told.out.contains("It was interrupted after"), "{}", told.out);
    let summary = place.json("out/year/summary.json");
    assert_eq!(summary["run"]["interrupted"], true);
    assert_eq!(summary["verdict"], "undecided");
    assert_eq!(place.names("out"), ["year"]);
}

#[test]
fn a_run_that_outgrows_its_memory_stops_and_says_what_filled_it() {
    // The function takes five records a second of twenty, so the stream fills.
    let text = SCENARIO
        .replace("duration = \"30s\"", "duration = \"6h\"")
        .replace("per_batch = \"20ms\"", "per_batch = \"20s\"");
    let place = Place::new("memory").with("trickle.toml", &text);
    let told = place.run(&["run", "trickle.toml", "--memory", "1MB"]);
    assert_eq!(told.code, Some(3), "{}", told.whole());
    assert!(told.out.contains("the model outgrew its memory"), "{}", told.out);
    assert!(told.out.contains("stream.clicks"), "{}", told.out);
    assert_eq!(place.json("out/trickle/summary.json")["run"]["ending"], "out_of_memory");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let place = Place::new("pipe").with("trickle.toml", SCENARIO);
    let mut child = place
        .command(&["run", "trickle.toml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let told = Told::by(&child.wait_with_output().expect("the program ends"));
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
}
