//! What the library makes of answers.

use super::*;
use crate::observe::fact::RetryBy;

/// KDS-KPL-25: nothing repeats a request; its user records go through aggregation again, with others.
#[test]
fn kds_kpl_25_refused_user_records_are_aggregated_anew_with_those_that_came_meanwhile() {
    let mut bench = bench(
        defaults(),
        1,
        &[(0, 'a', 50), (50, 'a', 50), (125, 'a', 50), (140, 'b', 50)],
    );
    let mut first = true;
    bench.behaviour = Box::new(move |request, records, user| {
        if core::mem::take(&mut first) {
            throttle(request, records, user)
        } else {
            store(request, records, user)
        }
    });
    bench.run_until(millis(500));
    assert_eq!(
        bench.sent(),
        [(120, vec![vec![0, 1]]), (182 + COLLECTION, vec![vec![0, 1, 2, 0]])],
        "refused at 132 ms, due 50 ms later"
    );
    assert!(
        bench.requests.iter().all(|request| request.call.attempt == 1),
        "the SDK repeats nothing"
    );
    let attempts: Vec<u32> = bench.requests[1].user.records.iter().map(Record::attempt).collect();
    assert_eq!(attempts, [2, 2, 1, 1]);
    assert_eq!(
        bench.requests[1].user.first_sent_at,
        [millis(120), millis(120), millis(202), millis(202)]
    );
}

/// No wait grows: the fifth attempt comes as soon after the fourth as the second after the first. At the end the deadline
/// is the expiry.
#[test]
fn kds_kpl_26_a_repeated_user_record_is_due_after_half_record_max_buffered_time() {
    for (buffered, step) in [(100, 50 + COLLECTION + 12), (400, 200 + 50 + 12)] {
        let library = ProducerLibrary {
            record_max_buffered_time: SimDuration::from_millis(buffered),
            record_ttl: SimDuration::from_secs(2),
            ..defaults()
        };
        let mut bench = bench(library, 1, &[(0, 'a', 50)]);
        bench.behaviour = Box::new(throttle);
        bench.run_until(millis(3_000));
        let sent: Vec<u64> = bench
            .requests
            .iter()
            .map(|request| request.sent_at.as_millis())
            .collect();
        let steps: Vec<u64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (last, regular) = steps.split_last().expect("there are many");
        assert!(regular.iter().all(|found| *found == step), "{sent:?}");
        assert!(*last <= step && sent.last().is_some_and(|at| *at <= 2_000), "{sent:?}");
        let scheduled = bench.harness.find(|note| match note.fact {
            Fact::RetryScheduled {
                by: RetryBy::Library,
                at,
                ..
            } => Some(at.since(note.at).as_millis()),
            _ => None,
        });
        assert!(scheduled.iter().all(|wait| *wait == buffered / 2), "{scheduled:?}");
    }
}

/// KDS-KPL-10: after 6 seconds without a response all are sent again; some of them may be stored already.
#[test]
fn kds_kpl_27_a_call_that_fails_whole_fails_every_user_record_in_it() {
    for error in [ServiceError::InternalFailure, ServiceError::RequestTimeout] {
        let mut bench = bench(defaults(), 2, &[(0, 'a', 50), (0, 'a', 50), (0, 'b', 50)]);
        let mut first = true;
        bench.behaviour = Box::new(move |request, records, user| {
            if core::mem::take(&mut first) {
                return Some(error);
            }
            store(request, records, user)
        });
        bench.run_until(millis(500));
        assert_eq!(bench.sent().len(), 2);
        assert_eq!(bench.sent()[1].1, [vec![0, 1], vec![0]]);
        assert_eq!(bench.acknowledged(), [0, 1, 0]);
        assert_eq!(
            bench.requests[0].call.library.map(|call| call.timeout),
            Some(SimDuration::from_secs(6)),
            "KDS-KPL-10"
        );
    }
}

/// Only the entries that were refused come back, and each user record is told of by itself (KDS-W-13).
#[test]
fn kds_w_13_stored_entries_of_a_request_are_settled_and_refused_ones_come_back() {
    let mut bench = bench(defaults(), 2, &[(0, 'a', 50), (0, 'c', 50), (0, 'b', 50)]);
    let mut first = true;
    bench.behaviour = Box::new(move |request, records, user| {
        store(request, records, user);
        if core::mem::take(&mut first) {
            records[1].set_outcome(Outcome::Failed);
        }
        None
    });
    bench.run_until(millis(500));
    assert_eq!(
        bench.requests[1]
            .user
            .records
            .iter()
            .map(|record| record.key.0)
            .collect::<Vec<_>>(),
        [1]
    );
    let answered = bench.harness.find(|note| match note.fact {
        Fact::RequestAnswered {
            stored,
            throttled,
            failed,
            ..
        } => Some((stored, throttled, failed)),
        _ => None,
    });
    assert_eq!(answered, [(1, 0, 1), (1, 0, 0)]);
}

/// A user record that is refused again and again falls behind others of its key by more than that.
#[test]
fn kds_kpl_29_refusals_reorder_a_key_beyond_twice_record_max_buffered_time() {
    let library = ProducerLibrary {
        aggregation_max_count: 1,
        ..defaults()
    };
    let mut bench = bench(library, 1, &stream_of('a', 0, 200, 6, 50));
    // The first user record is refused for a second.
    bench.behaviour = Box::new(move |request, records, user| {
        store(request, records, user);
        for record in records
            .iter_mut()
            .filter(|record| record.ordinal == 0 && request.sent_at < millis(1_000))
        {
            record.set_outcome(Outcome::Throttled);
        }
        None
    });
    bench.run_until(millis(2_000));
    let acknowledged = bench.acknowledged();
    let first = acknowledged
        .iter()
        .position(|ordinal| *ordinal == 0)
        .expect("it succeeds in the end");
    assert!(
        first >= 2,
        "{acknowledged:?}: created at 0 ms, behind one of 400 ms or later"
    );
}
