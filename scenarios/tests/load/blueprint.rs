//! What a scenario becomes.

use crate::support::{BASE, and, loaded, with};
use scenarios::{Comparison, Outcome, Promise, Statistic};
use sim::blueprint::{Arrivals, ColdStart, Keys, Package, Size, StartingPosition};
use sim::command::{Command, Intervention};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};

#[test]
fn the_base_becomes_the_blueprint_that_it_states() {
    let scenario = loaded(BASE);
    let blueprint = scenario.blueprint;
    assert_eq!((scenario.title.as_str(), scenario.name.as_str()), ("Base", "test"));
    assert_eq!(blueprint.duration, SimDuration::from_minutes(10));
    let stream = &blueprint.streams[0];
    assert_eq!(
        (stream.shard_count, stream.retention_hours, stream.max_record_size_kib),
        (2, 24, 1_024)
    );
    let producer = &blueprint.producers[0];
    assert_eq!(producer.target, "clicks");
    assert_eq!(producer.arrivals, Arrivals::Poisson(Rate::per_second(100)));
    assert_eq!(producer.keys, Keys::Uniform { count: 100 });
    assert_eq!(producer.size, Size::Drawn(Distribution::Constant(600.0)));
    assert_eq!((producer.max_batch_records, producer.max_batch_bytes), (500, 10 << 20));
    assert_eq!(producer.resend_failed, None);
    let mapping = &blueprint.mappings[0];
    assert_eq!(
        (mapping.stream.as_str(), mapping.function.as_str()),
        ("clicks", "enrich")
    );
    assert_eq!((mapping.batch_size, mapping.parallelization_factor), (100, 1));
    assert_eq!(mapping.starting_position, StartingPosition::TrimHorizon);
    let function = &blueprint.functions[0];
    assert_eq!(
        (function.memory_size, function.timeout),
        (128, SimDuration::from_secs(3))
    );
    assert_eq!(function.sink.as_deref(), Some("orders"));
    let ColdStart::Published { runtime, package, .. } = &function.cold_start else {
        panic!("{:?}", function.cold_start)
    };
    assert_eq!((runtime.as_str(), *package), ("python3.13", Package::Zip));
    assert_eq!(blueprint.sinks[0].capacity, Some(Rate::per_second(5_000)));
}

#[test]
fn the_order_of_tables_does_not_matter() {
    let (head, stream) = BASE.split_once("[stream.clicks]").expect("the base has a stream");
    let (stream, rest) = stream.split_once("[producer").expect("and a producer");
    let turned = format!("{head}[producer{rest}\n[stream.clicks]{stream}");
    assert_eq!(loaded(BASE).blueprint, loaded(&turned).blueprint);
}

fn check_distribution(text: &str, expected: &Distribution) {
    let function = &loaded(&with("\"20ms\"", text)).blueprint.functions[0];
    assert_eq!(&function.per_batch, expected, "{text}");
}

#[test]
fn distributions_have_nine_forms() {
    let ms = |ms: f64| ms * 1e6;
    check_distribution("\"20ms\"", &Distribution::Constant(ms(20.0)));
    check_distribution(
        "{ lognormal = { median = \"20ms\", sigma = 0.5 } }",
        &Distribution::LogNormal {
            median: ms(20.0),
            sigma: 0.5,
        },
    );
    check_distribution(
        "{ exponential = \"20ms\" }",
        &Distribution::Exponential { mean: ms(20.0) },
    );
    check_distribution(
        "{ uniform = [\"1ms\", \"2ms\"] }",
        &Distribution::Uniform {
            low: ms(1.0),
            high: ms(2.0),
        },
    );
    check_distribution(
        "{ gamma = { shape = 2, mean = \"20ms\" } }",
        &Distribution::Gamma {
            shape: 2.0,
            mean: ms(20.0),
        },
    );
    check_distribution(
        "{ pareto = { scale = \"1ms\", shape = 1.5 } }",
        &Distribution::Pareto {
            scale: ms(1.0),
            shape: 1.5,
        },
    );
    check_distribution(
        "{ percentiles = { p100 = \"9ms\", p0 = \"1ms\", \"p99.9\" = \"5ms\" } }",
        &Distribution::Percentiles(vec![(0.0, ms(1.0)), (0.999, ms(5.0)), (1.0, ms(9.0))]),
    );
    check_distribution(
        "{ mixture = [{ weight = 9, of = \"1ms\" }, { weight = 1, of = { exponential = \"1s\" } }] }",
        &Distribution::Mixture(vec![
            (9.0, Distribution::Constant(ms(1.0))),
            (1.0, Distribution::Exponential { mean: ms(1_000.0) }),
        ]),
    );
}

#[test]
fn two_percentiles_make_a_log_normal_through_them() {
    for text in [
        "{ p50 = \"20ms\", p99 = \"80ms\" }",
        "{ lognormal = { p50 = \"20ms\", p99 = \"80ms\" } }",
    ] {
        let function = &loaded(&with("\"20ms\"", text)).blueprint.functions[0];
        let Distribution::LogNormal { median, sigma } = function.per_batch else {
            panic!("{:?}", function.per_batch)
        };
        assert!(
            (median - 2e7).abs() < 1e-3 && (sigma - 0.595_91).abs() < 1e-5,
            "{median} {sigma}"
        );
    }
}

#[test]
fn keys_have_four_forms() {
    let keys = |text: &str| {
        loaded(&with("{ uniform = 100 }", text)).blueprint.producers[0]
            .keys
            .clone()
    };
    assert_eq!(
        keys("{ zipf = { count = 5, exponent = 1.2 } }"),
        Keys::Zipf {
            count: 5,
            exponent: 1.2
        }
    );
    assert_eq!(
        keys("{ hot = { share = 0.45, others = 9 } }"),
        Keys::Hot { share: 0.45, others: 9 }
    );
    let Keys::Weighted(list) =
        keys("{ list = [{ key = \"a\" }, { key = \"b\", weight = 3, ExplicitHashKey = \"0\" }] }")
    else {
        panic!("a list")
    };
    assert_eq!(
        (list[0].text.as_str(), list[0].weight, list[0].explicit_hash_key),
        ("a", 1.0, None)
    );
    assert_eq!(
        (list[1].text.as_str(), list[1].weight, list[1].explicit_hash_key),
        ("b", 3.0, Some(0))
    );
}

#[test]
fn arrivals_may_burst_or_follow_a_day() {
    let arrivals = |text: &str| {
        loaded(&with("{ poisson = \"100/s\" }", text)).blueprint.producers[0]
            .arrivals
            .clone()
    };
    assert_eq!(
        arrivals("{ bursts = { on = \"500/s\", off = \"0/s\", mean_on = \"5s\", mean_off = \"1min\" } }"),
        Arrivals::Bursts {
            on: Rate::per_second(500),
            off: Rate::ZERO,
            mean_on: SimDuration::from_secs(5),
            mean_off: SimDuration::from_minutes(1),
        }
    );
    assert_eq!(
        arrivals("{ profile = { points = [[\"0h\", \"10/s\"], [\"9h\", \"200/s\"]], period = \"24h\" } }"),
        Arrivals::Profile {
            points: vec![
                (SimDuration::ZERO, Rate::per_second(10)),
                (SimDuration::from_hours(9), Rate::per_second(200)),
            ],
            period: Some(SimDuration::from_hours(24)),
        }
    );
}

#[test]
fn interventions_become_commands() {
    let block = |change: &str| format!("[[intervention]]\nat = \"1min\"\n{change}\n");
    let text = [
        "scale_load = { producer = \"producer.web\", factor = 1.5 }",
        "concurrency = { function = \"function.enrich\", limit = 5 }",
        "failure_rate = { function = \"function.enrich\", rate = 0.25 }",
        "sink_capacity = { sink = \"sink.orders\" }",
        "break_sink = { sink = \"sink.orders\", lasts = \"30s\" }",
    ]
    .map(block)
    .concat();
    let found = loaded(&and(&text)).blueprint.interventions;
    let commands = [
        Command::ScaleLoad {
            producer: "web".to_owned(),
            factor: Ratio::new(3, 2),
        },
        Command::SetReservedConcurrency {
            function: "enrich".to_owned(),
            limit: Some(5),
        },
        Command::SetFailureRate {
            function: "enrich".to_owned(),
            rate: Ratio::new(1, 4),
        },
        Command::SetSinkCapacity {
            sink: "orders".to_owned(),
            capacity: None,
        },
        Command::BreakSink {
            sink: "orders".to_owned(),
            lasts: SimDuration::from_secs(30),
        },
    ];
    let expected = commands.map(|command| Intervention {
        at: SimTime::from_secs(60),
        command,
    });
    assert_eq!(found, expected);
}

#[test]
fn an_expectation_knows_its_metric_period_and_bounds() {
    let text = and(
        "[[expect]]\nmetric = \"EndToEndLatency\"\nof = \"sink.orders\"\nstatistic = \"p99\"\nfrom = \"1min\"\nabove = 5\nat_most = \"2s\"",
    );
    let scenario = loaded(&text);
    let expectation = &scenario.expectations[0];
    assert_eq!(
        (expectation.metric, expectation.of.as_str()),
        ("EndToEndLatency", "sink.orders")
    );
    assert_eq!(expectation.statistic, Statistic::Percentile(99_000));
    assert_eq!(
        (expectation.from, expectation.until),
        (SimTime::from_secs(60), SimTime::from_secs(600))
    );
    let bounds: Vec<_> = expectation
        .bounds
        .iter()
        .map(|bound| (bound.comparison, bound.value))
        .collect();
    assert_eq!(bounds, [(Comparison::Above, 5.0), (Comparison::AtMost, 2_000.0)]);
    let place = scenario.source.place(expectation.bounds[1].source);
    assert_eq!(&text[place.span()], "\"2s\"");
}

#[test]
fn the_component_of_a_metric_may_go_without_saying() {
    let text = and("[[expect]]\nmetric = \"Throttles\"\nstatistic = \"Sum\"\nequals = 0");
    assert_eq!(loaded(&text).expectations[0].of, "function.enrich");
}

#[test]
fn a_guarantee_may_expect_its_violation() {
    let text = and("[[guarantee]]\norder = \"per-key\"\nat = \"sink.orders\"\nexpected = \"violated\"");
    let guarantee = &loaded(&text).guarantees[0];
    assert_eq!(
        (guarantee.promise, guarantee.expected),
        (Promise::OrderPerKey, Outcome::Violated)
    );
    assert_eq!(guarantee.at.as_deref(), Some("sink.orders"));
}

#[test]
fn a_component_is_found_again_in_the_text() {
    let source = loaded(BASE).source;
    let id = source.component("stream.clicks").expect("it is a component");
    assert_eq!(&BASE[source.place(id).span()], "[stream.clicks]");
    assert_eq!(source.line(source.place(id).span().start), 5);
}
