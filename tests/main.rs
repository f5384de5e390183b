//! The product from outside, in one test binary. `tidy` checks that this list names every file of the folder.

mod charts;
mod cli;
mod commands;
mod determinism;
mod expectations;
mod fingerprints;
mod generated_docs;
mod rejected;
mod scenarios;
mod schema;
mod support;
mod tidy;
mod traces;
