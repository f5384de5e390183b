//! When a failed request is sent again, and when it is given up: the SDK's retry modes for whole requests, and the
//! application's backoff for entries that a PutRecords refused.
//!
//! The two never mix: a PutRecords with refused entries is a success to the SDK (KDS-W-14), and the SDK repeats a
//! request whole, entries that were stored before its response was lost included (KDS-SDK-17).

mod limiter;
#[cfg(test)]
#[expect(clippy::as_conversions, reason = "statistics")]
mod tests;

use crate::batch::ServiceError;
use crate::blueprint::{Jitter, Resend, RetryMode, SdkRetry};
use crate::engine::random::{DuplicateStream, RandomStreams, Stream};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::GiveUpReason;
use limiter::RateLimiter;

/// Longest wait of the standard mode, before jitter (KDS-SDK-03, KDS-SDK-05).
const LONGEST_WAIT: SimDuration = SimDuration::from_secs(20);
/// So much longer than the computed wait a server may make a client wait (KDS-SDK-07).
const LONGEST_EXTENSION: SimDuration = SimDuration::from_secs(5);
/// Tokens of the retry quota at first, and at most (KDS-SDK-04, KDS-SDK-06).
const QUOTA: u16 = 500;
/// Tokens that a success at the first attempt brings back (KDS-SDK-04, KDS-SDK-06).
const FIRST_TRY_REFUND: u16 = 1;

/// How the SDK classifies an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorClass {
    /// The service refused for load (KDS-SDK-08).
    Throttling,
    /// A server error without a known code, or none at all (KDS-SDK-09).
    Transient,
    /// Another attempt would fail the same way (KDS-SDK-08).
    Permanent,
}

impl ErrorClass {
    /// The class of an error (KDS-SDK-08, KDS-SDK-09; legacy mode retries the same ones, KDS-SDK-11).
    pub const fn of(error: ServiceError) -> Self {
        match error {
            ServiceError::ProvisionedThroughputExceeded
            | ServiceError::TooManyRequests
            | ServiceError::RequestThrottled
            | ServiceError::Throttled => Self::Throttling,
            ServiceError::InternalFailure | ServiceError::RequestTimeout => Self::Transient,
            ServiceError::InvalidArgument
            | ServiceError::InvalidParameterValue
            | ServiceError::ReceiptHandleIsInvalid
            | ServiceError::PurgeQueueInProgress
            | ServiceError::ExpiredIterator
            | ServiceError::ResourceInUse
            | ServiceError::ResourceNotFound
            | ServiceError::LimitExceeded
            | ServiceError::OverLimit
            | ServiceError::BatchRequestTooLong
            | ServiceError::TooManyEntriesInBatchRequest => Self::Permanent,
        }
    }
}

/// What becomes of a failed request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is sent again.
    RetryAfter {
        /// Not before this time has passed.
        wait: SimDuration,
        /// Tokens of the retry quota that this retry took. The caller keeps the number with the request and hands it to
        /// [`RetryPolicy::on_success`].
        cost: u16,
    },
    /// It goes to the application as failed.
    GiveUp(GiveUpReason),
}

/// The retry behaviour of one SDK client.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    max_attempts: u32,
    backoff: Backoff,
    /// What the service asks throttled clients to wait; zero if it does not.
    retry_after: SimDuration,
    /// Tokens left; `None` in modes without a quota.
    quota: Option<u16>,
    limiter: Option<RateLimiter>,
    jitter: Stream,
}

/// Waits and costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Backoff {
    /// KDS-SDK-03, KDS-SDK-04.
    Standard,
    /// KDS-SDK-05, KDS-SDK-06.
    Standard2026,
    /// KDS-SDK-10.
    Legacy,
    /// KDS-SDK-12.
    Java,
}

impl Backoff {
    /// The wait before retry `retry` (0 for the first), before jitter.
    fn wait(self, class: ErrorClass, retry: u32) -> SimDuration {
        let base = match (self, class) {
            (Self::Standard2026, ErrorClass::Transient) => SimDuration::from_millis(50),
            (Self::Java, ErrorClass::Transient) => SimDuration::from_millis(100),
            (Self::Standard | Self::Standard2026 | Self::Legacy | Self::Java, _) => SimDuration::SECOND,
        };
        let doubled = base.saturating_mul(1_u64.checked_shl(retry).unwrap_or(u64::MAX));
        match self {
            Self::Standard | Self::Standard2026 | Self::Java => doubled.min(LONGEST_WAIT),
            Self::Legacy => doubled,
        }
    }
    /// Tokens that a retry takes from the quota.
    const fn cost(self, error: ServiceError, class: ErrorClass) -> u16 {
        match (self, class) {
            (Self::Standard2026, ErrorClass::Throttling) => 5,
            (Self::Standard2026, ErrorClass::Transient | ErrorClass::Permanent) => 14,
            (Self::Standard | Self::Legacy | Self::Java, _) => match error {
                ServiceError::RequestTimeout => 10,
                ServiceError::ProvisionedThroughputExceeded
                | ServiceError::InternalFailure
                | ServiceError::InvalidArgument
                | ServiceError::InvalidParameterValue
                | ServiceError::ReceiptHandleIsInvalid
                | ServiceError::PurgeQueueInProgress
                | ServiceError::ExpiredIterator
                | ServiceError::RequestThrottled
                | ServiceError::Throttled
                | ServiceError::OverLimit
                | ServiceError::BatchRequestTooLong
                | ServiceError::TooManyEntriesInBatchRequest
                | ServiceError::ResourceInUse
                | ServiceError::ResourceNotFound
                | ServiceError::LimitExceeded
                | ServiceError::TooManyRequests => 5,
            },
        }
    }
}

impl RetryPolicy {
    /// The policy of a component's client. Draws from the stream `<component>/retry-jitter`.
    ///
    /// Legacy mode knows no timing of 2026 and no quota (KDS-SDK-10).
    /// `retry_after` is what the service asks throttled clients to wait, if it is not zero (KDS-SDK-07).
    pub fn new(
        component: &str,
        retry: SdkRetry,
        retry_after: SimDuration,
        streams: &mut RandomStreams,
    ) -> Result<Self, DuplicateStream> {
        let (max_attempts, has_quota) = match retry.mode {
            RetryMode::Off => (1, false),
            RetryMode::Standard | RetryMode::Adaptive | RetryMode::Java => (retry.max_attempts, true),
            RetryMode::Legacy => (retry.max_attempts, false),
        };
        let backoff = match (retry.mode, retry.timing_2026) {
            (RetryMode::Legacy, _) => Backoff::Legacy,
            (RetryMode::Java, _) => Backoff::Java,
            (RetryMode::Off | RetryMode::Standard | RetryMode::Adaptive, true) => Backoff::Standard2026,
            (RetryMode::Off | RetryMode::Standard | RetryMode::Adaptive, false) => Backoff::Standard,
        };
        Ok(Self {
            max_attempts,
            backoff,
            retry_after,
            quota: has_quota.then_some(QUOTA),
            limiter: (retry.mode == RetryMode::Adaptive).then(RateLimiter::new),
            jitter: streams.stream(&format!("{component}/retry-jitter"))?,
        })
    }
    /// How long an attempt that is ready at `now` still has to wait: the adaptive mode's rate limiter, which may delay
    /// even a first attempt (KDS-SDK-14). Zero in the other modes. To be asked once for each attempt: it takes a place.
    pub fn before_send(&mut self, now: SimTime) -> SimDuration {
        self.limiter
            .as_mut()
            .map_or(SimDuration::ZERO, |limiter| limiter.reserve(now))
    }
    /// A request succeeded with attempt number `attempt` (1: the first). `cost` is what its last retry took, 0 if there
    /// was none.
    pub fn on_success(&mut self, now: SimTime, attempt: u32, cost: u16) {
        if let Some(limiter) = &mut self.limiter {
            limiter.on_response(now, false);
        }
        if let Some(tokens) = &mut self.quota {
            let refund = if attempt <= 1 { FIRST_TRY_REFUND } else { cost };
            *tokens = tokens.saturating_add(refund).min(QUOTA);
        }
    }
    /// So many requests succeeded with their first attempts.
    pub fn on_first_successes(&mut self, now: SimTime, requests: u32) {
        if let Some(limiter) = &mut self.limiter {
            for _ in 0..requests {
                limiter.on_response(now, false);
            }
        }
        if let Some(tokens) = &mut self.quota {
            let refund = u32::from(FIRST_TRY_REFUND).saturating_mul(requests);
            *tokens = tokens
                .saturating_add(u16::try_from(refund).unwrap_or(u16::MAX))
                .min(QUOTA);
        }
    }
    /// A request failed with attempt number `attempt` (1: the first).
    pub fn on_error(&mut self, now: SimTime, error: ServiceError, attempt: u32) -> Decision {
        let class = ErrorClass::of(error);
        if let Some(limiter) = &mut self.limiter {
            limiter.on_response(now, class == ErrorClass::Throttling);
        }
        if class == ErrorClass::Permanent {
            return Decision::GiveUp(GiveUpReason::NotRetryable);
        }
        if attempt >= self.max_attempts {
            return Decision::GiveUp(GiveUpReason::AttemptsExhausted);
        }
        let mut cost = 0;
        if let Some(tokens) = &mut self.quota {
            cost = self.backoff.cost(error, class);
            let Some(left) = tokens.checked_sub(cost) else {
                return Decision::GiveUp(GiveUpReason::RetryQuotaEmpty);
            };
            *tokens = left;
        }
        let longest = self.backoff.wait(class, attempt.saturating_sub(1));
        Decision::RetryAfter {
            wait: self.wait(class, longest),
            cost,
        }
    }
    /// A random share of the longest wait. With the timing of 2026 the service's own word replaces it, within bounds and
    /// without jitter (KDS-SDK-07).
    fn wait(&mut self, class: ErrorClass, longest: SimDuration) -> SimDuration {
        let told = self.backoff == Backoff::Standard2026 && class == ErrorClass::Throttling;
        if told && !self.retry_after.is_zero() {
            return self.retry_after.clamp(longest, longest + LONGEST_EXTENSION);
        }
        SimDuration::from_nanos(self.jitter.below(longest.as_nanos()))
    }
    /// Tokens left in the retry quota; `None` in modes without one.
    pub const fn quota(&self) -> Option<u16> {
        self.quota
    }
    /// Number of random words drawn so far.
    pub const fn draws(&self) -> u64 {
        self.jitter.draws()
    }
}

/// The application's wait before it sends refused entries again, which it has sent again `resends_so_far` times;
/// `None`: it gives them up. `backoff * factor^n`, capped, then jitter from `stream`.
pub fn resend_after(resend: &Resend, resends_so_far: u32, stream: &mut Stream) -> Option<SimDuration> {
    if resends_so_far >= resend.attempts {
        return None;
    }
    let growth = u64::from(resend.factor).saturating_pow(resends_so_far);
    let wait = resend.backoff.saturating_mul(growth).min(resend.max_backoff).as_nanos();
    let up_to = |most: u64, stream: &mut Stream| stream.below(most.saturating_add(1));
    Some(SimDuration::from_nanos(match resend.jitter {
        Jitter::None => wait,
        Jitter::Full => up_to(wait, stream),
        Jitter::Equal => wait / 2 + up_to(wait - wait / 2, stream),
    }))
}
