//! One reader of one shard: which positions it is done with, and how.

use super::flow_time::Arrivals;
use crate::engine::index::to_u32;
use crate::observe::fact::Remains;
use crate::observe::positions::Positions;
use crate::record::Record;

/// Sums and identities of a reader-shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reader {
    /// Positions that it is done with.
    done: Positions,
    /// Acknowledged for the first time.
    pub(super) acknowledged: u64,
    /// Acknowledged again.
    pub(super) acknowledged_again: u64,
    pub(super) discarded: u64,
    /// Given up, and known to the on-failure destination.
    pub(super) dead_lettered: u64,
    /// Not wanted by the filters.
    pub(super) filtered_out: u64,
    pub(super) expired_unread: u64,
    pub(super) expired_in_retry: u64,
    /// Expired while their batch waited, at positions that the next checkpoints will tell.
    unplaced: u64,
    /// After the highest position read or expired.
    pub(super) read_until: u64,
    /// Where it began.
    pub(super) start: u64,
    /// By lane: the batch that its function has.
    lanes: Vec<Arrivals>,
}

/// What is wrong with a statement about positions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Broken {
    pub(super) what: String,
    pub(super) left: (&'static str, u64),
    pub(super) right: (&'static str, u64),
}

impl Broken {
    fn unless(holds: bool, left: (&'static str, u64), right: (&'static str, u64), what: &str) -> Result<(), Self> {
        if holds {
            return Ok(());
        }
        Err(Self {
            what: what.to_owned(),
            left,
            right,
        })
    }
}

impl Reader {
    pub(super) const fn new() -> Self {
        Self {
            done: Positions::new(0),
            acknowledged: 0,
            acknowledged_again: 0,
            discarded: 0,
            dead_lettered: 0,
            filtered_out: 0,
            expired_unread: 0,
            expired_in_retry: 0,
            unplaced: 0,
            read_until: 0,
            start: 0,
            lanes: Vec::new(),
        }
    }

    /// Everything before the start is none of this reader's business.
    pub(super) fn starts_at(&mut self, start: u64) {
        if start > self.start {
            self.done.fill_below(start);
            self.start = start;
            self.read_until = self.read_until.max(start);
        }
    }

    /// How many of the records from `first` on have been read before: an application that starts over reads them again.
    pub(super) fn known(&self, first: u64, count: usize) -> usize {
        usize::try_from(self.read_until.saturating_sub(first)).map_or(count, |known| known.min(count))
    }

    /// `starts_over`: nothing is new about what lies before.
    pub(super) fn read(&mut self, first: u64, count: u64, stored: u64, starts_over: bool) -> Result<(), Broken> {
        if starts_over && count == 0 {
            return Ok(());
        }
        Broken::unless(
            first >= self.read_until,
            ("first position read", first),
            ("read before, up to", self.read_until),
            "It was read twice, although no failed batch asked for it.",
        )?;
        self.read_until = first + count;
        Broken::unless(
            count == 0 || self.read_until <= stored,
            ("read up to", self.read_until),
            ("stored", stored),
            "It was read before it was stored.",
        )
    }

    pub(super) fn dispatched(&mut self, lane: u16, batch: Arrivals) {
        let lane = usize::from(lane);
        if lane >= self.lanes.len() {
            self.lanes.resize(lane + 1, Arrivals::default());
        }
        self.lanes[lane] = batch;
    }

    /// Returns the lane's batch, or the `part` of it that is acknowledged, if not all of it is.
    pub(super) fn acknowledge(
        &mut self,
        lane: u16,
        records: u32,
        first: u64,
        positions: &[u64],
        part: Arrivals,
    ) -> Result<Arrivals, Broken> {
        let count = u64::from(records);
        let whole = self.lanes.get(usize::from(lane)).copied().unwrap_or_default();
        let batch = if part.records == 0 { whole } else { part };
        Broken::unless(
            batch.records <= whole.records,
            ("records acknowledged", count),
            ("records of the lane's batch", whole.records),
            "More of a batch was acknowledged than was sent to the function.",
        )?;
        Broken::unless(
            batch.records == count,
            ("records acknowledged", count),
            ("records of the lane's batch", batch.records),
            "The batch that was acknowledged is not the one that was sent to the function.",
        )?;
        let listed = u64::from(to_u32(positions.len()));
        Broken::unless(
            listed == 0 || listed == count,
            ("records acknowledged", count),
            ("positions listed", listed),
            "The positions of the batch are not those of its records.",
        )?;
        let end = positions.iter().max().map_or(first + count, |last| last + 1);
        Broken::unless(
            end <= self.read_until,
            ("acknowledged up to", end),
            ("read up to", self.read_until),
            "A record was acknowledged that was never read.",
        )?;
        let new = self.settle(first, positions, count);
        self.acknowledged += new;
        self.acknowledged_again += count - new;
        self.lanes[usize::from(lane)] = Arrivals::default();
        Ok(batch)
    }

    /// A batch of an application, any record of which may have been done before; it says how many were. Returns the
    /// others.
    pub(super) fn acknowledge_some(&mut self, first: u64, batch: &[Record], again: u32) -> Result<Arrivals, Broken> {
        let mut new = Arrivals::default();
        for (position, record) in (first..).zip(batch) {
            if self.done.insert(position) {
                new.records += 1;
                new.instants += u128::from(record.arrived_at.as_nanos());
            }
        }
        let end = first + u64::from(to_u32(batch.len()));
        Broken::unless(
            end <= self.read_until,
            ("acknowledged up to", end),
            ("read up to", self.read_until),
            "A record was acknowledged that was never read.",
        )?;
        let before = u64::from(to_u32(batch.len())) - new.records;
        Broken::unless(
            before == u64::from(again),
            ("records of the batch done before", before),
            ("as stated", u64::from(again)),
            "The application has lost count of what it has done.",
        )?;
        self.acknowledged += new.records;
        self.acknowledged_again += before;
        Ok(new)
    }

    pub(super) fn expired(&mut self, first: u64, count: u64) -> Result<(), Broken> {
        self.read_until = self.read_until.max(first + count);
        self.expired_unread += count;
        let new = self.done.insert_run(first, count);
        Broken::unless(
            new == count,
            ("positions expired unread", count),
            ("not done before", new),
            "A record expired unread that the reader was already done with.",
        )
    }

    /// Records that workers had read and not done, which a later one can no longer read.
    pub(super) fn expired_in_hand(&mut self, first: u64, count: u64) -> Result<(), Broken> {
        self.expired_in_retry += count;
        let new = self.done.insert_run(first, count);
        Broken::unless(
            new == count,
            ("positions expired in hand", count),
            ("not done before", new),
            "A record expired that the application was already done with.",
        )
    }

    pub(super) const fn expired_in_retry(&mut self, count: u64) {
        self.unplaced += count;
        self.expired_in_retry += count;
    }

    pub(super) fn discard(
        &mut self,
        first: u64,
        positions: &[u64],
        count: u64,
        remains: Remains,
    ) -> Result<(), Broken> {
        match remains {
            Remains::DeadLettered => self.dead_lettered += count,
            Remains::Dropped | Remains::Undeliverable => self.discarded += count,
        }
        let new = self.settle(first, positions, count);
        Broken::unless(
            new == count,
            ("positions discarded", count),
            ("not done before", new),
            "A record was discarded that the reader was already done with.",
        )
    }

    pub(super) fn filter_out(&mut self, positions: &[u64], count: u64) -> Result<(), Broken> {
        self.filtered_out += count;
        let new = self.settle(0, positions, count);
        Broken::unless(
            new == count,
            ("positions filtered out", count),
            ("not done before", new),
            "A record was filtered out that the reader was already done with.",
        )
    }

    /// Notes positions as done and returns how many were not before.
    fn settle(&mut self, first: u64, positions: &[u64], count: u64) -> u64 {
        if positions.is_empty() {
            return self.done.insert_run(first, count);
        }
        let new = |new: u64, position: &u64| new + u64::from(self.done.insert(*position));
        positions.iter().fold(0, new)
    }

    /// A checkpoint passes only what is done: acknowledged, discarded or expired.
    pub(super) fn checkpoint(&mut self, position: u64) -> Result<(), Broken> {
        let missing = self.done.missing_below(position);
        Broken::unless(
            missing <= self.unplaced && position <= self.read_until,
            ("positions passed that were not acknowledged", missing),
            ("expired in retries", self.unplaced),
            &format!(
                "The checkpoint moved to {position}, but the record at {} is not done.",
                self.done.first_missing()
            ),
        )?;
        self.unplaced -= missing;
        self.done.fill_below(position);
        Ok(())
    }

    /// The lowest position that is not known to be done.
    pub(super) fn first_missing(&self) -> u64 {
        self.done.first_missing()
    }
}
