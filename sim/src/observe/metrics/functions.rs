//! The metrics of functions: their invocations, provisioned environments and asynchronous events.

use super::{Metric, Metrics, Point, micros};
use crate::batch::{DirectAnswer, InvocationOutcome};
use crate::engine::time::SimTime;
use crate::ids::{FunctionId, InvokerId};
use crate::observe::fact::{AsynchronousStep, ConcurrencyUse, Delivery, Fact, InvokerStep, ProvisionedUse};

impl Metrics {
    /// Facts about invocations.
    pub(super) fn invocation(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::InvocationStarted {
            function,
            records,
            cold_start,
            concurrent,
            concurrency,
            provisioned,
            ..
        } = *fact
        {
            let group = &mut self.processors[function.into()];
            group.add(now, Metric::Invocations, Point::of(1));
            group.add(now, Metric::ColdStarts, Point::of(u64::from(cold_start.is_some())));
            group.add(now, Metric::ConcurrentExecutions, Point::of(u64::from(concurrent)));
            group.add(now, Metric::Throttles, Point::of(0));
            if let Some(last) = records.last() {
                group.add(now, Metric::IteratorAge, Point::of(micros(now.since(last.arrived_at))));
            }
            if provisioned.allocated > 0 {
                group.add(
                    now,
                    Metric::ProvisionedConcurrencyInvocations,
                    Point::of(u64::from(provisioned.on)),
                );
                let spilled = u64::from(!provisioned.on);
                group.add(
                    now,
                    Metric::ProvisionedConcurrencySpilloverInvocations,
                    Point::of(spilled),
                );
            }
            self.provisioned(now, function, provisioned);
            self.account(now, concurrency);
        }
        if let Fact::InvocationThrottled {
            function, concurrency, ..
        } = *fact
        {
            self.processors[function.into()].add(now, Metric::Throttles, Point::of(1));
            self.account(now, concurrency);
        }
        if let Fact::InvocationEnded {
            function,
            outcome,
            duration,
            cold_start,
            concurrent,
            provisioned,
            ..
        } = *fact
        {
            let failed = match outcome {
                InvocationOutcome::FunctionError | InvocationOutcome::TimedOut => 1,
                InvocationOutcome::Succeeded | InvocationOutcome::Throttled => 0,
            };
            // LAM-M-28: data points carry the time at which the invocation began.
            let began = now.saturating_sub(duration + cold_start.unwrap_or_default());
            let group = &mut self.processors[function.into()];
            group.add(began, Metric::Errors, Point::of(failed));
            group.add(began, Metric::Duration, Point::of(micros(duration)));
            group.add(now, Metric::ConcurrentExecutions, Point::of(u64::from(concurrent)));
            self.provisioned(now, function, provisioned);
        }
    }

    /// The provisioned environments in use: with nothing running, nothing is said (LAM-M-14, LAM-V-17).
    fn provisioned(&mut self, now: SimTime, function: FunctionId, provisioned: ProvisionedUse) {
        if provisioned.allocated == 0 {
            return;
        }
        let group = &mut self.processors[function.into()];
        let busy = u64::from(provisioned.busy);
        group.add(now, Metric::ProvisionedConcurrentExecutions, Point::of(busy));
        // In parts per million, which the unit makes a fraction of.
        let used = busy * 1_000_000 / u64::from(provisioned.allocated);
        group.add(now, Metric::ProvisionedConcurrencyUtilization, Point::of(used));
    }

    /// What CloudWatch has for the Region only (LAM-M-09, LAM-M-10).
    fn account(&mut self, now: SimTime, concurrency: ConcurrencyUse) {
        let (unreserved, claimed) = (u64::from(concurrency.unreserved), u64::from(concurrency.claimed));
        self.account
            .add(now, Metric::UnreservedConcurrentExecutions, Point::of(unreserved));
        self.account
            .add(now, Metric::ClaimedAccountConcurrency, Point::of(claimed));
    }

    /// A step of an asynchronous event.
    pub(super) fn asynchronous(&mut self, now: SimTime, function: FunctionId, step: AsynchronousStep) {
        let group = &mut self.processors[function.into()];
        let failed = |delivery: Delivery| Point::of(u64::from(delivery == Delivery::Failed));
        match step {
            AsynchronousStep::Received { .. } => {
                group.add(now, Metric::AsyncEventsReceived, Point::of(1));
                group.add(now, Metric::AsyncEventsDropped, Point::of(0));
            }
            AsynchronousStep::Attempted { age } => group.add(now, Metric::AsyncEventAge, Point::of(micros(age))),
            AsynchronousStep::Succeeded { destination } => {
                if destination != Delivery::None {
                    group.add(now, Metric::DestinationDeliveryFailures, failed(destination));
                }
            }
            AsynchronousStep::Dropped {
                dead_letter,
                destination,
                ..
            } => {
                group.add(now, Metric::AsyncEventsDropped, Point::of(1));
                if dead_letter != Delivery::None {
                    group.add(now, Metric::DeadLetterErrors, failed(dead_letter));
                }
                if destination != Delivery::None {
                    group.add(now, Metric::DestinationDeliveryFailures, failed(destination));
                }
            }
            AsynchronousStep::Duplicated
            | AsynchronousStep::WaitsAfterThrottle { .. }
            | AsynchronousStep::WaitsAfterError { .. } => {}
        }
    }

    /// A step of a direct caller; the answer counts at the time at which it comes in.
    pub(super) fn invoker(&mut self, now: SimTime, invoker: InvokerId, step: InvokerStep) {
        let group = &mut self.invokers[invoker];
        match step {
            InvokerStep::Sent => group.add(now, Metric::RequestsSent, Point::of(1)),
            InvokerStep::Answered { answer, took } => {
                let throttled = answer == DirectAnswer::Ended(InvocationOutcome::Throttled);
                let succeeded = matches!(
                    answer,
                    DirectAnswer::Queued | DirectAnswer::Ended(InvocationOutcome::Succeeded)
                );
                group.add(now, Metric::RequestsThrottled, Point::of(u64::from(throttled)));
                let failed = !throttled && !succeeded;
                group.add(now, Metric::RequestsFailed, Point::of(u64::from(failed)));
                if !throttled {
                    group.add(now, Metric::ResponseTime, Point::of(micros(took)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::{
        Arrivals, AsynchronousInvocation, Blueprint, ColdStart, DestinationBlueprint, DestinationService,
        InvocationType, InvokerBlueprint, ProvisionedConcurrency,
    };
    use crate::directory::Component;
    use crate::engine::distribution::Distribution;
    use crate::engine::quantity::{Rate, Ratio};
    use crate::engine::time::{SimDuration, SimTime};
    use crate::ids::{FunctionId, InvokerId};
    use crate::observe::Observers;
    use crate::observe::metrics::{Metric, Statistic};
    use crate::session::{Checks, Session, SessionOptions};
    use crate::testing::blueprints::function;

    const PAY: Component = Component::Function(FunctionId(0));
    const SHOP: Component = Component::Invoker(InvokerId(0));

    /// Two calls a second of half a second each, for two minutes, and nobody calls in the third.
    fn direct(invocation_type: InvocationType) -> Blueprint {
        let mut blueprint = Blueprint::empty(3, SimDuration::from_minutes(3));
        let mut pay = function("pay", None);
        pay.per_batch = Distribution::Constant(5e8);
        pay.cold_start = ColdStart::Own(Distribution::Constant(0.0));
        blueprint.functions = vec![pay];
        let rate = Rate::per_second(2);
        let points = vec![
            (SimDuration::ZERO, rate),
            (SimDuration::from_secs(120), rate),
            (SimDuration::from_secs(121), Rate::ZERO),
        ];
        blueprint.invokers = vec![InvokerBlueprint {
            name: "shop".to_owned(),
            function: "pay".to_owned(),
            arrivals: Arrivals::Profile { points, period: None },
            invocation_type,
            payload: 1_000,
        }];
        blueprint
    }
    /// A whole run, every event of which leaves the books balanced.
    fn run(blueprint: &Blueprint) -> Observers {
        let options = SessionOptions {
            checks: Checks::EveryEvent,
            ..SessionOptions::default()
        };
        let mut session = Session::new(blueprint, options).expect("it is valid");
        session.seek(session.end()).expect("the books balance");
        session.observers().expect("they are attached").clone()
    }
    /// In the unit of the metric, in thousandths.
    fn value(
        observers: &Observers,
        metric: Metric,
        of: Component,
        statistic: Statistic,
        minutes: (u64, u64),
    ) -> Option<u64> {
        let metrics = observers.metrics.as_ref().expect("all observers are there");
        let at = |minute: u64| SimTime::from_secs(60 * minute);
        let found = metrics.value(metric, of, statistic, at(minutes.0), at(minutes.1))?;
        #[expect(clippy::as_conversions, reason = "small")]
        Some((found.as_f64() * 1_000.0).round() as u64)
    }
    const WHOLE: (u64, u64) = (0, 3);
    use Statistic::{Average, Maximum, SampleCount, Sum};

    /// Also LAM-M-12 and LAM-M-13: an invocation is one or the other.
    #[test]
    fn lam_m_11_provisioned_environments_in_use_are_counted_and_what_spills_over() {
        let mut blueprint = direct(InvocationType::RequestResponse);
        blueprint.functions[0].provisioned_concurrency = Some(ProvisionedConcurrency {
            executions: 1,
            ready_at_start: true,
        });
        let observers = run(&blueprint);
        let of = |metric, statistic| value(&observers, metric, PAY, statistic, WHOLE);
        assert_eq!(
            of(Metric::ProvisionedConcurrentExecutions, Maximum),
            Some(1_000),
            "busy, not allocated"
        );
        let on = of(Metric::ProvisionedConcurrencyInvocations, Sum).expect("some");
        let beside = of(Metric::ProvisionedConcurrencySpilloverInvocations, Sum).expect("some");
        assert!(on > 0 && beside > 0);
        assert_eq!(on + beside, of(Metric::Invocations, Sum).expect("all"));
    }

    #[test]
    fn lam_m_14_the_utilization_is_a_part_of_what_is_allocated_and_silent_when_idle() {
        let mut blueprint = direct(InvocationType::RequestResponse);
        blueprint.functions[0].provisioned_concurrency = Some(ProvisionedConcurrency {
            executions: 10,
            ready_at_start: true,
        });
        let observers = run(&blueprint);
        let of = |minutes| {
            value(
                &observers,
                Metric::ProvisionedConcurrencyUtilization,
                PAY,
                Maximum,
                minutes,
            )
        };
        let peak = of((0, 1)).expect("it is used");
        assert!((100..=800).contains(&peak), "one to eight of ten, not {peak} of 1,000");
        assert!(of((2, 3)).is_none_or(|rest| rest <= 500));
        let samples = |minutes| {
            value(
                &observers,
                Metric::ProvisionedConcurrencyUtilization,
                PAY,
                SampleCount,
                minutes,
            )
            .unwrap_or(0)
        };
        assert!(samples((2, 3)) < 10_000, "LAM-V-17: nothing is said while nothing runs");
    }

    /// Also LAM-M-10.
    #[test]
    fn lam_m_09_the_account_knows_what_is_unreserved_and_what_is_claimed() {
        let mut blueprint = direct(InvocationType::RequestResponse);
        let mut idle = function("idle", None);
        idle.reserved_concurrency = Some(30);
        blueprint.functions.push(idle);
        let observers = run(&blueprint);
        let metrics = observers.metrics.expect("all observers are there");
        let most = |metric| {
            let series = metrics.account_series(metric).expect("the account has it");
            series.points().map(|point| point.values.max).max().expect("some")
        };
        let unreserved = most(Metric::UnreservedConcurrentExecutions);
        assert!((1..=8).contains(&unreserved));
        assert_eq!(most(Metric::ClaimedAccountConcurrency), unreserved + 30);
        assert!(
            metrics.series(Metric::UnreservedConcurrentExecutions, PAY).is_none(),
            "Region only"
        );
    }

    /// Also LAM-M-16 and LAM-M-17.
    #[test]
    fn lam_m_15_asynchronous_events_are_counted_with_their_age_and_their_end() {
        let mut blueprint = direct(InvocationType::Event);
        blueprint.functions[0].failure_rate = Ratio::ONE;
        blueprint.functions[0].asynchronous = AsynchronousInvocation {
            maximum_retry_attempts: 1,
            ..AsynchronousInvocation::default()
        };
        blueprint.duration = SimDuration::from_minutes(6);
        let observers = run(&blueprint);
        let of = |metric, statistic| value(&observers, metric, PAY, statistic, (0, 6)).expect("some");
        let received = of(Metric::AsyncEventsReceived, Sum);
        assert!(received > 200_000);
        assert_eq!(of(Metric::AsyncEventsDropped, Sum), received, "each of them in the end");
        assert_eq!(
            of(Metric::AsyncEventAge, SampleCount),
            2 * received,
            "each attempt tells it"
        );
        let mean = of(Metric::AsyncEventAge, Average);
        assert!(
            (30_250_000..30_300_000).contains(&mean),
            "none, and a minute after an end that came half a second later: {mean}"
        );
        let sent = value(&observers, Metric::RequestsSent, SHOP, Sum, (0, 6)).expect("some");
        assert_eq!(sent, received);
        assert_eq!(
            value(&observers, Metric::RequestsFailed, SHOP, Sum, (0, 6)),
            Some(0),
            "202 is a success"
        );
    }

    #[test]
    fn lam_m_18_deliveries_that_fail_are_counted() {
        let mut blueprint = direct(InvocationType::Event);
        let lost = |failure_rate| {
            Some(DestinationBlueprint {
                service: DestinationService::Sqs,
                failure_rate,
            })
        };
        blueprint.functions[0].failure_rate = Ratio::new(1, 2);
        blueprint.functions[0].asynchronous = AsynchronousInvocation {
            maximum_retry_attempts: 0,
            dead_letter: lost(Ratio::ONE),
            on_failure: lost(Ratio::ZERO),
            on_success: lost(Ratio::ONE),
            ..AsynchronousInvocation::default()
        };
        let observers = run(&blueprint);
        let of = |metric, statistic| value(&observers, metric, PAY, statistic, WHOLE).expect("some");
        let dropped = of(Metric::AsyncEventsDropped, Sum);
        assert!(dropped > 50_000);
        assert_eq!(of(Metric::DeadLetterErrors, Sum), dropped);
        assert_eq!(
            of(Metric::DestinationDeliveryFailures, SampleCount),
            of(Metric::AsyncEventsReceived, Sum)
        );
        assert_eq!(
            of(Metric::DestinationDeliveryFailures, Sum),
            of(Metric::AsyncEventsReceived, Sum) - dropped,
            "reports of successes fail, reports of failures arrive"
        );
    }
}
