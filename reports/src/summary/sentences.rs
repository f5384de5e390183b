//! What each component did, in sentences with figures.

use crate::account::{
    ApplicationAccount, FunctionAccount, LibraryAccount, MappingAccount, ProducerAccount, ReaderAccount, ShardAccount,
    SinkAccount, StreamAccount,
};
use crate::text::{count, counted, list, rate, share};
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimDuration;

pub(super) fn producer_told(producer: &ProducerAccount, span: SimDuration) -> String {
    let mut told = vec![format!(
        "{} created {} ({} on average) and sent them to {} in {}.",
        producer.name,
        counted(producer.records_produced, "record"),
        rate(producer.records_produced, span),
        producer.target,
        counted(producer.requests_sent, &format!("{} request", producer.api)),
    )];
    told.extend(producer.library.map(library_told));
    if producer.requests_failed > 0 {
        told.push(format!(
            "{} failed whole ({}).",
            counted(producer.requests_failed, "request"),
            share(producer.requests_failed, producer.requests_sent)
        ));
    }
    if producer.records_repeated > 0 {
        told.push(format!(
            "The SDK sent records again {}.",
            times(producer.records_repeated)
        ));
    }
    if producer.records_resent > 0 {
        told.push(format!(
            "The application sent refused records again {}.",
            times(producer.records_resent)
        ));
    }
    let given_up: u64 = producer.records_given_up.iter().map(|(_, records)| records).sum();
    if given_up > 0 {
        let reasons: Vec<String> = match producer.records_given_up.as_slice() {
            [(reason, _)] => vec![reason.clone()],
            several => several
                .iter()
                .map(|(reason, records)| format!("{} because {reason}", count(*records)))
                .collect(),
        };
        told.push(format!(
            "It gave {} up ({}): {}.",
            counted(given_up, "record"),
            share(given_up, producer.records_produced),
            list(&reasons)
        ));
    }
    let acknowledged = if producer.records_acknowledged == producer.records_produced {
        "All".to_owned()
    } else {
        share(producer.records_acknowledged, producer.records_produced)
    };
    let pending = match producer.records_pending {
        0 => String::new(),
        records => format!("; {} waited or were under way at the end", count(records)),
    };
    told.push(format!("{acknowledged} of its records were acknowledged{pending}."));
    told.join(" ")
}

/// What the Kinesis Producer Library made of user records.
fn library_told(library: LibraryAccount) -> String {
    let each = |whole: u64, parts: u64| {
        let tenths = (whole * 10).checked_div(parts).unwrap_or(0);
        format!("{}.{}", count(tenths / 10), tenths % 10)
    };
    let mut told = vec![format!(
        "The Kinesis Producer Library put them into {}, {} user records in each and {} in a request.",
        counted(library.kinesis_records_sent, "Kinesis record"),
        each(library.user_records_sent, library.kinesis_records_sent),
        each(library.user_records_sent, library.requests_sent),
    )];
    if library.user_records_resent > 0 {
        told.push(format!(
            "It sent user records again {}.",
            times(library.user_records_resent)
        ));
    }
    if library.kinesis_records_misplaced > 0 {
        let misplaced = counted(library.kinesis_records_misplaced, "Kinesis record");
        told.push(format!("Of these, {misplaced} were in another shard than expected."));
    }
    told.join(" ")
}

pub(super) fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", count(number)),
    }
}

pub(super) fn stream_told(stream: &StreamAccount) -> Vec<String> {
    let offered = stream.records_accepted + stream.entries_throttled + stream.entries_failed;
    let stored = format!(
        "{} stored {} ({}) in {}{}",
        stream.name,
        counted(stream.records_accepted, "record"),
        ByteCount(stream.bytes_accepted),
        counted(stream.shards.len() as u64, "shard"),
        closed_told(stream),
    );
    let stored = match stream.records_aggregated {
        0 => stored,
        records => format!(
            "{stored}; {} of them hold {} together",
            count(records),
            counted(stream.user_records_in_aggregated, "user record")
        ),
    };
    let mut told = Vec::new();
    if stream.entries_throttled == 0 {
        told.push(format!("{stored} and refused none."));
    } else {
        let first = match &stream.first_throttle {
            Some(first) => format!(", the first at {} in {}", first.at, first.shard),
            None => String::new(),
        };
        told.push(format!(
            "{stored}. It refused {} for throughput, {} of all that were offered{first}.",
            counted(stream.entries_throttled, "entry"),
            share(stream.entries_throttled, offered)
        ));
    }
    if stream.entries_failed > 0 {
        told.push(format!(
            "{} failed for other reasons.",
            counted(stream.entries_failed, "entry")
        ));
    }
    if stream.acknowledgements_lost > 0 {
        told.push(format!(
            "The response to {} was lost although the records were stored.",
            counted(stream.acknowledgements_lost, "request")
        ));
    }
    let mut items = vec![told.join(" ")];
    items.extend(busiest_told(stream));
    items
}

/// How many shards are not open any more.
fn closed_told(stream: &StreamAccount) -> String {
    match stream.shards.iter().filter(|shard| shard.closed.is_some()).count() {
        0 => String::new(),
        1 => " (one of them closed on the way)".to_owned(),
        closed => format!(" ({closed} of them closed on the way)"),
    }
}

/// The busiest shard, how much of the stream it carried, and which of its limits it came close to.
fn busiest_told(stream: &StreamAccount) -> Option<String> {
    let offered = |shard: &ShardAccount| shard.records_accepted + shard.entries_throttled;
    let busiest = stream
        .shards
        .iter()
        .max_by_key(|shard| (offered(shard), core::cmp::Reverse(&shard.id)))?;
    let records = share(busiest.peak_records_per_second, stream.limit_records_per_second);
    let bytes = share(busiest.peak_bytes_per_second, stream.limit_bytes_per_second);
    let by_bytes = u128::from(busiest.peak_bytes_per_second) * u128::from(stream.limit_records_per_second)
        > u128::from(busiest.peak_records_per_second) * u128::from(stream.limit_bytes_per_second);
    let total: u64 = stream.shards.iter().map(offered).sum();
    // Shards that were not open all the time have no equal share.
    let equal = if stream.shards.iter().any(|shard| shard.closed.is_some()) {
        String::new()
    } else {
        format!(" (an equal share is {})", share(1, stream.shards.len() as u64))
    };
    let carried = match (stream.shards.len(), total) {
        (1, _) | (_, 0) => format!("{} was", busiest.id),
        _ => format!(
            "{} was the busiest, with {} of the offered load{equal}. It was",
            busiest.id,
            share(offered(busiest), total),
        ),
    };
    let used = if by_bytes {
        format!(
            "{bytes} full in its fullest second, with {} of the {} that a shard takes (KDS-W-02)",
            ByteCount(busiest.peak_bytes_per_second),
            ByteCount(stream.limit_bytes_per_second)
        )
    } else {
        format!(
            "{records} full in its fullest second, with {} of the {} that a shard takes (KDS-W-01)",
            counted(busiest.peak_records_per_second, "record"),
            count(stream.limit_records_per_second)
        )
    };
    let over = busiest.peak_records_per_second > stream.limit_records_per_second
        || busiest.peak_bytes_per_second > stream.limit_bytes_per_second;
    let burst = if over {
        "; what it had not used before let that burst pass (KDS-MOD-02)"
    } else {
        ""
    };
    let refused = match busiest.entries_throttled {
        0 => String::new(),
        refused => format!(". It refused {}", counted(refused, "entry")),
    };
    Some(format!("{carried} {used}{burst}{refused}."))
}

/// What only an application does: leases, repetitions, skipped batches.
fn application_told(application: &ApplicationAccount) -> Vec<String> {
    let mut told = Vec::new();
    if application.leases_failed_over > 0 {
        let when = application
            .first_failover
            .map_or_else(String::new, |at| format!(", the first at {at}"));
        told.push(format!(
            "{} taken over from workers that no longer renewed {}{when}.",
            was(application.leases_failed_over, "lease"),
            if application.leases_failed_over == 1 {
                "it"
            } else {
                "them"
            }
        ));
    }
    if application.leases_moved > 0 {
        told.push(format!(
            "{} moved to share the load.",
            was(application.leases_moved, "lease")
        ));
    }
    if application.records_repeated > 0 {
        told.push(format!(
            "{} processed again, after a checkpoint.",
            was(application.records_repeated, "record")
        ));
    }
    if application.records_skipped > 0 {
        told.push(format!(
            "{} in {} skipped since the code threw.",
            counted(application.records_skipped, "record"),
            was(application.batches_skipped, "batch")
        ));
    }
    if application.iterators_expired > 0 {
        told.push(format!(
            "{} refused since the iterator was more than five minutes old.",
            was(application.iterators_expired, "read")
        ));
    }
    told.push(format!(
        "Its lease table had {} read and {} written.",
        counted(application.lease_rows_read, "row"),
        count(application.lease_rows_written)
    ));
    told
}

/// What only a mapping did.
fn mapping_told(mapping: &MappingAccount) -> Vec<String> {
    let mut told = Vec::new();
    if mapping.batches_bisected > 0 {
        told.push(format!(
            "{} cut in two after an error.",
            was(mapping.batches_bisected, "batch")
        ));
    }
    if mapping.batches_failed_in_part > 0 {
        told.push(format!(
            "{} reported as failed in part.",
            was(mapping.batches_failed_in_part, "batch")
        ));
    }
    if let Some(destination) = mapping
        .destination
        .as_ref()
        .filter(|_| mapping.records_dead_lettered > 0)
    {
        told.push(format!(
            "{} given up, and {destination} was told, in {}.",
            was(mapping.records_dead_lettered, "record"),
            counted(mapping.documents, "document")
        ));
    }
    if mapping.documents_undeliverable > 0 {
        told.push(format!(
            "{} could not be delivered.",
            counted(mapping.documents_undeliverable, "document")
        ));
    }
    if mapping.records_discarded > 0 {
        told.push(format!(
            "{} given up, and nobody was told.",
            was(mapping.records_discarded, "record")
        ));
    }
    if mapping.records_filtered_out > 0 {
        told.push(format!(
            "Its filters let {} pass by.",
            counted(mapping.records_filtered_out, "record")
        ));
    }
    told
}

/// `1 lease was`, `3 leases were`.
fn was(number: u64, what: &str) -> String {
    format!("{} {}", counted(number, what), if number == 1 { "was" } else { "were" })
}

pub(super) fn reader_told(reader: &ReaderAccount) -> String {
    let whom = match reader.application {
        Some(_) => String::new(),
        None => format!(" for {}", reader.function),
    };
    let mut told = vec![format!(
        "{} read {} from {} and finished {}, in {}{whom}.",
        reader.name,
        counted(reader.records_read, "record"),
        reader.stream,
        count(reader.records_acknowledged),
        counted(reader.batches_sent, "batch"),
    )];
    if let Some(application) = &reader.application {
        told.extend(application_told(application));
    }
    if reader.batches_failed > 0 {
        told.push(format!(
            "{} failed; batches were sent again {}.",
            counted(reader.batches_failed, "batch"),
            times(reader.batches_repeated)
        ));
    }
    if let Some(mapping) = &reader.mapping {
        told.extend(mapping_told(mapping));
    }
    if reader.reads_throttled > 0 {
        told.push(format!(
            "{} of its {} were refused.",
            count(reader.reads_throttled),
            counted(reader.reads + reader.reads_throttled, "read")
        ));
    }
    if reader.records_expired > 0 {
        told.push(format!(
            "{} expired before they were processed: they are lost to it.",
            counted(reader.records_expired, "record")
        ));
    }
    told.push(if reader.behind_max.is_zero() {
        "It was never behind.".to_owned()
    } else {
        format!(
            "It lagged at most {} behind the newest record, at {}.",
            reader.behind_max, reader.behind_max_at
        )
    });
    if reader.records_unfinished > 0 {
        told.push(format!(
            "At the end {} unfinished.",
            was(reader.records_unfinished, "record")
        ));
    }
    told.join(" ")
}

fn throttles_told(function: &FunctionAccount, first: &str) -> String {
    let only_concurrency = function
        .throttles_for
        .iter()
        .all(|(reason, _)| reason.ends_with(" concurrency"));
    let what = if only_concurrency {
        " for concurrency".to_owned()
    } else {
        let reasons = function.throttles_for.iter();
        let reasons: Vec<String> = reasons
            .map(|(what, refused)| format!("{} for {what}", count(*refused)))
            .collect();
        format!(", {}", list(&reasons))
    };
    format!("{} more were throttled{what}{first}", count(function.throttles))
}

pub(super) fn function_told(function: &FunctionAccount) -> String {
    let mut bad = Vec::new();
    if function.errors > 0 {
        bad.push(format!(
            "{} ended in an error ({})",
            count(function.errors),
            share(function.errors, function.invocations)
        ));
    }
    if function.timeouts > 0 {
        bad.push(format!("{} ran into the timeout", count(function.timeouts)));
    }
    if function.throttles > 0 {
        let first = function
            .first_throttle
            .map_or_else(String::new, |at| format!(", the first at {at}"));
        bad.push(throttles_told(function, &first));
    }
    if bad.is_empty() {
        bad.push("None failed".to_owned());
    }
    let mut told = vec![format!(
        "{} ran {}, at most {} at one time. {}.",
        function.name,
        counted(function.invocations, "invocation"),
        function.concurrent_max,
        list(&bad)
    )];
    let runs = (function.records > 0).then_some(function.invocations);
    if let Some(records) = runs.and_then(|runs| function.records.checked_div(runs)) {
        told.push(format!(
            "An invocation had {} and its handler took {}, on average.",
            counted(records, "record"),
            function.duration_mean
        ));
    }
    if function.records == 0 && function.invocations > 0 {
        told.push(format!("Its handler took {} on average.", function.duration_mean));
    }
    if function.inits_within > 0 {
        told.push(format!(
            "{} ran Init again, after a crash, a timeout or an Init of more than 10 s.",
            counted(function.inits_within, "invocation")
        ));
    }
    told.push(match function.cold_starts {
        0 => "There was no cold start.".to_owned(),
        1 => format!("There was 1 cold start, of {}.", function.cold_start_mean),
        several => format!(
            "There were {} cold starts, of {} on average.",
            count(several),
            function.cold_start_mean
        ),
    });
    told.join(" ")
}

pub(super) fn sink_told(sink: &SinkAccount, span: SimDuration) -> String {
    let taken = if sink.writes == 0 {
        format!("{} took nothing.", sink.name)
    } else {
        format!(
            "{} took {} ({} on average) in {}, the last one at {}.",
            sink.name,
            counted(sink.records_delivered, "record"),
            rate(sink.records_delivered, span),
            counted(sink.writes, "write"),
            sink.last_write
        )
    };
    let mut told = vec![taken];
    if sink.refused > 0 {
        let (records, requests) = (counted(sink.refused, "record"), counted(sink.requests, "request"));
        told.push(format!(
            "It refused {records} in {requests}, which the writers sent again or gave up."
        ));
    }
    if sink.failed_writes > 0 {
        let (writes, records) = (counted(sink.failed_writes, "write"), counted(sink.unwritten, "record"));
        told.push(format!("{writes} failed with {records} unwritten."));
    }
    if sink.rewritten > 0 {
        told.push(format!("{} replaced themselves.", counted(sink.rewritten, "record")));
    }
    told.join(" ")
}
