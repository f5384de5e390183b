//! Why records were given up, and by whom they are sent again.

/// Why a client gave a record up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GiveUpReason {
    /// All attempts were used.
    AttemptsExhausted,
    /// The SDK's retry quota was empty (KDS-SDK-04).
    RetryQuotaEmpty,
    /// The error is not retried (KDS-SDK-08).
    NotRetryable,
    /// The application does not send refused entries again (KDS-W-14).
    NotResent,
    /// The library's `RecordTtl` was over (KDS-KPL-03).
    Expired,
    /// It was throttled, and the library is told to fail then (KDS-KPL-11).
    Throttled,
    /// Its data exceed the library's `MaxUserRecordSize` (KDS-KPL-12).
    TooLarge,
}

/// Why a reader gave a record up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DiscardReason {
    /// By itself it exceeds the 6 MB of an invocation (LAM-K-25).
    PayloadTooLarge,
    /// The code of an application threw, and a later checkpoint has passed the record (KDS-KCL-34).
    ProcessingFailed,
    /// Its batch has failed as often as MaximumRetryAttempts allows (LAM-X-05).
    RetryAttemptsExhausted,
    /// It is older than MaximumRecordAgeInSeconds (LAM-X-06).
    RecordAgeExceeded,
}

impl DiscardReason {
    /// `condition` of a failure document. For record age AWS shows no word, and this one is ours (LAM-X-26, LAM-U-08).
    pub const fn condition(self) -> &'static str {
        match self {
            Self::PayloadTooLarge => "PayloadTooLarge",
            Self::ProcessingFailed => "ProcessingFailed",
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
    /// The reason as a clause.
    pub const fn why(self) -> &'static str {
        match self {
            Self::PayloadTooLarge => "no invocation can carry it",
            Self::ProcessingFailed => "its code threw",
            Self::RetryAttemptsExhausted => "MaximumRetryAttempts was reached",
            Self::RecordAgeExceeded => "it was older than MaximumRecordAgeInSeconds",
        }
    }
}

/// What becomes of records that a reader gave up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Remains {
    /// Nobody is told: the reader has no on-failure destination.
    Dropped,
    /// The on-failure destination has a document about them (LAM-Z-09).
    DeadLettered,
    /// The document could not be delivered, and they are dropped all the same (LAM-X-29).
    Undeliverable,
}

impl Remains {
    /// The rest of a sentence that tells of a discarded record.
    pub const fn then(self) -> &'static str {
        match self {
            Self::Dropped => "",
            Self::DeadLettered => "; the on-failure destination knows of it",
            Self::Undeliverable => "; its on-failure destination could not be reached",
        }
    }
}

/// Who waits before sending again, the SDK or the application.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RetryBy {
    /// The SDK repeats a whole request.
    Sdk,
    /// The application re-sends refused entries.
    Application,
    /// The Kinesis Producer Library re-sends user records (KDS-KPL-25).
    Library,
}
