//! How close a run came to the limits that its scenario has.

use crate::account::{Account, FunctionAccount, LimitUse, ShardAccount, StreamAccount};
use crate::text::{count, counted};
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimTime;

/// Every limit, those of a stream for its fullest shard.
pub(super) fn headroom(account: &Account) -> Vec<LimitUse> {
    let streams = account
        .streams
        .iter()
        .flat_map(|stream| [records(stream), bytes(stream)]);
    let functions = account
        .functions
        .iter()
        .map(|function| Some(concurrency(account, function)));
    streams.chain(functions).flatten().collect()
}

/// The shard that came closest, by some measure.
fn fullest(stream: &StreamAccount, peak: fn(&ShardAccount) -> u64) -> Option<&ShardAccount> {
    stream
        .shards
        .iter()
        .max_by_key(|shard| (peak(shard), core::cmp::Reverse(&shard.id)))
}

fn records(stream: &StreamAccount) -> Option<LimitUse> {
    let shard = fullest(stream, |shard| shard.peak_records_per_second)?;
    let (peak, limit) = (shard.peak_records_per_second, stream.limit_records_per_second);
    Some(LimitUse {
        limit: "records that a shard stores in a second".to_owned(),
        of: format!("{} of {}", shard.id, stream.name),
        peak: counted(peak, "record"),
        allowed: count(limit),
        used_per_mille: per_mille(peak, limit),
        first_reached: shard.first_throttle,
        reached_at_load: at_load(peak, limit, shard.first_throttle),
        fact: "KDS-W-01",
    })
}

fn bytes(stream: &StreamAccount) -> Option<LimitUse> {
    let shard = fullest(stream, |shard| shard.peak_bytes_per_second)?;
    let (peak, limit) = (shard.peak_bytes_per_second, stream.limit_bytes_per_second);
    Some(LimitUse {
        limit: "bytes that a shard stores in a second".to_owned(),
        of: format!("{} of {}", shard.id, stream.name),
        peak: ByteCount(peak).to_string(),
        allowed: ByteCount(limit).to_string(),
        used_per_mille: per_mille(peak, limit),
        first_reached: None,
        reached_at_load: at_load(peak, limit, None),
        fact: "KDS-W-02",
    })
}

fn concurrency(account: &Account, function: &FunctionAccount) -> LimitUse {
    let course = account
        .course
        .functions
        .iter()
        .find(|course| course.name == function.name);
    let (limit, is_reserved) = course.map_or((0, false), |course| (course.concurrency_limit, course.is_reserved));
    let peak = u64::from(function.concurrent_max);
    LimitUse {
        limit: if is_reserved {
            "invocations at one time, reserved".to_owned()
        } else {
            "invocations at one time, of the account".to_owned()
        },
        of: function.name.clone(),
        peak: counted(peak, "invocation"),
        allowed: count(limit),
        used_per_mille: per_mille(peak, limit),
        first_reached: function.first_throttle,
        reached_at_load: at_load(peak, limit, function.first_throttle),
        fact: if is_reserved { "LAM-C-06" } else { "LAM-C-04" },
    }
}

fn per_mille(peak: u64, limit: u64) -> u64 {
    let used = u128::from(peak) * 1_000 / u128::from(limit.max(1));
    u64::try_from(used).unwrap_or(u64::MAX)
}

/// The multiple of the load at which the peak would be the limit, if use grows with load.
fn at_load(peak: u64, limit: u64, reached: Option<SimTime>) -> String {
    if reached.is_some() || peak >= limit {
        return "as it is".to_owned();
    }
    let tenths = u128::from(limit) * 10 / u128::from(peak.max(1));
    match tenths {
        0..1_000 => format!("{}.{} times", tenths / 10, tenths % 10),
        _ => format!("{} times", count(u64::try_from(tenths / 10).unwrap_or(u64::MAX))),
    }
}
