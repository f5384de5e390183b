//! Pages, read limits, and how far behind a reader is.

use super::*;
use crate::observe::fact::ReadLimit;

/// Stores `count` mebibytes in shard 0, one each second from the first second on.
fn mebibytes(bench: &mut Bench, count: u64) {
    for number in 0..count {
        let ordinal = u32::try_from(number).expect("few");
        bench.put_records(SimTime::from_secs(number + 1), vec![record(0, ordinal, MIB)]);
    }
}
fn throttled(call: &GetCall) -> bool {
    call.error == Some(ServiceError::ProvisionedThroughputExceeded)
}

/// KDS-R-14: an empty list is an answer, and comes at once.
#[test]
fn kds_r_06_kds_r_14_an_empty_page_has_an_iterator_that_goes_on() {
    let mut bench = one_shard();
    bench.get(millis(0), READER, 0, 0, 10_000);
    let (at, call, read) = only(bench.pages());
    assert_eq!((at, read.len(), call.position), (millis(0) + SERVICE + NETWORK, 0, 0));
    bench.put_records(millis(500), records(0, 2, 10));
    let (next, read) = bench.read(millis(1_000), 0, call.position);
    assert_eq!((read.len(), next.position), (2, 2));
}

#[test]
fn kds_r_07_a_page_has_as_many_records_as_asked_for_and_10_000_at_most() {
    let mut bench = one_shard();
    for second in 0..22 {
        bench.put_records(SimTime::from_secs(second + 1), records(0, 500, 10));
    }
    bench.get(SimTime::from_secs(60), READER, 0, 3, 17);
    bench.get(SimTime::from_secs(61), READER, 0, 0, 50_000);
    let pages = bench.pages();
    let sizes: Vec<(usize, u64)> = pages
        .iter()
        .map(|(_, call, read)| (read.len(), call.position))
        .collect();
    assert_eq!(sizes, [(17, 20), (10_000, 10_000)]);
}

/// KDS-U-03, KDS-MOD-01: the cap is binary. KDS-MOD-08: the allowance does not shorten a page.
#[test]
fn kds_r_08_kds_u_03_kds_mod_08_a_page_has_10_mib_at_most() {
    let mut bench = one_shard();
    mebibytes(&mut bench, 12);
    let (call, read) = bench.read(SimTime::from_secs(60), 0, 0);
    assert_eq!((read.len(), call.position), (10, 10));
    assert_eq!(call.millis_behind, 60_000 - 11_000, "the eleventh came at second 11");
}

#[test]
fn kds_mod_08_a_page_has_one_record_if_one_is_there() {
    let mut setup = Setup::shards(1);
    setup.blueprint.max_record_size_kib = quotas::MAX_RECORD_SIZE_KIB_MAX;
    let mut bench = setup.build();
    bench.put_records(millis(10), records(0, 1, 10 * MIB));
    bench.put_records(SimTime::from_secs(30), vec![record(0, 1, 1)]);
    let (call, read) = bench.read(SimTime::from_secs(60), 0, 0);
    assert_eq!((read.len(), call.position), (1, 1));
}

/// Five calls in any second, summed over all readers.
#[test]
fn kds_r_09_readers_share_five_calls_a_second() {
    let mut bench = Setup {
        readers: (0..6).map(ReaderId).collect(),
        ..Setup::shards(2)
    }
    .build();
    for reader in 0..6 {
        bench.get(millis(100 * u64::from(reader)), ReaderId(reader), 0, 0, 10_000);
    }
    bench.get(millis(550), READER, 1, 0, 10_000);
    let pages = bench.pages();
    let refused: Vec<ReaderId> = pages
        .iter()
        .filter(|page| throttled(&page.1))
        .map(|page| page.1.reader)
        .collect();
    assert_eq!(
        refused,
        [ReaderId(5)],
        "the sixth call within a second; the other shard has calls of its own"
    );
}

/// KDS-U-02: 2 MiB, to the byte.
#[test]
fn kds_r_10_kds_u_02_readers_share_two_mebibytes_a_second() {
    for (bytes, open) in [(2 * MIB - 1, true), (2 * MIB, false)] {
        let mut bench = one_shard();
        bench.put_records(SimTime::from_secs(1), vec![record(0, 0, MIB)]);
        bench.put_records(SimTime::from_secs(3), vec![record(0, 1, bytes - MIB)]);
        let served = SimTime::from_secs(10);
        bench.get(served.saturating_sub(SERVICE), READER, 0, 0, 10_000);
        bench.run_until(served);
        bench.get(served, ReaderId(1), 0, 0, 10_000);
        let pages = bench.pages();
        assert_eq!(
            (pages[0].2.len(), throttled(&pages[1].1)),
            (2, !open),
            "{bytes} bytes were read at this instant"
        );
    }
}

#[test]
fn kds_r_11_calls_in_the_five_seconds_after_a_full_page_are_refused() {
    let mut bench = one_shard();
    mebibytes(&mut bench, 10);
    let served = SimTime::from_secs(60);
    assert_eq!(bench.read(served, 0, 0).1.len(), 10);
    for (after, refused) in [(1_000, true), (4_999, true), (5_000, false)] {
        bench.get(served + SimDuration::from_millis(after), READER, 0, 10, 1);
        assert_eq!(throttled(&only(bench.pages()).1), refused, "{after} ms later");
    }
}

/// KDS-R-12: and here it takes a second.
/// Also KDS-R-13.
#[test]
fn kds_r_12_kds_r_13_a_refused_read_returns_nothing_and_its_iterator_stays_usable() {
    let mut bench = one_shard();
    mebibytes(&mut bench, 4);
    let served = SimTime::from_secs(60);
    bench.get(served.saturating_sub(SERVICE), READER, 0, 0, 2);
    bench.run_until(served);
    // The allowance is empty now; what a microsecond brings lets one more page of 2 MiB through.
    let soon = served + SimDuration::from_micros(1);
    bench.get(soon, READER, 0, 2, 2);
    bench.get(soon + SimDuration::from_millis(900), READER, 0, 2, 2);
    bench.get(soon + SimDuration::from_millis(1_100), READER, 0, 2, 2);
    let found: Vec<_> = bench
        .pages()
        .iter()
        .map(|(_, call, read)| (throttled(call), read.len(), call.position))
        .collect();
    assert_eq!(found, [(false, 2, 2), (false, 2, 4), (true, 0, 2), (false, 2, 4)]);
    let limits: Vec<ReadLimit> = bench
        .notes()
        .iter()
        .filter_map(|note| match note.fact {
            Fact::GetRecordsThrottled { limit, .. } => Some(limit),
            _ => None,
        })
        .collect();
    assert_eq!(limits, [ReadLimit::Bytes]);
}

#[test]
fn kds_mod_07_a_debt_that_is_paid_off_does_not_pay_for_later_pages() {
    let mut shard = Setup::shards(1).build().component.1.shards.remove(0);
    let second = SimTime::from_secs;
    // Two reads are in service at a time; the second one's page is cut ten seconds after the first one's.
    assert_eq!(
        (shard.admit_read(second(1)), shard.admit_read(second(1))),
        (Ok(()), Ok(()))
    );
    shard.charge_read(second(1), 2 * MIB + 1);
    shard.charge_read(second(11), 10 * MIB);
    assert_eq!(
        shard.admit_read(SimTime::from_nanos(15_999_999_999)),
        Err(ReadLimit::Bytes)
    );
    assert_eq!(shard.admit_read(second(16)), Ok(()));
}

#[test]
fn kds_mod_07_a_refused_call_does_not_count() {
    let mut bench = one_shard();
    for call in 0..60 {
        bench.get(millis(call * 100), READER, 0, 0, 10_000);
    }
    let pages = bench.pages();
    let answered = pages.iter().filter(|page| !throttled(&page.1)).count();
    assert_eq!(
        answered, 30,
        "five in each second, however many were refused in between"
    );
}

#[test]
fn kds_r_15_a_response_tells_how_far_behind_the_tip_it_is() {
    let mut bench = one_shard();
    assert_eq!(bench.read(millis(100), 0, 0).0.millis_behind, 0, "nothing is there");
    for second in 1..=4 {
        bench.put_records(SimTime::from_secs(second), vec![record(0, 0, 10)]);
    }
    bench.get(millis(9_990), READER, 0, 0, 2);
    assert_eq!(
        only(bench.pages()).1.millis_behind,
        10_000 - 3_000,
        "the oldest left came at second 3"
    );
    assert_eq!(
        bench.read(SimTime::from_secs(20), 0, 2).0.millis_behind,
        0,
        "nothing is left"
    );
}

#[test]
fn kds_r_21_a_record_is_readable_as_soon_as_it_is_stored() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 1, 10));
    bench.get(millis(0), READER, 0, 0, 10_000);
    bench.run();
    // Both were served at the same instant, the put first.
    let calls = bench.take_calls();
    let page = calls
        .iter()
        .find(|call| matches!(call.batch.envelope, Envelope::Get(_)))
        .expect("it was answered");
    let found: Vec<SimTime> = page.batch.records.iter().map(|record| record.arrived_at).collect();
    assert_eq!(found, [millis(0) + SERVICE]);
}

/// KDS-R-10 to KDS-R-12: whatever a shard takes in, one reader gets out.
#[test]
fn kds_r_22_one_reader_reads_twice_as_fast_as_a_shard_can_be_written() {
    let mut bench = one_shard();
    mebibytes(&mut bench, 40);
    let (start, mut position, mut polls) = (60_000, 0, 0);
    while position < 40 {
        bench.get(millis(start + polls * 200), READER, 0, position, 2);
        let (_, call, _) = only(bench.pages());
        position = call.position;
        polls += 1;
    }
    assert!(polls * 200 <= 20_000, "40 MiB took {} ms", polls * 200);
}

#[test]
fn readers_keep_what_the_slowest_of_them_needs_and_no_more() {
    let mut bench = Setup {
        readers: vec![READER, ReaderId(1)],
        ..Setup::shards(1)
    }
    .build();
    for second in 0..20 {
        bench.put_records(SimTime::from_secs(second + 1), records(0, 500, 10));
    }
    let full = bench.component.1.memory();
    let with_checkpoint = |bench: &mut Bench, at: u64, reader: u16, checkpoint: u64| {
        bench.get_with_checkpoint(SimTime::from_secs(at), ReaderId(reader), 0, (checkpoint, checkpoint), 1);
        only(bench.pages()).2.len()
    };
    assert_eq!(with_checkpoint(&mut bench, 100, 0, 9_999), 1);
    assert_eq!(bench.component.1.memory(), full, "the other has read nothing");
    assert_eq!(with_checkpoint(&mut bench, 101, 1, 5_000), 1);
    let half = bench.component.1.memory();
    assert!(half < full * 3 / 4, "{half} of {full}");
    assert_eq!(
        with_checkpoint(&mut bench, 102, 1, 5_000),
        1,
        "what it has not passed is still there"
    );
}
