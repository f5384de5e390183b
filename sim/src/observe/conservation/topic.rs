//! The ledger of a subscription: each message that was published while it existed went somewhere that has a name.

use super::{Component, Conservation, Ledger, SimTime, Term, len};
use crate::directory::Directory;
use crate::engine::index::IndexVec;
use crate::ids::SubscriptionId;
use crate::observe::counts::SubscriptionCounts;
use crate::observe::fact::{Notified, Publishing, QueueFact, Queueing, TopicFact};
use crate::observe::holdings::Holdings;
use crate::record::Outcome;

/// What happened to the copies of a subscription.
#[derive(Clone, Debug, Default)]
pub(super) struct Copies {
    /// Messages that its topic took while it existed.
    offered: u64,
    /// Copies that its queue took, as the queue tells it.
    entered: u64,
    counts: SubscriptionCounts,
}

/// Nothing has happened to any copy.
pub(super) fn none(directory: &Directory) -> IndexVec<SubscriptionId, Copies> {
    directory.subscriptions.iter().map(|_| Copies::default()).collect()
}

impl Conservation {
    pub(super) fn publishing(&mut self, now: SimTime, fact: &Publishing<'_>) {
        match *fact {
            Publishing::Topic {
                topic,
                fact: TopicFact::Published {
                    records, deduplicated, ..
                },
            } => {
                let accepted = records.iter().filter(|record| record.outcome() == Outcome::Accepted);
                let new = u64::try_from(accepted.count()).unwrap_or(u64::MAX) - u64::from(deduplicated);
                for (id, entry) in self.directory.subscriptions.iter_enumerated() {
                    if entry.topic == topic && now >= entry.created_at {
                        self.copies[id].offered += new;
                    }
                }
            }
            Publishing::Topic {
                fact: TopicFact::Refused { .. },
                ..
            } => {}
            Publishing::Subscription {
                subscription,
                undelivered,
                ref fact,
            } => self.copies[subscription].counts.note(undelivered, fact),
        }
    }
    /// A queue took copies of a topic.
    pub(super) fn notified(&mut self, fact: &Queueing<'_>) {
        if let Queueing::Queue {
            fact:
                QueueFact::Sent {
                    records,
                    notified:
                        Some(Notified {
                            subscription,
                            redriven: false,
                            ..
                        }),
                    ..
                },
            ..
        } = *fact
        {
            self.copies[subscription].entered += len(records);
        }
    }

    /// Published while it existed = copied + filtered out, and copied + made once more = delivered + dead-lettered + lost +
    /// waiting + in flight. Nothing is delivered that the queue does not know of.
    pub(super) fn check_subscriptions(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.subscriptions {
            let Copies {
                offered,
                entered,
                ref counts,
            } = self.copies[held.subscription];
            let judged = vec![
                Term::new("copied", counts.copied),
                Term::new("filtered out", counts.filtered_out()),
            ];
            let made = vec![
                Term::new("copied", counts.copied),
                Term::new("made once more", counts.duplicated),
            ];
            let gone = vec![
                Term::new("delivered", counts.delivered),
                Term::new("dead-lettered", counts.dead_lettered),
                Term::new("lost", counts.lost_in_all()),
                Term::new("waiting", held.waiting),
                Term::new("in flight", held.in_flight),
            ];
            let delivered = counts.delivered;
            let published = vec![Term::new("published while it existed", offered)];
            self.balance_copies(held.subscription, published, judged, now);
            self.balance_copies(held.subscription, made, gone, now);
            if delivered > entered {
                let known = vec![Term::new("copies that the queue took", entered)];
                let told = vec![Term::new("delivered", delivered)];
                self.unbalanced(held.subscription, told, known, now);
            }
        }
    }
    fn balance_copies(&mut self, subscription: SubscriptionId, left: Vec<Term>, right: Vec<Term>, now: SimTime) {
        let total = |terms: &[Term]| terms.iter().map(|term| term.value).sum::<i128>();
        if total(&left) != total(&right) {
            self.unbalanced(subscription, left, right, now);
        }
    }
    #[cold]
    fn unbalanced(&mut self, subscription: SubscriptionId, left: Vec<Term>, right: Vec<Term>, now: SimTime) {
        let about = [Component::Subscription(subscription)];
        self.violate(now, Ledger::Subscription, &about, left, right, None);
    }
}
