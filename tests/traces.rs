//! Recorded workloads, replayed: every row becomes a record, the books balance, and real bursts throttle a shard once
//! recorded time is compressed.
//!
//! These tests need the public recordings (`SHARDLAB_DATA`, else `../shared/data`). Where they are absent a test says so
//! and proves nothing.

use crate::support::{data, run, scenario};
use scenarios::LoadOptions;
use sim::session::{Session, SessionOptions};

/// What a replay came to.
struct Replay {
    produced: u64,
    acknowledged: u64,
    throttled: u64,
    shards_throttled: usize,
    delivered: u64,
    checks: u64,
}

fn replay(name: &str) -> Option<Replay> {
    if data().is_none() {
        eprintln!("skipped: the recording for {name} is not on this machine (set SHARDLAB_DATA)");
        return None;
    }
    let scenario = scenario(&format!("scenarios/traces/{name}.toml"), &LoadOptions::default());
    let session: Session = run(&scenario.blueprint, SessionOptions::default());
    let counts = session
        .observers()
        .and_then(|observers| observers.counts.as_ref())
        .expect("totals are kept");
    let shards: Vec<u64> = counts
        .streams
        .iter()
        .flat_map(|stream| &stream.shards)
        .map(|shard| shard.throttled)
        .collect();
    Some(Replay {
        produced: counts.producers.iter().map(|producer| producer.produced).sum(),
        acknowledged: counts.producers.iter().map(|producer| producer.acknowledged).sum(),
        throttled: shards.iter().sum(),
        shards_throttled: shards.iter().filter(|&&throttled| throttled > 0).count(),
        delivered: counts.sinks.iter().map(|sink| sink.delivered).sum(),
        checks: session.ledger_checks(),
    })
}

/// In real time nothing is refused and every row takes effect; compressed, the recording's own bursts throttle one shard
/// while no row is lost on the way into the client.
fn check(name: &str, rows: u64) {
    if let Some(real) = replay(name) {
        assert_eq!(
            (real.produced, real.acknowledged),
            (rows, rows),
            "{name}: each row is a record"
        );
        assert_eq!(real.throttled, 0, "{name}: real time overloads nothing");
        assert_eq!(real.delivered, rows, "{name}: everything takes effect before the end");
        assert!(real.checks > 10, "{name}: the books were checked");
    }
    let compressed = format!("{name}-compressed");
    if let Some(fast) = replay(&compressed) {
        assert_eq!(fast.produced, rows, "{compressed}: each row is a record");
        assert!(fast.throttled > 0, "{compressed}: the bursts throttle");
        assert_eq!(fast.shards_throttled, 1, "{compressed}: one shard is throttled");
        assert!(fast.checks > 1, "{compressed}: the books were checked");
    }
}

#[test]
fn the_hour_of_code_requests_has_8_819_rows() {
    check("code-requests", 8_819);
}

#[test]
fn the_hour_of_chat_requests_has_19_366_rows() {
    check("chat-requests", 19_366);
}

#[test]
fn the_ten_tickers_were_mentioned_3_224_439_times() {
    check("ticker-mentions", 3_224_439);
}
