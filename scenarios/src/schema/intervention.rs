//! `[[intervention]]`: what changes during a run.

use super::queue_change::{CANCEL_MESSAGE_MOVE_TASK, PURGE, QUEUE_ATTRIBUTES, START_MESSAGE_MOVE_TASK};
use super::{Kind, LENGTH, RATE, Rows, SPAN, Shape, defaulted, integer, optional, required, topic, word};

/// More or less load.
pub static SCALE_LOAD: Rows = Rows::own(
    "a change of load",
    &[
        required(
            "producer",
            Shape::Reference(&[Kind::Producer]),
            "The producer. Not one that replays a trace.",
        ),
        required(
            "factor",
            Shape::Factor {
                zero: true,
                most: 1_000_000,
            },
            "Multiple of the configured rate from now on.",
        ),
    ],
);
/// Another reserved concurrency.
pub static CONCURRENCY: Rows = Rows::own(
    "a change of concurrency",
    &[
        required("function", Shape::Reference(&[Kind::Function]), "The function."),
        optional(
            "limit",
            integer(0, 100_000),
            "The new reserved concurrency. Without it: back to the account's rest.",
        )
        .fact("LAM-C-06"),
    ],
);
/// Another provisioned concurrency.
pub static PROVISIONED_CONCURRENCY: Rows = Rows::own(
    "a change of provisioned concurrency",
    &[
        required("function", Shape::Reference(&[Kind::Function]), "The function."),
        required(
            "executions",
            integer(0, 100_000),
            "So many environments are asked for. More of them are usable when all are allocated; 0 gives them back.",
        )
        .fact("LAM-V-08, LAM-V-10"),
    ],
);
/// Another error rate.
pub static FAILURE_RATE: Rows = Rows::own(
    "a change of the error rate",
    &[
        required("function", Shape::Reference(&[Kind::Function]), "The function."),
        required("rate", Shape::Fraction, "The new probability of a function error."),
    ],
);
/// A mapping that is switched off or on.
pub static ENABLED: Rows = Rows::own(
    "a change of Enabled",
    &[
        required("mapping", Shape::Reference(&[Kind::Mapping]), "The mapping."),
        required(
            "value",
            Shape::Flag,
            "False: it neither reads nor invokes. True: it goes on behind the last record that is done. In effect after \
             `mapping_creation_delay`.",
        )
        .fact("LAM-E-13, LAM-K-18"),
    ],
);
/// Another capacity.
pub static SINK_CAPACITY: Rows = Rows::own(
    "a change of a sink's capacity",
    &[
        required("sink", Shape::Reference(&[Kind::Sink]), "The sink."),
        optional("capacity", RATE, "The new capacity. Without it: any number."),
    ],
);
/// An outage.
pub static BREAK_SINK: Rows = Rows::own(
    "an outage",
    &[
        required(
            "sink",
            Shape::Reference(&[Kind::Sink]),
            "The sink that stops answering.",
        ),
        required("lasts", LENGTH, "For how long."),
    ],
);

const APPLICATION: Shape = Shape::Reference(&[Kind::Application]);
/// A worker's number.
const WORKER: Shape = integer(0, 65_535);

/// A death.
pub static KILL_WORKER: Rows = Rows::own(
    "the death of a worker",
    &[
        required("of", APPLICATION, "The application."),
        optional(
            "worker",
            WORKER,
            "Number of the worker, in the order in which they started, from 0. Without it: the one with most leases.",
        ),
    ],
);
/// A worker that stands still.
pub static PAUSE_WORKER: Rows = Rows::own(
    "a pause of a worker",
    &[
        required("of", APPLICATION, "The application."),
        optional(
            "worker",
            WORKER,
            "Number of the worker, in the order in which they started, from 0. Without it: the one with most leases.",
        ),
        required(
            "lasts",
            LENGTH,
            "For how long. Then it goes on with what it had in hand.",
        )
        .fact("KDS-KCL-33"),
    ],
);
/// More workers.
pub static START_WORKER: Rows = Rows::own(
    "a start of workers",
    &[
        required("of", APPLICATION, "The application."),
        defaulted("workers", integer(1, 1_000), "1", "How many."),
    ],
);
/// A rolling restart.
pub static DEPLOY: Rows = Rows::own(
    "a deployment",
    &[
        required("of", APPLICATION, "The application."),
        defaulted(
            "every",
            SPAN,
            "\"30s\"",
            "From the stop of a worker to that of the next.",
        ),
        defaulted(
            "takes",
            SPAN,
            "\"10s\"",
            "From the stop of a worker to the start of its successor.",
        ),
        defaulted(
            "graceful",
            Shape::Flag,
            "false",
            "Workers end the batch in hand and checkpoint before they stop.",
        )
        .fact("KDS-DUP-03"),
    ],
);

const STREAM: Shape = Shape::Reference(&[Kind::Stream]);
/// A shard's number.
const SHARD: Shape = integer(0, 4_294_967_294);

/// A shard that is split.
pub static SPLIT: Rows = Rows::own(
    "a split",
    &[
        required("of", STREAM, "The stream."),
        required(
            "shard",
            Shape::WordOr("hottest", &SHARD),
            "Number of the shard, or the one with the highest load of the last two minutes.",
        ),
        optional(
            "at",
            Shape::HashKey,
            "NewStartingHashKey: it and all above go to the second child. Without it: the middle of the shard.",
        )
        .fact("KDS-RS-02, KDS-RS-03"),
    ],
);
/// Two shards that are merged.
pub static MERGE: Rows = Rows::own(
    "a merge",
    &[
        required("of", STREAM, "The stream."),
        required(
            "shards",
            Shape::Pair(&SHARD, &SHARD),
            "Numbers of two neighbours, in any order.",
        )
        .fact("KDS-RS-04"),
    ],
);
/// Another number of shards.
pub static SHARD_COUNT: Rows = Rows::own(
    "a change of the shard count",
    &[
        required("of", STREAM, "The stream."),
        required(
            "to",
            integer(1, 20_000),
            "TargetShardCount of UpdateShardCount: from half to double of what there is.",
        )
        .fact("KDS-RS-12, KDS-RS-13"),
    ],
);
/// Another retention.
pub static RETENTION: Rows = Rows::own(
    "a change of the retention",
    &[
        required("of", STREAM, "The stream."),
        required("hours", integer(24, 8_760), "The new RetentionPeriodHours.").fact("KDS-RET-04"),
    ],
);
/// Another capacity mode.
pub static CAPACITY_MODE: Rows = Rows::own(
    "a switch of the capacity mode",
    &[
        required("of", STREAM, "The stream."),
        required("mode", word(&["PROVISIONED", "ON_DEMAND"]), "The new StreamMode.").fact("KDS-CAP-12"),
    ],
);
/// Another bound on records.
pub static MAX_RECORD_SIZE: Rows = Rows::own(
    "a change of the largest record",
    &[
        required("of", STREAM, "The stream."),
        required("kib", integer(1, 1_048_576), "The new MaxRecordSizeInKiB.").fact("KDS-REC-06, KDS-REC-07"),
    ],
);
/// Another warm throughput.
pub static WARM_THROUGHPUT: Rows = Rows::own(
    "a change of the warm throughput",
    &[
        required("of", STREAM, "The stream."),
        required("mib_per_second", integer(1, 20_480), "The new WarmThroughputMiBps.").fact("KDS-CAP-20, KDS-CAP-21"),
    ],
);

const CONSUMER: Shape = Shape::Reference(&[Kind::Consumer, Kind::Application]);
const CONSUMER_DOC: &str = "The consumer, or the application that it belongs to.";

/// A new registered consumer.
pub static REGISTER_CONSUMER: Rows = Rows::own(
    "a registration of a consumer",
    &[required("of", CONSUMER, CONSUMER_DOC).fact("KDS-EFO-03, KDS-EFO-05")],
);
/// A registered consumer less.
pub static DEREGISTER_CONSUMER: Rows = Rows::own(
    "the end of a registered consumer",
    &[required("of", CONSUMER, CONSUMER_DOC).fact("KDS-EFO-05")],
);

/// Properties of an intervention: a time and one change.
pub static INTERVENTION: Rows = Rows::own(
    "an intervention",
    &[
        required("at", SPAN, "When, since the start of the run."),
        optional(
            "scale_load",
            Shape::Table(&SCALE_LOAD),
            "Multiplies a producer's configured rate.",
        ),
        optional(
            "concurrency",
            Shape::Table(&CONCURRENCY),
            "Changes a function's reserved concurrency.",
        ),
        optional(
            "provisioned_concurrency",
            Shape::Table(&PROVISIONED_CONCURRENCY),
            "Changes a function's provisioned concurrency.",
        ),
        optional(
            "failure_rate",
            Shape::Table(&FAILURE_RATE),
            "Changes how often a function fails.",
        ),
        optional("enabled", Shape::Table(&ENABLED), "Switches a mapping off or on."),
        optional(
            "sink_capacity",
            Shape::Table(&SINK_CAPACITY),
            "Changes a sink's capacity.",
        ),
        optional(
            "break_sink",
            Shape::Table(&BREAK_SINK),
            "A sink stops answering for a while.",
        ),
        optional(
            "break_queue",
            Shape::Table(&topic::BREAK_QUEUE),
            "A queue fails whatever is asked of it for a while.",
        ),
        optional(
            "deny_subscription",
            Shape::Table(&topic::DENY_SUBSCRIPTION),
            "The policy of a subscribed queue refuses the topic for a while: a client-side error.",
        ),
        optional(
            "filter_policy",
            Shape::Table(&topic::FILTER_POLICY),
            "SetSubscriptionAttributes: another filter policy, in effect some time later.",
        ),
        optional(
            "kill_worker",
            Shape::Table(&KILL_WORKER),
            "A worker of an application dies at once.",
        ),
        optional(
            "pause_worker",
            Shape::Table(&PAUSE_WORKER),
            "A worker of an application stands still for a while.",
        ),
        optional(
            "start_worker",
            Shape::Table(&START_WORKER),
            "Workers are added to an application.",
        ),
        optional(
            "deploy",
            Shape::Table(&DEPLOY),
            "All workers of an application are replaced, one after the other.",
        ),
        optional(
            "split",
            Shape::Table(&SPLIT),
            "SplitShard: a shard becomes two, some time later.",
        ),
        optional("merge", Shape::Table(&MERGE), "MergeShards: two shards become one."),
        optional(
            "shard_count",
            Shape::Table(&SHARD_COUNT),
            "UpdateShardCount: as many shards of equal size as asked for.",
        ),
        optional(
            "retention",
            Shape::Table(&RETENTION),
            "Makes records live longer, or not so long.",
        ),
        optional(
            "capacity_mode",
            Shape::Table(&CAPACITY_MODE),
            "UpdateStreamMode: switches between provisioned and on-demand mode.",
        ),
        optional(
            "max_record_size",
            Shape::Table(&MAX_RECORD_SIZE),
            "UpdateMaxRecordSize: allows larger records, or only smaller ones.",
        ),
        optional(
            "warm_throughput",
            Shape::Table(&WARM_THROUGHPUT),
            "UpdateStreamWarmThroughput: asks for on-demand capacity up front.",
        ),
        optional(
            "register_consumer",
            Shape::Table(&REGISTER_CONSUMER),
            "RegisterStreamConsumer: it is CREATING for a while, and then ACTIVE.",
        ),
        optional(
            "deregister_consumer",
            Shape::Table(&DEREGISTER_CONSUMER),
            "DeregisterStreamConsumer: its subscriptions end at once.",
        ),
        optional(
            "queue_attributes",
            Shape::Table(&QUEUE_ATTRIBUTES),
            "SetQueueAttributes: in effect some time later.",
        ),
        optional(
            "purge",
            Shape::Table(&PURGE),
            "PurgeQueue: removes all messages, some time later.",
        ),
        optional(
            "start_message_move_task",
            Shape::Table(&START_MESSAGE_MOVE_TASK),
            "StartMessageMoveTask: moves the messages of a dead-letter queue back, or elsewhere.",
        ),
        optional(
            "cancel_message_move_task",
            Shape::Table(&CANCEL_MESSAGE_MOVE_TASK),
            "CancelMessageMoveTask: what has been moved stays where it is.",
        ),
    ],
);
