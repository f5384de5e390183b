//! `summary.json`: every figure of the account, with its unit in its name, in a fixed order of keys.
//!
//! The schema's version changes when a key changes its name or meaning; new keys may be added within a version.

use super::{queues, topics};
use crate::account::{
    Account, Check, Ending, EventAccount, FunctionAccount, InvokerAccount, Judgement, LatencyAccount, LimitUse,
    ProducerAccount, ReaderAccount, ShardAccount, SinkAccount, Spread, StreamAccount, UsageAccount,
};
use serde_json::{Map, Value, json};
use sim::engine::time::SimTime;

/// Name and version of the schema.
pub const SCHEMA: &str = "shardlab.summary/1";

/// The account as JSON, indented, with a final line feed.
pub fn render(account: &Account) -> String {
    let run = &account.run;
    let (ending, stopped_because) = match &run.ending {
        Ending::Complete => ("complete", None),
        Ending::Interrupted => ("interrupted", None),
        Ending::OutOfMemory(what) => ("out_of_memory", Some(what)),
    };
    let value = json!({
        "schema": SCHEMA,
        "shardlab_version": run.version,
        "scenario": {
            "name": account.subject.name,
            "title": account.subject.title,
            "question": account.subject.question,
        },
        "run": {
            "ending": ending,
            "interrupted": run.ending == Ending::Interrupted,
            "stopped_because": stopped_because,
            "seed": run.seed,
            "replication": run.replication,
            "profile": run.profile.name(),
            "planned_ns": run.planned.as_nanos(),
            "simulated_ns": run.simulated.as_nanos(),
            "events": run.events,
            "fingerprint": format!("{:016x}", run.fingerprint),
        },
        "verdict": account.verdict().word(),
        "components": account.components.iter().map(|component| json!({
            "kind": component.kind,
            "name": component.name,
            "settings": component.settings,
        })).collect::<Vec<_>>(),
        "changes": account.changes.iter().map(|change| json!({
            "at_ns": change.at.as_nanos(),
            "what": change.what,
        })).collect::<Vec<_>>(),
        "producers": list(&account.producers, producer),
        "streams": list(&account.streams, stream),
        "mappings": readers(account, |one| one.application.is_none()),
        "applications": readers(account, |one| one.application.is_some()),
        "functions": list(&account.functions, function),
        "queues": list(&account.queues, queues::queue),
        "workers": list(&account.workers, queues::workers),
        "topics": list(&account.topics, topics::topic),
        "message_paths": list(&account.message_paths, topics::path),
        "queue_mappings": list(&account.queue_mappings, queues::queue_mapping),
        "invokers": list(&account.invokers, invoker),
        "sinks": list(&account.sinks, sink),
        "latency": list(&account.latency, latency),
        "headroom": list(&account.headroom, limit_use),
        "usage": usage(&account.usage),
        "checks": list(&account.checks, check),
        "ledgers": {
            "checks": account.ledgers.checks,
            "balances": account.ledgers.balances,
        },
        "judgements": list(&account.judgements, judgement),
        "assumptions": account.assumptions.iter().map(|assumption| json!({
            "name": assumption.name,
            "value": assumption.value,
            "is_default": assumption.is_default,
            "fact": assumption.fact,
        })).collect::<Vec<_>>(),
        "notes": account.notes,
    });
    // `{:#}` indents, and cannot fail: the value holds strings and integers only.
    format!("{value:#}\n")
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(one).collect())
}

fn producer(producer: &ProducerAccount) -> Value {
    let given_up: Map<String, Value> = producer
        .records_given_up
        .iter()
        .map(|(reason, records)| (reason.clone(), json!(records)))
        .collect();
    let library = producer.library.map(|library| {
        json!({
            "user_records_sent": library.user_records_sent,
            "kinesis_records_sent": library.kinesis_records_sent,
            "requests_sent": library.requests_sent,
            "user_records_resent": library.user_records_resent,
            "kinesis_records_misplaced": library.kinesis_records_misplaced,
        })
    });
    json!({
        "name": producer.name,
        "target": producer.target,
        "api": producer.api,
        "records_produced": producer.records_produced,
        "records_acknowledged": producer.records_acknowledged,
        "records_resent": producer.records_resent,
        "records_repeated": producer.records_repeated,
        "records_given_up": given_up,
        "records_pending": producer.records_pending,
        "requests_sent": producer.requests_sent,
        "requests_failed": producer.requests_failed,
        "library": library,
    })
}

fn stream(stream: &StreamAccount) -> Value {
    json!({
        "name": stream.name,
        "records_accepted": stream.records_accepted,
        "records_aggregated": stream.records_aggregated,
        "user_records_in_aggregated": stream.user_records_in_aggregated,
        "bytes_accepted": stream.bytes_accepted,
        "entries_throttled": stream.entries_throttled,
        "entries_failed": stream.entries_failed,
        "requests_refused": stream.requests_refused,
        "acknowledgements_lost": stream.acknowledgements_lost,
        "first_throttle_ns": stream.first_throttle.as_ref().map(|first| first.at.as_nanos()),
        "first_throttle_shard": stream.first_throttle.as_ref().map(|first| &first.shard),
        "limit_records_per_second": stream.limit_records_per_second,
        "limit_bytes_per_second": stream.limit_bytes_per_second,
        "shards": list(&stream.shards, shard),
    })
}

fn shard(shard: &ShardAccount) -> Value {
    json!({
        "id": shard.id,
        "records_accepted": shard.records_accepted,
        "bytes_accepted": shard.bytes_accepted,
        "entries_throttled": shard.entries_throttled,
        "peak_records_per_second": shard.peak_records_per_second,
        "peak_bytes_per_second": shard.peak_bytes_per_second,
        "first_throttle_ns": shard.first_throttle.map(SimTime::as_nanos),
        "opened_ns": shard.opened.map(SimTime::as_nanos),
        "closed_ns": shard.closed.map(SimTime::as_nanos),
    })
}

fn readers(account: &Account, of: fn(&ReaderAccount) -> bool) -> Value {
    account.readers.iter().filter(|one| of(one)).map(reader).collect()
}

fn reader(reader: &ReaderAccount) -> Value {
    let mut told = json!({
        "name": reader.name,
        "stream": reader.stream,
        "function": reader.function,
        "reads": reader.reads,
        "reads_throttled": reader.reads_throttled,
        "records_read": reader.records_read,
        "records_acknowledged": reader.records_acknowledged,
        "records_expired": reader.records_expired,
        "records_unfinished": reader.records_unfinished,
        "batches_sent": reader.batches_sent,
        "batches_repeated": reader.batches_repeated,
        "batches_failed": reader.batches_failed,
        "behind_max_ns": reader.behind_max.as_nanos(),
        "behind_max_at_ns": reader.behind_max_at.as_nanos(),
    });
    if let Some(own) = &reader.mapping {
        told["batches_bisected"] = json!(own.batches_bisected);
        told["batches_failed_in_part"] = json!(own.batches_failed_in_part);
        told["records_discarded"] = json!(own.records_discarded);
        told["records_dead_lettered"] = json!(own.records_dead_lettered);
        told["documents"] = json!(own.documents);
        told["documents_undeliverable"] = json!(own.documents_undeliverable);
        told["destination"] = json!(own.destination);
        told["records_filtered_out"] = json!(own.records_filtered_out);
    }
    if let Some(own) = &reader.application {
        told["leases"] = json!({
            "new": own.leases_new,
            "failed_over": own.leases_failed_over,
            "moved": own.leases_moved,
            "first_failover_ns": own.first_failover.map(SimTime::as_nanos),
            "rows_read": own.lease_rows_read,
            "rows_written": own.lease_rows_written,
        });
        told["records_repeated"] = json!(own.records_repeated);
        told["records_skipped"] = json!(own.records_skipped);
        told["batches_skipped"] = json!(own.batches_skipped);
        told["batches_abandoned"] = json!(own.batches_abandoned);
        told["iterators_throttled"] = json!(own.iterators_throttled);
        told["iterators_expired"] = json!(own.iterators_expired);
    }
    told
}

fn function(function: &FunctionAccount) -> Value {
    json!({
        "name": function.name,
        "invocations": function.invocations,
        "errors": function.errors,
        "timeouts": function.timeouts,
        "throttles": function.throttles,
        "first_throttle_ns": function.first_throttle.map(SimTime::as_nanos),
        "cold_starts": function.cold_starts,
        "cold_start_mean_ns": function.cold_start_mean.as_nanos(),
        "concurrent_max": function.concurrent_max,
        "duration_mean_ns": function.duration_mean.as_nanos(),
        "records": function.records,
        "throttles_for": function.throttles_for.iter().map(|(reason, refused)| json!({
            "reason": reason,
            "throttles": refused,
        })).collect::<Vec<_>>(),
        "inits_within": function.inits_within,
        "provisioned": function.provisioned.as_ref().map(|provisioned| json!({
            "executions": provisioned.executions,
            "ready_ns": provisioned.ready.map(SimTime::as_nanos),
            "invocations": provisioned.invocations,
            "spilled_over": provisioned.spilled_over,
        })),
        "events": function.events.as_ref().map(events),
    })
}

fn events(events: &EventAccount) -> Value {
    json!({
        "received": events.received,
        "duplicated": events.duplicated,
        "succeeded": events.succeeded,
        "retried": events.retried,
        "throttled": events.throttled,
        "dropped": events.dropped,
        "lost": events.lost,
        "dead_lettered": events.dead_lettered,
        "unfinished": events.unfinished,
        "age_max_ns": events.age_max.as_nanos(),
    })
}

fn invoker(invoker: &InvokerAccount) -> Value {
    json!({
        "name": invoker.name,
        "sent": invoker.sent,
        "succeeded": invoker.succeeded,
        "failed": invoker.failed,
        "throttled": invoker.throttled,
        "response_mean_ns": invoker.response_mean.as_nanos(),
        "response_max_ns": invoker.response_max.as_nanos(),
    })
}

fn sink(sink: &SinkAccount) -> Value {
    json!({
        "name": sink.name,
        "records_delivered": sink.records_delivered,
        "writes": sink.writes,
        "last_write_ns": sink.last_write.as_nanos(),
        "requests": sink.requests,
        "records_refused": sink.refused,
        "write_units": sink.write_units,
        "failed_writes": sink.failed_writes,
        "records_unwritten": sink.unwritten,
        "records_rewritten": sink.rewritten,
    })
}

fn latency(row: &LatencyAccount) -> Value {
    json!({
        "at": row.at,
        "function": row.function,
        "since_creation": spread(row.since_creation),
        "since_arrival": spread(row.since_arrival),
        "causes": list(&row.causes, |part| json!({
            "cause": part.key,
            "total_ns": part.total_ns.to_string(),
            "share_per_mille": part.share_per_mille,
            "time": spread(part.time),
        })),
    })
}

fn limit_use(row: &LimitUse) -> Value {
    json!({
        "limit": row.key,
        "component": row.component,
        "shard": row.shard,
        "unit": row.unit,
        "peak": row.peak_value,
        "allowed": row.allowed_value,
        "used_per_mille": row.used_per_mille,
        "hurts": row.hurts,
        "first_reached_ns": row.first_reached.map(SimTime::as_nanos),
        "uses": row.uses,
        "uses_at_limit": row.uses_at_limit,
        "reached_at_load_per_mille": row.reached_at_load_per_mille,
        "fact": row.fact,
    })
}

fn usage(usage: &UsageAccount) -> Value {
    json!({
        "streams": list(&usage.streams, |stream| json!({
            "name": stream.name,
            "shard_hours": stream.shard_hours,
            "retention_hours_above_24": stream.retention_hours_above_24,
            "put_payload_units": stream.put_payload_units,
            "put_record_requests": stream.put_record_requests,
            "put_records_requests": stream.put_records_requests,
            "get_records_requests": stream.get_records_requests,
            "bytes_in": stream.bytes_in,
            "bytes_out": stream.bytes_out,
        })),
        "sinks": list(&usage.sinks, |sink| json!({
            "name": sink.name,
            "requests": sink.requests,
            "write_units": sink.write_units,
            "provisioned_unit_hours": sink.provisioned_unit_hours,
            "bytes": sink.bytes,
        })),
        "functions": list(&usage.functions, |function| json!({
            "name": function.name,
            "invocations": function.invocations,
            "memory_mb": function.memory_mb,
            "billed_ms": function.billed_ms,
            "init_ms": function.init_ms,
            "gb_ms": u64::try_from(function.gb_ms).unwrap_or(u64::MAX),
            "architecture": function.architecture,
            "requests": function.requests,
            "provisioned_gb_ms": u64::try_from(function.provisioned_gb_ms).unwrap_or(u64::MAX),
            "provisioned_gb_hours": function.provisioned_gb_hours,
            "provisioned_init_ms": function.provisioned_init_ms,
        })),
    })
}

fn spread(spread: Spread) -> Value {
    json!({
        "records": spread.records,
        "min_ns": spread.min.as_nanos(),
        "mean_ns": spread.mean.as_nanos(),
        "p50_ns": spread.p50.as_nanos(),
        "p90_ns": spread.p90.as_nanos(),
        "p99_ns": spread.p99.as_nanos(),
        "max_ns": spread.max.as_nanos(),
    })
}

fn check(check: &Check) -> Value {
    json!({
        "what": check.what,
        "at": check.at,
        "verdict": check.verdict.word(),
        "violations": check.violations,
        "evidence": check.evidence,
    })
}

fn judgement(judgement: &Judgement) -> Value {
    json!({
        "kind": judgement.kind,
        "statement": judgement.statement,
        "measured": judgement.measured,
        "value": judgement.value,
        "unit": judgement.unit,
        "verdict": judgement.verdict.word(),
        "line": judgement.line,
    })
}
