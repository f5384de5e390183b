//! How close a run came to the limits that its scenario has.

use crate::account::LimitUse;
use crate::text::{count, counted};
use sim::directory::Directory;
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimDuration;
use sim::observe::Observers;
use sim::observe::headroom::{AtLimit, Headroom, Limit, Row, Unit};

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

/// The multiple of the load at which the peak would be the limit, if use grows with load; else what it grows with.
fn at_load(row: &Row) -> String {
    match row.load_per_mille() {
        None if row.hit_at.is_some() => "as it is".to_owned(),
        None if row.limit == Limit::FunctionTimeout => "not by load: grows with batch and sink".to_owned(),
        None if row.limit == Limit::Retention => "not by load: grows while readers lag".to_owned(),
        None => "unknown: nothing was used".to_owned(),
        Some(..=1_000) => "as it is".to_owned(),
        Some(load @ ..100_000) => format!("{}.{} times", load / 1_000, load % 1_000 / 100),
        Some(load) => format!("{} times", count(load / 1_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::engine::time::SimTime;

    fn told(limit: Limit, used: u64, hit_at: Option<SimTime>) -> String {
        at_load(&Row {
            limit,
            component: None,
            shard: None,
            allowed: 1_000,
            used,
            hit_at,
            uses: 1,
            at_limit: u64::from(hit_at.is_some()),
        })
    }

    /// LAM-C-26, KDS-RET-10: a time does not grow in proportion to the load, so no multiple of the load is claimed.
    #[test]
    fn a_limit_of_time_says_what_it_grows_with_instead_of_a_load() {
        assert_eq!(
            told(Limit::FunctionTimeout, 500, None),
            "not by load: grows with batch and sink"
        );
        assert_eq!(
            told(Limit::Retention, 500, None),
            "not by load: grows while readers lag"
        );
        for limit in [Limit::FunctionTimeout, Limit::Retention, Limit::ShardWriteRecords] {
            assert_eq!(told(limit, 1_000, Some(SimTime::ZERO)), "as it is");
        }
        assert_eq!(told(Limit::ShardWriteRecords, 500, None), "2.0 times");
        assert_eq!(told(Limit::ShardWriteRecords, 0, None), "unknown: nothing was used");
    }
}
