//! What components do in a step, taken as the growth of their totals.

use super::steps::{Grid, Step, Steps};
use crate::engine::time::SimDuration;
use crate::observe::counts::{FunctionCounts, ProducerCounts, ShardCounts};
use crate::observe::ordering::{Ordering, Place};
use crate::observe::verdict::Anomaly;

/// What has totals.
pub(super) trait Total: Step {
    /// The growth since an earlier total. Maxima are no totals and stay empty.
    fn since(&self, earlier: &Self) -> Self;
}

macro_rules! sums {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),* $(,)? } max { $($(#[$max_doc:meta])* $max:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: u64,)*
            $($(#[$max_doc])* pub $max: $kind,)*
        }
        impl Step for $name {
            fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
                $(self.$max = self.$max.max(other.$max);)*
            }
        }
        impl Total for $name {
            fn since(&self, earlier: &Self) -> Self {
                Self {
                    $($field: self.$field.saturating_sub(earlier.$field),)*
                    $($max: Default::default(),)*
                }
            }
        }
    };
}

sums! {
    /// What a producer did in a step, in records.
    ProducerStep {
        /// Handed to the client.
        produced,
        /// Given up.
        given_up,
        /// Scheduled to be sent again, by whoever repeats.
        sent_again,
    } max {}
}
sums! {
    /// What a shard did in a step.
    ShardStep {
        /// Entries stored.
        accepted,
        /// Their bytes.
        bytes,
        /// Entries refused for throughput.
        throttled,
    } max {}
}
sums! {
    /// What a reader did in a step.
    ReaderStep {
        /// Records done.
        acknowledged,
    } max {
        /// Greatest `MillisBehindLatest`, in milliseconds; `None` without a read.
        millis_behind_max: Option<u64>,
    }
}
sums! {
    /// What a function did in a step, in invocations.
    FunctionStep {
        /// Started.
        started,
        /// Ended in an error or the timeout.
        failed,
        /// Refused for concurrency.
        throttled,
        /// Needed a new environment.
        cold_starts,
    } max {
        /// Most at one time.
        concurrent_max: u64,
        /// Greatest `IteratorAge` (LAM-M-06); `None` without an invocation.
        iterator_age_max: Option<SimDuration>,
    }
}
sums! {
    /// What became of records where a function's effects complete, in a step.
    EffectStep {
        /// Took effect, each time counted.
        delivered,
        /// Of these after a later record of their key.
        out_of_order,
        /// Of these not for the first time.
        duplicates,
    } max {}
}

/// Steps of a component, and the totals up to the last settled instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Growth<S> {
    pub(super) steps: Steps<S>,
    before: S,
}

impl<S: Step> Growth<S> {
    pub(super) fn new(grid: Grid) -> Self {
        Self {
            steps: Steps::new(grid),
            before: S::default(),
        }
    }
}
impl<S: Total> Growth<S> {
    pub(super) fn settle(&mut self, total: S) {
        let grown = total.since(&self.before);
        self.steps.open().add(&grown);
        self.before = total;
    }
}

/// The totals of a producer.
pub(super) fn producer(total: &ProducerCounts) -> ProducerStep {
    ProducerStep {
        produced: total.produced,
        given_up: total.given_up(),
        sent_again: total.repeated_by_sdk + total.resent_by_application,
    }
}
/// The totals of a shard.
pub(super) const fn shard(total: &ShardCounts) -> ShardStep {
    ShardStep {
        accepted: total.accepted,
        bytes: total.bytes,
        throttled: total.throttled,
    }
}
/// The totals of a function.
pub(super) const fn function(total: &FunctionCounts) -> FunctionStep {
    FunctionStep {
        started: total.started,
        failed: total.errors + total.timeouts,
        throttled: total.throttles,
        cold_starts: total.cold_starts,
        concurrent_max: 0,
        iterator_age_max: None,
    }
}
/// The totals where effects complete.
pub(super) fn effects(ordering: &Ordering, place: Place) -> EffectStep {
    let counts = ordering.counts(place);
    EffectStep {
        delivered: ordering.delivered(place),
        out_of_order: counts.of(Anomaly::NonmonotonicExternal) + counts.of(Anomaly::NonmonotonicInternal),
        duplicates: counts.of(Anomaly::Duplicate),
    }
}
