//! What the property rows say, for others: a JSON Schema for editors, a page for readers, and the paths and words that
//! `shardlab explain` uses. All of it is written from the rows that check a scenario, so that it cannot drift from them.

mod json_schema;
mod page;
mod paths;
mod words;

pub use json_schema::{DIALECT, json_schema};
pub use page::properties_page;
pub use paths::{Entry, entries, find};
pub use words::{default_words, range_words, value_words};
