//! The Kinesis Producer Library's settings.

use crate::support::{lines, loaded, with};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::ProducerLibrary;
use sim::engine::time::SimDuration;
use sim::profile::Profile;

fn settings(kpl: &str) -> String {
    with("size = \"600B\"", &format!("size = \"600B\"\nclient = \"kpl\"\n{kpl}"))
}
fn messages(text: &str) -> Vec<String> {
    let options = LoadOptions::default();
    let (_, diagnostics) = load(text, "test", &options, &NoTraces);
    lines(&diagnostics, text, &options)
}
fn library(text: &str) -> ProducerLibrary {
    loaded(text).blueprint.producers[0]
        .library
        .expect("the library is the client")
}

/// KDS-KPL-01 to KDS-KPL-12: the rows' defaults, which the library's own configuration states in these units, and the model's.
#[test]
fn kds_kpl_04_a_library_without_settings_has_its_documented_defaults() {
    let found = library(&settings(""));
    assert_eq!(found, ProducerLibrary::defaults(Profile::Current));
    assert_eq!(
        found.record_max_buffered_time,
        SimDuration::from_millis(100),
        "KDS-KPL-02"
    );
    assert_eq!(found.record_ttl, SimDuration::from_millis(30_000), "KDS-KPL-03");
    assert_eq!(found.aggregation_max_size, 51_200, "KDS-KPL-04");
    assert_eq!(found.aggregation_max_count, 4_294_967_295, "KDS-KPL-05");
    assert_eq!(found.collection_max_count, 500, "KDS-KPL-06");
    assert_eq!(found.collection_max_size, 5_242_880, "KDS-KPL-07");
    assert_eq!(found.max_connections, 24, "KDS-KPL-08");
    assert_eq!(found.rate_limit, 150, "KDS-KPL-09");
    assert_eq!(found.request_timeout, SimDuration::from_millis(6_000), "KDS-KPL-10");
    assert!(
        !found.fail_if_throttled && found.aggregation_enabled,
        "KDS-KPL-11, KDS-KPL-01"
    );
    assert_eq!(found.max_user_record_size, 1_048_576, "KDS-KPL-12");
    let exam = settings("").replace("title =", "profile = \"exam\"\ntitle =");
    assert_eq!(library(&exam), ProducerLibrary::defaults(Profile::Exam), "KDS-KPL-22");
    assert_ne!(library(&exam).limiter_burst, found.limiter_burst);
}

/// Each setting at its bounds, and beyond them.
#[test]
fn kds_kpl_07_settings_keep_to_the_library_s_ranges() {
    for (name, least, most) in [
        ("RecordTtl", 100, None),
        ("AggregationMaxSize", 64, Some(10_485_760)),
        ("CollectionMaxCount", 1, Some(500)),
        ("CollectionMaxSize", 52_224, None),
        ("MaxConnections", 1, Some(256)),
        ("MaxUserRecordSize", 64, Some(10_485_760)),
    ] {
        let told = |value: u64| messages(&settings(&format!("kpl = {{ {name} = {value} }}")));
        assert_eq!(told(least), Vec::<String>::new(), "{name}");
        assert_eq!(told(least - 1).len(), 1, "{name}");
        if let Some(most) = most {
            assert_eq!(told(most), Vec::<String>::new(), "{name}");
            assert_eq!(told(most + 1).len(), 1, "{name}");
        }
    }
}
