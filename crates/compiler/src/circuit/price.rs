//! What commitments of each width cost, with the cheapest shape for it.

use std::sync::LazyLock;

use rayon::prelude::*;
use tapcourt_commitment::{Objective, Parameters};

use crate::circuit::cut::Prices;

/// A group is published once and, in the worst dispute, opened once if the leaf needs it.
const OBJECTIVE: Objective = Objective {
    open: 0.5,
    ..Objective::PUBLISH
};
/// Widest group: wider ones hardly save checksum digits.
const MAX_GROUP_BITS: usize = 512;

/// Widths that are measured; prices in between are interpolated.
const MEASURED: [usize; 18] = [
    1,
    2,
    3,
    4,
    6,
    8,
    12,
    16,
    24,
    32,
    48,
    64,
    96,
    128,
    192,
    256,
    384,
    MAX_GROUP_BITS,
];

/// Prices by width: weights of publishing and opening, and items.
#[derive(Debug)]
pub(crate) struct PriceList {
    by_bits: Vec<(f64, f64, f64)>,
    whole: Vec<Whole>,
}

/// A price in whole WU and items.
#[derive(Clone, Copy, Debug, Default)]
struct Whole {
    publish_wu: u64,
    open_wu: u64,
    items: usize,
}

impl PriceList {
    /// The list, which is measured once: shapes depend on nothing but their width.
    pub(crate) fn get() -> &'static Self {
        static LIST: LazyLock<PriceList> = LazyLock::new(PriceList::measure);
        &LIST
    }

    fn measure() -> Self {
        let measure = |bits: usize| {
            let parameters = shape(bits);
            let open = parameters.open_bits_size();
            (
                parameters.publish_size().weight_wu_mean(),
                open.weight_wu_mean(),
                open.items as f64,
            )
        };
        let measured: Vec<_> = MEASURED.par_iter().map(|&bits| measure(bits)).collect();
        let mut by_bits = vec![(0.0, 0.0, 0.0); MAX_GROUP_BITS + 1];
        by_bits[1] = measured[0];
        for (index, pair) in MEASURED.windows(2).enumerate() {
            let (low, high) = (measured[index], measured[index + 1]);
            for (bits, price) in by_bits
                .iter_mut()
                .enumerate()
                .take(pair[1] + 1)
                .skip(pair[0] + 1)
            {
                let share = (bits - pair[0]) as f64 / (pair[1] - pair[0]) as f64;
                let between = |a: f64, b: f64| a + (b - a) * share;
                *price = (
                    between(low.0, high.0),
                    between(low.1, high.1),
                    between(low.2, high.2),
                );
            }
        }
        let whole = by_bits
            .iter()
            .map(|&(publish, open, items)| Whole {
                publish_wu: publish.round() as u64, // cast ok: positive, and far below 2^53
                open_wu: open.round() as u64,       // cast ok: likewise
                items: items.ceil() as usize,       // cast ok: likewise
            })
            .collect();
        Self { by_bits, whole }
    }

    /// Publishing a group of so many bits, at most 512, in WU.
    pub(crate) fn publish(&self, bits: usize) -> u64 {
        self.whole(bits).publish_wu
    }

    /// Opening such a group in a leaf, in WU.
    pub(crate) fn open(&self, bits: usize) -> u64 {
        self.whole(bits).open_wu
    }

    /// Witness items of such an opening.
    pub(crate) fn items(&self, bits: usize) -> usize {
        self.whole(bits).items
    }

    fn whole(&self, bits: usize) -> Whole {
        self.whole[bits.min(MAX_GROUP_BITS)]
    }

    /// The price of a width; wider ones than any group are taken as several.
    fn price(&self, bits: usize) -> (f64, f64, f64) {
        let (whole, rest) = (bits / MAX_GROUP_BITS, bits % MAX_GROUP_BITS);
        let (widest, rest) = (self.by_bits[MAX_GROUP_BITS], self.by_bits[rest]);
        let add = |a: f64, b: f64| a * whole as f64 + b;
        (
            add(widest.0, rest.0),
            add(widest.1, rest.1),
            add(widest.2, rest.2),
        )
    }
}

/// The shape of a group of so many bits.
pub(crate) fn shape(bits: usize) -> Parameters {
    Parameters::cheapest(bits, &OBJECTIVE)
        .expect("groups have 1 to 2,048 bits and any number of items is allowed")
}

impl Prices for PriceList {
    fn publish_wu(&self, bits: usize) -> f64 {
        self.price(bits).0
    }

    fn open_wu(&self, bits: usize) -> f64 {
        self.price(bits).1
    }

    fn open_items(&self, bits: usize) -> usize {
        self.price(bits).2.ceil() as usize
    }
}
