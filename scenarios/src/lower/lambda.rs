//! Functions.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use crate::fields::Value;
use crate::scalar::grouped;
use sim::batch::BatchResponse;
use sim::blueprint::Arrivals;
use sim::blueprint::{
    Architecture, AsynchronousInvocation, ColdStart, DestinationBlueprint, DestinationService, FailingWindow,
    FunctionBlueprint, InvocationType, InvokerBlueprint, Package, Poison, PoisonResponse, ProcessorShare,
    ProvisionedConcurrency, WindowState,
};
use sim::engine::quantity::{KIB, MIB, Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;

fn asynchronous(fields: &Fields) -> AsynchronousInvocation {
    let destination = |table: &Fields, service: &'static str| DestinationBlueprint {
        service: match table.word(service) {
            "SNS" => DestinationService::Sns,
            "S3" => DestinationService::S3,
            "EventBridge" => DestinationService::EventBridge,
            _ => DestinationService::Sqs,
        },
        failure_rate: table.ratio("failure_rate"),
    };
    let dead_letter = fields.table("DeadLetterConfig");
    let mut asynchronous = AsynchronousInvocation {
        dead_letter: dead_letter.map(|table| destination(table, "TargetArn")),
        ..AsynchronousInvocation::default()
    };
    if let Some(config) = fields.table("EventInvokeConfig") {
        asynchronous.maximum_retry_attempts = config.u32("MaximumRetryAttempts");
        asynchronous.maximum_event_age = SimDuration::from_secs(config.integer("MaximumEventAgeInSeconds"));
        asynchronous.on_failure = config.table("OnFailure").map(|table| destination(table, "Destination"));
        asynchronous.on_success = config.table("OnSuccess").map(|table| destination(table, "Destination"));
    }
    asynchronous
}

impl Lowering<'_> {
    /// `None` only when its trace could not be read.
    pub(super) fn invoker(&mut self, name: &str, fields: &Fields) -> Option<InvokerBlueprint> {
        let arrivals = match fields.table("arrivals") {
            Some(table) => self.arrivals(name, table)?,
            None => Arrivals::Constant(Rate::per_second(1)),
        };
        let invocation_type = match fields.word("InvocationType") {
            "Event" => InvocationType::Event,
            _ => InvocationType::RequestResponse,
        };
        let payload = fields.bytes("payload");
        let most = match self.profile {
            Profile::Exam => 256 * KIB,
            Profile::Current => MIB,
        };
        if invocation_type == InvocationType::Event && payload > most {
            let place = fields.place_of("payload");
            let title = "an asynchronous event of this size is refused";
            let label = format!("at most {} bytes in this profile (LAM-C-31)", grouped(most));
            self.fault(Code::OutOfRange, place, title, &label, "make the payload smaller");
        }
        Some(InvokerBlueprint {
            name: name.to_owned(),
            function: fields.name("FunctionName"),
            arrivals,
            invocation_type,
            payload: u32::try_from(payload).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn function(&mut self, name: &str, fields: &Fields) -> FunctionBlueprint {
        let time = fields.table("time");
        let failure = fields.table("failure");
        let sink = fields.reference("sink").map(|(_, sink)| sink.to_owned());
        if let Some(failure) = failure
            && failure.flag("after_write")
            && !fields.is_given("sink")
        {
            let place = failure.place_of("after_write");
            let title = "`after_write` needs a sink to write to";
            self.fault(
                Code::Contradiction,
                place,
                title,
                "the function has no `sink`",
                "add a `sink`",
            );
        }
        FunctionBlueprint {
            name: name.to_owned(),
            memory_size: fields.u32("MemorySize"),
            timeout: SimDuration::from_secs(fields.integer("Timeout")),
            reserved_concurrency: fields.maybe_u32("ReservedConcurrentExecutions"),
            provisioned_concurrency: fields.table("ProvisionedConcurrencyConfig").map(|wanted| {
                ProvisionedConcurrency {
                    executions: wanted.u32("ProvisionedConcurrentExecutions"),
                    ready_at_start: wanted.flag("ready_at_start"),
                }
            }),
            asynchronous: asynchronous(fields),
            cold_start: self.cold_start(fields),
            per_batch: time.map_or(sim::engine::distribution::Distribution::Constant(1.0), |time| {
                time.distribution("per_batch")
            }),
            per_record: time.map_or(SimDuration::ZERO, |time| time.duration("per_record")),
            first_run: time.map_or(SimDuration::ZERO, |time| time.duration("first")),
            processor: time.map_or_else(ProcessorShare::default, |time| ProcessorShare {
                bound: time.ratio("cpu_bound"),
                measured_at: time.u32("measured_at"),
            }),
            crash_share: failure.map_or(Ratio::ZERO, |failure| failure.ratio("crashes")),
            failure_rate: failure.map_or(Ratio::ZERO, |failure| failure.ratio("rate")),
            failing_windows: failure.map_or_else(Vec::new, |failure| self.failing_windows(failure)),
            fails_after_write: failure.is_some_and(|failure| failure.flag("after_write")),
            window_state: fields.table("window_state").map(|state| WindowState {
                fixed: state.bytes("per_window"),
                per_record: state.bytes("per_record"),
            }),
            poison: failure.map_or_else(Poison::default, |failure| self.poison(failure)),
            sink,
        }
    }

    fn failing_windows(&mut self, failure: &Fields) -> Vec<FailingWindow> {
        let mut windows = Vec::new();
        for window in failure.tables("windows") {
            let (from, until) = (window.duration("from"), window.duration("until"));
            if window.is_sound("from") && window.is_sound("until") && from >= until {
                let title = "a window of failure has no length";
                let help = "let it end after it begins";
                let place = window.place_of("until");
                self.fault(Code::Contradiction, place, title, "not after `from`", help);
            }
            windows.push(FailingWindow {
                from: SimTime::ZERO + from,
                until: SimTime::ZERO + until,
                rate: window.ratio("rate"),
            });
        }
        windows
    }

    fn poison(&mut self, failure: &Fields) -> Poison {
        let ordinals = failure
            .list("poison_ordinals")
            .iter()
            .filter_map(|field| match field.value {
                Value::Integer(number) => u32::try_from(number).ok(),
                _ => None,
            });
        let keys = failure
            .list("poison_keys")
            .iter()
            .filter_map(|field| match &field.value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            });
        let returned = match failure.word("poison_response") {
            "batchItemFailures" => Some(BatchResponse::ItemFailures),
            "empty-list" => Some(BatchResponse::EmptyList),
            "null-list" => Some(BatchResponse::NullList),
            "empty-object" => Some(BatchResponse::EmptyObject),
            "null" => Some(BatchResponse::Null),
            "empty-identifier" => Some(BatchResponse::EmptyIdentifier),
            "null-identifier" => Some(BatchResponse::NullIdentifier),
            "misnamed-identifier" => Some(BatchResponse::MisnamedIdentifier),
            "invalid-json" => Some(BatchResponse::InvalidJson),
            "unknown-identifier" => Some(BatchResponse::UnknownIdentifier),
            _ => None,
        };
        let poison = Poison {
            keys: keys.collect(),
            ordinals: ordinals.collect(),
            share: failure.ratio("poison_share"),
            response: returned.map_or(PoisonResponse::Throws, |response| PoisonResponse::Returns {
                response,
                stops: failure.flag("stops_at_poison"),
            }),
        };
        if poison.is_none() {
            let knobs = ["poison_response", "stops_at_poison"];
            self.no_effect(failure, &knobs, "no record is poison");
        } else if poison.response == PoisonResponse::Throws {
            self.no_effect(failure, &["stops_at_poison"], "the handler throws");
        }
        poison
    }

    fn cold_start(&mut self, fields: &Fields) -> ColdStart {
        if let Some(own) = fields.maybe_distribution("init") {
            let knobs = ["runtime", "architecture", "package", "extra_init"];
            self.no_effect(fields, &knobs, "`init` states the whole Init time");
            return ColdStart::Own(own.clone());
        }
        ColdStart::Published {
            runtime: fields.word("runtime").to_owned(),
            architecture: match fields.word("architecture") {
                "arm64" => Architecture::Arm64,
                _ => Architecture::X86,
            },
            package: match fields.word("package") {
                "Image" => Package::Image,
                _ => Package::Zip,
            },
            extra: fields.duration("extra_init"),
        }
    }
}
