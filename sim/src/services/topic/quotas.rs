//! Limits of topics, with their facts.

use crate::blueprint::{ThroughputScope, TopicAccount};
use crate::engine::quantity::Rate;
use crate::engine::time::SimTime;
use crate::engine::token_bucket::TokenBucket;
use crate::profile::Profile;
use std::collections::BTreeMap;

/// Most messages of a PublishBatch (SQS-S-20), and most that are delivered with one call.
pub const MAX_ENTRIES: usize = 10;
/// Most attributes of a message that is delivered raw to a queue (SQS-S-05).
pub const RAW_ATTRIBUTES_MAX: usize = 10;
/// Most names of a filter policy (SQS-S-15).
pub const FILTER_NAMES_MAX: usize = 5;
/// Most combinations of a filter policy: the product of the numbers of its values (SQS-S-15).
pub const FILTER_COMBINATIONS_MAX: u64 = 150;
/// Largest filter policy in bytes (SQS-S-15).
pub const FILTER_BYTES_MAX: usize = 256 * 1_024;
/// Most filter policies of a topic (SQS-S-16).
pub const FILTERS_OF_A_TOPIC_MAX: usize = 200;
/// Most filter policies of an account (SQS-S-16).
pub const FILTERS_OF_AN_ACCOUNT_MAX: usize = 10_000;
/// Most standard topics of an account (SQS-S-35).
pub const STANDARD_TOPICS_MAX: usize = 100_000;
/// Most FIFO topics of an account (SQS-S-35).
pub const FIFO_TOPICS_MAX: usize = 1_000;
/// Most subscriptions of a topic with larger messages than the default (SQS-S-19).
pub const LARGE_SUBSCRIPTIONS_MAX: usize = 100;

/// A bucket that holds what flows in within a second. AWS publishes the rates and no bursts, as for queues (SQS-Z-15).
fn bucket(per_second: u64) -> TokenBucket {
    TokenBucket::full(per_second, Rate::per_second(per_second))
}

/// What the account may publish, over all topics (SQS-S-25).
#[derive(Clone, Debug)]
pub(super) struct Account {
    standard: TokenBucket,
    fifo: TokenBucket,
}

impl Account {
    pub(super) fn new(account: TopicAccount) -> Self {
        Self {
            standard: bucket(account.standard),
            fifo: bucket(account.fifo),
        }
    }
    pub(super) fn of(&mut self, fifo: bool) -> &mut TokenBucket {
        if fifo { &mut self.fifo } else { &mut self.standard }
    }
}

/// What a FIFO topic admits (SQS-S-26, SQS-S-27).
#[derive(Clone, Debug)]
pub(super) enum Throughput {
    /// Over all groups: messages and bytes.
    Topic { messages: TokenBucket, bytes: TokenBucket },
    /// Each group for itself; those that have published.
    Groups(BTreeMap<u32, TokenBucket>),
}

/// Messages a second of a group (SQS-S-27).
const GROUP_MESSAGES: u64 = 300;

impl Throughput {
    pub(super) fn new(scope: ThroughputScope, profile: Profile) -> Self {
        match scope {
            ThroughputScope::MessageGroup => Self::Groups(BTreeMap::new()),
            ThroughputScope::Topic => {
                let (messages, megabytes) = match profile {
                    Profile::Exam => (300, 10),
                    Profile::Current => (3_000, 20),
                };
                Self::Topic {
                    messages: bucket(messages),
                    bytes: bucket(megabytes * 1_000_000),
                }
            }
        }
    }
    /// Whether the topic as a whole admits a request now.
    pub(super) fn holds(&mut self, now: SimTime, count: u64, payload: u64) -> bool {
        match self {
            Self::Topic { messages, bytes } => messages.holds(now, count) && bytes.holds(now, payload),
            Self::Groups(_) => true,
        }
    }
    /// Takes what `holds` has shown to be there.
    pub(super) fn take(&mut self, count: u64, payload: u64) {
        if let Self::Topic { messages, bytes } = self {
            messages.take(count);
            bytes.take(payload);
        }
    }
    /// Whether its group admits an entry.
    pub(super) fn admits_of(&mut self, group: u32, now: SimTime) -> bool {
        match self {
            Self::Topic { .. } => true,
            Self::Groups(groups) => groups
                .entry(group)
                .or_insert_with(|| bucket(GROUP_MESSAGES))
                .try_take(now, 1),
        }
    }
    pub(super) fn memory(&self) -> u64 {
        match self {
            Self::Topic { .. } => 0,
            Self::Groups(groups) => {
                u64::try_from(groups.len() * (size_of::<TokenBucket>() + size_of::<u64>())).unwrap_or(u64::MAX)
            }
        }
    }
}
