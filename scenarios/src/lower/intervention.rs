//! Dated changes.

use super::Lowering;
use super::rules::ALWAYS_UNRESERVED;
use crate::codes::Code;
use crate::fields::Fields;
use crate::source::Place;
use sim::blueprint::{Arrivals, Blueprint};
use sim::command::{Command, Intervention};
use sim::engine::time::{SimDuration, SimTime};
use std::collections::BTreeMap;

const CHANGES: &[&str] = &[
    "scale_load",
    "concurrency",
    "provisioned_concurrency",
    "failure_rate",
    "enabled",
    "sink_capacity",
    "break_sink",
    "break_queue",
    "deny_subscription",
    "filter_policy",
    "kill_worker",
    "pause_worker",
    "start_worker",
    "deploy",
    "split",
    "merge",
    "shard_count",
    "retention",
    "capacity_mode",
    "max_record_size",
    "warm_throughput",
    "register_consumer",
    "deregister_consumer",
    "queue_attributes",
    "purge",
    "start_message_move_task",
    "cancel_message_move_task",
];

/// A run takes no more.
const MOST_INTERVENTIONS: usize = 65_535;

impl Lowering<'_> {
    pub(super) fn interventions(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for fields in top.tables("intervention") {
            let mut keys: Vec<(Place, &str)> = CHANGES
                .iter()
                .filter_map(|&name| fields.keys.get(name).map(|key| (*key, name)))
                .collect();
            keys.sort_unstable();
            if keys.len() != 1 {
                let place = keys.get(1).map_or(fields.place, |(key, _)| *key);
                let title = format!("an intervention makes one change, this one makes {}", keys.len());
                let help = format!(
                    "give one of {}",
                    crate::diagnostic::listed(CHANGES.iter().copied(), "or")
                );
                self.fault(Code::InvalidIntervention, place, title, "one change is expected", &help);
                continue;
            }
            let at = SimTime::ZERO + fields.duration("at");
            if fields.duration("at") >= self.duration && self.duration.as_nanos() > 0 {
                let place = fields.place_of("at");
                let label = format!("the run lasts {}", self.duration);
                self.fault(
                    Code::NeverHappens,
                    place,
                    "the intervention comes after the end of the run",
                    &label,
                    "",
                );
            }
            if let Some(command) = self.command(fields, (top, blueprint)) {
                blueprint.interventions.push(Intervention { at, command });
            }
        }
        if blueprint.interventions.len() > MOST_INTERVENTIONS {
            let title = format!("a run takes at most {MOST_INTERVENTIONS} interventions");
            self.fault(
                Code::OutOfRange,
                top.place_of("intervention"),
                title,
                "the first of them",
                "",
            );
        }
        self.later_reservations(top, blueprint);
    }

    /// What interventions reserve must fit the account at its time (LAM-C-06, LAM-C-07).
    fn later_reservations(&mut self, top: &Fields, blueprint: &Blueprint) {
        let account = top.table("account");
        let sound = account.is_some_and(|account| account.is_sound("ConcurrentExecutions"));
        let mut changes: Vec<(SimDuration, &Fields)> = top
            .tables("intervention")
            .filter_map(|fields| Some((fields.maybe_duration("at")?, fields.table("concurrency")?)))
            .collect();
        changes.sort_by_key(|(at, _)| *at);
        let available = u64::from(blueprint.account_concurrency.saturating_sub(ALWAYS_UNRESERVED));
        let mut reserved: BTreeMap<&str, u32> = blueprint
            .functions
            .iter()
            .map(|function| {
                let provisioned = function.provisioned_concurrency.map_or(0, |wanted| wanted.executions);
                (
                    function.name.as_str(),
                    function.reserved_concurrency.unwrap_or(provisioned),
                )
            })
            .collect();
        for (_, change) in changes {
            let Some((_, function)) = change.reference("function") else {
                continue;
            };
            let limit = change.maybe_u32("limit").unwrap_or(0);
            let provisioned = blueprint.functions.iter().find(|other| other.name == function);
            let provisioned = provisioned.and_then(|function| function.provisioned_concurrency);
            if let Some(provisioned) =
                provisioned.filter(|provisioned| change.is_given("limit") && provisioned.executions > limit)
            {
                let place = change.place_of("limit");
                let title = "less concurrency is reserved than provisioned";
                let label = format!("{} environments are provisioned", provisioned.executions);
                let help = "reserve at least as much (LAM-V-02)";
                self.fault(Code::ConcurrencyExceeded, place, title, &label, help);
            }
            let before = reserved.insert(function, limit).unwrap_or(0);
            let sum: u64 = reserved.values().map(|&limit| u64::from(limit)).sum();
            if sound && limit > before && sum > available {
                let place = change.place_of("limit");
                let title = "more concurrency is reserved than the account has";
                let label = format!("brings the sum to {sum}, {available} may be reserved");
                let help = "reserve less, or raise [account] ConcurrentExecutions (LAM-C-04, LAM-C-06, LAM-C-07)";
                self.fault(Code::ConcurrencyExceeded, place, title, &label, help);
            }
        }
    }

    fn command(&mut self, fields: &Fields, (top, blueprint): (&Fields, &Blueprint)) -> Option<Command> {
        if let Some(change) = fields.table("scale_load") {
            let producer = change.name("producer");
            let replays = |blueprint: &Blueprint| {
                let found = blueprint.producers.iter().find(|other| other.name == producer);
                found.is_some_and(|found| matches!(found.arrivals, Arrivals::Trace(_)))
            };
            if replays(blueprint) {
                let place = change.place_of("producer");
                let title = "the load of a trace cannot be scaled";
                let help = "change its `compression`, for the whole run";
                self.fault(Code::Contradiction, place, title, "replays a trace", help);
            }
            return Some(Command::ScaleLoad {
                producer,
                factor: change.ratio("factor"),
            });
        }
        if let Some(change) = fields.table("concurrency") {
            return Some(Command::SetReservedConcurrency {
                function: change.name("function"),
                limit: change.maybe_u32("limit"),
            });
        }
        if let Some(change) = fields.table("provisioned_concurrency") {
            return Some(Command::SetProvisionedConcurrency {
                function: change.name("function"),
                executions: change.u32("executions"),
            });
        }
        if let Some(change) = fields.table("failure_rate") {
            return Some(Command::SetFailureRate {
                function: change.name("function"),
                rate: change.ratio("rate"),
            });
        }
        if let Some(change) = fields.table("enabled") {
            return Some(Command::SetMappingEnabled {
                mapping: change.name("mapping"),
                enabled: change.flag("value"),
            });
        }
        if let Some(change) = fields.table("sink_capacity") {
            return Some(Command::SetSinkCapacity {
                sink: change.name("sink"),
                capacity: change.maybe_rate("capacity"),
            });
        }
        if let Some(change) = fields.table("break_sink") {
            return Some(Command::BreakSink {
                sink: change.name("sink"),
                lasts: change.duration("lasts"),
            });
        }
        if let Some(command) = self.change_of_delivery(fields, top) {
            return Some(command);
        }
        if let Some(command) = super::queue_change::command(fields) {
            return Some(command);
        }
        if let Some(command) = change_of_workers(fields) {
            return Some(command);
        }
        if let Some(command) = self.change_of_consumer(fields, blueprint) {
            return Some(command);
        }
        self.operations_of_the_profile(fields);
        let (stream, operation) = super::kinesis::operation(fields)?;
        Some(Command::ChangeStream { stream, operation })
    }
}

/// A change of an application's workers.
fn change_of_workers(fields: &Fields) -> Option<Command> {
    let worker = |change: &Fields| change.maybe_u32("worker").and_then(|number| u16::try_from(number).ok());
    if let Some(change) = fields.table("kill_worker") {
        return Some(Command::KillWorker {
            application: change.name("of"),
            worker: worker(change),
        });
    }
    if let Some(change) = fields.table("pause_worker") {
        return Some(Command::PauseWorker {
            application: change.name("of"),
            worker: worker(change),
            lasts: change.duration("lasts"),
        });
    }
    if let Some(change) = fields.table("start_worker") {
        return Some(Command::StartWorkers {
            application: change.name("of"),
            workers: change.u32("workers"),
        });
    }
    let change = fields.table("deploy")?;
    Some(Command::Deploy {
        application: change.name("of"),
        every: change.duration("every"),
        takes: change.duration("takes"),
        graceful: change.flag("graceful"),
    })
}
