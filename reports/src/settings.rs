//! What components are set to, in a few words, and which modelling choices a run could notice.

mod distribution;
mod mapping;
mod queues;
mod sink;
mod topics;

use crate::account::{Assumption, Component};
use crate::text::{count, counted};
use distribution::{percent, spelled, spelled_time};
use mapping::mapping;
use queues::{queue, queue_mapping, workers};
use sim::blueprint::{
    ApplicationBlueprint, Arrivals, Blueprint, CapacityMode, Checkpointing, ColdStart, FunctionBlueprint,
    InitialPosition, InvocationType, InvokerBlueprint, Keys, ProducerBlueprint, ProducerLibrary, PutApi, Retrieval,
    RetryMode, Size, StreamBlueprint, Trace, TraceRows,
};
use sim::command::Command;
use sim::engine::quantity::{ByteCount, Rate, Ratio};

/// The components in the order in which records meet them, by name within a kind.
pub(crate) fn components(blueprint: &Blueprint) -> Vec<Component> {
    let mut components = Vec::new();
    let mut add = |kind, mut items: Vec<(&String, String)>| {
        items.sort();
        components.extend(items.into_iter().map(|(name, settings)| Component {
            kind,
            name: name.clone(),
            settings,
        }));
    };
    add(
        "producer",
        blueprint
            .producers
            .iter()
            .map(|one| (&one.name, producer(one)))
            .collect(),
    );
    add(
        "stream",
        blueprint.streams.iter().map(|one| (&one.name, stream(one))).collect(),
    );
    add(
        "queue",
        blueprint.queues.iter().map(|one| (&one.name, queue(one))).collect(),
    );
    add(
        "worker",
        blueprint.fleets.iter().map(|one| (&one.name, workers(one))).collect(),
    );
    add("topic", topics::topics(blueprint));
    add("subscription", topics::subscriptions(blueprint));
    add(
        "mapping",
        (blueprint.mappings.iter().map(|one| (&one.name, mapping(one))))
            .chain(
                blueprint
                    .queue_mappings
                    .iter()
                    .map(|one| (&one.name, queue_mapping(one))),
            )
            .collect(),
    );
    add(
        "application",
        blueprint
            .applications
            .iter()
            .map(|one| (&one.name, application(one)))
            .collect(),
    );
    add(
        "function",
        blueprint
            .functions
            .iter()
            .map(|one| (&one.name, function(one)))
            .collect(),
    );
    add(
        "invoker",
        blueprint.invokers.iter().map(|one| (&one.name, invoker(one))).collect(),
    );
    add(
        "sink",
        blueprint.sinks.iter().map(|one| (&one.name, sink::told(one))).collect(),
    );
    components
}

fn producer(producer: &ProducerBlueprint) -> String {
    let mut settings = vec![arrivals(&producer.arrivals), keys(&producer.keys)];
    match &producer.size {
        Size::Drawn(size) => settings.push(spelled(size, &|bytes| ByteCount(bytes as u64).to_string())),
        Size::FromTrace => settings.push("sizes of the trace".to_owned()),
    }
    match &producer.library {
        Some(settings_of) => settings.push(library(settings_of)),
        None => settings.extend(client(producer)),
    }
    let kind = if producer.api.is_for_queues() {
        "queue"
    } else if producer.api.is_for_topics() {
        "topic"
    } else {
        "stream"
    };
    format!("to {kind}.{}: {}", producer.target, settings.join("; "))
}

fn client(producer: &ProducerBlueprint) -> Vec<String> {
    let mut settings = Vec::new();
    settings.push(match producer.api {
        api @ (PutApi::PutRecord | PutApi::SendMessage | PutApi::Publish) => api.name().to_owned(),
        api @ (PutApi::PutRecords | PutApi::SendMessageBatch | PutApi::PublishBatch) => format!(
            "{} of up to {} {}, gathered for {}",
            api.name(),
            producer.max_batch_records,
            if api == PutApi::PutRecords {
                "records"
            } else {
                "messages"
            },
            producer.linger
        ),
    });
    settings.push(match producer.retry.mode {
        RetryMode::Off => "no SDK retries".to_owned(),
        mode => {
            let name = match mode {
                RetryMode::Off | RetryMode::Standard => "standard",
                RetryMode::Adaptive => "adaptive",
                RetryMode::Legacy => "legacy",
                RetryMode::Java => "java",
            };
            format!("SDK retries: {name}, {} attempts", producer.retry.max_attempts)
        }
    });
    settings.push(match producer.resend_failed {
        Some(resend) => format!("refused entries are sent again up to {} times", resend.attempts),
        None => "refused entries are given up".to_owned(),
    });
    settings
}

fn library(library: &ProducerLibrary) -> String {
    let aggregation = if library.aggregation_enabled {
        format!("aggregated up to {}", ByteCount(library.aggregation_max_size))
    } else {
        "not aggregated".to_owned()
    };
    format!(
        "Kinesis Producer Library: buffered for {}, {aggregation}, given up after {}",
        library.record_max_buffered_time, library.record_ttl
    )
}

fn arrivals(arrivals: &Arrivals) -> String {
    match arrivals {
        Arrivals::Constant(rate) => format!("{rate}, evenly spaced"),
        Arrivals::Poisson(rate) => format!("{rate} on average, Poisson"),
        Arrivals::Bursts {
            on,
            off,
            mean_on,
            mean_off,
        } => {
            format!("bursts of {on} for {mean_on} on average, {off} for {mean_off} between them")
        }
        Arrivals::Profile { points, period } => {
            let rates = points.iter().map(|(_, rate)| *rate);
            let most = rates.max_by(|a, b| compare(*a, *b)).unwrap_or(Rate::ZERO);
            let again = period.map_or_else(String::new, |period| format!(", repeating every {period}"));
            format!("a rate profile with a peak of {most}{again}")
        }
        Arrivals::Trace(trace) => recording(trace),
    }
}

fn compare(a: Rate, b: Rate) -> core::cmp::Ordering {
    let crossed = |one: Rate, other: Rate| u128::from(one.count) * u128::from(other.per.as_nanos());
    crossed(a, b).cmp(&crossed(b, a))
}

/// Requests in a trace.
fn requests(trace: &Trace) -> u64 {
    match &trace.rows {
        TraceRows::Requests { at, .. } => at.len() as u64,
        TraceRows::Counts { series, .. } => series
            .iter()
            .flat_map(|series| &series.bins)
            .map(|&(_, _, count)| u64::from(count))
            .sum(),
    }
}

fn recording(trace: &Trace) -> String {
    let pace = if trace.compression == Ratio::ONE {
        "in real time".to_owned()
    } else {
        format!("{} times as fast as recorded", factor(trace.compression))
    };
    let files: Vec<&str> = trace.source.split(", ").collect();
    let source = match files.as_slice() {
        [first, _, ..] => format!("{first} and {} more", counted(files.len() as u64 - 1, "file")),
        _ => trace.source.clone(),
    };
    format!("the {} of {source}, {pace}", counted(requests(trace), "request"))
}

/// What a reader must know of approximations.
pub(crate) fn notes(blueprint: &Blueprint) -> Vec<String> {
    let fast = blueprint
        .producers
        .iter()
        .filter(|producer| producer.api == PutApi::PutRecord && producer.uses_call_window());
    fast.map(|producer| {
        format!(
            "producer.{} makes more than {} calls, so those of each {} are handled together: they reach their shard with \
             their own times, but results come back up to that much later.",
            producer.name, producer.call_window_threshold, producer.call_window
        )
    })
    .collect()
}

fn factor(ratio: Ratio) -> String {
    let hundredths = u128::from(ratio.numerator) * 100 / u128::from(ratio.denominator);
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest:02}"),
    }
}

fn keys(keys: &Keys) -> String {
    match keys {
        Keys::Uniform { count: 1 } => "one key".to_owned(),
        Keys::Uniform { count: keys } => format!("{} equally likely keys", count(u64::from(*keys))),
        Keys::Zipf { count: keys, exponent } => {
            format!("{} keys, Zipf with exponent {exponent}", count(u64::from(*keys)))
        }
        Keys::Hot { share, others } => {
            format!(
                "one key with {} % of the records, {} others",
                percent(*share),
                count(u64::from(*others))
            )
        }
        Keys::Weighted(list) => format!("{} listed keys", count(list.len() as u64)),
        Keys::FromTrace => "keys of the trace".to_owned(),
    }
}

fn stream(stream: &StreamBlueprint) -> String {
    let shards = if stream.shard_count == 1 { "shard" } else { "shards" };
    let mode = match stream.mode {
        CapacityMode::Provisioned => String::new(),
        CapacityMode::OnDemand if stream.warm_throughput_mib > 0 => {
            format!("on demand, warm throughput {} MiB/s, from ", stream.warm_throughput_mib)
        }
        CapacityMode::OnDemand => "on demand, from ".to_owned(),
    };
    format!(
        "{mode}{} {shards}, retention {} h",
        count(u64::from(stream.shard_count)),
        stream.retention_hours
    )
}

fn function(function: &FunctionBlueprint) -> String {
    let mut settings = Vec::new();
    if let ColdStart::Published { runtime, .. } = &function.cold_start {
        settings.push(runtime.clone());
    }
    settings.push(format!("{} MB", function.memory_size));
    settings.push(format!("timeout {}", function.timeout));
    if let Some(limit) = function.reserved_concurrency {
        settings.push(format!("reserved concurrency {limit}"));
    }
    if let Some(wanted) = function.provisioned_concurrency {
        let when = if wanted.ready_at_start {
            ""
        } else {
            ", asked for at the start"
        };
        settings.push(format!("provisioned concurrency {}{when}", wanted.executions));
    }
    settings.push(format!("{} for each batch", spelled_time(&function.per_batch)));
    if !function.per_record.is_zero() {
        settings.push(format!("{} for each record", function.per_record));
    }
    if !function.failure_rate.is_zero() {
        settings.push(format!(
            "{} % of invocations fail",
            percent(function.failure_rate.as_f64())
        ));
    }
    for window in &function.failing_windows {
        settings.push(format!(
            "{} % from {} until {}",
            percent(window.rate.as_f64()),
            window.from,
            window.until
        ));
    }
    if let Some(sink) = &function.sink {
        settings.push(format!("writes to sink.{sink}"));
    }
    settings.join(", ")
}

fn invoker(invoker: &InvokerBlueprint) -> String {
    let how = match invoker.invocation_type {
        InvocationType::RequestResponse => "waits for the outcome",
        InvocationType::Event => "asynchronous",
    };
    format!(
        "invokes function.{}, {how}, {}",
        invoker.function,
        arrivals(&invoker.arrivals)
    )
}

fn application(application: &ApplicationBlueprint) -> String {
    let mut settings = vec![
        format!("reads stream.{}", application.stream),
        format!("KCL {}", application.kcl.name()),
        counted(u64::from(application.workers), "worker"),
        match application.initial_position {
            InitialPosition::TrimHorizon => "from TRIM_HORIZON".to_owned(),
            InitialPosition::Latest => "from LATEST".to_owned(),
            InitialPosition::AtTimestamp(at) => format!("from AT_TIMESTAMP {at}"),
        },
        match application.retrieval {
            Retrieval::Polling => format!("a read every {}", application.settings.idle_time_between_reads),
            Retrieval::FanOut => "pushed to by enhanced fan-out".to_owned(),
        },
        format!("failover after {}", application.settings.failover_time),
        format!("{} for each batch", spelled_time(&application.per_batch)),
    ];
    if application.starts_at > sim::engine::time::SimTime::ZERO {
        settings.insert(0, format!("starts at {}", application.starts_at));
    }
    if !application.per_record.is_zero() {
        settings.push(format!("{} for each record", application.per_record));
    }
    settings.push(match application.checkpoint {
        Checkpointing::EveryBatch => "a checkpoint after each batch".to_owned(),
        Checkpointing::Every(span) => format!("a checkpoint every {span}"),
        Checkpointing::Never => "no checkpoints".to_owned(),
    });
    if !application.failure_rate.is_zero() {
        settings.push(format!(
            "{} % of batches are skipped",
            percent(application.failure_rate.as_f64())
        ));
    }
    if let Some(sink) = &application.sink {
        settings.push(format!("writes to sink.{sink}"));
    }
    settings.join(", ")
}

/// A command as a clause.
pub(crate) fn change(command: &Command) -> String {
    let target = command.target();
    match command {
        Command::ScaleLoad { factor: by, .. } if *by == Ratio::ONE => {
            format!("the load of {target} is as configured again")
        }
        Command::ScaleLoad { factor: by, .. } => {
            format!("the load of {target} becomes {} times what is configured", factor(*by))
        }
        Command::SetReservedConcurrency { limit: Some(limit), .. } => {
            format!("{target} gets a reserved concurrency of {limit}")
        }
        Command::SetReservedConcurrency { limit: None, .. } => format!("{target} gives its reserved concurrency back"),
        Command::SetProvisionedConcurrency { executions, .. } => {
            format!("{target} is asked for {executions} provisioned environments")
        }
        Command::SetFailureRate { rate, .. } => {
            format!(
                "{} % of the invocations of {target} begin to fail",
                percent(rate.as_f64())
            )
        }
        Command::SetMappingEnabled { enabled, .. } => {
            format!("{target} is switched {}", if *enabled { "on" } else { "off" })
        }
        Command::SetSinkCapacity {
            capacity: Some(rate), ..
        } => format!("{target} takes {rate} from now on"),
        Command::SetSinkCapacity { capacity: None, .. } => format!("{target} takes any load from now on"),
        Command::ChangeStream { operation, .. } => format!("{target} is asked for {operation}"),
        Command::ChangeQueue { operation, .. } => format!("{target} {}", queues::operation(operation)),
        Command::RegisterConsumer { .. } => format!("{target} is to be registered"),
        Command::DeregisterConsumer { .. } => format!("{target} is deregistered"),
        Command::BreakQueue { lasts, .. } => format!("{target} fails whatever is asked of it for {lasts}"),
        Command::DenySubscription { lasts, .. } => format!("the queue of {target} refuses its topic for {lasts}"),
        Command::SetFilterPolicy { policy: Some(_), .. } => format!("{target} gets another filter policy"),
        Command::SetFilterPolicy { policy: None, .. } => format!("{target} loses its filter policy"),
        Command::BreakSink { lasts, .. } => format!("{target} stops answering for {lasts}"),
        Command::KillWorker { worker, .. } => format!("{} of {target} dies", worker_told(*worker)),
        Command::PauseWorker { worker, lasts, .. } => {
            format!("{} of {target} stands still for {lasts}", worker_told(*worker))
        }
        Command::StartWorkers { workers, .. } => {
            format!("{} of {target} start", counted(u64::from(*workers), "worker"))
        }
        Command::Deploy { every, graceful, .. } => format!(
            "the workers of {target} are replaced {every} after each other{}",
            if *graceful { ", and may checkpoint" } else { "" }
        ),
    }
}

fn worker_told(worker: Option<u16>) -> String {
    worker.map_or_else(
        || "the worker with most leases".to_owned(),
        |number| format!("worker {number}"),
    )
}

/// What happened in a run that depends on modelling choices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noticed {
    /// There are queues.
    Queues,
    /// There are topics.
    Topics,
    /// A mapping polled a queue.
    QueueMappings,
    /// A stream answered calls.
    Puts,
    /// A mapping polled.
    Polls,
    /// An application took a lease.
    Leases,
    /// A batch failed in its function.
    FunctionErrors,
    /// An invocation was throttled.
    Throttles,
    /// An execution environment was started.
    ColdStarts,
    /// A shard was closed and others opened.
    Resharding,
    /// A mapping was created during the run.
    LateMappings,
    /// An on-demand stream split a shard by itself.
    OnDemandSplits,
}

/// Whether a run could notice a parameter of the model. One that is not at its default is always worth telling.
pub(crate) fn matters(assumption: &Assumption, noticed: &[Noticed]) -> bool {
    let needs = match assumption.name {
        "network_latency" | "put_service_time" => Some(Noticed::Puts),
        "get_service_time" | "min_poll_interval" | "poll_dispatch_delay" => Some(Noticed::Polls),
        "lease_write_time" => Some(Noticed::Leases),
        "queue_servers"
        | "short_poll_servers"
        | "queue_order_jitter"
        | "queue_duplicate_rate"
        | "queue_service_time" => Some(Noticed::Queues),
        "topic_delivery_time"
        | "topic_duplicate_rate"
        | "topic_service_time"
        | "topic_retry_jitter"
        | "topic_envelope" => Some(Noticed::Topics),
        "queue_poll_time"
        | "queue_poll_time_fifo"
        | "queue_error_backoff"
        | "queue_throttle_backoff"
        | "queue_scale_in_steps"
        | "queue_scale_down_after"
        | "queue_idle_after"
        | "payload_message_overhead" => Some(Noticed::QueueMappings),
        "retry_backoff" | "retry_backoff_max" => Some(Noticed::FunctionErrors),
        "throttle_backoff" | "throttle_backoff_max" => Some(Noticed::Throttles),
        "shard_discovery_interval" | "reshard_time" => Some(Noticed::Resharding),
        "mapping_creation_delay" => Some(Noticed::LateMappings),
        "on_demand_split_delay" => Some(Noticed::OnDemandSplits),
        "placement_time" | "idle_lifetime" | "environment_lifetime" => Some(Noticed::ColdStarts),
        _ => None,
    };
    !assumption.is_default || needs.is_some_and(|needs| noticed.contains(&needs))
}

#[cfg(test)]
mod tests;
