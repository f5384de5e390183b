//! Event source mappings.

use super::Lowering;
use crate::codes::Code;
use crate::fields::{Fields, Value};
use crate::source::quoted;
use sim::blueprint::{DestinationKind, ErrorHandling, FailureDestination, Filter, MappingBlueprint, StartingPosition};
use sim::engine::time::{SimDuration, SimTime};
use sim::services::mapping::quotas::{BATCH_SIZE_DEFAULT, FILTERS_MAX};

impl Lowering<'_> {
    pub(super) fn mapping(&mut self, name: &str, fields: &Fields) -> MappingBlueprint {
        MappingBlueprint {
            name: name.to_owned(),
            stream: fields.name("EventSourceArn"),
            consumer: fields.reference("consumer").map(|(_, consumer)| consumer.to_owned()),
            function: fields.name("FunctionName"),
            starting_position: self.starting_position(fields),
            created_at: SimTime::ZERO + fields.duration("created_at"),
            enabled: fields.flag("Enabled"),
            batch_size: fields.maybe_u32("BatchSize").unwrap_or(BATCH_SIZE_DEFAULT),
            maximum_batching_window: SimDuration::from_secs(fields.integer("MaximumBatchingWindowInSeconds")),
            parallelization_factor: fields.u32("ParallelizationFactor"),
            errors: self.error_handling(fields),
            filters: fields.table("FilterCriteria").map(|criteria| self.filters(criteria)),
            tumbling_window: self.tumbling_window(fields),
            event_count_metrics: fields.table("MetricsConfig").is_some(),
        }
    }

    fn starting_position(&mut self, fields: &Fields) -> StartingPosition {
        let timestamp = fields.maybe_integer("StartingPositionTimestamp");
        let word = fields.word("StartingPosition");
        if !fields.is_given("StartingPosition") {
            let title = "a mapping of a stream needs `StartingPosition`";
            let help = "add TRIM_HORIZON, LATEST or AT_TIMESTAMP (LAM-K-16)";
            self.fault(Code::MissingProperty, fields.place, title, "missing here", help);
        }
        if word != "AT_TIMESTAMP" {
            self.no_effect(fields, &["StartingPositionTimestamp"], "only AT_TIMESTAMP has a time");
            return if word == "LATEST" {
                StartingPosition::Latest
            } else {
                StartingPosition::TrimHorizon
            };
        }
        let Some(timestamp) = timestamp else {
            if !fields.is_given("StartingPositionTimestamp") {
                let place = fields.place_of("StartingPosition");
                let title = "AT_TIMESTAMP needs a time";
                let label = "no `StartingPositionTimestamp` is given";
                let help = "add it, in seconds from the start of the run (LAM-K-17)";
                self.fault(Code::Contradiction, place, title, label, help);
            }
            return StartingPosition::TrimHorizon;
        };
        let at = SimTime::from_secs(timestamp);
        if at > SimTime::ZERO + fields.duration("created_at") {
            let place = fields.place_of("StartingPositionTimestamp");
            let title = "`StartingPositionTimestamp` lies in the future";
            let help = "it must not lie after `created_at` (LAM-K-17)";
            self.fault(Code::Contradiction, place, title, "after the mapping is created", help);
        }
        StartingPosition::AtTimestamp(at)
    }

    /// Windows and several lanes exclude each other (LAM-U-11).
    fn tumbling_window(&mut self, fields: &Fields) -> SimDuration {
        let window = fields.integer("TumblingWindowInSeconds");
        if window > 0 && fields.u32("ParallelizationFactor") > 1 {
            let place = fields.place_of("ParallelizationFactor");
            let title = "tumbling windows need a ParallelizationFactor of 1";
            let help = "InvalidParameterValueException: the state of a window is kept by shard (LAM-U-11)";
            self.fault(Code::Contradiction, place, title, "more than one lane", help);
        }
        SimDuration::from_secs(window)
    }

    pub(super) fn filters(&mut self, criteria: &Fields) -> Vec<Filter> {
        let list = criteria.list("Filters");
        if let Some(beyond) = list.get(FILTERS_MAX) {
            let title = format!("a mapping has at most {FILTERS_MAX} filters");
            let label = format!("there are {}", list.len());
            self.fault(Code::InvalidList, beyond.place, title, &label, "see LAM-E-21");
        }
        criteria.tables("Filters").map(filter).collect()
    }

    fn error_handling(&mut self, fields: &Fields) -> ErrorHandling {
        let on_failure = fields
            .table("DestinationConfig")
            .and_then(|config| config.table("OnFailure"));
        ErrorHandling {
            maximum_retry_attempts: fields.maybe_u32("MaximumRetryAttempts"),
            maximum_record_age: fields
                .maybe_integer("MaximumRecordAgeInSeconds")
                .map(SimDuration::from_secs),
            bisect_batch_on_function_error: fields.flag("BisectBatchOnFunctionError"),
            report_batch_item_failures: self.reports_item_failures(fields),
            on_failure: on_failure.and_then(|on_failure| self.destination(on_failure)),
        }
    }

    pub(super) fn reports_item_failures(&mut self, fields: &Fields) -> bool {
        let types = fields.list("FunctionResponseTypes");
        if let Some(second) = types.get(1) {
            let title = "`FunctionResponseTypes` has one entry at most";
            let label = "a second one";
            self.fault(Code::InvalidList, second.place, title, label, "see LAM-E-15");
        }
        !types.is_empty()
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

fn filter(fields: &Fields) -> Filter {
    let texts = |name| {
        let items = fields.list(name).iter();
        let text = items.filter_map(|field| match &field.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        });
        text.collect()
    };
    let everything = Filter::default();
    let bytes = |name, otherwise| {
        if fields.is_sound(name) {
            fields.bytes(name)
        } else {
            otherwise
        }
    };
    Filter {
        equals: texts("equals"),
        anything_but: texts("anything_but"),
        prefix: fields.text("prefix").map(str::to_owned),
        suffix: fields.text("suffix").map(str::to_owned),
        share: (fields.ratio("share_from"), fields.ratio("share_to")),
        bytes: (
            bytes("at_least", everything.bytes.0),
            bytes("below", everything.bytes.1),
        ),
    }
}
