//! What a delivery from a topic to a queue carries.

use crate::batch::ServiceError;
use crate::ids::{ProducerId, SubscriptionId, TopicId};

/// A send to a queue by a topic, and its response. [`Batch::positions`](crate::batch::Batch::positions) holds two numbers
/// for each message, in nanoseconds: when the topic took it, and when it was first tried to deliver it.
#[derive(Clone, Copy, Debug)]
pub struct NotificationCall {
    /// Who sends.
    pub topic: TopicId,
    /// For which subscription.
    pub subscription: SubscriptionId,
    /// Who published the messages.
    pub producer: ProducerId,
    /// Of a FIFO topic: the message group, whose next messages wait for the response.
    pub group: Option<u32>,
    /// It goes to the subscription's dead-letter queue.
    pub redriven: bool,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// In a response: the error of the whole call.
    pub error: Option<ServiceError>,
}
