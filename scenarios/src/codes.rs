//! The diagnostic codes: one row each, from which `explain` and the reference are made.

use crate::diagnostic::Severity;
use core::fmt;

/// What is known of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeRow {
    /// The code.
    pub code: Code,
    /// As it is printed: `E` for an error, `W` for a warning, and four digits.
    pub number: &'static str,
    /// What it says, in a few words.
    pub title: &'static str,
    /// Why it is an error, and what to do.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($code:ident $number:literal $title:literal $explanation:literal)*) => {
        /// What a diagnostic is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }
        /// All codes, in order of their numbers.
        pub const CODES: &[CodeRow] = &[
            $(CodeRow { code: Code::$code, number: $number, title: $title, explanation: $explanation },)*
        ];
        impl Code {
            /// What is known of it.
            pub const fn row(self) -> &'static CodeRow {
                &CODES[self as usize]
            }
        }
    };
}

codes! {
    Syntax "E0101" "the text is not TOML"
        "A scenario is a TOML 1.1 document. All syntax errors are reported together with what the rest of the file \
         holds. The most frequent one is a value such as 10min or 2400/s without quotes."
    DuplicateKey "E0102" "a name is given twice"
        "A property may stand once in a table, and a component name once among the components of its kind. Names of \
         different kinds may be equal: `stream.clicks` and `sink.clicks` are two components."
    UnknownProperty "E0103" "there is no such property"
        "The table has no property of this name. Properties of AWS keep their CloudFormation spelling (ShardCount), the \
         simulator's own are written in snake_case (call_window)."
    NotModelled "E0104" "AWS has this, the model does not yet"
        "The property or value exists at AWS, but the model would ignore it, and a result that silently ignores a \
         setting misleads. Leave it out, knowing that the result does not contain its effect."
    MissingProperty "E0105" "a property is missing"
        "The property has no default because no choice would be right for most scenarios, or because AWS demands it too."
    WrongType "E0106" "the value has the wrong type"
        "Properties of AWS are plain integers whose unit stands in their name. The simulator's own quantities are strings \
         with a unit, for example \"50ms\", \"600B\" or \"2400/s\"."
    InvalidName "E0107" "the name is not allowed"
        "Component names consist of lower-case letters, digits and hyphens, up to 128 of them, so that they can stand in \
         file names, random stream names and --set paths alike."
    ControlCharacter "E0108" "a text contains control characters"
        "Titles, names and paths end up on terminals and in file names; characters that move the cursor or turn the \
         direction of writing have no place there."
    UnknownFormat "E0109" "the file format's version is unknown"
        "`format` states the version of the scenario language. This program reads version 1."

    InvalidDuration "E0201" "the text is not a duration"
        "A duration is one or more numbers with a unit: ns, us, ms, s, min, h or d. Examples: \"50ms\", \"1h 30min\", \
         \"0.5s\"."
    InvalidSize "E0202" "the text is not a size"
        "A size is a number with a unit: B, KB, MB, GB (powers of 1,000) or KiB, MiB, GiB (powers of 1,024). \
         Example: \"600B\"."
    InvalidRate "E0203" "the text is not a rate"
        "A rate is a number, a slash and a time: \"2400/s\", \"90/min\", \"1/5min\"."
    InvalidDistribution "E0204" "the parameters do not make a distribution"
        "The form is known but its numbers contradict each other or leave the range in which the distribution exists, \
         for example a p99 below the p50."
    OutOfRange "E0205" "the value is outside the range"
        "Limits of AWS are given with the fact behind them; the others are bounds within which the model means something."
    UnknownWord "E0206" "the word is none of those allowed here"
        "The property takes one of a few words. Words of AWS keep AWS's spelling."
    ZeroDuration "E0207" "a duration of zero makes no sense here"
        "The run itself, periods and outages need a length."
    InvalidList "E0208" "the list does not make sense as a whole"
        "For example an empty list, points in time that do not increase, a share above one."
    WrongProfile "E0209" "the property does not exist in this profile"
        "The profile `exam` holds the long-standing behaviour that exam material repeats; what AWS introduced later exists \
         only in `current`."
    InvalidHashKey "E0210" "the text is not an explicit hash key"
        "ExplicitHashKey is a decimal number between 0 and 2^128 - 1 without leading zeros, written as a string \
         (KDS-REC-10)."

    InvalidFilterPolicy "E0211" "the text is not a filter policy"
        "FilterPolicy is an object in JSON: each name has a list of values and conditions, one of which must be met \
         (SQS-S-12, SQS-S-15)."

    UnknownComponent "E0301" "the name refers to nothing"
        "References name a component of the scenario by kind and name, for example \"stream.clicks\", where AWS has an ARN."
    WrongComponent "E0302" "the reference is of the wrong kind"
        "A mapping reads a stream and invokes a function, a function writes to a sink, a producer writes to a stream, \
         a queue or a topic."
    Contradiction "E0303" "two properties contradict each other"
        "Each value is allowed by itself, but not together, or one of them is useless without another."
    RecordTooLarge "E0304" "records are larger than the stream accepts"
        "The size of a record is its data plus its partition key in UTF-8 (KDS-REC-05). The service refuses a whole call \
         that contains a record above the stream's MaxRecordSizeInKiB (KDS-MOD-16), so the scenario could not work."
    ConcurrencyExceeded "E0305" "more concurrency is reserved than the account has"
        "Reserved concurrency is taken out of the account's quota, and 100 must always stay unreserved (LAM-C-06, LAM-C-07)."
    MemoryExceeded "E0306" "the scenario needs more memory than allowed"
        "What a stream must keep until its retention ends, or a population of keys, certainly exceeds --memory. Shorten \
         the run or the retention, lower the rate, or allow more memory."

    UnknownMetric "E0401" "there is no such metric"
        "Metrics carry CloudWatch's names, and the simulator's own metrics are listed beside them."
    WrongMetric "E0402" "the metric does not exist there in that form"
        "A metric belongs to certain kinds of components and has certain statistics: the sum of a gauge or a percentile of \
         a counter says nothing."
    InvalidBounds "E0403" "the bounds do not make an expectation"
        "An expectation has one bound, or a lower and an upper one: above or at_least, below or at_most, or equals alone."
    InvalidPeriod "E0404" "the period lies outside the run"
        "`from` and `until` are times since the start; `from` lies before `until`, and both lie within the duration."
    InvalidGuarantee "E0405" "the block does not state one promise"
        "A guarantee states exactly one of order = \"per-key\", no_duplicates = true, no_loss = true."
    InvalidIntervention "E0406" "the block does not state one change"
        "An intervention has a time and exactly one change."

    TraceUnreadable "E0501" "the trace file cannot be read"
        "Paths are relative to the scenario; those that begin with data: are looked for in the folder that SHARDLAB_DATA \
         names, or else beside the project."
    TraceRow "E0502" "a row of the trace is malformed"
        "A trace is a CSV file with a header line; every row has as many fields as the header."
    TraceColumn "E0503" "the trace has no such column"
        "Columns are named as in the header line of the file."
    TraceTime "E0504" "a timestamp of the trace cannot be read"
        "Timestamps are `YYYY-MM-DD HH:MM:SS` with up to nine decimals, RFC 3339, or seconds as a number."
    TraceOrder "E0505" "the timestamps of the trace are not sorted"
        "Rows must not go back in time; rows that count requests per bin must move forward."
    TraceNumber "E0506" "a number of the trace makes no sense"
        "Counts are whole and not negative (94.0 is whole); sizes are not negative and not above a record's largest size."
    TraceKey "E0507" "a partition key of the trace is not allowed"
        "A partition key has 1 to 256 characters (KDS-REC-02)."
    TraceEmpty "E0508" "the trace holds no rows"
        "A replay needs at least one request."

    SetPath "E0601" "the path of --set leads nowhere"
        "--set takes the path of a property from the top of the file, for example producer.web.linger. It changes \
         components that exist; it creates none."
    SetValue "E0602" "the value of --set cannot be read"
        "The value is written as in a scenario. Quotes around a single word may be left out."

    ExpectationViolated "E0901" "an expectation does not hold"
        "The run came out differently from what the scenario states. The label shows the bound and the measured value."
    GuaranteeViolated "E0902" "a guarantee did not turn out as stated"
        "The checker found a violation of a promise that should hold, or none where a violation was expected."

    Unused "W0001" "a component has nothing to do"
        "Nobody writes to it, reads it or invokes it."
    NeverHappens "W0002" "this happens after the end of the run"
        "The run ends before the time given."
    NoEffect "W0003" "the property has no effect here"
        "Another property of the same table decides that this one is never looked at."
    NothingHappens "W0004" "the scenario has no producer"
        "Without a producer no record is ever created."
}

impl Code {
    /// Error or warning.
    pub fn severity(self) -> Severity {
        if self.row().number.starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_belong_to_their_codes() {
        for (row, next) in CODES.iter().zip(&CODES[1..]) {
            assert!(row.number < next.number, "{} before {}", row.number, next.number);
        }
        for row in CODES {
            assert_eq!(row.code.row(), row);
            assert!(
                !row.title.ends_with('.') && row.explanation.ends_with('.'),
                "{}",
                row.number
            );
        }
    }
}
