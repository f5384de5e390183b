//! `[model]`: what AWS does not document.

mod messages;

use super::{Dimension, LENGTH, Most, Property, Rows, SPAN, Shape, defaulted, integer};
use messages::MESSAGES;

/// Parameters of the model. Every row is listed among the assumptions of a run.
pub static MODEL: Rows = Rows::own("the model", PROPERTIES);

const DISTRIBUTION: Shape = Shape::Distribution(Dimension::Time);

static PROPERTIES: &[Property] = &{
    let mut all = [STREAMS[0]; STREAMS.len() + MESSAGES.len()];
    let mut at = 1;
    while at < all.len() {
        all[at] = if at < STREAMS.len() {
            STREAMS[at]
        } else {
            MESSAGES[at - STREAMS.len()]
        };
        at += 1;
    }
    all
};

/// About streams, functions and what they share with others.
const STREAMS: &[Property] = &[
    defaulted(
        "network_latency",
        DISTRIBUTION,
        "\"500us\"",
        "One way between a client and a service of the same Region; service times are as the service sees them.",
    ),
    defaulted(
        "put_service_time",
        DISTRIBUTION,
        "{ lognormal = { median = \"20ms\", sigma = 0.5959 } }",
        "Service time of PutRecord and PutRecords; AWS publishes no figures.",
    )
    .fact("KDS-MOD-09"),
    defaulted(
        "get_service_time",
        DISTRIBUTION,
        "{ lognormal = { median = \"20ms\", sigma = 0.5959 } }",
        "Service time of GetRecords; AWS publishes no figures.",
    )
    .fact("KDS-MOD-09"),
    defaulted(
        "internal_failure_rate",
        Shape::Fraction,
        "0",
        "Probability that a put call fails with InternalFailureException.",
    )
    .fact("KDS-MOD-17"),
    defaulted(
        "entry_failure_rate",
        Shape::Fraction,
        "0",
        "Probability that one entry of a PutRecords fails with InternalFailure.",
    )
    .fact("KDS-MOD-17"),
    defaulted(
        "lost_acknowledgement_rate",
        Shape::Fraction,
        "0",
        "Probability that a put is stored but its response is lost.",
    )
    .fact("KDS-MOD-18"),
    defaulted(
        "request_timeout",
        LENGTH,
        "\"5s\"",
        "How long a client waits for a response.",
    ),
    defaulted(
        "retry_after",
        SPAN,
        "\"0s\"",
        "What x-amz-retry-after of a response that refuses for load says; zero: it has no such header. AWS documents what \
         clients with the timing of 2026 make of it, not when Kinesis sends it.",
    )
    .fact("KDS-SDK-07"),
    defaulted(
        "fan_out_delay",
        DISTRIBUTION,
        "{ lognormal = { median = \"42ms\", sigma = 0.3 } }",
        "From the storing of a record to the push that brings it to a plain consumer: with put and network, 70 ms on average.",
    )
    .fact("KDS-EFO-16"),
    defaulted(
        "fan_out_mapping_delay",
        DISTRIBUTION,
        "\"26ms\"",
        "The same to an event source mapping.",
    )
    .fact("LAM-U-04"),
    defaulted(
        "fan_out_dispatch_delay",
        SPAN,
        "\"3ms\"",
        "From the receipt of an event by a mapping to the invocation of the function.",
    )
    .fact("LAM-U-04"),
    defaulted(
        "fan_out_event_interval",
        SPAN,
        "\"10ms\"",
        "Least time between two events of a subscription; what comes in between travels together.",
    )
    .fact("KDS-MOD-14"),
    defaulted(
        "fan_out_keep_alive",
        LENGTH,
        "\"5s\"",
        "A subscription without news pushes an empty event after this time.",
    )
    .fact("KDS-MOD-14"),
    defaulted(
        "fan_out_events_ahead",
        integer(1, 10_000),
        "10",
        "Events that are pushed ahead of a consumer that has not taken them; AWS leaves this to flow control.",
    ),
    defaulted(
        "consumer_creation_time",
        SPAN,
        "\"10s\"",
        "How long a registered consumer is in CREATING: about the time after which the library's ten looks have been reported \
         to run out.",
    )
    .fact("KDS-EFO-05"),
    defaulted(
        "consumer_deletion_time",
        SPAN,
        "\"10s\"",
        "How long a registered consumer is in DELETING and still counts; as long as deleting a stream takes.",
    )
    .fact("KDS-EFO-05"),
    defaulted(
        "poll_dispatch_delay",
        SPAN,
        "\"85ms\"",
        "From the return of GetRecords to the invocation of the function.",
    )
    .fact("LAM-U-04"),
    defaulted(
        "poll_interval",
        LENGTH,
        "\"1s\"",
        "Base interval of a mapping's polls of a shard.",
    )
    .fact("LAM-K-01"),
    defaulted(
        "min_poll_interval",
        SPAN,
        "\"200ms\"",
        "Least time between two reads of a shard by a mapping that is behind.",
    )
    .fact("LAM-U-03"),
    defaulted(
        "poll_page_records",
        integer(1, 10_000),
        "10000",
        "Most records that a mapping asks for in one poll; more than BatchSize, or five polls a second would cap a shard.",
    )
    .fact("LAM-U-02"),
    defaulted(
        "shard_discovery_interval",
        LENGTH,
        "\"1min\"",
        "How often a mapping lists the shards of its stream, and so hears of new ones.",
    )
    .fact("LAM-U-09"),
    defaulted(
        "mapping_creation_delay",
        SPAN,
        "\"60s\"",
        "From the creation of a mapping to its first poll. AWS says that it can take minutes.",
    )
    .fact("LAM-K-18, LAM-U-32"),
    defaulted(
        "reshard_time",
        LENGTH,
        "\"30s\"",
        "How long a split, a merge or a level of UpdateShardCount takes.",
    )
    .fact("KDS-MOD-10"),
    defaulted(
        "capacity_mode_switch_time",
        LENGTH,
        "\"30s\"",
        "How long a switch of the capacity mode or of the warm throughput takes.",
    )
    .fact("KDS-MOD-10"),
    defaulted(
        "retention_increase_time",
        LENGTH,
        "\"3min\"",
        "After how long a longer retention is in effect; AWS says several minutes.",
    )
    .fact("KDS-MOD-10"),
    defaulted(
        "max_record_size_change_time",
        LENGTH,
        "\"5s\"",
        "After how long another MaxRecordSizeInKiB is in effect; AWS says a few seconds.",
    )
    .fact("KDS-REC-07"),
    defaulted(
        "on_demand_split_delay",
        DISTRIBUTION,
        "{ uniform = [\"1min\", \"15min\"] }",
        "From the minute that shows a need to the split of an on-demand shard; AWS says within 15 minutes.",
    )
    .fact("KDS-MOD-12"),
    defaulted(
        "retry_backoff",
        SPAN,
        "\"1s\"",
        "First wait of a mapping after a function error; it doubles with each further one.",
    )
    .fact("LAM-U-05"),
    defaulted(
        "retry_backoff_max",
        SPAN,
        "\"60s\"",
        "Longest wait after a function error.",
    )
    .fact("LAM-U-05"),
    defaulted(
        "throttle_backoff",
        SPAN,
        "\"1s\"",
        "First wait of a mapping after a throttled invocation; it doubles.",
    )
    .fact("LAM-U-05"),
    defaulted(
        "throttle_backoff_max",
        SPAN,
        "\"30s\"",
        "Longest wait after a throttled invocation.",
    )
    .fact("LAM-U-05"),
    defaulted(
        "placement_time",
        DISTRIBUTION,
        "{ lognormal = { median = \"150ms\", sigma = 0.3 } }",
        "Time to place a new execution environment, beside its Init.",
    )
    .fact("LAM-U-20"),
    defaulted(
        "idle_lifetime",
        DISTRIBUTION,
        "{ uniform = [\"5min\", \"7min\"] }",
        "How long an idle execution environment is kept.",
    )
    .fact("LAM-U-21"),
    defaulted(
        "environment_lifetime",
        DISTRIBUTION,
        "{ uniform = [\"120min\", \"240min\"] }",
        "How old an execution environment may become.",
    )
    .fact("LAM-U-22"),
    defaulted(
        "provisioning_delay",
        SPAN,
        "\"90s\"",
        "From the request for provisioned concurrency to the start of its allocation; AWS says one to two minutes.",
    )
    .fact("LAM-V-08, LAM-U-33"),
    defaulted(
        "async_throttle_backoff",
        SPAN,
        "\"1s\"",
        "First wait of an asynchronous event after a throttle; it doubles. AWS gives the range, 1 s to 5 min.",
    )
    .fact("LAM-A-05, LAM-U-36"),
    defaulted(
        "async_throttle_backoff_max",
        LENGTH,
        "\"5min\"",
        "Longest wait of an asynchronous event after a throttle.",
    )
    .fact("LAM-A-05, LAM-U-36"),
    defaulted(
        "async_duplicate_rate",
        Shape::Fraction,
        "0",
        "Probability that an asynchronous event is delivered twice; AWS promises at least once and no figure.",
    )
    .fact("LAM-A-08"),
    defaulted(
        "poller_failover_rate",
        Shape::Fraction,
        "0",
        "Probability that a batch of a mapping is delivered once more after it has succeeded, since its poller failed \
         over before the checkpoint; AWS promises at least once and no figure.",
    )
    .fact("LAM-E-02, LAM-U-37"),
    defaulted(
        "lease_write_time",
        DISTRIBUTION,
        "{ lognormal = { median = \"5ms\", sigma = 0.692 } }",
        "Time of a write to the lease table, which a record processor waits for when it checkpoints: DynamoDB answers in \
         single-digit milliseconds, as AWS says.",
    ),
    defaulted(
        "payload_record_overhead",
        Shape::Bytes {
            least: 0,
            most: Most::Always(65_536),
        },
        "\"530B\"",
        "Metadata of a record in an invocation, beside its data in base64 and its partition key.",
    )
    .fact("LAM-U-29"),
];
