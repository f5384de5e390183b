//! The Kinesis Producer Library in whole worlds: whatever its settings, the books balance in both currencies, deadlines
//! are kept, and order suffers no more than documented.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sim::blueprint::{Arrivals, Blueprint, Keys, ProducerLibrary};
use sim::engine::calendar::TieOrder;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::Observers;
use sim::observe::counts::ReaderCounts;
use sim::observe::fact::Fact;
use sim::observe::ordering::Place;
use sim::observe::verdict::{Guarantee, Verdict};
use sim::profile::Profile;
use sim::record::Record;
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::pipeline;
use sim::testing::libraries::libraries;
use sim::testing::note::{Note, Notebook};
use sim::testing::strategies::blueprints;
use std::collections::{BTreeMap, BTreeSet};

const CHECKED: SessionOptions = SessionOptions {
    observe: true,
    checks: Checks::EveryEvent,
    tie_order: TieOrder::Insertion,
    memory_limit: u64::MAX,
    checkpoint_interval: None,
    checkpoint_memory: 0,
};

fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
/// Everything that a run states.
fn notes(blueprint: &Blueprint) -> Result<(Session, Vec<Note>), TestCaseError> {
    let mut session = Session::new(blueprint, CHECKED).expect("the blueprint is valid");
    let mut notebook = Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    Ok((session, notebook.notes))
}
type Identity = (u32, u32);
fn identity(record: &Record) -> Identity {
    (record.key.0, record.ordinal)
}
/// `clicks` with the library into one shard, read by a mapping; the rest as in [`pipeline`].
fn world(library: ProducerLibrary, rate: u64, shards: u32, duration: SimDuration) -> Blueprint {
    let mut blueprint = pipeline(shards, duration);
    blueprint.producers[0].library = Some(library);
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(rate));
    blueprint.producers[0].keys = Keys::Uniform { count: 50 };
    blueprint
}
fn defaults() -> ProducerLibrary {
    ProducerLibrary::defaults(Profile::Current)
}
/// How far behind the latest creation of its key a record was created that is stored after it, at most.
fn furthest_behind(notes: &[Note]) -> SimDuration {
    let mut latest: BTreeMap<u32, SimTime> = BTreeMap::new();
    let mut furthest = SimDuration::ZERO;
    let mut seen: BTreeSet<Identity> = BTreeSet::new();
    let stored = |note: &&Note| matches!(note.fact, Fact::RecordsDelivered { .. } | Fact::RecordsProcessed { .. });
    for record in notes.iter().filter(stored).flat_map(|note| &note.records) {
        if !seen.insert(identity(record)) {
            continue;
        }
        let latest = latest.entry(record.key.0).or_insert(record.created_at);
        furthest = furthest.max(latest.since(record.created_at));
        *latest = (*latest).max(record.created_at);
    }
    furthest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// KDS-KPL-25, KDS-KPL-27: whatever fails, a user record travels in one Kinesis record at a time, each is settled once,
    /// and readers, sinks and order count user records without losing any.
    #[test]
    fn user_records_are_conserved_with_any_settings(
        mut blueprint in blueprints(),
        settings in prop::collection::vec(libraries(), 3),
    ) {
        for (producer, library) in blueprint.producers.iter_mut().zip(settings) {
            producer.library = Some(library);
        }
        let (session, notes) = notes(&blueprint)?;
        let mut settled: BTreeSet<Identity> = BTreeSet::new();
        let mut in_flight: BTreeMap<Identity, u32> = BTreeMap::new();
        let mut attempts: BTreeMap<Identity, u32> = BTreeMap::new();
        for note in &notes {
            match note.fact {
                Fact::UserRecordsSent { .. } => for record in &note.records {
                    let before = attempts.insert(identity(record), record.attempt()).unwrap_or(0);
                    prop_assert_eq!(record.attempt(), before + 1, "one attempt at a time");
                    *in_flight.entry(identity(record)).or_default() += 1;
                },
                Fact::UserRecordsStored { .. } => {
                    let different: BTreeSet<Identity> = note.records.iter().map(identity).collect();
                    prop_assert_eq!(different.len(), note.records.len(), "twice in one Kinesis record");
                }
                Fact::RecordsAcknowledged { .. } | Fact::RecordsGivenUp { .. } => for record in &note.records {
                    prop_assert!(settled.insert(identity(record)), "settled twice: {:?}", record);
                },
                _ => {}
            }
        }
        let observers = observers(&session);
        let counts = observers.counts.as_ref().expect("all are");
        let (ordering, readers) = (observers.ordering.as_ref().expect("all are"), &counts.readers);
        let lost = |reader: &ReaderCounts| reader.discarded + reader.expired_unread + reader.expired_in_retry;
        if readers.iter().all(|reader| lost(reader) == 0) {
            for function in session.world().directory().functions.ids() {
                let verdict = ordering.verdict(Guarantee::NoLoss, Place::Function(function));
                prop_assert!(!matches!(verdict, Verdict::Violated(_)), "{:?}", verdict);
            }
        }
    }

    /// KDS-KPL-31, KDS-KPL-02: where nothing is refused and a connection is free, no user record waits in the library
    /// longer than RecordMaxBufferedTime and what collection adds. KDS-KPL-29: and none is overtaken by one that was
    /// created more than twice RecordMaxBufferedTime later.
    #[test]
    fn kds_kpl_31_user_records_leave_in_time_where_nothing_is_refused(
        settings in libraries(),
        rate in 1_u64..400,
        shards in 1_u32..4,
        buffered in 20_u64..1_500,
    ) {
        let library = ProducerLibrary {
            record_max_buffered_time: SimDuration::from_millis(buffered),
            record_ttl: defaults().record_ttl,
            request_timeout: defaults().request_timeout,
            max_connections: 256,
            rate_limit: 400,
            ..settings
        };
        let mut blueprint = world(library, rate, shards, SimDuration::from_secs(8));
        // Requests may overtake each other, by less than RecordMaxBufferedTime.
        blueprint.model.put_service_time = Distribution::Uniform { low: 1e6, high: 20e6 };
        let (_, notes) = notes(&blueprint)?;
        let longest = library.record_max_buffered_time + library.collection_time();
        for note in &notes {
            if let Fact::UserRecordsSent { .. } = note.fact {
                for record in &note.records {
                    let waited = note.at.since(record.created_at);
                    prop_assert!(waited <= longest, "{} for {:?}", waited, record);
                }
            }
        }
        let bound = SimDuration::from_nanos(2 * library.record_max_buffered_time.as_nanos());
        prop_assert!(furthest_behind(&notes) <= bound);
    }
}
