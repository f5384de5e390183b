//! Observers: everything a run says about itself is a fold over facts.

pub mod counts;
pub mod fact;
pub mod holdings;
pub mod latency;
pub mod ordering;
pub mod ordinals;
pub mod positions;
pub mod recent;
#[cfg(test)]
mod sample;
pub mod verdict;

use crate::engine::time::SimTime;
use fact::Fact;

/// Something that listens to a run.
pub trait Probe {
    /// Takes note of a fact.
    fn on(&mut self, now: SimTime, fact: &Fact<'_>);
}
