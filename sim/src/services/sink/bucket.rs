//! How many objects an S3 bucket takes, and which of them it has had before.

use crate::engine::index::to_usize;
use crate::engine::quantity::Rate;
use crate::engine::time::SimTime;
use crate::engine::token_bucket::TokenBucket;
use crate::ids::{ReaderId, ShardIndex};
use std::collections::{BTreeMap, VecDeque};

/// PUT requests that a prefix takes each second (S3-PUT-01).
pub(super) const PUTS_PER_SECOND: u64 = 3_500;
/// So many objects of a shard are remembered by name. Whoever writes one again after so many others has made a second one.
const NAMES_REMEMBERED: usize = 4_096;

/// The throughput of a bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    prefixes: Vec<TokenBucket>,
    /// Objects by reader and shard, if they are named by what they hold.
    names: Option<BTreeMap<(ReaderId, ShardIndex), VecDeque<Name>>>,
}

/// Position of the first and of the last record.
type Name = (u64, u64);

fn prefix(rate: Rate) -> TokenBucket {
    TokenBucket::full(rate.count, rate)
}

impl Bucket {
    pub(super) fn new(prefixes: u32, idempotent: bool) -> Self {
        Self {
            prefixes: (0..prefixes.max(1))
                .map(|_| prefix(Rate::per_second(PUTS_PER_SECOND)))
                .collect(),
            names: idempotent.then(BTreeMap::new),
        }
    }
    /// Whether it takes an object of this shard now. Objects of a shard have one prefix.
    pub(super) fn admit(&mut self, shard: ShardIndex, now: SimTime) -> bool {
        let place = to_usize(shard.0) % self.prefixes.len();
        self.prefixes[place].try_take(now, 1)
    }
    /// Changes the requests that a prefix takes; `None`: as S3 has it.
    pub(super) fn set_rate(&mut self, rate: Option<Rate>) {
        self.prefixes
            .fill(prefix(rate.unwrap_or(Rate::per_second(PUTS_PER_SECOND))));
    }
    /// Writes an object; true if it replaces one of the same name, which holds the same records.
    pub(super) fn replaces(&mut self, reader: ReaderId, shard: ShardIndex, name: Name) -> bool {
        let Some(names) = &mut self.names else { return false };
        let names = names.entry((reader, shard)).or_default();
        if names.contains(&name) {
            return true;
        }
        if names.len() == NAMES_REMEMBERED {
            names.pop_front();
        }
        names.push_back(name);
        false
    }
}
