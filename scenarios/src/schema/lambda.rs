//! `[function.NAME]`: AWS::Lambda::Function.

use super::{Dimension, Kind, Most, Property, Rows, SPAN, Shape, defaulted, integer, optional, required, word};

/// Runtimes whose cold starts have published percentiles (LAM-U-20). `go` and `rust` are two uses of `provided.al2023`.
pub const RUNTIMES: &[&str] = &[
    "dotnet8",
    "dotnet10",
    "go",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "provided.al2",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "rust",
    "provided.al2023",
];

/// The handler's time.
pub static HANDLER_TIME: Rows = Rows::own(
    "the time of a handler",
    &[
        required(
            "per_batch",
            Shape::Distribution(Dimension::Time),
            "Time of the handler for each invocation.",
        ),
        defaulted(
            "per_record",
            SPAN,
            "\"0s\"",
            "Further time for each record of the batch.",
        ),
        defaulted(
            "first",
            SPAN,
            "\"0s\"",
            "Further time of the first handler in a new environment, as for code that is compiled while it runs.",
        )
        .fact("LAM-R-17"),
        defaulted(
            "cpu_bound",
            Shape::Fraction,
            "0",
            "The part of these times that the handler spends computing, with one thread: it grows where MemorySize gives less of a processor.",
        )
        .fact("LAM-C-28"),
        defaulted(
            "measured_at",
            integer(128, 10_240),
            "1769",
            "The MemorySize at which these times hold. At 1769 MB a function has a whole processor.",
        )
        .fact("LAM-C-28"),
    ],
);

/// What a handler may do about records that it cannot process.
pub const POISON_RESPONSES: &[&str] = &[
    "throw",
    "batchItemFailures",
    "empty-list",
    "null-list",
    "empty-object",
    "null",
    "empty-identifier",
    "null-identifier",
    "misnamed-identifier",
    "invalid-json",
    "unknown-identifier",
];

/// A spell in which a function fails more often, or less.
pub static FAILING_WINDOW: Rows = Rows::own(
    "a window of failure",
    &[
        required("from", SPAN, "Its begin, since the start of the run."),
        required("until", SPAN, "Its end."),
        defaulted(
            "rate",
            Shape::Fraction,
            "1",
            "Probability that an invocation whose handler begins within it ends in a function error.",
        ),
    ],
);

/// The error model.
pub static FAILURE: Rows = Rows::own(
    "the errors of a function",
    &[
        defaulted(
            "rate",
            Shape::Fraction,
            "0",
            "Probability that an invocation ends in a function error.",
        ),
        optional(
            "windows",
            Shape::List(&Shape::Table(&FAILING_WINDOW)),
            "Spells in which another probability holds than `rate`. Without it: none.",
        ),
        defaulted(
            "after_write",
            Shape::Flag,
            "false",
            "True: the handler fails after its write to the sink, so that the retry delivers twice.",
        ),
        defaulted(
            "crashes",
            Shape::Fraction,
            "0",
            "The part of the function errors that end the process: the next invocation there runs Init again.",
        )
        .fact("LAM-R-06"),
        optional(
            "poison_keys",
            Shape::List(&Shape::Text),
            "Partition keys whose records the handler can never process. Without it: none.",
        ),
        optional(
            "poison_ordinals",
            Shape::List(&integer(0, 4_000_000_000)),
            "Of these keys, or of every key if none is listed, only the n-th records that a producer makes, from 0. \
             Without it: all of them.",
        ),
        defaulted(
            "poison_share",
            Shape::Fraction,
            "0",
            "Share of all records that the handler can never process, the same ones at each attempt.",
        ),
        defaulted(
            "poison_response",
            word(POISON_RESPONSES),
            "\"throw\"",
            "What the handler does about them: it throws, or it processes the others and returns them as \
             batchItemFailures, or, by mistake, returns something else.",
        )
        .fact("LAM-X-17, LAM-X-19, LAM-X-20"),
        defaulted(
            "stops_at_poison",
            Shape::Flag,
            "false",
            "True: a handler that returns leaves alone what follows the first record that it cannot process; of a queue it \
             reports that as failed, too.",
        ),
    ],
);

/// The state of a window.
pub static WINDOW_STATE: Rows = Rows::own(
    "the state of a tumbling window",
    &[
        required("per_window", STATE_BYTES, "Its size before any record."),
        defaulted(
            "per_record",
            STATE_BYTES,
            "\"0B\"",
            "What each record of the window adds.",
        ),
    ],
);

/// Environments that are ready before requests come.
pub static PROVISIONED: Rows = Rows::own(
    "provisioned concurrency",
    &[
        required(
            "ProvisionedConcurrentExecutions",
            integer(1, 100_000),
            "So many environments are initialised and kept. Requests beyond them run on demand.",
        )
        .fact("LAM-V-04, LAM-V-05"),
        defaulted(
            "ready_at_start",
            Shape::Flag,
            "true",
            "True: they are there when the run begins. False: their allocation begins then.",
        )
        .fact("LAM-V-08"),
    ],
);

/// Probability that a delivery fails.
const DELIVERY_FAILURE_RATE: Property = defaulted(
    "failure_rate",
    Shape::Fraction,
    "0",
    "Probability that a delivery fails. 1: the function lacks the permission.",
)
.fact("LAM-D-06, LAM-D-07");

/// The dead-letter queue.
pub static DEAD_LETTER: Rows = Rows::own(
    "a dead-letter queue",
    &[
        required(
            "TargetArn",
            word(&["SQS", "SNS"]),
            "The service that takes events which are given up: a standard queue or a standard topic.",
        )
        .fact("LAM-D-01"),
        DELIVERY_FAILURE_RATE,
    ],
);
const STATE_BYTES: Shape = Shape::Bytes {
    least: 0,
    most: Most::Always(1 << 30),
};

/// A destination of failed events.
pub static ON_FAILURE: Rows = Rows::own(
    "a destination of events that are given up",
    &[
        required(
            "Destination",
            Shape::Word {
                words: &["SQS", "SNS", "S3", "EventBridge"],
                not_modelled: &["Lambda"],
            },
            "The service that takes the record of an event which is given up.",
        )
        .fact("LAM-D-03"),
        DELIVERY_FAILURE_RATE,
    ],
);

/// A destination of processed events.
pub static ON_SUCCESS: Rows = Rows::own(
    "a destination of events that succeeded",
    &[
        required(
            "Destination",
            Shape::Word {
                words: &["SQS", "SNS", "EventBridge"],
                not_modelled: &["Lambda"],
            },
            "The service that takes the record of an event which succeeded. S3 takes failures only.",
        )
        .fact("LAM-D-03"),
        DELIVERY_FAILURE_RATE,
    ],
);

/// What happens to asynchronous events.
pub static EVENT_INVOKE: Rows = Rows {
    title: "asynchronous invocation",
    aws: Some("AWS::Lambda::EventInvokeConfig"),
    properties: &[
        defaulted(
            "MaximumRetryAttempts",
            integer(0, 2),
            "2",
            "Retries of an event whose invocation ended in an error, one minute and two minutes later.",
        )
        .fact("LAM-A-02, LAM-A-03"),
        defaulted(
            "MaximumEventAgeInSeconds",
            integer(60, 21_600),
            "21600",
            "How old an event may become before it is given up.",
        )
        .fact("LAM-A-06"),
        optional(
            "OnFailure",
            Shape::Table(&ON_FAILURE),
            "Who learns of events that are given up.",
        ),
        optional(
            "OnSuccess",
            Shape::Table(&ON_SUCCESS),
            "Who learns of events that succeeded.",
        ),
    ],
    not_modelled: &["DestinationConfig", "FunctionName", "Qualifier"],
};

/// Properties of a function.
pub static FUNCTION: Rows = Rows {
    title: "a function",
    aws: Some("AWS::Lambda::Function"),
    properties: &[
        defaulted("MemorySize", integer(128, 10_240), "128", "Memory in MB.").fact("LAM-C-27"),
        defaulted(
            "Timeout",
            integer(1, 900),
            "3",
            "Longest time of an invocation, in seconds.",
        )
        .fact("LAM-C-26"),
        optional(
            "ReservedConcurrentExecutions",
            integer(0, 100_000),
            "Concurrency that is kept for the function and caps it. Without it the function shares the account's rest.",
        )
        .fact("LAM-C-06"),
        optional(
            "ProvisionedConcurrencyConfig",
            Shape::Table(&PROVISIONED),
            "Environments that are initialised before requests come. Without it all of them are created on demand.",
        )
        .fact("LAM-V-01"),
        defaulted(
            "EventInvokeConfig",
            Shape::Table(&EVENT_INVOKE),
            "{}",
            "What happens to asynchronous events.",
        )
        .fact("LAM-A-02, LAM-A-06"),
        optional(
            "DeadLetterConfig",
            Shape::Table(&DEAD_LETTER),
            "Where asynchronous events go that are given up. Without it, and without OnFailure: nowhere.",
        )
        .fact("LAM-D-01"),
        defaulted(
            "runtime",
            word(RUNTIMES),
            "\"python3.13\"",
            "Runtime, which decides how long a cold start takes.",
        )
        .fact("LAM-U-20"),
        defaulted(
            "architecture",
            word(&["x86_64", "arm64"]),
            "\"x86_64\"",
            "Processor architecture.",
        ),
        defaulted(
            "package",
            word(&["Zip", "Image"]),
            "\"Zip\"",
            "Packaging, which decides how long a cold start takes.",
        ),
        defaulted(
            "extra_init",
            SPAN,
            "\"0s\"",
            "Time that the function's own dependencies add to its Init.",
        ),
        optional(
            "init",
            Shape::Distribution(Dimension::Time),
            "Init time of the user's own, in place of the published one of the runtime.",
        ),
        required("time", Shape::Table(&HANDLER_TIME), "How long the handler takes."),
        defaulted("failure", Shape::Table(&FAILURE), "{}", "How the handler fails."),
        optional(
            "window_state",
            Shape::Table(&WINDOW_STATE),
            "The state that it returns to a mapping with tumbling windows. Without it: none, which is a failure there.",
        )
        .fact("LAM-W-03, LAM-W-05"),
        optional(
            "sink",
            Shape::Reference(&[Kind::Sink]),
            "Where the handler writes its batch. Without it: nowhere.",
        ),
    ],
    not_modelled: &[
        "Architectures",
        "CapacityProviderConfig",
        "Code",
        "CodeSigningConfigArn",
        "Description",
        "DurableConfig",
        "Environment",
        "EphemeralStorage",
        "FileSystemConfigs",
        "FunctionName",
        "Handler",
        "ImageConfig",
        "KmsKeyArn",
        "Layers",
        "LoggingConfig",
        "PackageType",
        "PublishToLatestPublished",
        "RecursiveLoop",
        "Role",
        "Runtime",
        "RuntimeManagementConfig",
        "SnapStart",
        "Tags",
        "TenancyConfig",
        "TracingConfig",
        "VpcConfig",
    ],
};
