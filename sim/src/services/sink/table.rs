//! How much a DynamoDB table takes: its own throughput, and that of each of its partitions.
//!
//! Simplified: reads, indexes and the isolation of single hot items do not exist, and a table that has once grown stays
//! as it is. A partition takes what its keys need as long as the table has it (adaptive capacity), up to the partition's
//! own limit (DDB-CAP-04, DDB-CAP-05).

use crate::blueprint::{TableBilling, TableBlueprint};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::{KIB, Rate};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::record::Record;

/// Bytes of a write unit (DDB-CAP-01).
const UNIT_BYTES: u32 = 1_024;
/// Most bytes of an item (DDB-W-03).
const MAX_ITEM_BYTES: u64 = 400 * KIB;
/// Write units that a partition takes each second (DDB-CAP-04).
const PARTITION_UNITS: u64 = 1_000;
/// So much of what a provisioned table did not use is kept (DDB-CAP-03).
const BURST: SimDuration = SimDuration::from_secs(300);
/// Write units a second of an on-demand table, unless its quota is raised (DDB-CAP-08).
const TABLE_QUOTA: u64 = 40_000;
/// An on-demand table takes up to twice its peak of earlier than this (DDB-CAP-07).
const PEAK_WINDOW: SimDuration = SimDuration::from_secs(30 * 60);

/// The throughput of a table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    item_bytes: Option<u32>,
    throughput: TokenBucket,
    partitions: Vec<TokenBucket>,
    growth: Option<Growth>,
}

/// How an on-demand table grows.
#[derive(Clone, Debug)]
struct Growth {
    /// Write units a second that it takes.
    takes: u64,
    /// Never more than this.
    most: u64,
    window_ends: SimTime,
    second_ends: SimTime,
    in_second: u64,
    /// The busiest second of the window.
    peak: u64,
}

/// What a table says to items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Admission {
    /// The items that it writes, a bit each.
    pub(super) accepted: u32,
    /// Write units that these consumed.
    pub(super) units: u64,
    /// An item is too large, and always will be.
    pub(super) invalid: bool,
}

const fn per_second(units: u64) -> Rate {
    Rate::per_second(units)
}

fn partitions(units: u64) -> Vec<TokenBucket> {
    let number = units.div_ceil(PARTITION_UNITS).max(1);
    (0..number)
        .map(|_| TokenBucket::full(PARTITION_UNITS, per_second(PARTITION_UNITS)))
        .collect()
}

impl Table {
    pub(super) fn new(blueprint: &TableBlueprint) -> Self {
        let (units, growth, throughput) = match blueprint.billing {
            TableBilling::Provisioned { write_capacity_units } => {
                let units = u64::from(write_capacity_units);
                (units, None, provisioned(units, SimTime::ZERO))
            }
            TableBilling::OnDemand { warm, most } => {
                let most = most.map_or(TABLE_QUOTA, u64::from);
                let takes = u64::from(warm).min(most);
                let growth = Growth {
                    takes,
                    most,
                    window_ends: SimTime::ZERO + PEAK_WINDOW,
                    second_ends: SimTime::ZERO + SimDuration::SECOND,
                    in_second: 0,
                    peak: 0,
                };
                (
                    u64::from(warm),
                    Some(growth),
                    TokenBucket::full(takes, per_second(takes)),
                )
            }
        };
        Self {
            item_bytes: blueprint.item_bytes,
            throughput,
            partitions: partitions(units),
            growth,
        }
    }

    /// Bytes of the item that a record becomes.
    pub(super) fn item_bytes(&self, record: &Record) -> u32 {
        self.item_bytes.unwrap_or(record.bytes)
    }

    /// Takes of up to 32 items those that it has room for, one after the other.
    pub(super) fn admit(&mut self, items: &[Record], open: u32, cx: &Cx<'_, '_>) -> Admission {
        let now = cx.now();
        self.grow(now);
        let mut admission = Admission::default();
        for (bit, record) in (0..).zip(items) {
            if open >> bit & 1 == 0 {
                continue;
            }
            let bytes = self.item_bytes(record);
            if u64::from(bytes) > MAX_ITEM_BYTES {
                admission.invalid = true;
                return Admission {
                    accepted: 0,
                    units: 0,
                    ..admission
                };
            }
            let units = u64::from(bytes.div_ceil(UNIT_BYTES).max(1));
            let place = self.partition_of(cx.keys().entry(record.key).hash);
            let partition = &mut self.partitions[place];
            if self.throughput.holds(now, units) && partition.try_take(now, units) {
                self.throughput.take(units);
                admission.accepted |= 1 << bit;
                admission.units += units;
            }
        }
        if let Some(growth) = &mut self.growth {
            growth.in_second += admission.units;
        }
        admission
    }

    /// Changes the write capacity units of a provisioned table, or the most that one on demand takes.
    pub(super) fn set_units(&mut self, units: Option<Rate>, now: SimTime) {
        let units = units.map_or(TABLE_QUOTA, |rate| {
            let scaled = u128::from(rate.count) * u128::from(SimDuration::SECOND.as_nanos())
                / u128::from(rate.per.as_nanos().max(1));
            u64::try_from(scaled).unwrap_or(u64::MAX)
        });
        self.grow(now);
        if let Some(growth) = &mut self.growth {
            growth.most = units;
            growth.takes = growth.takes.min(units);
            self.throughput = TokenBucket::full(growth.takes, per_second(growth.takes));
        } else {
            self.throughput = provisioned(units, now);
            self.split(units);
        }
    }

    /// The hash key decides, by ranges: a partition that splits keeps its keys among its halves.
    fn partition_of(&self, hash: u128) -> usize {
        let high = hash >> 64;
        let place = (high * u128::from(to_u32(self.partitions.len()))) >> 64;
        to_usize(u32::try_from(place).unwrap_or(0))
    }

    /// More partitions, if so many units need them. There are never fewer.
    fn split(&mut self, units: u64) {
        let more = partitions(units);
        if more.len() > self.partitions.len() {
            self.partitions = more;
        }
    }

    /// What an on-demand table has learnt by now.
    fn grow(&mut self, now: SimTime) {
        let Some(growth) = &mut self.growth else { return };
        if now >= growth.second_ends {
            growth.peak = growth.peak.max(growth.in_second);
            growth.in_second = 0;
            let since = now.since(growth.second_ends).as_nanos() / SimDuration::SECOND.as_nanos();
            growth.second_ends += SimDuration::from_secs(since + 1);
        }
        if now < growth.window_ends {
            return;
        }
        let windows = now.since(growth.window_ends).as_nanos() / PEAK_WINDOW.as_nanos();
        growth.window_ends += PEAK_WINDOW.saturating_mul(windows + 1);
        let takes = growth.takes.max(2 * growth.peak).min(growth.most);
        growth.peak = 0;
        if takes > growth.takes {
            growth.takes = takes;
            self.throughput = TokenBucket::full(takes, per_second(takes));
            self.split(takes);
        }
    }
}

/// A provisioned table without anything left over from before.
fn provisioned(units: u64, now: SimTime) -> TokenBucket {
    let burst = BURST.as_nanos() / SimDuration::SECOND.as_nanos();
    let mut throughput = TokenBucket::full(units.saturating_mul(burst), per_second(units));
    throughput.drain(now);
    throughput.put_back(units);
    throughput
}
