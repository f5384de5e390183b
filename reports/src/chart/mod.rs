//! Charts of a run.
//!
//! A [`Figure`] says what is drawn and what is seen in it; it is built from the account alone. Its curves are drawn with
//! plotters in sentinel colours; titles, legends and labels are text of our own around them, since plotters guesses how
//! wide a text is. The report styles both with CSS, for light and dark; a file of its own gets fixed colours.

mod axis;
mod capacity;
mod causes;
mod flow;
mod latency;
mod order;
mod palette;
mod plot;
mod shards;
mod standalone;
mod timeline;

pub use axis::{Axis, Tick};
pub use palette::Role;
pub(crate) use palette::{stylesheet, themed};
pub(crate) use plot::{curves, view_box};
pub use standalone::svg;
pub(crate) use timeline::clock;

use crate::account::Account;

/// A chart, with everything that is said about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// Its file name without ending.
    pub name: &'static str,
    /// What is seen, as a sentence without full stop.
    pub title: String,
    /// What is drawn, and how to read it.
    pub caption: String,
    /// What numbered lines stand for. The page tells it once for all charts.
    pub changes: Vec<String>,
    /// Meaning of the colours.
    pub legend: Vec<Entry>,
    /// One or more drawings with the same meaning of colours.
    pub panels: Vec<Panel>,
}

/// A line of a legend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The colour.
    pub role: Role,
    /// Its meaning.
    pub label: String,
}

/// A drawing with axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// Which part it is, where a figure has several.
    pub title: Option<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, from the back to the front.
    pub layers: Vec<Layer>,
    /// A line that means a limit.
    pub limit: Option<Limit>,
    /// Vertical lines, each with a short label.
    pub marks: Vec<Mark>,
}

/// A limit: a line across a panel, in steps if it changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Limit {
    /// From where to where on the horizontal axis, and how high. Parts that touch are joined.
    pub parts: Vec<(f64, f64, f64)>,
    /// What it says at its right end.
    pub label: String,
}

impl Limit {
    /// The same all along an axis.
    pub(crate) fn constant(x: &Axis, at: f64, label: String) -> Self {
        Self {
            parts: vec![(x.from, x.to, at)],
            label,
        }
    }
    /// The height of its label.
    pub(crate) fn label_at(&self) -> f64 {
        self.parts.last().map_or(0.0, |(_, _, at)| *at)
    }
    /// Its lines, point by point.
    pub(crate) fn lines(&self) -> Vec<Vec<(f64, f64)>> {
        let mut lines: Vec<Vec<(f64, f64)>> = Vec::new();
        for (from, to, at) in &self.parts {
            let ends = [(*from, *at), (*to, *at)];
            match lines.last_mut() {
                Some(line) if line.last().is_some_and(|(end, _)| end.total_cmp(from).is_eq()) => line.extend(ends),
                _ => lines.push(ends.to_vec()),
            }
        }
        lines
    }
}

/// A line across a panel.
#[derive(Clone, PartialEq, Debug)]
pub struct Mark {
    /// Where, on the axis that it crosses.
    pub at: f64,
    /// What it says.
    pub label: String,
}

/// On which side of its line a label stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// Across it.
    Middle,
    /// To its left, since another one is near on the right.
    Left,
    /// To its right.
    Right,
}

impl Panel {
    /// Where the labels of marks stand, so that neighbours do not cover each other.
    pub(crate) fn sides(&self) -> Vec<Side> {
        // Labels are a word long; this share of the width is enough for two halves of them on a phone.
        const NEAR: f64 = 0.09;
        let places: Vec<f64> = self.marks.iter().map(|mark| self.x.place(mark.at)).collect();
        let is_near = |one: usize, other: usize| match (places.get(one), places.get(other)) {
            (Some(one), Some(other)) => (other - one).abs() < NEAR,
            _ => false,
        };
        let is_long = self.marks.iter().any(|mark| mark.label.chars().count() > 1);
        (0..places.len())
            .map(|number| match number {
                _ if !is_long => Side::Middle,
                number if is_near(number, number + 1) => Side::Left,
                1.. if is_near(number - 1, number) => Side::Right,
                _ => Side::Middle,
            })
            .collect()
    }
}

/// A curve or an area. Points that lie outside the axes are cut.
#[derive(Clone, PartialEq, Debug)]
pub enum Layer {
    /// Curves; each part is drawn by itself, so that gaps stay empty.
    Line {
        /// The colour.
        role: Role,
        /// The parts.
        parts: Vec<Vec<(f64, f64)>>,
    },
    /// The area between two curves over the same values of x.
    Area {
        /// The colour.
        role: Role,
        /// x, lower and upper value.
        points: Vec<(f64, f64, f64)>,
    },
    /// Rectangles that stand on the lower axis.
    Bars {
        /// The colour.
        role: Role,
        /// From, to and height.
        bars: Vec<(f64, f64, f64)>,
    },
    /// Rectangles anywhere.
    Blocks {
        /// The colour.
        role: Role,
        /// From, to, lower and upper edge.
        blocks: Vec<(f64, f64, f64, f64)>,
    },
}

/// All charts of a run, in the order in which its story is told. What did not happen has no chart.
pub fn figures(account: &Account) -> Vec<Figure> {
    let all = [
        flow::flow(account),
        shards::throughput(account),
        shards::all(account),
        shards::refusals(account),
        latency::over_time(account),
        latency::distribution(account),
        causes::causes(account),
        capacity::iterator_age(account),
        capacity::concurrency(account),
        order::anomalies(account),
        capacity::failures(account),
    ];
    all.into_iter().flatten().collect()
}
