//! The model's own choices, where AWS documents nothing.

use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::SimDuration;
use crate::queue_blueprint::QueueModel;
use crate::queue_mapping_blueprint::QueueMappingModel;
use crate::topic_blueprint::TopicModel;

/// What AWS does not document: every choice has a name, a default and a reason, and is listed where it mattered.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelParameters {
    /// One way between a client and a service of the same Region. Service times are as the service sees them.
    pub network_latency: Distribution,
    /// Service time of PutRecord and PutRecords (KDS-MOD-09).
    pub put_service_time: Distribution,
    /// Service time of GetRecords (KDS-MOD-09).
    pub get_service_time: Distribution,
    /// Probability that a put call fails with InternalFailureException (KDS-MOD-17).
    pub internal_failure_rate: Ratio,
    /// Probability that one entry of a PutRecords fails with InternalFailure (KDS-MOD-17).
    pub entry_failure_rate: Ratio,
    /// Probability that a put is stored but its response is lost (KDS-MOD-18).
    pub lost_acknowledgement_rate: Ratio,
    /// How long a client waits for a response. It notices at the end of the service time, if that is later.
    pub request_timeout: SimDuration,
    /// What `x-amz-retry-after` of a response that refuses for load says; zero: it has no such header. AWS documents what
    /// clients make of the header (KDS-SDK-07), not when Kinesis sends it.
    pub retry_after: SimDuration,
    /// From the storing of a record to the push of the event that brings it, to a plain consumer. With the put before it
    /// and the way after it, AWS's figure of about 70 ms from put to receipt comes out (KDS-EFO-16, KDS-LAT-03).
    pub fan_out_delay: Distribution,
    /// The same to an event source mapping (LAM-U-04).
    pub fan_out_mapping_delay: Distribution,
    /// From the receipt of an event by a mapping to the invocation of the function (LAM-U-04).
    pub fan_out_dispatch_delay: SimDuration,
    /// Least time between two events of a subscription: what comes in between travels together. AWS publishes no figure.
    pub fan_out_event_interval: SimDuration,
    /// A subscription without news pushes an empty event after this time (KDS-MOD-14).
    pub fan_out_keep_alive: SimDuration,
    /// Events of a subscription that are pushed ahead of a consumer that has not taken them: the library's buffer. AWS
    /// leaves this to flow control.
    pub fan_out_events_ahead: u32,
    /// How long a registered consumer is in CREATING. The Kinesis Client Library looks once a second, ten times, and a user
    /// saw it give up for about as long as that (its issue 506), so: the ten seconds that creating a stream takes.
    pub consumer_creation_time: SimDuration,
    /// How long a registered consumer is in DELETING, where its place is still taken. Nobody has published a figure; deleting
    /// a stream takes ten seconds as well (KDS-MOD-10).
    pub consumer_deletion_time: SimDuration,
    /// From the return of GetRecords to the invocation of the function (LAM-U-04).
    pub poll_dispatch_delay: SimDuration,
    /// Base interval of a mapping's polls (LAM-K-01).
    pub poll_interval: SimDuration,
    /// Least time between two reads of a shard by one mapping while it is behind (LAM-U-03).
    pub min_poll_interval: SimDuration,
    /// Most records that a mapping asks for in one poll. LAM-U-02 bounds what waits in the lanes, which decides whether a
    /// poll is made; the size of a page is left to GetRecords, since five pages of BatchSize a second would cap a shard.
    pub poll_page_records: u32,
    /// How often a mapping lists the shards of its stream, and so hears of new ones (LAM-U-09).
    pub shard_discovery_interval: SimDuration,
    /// From the creation of a mapping to its first poll (LAM-K-18, LAM-U-32).
    pub mapping_creation_delay: SimDuration,
    /// How long a split, a merge or a level of UpdateShardCount takes (KDS-MOD-10).
    pub reshard_time: SimDuration,
    /// How long a switch of the capacity mode or of the warm throughput takes (KDS-MOD-10).
    pub capacity_mode_switch_time: SimDuration,
    /// After how long a longer retention is in effect (KDS-MOD-10).
    pub retention_increase_time: SimDuration,
    /// After how long another MaxRecordSizeInKiB is in effect (KDS-REC-07).
    pub max_record_size_change_time: SimDuration,
    /// From the minute that shows a need to the split of an on-demand shard (KDS-MOD-12).
    pub on_demand_split_delay: Distribution,
    /// First wait after a function error; doubles with each further one (LAM-U-05).
    pub retry_backoff: SimDuration,
    /// Longest wait after a function error (LAM-U-05).
    pub retry_backoff_max: SimDuration,
    /// First wait after a throttled invocation; doubles (LAM-U-05).
    pub throttle_backoff: SimDuration,
    /// Longest wait after a throttled invocation (LAM-U-05).
    pub throttle_backoff_max: SimDuration,
    /// Time to place a new execution environment, beside its Init (LAM-U-20).
    pub placement_time: Distribution,
    /// How long an idle environment is kept (LAM-U-21).
    pub idle_lifetime: Distribution,
    /// How old an environment may become (LAM-U-22).
    pub environment_lifetime: Distribution,
    /// Time of a write to the lease table, which a record processor waits for when it checkpoints: a DynamoDB write, of which
    /// AWS speaks as single-digit milliseconds. p99 / median = exp(2.326 sigma); 25 / 5 gives 0.692.
    pub lease_write_time: Distribution,
    /// From the request for provisioned concurrency to the start of its allocation (LAM-V-08, LAM-U-33).
    pub provisioning_delay: SimDuration,
    /// First wait of an asynchronous event after a throttle; doubles (LAM-A-05, LAM-U-36).
    pub async_throttle_backoff: SimDuration,
    /// Longest wait of an asynchronous event after a throttle (LAM-A-05, LAM-U-36).
    pub async_throttle_backoff_max: SimDuration,
    /// Probability that an asynchronous event is delivered twice (LAM-A-08).
    pub async_duplicate_rate: Ratio,
    /// Probability that a batch of a mapping is delivered once more after it has succeeded (LAM-U-37).
    pub poller_failover_rate: Ratio,
    /// Bytes of one record's metadata in an invocation, beside base64 data and partition key (LAM-U-29).
    pub payload_record_overhead: u32,
    /// About queues.
    pub queue: QueueModel,
    /// About topics.
    pub topic: TopicModel,
    /// About mappings of queues.
    pub queue_mapping: QueueMappingModel,
}

impl Default for ModelParameters {
    fn default() -> Self {
        let ms = |ms: f64| ms * 1e6;
        let between = |from: f64, to: f64| Distribution::Uniform {
            low: from * 60e9,
            high: to * 60e9,
        };
        // p99 / median = exp(2.326 sigma); 80 / 20 gives 0.596.
        let service_time = Distribution::LogNormal {
            median: ms(20.0),
            sigma: 0.595_9,
        };
        Self {
            network_latency: Distribution::Constant(ms(0.5)),
            put_service_time: service_time.clone(),
            get_service_time: service_time,
            internal_failure_rate: Ratio::ZERO,
            entry_failure_rate: Ratio::ZERO,
            lost_acknowledgement_rate: Ratio::ZERO,
            request_timeout: SimDuration::from_secs(5),
            retry_after: SimDuration::ZERO,
            // Mean 43.9 ms: 70 ms less the put (0.5 and 23.9 ms), the way (0.5 ms), and what the interval adds.
            fan_out_delay: Distribution::LogNormal {
                median: ms(42.0),
                sigma: 0.3,
            },
            fan_out_mapping_delay: Distribution::Constant(ms(26.0)),
            fan_out_dispatch_delay: SimDuration::from_millis(3),
            fan_out_event_interval: SimDuration::from_millis(10),
            fan_out_keep_alive: SimDuration::from_secs(5),
            fan_out_events_ahead: 10,
            consumer_creation_time: SimDuration::from_secs(10),
            consumer_deletion_time: SimDuration::from_secs(10),
            poll_dispatch_delay: SimDuration::from_millis(85),
            poll_interval: SimDuration::from_secs(1),
            min_poll_interval: SimDuration::from_millis(200),
            poll_page_records: 10_000,
            shard_discovery_interval: SimDuration::from_minutes(1),
            mapping_creation_delay: SimDuration::from_secs(60),
            reshard_time: SimDuration::from_secs(30),
            capacity_mode_switch_time: SimDuration::from_secs(30),
            retention_increase_time: SimDuration::from_minutes(3),
            max_record_size_change_time: SimDuration::from_secs(5),
            on_demand_split_delay: between(1.0, 15.0),
            retry_backoff: SimDuration::from_secs(1),
            retry_backoff_max: SimDuration::from_secs(60),
            throttle_backoff: SimDuration::from_secs(1),
            throttle_backoff_max: SimDuration::from_secs(30),
            placement_time: Distribution::LogNormal {
                median: ms(150.0),
                sigma: 0.3,
            },
            idle_lifetime: between(5.0, 7.0),
            environment_lifetime: between(120.0, 240.0),
            lease_write_time: Distribution::LogNormal {
                median: ms(5.0),
                sigma: 0.692,
            },
            provisioning_delay: SimDuration::from_secs(90),
            async_throttle_backoff: SimDuration::SECOND,
            async_throttle_backoff_max: SimDuration::from_minutes(5),
            async_duplicate_rate: Ratio::ZERO,
            poller_failover_rate: Ratio::ZERO,
            payload_record_overhead: 530,
            queue: QueueModel::default(),
            topic: TopicModel::default(),
            queue_mapping: QueueMappingModel::default(),
        }
    }
}
