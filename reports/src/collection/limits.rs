//! Limits that change during a run.

use crate::course::ConcurrencyLimit;
use sim::blueprint::Blueprint;
use sim::command::{Command, Intervention};
use sim::engine::time::SimTime;
use std::collections::BTreeMap;

/// How many invocations of a function there may be at one time, from the start and from each change until `now` on. Changes come in
/// order of time.
///
/// A function that reserves nothing shares what the others leave (LAM-C-09), so their changes are its own.
pub(super) fn concurrency(
    function: &str,
    blueprint: &Blueprint,
    changes: &[&Intervention],
    now: SimTime,
) -> Vec<ConcurrencyLimit> {
    let functions = blueprint.functions.iter();
    let mut reserved: BTreeMap<&str, Option<u32>> = functions
        .map(|function| (function.name.as_str(), function.reserved_concurrency))
        .collect();
    let limit = |reserved: &BTreeMap<&str, Option<u32>>, from| {
        let own = reserved.get(function).copied().flatten();
        let all: u64 = reserved.values().flatten().map(|one| u64::from(*one)).sum();
        ConcurrencyLimit {
            from,
            invocations: own.map_or(u64::from(blueprint.account_concurrency).saturating_sub(all), u64::from),
            is_reserved: own.is_some(),
        }
    };
    let mut limits = vec![limit(&reserved, SimTime::ZERO)];
    for change in changes.iter().filter(|change| change.at <= now) {
        let Command::SetReservedConcurrency { function, limit: new } = &change.command else {
            continue;
        };
        reserved.insert(function, *new);
        let next = limit(&reserved, change.at);
        let last = limits.last().copied().unwrap_or(next);
        if (last.invocations, last.is_reserved) != (next.invocations, next.is_reserved) {
            limits.retain(|earlier| earlier.from < change.at);
            limits.push(next);
        }
    }
    limits
}
