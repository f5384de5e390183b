//! How close a run came to the limits that its scenario has.

use crate::account::LimitUse;
use crate::text::{count, counted};
use sim::directory::Directory;
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimDuration;
use sim::observe::Observers;
use sim::observe::headroom::{AtLimit, Headroom, Row, Unit};

/// Every limit that the run met, the most urgent first; those of a stream for its fullest shard.
pub(super) fn headroom(observers: &Observers, directory: &Directory) -> Vec<LimitUse> {
    let rows = observers.headroom.as_ref().map(Headroom::rows);
    rows.into_iter()
        .flatten()
        .map(|row| limit_use(&row, directory))
        .collect()
}

fn limit_use(row: &Row, directory: &Directory) -> LimitUse {
    let component = row
        .component
        .map_or_else(|| "the account".to_owned(), |component| directory.label(component));
    let unit = row.limit.unit();
    LimitUse {
        limit: row.limit.name().to_owned(),
        key: row.limit.key(),
        of: match row.shard {
            Some(shard) => format!("{shard} of {component}"),
            None => component.clone(),
        },
        component,
        shard: row.shard.map(|shard| shard.to_string()),
        unit: unit.key(),
        peak: quantity(row.used, unit),
        peak_value: row.used,
        allowed: quantity(row.allowed, unit),
        allowed_value: row.allowed,
        used_per_mille: row.used_per_mille(),
        hurts: row.limit.at_limit() == AtLimit::Hurts,
        first_reached: row.hit_at,
        uses: row.uses,
        uses_at_limit: row.at_limit,
        reached_at_load: at_load(row),
        reached_at_load_per_mille: row.load_per_mille(),
        fact: row.limit.fact(),
    }
}

/// A quantity with its unit.
fn quantity(value: u64, unit: Unit) -> String {
    match unit {
        Unit::RecordsPerSecond => format!("{}/s", counted(value, "record")),
        Unit::BytesPerSecond => format!("{}/s", ByteCount(value)),
        Unit::CallsPerSecond => format!("{}/s", counted(value, "call")),
        Unit::Invocations => counted(value, "invocation"),
        Unit::Nanoseconds => SimDuration::from_nanos(value).to_string(),
        Unit::Records => counted(value, "record"),
        Unit::Bytes => ByteCount(value).to_string(),
    }
}

/// The multiple of the load at which the peak would be the limit, if use grows with load.
fn at_load(row: &Row) -> String {
    match row.load_per_mille() {
        None if row.hit_at.is_some() => "as it is".to_owned(),
        None => "not by load alone".to_owned(),
        Some(..=1_000) => "as it is".to_owned(),
        Some(load @ ..100_000) => format!("{}.{} times", load / 1_000, load % 1_000 / 100),
        Some(load) => format!("{} times", count(load / 1_000)),
    }
}
