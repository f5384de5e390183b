//! What came in and what came out.

use super::timeline::{Timeline, most, sum};
use super::{Axis, Entry, Figure, Panel, Role};
use crate::account::Account;
use crate::text::{count, rate};

/// Records created, stored and processed, by time.
pub(super) fn flow(account: &Account) -> Option<Figure> {
    let time = Timeline::of(account).filter(|_| !account.producers.is_empty() && !account.streams.is_empty())?;
    let course = &account.course;
    let created = time.rates(&sum(course.producers.iter().map(|producer| &producer.records_produced)));
    let shards = course.streams.iter().flat_map(|stream| &stream.shards);
    let stored = time.rates(&sum(shards.map(|shard| &shard.records_accepted)));
    let done = time.rates(&sum(course
        .functions
        .iter()
        .map(|function| &function.records_delivered)));
    let highest = [&created, &stored, &done].map(|values| most(values));
    let title = format!(
        "On average {} came in, at most {}/s; at most {}/s took effect",
        rate(account.records_produced(), account.run.simulated).replace("/s", " records/s"),
        count(highest[0].round() as u64),
        count(highest[2].round() as u64)
    );
    let entries = [
        (Role::Offered, "created"),
        (Role::Accepted, "stored"),
        (Role::Done, "took effect"),
    ];
    Some(Figure {
        name: "records",
        title,
        caption: format!(
            "Records a second, {}: what producers create, what streams store, and what has taken effect. Where \
             the lines part, records are refused, wait, or are processed again.{}",
            time.averaged(),
            time.marks_told()
        ),
        changes: time.changes(),
        legend: entries
            .map(|(role, label)| Entry {
                role,
                label: label.to_owned(),
            })
            .to_vec(),
        panels: vec![Panel {
            title: None,
            x: time.axis(),
            y: Axis::linear("records/s", most(&highest)),
            layers: vec![
                time.line(Role::Offered, &created),
                time.line(Role::Accepted, &stored),
                time.line(Role::Done, &done),
            ],
            limit: None,
            marks: time.marks(),
        }],
    })
}
