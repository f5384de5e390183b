//! Whatever is done to a scenario, the loader answers with diagnostics and never panics.

use crate::files::{SHIPPED, Samples};
use crate::support::with;
use proptest::prelude::*;
use scenarios::{LoadOptions, Origin, TraceReader, load};
use sim::session::{Session, SessionOptions};

/// One change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Replace(usize, u8),
    Insert(usize, Vec<u8>),
    Delete(usize, usize),
    Copy(usize, usize, usize),
    /// The line at the first place moves to the second.
    MoveLine(usize, usize),
    /// The word at this place becomes another one of the language.
    Rename(usize, String),
}

/// Words of the language and values at its edges.
fn words() -> Vec<String> {
    let values = [
        "-1",
        "0",
        "1e999",
        "99999999999999999999",
        "{}",
        "[]",
        "\"\"",
        "nan",
        "=",
        "\"0s\"",
        "\"1ns\"",
        "\"87600h\"",
        "\"1000000000/s\"",
        "\"1/87600h\"",
        "\"0B\"",
        "\"1024GiB\"",
        "\"trace\"",
        "{ p50 = \"1ns\", p99 = \"1h\" }",
        "340282366920938463463374607431768211455",
    ];
    let names = scenarios::reference::entries()
        .into_iter()
        .map(|entry| entry.property.name.to_owned());
    values.map(str::to_owned).into_iter().chain(names).collect()
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0_usize..4_000;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (at.clone(), 1_usize..60).prop_map(|(at, length)| Edit::Delete(at, length)),
        (at.clone(), at.clone(), 1_usize..200).prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
        (at.clone(), prop::sample::select(words())).prop_map(|(at, word)| Edit::Insert(at, word.into_bytes())),
        (at.clone(), prop::sample::select(words())).prop_map(|(at, word)| Edit::Rename(at, word)),
        (at.clone(), at).prop_map(|(from, to)| Edit::MoveLine(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: Edit) {
    let length = bytes.len().max(1);
    match edit {
        Edit::Replace(at, byte) => {
            if let Some(target) = bytes.get_mut(at % length) {
                *target = byte;
            }
        }
        Edit::Insert(at, new) => {
            let at = (at % length).min(bytes.len());
            bytes.splice(at..at, new);
        }
        Edit::Delete(at, count) => {
            let at = (at % length).min(bytes.len());
            let end = (at + count).min(bytes.len());
            bytes.drain(at..end);
        }
        Edit::Copy(from, to, count) => {
            let from = (from % length).min(bytes.len());
            let part: Vec<u8> = bytes[from..(from + count).min(bytes.len())].to_vec();
            let to = (to % length).min(bytes.len());
            bytes.splice(to..to, part);
        }
        Edit::MoveLine(from, to) => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let line = lines.remove(from % lines.len());
            lines.insert(to % (lines.len() + 1), line);
            *bytes = lines.join(&b'\n');
        }
        Edit::Rename(at, word) => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let at = (at % length).min(bytes.len());
            let begin = bytes[..at]
                .iter()
                .rposition(|byte| !is_part(byte))
                .map_or(0, |before| before + 1);
            let rest = bytes[at..].iter().position(|byte| !is_part(byte));
            let end = rest.map_or(bytes.len(), |count| at + count);
            bytes.splice(begin..end, word.into_bytes());
        }
    }
}

/// A trace file, whatever it is called.
struct Bytes(Vec<u8>);
impl TraceReader for Bytes {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

/// Columns as a scenario names them, and a file that has them.
const TRACES: &[(&str, &str)] = &[
    (
        ", key = \"user\", size = { column = \"bytes\", bytes_per_unit = 3.5 }",
        "at,user,bytes\n2026-11-25 10:00:00.1,ann,100\n2026-11-25T10:00:01Z,bob,200\n2026-11-25 10:00:01,\"a, b\",0\n",
    ),
    (
        ", count = \"n\", spread = \"uniform\", repeat = true, compression = 20",
        "at,n\n0,3\n300,0\n600.5,94.0\n",
    ),
];

fn check_that_it_loads_or_tells(text: &str, options: &LoadOptions) {
    check_with_traces(text, options, &Samples);
}

fn check_with_traces(text: &str, options: &LoadOptions, traces: &dyn TraceReader) {
    let (scenario, diagnostics) = load(text, "edited", options, traces);
    let has_error = diagnostics
        .iter()
        .any(|found| found.severity == scenarios::Severity::Error);
    assert_eq!(scenario.is_none(), has_error);
    if let Some(scenario) = scenario {
        let built = Session::new(&scenario.blueprint, SessionOptions::default());
        assert!(built.is_ok(), "what loads can be built: {:?}", built.err());
    }
    for diagnostic in &diagnostics {
        let printed = format!(
            "{}{:?}{:?}{:?}",
            diagnostic.title, diagnostic.labels, diagnostic.notes, diagnostic.help
        );
        assert!(!diagnostic.title.contains(char::is_control), "{printed}");
        for label in &diagnostic.labels {
            let text = match diagnostic.origin {
                Origin::Scenario => text.to_owned(),
                Origin::Set(index) => {
                    let (path, value) = &options.set[index];
                    scenarios::set_text(path, value)
                }
                Origin::Trace { .. } => String::new(),
            };
            assert!(
                text.get(label.span.clone()).is_some(),
                "a label lies in its text: {label:?}"
            );
            assert!(!label.text.contains(char::is_control), "{label:?}");
        }
        let texts = diagnostic.notes.iter().chain(&diagnostic.help);
        assert!(!texts.clone().any(|text| text.contains(char::is_control)), "{printed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edited_scenarios_never_panic_the_loader(file in 0..SHIPPED.len(), edits in prop::collection::vec(edit(), 1..8)) {
        let mut bytes = SHIPPED[file].1.as_bytes().to_vec();
        for edit in edits {
            apply(&mut bytes, edit);
        }
        check_that_it_loads_or_tells(&String::from_utf8_lossy(&bytes), &LoadOptions { memory: Some(1 << 20), ..LoadOptions::default() });
    }

    #[test]
    fn edited_traces_never_panic_the_loader(
        (columns, csv) in prop::sample::select(TRACES),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let mut bytes = csv.as_bytes().to_vec();
        for edit in edits {
            apply(&mut bytes, edit);
        }
        let text = with("{ poisson = \"100/s\" }", &format!("{{ trace = {{ path = \"a.csv\", time = \"at\"{columns} }} }}"));
        check_with_traces(&text, &LoadOptions::default(), &Bytes(bytes));
    }

    #[test]
    fn any_set_option_never_panics_the_loader(path in "[a-z.0-2]{0,20}|producer\\.web\\.[a-z_]{1,12}|duration|seed", value in "\\PC{0,20}") {
        let options = LoadOptions { set: vec![(path, value)], ..LoadOptions::default() };
        check_that_it_loads_or_tells(SHIPPED[0].1, &options);
    }
}
