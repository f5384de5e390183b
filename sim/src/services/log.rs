//! A partition log: append-only, read by cursors, trimmed by age, forgotten once every reader has passed.
//!
//! The log is the queue, a position is the sequence number (KDS-MOD-06 renders it), and every consumer is a cursor.
//! Records lie in segments of rows; a segment that no declared reader needs any more is recycled, and only its
//! summary stays, so that memory is bounded by the backlog and not by the length of the run.

mod arrival_order;

use crate::batch::Batch;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::record::{KeyId, Record};
use std::collections::VecDeque;
use std::sync::Arc;

/// Records in a segment: few, so that the open segments of a hundred shards, each of which is written to now and then,
/// stay together in a core's cache; and enough that what a segment costs by itself does not count.
const SEGMENT_RECORDS: usize = 128;
/// Rows that a log's first segment has room for when it gets its first.
const FIRST_ROOM: usize = 4;
/// Summaries of forgotten segments cover at least this span of arrivals, so that a day's take little room.
const SUMMARY_SPAN: SimDuration = SimDuration::from_secs(60);

/// A retained record: 20 bytes. One row is one cache line or two; parallel columns would touch five for each append,
/// with as many open write streams as there are shards times columns.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Arrival, in nanoseconds after the segment's base.
    arrived: u32,
    /// From creation to arrival, in nanoseconds.
    waited: u32,
    key: u32,
    ordinal: u32,
    bytes: u32,
}

impl Row {
    /// The row of a record that arrives at `at` in a segment with this base; `None` if its offsets do not fit.
    #[inline]
    fn new(base: SimTime, at: SimTime, record: &Record) -> Option<Self> {
        let arrived = at.as_nanos().wrapping_sub(base.as_nanos());
        Self::arriving(u32::try_from(arrived).ok()?, at, record)
    }
    /// The row of a record whose arrival is also known as an offset.
    #[inline]
    fn arriving(arrived: u32, at: SimTime, record: &Record) -> Option<Self> {
        let waited = at.as_nanos().wrapping_sub(record.created_at.as_nanos());
        Some(Self {
            arrived,
            waited: u32::try_from(waited).ok()?,
            key: record.key.0,
            ordinal: record.ordinal,
            bytes: record.bytes,
        })
    }
}

/// A retained record whose offsets do not fit 32 bits (4.29 s).
#[derive(Clone, Copy, Debug)]
struct WideRow {
    arrived: SimTime,
    created: SimTime,
    key: u32,
    bytes: u32,
    ordinal: u32,
}

#[derive(Clone, Debug)]
enum Rows {
    Narrow(Vec<Row>),
    Wide(Vec<WideRow>),
}

#[derive(Clone, Debug)]
struct Segment {
    first: u64,
    base: SimTime,
    /// The latest arrival in it; arrivals of one shard may be out of order by a call window (KDS-REC-16).
    latest: SimTime,
    rows: Rows,
}

impl Segment {
    fn open(first: u64, base: SimTime, mut spare: Vec<Row>) -> Self {
        spare.clear();
        Self {
            first,
            base,
            latest: base,
            rows: Rows::Narrow(spare),
        }
    }
    fn len(&self) -> usize {
        match &self.rows {
            Rows::Narrow(rows) => rows.len(),
            Rows::Wide(rows) => rows.len(),
        }
    }
    fn end(&self) -> u64 {
        self.first + u64::from(to_u32(self.len()))
    }
    fn offset(&self, position: u64) -> usize {
        to_usize(u32::try_from(position - self.first).unwrap_or(u32::MAX))
    }
    fn record(&self, index: usize) -> Record {
        match &self.rows {
            Rows::Narrow(rows) => narrow_record(self.base, &rows[index]),
            Rows::Wide(rows) => wide_record(&rows[index]),
        }
    }
    fn arrived(&self, index: usize) -> SimTime {
        match &self.rows {
            Rows::Narrow(rows) => self.base + SimDuration::from_nanos(u64::from(rows[index].arrived)),
            Rows::Wide(rows) => rows[index].arrived,
        }
    }
    fn bytes_of(&self, index: usize) -> u32 {
        match &self.rows {
            Rows::Narrow(rows) => rows[index].bytes,
            Rows::Wide(rows) => rows[index].bytes,
        }
    }
    fn memory(&self) -> u64 {
        let bytes = match &self.rows {
            Rows::Narrow(rows) => rows.capacity() * size_of::<Row>(),
            Rows::Wide(rows) => rows.capacity() * size_of::<WideRow>(),
        };
        u64::try_from(bytes + size_of::<Self>()).unwrap_or(u64::MAX)
    }
    /// Notes an arrival.
    #[inline]
    fn reach(&mut self, at: SimTime) {
        if at > self.latest {
            self.latest = at;
        }
    }
    #[cold]
    fn widen(&mut self) {
        if let Rows::Narrow(rows) = &self.rows {
            let base = self.base;
            let mut wide = Vec::with_capacity(rows.len() + 16);
            wide.extend(rows.iter().map(|row| {
                let record = narrow_record(base, row);
                WideRow {
                    arrived: record.arrived_at,
                    created: record.created_at,
                    key: row.key,
                    bytes: row.bytes,
                    ordinal: row.ordinal,
                }
            }));
            self.rows = Rows::Wide(wide);
        }
    }
}

#[inline]
fn narrow_record(base: SimTime, row: &Row) -> Record {
    let arrived = base.as_nanos() + u64::from(row.arrived);
    Record {
        created_at: SimTime::from_nanos(arrived - u64::from(row.waited)),
        arrived_at: SimTime::from_nanos(arrived),
        key: KeyId(row.key),
        ordinal: row.ordinal,
        bytes: row.bytes,
        flags: 0,
    }
}
#[inline]
fn wide_record(row: &WideRow) -> Record {
    Record {
        created_at: row.created,
        arrived_at: row.arrived,
        key: KeyId(row.key),
        ordinal: row.ordinal,
        bytes: row.bytes,
        flags: 0,
    }
}

/// What stays of forgotten segments.
#[derive(Clone, Copy, Debug)]
struct Summary {
    /// One past the last position.
    end: u64,
    first_arrival: SimTime,
    last_arrival: SimTime,
}

/// A partition log. What each record touches that is stored comes first.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Log {
    open: Segment,
    forgotten: VecDeque<Summary>,
    sealed: VecDeque<Arc<Segment>>,
    /// Everything before this position has expired.
    horizon: u64,
    spare: Vec<Vec<Row>>,
}

/// The common arrival of records that are appended one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arriving {
    at: SimTime,
    /// As rows of the open segment note it.
    offset: u32,
}

/// What a read found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Position of the first record returned; where none is, the reader's own position, moved up to the horizon.
    pub first: u64,
    /// Position after the last record returned.
    pub next: u64,
    /// Bytes returned (data and keys).
    pub bytes: u64,
    /// Records between the reader's position and the trim horizon: gone.
    pub expired: u64,
    /// Arrival of the oldest record that is visible and was not returned, if there is one.
    pub oldest_left: Option<SimTime>,
}

impl Log {
    /// An empty log.
    pub fn new() -> Self {
        Self {
            forgotten: VecDeque::new(),
            sealed: VecDeque::new(),
            open: Segment::open(0, SimTime::ZERO, Vec::new()),
            horizon: 0,
            spare: Vec::new(),
        }
    }
    /// The position that the next record gets; also the number of records ever stored.
    pub fn next_position(&self) -> u64 {
        self.open.end()
    }
    /// The oldest position that has not expired.
    pub const fn horizon(&self) -> u64 {
        self.horizon
    }
    /// Bytes of memory that records take.
    pub fn memory(&self) -> u64 {
        self.sealed.iter().map(|segment| segment.memory()).sum::<u64>() + self.open.memory()
    }

    /// Appends a record and returns its position.
    #[inline]
    pub fn append(&mut self, record: &Record) -> u64 {
        self.append_at(record.arrived_at, record)
    }
    /// Appends a record that arrives at `at`, whatever stands in it, and returns its position. A record whose arrival has
    /// just been written could not be read again before the write is done.
    #[inline]
    pub fn append_at(&mut self, at: SimTime, record: &Record) -> u64 {
        let open = &mut self.open;
        if let Rows::Narrow(rows) = &mut open.rows
            && !rows.is_empty()
            && rows.len() < rows.capacity()
            && let Some(row) = Row::new(open.base, at, record)
        {
            let position = open.first + u64::from(to_u32(rows.len()));
            rows.push(row);
            open.reach(at);
            return position;
        }
        self.append_slowly(at, record)
    }

    /// Begins to append records that all arrive at `at`. `None` if the open segment cannot note that briefly; then
    /// [`append`](Self::append) serves.
    pub fn arrive(&mut self, at: SimTime) -> Option<Arriving> {
        let open = &mut self.open;
        if open.len() == 0 {
            (open.base, open.latest) = (at, at);
        }
        let offset = at.as_nanos().wrapping_sub(open.base.as_nanos());
        matches!(open.rows, Rows::Narrow(_)).then_some(Arriving {
            at,
            offset: u32::try_from(offset).ok()?,
        })
    }
    /// Appends one of the records that arrive together.
    #[inline]
    pub fn append_arriving(&mut self, arriving: &mut Arriving, record: &Record) {
        if let Rows::Narrow(rows) = &mut self.open.rows
            && rows.len() < rows.capacity()
            && let Some(row) = Row::arriving(arriving.offset, arriving.at, record)
        {
            rows.push(row);
            return;
        }
        self.append_arriving_slowly(arriving, record);
    }
    #[cold]
    fn append_arriving_slowly(&mut self, arriving: &mut Arriving, record: &Record) {
        self.arrived(arriving);
        self.append_slowly(arriving.at, record);
        if let Some(next) = self.arrive(arriving.at) {
            *arriving = next;
        }
    }
    /// Ends what [`arrive`](Self::arrive) began.
    pub fn arrived(&mut self, arriving: &Arriving) {
        let open = &mut self.open;
        if let Rows::Narrow(rows) = &open.rows
            && rows.last().is_some_and(|last| last.arrived == arriving.offset)
        {
            open.reach(arriving.at);
        }
    }

    /// The first record of a segment, one that needs room, or one whose offsets are wide.
    #[cold]
    fn append_slowly(&mut self, at: SimTime, record: &Record) -> u64 {
        if self.open.len() >= SEGMENT_RECORDS {
            self.seal(at);
        }
        let position = self.next_position();
        let open = &mut self.open;
        if open.len() == 0 {
            open.base = at;
            open.latest = at;
        }
        open.reach(at);
        if let Rows::Narrow(rows) = &mut open.rows
            && let Some(row) = Row::new(open.base, at, record)
        {
            if rows.len() == rows.capacity() {
                // Twice as much room, but never for more than a segment. A copy of a log has none to spare.
                rows.reserve_exact(rows.len().max(FIRST_ROOM).min(SEGMENT_RECORDS - rows.len()));
            }
            rows.push(row);
            return position;
        }
        open.widen();
        if let Rows::Wide(rows) = &mut open.rows {
            rows.push(WideRow {
                arrived: at,
                created: record.created_at,
                key: record.key.0,
                bytes: record.bytes,
                ordinal: record.ordinal,
            });
        }
        position
    }

    fn seal(&mut self, base: SimTime) {
        let rows = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(SEGMENT_RECORDS));
        let next = Segment::open(self.open.end(), base, rows);
        let full = core::mem::replace(&mut self.open, next);
        self.sealed.push_back(Arc::new(full));
    }

    /// Nothing more will be stored: what is there can be forgotten or expire to the last record.
    pub fn close(&mut self) {
        self.spare.clear();
        if self.open.len() > 0 {
            let next = Segment::open(self.open.end(), self.open.latest, Vec::new());
            let last = core::mem::replace(&mut self.open, next);
            self.sealed.push_back(Arc::new(last));
        }
    }

    /// Lets everything expire that was stored `retention` ago or earlier (KDS-MOD-13: unreadable once its age reaches
    /// the retention). Where records were forgotten, a summary expires as a whole, with its last record.
    pub fn expire(&mut self, now: SimTime, retention: SimDuration) {
        let Some(limit) = now
            .as_nanos()
            .checked_sub(retention.as_nanos())
            .map(SimTime::from_nanos)
        else {
            return;
        };
        while let Some(summary) = self.forgotten.front() {
            if summary.last_arrival > limit {
                return;
            }
            self.horizon = self.horizon.max(summary.end);
            self.forgotten.pop_front();
        }
        while let Some(segment) = self.sealed.front() {
            if segment.latest > limit {
                break;
            }
            self.horizon = self.horizon.max(segment.end());
            if let Some(segment) = self.sealed.pop_front() {
                self.reclaim(segment);
            }
        }
        let segment = self.sealed.front().map_or(&self.open, |segment| segment);
        let mut horizon = self.horizon.max(segment.first);
        while horizon < segment.end() && segment.arrived(segment.offset(horizon)) <= limit {
            horizon += 1;
        }
        self.horizon = horizon;
    }

    /// Forgets the records of sealed segments that end at or before `position`: no reader will ask for them.
    pub fn forget(&mut self, position: u64) {
        while let Some(segment) = self.sealed.front() {
            if segment.end() > position {
                break;
            }
            let (end, first_arrival, last_arrival) = (segment.end(), segment.base, segment.latest);
            match self.forgotten.back_mut() {
                Some(summary) if last_arrival.since(summary.first_arrival) < SUMMARY_SPAN => {
                    summary.end = end;
                    summary.last_arrival = summary.last_arrival.max(last_arrival);
                }
                _ => self.forgotten.push_back(Summary {
                    end,
                    first_arrival,
                    last_arrival,
                }),
            }
            if let Some(segment) = self.sealed.pop_front() {
                self.reclaim(segment);
            }
        }
    }

    fn reclaim(&mut self, segment: Arc<Segment>) {
        if self.spare.len() < 4
            && let Ok(Segment {
                rows: Rows::Narrow(rows),
                ..
            }) = Arc::try_unwrap(segment)
        {
            self.spare.push(rows);
        }
    }

    /// The first position, at the horizon or beyond, from which on all records have arrived after `instant`.
    pub fn first_after(&self, instant: SimTime) -> u64 {
        for segment in core::iter::once(&self.open).chain(self.sealed.iter().rev().map(Arc::as_ref)) {
            let last = (0..segment.len())
                .rev()
                .find(|&index| segment.arrived(index) <= instant);
            if let Some(last) = last {
                return (segment.first + u64::from(to_u32(last)) + 1).max(self.horizon);
            }
        }
        self.horizon
    }

    /// Arrival of the record at `position`, or at the horizon if that has passed it; `None`: nothing is stored there yet.
    /// The record must not have been forgotten.
    pub fn arrival(&self, position: u64) -> Option<SimTime> {
        let position = position.max(self.horizon);
        let at = self.sealed.partition_point(|segment| segment.end() <= position);
        let segment = self.sealed.get(at).map_or(&self.open, |segment| segment);
        (segment.first..segment.end())
            .contains(&position)
            .then(|| segment.arrived(segment.offset(position)))
    }

    /// Whether the record at `position` has not expired, and was forgotten all the same: every reader had passed it.
    pub fn is_forgotten(&self, position: u64) -> bool {
        let first = self.sealed.front().map_or(self.open.first, |segment| segment.first);
        position >= self.horizon && position < first
    }

    /// Copies records from `position` on into `out`: at most `limit` records and `bytes_limit` bytes, but always one if
    /// one is visible (KDS-MOD-08). A record is visible from its arrival on. Positions before the horizon continue
    /// there (KDS-MOD-13).
    pub fn read(&self, position: u64, limit: u32, bytes_limit: u64, now: SimTime, out: &mut Batch) -> Page {
        let first = position.max(self.horizon);
        let mut page = Page {
            first,
            next: first,
            bytes: 0,
            expired: first - position,
            oldest_left: None,
        };
        let mut left = to_usize(limit);
        let start = self.sealed.partition_point(|segment| segment.end() <= first);
        for segment in self
            .sealed
            .iter()
            .skip(start)
            .map(Arc::as_ref)
            .chain(core::iter::once(&self.open))
        {
            let from = segment.offset(page.next);
            let (taken, bytes) = segment.copy(
                from,
                left,
                bytes_limit - page.bytes.min(bytes_limit),
                page.bytes == 0,
                now,
                out,
            );
            left -= taken;
            page.bytes += bytes;
            page.next += u64::from(to_u32(taken));
            if from + taken < segment.len() {
                let arrived = segment.arrived(from + taken);
                page.oldest_left = (arrived <= now).then_some(arrived);
                break;
            }
        }
        out.bytes += page.bytes;
        page
    }
}

impl Segment {
    /// Copies up to `limit` records from index `from` on, within `bytes_limit` but one in any case where `at_least_one`.
    fn copy(
        &self,
        from: usize,
        limit: usize,
        bytes_limit: u64,
        at_least_one: bool,
        now: SimTime,
        out: &mut Batch,
    ) -> (usize, u64) {
        let available = self.len().saturating_sub(from).min(limit);
        if self.latest <= now {
            // Everything is visible and nearly always fits: one plain loop.
            let start = out.records.len();
            let mut sum = 0;
            let summed = |record: Record| {
                sum += u64::from(record.bytes);
                record
            };
            match &self.rows {
                Rows::Narrow(rows) => {
                    let (base, rows) = (self.base, &rows[from..from + available]);
                    let records = rows.iter().map(|row| narrow_record(base, row));
                    out.records.extend(records.map(summed));
                }
                Rows::Wide(rows) => {
                    let records = rows[from..from + available].iter().map(wide_record);
                    out.records.extend(records.map(summed));
                }
            }
            if sum <= bytes_limit {
                return (available, sum);
            }
            out.records.truncate(start);
        }
        let (mut taken, mut bytes) = (0, 0);
        while taken < available {
            let size = u64::from(self.bytes_of(from + taken));
            let first = at_least_one && taken == 0;
            if self.arrived(from + taken) > now || (bytes + size > bytes_limit && !first) {
                break;
            }
            out.records.push(self.record(from + taken));
            bytes += size;
            taken += 1;
        }
        (taken, bytes)
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(created: u64, arrived: u64, ordinal: u32) -> Record {
        Record {
            created_at: SimTime::from_nanos(created),
            arrived_at: SimTime::from_nanos(arrived),
            key: KeyId(3),
            ordinal,
            bytes: 100,
            flags: 0,
        }
    }
    fn filled(count: u32, gap: u64) -> Log {
        let mut log = Log::new();
        for ordinal in 0..count {
            let at = u64::from(ordinal) * gap;
            assert_eq!(log.append(&record(at / 2, at, ordinal)), u64::from(ordinal));
        }
        log
    }
    fn read(log: &Log, position: u64, limit: u32, now: u64) -> (Page, Vec<Record>) {
        let mut out = Batch::default();
        let page = log.read(position, limit, u64::MAX, SimTime::from_nanos(now), &mut out);
        (page, out.records)
    }

    #[test]
    fn what_was_appended_is_read_back_across_segments() {
        for gap in [10, 5_000_000_000] {
            let log = filled(3_000, gap);
            let (page, records) = read(&log, 1_000, 1_500, u64::MAX - 1);
            assert_eq!(
                (page.first, page.next, page.expired, page.bytes),
                (1_000, 2_500, 0, 150_000)
            );
            for (ordinal, found) in (1_000..).zip(&records) {
                let at = u64::from(ordinal) * gap;
                assert_eq!(*found, record(at / 2, at, ordinal), "gap {gap}");
            }
        }
    }

    #[test]
    fn a_record_is_visible_from_its_arrival_on() {
        let log = filled(10, 10);
        assert_eq!(read(&log, 0, 100, 49).0.next, 5);
        assert_eq!(read(&log, 0, 100, 50).0.next, 6);
        assert_eq!(read(&log, 0, 2, 50).0.oldest_left, Some(SimTime::from_nanos(20)));
        assert_eq!(read(&log, 6, 2, 50).0.oldest_left, None);
    }

    #[test]
    fn kds_mod_08_a_page_has_one_record_even_if_it_is_too_large() {
        let log = filled(10, 10);
        let mut out = Batch::default();
        let page = log.read(0, 100, 99, SimTime::from_secs(1), &mut out);
        assert_eq!((page.next, page.bytes), (1, 100));
        let page = log.read(0, 100, 250, SimTime::from_secs(1), &mut Batch::default());
        assert_eq!((page.next, page.bytes), (2, 200));
    }

    #[test]
    fn kds_mod_13_a_record_is_unreadable_once_its_age_reaches_the_retention() {
        let mut log = filled(3_000, 10);
        let retention = SimDuration::from_nanos(1_000);
        log.expire(SimTime::from_nanos(1_000 + 15_000 - 1), retention);
        assert_eq!(log.horizon(), 1_500);
        log.expire(SimTime::from_nanos(1_000 + 15_000), retention);
        assert_eq!(log.horizon(), 1_501);
        let (page, records) = read(&log, 0, 2, 100_000);
        assert_eq!((page.first, page.expired, records[0].ordinal), (1_501, 1_501, 1_501));
    }

    #[test]
    fn forgotten_records_still_expire_and_leave_no_room_taken() {
        let mut log = filled(5_000, 10);
        let before = log.memory();
        log.forget(5_000);
        assert!(log.memory() * 3 < before, "four of five segments are gone");
        assert_eq!(log.horizon(), 0, "forgetting is not expiring");
        log.expire(SimTime::from_nanos(2_000_000), SimDuration::from_nanos(1_000));
        assert_eq!((log.horizon(), log.next_position()), (5_000, 5_000));
    }

    #[test]
    fn a_copy_made_at_any_length_goes_on() {
        for length in 0..3 * SEGMENT_RECORDS {
            let mut copy = filled(to_u32(length), 10).clone();
            copy.append(&record(1, 30_000_000, 2_000));
            assert_eq!(copy.next_position(), u64::from(to_u32(length)) + 1);
        }
    }

    #[test]
    fn a_clone_shares_history_and_diverges() {
        let mut log = filled(2_000, 10);
        let snapshot = log.clone();
        log.append(&record(1, 30_000, 2_000));
        log.forget(2_000);
        assert_eq!(read(&snapshot, 0, 5_000, 100_000).1.len(), 2_000);
        assert_eq!(log.next_position(), 2_001);
    }
}
