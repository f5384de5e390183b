//! The terminal: colour, width, what may be shown of a name, and the progress line.

use crate::cli::ColourChoice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim::engine::time::{SimDuration, SimTime};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// What may be shown of a name or path.
pub(crate) use scenarios::source::visible;

/// Runs shorter than this show no progress.
const PATIENCE: Duration = Duration::from_millis(700);
/// Least time between two redraws.
const REDRAW: Duration = Duration::from_millis(100);

/// How to write to the two output streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Colour on standard output.
    pub(crate) colour_out: bool,
    /// Colour on standard error.
    pub(crate) colour_err: bool,
    /// Columns to fill on standard output.
    pub(crate) width_out: usize,
    /// Columns to fill on standard error.
    pub(crate) width_err: usize,
    /// Whether a progress line may be drawn.
    pub(crate) progress: bool,
}

/// Columns where nobody tells how many there are.
const WIDTH: usize = 80;
/// Characters of a scenario's name in the progress line.
const PREFIX: usize = 20;

impl Terminal {
    /// Looks at the environment once.
    pub(crate) fn detect(choice: ColourChoice) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let colour = |terminal: bool| match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto => terminal && !plain,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let columns = |size: Option<(terminal_size::Width, terminal_size::Height)>| {
            size.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(50, 110))
        };
        Self {
            colour_out: colour(out),
            colour_err: colour(err),
            width_out: columns(terminal_size::terminal_size_of(io::stdout())),
            width_err: columns(terminal_size::terminal_size_of(io::stderr())),
            progress: err,
        }
    }
}

/// Writes to standard output. A reader that went away (`shardlab run ... | head`) is no error: the rest is dropped.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    forgive(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes to standard error, under the same rule.
pub(crate) fn print_error(text: &str) -> io::Result<()> {
    let mut err = io::stderr().lock();
    forgive(err.write_all(text.as_bytes()).and_then(|()| err.flush()))
}

fn forgive(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The progress of one run. Draws nothing unless standard error is a terminal and the run takes a while.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// A run of `duration` begins.
    pub(crate) fn begin(terminal: &Terminal, quiet: bool, name: &str, duration: SimDuration) -> Self {
        let bar = (terminal.progress && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(Some(duration.as_millis().max(1)), ProgressDrawTarget::hidden());
            let template = "{prefix} {wide_bar} {percent:>3} %  {msg}, {eta} left";
            // The template is fixed text; a default bar would do as well if it could not be read.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(visible(name).chars().take(PREFIX).collect::<String>());
            bar
        });
        Self {
            bar,
            began: Instant::now(),
            drawn: None,
        }
    }
    /// Simulated time has come to `now`; `records` have been produced.
    pub(crate) fn at(&mut self, now: SimTime, records: u64) {
        let Some(bar) = &self.bar else { return };
        let elapsed = self.began.elapsed();
        if elapsed < PATIENCE || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW) {
            return;
        }
        bar.set_position(now.as_millis());
        let rate = records as f64 / elapsed.as_secs_f64();
        bar.set_message(format!(
            "{} simulated, {} records, {}/s",
            now.since(SimTime::ZERO),
            reports::text::count(records),
            reports::text::count(rate as u64)
        ));
        if self.drawn.replace(Instant::now()).is_none() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.tick();
    }
    /// The run is over: removes the line.
    pub(crate) fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
