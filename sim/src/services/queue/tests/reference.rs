//! A queue against the plainest model of one: a list of all messages that there ever were, looked through from the start.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// What a test does next, with numbers that are read as a choice among what there is.
#[derive(Clone, Debug)]
enum Deed {
    /// Sends messages of these keys; the first one repeats an earlier message if it says so, or only its number.
    Send {
        keys: Vec<u32>,
        repeat: Option<(usize, bool)>,
    },
    Receive {
        max: u8,
        visibility: Option<u64>,
        wait: u64,
    },
    Delete {
        handles: Vec<usize>,
    },
    Change {
        handles: Vec<usize>,
        timeout: u64,
    },
    Wait(u64),
    Purge,
    /// Starts a redrive of ten messages a second to another queue.
    Redrive,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let timeout = || prop_oneof![4 => 1_u64..40, 1 => Just(0), 1 => 40_000_u64..43_202];
    let handles = || vec(any::<usize>(), 1..4);
    let deed = prop_oneof![
        6 => (vec(0_u32..4, 1..6), proptest::option::weighted(0.3, any::<(usize, bool)>()))
            .prop_map(|(keys, repeat)| Deed::Send { keys, repeat }),
        8 => (1_u8..=10, proptest::option::weighted(0.3, timeout()), prop_oneof![3 => Just(0_u64), 1 => 1_u64..=20])
            .prop_map(|(max, visibility, wait)| Deed::Receive { max, visibility, wait }),
        5 => handles().prop_map(|handles| Deed::Delete { handles }),
        4 => (handles(), timeout()).prop_map(|(handles, timeout)| Deed::Change { handles, timeout }),
        5 => prop_oneof![6 => 1_u64..30, 1 => 100_u64..2_000, 1 => 30_000_u64..50_000].prop_map(Deed::Wait),
        1 => Just(Deed::Purge),
        1 => Just(Deed::Redrive),
    ];
    vec(deed, 1..80)
}

#[derive(Clone, Debug)]
struct Setting {
    fifo: bool,
    visibility: u64,
    retention: u64,
    delay: u64,
    most_receives: Option<u16>,
    limit: u64,
    look_ahead: usize,
    /// Whether a message's number alone is its deduplication ID, and within its group only.
    by_ordinal: bool,
    by_group: bool,
}

fn settings() -> impl Strategy<Value = Setting> {
    let most_receives = proptest::option::of(1_u16..5);
    let spans = (
        0_u64..40,
        prop_oneof![60_u64..400, Just(100_000)],
        prop_oneof![Just(0), 1_u64..20],
    );
    let limits = (1_u64..12, 1_usize..14);
    let kinds = (any::<bool>(), any::<bool>(), any::<bool>());
    (kinds, spans, most_receives, limits).prop_map(
        |((fifo, by_ordinal, by_group), (visibility, retention, delay), most_receives, (limit, look_ahead))| Setting {
            fifo,
            visibility,
            retention,
            delay,
            most_receives,
            limit,
            look_ahead,
            by_ordinal,
            by_group,
        },
    )
}

/// Where a message is. Instants are seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Delayed {
        until: u64,
    },
    /// In the line of a standard queue with this number, or of a FIFO queue.
    Available {
        since: u64,
        line: u64,
    },
    /// Of a standard queue: it came back, and stands where its age puts it.
    Returned,
    InFlight {
        until: u64,
    },
    Gone,
}

#[derive(Clone, Debug)]
struct PlainMessage {
    key: u32,
    ordinal: u32,
    sent_at: u64,
    place: Place,
    receives: u16,
    /// When the last receive returned it.
    returned: u64,
}

/// What comes back to a caller, or goes to the dead-letter queue.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcomes {
    /// Ordinals, each with its number of receives.
    Received(Vec<(u32, u32)>),
    OverLimit,
    Accepted(Vec<bool>),
    Moved(Vec<(u32, u32)>),
    Redriven(Vec<u32>),
}

struct Plain {
    setting: Setting,
    messages: Vec<PlainMessage>,
    /// Accepted IDs: key, ordinal, instant.
    known: Vec<(u32, u32, u64)>,
    polls: Vec<(u8, u64, u64)>,
    /// By key: the number of its last delivery.
    delivered: Vec<u64>,
    lines: u64,
    deliveries: u64,
    last_purge: Option<u64>,
    /// A redrive: when it moves next, from which message on, and up to which.
    redrive: Option<(u64, usize, usize)>,
    said: Vec<Outcomes>,
    /// Whose handles they are: message and number, in the order in which they were issued.
    handles: Vec<(usize, u16)>,
    /// Messages that a change of visibility has hidden again: the limit is one of receives.
    taken_back: u64,
}

impl Plain {
    fn new(setting: Setting) -> Self {
        Self {
            setting,
            messages: Vec::new(),
            known: Vec::new(),
            polls: Vec::new(),
            delivered: vec![0; 4],
            lines: 0,
            deliveries: 0,
            last_purge: None,
            redrive: None,
            said: Vec::new(),
            handles: Vec::new(),
            taken_back: 0,
        }
    }
    fn count(&self, which: impl Fn(Place) -> bool) -> u64 {
        u64::try_from(self.messages.iter().filter(|one| which(one.place)).count()).expect("few")
    }
    fn in_flight(&self) -> u64 {
        self.count(|place| matches!(place, Place::InFlight { .. }))
    }
    fn available(&self) -> u64 {
        self.count(|place| matches!(place, Place::Available { .. } | Place::Returned))
    }
    fn show(&mut self, number: usize, now: u64) {
        let message = &self.messages[number];
        let in_line = self.setting.fifo || message.receives == 0 || message.receives >= 3;
        self.lines += 1;
        let line = self.lines;
        self.messages[number].place = if in_line {
            Place::Available { since: now, line }
        } else {
            Place::Returned
        };
    }

    /// The next instant at which something happens by itself.
    fn next_instant(&self) -> Option<u64> {
        let here = self.messages.iter().filter(|one| one.place != Place::Gone);
        let of_messages = here.flat_map(|one| {
            let until = match one.place {
                Place::Delayed { until } | Place::InFlight { until } => until,
                Place::Available { .. } | Place::Returned | Place::Gone => u64::MAX,
            };
            [until, one.sent_at + self.setting.retention]
        });
        let redrive = self.redrive.map(|redrive| redrive.0);
        of_messages
            .chain(self.polls.iter().map(|poll| poll.2))
            .chain(redrive)
            .min()
    }
    fn advance(&mut self, to: u64) {
        while let Some(now) = self.next_instant()
            && now <= to
        {
            self.happen(now);
            self.settle_polls(now);
        }
    }
    fn happen(&mut self, now: u64) {
        for number in 0..self.messages.len() {
            if let Place::Delayed { until } | Place::InFlight { until } = self.messages[number].place
                && until <= now
            {
                self.show(number, now);
            }
        }
        for message in &mut self.messages {
            if message.sent_at + self.setting.retention <= now {
                message.place = Place::Gone;
            }
        }
        if self.redrive.is_some_and(|redrive| redrive.0 <= now) {
            self.move_on(now);
        }
    }
    /// The ten oldest messages that can be received go; those that cannot are passed for good.
    fn move_on(&mut self, now: u64) {
        let Some((_, mut from, until)) = self.redrive else {
            return;
        };
        let mut moved = Vec::new();
        while moved.len() < 10 && from < self.messages.len() {
            let message = &self.messages[from];
            let in_flight = |one: &PlainMessage| matches!(one.place, Place::InFlight { .. });
            let mut group = self.messages.iter().filter(|one| one.key == message.key);
            let blocked = self.setting.fifo && group.any(in_flight);
            let available = matches!(message.place, Place::Available { .. } | Place::Returned);
            if from < until && available && !blocked {
                moved.push(message.ordinal);
                self.messages[from].place = Place::Gone;
            }
            from += 1;
        }
        let left = self.messages[from..].iter().any(|one| one.place != Place::Gone);
        let goes_on = left || moved.len() == 10;
        self.redrive = goes_on.then_some((now + 1, from, until));
        if !moved.is_empty() {
            self.said.push(Outcomes::Redriven(moved));
        }
    }

    fn send(&mut self, now: u64, messages: &[(u32, u32)]) {
        self.said.push(Outcomes::Accepted(vec![true; messages.len()]));
        for &(key, ordinal) in messages {
            if self.setting.fifo {
                let mut known = self.known.iter();
                let setting = &self.setting;
                let key_counts = !setting.by_ordinal || setting.by_group;
                if known.any(|&(k, o, at)| (k == key || !key_counts) && o == ordinal && now - at < 300) {
                    continue;
                }
                self.known.push((key, ordinal, now));
            }
            let until = now + self.setting.delay;
            self.messages.push(PlainMessage {
                key,
                ordinal,
                sent_at: now,
                place: Place::Delayed { until },
                receives: 0,
                returned: 0,
            });
            if self.setting.delay == 0 {
                self.show(self.messages.len() - 1, now);
            }
        }
        self.settle_polls(now);
    }

    /// What a receive returns next, and whether it is the follower of what it returned before.
    fn next(&self, last: Option<usize>) -> Option<usize> {
        if !self.setting.fifo {
            let order = |number: &usize| match self.messages[*number].place {
                Place::Available { line, .. } => line,
                Place::Delayed { .. } | Place::Returned | Place::InFlight { .. } | Place::Gone => u64::MAX,
            };
            let in_line = (0..self.messages.len()).filter(|number| order(number) < u64::MAX);
            let first = in_line.min_by_key(order);
            let mut back = (0..self.messages.len()).filter(|&number| self.messages[number].place == Place::Returned);
            let key = |number: usize| match self.messages[number].place {
                Place::Available { since, .. } => (since, number),
                Place::Delayed { .. } | Place::Returned | Place::InFlight { .. } | Place::Gone => {
                    (self.messages[number].sent_at, number)
                }
            };
            return first.into_iter().chain(back.next()).min_by_key(|&number| key(number));
        }
        let looked_at: Vec<usize> = (0..self.messages.len())
            .filter(|&number| self.messages[number].place != Place::Gone)
            .take(self.setting.look_ahead)
            .collect();
        let available = |number: &usize| matches!(self.messages[*number].place, Place::Available { .. });
        if let Some(last) = last {
            let key = self.messages[last].key;
            let mut group = looked_at.iter().copied();
            let next = group.find(|&number| number > last && self.messages[number].key == key);
            if let Some(next) = next.filter(available) {
                return Some(next);
            }
        }
        let head = |key: u32| {
            looked_at
                .iter()
                .copied()
                .find(|&number| self.messages[number].key == key)
        };
        let rank = |number: &usize| {
            let message = &self.messages[*number];
            let Place::Available { since, .. } = message.place else {
                return None;
            };
            let group = usize::try_from(message.key).expect("few");
            let delivered = if message.receives > 0 { self.delivered[group] } else { 0 };
            Some((since, delivered, *number))
        };
        let heads = (0..4).filter_map(head).filter(available);
        heads.min_by_key(|number| rank(number))
    }
    fn collect(&mut self, now: u64, max: u8, visibility: u64) -> Vec<(u32, u32)> {
        let (mut got, mut moved, mut last) = (Vec::new(), Vec::new(), None);
        while got.len() < usize::from(max) && self.in_flight() < self.setting.limit {
            let Some(number) = self.next(last.take()) else { break };
            let message = &mut self.messages[number];
            if self.setting.most_receives.is_some_and(|most| message.receives >= most) {
                message.place = Place::Gone;
                moved.push((message.ordinal, u32::from(message.receives)));
                continue;
            }
            message.receives += 1;
            let until = now + visibility;
            message.place = Place::InFlight { until };
            message.returned = now;
            got.push((message.ordinal, u32::from(message.receives)));
            self.handles.push((number, message.receives));
            self.deliveries += 1;
            self.delivered[usize::try_from(message.key).expect("few")] = self.deliveries;
            last = Some(number);
        }
        if !moved.is_empty() {
            self.said.push(Outcomes::Moved(moved));
        }
        got
    }
    fn receive(&mut self, now: u64, max: u8, visibility: Option<u64>, wait: u64) {
        let visibility = visibility.unwrap_or(self.setting.visibility);
        if wait > 0 {
            // What a poll asks for is found again by its place in the list.
            self.polls.push((max, visibility, now + wait));
        } else if !self.setting.fifo && self.in_flight() >= self.setting.limit {
            self.said.push(Outcomes::OverLimit);
        } else {
            let got = self.collect(now, max, visibility);
            self.said.push(Outcomes::Received(got));
        }
        self.settle_polls(now);
    }
    fn settle_polls(&mut self, now: u64) {
        // A visibility timeout of nothing is over at once, but the timer comes after the call.
        while let Some(&(max, visibility, _)) = self.polls.first()
            && self.in_flight() < self.setting.limit
        {
            let got = self.collect(now, max, visibility);
            if got.is_empty() {
                break;
            }
            self.polls.remove(0);
            self.said.push(Outcomes::Received(got));
        }
        let mut over: Vec<(u8, u64, u64)> = self.polls.iter().copied().filter(|poll| poll.2 <= now).collect();
        over.sort_by_key(|poll| poll.2);
        self.polls.retain(|poll| poll.2 > now);
        self.said.extend(over.iter().map(|_| Outcomes::Received(Vec::new())));
    }

    fn delete(&mut self, now: u64, handles: &[usize]) {
        let mut accepted = Vec::new();
        for &handle in handles {
            let (number, receive) = self.handles[handle];
            let message = &mut self.messages[number];
            let newest = receive == message.receives;
            let in_flight = matches!(message.place, Place::InFlight { .. });
            accepted.push(match (message.place, self.setting.fifo) {
                (Place::Gone, _) => true,
                (_, true) if newest && in_flight => {
                    message.place = Place::Gone;
                    true
                }
                (_, true) => false,
                (_, false) => {
                    // An outdated handle deletes nothing that another receive holds.
                    if newest || !in_flight {
                        message.place = Place::Gone;
                    }
                    true
                }
            });
        }
        self.said.push(Outcomes::Accepted(accepted));
        self.settle_polls(now);
    }
    fn change(&mut self, now: u64, handles: &[usize], timeout: u64) {
        let mut accepted = Vec::new();
        for &handle in handles {
            let (number, receive) = self.handles[handle];
            let message = &mut self.messages[number];
            let usable = receive == message.receives || !self.setting.fifo;
            let possible = usable && now - message.returned + timeout <= 43_200;
            let until = now + timeout;
            accepted.push(match message.place {
                Place::InFlight { .. } if possible => {
                    if timeout == 0 {
                        self.show(number, now);
                    } else {
                        message.place = Place::InFlight { until };
                    }
                    true
                }
                Place::Available { .. } | Place::Returned if possible && !self.setting.fifo => {
                    if timeout > 0 {
                        message.place = Place::InFlight { until };
                        self.taken_back += 1;
                    }
                    true
                }
                Place::InFlight { .. }
                | Place::Available { .. }
                | Place::Returned
                | Place::Delayed { .. }
                | Place::Gone => false,
            });
        }
        self.said.push(Outcomes::Accepted(accepted));
        self.settle_polls(now);
    }
    fn purge(&mut self, now: u64) -> bool {
        if self.last_purge.is_some_and(|last| now - last < 60) {
            return false;
        }
        self.last_purge = Some(now);
        for message in &mut self.messages {
            message.place = Place::Gone;
        }
        self.known.clear();
        true
    }
    /// The age metric: from when the oldest message counts, but for those of a standard queue that were received too often.
    fn oldest(&self) -> Option<u64> {
        let mut messages = self.messages.iter().filter(|one| one.place != Place::Gone);
        let counting = messages.find(|one| self.setting.fifo || one.receives < 3);
        counting.map(|one| one.sent_at)
    }
}

/// The real queue beside the plain one.
struct Both {
    bench: Bench,
    plain: Plain,
    /// The real receipt handles, in the order in which they were issued, like those of the plain model.
    handles: Vec<(Record, u64)>,
    sent: Vec<(u32, u32)>,
    ordinals: u32,
    now: u64,
}

impl Both {
    fn new(setting: &Setting) -> Self {
        let blueprint = QueueBlueprint {
            fifo: setting.fifo.then_some(FifoSettings {
                deduplication_scope: if setting.by_group {
                    DeduplicationScope::MessageGroup
                } else {
                    DeduplicationScope::Queue
                },
                ..FifoSettings::default()
            }),
            visibility_timeout: SimDuration::from_secs(setting.visibility),
            retention: SimDuration::from_secs(setting.retention),
            delay: SimDuration::from_secs(setting.delay),
            redrive: setting.most_receives.map(|max_receive_count| RedrivePolicy {
                dead_letter_queue: "dead".to_owned(),
                max_receive_count,
            }),
            ..blueprint()
        };
        let blueprint = if setting.by_ordinal {
            by_ordinal(blueprint)
        } else {
            blueprint
        };
        let mut bench = bench(&blueprint);
        let queue = &mut bench.harness.component.1;
        queue.in_flight_limit = setting.limit;
        queue.duplicate_rate = Ratio::ZERO;
        queue.outdated_delete_rate = Ratio::ZERO;
        if let Order::Fifo(groups) = &mut queue.order {
            groups.look_ahead = u64::try_from(setting.look_ahead).expect("few");
        }
        Self {
            bench,
            plain: Plain::new(setting.clone()),
            handles: Vec::new(),
            sent: Vec::new(),
            ordinals: 0,
            now: 1,
        }
    }
    fn at(&self) -> SimTime {
        seconds(self.now)
    }
    /// Messages with real handles, for a call.
    fn held(&self, chosen: &[usize]) -> Batch {
        Batch {
            records: chosen.iter().map(|&handle| self.handles[handle].0).collect(),
            positions: chosen.iter().map(|&handle| self.handles[handle].1).collect(),
            ..Batch::default()
        }
    }
    fn act(&mut self, deed: Deed) -> Result<(), TestCaseError> {
        self.now += 1;
        let now = self.now;
        self.plain.advance(now);
        let some = |handles: Vec<usize>, issued: usize| -> Vec<usize> {
            handles.into_iter().map(|handle| handle % issued).collect()
        };
        match deed {
            Deed::Send { keys, repeat } => {
                let mut messages: Vec<(u32, u32)> = Vec::new();
                for key in keys {
                    self.ordinals += 1;
                    messages.push((key, self.ordinals));
                }
                if let Some((earlier, whole)) = repeat.filter(|_| !self.sent.is_empty()) {
                    let (key, ordinal) = self.sent[earlier % self.sent.len()];
                    messages[0] = (if whole { key } else { messages[0].0 }, ordinal);
                }
                self.sent.extend(&messages);
                self.bench.post(
                    self.at(),
                    messages.iter().map(|&(key, ordinal)| message(key, ordinal)).collect(),
                );
                self.plain.send(now, &messages);
            }
            Deed::Receive { max, visibility, wait } => {
                // A timeout of nothing is over by the timer, a nanosecond later: polls that wait would shift by it.
                let least = u64::from(wait > 0);
                let visibility = visibility.or((wait > 0).then_some(self.plain.setting.visibility));
                let visibility = visibility.map(|seconds| seconds.max(least));
                let action = QueueAction::Receive {
                    max,
                    wait: Some(SimDuration::from_secs(wait)),
                    visibility: visibility.map(SimDuration::from_secs),
                    attempt: None,
                };
                self.bench.call(self.at(), action, Batch::default());
                self.plain.receive(now, max, visibility, wait);
            }
            Deed::Delete { handles } if !self.handles.is_empty() => {
                let chosen = some(handles, self.handles.len());
                self.bench.call(self.at(), QueueAction::Delete, self.held(&chosen));
                self.plain.delete(now, &chosen);
            }
            Deed::Change { handles, timeout } if !self.handles.is_empty() => {
                let chosen = some(handles, self.handles.len());
                let action = QueueAction::ChangeVisibility {
                    timeout: SimDuration::from_secs(timeout),
                };
                self.bench.call(self.at(), action, self.held(&chosen));
                self.plain.change(now, &chosen, timeout);
            }
            Deed::Purge => {
                self.bench.harness.run_until(self.at());
                let purged = self.bench.harness.apply(|(me, queue), cx| queue.purge(*me, cx));
                prop_assert_eq!(purged, self.plain.purge(now));
            }
            Deed::Redrive => {
                let (destination, rate) = (Some("other".to_owned()), Some(10));
                let start = crate::queue_operation::QueueOperation::StartMove { destination, rate };
                self.bench.operate(self.at(), &start);
                if self.plain.redrive.is_none() {
                    self.plain.redrive = Some((now, 0, self.plain.messages.len()));
                    self.plain.move_on(now);
                    self.plain.settle_polls(now);
                }
            }
            Deed::Delete { .. } | Deed::Change { .. } => {}
            Deed::Wait(seconds) => self.now += seconds,
        }
        self.plain.advance(self.now);
        self.compare()
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        self.bench.harness.run_until(self.at() + SimDuration::from_millis(1));
        let mut said = Vec::new();
        for call in self.bench.harness.take_calls() {
            let batch = call.batch;
            let counted = |counts: Vec<u32>| batch.records.iter().map(|one| one.ordinal).zip(counts).collect();
            let accepted = || {
                batch
                    .records
                    .iter()
                    .map(|one| one.outcome() == Outcome::Accepted)
                    .collect()
            };
            if matches!(batch.envelope, Envelope::Redriven(_)) {
                said.push(Outcomes::Redriven(ordinals(&batch)));
            } else if matches!(batch.envelope, Envelope::Moved(_)) {
                let counts = batch.positions.iter().map(|&count| u32::try_from(count).expect("few"));
                said.push(Outcomes::Moved(counted(counts.collect())));
            } else if let Envelope::Queue(QueueCall {
                action: QueueAction::Receive { .. },
                error,
                ..
            }) = batch.envelope
            {
                if error.is_some() {
                    prop_assert_eq!(error, Some(ServiceError::OverLimit));
                    said.push(Outcomes::OverLimit);
                    continue;
                }
                said.push(Outcomes::Received(counted(
                    batch.records.iter().map(Record::attempt).collect(),
                )));
                let held = batch.records.iter().copied().zip(batch.positions.iter().copied());
                self.handles.extend(held);
            } else {
                said.push(Outcomes::Accepted(accepted()));
            }
        }
        prop_assert_eq!(said, core::mem::take(&mut self.plain.said));
        prop_assert_eq!(self.handles.len(), self.plain.handles.len());
        let (queue, plain) = (&self.bench.harness.component.1, &self.plain);
        let depth = queue.depth_now();
        let delayed = plain.count(|place| matches!(place, Place::Delayed { .. }));
        prop_assert_eq!(
            (depth.available, depth.delayed, depth.in_flight),
            (plain.available(), delayed, plain.in_flight())
        );
        prop_assert_eq!(queue.messages.count(), plain.count(|place| place != Place::Gone));
        prop_assert!(depth.in_flight <= plain.setting.limit + plain.taken_back);
        prop_assert_eq!(depth.oldest, plain.oldest().map(seconds));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// SQS-L-01, SQS-L-07, SQS-L-08, SQS-L-09, SQS-L-11, SQS-L-12, SQS-L-13, SQS-M-09, SQS-U-07, SQS-U-08: whatever is sent,
    /// received, changed, deleted, purged, redriven or left to time, in whatever order, a queue does what the plainest model of one does.
    #[test]
    fn a_queue_is_what_the_plainest_model_of_one_is(setting in settings(), deeds in deeds()) {
        let mut both = Both::new(&setting);
        for deed in deeds {
            both.act(deed)?;
        }
    }
}
