//! Sentences about direct callers, asynchronous events and provisioned environments.

use crate::account::{EventAccount, InvokerAccount, ProvisionedAccount};
use crate::text::{count, counted, list, rate, share};
use sim::engine::time::SimDuration;

pub(super) fn invoker_told(invoker: &InvokerAccount, span: SimDuration) -> String {
    let mut told = vec![format!(
        "{} sent {} ({} on average).",
        invoker.name,
        counted(invoker.sent, "request"),
        rate(invoker.sent, span)
    )];
    let mut bad = Vec::new();
    if invoker.throttled > 0 {
        let part = share(invoker.throttled, invoker.sent);
        bad.push(format!("{} were refused with 429 ({part})", count(invoker.throttled)));
    }
    if invoker.failed > 0 {
        bad.push(format!("{} ended in an error or a timeout", count(invoker.failed)));
    }
    told.push(if bad.is_empty() {
        "None failed.".to_owned()
    } else {
        format!("{}.", list(&bad))
    });
    if invoker.succeeded + invoker.failed > 0 {
        told.push(format!(
            "An answer took {} on average, {} at most.",
            invoker.response_mean, invoker.response_max
        ));
    }
    told.join(" ")
}

pub(super) fn provisioned_told(name: &str, provisioned: &ProvisionedAccount) -> String {
    let since = provisioned.ready.map_or_else(String::new, |at| format!(" since {at}"));
    let environments = counted(u64::from(provisioned.executions), "environment");
    format!(
        "{name} had {environments} provisioned{since}. {} ran on provisioned ones, {} spilled over.",
        counted(provisioned.invocations, "invocation"),
        count(provisioned.spilled_over)
    )
}

pub(super) fn events_told(name: &str, events: &EventAccount) -> String {
    let mut told = vec![format!(
        "{name} got {}: {} succeeded, {} were given up, {} are unfinished.",
        counted(events.received + events.duplicated, "asynchronous event"),
        count(events.succeeded),
        count(events.dropped),
        count(events.unfinished)
    )];
    if events.retried + events.throttled > 0 {
        told.push(format!(
            "There were {} after errors and {} refused attempts; the oldest event was {} old when it was tried.",
            counted(events.retried, "retry"),
            count(events.throttled),
            events.age_max
        ));
    }
    if events.dropped > 0 {
        let reasons = events.dropped_for.iter();
        let reasons: Vec<String> = reasons
            .map(|(why, number)| format!("{} {why}", count(*number)))
            .collect();
        told.push(format!(
            "Of those given up ({}) {} went to the dead-letter queue, and of {} nobody was told.",
            list(&reasons),
            count(events.dead_lettered),
            count(events.lost)
        ));
    }
    told.join(" ")
}
