//! Records that come almost in the order of their arrivals: those of a window are stored together, each where it belongs.

use super::{Log, Row, Rows};
use crate::engine::time::SimTime;
use crate::record::Record;
use std::sync::Arc;

/// Of records that arrive at one instant the one that was created first comes first; then the keys decide, which are
/// sorted by producer.
#[inline]
fn place(record: &Record) -> impl Ord + use<> {
    (record.arrived_at, record.created_at, record.key, record.ordinal)
}

impl Log {
    /// Stores a record before those that arrive later. Only the last few may: everything else is older.
    #[inline]
    pub fn insert(&mut self, record: &Record) {
        let open = &mut self.open;
        if let Rows::Narrow(rows) = &mut open.rows
            && let Some(last) = rows.last()
            && rows.len() < rows.capacity()
            && let Some(row) = Row::new(open.base, record.arrived_at, record)
            && last.arrived < row.arrived
        {
            rows.push(row);
            return open.reach(record.arrived_at);
        }
        self.insert_slowly(record);
    }

    /// Moves the few records aside that arrive later.
    #[inline(never)]
    fn insert_slowly(&mut self, record: &Record) {
        let mut later = Vec::new();
        if let Rows::Narrow(rows) = &mut self.open.rows
            && rows.len() < rows.capacity()
            && let Some(row) = Row::new(self.open.base, record.arrived_at, record)
            && let Some(before) = rows.iter().rposition(|other| other.arrived < row.arrived)
            && rows.get(before + 1).is_some_and(|next| next.arrived > row.arrived)
        {
            rows.push(row);
            for place in (before + 1..rows.len()).rev().skip(1) {
                rows.swap(place, place + 1);
            }
            return;
        }
        while let Some(last) = self.last()
            && place(&last) > place(record)
        {
            self.take_last();
            later.push(last);
        }
        self.append(record);
        for record in later.iter().rev() {
            self.append(record);
        }
    }

    /// The last record that is stored.
    fn last(&self) -> Option<Record> {
        let sealed = || self.sealed.back().map(Arc::as_ref);
        let segment = Some(&self.open).filter(|open| open.len() > 0).or_else(sealed)?;
        Some(segment.record(segment.len().checked_sub(1)?))
    }

    /// Takes the last record out again.
    fn take_last(&mut self) {
        if self.open.len() == 0
            && let Some(segment) = self.sealed.pop_back()
        {
            self.open = Arc::unwrap_or_clone(segment);
        }
        match &mut self.open.rows {
            Rows::Narrow(rows) => drop(rows.pop()),
            Rows::Wide(rows) => drop(rows.pop()),
        }
    }

    /// Arrival and size of the last `count` records, in order; fewer if the rest has been forgotten.
    #[inline]
    pub fn each_of_last(&self, count: u32, mut each: impl FnMut(SimTime, u32)) {
        let from = self.next_position() - u64::from(count);
        let start = self.sealed.partition_point(|segment| segment.end() <= from);
        let sealed = self.sealed.iter().skip(start).map(Arc::as_ref);
        for segment in sealed.chain(core::iter::once(&self.open)) {
            let skipped = segment.offset(from.max(segment.first));
            match &segment.rows {
                Rows::Narrow(rows) => {
                    let base = segment.base.as_nanos();
                    for row in rows.iter().skip(skipped) {
                        each(SimTime::from_nanos(base + u64::from(row.arrived)), row.bytes);
                    }
                }
                Rows::Wide(rows) => rows.iter().skip(skipped).for_each(|row| each(row.arrived, row.bytes)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::index::to_u32;
    use crate::engine::time::SimDuration;
    use crate::record::KeyId;
    use proptest::prelude::*;

    fn record((at, waited, ordinal): (u64, u64, u32)) -> Record {
        Record {
            created_at: SimTime::from_nanos(at - waited),
            arrived_at: SimTime::from_nanos(at),
            key: KeyId(ordinal % 3),
            ordinal,
            bytes: 100 + ordinal,
            flags: 0,
        }
    }

    proptest! {
        /// Window by window, short and long ones, with arrivals that coincide: the log holds what sorting gives, and
        /// whoever has a copy of it still has what was there.
        #[test]
        fn records_of_a_window_lie_in_the_order_of_their_arrivals(
            width in prop_oneof![Just(5_u64), Just(2_000), Just(9_000_000_000)],
            windows in prop::collection::vec(prop::collection::vec((0_u64..1 << 40, 0_u64..4), 0..150), 1..8),
        ) {
            let (mut log, mut sorted, mut start) = (Log::new(), Vec::new(), 10_000_000_000);
            let mut ordinal = 0;
            for window in windows {
                let copy = log.clone();
                let mut records: Vec<Record> = window
                    .iter()
                    .map(|&(offset, waited)| {
                        ordinal += 1;
                        record((start + 1 + offset % width, waited, ordinal))
                    })
                    .collect();
                for record in &records {
                    log.insert(record);
                }
                records.sort_by_key(place);
                let known: Vec<_> = sorted.iter().map(|record: &Record| (record.arrived_at, record.bytes)).collect();
                let mut copied = Vec::new();
                copy.each_of_last(to_u32(known.len()), |at, bytes| copied.push((at, bytes)));
                prop_assert_eq!(copied, known);
                sorted.extend(records);
                start += width + 1;
            }
            for count in [0, sorted.len().min(1), sorted.len() / 2, sorted.len()] {
                let expected: Vec<_> = sorted[sorted.len() - count..].iter().map(|record| (record.arrived_at, record.bytes)).collect();
                let mut found = Vec::new();
                log.each_of_last(to_u32(count), |at, bytes| found.push((at, bytes)));
                prop_assert_eq!(found, expected);
            }
            let mut read = crate::batch::Batch::default();
            let end = SimTime::from_nanos(start).saturating_add(SimDuration::from_secs(100));
            log.read(0, u32::MAX, u64::MAX, end, &mut read);
            prop_assert_eq!(read.records, sorted);
        }
    }
}
