use super::*;
use crate::batch::InvocationOutcome;
use crate::blueprint::PutApi;
use crate::observe::fact::{DiscardReason, GiveUpReason};
use crate::observe::holdings::{LogHoldings, ReaderHoldings};
use crate::observe::sample::{
    AUDITOR, CLICKS, ENRICH, ENRICHER, ORDERS, SHARD, WEB, at, delivered, directory, keys, put, record, records,
    refused, tally,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SINK: Place = Place::Sink(ORDERS);

fn checker() -> Ordering {
    Ordering::new(directory(), keys(3))
}

fn store(checker: &mut Ordering, millis: u64, records: &[Record]) {
    checker.on(at(millis), &put(records, &[tally(records, 0)], at(millis)));
}

fn deliver(checker: &mut Ordering, millis: u64, ordinals: &[u32]) {
    let records = records(ordinals);
    checker.on(at(millis), &delivered(&records, at(millis)));
}

fn give_up(checker: &mut Ordering, millis: u64, records: &[Record]) {
    let reason = GiveUpReason::NotResent;
    let fact = Fact::RecordsGivenUp {
        producer: WEB,
        reason,
        records,
    };
    checker.on(at(millis), &fact);
}

fn anomalies(checker: &Ordering) -> [u64; 6] {
    Anomaly::ALL.map(|anomaly| checker.counts(SINK).of(anomaly))
}

#[test]
fn records_in_order_hold_every_guarantee() {
    let mut checker = checker();
    store(&mut checker, 10, &records(&[0, 1, 2, 3]));
    deliver(&mut checker, 20, &[0, 1]);
    deliver(&mut checker, 30, &[2, 3]);
    checker.finish(&Holdings::default());
    for guarantee in [Guarantee::OrderPerKey, Guarantee::NoDuplicates, Guarantee::NoLoss] {
        assert_eq!(checker.verdict(guarantee, SINK), Verdict::Holds);
    }
    assert_eq!(checker.delivered(SINK), 4);
}

#[test]
fn without_data_nothing_is_decided() {
    let checker = checker();
    for guarantee in [Guarantee::OrderPerKey, Guarantee::NoDuplicates, Guarantee::NoLoss] {
        assert_eq!(
            checker.verdict(guarantee, SINK),
            Verdict::Undecided("no record took effect at sink.orders".to_owned())
        );
    }
    let verdict = checker.verdict(Guarantee::OrderPerKey, Place::Processor(AUDITOR.into()));
    assert_eq!(
        verdict.to_string(),
        "undecided: no record took effect at function.audit"
    );
}

#[test]
fn a_refused_entry_that_is_sent_again_comes_after_later_records_of_its_key() {
    let mut checker = checker();
    let first_put = [record(0, 0), refused(record(0, 1)), record(0, 2)];
    store(&mut checker, 10, &first_put);
    checker.on(
        at(110),
        &Fact::RequestSent {
            bytes: 0,
            producer: WEB,
            stream: CLICKS,
            api: PutApi::PutRecords,
            records: &records(&[1]),
            attempt: 1,
            resends: 1,
        },
    );
    deliver(&mut checker, 100, &[0, 2]);
    store(&mut checker, 120, &records(&[1]));
    deliver(&mut checker, 200, &[1]);
    assert_eq!(
        anomalies(&checker),
        [0, 1, 0, 0, 0, 0],
        "record 1 was not stored yet, so 2 did not skip it"
    );
    let verdict = checker.verdict(Guarantee::OrderPerKey, SINK);
    assert_eq!(
        verdict.to_string(),
        "violated: Record 1 of key web-000000 (created 00:00:00.001, stored 00:00:00.011) took effect at sink.orders at \
         00:00:00.200, after record 2 (created 00:00:00.002, stored 00:00:00.012), which took effect in an earlier batch \
         at 00:00:00.100. Its client had sent it again at 00:00:00.110, after 1 earlier send. 1 case of `nonmonotonic \
         external` at sink.orders in all."
    );
    assert_eq!(checker.verdict(Guarantee::NoDuplicates, SINK), Verdict::Holds);
}

#[test]
fn order_within_a_batch_is_told_apart_from_order_between_batches() {
    let mut checker = checker();
    store(&mut checker, 10, &records(&[0, 1, 2, 3, 4]));
    deliver(&mut checker, 20, &[1, 0, 4, 2]);
    deliver(&mut checker, 30, &[3]);
    assert_eq!(anomalies(&checker), [0, 1, 2, 3, 0, 0]);
    let witness = checker
        .witness(SINK, Anomaly::NonmonotonicInternal)
        .expect("0 came after 1");
    assert_eq!(witness.record.map(|seen| seen.ordinal), Some(0));
    assert_eq!(witness.other.map(|seen| seen.ordinal), Some(1));
    assert!(witness.to_string().contains("before it in the same batch"), "{witness}");
}

#[test]
fn a_request_that_overtakes_another_is_told_from_a_record_that_is_sent_again() {
    let mut checker = checker();
    let mut late = record(0, 0);
    late.arrived_at = at(60);
    store(&mut checker, 11, &records(&[1]));
    store(&mut checker, 60, &[late]);
    deliver(&mut checker, 30, &[1]);
    checker.on(at(70), &delivered(&[late], at(70)));
    let witness = checker
        .witness(SINK, Anomaly::NonmonotonicExternal)
        .expect("0 came after 1");
    let overtaken = "The later record was stored first, at 00:00:00.011: requests in flight overtook each other.";
    assert!(witness.to_string().contains(overtaken), "{witness}");
}

#[test]
fn a_batch_that_fails_after_its_write_takes_effect_twice() {
    let mut checker = checker();
    let batch = records(&[0, 1]);
    store(&mut checker, 10, &batch);
    deliver(&mut checker, 20, &[0, 1]);
    checker.on(
        at(25),
        &Fact::BatchFailed {
            reader: ENRICH,
            shard: SHARD,
            lane: 0,
            outcome: InvocationOutcome::FunctionError,
            records: 2,
            retry_at: at(90),
            bisected: false,
        },
    );
    checker.on(
        at(90),
        &Fact::BatchDispatched {
            bytes: 0,
            payload_full: false,
            reader: ENRICH,
            processor: ENRICHER.into(),
            shard: SHARD,
            lane: 0,
            first_position: 0,
            records: &batch,
            attempts_before: 1,
        },
    );
    deliver(&mut checker, 95, &[0, 1]);
    assert_eq!(anomalies(&checker), [2, 0, 0, 0, 0, 0]);
    assert_eq!(checker.verdict(Guarantee::OrderPerKey, SINK), Verdict::Holds);
    assert_eq!(
        checker.verdict(Guarantee::NoDuplicates, SINK).to_string(),
        "violated: Record 0 of key web-000000 (created 00:00:00.000, stored 00:00:00.010) took effect again at \
         sink.orders at 00:00:00.095. The first time was 00:00:00.020. mapping.enrich sent its batch to the function \
         again at 00:00:00.090 (attempt 2), since the attempt before ended in a function error at 00:00:00.025. 2 cases \
         of `duplicate` at sink.orders in all."
    );
}

#[test]
fn a_put_repeated_after_a_lost_response_is_a_duplicate_made_by_its_client() {
    let mut checker = checker();
    let batch = records(&[0]);
    store(&mut checker, 10, &batch);
    checker.on(
        at(500),
        &Fact::RequestSent {
            bytes: 0,
            producer: WEB,
            stream: CLICKS,
            api: PutApi::PutRecords,
            records: &batch,
            attempt: 2,
            resends: 0,
        },
    );
    store(&mut checker, 510, &batch);
    assert_eq!(checker.stored_again(), 1);
    deliver(&mut checker, 520, &[0]);
    deliver(&mut checker, 530, &[0]);
    let witness = checker.witness(SINK, Anomaly::Duplicate).expect("it was stored twice");
    assert!(
        witness
            .to_string()
            .contains("The SDK had repeated its request at 00:00:00.500"),
        "{witness}"
    );
}

#[test]
fn a_stored_record_that_is_passed_over_is_skipped_once() {
    let mut checker = checker();
    store(&mut checker, 10, &records(&[0, 1, 2, 3, 4]));
    deliver(&mut checker, 20, &[0, 3]);
    deliver(&mut checker, 30, &[4]);
    assert_eq!(anomalies(&checker), [0, 0, 0, 2, 0, 0]);
    let witness = checker.witness(SINK, Anomaly::Skip).expect("1 and 2 were passed over");
    assert_eq!(witness.record.map(|seen| seen.ordinal), Some(1));
    assert!(
        witness.to_string().starts_with("Record 3 of key web-000000"),
        "{witness}"
    );
}

#[test]
fn a_record_given_up_is_no_anomaly_and_leaves_nothing_behind() {
    let mut checker = checker();
    let place = ENRICHER.index();
    for round in 0..100_u32 {
        let first = round * 3;
        let batch = [record(0, first), refused(record(0, first + 1)), record(0, first + 2)];
        let millis = u64::from(round) * 10;
        store(&mut checker, millis, &batch);
        // Half of the records are given up before the later one takes effect, half after.
        if round % 2 == 0 {
            give_up(&mut checker, millis + 1, &batch[1..2]);
        }
        deliver(&mut checker, millis + 2, &[first, first + 2]);
        give_up(&mut checker, millis + 3, &batch[1..2]);
    }
    checker.finish(&Holdings::default());
    assert_eq!(anomalies(&checker), [0; 6]);
    assert_eq!(checker.places[place].point.ranges(), 0);
    assert_eq!(checker.verdict(Guarantee::NoLoss, SINK), Verdict::Holds);
}

#[test]
fn a_record_that_stays_missing_does_not_make_the_rest_of_its_key_cost_memory() {
    let mut checker = checker();
    let place = ENRICHER.index();
    store(&mut checker, 0, &records(&[0]));
    // Record 0 does not take effect for long. Every third of the others is refused, passed over, and given up.
    for round in 0..1_000_u32 {
        let first = 1 + round * 3;
        let batch = [record(0, first), refused(record(0, first + 1)), record(0, first + 2)];
        let millis = u64::from(round) * 10;
        store(&mut checker, millis, &batch);
        deliver(&mut checker, millis + 2, &[first, first + 2]);
        give_up(&mut checker, millis + 3, &batch[1..2]);
        assert!(checker.places[place].point.ranges() < 40);
    }
    assert_eq!(anomalies(&checker), [0, 0, 0, 1, 0, 0]);
    deliver(&mut checker, 20_000, &[0]);
    let witness = checker
        .witness(SINK, Anomaly::NonmonotonicExternal)
        .expect("0 came after all others");
    assert_eq!(witness.other.map(|seen| seen.ordinal), Some(1));
    assert_eq!(checker.places[place].point.ranges(), 0);
}

#[test]
fn a_record_given_up_after_a_lost_response_is_still_expected() {
    let mut checker = checker();
    let batch = records(&[0, 1]);
    store(&mut checker, 10, &batch);
    give_up(&mut checker, 20, &batch[0..1]);
    deliver(&mut checker, 30, &[1]);
    assert_eq!(anomalies(&checker), [0, 0, 0, 1, 0, 0]);
    deliver(&mut checker, 40, &[0]);
    assert_eq!(anomalies(&checker), [0, 1, 0, 1, 0, 0]);
}

#[test]
fn expired_records_are_lost_to_their_reader_only() {
    let mut checker = checker();
    store(&mut checker, 10, &records(&[0, 1, 2]));
    deliver(&mut checker, 20, &[0]);
    checker.on(
        at(86_400_000),
        &Fact::RecordsExpiredUnread {
            reader: ENRICH,
            shard: SHARD,
            first_position: 1,
            count: 2,
        },
    );
    checker.finish(&Holdings::default());
    assert_eq!(anomalies(&checker), [0, 0, 0, 0, 2, 0]);
    assert_eq!(
        checker.verdict(Guarantee::NoLoss, SINK).to_string(),
        "violated: 2 records of shardId-000000000000, from position 1 on, expired for mapping.enrich before it had read \
         them (noticed at 1 d 00:00:00.000). 2 cases of `lost` at sink.orders in all."
    );
    assert_eq!(checker.counts(Place::Processor(AUDITOR.into())).of(Anomaly::Lost), 0);
}

#[test]
fn a_record_that_no_invocation_can_carry_is_lost() {
    let mut checker = checker();
    let batch = records(&[0, 1]);
    store(&mut checker, 10, &batch);
    checker.on(
        at(20),
        &Fact::RecordsDiscarded {
            reader: ENRICH,
            shard: SHARD,
            reason: DiscardReason::PayloadTooLarge,
            remains: crate::observe::fact::Remains::Dropped,
            positions: &[],
            records: &batch[..1],
            first_position: 0,
        },
    );
    deliver(&mut checker, 30, &[1]);
    checker.finish(&Holdings::default());
    assert_eq!(anomalies(&checker), [0, 0, 0, 1, 1, 0]);
    assert_eq!(
        checker.verdict(Guarantee::NoLoss, SINK).to_string(),
        "violated: Record 0 of key web-000000 (created 00:00:00.000, stored 00:00:00.010) never took effect at \
         sink.orders. mapping.enrich discarded it at 00:00:00.020, since no invocation can carry it. 1 case of `lost` at \
         sink.orders in all."
    );
}

#[test]
fn records_on_their_way_at_the_end_are_unobserved_but_not_lost() {
    let mut checker = checker();
    store(&mut checker, 10, &records(&[0, 1, 2]));
    deliver(&mut checker, 20, &[0]);
    let mut holdings = Holdings::default();
    holdings.logs.push(LogHoldings {
        stream: CLICKS,
        shard: SHARD,
        next_position: 3,
        retained: 3,
        trimmed: 0,
    });
    holdings.readers.push(ReaderHoldings {
        reader: ENRICH,
        stream: CLICKS,
        shard: SHARD,
        start: 0,
        cursor: 2,
        in_flight: 1,
    });
    checker.finish(&holdings);
    assert_eq!(checker.counts(SINK).of(Anomaly::Unobserved), 2);
    assert_eq!(checker.verdict(Guarantee::NoLoss, SINK), Verdict::Holds);
    holdings.readers[0].in_flight = 0;
    checker.finish(&holdings);
    let verdict = checker.verdict(Guarantee::NoLoss, SINK);
    assert!(
        verdict
            .to_string()
            .starts_with("violated: Record 1 of key web-000000 was stored, but had not taken effect"),
        "{verdict}"
    );
}

#[test]
fn a_function_without_a_sink_is_a_place_of_its_own() {
    let mut checker = checker();
    let batch = records(&[0, 1]);
    store(&mut checker, 10, &batch);
    for records in [&batch[1..], &batch[..1]] {
        checker.on(
            at(20),
            &Fact::RecordsProcessed {
                reader: crate::ids::ReaderId(0),
                positions: &[],
                passage: crate::batch::Passage::default(),
                shard: crate::ids::ShardIndex(0),
                processor: AUDITOR.into(),
                records,
            },
        );
    }
    deliver(&mut checker, 30, &[0, 1]);
    let audit = Place::Processor(AUDITOR.into());
    assert!(checker.verdict(Guarantee::OrderPerKey, audit).witness().is_some());
    assert_eq!(checker.verdict(Guarantee::OrderPerKey, SINK), Verdict::Holds);
}

#[test]
fn a_record_that_nobody_accepted_is_a_bug_of_the_model() {
    let mut checker = checker();
    deliver(&mut checker, 20, &[0]);
    assert_eq!(
        checker.impossible(),
        Some("record 0 of key web-000000 took effect at sink.orders at 00:00:00.020, but no stream has accepted it")
    );
}

/// What the checker says, by the definitions, from whole lists.
#[derive(Default)]
struct Naive {
    accepted: BTreeSet<(u32, u32)>,
    given_up: BTreeSet<(u32, u32)>,
    /// First deliveries in order: key, ordinal, batch.
    seen: Vec<(u32, u32, usize)>,
    passed_over: BTreeSet<(u32, u32)>,
    batches: usize,
    counts: BTreeMap<&'static str, u64>,
}

impl Naive {
    fn count(&mut self, anomaly: Anomaly) {
        *self.counts.entry(anomaly.name()).or_default() += 1;
    }
    fn deliver(&mut self, batch: &[(u32, u32)]) {
        self.batches += 1;
        for &(key, ordinal) in batch {
            if self.seen.iter().any(|&(k, o, _)| (k, o) == (key, ordinal)) {
                self.count(Anomaly::Duplicate);
                continue;
            }
            let first_later = self.seen.iter().find(|&&(k, o, _)| k == key && o > ordinal);
            match first_later.map(|&(_, _, number)| number == self.batches) {
                Some(true) => self.count(Anomaly::NonmonotonicInternal),
                Some(false) => self.count(Anomaly::NonmonotonicExternal),
                None => {}
            }
            for earlier in 0..ordinal {
                let absent = !self.seen.iter().any(|&(k, o, _)| (k, o) == (key, earlier));
                if absent && self.passed_over.insert((key, earlier)) && self.accepted.contains(&(key, earlier)) {
                    self.count(Anomaly::Skip);
                }
            }
            self.seen.push((key, ordinal, self.batches));
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Store(Vec<(u32, u32)>),
    GiveUp(u32, u32),
    Deliver(Vec<usize>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let identity = || (0_u32..2, 0_u32..16);
    let step = prop_oneof![
        3 => prop::collection::vec(identity(), 1..8).prop_map(Step::Store),
        1 => identity().prop_map(|(key, ordinal)| Step::GiveUp(key, ordinal)),
        4 => prop::collection::vec(0_usize..64, 1..8).prop_map(Step::Deliver),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #[test]
    fn the_checker_agrees_with_a_quadratic_one(steps in steps()) {
        let mut checker = checker();
        let mut naive = Naive::default();
        for (number, step) in steps.iter().enumerate() {
            let millis = u64::try_from(number).expect("a small number");
            match step {
                Step::Store(identities) => {
                    // What was given up is not stored afterwards.
                    let wanted: Vec<Record> = identities
                        .iter()
                        .filter(|identity| !naive.given_up.contains(identity))
                        .map(|&(key, ordinal)| record(key, ordinal))
                        .collect();
                    naive.accepted.extend(wanted.iter().map(|record| (record.key.0, record.ordinal)));
                    store(&mut checker, millis, &wanted);
                }
                Step::GiveUp(key, ordinal) => {
                    if !naive.accepted.contains(&(*key, *ordinal)) {
                        naive.given_up.insert((*key, *ordinal));
                    }
                    give_up(&mut checker, millis, &[record(*key, *ordinal)]);
                }
                Step::Deliver(picks) => {
                    let stored: Vec<(u32, u32)> = naive.accepted.iter().copied().collect();
                    let batch: Vec<(u32, u32)> = picks.iter().filter_map(|pick| stored.get(*pick).copied()).collect();
                    let records: Vec<Record> = batch.iter().map(|&(key, ordinal)| record(key, ordinal)).collect();
                    naive.deliver(&batch);
                    checker.on(at(millis), &delivered(&records, at(millis)));
                }
            }
        }
        for anomaly in [
            Anomaly::Duplicate,
            Anomaly::NonmonotonicExternal,
            Anomaly::NonmonotonicInternal,
            Anomaly::Skip,
        ] {
            let expected = naive.counts.get(anomaly.name()).copied().unwrap_or(0);
            prop_assert_eq!(checker.counts(SINK).of(anomaly), expected, "{}", anomaly.name());
        }
        checker.finish(&Holdings::default());
        let unseen = naive.accepted.len() - naive.seen.len();
        prop_assert_eq!(usize::try_from(checker.counts(SINK).of(Anomaly::Unobserved)), Ok(unseen));
        prop_assert_eq!(checker.impossible(), None);
    }
}
