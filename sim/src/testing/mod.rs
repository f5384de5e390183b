//! What tests of the model share.

pub mod harness;
pub mod note;
