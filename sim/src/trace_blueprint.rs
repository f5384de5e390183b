//! Recorded workloads in the blueprint.

use crate::engine::quantity::Ratio;
use crate::engine::time::SimDuration;

/// A recorded workload.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// What the user called it (file names), for reports.
    pub source: String,
    /// What was recorded.
    pub rows: TraceRows,
    /// Texts of the partition keys that the rows refer to; empty if the trace has none.
    pub keys: Vec<String>,
    /// From the first row to the end of the recording, in recorded time.
    pub span: SimDuration,
    /// Recorded time passes this many times faster (1: real time).
    pub compression: Ratio,
    /// Starts again at its end, as often as the run lasts.
    pub repeat: bool,
}

/// The two forms of recorded workloads.
#[derive(Clone, PartialEq, Debug)]
pub enum TraceRows {
    /// One row for each request, sorted by time.
    Requests {
        /// Nanoseconds since the trace's start.
        at: Vec<u64>,
        /// Index into the trace's keys; empty if the trace has no key column.
        key: Vec<u32>,
        /// Data bytes; empty if the trace has no size column.
        bytes: Vec<u32>,
    },
    /// Counts per bin of time, in one or more series.
    Counts {
        /// The series. Each has its own key if the trace has keys.
        series: Vec<CountSeries>,
        /// How the requests of a bin are spread over it.
        spread: Spread,
    },
}

/// Counts over time of one series.
#[derive(Clone, PartialEq, Debug)]
pub struct CountSeries {
    /// Index into the trace's keys, if it has keys.
    pub key: Option<u32>,
    /// (start of the bin in nanoseconds since the trace's start, length of the bin in nanoseconds, requests in it), sorted, disjoint.
    pub bins: Vec<(u64, u64, u32)>,
}

/// How the requests of a bin are spread over it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// At equal distances: request i of n at (i + 1/2) / n of the bin.
    Even,
    /// At independent uniform instants.
    Uniform,
    /// All at the beginning of the bin.
    Start,
}
