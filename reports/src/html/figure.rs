//! A chart within the page: curves that stretch with it, and labels as text that does not.

use super::prose::prose;
use crate::chart::{Figure, Panel, Role, Side, curves, themed};
use crate::text::printable;
use maud::{Markup, PreEscaped, html};

/// The charts.
pub(super) fn figures(figures: &[Figure]) -> Markup {
    html! {
        div.charts {
            @for (figure, is_wide) in figures.iter().zip(widths(figures)) { (drawn(figure, is_wide)) }
        }
    }
}

/// Which charts take the whole width: those with several panels, and of the others between two such one that would
/// stand alone.
fn widths(figures: &[Figure]) -> Vec<bool> {
    let mut widths: Vec<bool> = figures.iter().map(|figure| figure.panels.len() != 1).collect();
    for run in widths.chunk_by_mut(|one, other| one == other) {
        let is_odd = run.len() % 2 == 1;
        if let Some(first) = run.first_mut().filter(|_| is_odd) {
            *first = true;
        }
    }
    widths
}

fn drawn(figure: &Figure, is_wide: bool) -> Markup {
    let is_plain = figure.legend.len() == 1;
    html! {
        figure.wide[is_wide] id=(figure.name) {
            figcaption { h3 { (prose(&figure.title)) } }
            @if !is_plain {
                ul.legend {
                    @for entry in &figure.legend {
                        li.dash[entry.role == Role::Limit] {
                            i style=(swatch(entry.role)) {}
                            (prose(&entry.label))
                        }
                    }
                }
            }
            div.panels.many[figure.panels.len() > 1] {
                @for panel in &figure.panels { (plot(panel, &figure.title)) }
            }
            p.caption { (prose(&figure.caption)) }
        }
    }
}

fn swatch(role: Role) -> String {
    let property = if role == Role::Limit {
        "border-color"
    } else {
        "background"
    };
    format!("{property}:{}", role.variable())
}

fn plot(panel: &Panel, title: &str) -> Markup {
    let drawing = themed(&curves(panel), Role::variable);
    let across = |value| format!("left:{}%", percent(panel.x.place(value)));
    let down = |value| format!("top:{}%", percent(1.0 - panel.y.place(value)));
    let label = panel.title.as_deref().unwrap_or(title);
    let height = panel
        .y
        .has_rows
        .then(|| format!("height:{}px", 28 * panel.y.ticks.len()));
    html! {
        div.panel.rows[panel.y.has_rows] {
            @if let Some(title) = &panel.title { h4 { (prose(title)) } }
            p.unit { (panel.y.label) }
            div.plot style=[height] {
                svg viewBox=(crate::chart::view_box()) preserveAspectRatio="none" role="img" aria-label=(printable(label)) {
                    (PreEscaped(drawing))
                }
                @for tick in &panel.y.ticks { span.y.row[panel.y.has_rows] style=(down(tick.at)) { (prose(&tick.label)) } }
                @for tick in &panel.x.ticks { span.x style=(across(tick.at)) { (tick.label) } }
                @for (mark, side) in panel.marks.iter().zip(panel.sides()) { span.mark.left[side == Side::Left].right[side == Side::Right] style=(across(mark.at)) { (prose(&mark.label)) } }
                @if let Some(limit) = &panel.limit { span.limit style=(down(limit.label_at())) { (limit.label) } }
            }
            p.xunit { (panel.x.label) }
        }
    }
}

/// With two decimals at most.
fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}
