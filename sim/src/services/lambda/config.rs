//! From a function's blueprint to its parts.

use super::cold_start::init_duration;
use super::environment::Environments;
use super::poison::PoisonRecords;
use crate::batch::WindowEvent;
use crate::blueprint::{FunctionBlueprint, ModelParameters, WindowState};
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
    /// Most time for the handler, its write to the sink included (LAM-C-26, LAM-R-05).
    pub(super) timeout: SimDuration,
    /// Probability of a function error.
    pub(super) failure_rate: Ratio,
    /// Decides about function errors.
    pub(super) failure: Stream,
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
}

impl Handler {
    /// Bytes of the state that it returns after an event of so many records in a window (LAM-W-03, LAM-W-13).
    pub(super) fn state_after(&self, window: Option<WindowEvent>, records: u32) -> Option<u64> {
        let (window, state) = (window?, self.window_state?);
        let before = if window.state == 0 { state.fixed } else { window.state };
        Some(before + state.per_record * u64::from(records))
    }
    /// Draws a run. Every run draws the same number of words, whatever comes of it.
    #[inline]
    pub(super) fn run(&mut self, records: u32) -> Run {
        let of_records = self.per_record.saturating_mul(u64::from(records));
        Run {
            duration: self.per_batch.draw().saturating_add(of_records).max(SimDuration::MIN),
            fails: self.failure.chance(self.failure_rate),
        }
    }
}

/// The parts of a function that its blueprint decides.
pub(super) struct Parts {
    pub(super) link: Link,
    pub(super) handler: Handler,
    pub(super) environments: Environments,
}

/// Makes the function's random streams, in this order: network, duration, failure, placement, init, idle-lifetime,
/// environment-lifetime.
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
    Ok(Parts {
        link,
        handler: Handler {
            per_batch,
            per_record: blueprint.per_record,
            timeout: blueprint.timeout,
            failure_rate: blueprint.failure_rate,
            failure,
            fails_after_write: blueprint.fails_after_write,
            poison,
            window_state: blueprint.window_state,
        },
        environments: Environments::new(placement, init, idle_lifetime, lifetime),
    })
}
