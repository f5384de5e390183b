//! What travels: 32 bytes that stand for a record. Payload contents do not exist.

use crate::engine::quantity::Ratio;
use crate::engine::time::SimTime;

/// Identifies a key of the run's [`KeyTable`](crate::key::KeyTable).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct KeyId(pub u32);

/// A record in flight. Its identity is (key, ordinal): a key belongs to one producer, and the producer numbers the
/// records of each key 0, 1, 2 ... in the order in which it created them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// When the producer created it.
    pub created_at: SimTime,
    /// When the service stored it (ApproximateArrivalTimestamp, KDS-REC-16); zero before that.
    pub arrived_at: SimTime,
    /// Its partition key.
    pub key: KeyId,
    /// Its number among the records of its key, at the producer.
    pub ordinal: u32,
    /// Size that counts against limits: data before base64 plus partition key in UTF-8 (KDS-REC-05, KDS-MOD-03).
    pub bytes: u32,
    /// What happened to it in the call in progress; see [`Outcome`].
    pub flags: u32,
}

/// Bytes of memory that a record in flight takes.
pub const RECORD_BYTES: u64 = 32;
const _: () = assert!(size_of::<Record>() == 32, "a record in flight takes 32 bytes");

/// The per-record result of a put (KDS-W-10, KDS-W-11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// Stored: has a shard and a sequence number.
    Accepted,
    /// `ProvisionedThroughputExceededException`.
    Throttled,
    /// `InternalFailure`.
    Failed,
}

/// The attempt number of a single-record call of a cohort travels in the bits of its flags from here on.
pub(crate) const ATTEMPT_SHIFT: u32 = 8;
/// Spreads a number over all 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
const fn spread(mut word: u64) -> u64 {
    word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

const OUTCOME_MASK: u32 = 3;
const THROTTLED: u32 = 1;
const FAILED: u32 = 2;

/// A number that stands for contents that a record does not have: a uniform draw, always the same for the same record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lot(pub u64);

impl Lot {
    /// True with this probability.
    pub fn falls_within(self, share: Ratio) -> bool {
        u128::from(self.0) * u128::from(share.denominator) < u128::from(share.numerator) << 64
    }
}

impl Record {
    /// The record's lot among those of a salt.
    pub fn lot(&self, salt: u64) -> Lot {
        let identity = u64::from(self.key.0) << 32 | u64::from(self.ordinal);
        Lot(spread(spread(identity ^ salt).wrapping_add(salt)))
    }
    /// The result noted on the record.
    #[inline]
    pub const fn outcome(&self) -> Outcome {
        match self.flags & OUTCOME_MASK {
            THROTTLED => Outcome::Throttled,
            FAILED => Outcome::Failed,
            _ => Outcome::Accepted,
        }
    }
    /// In a cohort the number of the SDK's attempt, from 1; of a user record of the Kinesis Producer Library how many
    /// attempts it has had; zero elsewhere.
    #[inline]
    pub const fn attempt(&self) -> u32 {
        self.flags >> ATTEMPT_SHIFT
    }
    /// Notes another attempt to send it, and forgets the result of the last one.
    pub(crate) const fn begin_attempt(&mut self) {
        self.flags = (self.attempt() + 1) << ATTEMPT_SHIFT;
    }
    /// True if the result noted is [`Outcome::Accepted`].
    #[inline]
    pub(crate) const fn is_accepted(&self) -> bool {
        self.flags & OUTCOME_MASK == 0
    }
    /// The result as a number, for sums over many records: 0 accepted, 1 throttled, 2 failed.
    #[inline]
    pub(crate) const fn outcome_number(&self) -> u32 {
        self.flags & OUTCOME_MASK
    }
    /// Notes a result.
    #[inline]
    pub const fn set_outcome(&mut self, outcome: Outcome) {
        self.flags = self.flags_with(outcome);
    }
    /// Its flags if this were its result.
    #[inline]
    pub(crate) const fn flags_with(&self, outcome: Outcome) -> u32 {
        let bits = match outcome {
            Outcome::Accepted => 0,
            Outcome::Throttled => THROTTLED,
            Outcome::Failed => FAILED,
        };
        self.flags & !OUTCOME_MASK | bits
    }
}
