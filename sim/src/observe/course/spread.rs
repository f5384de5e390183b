//! Latencies of one step: a histogram that holds only the buckets that occur.

use super::steps::Step;
use crate::engine::time::SimDuration;
use crate::observe::latency::Histogram;

/// How many latencies lie in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar {
    /// Least latency of the bucket.
    pub from: SimDuration,
    /// Width of the bucket.
    pub width: SimDuration,
    /// Latencies in it.
    pub records: u64,
}

/// Latencies in buckets of 3 to 6 % width, ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spread(Vec<Bar>);

impl Spread {
    /// What a histogram holds beyond an earlier state of it.
    pub fn between(earlier: Option<&Histogram>, now: &Histogram) -> Self {
        Self(now.bars_since(earlier))
    }
    /// The buckets that occur.
    pub fn bars(&self) -> &[Bar] {
        &self.0
    }
    /// Number of latencies.
    pub fn records(&self) -> u64 {
        self.0.iter().map(|bar| bar.records).sum()
    }
    /// The latency at or below which `per_million` millionths lie, within 6 %; `None` without latencies.
    pub fn quantile(&self, per_million: u32) -> Option<SimDuration> {
        let wanted = (u128::from(self.records()) * u128::from(per_million))
            .div_ceil(1_000_000)
            .max(1);
        let mut seen = 0_u128;
        for bar in &self.0 {
            let here = u128::from(bar.records);
            if seen + here >= wanted {
                // Within a bucket latencies are taken to be spread evenly.
                let into = u128::from(bar.width.as_nanos()) * (2 * (wanted - seen) - 1) / (2 * here);
                return Some(bar.from + SimDuration::from_nanos(u64::try_from(into).unwrap_or(0)));
            }
            seen += here;
        }
        None
    }
}

impl Step for Spread {
    fn add(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        let mut merged: Vec<Bar> = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (None, None) => break,
                (Some(one), Some(two)) if two.from < one.from => theirs.next(),
                (Some(_), _) => mine.next(),
                (None, Some(_)) => theirs.next(),
            };
            let Some(next) = next else { break };
            match merged.last_mut() {
                Some(last) if last.from == next.from => last.records += next.records,
                _ => merged.push(*next),
            }
        }
        self.0 = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        for value in values {
            histogram.record(SimDuration::from_nanos(*value));
        }
        histogram
    }

    proptest! {
        #[test]
        fn a_spread_is_what_came_since_and_spreads_add_up(
            early in prop::collection::vec(1_u64..20_000_000_000, 0..100),
            late in prop::collection::vec(1_u64..20_000_000_000, 1..100),
        ) {
            let (before, now) = (histogram(&early), histogram(&[early.clone(), late.clone()].concat()));
            let since = Spread::between(Some(&before), &now);
            prop_assert_eq!(&since, &Spread::between(None, &histogram(&late)));
            let mut sum = Spread::between(None, &before);
            sum.add(&since);
            prop_assert_eq!(sum, Spread::between(None, &now));

            let mut sorted = late.clone();
            sorted.sort_unstable();
            for per_million in [0, 500_000, 900_000, 990_000, 1_000_000] {
                let rank = (sorted.len() * per_million).div_ceil(1_000_000).max(1);
                let exact = sorted[rank - 1];
                let found = since.quantile(u32::try_from(per_million).expect("small")).expect("not empty").as_nanos();
                prop_assert!(found.abs_diff(exact) * 16 <= exact + 16, "{per_million}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Spread::default().quantile(500_000), None);
    }
}
