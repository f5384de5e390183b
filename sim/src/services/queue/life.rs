//! A message's way through its states (SQS-L): delayed, available, in flight, gone.

use super::fairness::Tenants;
use super::message::{LOOKED_AT, Messages, State};
use super::{Order, Queue};
use crate::context::Cx;
use crate::engine::time::SimTime;
use crate::ids::QueueId;
use crate::observe::queue_fact::QueueFact;

impl Queue {
    /// The tenants, of a fair queue, with the messages.
    pub(super) fn fair(&mut self) -> Option<(&mut Tenants, &Messages)> {
        match &mut self.order {
            Order::Standard(servers) => Some((servers.fair()?, &self.messages)),
            Order::Fifo(_) => None,
        }
    }
    /// A message in flight is that no longer: its time with a consumer is over.
    pub(super) fn landed(&mut self, position: u64, now: SimTime) {
        self.depth.in_flight -= 1;
        if let Some((fair, messages)) = self.fair() {
            fair.ended(position, messages, now);
        }
    }
    /// A message goes in flight.
    pub(super) fn takes_off(&mut self, position: u64) {
        self.depth.in_flight += 1;
        if let Some((fair, messages)) = self.fair() {
            fair.taken(position, messages);
        }
    }
    /// A message is delayed (`true`), or is no longer.
    pub(super) fn delay(&mut self, position: u64, more: bool) {
        self.depth.delayed = if more {
            self.depth.delayed + 1
        } else {
            self.depth.delayed - 1
        };
        if let Some((fair, messages)) = self.fair() {
            fair.delayed(position, more, messages);
        }
    }
    /// Hides a message that is not available until an instant, delayed or in flight.
    pub(super) fn hide(&mut self, position: u64, until: SimTime, state: State) {
        let message = self.messages.get_mut(position);
        message.state = state;
        message.at = until;
        let live = self.depth.in_flight + self.depth.delayed;
        let messages = &self.messages;
        self.hidden.push(until, position, live, |at, position| {
            is_hidden_until(messages, position, at)
        });
    }
    /// A message that is available is no longer.
    pub(super) fn withdraw(&mut self, position: u64) {
        self.depth.available -= 1;
        if let Order::Standard(servers) = &mut self.order {
            servers.remove(position, &mut self.messages);
        }
    }
    /// A hidden message becomes visible: one that was in flight comes back.
    pub(super) fn show(&mut self, position: u64, now: SimTime) {
        let was = self.messages.get(position).state;
        match &mut self.order {
            Order::Standard(servers) if was == State::Delayed => servers.place(position, &mut self.messages, now),
            Order::Standard(servers) => servers.put_back(position, &mut self.messages, now),
            Order::Fifo(groups) => {
                let message = self.messages.get_mut(position);
                message.state = State::Available;
                message.at = now;
                let key = message.key;
                if was == State::InFlight {
                    groups.count_in_flight(key, false);
                }
                groups.refresh(key, &self.messages);
            }
        }
        self.depth.available += 1;
        if was == State::Delayed {
            self.delay(position, false);
        } else {
            self.landed(position, now);
        }
    }
    /// A message leaves the queue.
    pub(super) fn leave(&mut self, position: u64, now: SimTime) {
        let message = *self.messages.get(position);
        match message.state {
            State::Available => self.withdraw(position),
            State::Taken => self.depth.available -= 1,
            State::Delayed => self.delay(position, false),
            State::InFlight => self.landed(position, now),
            State::Gone => return,
        }
        if let Order::Fifo(groups) = &mut self.order {
            if message.state == State::InFlight {
                groups.count_in_flight(message.key, false);
            }
            groups.unlink(position, &mut self.messages);
        }
        self.messages.remove(position);
        if let Order::Fifo(groups) = &mut self.order {
            groups.look_further(message.has(LOOKED_AT), &mut self.messages);
            groups.refresh(message.key, &self.messages);
        }
    }

    /// What was hidden until now becomes visible (SQS-L-01, SQS-L-08).
    pub(super) fn become_available(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let (mut delayed, mut returned) = (0, 0);
        while let Some((at, position)) = self.first_hidden()
            && at <= now
        {
            self.hidden.pop();
            if self.messages.get(position).state == State::Delayed {
                delayed += 1;
            } else {
                returned += 1;
            }
            self.show(position, at);
        }
        if delayed + returned > 0 {
            self.state_fact(me, cx, || QueueFact::BecameAvailable { delayed, returned });
        }
    }
    pub(super) fn first_hidden(&mut self) -> Option<(SimTime, u64)> {
        let messages = &self.messages;
        self.hidden
            .first(|at, position| is_hidden_until(messages, position, at))
    }
    /// What has been kept for longer than the retention is gone, in whatever state it is (SQS-L-12).
    pub(super) fn expire(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let (mut messages, mut in_flight) = (0, 0);
        while let Some((position, sent_at)) = self.messages.oldest()
            && sent_at.saturating_add(self.retention) <= cx.now()
        {
            messages += 1;
            in_flight += u32::from(self.messages.get(position).state == State::InFlight);
            self.leave(position, cx.now());
        }
        if messages > 0 {
            self.state_fact(me, cx, || QueueFact::Expired { messages, in_flight });
        }
    }
}

fn is_hidden_until(messages: &Messages, position: u64, at: SimTime) -> bool {
    messages.is_here(position) && {
        let message = messages.get(position);
        matches!(message.state, State::Delayed | State::InFlight) && message.at == at
    }
}
