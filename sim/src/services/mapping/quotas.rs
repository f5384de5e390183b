//! Limits of event source mappings for Kinesis, each with its fact.

/// Most bytes of an invocation's payload (LAM-E-08).
pub const MAX_PAYLOAD_BYTES: u64 = 6 * 1_024 * 1_024;
/// Bytes of the payload's frame (LAM-U-29).
pub const PAYLOAD_FRAME_BYTES: u64 = 14;
/// BatchSize by default (LAM-K-11).
pub const BATCH_SIZE_DEFAULT: u32 = 100;
/// Largest BatchSize (LAM-E-07, LAM-K-11).
pub const BATCH_SIZE_MAX: u32 = 10_000;
/// Largest ParallelizationFactor (LAM-K-06).
pub const PARALLELIZATION_FACTOR_MAX: u32 = 10;
/// Longest TumblingWindowInSeconds (LAM-W-01).
pub const TUMBLING_WINDOW_SECONDS_MAX: u32 = 900;
/// Most bytes of a window's state (LAM-W-03).
pub const WINDOW_STATE_BYTES_MAX: u64 = 1_024 * 1_024;
/// So long after the end of a window without a record it is declared over (LAM-W-08, LAM-U-11).
pub const WINDOW_GRACE: crate::engine::time::SimDuration = crate::engine::time::SimDuration::from_secs(120);
/// Most filters of a mapping (LAM-E-21).
pub const FILTERS_MAX: usize = 5;
/// Longest MaximumBatchingWindowInSeconds (LAM-E-04).
pub const BATCHING_WINDOW_SECONDS_MAX: u32 = 300;
