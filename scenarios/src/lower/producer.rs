//! Producers: arrivals, keys, sizes and the client.

use super::Lowering;
use crate::codes::Code;
use crate::fields::{Field, Fields, Value};
use crate::schema::Kind;
use crate::trace;
use sim::blueprint::{
    Arrivals, DEFAULT_MESSAGE_SIZE, Jitter, Keys, ProducerBlueprint, PutApi, Resend, RetryMode, SdkRetry, Size, Trace,
    TraceRows, WeightedKey,
};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::SimDuration;
use sim::services::queue::quotas::{MAX_ENTRIES, maximum_batch_size};
use std::sync::Arc;

impl Lowering<'_> {
    /// `None` only when its trace could not be read.
    pub(super) fn producer(&mut self, name: &str, fields: &Fields, top: &Fields) -> Option<ProducerBlueprint> {
        let arrivals = match fields.table("arrivals") {
            Some(table) => self.arrivals(name, table)?,
            None => Arrivals::Constant(Rate::per_second(1)),
        };
        let keys = self.keys(fields, &arrivals);
        let size = self.size(fields, &arrivals);
        let api = self.api(fields);
        let library = self.library(fields);
        match api {
            _ if library.is_some() => {}
            PutApi::SendMessage => {
                let knobs = ["linger", "max_batch_records", "max_batch_bytes", "resend_failed"];
                self.no_effect(fields, &knobs, "SendMessage sends each message by itself");
            }
            PutApi::Publish => {
                let knobs = ["linger", "max_batch_records", "max_batch_bytes", "resend_failed"];
                self.no_effect(fields, &knobs, "Publish sends each message by itself");
            }
            PutApi::SendMessageBatch | PutApi::PublishBatch => {}
            PutApi::PutRecord => {
                let knobs = ["linger", "max_batch_records", "max_batch_bytes", "resend_failed"];
                self.no_effect(fields, &knobs, "PutRecord sends each record by itself");
                if fields.flag("SequenceNumberForOrdering") {
                    let knobs = ["call_window", "call_window_threshold"];
                    self.no_effect(
                        fields,
                        &knobs,
                        "puts that wait for each other are never handled by window",
                    );
                }
            }
            PutApi::PutRecords => {
                let knobs = ["call_window", "call_window_threshold"];
                self.no_effect(fields, &knobs, "call windows are for PutRecord");
                let why = "only PutRecord has this parameter (KDS-SEQ-08)";
                self.no_effect(fields, &["SequenceNumberForOrdering"], why);
            }
        }
        Some(ProducerBlueprint {
            name: name.to_owned(),
            target: fields.name("target"),
            arrivals,
            keys,
            size,
            api,
            linger: fields.duration("linger"),
            max_batch_records: if api.is_for_queues() || api.is_for_topics() {
                fields.u32("max_batch_records").min(MAX_ENTRIES)
            } else {
                fields.u32("max_batch_records")
            },
            max_batch_bytes: self.max_batch_bytes(fields, api, top),
            concurrency: fields.u32("concurrency"),
            sequence_number_for_ordering: fields.flag("SequenceNumberForOrdering"),
            retry: retry(fields.table("retry")),
            resend_failed: fields.table("resend_failed").map(resend),
            call_window: fields.duration("call_window"),
            call_window_threshold: fields.rate("call_window_threshold"),
            library,
        })
    }

    /// Most bytes of a call, which is the service's affair where its batches have a limit (SQS-B-06, SQS-S-18).
    fn max_batch_bytes(&self, fields: &Fields, api: PutApi, top: &Fields) -> u64 {
        let wanted = fields.bytes("max_batch_bytes");
        if api.is_for_queues() {
            wanted.min(maximum_batch_size(self.profile))
        } else if api.is_for_topics() {
            let mut topics = top.components(Kind::Topic).iter();
            let topic = topics.find(|topic| topic.name == fields.name("target"));
            let size = topic.map_or(u64::from(DEFAULT_MESSAGE_SIZE), |topic| {
                topic.fields.integer("MaximumMessageSize")
            });
            wanted.min(size)
        } else {
            wanted
        }
    }

    pub(super) fn arrivals(&mut self, name: &str, fields: &Fields) -> Option<Arrivals> {
        if let Some(rate) = fields.maybe_rate("constant") {
            return Some(Arrivals::Constant(rate));
        }
        if let Some(rate) = fields.maybe_rate("poisson") {
            return Some(Arrivals::Poisson(rate));
        }
        if let Some(bursts) = fields.table("bursts") {
            return Some(Arrivals::Bursts {
                on: bursts.rate("on"),
                off: bursts.rate("off"),
                mean_on: bursts.duration("mean_on"),
                mean_off: bursts.duration("mean_off"),
            });
        }
        if let Some(profile) = fields.table("profile") {
            return Some(self.profile_of_rates(profile));
        }
        let trace = trace::load(fields.table("trace")?, self.traces, self.diagnostics)?;
        if trace.repeat && trace::replayed_span(&trace).is_zero() {
            let place = fields.place_of("trace");
            let help = "compress it less, or do not repeat it";
            self.fault(
                Code::Contradiction,
                place,
                "a replay that repeats needs a length",
                "takes no time",
                help,
            );
        }
        self.notes.extend(trace::notes(name, &trace, self.duration));
        Some(Arrivals::Trace(Arc::new(trace)))
    }

    fn profile_of_rates(&mut self, fields: &Fields) -> Arrivals {
        let mut points: Vec<(SimDuration, Rate)> = Vec::new();
        for field in fields.list("points") {
            let Value::List(pair) = &field.value else { continue };
            let [
                Field {
                    value: Value::Duration(at),
                    place,
                },
                Field {
                    value: Value::Rate(rate),
                    ..
                },
            ] = pair.as_slice()
            else {
                continue;
            };
            let fits = match points.last() {
                None => at.is_zero(),
                Some((before, _)) => before < at,
            };
            if !fits {
                let title = "the points of a rate over time must increase from zero";
                let help = "the first point is at \"0s\", each further one later than the one before";
                self.fault(Code::InvalidList, *place, title, "out of order", help);
            }
            points.push((*at, *rate));
        }
        if !points.is_empty() && points.iter().all(|(_, rate)| rate.is_zero()) {
            let place = fields.place_of("points");
            self.fault(
                Code::InvalidList,
                place,
                "all rates are zero",
                "no record is ever created",
                "",
            );
        }
        let period = fields.maybe_duration("period");
        if let (Some(period), Some((last, _))) = (period, points.last())
            && period < *last
        {
            let place = fields.place_of("period");
            let title = "`period` is shorter than its pattern";
            let label = format!("the last point is at {last}");
            self.fault(
                Code::Contradiction,
                place,
                title,
                &label,
                "lengthen the period or drop points",
            );
        }
        Arrivals::Profile { points, period }
    }

    /// The API, which fits what the producer writes to.
    fn api(&mut self, fields: &Fields) -> PutApi {
        let to_queue = matches!(fields.reference("target"), Some((Kind::Queue, _)));
        let to_topic = matches!(fields.reference("target"), Some((Kind::Topic, _)));
        let api = match fields.word("api") {
            "PutRecord" => PutApi::PutRecord,
            "SendMessage" => PutApi::SendMessage,
            "SendMessageBatch" => PutApi::SendMessageBatch,
            "Publish" => PutApi::Publish,
            "PublishBatch" => PutApi::PublishBatch,
            _ if to_topic && !fields.is_given("api") => PutApi::PublishBatch,
            _ if to_queue && !fields.is_given("api") => PutApi::SendMessageBatch,
            _ => PutApi::PutRecords,
        };
        let fits = api.is_for_queues() == to_queue && api.is_for_topics() == to_topic;
        if !fits && fields.reference("target").is_some() {
            let title = format!("{} does not reach the target of this producer", api.name());
            let help = if to_queue {
                "use SendMessageBatch or SendMessage, or leave `api` out"
            } else if to_topic {
                "use PublishBatch or Publish, or leave `api` out"
            } else {
                "use PutRecords or PutRecord, or name a queue as target"
            };
            let label = if to_queue {
                "the target is a queue"
            } else if to_topic {
                "the target is a topic"
            } else {
                "the target is a stream"
            };
            self.fault(Code::Contradiction, fields.place_of("api"), title, label, help);
        }
        api
    }

    fn keys(&mut self, fields: &Fields, arrivals: &Arrivals) -> Keys {
        if fields.word("keys") == "trace" {
            let place = fields.place_of("keys");
            match arrivals {
                Arrivals::Trace(trace) if trace.keys.is_empty() => {
                    let help = "name its key column with `key`, or give each series a `key`";
                    let title = "the trace has no keys";
                    self.fault(Code::Contradiction, place, title, "keys are to come from it", help);
                }
                Arrivals::Trace(_) => {}
                _ => self.needs_trace(place, "keys"),
            }
            return Keys::FromTrace;
        }
        let Some(table) = fields.table("keys") else {
            return Keys::Uniform { count: 1 };
        };
        if let Some(count) = table.maybe_u32("uniform") {
            return Keys::Uniform { count };
        }
        if let Some(zipf) = table.table("zipf") {
            return Keys::Zipf {
                count: zipf.u32("count"),
                exponent: zipf.number("exponent"),
            };
        }
        if let Some(hot) = table.table("hot") {
            return Keys::Hot {
                share: hot.ratio("share").as_f64(),
                others: hot.u32("others"),
            };
        }
        Keys::Weighted(self.listed_keys(table))
    }

    fn listed_keys(&mut self, table: &Fields) -> Vec<WeightedKey> {
        let mut keys: Vec<WeightedKey> = Vec::new();
        for entry in table.tables("list") {
            let text = entry.text("key").unwrap_or_default();
            if text.chars().count() > 256 {
                let title = "a partition key has at most 256 characters (KDS-REC-02)";
                self.fault(Code::OutOfRange, entry.place_of("key"), title, "too long", "");
            }
            if !text.is_empty() && keys.iter().any(|key| key.text == text) {
                let help = "give it once, with the sum of the weights";
                self.fault(
                    Code::InvalidList,
                    entry.place_of("key"),
                    "a key is listed twice",
                    "again here",
                    help,
                );
            }
            keys.push(WeightedKey {
                text: text.to_owned(),
                weight: entry.number("weight"),
                explicit_hash_key: entry.hash("ExplicitHashKey"),
            });
        }
        let total: f64 = keys.iter().map(|key| key.weight).sum();
        if !keys.is_empty() && total <= 0.0 {
            let place = table.place_of("list");
            self.fault(
                Code::InvalidList,
                place,
                "the weights sum to zero",
                "no key is ever chosen",
                "",
            );
        }
        keys
    }

    fn size(&mut self, fields: &Fields, arrivals: &Arrivals) -> Size {
        if fields.word("size") != "trace" {
            return Size::Drawn(
                fields
                    .maybe_distribution("size")
                    .cloned()
                    .unwrap_or(Distribution::Constant(1.0)),
            );
        }
        let place = fields.place_of("size");
        match arrivals {
            Arrivals::Trace(trace) if !has_sizes(trace) => {
                let help = "name its size column with `size = { column = .. }`, or give a size here";
                self.fault(
                    Code::Contradiction,
                    place,
                    "the trace has no sizes",
                    "sizes are to come from it",
                    help,
                );
            }
            Arrivals::Trace(_) => {}
            _ => self.needs_trace(place, "size"),
        }
        Size::FromTrace
    }

    fn needs_trace(&mut self, place: crate::source::Place, name: &str) {
        let title = format!("`{name} = \"trace\"` needs arrivals from a trace");
        let help = "use arrivals = { trace = .. }, or state them here";
        self.fault(Code::Contradiction, place, title, "there is no trace", help);
    }
}

fn has_sizes(trace: &Trace) -> bool {
    matches!(&trace.rows, TraceRows::Requests { bytes, .. } if !bytes.is_empty())
}

pub(super) fn retry(fields: Option<&Fields>) -> SdkRetry {
    let mode = match fields.map(|fields| fields.word("mode")) {
        Some("off") => RetryMode::Off,
        Some("adaptive") => RetryMode::Adaptive,
        Some("legacy") => RetryMode::Legacy,
        Some("java") => RetryMode::Java,
        _ => RetryMode::Standard,
    };
    SdkRetry {
        mode,
        max_attempts: fields
            .and_then(|fields| fields.maybe_u32("max_attempts"))
            .unwrap_or(mode.default_attempts()),
        timing_2026: fields.is_some_and(|fields| fields.flag("timing_2026")),
    }
}

pub(super) fn resend(fields: &Fields) -> Resend {
    Resend {
        attempts: fields.u32("attempts"),
        backoff: fields.duration("backoff"),
        factor: fields.u32("factor"),
        max_backoff: fields.duration("max_backoff"),
        jitter: match fields.word("jitter") {
            "none" => Jitter::None,
            "equal" => Jitter::Equal,
            _ => Jitter::Full,
        },
    }
}
