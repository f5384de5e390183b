use super::super::{Source, SourceError};
use super::{producer, source};
use crate::blueprint::{Arrivals, Keys, ProducerBlueprint, Size, WeightedKey};
use crate::engine::distribution::Distribution;
use crate::engine::index::to_usize;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::ids::ProducerId;
use crate::key::{KeyRange, KeyTable};

fn with_keys(keys: Keys) -> ProducerBlueprint {
    let mut blueprint = producer(Arrivals::Constant(Rate::per_second(1_000)));
    blueprint.keys = keys;
    blueprint
}
/// Shares of the keys among many records.
fn shares(keys: Keys, count: usize) -> Vec<f64> {
    const RECORDS: usize = 400_000;
    let mut source = source(&with_keys(keys));
    let mut shares = vec![0.0; count];
    assert!(source.ensure(RECORDS));
    for key in &source.keys()[..RECORDS] {
        shares[to_usize(*key)] += 1.0 / RECORDS as f64;
    }
    shares
}

#[test]
fn uniform_keys_are_equally_likely() {
    for share in shares(Keys::Uniform { count: 8 }, 8) {
        assert!((share - 0.125).abs() < 0.003, "{share}");
    }
}

#[test]
fn populations_beyond_16_bits_use_all_their_keys() {
    let count = 300_000;
    for keys in [Keys::Uniform { count }, Keys::Zipf { count, exponent: 0.0 }] {
        let shares = shares(keys, to_usize(count));
        let used = shares.iter().filter(|share| **share > 0.0).count() as f64 / f64::from(count);
        // 1 - e^(-4/3)
        assert!((used - 0.736).abs() < 0.005, "{used} of the keys are used");
        let lower_half: f64 = shares[..150_000].iter().sum();
        assert!((lower_half - 0.5).abs() < 0.005);
    }
}

#[test]
fn zipf_weights_fall_with_the_rank() {
    let shares = shares(
        Keys::Zipf {
            count: 100,
            exponent: 1.0,
        },
        100,
    );
    let total: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
    for rank in [1_u32, 2, 10, 100] {
        let expected = 1.0 / f64::from(rank) / total;
        let share = shares[to_usize(rank - 1)];
        assert!(
            (share - expected).abs() < 4.0 * (expected / 400_000.0).sqrt(),
            "rank {rank}: {share}"
        );
    }
}

#[test]
fn the_hot_key_has_its_share() {
    let shares = shares(
        Keys::Hot {
            share: 0.45,
            others: 100,
        },
        101,
    );
    assert!((shares[0] - 0.45).abs() < 0.003, "{}", shares[0]);
    for share in &shares[1..] {
        assert!((share - 0.0055).abs() < 0.0006, "{share}");
    }
}

#[test]
fn listed_keys_have_their_weights() {
    let key = |text: &str, weight| WeightedKey {
        text: text.to_owned(),
        weight,
        explicit_hash_key: None,
    };
    let shares = shares(Keys::Weighted(vec![key("a", 3.0), key("b", 0.0), key("c", 1.0)]), 3);
    assert!((shares[0] - 0.75).abs() < 0.003);
    assert!(shares[1] == 0.0);
}

#[test]
fn kds_rec_05_a_record_counts_with_its_data_and_its_keys_text() {
    let mut blueprint = with_keys(Keys::Uniform { count: 10 });
    blueprint.size = Size::Drawn(Distribution::Constant(500.0));
    let mut numbered = source(&blueprint);
    assert!(numbered.ensure(1_000));
    assert!(
        numbered.bytes().iter().all(|bytes| *bytes == 500 + 13),
        "clicks-000000 has 13 bytes"
    );

    let key = |text: &str| WeightedKey {
        text: text.to_owned(),
        weight: 1.0,
        explicit_hash_key: None,
    };
    blueprint.keys = Keys::Weighted(vec![key("k"), key("größe")]);
    let mut listed = source(&blueprint);
    assert!(listed.ensure(1_000));
    for (key, bytes) in listed.keys().iter().zip(listed.bytes()) {
        assert_eq!(*bytes, if *key == 0 { 501 } else { 507 }, "UTF-8 bytes count");
    }
}

#[test]
fn sizes_follow_their_distribution() {
    let mut source = source(&with_keys(Keys::Uniform { count: 1 }));
    assert!(source.ensure(100_000));
    let sizes: Vec<f64> = source.bytes().iter().map(|bytes| f64::from(*bytes) - 13.0).collect();
    assert!(sizes.iter().all(|size| (100.0..=900.0).contains(size)));
    assert!((super::mean(&sizes) - 500.0).abs() < 3.0, "{}", super::mean(&sizes));
}

#[test]
fn a_block_of_sizes_is_what_the_distribution_gives_word_by_word() {
    for distribution in [
        Distribution::Constant(700.0),
        Distribution::Uniform { low: 1.0, high: 9e9 },
        Distribution::Exponential { mean: 1e9 },
        Distribution::LogNormal {
            median: 600.0,
            sigma: 1.5,
        },
    ] {
        let sampler = distribution.compile().expect("sound");
        let mut words = RandomStreams::new(7, 0).stream("producer.clicks/size").expect("free");
        let mut column = vec![0; 5_000];
        words.fill(&mut column);
        let expected: Vec<u32> = column
            .iter()
            .map(|word| sampler.value(u64::from(*word) << 32 | 1 << 31))
            .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
            .collect();
        sampler.fill(&mut column);
        assert_eq!(column, expected, "{distribution:?}");
    }
}

#[test]
fn producers_without_keys_or_sizes_are_refused() {
    let refused = |blueprint: &ProducerBlueprint, range: Option<KeyRange>| {
        let table = KeyTable::build(&[blueprint]);
        let range = range.unwrap_or_else(|| table.range(ProducerId(0)));
        Source::new(blueprint, range, &table, &mut RandomStreams::new(1, 0))
            .map(|_| ())
            .expect_err("refused")
    };
    assert_eq!(
        refused(&with_keys(Keys::Uniform { count: 0 }), None),
        SourceError::NoKeys
    );
    assert_eq!(refused(&with_keys(Keys::FromTrace), None), SourceError::NoKeys);
    let mut sizes = with_keys(Keys::Uniform { count: 1 });
    sizes.size = Size::FromTrace;
    assert_eq!(refused(&sizes, None), SourceError::NoSizesInTrace);
    sizes.size = Size::Drawn(Distribution::Constant(-1.0));
    assert!(matches!(refused(&sizes, None), SourceError::Size(_)));
    let weightless = Keys::Weighted(vec![WeightedKey {
        text: "k".to_owned(),
        weight: 0.0,
        explicit_hash_key: None,
    }]);
    assert!(matches!(refused(&with_keys(weightless), None), SourceError::Weights(_)));
}
