//! How fast the engine is, part by part. Run on one core: `taskset -c 1 cargo bench -p shardlab-sim --bench engine`.
//!
//! `hold` is the bar: a model whose every event schedules one successor, through the engine's own loop with its exact
//! order and its fingerprint. At least 20 million events a second at 1,000 pending, 8 million at 100,000.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim::engine::calendar::TieOrder;
use sim::engine::discrete::AliasTable;
use sim::engine::distribution::{Distribution, UnitExponential};
use sim::engine::kernel::{Agenda, Engine, Model};
use sim::engine::phase::Phase;
use sim::engine::pool::Pool;
use sim::engine::quantity::Rate;
use sim::engine::random::{RandomStreams, Stream};
use sim::engine::time::{SimDuration, SimTime};
use sim::engine::token_bucket::TokenBucket;
use std::hint::black_box;

/// Pre-drawn increments, so that the queue is measured and not the sampler.
const INCREMENTS: usize = 1 << 14;
const EVENTS: u64 = 1_000_000;
const BLOCK: usize = 2_048;

#[derive(Clone, Copy)]
struct Ball {
    kind: u32,
    target: u32,
    payload: u64,
}
const _: () = assert!(size_of::<Ball>() == 16);

struct Hold {
    increments: Vec<SimDuration>,
    next: usize,
    handled: u64,
}
impl Model for Hold {
    type Event = Ball;
    type Watch<'w> = ();
    fn tag(ball: &Ball) -> u64 {
        u64::from(ball.kind) << 32 | u64::from(ball.target)
    }
    fn handle(&mut self, ball: Ball, agenda: &mut Agenda<'_, Ball>, (): &mut ()) {
        self.handled += ball.payload;
        let increment = self.increments[self.next % INCREMENTS];
        self.next += 1;
        agenda.schedule(agenda.now() + increment, Phase::Act, ball);
    }
}

fn stream(name: &str) -> Stream {
    RandomStreams::new(1, 0).stream(name).expect("a fresh source")
}

fn hold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hold");
    group.throughput(Throughput::Elements(EVENTS));
    group.sample_size(10);
    for pending in [1_000_u32, 100_000, 1_000_000] {
        let sampler = Distribution::Exponential { mean: 1e9 }.compile().expect("valid");
        let mut draws = stream("hold/increment");
        let mut draw = || SimDuration::from_nanos(sampler.draw(&mut draws));
        let model = Hold {
            increments: (0..INCREMENTS).map(|_| draw()).collect(),
            next: 0,
            handled: 0,
        };
        let mut engine = Engine::new(model, TieOrder::Insertion);
        for target in 0..pending {
            let ball = Ball {
                kind: 3,
                target,
                payload: 1,
            };
            engine.outside().1.schedule(SimTime::ZERO + draw(), Phase::Act, ball);
        }
        // Every ball has moved a few times before the clock starts.
        engine.run_until(SimTime::NEVER, 5 * u64::from(pending), &mut ());
        group.bench_function(format!("{pending} pending"), |bencher| {
            bencher.iter(|| engine.run_until(SimTime::NEVER, EVENTS, &mut ()));
        });
        assert_eq!(engine.pending(), usize::try_from(pending).expect("fits"));
        black_box(engine.fingerprint());
    }
    group.finish();
}

fn random_words(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(BLOCK as u64));
    let mut words = stream("bench/word");
    group.bench_function("word", |bencher| {
        bencher.iter(|| (0..BLOCK).map(|_| words.word()).fold(0, u64::wrapping_add));
    });
    let mut block = vec![0; BLOCK];
    group.bench_function("fill, 32-bit words", |bencher| {
        bencher.iter(|| words.fill(black_box(&mut block)));
    });
    group.finish();
}

fn samplers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampler");
    group.throughput(Throughput::Elements(BLOCK as u64));
    let mut source = stream("bench/sampler");
    let wide: Vec<u64> = (0..BLOCK).map(|_| source.word()).collect();
    let mut narrow = vec![0; BLOCK];
    source.fill(&mut narrow);
    let mut values = vec![0; BLOCK];
    group.bench_function("unit exponential, 32-bit words", |bencher| {
        bencher.iter(|| UnitExponential::fill(black_box(&narrow), black_box(&mut values)));
    });
    group.bench_function("unit exponential, 64-bit words", |bencher| {
        bencher.iter(|| {
            for (value, &word) in values.iter_mut().zip(black_box(&wide)) {
                *value = UnitExponential::sample_wide(word);
            }
        });
    });
    let log_normal = Distribution::LogNormal {
        median: 2e7,
        sigma: 0.6,
    };
    let exponential = Distribution::Exponential { mean: 1e6 };
    for (name, distribution) in [
        ("constant", Distribution::Constant(7.0)),
        ("exponential", exponential.clone()),
        ("log-normal", log_normal.clone()),
        (
            "mixture",
            Distribution::Mixture(vec![(0.9, log_normal), (0.1, exponential)]),
        ),
    ] {
        let sampler = distribution.compile().expect("valid");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (value, &word) in values.iter_mut().zip(black_box(&wide)) {
                    *value = sampler.value(word);
                }
            });
        });
    }
    let weights: Vec<f64> = (1..=1_000_u32).map(|rank| 1.0 / f64::from(rank)).collect();
    let table = AliasTable::new(&weights).expect("weights");
    let mut keys = vec![0; BLOCK];
    group.bench_function("alias table of 1,000", |bencher| {
        bencher.iter(|| {
            for (key, &word) in keys.iter_mut().zip(black_box(&narrow)) {
                *key = table.sample(word);
            }
        });
    });
    group.finish();
    let mut compile = criterion.benchmark_group("compile");
    compile.sample_size(10);
    compile.bench_function("log-normal", |bencher| {
        bencher.iter(|| {
            Distribution::LogNormal {
                median: 2e7,
                sigma: 0.6,
            }
            .compile()
        });
    });
    compile.bench_function("gamma", |bencher| {
        bencher.iter(|| Distribution::Gamma { shape: 2.5, mean: 2e7 }.compile());
    });
    compile.finish();
}

fn resources(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resource");
    group.throughput(Throughput::Elements(BLOCK as u64));
    let mut bucket = TokenBucket::full(1_000, Rate::per_second(1_000));
    let mut now = SimTime::ZERO;
    group.bench_function("token bucket, try_take", |bencher| {
        bencher.iter(|| {
            let mut taken = 0_u32;
            for _ in 0..BLOCK {
                now += SimDuration::from_micros(900);
                taken += u32::from(bucket.try_take(black_box(now), 1));
            }
            taken
        });
    });
    let mut pool = Pool::new();
    let mut handles: Vec<_> = (0..64_u64).map(|i| pool.insert(i).expect("room")).collect();
    group.bench_function("pool, remove and insert", |bencher| {
        bencher.iter(|| {
            for i in 0..BLOCK {
                let handle = &mut handles[i % 64];
                let item = pool.remove(*handle).expect("live");
                *handle = pool.insert(item).expect("room");
            }
        });
    });
    group.finish();
}

criterion_group!(benches, hold, random_words, samplers, resources);
criterion_main!(benches);
