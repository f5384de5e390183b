//! How many may run: the account's concurrency quota and what functions reserve and provision of it.

use super::quotas::MINIMUM_UNRESERVED_CONCURRENCY;
use crate::engine::index::IndexVec;
use crate::ids::FunctionId;
use crate::observe::fact::ConcurrencyUse;

/// The concurrency of one account and Region.
///
/// Two sums decide everything. `in_progress` counts running invocations and never exceeds the quota (LAM-C-04).
/// `claimed` counts what is out of reach for functions that reserve nothing: their own invocations on demand and, for
/// each function, what it reserves or provisions, idle or not (LAM-C-06, LAM-C-09, LAM-C-33, LAM-V-04). An invocation
/// of a function that has lowered its reservation below what runs keeps its claim until it ends, so that no other
/// reservation suffers from the change.
#[derive(Clone, Debug)]
pub(super) struct AccountConcurrency {
    quota: u32,
    in_progress: u32,
    claimed: u64,
    /// The part of `claimed` that does not stand for invocations on demand of functions without a reservation.
    allocated: u64,
    functions: IndexVec<FunctionId, FunctionConcurrency>,
}

#[derive(Clone, Copy, Default, Debug)]
struct FunctionConcurrency {
    reserved: Option<u32>,
    /// Environments that are provisioned or under way to be.
    provisioned: u32,
    on_provisioned: u32,
    on_demand: u32,
}

impl FunctionConcurrency {
    const fn in_progress(self) -> u32 {
        self.on_provisioned + self.on_demand
    }
    /// Out of the others' reach, whether used or not (LAM-C-34: with both, the reservation counts).
    fn allocated(self) -> u64 {
        let provisioned = self.provisioned.max(self.on_provisioned);
        u64::from(match self.reserved {
            Some(reserved) => reserved.max(provisioned + self.on_demand),
            None => provisioned,
        })
    }
    fn claim(self) -> u64 {
        let beyond = if self.reserved.is_some() { 0 } else { self.on_demand };
        self.allocated() + u64::from(beyond)
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

/// More concurrency would be provisioned than there is (LAM-V-02, LAM-V-03).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProvisioningRefused {
    /// What the function asked for.
    pub requested: u32,
    /// The most that it could have had.
    pub available: u32,
}
impl core::fmt::Display for ProvisioningRefused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "a provisioned concurrency of {} is refused: {} is the most that the function's reserved concurrency, or what the account keeps unreserved, allows",
            self.requested, self.available
        )
    }
}
impl core::error::Error for ProvisioningRefused {}

impl AccountConcurrency {
    /// An account with so many functions, none of which reserves anything.
    pub(super) fn new(quota: u32, functions: usize) -> Self {
        Self {
            quota,
            in_progress: 0,
            claimed: 0,
            allocated: 0,
            functions: (0..functions).map(|_| FunctionConcurrency::default()).collect(),
        }
    }
    /// Whether one more invocation of the function may run on demand (LAM-V-05: beyond what is provisioned, in what the
    /// function reserves, else in what nobody does).
    #[inline]
    pub(super) fn has_room(&self, function: FunctionId) -> bool {
        let state = self.functions[function];
        let room = match state.reserved {
            Some(reserved) => state.on_demand + state.provisioned.max(state.on_provisioned) < reserved,
            None => self.claimed < u64::from(self.quota),
        };
        room && self.in_progress < self.quota
    }
    /// Occupies a place for an invocation that has been admitted.
    #[inline]
    pub(super) fn occupy(&mut self, function: FunctionId, provisioned: bool) {
        self.in_progress += 1;
        self.change(function, |state| {
            if provisioned {
                state.on_provisioned += 1;
            } else {
                state.on_demand += 1;
            }
        });
    }
    /// Gives back the place of an invocation that has ended.
    #[inline]
    pub(super) fn release(&mut self, function: FunctionId, provisioned: bool) {
        self.in_progress -= 1;
        self.change(function, |state| {
            if provisioned {
                state.on_provisioned -= 1;
            } else {
                state.on_demand -= 1;
            }
        });
    }
    /// Changes what a function reserves. A change that takes nothing from the others is always possible.
    pub(super) fn reserve(&mut self, function: FunctionId, reserved: Option<u32>) -> Result<(), ReservationRefused> {
        let available = self.available(function);
        let state = self.functions[function];
        let requested = reserved.unwrap_or(0);
        let too_much = requested > state.reserved.unwrap_or(0) && requested > available;
        if too_much || reserved.is_some_and(|reserved| reserved < state.provisioned) {
            return Err(ReservationRefused { requested, available });
        }
        self.change(function, |state| state.reserved = reserved);
        Ok(())
    }
    /// Changes how many environments a function has provisioned (LAM-V-02, LAM-V-03).
    pub(super) fn provision(&mut self, function: FunctionId, requested: u32) -> Result<(), ProvisioningRefused> {
        let state = self.functions[function];
        let available = state.reserved.unwrap_or_else(|| self.available(function));
        if requested > state.provisioned && requested > available {
            return Err(ProvisioningRefused { requested, available });
        }
        self.change(function, |state| state.provisioned = requested);
        Ok(())
    }
    /// What the function reserves.
    pub(super) fn reserved(&self, function: FunctionId) -> Option<u32> {
        self.functions[function].reserved
    }
    /// What invocations of the function are admitted against, and how much of it is in use.
    pub(super) fn usage(&self, function: FunctionId) -> ConcurrencyUse {
        let state = self.functions[function];
        let whole = |sum: u64| u32::try_from(sum).unwrap_or(u32::MAX);
        let (claimed, allocated) = (whole(self.claimed), whole(self.allocated));
        let unreserved = claimed.saturating_sub(allocated);
        let (used, limit) = match state.reserved {
            Some(limit) => (state.in_progress(), limit),
            None => (unreserved, self.quota.saturating_sub(allocated)),
        };
        ConcurrencyUse {
            reserved: state.reserved.is_some(),
            used,
            limit,
            unreserved,
            claimed,
        }
    }
    /// Running invocations of the function.
    #[inline]
    pub(super) fn in_progress(&self, function: FunctionId) -> u32 {
        self.functions[function].in_progress()
    }
    /// The most that the function may reserve, or provision without a reservation.
    fn available(&self, function: FunctionId) -> u32 {
        let of_others: u64 = self
            .functions
            .iter_enumerated()
            .filter(|&(id, _)| id != function)
            .map(|(_, state)| u64::from(state.reserved.unwrap_or(state.provisioned)))
            .sum();
        let all = u64::from(self.quota.saturating_sub(MINIMUM_UNRESERVED_CONCURRENCY));
        u32::try_from(all.saturating_sub(of_others)).unwrap_or(u32::MAX)
    }
    #[inline]
    fn change(&mut self, function: FunctionId, change: impl FnOnce(&mut FunctionConcurrency)) {
        let state = &mut self.functions[function];
        let before = *state;
        change(state);
        self.claimed = self.claimed - before.claim() + state.claim();
        self.allocated = self.allocated - before.allocated() + state.allocated();
    }
}
