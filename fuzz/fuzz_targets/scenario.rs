//! Any bytes as the text of a scenario: it loads or tells why not, and what loads can be built and begun.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scenarios::{LoadOptions, Scenario, Severity, TraceReader, load};
use sim::session::{Session, SessionOptions};

/// Memory that a scenario may be sure to need.
const MEMORY: u64 = 1 << 20;
/// Events of a run, so that a fast input stays one.
const EVENTS: u64 = 500;

/// The same few rows for every path.
struct Rows;
impl TraceReader for Rows {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(b"time,key,size,count\n0,a,100,2\n1.5,b,200,0\n2,a,300,1\n".to_vec())
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let options = LoadOptions {
        memory: Some(MEMORY),
        ..LoadOptions::default()
    };
    let (scenario, diagnostics) = load(&text, "fuzz", &options, &Rows);
    let has_error = diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(
        scenario.is_none(),
        has_error,
        "an error means no scenario, and nothing else does"
    );
    for diagnostic in &diagnostics {
        assert!(!diagnostic.title.contains(char::is_control), "{diagnostic:?}");
        for label in &diagnostic.labels {
            assert!(
                text.get(label.span.clone()).is_some(),
                "a label lies in its text: {diagnostic:?}"
            );
        }
    }
    if let Some(scenario) = scenario.filter(is_small) {
        begin(&scenario);
    }
});

/// What is large takes long to build, which is no fault.
fn is_small(scenario: &Scenario) -> bool {
    let blueprint = &scenario.blueprint;
    let components = blueprint.streams.len() + blueprint.producers.len() + blueprint.functions.len();
    components < 8 && blueprint.streams.iter().all(|stream| stream.shard_count <= 64)
}

fn begin(scenario: &Scenario) {
    let options = SessionOptions {
        memory_limit: 64 * MEMORY,
        ..SessionOptions::default()
    };
    let mut session = Session::new(&scenario.blueprint, options).expect("what loads can be built");
    let end = session.end();
    let _ = session.advance(end, EVENTS);
}
