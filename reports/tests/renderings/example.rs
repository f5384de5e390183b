//! An invented account in which everything that a report can say occurs.

use crate::course::{course, metrics};
use reports::account::{
    Account, Assumption, CauseAccount, Change, Check, Component, Ending, FirstThrottle, FunctionAccount, FunctionUsage,
    Judgement, LatencyAccount, Ledgers, LimitUse, MappingAccount, ProducerAccount, ReaderAccount, Run, ShardAccount,
    Sighting, SinkAccount, Spread, StreamAccount, StreamUsage, Subject, UsageAccount, Verdict, Witness,
};
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;

fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

fn spread(more: u64) -> Spread {
    Spread {
        records: 1_418_512,
        min: ms(41 + more),
        p50: ms(312 + more),
        p90: ms(1_180 + more),
        p99: ms(2_950 + more),
        max: ms(8_400 + more),
        mean: ms(480 + more),
    }
}

/// A run in which one hot key fills a shard.
pub(crate) fn hot_shard() -> Account {
    Account {
        subject: Subject {
            name: "hot-shard".to_owned(),
            title: "One hot key fills one shard".to_owned(),
            question: Some("The stream has room on average. Why are writes refused?".to_owned()),
        },
        run: Run {
            version: "0.1.0".to_owned(),
            seed: 7,
            replication: 0,
            profile: Profile::Current,
            planned: SimDuration::from_minutes(10),
            simulated: SimDuration::from_minutes(10),
            events: 312_440,
            fingerprint: 0x0123_4567_89ab_cdef,
            command: "shardlab run scenarios/kinesis/hot-shard.toml --seed 7".to_owned(),
            ending: Ending::Complete,
        },
        components: components(),
        changes: vec![Change {
            at: SimTime::from_secs(120),
            what: "the load of producer.web becomes 4 times what is configured".to_owned(),
        }],
        producers: vec![producer()],
        streams: vec![stream()],
        readers: vec![reader()],
        functions: vec![function()],
        queues: Vec::new(),
        workers: Vec::new(),
        topics: Vec::new(),
        message_paths: Vec::new(),
        queue_mappings: Vec::new(),
        invokers: Vec::new(),
        sinks: vec![SinkAccount {
            name: "sink.orders".to_owned(),
            records_delivered: 1_419_012,
            writes: 12_402,
            last_write: SimTime::from_nanos(599_812_000_000),
            requests: 0,
            refused: 0,
            write_units: 0,
            failed_writes: 0,
            unwritten: 0,
            rewritten: 0,
        }],
        latency: vec![LatencyAccount {
            at: "sink.orders".to_owned(),
            function: "function.enrich".to_owned(),
            since_creation: spread(100),
            since_arrival: spread(0),
            causes: causes(),
        }],
        headroom: headroom(),
        usage: usage(),
        course: course(4, 300, SimDuration::from_secs(2)),
        metrics: metrics(),
        checks: checks(),
        ledgers: Ledgers {
            checks: 601,
            balances: vec![
                "producer.web: 1,440,321 created = 1,419,000 accepted + 21,300 given up + 21 pending".to_owned(),
                "stream.clicks: 1,419,000 accepted = 1,419,000 retained + 0 trimmed".to_owned(),
            ],
        },
        judgements: judgements(),
        assumptions: vec![
            Assumption {
                name: "poll_dispatch_delay",
                value: "\"10ms\"".to_owned(),
                is_default: false,
                fact: Some("LAM-U-04"),
            },
            Assumption {
                name: "network_latency",
                value: "\"500us\"".to_owned(),
                is_default: true,
                fact: None,
            },
        ],
        notes: vec![
            "producer.web replays requests.csv, compressed 20 times: an hour of it passes in 3 min.".to_owned(),
        ],
    }
}

fn components() -> Vec<Component> {
    [
        (
            "producer",
            "web",
            "2400/s on average (Poisson), 5001 keys, one of them with 45 %, PutRecords gathered for 100 ms",
        ),
        ("stream", "clicks", "4 shards, retention 24 h"),
        ("mapping", "enrich", "BatchSize 500, ParallelizationFactor 2"),
        ("function", "enrich", "python3.13, 512 MB, timeout 30 s"),
        ("sink", "orders", "5000/s"),
    ]
    .map(|(kind, name, settings)| Component {
        kind,
        name: name.to_owned(),
        settings: settings.to_owned(),
    })
    .to_vec()
}

fn producer() -> ProducerAccount {
    ProducerAccount {
        name: "producer.web".to_owned(),
        target: "stream.clicks".to_owned(),
        api: "PutRecords",
        library: None,
        records_produced: 1_440_321,
        records_acknowledged: 1_419_000,
        requests_sent: 9_420,
        requests_failed: 3,
        records_resent: 63_210,
        records_repeated: 1_500,
        records_given_up: vec![("all attempts were used".to_owned(), 21_300)],
        records_pending: 21,
    }
}

fn stream() -> StreamAccount {
    let shard = |number: u32, accepted, throttled, peak| ShardAccount {
        id: format!("shardId-{number:012}"),
        records_accepted: accepted,
        bytes_accepted: accepted * 640,
        entries_throttled: throttled,
        peak_records_per_second: peak,
        peak_bytes_per_second: peak * 640,
        first_throttle: (throttled > 0).then(|| SimTime::from_nanos(1_204_000_000)),
        opened: None,
        closed: None,
    };
    StreamAccount {
        name: "stream.clicks".to_owned(),
        records_accepted: 1_419_000,
        records_aggregated: 0,
        user_records_in_aggregated: 0,
        bytes_accepted: 1_419_000 * 640,
        entries_throttled: 84_510,
        entries_failed: 0,
        requests_refused: 3,
        acknowledgements_lost: 0,
        limit_records_per_second: 1_000,
        limit_bytes_per_second: 1_048_576,
        shards: vec![
            shard(0, 260_000, 0, 512),
            shard(1, 261_000, 0, 520),
            shard(2, 600_000, 84_510, 1_000),
            shard(3, 298_000, 0, 560),
        ],
        first_throttle: Some(FirstThrottle {
            at: SimTime::from_nanos(1_204_000_000),
            shard: "shardId-000000000002".to_owned(),
        }),
    }
}

fn reader() -> ReaderAccount {
    ReaderAccount {
        name: "mapping.enrich".to_owned(),
        stream: "stream.clicks".to_owned(),
        function: "function.enrich".to_owned(),
        reads: 24_000,
        reads_throttled: 12,
        records_read: 1_419_500,
        records_acknowledged: 1_418_512,
        batches_sent: 12_410,
        batches_repeated: 8,
        batches_failed: 8,
        records_expired: 0,
        records_unfinished: 488,
        behind_max: ms(7_320),
        behind_max_at: SimTime::from_secs(305),
        mapping: Some(MappingAccount::default()),
        application: None,
    }
}

fn function() -> FunctionAccount {
    FunctionAccount {
        name: "function.enrich".to_owned(),
        invocations: 12_410,
        errors: 8,
        timeouts: 0,
        throttles: 0,
        first_throttle: None,
        cold_starts: 9,
        cold_start_mean: ms(640),
        concurrent_max: 8,
        duration_mean: ms(70),
        records: 1_419_500,
        throttles_for: Vec::new(),
        inits_within: 0,
        provisioned: None,
        events: None,
    }
}

fn causes() -> Vec<CauseAccount> {
    let part = |key, name, share_per_mille, mean| CauseAccount {
        key,
        name,
        time: Spread {
            records: 1_418_512,
            min: ms(0),
            p50: ms(mean / 2),
            p90: ms(mean * 2),
            p99: ms(mean * 8),
            max: ms(mean * 20),
            mean: ms(mean),
        },
        total_ns: u128::from(mean) * 1_000_000 * 1_418_512,
        share_per_mille,
    };
    vec![
        part("gathering", "gathering in the producer", 86, 50),
        part("put_retries", "throttled or sent again", 310, 180),
        part("waiting_for_poll", "waiting for a poll", 431, 250),
        part("handler", "handler", 172, 100),
    ]
}

fn headroom() -> Vec<LimitUse> {
    vec![
        LimitUse {
            limit: "records written to a shard".to_owned(),
            key: "shard_write_records",
            of: "shardId-000000000002 of stream.clicks".to_owned(),
            component: "stream.clicks".to_owned(),
            shard: Some("shardId-000000000002".to_owned()),
            unit: "records_per_second",
            peak: "1,000 records/s".to_owned(),
            peak_value: 1_000,
            allowed: "1,000 records/s".to_owned(),
            allowed_value: 1_000,
            used_per_mille: 1_000,
            hurts: true,
            first_reached: Some(SimTime::from_nanos(1_204_000_000)),
            uses: 9_423,
            uses_at_limit: 4_120,
            reached_at_load: "as it is".to_owned(),
            reached_at_load_per_mille: Some(1_000),
            fact: Some("KDS-W-01"),
        },
        LimitUse {
            limit: "capacity".to_owned(),
            key: "sink_capacity",
            of: "sink.orders".to_owned(),
            component: "sink.orders".to_owned(),
            shard: None,
            unit: "records_per_second",
            peak: "2,410 records/s".to_owned(),
            peak_value: 2_410,
            allowed: "5,000 records/s".to_owned(),
            allowed_value: 5_000,
            used_per_mille: 482,
            hurts: true,
            first_reached: None,
            uses: 12_402,
            uses_at_limit: 0,
            reached_at_load: "2.0 times".to_owned(),
            reached_at_load_per_mille: Some(2_074),
            fact: None,
        },
    ]
}

fn usage() -> UsageAccount {
    UsageAccount {
        streams: vec![StreamUsage {
            name: "stream.clicks".to_owned(),
            shard_hours: 4.0 / 6.0,
            retention_hours_above_24: 0,
            put_payload_units: 1_419_000,
            put_record_requests: 0,
            put_records_requests: 9_417,
            get_records_requests: 24_012,
            bytes_in: 1_419_000 * 640,
            bytes_out: 1_419_500 * 640,
        }],
        sinks: Vec::new(),
        functions: vec![FunctionUsage {
            name: "function.enrich".to_owned(),
            invocations: 12_410,
            billed_ms: 874_460,
            init_ms: 5_760,
            memory_mb: 512,
            gb_ms: 437_230,
            architecture: "x86_64",
            requests: 12_410,
            provisioned_gb_ms: 0,
            provisioned_gb_hours: 0.0,
            provisioned_init_ms: 0,
        }],
    }
}

fn witness() -> Witness {
    let seen = |ordinal, millis: [u64; 3]| {
        let [created, stored, effect] = millis.map(|millis| Some(SimTime::from_nanos(millis * 1_000_000)));
        Sighting {
            ordinal,
            created,
            stored,
            effect,
        }
    };
    Witness {
        key: "web-000000".to_owned(),
        record: seen(17, [1_190, 1_498, 2_312]),
        other: Some(seen(18, [1_201, 1_260, 2_105])),
        cause: Some(("sent again".to_owned(), SimTime::from_nanos(1_410_000_000))),
    }
}

fn checks() -> Vec<Check> {
    vec![
        Check {
            what: "order per key".to_owned(),
            at: "sink.orders".to_owned(),
            verdict: Verdict::Violated,
            violations: 412,
            evidence: vec![
                "Record 17 of key web-000000 took effect at 00:00:02.312, after record 18, which took effect in an \
                 earlier batch."
                    .to_owned(),
            ],
            witness: Some(witness()),
        },
        Check {
            what: "no loss".to_owned(),
            at: "sink.orders".to_owned(),
            verdict: Verdict::Held,
            violations: 0,
            evidence: Vec::new(),
            witness: None,
        },
    ]
}

fn judgements() -> Vec<Judgement> {
    vec![
        Judgement {
            kind: "expect",
            statement: "WriteProvisionedThroughputExceeded of stream.clicks, Sum, above 0".to_owned(),
            measured: "measured 84,510".to_owned(),
            value: Some(84_510.0),
            unit: Some("count"),
            verdict: Verdict::Held,
            line: Some(41),
        },
        Judgement {
            kind: "guarantee",
            statement: "order per key at sink.orders".to_owned(),
            measured: "it is violated".to_owned(),
            value: None,
            unit: None,
            verdict: Verdict::Violated,
            line: Some(48),
        },
    ]
}
