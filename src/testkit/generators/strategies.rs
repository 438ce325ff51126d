//! The generators as proptest strategies.
//!
//! A strategy draws a seed and gives what the generator makes of it; sizes are drawn apart, so that
//! a failing case shrinks to few nodes, words or turns.
//!
//! ```
//! use flakedb::testkit::generators::strategies;
//! use proptest::prelude::*;
//!
//! proptest!(|(graph in strategies::graphs(30), message in strategies::messages())| {
//!     prop_assert!(graph.violations().is_empty());
//!     prop_assert!(!message.trace_id.is_empty());
//! });
//! ```

use std::fmt::Debug;

use proptest::prelude::*;

use super::generate::Generate;
use super::history::{Histories, History};
use super::invalid::{Checked, Invalid};
use super::junit::{DIALECTS, Dialect, Report, Reports};
use super::source::Source;
use super::{
    Chats, Contexts, Conversations, Embeddings, Graphs, HostileTexts, Messages, Nodes,
    ResponseStreams, Responses,
};
use crate::testkit::nodes::response::{
    ChatResponse, Conversation, EmbedResponse, GenerateResponse,
};
use crate::testkit::nodes::{ExecutionContext, GraphDefinition, Message, NodeDefinition, NodeType};

/// Seeds. They do not shrink: a smaller seed is no simpler.
pub fn seeds() -> impl Strategy<Value = u64> {
    any::<u64>().no_shrink()
}

/// What a generator makes of any seed: the strategy of a generator with settings of your own.
pub fn of<G>(generator: G) -> impl Strategy<Value = G::Output>
where
    G: Generate<Output: Debug>,
{
    seeds().prop_map(move |seed| generator.one(&mut Source::seeded(seed)))
}

/// What a generator's values are with one thing wrong; shrinks to the first such way.
pub fn invalid<G: Checked>(generator: G) -> impl Strategy<Value = Invalid> {
    (seeds(), any::<prop::sample::Index>()).prop_filter_map("no way to spoil", move |(seed, at)| {
        let mut ways = generator.invalid(&mut Source::seeded(seed));
        (!ways.is_empty()).then(|| ways.swap_remove(at.index(ways.len())))
    })
}

/// Messages with contents of 0 to 40 words.
pub fn messages() -> impl Strategy<Value = Message> {
    let of = |(words, full, seed): (usize, bool, u64)| {
        let messages = Messages::new().words(words, words);
        let messages = if full { messages.full() } else { messages };
        messages.one(&mut Source::seeded(seed))
    };
    (0_usize..=40, any::<bool>(), seeds()).prop_map(of)
}

/// Texts of up to ten pieces that programs get wrong.
pub fn hostile_texts() -> impl Strategy<Value = String> {
    (0_usize..=10, seeds()).prop_map(|(pieces, seed)| {
        HostileTexts::new().pieces(pieces, pieces).one(&mut Source::seeded(seed))
    })
}

/// Node definitions of the eleven types with settings over the whole of their ranges.
pub fn nodes() -> impl Strategy<Value = NodeDefinition> {
    (0..NodeType::BUILT_IN.len(), any::<bool>(), seeds()).prop_map(|(at, varied, seed)| {
        let nodes = NodeType::BUILT_IN.get(at).cloned().map_or_else(Nodes::new, Nodes::of);
        let nodes = if varied { nodes.varied() } else { nodes };
        nodes.one(&mut Source::seeded(seed))
    })
}

/// Node definitions of one type with settings over the whole of their ranges.
pub fn nodes_of(node_type: NodeType) -> impl Strategy<Value = NodeDefinition> {
    of(Nodes::of(node_type).varied())
}

/// Random graphs of up to so many inner nodes, of all types, some with diamonds, some with cycles.
pub fn graphs(nodes_max: usize) -> impl Strategy<Value = GraphDefinition> {
    graphs_of(nodes_max, NodeType::BUILT_IN)
}

/// The same with inner nodes of these types only: with `[NodeType::Transform]`, graphs that can be
/// walked without a model.
pub fn graphs_of(
    nodes_max: usize,
    types: impl IntoIterator<Item = NodeType>,
) -> impl Strategy<Value = GraphDefinition> {
    let types: Vec<NodeType> = types.into_iter().collect();
    let sizes = (0..=nodes_max, 1..=nodes_max.max(1), 0..=nodes_max, 0_usize..3, 0_usize..3);
    (sizes, seeds()).prop_map(move |((nodes, depth, edges, diamonds, cycles), seed)| {
        let graphs = Graphs::random(nodes).types(types.iter().cloned()).depth(depth);
        let graphs = graphs.extra_edges(edges).diamonds(diamonds).cycles(cycles);
        graphs.one(&mut Source::seeded(seed))
    })
}

/// Contexts of up to so many messages.
pub fn contexts(messages_max: usize) -> impl Strategy<Value = ExecutionContext> {
    (0..=messages_max, seeds()).prop_map(|(messages, seed)| {
        Contexts::new().messages(messages, messages).one(&mut Source::seeded(seed))
    })
}

/// Answers of `/api/generate`.
pub fn responses() -> impl Strategy<Value = GenerateResponse> {
    of(Responses::new())
}

/// Streams of `/api/generate`.
pub fn response_streams() -> impl Strategy<Value = Vec<GenerateResponse>> {
    of(ResponseStreams::new())
}

/// Answers of `/api/chat`, half of them calls of tools.
pub fn chats() -> impl Strategy<Value = ChatResponse> {
    prop_oneof![of(Chats::new()), of(Chats::new().calling(["calculator"]))]
}

/// Answers of `/api/embed`: up to four vectors of up to 64 numbers.
pub fn embeddings() -> impl Strategy<Value = EmbedResponse> {
    (1_usize..=4, 1_usize..=64, seeds()).prop_map(|(texts, dimension, seed)| {
        Embeddings::new().texts(texts).dimension(dimension).one(&mut Source::seeded(seed))
    })
}

/// Conversations of up to so many turns.
pub fn conversations(turns_max: usize) -> impl Strategy<Value = Conversation> {
    (1..=turns_max.max(1), seeds()).prop_map(|(turns, seed)| {
        Conversations::new().turns(turns, turns).one(&mut Source::seeded(seed))
    })
}

/// Reports of up to so many tests in any dialect, with their truth.
pub fn reports(tests_max: usize) -> impl Strategy<Value = Report> {
    let of = |(dialect, tests, seed): (&'static Dialect, usize, u64)| {
        Reports::of(dialect).tests(tests).retried(0.3).one(&mut Source::seeded(seed))
    };
    (prop::sample::select(DIALECTS), 0..=tests_max, seeds()).prop_map(of)
}

/// Histories of up to so many builds in any dialect, with their truth.
pub fn histories(runs_max: usize) -> impl Strategy<Value = History> {
    let of = |(dialect, runs, seed): (&'static Dialect, usize, u64)| {
        Histories::of(dialect).runs(runs).one(&mut Source::seeded(seed))
    };
    (prop::sample::select(DIALECTS), 1..=runs_max.max(1), seeds()).prop_map(of)
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::testkit::nodes::context::Bounds;

    fn good<G: Checked>(generator: &G, value: &G::Output) -> Result<(), TestCaseError> {
        let value = serde_json::to_value(value).unwrap();
        prop_assert_eq!(generator.violations(&value), vec![]);
        Ok(())
    }

    proptest! {
        #[test]
        fn whatever_a_strategy_gives_has_nothing_wrong(
            message in messages(), node in nodes(), graph in graphs(20), context in contexts(8),
            answer in responses(), stream in response_streams(), chat in chats(),
            vectors in embeddings(), conversation in conversations(5), text in hostile_texts(),
        ) {
            good(&Messages::new(), &message)?;
            good(&Nodes::new(), &node)?;
            good(&Graphs::new(), &graph)?;
            good(&Contexts::new(), &context)?;
            good(&Responses::new(), &answer)?;
            good(&ResponseStreams::new(), &stream)?;
            good(&Chats::new(), &chat)?;
            good(&Embeddings::new(), &vectors)?;
            good(&Conversations::new(), &conversation)?;
            good(&HostileTexts::new(), &text)?;
        }

        #[test]
        fn whatever_is_invalid_is_so_for_the_reason_that_it_names(
            graph in invalid(Graphs::random(8).types(NodeType::BUILT_IN).cycles(1)),
            node in invalid(Nodes::new().varied()),
            context in invalid(Contexts::new()),
        ) {
            for (found, wanted) in [
                (Graphs::new().violations(&graph.value), graph),
                (Nodes::new().violations(&node.value), node),
                (Contexts::new().violations(&context.value), context),
            ] {
                let found: Vec<_> = found.into_iter().map(|one| (one.rule, one.at)).collect();
                prop_assert_eq!(found, vec![(wanted.rule, wanted.at)]);
            }
        }

        #[test]
        fn contexts_stay_within_their_bounds_however_much_is_said(
            seed in seeds(), messages in 0_usize..60, count in 1_usize..20,
            one in 1_024_usize..3_000, all in 1_024_usize..6_000,
        ) {
            let bounds = Bounds {
                max_messages: count, max_message_size_bytes: one, max_total_size_bytes: all,
            };
            let contents = Messages::new().words(0, 300);
            let context = Contexts::new().bounds(bounds).like(contents).messages(messages, messages)
                .one(&mut Source::seeded(seed));
            let sizes: Vec<usize> = context.messages().iter()
                .map(|message| serde_json::to_string(message).unwrap().len()).collect();
            prop_assert!(sizes.len() <= count);
            prop_assert!(sizes.iter().all(|size| *size <= one));
            prop_assert!(sizes.iter().sum::<usize>() <= all);
        }
    }

    #[test]
    fn a_graph_shrinks_to_an_entry_and_an_exit() {
        let mut runner = TestRunner::deterministic();
        let mut tree = graphs(30).new_tree(&mut runner).unwrap();
        while tree.simplify() {}
        assert_eq!(tree.current().nodes.len(), 2);
    }
}
