//! An arrival process by itself: instants without keys and sizes.

use super::{BLOCK, FIRST_BLOCK, Process, SourceError};
use crate::blueprint::Arrivals;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimTime;

/// The instants of an arrival process, drawn ahead in blocks.
#[derive(Clone, Debug)]
pub struct Instants {
    process: Process,
    times: Vec<u64>,
    /// Room for the keys of a trace, which nobody asks for.
    keys: Vec<u32>,
    head: usize,
}

impl Instants {
    /// The arrivals of a component (as in `invoker.shop`). Draws from its streams `interarrival`, `burst` and `spread`, as
    /// far as the process needs them.
    pub fn new(component: &str, arrivals: &Arrivals, streams: &mut RandomStreams) -> Result<Self, SourceError> {
        Ok(Self {
            process: Process::build(component, arrivals, streams)?,
            times: Vec::new(),
            keys: Vec::new(),
            head: 0,
        })
    }
    /// The next instant; `None` when nothing comes any more.
    pub fn next_instant(&mut self) -> Option<SimTime> {
        if self.head == self.times.len() {
            self.draw();
        }
        let next = self.times.get(self.head).copied().map(SimTime::from_nanos);
        self.head += usize::from(next.is_some());
        next
    }
    /// Number of random words drawn so far, look-ahead included.
    pub fn draws(&self) -> u64 {
        match &self.process {
            Process::Demand(demand) => demand.draws(),
            Process::Replay(replay) => replay.draws(),
        }
    }

    fn draw(&mut self) {
        let block = (self.times.len() * 2).clamp(FIRST_BLOCK, BLOCK);
        self.times.clear();
        self.times.resize(block, 0);
        self.head = 0;
        let drawn = match &mut self.process {
            Process::Demand(demand) if demand.ended() => 0,
            Process::Replay(replay) if replay.ended() => 0,
            Process::Demand(demand) => demand.fill(&[], &mut self.times).0,
            Process::Replay(replay) => {
                self.keys.resize(block, 0);
                replay.fill(&mut self.times, &mut self.keys)
            }
        };
        self.times.truncate(drawn);
    }
}
