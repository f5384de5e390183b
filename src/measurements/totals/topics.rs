//! Totals of topics and their subscriptions.

use super::{Answer, NANOS_PER_MILLI, Period, sum};
use scenarios::expect::Missing;
use scenarios::metric::Statistic;
use sim::directory::Directory;
use sim::ids::{SubscriptionId, TopicId};
use sim::observe::counts::{SubscriptionCounts, TopicCounts};

impl Period<'_> {
    pub(super) fn topic(&self, id: TopicId, directory: &Directory, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&TopicCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.topics[id])));
        let copies = |total: fn(&SubscriptionCounts) -> u64| {
            let growth = self.growth(|counts| {
                let subscriptions = directory.subscriptions_of(id);
                subscriptions.map(|(one, _)| total(&counts.subscriptions[one])).sum()
            });
            sum(statistic, growth)
        };
        match metric {
            "NumberOfMessagesPublished" => of(|counts| counts.published),
            "MessagesThrottled" => of(|counts| counts.throttled + counts.entries_throttled),
            "NumberOfNotificationsDelivered" => copies(|counts| counts.delivered),
            "NumberOfNotificationsFailed" => copies(SubscriptionCounts::given_up),
            "NumberOfNotificationsFilteredOut" => copies(SubscriptionCounts::filtered_out),
            "NumberOfNotificationsFilteredOut-MessageAttributes" => copies(|counts| counts.filtered_by_attributes),
            "NumberOfNotificationsFilteredOut-NoMessageAttributes" => {
                copies(|counts| counts.filtered_without_attributes)
            }
            "NumberOfNotificationsFilteredOut-MessageBody" => copies(|counts| counts.filtered_by_body),
            "NumberOfNotificationsRedrivenToDlq" => copies(|counts| counts.dead_lettered),
            "NumberOfNotificationsFailedToRedriveToDlq" => copies(|counts| counts.lost_to_dead_letter_queue),
            _ => None,
        }
    }

    pub(super) fn subscription(&self, id: SubscriptionId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&SubscriptionCounts) -> u64| {
            sum(statistic, self.growth(|counts| total(&counts.subscriptions[id])))
        };
        match metric {
            "CopiesDelivered" => of(|counts| counts.delivered),
            "CopiesFilteredOut" => of(SubscriptionCounts::filtered_out),
            "CopiesRetried" => of(|counts| counts.retried),
            "CopiesDeadLettered" => of(|counts| counts.dead_lettered),
            "CopiesLost" => of(SubscriptionCounts::lost_in_all),
            "CopiesOutOfOrder" => of(|counts| counts.out_of_order),
            "DeliveryLatency" if self.begin.is_none() => {
                let times = self.end.paths?.delivery(id)?;
                let nanos = match statistic {
                    Statistic::Percentile(thousandths) => times.quantile(thousandths * 10),
                    Statistic::Maximum => times.max(),
                    Statistic::Average => times.mean(),
                    Statistic::Minimum => times.min(),
                    Statistic::Sum | Statistic::SampleCount => return None,
                };
                let millis = nanos.map(|span| span.as_nanos() as f64 / NANOS_PER_MILLI);
                Some(millis.ok_or(Missing::NoValueThen))
            }
            _ => None,
        }
    }
}
