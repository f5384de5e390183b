//! `[producer.NAME]`: a source of records and its client.

use super::{
    Dimension, Kind, LENGTH, Most, RATE, Rows, SPAN, Shape, defaulted, integer, optional, producer_library, required,
    topic, trace, word,
};

const MAY_BE_ZERO: Shape = Shape::Rate { zero: true };

/// On-off bursts.
pub static BURSTS: Rows = Rows::own(
    "bursts",
    &[
        required("on", RATE, "Rate during a burst."),
        required("off", MAY_BE_ZERO, "Rate between bursts."),
        required("mean_on", LENGTH, "Mean length of a burst."),
        required("mean_off", LENGTH, "Mean length of a quiet spell."),
    ],
);

/// A rate that changes over time.
pub static PROFILE: Rows = Rows::own(
    "a rate over time",
    &[
        required(
            "points",
            Shape::List(&Shape::Pair(&SPAN, &MAY_BE_ZERO)),
            "Pairs of time since the start and rate, joined by straight lines; the first at \"0s\".",
        ),
        optional(
            "period",
            LENGTH,
            "The pattern repeats with this period. Without it the last rate stays.",
        ),
    ],
);

/// Arrival processes.
pub static ARRIVALS: Rows = Rows::own(
    "arrivals",
    &[
        optional("constant", RATE, "Evenly spaced records."),
        optional("poisson", RATE, "Independent records with exponential gaps."),
        optional(
            "bursts",
            Shape::Table(&BURSTS),
            "Bursts and quiet spells of exponential length, Poisson within.",
        ),
        optional(
            "profile",
            Shape::Table(&PROFILE),
            "Poisson with a rate that follows a curve, such as a day's.",
        ),
        optional("trace", Shape::Table(&trace::TRACE), "Replay of a recorded workload."),
    ],
);

/// Most keys of one producer, for the sake of memory.
pub const MOST_KEYS: u64 = 10_000_000;

/// Zipf popularity.
pub static ZIPF: Rows = Rows::own(
    "Zipf-distributed keys",
    &[
        required("count", integer(1, MOST_KEYS), "Number of keys."),
        defaulted(
            "exponent",
            Shape::Number { least: 0.0, most: 10.0 },
            "1.0",
            "The key of rank r has weight 1 / r^exponent.",
        ),
    ],
);

/// One hot key.
pub static HOT: Rows = Rows::own(
    "a hot key",
    &[
        required("share", Shape::Fraction, "Share of the hot key among all records."),
        required(
            "others",
            integer(1, MOST_KEYS - 1),
            "Number of other keys, which share the rest equally.",
        ),
    ],
);

/// A key of an explicit list.
pub static LISTED_KEY: Rows = Rows::own(
    "a partition key",
    &[
        required("key", Shape::Text, "The partition key, 1 to 256 characters.").fact("KDS-REC-02"),
        defaulted(
            "weight",
            Shape::Number { least: 0.0, most: 1e12 },
            "1",
            "Relative weight.",
        ),
        optional(
            "ExplicitHashKey",
            Shape::HashKey,
            "Position in the hash space, in place of the key's MD5.",
        )
        .fact("KDS-REC-10"),
    ],
);

/// Key populations.
pub static KEYS: Rows = Rows::own(
    "partition keys",
    &[
        optional("uniform", integer(1, MOST_KEYS), "So many keys, equally likely."),
        optional("zipf", Shape::Table(&ZIPF), "Keys of Zipf popularity."),
        optional("hot", Shape::Table(&HOT), "One hot key and many others."),
        optional("list", Shape::List(&Shape::Table(&LISTED_KEY)), "An explicit list."),
    ],
);

/// The SDK's retries.
pub static RETRY: Rows = Rows::own(
    "the SDK's retries",
    &[
        defaulted(
            "mode",
            word(&["off", "standard", "adaptive", "legacy", "java"]),
            "\"standard\"",
            "The SDK's retry mode; \"java\" is the standard mode as the SDK for Java 2.x documents it.",
        )
        .fact("KDS-SDK-01, KDS-SDK-12"),
        optional(
            "max_attempts",
            integer(1, 100),
            "Attempts in all, the first included. Without it: the mode's own, 3 in standard, adaptive and java, 5 in legacy. \
             The older SDK for Java made 4 for PutRecord (KDS-SDK-13).",
        )
        .fact("KDS-SDK-02"),
        defaulted(
            "timing_2026",
            Shape::Flag,
            "false",
            "The backoff and quota of 2026, opt-in at AWS.",
        )
        .fact("KDS-SDK-05"),
    ],
);

/// The application's own re-sending.
pub static RESEND: Rows = Rows::own(
    "the re-sending of refused entries",
    &[
        defaulted(
            "attempts",
            integer(1, 1_000),
            "3",
            "How often an entry is sent again before it is given up.",
        ),
        defaulted("backoff", SPAN, "\"100ms\"", "Wait before the first re-send."),
        defaulted(
            "factor",
            integer(1, 100),
            "2",
            "The wait grows by this factor with each further re-send.",
        ),
        defaulted("max_backoff", SPAN, "\"20s\"", "But never beyond this."),
        defaulted(
            "jitter",
            word(&["none", "full", "equal"]),
            "\"full\"",
            "Randomises the wait: not at all, between zero and the wait, or between half of it and the wait.",
        ),
    ],
);

/// Properties of a producer.
pub static PRODUCER: Rows = Rows::own(
    "a producer",
    &[
        required(
            "target",
            Shape::Reference(&[Kind::Stream, Kind::Queue, Kind::Topic]),
            "The stream, queue or topic that it writes to.",
        ),
        optional(
            "MessageGroupId",
            word(&["key", "none"]),
            "Messages to a standard queue, or to a standard topic that hands them on to one, carry their key as MessageGroupId, which \
             makes the queue fair. On a FIFO queue they always do.",
        )
        .fact("SQS-B-22, SQS-B-23, SQS-Q-02, SQS-Q-19"),
        optional(
            "message_attributes",
            Shape::List(&Shape::Table(&topic::ATTRIBUTE)),
            "Attributes of its messages, which filter policies look at. Their size is part of `size`. Without it: none.",
        )
        .fact("SQS-S-13"),
        optional(
            "body_fields",
            Shape::List(&Shape::Table(&topic::ATTRIBUTE)),
            "Fields of the bodies of its messages, which filter policies may look at. Without it: none.",
        )
        .fact("SQS-S-13"),
        defaulted(
            "MessageDeduplicationId",
            word(&["message", "ordinal", "attempt", "none"]),
            "\"message\"",
            "What a message to a FIFO queue carries: an ID of its own, which it keeps when it is sent again; its number among \
             the messages of its key, which other keys have too; a new one for each attempt, so that no copy is recognised; or none.",
        )
        .fact("SQS-U-07, SQS-B-25"),
        optional(
            "DelaySeconds",
            Shape::Distribution(Dimension::Time),
            "Delay of each message to a standard queue, in whole seconds, in place of the queue's. Without it: the queue's.",
        )
        .fact("SQS-L-02, SQS-L-04"),
        required("arrivals", Shape::OneOf(&ARRIVALS), "When records are created."),
        required("keys", Shape::WordOr("trace", &Shape::OneOf(&KEYS)), "Which partition keys they have."),
        required(
            "size",
            Shape::WordOr("trace", &Shape::Distribution(Dimension::Bytes)),
            "Size of the data, partition key not included.",
        ),
        defaulted(
            "client",
            word(&["sdk", "kpl"]),
            "\"sdk\"",
            "What stands between the application and the stream: the AWS SDK, or the Kinesis Producer Library, which then \
             decides what is gathered, sent and repeated.",
        )
        .fact("KDS-KPL-25"),
        defaulted(
            "kpl",
            Shape::Table(&producer_library::PRODUCER_LIBRARY),
            "{}",
            "The Kinesis Producer Library's settings, under its own names.",
        )
        .fact("KDS-KPL-01"),
        defaulted(
            "api",
            word(&["PutRecords", "PutRecord", "SendMessageBatch", "SendMessage", "PublishBatch", "Publish"]),
            "\"PutRecords\"",
            "The API that the client calls. If it is not given: SendMessageBatch to a queue, PublishBatch to a topic.",
        ),
        defaulted("linger", SPAN, "\"100ms\"", "How long the client gathers records for one PutRecords, SendMessageBatch or PublishBatch."),
        defaulted("max_batch_records", integer(1, 500), "500", "Most records in one PutRecords; to a queue or topic at most 10 messages.").fact("KDS-W-06"),
        defaulted(
            "max_batch_bytes",
            Shape::Bytes {
                least: 1,
                most: Most::ByProfile {
                    exam: 5 << 20,
                    current: 10 << 20,
                },
            },
            "",
            "Most bytes in one PutRecords, partition keys included; to a queue or topic at most what a batch may hold.",
        )
        .by_profile("\"5MiB\"", "\"10MiB\"")
        .fact("KDS-W-07"),
        defaulted(
            "concurrency",
            integer(1, 1_000_000),
            "50",
            "Most requests in flight, further ones wait in the client; 50 is a usual size of an SDK's connection pool. \
             With more than one, a slow request can be overtaken by the next, which reorders a key.",
        ),
        defaulted(
            "SequenceNumberForOrdering",
            Shape::Flag,
            "false",
            "Each PutRecord names the sequence number of its key's put before, so it waits for that result: a key's \
             records keep their order at the price of one put at a time for each key. Only PutRecord has it.",
        )
        .fact("KDS-SEQ-08"),
        defaulted("retry", Shape::Table(&RETRY), "{}", "The SDK's retries of requests that failed whole."),
        optional(
            "resend_failed",
            Shape::Table(&RESEND),
            "The application sends refused entries of a PutRecords again, which the SDK does not. Without it: given up.",
        )
        .fact("KDS-W-14"),
        defaulted(
            "call_window",
            LENGTH,
            "\"1ms\"",
            "Width of the window in which PutRecord calls of a fast producer are handled together; results come up to \
             this much late.",
        ),
        defaulted(
            "call_window_threshold",
            RATE,
            "\"10000/s\"",
            "Calls per time above which the window is used; below it nothing is approximated.",
        ),
    ],
);
