//! Event source mappings.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use crate::source::quoted;
use sim::blueprint::{DestinationKind, ErrorHandling, FailureDestination, MappingBlueprint, StartingPosition};
use sim::engine::time::{SimDuration, SimTime};

impl Lowering<'_> {
    pub(super) fn mapping(&mut self, name: &str, fields: &Fields) -> MappingBlueprint {
        MappingBlueprint {
            name: name.to_owned(),
            stream: fields.name("EventSourceArn"),
            function: fields.name("FunctionName"),
            starting_position: match fields.word("StartingPosition") {
                "LATEST" => StartingPosition::Latest,
                _ => StartingPosition::TrimHorizon,
            },
            created_at: SimTime::ZERO,
            batch_size: fields.u32("BatchSize"),
            maximum_batching_window: SimDuration::from_secs(fields.integer("MaximumBatchingWindowInSeconds")),
            parallelization_factor: fields.u32("ParallelizationFactor"),
            errors: self.error_handling(fields),
            event_count_metrics: fields.table("MetricsConfig").is_some(),
        }
    }

    fn error_handling(&mut self, fields: &Fields) -> ErrorHandling {
        let types = fields.list("FunctionResponseTypes");
        if let Some(second) = types.get(1) {
            let title = "`FunctionResponseTypes` has one entry at most";
            let label = "a second one";
            self.fault(Code::InvalidList, second.place, title, label, "see LAM-E-15");
        }
        let on_failure = fields
            .table("DestinationConfig")
            .and_then(|config| config.table("OnFailure"));
        ErrorHandling {
            maximum_retry_attempts: fields.maybe_u32("MaximumRetryAttempts"),
            maximum_record_age: fields
                .maybe_integer("MaximumRecordAgeInSeconds")
                .map(SimDuration::from_secs),
            bisect_batch_on_function_error: fields.flag("BisectBatchOnFunctionError"),
            report_batch_item_failures: !types.is_empty(),
            on_failure: on_failure.and_then(|on_failure| self.destination(on_failure)),
        }
    }

    /// A standard queue, a standard topic or a bucket (LAM-X-21).
    fn destination(&mut self, fields: &Fields) -> Option<FailureDestination> {
        let text = fields.text("Destination")?;
        let kinds = [DestinationKind::Queue, DestinationKind::Topic, DestinationKind::Bucket];
        let found = kinds.into_iter().find_map(|kind| {
            let name = text.strip_prefix(kind.name())?.strip_prefix('.')?;
            (!name.is_empty()).then_some((kind, name))
        });
        let place = fields.place_of("Destination");
        let shown = quoted(text);
        let Some((kind, name)) = found else {
            let title = format!("`{shown}` cannot be an on-failure destination");
            let label = "expected queue.NAME, topic.NAME or bucket.NAME";
            let help = "a mapping of a stream tells an SQS queue, an SNS topic or an S3 bucket (LAM-X-21)";
            self.fault(Code::WrongComponent, place, title, label, help);
            return None;
        };
        let fifo = std::path::Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "fifo");
        if fifo {
            let title = format!("`{shown}` cannot be an on-failure destination");
            let help = "only standard queues and topics can (LAM-X-21)";
            self.fault(Code::WrongComponent, place, title, "a FIFO queue or topic", help);
            return None;
        }
        Some(FailureDestination {
            kind,
            name: name.to_owned(),
            failure_rate: fields.ratio("failure_rate"),
        })
    }
}
