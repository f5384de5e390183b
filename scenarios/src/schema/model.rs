//! `[model]`: what AWS does not document.

use super::{Dimension, LENGTH, Most, Property, Rows, SPAN, Shape, defaulted, integer};

/// Parameters of the model. Every row is listed among the assumptions of a run.
pub static MODEL: Rows = Rows::own("the model", PROPERTIES);

const DISTRIBUTION: Shape = Shape::Distribution(Dimension::Time);

static PROPERTIES: &[Property] = &[
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
    defaulted(
        "queue_servers",
        integer(1, 64),
        "10",
        "Servers that hold the messages of a standard queue, each message on one: enough for sampling to show.",
    )
    .fact("SQS-Z-04"),
    defaulted(
        "short_poll_servers",
        integer(1, 64),
        "3",
        "Servers that a short poll asks, by lot with more chance where there is more.",
    )
    .fact("SQS-Z-05"),
    defaulted(
        "queue_order_jitter",
        Shape::Distribution(Dimension::Time),
        "{ exponential = \"20ms\" }",
        "How far the servers of a standard queue differ about the order of messages.",
    )
    .fact("SQS-Z-01"),
    defaulted(
        "queue_duplicate_rate",
        Shape::Fraction,
        "0.0000001",
        "Probability that a deleted message of a standard queue is delivered once more.",
    )
    .fact("SQS-Z-02"),
    defaulted(
        "outdated_delete_rate",
        Shape::Fraction,
        "0.5",
        "Probability that a delete with an old handle takes effect while a later receive holds the message.",
    )
    .fact("SQS-Z-10"),
    defaulted(
        "queue_service_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"10ms\", p99 = \"100ms\" }",
        "Service time of every call of a queue.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "topic_delivery_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"20ms\", p99 = \"200ms\" }",
        "From a publish to the arrival in a subscribed queue.",
    )
    .fact("SQS-Z-33"),
    defaulted(
        "topic_duplicate_rate",
        Shape::Fraction,
        "0.0000001",
        "Probability that a standard topic delivers a message twice.",
    )
    .fact("SQS-Z-33"),
    defaulted(
        "topic_service_time",
        Shape::Distribution(Dimension::Time),
        "{ p50 = \"10ms\", p99 = \"100ms\" }",
        "Service time of a publish; nobody publishes a figure, so it is a queue's.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "topic_retry_jitter",
        Shape::Fraction,
        "0.1",
        "How far a wait between two attempts to deliver may be off, as a share of it. AWS says that there is jitter.",
    )
    .fact("SQS-S-08"),
    defaulted(
        "topic_envelope",
        Shape::Bytes {
            least: 0,
            most: Most::Always(65_536),
        },
        "\"950B\"",
        "What the JSON envelope adds to a message that is not delivered raw: signature and addresses take most of it.",
    )
    .fact("SQS-S-03"),
    defaulted(
        "topic_filter_change_time",
        Shape::Distribution(Dimension::Time),
        "{ uniform = [\"0s\", \"15min\"] }",
        "Until another filter policy is in effect; AWS says at most 15 minutes.",
    )
    .fact("SQS-S-14"),
    defaulted(
        "queue_poll_time",
        DISTRIBUTION,
        "{ percentiles = { p0 = \"10ms\", p10 = \"12.2ms\", p50 = \"14.7ms\", p90 = \"32.3ms\", p99 = \"103.5ms\", p100 = \"198.5ms\" } }",
        "From the moment at which a standard queue has a message for a poller of Lambda that waits to the answer that \
         brings it: as measured from end to end in 2022, less three ways.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "queue_poll_time_fifo",
        DISTRIBUTION,
        "{ percentiles = { p0 = \"17.5ms\", p10 = \"20.4ms\", p50 = \"26.6ms\", p90 = \"59.7ms\", p99 = \"148.5ms\", p100 = \"248.5ms\" } }",
        "The same of a FIFO queue, without the cold starts in the measured tail.",
    )
    .fact("SQS-Z-25"),
    defaulted(
        "queue_error_backoff",
        Shape::Fraction,
        "0.0006",
        "What a function error adds to the reciprocal of the number of pollers: fitted to 25, 16 and 13 of 60 at 1, 5 and \
         10 % errors, as published.",
    )
    .fact("LAM-U-14"),
    defaulted(
        "queue_throttle_backoff",
        Shape::Fraction,
        "0.8",
        "What is left of the number of pollers after ten seconds with throttles.",
    )
    .fact("LAM-U-15"),
    defaulted(
        "queue_scale_in_steps",
        Shape::Flag,
        "false",
        "True: the growth of a minute comes at its end, as tables for exams have it; AWS states a rate.",
    )
    .fact("LAM-U-12"),
    defaulted(
        "queue_scale_down_after",
        SPAN,
        "\"60s\"",
        "So long must less than half of the pollers be busy before their number falls, at the rate at which it grew.",
    )
    .fact("LAM-U-13"),
    defaulted(
        "queue_idle_after",
        SPAN,
        "\"5min\"",
        "So long without a message, and two pollers are left.",
    )
    .fact("LAM-U-13"),
    defaulted(
        "queue_retry_pause",
        LENGTH,
        "\"100ms\"",
        "Pause of a poller of Lambda whose call the queue refuses.",
    )
    .fact("SQS-T-04"),
    defaulted(
        "payload_message_overhead",
        Shape::Bytes {
            least: 0,
            most: Most::Always(65_536),
        },
        "\"810B\"",
        "Metadata and receipt handle of a message in an invocation, beside its body.",
    )
    .fact("LAM-U-30"),
    defaulted(
        "provisioned_scale_down_after",
        SPAN,
        "\"3min\"",
        "So long must provisioned pollers be more than are needed before their number falls.",
    )
    .fact("LAM-U-19"),
    defaulted(
        "provisioned_scale_down",
        Shape::Fraction,
        "0.1",
        "The share of provisioned pollers that then goes each minute.",
    )
    .fact("LAM-U-19"),
    defaulted(
        "lost_receive_rate",
        Shape::Fraction,
        "0",
        "Probability that a queue has returned messages and the answer is lost: the client hears nothing before its timeout.",
    )
    .fact("SQS-R-18"),
    defaulted(
        "queue_attribute_propagation",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"60s\"] }",
        "After how long a change of a queue's attributes is in effect; AWS states the upper bound.",
    )
    .fact("SQS-A-34, SQS-Z-26"),
    defaulted(
        "queue_retention_propagation",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"15min\"] }",
        "After how long another MessageRetentionPeriod is in effect; AWS states the upper bound.",
    )
    .fact("SQS-A-35, SQS-Z-26"),
    defaulted(
        "queue_purge_time",
        DISTRIBUTION,
        "{ uniform = [\"0s\", \"60s\"] }",
        "How long a purge takes; until then its messages can be received. AWS states the upper bound.",
    )
    .fact("SQS-P-01, SQS-Z-27"),
    defaulted(
        "queue_purge_late_loss_rate",
        Shape::Fraction,
        "0.5",
        "Probability that a purge takes a message that was sent while it ran; AWS says that it may.",
    )
    .fact("SQS-P-04, SQS-Z-27"),
    defaulted(
        "message_move_rate",
        integer(1, 500),
        "500",
        "Messages a second of a redrive that states no rate, of standard queues; AWS optimises it by itself.",
    )
    .fact("SQS-M-05, SQS-Z-24"),
    defaulted(
        "message_move_rate_fifo",
        integer(1, 500),
        "300",
        "The same of FIFO queues: within the quota of calls.",
    )
    .fact("SQS-M-05, SQS-Z-24"),
    defaulted(
        "fifo_partition_growth_time",
        SPAN,
        "\"60s\"",
        "The partitions of a FIFO queue with high throughput are doubled after a window of this length in which one was used \
         for more than four fifths; 0s: there are at once as many as may be. AWS says only that they grow.",
    )
    .fact("SQS-T-16, SQS-Z-16"),
    defaulted(
        "fifo_partition_shrink_time",
        LENGTH,
        "\"15min\"",
        "They are halved after so long with less than a fifth used.",
    )
    .fact("SQS-T-16, SQS-Z-16"),
];
