//! The table of clauses that bind nodes.

use super::super::clause::{Check, Clause, Scope};
use super::{conduct, counting, making, ranges, results, types};

macro_rules! clauses {
    ($(#[doc = $doc:literal])* $table:ident: $(
        $id:literal $name:ident $(of $node_type:literal)? = $check:path,
        $promise:literal, $reason:literal, $violation:literal;
    )+) => {
        $(#[doc = $doc])*
        pub(super) static $table: &[Clause] = &[$(Clause {
            id: $id,
            name: stringify!($name),
            promise: $promise,
            reason: $reason,
            violation: $violation,
            scope: clauses!(@scope $($node_type)?),
            check: Check::Node(|trial| Box::pin($check(trial))),
        },)+];
    };
    (@scope) => { Scope::Nodes };
    (@scope $node_type:literal) => { Scope::Type($node_type) };
}

clauses! {
    /// What every node promises: the first 21.
    NODE_CLAUSES:
    "NC-01" registered = making::registered,
        "The type is registered.",
        "A definition names types; one that nobody registered fails when the graph is loaded.",
        "The registry knows `model` and `router`, and the node's type is `modle`.";
    "NC-02" made_as_defined = making::made_as_defined,
        "A node made of a definition has the definition's id and type.",
        "Edges, traces and statistics name nodes by id.",
        "Defined as `test.model`, the node calls itself `model-1`.";
    "NC-03" all_parts = making::all_parts,
        "A node has id, type, name, description, config, stats and a text for people; it executes, \
         and its statistics can be counted.",
        "Whoever runs a graph relies on all of them; a name that is absent is the id.",
        "A node without a name is called `None`.";
    "NC-04" common_settings = making::common_settings,
        "The config holds timeout_ms, retry_count and retry_delay_ms as whole numbers.",
        "These three are the same for all types, so that a graph can be tuned without knowing them.",
        "timeout_ms is held as \"30000\", a text.";
    "NC-05" stats_parts = making::stats_parts,
        "The stats hold five counts as whole numbers from 0.",
        "Executors and dashboards add them up over nodes.",
        "total_latency_ms is absent.";
    "NC-06" stats_start_empty = making::stats_start_empty,
        "The stats of a new node are all 0, and it has no last execution.",
        "A node that starts with counts of another one falsifies every rate.",
        "Two nodes share one record of statistics.";
    "NC-07" result_parts = results::result_parts,
        "An execution gives success, output_messages, next_nodes, metadata and latency_ms, each of \
         its type.",
        "The executor reads them without asking what kind of node it was.",
        "success is \"yes\".";
    "NC-08" output_messages = results::output_messages,
        "Every output message is a whole message.",
        "The next node reads it; what is missing fails there, far from its cause.",
        "An output message without created_at.";
    "NC-09" trace_id = results::trace_id,
        "Every output message has the trace_id of the input.",
        "A message of another trace is lost to whoever follows a task through the graph.",
        "The node makes a new message in place of a child.";
    "NC-10" source_node = results::source_node,
        "Every output message says that it comes from this node.",
        "A message that names another node sends people to the wrong place.",
        "A timeout node passes on its inner node's message as it is.";
    "NC-11" next_nodes = results::next_nodes,
        "next_nodes is a list of texts.",
        "The executor looks nodes up by it.",
        "next_nodes holds a whole node in place of its id.";
    "NC-12" failure_says_why = results::failure_says_why,
        "A failure has an error that is not empty.",
        "A failure without a reason cannot be mended.",
        "success is false and error is absent.";
    "NC-13" counts_total = counting::total,
        "Counting an execution adds 1 to total_executions.",
        "All rates are over the total.",
        "Only successes are added to the total.";
    "NC-14" counts_successes = counting::successes,
        "Counting a success adds 1 to successful_executions, and a failure nothing.",
        "The success rate is made of it.",
        "Failures count as successes too.";
    "NC-15" counts_failures = counting::failures,
        "Counting a failure adds 1 to failed_executions, and a success nothing.",
        "Graphs are changed where nodes fail often.",
        "A failure is not counted.";
    "NC-16" counts_latency = counting::latencies,
        "Counting an execution adds its latency to total_latency_ms.",
        "The mean latency is made of it.",
        "The latency takes the place of the sum.";
    "NC-17" last_execution = counting::last_execution,
        "Counting an execution sets last_execution to now.",
        "It tells a node that is idle from one that hangs.",
        "last_execution stays absent.";
    "NC-18" debug_text = making::debug_text,
        "The text for people holds the node's id and type.",
        "Logs and failed assertions show it.",
        "`<Node object at 0x7f3a>`.";
    "NC-19" timeout_range = ranges::timeout_range,
        "timeout_ms 5000 is taken and held; it has a range, and what is out of it is refused.",
        "A node that may wait for ever stops the graph.",
        "timeout_ms is declared from 100, and 50 is taken.";
    "NC-20" retry_range = ranges::retry_range,
        "retry_count 2 is taken and held; it has a range, and what is out of it is refused.",
        "Retries multiply load just when a server is in trouble.",
        "retry_count has no greatest; 1000000 is taken.";
    "NC-21" concurrent = conduct::concurrent,
        "Five executions of one node at once all succeed, each with what its own message gives alone.",
        "An executor runs one node for several messages.",
        "The node keeps the message in a field, and answers the last one five times.";
}

clauses! {
    /// What every node promises: those that real defects called for.
    ADDED_CLAUSES:
    "NC-22" succeeds = results::succeeds,
        "The usual case succeeds.",
        "What never succeeded passes every clause on its output, with nothing to check.",
        "A tool node whose tool is not registered fails every time.";
    "NC-23" input_unchanged = conduct::input_unchanged,
        "An execution leaves message and context as they were.",
        "Other nodes get the same message.",
        "A loop writes its turn into the metadata of the message that it was given.";
    "NC-24" output_apart = conduct::output_apart,
        "What is written into an output message does not show in the input.",
        "A node later on would change the past.",
        "The output's payload is a shallow copy of the input's.";
    "NC-25" choices_explained = ranges::choices,
        "With every word of every choice, a node that fails says why.",
        "Ways that are seldom taken forget it.",
        "An exit with status `error` gives success false and no error.";
    "NC-26" lineage = results::lineage,
        "An output's parent_id is the input's message_id, and no message_id is used twice.",
        "The way of a message is found by its parents.",
        "A node gives its outputs one id.";
    "NC-27" unknown_keys = ranges::unknown_keys,
        "A setting that the type does not have is refused, and named.",
        "A slip of the hand in a setting does nothing, silently.",
        "A gate takes `pass_threshold` and ignores it.";
    "NC-28" ranges_reachable = ranges::ranges,
        "Every number in its declared range can be set to both ends, and not beyond.",
        "A range that another check narrows is a wrong promise.",
        "timeout_ms is declared up to 300000, and 120001 is refused.";
    "NC-29" defaults_work = ranges::defaults,
        "Without settings, a node is refused or works.",
        "What is taken and can never work fails in production, not when it is loaded.",
        "A loop of a fixed count without its count is made, and fails whenever it runs.";
    "NC-30" latency = results::latency,
        "latency_ms is 1 or more after work was done, and what the suite's clock says.",
        "Latencies of 0, or of nobody's clock, make every mean wrong.",
        "latency_ms is always 0.";
    "NC-31" cancel_safe = conduct::cancel_safe,
        "An execution that is dropped counts nothing, leaves no task, and spoils no later one of the \
         same node.",
        "Executors drop executions at their deadline.",
        "A task was spawned for the work and goes on for itself.";
    "NC-32" hostile_payloads = conduct::hostile_payloads,
        "Whatever the payload, an execution ends in a result, and the node works on.",
        "Payloads come from people and models.",
        "A message without content is an exception.";
    "NC-33" deterministic = conduct::deterministic,
        "The same message gives the same result again and again, apart from ids and times.",
        "What differs from run to run makes tests flaky.",
        "The output holds a random number.";
    "NC-34" survives_json = results::survives_json,
        "A result that is read from its JSON and written again is the same.",
        "Results are stored and sent.",
        "The result has a key that no reader knows.";
    "NC-35" real_work = conduct::real_work,
        "A success has asked what it says it asked, or says that it is simulated.",
        "A node that pretends passes every other clause.",
        "A fan-out makes its targets' answers up.";
    "NC-36" timeout_honoured = conduct::timeout_honoured,
        "Work that takes longer than timeout_ms fails after timeout_ms, whatever that is.",
        "A timeout that is stored and not kept is worse than none.",
        "timeout_ms is read and nobody looks at it.";
    "NC-37" retries_honoured = conduct::retries_honoured,
        "Where another try may help there are retry_count + 1 tries.",
        "Retries that are stored and not done cost the answer; too many cost the server.",
        "retry_count 2 gives one try.";
    "NC-38" negative_latency = counting::negative_latency,
        "A latency below 0 is refused and nothing is counted.",
        "A clock that was set back takes time off the sum.",
        "update_stats(true, -5) makes total_latency_ms -5.";
    "NC-39" parallel_updates = counting::parallel_updates,
        "Counts by many at once lose nothing.",
        "Executors run nodes on several threads.",
        "Read, add, write, without a lock.";
    "NC-40" known_targets = results::known_targets,
        "next_nodes are names that the node's settings hold as targets; others give none.",
        "A target that no graph knows of ends the walk, or leads it astray.",
        "A router goes on at whatever the model says.";
}

clauses! {
    /// What nodes of one type promise besides.
    TYPE_CLAUSES:
    "NT-01" names_its_model of "model" = types::names_its_model,
        "A model node has a setting `model`, and its result names the model.",
        "An answer is judged by who gave it.",
        "metadata.model is absent.";
    "NT-02" ends of "exit" = types::ends,
        "An exit goes nowhere and says its status.",
        "After an exit there is nothing.",
        "An exit gives next_nodes [\"entry\"].";
    "NT-03" passes_payload of "entry" = types::passes_payload,
        "An entry lets task and content through unchanged.",
        "It checks; it does not edit.",
        "The entry drops the task.";
    "NT-04" router_goes_on of "router" = types::goes_on,
        "A router that succeeds says where to go on.",
        "A route that leads nowhere is no route.",
        "next_nodes is empty.";
    "NT-05" gate_goes_on of "gate" = types::goes_on,
        "A gate that opens says where to go on.",
        "Its condition is the reason to go there.",
        "next_nodes is empty.";
    "NT-06" gives_output of "tool" = types::gives_output,
        "A tool node's message tells of the call and its output.",
        "The next node needs the output, and people the call.",
        "tool_calls is absent.";
    "NT-07" counts_turns of "loop" = types::counts_turns,
        "A loop says how many turns it took.",
        "A loop that never turns succeeds at nothing.",
        "metadata.iterations is 0.";
    "NT-08" names_strategy of "dynamic_fanout" = types::names_strategy,
        "A fan-out says how it made one answer of several.",
        "The same answers give another result under another strategy.",
        "metadata.strategy is absent.";
    "NT-09" tells_time of "timeout" = types::tells_time,
        "A timeout node says whether the time ran out.",
        "A fallback must be told from an answer.",
        "metadata.timeout is absent.";
    "NT-10" tells_steps of "transform" = types::tells_steps,
        "A transform says which steps it applied.",
        "A step that was skipped must show.",
        "metadata.transforms_applied is absent.";
    "NT-11" shows_reasoning of "reasoning" = types::shows_reasoning,
        "A reasoning node's message tells of its chain, steps and confidence.",
        "An answer without its reasons cannot be judged.",
        "The steps are thrown away.";
}
