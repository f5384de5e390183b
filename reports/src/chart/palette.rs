//! Colours by role, told apart by people who see colours differently (after Okabe and Ito), for light and dark.

use plotters::style::RGBColor;
use std::fmt::Write;

/// What a colour stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Lines of the grid.
    Grid,
    /// The line of a limit.
    Limit,
    /// A change during the run.
    Change,
    /// What came in.
    Offered,
    /// What was taken.
    Accepted,
    /// What was refused or failed.
    Refused,
    /// What has taken effect.
    Done,
    /// What happened more than once.
    Repeated,
    /// The middle of a spread.
    Low,
    /// Its upper part.
    Middle,
    /// Its end.
    High,
    /// Something to compare with.
    Other,
}

impl Role {
    /// All roles.
    pub(crate) const ALL: [Self; 12] = [
        Self::Grid,
        Self::Limit,
        Self::Change,
        Self::Offered,
        Self::Accepted,
        Self::Refused,
        Self::Done,
        Self::Repeated,
        Self::Low,
        Self::Middle,
        Self::High,
        Self::Other,
    ];
    /// Name of its CSS variable, and its colours on light and on dark ground.
    const fn colours(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Grid => ("--grid", "#e4e7eb", "#2a313a"),
            Self::Limit => ("--limit", "#1f2933", "#e6edf3"),
            Self::Change => ("--change", "#7b8794", "#7d8895"),
            Self::Offered => ("--offered", "#8e9aa6", "#8b98a5"),
            Self::Accepted => ("--accepted", "#0072b2", "#4fb0e8"),
            Self::Refused => ("--refused", "#d55e00", "#ff8f3f"),
            Self::Done => ("--done", "#009e73", "#2fc79b"),
            Self::Repeated => ("--repeated", "#b0559b", "#dd8fca"),
            Self::Low => ("--low", "#86bfe6", "#2f7fc1"),
            Self::Middle => ("--middle", "#2f80c2", "#6fb6ee"),
            Self::High => ("--high", "#0a3a66", "#d3e9fb"),
            Self::Other => ("--other", "#c79a00", "#e3bb3c"),
        }
    }
    /// Its colour on light ground.
    pub(crate) const fn light(self) -> &'static str {
        self.colours().1
    }
    /// As a value in CSS and in attributes of SVG within HTML.
    pub(crate) fn variable(self) -> String {
        format!("var({})", self.colours().0)
    }
    /// The colour that plotters draws with; it is replaced afterwards.
    pub(super) const fn sentinel(self) -> RGBColor {
        RGBColor(1, 2, self as u8)
    }
    fn sentinel_text(self) -> String {
        format!("\"#0102{:02X}\"", self as u8)
    }
    const fn is_dashed(self) -> bool {
        matches!(self, Self::Limit | Self::Change)
    }
}

/// A drawing with its sentinel colours replaced by what `colour` says.
pub(crate) fn themed(drawing: &str, colour: impl Fn(Role) -> String) -> String {
    let mut themed = drawing.to_owned();
    for role in Role::ALL {
        let dashes = if role.is_dashed() {
            " stroke-dasharray=\"5 4\""
        } else {
            ""
        };
        themed = themed.replace(&role.sentinel_text(), &format!("\"{}\"{dashes}", colour(role)));
    }
    themed
}

/// The CSS variables of all roles, for light or for dark ground.
pub(crate) fn stylesheet(dark: bool) -> String {
    let mut css = String::new();
    for role in Role::ALL {
        let (name, on_light, on_dark) = role.colours();
        let _ = write!(css, "{name}:{};", if dark { on_dark } else { on_light });
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentinel_is_replaced() {
        let drawing: String = Role::ALL.iter().map(|role| role.sentinel_text()).collect();
        let themed = themed(&drawing, |role| role.light().to_owned());
        assert!(!themed.contains("#0102"), "{themed}");
        for role in Role::ALL {
            assert!(themed.contains(role.light()), "{role:?}");
        }
    }

    #[test]
    fn no_two_roles_look_alike() {
        for dark in [false, true] {
            let css = stylesheet(dark);
            let mut colours: Vec<&str> = css.split(';').filter_map(|rule| rule.split(':').nth(1)).collect();
            colours.sort_unstable();
            colours.dedup();
            assert_eq!(colours.len(), Role::ALL.len());
        }
    }
}
