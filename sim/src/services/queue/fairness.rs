//! Fair queues: messages of tenants that keep the consumers busy wait behind those of the others (SQS-Q).
//!
//! A queue whose senders state a MessageGroupId keeps a line for each tenant. The sampling of servers, which has no
//! documented bearing on fairness, is left out there: every receive sees all lines.

use super::message::{GROUPED, List, Messages, RETURNED, State};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::queue_fact::Quiet;
use crate::record::KeyId;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Messages in flight below which a tenant is not noisy by its share of them (SQS-Q-04).
const IN_FLIGHT_MIN: u64 = 30;
/// A tenant is noisy with more than a tenth (SQS-Q-04, SQS-Q-05).
const SHARE: u64 = 10;
/// A tenant without a message in flight for so long is quiet again (SQS-Q-11).
const CALM: SimDuration = SimDuration::from_minutes(5);
/// The processing time of so many seconds counts as recent (SQS-Z-18).
const RECENT: u64 = 60;
const SECOND: u64 = 1_000_000_000;

/// The messages of a tenant.
#[derive(Clone, Debug, Default)]
struct Tenant {
    line: List,
    returned: BTreeSet<(SimTime, u64)>,
    available: u64,
    in_flight: u64,
    delayed: u64,
    /// Recent processing time in nanoseconds.
    time: u64,
    last_in_flight: SimTime,
    noisy: bool,
    /// The entry under which it waits to be served.
    filed: Option<(u64, SimTime, u64)>,
}

/// The tenants of a queue. The first one stands for all messages without a MessageGroupId, each a tenant of its own
/// (SQS-Q-03): it is never noisy.
#[derive(Clone, Debug)]
pub(super) struct Tenants {
    /// By key: its text's group, which is the tenant. A key that is not listed stands for itself.
    groups: Arc<[u32]>,
    tenants: Vec<Tenant>,
    /// Tenants with something available, quiet ones by the place of their first message, then the noisy ones by what
    /// they have in flight (SQS-Q-09).
    waiting: BTreeSet<(bool, u64, SimTime, u64, u32)>,
    noisy: BTreeSet<u32>,
    by_in_flight: BTreeSet<(u64, u32)>,
    by_time: BTreeSet<(u64, u32)>,
    in_flight: u64,
    time: u64,
    /// Processing time by second, the oldest first: the second, the tenant, nanoseconds.
    recent: VecDeque<(u64, u32, u64)>,
}

impl Tenants {
    pub(super) fn new(groups: Arc<[u32]>) -> Self {
        Self {
            groups,
            tenants: vec![Tenant::default()],
            waiting: BTreeSet::new(),
            noisy: BTreeSet::new(),
            by_in_flight: BTreeSet::new(),
            by_time: BTreeSet::new(),
            in_flight: 0,
            time: 0,
            recent: VecDeque::new(),
        }
    }
    pub(super) fn memory(&self) -> u64 {
        let tenants = self.tenants.capacity() * size_of::<Tenant>();
        let recent = self.recent.capacity() * size_of::<(u64, u32, u64)>();
        u64::try_from(tenants + recent).unwrap_or(u64::MAX)
    }
    /// The tenant of a message.
    fn tenant(&mut self, position: u64, messages: &Messages) -> u32 {
        let message = messages.get(position);
        if !message.has(GROUPED) {
            return 0;
        }
        let KeyId(key) = message.key;
        let tenant = self.groups.get(to_usize(key)).copied().unwrap_or(key) + 1;
        if self.tenants.len() <= to_usize(tenant) {
            self.tenants.resize(to_usize(tenant) + 1, Tenant::default());
        }
        tenant
    }
    fn of(&mut self, tenant: u32) -> &mut Tenant {
        &mut self.tenants[to_usize(tenant)]
    }
    /// Files a tenant anew.
    fn file(&mut self, tenant: u32, messages: &Messages) {
        let own = &mut self.tenants[to_usize(tenant)];
        if let Some((rank, key, position)) = own.filed.take() {
            // Its entry may stand on either side.
            self.waiting.remove(&(false, rank, key, position, tenant));
            self.waiting.remove(&(true, rank, key, position, tenant));
        }
        let new = own.line.first.map(|position| (messages.get(position).at, position));
        let Some((key, position)) = new.into_iter().chain(own.returned.first().copied()).min() else {
            return;
        };
        let rank = if own.noisy { own.in_flight } else { 0 };
        own.filed = Some((rank, key, position));
        self.waiting.insert((own.noisy, rank, key, position, tenant));
    }

    /// A message is delayed, or was.
    pub(super) fn delayed(&mut self, position: u64, more: bool, messages: &Messages) {
        let tenant = self.tenant(position, messages);
        let own = self.of(tenant);
        own.delayed = if more { own.delayed + 1 } else { own.delayed - 1 };
    }
    /// A message is available: at the end of its tenant's line, or where its age puts it.
    pub(super) fn add(&mut self, position: u64, messages: &mut Messages, now: SimTime, back: bool) {
        let tenant = self.tenant(position, messages);
        let message = messages.get_mut(position);
        message.state = State::Available;
        let own = &mut self.tenants[to_usize(tenant)];
        own.available += 1;
        if back {
            message.at = message.sent_at;
            message.flags |= RETURNED;
            own.returned.insert((message.sent_at, position));
        } else {
            message.at = now;
            message.flags &= !RETURNED;
            messages.append(position, &mut own.line);
        }
        self.file(tenant, messages);
    }
    /// A message that is available is no longer.
    pub(super) fn remove(&mut self, position: u64, messages: &mut Messages) {
        let tenant = self.tenant(position, messages);
        let message = *messages.get(position);
        let own = &mut self.tenants[to_usize(tenant)];
        own.available -= 1;
        if message.has(RETURNED) {
            own.returned.remove(&(message.sent_at, position));
        } else {
            messages.unlink(position, &mut own.line);
        }
        self.file(tenant, messages);
    }
    /// A message goes in flight.
    pub(super) fn taken(&mut self, position: u64, messages: &Messages) {
        let tenant = self.tenant(position, messages);
        self.in_flight += 1;
        self.count(tenant, true, messages);
    }
    /// A message is no longer in flight, after it was processed for a time that ends now (SQS-Z-18).
    pub(super) fn ended(&mut self, position: u64, messages: &Messages, now: SimTime) {
        let tenant = self.tenant(position, messages);
        let took = now.since(messages.get(position).returned_at()).as_nanos();
        self.in_flight -= 1;
        self.count(tenant, false, messages);
        self.of(tenant).last_in_flight = now;
        self.recent.push_back((now.as_nanos() / SECOND, tenant, took));
        self.time += took;
        self.spend(tenant, took, true);
    }
    fn count(&mut self, tenant: u32, more: bool, messages: &Messages) {
        let own = &mut self.tenants[to_usize(tenant)];
        let was = own.in_flight;
        own.in_flight = if more { was + 1 } else { was - 1 };
        let (is, noisy) = (own.in_flight, own.noisy);
        if tenant != 0 {
            self.by_in_flight.remove(&(was, tenant));
            self.by_in_flight.insert((is, tenant));
        }
        if noisy {
            self.file(tenant, messages);
        }
    }
    fn spend(&mut self, tenant: u32, took: u64, more: bool) {
        let own = &mut self.tenants[to_usize(tenant)];
        let was = own.time;
        own.time = if more { was + took } else { was - took };
        let is = own.time;
        if tenant != 0 {
            self.by_time.remove(&(was, tenant));
            self.by_time.insert((is, tenant));
        }
    }

    /// Finds out who is noisy; for each receive.
    pub(super) fn judge(&mut self, now: SimTime, messages: &Messages) {
        let second = now.as_nanos() / SECOND;
        while let Some(&(at, tenant, took)) = self.recent.front()
            && at + RECENT <= second
        {
            self.recent.pop_front();
            self.time -= took;
            self.spend(tenant, took, false);
        }
        let (in_flight, time) = (self.in_flight, self.time);
        let crowding = |own: &Tenant| own.in_flight >= IN_FLIGHT_MIN && own.in_flight * SHARE > in_flight;
        let lasting = |own: &Tenant| own.time * SHARE > time;
        let mut changed: Vec<u32> = Vec::new();
        let tenants = &self.tenants;
        let most = self.by_in_flight.iter().rev().map(|entry| entry.1);
        changed.extend(most.take_while(|&tenant| crowding(&tenants[to_usize(tenant)])));
        let most = self.by_time.iter().rev().map(|entry| entry.1);
        changed.extend(most.take_while(|&tenant| lasting(&tenants[to_usize(tenant)])));
        changed.extend(&self.noisy);
        for tenant in changed {
            let own = &self.tenants[to_usize(tenant)];
            let served = own.available + own.delayed + own.in_flight == 0;
            let calm = own.in_flight == 0 && now.since(own.last_in_flight) >= CALM;
            let noisy = (crowding(own) || lasting(own)) && !served && !calm;
            if noisy != own.noisy {
                self.of(tenant).noisy = noisy;
                if noisy {
                    self.noisy.insert(tenant);
                } else {
                    self.noisy.remove(&tenant);
                }
                self.file(tenant, messages);
            }
        }
    }
    /// Takes the next message: a quiet tenant's, if there is one (SQS-Q-07, SQS-Q-08).
    pub(super) fn next(&mut self, messages: &mut Messages) -> Option<u64> {
        let &(_, _, _, position, _) = self.waiting.first()?;
        self.remove(position, messages);
        messages.get_mut(position).state = State::Taken;
        Some(position)
    }
    /// What the metrics of quiet groups say.
    pub(super) fn quiet(&self, messages: &Messages, (available, in_flight, delayed): (u64, u64, u64)) -> Quiet {
        let noisy = || self.noisy.iter().map(|&tenant| &self.tenants[to_usize(tenant)]);
        let first = self.waiting.first().filter(|entry| !entry.0);
        Quiet {
            available: available - noisy().map(|own| own.available).sum::<u64>(),
            in_flight: in_flight - noisy().map(|own| own.in_flight).sum::<u64>(),
            delayed: delayed - noisy().map(|own| own.delayed).sum::<u64>(),
            oldest: first.map(|entry| messages.get(entry.3).sent_at),
            noisy: to_u32(self.noisy.len()),
        }
    }
}
