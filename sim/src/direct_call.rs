//! What a direct call of a function carries.

use crate::batch::InvocationOutcome;
use crate::blueprint::InvocationType;
use crate::engine::time::SimTime;
use crate::ids::{FunctionId, InvokerId};

/// An `Invoke` by a direct caller, and its response. It carries an event that stands for no record of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DirectCall {
    /// Who invokes.
    pub invoker: InvokerId,
    /// What.
    pub function: FunctionId,
    /// How.
    pub invocation_type: InvocationType,
    /// Size of the event.
    pub bytes: u32,
    /// When it was sent.
    pub sent_at: SimTime,
    /// In a response.
    pub answer: Option<DirectAnswer>,
}

/// The response to a direct call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DirectAnswer {
    /// 202: the event is in Lambda's queue (LAM-A-01).
    Queued,
    /// 200 with the outcome of the invocation, or 429.
    Ended(InvocationOutcome),
}
