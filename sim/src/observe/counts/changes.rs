//! What happened to a stream itself, in order of time.

use crate::engine::time::SimTime;
use crate::observe::fact::StreamChange;

/// Changes that are kept one by one.
const KEPT: usize = 1_000;

/// Changes of a stream: so many of the first ones, and how many there were of each kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// The first ones, with their instants.
    pub first: Vec<(SimTime, StreamChange)>,
    /// Shards opened in the place of others.
    pub opened: u64,
    /// Shards closed.
    pub closed: u64,
    /// Closed shards that have expired.
    pub expired: u64,
    /// Shards that a stream in on-demand mode split by itself.
    pub scaled_out: u64,
    /// Changes that were asked for and refused.
    pub refused: u64,
    /// Registrations of consumers that were refused.
    pub consumers_refused: u64,
}

impl Changes {
    pub(super) fn note(&mut self, now: SimTime, change: StreamChange) {
        match change {
            StreamChange::ShardOpened { .. } => self.opened += 1,
            StreamChange::ShardClosed { .. } => self.closed += 1,
            StreamChange::ShardExpired { .. } => self.expired += 1,
            StreamChange::ScaledOut { .. } => self.scaled_out += 1,
            StreamChange::Refused { .. } => self.refused += 1,
            StreamChange::ConsumerRefused { .. } => self.consumers_refused += 1,
            StreamChange::Accepted { .. } | StreamChange::Completed { .. } | StreamChange::ConsumerChanged { .. } => {}
        }
        if self.first.len() < KEPT {
            self.first.push((now, change));
        }
    }
}
