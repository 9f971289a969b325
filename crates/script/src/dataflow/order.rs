//! Orders of the steps of a flow.

use super::{Flow, Linear, Node, Value};

/// What may be done in which order: for each step, those that make what it takes, and those that take what it makes.
pub(crate) struct Orders {
    makers: Vec<Vec<usize>>,
    takers: Vec<Vec<usize>>,
}

/// Whether a step may be done whenever what it takes is there.
fn is_free(node: &Node) -> bool {
    match node {
        Node::Lookup { .. } | Node::Sum { .. } | Node::Index { .. } | Node::Apply { .. } => true,
        // These have to do with the height of the stack, for which their author chose an order.
        Node::Push { .. }
        | Node::Tables
        | Node::Restore(_)
        | Node::Zero { .. }
        | Node::Discard(_)
        | Node::DiscardAll(_)
        | Node::Align
        | Node::Pad(_)
        | Node::Unpad => false,
    }
}

impl Node {
    /// What it takes.
    pub(crate) fn arguments(&self) -> &[Linear] {
        match self {
            Self::Lookup { index: sum, .. } | Self::Sum { sum, .. } | Self::Index { sum, .. } => {
                std::slice::from_ref(sum)
            }
            Self::Apply { arguments, .. } => arguments,
            _ => &[],
        }
    }

    /// What it makes.
    pub(crate) fn results(&self) -> &[Value] {
        match self {
            Self::Lookup { result, .. }
            | Self::Sum { result, .. }
            | Self::Index { result, .. }
            | Self::Zero { result, .. }
            | Self::Push { result, .. } => std::slice::from_ref(result),
            Self::Apply { results, .. } => results,
            _ => &[],
        }
    }
}

impl Orders {
    /// The orders of a flow's steps; `None` if only one is meant.
    pub(crate) fn of(flow: &Flow) -> Option<Self> {
        if !flow.left.is_empty() || !flow.nodes.iter().all(is_free) {
            return None;
        }
        let mut maker = vec![None; flow.values.len()];
        let mut makers = vec![Vec::new(); flow.nodes.len()];
        let mut takers = vec![Vec::new(); flow.nodes.len()];
        for (index, node) in flow.nodes.iter().enumerate() {
            for (value, _) in node.arguments().iter().flat_map(|sum| &sum.terms) {
                let made: Option<usize> = maker[value.0 as usize]; // cast ok: an index
                if let Some(made) = made
                    && !makers[index].contains(&made)
                {
                    makers[index].push(made);
                    takers[made].push(index);
                }
            }
            for result in node.results() {
                maker[result.0 as usize] = Some(index); // cast ok: an index
            }
        }
        Some(Self { makers, takers })
    }

    /// How many steps there are.
    pub(crate) fn len(&self) -> usize {
        self.makers.len()
    }

    /// Everything in the order in which the last steps ask for it: what they take is made right before.
    pub(crate) fn depth_first(&self, reverse_arguments: bool) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.len());
        let mut done = vec![false; self.len()];
        for root in (0..self.len()).filter(|&node| self.takers[node].is_empty()) {
            // A step, and which of its makers is next.
            let mut path = vec![(root, 0)];
            while let Some((node, next)) = path.last_mut() {
                let makers = &self.makers[*node];
                let maker = match reverse_arguments {
                    false => makers.get(*next),
                    true => makers.iter().rev().nth(*next),
                };
                *next += 1;
                match maker {
                    Some(&maker) if !done[maker] => path.push((maker, 0)),
                    Some(_) => {}
                    None => {
                        if !done[*node] {
                            done[*node] = true;
                            order.push(*node);
                        }
                        path.pop();
                    }
                }
            }
        }
        order
    }

    /// Where in an order a step may go: after the last of its makers and before the first of its takers, counted without the step itself.
    fn window(&self, order: &[usize], node: usize) -> (usize, usize) {
        let mut place = vec![0; self.len()];
        let others = order.iter().filter(|&&other| other != node);
        for (index, &other) in others.enumerate() {
            place[other] = index;
        }
        let after = self.makers[node].iter().map(|&maker| place[maker] + 1);
        let before = self.takers[node].iter().map(|&taker| place[taker]);
        (
            after.max().unwrap_or(0),
            before.min().unwrap_or(self.len() - 1),
        )
    }

    /// Moves a step to a place of its window.
    fn put(order: &mut Vec<usize>, node: usize, place: usize) {
        order.retain(|&other| other != node);
        order.insert(place, node);
    }

    /// Does these steps as early as possible.
    pub(crate) fn early(&self, order: &[usize], nodes: &[bool]) -> Vec<usize> {
        let mut moved = order.to_vec();
        for &node in order.iter().filter(|&&node| nodes[node]) {
            let (first, _) = self.window(&moved, node);
            Self::put(&mut moved, node, first);
        }
        moved
    }

    /// Does these steps as late as possible.
    pub(crate) fn late(&self, order: &[usize], nodes: &[bool]) -> Vec<usize> {
        let mut moved = order.to_vec();
        for &node in order.iter().rev().filter(|&&node| nodes[node]) {
            let (_, last) = self.window(&moved, node);
            Self::put(&mut moved, node, last);
        }
        moved
    }

    /// Moves a step to some other place, chosen by a number; `None` if there is no other.
    pub(crate) fn moved(&self, order: &[usize], node: usize, choice: usize) -> Option<Vec<usize>> {
        let (first, last) = self.window(order, node);
        let now = order.iter().position(|&other| other == node)?;
        let places = last.checked_sub(first).filter(|&places| places > 0)?;
        let place = first + choice % places;
        let mut moved = order.to_vec();
        // Its own place is left out.
        Self::put(&mut moved, node, place + usize::from(place >= now));
        Some(moved)
    }
}
