//! What a command came to, and the exit code that says so.

use std::process::ExitCode;

/// The end of a command. Of several scenarios the worst counts; the order of the variants is the order of weight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    /// Every expectation and guarantee held.
    Held,
    /// At least one could not be decided: the run was too short, stopped early, or nothing was observed.
    Undecided,
    /// At least one was violated.
    Violated,
    /// The input is wrong: a scenario, an option, a file, the output folder.
    BadInput,
    /// The model contradicted itself. A defect of shardlab, never of the scenario.
    Defect,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Outcome {
    /// The exit code, as documented in the help text.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Violated => 1,
            Self::BadInput => 2,
            Self::Undecided => 3,
            Self::Defect => 4,
            Self::Interrupted => 130,
        }
    }
}

impl Outcome {
    /// A word for tables.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Undecided => "undecided",
            Self::Violated => "violated",
            Self::BadInput => "bad input",
            Self::Defect => "defect",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<reports::account::Verdict> for Outcome {
    fn from(verdict: reports::account::Verdict) -> Self {
        match verdict {
            reports::account::Verdict::Held => Self::Held,
            reports::account::Verdict::Violated => Self::Violated,
            reports::account::Verdict::Undecided => Self::Undecided,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_counts() {
        use Outcome::{BadInput, Defect, Held, Interrupted, Undecided, Violated};
        let mut all = [Interrupted, Violated, Held, Defect, Undecided, BadInput];
        all.sort();
        assert_eq!(all, [Held, Undecided, Violated, BadInput, Defect, Interrupted]);
        assert_eq!(all.map(Outcome::code), [0, 3, 1, 2, 4, 130]);
    }
}
