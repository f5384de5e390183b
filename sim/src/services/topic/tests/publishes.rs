//! What a topic takes: sizes, batches and quotas.

use super::*;

/// SQS-S-18, SQS-H-11: over the topic's message size a publish is refused with InvalidParameter, and nothing is copied.
#[test]
fn sqs_s_18_a_larger_message_is_an_invalid_parameter() {
    let sized = |bytes| Record { bytes, ..message(0, 0) };
    for most in [262_144, 1_048_576] {
        let mut plan = plan(1);
        plan.topic.maximum_message_size = most;
        let mut bench = plan.bench();
        bench.post(millis(1), PutApi::Publish, vec![sized(most)]);
        assert_eq!(bench.answer(millis(2)).0.error, None);
        bench.post(millis(10), PutApi::Publish, vec![sized(most + 1)]);
        assert_eq!(bench.answer(millis(11)).0.error, Some(ServiceError::InvalidArgument));
        assert_eq!(bench.copies(millis(500)).len(), 1);
    }
}

/// SQS-S-20: ten messages in a PublishBatch.
#[test]
fn sqs_s_20_a_batch_holds_ten_messages() {
    let mut bench = plan(1).bench();
    bench.publish(millis(1), messages(10));
    assert_eq!(bench.answer(millis(2)).0.error, None);
    bench.publish(millis(10), messages(11));
    let (call, _) = bench.answer(millis(11));
    assert_eq!(call.error, Some(ServiceError::TooManyEntriesInBatchRequest));
    assert_eq!(bench.copies(millis(500)).len(), 10);
}

/// The payload of a batch is bounded like that of a message.
#[test]
fn a_batch_is_as_large_as_a_message_may_be() {
    let mut bench = plan(1).bench();
    let sized = |ordinal, bytes| Record {
        bytes,
        ..message(0, ordinal)
    };
    bench.publish(millis(1), vec![sized(0, 131_072), sized(1, 131_072)]);
    assert_eq!(bench.answer(millis(2)).0.error, None);
    bench.publish(millis(10), vec![sized(2, 131_072), sized(3, 131_073)]);
    assert_eq!(
        bench.answer(millis(11)).0.error,
        Some(ServiceError::BatchRequestTooLong)
    );
}

/// Publishes one message or batch after the other until the topic refuses; how many messages it took.
fn taken_at_once(bench: &mut Bench, at: SimTime, topic: TopicId, api: PutApi, size: u32) -> u64 {
    let mut taken = 0;
    for number in 0.. {
        let records = (0..size).map(|entry| message(number * size + entry, 0)).collect();
        let now = at.max(bench.harness.now());
        bench.publish_to(now, topic, api, records);
        let (answers, _) = bench.until(now + SimDuration::from_nanos(10));
        let Some(Envelope::Put(call)) = answers.first().map(|answer| answer.envelope) else {
            panic!("no answer")
        };
        match call.error {
            None => taken += u64::from(size),
            Some(error) => {
                assert_eq!(error, ServiceError::Throttled);
                return taken;
            }
        }
    }
    taken
}

/// SQS-S-21, SQS-S-22, SQS-S-23, SQS-S-24, SQS-S-25: the quota of the Region counts messages, in batches or not.
#[test]
fn sqs_s_25_the_quota_of_the_account_counts_messages() {
    for (region, quota) in [
        ("sa-east-1", 300),
        ("ap-northeast-1", 1_500),
        ("eu-west-1", 9_000),
        ("us-east-1", 30_000),
    ] {
        let mut plan = plan(0);
        plan.account = TopicAccount::in_region(region);
        let first = SimTime::from_secs(1);
        let in_batches = taken_at_once(&mut plan.bench(), first, ME, PutApi::PublishBatch, 10);
        assert_eq!(in_batches, quota, "{region}");
        if quota < 2_000 {
            let mut bench = plan.bench();
            assert_eq!(
                taken_at_once(&mut bench, first, ME, PutApi::Publish, 1),
                quota,
                "{region}"
            );
            // A second later there is as much again.
            let later = SimTime::from_secs(2) + SimDuration::from_millis(1);
            assert_eq!(
                taken_at_once(&mut bench, later, ME, PutApi::Publish, 1),
                quota,
                "{region}"
            );
        }
    }
}

/// SQS-S-25: the quota is the account's, so topics of a type share it, and FIFO topics have one of their own.
#[test]
fn sqs_s_25_topics_of_an_account_share_the_quota() {
    let mut plan = plan(0);
    plan.account = TopicAccount::in_region("sa-east-1");
    let setting = TopicSetting {
        profile: plan.profile,
        model: &plan.model,
        subscriptions: &[],
        groups: &Arc::default(),
        publishers: &[],
    };
    let mut bench = plan.bench();
    let mut streams = RandomStreams::new(2, 0);
    for (name, fifo) in [("other", None), ("ordered", Some(ThroughputScope::Topic))] {
        let blueprint = TopicBlueprint {
            name: name.to_owned(),
            fifo,
            ..plan.topic.clone()
        };
        let topics = &mut bench.harness.component;
        topics.add(&blueprint, setting, &mut streams).expect("a topic");
    }
    let at = SimTime::from_secs(1);
    assert_eq!(taken_at_once(&mut bench, at, ME, PutApi::PublishBatch, 10), 300);
    let now = bench.harness.now();
    assert_eq!(taken_at_once(&mut bench, now, TopicId(1), PutApi::PublishBatch, 10), 0);
    let now = bench.harness.now();
    assert_eq!(
        taken_at_once(&mut bench, now, TopicId(2), PutApi::PublishBatch, 10),
        3_000
    );
}

/// A message that was published and whose answer is lost is delivered all the same, and the publisher is told nothing.
#[test]
fn a_lost_answer_hides_a_publish_that_took_effect() {
    let mut plan = plan(1);
    plan.model.lost_acknowledgement_rate = Ratio::ONE;
    plan.model.request_timeout = SimDuration::from_secs(5);
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(1));
    let (answers, copies) = bench.until(millis(5_000));
    assert_eq!((answers.len(), copies.len()), (0, 1));
    assert_eq!(bench.answer(millis(5_002)).0.error, Some(ServiceError::RequestTimeout));
}

/// A failure of the service stores nothing.
#[test]
fn a_publish_that_failed_is_not_delivered() {
    let mut plan = plan(1);
    plan.model.internal_failure_rate = Ratio::ONE;
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(2));
    assert_eq!(bench.answer(millis(2)).0.error, Some(ServiceError::InternalFailure));
    assert_eq!(bench.copies(millis(500)).len(), 0);
    assert!(matches!(
        bench.published().as_slice(),
        [(TopicFact::Refused { error: ServiceError::InternalFailure, .. }, records)] if records.len() == 2
    ));
}
