//! Observers: everything a run says about itself is a fold over facts.
//!
//! The model states facts and computes nothing; each observer sees every fact and keeps what it needs. None of them can
//! change the run, and a run without them takes the same course.

pub mod application_change;
pub mod causes;
pub mod conservation;
pub mod counts;
pub mod course;
pub mod fact;
pub mod headroom;
pub mod history;
pub mod holdings;
mod holes;
pub mod invocation;
pub mod latency;
pub mod mapping_change;
pub mod message_path;
pub mod metrics;
pub mod ordering;
pub mod ordinals;
pub mod positions;
pub mod queue_fact;
pub mod queue_mapping_fact;
pub mod reason;
pub mod recent;
pub mod request;
#[cfg(test)]
mod sample;
pub mod shard_tally;
pub mod sink_change;
mod sparse;
mod stream_change;
mod sums;
pub mod topic_fact;
pub mod usage;
pub mod verdict;

use crate::blueprint::Blueprint;
use crate::directory::Directory;
use crate::engine::time::SimTime;
use crate::key::KeyTable;
use causes::Causes;
use conservation::{Conservation, Culprit, Ledger, Violation};
use counts::Counts;
use course::{Course, Totals};
use fact::Fact;
use headroom::Headroom;
use holdings::Holdings;
use latency::Latency;
use message_path::MessagePaths;
use metrics::Metrics;
use ordering::Ordering;
use std::sync::Arc;
use sums::Sums;
use usage::Usage;

/// Something that listens to a run.
pub trait Probe {
    /// Takes note of a fact.
    fn on(&mut self, now: SimTime, fact: &Fact<'_>);
    /// Whether it is enough to tell now and then what shards have stored of cohorts
    /// ([`Fact::ShardsWritten`]), instead of with each window. Whoever drives the run asks for it.
    fn takes_sums(&self) -> bool {
        false
    }
}

/// What observers need to know of a run.
#[derive(Clone, Debug)]
pub struct ObserverConfig<'b> {
    /// Names and connections of the components.
    pub names: Arc<Directory>,
    /// Partition keys.
    pub keys: Arc<KeyTable>,
    /// What the components are set to.
    pub blueprint: &'b Blueprint,
    /// Also check records one by one: of each client, that they are created without a gap and settled once; of each
    /// effect, that the parts of a record's time sum to it.
    pub each_record: bool,
}

/// The observers of a run; each is optional.
#[derive(Clone, Debug, Default)]
pub struct Observers {
    /// Ledgers and Little's law.
    pub conservation: Option<Conservation>,
    /// Order, duplicates and loss.
    pub ordering: Option<Ordering>,
    /// Latency distributions.
    pub latency: Option<Latency>,
    /// Latency by cause.
    pub causes: Option<Causes>,
    /// Where the time of messages went that came through a topic.
    pub message_paths: Option<MessagePaths>,
    /// Totals.
    pub counts: Option<Counts>,
    /// Series under CloudWatch's names.
    pub metrics: Option<Metrics>,
    /// What happened when, fine enough to draw. It notes how the totals of the others grow.
    pub course: Option<Course>,
    /// How close limits came.
    pub headroom: Option<Headroom>,
    /// What a bill counts.
    pub usage: Option<Usage>,
}

impl Observers {
    /// All observers.
    pub fn all(config: &ObserverConfig<'_>) -> Self {
        let (names, keys) = (&config.names, &config.keys);
        Self {
            conservation: Some(Conservation::new(names.clone(), keys.clone(), config.each_record)),
            ordering: Some(Ordering::new(names.clone(), keys.clone())),
            latency: Some(Latency::new(names)),
            causes: Some(Causes::new(names.clone(), keys.clone(), config.each_record)),
            message_paths: Some(MessagePaths::new(names)),
            counts: Some(Counts::new(names)),
            metrics: Some(Metrics::new(names.clone())),
            course: Some(Course::new(names)),
            headroom: Some(Headroom::new(names, keys.clone(), config.blueprint)),
            usage: Some(Usage::new(names, config.blueprint)),
        }
    }

    /// Bytes of memory that distributions of times take: about 0.8 MB for each function.
    pub fn distributions_memory(&self) -> u64 {
        self.latency.as_ref().map_or(0, Latency::memory)
            + self.causes.as_ref().map_or(0, Causes::memory)
            + self.message_paths.as_ref().map_or(0, MessagePaths::memory)
            + self.course.as_ref().map_or(0, Course::memory)
    }

    /// The course of the run up to now, if it was followed.
    pub fn course_until(&self, now: SimTime) -> Option<Course> {
        let totals = Totals {
            counts: self.counts.as_ref(),
            ordering: self.ordering.as_ref(),
            latency: self.latency.as_ref(),
        };
        self.course.as_ref().map(|course| course.until(now, totals))
    }

    /// Balances the ledgers against what components hold. Call it between events: once a period, and at the end.
    pub fn check(&mut self, holdings: &Holdings, now: SimTime) -> Result<(), Box<Violation>> {
        if let Some(conservation) = &mut self.conservation {
            conservation.check(holdings, now)?;
        }
        if let Some(violation) = self.causes.as_ref().and_then(Causes::violation) {
            return Err(violation);
        }
        if let Some(violation) = self.unexplained_message() {
            return Err(violation);
        }
        match self.ordering.as_ref().and_then(Ordering::impossible) {
            None => Ok(()),
            Some(what) => Err(Box::new(Violation {
                at: now,
                ledger: Ledger::Identity,
                component: "the run".to_owned(),
                left: vec![conservation::Term::new(
                    "records that took effect without having been stored, at least",
                    1,
                )],
                right: vec![conservation::Term::new("allowed", 0)],
                culprit: Some(Culprit {
                    what: what.to_owned(),
                    record: None,
                }),
                history: Vec::new(),
            })),
        }
    }

    /// A message whose time is not the sum of its legs.
    fn unexplained_message(&self) -> Option<Box<Violation>> {
        let (at, _, record) = self.message_paths.as_ref()?.unexplained()?;
        let nanos = i128::from(at.since(record.created_at).as_nanos());
        Some(Box::new(Violation {
            at,
            ledger: Ledger::LatencyParts,
            component: "the run".to_owned(),
            left: vec![conservation::Term::new("nanoseconds from creation to delete", nanos)],
            right: vec![conservation::Term::new("explained by the legs of its way", 0)],
            culprit: Some(Culprit {
                what: format!("message {} of key number {}", record.ordinal, record.key.0),
                record: None,
            }),
            history: Vec::new(),
        }))
    }

    /// Closes the books at the end of a run: balances the ledgers, and looks for records that have not taken effect.
    pub fn finish(&mut self, holdings: &Holdings, now: SimTime) -> Result<(), Box<Violation>> {
        if let Some(ordering) = &mut self.ordering {
            ordering.finish(holdings);
        }
        self.check(holdings, now)
    }
}

impl Probe for Observers {
    /// None of them goes by anything shorter than a second.
    fn takes_sums(&self) -> bool {
        true
    }
    #[inline]
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        // First, since it wants the totals as they were before the fact.
        if let Some(course) = &mut self.course {
            let totals = Totals {
                counts: self.counts.as_ref(),
                ordering: self.ordering.as_ref(),
                latency: self.latency.as_ref(),
            };
            course.on(now, fact, totals);
        }
        let mut sums = Sums::of(fact);
        if let Some(conservation) = &mut self.conservation {
            conservation.note(now, fact, &sums);
        }
        if let Some(ordering) = &mut self.ordering {
            ordering.note(now, fact, &sums);
        }
        if let Some(latency) = &mut self.latency {
            sums.spans = latency.note(now, fact);
        }
        if let Some(causes) = &mut self.causes {
            causes.on(now, fact);
        }
        if let Some(paths) = &mut self.message_paths {
            paths.on(now, fact);
        }
        if let Some(counts) = &mut self.counts {
            counts.note(now, fact, &sums);
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.note(now, fact, &sums);
        }
        if let Some(headroom) = &mut self.headroom {
            headroom.on(now, fact);
        }
        if let Some(usage) = &mut self.usage {
            usage.on(now, fact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::ordering::Place;
    use crate::observe::sample::{ORDERS, at, delivered, directory, keys, put, records, tally};
    use crate::observe::verdict::{Guarantee, Verdict};

    fn observers() -> Observers {
        Observers::all(&ObserverConfig {
            names: directory(),
            keys: keys(2),
            blueprint: &Blueprint::empty(1, crate::engine::time::SimDuration::SECOND),
            each_record: false,
        })
    }

    #[test]
    fn each_observer_hears_each_fact_and_may_be_absent() {
        let batch = records(&[0, 1]);
        let mut all = observers();
        let mut none = Observers::default();
        for observers in [&mut all, &mut none] {
            observers.on(at(20), &put(&batch, &[tally(&batch, 0)], at(20)));
            observers.on(at(30), &delivered(&batch, at(30)));
        }
        let counted = all.counts.as_ref().map(|counts| counts.sinks[ORDERS].delivered);
        assert_eq!(counted, Some(2));
        assert_eq!(
            all.latency.as_ref().map(|latency| latency.end_to_end().count()),
            Some(2)
        );
        let verdict = |all: &Observers| {
            let ordering = all.ordering.as_ref().expect("all are present");
            ordering.verdict(Guarantee::OrderPerKey, Place::Sink(ORDERS))
        };
        assert_eq!(verdict(&all), Verdict::Holds);
        assert_eq!(none.finish(&Holdings::default(), at(40)), Ok(()));
    }

    #[test]
    fn the_distributions_of_each_function_are_counted() {
        // Eleven causes, two latencies, and one to compare with: 58 KiB each.
        let functions = u64::from(crate::engine::index::to_u32(directory().functions.len()));
        assert_eq!(observers().distributions_memory(), functions * 14 * 58 * 1_024);
        assert_eq!(Observers::default().distributions_memory(), 0);
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let batch = records(&[0, 1]);
        let mut one = observers();
        one.on(at(20), &put(&batch, &[tally(&batch, 0)], at(20)));
        let mut other = one.clone();
        other.on(at(30), &delivered(&batch, at(30)));
        assert_eq!(one.counts.map(|counts| counts.sinks[ORDERS].delivered), Some(0));
        assert_eq!(other.counts.map(|counts| counts.sinks[ORDERS].delivered), Some(2));
    }

    #[test]
    fn an_effect_without_a_stored_record_ends_the_run() {
        let mut observers = observers();
        observers.on(at(30), &delivered(&records(&[0]), at(30)));
        let violation = observers
            .check(&Holdings::default(), at(40))
            .expect_err("nothing was stored");
        assert!(
            violation.to_string().contains("no stream has accepted it"),
            "{violation}"
        );
    }
}
