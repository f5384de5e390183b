//! What a bill counts of topics.

use super::Usage;
use crate::directory::Directory;
use crate::engine::index::{IndexVec, to_u32};
use crate::ids::TopicId;
use crate::observe::fact::{NotificationFact, Publishing, TopicFact};
use crate::record::{Outcome, Record};

/// Bytes of a chunk, each of which is a request (SQS-G-22).
pub const PUBLISH_CHUNK_BYTES: u64 = 64 * 1_024;

/// What is billed of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TopicUsage {
    /// It is a FIFO topic, which has prices of its own (SQS-G-20, SQS-G-23).
    pub fifo: bool,
    /// Publishes that were answered, each further 64 KiB of payload counted as one more (SQS-G-22).
    pub publish_requests: u64,
    /// Messages published; those that a FIFO topic knew already included.
    pub messages: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Copies delivered to queues, dead-letter queues included (SQS-G-21, SQS-G-23).
    pub deliveries: u64,
    /// Bytes of these.
    pub delivery_bytes: u64,
}

pub(super) fn topics(directory: &Directory) -> IndexVec<TopicId, TopicUsage> {
    let topics = directory.topics.iter().map(|topic| TopicUsage {
        fifo: topic.fifo,
        ..TopicUsage::default()
    });
    topics.collect()
}

impl TopicUsage {
    fn published(&mut self, records: &[Record], bytes: u64) {
        let accepted = records.iter().filter(|record| record.outcome() == Outcome::Accepted);
        self.publish_requests += bytes.div_ceil(PUBLISH_CHUNK_BYTES).max(1);
        self.messages += u64::from(to_u32(accepted.clone().count()));
        self.bytes += accepted.map(|record| u64::from(record.bytes)).sum::<u64>();
    }
    fn delivered(&mut self, records: &[Record]) {
        self.deliveries += u64::from(to_u32(records.len()));
        self.delivery_bytes += records.iter().map(|record| u64::from(record.bytes)).sum::<u64>();
    }
}

impl Usage {
    pub(super) fn publishing(&mut self, fact: &Publishing<'_>) {
        if let Publishing::Topic {
            topic,
            fact: TopicFact::Published { records, bytes, .. },
        } = *fact
        {
            self.topics[topic].published(records, bytes);
        }
        if let Publishing::Subscription {
            subscription,
            fact: NotificationFact::Delivered { records, .. } | NotificationFact::DeadLettered { records, .. },
            ..
        } = *fact
            && let Some(topic) = self.topic_of.get(subscription)
        {
            self.topics[*topic].delivered(records);
        }
    }
}
