//! Who may run: every limit that an invocation meets, in the order in which they are checked (LAM-U-27).

use super::concurrency::{AccountConcurrency, ProvisioningRefused, ReservationRefused};
use super::environment::{Environments, Occupied};
use super::request_rate::{RequestCeiling, of_concurrency};
use super::scaling::Scaling;
use crate::engine::index::IndexVec;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::FunctionId;
use crate::observe::fact::{ConcurrencyUse, ThrottleReason};
use crate::profile::Profile;

/// What the account and its Region allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// Which quotas hold.
    pub profile: Profile,
    /// Concurrency of the account (LAM-C-04).
    pub concurrency: u32,
    /// New environments that the Region may create at once (LAM-C-16, profile `exam`).
    pub region_burst: u32,
}

/// The limits of an account. Whoever is refused takes nothing from any of them.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    concurrency: AccountConcurrency,
    scaling: Scaling,
    /// Synchronous requests of all functions (LAM-C-18).
    requests: TokenBucket,
    functions: IndexVec<FunctionId, RequestRates>,
}

/// The requests a second of a function.
#[derive(Clone, Debug)]
struct RequestRates {
    /// What its reserved concurrency allows (LAM-C-19).
    reserved: Option<TokenBucket>,
    /// What its provisioned concurrency takes; more spills over (LAM-V-06).
    provisioned: Option<TokenBucket>,
    /// How fast they may rise (LAM-C-11); not limited formerly (LAM-U-24).
    ceiling: Option<RequestCeiling>,
}

impl Admission {
    pub(super) fn new(account: Account, functions: usize) -> Self {
        let rates = RequestRates {
            reserved: None,
            provisioned: None,
            ceiling: (account.profile == Profile::Current).then(RequestCeiling::new),
        };
        Self {
            concurrency: AccountConcurrency::new(account.concurrency, functions),
            scaling: Scaling::new(account.profile, account.region_burst, functions),
            requests: of_concurrency(account.concurrency),
            functions: (0..functions).map(|_| rates.clone()).collect(),
        }
    }
    /// Admits an invocation of the function and gives it an environment. Synchronous requests, a mapping's among them
    /// (LAM-U-26), also count against the rates; asynchronous ones do not (LAM-C-22).
    #[inline]
    pub(super) fn admit(
        &mut self,
        function: FunctionId,
        synchronous: bool,
        environments: &mut Environments,
        now: SimTime,
    ) -> Result<Occupied, ThrottleReason> {
        if synchronous {
            self.check_rates(function, now)?;
        }
        let occupied = if self.may_use_provisioned(function, synchronous, environments, now)
            && let Some(occupied) = environments.occupy_provisioned()
        {
            self.concurrency.occupy(function, true);
            occupied
        } else {
            self.check_concurrency(function)?;
            if !environments.has_idle(now) && !self.scaling.try_take(function, now) {
                return Err(ThrottleReason::EnvironmentScaling);
            }
            self.concurrency.occupy(function, false);
            environments.occupy(now)
        };
        if synchronous {
            self.take_rates(function, occupied.environment.provisioned);
        }
        Ok(occupied)
    }
    /// Gives back the place of an invocation that has ended.
    #[inline]
    pub(super) fn release(&mut self, function: FunctionId, provisioned: bool) {
        self.concurrency.release(function, provisioned);
    }
    /// Changes what a function reserves (LAM-C-06).
    pub(super) fn reserve(&mut self, function: FunctionId, reserved: Option<u32>) -> Result<(), ReservationRefused> {
        self.concurrency.reserve(function, reserved)?;
        // Nothing at all is reserved with zero, and the concurrency says so.
        self.functions[function].reserved = reserved.filter(|&reserved| reserved > 0).map(of_concurrency);
        Ok(())
    }
    /// Sets aside concurrency for provisioned environments, from the request on.
    pub(super) fn provision(&mut self, function: FunctionId, executions: u32) -> Result<(), ProvisioningRefused> {
        self.concurrency.provision(function, executions)
    }
    /// So many provisioned environments may be used from now on.
    pub(super) fn provisioned(&mut self, function: FunctionId, executions: u32) {
        self.functions[function].provisioned = (executions > 0).then(|| of_concurrency(executions));
    }
    /// How long it takes to allocate so many environments (LAM-V-09, LAM-H-06).
    pub(super) fn allocation_time(&mut self, environments: u32, now: SimTime) -> SimDuration {
        self.scaling.provision(environments, now)
    }
    /// What the function reserves.
    pub(super) fn reserved(&self, function: FunctionId) -> Option<u32> {
        self.concurrency.reserved(function)
    }
    /// What invocations of the function are admitted against, and how much of it is in use.
    pub(super) fn usage(&self, function: FunctionId) -> ConcurrencyUse {
        self.concurrency.usage(function)
    }
    /// Running invocations of the function.
    #[inline]
    pub(super) fn in_progress(&self, function: FunctionId) -> u32 {
        self.concurrency.in_progress(function)
    }

    #[inline]
    fn check_rates(&mut self, function: FunctionId, now: SimTime) -> Result<(), ThrottleReason> {
        if !self.requests.holds(now, 1) {
            return Err(ThrottleReason::CallerRate);
        }
        let rates = &mut self.functions[function];
        if rates.reserved.as_mut().is_some_and(|bucket| !bucket.holds(now, 1)) {
            return Err(ThrottleReason::ReservedRate);
        }
        if rates.ceiling.as_mut().is_some_and(|ceiling| !ceiling.has_room(now)) {
            return Err(ThrottleReason::RequestScaling);
        }
        Ok(())
    }
    #[inline]
    fn take_rates(&mut self, function: FunctionId, provisioned: bool) {
        self.requests.take(1);
        let rates = &mut self.functions[function];
        let of_provisioned = rates.provisioned.as_mut().filter(|_| provisioned);
        for bucket in rates.reserved.as_mut().into_iter().chain(of_provisioned) {
            bucket.take(1);
        }
        if let Some(ceiling) = &mut rates.ceiling {
            ceiling.take();
        }
    }
    #[inline]
    fn may_use_provisioned(
        &mut self,
        function: FunctionId,
        synchronous: bool,
        environments: &Environments,
        now: SimTime,
    ) -> bool {
        environments.has_idle_provisioned()
            && (!synchronous
                || self.functions[function]
                    .provisioned
                    .as_mut()
                    .is_some_and(|bucket| bucket.holds(now, 1)))
    }
    #[inline]
    fn check_concurrency(&self, function: FunctionId) -> Result<(), ThrottleReason> {
        if self.concurrency.has_room(function) {
            return Ok(());
        }
        Err(match self.concurrency.reserved(function) {
            Some(_) => ThrottleReason::ReservedConcurrency,
            None => ThrottleReason::Concurrency,
        })
    }
}
