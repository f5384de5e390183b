//! Messages per second through a queue, and what the cost of a message depends on.
//!
//! Each case runs whole worlds: senders in batches of ten, workers that receive ten and delete ten, default observers.
//! The cost of a message must not depend on how many wait or are in flight, so each case is compared with a queue of ten
//! thousand, in rounds that alternate. `waiting=N` sets how many messages wait in the deep case (default ten million).
//!
//! `cargo bench -p shardlab-sim --bench queues [-- waiting=100000000]`
#![allow(
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time and prints it"
)]

use sim::blueprint::{
    Arrivals, Blueprint, FleetBlueprint, Keys, ProducerBlueprint, PutApi, QueueBlueprint, SdkRetry, Size,
};
use sim::command::Command;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::session::{Session, SessionOptions};
use sim::workloads::Workload;
use std::time::Instant;

const ROUNDS: usize = 3;
/// The cost of a message may grow by this much against a queue of ten thousand.
const FACTOR_MAX: f64 = 1.5;
const BYTES_MAX: f64 = 64.0;

/// Some queues, each with its senders and workers.
struct Case {
    name: &'static str,
    queues: u32,
    workers: u32,
    /// Of the handler, for one message.
    per_message: SimDuration,
    /// Messages a second into each queue.
    rate: u64,
    /// Messages that wait in each queue before its workers start.
    waiting: u64,
    /// Simulated seconds before the measurement, after the workers start, and of the measurement.
    warm_up: u64,
    seconds: u64,
}

const FILL_RATE: u64 = 1_000_000;

fn sender(name: String, queue: &str, rate: u64) -> ProducerBlueprint {
    let mut blueprint = Workload::Plain.blueprint(1);
    let model = blueprint.producers.remove(0);
    ProducerBlueprint {
        name,
        target: queue.to_owned(),
        arrivals: Arrivals::Constant(Rate::per_second(rate)),
        keys: Keys::Uniform { count: 1_000 },
        size: Size::Drawn(Distribution::Constant(500.0)),
        api: PutApi::SendMessageBatch,
        max_batch_records: 10,
        max_batch_bytes: 1 << 20,
        ..model
    }
}

impl Case {
    fn fill_seconds(&self) -> u64 {
        self.waiting.div_ceil(FILL_RATE)
    }
    fn blueprint(&self) -> Blueprint {
        let all = self.fill_seconds() + self.warm_up + self.seconds + 10;
        let mut blueprint = Blueprint::empty(2_024, SimDuration::from_secs(all));
        for number in 0..self.queues {
            let name = format!("jobs-{number}");
            blueprint
                .producers
                .push(sender(format!("load-{number}"), &name, self.rate));
            if self.waiting > 0 {
                let rate = self.waiting / self.fill_seconds();
                blueprint.producers.push(sender(format!("fill-{number}"), &name, rate));
            }
            blueprint.fleets.push(FleetBlueprint {
                name: format!("clerks-{number}"),
                queue: name.clone(),
                workers: self.workers,
                starts_at: SimTime::from_secs(self.fill_seconds()),
                wait_time: Some(SimDuration::from_secs(20)),
                max_messages: 10,
                visibility_timeout: None,
                idle_pause: SimDuration::ZERO,
                attempt_ids: false,
                retry: SdkRetry::default(),
                per_message: Distribution::Constant(self.per_message.as_nanos() as f64),
                failure_rate: Ratio::ZERO,
                poison_rate: Ratio::ZERO,
                release_failed: false,
                heartbeat: None,
                crash_rate: Ratio::ZERO,
                restart_time: SimDuration::ZERO,
            });
            blueprint.queues.push(QueueBlueprint {
                name,
                fifo: None,
                visibility_timeout: SimDuration::from_hours(1),
                retention: SimDuration::from_hours(96),
                delay: SimDuration::ZERO,
                receive_wait: SimDuration::ZERO,
                maximum_message_size: 1 << 20,
                redrive: None,
                grouped: Vec::new(),
                senders: Vec::new(),
            });
        }
        blueprint
    }
    /// Nanoseconds a message, bytes of memory a message that waits, messages that wait or are in flight.
    fn run(&self) -> (f64, f64, u64) {
        let mut session = Session::new(&self.blueprint(), SessionOptions::default()).expect("it builds");
        let filled = SimTime::from_secs(self.fill_seconds());
        session.advance(filled, u64::MAX).expect("it runs");
        let mut bytes = 0.0;
        if self.waiting > 0 {
            for number in 0..self.queues {
                let producer = format!("fill-{number}");
                let factor = Ratio::ZERO;
                session
                    .apply(Command::ScaleLoad { producer, factor })
                    .expect("it is there");
            }
            let queues = session.world().queues();
            let memory: u64 = queues.iter().map(sim::services::queue::Queue::memory).sum();
            let waiting: u64 = queues.iter().map(|queue| queue.state().available).sum();
            bytes = memory as f64 / waiting as f64;
        }
        let start = filled + SimDuration::from_secs(self.warm_up);
        session.advance(start, u64::MAX).expect("it runs");
        let before = deleted(&session);
        let clock = Instant::now();
        session
            .advance(start + SimDuration::from_secs(self.seconds), u64::MAX)
            .expect("it runs, and the books balance");
        let nanos = clock.elapsed().as_nanos() as f64;
        let states = session.world().queues().iter().map(sim::services::queue::Queue::state);
        let held = states.map(|state| state.available + state.in_flight).sum();
        (nanos / (deleted(&session) - before) as f64, bytes, held)
    }
}

fn deleted(session: &Session) -> u64 {
    let counts = session.observers().and_then(|observers| observers.counts.as_ref());
    counts.map_or(0, |counts| counts.queues.iter().map(|queue| queue.deleted).sum())
}

fn best(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.first().copied().unwrap_or(f64::NAN)
}

/// Runs two cases in turn, and compares the best of each.
fn compare(shallow: &Case, deep: &Case) {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    let (mut bytes, mut held) = (0.0, 0);
    for _ in 0..ROUNDS {
        low.push(shallow.run().0);
        let (nanos, size, left) = deep.run();
        high.push(nanos);
        (bytes, held) = (size, left);
    }
    let (low, high) = (best(low), best(high));
    let factor = high / low;
    println!(
        "{:<10} {:>6.1} ns a message, {:.2} million a second; {:.2} times a queue of ten thousand ({low:.1} ns); {held} held",
        deep.name,
        high,
        1_000.0 / high,
        factor
    );
    if bytes > 0.0 {
        println!("           {bytes:.1} bytes a waiting message");
        assert!(
            bytes < BYTES_MAX + 1.0,
            "a message that waits takes 64 bytes and its share of a segment"
        );
    }
    assert!(
        factor < FACTOR_MAX,
        "the cost of a message does not depend on how many there are"
    );
}

fn main() {
    let waiting = std::env::args()
        .find_map(|argument| argument.strip_prefix("waiting=")?.parse().ok())
        .unwrap_or(10_000_000);
    let streaming = Case {
        name: "shallow",
        queues: 1,
        workers: 300,
        per_message: SimDuration::from_micros(100),
        rate: 100_000,
        waiting: 10_000,
        warm_up: 1,
        seconds: 20,
    };
    let deep = Case {
        name: "deep",
        waiting,
        ..streaming
    };
    compare(&streaming, &deep);
    let working = Case {
        name: "working",
        queues: 1,
        workers: 1_000,
        per_message: SimDuration::from_secs(1),
        rate: 1_000,
        waiting: 0,
        warm_up: 30,
        seconds: 1_000,
    };
    let ten = Case {
        name: "ten queues",
        queues: 10,
        workers: 10_000,
        per_message: SimDuration::from_secs(10),
        rate: 1_000,
        warm_up: 300,
        seconds: 100,
        ..working
    };
    compare(&working, &ten);
    let limit = Case {
        name: "limit",
        queues: 1,
        workers: 12_500,
        per_message: SimDuration::from_secs(12),
        rate: 1_100,
        warm_up: 400,
        seconds: 500,
        ..working
    };
    compare(&working, &limit);
}
