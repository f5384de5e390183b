//! A subscription of a queue.

use super::filter::{Filter, Publisher};
use super::lane::Lane;
use super::{Subscribed, Undelivered};
use crate::blueprint::{FilterPolicy, TopicModel};
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::SimTime;
use crate::ids::{ProducerId, QueueId, SubscriptionId};
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, digest_of_draws};
use std::collections::BTreeMap;

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: SubscriptionId,
    pub(super) queue: QueueId,
    pub(super) dead_letter_queue: Option<QueueId>,
    pub(super) raw: bool,
    pub(super) created_at: SimTime,
    /// Until then the queue's policy refuses the topic (SQS-S-09).
    pub(super) denied_until: SimTime,
    /// By publisher; of one that states nothing about its messages: under `None`.
    pub(super) filters: Option<BTreeMap<Option<ProducerId>, Filter>>,
    pub(super) delivery_time: RandomSpan,
    pub(super) policy_time: RandomSpan,
    pub(super) retry: Random,
    /// Of a FIFO topic: the groups that have something to deliver.
    pub(super) lanes: BTreeMap<u32, Lane>,
    /// Copies that wait.
    pub(super) waiting: u64,
    /// Copies sent to a queue that has not answered.
    pub(super) in_flight: u64,
}

impl Subscription {
    pub(super) fn new(
        subscribed: &Subscribed<'_>,
        publishers: &BTreeMap<ProducerId, Publisher>,
        model: &TopicModel,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let blueprint = subscribed.blueprint;
        let component = format!("subscription.{}", blueprint.name);
        let mut subscription = Self {
            id: subscribed.id,
            queue: subscribed.queue,
            dead_letter_queue: subscribed.dead_letter_queue,
            raw: blueprint.raw,
            created_at: blueprint.created_at,
            denied_until: SimTime::ZERO,
            filters: None,
            delivery_time: RandomSpan::new(&component, "delivery", &model.delivery_time, streams)?,
            policy_time: RandomSpan::new(&component, "policy", &model.filter_change_time, streams)?,
            retry: streams.stream(&format!("{component}/retry"))?,
            lanes: BTreeMap::new(),
            waiting: 0,
            in_flight: 0,
        };
        subscription.set_policy(blueprint.filter.as_ref(), publishers);
        Ok(subscription)
    }
    /// Another filter policy is in effect.
    pub(super) fn set_policy(&mut self, policy: Option<&FilterPolicy>, publishers: &BTreeMap<ProducerId, Publisher>) {
        self.filters = policy.map(|policy| {
            let nothing = (None, Filter::new(policy, &Publisher::default()));
            let each = publishers.iter();
            let each = each.map(|(id, publisher)| (Some(*id), Filter::new(policy, publisher)));
            each.chain([nothing]).collect()
        });
    }
    pub(super) const fn undelivered(&self) -> Undelivered {
        Undelivered {
            subscription: self.id,
            waiting: self.waiting,
            in_flight: self.in_flight,
        }
    }
    pub(super) fn memory(&self) -> u64 {
        self.lanes.values().map(Lane::memory).sum()
    }
    pub(super) fn draws(&self) -> u64 {
        digest_of_draws([self.delivery_time.draws(), self.policy_time.draws(), self.retry.draws()])
    }
}
