//! Consumer applications.

use super::Lowering;
use crate::codes::Code;
use crate::fields::Fields;
use sim::blueprint::{ApplicationBlueprint, Checkpointing, InitialPosition, KclSettings, KclVersion, Retrieval};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Ratio;
use sim::engine::time::{SimDuration, SimTime};

impl Lowering<'_> {
    pub(super) fn application(&mut self, name: &str, fields: &Fields) -> ApplicationBlueprint {
        let kcl = version(fields);
        let retrieval = retrieval(fields);
        if kcl == KclVersion::One && retrieval == Retrieval::FanOut {
            let place = fields.place_of("retrieval");
            let help = "leave `retrieval` out, or use `kcl = \"2.x\"` or \"3.x\"";
            let title = "KCL 1.x has no enhanced fan-out";
            self.fault(Code::Contradiction, place, title, "its workers poll", help);
        }
        if retrieval == Retrieval::FanOut {
            let why = "records are pushed to it; with `retrieval = \"polling\"` it would have one";
            self.no_effect(fields, &["idleTimeBetweenReadsInMillis", "maxRecords"], why);
        }
        let knobs: &[&str] = if kcl == KclVersion::Three {
            &["maxLeasesToStealAtOneTime", "enablePriorityLeaseAssignment"]
        } else {
            &["isGracefulLeaseHandoffEnabled"]
        };
        self.no_effect(fields, knobs, &format!("KCL {} ignores it", kcl.name()));
        let time = fields.table("time");
        ApplicationBlueprint {
            name: name.to_owned(),
            stream: fields.name("stream"),
            starts_at: SimTime::ZERO + fields.duration("starts_at"),
            workers: fields.u32("workers"),
            kcl,
            retrieval,
            initial_position: self.initial_position(fields),
            settings: settings(kcl, fields),
            per_batch: time.map_or(Distribution::Constant(1.0), |time| time.distribution("per_batch")),
            per_record: time.map_or(SimDuration::ZERO, |time| time.duration("per_record")),
            failure_rate: fields
                .table("failure")
                .map_or(Ratio::ZERO, |failure| failure.ratio("rate")),
            checkpoint: fields.table("checkpoint").map_or(Checkpointing::EveryBatch, |table| {
                Checkpointing::Every(table.duration("every"))
            }),
            sink: fields.reference("sink").map(|(_, sink)| sink.to_owned()),
        }
    }

    fn initial_position(&mut self, fields: &Fields) -> InitialPosition {
        let at = fields.maybe_duration("initial_timestamp");
        match (fields.word("initial_position"), at) {
            ("AT_TIMESTAMP", Some(at)) => InitialPosition::AtTimestamp(SimTime::ZERO + at),
            ("AT_TIMESTAMP", None) => {
                let place = fields.place_of("initial_position");
                let title = "AT_TIMESTAMP needs a time";
                let help = "add `initial_timestamp`, counted from the start of the run";
                self.fault(
                    Code::Contradiction,
                    place,
                    title,
                    "no `initial_timestamp` is given",
                    help,
                );
                InitialPosition::TrimHorizon
            }
            (position, _) => {
                self.no_effect(fields, &["initial_timestamp"], "only AT_TIMESTAMP has a time");
                if position == "LATEST" {
                    InitialPosition::Latest
                } else {
                    InitialPosition::TrimHorizon
                }
            }
        }
    }
}

fn version(fields: &Fields) -> KclVersion {
    match fields.word("kcl") {
        "1.x" => KclVersion::One,
        "2.x" => KclVersion::Two,
        _ => KclVersion::Three,
    }
}

/// How an application gets its records: what is stated, or the default of its library (KDS-EFO-19).
pub(super) fn retrieval(fields: &Fields) -> Retrieval {
    match (fields.word("retrieval"), version(fields)) {
        ("fan_out", _) | ("", KclVersion::Two | KclVersion::Three) => Retrieval::FanOut,
        _ => Retrieval::Polling,
    }
}

fn settings(kcl: KclVersion, fields: &Fields) -> KclSettings {
    let defaults = KclSettings::defaults(kcl);
    KclSettings {
        failover_time: SimDuration::from_millis(fields.integer("failoverTimeMillis")),
        idle_time_between_reads: fields
            .maybe_integer("idleTimeBetweenReadsInMillis")
            .map_or(defaults.idle_time_between_reads, SimDuration::from_millis),
        max_records: fields.u32("maxRecords"),
        max_leases_for_worker: fields
            .maybe_u32("maxLeasesForWorker")
            .unwrap_or(defaults.max_leases_for_worker),
        max_leases_to_steal_at_one_time: fields.u32("maxLeasesToStealAtOneTime"),
        priority_lease_assignment: fields.flag("enablePriorityLeaseAssignment"),
        max_pending_process_records_input: fields
            .maybe_u32("maxPendingProcessRecordsInput")
            .unwrap_or(defaults.max_pending_process_records_input),
        graceful_lease_handoff: fields.flag("isGracefulLeaseHandoffEnabled"),
    }
}
