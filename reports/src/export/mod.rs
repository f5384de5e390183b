//! Results for other programs.

pub mod csv;
pub mod json;
mod queues;
mod topics;
