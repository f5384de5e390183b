//! An invented account in which everything that a report can say occurs.

use reports::account::{
    Account, Assumption, Change, Check, Component, Ending, FirstThrottle, FunctionAccount, Judgement, LatencyAccount,
    Ledgers, ProducerAccount, ReaderAccount, Run, ShardAccount, SinkAccount, Spread, StreamAccount, Subject, Verdict,
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
        sinks: vec![SinkAccount {
            name: "sink.orders".to_owned(),
            records_delivered: 1_419_012,
            writes: 12_402,
            last_write: SimTime::from_nanos(599_812_000_000),
        }],
        latency: vec![LatencyAccount {
            at: "sink.orders".to_owned(),
            function: "function.enrich".to_owned(),
            since_creation: spread(100),
            since_arrival: spread(0),
        }],
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
    };
    StreamAccount {
        name: "stream.clicks".to_owned(),
        records_accepted: 1_419_000,
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
        },
        Check {
            what: "no loss".to_owned(),
            at: "sink.orders".to_owned(),
            verdict: Verdict::Held,
            violations: 0,
            evidence: Vec::new(),
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
