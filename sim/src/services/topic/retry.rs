//! The delivery policy for queues, which nobody can change (SQS-S-06 to SQS-S-08).

use crate::engine::quantity::Ratio;
use crate::engine::random::Stream as Random;
use crate::engine::time::SimDuration;

/// Attempts after the first that come at once.
const IMMEDIATE: u32 = 3;
/// Those that follow, a second apart.
const BEFORE_BACKOFF: u32 = 2;
/// Waits that then grow from 1 s to 20 s, each by the same factor, in milliseconds.
const BACKOFF: [u64; 10] = [1_000, 1_395, 1_946, 2_714, 3_786, 5_282, 7_368, 10_278, 14_338, 20_000];
/// Those that follow, 20 s apart.
const AFTER_BACKOFF: u32 = 100_000;
/// Attempts after the first (SQS-S-07).
pub(super) const RETRIES: u32 = IMMEDIATE + BEFORE_BACKOFF + 10 + AFTER_BACKOFF;

/// The wait before the `retry`-th attempt after the first, counted from 1, without jitter; `None`: there is none.
pub(super) fn wait(retry: u32) -> Option<SimDuration> {
    let after = |phases: u32| retry.saturating_sub(phases);
    if retry > RETRIES {
        None
    } else if retry <= IMMEDIATE {
        Some(SimDuration::ZERO)
    } else if after(IMMEDIATE) <= BEFORE_BACKOFF {
        Some(SimDuration::SECOND)
    } else {
        let step = crate::engine::index::to_usize(after(IMMEDIATE + BEFORE_BACKOFF) - 1);
        Some(SimDuration::from_millis(BACKOFF.get(step).copied().unwrap_or(20_000)))
    }
}

/// The wait with jitter: as likely longer as shorter, by a share of it at most.
pub(super) fn with_jitter(wait: SimDuration, share: Ratio, random: &mut Random) -> SimDuration {
    if wait.is_zero() || share.is_zero() {
        return wait;
    }
    let most = u128::from(wait.as_nanos()) * u128::from(share.numerator) / u128::from(share.denominator.max(1));
    let most = u64::try_from(most).unwrap_or(u64::MAX / 4).min(wait.as_nanos());
    SimDuration::from_nanos(wait.as_nanos() - most + random.below(2 * most + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::random::RandomStreams;

    /// SQS-S-06: four phases.
    #[test]
    fn sqs_s_06_a_delivery_is_retried_in_four_phases() {
        let waits: Vec<u64> = (1..=20).filter_map(wait).map(SimDuration::as_millis).collect();
        assert_eq!(waits[..5], [0, 0, 0, 1_000, 1_000]);
        assert_eq!(waits[5..15], BACKOFF);
        assert_eq!((waits[5], waits[14]), (1_000, 20_000));
        for pair in waits[5..15].windows(2) {
            // The ninth root of twenty.
            let growth = pair[1] * 10_000 / pair[0];
            assert!((13_940..=13_960).contains(&growth), "{pair:?}");
        }
        assert_eq!(waits[15..], [20_000; 5]);
        assert_eq!(wait(RETRIES), Some(SimDuration::from_secs(20)));
        assert_eq!(wait(RETRIES + 1), None);
    }

    /// SQS-S-07: 100,015 attempts over 23 days.
    #[test]
    fn sqs_s_07_all_attempts_take_twenty_three_days() {
        let waits: Vec<SimDuration> = (1..).map_while(wait).collect();
        assert_eq!(waits.len(), 100_015);
        let seconds: u64 = waits.iter().map(|wait| wait.as_millis()).sum::<u64>() / 1_000;
        assert_eq!(seconds / 86_400, 23);
    }

    /// SQS-S-08: jitter is applied, and keeps the mean.
    #[test]
    fn sqs_s_08_waits_differ_by_the_jitter() {
        let mut random = RandomStreams::new(1, 0)
            .stream("subscription.orders/retry")
            .expect("one");
        let wait = SimDuration::from_secs(20);
        let drawn: Vec<u64> = (0..2_000)
            .map(|_| with_jitter(wait, Ratio::new(1, 10), &mut random).as_millis())
            .collect();
        assert!(drawn.iter().all(|&drawn| (18_000..=22_000).contains(&drawn)));
        assert!(drawn.iter().any(|&drawn| drawn < 18_200) && drawn.iter().any(|&drawn| drawn > 21_800));
        let mean = drawn.iter().sum::<u64>() / 2_000;
        assert!((19_900..=20_100).contains(&mean), "{mean}");
        assert_eq!(
            with_jitter(SimDuration::ZERO, Ratio::ONE, &mut random),
            SimDuration::ZERO
        );
        assert_eq!(with_jitter(wait, Ratio::ZERO, &mut random), wait);
    }
}
