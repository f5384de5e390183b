//! Where the time of records went.

use super::spread;
use crate::account::CauseAccount;
use sim::engine::time::SimDuration;
use sim::ids::ProcessorId;
use sim::observe::Observers;
use sim::observe::causes::Cause;

/// The causes that took time of records that took effect through a processor, in the order in which records meet them.
pub(super) fn causes(observers: &Observers, processor: ProcessorId) -> Vec<CauseAccount> {
    let Some(place) = observers.causes.as_ref().and_then(|causes| causes.of(processor)) else {
        return Vec::new();
    };
    let total = place.total();
    Cause::ALL
        .into_iter()
        .map(|cause| (cause, place.of(cause)))
        .filter(|(_, times)| times.max().is_some_and(|max| max > SimDuration::ZERO))
        .map(|(cause, times)| CauseAccount {
            key: cause.key(),
            name: cause.name(),
            time: spread(times),
            total_ns: times.sum(),
            share_per_mille: (times.sum() * 1_000)
                .checked_div(total)
                .and_then(|share| u64::try_from(share).ok())
                .unwrap_or(0),
        })
        .collect()
}
