//! Draws the curves of a panel with plotters: geometry only, no text.

use super::{Layer, Panel, Role};
use plotters::coord::Shift;
use plotters::prelude::*;

/// Size of the drawing's own coordinates. The drawing is stretched to where it stands; strokes keep their width.
const WIDTH: u32 = 1_200;
/// As [`WIDTH`].
const HEIGHT: u32 = 480;

/// The drawing's coordinates as SVG states them.
pub(crate) fn view_box() -> String {
    format!("0 0 {WIDTH} {HEIGHT}")
}

type Plane<'d> = ChartContext<
    'd,
    SVGBackend<'d>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;
type Failure<'d> = DrawingAreaErrorKind<<SVGBackend<'d> as DrawingBackend>::ErrorType>;

/// The elements of a panel's drawing, in sentinel colours, without the enclosing `svg`.
pub(crate) fn curves(panel: &Panel) -> String {
    let mut drawing = String::new();
    let area = SVGBackend::with_string(&mut drawing, (WIDTH, HEIGHT)).into_drawing_area();
    // Drawing into a string cannot fail; if it did, the panel would be empty rather than the report missing.
    let _ = draw(panel, &area);
    drop(area);
    inner(&drawing)
}

/// What stands between the opening and the closing tag, one element a line.
fn inner(drawing: &str) -> String {
    let start = drawing
        .find("<svg")
        .and_then(|at| Some(at + drawing[at..].find('>')? + 1));
    let end = drawing.rfind("</svg>").unwrap_or(drawing.len());
    let elements = start.map_or("", |start| drawing.get(start..end).unwrap_or_default());
    elements.trim().replace(" opacity=\"1\"", "").replace(" \"/>", "\"/>")
}

fn draw<'d>(panel: &Panel, area: &DrawingArea<SVGBackend<'d>, Shift>) -> Result<(), Failure<'d>> {
    let mut chart = ChartBuilder::on(area).build_cartesian_2d(panel.x.from..panel.x.to, panel.y.from..panel.y.to)?;
    for tick in panel.y.ticks.iter().filter(|_| !panel.y.has_rows) {
        rule(
            &mut chart,
            [(panel.x.from, tick.at), (panel.x.to, tick.at)],
            Role::Grid,
            1,
        )?;
    }
    for tick in &panel.x.ticks {
        rule(
            &mut chart,
            [(tick.at, panel.y.from), (tick.at, panel.y.to)],
            Role::Grid,
            1,
        )?;
    }
    for layer in &panel.layers {
        draw_layer(panel, layer, &mut chart)?;
    }
    for mark in &panel.marks {
        rule(
            &mut chart,
            [(mark.at, panel.y.from), (mark.at, panel.y.to)],
            Role::Change,
            1,
        )?;
    }
    if let Some(limit) = &panel.limit {
        for line in limit.lines() {
            rule(&mut chart, line, Role::Limit, 2)?;
        }
    }
    area.present()
}

fn rule<'d>(
    chart: &mut Plane<'d>,
    points: impl IntoIterator<Item = (f64, f64)>,
    role: Role,
    width: u32,
) -> Result<(), Failure<'d>> {
    let line = LineSeries::new(points, role.sentinel().stroke_width(width));
    chart.draw_series(line).map(drop)
}

fn draw_layer<'d>(panel: &Panel, layer: &Layer, chart: &mut Plane<'d>) -> Result<(), Failure<'d>> {
    let inside = |(x, y): (f64, f64)| (x.clamp(panel.x.from, panel.x.to), y.clamp(panel.y.from, panel.y.to));
    match layer {
        Layer::Line { role, parts } => {
            for part in parts {
                let points = part.iter().copied().map(inside);
                chart.draw_series(LineSeries::new(points, role.sentinel().stroke_width(2)))?;
            }
        }
        Layer::Area { role, points } => {
            let upper = points.iter().map(|(x, _, high)| inside((*x, *high)));
            let lower = points.iter().rev().map(|(x, low, _)| inside((*x, *low)));
            let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
            if outline.len() > 2 {
                chart.draw_series([Polygon::new(outline, role.sentinel().filled())])?;
            }
        }
        Layer::Bars { role, bars } => {
            for (from, to, height) in bars {
                let corners = [inside((*from, panel.y.from)), inside((*to, *height))];
                chart.draw_series([Rectangle::new(corners, role.sentinel().filled())])?;
            }
        }
        Layer::Blocks { role, blocks } => {
            for (from, to, low, high) in blocks {
                let corners = [inside((*from, *low)), inside((*to, *high))];
                chart.draw_series([Rectangle::new(corners, role.sentinel().filled())])?;
            }
        }
    }
    Ok(())
}
