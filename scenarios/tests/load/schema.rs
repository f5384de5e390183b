//! The property rows against the model.

use crate::support::{BASE, loaded, with};
use scenarios::schema::{Default, Dimension, Kind, Rows, Shape, top::TOP};
use sim::blueprint::{Blueprint, DEFAULT_ACCOUNT_CONCURRENCY, ModelParameters, RetryMode};
use sim::engine::time::SimDuration;

#[test]
fn defaults_of_the_model_are_those_of_the_rows() {
    assert_eq!(loaded(BASE).blueprint.model, ModelParameters::default());
}

#[test]
fn default_distributions_compile() {
    let blueprint = loaded(BASE).blueprint;
    let model = blueprint.model;
    for distribution in [
        &model.network_latency,
        &model.put_service_time,
        &model.get_service_time,
        &model.placement_time,
        &model.idle_lifetime,
        &model.environment_lifetime,
        &blueprint.sinks[0].latency,
    ] {
        assert!(distribution.compile().is_ok(), "{distribution:?}");
    }
}

#[test]
fn defaults_of_the_blueprint_are_those_of_the_rows() {
    let blueprint = loaded(BASE).blueprint;
    let empty = Blueprint::empty(blueprint.seed, SimDuration::SECOND);
    assert_eq!(blueprint.account_concurrency, DEFAULT_ACCOUNT_CONCURRENCY);
    assert_eq!(blueprint.profile, empty.profile);
    for (word, mode) in [
        ("off", RetryMode::Off),
        ("standard", RetryMode::Standard),
        ("adaptive", RetryMode::Adaptive),
        ("legacy", RetryMode::Legacy),
        ("java", RetryMode::Java),
    ] {
        let text = with("\"600B\"", &format!("\"600B\"\nretry = {{ mode = \"{word}\" }}"));
        let retry = loaded(&text).blueprint.producers[0].retry;
        assert_eq!((retry.mode, retry.max_attempts), (mode, mode.default_attempts()));
    }
}

#[test]
fn every_parameter_of_the_model_is_an_assumption_with_a_reason() {
    let text = format!("{BASE}\n[model]\npoll_interval = \"2s\"");
    let assumptions = loaded(&text).assumptions;
    assert_eq!(assumptions.len(), 73, "one for each field of ModelParameters");
    let changed: Vec<_> = assumptions.iter().filter(|assumption| !assumption.is_default).collect();
    assert_eq!(
        (changed.len(), changed[0].name, changed[0].value.as_str()),
        (1, "poll_interval", "2s")
    );
    assert!(assumptions.iter().all(|assumption| !assumption.reason.is_empty()));
}

fn visit(rows: &'static Rows, depth: u32, look: &mut dyn FnMut(&'static Rows)) {
    look(rows);
    for property in rows.properties {
        visit_shape(&property.shape, depth, look);
    }
}

fn visit_shape(shape: &'static Shape, depth: u32, look: &mut dyn FnMut(&'static Rows)) {
    match shape {
        Shape::Table(rows) | Shape::OneOf(rows) => visit(rows, depth, look),
        Shape::WordOr(_, shape) | Shape::List(shape) => visit_shape(shape, depth, look),
        Shape::Pair(first, second) => {
            visit_shape(first, depth, look);
            visit_shape(second, depth, look);
        }
        Shape::Components(kind) => visit(kind.rows(), depth, look),
        // A mixture's parts are distributions again.
        Shape::Distribution(dimension) if depth < 1 => {
            visit(dimension.short_form(), depth + 1, look);
            visit_shape(Dimension::form_shape(*dimension), depth + 1, look);
        }
        _ => {}
    }
}

#[test]
fn lam_u_20_the_runtimes_are_those_with_published_cold_starts() {
    let known: Vec<&str> = sim::services::lambda::cold_start::known_runtimes().collect();
    assert_eq!(scenarios::schema::lambda::RUNTIMES, known);
}

#[test]
fn rows_are_unique_and_speak_in_sentences() {
    visit(&TOP, 0, &mut |rows| {
        for (number, property) in rows.properties.iter().enumerate() {
            let twice = rows.properties[..number]
                .iter()
                .any(|other| other.name == property.name);
            assert!(!twice, "{} twice in {}", property.name, rows.title);
            assert!(property.doc.ends_with('.'), "{} of {}", property.name, rows.title);
            assert!(!rows.not_modelled.contains(&property.name), "{}", property.name);
        }
    });
}

/// Whatever a row states as its default must pass the row's own check, in both profiles.
#[test]
fn defaults_pass_their_own_checks() {
    let base = format!(
        "{BASE}\n[application.audit]\nstream = \"stream.clicks\"\ntime = {{ per_batch = \"1ms\" }}\n\n\
         [consumer.audit]\nStreamARN = \"stream.clicks\"\n\n\
         [queue.jobs]\n\n[worker.clerks]\nqueue = \"queue.jobs\"\ntime = \"1ms\"\n\n\
         [topic.news]\n\n[subscription.jobs]\nTopicArn = \"topic.news\"\nEndpoint = \"queue.jobs\"\n\n\
         [invoker.shop]\nFunctionName = \"function.enrich\"\narrivals = {{ constant = \"1/s\" }}\n"
    );
    for (profile, kind) in ["exam", "current"]
        .iter()
        .flat_map(|profile| Kind::ALL.iter().map(move |kind| (profile, kind)))
    {
        for property in kind.rows().properties {
            let Default::Value(text) = property.default else {
                continue;
            };
            let header = base
                .lines()
                .find(|line| line.starts_with(&format!("[{kind}.")))
                .expect("the base has each kind");
            let table = base[base.find(header).unwrap_or(0)..].lines().skip(1);
            let given = table
                .take_while(|line| !line.starts_with('['))
                .any(|line| line.starts_with(&format!("{} = ", property.name)));
            if given || property.name == "MaxRecordSizeInKiB" {
                continue;
            }
            let text = base.replace(header, &format!("{header}\n{} = {text}", property.name));
            loaded(&format!("profile = \"{profile}\"\n{text}"));
        }
    }
}

/// The limits are those of the fact sheets.
/// Also KDS-RET-02.
#[test]
fn kds_ret_01_kds_ret_02_retention_is_24_to_8760_hours() {
    check_bounds("stream", "ShardCount = 2\nRetentionPeriodHours", 24, 8_760);
}
#[test]
fn kds_rec_04_the_largest_record_is_set_between_1024_and_10240_kib() {
    check_bounds("stream", "ShardCount = 2\nMaxRecordSizeInKiB", 1_024, 10_240);
}
#[test]
fn kds_w_06_a_put_records_takes_1_to_500_entries() {
    check_bounds("producer", "max_batch_records", 1, 500);
}
#[test]
fn lam_k_11_a_batch_has_up_to_10000_records() {
    check_bounds("mapping", "BatchSize", 1, 10_000);
}
#[test]
fn lam_e_04_a_batching_window_lasts_up_to_300_seconds() {
    check_bounds("mapping", "MaximumBatchingWindowInSeconds", 0, 300);
}
#[test]
fn lam_k_06_a_shard_has_1_to_10_concurrent_batches() {
    check_bounds("mapping", "ParallelizationFactor", 1, 10);
}
#[test]
fn lam_c_26_a_timeout_is_1_to_900_seconds() {
    check_bounds("function", "Timeout", 1, 900);
}
#[test]
fn lam_c_27_memory_is_128_to_10240_mb() {
    check_bounds("function", "MemorySize", 128, 10_240);
}

/// The two ends load, what lies beyond does not.
fn check_bounds(kind: &str, property: &str, least: u64, most: u64) {
    let header = BASE
        .lines()
        .find(|line| line.starts_with(&format!("[{kind}.")))
        .expect("the base has each kind");
    let base = BASE.replace(
        "ShardCount = 2\n",
        if property.starts_with("ShardCount") {
            ""
        } else {
            "ShardCount = 2\n"
        },
    );
    let mut cases = vec![(least, true), (most, true), (most + 1, false)];
    cases.extend(least.checked_sub(1).map(|below| (below, false)));
    for (value, fits) in cases {
        let text = base.replace(header, &format!("{header}\n{property} = {value}"));
        let (scenario, diagnostics) =
            scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces);
        assert_eq!(scenario.is_some(), fits, "{property} = {value}: {diagnostics:#?}");
    }
}

#[test]
fn kds_w_07_a_request_holds_10_mib_or_5_mib_in_the_exam() {
    for (profile, limit) in [("current", 10 << 20), ("exam", 5 << 20)] {
        let blueprint = loaded(&format!("profile = \"{profile}\"\n{BASE}")).blueprint;
        assert_eq!(blueprint.producers[0].max_batch_bytes, limit);
        let above = with("\"600B\"", &format!("\"600B\"\nmax_batch_bytes = \"{}B\"", limit + 1));
        let text = format!("profile = \"{profile}\"\n{above}");
        let (scenario, _) = scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces);
        assert_eq!(scenario, None);
    }
}

/// Also LAM-C-07.
#[test]
fn lam_c_06_lam_c_07_one_hundred_stay_unreserved_over_all_functions() {
    let two = |first: u32, second: u32| {
        let text = with(
            "sink = \"sink.orders\"",
            &format!("sink = \"sink.orders\"\nReservedConcurrentExecutions = {first}"),
        );
        let more =
            format!("[function.other]\ntime = {{ per_batch = \"1ms\" }}\nReservedConcurrentExecutions = {second}");
        let text = format!("{text}\n{more}");
        scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces)
            .0
            .is_some()
    };
    assert!(two(450, 450));
    assert!(!two(450, 451));
}

#[test]
fn lam_k_16_a_mapping_needs_its_starting_position() {
    let text = with("StartingPosition = \"TRIM_HORIZON\"\n", "");
    let (scenario, diagnostics) =
        scenarios::load(&text, "test", &scenarios::LoadOptions::default(), &scenarios::NoTraces);
    assert_eq!(scenario, None);
    assert_eq!(diagnostics[0].code, scenarios::Code::MissingProperty);
}
