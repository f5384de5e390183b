//! Requests whose records are known by nothing but the instant at which they were stored.
//!
//! Where a request leaves one or two records in each of many shards, a run of positions for each shard would be as many
//! runs as records. Such a request has an instant of its own, and all its records arrived then.

use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::observe::fact::Sends;

/// Places of the index for each request that there may be before old ones are looked for: most are found at once.
const PLACES_EACH: usize = 4;

/// Requests, found by the instant at which their records were stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    /// In order of their instants.
    all: Vec<(SimTime, Sends)>,
    /// By a hash of the instant: the number of a request, from 1, or of one that was pushed on by another. A power of two.
    index: Vec<u32>,
}

impl Requests {
    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
    /// When the records of the last one were stored.
    pub(super) fn last_at(&self) -> Option<SimTime> {
        self.all.last().map(|&(at, _)| at)
    }
    /// Whether there is no room for another one, so that old ones had better be forgotten.
    pub(super) const fn is_full(&self) -> bool {
        (self.all.len() + 1) * PLACES_EACH > self.index.len()
    }
    /// Forgets those whose records were stored before an instant, and makes room for as many as are left.
    pub(super) fn forget_before(&mut self, instant: SimTime) {
        let passed = self.all.partition_point(|&(at, _)| at < instant);
        self.all.drain(..passed);
        let places = (2 * PLACES_EACH * (self.all.len() + 16)).next_power_of_two();
        self.index.clear();
        self.index.resize(places, 0);
        for number in 0..self.all.len() {
            self.enter(number);
        }
    }
    /// Adds one that is later than all others. There must be room.
    pub(super) fn add(&mut self, at: SimTime, sends: Sends) {
        self.all.push((at, sends));
        self.enter(self.all.len() - 1);
    }
    fn enter(&mut self, number: usize) {
        let mut place = self.place(self.all[number].0);
        while self.index[place] > 0 {
            place = (place + 1) % self.index.len();
        }
        self.index[place] = to_u32(number) + 1;
    }
    #[inline]
    fn place(&self, at: SimTime) -> usize {
        let spread = at.as_nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        to_usize(u32::try_from(spread).unwrap_or(0)) & (self.index.len() - 1)
    }
    /// When the records were sent that were stored at an instant, if a request is known that stored them.
    #[inline]
    pub(super) fn find(&self, at: SimTime) -> Option<Sends> {
        if self.index.is_empty() {
            return None;
        }
        let mut place = self.place(at);
        loop {
            let number = to_usize(*self.index.get(place)?).checked_sub(1)?;
            let &(stored_at, sends) = self.all.get(number)?;
            if stored_at == at {
                return Some(sends);
            }
            place = (place + 1) & (self.index.len() - 1);
        }
    }
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_by_its_instant_until_it_is_forgotten() {
        let mut requests = Requests::default();
        let instant = |number: u64| SimTime::from_nanos(number * number * 977);
        let sends = |number: u64| Sends {
            first_at: SimTime::from_nanos(number),
            at: SimTime::from_nanos(2 * number),
        };
        let mut since = 0;
        for number in 0..3_000 {
            if requests.is_full() {
                since = number / 2;
                requests.forget_before(instant(since));
            }
            requests.add(instant(number), sends(number));
        }
        assert!(since > 1_000, "some have been forgotten");
        assert_eq!(requests.len(), 3_000 - usize::try_from(since).expect("it is small"));
        for number in 1..3_000 {
            let known = (number >= since).then(|| sends(number).at);
            assert_eq!(requests.find(instant(number)).map(|sends| sends.at), known, "{number}");
            assert!(
                requests
                    .find(instant(number) + crate::engine::time::SimDuration::MIN)
                    .is_none()
            );
        }
    }
}
