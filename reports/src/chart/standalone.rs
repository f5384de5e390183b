//! A figure as a file of its own, in fixed light colours.

use super::{Figure, Panel, Role, Side, curves, themed, view_box};
use crate::text::{fill, printable};
use maud::{Markup, PreEscaped, html};

/// Width of the file, in pixels.
const PAGE: f64 = 920.0;
const MARGIN: f64 = 24.0;
/// Room for the labels of the vertical axis, to the left of a panel: for values, and for names.
const LEFT: f64 = 58.0;
const LEFT_OF_ROWS: f64 = 210.0;
/// Height of a row that has a name.
const ROW: f64 = 26.0;
/// Room above and below a panel for its labels.
const ABOVE: f64 = 46.0;
const BELOW: f64 = 44.0;
const GAP: f64 = 24.0;
/// The ground.
const PAPER: &str = "#ffffff";
const INK: &str = "#1f2933";
const PALE: &str = "#5b6773";

/// Where a panel is drawn.
#[derive(Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The figure as an SVG file.
pub fn svg(figure: &Figure) -> String {
    let title = lines(&figure.title, 84);
    let mut caption = lines(&figure.caption, 136);
    caption.extend(figure.changes.iter().flat_map(|change| lines(change, 136)));
    let mut y = MARGIN + 18.0;
    let title_at = y;
    y += 24.0 * (title.len() as f64 - 1.0) + 22.0;
    let caption_at = y;
    y += 17.0 * caption.len() as f64 + 8.0;
    let legend_at = y;
    y += 16.0;
    let places = places(&figure.panels, y);
    let height = places.last().map_or(y, |place| place.y + place.height + BELOW) + 8.0;
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(PAGE) height=(round(height)) viewBox=(format!("0 0 {PAGE} {}", round(height))) role="img" aria-label=(printable(&figure.title)) font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12" fill=(PALE) {
            title { (printable(&figure.title)) }
            rect width="100%" height="100%" fill=(PAPER) {}
            (paragraph(&title, title_at, 24.0, "18", "600", INK))
            (paragraph(&caption, caption_at, 17.0, "12.5", "400", PALE))
            (legend(figure, legend_at))
            @for (panel, place) in figure.panels.iter().zip(&places) { (drawn(panel, *place)) }
        }
    };
    markup.into_string() + "\n"
}

/// A text in lines of so many characters.
fn lines(text: &str, width: usize) -> Vec<String> {
    let filled = fill(&printable(text), width, "", "");
    filled.lines().map(str::to_owned).collect()
}

/// Room to the left of a panel.
const fn left(panel: &Panel) -> f64 {
    if panel.y.has_rows { LEFT_OF_ROWS } else { LEFT }
}

fn places(panels: &[Panel], top: f64) -> Vec<Place> {
    let columns = panels.len().clamp(1, 2);
    let room = (PAGE - 2.0 * MARGIN - GAP * (columns as f64 - 1.0)) / columns as f64;
    let rows = panels
        .iter()
        .filter(|panel| panel.y.has_rows)
        .map(|panel| panel.y.ticks.len());
    let height = match rows.max() {
        Some(rows) => ROW * rows as f64,
        None if columns > 1 => 160.0,
        None => 280.0,
    };
    let place = |(number, panel)| {
        let (row, column) = (number / columns, number % columns);
        Place {
            x: MARGIN + column as f64 * (room + GAP) + left(panel),
            y: top + ABOVE + row as f64 * (height + ABOVE + BELOW),
            width: room - left(panel) - 8.0,
            height,
        }
    };
    panels.iter().enumerate().map(place).collect()
}

/// With two decimals at most, so that files stay small.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn paragraph(lines: &[String], y: f64, step: f64, size: &str, weight: &str, colour: &str) -> Markup {
    html! {
        text x=(MARGIN) y=(y) font-size=(size) font-weight=(weight) fill=(colour) {
            @for (number, line) in lines.iter().enumerate() {
                tspan x=(MARGIN) dy=(if number > 0 { step } else { 0.0 }) { (line) }
            }
        }
    }
}

fn legend(figure: &Figure, y: f64) -> Markup {
    let mut x = MARGIN;
    let entries: Vec<(f64, &super::Entry)> = figure
        .legend
        .iter()
        .map(|entry| {
            let at = x;
            x += 36.0 + 7.2 * entry.label.chars().count() as f64;
            (at, entry)
        })
        .collect();
    html! {
        @for (x, entry) in entries {
            @if entry.role == Role::Limit {
                path d=(format!("M{x} {}h14", y - 4.0)) stroke=(entry.role.light()) stroke-width="2" stroke-dasharray="5 4" {}
            } @else {
                rect x=(x) y=(y - 10.0) width="14" height="11" rx="2" fill=(entry.role.light()) {}
            }
            text x=(x + 20.0) y=(y) font-size="12.5" fill=(INK) { (printable(&entry.label)) }
        }
    }
}

const fn anchor(side: Side) -> &'static str {
    match side {
        Side::Middle => "middle",
        Side::Left => "end",
        Side::Right => "start",
    }
}

fn drawn(panel: &Panel, place: Place) -> Markup {
    let Place { x, y, width, height } = place;
    let across = |value| round(x + width * panel.x.place(value));
    let down = |value| round(y + height * (1.0 - panel.y.place(value)));
    let curves = themed(&curves(panel), |role| role.light().to_owned());
    html! {
        @if let Some(title) = &panel.title {
            text x=(x - left(panel)) y=(y - 34.0) font-size="12.5" font-weight="600" fill=(INK) { (printable(title)) }
        }
        text x=(x - left(panel)) y=(y - 16.0) { (panel.y.label) }
        svg x=(x) y=(y) width=(width) height=(height) viewBox=(view_box()) preserveAspectRatio="none" {
            style { "*{vector-effect:non-scaling-stroke;stroke-linejoin:round}" }
            (PreEscaped(curves))
        }
        @for tick in &panel.y.ticks {
            text x=(x - 7.0) y=(down(tick.at) + 4.0) text-anchor="end" { (tick.label) }
        }
        @for tick in &panel.x.ticks {
            text x=(across(tick.at)) y=(y + height + 17.0) text-anchor="middle" { (tick.label) }
        }
        text x=(x + width) y=(y + height + 34.0) text-anchor="end" { (panel.x.label) }
        @for (mark, side) in panel.marks.iter().zip(panel.sides()) {
            text x=(across(mark.at)) y=(y - 5.0) text-anchor=(anchor(side)) font-size="11" font-weight="600" fill=(Role::Change.light()) { (mark.label) }
        }
        @if let Some(limit) = &panel.limit {
            text x=(x + width - 4.0) y=(down(limit.label_at()) - 5.0) text-anchor="end" font-weight="600" fill=(INK) stroke=(PAPER) stroke-width="3" paint-order="stroke" { (limit.label) }
        }
    }
}
