use super::*;
use crate::blueprint::*;
use crate::engine::distribution::Distribution;
use crate::engine::time::SimDuration;
use crate::ids::ProducerId;
use std::sync::Arc;

fn producer(arrivals: Arrivals) -> ProducerBlueprint {
    ProducerBlueprint {
        name: "clicks".to_owned(),
        target: "events".to_owned(),
        arrivals,
        keys: Keys::Uniform { count: 1_000 },
        size: Size::Drawn(Distribution::Uniform { low: 100.0, high: 900.0 }),
        api: PutApi::PutRecords,
        linger: SimDuration::from_millis(100),
        max_batch_records: 500,
        max_batch_bytes: 5 << 20,
        concurrency: 8,
        retry: SdkRetry { mode: RetryMode::Standard, max_attempts: 3, timing_2026: false },
        resend_failed: None,
        call_window: SimDuration::from_millis(1),
        call_window_threshold: Rate::per_second(10_000),
    }
}
fn source(blueprint: &ProducerBlueprint) -> Source {
    let table = KeyTable::build(&[blueprint]);
    let mut streams = RandomStreams::new(7, 0);
    Source::new(blueprint, table.range(ProducerId(0)), &table, &mut streams).expect("sound")
}

#[test]
fn throwaway_speed() {
    let measure = |name: &str, blueprint: &ProducerBlueprint| {
        let mut best = f64::MAX;
        for _ in 0..7 {
            let mut source = source(blueprint);
            let (mut sum, mut n) = (0_u64, 0_u64);
            let begin = std::time::Instant::now();
            while n < 10_000_000 {
                source.ensure(500);
                let here = source.times().len().min(500);
                if here == 0 { break; }
                sum = sum.wrapping_add(source.times()[here - 1] ^ u64::from(source.keys()[0]) ^ u64::from(source.bytes()[0]));
                source.consume(here);
                n += here as u64;
            }
            best = best.min(begin.elapsed().as_nanos() as f64 / n as f64);
            assert!(sum > 0);
        }
        eprintln!("{name}: {best:.2} ns/record");
    };
    let poisson = producer(Arrivals::Poisson(Rate::per_second(10_000)));
    measure("poisson uniform", &poisson);
    let mut zipf = poisson.clone();
    zipf.keys = Keys::Zipf { count: 1_000, exponent: 1.0 };
    measure("poisson zipf", &zipf);
    measure("constant", &producer(Arrivals::Constant(Rate::per_second(10_000))));
    let bins: Vec<(u64, u64, u32)> = (0..1000).map(|i| (i * 300_000_000_000, 300_000_000_000, 2_000)).collect();
    for spread in [Spread::Even, Spread::Uniform, Spread::Start] {
        for series in [1, 10] {
            let trace = Trace {
                source: "x".to_owned(),
                rows: TraceRows::Counts { series: (0..series).map(|i| CountSeries { key: Some(i), bins: bins.clone() }).collect(), spread },
                keys: (0..series).map(|i| format!("k{i}")).collect(),
                span: SimDuration::from_secs(300_000),
                compression: Ratio::new(300, 1),
                repeat: true,
            };
            let mut counts = producer(Arrivals::Trace(Arc::new(trace)));
            counts.keys = Keys::FromTrace;
            measure(&format!("counts {spread:?} {series}"), &counts);
        }
    }
}
