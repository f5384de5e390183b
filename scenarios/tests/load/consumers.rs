//! Registered consumers: how many a stream may have, and who reads as them.

use crate::support::{and, check, lines, loaded};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::Retrieval;

fn registered(count: u32) -> String {
    let one = |number| format!("[consumer.reader-{number}]\nStreamARN = \"stream.clicks\"\n");
    (0..count).map(one).collect()
}
fn application(name: &str, more: &str) -> String {
    format!("[application.{name}]\nstream = \"stream.clicks\"\n{more}\ntime = {{ per_batch = \"1ms\" }}\n")
}
fn errors(text: &str) -> Vec<String> {
    let (_, diagnostics) = load(text, "test", &LoadOptions::default(), &NoTraces);
    let mut lines = lines(&diagnostics, text, &LoadOptions::default());
    lines.retain(|line| line.starts_with('E'));
    lines
}

/// Twenty, whatever the mode; an application that is pushed to counts as one, one that polls does not.
#[test]
fn kds_efo_02_a_stream_has_twenty_registered_consumers() {
    let pushed = application("audit", "");
    let polling = application("billing", "retrieval = \"polling\"");
    let on_demand = |text: String| text.replace("ShardCount = 2", "StreamModeDetails = { StreamMode = \"ON_DEMAND\" }");
    for mode in [|text: String| text, on_demand] {
        let text = |count: u32, more: &str| mode(and(&format!("{}{more}", registered(count))));
        assert_eq!(errors(&text(20, "")), Vec::<String>::new());
        assert_eq!(errors(&text(20, &polling)), Vec::<String>::new());
        assert_eq!(errors(&text(19, &pushed)), Vec::<String>::new());
        assert_eq!(
            errors(&text(21, "")),
            [
                "E0205 66 \"reader-20\" `stream.clicks` has at most 20 registered consumers (one too many) -> let some of its readers poll (KDS-EFO-02)"
            ]
        );
        assert_eq!(errors(&text(20, &pushed)).len(), 1);
    }
}

/// Fifty on demand with Advantage; Advantage does nothing for a provisioned stream.
#[test]
fn kds_efo_02_with_advantage_a_stream_on_demand_has_fifty() {
    let text = |count: u32, mode: &str| {
        let stream = format!("StreamModeDetails = {{ StreamMode = \"{mode}\" }}");
        let stream = if mode == "PROVISIONED" {
            format!("{stream}\nShardCount = 2")
        } else {
            stream
        };
        let text = and(&registered(count)).replace("ShardCount = 2", &stream);
        format!("{text}\n[account]\non_demand_advantage = true\n")
    };
    assert_eq!(errors(&text(50, "ON_DEMAND")), Vec::<String>::new());
    let one_more = errors(&text(51, "ON_DEMAND"));
    assert_eq!(one_more.len(), 1);
    assert!(one_more[0].contains("at most 50 registered consumers"), "{one_more:?}");
    assert_eq!(errors(&text(20, "PROVISIONED")), Vec::<String>::new());
    assert!(errors(&text(21, "PROVISIONED"))[0].contains("at most 20 registered consumers"));
}

/// 2.x and 3.x are pushed to unless they are told to poll; 1.x polls and knows nothing else.
#[test]
fn kds_efo_19_the_library_uses_fan_out_by_default_since_2_x() {
    let retrieval = |more: &str| loaded(&and(&application("audit", more))).blueprint.applications[0].retrieval;
    assert_eq!(retrieval(""), Retrieval::FanOut);
    assert_eq!(retrieval("kcl = \"3.x\""), Retrieval::FanOut);
    assert_eq!(retrieval("kcl = \"2.x\""), Retrieval::FanOut);
    assert_eq!(retrieval("kcl = \"2.x\"\nretrieval = \"polling\""), Retrieval::Polling);
    assert_eq!(retrieval("kcl = \"1.x\""), Retrieval::Polling);
    assert_eq!(retrieval("kcl = \"1.x\"\nretrieval = \"polling\""), Retrieval::Polling);
    check(
        &and(&application("audit", "kcl = \"1.x\"\nretrieval = \"fan_out\"")),
        &[
            "E0303 29 \"\\\"fan_out\\\"\" KCL 1.x has no enhanced fan-out (its workers poll) -> leave `retrieval` out, or use `kcl = \"2.x\"` or \"3.x\"",
        ],
    );
}

#[test]
fn an_application_that_is_pushed_to_has_no_polls_to_set() {
    check(
        &and(&application(
            "audit",
            "idleTimeBetweenReadsInMillis = 500\nmaxRecords = 100",
        )),
        &[
            "W0003 28 \"500\" `idleTimeBetweenReadsInMillis` has no effect here (records are pushed to it; with `retrieval = \"polling\"` it would have one) -> leave it out",
            "W0003 29 \"100\" `maxRecords` has no effect here (records are pushed to it; with `retrieval = \"polling\"` it would have one) -> leave it out",
        ],
    );
}
