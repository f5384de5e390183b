//! What an event source mapping is set to.

use crate::text::{count, counted};
use sim::blueprint::{ErrorHandling, MappingBlueprint, StartingPosition};
use sim::engine::time::SimTime;

pub(super) fn mapping(mapping: &MappingBlueprint) -> String {
    let start = match mapping.starting_position {
        StartingPosition::TrimHorizon => "TRIM_HORIZON".to_owned(),
        StartingPosition::Latest => "LATEST".to_owned(),
        StartingPosition::AtTimestamp(at) => format!("AT_TIMESTAMP {at}"),
    };
    let mut settings = vec![format!("BatchSize {}", count(u64::from(mapping.batch_size)))];
    if !mapping.maximum_batching_window.is_zero() {
        settings.push(format!("batching window {}", mapping.maximum_batching_window));
    }
    if mapping.parallelization_factor > 1 {
        settings.push(format!("ParallelizationFactor {}", mapping.parallelization_factor));
    }
    settings.push(format!("from {start}"));
    if mapping.created_at > SimTime::ZERO {
        settings.push(format!("created at {}", mapping.created_at));
    }
    if let Some(filters) = &mapping.filters {
        settings.push(format!("{} of records", counted(filters.len() as u64, "filter")));
    }
    if !mapping.tumbling_window.is_zero() {
        settings.push(format!("tumbling windows of {}", mapping.tumbling_window));
    }
    settings.extend(error_handling(&mapping.errors));
    format!(
        "stream.{} to function.{}: {}",
        mapping.stream,
        mapping.function,
        settings.join(", ")
    )
}

fn error_handling(errors: &ErrorHandling) -> Vec<String> {
    let mut settings = Vec::new();
    if let Some(most) = errors.maximum_retry_attempts {
        settings.push(format!("MaximumRetryAttempts {}", count(u64::from(most))));
    }
    if let Some(age) = errors.maximum_record_age {
        settings.push(format!("records up to {age}"));
    }
    if errors.bisect_batch_on_function_error {
        settings.push("bisects failed batches".to_owned());
    }
    if errors.report_batch_item_failures {
        settings.push("ReportBatchItemFailures".to_owned());
    }
    if let Some(destination) = &errors.on_failure {
        settings.push(format!("on failure to {}", destination.label()));
    }
    settings
}
