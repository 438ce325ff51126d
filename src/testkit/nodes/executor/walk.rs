//! One walk, wave by wave.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, stream};

use super::call::Log;
use super::cancel::Cancel;
use super::outcome::{Answer, End, Outcome};
use super::step::Step;
use super::{Edge, Limits, Plan};
use crate::testkit::nodes::behavior::milliseconds;
use crate::testkit::nodes::context::ExecutionContext;
use crate::testkit::nodes::message::Message;
use crate::testkit::nodes::node::Node;
use crate::testkit::nodes::node_type::NodeType;
use crate::testkit::nodes::result::NodeResult;

/// A message on its way to a node.
struct Delivery {
    node: Arc<dyn Node>,
    /// One for all the ways that it goes: a queue may be long.
    message: Arc<Message>,
}

pub(super) struct Walk {
    log: Arc<Log>,
    context: ExecutionContext,
    begun: Instant,
    /// Deliveries made so far.
    delivered: u64,
    visits: HashMap<String, u64>,
    answers: Vec<Answer>,
    steps: Vec<Step>,
    condition_errors: Vec<String>,
    was_at_exit: bool,
}

impl Walk {
    pub(super) fn new(plan: Arc<Plan>, limits: Limits, context: ExecutionContext) -> Self {
        Self {
            log: Arc::new(Log::new(plan, limits)),
            context,
            begun: Instant::now(),
            delivered: 0,
            visits: HashMap::new(),
            answers: Vec::new(),
            steps: Vec::new(),
            condition_errors: Vec::new(),
            was_at_exit: false,
        }
    }

    pub(super) async fn run(mut self, message: Message, cancel: &Cancel) -> Outcome {
        let end = match self.waves(message, cancel).await {
            Ok(()) if self.was_at_exit => End::Completed,
            Ok(()) => End::NoExit,
            Err(end) => end,
        };
        Outcome {
            end,
            answers: self.answers,
            steps: self.steps,
            condition_errors: self.condition_errors,
            context: self.context,
            total_latency_ms: milliseconds(self.begun.elapsed()),
        }
    }

    async fn waves(&mut self, message: Message, cancel: &Cancel) -> Result<(), End> {
        self.keep(&message)?;
        let mut queue = self.begin(&Arc::new(message))?;
        let mut wave = 0;
        while !queue.is_empty() {
            self.over(cancel).map_or(Ok(()), Err)?;
            let bound = self.bound(&mut queue);
            let (results, mut end) = self.wave(&queue, wave, cancel).await;
            self.write_down();
            let mut next = Vec::new();
            for (delivery, result) in queue.iter().zip(results) {
                // What ended is delivered, whatever became of the rest of its wave.
                if let Some(result) = result
                    && let Err(wrong) = self.deliver(delivery, result, &mut next)
                {
                    end = end.or(Some(wrong));
                }
            }
            let full = || self.log.is_full().then_some(End::Steps(self.log.limits.steps));
            if let Some(end) = end.or(bound).or_else(full) {
                return Err(end);
            }
            queue = next;
            wave += 1;
        }
        Ok(())
    }

    fn begin(&self, message: &Arc<Message>) -> Result<Vec<Delivery>, End> {
        let points = &self.log.plan.graph.entry_points;
        let named = points.iter().find(|point| Some(*point) == message.target_node.as_ref());
        let mut wanted: Vec<&String> = Vec::new();
        for point in named.map_or(points.as_slice(), std::slice::from_ref) {
            if !wanted.contains(&point) {
                wanted.push(point);
            }
        }
        let source = &message.source_node;
        wanted.into_iter().map(|point| self.delivery(source, point, message)).collect()
    }

    fn delivery(&self, from: &str, to: &str, message: &Arc<Message>) -> Result<Delivery, End> {
        match self.log.plan.nodes.get(to) {
            Some(node) => Ok(Delivery { node: node.clone(), message: message.clone() }),
            None => Err(End::UnknownNext { node: from.to_owned(), next: to.to_owned() }),
        }
    }

    /// Counts the visits and steps of a wave; cuts off, and tells, what would be too many.
    fn bound(&mut self, queue: &mut Vec<Delivery>) -> Option<End> {
        let most = self.log.limits.visits_per_node;
        for (at, delivery) in queue.iter().enumerate() {
            let node = delivery.node.id();
            let visits = self.visits.entry(node.to_owned()).or_default();
            let end = if *visits >= most {
                End::Visits { node: node.to_owned(), most }
            } else if !self.log.begin() {
                End::Steps(self.log.limits.steps)
            } else {
                *visits += 1;
                continue;
            };
            queue.truncate(at);
            return Some(end);
        }
        None
    }

    /// Runs the nodes of a wave. Results are in the order of the queue, none where a node did not
    /// end because the walk did; then also why it did.
    async fn wave(
        &mut self,
        queue: &[Delivery],
        wave: u64,
        cancel: &Cancel,
    ) -> (Vec<Option<NodeResult>>, Option<End>) {
        let first = self.delivered;
        self.delivered += queue.len() as u64;
        let (log, context) = (&self.log, &self.context);
        let mut results: Vec<Option<NodeResult>> = queue.iter().map(|_| None).collect();
        let running: Vec<_> = (first..)
            .zip(queue)
            .zip(&mut results)
            .map(|((place, Delivery { node, message }), result)| async move {
                // Written down and kept without an await between.
                *result = Some(log.execute(node, message, context, (vec![place], wave)).await);
            })
            .collect();
        let mut running = stream::iter(running).buffer_unordered(log.limits.concurrency.max(1));
        let all = async {
            while running.next().await.is_some() {
                if let Some(end) = self.over(cancel) {
                    return Some(end);
                }
            }
            None
        };
        let end = tokio::select! {
            biased;
            () = cancel.cancelled() => Some(End::Cancelled),
            end = self.deadline() => Some(end),
            end = all => end,
        };
        drop(running);
        (results, end)
    }

    /// Why the walk is over by now, if it is: a node that only computes lets no timer end it.
    fn over(&self, cancel: &Cancel) -> Option<End> {
        let limit = self.log.limits.deadline.filter(|limit| self.begun.elapsed() >= *limit);
        match cancel.is_cancelled() {
            true => Some(End::Cancelled),
            false => limit.map(|limit| End::Deadline(milliseconds(limit))),
        }
    }

    /// Waits until the time for the walk is over.
    async fn deadline(&self) -> End {
        match self.log.limits.deadline {
            Some(limit) => {
                tokio::time::sleep(limit.saturating_sub(self.begun.elapsed())).await;
                End::Deadline(milliseconds(limit))
            }
            None => std::future::pending().await,
        }
    }

    /// Takes the steps that ended into the trace and the context.
    fn write_down(&mut self) {
        for step in self.log.take() {
            self.context.visit_node(&step.node);
            self.context.add_tokens(step.tokens_in, step.tokens_out);
            self.steps.push(step);
        }
    }

    fn keep(&mut self, message: &Message) -> Result<(), End> {
        match self.context.add_message(message.clone()) {
            Ok(_) => Ok(()),
            Err(error) => Err(End::refused(message, &error)),
        }
    }

    /// Sends on what a node said.
    fn deliver(
        &mut self,
        delivery: &Delivery,
        result: NodeResult,
        next: &mut Vec<Delivery>,
    ) -> Result<(), End> {
        let Delivery { node, message } = delivery;
        let NodeResult { success, output_messages, next_nodes, .. } = result;
        for said in &output_messages {
            self.keep(said)?;
        }
        let id = node.id();
        let is_exit_point = || self.log.plan.graph.exit_points.iter().any(|point| point == id);
        if *node.node_type() == NodeType::Exit || is_exit_point() {
            self.was_at_exit = true;
            let said = output_messages.into_iter();
            let answers = said.map(|message| Answer { node: id.to_owned(), success, message });
            self.answers.extend(answers);
            return Ok(());
        }
        if !success {
            return Ok(());
        }
        if output_messages.is_empty() {
            // It said nothing: the message passes.
            return self.send(id, message, &next_nodes, next);
        }
        for said in output_messages {
            self.send(id, &Arc::new(said), &next_nodes, next)?;
        }
        Ok(())
    }

    /// Puts a message into the queue, once for every way.
    fn send(
        &mut self,
        from: &str,
        message: &Arc<Message>,
        next_nodes: &[String],
        next: &mut Vec<Delivery>,
    ) -> Result<(), End> {
        for to in self.ways(from, message, next_nodes) {
            let delivery = self.delivery(from, &to, message)?;
            // One more than there are steps left shows that they do not suffice.
            if next.len() as u64 <= self.log.left() {
                next.push(delivery);
            }
        }
        Ok(())
    }

    /// Where a message goes on to.
    fn ways(&mut self, from: &str, message: &Message, next_nodes: &[String]) -> Vec<String> {
        let target = message.target_node.as_ref();
        match next_nodes {
            [] => self.along_edges(from, message),
            several => match several.iter().find(|next| Some(*next) == target) {
                Some(target) => vec![target.clone()],
                None => several.to_vec(),
            },
        }
    }

    fn along_edges(&mut self, from: &str, message: &Message) -> Vec<String> {
        let mut ways: Vec<String> = Vec::new();
        for Edge { to, condition } in self.log.plan.edges.get(from).into_iter().flatten() {
            let holds = match condition.as_ref().map(|it| it.check(message, &self.context)) {
                None => true,
                Some(Ok(holds)) => holds,
                Some(Err(error)) => {
                    self.condition_errors.push(format!("{from} -> {to}: {error}"));
                    false
                }
            };
            // Two edges to one node that both hold are one way.
            if holds && !ways.contains(to) {
                ways.push(to.clone());
            }
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::nodes::{Environment, Executor, GraphDefinition, Payload, Registry};

    #[test]
    fn a_queue_is_no_longer_than_the_steps_left_and_its_messages_are_shared() {
        let ids = ["a", "b", "c"];
        let edges: Vec<_> =
            ids.iter().map(|id| json!({"from_node": "in", "to_node": id})).collect();
        let mut nodes = vec![json!({"id": "in", "type": "entry"})];
        nodes.extend(ids.iter().map(|id| json!({"id": id, "type": "exit"})));
        let graph = json!({"id": "g", "version": "1.0.0", "name": "G", "nodes": nodes,
            "edges": edges, "entry_points": ["in"], "exit_points": ids});
        let graph = GraphDefinition::from_value(&graph).unwrap();
        let executor = Executor::new(graph, &Registry::built_in(Environment::default())).unwrap();
        let limits = Limits { steps: 10, ..Limits::default() };
        let mut walk = Walk::new(executor.plan.clone(), limits, executor.context("t"));
        let said = Message::new("t", "in", Payload::text("x"));
        let delivery = walk.delivery("user", "in", &Arc::new(said.clone())).unwrap();
        let mut next = Vec::new();
        let result =
            NodeResult { success: true, output_messages: vec![said; 99], ..NodeResult::default() };
        walk.deliver(&delivery, result, &mut next).unwrap();
        assert_eq!(next.len(), 11);
        assert!(Arc::ptr_eq(&next[0].message, &next[2].message));
        assert!(!Arc::ptr_eq(&next[2].message, &next[3].message));
    }
}
