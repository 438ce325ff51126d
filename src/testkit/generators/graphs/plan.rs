//! Which node of a random graph leads where. Connected by construction: every node has a way from
//! the entry before it is there, and every node that leads nowhere leads to the exit.

use std::collections::BTreeSet;

use super::super::source::Stream;

/// The entry's number. Inner nodes come after it, the exit last.
pub(super) const ENTRY: usize = 0;

/// What a random graph should look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) nodes: usize,
    pub(super) depth: Option<usize>,
    pub(super) max_degree: Option<usize>,
    pub(super) extra_edges: usize,
    pub(super) diamonds: usize,
    pub(super) cycles: usize,
}

/// Which node leads where.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// How far each node is from the entry along the longest way.
    layers: Vec<usize>,
    /// The node that each node was put below.
    parents: Vec<usize>,
    /// Where each node leads; always to a deeper layer.
    pub(super) next: Vec<Vec<usize>>,
    /// Ways back, from a node to one that leads to it, or to itself.
    pub(super) back: Vec<(usize, usize)>,
    /// How many ways back leave each node.
    backs: Vec<usize>,
    nodes: usize,
    degree: usize,
}

impl Plan {
    pub(super) fn new(wanted: Wanted, stream: &mut Stream) -> Self {
        let mut plan = Self {
            layers: vec![0],
            parents: vec![ENTRY],
            next: vec![Vec::new()],
            back: Vec::new(),
            backs: vec![0],
            nodes: wanted.nodes,
            degree: wanted.max_degree.unwrap_or(usize::MAX).max(1),
        };
        let deepest = wanted.nodes.max(1);
        let depth = wanted.depth.map_or_else(|| stream.size((1, deepest)), |d| d.clamp(1, deepest));
        for at in 0..depth.min(wanted.nodes) {
            plan.below(at);
        }
        plan.diamonds(wanted.diamonds, depth, stream);
        plan.others(depth, stream);
        plan.close();
        plan.extra_edges(wanted.extra_edges, stream);
        plan.cycles(wanted.cycles, stream);
        plan
    }

    /// The exit's number.
    pub(super) const fn exit(&self) -> usize {
        self.nodes + 1
    }

    fn left(&self) -> usize {
        self.exit() - self.layers.len()
    }

    /// How many more ways may leave a node.
    fn room(&self, node: usize) -> usize {
        self.degree.saturating_sub(self.next[node].len() + self.backs[node])
    }

    /// Puts a new node below `parent`.
    fn below(&mut self, parent: usize) -> usize {
        let node = self.layers.len();
        self.layers.push(self.layers[parent] + 1);
        self.parents.push(parent);
        self.next.push(Vec::new());
        self.backs.push(0);
        self.next[parent].push(node);
        node
    }

    /// Two ways that part and meet again: at a node where there is one left, else at the exit.
    fn diamonds(&mut self, count: usize, depth: usize, stream: &mut Stream) {
        let (mut shallow, mut deep): (Vec<usize>, Vec<usize>) =
            (0..self.layers.len()).partition(|node| self.layers[*node] < depth);
        let mut left = count;
        while left > 0 && self.left() >= 2 {
            let tops = if shallow.is_empty() { &mut deep } else { &mut shallow };
            let at = stream.below(tops.len() as u64) as usize;
            let Some(&top) = tops.get(at) else { return };
            if self.room(top) < 2 {
                tops.swap_remove(at);
                continue;
            }
            left -= 1;
            let first = self.layers.len();
            let (one, other) = (self.below(top), self.below(top));
            if self.left() > 0 && self.layers[one] < depth {
                let joint = self.below(one);
                self.next[other].push(joint);
            }
            for node in first..self.layers.len() {
                let list = if self.layers[node] < depth { &mut shallow } else { &mut deep };
                list.push(node);
            }
        }
    }

    /// All other nodes, each below a random one that is not too deep and has room.
    fn others(&mut self, depth: usize, stream: &mut Stream) {
        let mut open: Vec<usize> =
            (0..self.layers.len()).filter(|node| self.layers[*node] < depth).collect();
        while self.left() > 0 {
            let at = stream.below(open.len() as u64) as usize;
            // Where none is left, the youngest leads nowhere yet, so that it has room.
            let parent = open.get(at).copied().unwrap_or(self.layers.len() - 1);
            if self.room(parent) == 0 {
                open.swap_remove(at);
                continue;
            }
            let node = self.below(parent);
            if self.layers[node] < depth {
                open.push(node);
            }
        }
    }

    fn close(&mut self) {
        let exit = self.exit();
        for next in self.next.iter_mut().filter(|next| next.is_empty()) {
            next.push(exit);
        }
    }

    /// More edges, to a deeper layer each, as far as there are any and chance finds them.
    fn extra_edges(&mut self, count: usize, stream: &mut Stream) {
        const TRIES: usize = 16;
        let mut left = count;
        for _ in 0..count.saturating_mul(TRIES) {
            if left == 0 {
                return;
            }
            let from = stream.below(self.layers.len() as u64) as usize;
            let to = 1 + stream.below(self.layers.len() as u64) as usize;
            let deeper = self.layers.get(to).is_none_or(|layer| *layer > self.layers[from]);
            if deeper && self.room(from) > 0 && !self.next[from].contains(&to) {
                self.next[from].push(to);
                left -= 1;
            }
        }
    }

    /// Ways back: from a node with room to itself or to an inner node that leads to it.
    fn cycles(&mut self, count: usize, stream: &mut Stream) {
        let mut open: Vec<usize> = (1..self.layers.len()).collect();
        let mut known = BTreeSet::new();
        let mut left = count;
        while left > 0 {
            let at = stream.below(open.len() as u64) as usize;
            let Some(&from) = open.get(at) else { return };
            if self.room(from) == 0 {
                open.swap_remove(at);
                continue;
            }
            left -= 1;
            let mut to = from;
            while self.parents[to] != ENTRY && stream.chance(0.7) {
                to = self.parents[to];
            }
            if known.insert((from, to)) {
                self.back.push((from, to));
                self.backs[from] += 1;
            }
        }
    }
}
