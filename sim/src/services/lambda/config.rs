//! From a function's blueprint to its parts.

use super::asynchronous::EventQueue;
use super::cold_start::init_duration;
use super::destination::Destination;
use super::environment::Environments;
use super::poison::PoisonRecords;
use super::quotas::MEMORY_OF_A_PROCESSOR;
use crate::batch::WindowEvent;
use crate::blueprint::{DestinationBlueprint, FunctionBlueprint, ModelParameters, ProcessorShare, WindowState};
use crate::engine::deadlines::Deadlines;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream};
use crate::engine::time::SimDuration;
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;

/// What a function's code does with a batch.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    /// Its time for a batch of no records.
    pub(super) per_batch: RandomSpan,
    /// Further time for each record.
    pub(super) per_record: SimDuration,
    /// Further time of the first run in an environment (LAM-R-17).
    pub(super) first_run: SimDuration,
    /// By this factor all of these are longer, for want of memory (LAM-C-28).
    pub(super) slowdown: Ratio,
    /// Most time for the handler, its write to the sink included (LAM-C-26, LAM-R-05).
    pub(super) timeout: SimDuration,
    /// Probability of a function error.
    pub(super) failure_rate: Ratio,
    /// Decides about function errors.
    pub(super) failure: Stream,
    /// Decides which function errors end the process, and how many do.
    pub(super) crash: Option<(Ratio, Stream)>,
    /// A failing handler writes to the sink before it throws.
    pub(super) fails_after_write: bool,
    /// Records that it can never process; `None`: there are none.
    pub(super) poison: Option<PoisonRecords>,
    /// The state that it returns within a tumbling window.
    pub(super) window_state: Option<WindowState>,
}

/// One run of a handler, as it will go if nothing stops it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The handler's own time; at least a nanosecond.
    pub(super) duration: SimDuration,
    /// It ends in a function error.
    pub(super) fails: bool,
    /// And takes the process with it.
    pub(super) crashes: bool,
}

impl Handler {
    /// Bytes of the state that it returns after an event of so many records in a window (LAM-W-03, LAM-W-13).
    pub(super) fn state_after(&self, window: Option<WindowEvent>, records: u32) -> Option<u64> {
        let (window, state) = (window?, self.window_state?);
        let before = if window.state == 0 { state.fixed } else { window.state };
        Some(before + state.per_record * u64::from(records))
    }
    /// Draws a run, the first in its environment or not. Every run draws the same number of words, whatever comes of it.
    #[inline]
    pub(super) fn run(&mut self, records: u32, first: bool) -> Run {
        let of_records = self.per_record.saturating_mul(u64::from(records));
        let mut duration = self.per_batch.draw().saturating_add(of_records);
        if first {
            duration = duration.saturating_add(self.first_run);
        }
        if self.slowdown != Ratio::ONE {
            duration = scaled(duration, self.slowdown);
        }
        let fails = self.failure.chance(self.failure_rate);
        let crash = self.crash.as_mut().is_some_and(|(share, stream)| stream.chance(*share));
        Run {
            duration: duration.max(SimDuration::MIN),
            fails,
            crashes: fails && crash,
        }
    }
    /// Draws so far, for the fingerprint.
    pub(super) fn draws(&self) -> impl Iterator<Item = u64> {
        let crash = self.crash.as_ref().map(|(_, stream)| stream.draws());
        [self.per_batch.draws(), self.failure.draws()].into_iter().chain(crash)
    }
}

fn scaled(span: SimDuration, by: Ratio) -> SimDuration {
    let nanos = u128::from(span.as_nanos()) * u128::from(by.numerator) / u128::from(by.denominator);
    SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How much longer a handler takes than where it was measured. Processor time is in proportion to memory, and a single
/// thread uses one processor at most (LAM-C-28).
pub(super) fn slowdown(share: ProcessorShare, memory_size: u32) -> Ratio {
    let processor = |memory: u32| u64::from(memory.clamp(1, MEMORY_OF_A_PROCESSOR));
    let (measured, here) = (processor(share.measured_at), processor(memory_size));
    let bound = share.bound;
    if bound.is_zero() || measured == here {
        return Ratio::ONE;
    }
    // (1 - bound) + bound * measured / here
    let waiting = bound.denominator.saturating_sub(bound.numerator);
    Ratio::new(
        waiting
            .saturating_mul(here)
            .saturating_add(bound.numerator.saturating_mul(measured)),
        bound.denominator.saturating_mul(here),
    )
}

/// The parts of a function that its blueprint decides.
pub(super) struct Parts {
    pub(super) link: Link,
    pub(super) handler: Handler,
    pub(super) environments: Environments,
    pub(super) queue: EventQueue,
    pub(super) duplicates: Option<(Ratio, Stream)>,
}

/// Makes the function's random streams, in this order: network, duration, failure, placement, init, idle-lifetime,
/// environment-lifetime; and where they are used crash, duplicate, dead-letter, on-failure, on-success.
pub(super) fn parts(
    blueprint: &FunctionBlueprint,
    model: &ModelParameters,
    streams: &mut RandomStreams,
) -> Result<Parts, ServiceBuildError> {
    let component = format!("function.{}", blueprint.name);
    let unusable = |purpose| {
        let component = component.clone();
        move |error| ServiceBuildError::Distribution {
            component,
            purpose,
            error,
        }
    };
    let link = Link::new(&component, model, streams)?;
    let per_batch = RandomSpan::new(&component, "duration", &blueprint.per_batch, streams)?;
    let failure = streams.stream(&format!("{component}/failure"))?;
    let poison = if blueprint.poison.is_none() {
        None
    } else {
        let salt = streams.stream(&format!("{component}/poison"))?.word();
        Some(PoisonRecords::new(&blueprint.poison, salt))
    };
    let placement = RandomSpan::new(&component, "placement", &model.placement_time, streams)?;
    let init = init_duration(&blueprint.cold_start).map_err(unusable("init"))?;
    let init = RandomSpan::new(&component, "init", &init, streams)?;
    let idle_lifetime = RandomSpan::new(&component, "idle-lifetime", &model.idle_lifetime, streams)?;
    let lifetime = RandomSpan::new(&component, "environment-lifetime", &model.environment_lifetime, streams)?;
    let crash = maybe(&component, "crash", blueprint.crash_share, streams)?;
    let duplicates = maybe(&component, "duplicate", model.async_duplicate_rate, streams)?;
    Ok(Parts {
        link,
        queue: queue(&component, blueprint, model, streams)?,
        duplicates,
        handler: Handler {
            per_batch,
            per_record: blueprint.per_record,
            first_run: blueprint.first_run,
            slowdown: slowdown(blueprint.processor, blueprint.memory_size),
            timeout: blueprint.timeout,
            failure_rate: blueprint.failure_rate,
            failure,
            crash,
            fails_after_write: blueprint.fails_after_write,
            poison,
            window_state: blueprint.window_state,
        },
        environments: Environments::new(placement, init, idle_lifetime, lifetime),
    })
}

/// A random stream for something that happens with this probability, unless it never does.
fn maybe(
    component: &str,
    purpose: &str,
    probability: Ratio,
    streams: &mut RandomStreams,
) -> Result<Option<(Ratio, Stream)>, ServiceBuildError> {
    if probability.is_zero() {
        return Ok(None);
    }
    Ok(Some((probability, streams.stream(&format!("{component}/{purpose}"))?)))
}

fn queue(
    component: &str,
    blueprint: &FunctionBlueprint,
    model: &ModelParameters,
    streams: &mut RandomStreams,
) -> Result<EventQueue, ServiceBuildError> {
    let asynchronous = blueprint.asynchronous;
    let mut destination = |blueprint: Option<DestinationBlueprint>, purpose| {
        let found = blueprint.map(|blueprint| {
            let stream = streams.stream(&format!("{component}/{purpose}"))?;
            Ok::<_, ServiceBuildError>(Destination::new(blueprint, stream))
        });
        found.transpose()
    };
    Ok(EventQueue {
        waiting: Deadlines::new(),
        running: 0,
        maximum_retries: asynchronous.maximum_retry_attempts,
        maximum_age: asynchronous.maximum_event_age,
        throttle_backoff: model.async_throttle_backoff,
        throttle_backoff_max: model.async_throttle_backoff_max,
        dead_letter: destination(asynchronous.dead_letter, "dead-letter")?,
        on_failure: destination(asynchronous.on_failure, "on-failure")?,
        on_success: destination(asynchronous.on_success, "on-success")?,
    })
}
