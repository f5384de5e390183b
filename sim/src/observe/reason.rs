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
