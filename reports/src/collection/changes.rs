//! What changed during the run: what was done to it, and what streams made of that.

use crate::account::Change;
use crate::settings::change;
use crate::text::counted;
use sim::directory::{Component, ConsumerEntry};
use sim::engine::time::SimTime;
use sim::observe::counts::StreamCounts;
use sim::observe::fact::StreamChange;
use sim::services::kinesis::operation::ConsumerStatus;
use sim::session::Session;

/// Instants of a stream that are told one by one; the rest is told as a number.
const TOLD: usize = 25;

/// All changes, in order of time.
pub(super) fn changes(session: &Session) -> Vec<Change> {
    let done = session.interventions().into_iter();
    let mut all: Vec<Change> = done
        .filter(|intervention| intervention.at <= session.now())
        .map(|intervention| Change {
            at: intervention.at,
            what: change(&intervention.command),
        })
        .collect();
    let counts = session.observers().and_then(|observers| observers.counts.as_ref());
    for (id, counts) in counts.iter().flat_map(|counts| counts.streams.iter_enumerated()) {
        let directory = session.world().directory();
        let consumers = &directory.streams[id].consumers;
        all.extend(of_stream(&directory.label(Component::Stream(id)), consumers, counts));
    }
    all.sort_by_key(|change| change.at);
    all
}

/// What happened to a stream, one entry for each instant.
fn of_stream(name: &str, consumers: &[ConsumerEntry], counts: &StreamCounts) -> Vec<Change> {
    let mut open = counts.shards.iter().filter(|shard| shard.opened_at.is_none()).count() as u64;
    let (mut told, mut left_out, mut last) = (Vec::new(), 0, SimTime::ZERO);
    for together in counts.changes.first.chunk_by(|one, next| one.0 == next.0) {
        let at = together[0].0;
        let Some(what) = instant(name, consumers, together, &mut open) else {
            continue;
        };
        if told.len() < TOLD {
            told.push(Change { at, what });
        } else {
            left_out += 1;
            last = at;
        }
    }
    if left_out > 0 {
        let what = format!("{name} had changed {} more", counted(left_out, "time"));
        told.push(Change { at: last, what });
    }
    told
}

/// What happened to a stream at one instant; `None`: nothing but that something was asked for, which is told elsewhere.
fn instant(
    name: &str,
    consumers: &[ConsumerEntry],
    together: &[(SimTime, StreamChange)],
    open: &mut u64,
) -> Option<String> {
    let named = |number: u16| {
        consumers
            .get(usize::from(number))
            .map_or("?", |consumer| &consumer.name)
    };
    let (mut opened, mut closed, mut expired, mut scaled_out, mut told) = (0, 0, 0, 0, Vec::new());
    for (_, change) in together {
        match change {
            StreamChange::ShardOpened { .. } => opened += 1,
            StreamChange::ShardClosed { .. } => closed += 1,
            StreamChange::ShardExpired { .. } => expired += 1,
            StreamChange::Accepted { .. } => {}
            StreamChange::ScaledOut { .. } => scaled_out += 1,
            StreamChange::Completed { operation } => told.push(format!("{operation} is in effect")),
            StreamChange::ConsumerChanged { consumer, status } => {
                let status = status.map_or("gone", ConsumerStatus::name);
                told.push(format!("consumer {} is {status}", named(*consumer)));
            }
            StreamChange::ConsumerRefused { consumer, refusal } => {
                told.push(format!("consumer {} is refused: {}", named(*consumer), refusal.name()));
            }
            StreamChange::Refused { operation, refusal } => {
                told.push(format!("{operation} is refused: {}", refusal.name()));
            }
        }
    }
    if scaled_out > 0 {
        told.push("the load asks for more shards".to_owned());
    }
    *open += opened;
    *open -= closed;
    if opened + closed > 0 {
        told.push(format!(
            "{} closed and {opened} opened, {open} {} open",
            counted(closed, "shard"),
            if *open == 1 { "is" } else { "are" }
        ));
    }
    if expired > 0 {
        told.push(format!("{} expired", counted(expired, "closed shard")));
    }
    (!told.is_empty()).then(|| format!("{name}: {}", told.join("; ")))
}
