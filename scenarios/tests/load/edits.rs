//! Whatever is done to a scenario, the loader answers with diagnostics and never panics.

use crate::files::{SHIPPED, Samples};
use proptest::prelude::*;
use scenarios::{LoadOptions, Origin, load};

/// One change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Replace(usize, u8),
    Insert(usize, Vec<u8>),
    Delete(usize, usize),
    Copy(usize, usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0_usize..4_000;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (at.clone(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (at.clone(), 1_usize..60).prop_map(|(at, length)| Edit::Delete(at, length)),
        (at.clone(), at, 1_usize..200).prop_map(|(from, to, length)| Edit::Copy(from, to, length)),
        (
            0_usize..4_000,
            prop::sample::select(vec![
                "-1",
                "0",
                "1e999",
                "99999999999999999999",
                "{}",
                "[]",
                "\"\"",
                "nan",
                "="
            ])
        )
            .prop_map(|(at, text)| Edit::Insert(at, text.as_bytes().to_vec())),
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
    }
}

fn loads_or_tells(text: &str, options: &LoadOptions) {
    let (scenario, diagnostics) = load(text, "edited", options, &Samples);
    let has_error = diagnostics
        .iter()
        .any(|found| found.severity == scenarios::Severity::Error);
    assert_eq!(scenario.is_none(), has_error);
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
        loads_or_tells(&String::from_utf8_lossy(&bytes), &LoadOptions { memory: Some(1 << 20), ..LoadOptions::default() });
    }

    #[test]
    fn any_set_option_never_panics_the_loader(path in "[a-z.0-2]{0,20}|producer\\.web\\.[a-z_]{1,12}|duration|seed", value in "\\PC{0,20}") {
        let options = LoadOptions { set: vec![(path, value)], ..LoadOptions::default() };
        loads_or_tells(SHIPPED[0].1, &options);
    }
}
