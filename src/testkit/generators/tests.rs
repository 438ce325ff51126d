//! What all generators have to keep: good values are good, spoiled ones are spoiled in one place
//! and as they say, and a seed gives the bytes that it always gave.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::Serialize;
use serde_json::Value;

use super::history::Histories;
use super::junit::{DIALECTS, Reports};
use super::*;
use crate::testkit::nodes::{Bounds, NodeType};

/// Calls `$what` with every generator, at its defaults and at others.
macro_rules! every_generator {
    ($what:ident) => {
        $what(&Strings::new());
        $what(&Strings::new().length(0, 40));
        $what(&Alphanumerics::new());
        $what(&Integers::new());
        $what(&Integers::new().range(i64::MIN, i64::MAX));
        $what(&Integers::new().range(-20, -10));
        $what(&Floats::new());
        $what(&Floats::new().range(-1e300, 1e300));
        $what(&Booleans::new());
        $what(&Timestamps::new());
        $what(&Emails);
        $what(&Urls);
        $what(&Maps::new());
        $what(&Lists::new());
        $what(&Lists::new().of(ItemKind::Float).length(2, 9));
        $what(&Lists::new().of(ItemKind::Mixed));
        $what(&HostileTexts::new());
        $what(&HostileTexts::new().xml());
        $what(&Messages::new());
        $what(&Messages::new().full());
        $what(&Messages::new().hostile(HostileTexts::new()));
        $what(&Nodes::new());
        for node_type in NodeType::BUILT_IN {
            $what(&Nodes::of(node_type.clone()));
            $what(&Nodes::of(node_type).varied());
        }
        $what(&Contexts::new());
        $what(&Contexts::new().messages(4, 9).like(Messages::new().full()).variable("a", 1));
        // Bounds that are nearly reached, each in its turn.
        for (max_messages, max_message_size_bytes, max_total_size_bytes) in
            [(1, 1 << 20, 1 << 20), (5, 1_024, 1 << 20), (9, 1 << 20, 1_024), (2, 1_024, 1_024)]
        {
            let bounds = Bounds { max_messages, max_message_size_bytes, max_total_size_bytes };
            $what(&Contexts::new().messages(3, 9).bounds(bounds));
        }
        $what(&Graphs::new());
        $what(&Graphs::linear(4));
        $what(&Graphs::linear(0));
        $what(&Graphs::branching(9));
        $what(&Graphs::parallel(3));
        $what(&Graphs::random(12).types(NodeType::BUILT_IN).diamonds(2).cycles(2));
        $what(&Responses::new());
        $what(&Responses::new().text(""));
        $what(&Responses::new().prompt_tokens(u64::MAX).completion_tokens(u64::MAX));
        $what(&ResponseStreams::new());
        $what(&ResponseStreams::new().prompt_tokens(u64::MAX));
        $what(&ResponseStreams::new().hostile(HostileTexts::new()));
        $what(&Chats::new());
        $what(&Chats::new().calling(["calculator", "search"]));
        $what(&Embeddings::new());
        $what(&Embeddings::new().texts(3).dimension(384));
        $what(&Conversations::new());
        $what(&Conversations::new().turns(3, 8).system("Be brief.").calling(["clock"], 1.0));
    };
}

#[test]
fn what_a_generator_makes_has_nothing_wrong() {
    fn check<G: Checked>(generator: &G) {
        for good in generator.batch(60, &mut Source::seeded(1)) {
            let value = serde_json::to_value(good).unwrap();
            assert_eq!(generator.violations(&value), [], "{}: {value}", G::KIND);
        }
    }
    every_generator!(check);
}

#[test]
fn an_invalid_value_is_wrong_in_the_one_way_that_it_names() {
    fn check<G: Checked>(generator: &G) {
        for seed in 0..3 {
            let invalid = generator.invalid(&mut Source::seeded(seed));
            let names: BTreeSet<String> = invalid.iter().map(Invalid::name).collect();
            assert_eq!(names.len(), invalid.len(), "{}: a name is there twice", G::KIND);
            assert!(!invalid.is_empty(), "{}", G::KIND);
            for one in invalid {
                let found = generator.violations(&one.value);
                let found: Vec<_> =
                    found.iter().map(|found| (found.rule, found.at.as_str())).collect();
                assert_eq!(found, [(one.rule, one.at.as_str())], "{}: {}", G::KIND, one.value);
            }
        }
    }
    every_generator!(check);
}

#[test]
fn the_first_of_many_are_the_same_as_the_first_of_few() {
    fn check<G: Checked>(generator: &G) {
        let written = |count, source: &mut Source| {
            let batch = generator.batch(count, source);
            batch.iter().map(|one| serde_json::to_string(one).unwrap()).collect::<Vec<_>>()
        };
        let many = written(8, &mut Source::seeded(5));
        assert_eq!(many[..3], written(3, &mut Source::seeded(5)), "{}", G::KIND);
        let mut source = Source::seeded(5);
        Messages::new().trace_id("t").batch(usize::from(G::KIND != Messages::KIND), &mut source);
        let single = [(); 2].map(|()| serde_json::to_string(&generator.one(&mut source)).unwrap());
        assert_eq!(many[..2], single, "{}", G::KIND);
    }
    every_generator!(check);
}

fn lines<T: Serialize>(items: &[T]) -> String {
    items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect()
}

/// What seed 7 gives of each kind: the name of a file, and its bytes.
fn golden() -> Vec<(String, String)> {
    let mut files = Vec::new();
    {
        let mut add = |name: &str, text: String| files.push((format!("{name}.jsonl"), text));
        macro_rules! write {
            ($($generator:expr;)+) => {
                $(write_one(&$generator, &mut add);)+
            };
        }
        fn write_one<G: Checked>(generator: &G, add: &mut impl FnMut(&str, String)) {
            add(G::KIND, lines(&generator.batch(3, &mut Source::seeded(7))));
        }
        write! {
            Strings::new(); Alphanumerics::new(); Integers::new(); Floats::new(); Booleans::new();
            Timestamps::new(); Emails; Urls; Maps::new(); Lists::new().of(ItemKind::Mixed);
            HostileTexts::new(); Messages::new(); Graphs::random(6).types(NodeType::BUILT_IN);
            Nodes::new(); Contexts::new();
            Responses::new(); ResponseStreams::new(); Chats::new(); Embeddings::new();
            Conversations::new();
        }
        for dialect in [DIALECTS[0], DIALECTS[9]] {
            let reports = Reports::of(dialect).tests(4).batch(2, &mut Source::seeded(7));
            add(&format!("report-{}", dialect.name), lines(&reports));
        }
        let histories = Histories::of(DIALECTS[0]).runs(5).healthy(1);
        add("history", lines(&histories.one(&mut Source::seeded(7)).lines()));
    }
    files
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/generators")
}

/// `FLAKEDB_WRITE_GOLDEN=1` writes the files anew; what changed then is a change for users.
#[test]
fn seed_7_gives_the_bytes_that_it_always_gave() {
    if std::env::var_os("FLAKEDB_WRITE_GOLDEN").is_some() {
        fs::create_dir_all(folder()).unwrap();
        for (name, text) in golden() {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    let files = golden();
    for (name, text) in &files {
        let golden = fs::read_to_string(folder().join(name)).unwrap();
        assert_eq!(*text, golden, "{name} is not what it was");
    }
    let there = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name());
    let there: BTreeSet<String> = there.map(|name| name.into_string().unwrap()).collect();
    let known: BTreeSet<String> = files.into_iter().map(|(name, _)| name).collect();
    assert!(known.is_subset(&there), "{known:?}");
}

#[test]
fn another_process_in_another_locale_and_time_zone_gives_the_same_bytes() {
    if std::env::var_os("FLAKEDB_WRITE_GOLDEN").is_some() {
        return; // The files are being written.
    }
    for (locale, zone, threads) in [("tr_TR.UTF-8", "Pacific/Chatham", "1"), ("C", "UTC", "8")] {
        let done = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "testkit::generators::tests::seed_7_gives_the_bytes_that_it_always_gave",
            ])
            .env_remove("FLAKEDB_WRITE_GOLDEN")
            .envs([
                ("LC_ALL", locale),
                ("LANG", locale),
                ("TZ", zone),
                ("RUST_TEST_THREADS", threads),
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
    }
}

#[test]
fn ids_are_never_used_twice() {
    let messages = Messages::new().batch(20_000, &mut Source::seeded(1));
    let ids: BTreeSet<&str> = messages.iter().map(|message| message.message_id.as_str()).collect();
    assert_eq!(ids.len(), messages.len());
    let traces: BTreeSet<&str> = messages.iter().map(|message| message.trace_id.as_str()).collect();
    assert_eq!(traces.len(), messages.len());
    for id in ids {
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
    }
}

/// Each of them once took all memory, or all time.
#[test]
fn no_setting_asks_for_more_than_a_generator_gives() {
    let mut source = Source::seeded(1);
    let all = usize::MAX;
    assert_eq!(Strings::new().length(all, all).one(&mut source).len(), LENGTH_MAX);
    assert_eq!(
        Lists::new().of(ItemKind::Boolean).length(all, 0).one(&mut source).len(),
        LENGTH_MAX
    );
    let message = Messages::new().words(all, all).one(&mut source);
    assert_eq!(message.payload.content.unwrap().split(' ').count(), COUNT_MAX);
    let graph = Graphs::random(all).one(&mut source);
    assert_eq!(graph.nodes.len(), COUNT_MAX + 2);
    assert_eq!(Graphs::parallel(all).one(&mut source).nodes.len(), COUNT_MAX + 3);
    let few = Graphs::random(2).extra_edges(all).cycles(all).diamonds(all).one(&mut source);
    assert_eq!(few.violations(), []);
    let many = Graphs::random(COUNT_MAX).depth(40).diamonds(all).cycles(all).extra_edges(all);
    let graph = many.one(&mut source);
    assert!(graph.edges.len() > 2 * COUNT_MAX);
    assert_eq!(graph.violations(), []);
    let vectors = Embeddings::new().texts(all).dimension(all).one(&mut source).embeddings;
    assert_eq!((vectors.len(), vectors[0].len()), (100, COUNT_MAX));
}

#[test]
fn settings_of_messages_are_kept() {
    let mut source = Source::seeded(1);
    let messages =
        Messages::new().trace_id("t").source_node("s").target_node("g").task("do").words(3, 3);
    for message in messages.batch(20, &mut source) {
        assert_eq!((&*message.trace_id, &*message.source_node), ("t", "s"));
        assert_eq!(message.target_node.as_deref(), Some("g"));
        assert_eq!(message.payload.task.as_deref(), Some("do"));
        assert_eq!(message.payload.content.unwrap().split(' ').count(), 3);
    }
}

#[test]
fn contents_have_words_within_their_bounds_and_reach_both() {
    let messages = Messages::new().batch(2_000, &mut Source::seeded(1));
    let counts: BTreeSet<usize> = messages
        .iter()
        .map(|message| message.payload.content.as_deref().unwrap().split(' ').count())
        .collect();
    assert_eq!(counts, (5..=20).collect());
}

#[test]
fn the_pieces_of_a_stream_are_the_text() {
    for hostile in HostileTexts::new().batch(200, &mut Source::seeded(2)) {
        let stream = ResponseStreams::new().text(&hostile).one(&mut Source::seeded(1));
        let text: String = stream.iter().map(|line| line.response.as_str()).collect();
        assert_eq!(text, hostile);
        let times: Vec<&str> = stream.iter().map(|line| line.created_at.as_str()).collect();
        assert!(times.is_sorted());
    }
}

#[test]
fn the_parts_of_an_answer_are_no_more_than_the_whole() {
    for answer in Responses::new().batch(500, &mut Source::seeded(3)) {
        assert!(answer.metrics.overhead().unwrap() > 0);
        assert!(answer.metrics.eval_count.unwrap() >= 1);
    }
}

#[test]
fn vectors_have_length_one() {
    for answer in Embeddings::new().dimension(64).texts(4).batch(20, &mut Source::seeded(3)) {
        assert_eq!(answer.embeddings.len(), 4);
        for vector in answer.embeddings {
            let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
            assert!((length - 1.0).abs() < 1e-4, "{length}");
        }
    }
}

/// By the grammar of XML 1.0, <https://www.w3.org/TR/xml/#charsets>.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[test]
fn hostile_texts_for_xml_have_only_its_characters_and_others_do_not() {
    let xml = HostileTexts::new().xml().batch(500, &mut Source::seeded(3));
    assert!(xml.iter().all(|text| text.chars().all(is_xml)));
    let all = HostileTexts::new().batch(500, &mut Source::seeded(3));
    assert!(!all.iter().all(|text| text.chars().all(is_xml)));
    for (what, piece) in HostileTexts::all() {
        let there = all.iter().any(|text| text.contains(piece));
        assert!(there, "no text has the piece `{what}`");
    }
}

#[test]
fn numbers_stay_in_their_ranges_and_reach_both_ends() {
    let numbers = Integers::new().range(-2, 2).batch(200, &mut Source::seeded(1));
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>(), (-2..=2).collect());
    for number in Floats::new().range(2.0, 3.0).batch(200, &mut Source::seeded(1)) {
        assert!((2.0..=3.0).contains(&number));
    }
    let truths = Booleans::new().probability(0.9).batch(1_000, &mut Source::seeded(1));
    assert!((850..950).contains(&truths.iter().filter(|truth| **truth).count()));
}

#[test]
fn messages_and_answers_come_back_from_their_json() {
    fn there_and_back<G>(generator: &G)
    where
        G: Checked<Output: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>,
    {
        for good in generator.batch(50, &mut Source::seeded(4)) {
            let text = serde_json::to_string(&good).unwrap();
            assert_eq!(serde_json::from_str::<G::Output>(&text).unwrap(), good);
        }
    }
    there_and_back(&Messages::new().full());
    there_and_back(&Messages::new().hostile(HostileTexts::new()));
    there_and_back(&Graphs::random(9).types(NodeType::BUILT_IN).cycles(2));
    there_and_back(&Responses::new());
    there_and_back(&ResponseStreams::new());
    there_and_back(&Chats::new().calling(["calculator"]));
    there_and_back(&Conversations::new());
    there_and_back(&Embeddings::new());
}

#[test]
fn an_invalid_value_can_be_written() {
    let invalid = Messages::new().invalid(&mut Source::seeded(7));
    let value: Value = serde_json::to_value(&invalid[0]).unwrap();
    assert_eq!(value["rule"], "wrong_type");
    assert_eq!(value["at"], "");
    assert_eq!(invalid[0].name(), "wrong_type");
}
