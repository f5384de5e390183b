//! tmp
use crate::blueprint::*; use crate::engine::time::*; use crate::engine::random::*; use crate::services::ServiceBuildError; use crate::observe::fact::GiveUpReason; use crate::batch::ServiceError;
#[derive(Clone, Debug)] pub struct RetryPolicy{a:u32}
pub enum Decision{RetryAfter(SimDuration),GiveUp(GiveUpReason)}
impl RetryPolicy{ pub fn new(_n:&str,r:SdkRetry,_s:&mut RandomStreams)->Result<Self,ServiceBuildError>{Ok(Self{a:r.max_attempts})}
pub fn before_send(&mut self,_n:SimTime,_f:bool)->SimDuration{SimDuration::ZERO} pub fn on_success(&mut self,_n:SimTime,_a:u32){}
pub fn on_error(&mut self,_n:SimTime,_e:ServiceError,a:u32)->Decision{ if a<self.a{Decision::RetryAfter(SimDuration::from_millis(500))}else{Decision::GiveUp(GiveUpReason::AttemptsExhausted)}} pub fn draws(&self)->u64{0}}
pub fn resend_after(r:&Resend,n:u32,_s:&mut Stream)->Option<SimDuration>{ (n<r.attempts).then(||r.backoff.saturating_mul(1<<n)) }
