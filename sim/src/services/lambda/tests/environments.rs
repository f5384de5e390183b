//! Cold and warm starts.

use super::*;
use crate::blueprint::{Architecture, Package};

fn with(idle_lifetime: Distribution, environment_lifetime: Distribution) -> Harness<Lambda> {
    let model = ModelParameters {
        idle_lifetime,
        environment_lifetime,
        ..model()
    };
    account(&[enrich()], 1_000, &model).expect("the blueprint is valid")
}
fn for_ever() -> Distribution {
    constant(SimDuration::from_hours(100_000))
}
fn count_cold(starts: &[Option<SimDuration>]) -> usize {
    starts.iter().flatten().count()
}

#[test]
fn lam_c_02_an_environment_serves_one_request_at_a_time() {
    let mut harness = lambda(&[enrich()]);
    harness.invoke_many(3, SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(harness.cold_starts(), [Some(COLD_START); 3], "three at once need three");
    harness.invoke_many(4, SimTime::from_secs(10), ENRICH);
    harness.run();
    assert_eq!(
        harness.cold_starts()[3..],
        [None, None, None, Some(COLD_START)],
        "a fourth needs one more"
    );
}

#[test]
fn lam_c_03_an_idle_environment_is_reused_and_otherwise_the_request_waits_for_a_new_one() {
    let mut harness = lambda(&[enrich()]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(SimTime::from_secs(1), ENRICH);
    harness.run();
    assert_eq!(harness.cold_starts(), [Some(COLD_START), None]);
    let ends: Vec<SimTime> = harness.ends().iter().map(|&(at, _, _)| at).collect();
    assert_eq!(
        ends,
        [SimTime::ZERO + COLD_START + HANDLER, SimTime::from_secs(1) + HANDLER]
    );
}

#[test]
fn lam_c_03_an_environment_in_init_already_occupies_concurrency() {
    let mut harness = lambda(&[reserving("enrich", 1)]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(millis(50), ENRICH);
    harness.run();
    assert_eq!(harness.throttles(), 1);
}

#[test]
fn lam_r_01_an_environment_is_initialised_once_serves_many_invocations_and_is_shut_down() {
    let mut harness = with(constant(SimDuration::from_minutes(6)), for_ever());
    for second in 0..50 {
        harness.invoke(SimTime::from_secs(10 * second), ENRICH);
    }
    harness.run();
    assert_eq!(count_cold(&harness.cold_starts()), 1);
    harness.invoke(minutes(60), ENRICH);
    harness.run();
    assert_eq!(harness.cold_starts()[50], Some(COLD_START));
}

#[test]
fn lam_r_09_an_idle_environment_is_kept_for_a_time_that_nobody_knows_beforehand() {
    let mut harness = lambda(&[enrich()]);
    harness.invoke_many(200, SimTime::ZERO, ENRICH);
    harness.invoke_many(200, minutes(6), ENRICH);
    harness.run();
    let cold = count_cold(&harness.cold_starts()[200..]);
    assert!(
        (60..140).contains(&cold),
        "of 200 environments that became idle together, {cold} are gone"
    );
}

#[test]
fn lam_r_10_environments_are_replaced_every_few_hours_under_continuous_traffic() {
    let mut harness = lambda(&[enrich()]);
    for second in 0..12 * 3_600 / 10 {
        harness.invoke(SimTime::from_secs(10 * second), ENRICH);
    }
    harness.run();
    let cold = count_cold(&harness.cold_starts());
    assert!(
        (4..=7).contains(&cold),
        "{cold} cold starts in 12 h with 2 h to 4 h each"
    );
}

#[test]
fn lam_r_12_cold_starts_are_rare_under_steady_traffic() {
    let mut harness = lambda(&[enrich()]);
    for second in 0..24 * 3_600 / 10 {
        harness.invoke_many(3, SimTime::from_secs(10 * second), ENRICH);
    }
    harness.run();
    let starts = harness.cold_starts();
    assert!(count_cold(&starts) * 100 < starts.len(), "less than one in a hundred");
}

#[test]
fn lam_u_20_a_cold_start_is_placement_and_init_and_both_vary() {
    let varying = FunctionBlueprint {
        cold_start: ColdStart::Own(Distribution::Uniform { low: 2e8, high: 3e8 }),
        ..enrich()
    };
    let placement = |placement_time| ModelParameters {
        placement_time,
        ..model()
    };
    let spread = |model: &ModelParameters| {
        let mut harness = account(core::slice::from_ref(&varying), 1_000, model).expect("valid");
        harness.invoke_many(500, SimTime::ZERO, ENRICH);
        harness.run();
        let spans: Vec<SimDuration> = harness.cold_starts().into_iter().flatten().collect();
        (*spans.iter().min().expect("500"), *spans.iter().max().expect("500"))
    };
    let (least, most) = spread(&placement(constant(PLACEMENT)));
    let ms = SimDuration::from_millis;
    assert!(least >= ms(300) && least < ms(305) && most <= ms(400) && most > ms(395));
    let (least, most) = spread(&placement(Distribution::Uniform { low: 0.0, high: 1e8 }));
    assert!(least < ms(230) && most > ms(370), "{least} to {most}");
}

#[test]
fn lam_u_20_the_init_of_a_published_runtime_and_what_its_dependencies_add_are_drawn() {
    let loading = |extra: SimDuration| {
        let blueprint = FunctionBlueprint {
            cold_start: ColdStart::Published {
                runtime: "java21".to_owned(),
                architecture: Architecture::X86,
                package: Package::Zip,
                extra,
            },
            ..enrich()
        };
        let mut harness = lambda(&[blueprint]);
        harness.invoke_many(999, SimTime::ZERO, ENRICH);
        harness.run();
        let mut spans: Vec<SimDuration> = harness.cold_starts().into_iter().flatten().collect();
        spans.sort_unstable();
        spans[499].saturating_sub(PLACEMENT).as_millis()
    };
    let bare = loading(SimDuration::ZERO);
    assert!(
        (247..=257).contains(&bare),
        "the published median is 252 ms, not {bare}"
    );
    let more = loading(SimDuration::from_secs(1)) - bare;
    assert!((999..=1_001).contains(&more), "{more} ms more");
}

#[test]
fn a_function_of_an_unknown_runtime_cannot_be_built() {
    let blueprint = FunctionBlueprint {
        cold_start: ColdStart::Published {
            runtime: "cobol85".to_owned(),
            architecture: Architecture::X86,
            package: Package::Zip,
            extra: SimDuration::ZERO,
        },
        ..enrich()
    };
    let refused = account(&[blueprint], 1_000, &model())
        .map(|_| ())
        .expect_err("nobody measured it");
    assert!(
        matches!(&refused, ServiceBuildError::Distribution { component, .. } if component == "function.enrich"),
        "{refused}"
    );
}

#[test]
fn lam_u_21_an_environment_is_reaped_five_to_seven_minutes_after_its_last_use() {
    let cold_after = |idle: SimDuration| {
        let mut harness = lambda(&[enrich()]);
        harness.invoke_many(200, SimTime::ZERO, ENRICH);
        let last_use = SimTime::ZERO + COLD_START + HANDLER;
        harness.invoke_many(200, last_use + idle, ENRICH);
        harness.run();
        count_cold(&harness.cold_starts()[200..])
    };
    assert_eq!(
        cold_after(SimDuration::from_nanos(SimDuration::from_minutes(5).as_nanos() - 1)),
        0
    );
    let halfway = cold_after(SimDuration::from_minutes(6));
    assert!((60..140).contains(&halfway));
    assert_eq!(cold_after(SimDuration::from_minutes(7)), 200);
}

#[test]
fn lam_u_21_use_starts_the_idle_time_anew() {
    let mut harness = with(constant(SimDuration::from_minutes(5)), for_ever());
    for number in 0..20 {
        harness.invoke(minutes(4 * number), ENRICH);
    }
    harness.run();
    assert_eq!(count_cold(&harness.cold_starts()), 1);
}

#[test]
fn lam_u_22_an_environment_that_is_too_old_is_replaced_only_between_invocations() {
    let slow = FunctionBlueprint {
        per_batch: constant(SimDuration::from_minutes(10)),
        timeout: SimDuration::from_minutes(15),
        ..enrich()
    };
    let model = ModelParameters {
        environment_lifetime: constant(SimDuration::from_minutes(25)),
        ..model()
    };
    let mut harness = account(&[slow], 1_000, &model).expect("the blueprint is valid");
    for at in [0, 11, 22, 33, 44] {
        harness.invoke(minutes(at), ENRICH);
    }
    harness.run();
    assert!(
        harness
            .ends()
            .iter()
            .all(|&(_, outcome, duration)| outcome == InvocationOutcome::Succeeded
                && duration == SimDuration::from_minutes(10)),
        "the invocation from 22 to 32 min is not cut at 25 min"
    );
    assert_eq!(
        harness.cold_starts(),
        [Some(COLD_START), None, None, Some(COLD_START), None]
    );
}

#[test]
fn lam_u_22_an_idle_environment_is_replaced_at_its_maximum_age() {
    let mut harness = with(
        for_ever(),
        Distribution::Uniform {
            low: 7_200e9,
            high: 14_400e9,
        },
    );
    harness.invoke_many(200, SimTime::ZERO, ENRICH);
    harness.invoke_many(200, minutes(119), ENRICH);
    harness.run();
    assert_eq!(count_cold(&harness.cold_starts()[200..]), 0);
    harness.invoke_many(200, minutes(180), ENRICH);
    harness.run();
    let cold = count_cold(&harness.cold_starts()[400..]);
    assert!((60..140).contains(&cold), "{cold} of 200 live less than 3 h");
}

#[test]
fn lam_u_23_the_most_recently_used_environment_serves_next() {
    let mut harness = with(constant(SimDuration::from_minutes(10)), for_ever());
    harness.invoke_many(2, SimTime::ZERO, ENRICH);
    for number in 1..10 {
        harness.invoke(minutes(4 * number), ENRICH);
    }
    harness.invoke_many(2, minutes(40), ENRICH);
    harness.run();
    let starts = harness.cold_starts();
    assert_eq!(count_cold(&starts[2..11]), 0);
    assert_eq!(
        starts[11..],
        [None, Some(COLD_START)],
        "one served everything, and the other has aged out; in turn, both would be warm"
    );
}
