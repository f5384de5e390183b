//! What a run looks like to people and to programs.
//!
//! An [`Account`](account::Account) holds everything that a report says, as plain data. It is taken from the observers
//! once, at the end of a run; the text for people and the JSON for programs are two renderings of it, so they cannot
//! tell different stories.

pub mod account;
pub mod collection;
pub mod export;
mod settings;
pub mod summary;
pub mod text;
