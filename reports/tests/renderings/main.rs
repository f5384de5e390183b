//! Reports of an invented run, as whole texts.

mod example;
mod json;
mod summary;
