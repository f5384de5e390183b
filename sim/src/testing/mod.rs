//! What tests of the model share.

mod arrivals;
pub mod blueprints;
mod functions;
pub mod harness;
pub mod libraries;
mod mappings;
pub mod note;
pub mod operations;
pub mod queue_mappings;
mod sinks;
pub mod strategies;
pub mod topics;
