//! Sequence numbers where records are shown: in the history of a violation.

use super::Conservation;
use crate::blueprint::{Arrivals, Keys, PutApi};
use crate::command::{Command, Intervention, Operation};
use crate::directory::Component;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, StreamId};
use crate::session::{Session, SessionOptions};
use crate::testing::blueprints::pipeline;

/// One PutRecord a second with the same key, and a split on the way.
fn ledgers() -> Conservation {
    let mut blueprint = pipeline(1, SimDuration::from_secs(12));
    blueprint.model.reshard_time = SimDuration::SECOND;
    blueprint.model.shard_discovery_interval = SimDuration::SECOND;
    blueprint.producers[0].api = PutApi::PutRecord;
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1));
    blueprint.producers[0].keys = Keys::Uniform { count: 1 };
    blueprint.interventions.push(Intervention {
        at: SimTime::from_secs(5),
        command: Command::ChangeStream {
            stream: "records".to_owned(),
            operation: Operation::SplitShard { shard: None, at: None },
        },
    });
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it is valid");
    session.seek(session.end()).expect("the books balance");
    let observers = session.observers().expect("they are attached");
    observers.conservation.clone().expect("all observers are there")
}

/// Shard, position and sequence number of the records in the lines of a component that do so.
fn shown(ledgers: &Conservation, component: Component, what: &str) -> Vec<(String, u64, String)> {
    let lines = ledgers
        .history
        .lines(&[component], usize::MAX, &ledgers.directory, &ledgers.keys);
    let after = |line: &str, mark: &str| -> Option<String> {
        let rest = &line[line.find(mark)? + mark.len()..];
        Some(rest.chars().take_while(char::is_ascii_alphanumeric).collect())
    };
    lines
        .iter()
        .filter(|line| line.contains(what))
        .filter_map(|line| {
            let position = after(line, " at position ")?.parse().ok()?;
            Some((after(line, "shardId-")?, position, after(line, ", sequence number ")?))
        })
        .collect()
}

/// It is assigned when the record is stored, stands in the answer beside the shard, and is what a reader gets.
#[test]
fn kds_seq_02_the_answer_to_a_put_tells_the_shard_and_the_sequence_number_that_readers_get() {
    let ledgers = ledgers();
    let answered = shown(&ledgers, Component::Stream(StreamId(0)), "answered a put");
    let given = shown(&ledgers, Component::Mapping(MappingId(0)), "was given");
    assert!(answered.len() >= 11, "{answered:#?}");
    assert!(given.len() >= 9, "{given:#?}");
    assert_eq!(given, answered[..given.len()]);
    let (parent, child) = (&answered[0].0, &answered[answered.len() - 1].0);
    assert_ne!(parent, child, "the split took effect");
    assert_eq!(answered[answered.len() - 1].1 + 1, count_in(&answered, child));
    // All have 56 digits, so text compares as numbers do (KDS-SEQ-01).
    assert!(answered.is_sorted_by(|(_, _, one), (_, _, next)| one.len() == 56 && next.len() == 56 && one < next));
}

fn count_in(records: &[(String, u64, String)], shard: &str) -> u64 {
    records.iter().filter(|record| record.0 == shard).map(|_| 1).sum()
}
