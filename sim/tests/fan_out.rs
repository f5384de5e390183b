//! Enhanced fan-out in whole pipelines.

use sim::blueprint::{
    Arrivals, Blueprint, CapacityMode, ConsumerBlueprint, InitialPosition, ModelParameters, PutApi, StreamBlueprint,
};
use sim::command::{Command, Intervention, Operation};
use sim::engine::quantity::Rate;
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{ProducerId, ReaderId, StreamId};
use sim::observe::Observers;
use sim::observe::counts::{Counts, ReaderCounts, StreamCounts};
use sim::observe::fact::StreamChange;
use sim::services::kinesis::operation::{ConsumerStatus, Refusal};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::{fan_out_application, pipeline, stream};

fn checked(blueprint: &Blueprint) -> Session {
    let options = SessionOptions {
        checks: Checks::EveryEvent,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint is valid");
    let end = session.end();
    session.advance(end, u64::MAX).expect("the ledgers balance");
    session
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}

/// LAM-K-04, LAM-K-34: a mapping on a registered consumer is pushed everything and polls nothing.
#[test]
fn lam_k_04_a_mapping_on_a_consumer_makes_no_get_records_calls() {
    let mut blueprint = pipeline(2, SimDuration::from_minutes(12));
    blueprint.mappings[0].consumer = Some("enriching".to_owned());
    let session = checked(&blueprint);
    let counts = observers(&session).counts.as_ref().expect("all are attached");
    let reader = &counts.readers[ReaderId(0)];
    assert_eq!(reader.reads, 0);
    assert!(reader.events > 1_000, "{}", reader.events);
    // Two shards, and a renewal every five minutes (KDS-EFO-07).
    assert_eq!((reader.subscriptions, reader.subscriptions_refused), (6, 0));
    let produced = counts.producers[ProducerId(0)].produced;
    assert!(
        reader.acknowledged + 50 > produced,
        "{} of {produced}",
        reader.acknowledged
    );
}

/// Records that are put one at a time, and consumers whose function takes no time.
fn latency(consumers: u32) -> (u64, u64) {
    let mut blueprint = sim::testing::blueprints::fan_out(consumers, SimDuration::from_minutes(10));
    blueprint.model = ModelParameters::default();
    blueprint.producers[0].api = PutApi::PutRecord;
    blueprint.producers[0].arrivals = Arrivals::Poisson(Rate::per_second(20));
    let session = checked(&blueprint);
    let latency = observers(&session).latency.as_ref().expect("all are attached");
    let all = latency.end_to_end();
    let micros = |span: Option<SimDuration>| span.expect("records took effect").as_nanos() / 1_000;
    (micros(all.mean()), micros(all.quantile(500_000)))
}

/// KDS-EFO-16, KDS-LAT-03, KDS-LAT-04: about 70 ms from put to receipt, however many consumers read.
#[test]
fn kds_efo_16_kds_lat_03_kds_lat_04_about_70_ms_with_one_consumer_and_with_five() {
    for consumers in [1, 5] {
        let (mean, median) = latency(consumers);
        assert!((66_000..=74_000).contains(&mean), "{consumers}: mean {mean} us");
        assert!((60_000..=80_000).contains(&median), "{consumers}: median {median} us");
    }
}

fn counts(session: &Session) -> &Counts {
    observers(session).counts.as_ref().expect("all are attached")
}
fn at(second: u64, command: Command) -> Intervention {
    Intervention {
        at: SimTime::from_secs(second),
        command,
    }
}
/// What became of a stream's consumers, with the second.
fn consumers(stream: &StreamCounts) -> Vec<(u64, u16, Option<ConsumerStatus>)> {
    let changes = stream.changes.first.iter();
    let told = changes.filter_map(|(at, change)| match *change {
        StreamChange::ConsumerChanged { consumer, status } => {
            Some((at.since(SimTime::ZERO).as_secs(), consumer, status))
        }
        _ => None,
    });
    told.collect()
}

/// KDS-EFO-03: three are in CREATING on one stream and two on another; a sixth is refused on either.
#[test]
fn kds_efo_03_the_five_in_creating_are_those_of_the_account() {
    let mut blueprint = Blueprint::empty(7, SimDuration::from_secs(60));
    blueprint.streams = vec![stream("clicks", 1), stream("orders", 1)];
    let of = [
        ("a", "clicks"),
        ("b", "clicks"),
        ("c", "clicks"),
        ("d", "orders"),
        ("e", "orders"),
        ("f", "orders"),
        ("g", "clicks"),
    ];
    for (number, (name, stream)) in (0..).zip(of) {
        blueprint.consumers.push(ConsumerBlueprint {
            name: name.to_owned(),
            stream: stream.to_owned(),
            registered: false,
        });
        let (stream, consumer) = (stream.to_owned(), name.to_owned());
        blueprint
            .interventions
            .push(at(number, Command::RegisterConsumer { stream, consumer }));
    }
    let session = checked(&blueprint);
    for (stream, registered) in [(StreamId(0), 3), (StreamId(1), 2)] {
        let stream = &counts(&session).streams[stream];
        let active = consumers(stream)
            .iter()
            .filter(|(.., status)| *status == Some(ConsumerStatus::Active))
            .count();
        assert_eq!((active, stream.changes.consumers_refused), (registered, 1));
        let refused = stream.changes.first.iter().find_map(|(_, change)| match change {
            StreamChange::ConsumerRefused { consumer, refusal } => Some((*consumer, *refusal)),
            _ => None,
        });
        assert_eq!(
            refused,
            Some((u16::try_from(registered).expect("few"), Refusal::LimitExceeded))
        );
    }
}

/// KDS-EFO-19: six applications that nobody has registered a consumer for. Five of them find theirs ACTIVE after the time
/// of CREATING; the sixth is refused meanwhile, and comes last.
#[test]
fn kds_efo_19_applications_register_consumers_of_their_names() {
    let mut blueprint = sim::testing::blueprints::fan_out(6, SimDuration::from_secs(60));
    blueprint.consumers.clear();
    let session = checked(&blueprint);
    let entries = &session.world().directory().streams[StreamId(0)].consumers;
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(
        names,
        ["audit-0", "audit-1", "audit-2", "audit-3", "audit-4", "audit-5"]
    );
    let stream = &counts(&session).streams[StreamId(0)];
    let active: Vec<u64> = consumers(stream)
        .iter()
        .filter(|(.., status)| *status == Some(ConsumerStatus::Active))
        .map(|(second, ..)| *second)
        .collect();
    assert_eq!(active[..5], [11; 5], "a lease, a registration and ten seconds later");
    assert!((21..24).contains(&active[5]), "{active:?}");
    assert!(stream.changes.consumers_refused >= 9, "it tries every second");
    for (_, reader) in counts(&session).readers.iter_enumerated() {
        assert_eq!(reader.subscriptions_refused, 0, "nobody subscribes before");
        assert!(
            reader.acknowledged + 50 > stream.accepted(),
            "from the oldest record on"
        );
    }
    // One that is there is used as it is.
    let blueprint = sim::testing::blueprints::fan_out(6, SimDuration::from_secs(60));
    let session = checked(&blueprint);
    assert_eq!(consumers(&counts(&session).streams[StreamId(0)]), []);
}

/// KDS-EFO-05: a consumer that is deregistered and registered again loses nothing: its reader goes on where it was.
#[test]
fn a_reader_goes_on_where_its_consumer_was_deregistered() {
    let change = |second, comes| {
        let (stream, consumer) = ("records".to_owned(), "enriching".to_owned());
        at(
            second,
            if comes {
                Command::RegisterConsumer { stream, consumer }
            } else {
                Command::DeregisterConsumer { stream, consumer }
            },
        )
    };
    let mut blueprint = pipeline(2, SimDuration::from_minutes(5));
    blueprint.mappings[0].consumer = Some("enriching".to_owned());
    blueprint.interventions = vec![change(60, false), change(90, true)];
    let session = checked(&blueprint);
    let reader = &counts(&session).readers[ReaderId(0)];
    let produced = counts(&session).producers[ProducerId(0)].produced;
    assert!(
        reader.acknowledged + 50 > produced,
        "{} of {produced}",
        reader.acknowledged
    );
    assert!(reader.subscriptions_refused > 60, "it tries every second and shard");
    assert_eq!(reader.subscriptions, 4);
}

/// KDS-EFO-18: registered consumers cost by shard and hour, used or not, and by what they are given; in on-demand mode
/// only by that, at a price of its own.
#[test]
fn kds_efo_18_fan_out_has_a_consumer_shard_hour_in_provisioned_mode_only() {
    let usage = |mode: CapacityMode| {
        let mut blueprint = sim::testing::blueprints::fan_out(2, SimDuration::from_minutes(2));
        blueprint.streams = vec![StreamBlueprint {
            mode,
            ..stream("records", 4)
        }];
        let (idle, late) = ("idle".to_owned(), "late".to_owned());
        for (name, registered) in [(&idle, true), (&late, false)] {
            blueprint.consumers.push(ConsumerBlueprint {
                name: name.clone(),
                stream: "records".to_owned(),
                registered,
            });
        }
        let stream = || "records".to_owned();
        blueprint.interventions = vec![
            at(
                30,
                Command::RegisterConsumer {
                    stream: stream(),
                    consumer: late.clone(),
                },
            ),
            at(
                90,
                Command::DeregisterConsumer {
                    stream: stream(),
                    consumer: late,
                },
            ),
        ];
        let session = checked(&blueprint);
        let usage = observers(&session).usage.as_ref().expect("all are attached");
        let read: u64 = usage.readers.iter().map(|reader| reader.bytes_read).sum();
        (usage.streams[StreamId(0)], read)
    };
    let seconds = |nanos: u128| nanos / 1_000_000_000;
    let minutes = SimDuration::from_minutes(2);
    let (provisioned, read) = usage(CapacityMode::Provisioned);
    // Three for two minutes, one for a minute, of four shards.
    assert_eq!(seconds(provisioned.shard_time(minutes).consumers), 4 * (3 * 120 + 60));
    assert!(read > 1_000_000, "{read}");
    assert_eq!(
        (provisioned.fan_out_bytes, provisioned.on_demand_fan_out_bytes),
        (read, 0)
    );
    let (on_demand, read) = usage(CapacityMode::OnDemand);
    assert_eq!(on_demand.shard_time(minutes).consumers, 0);
    assert_eq!(
        (on_demand.fan_out_bytes, on_demand.on_demand_fan_out_bytes),
        (read, read)
    );
}

/// No record is delivered after its expiry, to a mapping or to an application that is pushed to, while shards are split and
/// merged and nobody keeps up. What has expired is counted, and the rest is done.
#[test]
fn kds_ret_09_nothing_is_pushed_after_its_expiry_across_reshards() {
    let stream = || "records".to_owned();
    let asked = |second, target| {
        let operation = Operation::UpdateShardCount { target };
        at(
            second,
            Command::ChangeStream {
                stream: stream(),
                operation,
            },
        )
    };
    let broken = |second, rate| {
        let function = "enrich".to_owned();
        at(second, Command::SetFailureRate { function, rate })
    };
    let mut blueprint = pipeline(2, SimDuration::from_secs(12_000));
    blueprint.producers[0].arrivals = Arrivals::Profile {
        points: vec![
            (
                SimDuration::ZERO,
                Rate {
                    count: 1,
                    per: SimDuration::from_secs(2),
                },
            ),
            (
                SimDuration::from_secs(8_000),
                Rate {
                    count: 1,
                    per: SimDuration::from_secs(2),
                },
            ),
            (SimDuration::from_secs(8_001), Rate::ZERO),
        ],
        period: None,
    };
    blueprint.streams[0].retention_hours = 1;
    blueprint.mappings[0].consumer = Some("enriching".to_owned());
    let mut audit = fan_out_application("audit", "records");
    // It takes what is pushed ahead, and then nobody is there until most of it is gone.
    audit.initial_position = InitialPosition::TrimHorizon;
    blueprint.applications = vec![audit];
    let audit = || "audit".to_owned();
    blueprint.interventions = vec![
        asked(500, 4),
        broken(800, sim::engine::quantity::Ratio::ONE),
        at(
            900,
            Command::KillWorker {
                application: audit(),
                worker: None,
            },
        ),
        asked(2_000, 2),
        asked(3_000, 3),
        at(
            6_000,
            Command::StartWorkers {
                application: audit(),
                workers: 1,
            },
        ),
        asked(7_000, 6),
        broken(7_500, sim::engine::quantity::Ratio::ZERO),
    ];
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("the blueprint is valid");
    let mut notebook = sim::testing::note::Notebook::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut notebook))
        .expect("it runs");
    let mut pushed = [0_u64; 2];
    for note in &notebook.notes {
        if let sim::observe::fact::Fact::SubscriptionEventPushed { reader, .. } = note.fact {
            for record in &note.records {
                let age = note.at.since(record.arrived_at);
                assert!(age < SimDuration::from_hours(1), "{reader:?} got a record of {age}");
                pushed[usize::from(reader.0)] += 1;
            }
        }
    }
    let stored = counts(&session).streams[StreamId(0)].accepted();
    for (reader, pushed) in counts(&session).readers.iter().zip(pushed) {
        let ReaderCounts {
            acknowledged,
            expired_unread,
            expired_in_retry,
            ..
        } = *reader;
        assert!(
            pushed > 1_000 && expired_unread + expired_in_retry > 500,
            "{pushed} {expired_unread} {expired_in_retry}"
        );
        assert_eq!(acknowledged + expired_unread + expired_in_retry, stored);
    }
}
