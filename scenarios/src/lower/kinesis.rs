//! Streams, the account's quotas for them, and what is asked of them during a run.

use super::Lowering;
use crate::codes::Code;
use crate::fields::{Fields, Value};
use crate::schema::Kind;
use sim::blueprint::{Blueprint, CapacityMode, ShardLevelMetrics, StreamAccount, StreamBlueprint};
use sim::command::Operation;
use sim::ids::ShardIndex;
use sim::profile::Profile;
use sim::services::kinesis::quotas;

fn mode(word: &str) -> CapacityMode {
    match word {
        "ON_DEMAND" => CapacityMode::OnDemand,
        _ => CapacityMode::Provisioned,
    }
}

/// The metrics for each shard that a stream is to publish.
fn shard_level_metrics(fields: &Fields) -> ShardLevelMetrics {
    let wanted = fields.list("DesiredShardLevelMetrics").iter();
    wanted.fold(ShardLevelMetrics::default(), |all, field| match &field.value {
        Value::Word(name) => all.with(name),
        _ => all,
    })
}

/// A shard's number; `None` for a word that stands for one.
fn shard(value: &Value) -> Option<ShardIndex> {
    match value {
        Value::Integer(number) => u32::try_from(*number).ok().map(ShardIndex),
        _ => None,
    }
}

/// What an intervention asks of which stream.
pub(super) fn operation(fields: &Fields) -> Option<(String, Operation)> {
    let of = |change: &Fields, operation: Operation| Some((change.name("of"), operation));
    if let Some(change) = fields.table("split") {
        let shard = change.found.get("shard").and_then(|field| shard(&field.value));
        let at = change.hash("at");
        return of(change, Operation::SplitShard { shard, at });
    }
    if let Some(change) = fields.table("merge") {
        let mut shards = change.list("shards").iter().filter_map(|field| shard(&field.value));
        let shards = [shards.next()?, shards.next()?];
        return of(change, Operation::MergeShards { shards });
    }
    if let Some(change) = fields.table("shard_count") {
        let target = change.u32("to");
        return of(change, Operation::UpdateShardCount { target });
    }
    if let Some(change) = fields.table("retention") {
        let hours = change.u32("hours");
        return of(change, Operation::SetRetention { hours });
    }
    if let Some(change) = fields.table("capacity_mode") {
        let mode = mode(change.word("mode"));
        return of(change, Operation::SetMode { mode });
    }
    if let Some(change) = fields.table("max_record_size") {
        let kib = change.u32("kib");
        return of(change, Operation::SetMaxRecordSize { kib });
    }
    let change = fields.table("warm_throughput")?;
    let mib = change.u32("mib_per_second");
    of(change, Operation::SetWarmThroughput { mib })
}

/// Streams in on-demand mode that an account has (KDS-CAP-11).
const MOST_ON_DEMAND: usize = 50;

impl Lowering<'_> {
    /// What holds for all streams together.
    pub(super) fn streams_of_the_account(&mut self, top: &Fields) {
        let on_demand = |fields: &Fields| {
            let details = fields.table("StreamModeDetails");
            details.is_some_and(|details| mode(details.word("StreamMode")) == CapacityMode::OnDemand)
        };
        let components = top.components(Kind::Stream).iter();
        let mut places: Vec<_> = components
            .filter(|stream| on_demand(&stream.fields))
            .map(|stream| stream.fields.place_of("StreamModeDetails"))
            .collect();
        places.sort_unstable();
        if let Some(place) = places.get(MOST_ON_DEMAND) {
            let title = format!("an account has at most {MOST_ON_DEMAND} streams in on-demand mode");
            let help = "use provisioned mode for some (KDS-CAP-11)";
            self.fault(Code::OutOfRange, *place, title, "one too many", help);
        }
    }

    /// The account's quotas for streams.
    pub(super) fn stream_account(&mut self, account: &Fields) -> StreamAccount {
        let advantage = account.flag("on_demand_advantage");
        if advantage && self.profile == Profile::Exam {
            self.later_than_the_exam(
                account,
                "on_demand_advantage",
                "AWS has it since 2025-11-03 (KDS-CAP-01)",
            );
        }
        let region = account.text("Region").unwrap_or_default();
        let defaults = StreamAccount::in_region(region, self.profile);
        StreamAccount {
            shard_quota: account.maybe_u32("shard_quota").unwrap_or(defaults.shard_quota),
            advantage,
            ..defaults
        }
    }

    /// Operations that AWS has had since the exam's sheets.
    pub(super) fn operations_of_the_profile(&mut self, intervention: &Fields) {
        for (name, label) in [
            ("max_record_size", "AWS has it since 2025-10-28 (KDS-REC-04)"),
            ("warm_throughput", "AWS has it since 2025-11-03 (KDS-CAP-17)"),
        ] {
            if self.profile == Profile::Exam && intervention.is_given(name) {
                self.later_than_the_exam(intervention, name, label);
            }
        }
    }

    pub(super) fn later_than_the_exam(&mut self, fields: &Fields, name: &'static str, label: &str) {
        let title = format!("`{name}` does not exist in the profile `exam`");
        let help = "leave it out, or use profile = \"current\"";
        self.fault(Code::WrongProfile, fields.place_of(name), title, label, help);
    }

    pub(super) fn stream(&mut self, name: &str, fields: &Fields, blueprint: &Blueprint) -> StreamBlueprint {
        if self.profile == Profile::Exam && fields.is_given("MaxRecordSizeInKiB") {
            self.later_than_the_exam(fields, "MaxRecordSizeInKiB", "AWS has it since 2025-10-28 (KDS-REC-04)");
        }
        let mode = fields
            .table("StreamModeDetails")
            .map_or(CapacityMode::Provisioned, |details| mode(details.word("StreamMode")));
        let warm = fields.maybe_u32("WarmThroughputMiBps");
        let on_demand = mode == CapacityMode::OnDemand;
        if on_demand && fields.is_given("ShardCount") {
            let place = fields.place_of("ShardCount");
            let title = "a stream in on-demand mode takes no `ShardCount`";
            let help = "leave it out: the stream starts with four shards and grows (KDS-CAP-02, KDS-CAP-03)";
            self.fault(Code::Contradiction, place, title, "the service decides", help);
        }
        if !on_demand && !fields.is_given("ShardCount") && fields.is_given("StreamModeDetails") {
            let title = "a stream in provisioned mode needs `ShardCount`";
            let help = "add `ShardCount = ..`, an integer";
            self.fault(Code::MissingProperty, fields.place, title, "missing here", help);
        }
        if let Some(warm) = warm {
            self.warm_throughput(fields, blueprint, on_demand, warm);
        }
        StreamBlueprint {
            name: name.to_owned(),
            shard_count: if on_demand {
                quotas::ON_DEMAND_SHARDS.max(warm.unwrap_or(0))
            } else {
                fields.maybe_u32("ShardCount").unwrap_or(1)
            },
            retention_hours: fields.u32("RetentionPeriodHours"),
            max_record_size_kib: fields.u32("MaxRecordSizeInKiB"),
            mode,
            warm_throughput_mib: warm.unwrap_or(0),
            shard_level_metrics: shard_level_metrics(fields),
        }
    }

    fn warm_throughput(&mut self, fields: &Fields, blueprint: &Blueprint, on_demand: bool, warm: u32) {
        let place = fields.place_of("WarmThroughputMiBps");
        let account = blueprint.stream_account;
        if !on_demand || !account.advantage {
            let title = "warm throughput is had in on-demand mode, with Advantage";
            let help =
                "set StreamModeDetails = { StreamMode = \"ON_DEMAND\" } and [account] on_demand_advantage = true";
            self.fault(Code::Contradiction, place, title, "cannot be asked for", help);
        } else if warm > account.on_demand_mib {
            let title = "the stream cannot have so much throughput";
            let label = format!("the Region's limit is {} MiB/s", account.on_demand_mib);
            let help = "ask for less (KDS-CAP-18)";
            self.fault(Code::OutOfRange, place, title, &label, help);
        }
    }
}
