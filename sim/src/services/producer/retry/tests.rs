use super::{Decision, ErrorClass, RetryPolicy, resend_after};
use crate::batch::ServiceError;
use crate::blueprint::{Jitter, Resend, RetryMode, SdkRetry};
use crate::engine::random::{RandomStreams, Stream};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::GiveUpReason;

const NOW: SimTime = SimTime::ZERO;
const THROTTLE: ServiceError = ServiceError::ProvisionedThroughputExceeded;
const ERRORS: [ServiceError; 5] = [
    ServiceError::ProvisionedThroughputExceeded,
    ServiceError::InternalFailure,
    ServiceError::InvalidArgument,
    ServiceError::RequestTimeout,
    ServiceError::TooManyRequests,
];

fn retry(mode: RetryMode) -> SdkRetry {
    SdkRetry {
        mode,
        max_attempts: mode.default_attempts(),
        timing_2026: false,
    }
}
fn timing_2026(mode: RetryMode) -> SdkRetry {
    SdkRetry {
        timing_2026: true,
        ..retry(mode)
    }
}
fn attempts(max_attempts: u32, retry: SdkRetry) -> SdkRetry {
    SdkRetry { max_attempts, ..retry }
}
fn policy(retry: SdkRetry) -> RetryPolicy {
    told(retry, SimDuration::ZERO)
}
/// The policy of a client whose service asks to wait so long.
fn told(retry: SdkRetry, retry_after: SimDuration) -> RetryPolicy {
    RetryPolicy::new("producer.web", retry, retry_after, &mut RandomStreams::new(7, 0)).expect("a free name")
}
fn given_up(reason: GiveUpReason) -> Decision {
    Decision::GiveUp(reason)
}
/// Wait and cost of the retry after attempt number `attempt`.
fn retried(policy: &mut RetryPolicy, error: ServiceError, attempt: u32) -> (SimDuration, u16) {
    match policy.on_error(NOW, error, attempt) {
        Decision::RetryAfter { wait, cost } => (wait, cost),
        Decision::GiveUp(reason) => panic!("given up: {reason:?}"),
    }
}
/// How many attempts a request makes that always fails.
fn attempts_of(retry: SdkRetry, error: ServiceError) -> u32 {
    let mut policy = policy(retry);
    let mut attempt = 1;
    while let Decision::RetryAfter { .. } = policy.on_error(NOW, error, attempt) {
        attempt += 1;
    }
    attempt
}
/// Checks that waits after `attempt` are uniform between zero and `longest`, by mean and extremes of many.
fn assert_full_jitter(retry: SdkRetry, error: ServiceError, attempt: u32, longest: f64) {
    let mut policy = policy(attempts(100, retry));
    let waits: Vec<f64> = (0..4_000)
        .map(|_| {
            let (wait, cost) = retried(&mut policy, error, attempt);
            policy.on_success(NOW, attempt + 1, cost);
            wait.as_nanos() as f64 / 1e9 / longest
        })
        .collect();
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    let below_a_quarter = waits.iter().filter(|wait| **wait < 0.25).count();
    assert!(
        waits.iter().all(|wait| (0.0..1.0).contains(wait)),
        "{error:?}, attempt {attempt}"
    );
    assert!((mean - 0.5).abs() < 0.02, "a mean of {mean} after attempt {attempt}");
    assert!(
        below_a_quarter.abs_diff(1_000) < 120,
        "{below_a_quarter} below a quarter"
    );
}

#[test]
fn kds_sdk_02_standard_and_adaptive_make_three_attempts_and_one_disables_retries() {
    for mode in [RetryMode::Standard, RetryMode::Adaptive] {
        assert_eq!(attempts_of(retry(mode), THROTTLE), 3);
        assert_eq!(attempts_of(attempts(1, retry(mode)), THROTTLE), 1);
    }
    let mut policy = policy(retry(RetryMode::Standard));
    assert_eq!(
        policy.on_error(NOW, THROTTLE, 3),
        given_up(GiveUpReason::AttemptsExhausted)
    );
}

#[test]
fn kds_sdk_03_standard_waits_a_random_share_of_1_2_4_seconds_up_to_20() {
    for (attempt, longest) in [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 20.0), (90, 20.0)] {
        assert_full_jitter(retry(RetryMode::Standard), THROTTLE, attempt, longest);
        assert_full_jitter(
            retry(RetryMode::Standard),
            ServiceError::InternalFailure,
            attempt,
            longest,
        );
    }
}

#[test]
fn kds_sdk_04_the_quota_of_500_pays_5_a_retry_and_10_after_a_timeout_and_then_fails_at_once() {
    for (error, retries) in [
        (THROTTLE, 100),
        (ServiceError::InternalFailure, 100),
        (ServiceError::RequestTimeout, 50),
    ] {
        let mut policy = policy(retry(RetryMode::Standard));
        for _ in 0..retries {
            assert_eq!(retried(&mut policy, error, 1).1, 500 / retries);
        }
        assert_eq!(policy.on_error(NOW, error, 1), given_up(GiveUpReason::RetryQuotaEmpty));
    }
}

#[test]
fn kds_sdk_04_a_first_try_success_restores_one_and_a_retried_success_what_its_last_retry_took() {
    let mut policy = policy(retry(RetryMode::Standard));
    policy.on_success(NOW, 1, 0);
    assert_eq!(policy.quota(), Some(500), "never more than at first");
    let (_, first) = retried(&mut policy, THROTTLE, 1);
    let (_, second) = retried(&mut policy, ServiceError::RequestTimeout, 2);
    assert_eq!(policy.quota(), Some(485));
    policy.on_success(NOW, 3, second);
    assert_eq!(policy.quota(), Some(495), "only the last of the two comes back");
    policy.on_success(NOW, 1, 0);
    assert_eq!(policy.quota(), Some(496));
    assert_eq!((first, second), (5, 10));
}

#[test]
fn kds_sdk_05_the_timing_of_2026_starts_at_50_ms_for_transient_and_a_second_for_throttling_errors() {
    let retry = timing_2026(RetryMode::Standard);
    for (attempt, longest) in [(1, 0.05), (2, 0.1), (5, 0.8), (20, 20.0)] {
        assert_full_jitter(retry, ServiceError::InternalFailure, attempt, longest);
        assert_full_jitter(retry, ServiceError::RequestTimeout, attempt, longest);
    }
    for (attempt, longest) in [(1, 1.0), (2, 2.0), (6, 20.0)] {
        assert_full_jitter(retry, THROTTLE, attempt, longest);
    }
}

#[test]
fn kds_sdk_06_the_quota_of_2026_pays_14_a_transient_and_5_a_throttling_retry() {
    for (error, cost) in [
        (ServiceError::InternalFailure, 14),
        (ServiceError::RequestTimeout, 14),
        (THROTTLE, 5),
    ] {
        let mut policy = policy(timing_2026(RetryMode::Standard));
        for _ in 0..500 / cost {
            assert_eq!(retried(&mut policy, error, 1).1, cost);
        }
        assert_eq!(policy.quota(), Some(500 % cost));
        assert_eq!(policy.on_error(NOW, error, 1), given_up(GiveUpReason::RetryQuotaEmpty));
        policy.on_success(NOW, 2, cost);
        policy.on_success(NOW, 1, 0);
        assert_eq!(policy.quota(), Some(500 % cost + cost + 1));
    }
}

/// Between the computed wait (1 s, 2 s ... for throttling) and five seconds more.
#[test]
fn kds_sdk_07_retry_after_replaces_the_wait_within_five_seconds_of_the_computed_one_and_without_jitter() {
    let millis = SimDuration::from_millis;
    for (asked, first, second) in [
        (500, 1_000, 2_000),
        (1_700, 1_700, 2_000),
        (6_500, 6_000, 6_500),
        (60_000, 6_000, 7_000),
    ] {
        let mut policy = told(timing_2026(RetryMode::Standard), millis(asked));
        for _ in 0..20 {
            assert_eq!(
                retried(&mut policy, THROTTLE, 1).0,
                millis(first),
                "asked for {asked} ms"
            );
            assert_eq!(
                retried(&mut policy, THROTTLE, 2).0,
                millis(second),
                "asked for {asked} ms"
            );
        }
        assert_eq!(policy.draws(), 0);
        assert!(
            retried(&mut policy, ServiceError::InternalFailure, 1).0 < millis(50),
            "the header comes with a refusal for load"
        );
    }
    for mode in [RetryMode::Standard, RetryMode::Legacy, RetryMode::Java] {
        let mut policy = told(retry(mode), millis(60_000));
        let wait = retried(&mut policy, THROTTLE, 1).0;
        assert!(wait < SimDuration::SECOND, "{mode:?} does not know the header");
    }
    let mut silent = policy(timing_2026(RetryMode::Standard));
    assert!(
        retried(&mut silent, THROTTLE, 1).0 < SimDuration::SECOND,
        "without the header the wait is random"
    );
}

#[test]
fn kds_sdk_12_java_makes_three_attempts_from_100_ms_or_a_second_for_throttles_up_to_20_s() {
    let java = retry(RetryMode::Java);
    for (attempt, longest) in [(1, 0.1), (2, 0.2), (5, 1.6), (9, 20.0)] {
        assert_full_jitter(java, ServiceError::InternalFailure, attempt, longest);
        assert_full_jitter(java, ServiceError::RequestTimeout, attempt, longest);
    }
    for (attempt, longest) in [(1, 1.0), (2, 2.0), (6, 20.0)] {
        assert_full_jitter(java, THROTTLE, attempt, longest);
    }
    for error in [THROTTLE, ServiceError::InternalFailure, ServiceError::RequestTimeout] {
        assert_eq!(attempts_of(java, error), 3);
    }
}

#[test]
fn kds_sdk_08_throttles_are_retried_and_client_errors_are_not() {
    assert_eq!(ErrorClass::of(THROTTLE), ErrorClass::Throttling);
    assert_eq!(ErrorClass::of(ServiceError::InvalidArgument), ErrorClass::Permanent);
    for mode in [RetryMode::Standard, RetryMode::Adaptive, RetryMode::Legacy] {
        let mut policy = policy(retry(mode));
        assert_eq!(
            policy.on_error(NOW, ServiceError::InvalidArgument, 1),
            given_up(GiveUpReason::NotRetryable)
        );
        assert!(matches!(policy.on_error(NOW, THROTTLE, 1), Decision::RetryAfter { .. }));
    }
}

#[test]
fn kds_sdk_09_server_errors_and_lost_connections_are_transient() {
    for error in [ServiceError::InternalFailure, ServiceError::RequestTimeout] {
        assert_eq!(ErrorClass::of(error), ErrorClass::Transient);
        assert_eq!(attempts_of(retry(RetryMode::Standard), error), 3);
    }
}

#[test]
fn kds_sdk_10_legacy_makes_five_attempts_with_waits_that_double_without_a_cap() {
    assert_eq!(attempts_of(retry(RetryMode::Legacy), THROTTLE), 5);
    for (attempt, longest) in [(1, 1.0), (2, 2.0), (4, 8.0), (9, 256.0)] {
        assert_full_jitter(retry(RetryMode::Legacy), THROTTLE, attempt, longest);
    }
    let mut policy = policy(retry(RetryMode::Legacy));
    for _ in 0..10_000 {
        assert!(
            matches!(policy.on_error(NOW, THROTTLE, 1), Decision::RetryAfter { .. }),
            "no quota"
        );
    }
}

#[test]
fn kds_sdk_11_legacy_retries_throttles_server_errors_and_lost_connections() {
    let retried: Vec<_> = ERRORS
        .into_iter()
        .filter(|error| attempts_of(retry(RetryMode::Legacy), *error) == 5)
        .collect();
    let listed = ERRORS
        .into_iter()
        .filter(|error| *error != ServiceError::InvalidArgument);
    assert_eq!(retried, listed.collect::<Vec<_>>());
}

#[test]
fn kds_sdk_14_adaptive_may_delay_a_first_attempt_once_it_was_throttled() {
    let mut adaptive = policy(retry(RetryMode::Adaptive));
    let second = |second| SimTime::from_secs(second);
    for _ in 0..100 {
        assert!(adaptive.before_send(second(1)).is_zero());
        adaptive.on_success(second(1), 1, 0);
    }
    let _ = adaptive.on_error(second(1), ServiceError::InternalFailure, 1);
    assert!(adaptive.before_send(second(1)).is_zero(), "only throttles turn it on");
    let _ = adaptive.on_error(second(1), THROTTLE, 1);
    let waits: Vec<_> = (0..400).map(|_| adaptive.before_send(second(1))).collect();
    assert!(waits.is_sorted());
    assert!(!waits[399].is_zero());

    let mut standard = policy(retry(RetryMode::Standard));
    let _ = standard.on_error(second(1), THROTTLE, 1);
    assert!(
        (0..400).all(|_| standard.before_send(second(1)).is_zero()),
        "the other modes have no limiter"
    );
}

#[test]
fn without_retries_every_failure_goes_to_the_application() {
    for error in ERRORS {
        assert_eq!(attempts_of(attempts(9, retry(RetryMode::Off)), error), 1);
    }
    let mut policy = policy(retry(RetryMode::Off));
    assert_eq!(
        policy.on_error(NOW, THROTTLE, 1),
        given_up(GiveUpReason::AttemptsExhausted)
    );
    assert_eq!(policy.draws(), 0);
}

fn jitter_stream() -> Stream {
    RandomStreams::new(7, 0)
        .stream("producer.web/resend-jitter")
        .expect("free")
}
fn resend(jitter: Jitter) -> Resend {
    Resend {
        attempts: 5,
        backoff: SimDuration::from_millis(100),
        factor: 3,
        max_backoff: SimDuration::from_secs(2),
        jitter,
    }
}

#[test]
fn kds_w_14_the_application_waits_longer_before_each_resend_and_gives_up_after_the_last() {
    let mut stream = jitter_stream();
    let mut waits = (0..7).map(|sent| resend_after(&resend(Jitter::None), sent, &mut stream));
    let millis = |millis| Some(Some(SimDuration::from_millis(millis)));
    assert_eq!(waits.next(), millis(100));
    assert_eq!(waits.next(), millis(300));
    assert_eq!(waits.next(), millis(900));
    assert_eq!(waits.next(), millis(2_000));
    assert_eq!(waits.next(), millis(2_000));
    assert_eq!(waits.next(), Some(None));
    assert_eq!(waits.next(), Some(None));
}

#[test]
fn jitter_spreads_the_wait_over_all_or_the_upper_half_of_it() {
    let mut stream = jitter_stream();
    for (jitter, least) in [(Jitter::Full, 0.0), (Jitter::Equal, 0.15)] {
        let waits: Vec<f64> = (0..4_000)
            .filter_map(|_| resend_after(&resend(jitter), 1, &mut stream))
            .map(|wait| wait.as_nanos() as f64 / 1e9)
            .collect();
        let mean = waits.iter().sum::<f64>() / 4_000.0;
        assert!(waits.iter().all(|wait| (least..=0.3).contains(wait)));
        assert!((mean - f64::midpoint(least, 0.3)).abs() < 0.006, "{jitter:?}: {mean}");
    }
}

#[test]
fn first_successes_counted_together_refill_the_quota_as_one_by_one() {
    for mode in [RetryMode::Off, RetryMode::Standard, RetryMode::Adaptive] {
        for successes in [0, 1, 7, 60, 100_000] {
            let mut together = policy(retry(mode));
            for _ in 0..10 {
                let _ = together.on_error(NOW, ServiceError::ProvisionedThroughputExceeded, 1);
            }
            let mut one_by_one = together.clone();
            together.on_first_successes(NOW, successes);
            for _ in 0..successes {
                one_by_one.on_success(NOW, 1, 0);
            }
            assert_eq!(together.quota(), one_by_one.quota(), "{mode:?}, {successes}");
            assert_eq!(together.before_send(NOW), one_by_one.before_send(NOW));
        }
    }
}
