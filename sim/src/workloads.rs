//! The workloads on which speed is measured, here and on anybody's machine: the same for the bench of this crate and for
//! `shardlab bench`.

use crate::blueprint::{
    Arrivals, AsynchronousInvocation, Blueprint, CapacityMode, ColdStart, FunctionBlueprint, Jitter, Keys,
    MappingBlueprint, ProcessorShare, ProducerBlueprint, PutApi, Resend, RetryMode, SdkRetry, Size, StreamBlueprint,
    WeightedKey,
};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::SimDuration;
use crate::services::kinesis::Stream;
use crate::world::World;

/// A fixed workload: one producer, one stream, one mapping, one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    /// PutRecords of up to 500 records, 10,000 records a second, evenly spread over 16 shards.
    Plain,
    /// The same with Zipf-distributed keys on 10 shards: the hot ones refuse entries, which are sent again.
    Hot,
    /// PutRecord calls, 100,000 a second on 160 shards, which are simulated in cohorts.
    Cohorts,
    /// The plain workload on a stream of 1,000 shards: its one producer makes 500,000 records a second, so that a request
    /// has half an entry for each shard.
    Wide,
}

impl Workload {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Plain, Self::Hot, Self::Cohorts, Self::Wide];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Hot => "hot",
            Self::Cohorts => "cohorts",
            Self::Wide => "wide",
        }
    }
    /// Simulated seconds of a run that measures well: ten million records.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Plain | Self::Hot => 1_000,
            Self::Cohorts => 100,
            Self::Wide => 20,
        }
    }
    /// Mean records that its producer creates a simulated second.
    pub const fn records_per_second(self) -> u64 {
        match self {
            Self::Plain | Self::Hot => 10_000,
            Self::Cohorts => 100_000,
            Self::Wide => 500_000,
        }
    }
    /// False if a run of it did not exercise what the workload is for: cohorts, or puts of many records.
    pub fn ran_as_it_should(self, world: &World) -> bool {
        let windows: u64 = world.streams().iter().map(Stream::cohort_windows).sum();
        (windows > 0) == (self == Self::Cohorts)
    }
    /// The world to build, for a run of so many simulated seconds.
    pub fn blueprint(self, seconds: u64) -> Blueprint {
        let mut blueprint = Blueprint::empty(2_024, SimDuration::from_secs(seconds));
        let shards = match self {
            Self::Plain => 16,
            Self::Hot => 10,
            Self::Cohorts => 160,
            Self::Wide => 1_000,
        };
        blueprint.streams.push(StreamBlueprint {
            name: "records".to_owned(),
            shard_count: shards,
            retention_hours: 24,
            max_record_size_kib: 1_024,
            mode: CapacityMode::Provisioned,
            warm_throughput_mib: 0,
        });
        blueprint.producers.push(self.producer(shards));
        blueprint.functions.push(function());
        blueprint.mappings.push(MappingBlueprint {
            batch_size: 10_000,
            ..MappingBlueprint::new("reader", "records", "work")
        });
        blueprint
    }

    fn producer(self, shards: u32) -> ProducerBlueprint {
        ProducerBlueprint {
            name: "source".to_owned(),
            target: "records".to_owned(),
            arrivals: Arrivals::Poisson(Rate::per_second(self.records_per_second())),
            keys: match self {
                Self::Plain | Self::Cohorts | Self::Wide => even_keys(shards),
                Self::Hot => Keys::Zipf {
                    count: 1_000,
                    exponent: 1.0,
                },
            },
            size: Size::Drawn(Distribution::Uniform {
                low: 100.0,
                high: 900.0,
            }),
            api: match self {
                Self::Plain | Self::Hot | Self::Wide => PutApi::PutRecords,
                Self::Cohorts => PutApi::PutRecord,
            },
            linger: SimDuration::from_millis(100),
            max_batch_records: 500,
            max_batch_bytes: 5 << 20,
            concurrency: u32::MAX,
            sequence_number_for_ordering: false,
            retry: SdkRetry {
                mode: RetryMode::Standard,
                max_attempts: 3,
                timing_2026: false,
            },
            resend_failed: Some(Resend {
                attempts: 3,
                backoff: SimDuration::from_millis(100),
                factor: 2,
                max_backoff: SimDuration::from_secs(20),
                jitter: Jitter::None,
            }),
            call_window: SimDuration::from_millis(1),
            call_window_threshold: Rate::per_second(10_000),
            library: None,
        }
    }
}

fn function() -> FunctionBlueprint {
    FunctionBlueprint {
        name: "work".to_owned(),
        memory_size: 1_024,
        timeout: SimDuration::from_secs(60),
        reserved_concurrency: None,
        provisioned_concurrency: None,
        asynchronous: AsynchronousInvocation::default(),
        cold_start: ColdStart::Own(Distribution::Constant(1e8)),
        per_batch: Distribution::Constant(5e7),
        per_record: SimDuration::from_micros(100),
        first_run: SimDuration::ZERO,
        processor: ProcessorShare::default(),
        failure_rate: Ratio::ZERO,
        crash_share: Ratio::ZERO,
        fails_after_write: false,
        poison: crate::blueprint::Poison::default(),
        window_state: None,
        sink: None,
    }
}

/// A thousand equally likely keys, key k on shard k mod `shards`.
fn even_keys(shards: u32) -> Keys {
    let ranges = crate::services::kinesis::shard_map::even_ranges(shards);
    let keys = ranges
        .iter()
        .cycle()
        .zip(0_u32..1_000)
        .map(|(range, number)| WeightedKey {
            text: number.to_string(),
            weight: 1.0,
            explicit_hash_key: Some(range.start + u128::from(number)),
        });
    Keys::Weighted(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Session, SessionOptions};

    #[test]
    fn every_workload_runs_as_it_should_and_creates_the_records_that_it_states() {
        for &workload in Workload::ALL {
            let blueprint = workload.blueprint(2);
            let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it builds");
            let end = session.end();
            session.advance(end, u64::MAX).expect("it runs, and the books balance");
            assert!(workload.ran_as_it_should(session.world()), "{}", workload.name());
            let counts = session.observers().and_then(|observers| observers.counts.as_ref());
            let produced: u64 = counts
                .iter()
                .flat_map(|counts| counts.producers.iter())
                .map(|one| one.produced)
                .sum();
            let stated = 2 * workload.records_per_second();
            assert!(
                produced.abs_diff(stated) < stated / 20,
                "{}: {produced}",
                workload.name()
            );
        }
    }

    #[test]
    fn even_keys_fill_every_shard_alike() {
        let Keys::Weighted(keys) = even_keys(16) else {
            panic!("the keys are listed");
        };
        let ranges = crate::services::kinesis::shard_map::even_ranges(16);
        for (number, key) in keys.iter().enumerate() {
            let hash = key.explicit_hash_key.expect("it is given");
            let shard = ranges.iter().rposition(|range| range.start <= hash);
            assert_eq!(shard, Some(number % 16));
        }
    }
}
