//! One CSV file of a trace.

use super::{Keys, Source, timestamp};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, listed, nearest};
use crate::source::{Place, quoted};
use csv::{ReaderBuilder, StringRecord, Trim};
use sim::engine::quantity::Ratio;

/// So many faults of a file are reported; where there is one, there are often thousands.
const MOST_FAULTS: usize = 5;
/// No recording is longer: ten years.
pub(super) const LONGEST: i128 = 10 * 366 * 86_400 * 1_000_000_000;
/// The largest data blob of any profile (KDS-REC-03).
const LARGEST: u64 = 10 << 20;

/// The columns that a scenario names, each with its place there.
pub(super) struct Columns<'f> {
    pub(super) time: (&'f str, Place),
    pub(super) key: Option<(&'f str, Place)>,
    pub(super) size: Option<(&'f str, Place, Ratio)>,
    pub(super) count: Option<(&'f str, Place)>,
}

/// A file's rows. Nothing is missing from it.
pub(super) struct File {
    /// Nanoseconds since 1970.
    pub(super) times: Vec<i128>,
    pub(super) rows: Rows,
}

/// The other columns; empty where the scenario names none.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) keys: Vec<u32>,
    pub(super) bytes: Vec<u32>,
    pub(super) counts: Vec<u32>,
}

/// Positions of the columns in the header.
struct Positions {
    time: usize,
    key: Option<usize>,
    size: Option<(usize, Ratio)>,
    count: Option<usize>,
}

/// What is wrong with a row.
struct RowFault {
    code: Code,
    title: String,
    help: Option<&'static str>,
}

fn fault(code: Code, title: String) -> RowFault {
    RowFault {
        code,
        title,
        help: None,
    }
}

/// Reads a file; `None` when a fault was filed.
pub(super) fn read(
    source: &Source<'_>,
    bytes: &[u8],
    columns: &Columns<'_>,
    keys: &mut Keys,
    diagnostics: &mut Diagnostics,
) -> Option<File> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            diagnostics.push(source.place, row_diagnostic(source, 1, &row_error(&error), ""));
            return None;
        }
    };
    let positions = positions(source, &header, columns, diagnostics)?;
    let shared_key = source.key.map(|key| keys.number(key));
    let mut file = File {
        times: Vec::new(),
        rows: Rows::default(),
    };
    let mut record = StringRecord::new();
    let mut faults = 0;
    let mut newest = None;
    loop {
        let line = reader.position().line();
        let (line, result) = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                (line, file.push(&record, &positions, shared_key, keys, &mut newest))
            }
            Err(error) => (
                error.position().map_or(line, csv::Position::line),
                Err(row_error(&error)),
            ),
        };
        if let Err(what) = result {
            faults += 1;
            let quoted = record.iter().collect::<Vec<_>>().join(",");
            let mut diagnostic = row_diagnostic(source, line, &what, &quoted);
            if faults == MOST_FAULTS {
                diagnostic = diagnostic.note("the rest of the file has not been looked at");
            }
            diagnostics.push(source.place, diagnostic);
            if faults == MOST_FAULTS {
                break;
            }
        }
    }
    if faults == 0 && file.times.is_empty() {
        let title = format!("the trace `{}` holds no rows", quoted(source.path));
        let label = "a header line and at least one row are expected";
        diagnostics.push(
            source.place,
            Diagnostic::at(Code::TraceEmpty, source.place, title, label),
        );
        return None;
    }
    (faults == 0).then_some(file)
}

fn row_diagnostic(source: &Source<'_>, line: u64, what: &RowFault, row: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::in_trace(what.code, source.path, line, what.title.clone());
    if !row.is_empty() {
        diagnostic = diagnostic.note(format!("the row reads: {}", quoted(row)));
    }
    diagnostic.maybe_help(what.help)
}

fn row_error(error: &csv::Error) -> RowFault {
    fault(
        Code::TraceRow,
        match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!(
                    "the row has {len} field{}, the header has {expected_len}",
                    if *len == 1 { "" } else { "s" }
                )
            }
            csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8".to_owned(),
            _ => "the row is malformed".to_owned(),
        },
    )
}

fn positions(
    source: &Source<'_>,
    header: &StringRecord,
    columns: &Columns<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Positions> {
    let mut complete = true;
    let mut find = |name: &str, place: Place| {
        let position = header.iter().position(|column| column == name);
        if position.is_none() {
            complete = false;
            let title = format!("`{}` has no column `{}`", quoted(source.path), quoted(name));
            let mut fault = Diagnostic::at(Code::TraceColumn, place, title, "no such column");
            if let Some(near) = nearest(name, header.iter()) {
                fault = fault.help(format!("did you mean \"{}\"?", quoted(near)));
            } else {
                let names: Vec<String> = header.iter().take(20).map(quoted).collect();
                fault = fault.note(format!("it has {}", listed(names.iter().map(String::as_str), "and")));
            }
            diagnostics.push(place, fault);
        }
        position
    };
    let time = find(columns.time.0, columns.time.1);
    let key = columns.key.map(|(name, place)| find(name, place));
    let size = columns.size.map(|(name, place, ratio)| (find(name, place), ratio));
    let count = columns.count.map(|(name, place)| find(name, place));
    if !complete {
        return None;
    }
    Some(Positions {
        time: time?,
        key: key.flatten(),
        size: size.and_then(|(position, ratio)| Some((position?, ratio))),
        count: count.flatten(),
    })
}

impl File {
    fn push(
        &mut self,
        record: &StringRecord,
        positions: &Positions,
        shared_key: Option<u32>,
        keys: &mut Keys,
        newest: &mut Option<i128>,
    ) -> Result<(), RowFault> {
        let field = |position: usize| record.get(position).unwrap_or_default();
        let time = self.time(field(positions.time), positions.count.is_some(), newest)?;
        let key = match positions.key {
            Some(position) => Some(keys.number(key_text(field(position))?)),
            None => shared_key,
        };
        let bytes = match positions.size {
            Some((position, per_unit)) => Some(size(field(position), per_unit)?),
            None => None,
        };
        let count = positions.count.map(|position| count(field(position))).transpose()?;
        self.times.push(time);
        self.rows.keys.extend(key);
        self.rows.bytes.extend(bytes);
        self.rows.counts.extend(count);
        Ok(())
    }

    fn time(&self, text: &str, forward: bool, newest: &mut Option<i128>) -> Result<i128, RowFault> {
        let Some(time) = timestamp::parse(text) else {
            return Err(RowFault {
                code: Code::TraceTime,
                title: format!("`{}` is not a timestamp", quoted(text)),
                help: Some("write YYYY-MM-DD HH:MM:SS with up to nine decimals, RFC 3339, or seconds"),
            });
        };
        if let Some(before) = *newest {
            if time < before {
                return Err(fault(
                    Code::TraceOrder,
                    "the timestamp lies before that of the row above".to_owned(),
                ));
            }
            if time == before && forward {
                let title = "the timestamp is that of the row above, but bins must move forward".to_owned();
                return Err(fault(Code::TraceOrder, title));
            }
        }
        *newest = Some(time);
        if self.times.first().is_some_and(|first| time - first > LONGEST) {
            let title = "the timestamp lies more than ten years after the first".to_owned();
            return Err(fault(Code::TraceTime, title));
        }
        Ok(time)
    }
}

fn key_text(text: &str) -> Result<&str, RowFault> {
    let length = text.chars().count();
    if (1..=256).contains(&length) {
        return Ok(text);
    }
    let title = format!("the partition key has {length} characters, 1 to 256 are allowed (KDS-REC-02)");
    Err(fault(Code::TraceKey, title))
}

/// A count of requests: whole, however it is written.
fn count(text: &str) -> Result<u32, RowFault> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = decimals.bytes().all(|byte| byte == b'0');
    let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
    match whole.parse() {
        Ok(count) if is_whole && digits => Ok(count),
        _ => Err(fault(
            Code::TraceNumber,
            format!("`{}` is not a number of requests", quoted(text)),
        )),
    }
}

fn size(text: &str, per_unit: Ratio) -> Result<u32, RowFault> {
    let wrong = |what: String| fault(Code::TraceNumber, what);
    let ratio = crate::quantity::Decimal::parse(text)
        .and_then(crate::quantity::Decimal::ratio)
        .ok_or_else(|| wrong(format!("`{}` is not a size", quoted(text))))?;
    let numerator = u128::from(ratio.numerator) * u128::from(per_unit.numerator);
    let denominator = u128::from(ratio.denominator) * u128::from(per_unit.denominator);
    let bytes = numerator.saturating_add(denominator / 2) / denominator;
    match u32::try_from(bytes) {
        Ok(bytes) if u64::from(bytes) <= LARGEST => Ok(bytes),
        _ => Err(wrong(format!(
            "{bytes} bytes are more than any record may have (KDS-REC-03)"
        ))),
    }
}
