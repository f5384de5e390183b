//! Random settings of the Kinesis Producer Library.

use crate::blueprint::ProducerLibrary;
use crate::engine::time::SimDuration;
use crate::profile::Profile;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// Settings within and beyond what people use, so that every limit is met.
pub fn libraries() -> impl Strategy<Value = ProducerLibrary> {
    let aggregation = (
        prop_oneof![4 => Just(true), 1 => Just(false)],
        prop_oneof![1_u32..10, Just(u32::MAX)],
        prop_oneof![64_u64..10_000, Just(51_200)],
    );
    let collection = (
        prop_oneof![1_u32..8, Just(500)],
        prop_oneof![Just(52_224_u64), Just(5_242_880)],
    );
    let times = (
        prop_oneof![Just(100_u64), 0_u64..2_000],
        prop_oneof![Just(30_000_u64), 100_u64..5_000],
        prop_oneof![Just(6_000_u64), 5_u64..200],
    );
    let limits = (
        prop_oneof![Just(150_u32), 1_u32..400],
        any::<bool>(),
        1_u32..24,
        prop_oneof![Just(1_048_576_u64), 64_u64..2_000],
    );
    (aggregation, collection, times, limits).prop_map(|(aggregation, collection, times, limits)| ProducerLibrary {
        record_max_buffered_time: SimDuration::from_millis(times.0),
        aggregation_enabled: aggregation.0,
        aggregation_max_count: aggregation.1,
        aggregation_max_size: aggregation.2,
        collection_max_count: collection.0,
        collection_max_size: collection.1,
        rate_limit: limits.0,
        record_ttl: SimDuration::from_millis(times.1),
        fail_if_throttled: limits.1,
        max_connections: limits.2,
        request_timeout: SimDuration::from_millis(times.2),
        max_user_record_size: limits.3,
        ..ProducerLibrary::defaults(Profile::Current)
    })
}
