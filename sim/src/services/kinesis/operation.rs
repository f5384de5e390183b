//! What may be asked of a stream's control plane during a run, and how it may refuse.

use super::quotas;
use crate::ids::ShardIndex;
use crate::profile::Profile;
use core::fmt;

/// Who provides the capacity of a stream (KDS-CAP-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum CapacityMode {
    /// As many shards as were asked for.
    #[default]
    Provisioned,
    /// As many shards as the load has shown to be needed.
    OnDemand,
}

/// What the account has in its Region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamAccount {
    /// Open shards of all provisioned streams together (KDS-CAP-14).
    pub shard_quota: u32,
    /// Most MiB a second that an on-demand stream takes, which is also its number of shards (KDS-CAP-09, KDS-CAP-10).
    pub on_demand_mib: u32,
    /// On-demand Advantage is on (KDS-CAP-01): warm throughput may be asked for (KDS-CAP-17).
    pub advantage: bool,
}

/// Regions with the higher quotas.
pub const LARGE_REGIONS: &[&str] = &["us-east-1", "us-west-2", "eu-west-1"];

impl StreamAccount {
    /// The quotas of a Region.
    pub fn in_region(region: &str, profile: Profile) -> Self {
        let large = LARGE_REGIONS.contains(&region);
        Self {
            shard_quota: quotas::account_shards(profile, large),
            on_demand_mib: quotas::on_demand_mib(profile, large),
            advantage: false,
        }
    }
}

/// Metrics that a stream publishes for each shard: those that were asked for (KDS-MET-02, KDS-MET-03).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShardLevelMetrics(u8);

impl ShardLevelMetrics {
    /// The names.
    pub const NAMES: [&'static str; 7] = [
        "IncomingBytes",
        "IncomingRecords",
        "OutgoingBytes",
        "OutgoingRecords",
        "WriteProvisionedThroughputExceeded",
        "ReadProvisionedThroughputExceeded",
        "IteratorAgeMilliseconds",
    ];
    /// All of them.
    pub const ALL: Self = Self(0x7f);

    /// With one more; `ALL` stands for every one.
    #[must_use]
    pub fn with(self, name: &str) -> Self {
        if name == "ALL" {
            return Self::ALL;
        }
        let place = Self::NAMES.iter().position(|known| *known == name);
        Self(self.0 | place.map_or(0, |place| 1 << place))
    }
    /// Whether this one is among them.
    pub fn has(self, name: &str) -> bool {
        self.with(name) == self
    }
    /// How many.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// A change that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// `SplitShard` (KDS-RS-02).
    SplitShard {
        /// The shard; `None`: the open one with the highest load, refused entries included, of the last two minutes.
        shard: Option<ShardIndex>,
        /// `NewStartingHashKey`; `None`: the middle as AWS computes it (KDS-RS-03).
        at: Option<u128>,
    },
    /// `MergeShards` (KDS-RS-04), in any order.
    MergeShards {
        /// The two.
        shards: [ShardIndex; 2],
    },
    /// `UpdateShardCount` with `UNIFORM_SCALING` (KDS-RS-20).
    UpdateShardCount {
        /// `TargetShardCount`.
        target: u32,
    },
    /// `IncreaseStreamRetentionPeriod` or `DecreaseStreamRetentionPeriod` (KDS-RET-04).
    SetRetention {
        /// `RetentionPeriodHours`.
        hours: u32,
    },
    /// `UpdateStreamMode` (KDS-CAP-12, KDS-CAP-13).
    SetMode {
        /// `StreamMode`.
        mode: CapacityMode,
    },
    /// `UpdateMaxRecordSize` (KDS-REC-06, KDS-REC-07).
    SetMaxRecordSize {
        /// `MaxRecordSizeInKiB`.
        kib: u32,
    },
    /// `UpdateStreamWarmThroughput` (KDS-CAP-17).
    SetWarmThroughput {
        /// `WarmThroughputMiBps`.
        mib: u32,
    },
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SplitShard { shard: Some(shard), .. } => write!(f, "SplitShard of {shard}"),
            Self::SplitShard { shard: None, .. } => f.write_str("SplitShard of the hottest shard"),
            Self::MergeShards { shards: [one, other] } => write!(f, "MergeShards of {one} and {other}"),
            Self::UpdateShardCount { target } => write!(f, "UpdateShardCount to {target}"),
            Self::SetRetention { hours } => write!(f, "a retention of {hours} h"),
            Self::SetMode {
                mode: CapacityMode::Provisioned,
            } => f.write_str("UpdateStreamMode to PROVISIONED"),
            Self::SetMode {
                mode: CapacityMode::OnDemand,
            } => f.write_str("UpdateStreamMode to ON_DEMAND"),
            Self::SetMaxRecordSize { kib } => write!(f, "UpdateMaxRecordSize to {kib} KiB"),
            Self::SetWarmThroughput { mib } => write!(f, "UpdateStreamWarmThroughput to {mib} MiB/s"),
        }
    }
}

/// `ConsumerStatus` of a registered consumer (KDS-EFO-05).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConsumerStatus {
    /// It was registered and cannot read yet.
    Creating,
    /// It may subscribe to shards.
    Active,
    /// It was deregistered, can read no more, and still takes a place.
    Deleting,
}

impl ConsumerStatus {
    /// The word that AWS prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
        }
    }
}

/// How the control plane refuses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// The stream is not ACTIVE (KDS-RS-08), or the consumer is there already (KDS-EFO-04).
    ResourceInUse,
    /// More than a quota allows (KDS-RS-12 to KDS-RS-16, KDS-CAP-12, KDS-EFO-02, KDS-EFO-03).
    LimitExceeded,
    /// Not in this capacity mode (KDS-RS-06), or a value out of range (KDS-REC-06).
    Validation,
    /// A value that makes no sense for this stream (KDS-RS-02, KDS-RS-04, KDS-RET-04).
    InvalidArgument,
    /// There is no such shard or consumer.
    ResourceNotFound,
}

impl Refusal {
    /// The name that AWS prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResourceInUse => "ResourceInUseException",
            Self::LimitExceeded => "LimitExceededException",
            Self::Validation => "ValidationException",
            Self::InvalidArgument => "InvalidArgumentException",
            Self::ResourceNotFound => "ResourceNotFoundException",
        }
    }
}
