//! Results for other programs.

pub mod json;
