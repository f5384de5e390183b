//! The service models. No service knows another: they exchange AWS calls as timed messages.

pub mod kinesis;
pub mod lambda;
pub mod mapping;
pub mod network;
pub mod producer;
pub mod sink;
