//! Capacity modes, the account's quotas for streams, and what is asked of streams during a run.

use crate::support::{and, check, lines, loaded, with};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::{CapacityMode, StreamAccount};
use sim::command::{Command, Operation};
use sim::ids::ShardIndex;
use sim::profile::Profile;

const ON_DEMAND: &str = "StreamModeDetails = { StreamMode = \"ON_DEMAND\" }";

/// KDS-CAP-01, KDS-CAP-02: provisioned is what holds without a word; on-demand streams start with four shards.
#[test]
fn kds_cap_01_a_stream_is_provisioned_or_on_demand() {
    let stream = |line: &str| loaded(&with("ShardCount = 2", line)).blueprint.streams.remove(0);
    let provisioned = stream("ShardCount = 2");
    assert_eq!(
        (provisioned.mode, provisioned.shard_count),
        (CapacityMode::Provisioned, 2)
    );
    let stated = stream("ShardCount = 3\nStreamModeDetails = { StreamMode = \"PROVISIONED\" }");
    assert_eq!((stated.mode, stated.shard_count), (CapacityMode::Provisioned, 3));
    let on_demand = stream(ON_DEMAND);
    assert_eq!((on_demand.mode, on_demand.shard_count), (CapacityMode::OnDemand, 4));
    check(
        &with("ShardCount = 2", &format!("{ON_DEMAND}\nShardCount = 2")),
        &[
            "E0303 7 \"2\" a stream in on-demand mode takes no `ShardCount` (the service decides) -> leave it out: the stream starts with four shards and grows (KDS-CAP-02, KDS-CAP-03)",
        ],
    );
    check(
        &with("ShardCount = 2", "StreamModeDetails = { StreamMode = \"PROVISIONED\" }"),
        &[
            "E0105 5 \"[stream.clicks]\" a stream in provisioned mode needs `ShardCount` (missing here) -> add `ShardCount = ..`, an integer",
        ],
    );
}

/// KDS-CAP-11: fifty streams in on-demand mode, not one more.
#[test]
fn kds_cap_11_an_account_has_fifty_streams_in_on_demand_mode() {
    let streams = |count: u32| -> String {
        let one = |number| format!("[stream.more-{number}]\n{ON_DEMAND}\n");
        and(&(0..count).map(one).collect::<String>())
    };
    let errors = |text: &str| {
        let (_, diagnostics) = load(text, "test", &LoadOptions::default(), &NoTraces);
        let mut lines = lines(&diagnostics, text, &LoadOptions::default());
        // Nobody writes to these streams, which is worth a warning each.
        lines.retain(|line| line.starts_with('E'));
        lines
    };
    assert_eq!(errors(&streams(50)), Vec::<String>::new());
    assert_eq!(
        errors(&streams(51)),
        [
            "E0205 127 \"{ StreamMode = \\\"ON_DEMAND\\\" }\" an account has at most 50 streams in on-demand mode (one too many) -> use provisioned mode for some (KDS-CAP-11)"
        ],
    );
}

/// KDS-CAP-17, KDS-CAP-18: warm throughput needs Advantage, and gives shards at the start.
#[test]
fn kds_cap_17_warm_throughput_needs_advantage() {
    let text = |advantage: &str| {
        let stream = format!("{ON_DEMAND}\nWarmThroughputMiBps = 30");
        format!("{}\n[account]\n{advantage}", with("ShardCount = 2", &stream))
    };
    let warm = loaded(&text("on_demand_advantage = true")).blueprint;
    assert_eq!(
        (warm.streams[0].shard_count, warm.streams[0].warm_throughput_mib),
        (30, 30)
    );
    check(
        &text("Region = \"eu-west-1\""),
        &[
            "E0303 7 \"30\" warm throughput is had in on-demand mode, with Advantage (cannot be asked for) -> set StreamModeDetails = { StreamMode = \"ON_DEMAND\" } and [account] on_demand_advantage = true",
        ],
    );
    let much = text("on_demand_advantage = true\nRegion = \"eu-north-1\"").replace("= 30", "= 201");
    check(
        &much,
        &[
            "E0205 7 \"201\" the stream cannot have so much throughput (the Region's limit is 200 MiB/s) -> ask for less (KDS-CAP-18)",
        ],
    );
}

/// KDS-CAP-14: the Region decides on the quotas, unless the scenario does.
#[test]
fn kds_cap_14_the_quota_is_that_of_the_region_or_the_scenarios_own() {
    let account = |lines: &str| loaded(&and(&format!("[account]\n{lines}"))).blueprint.stream_account;
    let current = |region| StreamAccount::in_region(region, Profile::Current);
    assert_eq!(account(""), current("us-east-1"));
    assert_eq!(account("Region = \"sa-east-1\""), current("sa-east-1"));
    assert_eq!(account("Region = \"sa-east-1\"\nshard_quota = 6000").shard_quota, 6_000);
}

#[test]
fn every_operation_can_be_asked_for() {
    let operation = |line: &str| {
        let text = and(&format!("[[intervention]]\nat = \"1min\"\n{line}"));
        match loaded(&text).blueprint.interventions.remove(0).command {
            Command::ChangeStream { stream, operation } => {
                assert_eq!(stream, "clicks");
                operation
            }
            other => panic!("{other:?}"),
        }
    };
    let (one, other) = (ShardIndex(1), ShardIndex(2));
    let mode = CapacityMode::OnDemand;
    for (line, expected) in [
        (
            "split = { of = \"stream.clicks\", shard = \"hottest\" }",
            Operation::SplitShard { shard: None, at: None },
        ),
        (
            "split = { of = \"stream.clicks\", shard = 1, at = \"77\" }",
            Operation::SplitShard {
                shard: Some(one),
                at: Some(77),
            },
        ),
        (
            "merge = { of = \"stream.clicks\", shards = [1, 2] }",
            Operation::MergeShards { shards: [one, other] },
        ),
        (
            "shard_count = { of = \"stream.clicks\", to = 4 }",
            Operation::UpdateShardCount { target: 4 },
        ),
        (
            "retention = { of = \"stream.clicks\", hours = 48 }",
            Operation::SetRetention { hours: 48 },
        ),
        (
            "capacity_mode = { of = \"stream.clicks\", mode = \"ON_DEMAND\" }",
            Operation::SetMode { mode },
        ),
        (
            "max_record_size = { of = \"stream.clicks\", kib = 2048 }",
            Operation::SetMaxRecordSize { kib: 2_048 },
        ),
        (
            "warm_throughput = { of = \"stream.clicks\", mib_per_second = 9 }",
            Operation::SetWarmThroughput { mib: 9 },
        ),
    ] {
        assert_eq!(operation(line), expected, "{line}");
    }
}

#[test]
fn the_exam_does_not_know_what_came_later() {
    let exam = |more: &str| and(more).replace("title = ", "profile = \"exam\"\ntitle = ");
    let text = exam("[[intervention]]\nat = \"1min\"\nmax_record_size = { of = \"stream.clicks\", kib = 2048 }");
    check(
        &text,
        &[
            "E0209 29 \"{ of = \\\"stream.clicks\\\", kib = 2048 }\" `max_record_size` does not exist in the profile `exam` (AWS has it since 2025-10-28 (KDS-REC-04)) -> leave it out, or use profile = \"current\"",
        ],
    );
}

/// The loader takes fewer characters than AWS does (they also stand in paths and file names), but no name that AWS
/// would refuse, and none twice.
#[test]
fn kds_rec_17_a_stream_has_a_name_of_1_to_128_characters_that_aws_takes_and_no_other_stream_has() {
    let errors = |names: &[&str]| -> Vec<String> {
        let one = |name: &&str| format!("[stream.\"{name}\"]\nShardCount = 1\n");
        let streams: Vec<String> = names.iter().map(one).collect();
        let text = and(&streams.concat());
        let (_, diagnostics) = load(&text, "test", &LoadOptions::default(), &NoTraces);
        let lines = lines(&diagnostics, &text, &LoadOptions::default());
        let codes = lines.iter().filter(|line| line.starts_with('E'));
        codes.map(|line| line[..5].to_owned()).collect()
    };
    let (longest, too_long) = ("a".repeat(128), "a".repeat(129));
    for name in ["x", "click-stream-7", &longest] {
        assert_eq!(errors(&[name]), Vec::<String>::new(), "{name:?}");
    }
    for name in [
        "",
        &too_long,
        "click stream",
        "clicks/eu",
        "clicks:eu",
        "klicks-für-alle",
        "clicks+",
    ] {
        assert_eq!(errors(&[name]), ["E0107"], "{name:?}");
    }
    assert_eq!(errors(&["x", "x"]), ["E0102"]);
}

/// Off by default; each by its name, or all.
#[test]
fn kds_met_02_shard_level_metrics_are_off_unless_they_are_named() {
    let metrics = |line: &str| {
        let text = with("ShardCount = 2", &format!("ShardCount = 2\n{line}"));
        loaded(&text).blueprint.streams[0].shard_level_metrics
    };
    assert_eq!(metrics("").count(), 0);
    let two = metrics("DesiredShardLevelMetrics = [\"IncomingBytes\", \"IteratorAgeMilliseconds\"]");
    assert!(two.has("IncomingBytes") && two.has("IteratorAgeMilliseconds") && !two.has("OutgoingBytes"));
    assert_eq!(two.count(), 2);
    assert_eq!(metrics("DesiredShardLevelMetrics = [\"ALL\"]").count(), 7);
}
