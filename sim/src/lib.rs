//! The deterministic discrete-event model of shardlab.
#![warn(clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod application_blueprint;
pub mod batch;
pub mod blueprint;
pub mod build;
pub mod command;
pub mod context;
pub mod direct_call;
pub mod directory;
pub mod engine;
pub mod function_blueprint;
pub mod ids;
pub mod invocation;
pub mod key;
pub mod mapping_blueprint;
pub mod model_parameters;
mod notification_call;
pub mod observe;
mod position_call;
pub mod producer_library;
pub mod profile;
pub mod queue_blueprint;
pub mod queue_call;
pub mod queue_mapping_blueprint;
pub mod queue_operation;
pub mod record;
pub mod services;
pub mod session;
pub mod sink_blueprint;
mod subscription_call;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod topic_blueprint;
mod trace_blueprint;
pub mod user_records;
pub mod workloads;
pub mod world;
