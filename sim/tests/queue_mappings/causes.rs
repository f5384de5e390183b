//! Where the time of messages goes.

use super::{Story, pipeline, seconds, tell};
use sim::blueprint::FailingWindow;
use sim::engine::quantity::Ratio;
use sim::engine::time::SimDuration;
use sim::ids::FunctionId;
use sim::observe::causes::Cause;
use sim::testing::blueprints::{NETWORK, SERVICE, constant};

/// The time of all messages that is due to a cause, in milliseconds.
fn due_to(story: &Story, cause: Cause) -> u64 {
    let causes = story
        .session
        .observers()
        .and_then(|observers| observers.causes.as_ref())
        .expect("they are kept");
    assert!(causes.unexplained().is_none());
    let place = causes.of(FunctionId(0).into()).expect("the function is there");
    u64::try_from(place.of(cause).sum() / 1_000_000).expect("it fits")
}

/// A single message at 5 s whose way is known to the millisecond: linger, way, answer of the queue, ways, handler. Nothing
/// else takes time, but for the cold start.
#[test]
fn the_time_of_a_message_is_that_of_its_way() {
    let story = tell(&pipeline(30, &[(0, 5_000, 2, 1)]));
    let (network, service) = (NETWORK.as_millis(), SERVICE.as_millis());
    assert_eq!(due_to(&story, Cause::Gathering), 100);
    assert_eq!(due_to(&story, Cause::Put), network);
    assert_eq!(due_to(&story, Cause::WaitingForPoll), 0, "a poller waits for it");
    // The answer takes its time, and two ways, to the poller and to the function.
    assert_eq!(due_to(&story, Cause::Transfer), service + 2 * network);
    assert_eq!(due_to(&story, Cause::Handler), 20);
    for none in [
        Cause::PutRetries,
        Cause::WaitingForBatch,
        Cause::WaitingForConcurrency,
        Cause::Redelivery,
        Cause::Sink,
    ] {
        assert_eq!(due_to(&story, none), 0, "{none:?}");
    }
}

/// After an error a message waits for its visibility timeout: that is redelivery.
#[test]
fn a_message_that_came_back_after_an_error_was_redelivered() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 2, 1)]);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(15);
    blueprint.functions[0].failing_windows = vec![FailingWindow {
        from: seconds(0),
        until: seconds(10),
        rate: Ratio::ONE,
    }];
    let story = tell(&blueprint);
    assert_eq!(due_to(&story, Cause::Redelivery), 15_000 + SERVICE.as_millis());
    assert_eq!(due_to(&story, Cause::WaitingForConcurrency), 0);
}

/// After throttles it waits for concurrency: in the hands of a poller, and in the queue when that let it go.
#[test]
fn a_message_that_was_throttled_waited_for_concurrency() {
    // The first keeps the only environment busy until the second is let go, 11 s after its receive.
    let mut blueprint = pipeline(120, &[(0, 5_000, 2, 1), (1, 5_400, 2, 1)]);
    blueprint.queues[0].visibility_timeout = SimDuration::from_secs(12);
    blueprint.functions[0].reserved_concurrency = Some(1);
    blueprint.functions[0].timeout = SimDuration::from_secs(60);
    blueprint.functions[0].per_batch = constant(SimDuration::from_secs(11));
    let story = tell(&blueprint);
    let waited = due_to(&story, Cause::WaitingForConcurrency);
    assert_eq!(story.mapping().let_go, 1);
    assert!((12_000..12_100).contains(&waited), "{waited} ms");
    assert_eq!(due_to(&story, Cause::Redelivery), 0);
    assert_eq!(story.mapping().done, 2);
}

/// What gathers in a window waits for its batch.
#[test]
fn a_message_in_a_window_waits_for_its_batch() {
    let mut blueprint = pipeline(60, &[(0, 5_000, 2, 1)]);
    blueprint.queue_mappings[0].maximum_batching_window = SimDuration::from_secs(2);
    let story = tell(&blueprint);
    let waited = due_to(&story, Cause::WaitingForBatch);
    assert!((20_000..20_100).contains(&waited), "{waited} ms");
}
