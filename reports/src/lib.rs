//! What a run looks like to people and to programs.
//!
//! An [`Account`](account::Account) holds everything that a report says, as plain data. It is taken from the observers
//! once, at the end of a run; the text for people, the page with its charts, and the JSON and CSV for programs are
//! renderings of it, so they cannot tell different stories.

pub mod account;
pub mod chart;
pub mod collection;
pub mod course;
pub mod export;
pub mod html;
mod settings;
pub mod summary;
pub mod text;
