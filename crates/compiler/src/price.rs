//! What commitments of each width cost, with the cheapest shape for it.

use std::cell::RefCell;
use std::collections::HashMap;

use tapcourt_commitment::{Objective, Parameters, Size};

use crate::cut::Prices;

/// A group is published once and, in the worst dispute, opened once if the leaf needs it.
const OBJECTIVE: Objective = Objective {
    publish: 1.0,
    open: 0.5,
    max_items: None,
};
/// Widest group: wider ones hardly save checksum digits.
const MAX_GROUP_BITS: usize = 512;

/// Shapes and prices by width, computed once each.
#[derive(Default)]
pub(crate) struct PriceList {
    known: RefCell<HashMap<usize, (Parameters, Size, Size)>>,
}

impl PriceList {
    fn with<T>(&self, bits: usize, read: impl Fn(&(Parameters, Size, Size)) -> T) -> T {
        let mut known = self.known.borrow_mut();
        read(known.entry(bits).or_insert_with(|| {
            let parameters = Parameters::cheapest(bits, &OBJECTIVE)
                .expect("groups have 1 to 2,048 bits and any number of items is allowed");
            let (publish, open) = (parameters.publish_size(), parameters.open_bits_size());
            (parameters, publish, open)
        }))
    }

    /// The shape for so many bits.
    pub(crate) fn parameters(&self, bits: usize) -> Parameters {
        self.with(bits, |(parameters, ..)| parameters.clone())
    }
}

impl Prices for PriceList {
    fn publish_wu(&self, bits: usize) -> f64 {
        self.with(bits, |(_, publish, _)| publish.weight_wu_mean())
    }

    fn open_wu(&self, bits: usize) -> f64 {
        if bits > 2000 {
            return bits as f64 * 26.0;
        }
        self.with(bits, |(_, _, open)| open.weight_wu_mean())
    }

    fn max_group_bits(&self) -> usize {
        MAX_GROUP_BITS
    }

    fn open_items(&self, bits: usize) -> usize {
        if bits > 2000 {
            return bits * 13 / 10;
        }
        self.with(bits, |(_, _, open)| open.items)
    }
}
