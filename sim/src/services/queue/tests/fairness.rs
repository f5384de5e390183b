//! Fair queues: noisy tenants and quiet ones.

use super::*;
use crate::observe::queue_fact::Quiet;

/// A queue whose sender states a MessageGroupId.
fn fair() -> Bench {
    bench(&QueueBlueprint {
        grouped: vec!["shop".to_owned()],
        ..blueprint()
    })
}
fn quiet(bench: &Bench) -> Quiet {
    bench.harness.component.1.depth_now().quiet.expect("a fair queue")
}
/// Sends messages of a tenant, ten at a time.
fn load(bench: &mut Bench, at: u64, tenant: u32, count: u32) {
    for number in 0..count / 10 {
        bench.send(
            seconds(at) + SimDuration::from_millis(2 * u64::from(number)),
            messages(tenant, number * 10..number * 10 + 10),
        );
    }
}
/// Receives so many batches of ten for an hour; the tenants that they were of.
fn take(bench: &mut Bench, at: u64, batches: u64) -> Vec<u32> {
    let mut tenants = Vec::new();
    for number in 0..batches {
        let at = seconds(at) + SimDuration::from_millis(2 * number);
        let got = bench.ask(at, 10, 0, Some(3_600));
        tenants.extend(got[0].records.iter().map(|record| record.key.0));
    }
    tenants
}

/// SQS-Q-02, SQS-Q-04, SQS-Q-07, SQS-Q-08: a tenant with thirty messages and a tenth of those in flight is noisy: others
/// are served before it, and it is served when there are none.
#[test]
fn sqs_q_07_quiet_tenants_are_served_before_a_noisy_one() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 100);
    assert_eq!(take(&mut bench, 10, 3), vec![0; 30]);
    load(&mut bench, 20, 1, 10);
    assert_eq!(take(&mut bench, 30, 2)[..10], [1; 10], "though they came last");
    assert_eq!(
        take(&mut bench, 31, 10).len(),
        60,
        "SQS-Q-08: the rest of the noisy tenant's"
    );
    assert_eq!(quiet(&bench).noisy, 1);
}

/// SQS-Q-14.
#[test]
fn sqs_q_04_sqs_q_14_twenty_nine_messages_in_flight_make_no_noise() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 100);
    for number in 0..29 {
        bench.ask(seconds(10) + SimDuration::from_millis(2 * number), 1, 0, Some(3_600));
    }
    load(&mut bench, 20, 1, 10);
    assert_eq!(take(&mut bench, 30, 1), [0; 10], "in the order of sending");
}

/// SQS-Q-05, SQS-Q-06, SQS-Z-18: more than a tenth of the recent processing time is noise, too, for a minute.
#[test]
fn sqs_q_05_processing_time_makes_noise() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 100);
    let slow = bench.receive(seconds(10), 1);
    bench.delete(seconds(20), &slow);
    load(&mut bench, 30, 1, 10);
    assert_eq!(bench.ask(seconds(40), 1, 0, Some(0))[0].records[0].key, KeyId(1));
    assert_eq!(quiet(&bench).noisy, 1);
    assert_eq!(
        bench.ask(seconds(80), 1, 0, Some(0))[0].records[0].key,
        KeyId(0),
        "the ten seconds are no longer recent"
    );
}

/// SQS-Q-03: a message without a MessageGroupId is a tenant of its own, so many of them make no noise.
#[test]
fn sqs_q_03_messages_without_a_group_are_tenants_each() {
    let mut bench = fair();
    bench.harness.component.1.grouped.clear();
    load(&mut bench, 1, 0, 100);
    take(&mut bench, 10, 5);
    bench.harness.component.1.grouped.push(ProducerId(0));
    load(&mut bench, 20, 1, 10);
    assert_eq!(take(&mut bench, 30, 1), [0; 10]);
    assert_eq!(quiet(&bench).noisy, 0);
}

#[test]
fn sqs_q_09_of_noisy_tenants_that_with_the_fewest_in_flight_comes_first() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 200);
    take(&mut bench, 10, 6);
    load(&mut bench, 20, 1, 200);
    take(&mut bench, 30, 4);
    assert_eq!(quiet(&bench).noisy, 2);
    assert_eq!(take(&mut bench, 31, 1), [1; 10], "40 in flight against 60");
}

/// SQS-Q-10, SQS-Q-11, SQS-Z-19: with its share a tenant loses its noise; and with its backlog.
/// SQS-Y-10.
#[test]
fn sqs_q_11_a_tenant_is_quiet_again_when_nothing_of_it_is_left() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 40);
    let mut held = Vec::new();
    for number in 0..4 {
        held.extend(bench.ask(seconds(10 + number), 10, 0, Some(3_600)));
    }
    load(&mut bench, 20, 1, 10);
    bench.ask(seconds(21), 1, 0, Some(0));
    assert_eq!(quiet(&bench).noisy, 1);
    for (number, batch) in held.iter().enumerate() {
        bench.delete(
            seconds(22) + SimDuration::from_millis(2 * u64::try_from(number).expect("few")),
            batch,
        );
    }
    bench.ask(seconds(23), 1, 0, Some(0));
    assert_eq!(quiet(&bench).noisy, 0);
}

/// SQS-Q-17, SQS-Q-18: what the metrics of quiet groups leave out.
#[test]
fn sqs_q_17_the_metrics_of_quiet_groups_leave_noisy_tenants_out() {
    let mut bench = fair();
    load(&mut bench, 1, 0, 100);
    take(&mut bench, 10, 3);
    load(&mut bench, 20, 1, 10);
    bench.ask(seconds(30), 1, 0, Some(3_600));
    let seen = quiet(&bench);
    assert_eq!((seen.available, seen.in_flight, seen.noisy), (9, 1, 1));
    assert_eq!(seen.oldest, Some(seconds(20)));
    assert_eq!(bench.state(), (79, 0, 31));
}

/// SQS-Q-13: fairness changes the order, and not how much is delivered; SQS-N-04: nor when.
#[test]
fn sqs_q_13_a_fair_queue_delivers_as_much_as_any() {
    let (mut fair, mut plain) = (fair(), bench(&blueprint()));
    for bench in [&mut fair, &mut plain] {
        for tenant in 0..3 {
            load(bench, 1 + u64::from(tenant), tenant, 50);
        }
        assert_eq!(take(bench, 10, 20).len(), 150);
    }
}
