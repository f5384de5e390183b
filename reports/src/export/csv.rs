//! The metrics as CSV: a row for each metric, component and period, for spreadsheets and data frames.

use crate::account::{Account, MetricPoint, MetricSeries};
use std::fmt::Write;

/// The columns. Times are seconds since the start of the run; an average is `sum / count`.
pub const HEADER: &str =
    "namespace,metric,component,shard,consumer,unit,period_start,period_seconds,sum,count,minimum,maximum\n";

/// The whole file.
pub fn render(account: &Account) -> String {
    let rows: usize = account.metrics.iter().map(|series| series.points.len()).sum();
    let mut csv = String::with_capacity(HEADER.len() + rows * 112);
    csv.push_str(HEADER);
    for series in &account.metrics {
        let head = head(series);
        for point in &series.points {
            csv.push_str(&head);
            row(&mut csv, point, series.parts);
        }
    }
    csv
}

/// The fields that all rows of a series share.
fn head(series: &MetricSeries) -> String {
    let fields = [
        series.namespace.as_str(),
        series.metric,
        &series.component,
        series.shard.as_deref().unwrap_or_default(),
        series.consumer.as_deref().unwrap_or_default(),
        series.unit,
    ];
    fields.map(|field| field_of(field) + ",").concat()
}

fn row(csv: &mut String, point: &MetricPoint, parts: u64) {
    let start = point.start.as_nanos() / 1_000_000_000;
    // Writing into a string does not fail.
    let _ = write!(csv, "{start},{},", point.length.as_secs());
    value(csv, point.sum, parts);
    let _ = write!(csv, ",{},", point.count);
    value(csv, point.minimum, parts);
    csv.push(',');
    value(csv, point.maximum, parts);
    csv.push('\n');
}

/// A value in its unit, exact.
fn value(csv: &mut String, value: u64, parts: u64) {
    let (whole, rest) = (value / parts.max(1), value % parts.max(1));
    let _ = write!(csv, "{whole}");
    if rest > 0 {
        let digits = parts.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        let _ = write!(csv, ".{}", fraction.trim_end_matches('0'));
    }
}

/// A field, quoted where a reader would otherwise take it apart or a spreadsheet would compute it.
fn field_of(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    };
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
