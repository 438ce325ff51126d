//! Nodes that lead to one another.

use std::collections::HashMap;

/// The cycles of a graph given as lists of successors: one for every set of nodes that all lead to
/// one another, as a shortest way from its first node back to it. Sorted by that node.
pub(super) fn cycles(successors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let component = components(successors);
    let mut first = vec![true; successors.len()];
    let mut found = Vec::new();
    for start in 0..successors.len() {
        if !std::mem::replace(&mut first[component[start]], false) {
            continue;
        }
        found.extend(way_back(successors, &component, start));
    }
    found
}

/// A shortest way from a node to itself, by nodes of its own component.
fn way_back(successors: &[Vec<usize>], component: &[usize], start: usize) -> Option<Vec<usize>> {
    let mut from = HashMap::new();
    let mut queue = vec![start];
    let mut at = 0;
    while let Some(node) = queue.get(at).copied() {
        at += 1;
        for next in &successors[node] {
            if *next == start {
                let mut way = vec![node];
                while let Some(before) = way.last().and_then(|last| from.get(last).copied()) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if component[*next] == component[start] && !from.contains_key(next) {
                from.insert(*next, node);
                queue.push(*next);
            }
        }
    }
    None
}

/// For every node the number of its component (Kosaraju), without recursion: graphs may be deep.
fn components(successors: &[Vec<usize>]) -> Vec<usize> {
    let mut predecessors = vec![Vec::new(); successors.len()];
    for (from, nexts) in successors.iter().enumerate() {
        for next in nexts {
            predecessors[*next].push(from);
        }
    }
    const NONE: usize = usize::MAX;
    let mut component = vec![NONE; successors.len()];
    let mut count = 0;
    for start in finished(successors).into_iter().rev() {
        if component[start] != NONE {
            continue;
        }
        component[start] = count;
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            for before in &predecessors[node] {
                if component[*before] == NONE {
                    component[*before] = count;
                    open.push(*before);
                }
            }
        }
        count += 1;
    }
    component
}

/// All nodes in the order in which a search in depth is done with them.
fn finished(successors: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; successors.len()];
    let mut done = Vec::with_capacity(successors.len());
    for start in 0..successors.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((node, tried)) = path.last_mut() {
            let next = successors[*node].get(*tried).copied();
            *tried += 1;
            match next {
                Some(next) if !std::mem::replace(&mut seen[next], true) => path.push((next, 0)),
                Some(_) => {}
                None => {
                    done.push(*node);
                    path.pop();
                }
            }
        }
    }
    done
}
