use super::*;
use crate::batch::InvocationOutcome;
use crate::engine::time::SimDuration;
use crate::observe::fact::GiveUpReason;
use crate::observe::holdings::ProducerHoldings;
use crate::observe::sample::{
    AUDIT, CLICKS, ENRICH, ENRICHER, SHARD, WEB, at, directory, keys, put, record, records, refused, tally,
};

/// A run told by hand: every step states its fact, and holdings follow.
struct Run {
    ledgers: Conservation,
    holdings: Holdings,
}

impl Run {
    fn new() -> Self {
        let reader = |reader| ReaderHoldings {
            reader,
            stream: CLICKS,
            shard: SHARD,
            start: 0,
            cursor: 0,
            in_flight: 0,
        };
        Self {
            ledgers: Conservation::new(directory(), keys(3), true),
            holdings: Holdings {
                producers: vec![ProducerHoldings {
                    producer: WEB,
                    unstated: 0,
                    waiting: 0,
                    in_flight: 0,
                }],
                logs: vec![LogHoldings {
                    stream: CLICKS,
                    shard: SHARD,
                    next_position: 0,
                    retained: 0,
                    trimmed: 0,
                }],
                readers: vec![reader(AUDIT), reader(ENRICH)],
                ..Holdings::default()
            },
        }
    }
    fn fact(&mut self, millis: u64, fact: &Fact<'_>) -> &mut Self {
        self.ledgers.on(at(millis), fact);
        self
    }
    fn produce(&mut self, millis: u64, records: &[Record]) -> &mut Self {
        self.holdings.producers[0].in_flight += len(records);
        self.fact(millis, &Fact::RecordsProduced { producer: WEB, records })
    }
    fn acknowledge_put(&mut self, millis: u64, records: &[Record]) -> &mut Self {
        self.holdings.producers[0].in_flight -= len(records);
        self.fact(millis, &Fact::RecordsAcknowledged { producer: WEB, records })
    }
    fn store(&mut self, millis: u64, records: &[Record]) -> &mut Self {
        let log = &mut self.holdings.logs[0];
        let tally = tally(records, log.next_position);
        log.next_position += u64::from(tally.accepted);
        log.retained += u64::from(tally.accepted);
        self.fact(millis, &put(records, &[tally], at(millis)))
    }
    fn read(&mut self, millis: u64, first_position: u64, records: &[Record]) -> &mut Self {
        let reader = &mut self.holdings.readers[1];
        reader.cursor = first_position + len(records);
        reader.in_flight += len(records);
        self.fact(
            millis,
            &Fact::GetRecordsHandled {
                received_at: SimTime::ZERO,
                stream: CLICKS,
                shard: SHARD,
                reader: ENRICH,
                first_position,
                records,
                bytes: 0,
                millis_behind: 0,
                again: false,
            },
        )
    }
    fn dispatch(&mut self, millis: u64, lane: u16, records: &[Record]) -> &mut Self {
        self.fact(
            millis,
            &Fact::BatchDispatched {
                bytes: 0,
                payload_full: false,
                reader: ENRICH,
                processor: ENRICHER.into(),
                shard: SHARD,
                lane,
                first_position: 0,
                records,
                attempts_before: 0,
            },
        )
    }
    fn acknowledge(
        &mut self,
        millis: u64,
        lane: u16,
        first_position: u64,
        positions: &[u64],
        records: u32,
    ) -> &mut Self {
        self.holdings.readers[1].in_flight -= u64::from(records);
        self.fact(
            millis,
            &Fact::BatchAcknowledged {
                reader: ENRICH,
                shard: SHARD,
                lane,
                records,
                again: 0,
                batch: &[],
                positions,
                first_position,
            },
        )
    }
    fn checkpoint(&mut self, millis: u64, position: u64) -> &mut Self {
        self.fact(
            millis,
            &Fact::CheckpointAdvanced {
                reader: ENRICH,
                shard: SHARD,
                position,
            },
        )
    }
    fn invocation(&mut self, start: u64, end: u64, stated: u64, concurrent: u32) -> &mut Self {
        let batch = records(&[0]);
        self.fact(
            start,
            &Fact::InvocationStarted {
                concurrency: crate::observe::sample::ONE_OF_MANY,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: &batch,
                cold_start: None,
                concurrent,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        );
        self.fact(
            end,
            &Fact::InvocationEnded {
                init: SimDuration::ZERO,
                passage: crate::batch::Passage::default(),
                shard: crate::ids::ShardIndex(0),
                write_pending: false,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: 1,
                outcome: InvocationOutcome::Succeeded,
                duration: SimDuration::from_millis(stated),
                cold_start: None,
                concurrent: concurrent - 1,
                init_within: SimDuration::ZERO,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        )
    }
    fn check(&mut self, millis: u64) -> Result<(), Box<Violation>> {
        self.ledgers.check(&self.holdings, at(millis))
    }
    fn broken(&mut self, millis: u64) -> Violation {
        *self.check(millis).expect_err("a ledger is broken")
    }
}

#[test]
fn a_run_without_errors_balances_at_every_moment() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2, 3]);
    run.produce(5, &batch);
    assert_eq!(run.check(5), Ok(()));
    run.store(20, &batch);
    assert_eq!(run.check(20), Ok(()));
    run.acknowledge_put(25, &batch).read(100, 0, &batch[..3]);
    assert_eq!(run.check(110), Ok(()));
    run.dispatch(185, 0, &batch[..2]);
    run.dispatch(185, 1, &batch[2..3]);
    run.acknowledge(300, 1, 2, &[], 1);
    assert_eq!(run.check(300), Ok(()));
    run.acknowledge(400, 0, 0, &[0, 1], 2).checkpoint(400, 3);
    assert_eq!(run.check(500), Ok(()));
    run.read(600, 3, &batch[3..])
        .dispatch(700, 0, &batch[3..])
        .acknowledge(800, 0, 3, &[], 1)
        .checkpoint(800, 4);
    assert_eq!(run.check(900), Ok(()));
    assert_eq!(run.ledgers.acknowledged_again(), 0);
}

#[test]
fn a_record_that_a_client_loses_breaks_the_producer_ledger() {
    let mut run = Run::new();
    run.produce(5, &records(&[0, 1, 2]));
    run.holdings.producers[0].in_flight = 1;
    run.holdings.producers[0].waiting = 1;
    let violation = run.broken(60_000);
    assert_eq!(
        violation.to_string(),
        "producer ledger of producer.web is broken at 00:01:00.000:\n  \
           produced 3\n  \
           but acknowledged 0 + given up 0 + waiting in the client 1 + in flight 1 = 2\n  \
           what happened lately:\n    \
             00:00:00.005 producer.web produced 3 records, the first: web-000000 #0"
    );
}

#[test]
fn a_record_that_a_log_loses_breaks_the_log_ledger() {
    let mut run = Run::new();
    run.store(20, &records(&[0, 1, 2]));
    run.holdings.logs[0].retained = 2;
    assert_eq!(run.broken(30).ledger, Ledger::Log);
}

#[test]
fn a_put_whose_tally_contradicts_its_records_is_found() {
    let mut run = Run::new();
    let batch = [record(0, 0), refused(record(0, 1))];
    let mut wrong = tally(&batch, 0);
    wrong.accepted = 2;
    run.fact(20, &put(&batch, &[wrong], at(20)));
    (run.holdings.logs[0].next_position, run.holdings.logs[0].retained) = (2, 2);
    let violation = run.broken(30);
    assert_eq!(
        (violation.ledger, violation.left[0].value, violation.right[0].value),
        (Ledger::Identity, 2, 1)
    );
}

#[test]
fn positions_of_a_shard_are_consecutive() {
    let mut run = Run::new();
    let batch = records(&[0, 1]);
    run.store(20, &batch)
        .fact(30, &put(&batch, &[tally(&batch, 3)], at(30)));
    let violation = run.broken(30);
    assert_eq!(
        (violation.ledger, violation.left[0].value, violation.right[0].value),
        (Ledger::Identity, 3, 2)
    );
}

#[test]
fn two_errors_that_cancel_in_the_counts_are_told_by_the_positions() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2, 3]);
    run.store(20, &batch).read(100, 0, &batch);
    // Position 1 is acknowledged twice and position 2 never: four acknowledgements of four records.
    run.dispatch(200, 0, &batch[..2]).acknowledge(300, 0, 0, &[], 2);
    run.dispatch(300, 0, &batch[1..2]).acknowledge(400, 0, 1, &[], 1);
    run.dispatch(400, 0, &batch[3..]).acknowledge(500, 0, 3, &[], 1);
    let violation = run.broken(500);
    assert_eq!(violation.ledger, Ledger::Reader);
    assert_eq!(violation.component, "mapping.enrich");
    let culprit = violation.culprit.expect("positions are kept");
    assert!(
        culprit
            .what
            .ends_with("the lowest not done is 2, 1 were acknowledged again."),
        "{}",
        culprit.what
    );
    assert!(
        violation
            .history
            .iter()
            .any(|line| line.contains("mapping.enrich acknowledged 1 record"))
    );
}

#[test]
fn a_checkpoint_may_not_pass_a_record_that_is_not_done() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2]);
    run.store(20, &batch).read(100, 0, &batch);
    run.dispatch(200, 0, &batch[2..])
        .acknowledge(300, 0, 2, &[], 1)
        .checkpoint(300, 3);
    let violation = run.broken(300);
    assert_eq!((violation.left[0].value, violation.right[0].value), (2, 0));
    let culprit = violation.culprit.expect("positions are kept");
    assert!(culprit.what.contains("the record at 0 is not done"), "{}", culprit.what);
}

#[test]
fn a_record_is_neither_read_twice_nor_before_it_is_stored() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2]);
    run.store(20, &batch)
        .read(100, 0, &batch[..2])
        .read(200, 1, &batch[1..]);
    let violation = run.broken(200);
    let culprit = violation.culprit.expect("the record is at hand");
    assert_eq!(culprit.record, Some(("web-000000".to_owned(), 1, at(1), at(11))));
    let mut run = Run::new();
    run.store(20, &batch[..1]).read(100, 0, &batch);
    assert_eq!(run.broken(200).left[0].value, 3);
}

#[test]
fn only_what_was_read_and_sent_to_the_function_can_be_acknowledged() {
    let batch = records(&[0, 1, 2]);
    let mut run = Run::new();
    run.store(20, &batch)
        .read(100, 0, &batch[..2])
        .dispatch(200, 0, &batch[1..]);
    run.acknowledge(300, 0, 1, &[], 2);
    assert_eq!(run.broken(300).right[0], Term::new("read up to", 2));
    let mut run = Run::new();
    run.store(20, &batch).read(100, 0, &batch).dispatch(200, 0, &batch[..2]);
    run.acknowledge(300, 0, 0, &[], 3);
    assert_eq!(run.broken(300).right[0], Term::new("records of the lane's batch", 2));
}

#[test]
fn expired_and_discarded_records_are_terms_of_the_reader_ledger() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2, 3, 4, 5]);
    run.store(20, &batch);
    run.read(86_400_000, 2, &batch[2..]).fact(
        86_400_001,
        &Fact::RecordsExpiredUnread {
            reader: ENRICH,
            shard: SHARD,
            first_position: 0,
            count: 2,
        },
    );
    run.holdings.logs[0] = LogHoldings {
        retained: 3,
        trimmed: 3,
        ..run.holdings.logs[0]
    };
    assert_eq!(run.check(86_400_002), Ok(()));
    run.dispatch(86_400_002, 0, &batch[2..4]);
    run.holdings.readers[1].in_flight -= 2;
    run.fact(
        86_400_300,
        &Fact::RecordsExpiredInRetry {
            reader: ENRICH,
            shard: SHARD,
            count: 1,
            first_position: 3,
        },
    )
    .fact(
        86_400_300,
        &Fact::RecordsDiscarded {
            reader: ENRICH,
            shard: SHARD,
            reason: crate::observe::fact::DiscardReason::PayloadTooLarge,
            remains: crate::observe::fact::Remains::Dropped,
            positions: &[],
            records: &batch[4..5],
            first_position: 4,
        },
    );
    run.dispatch(86_400_300, 0, &batch[2..3])
        .acknowledge(86_400_400, 0, 2, &[], 1)
        .checkpoint(86_400_400, 5);
    assert_eq!(run.check(86_400_500), Ok(()));
    run.checkpoint(86_400_600, 6);
    assert_eq!(run.broken(86_400_600).left[0].value, 1, "position 5 is in flight");
}

#[test]
fn a_reader_that_starts_late_owes_nothing_for_what_came_before() {
    let mut run = Run::new();
    let batch = records(&[0, 1, 2, 3]);
    run.store(20, &batch);
    run.holdings.readers[1].start = 2;
    run.holdings.readers[1].cursor = 2;
    assert_eq!(run.check(30), Ok(()));
    run.read(100, 2, &batch[2..])
        .dispatch(200, 0, &batch[2..])
        .acknowledge(300, 0, 2, &[], 2)
        .checkpoint(300, 4);
    assert_eq!(run.check(400), Ok(()));
}

#[test]
fn a_client_is_done_with_each_record_once() {
    let mut run = Run::new();
    let batch = records(&[0, 1]);
    run.produce(5, &batch).acknowledge_put(20, &batch);
    let reason = GiveUpReason::NotResent;
    run.fact(
        30,
        &Fact::RecordsGivenUp {
            producer: WEB,
            reason,
            records: &batch[1..],
        },
    );
    let violation = run.broken(30);
    assert_eq!(violation.ledger, Ledger::Identity);
    let culprit = violation.culprit.expect("the record is at hand");
    assert_eq!(
        culprit.record.map(|(key, ordinal, ..)| (key, ordinal)),
        Some(("web-000000".to_owned(), 1))
    );
}

#[test]
fn a_producer_numbers_its_records_without_a_gap() {
    let mut run = Run::new();
    run.produce(5, &records(&[0, 2]));
    let violation = run.broken(5);
    assert_eq!((violation.left[0].value, violation.right[0].value), (2, 1));
}

#[test]
fn littles_law_holds_for_overlapping_invocations_and_those_in_progress() {
    let mut run = Run::new();
    let start = |run: &mut Run, millis, concurrent| {
        run.fact(
            millis,
            &Fact::InvocationStarted {
                concurrency: crate::observe::sample::ONE_OF_MANY,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: &[],
                cold_start: None,
                concurrent,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        );
    };
    let end = |run: &mut Run, millis, duration, cold_start: Option<u64>, concurrent| {
        run.fact(
            millis,
            &Fact::InvocationEnded {
                init: SimDuration::ZERO,
                passage: crate::batch::Passage::default(),
                shard: crate::ids::ShardIndex(0),
                write_pending: false,
                function: ENRICHER,
                caller: crate::observe::fact::Caller::Reader(ENRICH),
                records: 0,
                outcome: InvocationOutcome::Succeeded,
                duration: SimDuration::from_millis(duration),
                cold_start: cold_start.map(SimDuration::from_millis),
                concurrent,
                init_within: SimDuration::ZERO,
                provisioned: crate::observe::fact::ProvisionedUse::default(),
            },
        );
    };
    start(&mut run, 10, 1);
    start(&mut run, 10, 2);
    start(&mut run, 25, 3);
    assert_eq!(run.check(30), Ok(()));
    end(&mut run, 40, 15, None, 2);
    end(&mut run, 60, 20, Some(30), 1);
    assert_eq!(run.check(100), Ok(()));
    let (area, ended, running) = run.ledgers.functions[ENRICHER].sides(at(100));
    assert_eq!((area, ended, running), (155_000_000, 65_000_000, 90_000_000));
}

#[test]
fn an_invocation_whose_duration_is_not_its_time_is_found() {
    let mut run = Run::new();
    run.invocation(10, 30, 20, 1).invocation(50, 80, 20, 1);
    let violation = run.broken(80);
    let culprit = violation.culprit.expect("it is explained");
    assert_eq!(culprit.what, "No invocation in progress began so long ago.");
}

#[test]
fn a_function_that_loses_count_is_found() {
    let mut run = Run::new();
    run.invocation(10, 30, 20, 2);
    assert_eq!(
        run.broken(30).left[0],
        Term::new("invocations in progress, as stated", 2)
    );
}

#[test]
fn littles_law_for_the_backlog_counts_arrivals_that_lie_ahead() {
    let mut run = Run::new();
    // Records 0 and 9 arrive at 10 and 19 ms; the put is stated at 5 ms, as in a call window.
    let batch = [record(0, 0), record(1, 9)];
    run.store(5, &batch);
    assert_eq!(run.check(12), Ok(()));
    run.read(100, 0, &batch)
        .dispatch(200, 0, &batch)
        .acknowledge(300, 0, 0, &[], 2);
    assert_eq!(run.check(300), Ok(()));
    let stored = &run.ledgers.streams[CLICKS];
    assert_eq!(stored.ahead, 5_000_000 + 14_000_000);
    assert_eq!(run.ledgers.readers[ENRICH].waited, (300 - 10 + 300 - 19) * 1_000_000);
}

#[test]
fn a_log_that_alters_an_arrival_time_breaks_littles_law() {
    let mut run = Run::new();
    let batch = records(&[0, 1]);
    run.store(20, &batch);
    let mut altered = batch.clone();
    altered[1].arrived_at = at(12);
    run.read(100, 0, &altered);
    assert_eq!(run.broken(100).ledger, Ledger::BacklogTime);
    // A failed batch that comes back with another time is found when it is acknowledged.
    let mut run = Run::new();
    run.store(20, &batch)
        .read(100, 0, &batch)
        .dispatch(200, 0, &altered)
        .acknowledge(300, 0, 0, &[], 2);
    assert_eq!(run.broken(300).ledger, Ledger::BacklogTime);
}

#[test]
fn requests_and_asynchronous_events_have_ledgers_of_their_own() {
    use crate::batch::DirectAnswer;
    use crate::observe::fact::{AsynchronousStep, Delivery, DropReason, InvokerStep};
    use crate::observe::holdings::{InvokerHoldings, QueueHoldings};
    use crate::observe::sample::{AUDITOR, SHOP};
    let acted = |step| Fact::InvokerActed { invoker: SHOP, step };
    let event = |step| Fact::AsynchronousEvent {
        function: AUDITOR,
        step,
    };
    let received = AsynchronousStep::Received {
        invoker: SHOP,
        bytes: 100,
    };
    let mut run = Run::new();
    let holds = |run: &mut Run, in_flight, waiting, running| {
        run.holdings.invokers = vec![InvokerHoldings {
            invoker: SHOP,
            in_flight,
        }];
        run.holdings.queues = vec![QueueHoldings {
            function: AUDITOR,
            waiting,
            running,
        }];
    };
    run.fact(1, &acted(InvokerStep::Sent))
        .fact(2, &acted(InvokerStep::Sent));
    run.fact(3, &event(received));
    holds(&mut run, 2, 1, 0);
    assert!(run.ledgers.check(&run.holdings, at(4)).is_ok());
    let answered = InvokerStep::Answered {
        answer: DirectAnswer::Queued,
        took: SimDuration::SECOND,
    };
    let dropped = AsynchronousStep::Dropped {
        reason: DropReason::AgeExceeded,
        dead_letter: Delivery::None,
        destination: Delivery::None,
    };
    run.fact(5, &acted(answered))
        .fact(6, &event(AsynchronousStep::Duplicated));
    run.fact(7, &event(dropped));
    holds(&mut run, 1, 0, 1);
    assert!(run.ledgers.check(&run.holdings, at(8)).is_ok());
    let mut lost_event = Run::new();
    lost_event.fact(1, &event(received));
    holds(&mut lost_event, 0, 0, 0);
    let violation = lost_event
        .ledgers
        .check(&lost_event.holdings, at(9))
        .expect_err("an event is gone");
    assert_eq!(
        (violation.ledger, violation.component.as_str()),
        (Ledger::EventQueue, "function.audit")
    );
    let mut lost_request = Run::new();
    lost_request.fact(1, &acted(InvokerStep::Sent));
    holds(&mut lost_request, 0, 0, 0);
    let violation = lost_request
        .ledgers
        .check(&lost_request.holdings, at(9))
        .expect_err("a request is gone");
    assert_eq!(
        (violation.ledger, violation.component.as_str()),
        (Ledger::Invoker, "invoker.shop")
    );
}
