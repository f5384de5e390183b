//! The size of an aggregated record, against one that is written out.

use super::*;
use crate::blueprint::WeightedKey;
use crate::services::producer::library::size::{FRAME_BYTES, Measure};
use proptest::prelude::*;

/// A protocol buffer's variable-length number.
fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value % 0x80) as u8 | 0x80);
        value /= 0x80;
    }
    out.push(value as u8);
}
fn field(tag: u8, contents: &[u8], out: &mut Vec<u8>) {
    out.push(tag << 3 | 2);
    number(contents.len() as u64, out);
    out.extend_from_slice(contents);
}

/// The format as AWS documents it: tables of partition keys and explicit hash keys, and the records, which refer to
/// them, between a magic number and an MD5.
fn written(records: &[(&WeightedKey, usize)]) -> Vec<u8> {
    let (mut keys, mut hashes) = (Vec::<&str>::new(), Vec::<String>::new());
    let mut out = vec![0xF3, 0x89, 0x9A, 0xC2];
    let mut bodies = Vec::new();
    for (key, data) in records {
        let mut body = Vec::new();
        let mut refer = |tag: u8, index: usize| {
            body.push(tag << 3);
            number(index as u64, &mut body);
        };
        let place = keys.iter().position(|text| *text == key.text).unwrap_or_else(|| {
            keys.push(&key.text);
            keys.len() - 1
        });
        refer(1, place);
        if let Some(hash) = key.explicit_hash_key {
            let text = hash.to_string();
            let place = hashes.iter().position(|known| *known == text).unwrap_or_else(|| {
                hashes.push(text);
                hashes.len() - 1
            });
            refer(2, place);
        }
        field(3, &vec![0; *data], &mut body);
        bodies.push(body);
    }
    let keys = keys.iter().map(|key| (1, key.as_bytes()));
    let hashes = hashes.iter().map(|hash| (2, hash.as_bytes()));
    let bodies = bodies.iter().map(|body| (3, body.as_slice()));
    for (tag, contents) in keys.chain(hashes).chain(bodies) {
        field(tag, contents, &mut out);
    }
    out.extend([0; 16]);
    out
}

proptest! {
    /// Byte by byte what is written: four of magic, the protocol buffer, sixteen of MD5.
    #[test]
    fn kds_kpl_18_an_aggregated_record_has_the_size_of_its_format(
        keys in prop::collection::btree_map("[a-z]{1,200}", prop::option::of(1_u128..), 1..200),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20_000), 2..300),
    ) {
        let mut taken = Vec::new();
        let keys: Vec<WeightedKey> = keys.into_iter().map(|(text, hash)| {
            let explicit_hash_key = hash.filter(|hash| !taken.contains(hash));
            taken.extend(explicit_hash_key);
            WeightedKey { text, weight: 1.0, explicit_hash_key }
        }).collect();
        let blueprint = ProducerBlueprint { keys: Keys::Weighted(keys.clone()), ..blueprint(defaults(), &[]) };
        let table = KeyTable::build(&[&blueprint]);
        let sizes = KeySizes::new(&blueprint, &table, table.range(ME));
        let mut measure = Measure::new(keys.len() as u32);
        let mut picked = Vec::new();
        measure.begin();
        let mut bytes = FRAME_BYTES;
        for (pick, data) in picks {
            let number = pick.index(keys.len());
            picked.push((&keys[number], data));
            let bytes_of = data as u32 + table.entry(KeyId(number as u32)).text_bytes;
            bytes = measure.add(&Record { key: KeyId(number as u32), bytes: bytes_of, ..crate::testing::harness::records(0, 1)[0] }, &sizes);
        }
        prop_assert_eq!(bytes, written(&picked).len() as u64);
    }
}

/// 100 user records of 100 bytes and two keys: what counts against the shard is a few bytes more than their data.
#[test]
fn the_stream_sees_the_format_s_bytes_and_the_key_a() {
    let mut arrivals = stream_of('a', 0, 0, 50, 100);
    arrivals.extend(stream_of('b', 0, 0, 50, 100));
    let mut bench = bench(defaults(), 1, &arrivals);
    bench.run_until(millis(200));
    // Frame, two keys of three bytes, and for each record its own tag and length, an index and a data field.
    let expected = 20 + 2 * 3 + 100 * (2 + 2 + 2 + 100) + 1;
    assert_eq!(bench.requests[0].records[0].bytes, expected);
    assert_eq!(bench.requests[0].bytes, u64::from(expected));
}
