//! How settings are told.

use super::*;
use sim::engine::distribution::Distribution;

#[test]
fn distributions_are_spelled_with_their_unit() {
    assert_eq!(spelled_time(&Distribution::Constant(2e6)), "2 ms");
    let lognormal = Distribution::LogNormal {
        median: 150e6,
        sigma: 0.3,
    };
    assert_eq!(spelled_time(&lognormal), "lognormal with median 150 ms and sigma 0.3");
}

#[test]
fn only_choices_that_mattered_are_told() {
    let assumption = |name, is_default| Assumption {
        name,
        value: String::new(),
        is_default,
        fact: None,
    };
    assert!(matters(&assumption("min_poll_interval", true), &[Noticed::Polls]));
    assert!(!matters(&assumption("placement_time", true), &[Noticed::Polls]));
    assert!(matters(&assumption("placement_time", false), &[Noticed::Polls]));
}
