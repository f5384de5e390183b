//! Topics, their subscriptions, and the way of messages through them.

use super::{Component, Counts, View};
use crate::account::{PathAccount, SubscriptionAccount, TopicAccount};
use sim::ids::SubscriptionId;
use sim::observe::message_path::Leg;

impl View<'_> {
    pub(super) fn topics(&self, counts: &Counts) -> Vec<TopicAccount> {
        let topics = counts.topics.iter_enumerated();
        topics
            .map(|(id, one)| {
                let used = self.observers.usage.as_ref().map(|usage| usage.topics[id]);
                let used = used.unwrap_or_default();
                TopicAccount {
                    name: self.label(Component::Topic(id)),
                    fifo: self.directory.topics[id].fifo,
                    published: one.published,
                    bytes_published: one.bytes_published,
                    deduplicated: one.deduplicated,
                    throttled: one.throttled + one.entries_throttled,
                    refused: one.entries_refused + one.publishes_refused,
                    requests: used.publish_requests,
                    deliveries: used.deliveries,
                    bytes_delivered: used.delivery_bytes,
                    subscriptions: self
                        .directory
                        .subscriptions_of(id)
                        .map(|(subscription, _)| self.subscription(subscription, counts))
                        .collect(),
                }
            })
            .collect()
    }

    fn subscription(&self, id: SubscriptionId, counts: &Counts) -> SubscriptionAccount {
        let one = &counts.subscriptions[id];
        let held = self.holdings.subscriptions.iter().find(|held| held.subscription == id);
        let paths = self.observers.message_paths.as_ref();
        let times = paths.and_then(|paths| paths.delivery(id));
        let quantile = |per_million| times.and_then(|times| times.quantile(per_million));
        SubscriptionAccount {
            name: self.label(Component::Subscription(id)),
            queue: self.label(Component::Queue(self.directory.subscriptions[id].queue)),
            copied: one.copied,
            filtered_out: one.filtered_out(),
            duplicated: one.duplicated,
            delivered: one.delivered,
            delivered_late: one.delivered_late,
            retried: one.retried,
            given_up: one.given_up(),
            dead_lettered: one.dead_lettered,
            lost: one.lost_in_all(),
            out_of_order: one.out_of_order,
            undelivered_max: one.max_undelivered,
            undelivered: held.map_or(0, |held| held.waiting + held.in_flight),
            delivery_p50: quantile(500_000),
            delivery_p99: quantile(990_000),
        }
    }

    /// Where the time of messages went, of queues that a topic feeds.
    pub(super) fn message_paths(&self) -> Vec<PathAccount> {
        let Some(paths) = &self.observers.message_paths else {
            return Vec::new();
        };
        let queues = self.directory.queues.ids();
        let fed = queues.filter_map(|id| Some((id, paths.of(id)?)));
        fed.filter(|(_, path)| path.messages() > 0)
            .map(|(id, path)| PathAccount {
                queue: self.label(Component::Queue(id)),
                messages: path.messages(),
                total_ns: path.total(),
                legs: Leg::ALL
                    .iter()
                    .map(|leg| (leg.key(), leg.name(), path.of(*leg).sum()))
                    .collect(),
            })
            .collect()
    }

    /// The ledgers of subscriptions.
    pub(super) fn subscription_balances(&self, counts: &Counts) -> Vec<String> {
        let subscriptions = counts.subscriptions.iter_enumerated().map(|(id, one)| {
            let held = self.holdings.subscriptions.iter().find(|held| held.subscription == id);
            let terms = [
                (one.delivered, "delivered"),
                (one.dead_lettered, "dead-lettered"),
                (one.lost_in_all(), "lost"),
                (held.map_or(0, |held| held.waiting), "waiting"),
                (held.map_or(0, |held| held.in_flight), "in flight"),
            ];
            let made = one.copied + one.duplicated;
            self.balance(Component::Subscription(id), made, "copies", &terms)
        });
        subscriptions.collect()
    }
}
