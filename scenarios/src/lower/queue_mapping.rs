//! Event source mappings of queues.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use crate::schema::Kind;
use sim::blueprint::{Blueprint, ProvisionedPollers, QueueMappingBlueprint};
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;
use sim::services::queue_mapping::quotas;

/// What only a mapping of a stream has, and the facts that say so.
const OF_STREAMS: [(&str, &str); 9] = [
    ("consumer", "LAM-K-34"),
    ("StartingPosition", "LAM-K-16"),
    ("StartingPositionTimestamp", "LAM-K-17"),
    ("ParallelizationFactor", "LAM-E-20"),
    ("TumblingWindowInSeconds", "LAM-E-20"),
    ("MaximumRetryAttempts", "LAM-E-19"),
    ("MaximumRecordAgeInSeconds", "LAM-E-19"),
    ("BisectBatchOnFunctionError", "LAM-E-19"),
    ("DestinationConfig", "LAM-E-19"),
];
/// What only a mapping of a queue has.
const OF_QUEUES: [(&str, &str); 2] = [("ScalingConfig", "LAM-E-20"), ("ProvisionedPollerConfig", "LAM-E-20")];

impl Lowering<'_> {
    /// The mappings, of streams and of queues.
    pub(super) fn mappings(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for component in top.components(Kind::Mapping) {
            let source = component.fields.reference("EventSourceArn");
            if source.is_some_and(|(kind, _)| kind == Kind::Queue) {
                let mapping = self.queue_mapping(&component.name, &component.fields, blueprint);
                blueprint.queue_mappings.push(mapping);
            } else {
                if source.is_some() {
                    self.misplaced(&component.fields, &OF_QUEUES, "a stream");
                }
                let mapping = self.mapping(&component.name, &component.fields);
                blueprint.mappings.push(mapping);
            }
        }
    }

    fn misplaced(&mut self, fields: &Fields, names: &[(&'static str, &str)], source: &str) {
        for &(name, fact) in names {
            if fields.is_given(name) {
                let title = format!("a mapping of {source} has no `{name}`");
                let label = format!("its source is {source}");
                let help = format!("InvalidParameterValueException: leave it out ({fact})");
                self.fault(Code::Contradiction, fields.place_of(name), title, &label, &help);
            }
        }
    }

    fn queue_mapping(&mut self, name: &str, fields: &Fields, blueprint: &Blueprint) -> QueueMappingBlueprint {
        self.misplaced(fields, &OF_STREAMS, "a queue");
        let queue = fields.name("EventSourceArn");
        let fifo = blueprint
            .queues
            .iter()
            .any(|other| other.name == queue && other.fifo.is_some());
        let scaling = fields.table("ScalingConfig");
        QueueMappingBlueprint {
            name: name.to_owned(),
            queue,
            function: fields.name("FunctionName"),
            created_at: SimTime::ZERO + fields.duration("created_at"),
            enabled: fields.flag("Enabled"),
            batch_size: self.batch_size_of_queue(fields, fifo),
            maximum_batching_window: SimDuration::from_secs(fields.integer("MaximumBatchingWindowInSeconds")),
            maximum_concurrency: scaling.and_then(|scaling| scaling.maybe_u32("MaximumConcurrency")),
            report_batch_item_failures: self.reports_item_failures(fields),
            filters: fields.table("FilterCriteria").map(|criteria| self.filters(criteria)),
            provisioned: self.provisioned_pollers(fields),
            event_count_metrics: fields.table("MetricsConfig").is_some(),
        }
    }

    fn batch_size_of_queue(&mut self, fields: &Fields, fifo: bool) -> u32 {
        let window = fields.integer("MaximumBatchingWindowInSeconds");
        let size = fields.maybe_u32("BatchSize").unwrap_or(quotas::BATCH_SIZE_DEFAULT);
        if fifo && window > 0 {
            let place = fields.place_of("MaximumBatchingWindowInSeconds");
            let title = "a mapping of a FIFO queue has no batching window";
            let help = "leave it out (LAM-S-13)";
            self.fault(Code::Contradiction, place, title, "its source is a FIFO queue", help);
        }
        if size > quotas::BATCH_SIZE_MAX_AT_ONCE && (fifo || window == 0) {
            let place = fields.place_of("BatchSize");
            let (title, help) = if fifo {
                ("batches of a FIFO queue have at most 10 messages", "see LAM-S-11")
            } else {
                (
                    "batches of more than 10 messages need a batching window",
                    "set MaximumBatchingWindowInSeconds to at least 1 (LAM-S-12)",
                )
            };
            self.fault(Code::Contradiction, place, title, "more than one receive brings", help);
        }
        size
    }

    fn provisioned_pollers(&mut self, fields: &Fields) -> Option<ProvisionedPollers> {
        let config = fields.table("ProvisionedPollerConfig")?;
        let place = fields.place_of("ProvisionedPollerConfig");
        if self.profile == Profile::Exam {
            let title = "provisioned pollers do not exist in the profile `exam`";
            let help = "use the profile `current` (LAM-H-04)";
            self.fault(Code::WrongProfile, place, title, "introduced in November 2025", help);
        }
        let minimum = config.maybe_u32("MinimumPollers");
        let maximum = config.maybe_u32("MaximumPollers");
        if minimum.is_none() && maximum.is_none() {
            // An empty table turns provisioned mode off (LAM-P-13).
            return None;
        }
        if fields.is_given("ScalingConfig") {
            let title = "provisioned pollers and MaximumConcurrency exclude each other";
            let help = "limit the pollers instead: each has ten batches (LAM-P-08, LAM-Q-18)";
            self.fault(Code::Contradiction, place, title, "ScalingConfig is given too", help);
        }
        let minimum = minimum.unwrap_or(quotas::MINIMUM_POLLERS.0);
        let maximum = maximum.unwrap_or(quotas::MAXIMUM_POLLERS_DEFAULT);
        if minimum > maximum {
            let place = config.place_of("MinimumPollers");
            let title = "MinimumPollers is greater than MaximumPollers";
            let label = format!("MaximumPollers is {maximum}");
            self.fault(Code::Contradiction, place, title, &label, "see LAM-P-07");
        }
        Some(ProvisionedPollers { minimum, maximum })
    }

    /// A function may not run longer than a message stays hidden (LAM-S-23).
    pub(super) fn visibility_of_mapped_queues(&mut self, top: &Fields, blueprint: &Blueprint) {
        for mapping in top.components(Kind::Mapping) {
            let find = |name: &'static str| mapping.fields.reference(name);
            let (Some((Kind::Queue, queue)), Some((_, function))) = (find("EventSourceArn"), find("FunctionName"))
            else {
                continue;
            };
            let queue = blueprint.queues.iter().find(|other| other.name == queue);
            let function = blueprint.functions.iter().find(|other| other.name == function);
            if let (Some(queue), Some(function)) = (queue, function)
                && function.timeout > queue.visibility_timeout
            {
                let title = format!(
                    "function.{} may run longer than queue.{} hides a message",
                    function.name, queue.name
                );
                let label = format!(
                    "Timeout is {} s, VisibilityTimeout {} s",
                    function.timeout.as_secs(),
                    queue.visibility_timeout.as_secs()
                );
                let help = "InvalidParameterValueException: raise VisibilityTimeout, to six times the Timeout as AWS \
                            recommends (LAM-S-23, LAM-S-24)";
                let place = mapping.fields.place_of("EventSourceArn");
                self.fault(Code::Contradiction, place, title, &label, help);
            }
        }
    }
}
