//! Observers: everything a run says about itself is a fold over facts.

pub mod fact;
pub mod holdings;

use crate::engine::time::SimTime;
use fact::Fact;

/// Something that listens to a run.
pub trait Probe {
    /// Takes note of a fact.
    fn on(&mut self, now: SimTime, fact: &Fact<'_>);
}
pub mod conservation;
pub use conservation::Tmp as Observers;
