//! Segments read back exactly, and damage never goes unnoticed.

use proptest::prelude::*;

use super::*;

type Record = (u32, u8, Option<u64>, u8, Vec<(u8, Option<u64>, Option<u32>)>, Option<u32>);

fn columns_of(records: &[Record]) -> Columns {
    let mut columns = Columns::default();
    let mut attempts = Vec::new();
    let mut failures = Vec::new();
    for (index, (test, outcome, duration, repeat, listed, failure)) in records.iter().enumerate() {
        columns.tests.push(*test);
        columns.outcomes.push(Outcome::from_code(*outcome).unwrap());
        columns.durations.push(duration.map(Micros));
        failures.push(*failure);
        if *repeat > 0 || !listed.is_empty() {
            columns.repeats.push(RepeatMark {
                result: index as u32,
                repeat: Repeat::from_code(*repeat).unwrap(),
                attempts: listed.len() as u32,
            });
            attempts.extend(listed);
        }
    }
    for &(outcome, duration, failure) in attempts {
        columns.outcomes.push(Outcome::from_code(outcome).unwrap());
        columns.durations.push(duration.map(Micros));
        failures.push(failure);
    }
    for (slot, failure) in failures.into_iter().enumerate() {
        if let Some(failure) = failure {
            columns.failure_slots.push(slot as u32);
            columns.failures.push(failure);
        }
    }
    columns
}

fn encoded(columns: &Columns) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let body = encoder.body(columns);
    encoder.segment(&columns.tests, &columns.failures, &body)
}

fn duration() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        Just(None),
        Just(Some(0)),
        (0..5_000_u64).prop_map(|ms| Some(ms * 1_000)),
        any::<u64>().prop_map(Some),
        (0..64_u32).prop_map(|shift| Some(1 << shift)),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let test = prop_oneof![0..50_u32, any::<u32>()];
    let attempt = (0..4_u8, duration(), proptest::option::of(any::<u32>()));
    let attempts = prop_oneof![
        8 => Just(Vec::new()),
        1 => proptest::collection::vec(attempt, 0..5),
    ];
    (test, 0..4_u8, duration(), 0..4_u8, attempts, proptest::option::of(any::<u32>()))
}

proptest! {
    #[test]
    fn a_segment_reads_back_exactly(records in proptest::collection::vec(record(), 0..200)) {
        let columns = columns_of(&records);
        let mut copy = Columns::default();
        Decoder::default().decode(&encoded(&columns), &mut copy).unwrap();
        prop_assert_eq!(copy, columns);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz(&bytes);
    }

    #[test]
    fn damaged_segments_are_noticed(
        records in proptest::collection::vec(record(), 1..60),
        place in any::<proptest::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut bytes = encoded(&columns_of(&records));
        let inner = bytes[1..bytes.len() - CHECKSUM_BYTES].to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        prop_assert!(Decoder::default().decode(&bytes, &mut Columns::default()).is_err());
        // The decoder proper must hold as well, behind a checksum that somebody forged.
        let mut forged = inner;
        let place = place % forged.len();
        forged[place] ^= flip;
        fuzz(&forged);
    }
}

#[test]
fn a_segment_of_a_later_version_is_named() {
    let mut bytes = encoded(&columns_of(&[]));
    bytes[0] = 9;
    let error = Decoder::default().decode(&bytes, &mut Columns::default()).unwrap_err();
    assert_eq!(error, SegmentError::Version(9));
    assert_eq!(error.to_string(), "has format 9, which this flakedb does not know");
}

#[test]
fn a_short_frame_cannot_claim_much_memory() {
    let zeros = vec![0_u8; 1 << 20];
    let frame = zstd::bulk::compress(&zeros, 1).unwrap();
    let mut out = Vec::new();
    assert!(Decoder::default().expand(&frame, 1 << 10, &mut out).is_err());
    assert_eq!(out.capacity(), 0);
}

/// Log-normal durations around 20 ms from a fixed linear congruential generator.
fn durations(count: usize, unit_micros: u64) -> Vec<Option<Micros>> {
    let mut state = 1_u64;
    let mut uniform = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut sample = || {
        let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let micros = 20_000.0 * (1.5 * normal).exp();
        Some(Micros((micros as u64) / unit_micros * unit_micros))
    };
    (0..count).map(|_| sample()).collect()
}

#[test]
fn a_passing_result_costs_little_in_milliseconds_and_in_microseconds() {
    for (unit, bytes_max) in [(1_000, 1.1), (1, 2.2)] {
        let count = 1_000;
        let columns = Columns {
            tests: (500..500 + count as u32).collect(),
            outcomes: vec![Outcome::Passed; count],
            durations: durations(count, unit),
            ..Columns::default()
        };
        let bytes = encoded(&columns).len() as f64 / count as f64;
        assert!(bytes < bytes_max, "{bytes} bytes a result at a unit of {unit} µs");
    }
}

#[test]
fn bad_attempts_are_found_in_results_and_in_listed_attempts() {
    let columns = columns_of(&[
        (1, 1, None, 0, vec![], Some(7)),
        (2, 0, None, 1, vec![(2, None, Some(8)), (1, None, None), (0, None, None)], None),
        (3, 3, None, 0, vec![], None),
        (4, 2, None, 0, vec![], None),
    ]);
    let marks: Vec<_> = columns
        .bad_marks()
        .iter()
        .map(|mark| (mark.result, mark.attempt, mark.outcome.code(), mark.failure))
        .collect();
    assert_eq!(marks, [(0, 0, 1, Some(0)), (1, 0, 2, Some(1)), (1, 1, 1, None), (3, 0, 2, None)]);
}

/// The example of `docs/SEGMENT.md`.
#[test]
fn the_documented_example_holds() {
    let columns = columns_of(&[
        (7, 0, Some(1_000), 0, vec![], None),
        (8, 1, Some(250_000), 0, vec![], Some(3)),
    ]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let text = hex(&encoded(&columns)).join(" ");
    let page = include_str!("../../../docs/SEGMENT.md");
    let documented: Vec<&str> = page
        .split("```text\n")
        .nth(1)
        .and_then(|block| block.split("```").next())
        .unwrap()
        .lines()
        .flat_map(|line| line.split("  ").next().unwrap_or("").split_whitespace())
        .collect();
    assert_eq!(documented.join(" "), text);
}

#[test]
fn a_stretch_of_tests_ends_with_the_results() {
    let read = |bytes: &[u8], results| {
        let mut out = Vec::new();
        pull_tests(bytes, results, &mut out).map(|()| out)
    };
    let wrong = Err(SegmentError::Invalid("a test number"));
    assert_eq!(read(&[0, 1 << 1 | 1], 2), Ok(vec![0, 1]));
    assert_eq!(read(&[0, 2 << 1 | 1], 2), wrong);
    assert_eq!(read(&[0, 1], 2), wrong);
    assert_eq!(read(&[0, 0], 1), Err(SegmentError::Count { what: "tests", found: 2, expected: 1 }));
}

#[test]
fn one_segment_holds_a_stated_number_of_slots() {
    assert!(fits(0) && fits(SEGMENT_SLOTS_MAX) && !fits(SEGMENT_SLOTS_MAX + 1));
}

#[test]
fn slots_are_results_and_listed_attempts_together() {
    assert_eq!(columns_of(&[]).slots(), 0);
    let attempts = vec![(1, None, None), (0, None, None)];
    assert_eq!(
        columns_of(&[(1, 0, None, 1, attempts, None), (2, 0, None, 0, vec![], None)]).slots(),
        4
    );
}

#[test]
fn a_repeated_result_without_listed_attempts_is_bad_by_its_own_outcome() {
    let columns = columns_of(&[(1, 1, None, 2, vec![], Some(7)), (2, 0, None, 0, vec![], None)]);
    assert_eq!((columns.repeats.len(), columns.repeats[0].attempts), (1, 0));
    let wanted = BadMark { result: 0, attempt: 0, outcome: Outcome::Failed, failure: Some(0) };
    assert_eq!(columns.bad_marks(), [wanted]);
}

#[test]
fn columns_are_squeezed_from_the_length_on_at_which_that_pays() {
    let squeezed = |bytes| Encoder::default().squeeze(&vec![7; bytes]).is_some();
    assert!(!squeezed(ZSTD_WORTHWHILE_BYTES - 1));
    assert!(squeezed(ZSTD_WORTHWHILE_BYTES));
}
