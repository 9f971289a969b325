//! What a flow computes, without a script.

use super::{Flow, Linear, Node, Sign, Value};

impl Flow {
    /// The logical numbers of all values that do not depend on opcodes or byte strings, from those of the inputs: below the tables first, then above, then
    /// those that wait on the altstack.
    ///
    /// A value is `None` where it depends on such a step, or on an entry that a table does not have.
    ///
    /// # Panics
    /// If there are not as many numbers as inputs.
    pub fn evaluate(&self, inputs: &[i64]) -> Vec<Option<i64>> {
        assert_eq!(
            inputs.len(),
            self.below.len() + self.above.len() + self.aside.len(),
            "every input has a number"
        );
        let mut numbers = vec![None; self.values.len()];
        let values = self.below.iter().chain(&self.above).chain(&self.aside);
        for (value, &number) in values.zip(inputs) {
            numbers[value.0 as usize] = Some(number); // cast ok: an index
        }
        for node in &self.nodes {
            match node {
                Node::Lookup {
                    table,
                    index,
                    result,
                } => {
                    let index = sum_of(index, &numbers);
                    numbers[result.0 as usize] =
                        index.and_then(|index| self.bank.tables[table.0].get(index)); // cast ok: an index
                }
                Node::Sum { sum, result, .. } | Node::Index { sum, result, .. } => {
                    numbers[result.0 as usize] = sum_of(sum, &numbers); // cast ok: an index
                }
                Node::Zero { result, .. } => numbers[result.0 as usize] = Some(0), // cast ok: an index
                Node::Apply { .. }
                | Node::Push { .. }
                | Node::Tables
                | Node::Restore(_)
                | Node::Discard(_)
                | Node::DiscardAll(_)
                | Node::Align
                | Node::Pad(_)
                | Node::Unpad => {}
            }
        }
        numbers
    }
}

fn sum_of(sum: &Linear, numbers: &[Option<i64>]) -> Option<i64> {
    sum.terms
        .iter()
        .try_fold(sum.constant, |total, &(Value(value), sign)| {
            let number = numbers[value as usize]?; // cast ok: an index
            Some(match sign {
                Sign::Plus => total + number,
                Sign::Minus => total - number,
            })
        })
}
