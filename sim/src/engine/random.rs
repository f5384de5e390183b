//! Random numbers: one ChaCha8 stream for each component and purpose, found by name.
//!
//! The key is (seed, replication, domain tag); the stream number is the 64-bit FNV-1a hash of
//! `<kind>.<component>/<purpose>`. A new component or purpose therefore moves nobody else's numbers.

use super::distribution::{Distribution, DistributionError, NormalGrid, Sampler};
use super::quantity::Ratio;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Separates our keys from those of any other use of the same seed.
const DOMAIN: [u8; 16] = *b"shardlab/random1";

/// The source of all streams of one run.
#[derive(Clone, Debug)]
pub struct RandomStreams {
    key: [u8; 32],
    names: BTreeMap<u64, String>,
    /// What was compiled for somebody who draws.
    samplers: Vec<(Distribution, Sampler)>,
    /// What log-normal ones have in common.
    normal: Option<NormalGrid>,
}

/// Two names that were asked for have the same stream number (or are the same name).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuplicateStream {
    /// The name asked for.
    pub name: String,
    /// The name that already holds the number.
    pub holder: String,
}
impl core::fmt::Display for DuplicateStream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "the random streams `{}` and `{}` have the same number",
            self.name, self.holder
        )
    }
}
impl core::error::Error for DuplicateStream {}

/// 64-bit FNV-1a.
pub const fn fnv1a(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ widen(bytes[i])).wrapping_mul(0x0000_0100_0000_01B3);
        i += 1;
    }
    hash
}
#[expect(
    clippy::as_conversions,
    reason = "widening, in a const function where `u64::from` is not callable"
)]
const fn widen(byte: u8) -> u64 {
    byte as u64
}

impl RandomStreams {
    /// The streams of a seed and replication.
    pub fn new(seed: u64, replication: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&replication.to_le_bytes());
        key[16..].copy_from_slice(&DOMAIN);
        Self {
            key,
            names: BTreeMap::new(),
            samplers: Vec::new(),
            normal: None,
        }
    }
    /// The stream with this name. Each name can be had once.
    pub fn stream(&mut self, name: &str) -> Result<Stream, DuplicateStream> {
        let number = fnv1a(name);
        if let Some(holder) = self.names.get(&number) {
            return Err(DuplicateStream {
                name: name.to_owned(),
                holder: holder.clone(),
            });
        }
        self.names.insert(number, name.to_owned());
        let mut generator = ChaCha8Rng::from_seed(self.key);
        generator.set_stream(number);
        Ok(Stream { generator, draws: 0 })
    }
    /// The distribution, compiled. Whoever asks for the same one shares its table: a thousand streams have one service
    /// time, and a table takes milliseconds to compile and 84 KB.
    pub fn sampler(&mut self, distribution: &Distribution) -> Result<Sampler, DistributionError> {
        if let Some((_, sampler)) = self.samplers.iter().find(|(known, _)| known == distribution) {
            return Ok(sampler.clone());
        }
        let sampler = distribution.compile_with(&mut self.normal)?;
        if sampler.has_table() {
            self.samplers.push((distribution.clone(), sampler.clone()));
        }
        Ok(sampler)
    }
}

/// A stream of random words that belongs to one component and one purpose.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    draws: u64,
}

impl Stream {
    /// Number of draws so far; a block counts its words. Part of the run's fingerprint.
    pub const fn draws(&self) -> u64 {
        self.draws
    }
    /// Sixty-four random bits.
    #[inline]
    pub fn word(&mut self) -> u64 {
        self.draws += 1;
        self.generator.next_u64()
    }
    /// A block of 32-bit words, cheaper than word by word. Counts one draw for each.
    pub fn fill(&mut self, words: &mut [u32]) {
        self.fill_with(words, u32::from_le_bytes);
    }
    /// A block of 64-bit words, cheaper than word by word: those that so many draws would have given.
    pub fn fill_words(&mut self, words: &mut [u64]) {
        self.fill_with(words, u64::from_le_bytes);
    }
    /// A block of words of so many bytes.
    #[inline]
    fn fill_with<W, const BYTES: usize>(&mut self, words: &mut [W], word_of: impl Fn([u8; BYTES]) -> W) {
        const BLOCK: usize = 1_024;
        let mut bytes = [0_u8; BLOCK];
        for chunk in words.chunks_mut(BLOCK / BYTES) {
            let bytes = &mut bytes[..BYTES * chunk.len()];
            self.generator.fill_bytes(bytes);
            for (word, bytes) in chunk.iter_mut().zip(bytes.as_chunks::<BYTES>().0) {
                *word = word_of(*bytes);
            }
            self.draws += u64::from(super::index::to_u32(chunk.len()));
        }
    }
    /// A uniform integer in `0..bound` (`bound` > 0), by the high half of a product: off by less than 2^-32 for bounds below 2^32.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.word()) * u128::from(bound);
        #[expect(clippy::as_conversions, reason = "the high half of a 128-bit product fits 64 bits")]
        let high = (product >> 64) as u64;
        high
    }
    /// True with the given probability. Always draws one word, so that a change of probability shifts nothing.
    #[inline]
    pub fn chance(&mut self, probability: Ratio) -> bool {
        let word = self.word();
        probability.threshold().is_none_or(|threshold| word < threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_stream_moves_no_other() {
        let alone = RandomStreams::new(7, 0)
            .stream("producer.web/interarrival")
            .expect("free")
            .word();
        let mut streams = RandomStreams::new(7, 0);
        let mut other = streams.stream("producer.app/interarrival").expect("free");
        let _ = other.word();
        assert_eq!(streams.stream("producer.web/interarrival").expect("free").word(), alone);
    }

    #[test]
    fn whoever_asks_for_the_same_distribution_shares_its_table() {
        let mut streams = RandomStreams::new(7, 0);
        let gamma = |mean| Distribution::Gamma { shape: 2.0, mean };
        let one = streams.sampler(&gamma(1e6)).expect("it compiles");
        let other = streams.sampler(&gamma(2e6)).expect("it compiles");
        let again = streams.sampler(&gamma(1e6)).expect("it compiles");
        assert!(again.shares_table_with(&one));
        assert!(!again.shares_table_with(&other));
        assert_eq!(
            other.quantile(0.5),
            gamma(2e6).compile().expect("it compiles").quantile(0.5)
        );
    }

    #[test]
    fn a_name_can_be_had_once() {
        let mut streams = RandomStreams::new(7, 0);
        assert!(streams.stream("queue.jobs/sample").is_ok());
        let refused = streams.stream("queue.jobs/sample").map(|_| ()).expect_err("taken");
        assert_eq!(refused.holder, "queue.jobs/sample");
    }

    #[test]
    fn seed_and_replication_both_matter() {
        let first = |seed, replication| RandomStreams::new(seed, replication).stream("a").expect("free").word();
        assert_ne!(first(1, 0), first(2, 0));
        assert_ne!(first(1, 0), first(1, 1));
        assert_eq!(first(1, 1), first(1, 1));
    }

    /// Whatever was drawn before, at any place within the generator's own block.
    #[test]
    fn a_block_of_words_is_what_so_many_draws_give() {
        let stream = || RandomStreams::new(7, 0).stream("a").expect("free");
        for before in 0..70 {
            for count in [0, 1, 31, 128, 300] {
                let (mut one, mut other) = (stream(), stream());
                for _ in 0..before {
                    assert_eq!(one.word(), other.word());
                }
                let mut block = vec![0; count];
                one.fill_words(&mut block);
                assert!(block.iter().all(|&word| word == other.word()));
                assert_eq!((one.word(), one.draws()), (other.word(), other.draws()));
            }
        }
    }

    /// Golden words: they change only if the key derivation or the generator does, which would change every run.
    #[test]
    fn the_words_of_a_named_stream_are_fixed() {
        let mut stream = RandomStreams::new(2_024, 0)
            .stream("producer.clicks/interarrival")
            .expect("free");
        let words = [stream.word(), stream.word()];
        let mut block = RandomStreams::new(2_024, 0)
            .stream("producer.clicks/interarrival")
            .expect("free");
        let mut halves = [0; 4];
        block.fill(&mut halves);
        assert_eq!(
            u64::from(halves[0]) | u64::from(halves[1]) << 32,
            words[0],
            "a block gives the same bits"
        );
        assert_eq!(words, [GOLDEN_0, GOLDEN_1]);
    }
    const GOLDEN_0: u64 = 4_457_903_562_189_303_227;
    const GOLDEN_1: u64 = 7_571_337_608_214_421_804;
}
