//! The metrics as CSV.

use crate::example::hot_shard;
use reports::export::csv::{HEADER, render};

#[test]
fn a_row_for_each_metric_component_and_period() {
    insta::assert_snapshot!(render(&hot_shard()));
}

#[test]
fn every_row_has_the_columns_of_the_header() {
    let mut account = hot_shard();
    account.metrics[0].component = "=HYPERLINK(\"a\",b)\u{7}".to_owned();
    let csv = render(&account);
    assert!(csv.starts_with(HEADER));
    let row = csv.lines().nth(1).expect("there is a row");
    assert!(
        row.starts_with("AWS/Kinesis,WriteProvisionedThroughputExceeded,\"'=HYPERLINK(\"\"a\"\",b)\",shardId"),
        "{row}"
    );
    for row in csv.lines().skip(3) {
        assert_eq!(row.split(',').count(), HEADER.split(',').count(), "{row}");
    }
}
