//! What is billed of tables and buckets.

use crate::blueprint::{SinkService, TableBilling, TableBlueprint};
use crate::engine::index::to_u32;
use crate::observe::sink_change::SinkChange;
use crate::record::Record;

/// What is billed of a table or a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SinkUsage {
    /// What it is; its settings at the start.
    pub service: SinkService,
    /// Requests that wrote something: those of a bucket are billed (S3-PRI-01).
    pub requests: u64,
    /// Write units consumed: what an on-demand table is billed for (DDB-PRI-01).
    pub write_units: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Records written, those apart that replaced themselves for sure.
    pub records: u64,
}

impl SinkUsage {
    pub(super) const fn new(service: SinkService) -> Self {
        Self {
            service,
            requests: 0,
            write_units: 0,
            bytes: 0,
            records: 0,
        }
    }
    /// Write units that were provisioned, where they are: billed by the hour, used or not (DDB-PRI-02).
    pub const fn provisioned_units(&self) -> Option<u32> {
        match self.service {
            SinkService::Table(TableBlueprint {
                billing: TableBilling::Provisioned { write_capacity_units },
                ..
            }) => Some(write_capacity_units),
            SinkService::Table(_) | SinkService::Bucket(_) | SinkService::Database | SinkService::Warehouse => None,
        }
    }
    pub(super) fn delivered(&mut self, records: &[Record], rewrites: bool) {
        if !rewrites {
            self.records += u64::from(to_u32(records.len()));
        }
    }
    pub(super) const fn changed(&mut self, change: SinkChange) {
        if let SinkChange::RequestAnswered {
            written, units, bytes, ..
        } = change
        {
            self.requests += if written > 0 { 1 } else { 0 };
            self.write_units += units;
            self.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::WriteError;
    use crate::blueprint::{ItemWrites, Resend};
    use crate::engine::time::SimDuration;
    use crate::testing::harness::records;

    fn answered(written: u32, units: u64) -> SinkChange {
        SinkChange::RequestAnswered {
            records: 25,
            written,
            units,
            bytes: u64::from(written) * 100,
            error: (written < 25).then_some(WriteError::Throttled),
            latency: SimDuration::from_millis(5),
        }
    }

    /// DDB-PRI-01, DDB-PRI-02, S3-PRI-01: units consumed, units provisioned, and requests that wrote something.
    #[test]
    fn a_bill_counts_units_and_requests_that_wrote() {
        let table = |billing| TableBlueprint {
            billing,
            writes: ItemWrites::Batch,
            item_bytes: None,
            parallel_requests: 1,
            resend: Resend::NEVER,
        };
        let provisioned = SinkService::Table(table(TableBilling::Provisioned {
            write_capacity_units: 40,
        }));
        let on_demand = SinkService::Table(table(TableBilling::OnDemand {
            warm: 4_000,
            most: None,
        }));
        let mut usage = SinkUsage::new(on_demand);
        for change in [answered(25, 50), answered(10, 20), answered(0, 0)] {
            usage.changed(change);
        }
        usage.delivered(&records(0, 25), false);
        usage.delivered(&records(0, 10), true);
        assert_eq!(
            (usage.requests, usage.write_units, usage.bytes, usage.records),
            (2, 70, 3_500, 25)
        );
        assert_eq!(usage.provisioned_units(), None);
        assert_eq!(SinkUsage::new(provisioned).provisioned_units(), Some(40));
    }
}
