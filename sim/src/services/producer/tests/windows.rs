//! Single-record calls that are handled by window.

use super::*;

#[test]
fn one_request_carries_the_calls_of_a_window_with_their_own_instants() {
    let mut bench = bench(&windowed(20_000));
    bench.run_until(millis(50));
    for request in &bench.requests {
        assert!(request.call.cohort);
        assert_eq!(request.sent_at.as_nanos() % 1_000_000, 0);
        let window = request.sent_at..request.sent_at + SimDuration::from_millis(1);
        assert!(request.records.iter().all(|record| window.contains(&record.created_at)));
        assert!(
            request
                .records
                .iter()
                .all(|record| record.arrived_at == record.created_at),
            "the call begins then"
        );
    }
    let all: usize = bench.requests.iter().map(|request| request.records.len()).sum();
    assert!((960..=1_000).contains(&all), "{all} of 20 a window");
}

#[test]
fn a_window_is_used_above_the_threshold_only_and_never_in_adaptive_mode() {
    let at_rate = |rate, mode| {
        let mut blueprint = ProducerBlueprint {
            call_window_threshold: Rate::per_second(10_000),
            ..windowed(rate)
        };
        blueprint.retry.mode = mode;
        blueprint.uses_call_window()
    };
    assert!(!at_rate(10_000, RetryMode::Standard));
    assert!(at_rate(10_001, RetryMode::Standard));
    assert!(
        !at_rate(100_000, RetryMode::Adaptive),
        "the SDK may make each call wait by itself (KDS-SDK-14)"
    );
}

#[test]
fn calls_of_a_window_are_acknowledged_repeated_and_given_up_one_by_one() {
    let mut bench = bench(&attempts(2, windowed(100)));
    bench.behaviour = Box::new(|_, records| {
        for record in records {
            match record.ordinal % 3 {
                0 => record.set_outcome(Outcome::Throttled),
                1 => record.set_outcome(Outcome::Failed),
                _ => record.set_outcome(Outcome::Accepted),
            }
        }
        (ROUND_TRIP, None)
    });
    bench.run_until(millis(1_000));
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::ZERO, cx));
    bench.run_until(millis(6_000));
    let produced = bench.produced();
    assert!((99..=101).contains(&produced), "{produced}");
    let (acknowledged, given_up) = (bench.acknowledged(), bench.given_up(GiveUpReason::AttemptsExhausted));
    assert_eq!(acknowledged + given_up, produced);
    assert!((28..=36).contains(&acknowledged), "{acknowledged}");
    let sent: usize = bench.requests.iter().map(|request| request.records.len()).sum();
    assert_eq!(sent, produced + given_up, "each that failed was tried twice");
    assert_eq!((bench.client().busy, bench.client().in_flight), (0, 0));
}

#[test]
fn an_error_of_the_whole_answer_is_an_error_of_each_of_its_calls() {
    for (error, reason) in [
        (ServiceError::RequestTimeout, GiveUpReason::AttemptsExhausted),
        (ServiceError::InvalidArgument, GiveUpReason::NotRetryable),
    ] {
        let mut bench = bench(&attempts(1, windowed(1_000)));
        bench.behaviour = Box::new(move |_, _| (ROUND_TRIP, Some(error)));
        bench.run_until(millis(500));
        assert_eq!(bench.acknowledged(), 0);
        let expected = if error == ServiceError::InvalidArgument {
            reason
        } else {
            GiveUpReason::AttemptsExhausted
        };
        assert!(bench.given_up(expected) > 450);
        let stated = bench.harness.notes().iter().find_map(|note| match note.fact {
            Fact::RequestFailed { error, .. } => Some(error),
            _ => None,
        });
        assert_eq!(stated, Some(error));
    }
}

#[test]
fn calls_of_a_window_keep_to_the_connections() {
    let mut bench = bench(&ProducerBlueprint {
        concurrency: 40,
        ..windowed(20_000)
    });
    bench.run_until(millis(500));
    assert_eq!(bench.busiest, 40);
    let mut most = 0;
    for request in &bench.requests {
        let during =
            |other: &&Request| other.sent_at <= request.sent_at && request.sent_at < other.sent_at + ROUND_TRIP;
        let busy: usize = bench
            .requests
            .iter()
            .filter(during)
            .map(|other| other.records.len())
            .sum();
        most = most.max(busy);
    }
    assert_eq!(most, 40);
    let created: Vec<SimTime> = bench
        .requests
        .iter()
        .flat_map(|request| &request.records)
        .map(|record| record.created_at)
        .collect();
    assert!(created.is_sorted(), "what waits goes first");
    let begins = bench.requests.iter().flat_map(|request| &request.records);
    assert!(begins.clone().all(|record| record.arrived_at >= record.created_at));
    let held = bench.client().holdings(bench.harness.now());
    assert_eq!(
        bench.acknowledged() as u64 + held.waiting + held.in_flight,
        bench.produced() as u64
    );
}

#[test]
fn a_quiet_client_with_windows_comes_to_rest() {
    let mut bench = bench(&windowed(1_000));
    bench.run_until(millis(100));
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::ZERO, cx));
    bench.run_until(millis(200));
    assert_eq!(bench.harness.pending(), 0);
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::new(3, 1), cx));
    bench.run_until(millis(300));
    assert!((390..=406).contains(&bench.produced()), "{}", bench.produced());
}
