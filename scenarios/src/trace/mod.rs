//! Recorded workloads: from CSV files to a [`Trace`].

mod file;
mod timestamp;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::fields::Fields;
use crate::scalar::grouped;
use crate::source::{Place, quoted, visible};
use file::{Columns, File, Rows};
use sim::blueprint::{CountSeries, Spread, Trace, TraceRows};
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;

/// Gives the loader the contents of trace files; the loader itself touches no file.
pub trait TraceReader {
    /// The contents of a file, by its path as the scenario writes it, relative to the scenario; paths that begin with
    /// `data:` are the reader's to resolve. The error says in words why it could not be read, and where it was sought.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    /// The same for a path that was given with `--set`, relative to the working directory.
    fn read_from_command_line(&self, path: &str) -> Result<Vec<u8>, String> {
        self.read(path)
    }
}

/// A reader for scenarios without traces.
#[derive(Clone, Copy, Debug)]
pub struct NoTraces;
impl TraceReader for NoTraces {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Err("trace files are not available here".to_owned())
    }
}

/// A file of a trace and the key of all its requests, if it has one.
struct Source<'f> {
    path: &'f str,
    place: Place,
    key: Option<&'f str>,
}

/// Keys in the order in which they first occur.
#[derive(Default)]
struct Keys {
    texts: Vec<String>,
    numbers: std::collections::BTreeMap<String, u32>,
}

impl Keys {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

/// Reads the files that a trace's table names. Faults are filed, and then there is no trace.
pub(crate) fn load(fields: &Fields, reader: &dyn TraceReader, diagnostics: &mut Diagnostics) -> Option<Trace> {
    let sources = sources(fields, diagnostics)?;
    let columns = columns(fields, diagnostics)?;
    let mut keys = Keys::default();
    let mut files = Vec::new();
    for source in &sources {
        let read = if source.place.is_set() {
            reader.read_from_command_line(source.path)
        } else {
            reader.read(source.path)
        };
        match read {
            Ok(bytes) => files.extend(file::read(source, &bytes, &columns, &mut keys, diagnostics)),
            Err(why) => {
                let title = format!("the trace `{}` cannot be read", quoted(source.path));
                let fault = Diagnostic::at(Code::TraceUnreadable, source.place, title, visible(&why));
                diagnostics.push(source.place, fault);
            }
        }
    }
    if files.len() < sources.len() {
        return None;
    }
    let start = files.iter().filter_map(|file| file.times.first()).min().copied()?;
    for (file, source) in files.iter().zip(&sources) {
        if file.times.last().is_some_and(|last| last - start > file::LONGEST) {
            let title = format!(
                "the trace `{}` ends more than ten years after the first begins",
                quoted(source.path)
            );
            let fault = Diagnostic::at(Code::TraceTime, source.place, title, "");
            diagnostics.push(source.place, fault);
            return None;
        }
    }
    let (rows, span) = if columns.count.is_some() {
        counts(&files, start, fields)
    } else {
        requests(&files, start)
    };
    Some(Trace {
        source: names(&sources),
        rows,
        keys: keys.texts,
        span: SimDuration::from_nanos(span),
        compression: fields.ratio("compression"),
        repeat: fields.flag("repeat"),
    })
}

fn sources<'f>(fields: &'f Fields, diagnostics: &mut Diagnostics) -> Option<Vec<Source<'f>>> {
    let mut fault = |code, place: Place, title: &str, help: &str| {
        let fault = Diagnostic::at(code, place, title, "").help(help);
        diagnostics.push(place, fault);
        None
    };
    if fields.is_given("path") && fields.is_given("series") {
        let place = fields.place_of("series");
        let help = "name every file in `series`";
        return fault(
            Code::Contradiction,
            place,
            "a trace has either `path` or `series`",
            help,
        );
    }
    let mut sources: Vec<Source<'_>> = Vec::new();
    if let Some(path) = fields.text("path") {
        let place = fields.place_of("path");
        sources.push(Source { path, place, key: None });
    }
    for series in fields.tables("series") {
        sources.push(Source {
            path: series.text("path")?,
            place: series.place_of("path"),
            key: series.text("key"),
        });
        if series.text("key").is_some_and(|key| key.chars().count() > 256) {
            let place = series.place_of("key");
            return fault(
                Code::TraceKey,
                place,
                "a partition key has at most 256 characters (KDS-REC-02)",
                "shorten it",
            );
        }
        if series.is_given("key") && fields.is_given("key") {
            let help = "leave one of them out";
            return fault(
                Code::Contradiction,
                series.place_of("key"),
                "keys come from a column or from `series`",
                help,
            );
        }
    }
    let keyed = sources.iter().filter(|source| source.key.is_some()).count();
    if keyed > 0 && keyed < sources.len() {
        let place = fields.place_of("series");
        let help = "give every series a `key`, or none";
        return fault(
            Code::Contradiction,
            place,
            "some series have a key and some have none",
            help,
        );
    }
    if sources.is_empty() && !fields.is_given("path") && !fields.is_given("series") {
        let place = fields.place;
        return fault(
            Code::MissingProperty,
            place,
            "a trace needs `path` or `series`",
            "add `path = \"..\"`",
        );
    }
    (!sources.is_empty()).then_some(sources)
}

fn columns<'f>(fields: &'f Fields, diagnostics: &mut Diagnostics) -> Option<Columns<'f>> {
    let column = |name| fields.text(name).map(|text| (text, fields.place_of(name)));
    let size = fields.table("size");
    let count = column("count");
    for name in ["key", "size"] {
        if count.is_some() && fields.is_given(name) {
            let place = fields.place_of(name);
            let title = format!("a trace of counts has no column for `{name}`");
            let help = match name {
                "key" => "give each key a file of its own under `series`",
                _ => "give the producer a `size` of its own",
            };
            diagnostics.push(place, Diagnostic::at(Code::Contradiction, place, title, "").help(help));
            return None;
        }
    }
    for name in ["bin", "spread"] {
        if count.is_none() && fields.is_given(name) {
            let place = fields.place_of(name);
            let title = format!("`{name}` has no effect without `count`");
            let fault = Diagnostic::at(Code::NoEffect, place, title, "rows are single requests here");
            diagnostics.push(place, fault);
        }
    }
    Some(Columns {
        time: column("time")?,
        key: column("key"),
        size: match size {
            None => None,
            Some(size) => Some((
                size.text("column")?,
                size.place_of("column"),
                size.ratio("bytes_per_unit"),
            )),
        },
        count,
    })
}

/// How long a recording of one instant lasts: a second.
const LONE_ROW: u64 = 1_000_000_000;

/// Nanoseconds from the start; the file's reader has made sure that they fit.
fn since(start: i128, time: i128) -> u64 {
    u64::try_from(time - start).unwrap_or(0)
}

/// Requests of all files in order of time; at the same time, in order of the files.
fn requests(files: &[File], start: i128) -> (TraceRows, u64) {
    let mut order: Vec<(i128, usize, usize)> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        order.extend(file.times.iter().enumerate().map(|(row, &time)| (time, number, row)));
    }
    order.sort_unstable();
    let column = |of: fn(&Rows) -> &Vec<u32>| -> Vec<u32> {
        let pick = |&(_, file, row): &(i128, usize, usize)| of(&files[file].rows).get(row).copied();
        order.iter().filter_map(pick).collect()
    };
    let at: Vec<u64> = order.iter().map(|&(time, _, _)| since(start, time)).collect();
    let last = at.last().copied().unwrap_or(0);
    // The recording ends a usual distance after its last row, so that a replay does not run it into the first.
    let distances = u64::try_from(at.len().saturating_sub(1)).unwrap_or(0);
    let usual = last
        .checked_div(distances)
        .filter(|&usual| usual > 0)
        .unwrap_or(LONE_ROW);
    let rows = TraceRows::Requests {
        key: column(|rows| &rows.keys),
        bytes: column(|rows| &rows.bytes),
        at,
    };
    (rows, last.saturating_add(usual))
}

fn counts(files: &[File], start: i128, fields: &Fields) -> (TraceRows, u64) {
    let stated = fields.maybe_duration("bin").map(SimDuration::as_nanos);
    let mut end = 0;
    let mut all = Vec::new();
    for file in files {
        let at: Vec<u64> = file.times.iter().map(|&time| since(start, time)).collect();
        let usual = stated.unwrap_or_else(|| usual_distance(&at));
        let bins: Vec<(u64, u64, u32)> = at
            .iter()
            .zip(&file.rows.counts)
            .enumerate()
            .map(|(row, (&from, &count))| {
                let until_next = at.get(row + 1).map_or(usual, |next| next - from);
                (from, usual.min(until_next), count)
            })
            .collect();
        end = bins.last().map_or(end, |&(from, length, _)| end.max(from + length));
        all.push(CountSeries {
            key: file.rows.keys.first().copied(),
            bins,
        });
    }
    let spread = match fields.word("spread") {
        "uniform" => Spread::Uniform,
        "start" => Spread::Start,
        _ => Spread::Even,
    };
    (TraceRows::Counts { series: all, spread }, end)
}

/// The median distance of rows: what a bin lasts when nobody says.
fn usual_distance(at: &[u64]) -> u64 {
    let mut distances: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or(LONE_ROW)
}

/// Up to two files by name, more by the first and their number.
fn names(sources: &[Source<'_>]) -> String {
    match sources {
        [] => String::new(),
        [only] => visible(only.path),
        [one, other] => visible(&format!("{} and {}", one.path, other.path)),
        [first, rest @ ..] => visible(&format!("{} and {} more", first.path, rest.len())),
    }
}

/// Requests that a trace holds.
pub(crate) fn total(trace: &Trace) -> u64 {
    match &trace.rows {
        TraceRows::Requests { at, .. } => u64::try_from(at.len()).unwrap_or(u64::MAX),
        TraceRows::Counts { series, .. } => series
            .iter()
            .flat_map(|series| &series.bins)
            .map(|&(_, _, count)| u64::from(count))
            .sum(),
    }
}

/// Recorded time as the run sees it.
pub(crate) fn replayed_span(trace: &Trace) -> SimDuration {
    let nanos = u128::from(trace.span.as_nanos()) * u128::from(trace.compression.denominator);
    let nanos = nanos / u128::from(trace.compression.numerator.max(1));
    SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What a summary says of a replay.
pub(crate) fn notes(producer: &str, trace: &Trace, duration: SimDuration) -> Vec<String> {
    let speed = if trace.compression == Ratio::ONE {
        "in real time".to_owned()
    } else {
        format!(
            "{} times as fast, in {}",
            trace.compression.as_f64(),
            replayed_span(trace)
        )
    };
    let total = grouped(total(trace));
    let mut notes = vec![format!(
        "producer.{producer} replays {total} requests, recorded over {}, {speed}, from {}",
        trace.span, trace.source
    )];
    let span = replayed_span(trace);
    if span > duration {
        notes.push(format!(
            "the run of {duration} ends before the recording of producer.{producer}, which takes {span}"
        ));
    } else if trace.repeat {
        notes.push(format!("producer.{producer} starts its recording again every {span}"));
    }
    notes
}
