//! Names of statistics.

use super::*;

#[test]
fn statistics_have_cloudwatch_names() {
    let check = |name: &str, expected: Option<Statistic>| {
        assert_eq!(Statistic::from_name(name), expected, "{name}");
        if let Some(statistic) = expected {
            assert_eq!(statistic.to_string(), name);
        }
    };
    check("Sum", Some(Statistic::Sum));
    check("p99", Some(Statistic::Percentile(99_000)));
    check("p99.9", Some(Statistic::Percentile(99_900)));
    check("p99.95", Some(Statistic::Percentile(99_950)));
    check("p100", Some(Statistic::Percentile(100_000)));
    for wrong in ["sum", "p", "p101", "p99.", "pp", "p-1", "p1e2", "p99.9999"] {
        check(wrong, None);
    }
}
