//! How fast a function may grow, and how many requests a second it may get.

use super::*;
use ThrottleReason::{CallerRate, EnvironmentScaling, RequestScaling, ReservedConcurrency, ReservedRate};

const MINUTE: u64 = 60;

/// Cold starts take no time, and a handler takes longer than any test.
fn endless(name: &str) -> FunctionBlueprint {
    FunctionBlueprint {
        per_batch: constant(SimDuration::from_hours(1)),
        timeout: SimDuration::from_hours(2),
        ..function(name)
    }
}
/// A handler of a microsecond.
fn brief(name: &str) -> FunctionBlueprint {
    FunctionBlueprint {
        per_batch: constant(SimDuration::from_micros(1)),
        cold_start: ColdStart::Own(constant(SimDuration::ZERO)),
        ..function(name)
    }
}
fn placed_at_once() -> ModelParameters {
    ModelParameters {
        placement_time: constant(SimDuration::ZERO),
        ..model()
    }
}
fn region(profile: Profile, region_burst: u32, functions: &[FunctionBlueprint]) -> Harness<Lambda> {
    let limits = Account {
        profile,
        concurrency: 50_000,
        region_burst,
    };
    account_with(functions, limits, &placed_at_once()).expect("the blueprint is valid")
}
/// How many run after `count` requests at this instant.
fn grown(harness: &mut Harness<Lambda>, at: SimTime, count: u32, function: FunctionId) -> u32 {
    harness.invoke_many(count, at, function);
    harness.run_until(at);
    harness.component.in_progress(function)
}

#[test]
fn lam_c_11_a_function_gets_a_thousand_new_environments_each_ten_seconds() {
    let mut harness = region(Profile::Current, 3_000, &[endless("enrich")]);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 5_000, ENRICH), 1_000);
    assert_eq!(grown(&mut harness, SimTime::from_secs(10), 5_000, ENRICH), 2_000);
    assert_eq!(grown(&mut harness, SimTime::from_secs(20), 5_000, ENRICH), 3_000);
    assert!(harness.reasons().iter().all(|&reason| reason == EnvironmentScaling));
}

/// Also LAM-C-13.
#[test]
fn lam_c_12_the_allowance_comes_back_continuously_and_never_exceeds_a_thousand() {
    let mut harness = region(Profile::Current, 3_000, &[endless("enrich")]);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 1_000, ENRICH), 1_000);
    assert_eq!(grown(&mut harness, SimTime::from_secs(1), 1_000, ENRICH), 1_100);
    assert_eq!(grown(&mut harness, millis(1_500), 1_000, ENRICH), 1_150);
    assert_eq!(
        grown(&mut harness, SimTime::from_secs(10 * MINUTE), 5_000, ENRICH),
        2_150,
        "ten minutes of rest count for ten seconds"
    );
}

/// Also LAM-C-14: not 500, as one sentence still says.
#[test]
fn lam_c_15_each_function_grows_by_itself_today() {
    let mut harness = region(Profile::Current, 3_000, &[endless("enrich"), endless("report")]);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 2_000, ENRICH), 1_000);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 2_000, REPORT), 1_000);
}

/// Also the figures of the operator guide: of 10,000 at once 3,000 are served and 7,000 throttled.
#[test]
fn lam_c_16_formerly_a_region_had_a_burst_of_its_own_for_all_functions() {
    let mut harness = region(Profile::Exam, 3_000, &[endless("enrich"), endless("report")]);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 10_000, ENRICH), 3_000);
    assert_eq!(harness.throttles(), 7_000);
    assert_eq!(
        grown(&mut harness, SimTime::ZERO, 100, REPORT),
        0,
        "nothing is left for the other"
    );
    for (name, burst) in [
        ("us-east-1", 3_000),
        ("us-west-2", 3_000),
        ("eu-west-1", 3_000),
        ("ap-northeast-1", 1_000),
        ("eu-central-1", 1_000),
        ("us-east-2", 1_000),
        ("sa-east-1", 500),
    ] {
        assert_eq!(quotas::initial_burst(name), burst, "{name}");
    }
}

/// Also LAM-H-05.
#[test]
fn lam_c_17_formerly_the_region_grew_by_500_a_minute_after_the_burst() {
    let mut harness = region(Profile::Exam, 500, &[endless("enrich"), endless("report")]);
    assert_eq!(grown(&mut harness, SimTime::ZERO, 1_000, ENRICH), 500);
    assert_eq!(grown(&mut harness, SimTime::from_secs(MINUTE), 300, ENRICH), 800);
    assert_eq!(
        grown(&mut harness, SimTime::from_secs(MINUTE), 300, REPORT),
        200,
        "of 500, 300 are gone"
    );
}

#[test]
fn lam_u_24_the_requests_a_second_of_a_function_start_at_10_000_and_rise_by_1_000_a_second() {
    let mut harness = region(Profile::Current, 3_000, &[brief("enrich")]);
    let mut admitted = Vec::new();
    for second in 0..4_u64 {
        let before = (harness.cold_starts().len(), harness.throttles());
        for number in 0..15_000_u64 {
            let at = SimTime::from_secs(second) + SimDuration::from_micros(60 * number);
            harness.invoke(at, ENRICH);
        }
        harness.run_until(SimTime::from_secs(second) + SimDuration::from_millis(999));
        admitted.push(harness.cold_starts().len() - before.0);
        assert_eq!(admitted[admitted.len() - 1] + harness.throttles() - before.1, 15_000);
    }
    // Within the first second the allowance has flowed in for 0.9 s.
    assert_eq!(admitted[0], 10_899);
    for pair in admitted.windows(2) {
        let more = pair[1] - pair[0];
        assert!((999..=1_001).contains(&more), "{admitted:?}");
    }
    assert!(harness.reasons().iter().all(|&reason| reason == RequestScaling));
    let mut classic = region(Profile::Exam, 3_000, &[brief("enrich")]);
    for number in 0..15_000_u64 {
        classic.invoke(SimTime::ZERO + SimDuration::from_micros(60 * number), ENRICH);
    }
    classic.run();
    assert_eq!(classic.throttles(), 0, "formerly there was no such limit");
}

/// Also LAM-C-21 and LAM-U-26: a handler of a microsecond needs no concurrency to speak of, and a mapping's requests count.
#[test]
fn lam_c_18_an_account_takes_ten_requests_a_second_for_each_unit_of_concurrency() {
    let mut harness = account(&[brief("enrich"), brief("report")], 100, &placed_at_once()).expect("valid");
    for number in 0..3_000_u64 {
        let at = SimTime::ZERO + SimDuration::from_micros(300 * number);
        harness.invoke(at, FunctionId(u16::try_from(number % 2).expect("0 or 1")));
    }
    harness.run();
    // 1,000 at once, and 1,000 a second for 0.9 s.
    assert_eq!(harness.cold_starts().len(), 1_899);
    assert!(harness.reasons().iter().all(|&reason| reason == CallerRate));
}

/// Also LAM-C-20 and LAM-U-25: with a reserved concurrency C and a duration d, min(10 C, C / d) a second.
#[test]
fn lam_c_19_a_reserved_concurrency_takes_ten_requests_a_second_for_each_unit() {
    let served = |duration: SimDuration| {
        let reserving = FunctionBlueprint {
            per_batch: constant(duration),
            reserved_concurrency: Some(10),
            ..brief("enrich")
        };
        let mut harness = account(&[reserving], 1_000, &placed_at_once()).expect("valid");
        // The bucket is empty after the first second, which does not count.
        for number in 0..60_000_u64 {
            harness.invoke(SimTime::ZERO + SimDuration::from_millis(number), ENRICH);
        }
        harness.run();
        let starts = harness.find(|note| {
            let counts = note.at >= SimTime::from_secs(10) && matches!(note.fact, Fact::InvocationStarted { .. });
            counts.then_some(())
        });
        let reasons = harness.reasons();
        (starts.len(), reasons[reasons.len() - 1])
    };
    assert_eq!(
        served(SimDuration::from_millis(20)),
        (5_000, ReservedRate),
        "10 x 10 a second for 50 s"
    );
    let (slow, reason) = served(SimDuration::from_millis(500));
    assert_eq!(reason, ReservedConcurrency);
    assert!((990..=1_010).contains(&slow), "10 / 0.5 s for 50 s, not {slow}");
}

#[test]
fn lam_c_22_asynchronous_requests_are_limited_by_concurrency_alone() {
    let mut harness = account(&[brief("enrich")], 100, &placed_at_once()).expect("valid");
    for number in 0..3_000_u64 {
        harness.event(SimTime::ZERO + SimDuration::from_micros(300 * number), ENRICH);
    }
    harness.run();
    assert_eq!((harness.cold_starts().len(), harness.throttles()), (3_000, 0));
}

/// Also LAM-U-27: the first check that fails gives the reason.
#[test]
fn lam_c_24_a_refusal_names_its_reason() {
    use ThrottleReason::Concurrency;
    let mut harness = account(&[reserving("enrich", 0), endless("report")], 100, &placed_at_once()).expect("valid");
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke_many(101, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(harness.reasons(), [ReservedConcurrency, Concurrency]);
    harness.invoke_many(1_000, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    let last = harness.reasons();
    assert_eq!(
        last[last.len() - 1],
        Concurrency,
        "what is refused takes nothing from the rate"
    );
    let names: Vec<&str> = ThrottleReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(
        names,
        [
            "CallerRateLimitExceeded",
            "ReservedFunctionInvocationRateLimitExceeded",
            "FunctionInvocationRateLimitExceeded",
            "ReservedFunctionConcurrentInvocationLimitExceeded",
            "ConcurrentInvocationLimitExceeded",
            "ConcurrentInvocationLimitExceeded",
        ]
    );
}
