//! A consumer application in the blueprint.

use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};

/// A consumer application that reads a stream with the Kinesis Client Library (`[application.NAME]`).
#[derive(Clone, PartialEq, Debug)]
pub struct ApplicationBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the stream that it reads.
    pub stream: String,
    /// When its first workers start.
    pub starts_at: SimTime,
    /// Workers at the start.
    pub workers: u32,
    /// Generation of the library.
    pub kcl: KclVersion,
    /// How records come to its workers.
    pub retrieval: Retrieval,
    /// Where a lease begins that is created for the first time (KDS-KCL-25).
    pub initial_position: InitialPosition,
    /// The library's own settings.
    pub settings: KclSettings,
    /// Time of the record processor for a batch, in nanoseconds.
    pub per_batch: Distribution,
    /// Further time for each record.
    pub per_record: SimDuration,
    /// Probability that the record processor throws, so that its batch is skipped (KDS-KCL-34).
    pub failure_rate: Ratio,
    /// When the record processor checkpoints.
    pub checkpoint: Checkpointing,
    /// Where it writes, if anywhere.
    pub sink: Option<String>,
}

/// Generations of the Kinesis Client Library.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KclVersion {
    /// 1.x, without support since 2026-01-30 (KDS-KCL-44).
    One,
    /// 2.x: each worker takes and steals leases for itself (KDS-KCL-07..11).
    Two,
    /// 3.x: an elected leader assigns leases (KDS-KCL-12..19).
    Three,
}

impl KclVersion {
    /// The name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "1.x",
            Self::Two => "2.x",
            Self::Three => "3.x",
        }
    }
    /// Time between two reads of a shard by default (KDS-KCL-20).
    pub const fn idle_time(self) -> SimDuration {
        match self {
            Self::One => SimDuration::from_millis(1_000),
            Self::Two | Self::Three => SimDuration::from_millis(1_500),
        }
    }
    /// How it creates its lease table (KDS-KCL-38).
    pub const fn lease_table_capacity(self) -> LeaseTableCapacity {
        match self {
            Self::One => LeaseTableCapacity::Provisioned {
                read_units: 10,
                write_units: 10,
            },
            Self::Two | Self::Three => LeaseTableCapacity::OnDemand,
        }
    }
    /// Batches that wait for the record processor at most, by default (KDS-KCL-23).
    pub const fn pending_batches(self) -> u32 {
        match self {
            Self::One | Self::Two => 3,
            Self::Three => 4,
        }
    }
}

/// How the capacity of a lease table is paid for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LeaseTableCapacity {
    /// Capacity units, used or not.
    Provisioned {
        /// Read capacity units.
        read_units: u32,
        /// Write capacity units.
        write_units: u32,
    },
    /// By request.
    OnDemand,
}

/// How records come to workers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Retrieval {
    /// Workers call GetRecords.
    Polling,
    /// Enhanced fan-out: the stream pushes records (KDS-EFO-06).
    FanOut,
}

/// Where a lease begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InitialPosition {
    /// At the oldest record.
    TrimHorizon,
    /// After the newest record.
    Latest,
    /// At the first record stored then or later.
    AtTimestamp(SimTime),
}

/// Settings of the library under their own names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KclSettings {
    /// `failoverTimeMillis`: a lease not renewed for longer counts as expired (KDS-KCL-05).
    pub failover_time: SimDuration,
    /// `idleTimeBetweenReadsInMillis` (KDS-KCL-20).
    pub idle_time_between_reads: SimDuration,
    /// `maxRecords` of a GetRecords (KDS-KCL-22).
    pub max_records: u32,
    /// `maxLeasesForWorker` (KDS-KCL-09).
    pub max_leases_for_worker: u32,
    /// `maxLeasesToStealAtOneTime` (KDS-KCL-10; ignored by 3.x, KDS-KCL-18).
    pub max_leases_to_steal_at_one_time: u32,
    /// `enablePriorityLeaseAssignment` (KDS-KCL-11; ignored by 3.x, KDS-KCL-18).
    pub priority_lease_assignment: bool,
    /// `maxPendingProcessRecordsInput`: batches that wait for the record processor (KDS-KCL-23).
    pub max_pending_process_records_input: u32,
    /// `isGracefulLeaseHandoffEnabled` of 3.x (KDS-KCL-17).
    pub graceful_lease_handoff: bool,
}

impl KclSettings {
    /// What a version of the library does unless it is told otherwise.
    pub const fn defaults(version: KclVersion) -> Self {
        Self {
            failover_time: SimDuration::from_millis(10_000),
            idle_time_between_reads: version.idle_time(),
            max_records: 10_000,
            max_leases_for_worker: u32::MAX,
            max_leases_to_steal_at_one_time: 1,
            priority_lease_assignment: true,
            max_pending_process_records_input: version.pending_batches(),
            graceful_lease_handoff: true,
        }
    }
}

/// When a record processor checkpoints (KDS-KCL-30).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Checkpointing {
    /// After each batch.
    EveryBatch,
    /// After the first batch that ends so long or longer after the last checkpoint.
    Every(SimDuration),
    /// Only at the end of a shard and when it is asked to stop.
    Never,
}
