//! The discrete-event engine. It knows nothing of AWS.
//!
//! Time is integer nanoseconds; pending events are totally ordered by time, phase and insertion; every component draws
//! from random streams of its own, found by name; what happened is hashed into a fingerprint. The engine may not read
//! a clock, the environment or a file, and holds no float beyond the compilation of distributions.

pub mod calendar;
pub mod deadlines;
pub mod discrete;
pub mod distribution;
pub mod fingerprint;
pub mod index;
pub mod kernel;
pub mod phase;
pub mod pool;
pub mod quantity;
pub mod random;
pub mod time;
pub mod token_bucket;
