//! The loader from outside.

mod blueprint;
mod codes;
mod edits;
mod files;
mod schema;
mod set;
mod support;
mod traces;
