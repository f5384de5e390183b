//! A decision point that is about defaults.

use crate::support::loaded;
use sim::session::{Session, SessionOptions};

/// SQS-K-15, SQS-H-11: a message of 600 KiB. Queues accept it now and did not by the profile `exam`; topics refuse it unless
/// they are set to more, which they can be now; streams accept it in both.
#[test]
fn sqs_k_15_a_message_of_600_kib_fits_or_not_by_service_and_profile() {
    let text = |profile: &str, large: bool| {
        let topic = |name: &str, more: &str| {
            format!(
                "[topic.{name}]\n{more}\n[producer.to-{name}-topic]\ntarget = \"topic.{name}\"\napi = \"Publish\"\n"
            )
        };
        let load = "arrivals = { constant = \"1/s\" }\nkeys = { uniform = 1 }\nsize = \"600KiB\"\nretry = { mode = \"off\" }\n";
        let large = if large {
            format!("{}{load}", topic("large", "MaximumMessageSize = 1048576"))
        } else {
            String::new()
        };
        format!(
            "format = 1\nprofile = \"{profile}\"\nduration = \"20s\"\n[queue.jobs]\n[producer.to-queue]\ntarget = \"queue.jobs\"\napi = \"SendMessage\"\n{load}\
             [stream.events]\nShardCount = 1\n[producer.to-stream]\ntarget = \"stream.events\"\napi = \"PutRecord\"\n{load}{}{load}{large}",
            topic("plain", "")
        )
    };
    // Of ten messages each, those that were taken: queue, stream, topic, large topic.
    let taken = |text: &str| {
        let blueprint = loaded(text).blueprint;
        let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it builds");
        let end = session.end();
        session.advance(end, u64::MAX).expect("it runs");
        let counts = session
            .observers()
            .and_then(|observers| observers.counts.as_ref())
            .expect("all are attached");
        let directory = session.world().directory();
        let of_topic = |name: &str| directory.topic(name).map(|id| counts.topics[id].published);
        let queue = counts.queues.iter().next().expect("one").sent;
        let stream = counts.streams.iter().next().expect("one").accepted();
        (queue, stream, of_topic("plain"), of_topic("large"))
    };
    let all = 19..=20;
    let (queue, stream, plain, large) = taken(&text("current", true));
    assert!(all.contains(&queue) && all.contains(&stream), "{queue} and {stream}");
    assert!(large.is_some_and(|large| all.contains(&large)), "{large:?}");
    assert_eq!(plain, Some(0));
    let (queue, stream, plain, _) = taken(&text("exam", false));
    assert_eq!((queue, plain), (0, Some(0)));
    assert!(all.contains(&stream), "{stream}");
}
