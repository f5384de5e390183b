//! Reports of an invented run, as whole texts.

mod course;
mod csv;
mod example;
mod json;
mod page;
mod summary;
