//! Who may run: the account's concurrency quota and what functions reserve of it.

use crate::engine::index::IndexVec;
use crate::ids::FunctionId;
use crate::observe::fact::ConcurrencyUse;

/// So much of the account's quota always stays unreserved (LAM-C-07).
pub const MINIMUM_UNRESERVED_CONCURRENCY: u32 = 100;

/// The concurrency of one account and Region.
///
/// Two sums decide everything. `in_progress` counts running invocations and never exceeds the quota (LAM-C-04).
/// `claimed` counts what is out of reach for functions that reserve nothing: their own invocations and, for each
/// function that reserves, its reservation, idle or not (LAM-C-06, LAM-C-09, LAM-C-33). An invocation of a function
/// that has lowered its reservation below what runs keeps its claim until it ends, so that no other reservation
/// suffers from the change.
#[derive(Clone, Debug)]
pub(super) struct AccountConcurrency {
    quota: u32,
    in_progress: u32,
    claimed: u64,
    functions: IndexVec<FunctionId, FunctionConcurrency>,
}

#[derive(Clone, Copy, Default, Debug)]
struct FunctionConcurrency {
    reserved: Option<u32>,
    in_progress: u32,
}

impl FunctionConcurrency {
    fn claim(self) -> u64 {
        u64::from(self.in_progress.max(self.reserved.unwrap_or(0)))
    }
}

/// A reservation would leave too little for functions that reserve nothing (LAM-C-07).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReservationRefused {
    /// What the function asked for.
    pub requested: u32,
    /// The most that it could have had.
    pub available: u32,
}
impl core::fmt::Display for ReservationRefused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "a reserved concurrency of {} is refused: {} is the most that leaves {MINIMUM_UNRESERVED_CONCURRENCY} of the account's concurrency unreserved",
            self.requested, self.available
        )
    }
}
impl core::error::Error for ReservationRefused {}

impl AccountConcurrency {
    /// An account with so many functions, none of which reserves anything.
    pub(super) fn new(quota: u32, functions: usize) -> Self {
        Self {
            quota,
            in_progress: 0,
            claimed: 0,
            functions: (0..functions).map(|_| FunctionConcurrency::default()).collect(),
        }
    }
    /// Occupies a place for an invocation of the function, if there is one.
    #[inline]
    pub(super) fn admit(&mut self, function: FunctionId) -> bool {
        let state = &mut self.functions[function];
        let room = match state.reserved {
            Some(reserved) => state.in_progress < reserved,
            None => self.claimed < u64::from(self.quota),
        };
        if !room || self.in_progress >= self.quota {
            return false;
        }
        let before = state.claim();
        state.in_progress += 1;
        self.in_progress += 1;
        self.claimed += state.claim() - before;
        true
    }
    /// Gives back the place of an invocation that has ended.
    #[inline]
    pub(super) fn release(&mut self, function: FunctionId) {
        let state = &mut self.functions[function];
        let before = state.claim();
        state.in_progress -= 1;
        self.in_progress -= 1;
        self.claimed -= before - state.claim();
    }
    /// Changes what a function reserves. A change that takes nothing from the others is always possible.
    pub(super) fn reserve(&mut self, function: FunctionId, reserved: Option<u32>) -> Result<(), ReservationRefused> {
        let of_others: u64 = self
            .functions
            .iter_enumerated()
            .filter(|&(id, _)| id != function)
            .map(|(_, state)| u64::from(state.reserved.unwrap_or(0)))
            .sum();
        let available = u64::from(self.quota.saturating_sub(MINIMUM_UNRESERVED_CONCURRENCY)).saturating_sub(of_others);
        let state = &mut self.functions[function];
        let requested = reserved.unwrap_or(0);
        if requested > state.reserved.unwrap_or(0) && u64::from(requested) > available {
            return Err(ReservationRefused {
                requested,
                available: u32::try_from(available).unwrap_or(u32::MAX),
            });
        }
        let before = state.claim();
        state.reserved = reserved;
        self.claimed = self.claimed - before + state.claim();
        Ok(())
    }
    /// What invocations of the function are admitted against, and how much of it is in use.
    pub(super) fn usage(&self, function: FunctionId) -> ConcurrencyUse {
        let state = self.functions[function];
        if let Some(limit) = state.reserved {
            return ConcurrencyUse {
                reserved: true,
                used: state.in_progress,
                limit,
            };
        }
        let reserving = self.functions.iter().filter(|state| state.reserved.is_some());
        let taken = u32::try_from(reserving.map(|state| state.claim()).sum::<u64>()).unwrap_or(u32::MAX);
        let claimed = u32::try_from(self.claimed).unwrap_or(u32::MAX);
        ConcurrencyUse {
            reserved: false,
            used: claimed.saturating_sub(taken),
            limit: self.quota.saturating_sub(taken),
        }
    }
    /// Running invocations of the function.
    #[inline]
    pub(super) fn in_progress(&self, function: FunctionId) -> u32 {
        self.functions[function].in_progress
    }
}
