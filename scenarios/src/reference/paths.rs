//! Every property with its path.

use crate::schema::top::TOP;
use crate::schema::{Dimension, Kind, Property, Rows, Shape};

/// The table under whose name the forms of distributions are listed, since they may stand in many places.
const DISTRIBUTION: &str = "distribution";

/// A property and where it stands.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path with the kind in place of a component's name: `mapping.BatchSize`, `producer.retry.mode`.
    pub path: String,
    /// Its row.
    pub property: &'static Property,
    /// The table that it belongs to.
    pub table: &'static Rows,
}

/// All properties: those at the top of a file, those of each kind of component, those of the tables within them, and
/// the forms of a distribution once.
pub fn entries() -> Vec<Entry> {
    let mut found = Vec::new();
    table("", &TOP, &mut found);
    // Durations stand for sizes as well: the forms are the same.
    let form = Dimension::Time.form_shape();
    below(DISTRIBUTION, form, &mut found);
    found
}

fn table(path: &str, rows: &'static Rows, found: &mut Vec<Entry>) {
    for property in rows.properties {
        let path = if path.is_empty() {
            property.name.to_owned()
        } else {
            format!("{path}.{}", property.name)
        };
        found.push(Entry {
            path: path.clone(),
            property,
            table: rows,
        });
        below(&path, &property.shape, found);
    }
}

fn below(path: &str, shape: &'static Shape, found: &mut Vec<Entry>) {
    match shape {
        Shape::Table(rows) | Shape::OneOf(rows) => table(path, rows, found),
        Shape::WordOr(_, inner) | Shape::List(inner) => below(path, inner, found),
        Shape::Components(kind) => table(path, kind.rows(), found),
        Shape::Pair(..)
        | Shape::Distribution(_)
        | Shape::Integer { .. }
        | Shape::Limit { .. }
        | Shape::Number { .. }
        | Shape::Fraction
        | Shape::Factor { .. }
        | Shape::Text
        | Shape::Prose
        | Shape::Flag
        | Shape::Word { .. }
        | Shape::Duration { .. }
        | Shape::Bytes { .. }
        | Shape::Rate { .. }
        | Shape::Quantity(_)
        | Shape::Percentiles(_)
        | Shape::Measure
        | Shape::HashKey
        | Shape::Reference(_) => {}
    }
}

/// The properties that a name means: a whole path, the end of one (`BatchSize`), or the path of a component's property
/// as `--set` takes it (`mapping.enrich.BatchSize`).
pub fn find(name: &str) -> Vec<Entry> {
    let all = entries();
    let without_component = kind_path(name);
    let wanted = [Some(name.to_owned()), without_component];
    for wanted in wanted.into_iter().flatten() {
        let ending = format!(".{wanted}");
        let exact = all.iter().filter(|entry| entry.path == wanted);
        let ends = all.iter().filter(|entry| entry.path.ends_with(&ending));
        let found: Vec<Entry> = exact.chain(ends).cloned().collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// `mapping.enrich.BatchSize` as `mapping.BatchSize`.
fn kind_path(path: &str) -> Option<String> {
    let (kind, rest) = path.split_once('.')?;
    let (_, property) = rest.split_once('.')?;
    Kind::from_name(kind).map(|kind| format!("{kind}.{property}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(name: &str) -> Vec<String> {
        find(name).into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn a_property_is_found_by_its_path_its_end_or_a_components_path() {
        assert_eq!(paths("mapping.BatchSize"), ["mapping.BatchSize"]);
        assert_eq!(paths("BatchSize"), ["mapping.BatchSize"]);
        assert_eq!(paths("mapping.enrich.BatchSize"), ["mapping.BatchSize"]);
        assert_eq!(paths("duration"), ["duration"]);
        assert_eq!(paths("producer.arrivals.trace.path").len(), 1);
        assert_eq!(paths("BatchSiz"), [""; 0]);
    }

    #[test]
    fn a_name_of_several_tables_means_all_of_them() {
        let found = paths("sink");
        assert_eq!(
            found.first().map(String::as_str),
            Some("sink"),
            "the whole path comes first"
        );
        assert!(found.contains(&"function.sink".to_owned()), "{found:?}");
    }

    #[test]
    fn no_path_stands_twice() {
        let mut paths: Vec<String> = entries().into_iter().map(|entry| entry.path).collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
