//! Direct callers, asynchronous invocation and provisioned concurrency in scenario files.

use crate::support::{check, loaded, with};
use scenarios::Code;
use sim::blueprint::{DestinationService, InvocationType};
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;

/// A function, what its table says further, and someone who invokes it.
fn shop(function: &str, invoker: &str) -> String {
    format!(
        "format = 1\nduration = \"10min\"\n\n[function.pay]\ntime = {{ per_batch = \"20ms\" }}\n{function}\n\n\
         [invoker.shop]\nFunctionName = \"function.pay\"\narrivals = {{ poisson = \"10/s\" }}\n{invoker}\n"
    )
}
/// The codes of a text's diagnostics, and what they mark.
fn found(text: &str) -> Vec<(Code, String)> {
    let diagnostics = scenarios::load(text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces).1;
    let marked = |diagnostic: &scenarios::Diagnostic| {
        let label = diagnostic.labels.iter().find(|label| label.primary);
        label.map_or_else(String::new, |label| text[label.span.clone()].to_owned())
    };
    diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.code, marked(diagnostic)))
        .collect()
}
const EVENT: &str = "InvocationType = \"Event\"";

#[test]
fn an_invoker_is_source_enough_for_a_scenario() {
    check(&shop("", ""), &[]);
    let blueprint = loaded(&shop("", "")).blueprint;
    let invoker = &blueprint.invokers[0];
    assert_eq!((invoker.function.as_str(), invoker.payload), ("pay", 1_000));
    assert_eq!(invoker.invocation_type, InvocationType::RequestResponse);
    let blueprint = loaded(&shop("", EVENT)).blueprint;
    assert_eq!(blueprint.invokers[0].invocation_type, InvocationType::Event);
}

#[test]
fn asynchronous_invocation_is_configured_in_the_words_of_aws() {
    let config = "EventInvokeConfig = { MaximumRetryAttempts = 1, MaximumEventAgeInSeconds = 600, \
                  OnFailure = { Destination = \"S3\" }, OnSuccess = { Destination = \"SNS\", failure_rate = 0.5 } }\n\
                  DeadLetterConfig = { TargetArn = \"SQS\", failure_rate = 1 }";
    let text = shop(config, EVENT);
    check(&text, &[]);
    let asynchronous = loaded(&text).blueprint.functions[0].asynchronous;
    assert_eq!(asynchronous.maximum_retry_attempts, 1);
    assert_eq!(asynchronous.maximum_event_age, SimDuration::from_secs(600));
    let services = [
        asynchronous.dead_letter,
        asynchronous.on_failure,
        asynchronous.on_success,
    ]
    .map(|found| found.expect("given").service);
    assert_eq!(
        services,
        [DestinationService::Sqs, DestinationService::S3, DestinationService::Sns]
    );
    assert_eq!(
        asynchronous.dead_letter.map(|found| found.failure_rate.as_f64()),
        Some(1.0)
    );
    assert_ne!(
        asynchronous.on_success.map(|found| found.failure_rate),
        Some(Ratio::ZERO)
    );
    let defaults = loaded(&shop("", EVENT)).blueprint.functions[0].asynchronous;
    assert_eq!(defaults, sim::blueprint::AsynchronousInvocation::default());
}

#[test]
fn lam_a_02_lam_a_06_retries_and_event_age_have_bounds() {
    let loads = |config: &str| {
        let text = shop(&format!("EventInvokeConfig = {{ {config} }}"), EVENT);
        let options = scenarios::LoadOptions::default();
        scenarios::load(&text, "test", &options, &scenarios::NoTraces)
            .0
            .is_some()
    };
    for (value, fits) in [(0, true), (2, true), (3, false)] {
        assert_eq!(loads(&format!("MaximumRetryAttempts = {value}")), fits, "{value}");
    }
    for (value, fits) in [(59, false), (60, true), (21_600, true), (21_601, false)] {
        assert_eq!(loads(&format!("MaximumEventAgeInSeconds = {value}")), fits, "{value}");
    }
}

#[test]
fn lam_d_01_lam_d_03_destinations_are_services_that_aws_allows() {
    assert_eq!(
        found(&shop("DeadLetterConfig = { TargetArn = \"S3\" }", EVENT)),
        [(Code::UnknownWord, "\"S3\"".to_owned())]
    );
    let successes = shop("EventInvokeConfig = { OnSuccess = { Destination = \"S3\" } }", EVENT);
    assert_eq!(
        found(&successes),
        [(Code::UnknownWord, "\"S3\"".to_owned())],
        "for failures only"
    );
}

#[test]
fn lam_c_30_an_event_that_a_caller_waits_for_has_up_to_6_mb() {
    let loads = |payload: u64, invoker: &str, profile: &str| {
        let text = shop("", &format!("payload = \"{payload}B\"\n{invoker}"));
        let text = format!("profile = \"{profile}\"\n{text}");
        let options = scenarios::LoadOptions::default();
        scenarios::load(&text, "test", &options, &scenarios::NoTraces)
            .0
            .is_some()
    };
    for profile in ["exam", "current"] {
        assert!(loads(6 << 20, "", profile));
        assert!(!loads((6 << 20) + 1, "", profile));
    }
    // LAM-C-31: asynchronous events are smaller, and were smaller still.
    for (profile, most) in [("exam", 256 << 10), ("current", 1 << 20)] {
        assert!(loads(most, EVENT, profile), "{profile}");
        assert!(!loads(most + 1, EVENT, profile), "{profile}");
    }
}

#[test]
fn lam_v_02_more_cannot_be_provisioned_than_reserved() {
    let text = shop(
        "ReservedConcurrentExecutions = 10\nProvisionedConcurrencyConfig = { ProvisionedConcurrentExecutions = 11 }",
        "",
    );
    assert_eq!(found(&text), [(Code::ConcurrencyExceeded, "11".to_owned())]);
}

#[test]
fn lam_v_03_what_is_provisioned_without_a_reservation_counts_as_reserved() {
    let text = |executions: u32| {
        shop(
            &format!("ProvisionedConcurrencyConfig = {{ ProvisionedConcurrentExecutions = {executions} }}"),
            "",
        )
    };
    check(&text(900), &[]);
    let (scenario, diagnostics) = scenarios::load(
        &text(901),
        "test",
        &scenarios::LoadOptions::default(),
        &scenarios::NoTraces,
    );
    assert!(scenario.is_none());
    assert_eq!(diagnostics[0].code, scenarios::Code::ConcurrencyExceeded);
    let provisioned = loaded(&text(900)).blueprint.functions[0].provisioned_concurrency;
    assert_eq!(
        provisioned.map(|found| (found.executions, found.ready_at_start)),
        Some((900, true))
    );
}

/// Also LAM-D-09: neither a mapping nor a caller who waits has a use for it.
#[test]
fn lam_d_09_settings_of_asynchronous_events_have_no_effect_without_such_events() {
    let dead_letter = "DeadLetterConfig = { TargetArn = \"SQS\" }";
    assert_eq!(found(&shop(dead_letter, ""))[0].0, Code::NoEffect);
    assert_eq!(found(&shop(dead_letter, EVENT)), []);
    let text = with(
        "sink = \"sink.orders\"",
        &format!("sink = \"sink.orders\"\n{dead_letter}"),
    );
    let (scenario, diagnostics) =
        scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces);
    assert!(scenario.is_some());
    assert_eq!(diagnostics[0].code, scenarios::Code::NoEffect);
}

#[test]
fn lam_c_16_the_region_decides_how_many_environments_functions_get_at_once() {
    let burst = |account: &str| loaded(&format!("{}\n{account}", shop("", ""))).blueprint.region_burst;
    assert_eq!(burst(""), 3_000);
    assert_eq!(burst("[account]\nRegion = \"eu-central-1\""), 1_000);
    assert_eq!(burst("[account]\nRegion = \"sa-east-1\""), 500);
}
