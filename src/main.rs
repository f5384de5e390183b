//! The `shardlab` command.
fn main() {}
