//! Why simultaneous events have an order.

/// What kind of thing an event is, and hence when it happens among events of the same instant.
///
/// Capacity freed at an instant can serve a request that arrives at that instant, a timer acts on what has arrived,
/// and a metric period closes over everything that happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Capacity is freed: an invocation ends, a connection closes.
    Release = 0,
    /// A request or a reply comes in.
    Arrive = 1,
    /// A timer fires: a flush, a poll, a deadline.
    Act = 2,
    /// A metric period closes. Exists only while someone observes, and changes no state.
    Observe = 3,
}

impl Phase {
    /// The two-bit code of the calendar's key, back as a phase.
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Release,
            1 => Self::Arrive,
            2 => Self::Act,
            _ => Self::Observe,
        }
    }
    /// The two-bit code of the calendar's key.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Release => 0,
            Self::Arrive => 1,
            Self::Act => 2,
            Self::Observe => 3,
        }
    }
}
