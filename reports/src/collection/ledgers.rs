//! The ledgers in words, each in the currency that it is kept in: a producer's in its own records, a stream's and a
//! reader's in Kinesis records.

use super::{Component, Counts, InHand, View, count};

impl View<'_> {
    /// The ledgers as equations. Left and right come from different sources: what facts told, and what components hold.
    pub(super) fn balances(&self, counts: &Counts) -> Vec<String> {
        let producers = counts.producers.iter_enumerated().map(|(id, made)| {
            let held = self.holdings.producers.iter().filter(|held| held.producer == id);
            let pending = held.map(|held| held.waiting + held.in_flight).sum();
            let terms = [
                (made.acknowledged, "acknowledged"),
                (made.given_up(), "given up"),
                (pending, "waiting or in flight"),
            ];
            let library = self.directory.producers[id].library;
            let created = if library { "user records created" } else { "created" };
            self.balance(Component::Producer(id), made.produced, created, &terms)
        });
        let streams = counts.streams.iter_enumerated().map(|(id, stored)| {
            let logs = || self.holdings.logs.iter().filter(|log| log.stream == id);
            let terms = [
                (logs().map(|log| log.retained).sum(), "retained"),
                (logs().map(|log| log.trimmed).sum(), "trimmed after their retention"),
            ];
            let accepted = match stored.user_records() {
                user_records if user_records == stored.accepted() => "accepted".to_owned(),
                user_records => format!(
                    "Kinesis records accepted, which hold {} user records,",
                    count(user_records)
                ),
            };
            self.balance(Component::Stream(id), stored.accepted(), &accepted, &terms)
        });
        let readers = counts.readers.iter_enumerated().map(|(id, read)| {
            let in_hand = self.in_hand(id);
            let sum = |of: fn(&InHand) -> u64| in_hand.iter().map(of).sum();
            let mut terms = vec![
                (read.acknowledged, "acknowledged"),
                (sum(|place| place.unread), "unread"),
                (sum(|place| place.in_flight), "in flight"),
                (read.expired_unread + read.expired_in_retry, "expired"),
            ];
            let rare = [
                (read.discarded, "discarded"),
                (read.mapping.dead_lettered, "dead-lettered"),
                (read.mapping.filtered_out, "filtered out"),
            ];
            terms.extend(rare.into_iter().filter(|(records, _)| *records > 0));
            self.balance(
                self.directory.readers[id].component,
                sum(|place| place.stored),
                if counts.streams[self.directory.readers[id].stream].aggregated > 0 {
                    "Kinesis records stored since it began"
                } else {
                    "stored since it began"
                },
                &terms,
            )
        });
        let mut balances: Vec<String> = producers.chain(streams).chain(readers).collect();
        balances.extend(self.queue_balances(counts));
        balances.extend(self.subscription_balances(counts));
        balances.extend(self.direct_balances(counts));
        balances
    }

    /// Queues of SQS.
    fn queue_balances(&self, counts: &Counts) -> Vec<String> {
        let queues = counts.queues.iter_enumerated().map(|(id, one)| {
            let held = self.holdings.queues.iter().find(|held| held.queue == id);
            let held = held.map(|held| held.held).unwrap_or_default();
            let terms = [
                (one.deleted, "deleted"),
                (held.available, "available"),
                (held.delayed, "delayed"),
                (held.in_flight, "in flight"),
                (one.expired, "expired"),
                (one.dead_lettered, "moved to the dead-letter queue"),
                (one.redriven, "moved by redrives"),
                (one.purged, "purged"),
            ];
            self.balance(
                Component::Queue(id),
                one.balance().0,
                "sent, moved here or come back",
                &terms,
            )
        });
        let mappings = counts.queue_mappings.iter_enumerated().map(|(id, one)| {
            let held = self.holdings.queue_mappings.iter().find(|held| held.mapping == id);
            let held = held.map(|held| held.held).unwrap_or_default();
            let terms = [
                (one.done, "processed"),
                (one.filtered_out, "filtered out"),
                (one.failed, "failed"),
                (one.let_go, "given back"),
                (held.held, "held"),
            ];
            self.balance(Component::QueueMapping(id), one.polled, "polled", &terms)
        });
        queues.chain(mappings).collect()
    }

    /// Direct callers, and the queues of asynchronous events.
    fn direct_balances(&self, counts: &Counts) -> Vec<String> {
        let invokers = counts.invokers.iter_enumerated().map(|(id, made)| {
            let held = self.holdings.invokers.iter().filter(|held| held.invoker == id);
            let terms = [
                (made.answered() - made.throttled, "answered"),
                (made.throttled, "refused"),
                (held.map(|held| held.in_flight).sum(), "in flight"),
            ];
            self.balance(Component::Invoker(id), made.sent, "requests sent", &terms)
        });
        let queues = counts
            .functions
            .iter_enumerated()
            .filter(|(_, made)| made.events.received > 0);
        let queues = queues.map(|(id, made)| {
            let held = || self.holdings.events.iter().filter(|held| held.function == id);
            let events = &made.events;
            let terms = [
                (events.succeeded, "succeeded"),
                (events.dropped - events.lost, "given up and reported"),
                (events.lost, "lost"),
                (held().map(|held| held.waiting).sum(), "waiting"),
                (held().map(|held| held.running).sum(), "running"),
            ];
            let accepted = events.received + events.duplicated;
            self.balance(Component::Function(id), accepted, "asynchronous events", &terms)
        });
        invokers.chain(queues).collect()
    }

    pub(super) fn balance(&self, component: Component, whole: u64, name: &str, parts: &[(u64, &str)]) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|(records, name)| format!("{} {name}", count(*records)))
            .collect();
        format!(
            "{}: {} {name} = {}",
            self.label(component),
            count(whole),
            parts.join(" + ")
        )
    }
}
