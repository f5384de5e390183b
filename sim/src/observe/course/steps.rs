//! Values over time in steps of equal length, which grow with the run so that there are never many of them.

use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};

/// Steps at most; a chart has no more points than that.
pub const STEPS_MAX: usize = 400;

/// Lengths of a step in milliseconds, each a multiple of the one before: a second to 30 days. Limits count by the
/// second, so a shorter step would tell less.
const LENGTHS: [u64; 12] = [
    1_000,
    2_000,
    10_000,
    30_000,
    60_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    21_600_000,
    86_400_000,
    2_592_000_000,
];

/// What happened in a step.
pub trait Step: Clone + Default {
    /// Adds what happened in another one.
    fn add(&mut self, other: &Self);
}

/// Where the steps of a run lie. The last one is open: it is still going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    rung: usize,
    steps: usize,
}

/// What the clock means for the steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Advance {
    /// A new step begins.
    Begin,
    /// So many neighbours become one step each, to make room.
    Merge(usize),
}

impl Grid {
    /// The first step.
    pub(super) const fn new() -> Self {
        Self { rung: 0, steps: 1 }
    }
    /// Length of a step.
    pub fn length(&self) -> SimDuration {
        let longest = LENGTHS.len() - 1;
        let millis = LENGTHS.get(self.rung).or(LENGTHS.last()).copied().unwrap_or(1);
        // Beyond the last length, which is good for 32 years, steps double.
        let doublings = u32::try_from(self.rung.saturating_sub(longest)).unwrap_or(u32::MAX);
        SimDuration::from_millis(millis).saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX))
    }
    /// Number of steps, the open one included.
    pub const fn steps(&self) -> usize {
        self.steps
    }
    /// End of the open step.
    pub(super) fn end(&self) -> SimTime {
        let steps = u64::try_from(self.steps).unwrap_or(u64::MAX);
        SimTime::ZERO.saturating_add(self.length().saturating_mul(steps))
    }
    /// Without the open step.
    pub(super) const fn shorter(self) -> Self {
        Self {
            steps: self.steps.saturating_sub(1),
            ..self
        }
    }
    /// What must be done with every [`Steps`] so that the open step comes closer to `now`; `None`: it holds it.
    pub(super) fn advance(&mut self, now: SimTime) -> Option<Advance> {
        if now < self.end() || now == SimTime::NEVER {
            return None;
        }
        if self.steps < STEPS_MAX {
            self.steps += 1;
            return Some(Advance::Begin);
        }
        let before = self.length().as_nanos();
        self.rung += 1;
        let merged = self.length().as_nanos() / before;
        let merged = u32::try_from(merged).map_or(usize::MAX, to_usize);
        self.steps = self.steps.div_ceil(merged);
        Some(Advance::Merge(merged))
    }
}

/// The steps of one component, in order of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Steps<S>(Vec<S>);

impl<S: Step> Steps<S> {
    /// The first step, and empty ones before it for a component that came later.
    pub(super) fn new(grid: Grid) -> Self {
        Self(vec![S::default(); grid.steps()])
    }
    /// The open step.
    pub(super) fn open(&mut self) -> &mut S {
        if self.0.is_empty() {
            self.0.push(S::default());
        }
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
    /// Follows the grid.
    pub(super) fn advance(&mut self, advance: Advance) {
        match advance {
            Advance::Begin => self.0.push(S::default()),
            Advance::Merge(merged) => {
                self.0 = self
                    .0
                    .chunks(merged)
                    .map(|steps| {
                        let mut sum = S::default();
                        for step in steps {
                            sum.add(step);
                        }
                        sum
                    })
                    .collect();
            }
        }
    }
    /// Folds the open step into the one before.
    pub(super) fn fold_last(&mut self) {
        if self.0.len() > 1 {
            let last = self.0.pop().unwrap_or_default();
            self.open().add(&last);
        }
    }
    /// All steps.
    pub fn all(&self) -> &[S] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default, PartialEq, Eq, Debug)]
    struct Sum(u64);
    impl Step for Sum {
        fn add(&mut self, other: &Self) {
            self.0 += other.0;
        }
    }

    #[test]
    fn each_length_is_a_multiple_of_the_one_before() {
        assert!(LENGTHS.windows(2).all(|pair| pair[1].is_multiple_of(pair[0])));
    }

    #[test]
    fn steps_grow_with_the_run_and_keep_every_value_in_its_place() {
        for (seconds, length) in [
            (30, 1_000),
            (300, 1_000),
            (3_600, 10_000),
            (40_000, 300_000),
            (10_000_000, 86_400_000),
        ] {
            let mut grid = Grid::new();
            let mut steps: Steps<Sum> = Steps::new(grid);
            let stride = (seconds / 5_000).max(1);
            for second in (0..seconds).step_by(usize::try_from(stride).expect("small")) {
                while let Some(advance) = grid.advance(SimTime::from_secs(second)) {
                    steps.advance(advance);
                }
                steps.open().0 += 1;
            }
            assert_eq!(grid.length(), SimDuration::from_millis(length), "{seconds} s");
            assert_eq!(steps.all().len(), grid.steps());
            assert!(grid.steps() <= STEPS_MAX);
            let total: u64 = steps.all().iter().map(|step| step.0).sum();
            assert_eq!(total, seconds.div_ceil(stride));
            // Every whole step holds the instants that lie in it.
            let in_first = (0..length)
                .step_by(1_000)
                .filter(|millis| (millis / 1_000).is_multiple_of(stride))
                .count();
            assert_eq!(steps.all()[0].0, u64::try_from(in_first).expect("small"), "{seconds} s");
        }
    }

    #[test]
    fn a_long_silence_ends() {
        let mut grid = Grid::new();
        let mut steps: Steps<Sum> = Steps::new(grid);
        let far = SimTime::from_secs(400 * 365 * 86_400);
        while let Some(advance) = grid.advance(far) {
            steps.advance(advance);
        }
        assert!(grid.end() > far && steps.all().len() <= STEPS_MAX);
    }
}
