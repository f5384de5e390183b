//! The product from outside, in one test binary. `tidy` checks that this list names every file of the folder.

mod cli;
mod determinism;
mod fingerprints;
mod support;
mod tidy;
mod traces;
