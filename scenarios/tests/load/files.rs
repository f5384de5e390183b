//! The scenarios that are shipped.

use crate::support::lines;
use scenarios::{LoadOptions, TraceReader, load};
use sim::profile::Profile;
use sim::session::{Session, SessionOptions};

/// Small stand-ins for the recordings.
pub(crate) struct Samples;
impl TraceReader for Samples {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = if path.starts_with("data:azure") {
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8"
        } else if path.starts_with("data:nab") {
            "timestamp,value\n2015-02-26 21:42:53,104\n2015-02-26 21:47:53,100\n"
        } else {
            return Err("unknown".to_owned());
        };
        Ok(text.as_bytes().to_vec())
    }
}

pub(crate) const SHIPPED: &[(&str, &str)] = &[
    ("hello-stream", include_str!("../../first-steps/hello-stream.toml")),
    ("code-requests", include_str!("../../traces/code-requests.toml")),
    (
        "code-requests-compressed",
        include_str!("../../traces/code-requests-compressed.toml"),
    ),
    ("chat-requests", include_str!("../../traces/chat-requests.toml")),
    (
        "chat-requests-compressed",
        include_str!("../../traces/chat-requests-compressed.toml"),
    ),
    ("ticker-mentions", include_str!("../../traces/ticker-mentions.toml")),
    (
        "ticker-mentions-compressed",
        include_str!("../../traces/ticker-mentions-compressed.toml"),
    ),
];

#[test]
fn shipped_scenarios_load_without_a_word_in_both_profiles() {
    for &(name, text) in SHIPPED {
        for profile in [Profile::Exam, Profile::Current] {
            let options = LoadOptions {
                profile: Some(profile),
                ..LoadOptions::default()
            };
            let (scenario, diagnostics) = load(text, name, &options, &Samples);
            assert_eq!(lines(&diagnostics, text, &options), Vec::<String>::new(), "{name}");
            let scenario = scenario.expect("no errors");
            assert!(
                !scenario.expectations.is_empty() && scenario.question.is_some(),
                "{name}"
            );
            assert_eq!(scenario.blueprint.profile, profile);
            assert!(
                Session::new(&scenario.blueprint, SessionOptions::default()).is_ok(),
                "{name} can be built"
            );
        }
    }
}

#[test]
fn a_replay_says_what_it_replays_and_how_fast() {
    let (_, text) = SHIPPED[2];
    let (scenario, _) = load(text, "code", &LoadOptions::default(), &Samples);
    let notes = scenario.expect("loads").notes;
    assert_eq!(
        notes,
        [
            "producer.gateway replays 2 requests, recorded over 104 ms, 20 times as fast, in 5.20 ms, from data:azure-llm-2023/AzureLLMInferenceTrace_code.csv"
        ]
    );
}
