//! What queues and their workers did.

use sim::engine::time::SimDuration;

/// What a queue did, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueAccount {
    /// Its name.
    pub name: String,
    /// It is a FIFO queue.
    pub fifo: bool,
    /// Stored by sends.
    pub sent: u64,
    /// Bytes of these.
    pub bytes_sent: u64,
    /// Answered as success and not stored, since they were known.
    pub deduplicated: u64,
    /// Entries refused one by one, and sends refused whole.
    pub refused: u64,
    /// Receives answered.
    pub receives: u64,
    /// Of these, those that returned nothing.
    pub empty_receives: u64,
    /// Receives refused, for throughput or for messages in flight.
    pub receives_refused: u64,
    /// Returned by receives, each time counted.
    pub received: u64,
    /// Of these, those that had been received before.
    pub received_again: u64,
    /// Left the queue by a delete.
    pub deleted: u64,
    /// Came back when their visibility timeout was over.
    pub returned: u64,
    /// Lost by retention.
    pub expired: u64,
    /// Moved to the dead-letter queue.
    pub dead_lettered: u64,
    /// Came from other queues, whose dead-letter queue it is.
    pub moved_here: u64,
    /// Moved out by redrives.
    pub redriven: u64,
    /// Came from redrives; among those sent.
    pub redriven_here: u64,
    /// Purged.
    pub purged: u64,
    /// Operations of the control plane refused.
    pub operations_refused: u64,
    /// Most messages available at one time.
    pub available_max: u64,
    /// Most messages in flight at one time.
    pub in_flight_max: u64,
    /// Available at the end.
    pub available: u64,
    /// In flight at the end.
    pub in_flight: u64,
    /// Delayed at the end.
    pub delayed: u64,
    /// Requests as a bill counts them.
    pub requests: u64,
    /// Median time from creation to the delete.
    pub latency_p50: Option<SimDuration>,
    /// 99th percentile of it.
    pub latency_p99: Option<SimDuration>,
}

/// What workers did, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkersAccount {
    /// Their name.
    pub name: String,
    /// The queue that they receive from.
    pub queue: String,
    /// Batches begun.
    pub batches: u64,
    /// Processed well, each time counted.
    pub processed: u64,
    /// The code failed with them, each time counted.
    pub failed: u64,
    /// Of these, those that no attempt succeeds with.
    pub poison: u64,
    /// Workers that died in the middle of a batch.
    pub crashes: u64,
    /// Most workers busy at one time.
    pub busy_max: u32,
}

/// What a mapping of a queue did, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueMappingAccount {
    /// Its name.
    pub name: String,
    /// The queue that it polls.
    pub queue: String,
    /// The function that it invokes.
    pub function: String,
    /// Brought by polls.
    pub polled: u64,
    /// Deleted since no filter wanted them.
    pub filtered_out: u64,
    /// Batches.
    pub batches: u64,
    /// Processed.
    pub processed: u64,
    /// Failed or reported as failed: they come back.
    pub failed: u64,
    /// Attempts refused for concurrency.
    pub attempts_throttled: u64,
    /// Given back after throttles, or when it was switched off.
    pub let_go: u64,
    /// Deleted.
    pub deleted: u64,
    /// Deletes refused.
    pub deletes_refused: u64,
    /// Most batches with the function at one time.
    pub concurrent_max: u32,
    /// The greatest number that it allowed itself.
    pub limit_max: u32,
    /// The number that it allowed itself at last.
    pub limit: u32,
    /// Most provisioned pollers; `None`: it has none.
    pub provisioned_pollers_max: Option<u32>,
    /// Hours of provisioned pollers, as they are billed (LAM-P-11).
    pub poller_hours: f64,
}
