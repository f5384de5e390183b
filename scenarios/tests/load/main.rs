//! The loader from outside.

mod blueprint;
mod codes;
mod consumers;
mod direct;
mod edits;
mod files;
mod mapping;
mod outcome;
mod producer_library;
mod queues;
mod schema;
mod set;
mod sinks;
mod streams;
mod support;
mod traces;
