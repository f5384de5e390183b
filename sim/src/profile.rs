//! The two sets of quotas: what exams teach, and what AWS documents today.

/// Which quotas and prices hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Profile {
    /// The long-standing values that exam material repeats.
    Exam,
    /// The newest documented values.
    #[default]
    Current,
}

impl Profile {
    /// The name in scenario files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exam => "exam",
            Self::Current => "current",
        }
    }
}
impl core::fmt::Display for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
