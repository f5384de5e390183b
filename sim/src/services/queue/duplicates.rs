//! Messages of a standard queue that are delivered twice without anybody's fault (SQS-V-24, SQS-Z-03).

use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::services::ServiceBuildError;
use crate::services::random_span::RandomSpan;

/// Parts of a delivery in which gaps are drawn.
const PARTS: u32 = 16;

/// Which deliveries have a copy that can be received at the same time. The number of deliveries from one to the next is
/// drawn, not each delivery: the documented rates are tiny.
#[derive(Clone, Debug)]
pub(super) struct Duplicates {
    gap: Option<RandomSpan>,
    /// Deliveries up to the next one that has a copy, that one included.
    pub(super) left: u64,
}

impl Duplicates {
    /// Makes the random stream duplicates.
    #[expect(clippy::float_arithmetic, reason = "a parameter, before the run begins")]
    pub(super) fn new(component: &str, rate: Ratio, streams: &mut RandomStreams) -> Result<Self, ServiceBuildError> {
        // The gap is geometric: an exponential span with this mean, rounded up, is exactly that.
        let mean = f64::from(1_u32 << PARTS) / -libm::log1p(-rate.as_f64().min(1.0));
        let law = if mean > 0.0 {
            Distribution::Exponential { mean }
        } else {
            Distribution::Constant(0.0)
        };
        let gap = if rate.is_zero() {
            None
        } else {
            Some(RandomSpan::new(component, "duplicates", &law, streams)?)
        };
        let mut duplicates = Self { gap, left: u64::MAX };
        duplicates.draw();
        Ok(duplicates)
    }
    fn draw(&mut self) {
        if let Some(gap) = &mut self.gap {
            self.left = (gap.draw().as_nanos() >> PARTS) + 1;
        }
    }
    /// Draws beyond the first one, which every queue makes.
    pub(super) fn draws(&self) -> u64 {
        self.gap.as_ref().map_or(0, |gap| gap.draws().saturating_sub(1))
    }
    /// A message is delivered: whether it has a copy.
    pub(super) fn hits(&mut self) -> bool {
        self.left -= 1;
        let hit = self.left == 0;
        if hit {
            self.draw();
        }
        hit
    }
}
