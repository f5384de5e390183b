//! Reads: how often, how much, from where.

use super::{Run, application, run, world};
use crate::blueprint::{ApplicationBlueprint, Arrivals, Blueprint, Checkpointing, InitialPosition, KclVersion, PutApi};
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::model_parameters::ModelParameters;
use crate::observe::fact::{ApplicationChange, Fact};
use crate::session::{Session, SessionOptions};
use crate::testing::blueprints::constant;

/// When reads of a shard came in, and with how many records.
fn reads(run: &Run) -> Vec<(SimTime, u64, usize)> {
    run.find(|note| match note.fact {
        Fact::GetRecordsHandled {
            received_at,
            first_position,
            ..
        } => Some((received_at, first_position, note.records.len())),
        _ => None,
    })
}

/// KDS-KCL-21: the idle time runs from the arrival of the last answer.
#[test]
fn kds_kcl_21_a_read_follows_the_last_answer_after_the_idle_time() {
    for version in [KclVersion::One, KclVersion::Three] {
        let run = run(&world(1, 60, application(version, 1)));
        let reads = reads(&run);
        assert!(reads.len() > 30);
        for pair in reads.windows(2) {
            // A read takes 10 ms and the network 1 ms each way.
            let gap = pair[1].0.since(pair[0].0);
            assert_eq!(gap, version.idle_time() + SimDuration::from_millis(12));
        }
    }
}

/// `count` applications on one shard, each with this idle time.
fn readers(count: usize, idle: u64, seconds: u64) -> Blueprint {
    let mut blueprint = world(1, seconds, application(KclVersion::Two, 1));
    blueprint.applications = (0..count)
        .map(|number| {
            let mut reader = application(KclVersion::Two, 1);
            reader.name = format!("reader-{number}");
            reader.settings.idle_time_between_reads = SimDuration::from_millis(idle);
            reader
        })
        .collect();
    blueprint
}
fn throttled(blueprint: &Blueprint) -> u64 {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs");
    let counts = session
        .observers()
        .and_then(|all| all.counts.as_ref())
        .expect("all are attached");
    counts.readers.iter().map(|reader| reader.throttled_by_calls).sum()
}

/// KDS-R-20: at 200 ms a shard has no calls left for a second application.
#[test]
fn kds_r_20_at_200_milliseconds_a_second_application_throttles() {
    assert_eq!(throttled(&readers(1, 200, 60)), 0);
    assert!(throttled(&readers(2, 200, 60)) > 50);
}

/// KDS-R-19: once a second leaves room for five applications, and for no sixth.
#[test]
fn kds_r_19_once_a_second_leaves_room_for_five() {
    assert_eq!(throttled(&readers(5, 1_000, 60)), 0);
    assert!(throttled(&readers(7, 1_000, 60)) > 0);
}

/// KDS-KCL-21: no exponential backoff after a refusal.
#[test]
fn kds_kcl_21_after_a_refusal_the_whole_idle_time_passes_again() {
    let run = {
        let mut blueprint = readers(2, 200, 30);
        blueprint.applications[0].name = "audit".to_owned();
        run(&blueprint)
    };
    let audit = run.session.world().directory().reader_of(crate::ids::ApplicationId(0));
    let calls = run.find(|note| match note.fact {
        Fact::GetRecordsHandled {
            received_at, reader, ..
        } if reader == audit => Some((received_at, false)),
        Fact::GetRecordsThrottled { reader, .. } if reader == audit => Some((note.at, true)),
        _ => None,
    });
    let mut refused = 0;
    for pair in calls.windows(2) {
        let [(before, was_refused), (after, _)] = pair else {
            continue;
        };
        if *was_refused {
            refused += 1;
            // The refusal takes 1 ms back, and the next call 1 ms.
            assert_eq!(after.since(*before), SimDuration::from_millis(202));
        }
    }
    assert!(refused > 10);
}

#[test]
fn kds_kcl_22_max_records_bounds_a_page() {
    let mut audit = application(KclVersion::Two, 1);
    audit.settings.max_records = 40;
    let run = run(&world(1, 60, audit));
    let most = reads(&run).into_iter().map(|(.., records)| records).max();
    assert_eq!(most, Some(40), "though 150 come between two reads");
}

/// KDS-KCL-23, KDS-KCL-24, KDS-R-05: a record processor so slow that nothing is read for more than five minutes.
#[test]
fn kds_kcl_24_an_expired_iterator_is_replaced_and_nothing_is_skipped() {
    let mut audit = application(KclVersion::Three, 1);
    audit.per_batch = constant(SimDuration::from_secs(320));
    let mut blueprint = world(1, 4_000, audit);
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate::per_second(1));
    let run = run(&blueprint);
    let expired = run.reader().application.iterators_expired;
    assert!(expired >= 5, "{expired}");
    let mut next = 0;
    for (_, _, _, first, records) in run.batches() {
        assert_eq!(first, next);
        next += u64::try_from(records).expect("few");
    }
    assert_eq!(run.reader().acknowledged_again, 0);
    // Four batches wait and one is processed; then reading stops until one is taken.
    let pages = reads(&run)
        .into_iter()
        .take_while(|(when, ..)| *when < SimTime::from_secs(310))
        .count();
    assert_eq!(pages, 5);
}

#[test]
fn kds_kcl_42_a_record_processor_is_not_called_for_nothing() {
    let mut blueprint = world(1, 60, application(KclVersion::Two, 1));
    blueprint.producers[0].arrivals = Arrivals::Constant(Rate {
        count: 1,
        per: SimDuration::from_secs(10),
    });
    let run = run(&blueprint);
    assert!(run.reader().empty_reads > 25);
    assert!(run.batches().iter().all(|(.., records)| *records > 0));
    assert!(run.batches().len() <= 6);
}

/// What an application that starts at 30 s processes of what was stored before and after that.
fn started_at(position: InitialPosition) -> (u64, u64, Run) {
    let audit = ApplicationBlueprint {
        starts_at: SimTime::from_secs(30),
        initial_position: position,
        ..application(KclVersion::Two, 1)
    };
    let run = run(&world(1, 60, audit));
    let (mut before, mut after) = (0, 0);
    for note in &run.notes {
        if let Fact::RecordsProcessed { .. } = note.fact {
            for record in &note.records {
                if record.arrived_at < SimTime::from_secs(30) {
                    before += 1;
                } else {
                    after += 1;
                }
            }
        }
    }
    (before, after, run)
}

/// KDS-KCL-25, KDS-R-03: where a lease begins that nobody has owned.
#[test]
fn kds_kcl_25_the_initial_position_decides_what_is_read_of_the_past() {
    let (before, after, _) = started_at(InitialPosition::Latest);
    assert_eq!(before, 0);
    // A dispatch interval passes before the iterator is asked for, and what comes until then is passed over.
    assert!((2_500..2_900).contains(&after), "{after}");
    let (before, _, run) = started_at(InitialPosition::TrimHorizon);
    let stored = run.find(|note| match note.fact {
        Fact::PutHandled { .. } if note.at < SimTime::from_secs(30) => Some(note.records.len()),
        _ => None,
    });
    assert_eq!(usize::try_from(before), Ok(stored.iter().sum()));
}

/// KDS-R-04: from the first record at or after the time on.
#[test]
fn kds_r_04_at_timestamp_begins_with_the_first_record_stored_then() {
    let at = SimTime::from_secs(10);
    let (before, _, run) = started_at(InitialPosition::AtTimestamp(at));
    let first = run
        .notes
        .iter()
        .find(|note| matches!(note.fact, Fact::BatchDispatched { .. }))
        .expect("there is one");
    assert!(first.records[0].arrived_at >= at);
    let stored = run.find(|note| match note.fact {
        Fact::PutHandled { .. } if note.at >= at && note.at < SimTime::from_secs(30) => Some(note.records.len()),
        _ => None,
    });
    assert_eq!(usize::try_from(before), Ok(stored.iter().sum()));
    let (whole, ..) = started_at(InitialPosition::AtTimestamp(SimTime::ZERO));
    assert_eq!(
        whole,
        started_at(InitialPosition::TrimHorizon).0,
        "before the horizon it is TRIM_HORIZON"
    );
}

/// KDS-KCL-36: it reads the last record that is done again, and drops it.
#[test]
fn kds_kcl_36_a_checkpoint_is_resumed_at_its_last_record() {
    let mut blueprint = world(1, 200, application(KclVersion::Two, 2));
    blueprint.interventions = vec![super::kill(100, None)];
    let run = run(&blueprint);
    let taken = run
        .takings()
        .into_iter()
        .find(|(when, ..)| *when > SimTime::from_secs(100));
    let (taken_at, _, heir, _) = taken.expect("the other takes over");
    let read = reads(&run)
        .into_iter()
        .find(|(when, ..)| *when > taken_at)
        .expect("it reads");
    let batch = run
        .batches()
        .into_iter()
        .find(|(when, ..)| *when > taken_at)
        .expect("it processes");
    assert_eq!((batch.2, batch.3), (heir, read.1 + 1));
}

/// Puts of one record each, at once, and a record processor that takes no time: from the put to the record processor.
fn propagation(applications: usize, idle: u64) -> f64 {
    let mut blueprint = readers(applications, idle, 300);
    blueprint.model = ModelParameters::default();
    let clicks = &mut blueprint.producers[0];
    clicks.api = PutApi::PutRecord;
    clicks.arrivals = Arrivals::Poisson(Rate::per_second(20));
    for reader in &mut blueprint.applications {
        reader.per_batch = constant(SimDuration::ZERO);
        reader.checkpoint = Checkpointing::Never;
    }
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs");
    let latency = session
        .observers()
        .and_then(|all| all.latency.as_ref())
        .expect("all are attached");
    let mean = latency.end_to_end().mean().expect("records took effect");
    f64::from(u32::try_from(mean.as_nanos() / 1_000).expect("short")) / 1_000.0
}

/// KDS-MOD-09: one application at the full rate; the published figure is about 200 ms.
#[test]
fn kds_lat_01_one_shared_reader_gets_a_record_after_120_to_220_milliseconds() {
    let mean = propagation(1, 200);
    assert!((120.0..220.0).contains(&mean), "{mean} ms");
}

/// KDS-MOD-09: five applications at a call a second each; the published figure is about 1,000 ms.
#[test]
fn kds_lat_02_five_shared_readers_get_a_record_after_500_to_1050_milliseconds() {
    let mean = propagation(5, 1_000);
    assert!((500.0..1_050.0).contains(&mean), "{mean} ms");
}

/// KDS-LAT-05: with either default of the library.
#[test]
fn kds_lat_05_from_put_to_get_it_takes_less_than_a_second() {
    for idle in [1_000, 1_500] {
        let mean = propagation(1, idle);
        assert!(mean < 1_000.0, "{mean} ms");
    }
}

/// KDS-KCL-41: a GetShardIterator that was refused is repeated after half a second.
#[test]
fn kds_kcl_41_a_refused_iterator_is_asked_for_again_after_half_a_second() {
    let blueprint = readers(8, 1_000, 20);
    let run = run_any(&blueprint);
    let calls: Vec<(SimTime, u16, bool)> = run
        .iter()
        .filter_map(|note| match note.fact {
            Fact::ApplicationChanged {
                reader,
                change: ApplicationChange::IteratorAnswered { throttled, .. },
            } => Some((note.at, reader.0, throttled)),
            _ => None,
        })
        .collect();
    let refused: Vec<_> = calls.iter().filter(|(.., throttled)| *throttled).collect();
    assert!(refused.len() >= 3, "eight at one instant, of which five fit");
    for (when, reader, _) in refused {
        let next = calls
            .iter()
            .find(|(later, who, _)| later > when && who == reader)
            .expect("it asks again");
        assert_eq!(next.0.since(*when), SimDuration::from_millis(502));
    }
}

fn run_any(blueprint: &Blueprint) -> Vec<crate::testing::note::Note> {
    let mut session = Session::new(blueprint, SessionOptions::default()).expect("it is valid");
    let mut notebook = crate::testing::note::Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .expect("it runs");
    notebook.notes
}
