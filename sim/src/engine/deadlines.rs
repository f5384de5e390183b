//! A component's own list of deadlines, with one timer in the calendar.

use super::time::SimTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deadlines of one kind, least first; of equal ones the first added comes first.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    added: u64,
    /// The instant that the calendar will wake the component at, if a timer is armed.
    armed: Option<SimTime>,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    at: SimTime,
    number: u64,
    item: T,
}
impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<T> Deadlines<T> {
    /// No deadlines, no timer.
    pub const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            added: 0,
            armed: None,
        }
    }
    /// Adds a deadline. Returns the instant for which a timer must now be scheduled, if one must: the earlier timer,
    /// should there be one, will find nothing due and does no harm.
    #[must_use = "the timer must be scheduled"]
    pub fn add(&mut self, at: SimTime, item: T) -> Option<SimTime> {
        self.heap.push(Reverse(Entry {
            at,
            number: self.added,
            item,
        }));
        self.added += 1;
        self.arm()
    }
    /// Takes the next deadline that is due at `now`.
    pub fn pop_due(&mut self, now: SimTime) -> Option<T> {
        if self.heap.peek().is_some_and(|Reverse(entry)| entry.at <= now) {
            return self.heap.pop().map(|Reverse(entry)| entry.item);
        }
        None
    }
    /// Takes the next deadline that lies before `end`, with its instant.
    pub fn pop_before(&mut self, end: SimTime) -> Option<(SimTime, T)> {
        if self.heap.peek().is_some_and(|Reverse(entry)| entry.at < end) {
            return self.heap.pop().map(|Reverse(entry)| (entry.at, entry.item));
        }
        None
    }
    /// The next deadline.
    pub fn next_at(&self) -> Option<SimTime> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }
    /// To be called when the timer for `now` has fired and everything due was taken. Returns the instant of the next
    /// timer, if one must be scheduled.
    #[must_use = "the timer must be scheduled"]
    pub fn fired(&mut self, now: SimTime) -> Option<SimTime> {
        if self.armed == Some(now) {
            self.armed = None;
        }
        self.arm()
    }
    fn arm(&mut self) -> Option<SimTime> {
        let next = self.heap.peek().map(|Reverse(entry)| entry.at)?;
        if self.armed.is_some_and(|armed| armed <= next) {
            return None;
        }
        self.armed = Some(next);
        Some(next)
    }
    /// The earliest deadline.
    pub fn first(&self) -> Option<(SimTime, &T)> {
        self.heap.peek().map(|Reverse(entry)| (entry.at, &entry.item))
    }
    /// Drops the earliest deadlines as long as they are void, so that deadlines which rarely come true do not pile up.
    pub fn discard_leading(&mut self, is_void: impl Fn(&T) -> bool) {
        while self.heap.peek().is_some_and(|Reverse(entry)| is_void(&entry.item)) {
            self.heap.pop();
        }
    }
    /// Takes all deadlines out, in the order in which they were added, to be added again at other instants. A timer
    /// that is armed stays armed.
    pub fn take_all(&mut self) -> Vec<(SimTime, T)> {
        let mut entries: Vec<Entry<T>> = self.heap.drain().map(|Reverse(entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        entries.into_iter().map(|entry| (entry.at, entry.item)).collect()
    }
    /// Number of deadlines.
    pub fn len(&self) -> usize {
        self.heap.len()
    }
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
    /// The items, in no particular but a reproducible order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.heap.iter().map(|Reverse(entry)| &entry.item)
    }
}
impl<T> Default for Deadlines<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_timer_serves_many_deadlines() {
        let t = SimTime::from_secs;
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.add(t(5), 'a'), Some(t(5)));
        assert_eq!(deadlines.add(t(7), 'b'), None, "the timer at 5 s comes first");
        assert_eq!(
            deadlines.add(t(3), 'c'),
            Some(t(3)),
            "an earlier deadline needs an earlier timer"
        );
        assert_eq!(deadlines.add(t(3), 'd'), None);
        assert_eq!(
            (
                deadlines.pop_due(t(3)),
                deadlines.pop_due(t(3)),
                deadlines.pop_due(t(3))
            ),
            (Some('c'), Some('d'), None)
        );
        assert_eq!(deadlines.fired(t(3)), Some(t(5)));
        assert_eq!(deadlines.pop_due(t(5)), Some('a'));
        assert_eq!(deadlines.fired(t(5)), Some(t(7)));
        assert_eq!(deadlines.pop_due(t(7)), Some('b'));
        assert_eq!(deadlines.fired(t(7)), None);
    }

    #[test]
    fn void_deadlines_are_dropped_from_the_front() {
        let t = SimTime::from_secs;
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.add(t(1), 'a'), Some(t(1)));
        assert_eq!(deadlines.add(t(3), 'c'), None);
        assert_eq!(deadlines.add(t(2), 'b'), None);
        deadlines.discard_leading(|&item| item != 'b');
        assert_eq!((deadlines.first(), deadlines.len()), (Some((t(2), &'b')), 2));
        assert_eq!(deadlines.pop_due(t(1)), None);
        assert_eq!(deadlines.fired(t(1)), Some(t(2)));
    }

    #[test]
    fn deadlines_can_be_moved() {
        let t = SimTime::from_secs;
        let mut deadlines = Deadlines::new();
        assert_eq!(deadlines.add(t(4), 'a'), Some(t(4)));
        assert_eq!(deadlines.add(t(3), 'b'), Some(t(3)));
        let all = deadlines.take_all();
        assert_eq!(all, [(t(4), 'a'), (t(3), 'b')]);
        assert_eq!(deadlines.add(t(5), 'a'), None, "the timer at 3 s will find nothing due");
        assert_eq!(deadlines.add(t(2), 'b'), Some(t(2)));
    }
}
