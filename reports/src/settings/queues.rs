//! What queues and their workers are set to.

use super::distribution::{percent, spelled_time};
use crate::text::{count, counted};
use sim::blueprint::{FleetBlueprint, QueueBlueprint};

pub(super) fn queue(queue: &QueueBlueprint) -> String {
    let mut settings = vec![match queue.fifo {
        None => "standard".to_owned(),
        Some(fifo) if fifo.high_throughput => "FIFO with high throughput".to_owned(),
        Some(_) => "FIFO".to_owned(),
    }];
    settings.push(format!("visibility timeout {}", queue.visibility_timeout));
    settings.push(format!("retention {}", queue.retention));
    if !queue.delay.is_zero() {
        settings.push(format!("delay {}", queue.delay));
    }
    if let Some(policy) = &queue.redrive {
        settings.push(format!(
            "to queue.{} after {}",
            policy.dead_letter_queue,
            counted(u64::from(policy.max_receive_count), "receive")
        ));
    }
    settings.join(", ")
}

pub(super) fn workers(fleet: &FleetBlueprint) -> String {
    let mut settings = vec![format!(
        "{} of queue.{}, up to {} messages in a receive, {} for each",
        count(u64::from(fleet.workers)),
        fleet.queue,
        fleet.max_messages,
        spelled_time(&fleet.per_message)
    )];
    if let Some(wait) = fleet.wait_time {
        settings.push(format!("WaitTimeSeconds {}", wait.as_secs()));
    }
    if let Some(every) = fleet.heartbeat {
        settings.push(format!("heartbeat every {every}"));
    }
    for (rate, what) in [
        (fleet.failure_rate, "fail"),
        (fleet.poison_rate, "are poison"),
        (fleet.crash_rate, "kill their worker"),
    ] {
        if !rate.is_zero() {
            settings.push(format!("{} % {what}", percent(rate.as_f64())));
        }
    }
    settings.join(", ")
}
