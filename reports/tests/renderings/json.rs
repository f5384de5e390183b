//! The account as JSON.

use crate::example::hot_shard;
use reports::export::json::{SCHEMA, render};

#[test]
fn summary_json_keeps_its_keys_and_their_order() {
    insta::assert_snapshot!(render(&hot_shard()));
}

#[test]
fn summary_json_names_its_schema_first() {
    let text = render(&hot_shard());
    assert!(text.starts_with(&format!("{{\n  \"schema\": \"{SCHEMA}\"")));
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(value["run"]["fingerprint"], "0123456789abcdef");
    assert_eq!(value["verdict"], "violated");
}
