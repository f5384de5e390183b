//! Records that took effect out of order, or again.

use super::timeline::{Timeline, extent, most, sum};
use super::{Axis, Entry, Figure, Panel, Role};
use crate::account::Account;
use crate::text::counted;

/// Anomalies by time, if there were any.
pub(super) fn anomalies(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account)?;
    let functions = &account.course.functions;
    let late = sum(functions.iter().map(|function| &function.records_out_of_order));
    let again = sum(functions.iter().map(|function| &function.records_duplicate));
    let told = |column: &[u64], what: &str| {
        extent(column)?;
        Some(format!(
            "{} took effect {what} {}",
            counted(column.iter().sum(), "record"),
            time.when(column)
        ))
    };
    let sentences = [told(&late, "out of order"), told(&again, "more than once")];
    let title = match &sentences {
        [None, None] => return None,
        [Some(one), None] => format!("{one}; none took effect twice"),
        [None, Some(two)] => format!("{two}; none out of order"),
        [Some(one), Some(two)] => format!("{one}, and {two}"),
    };
    let layers = [
        (Role::Refused, &late, "after a later record of its key"),
        (Role::Repeated, &again, "not for the first time"),
    ];
    let shown: Vec<(Role, Vec<f64>, &str)> = layers
        .into_iter()
        .filter(|(_, column, _)| extent(column).is_some())
        .map(|(role, column, label)| (role, time.rates(column), label))
        .collect();
    Some(Figure {
        name: "order",
        title,
        caption: format!(
            "Records a second, {}, that took effect after a later record of their key, or once more. A record that \
             is late counts once for each time that it takes effect.{}",
            time.averaged(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: shown
            .iter()
            .map(|(role, _, label)| Entry {
                role: *role,
                label: (*label).to_owned(),
            })
            .collect(),
        panels: vec![Panel {
            title: None,
            x: time.axis(),
            y: Axis::linear(
                "records/s",
                shown.iter().map(|(_, values, _)| most(values)).fold(0.0, f64::max),
            ),
            layers: shown.iter().map(|(role, values, _)| time.line(*role, values)).collect(),
            limit: None,
            marks: time.marks(),
        }],
    })
}
