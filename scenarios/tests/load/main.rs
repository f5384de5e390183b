//! The loader from outside.

mod blueprint;
mod codes;
mod consumers;
mod decisions;
mod direct;
mod edits;
mod files;
mod mapping;
mod outcome;
mod producer_library;
mod queue_mapping;
mod queues;
mod schema;
mod set;
mod sinks;
mod streams;
mod support;
mod topics;
mod traces;
