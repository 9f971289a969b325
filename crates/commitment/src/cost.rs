//! What openings cost, exactly, and the choice of the cheapest shape.

use bitcoin::Script;
use bitcoin::opcodes::all::OP_DROP;
use tapcourt_script::analyze;

use crate::parameters::{Parameters, ParametersError, Scheme};
use crate::verifier::{self, Item, Template};
use crate::{ELEMENT_BYTES, MAX_DIGIT_BITS, OpenDigits, OpenOrder, PICK_BITS, checksum_bits};

/// Sizes of a verifying script and of its witness. Both are charged one weight unit a byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Bytes of the script. Excludes any length prefix.
    pub script_bytes: usize,
    /// Mean bytes of the witness items over uniformly random messages. Includes the length prefix of each item but not the
    /// count of items.
    pub witness_bytes_mean: f64,
    /// Most bytes of the witness items over all messages, counted in the same way.
    pub witness_bytes_max: usize,
    /// Witness items; the same for every message.
    pub items: usize,
    /// Instructions in the script, pushes included.
    pub opcodes: usize,
    /// Items on stack and altstack together, at their highest, if nothing but the opening lies there at the start.
    pub max_stack: usize,
}

impl Size {
    /// Script and mean witness.
    pub fn weight_wu_mean(&self) -> f64 {
        self.script_bytes as f64 + self.witness_bytes_mean // cast ok: far below 2^52
    }

    /// Script and largest witness.
    pub fn weight_wu_max(&self) -> usize {
        self.script_bytes + self.witness_bytes_max
    }
}

/// What the cheapest shape is to minimise, and what it must not exceed: a weighted sum of mean weights, under bounds.
///
/// The bounds hold for each script that has a weight. Where only the stack binds, the shape publishes some of its digits by
/// numbers ([`Parameters::with_picks`]); where nothing binds, flags are cheaper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// Weight given to the size of publishing a value.
    pub publish: f64,
    /// Weight given to the size of opening a value to its bits.
    pub open: f64,
    /// Weight given to the size of opening a value to its digits.
    pub open_digits: f64,
    /// Most witness items of one opening. Stack and altstack together hold 1,000.
    pub max_items: Option<usize>,
    /// Most items on stack and altstack together, as in [`Size::max_stack`].
    pub max_stack: Option<usize>,
    /// Most bytes of one script.
    pub max_script_bytes: Option<usize>,
    /// Most bytes of the largest witness of one script.
    pub max_witness_bytes: Option<usize>,
}

impl Default for Objective {
    /// [`Objective::PUBLISH`].
    fn default() -> Self {
        Self::PUBLISH
    }
}

impl Objective {
    /// Publishing alone, of any size.
    pub const PUBLISH: Self = Self {
        publish: 1.0,
        open: 0.0,
        open_digits: 0.0,
        max_items: None,
        max_stack: None,
        max_script_bytes: None,
        max_witness_bytes: None,
    };

    /// The scripts that have a weight, with it.
    fn weighed(&self, parameters: &Parameters) -> Vec<(f64, Template)> {
        let ends = verifier::blank_ends(parameters);
        let mut weighed = Vec::new();
        if self.publish != 0.0 {
            weighed.push((self.publish, verifier::publish(parameters, &ends)));
        }
        if self.open != 0.0 {
            let order = OpenOrder::natural(parameters);
            weighed.push((self.open, verifier::open_bits(parameters, &ends, &order)));
        }
        if self.open_digits != 0.0 {
            let digits = OpenDigits::natural(parameters);
            let template = verifier::open_digits(parameters, &ends, &digits);
            weighed.push((self.open_digits, template));
        }
        weighed
    }

    /// The weighted sum for this shape, whose checksum has so many ones on average.
    fn cost(&self, parameters: &Parameters, ones_mean: f64) -> f64 {
        let weight_wu = |template: &Template| {
            template.script.len() as f64 + mean_witness_bytes(parameters, template, ones_mean) // cast ok: far below 2^52
        };
        self.weighed(parameters)
            .iter()
            .map(|(weight, template)| weight * weight_wu(template))
            .sum()
    }

    /// Whether this shape stays within the bounds.
    fn admits(&self, parameters: &Parameters) -> bool {
        let bounds = [
            self.max_items,
            self.max_stack,
            self.max_script_bytes,
            self.max_witness_bytes,
        ];
        bounds == [None; 4]
            || self.weighed(parameters).iter().all(|(_, template)| {
                let size = size(parameters, template);
                let sizes = [
                    size.items,
                    size.max_stack,
                    size.script_bytes,
                    size.witness_bytes_max,
                ];
                sizes
                    .iter()
                    .zip(bounds)
                    .all(|(&size, bound)| bound.is_none_or(|bound| size <= bound))
            })
    }

    /// The shape with as few digits published by numbers as bring it within the bounds, if any number does.
    fn fit(&self, parameters: Parameters) -> Option<Parameters> {
        if self.admits(&parameters) {
            return Some(parameters);
        }
        // Each pick takes items, stack and witness, and gives script: what is admitted by some count is so up to some larger count.
        let with = |picks| {
            parameters
                .with_picks(picks)
                .expect("no more than are possible")
        };
        let stack = Self {
            max_script_bytes: None,
            ..*self
        };
        let (mut low, mut high) = (0, parameters.possible_picks());
        if high == 0 || !stack.admits(&with(high)) {
            return None;
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if stack.admits(&with(middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(with(high)).filter(|fitting| self.admits(fitting))
    }
}

/// A shape and how well it meets an objective.
struct Candidate {
    parameters: Parameters,
    cost: f64,
}

/// Measures a template.
pub(crate) fn size(parameters: &Parameters, template: &Template) -> Size {
    // Rolling by an unknown number takes one item, like dropping, and is one byte, too.
    let mut script = template.script.to_bytes();
    for &roll in &template.rolls {
        script[roll] = OP_DROP.to_u8();
    }
    let analysis = analyze(Script::from_bytes(&script))
        .expect("our templates pick at constant depths and balance their branches");
    let items = template.items.len();
    let ones_mean = mean_checksum_ones(parameters.message_digits());
    Size {
        script_bytes: template.script.len(),
        witness_bytes_mean: mean_witness_bytes(parameters, template, ones_mean),
        witness_bytes_max: fixed_witness_bytes(template)
            + message_flags(parameters, template)
            + most_excess_ones(parameters, template),
        items,
        opcodes: analysis.opcodes,
        max_stack: items + analysis.peak as usize, // cast ok: usize has at least 32 bits here
    }
}

/// Witness bytes apart from set flags: a length byte an item, the elements, and one byte a number.
fn fixed_witness_bytes(template: &Template) -> usize {
    let bytes = |item: &Item| match item {
        Item::Flag { .. } => 1,
        Item::Pick { .. } => 2,
        Item::Element { .. } => 1 + ELEMENT_BYTES,
    };
    template.items.iter().map(bytes).sum()
}

/// Flags of message digits.
fn message_flags(parameters: &Parameters, template: &Template) -> usize {
    let is_message_flag = |item: &&Item| match **item {
        Item::Flag { digit, .. } => digit < parameters.message_digits().len(),
        Item::Pick { .. } | Item::Element { .. } => false,
    };
    template.items.iter().filter(is_message_flag).count()
}

/// By how much the set flags of an opening can exceed the message's flags.
///
/// Clearing t flags of a message makes the checksum larger by a sum of t powers of two, which gives it at most t more ones: that gains
/// nothing. Picks are no flags, so lowering them is free. The most are thus the ones of the checksum over a message whose flags
/// are all set, with any picks.
fn most_excess_ones(parameters: &Parameters, template: &Template) -> usize {
    let mut reachable = vec![false; parameters.total() as usize + 1]; // cast ok: usize has at least 32 bits here
    reachable[0] = true;
    let mut largest = 0;
    for item in &template.items {
        if let Item::Pick { bit, .. } = *item {
            let step = 1 << bit;
            largest += step * ((1 << PICK_BITS) - 1);
            for sum in (0..=largest).rev() {
                reachable[sum] |= (1..1 << PICK_BITS)
                    .filter_map(|count| sum.checked_sub(step * count))
                    .any(|before| reachable[before]);
            }
        }
    }
    (0..=largest)
        .filter(|&sum| reachable[sum])
        .map(|sum| sum.count_ones() as usize) // cast ok: at most 64
        .max()
        .unwrap_or(0)
}

/// A message whose opening has the longest witness, of the length that [`Size::witness_bytes_max`] says: all flags are set, and
/// picks are lowered so far that the checksum has the most ones.
pub(crate) fn heaviest_message(parameters: &Parameters) -> Vec<bool> {
    let message = vec![true; parameters.message_bits()];
    let mut values = parameters.values(&message);
    let items = verifier::publish(parameters, &verifier::blank_ends(parameters)).items;
    // By how much the checksum grows, and by how much each pick so far is lowered for that.
    let mut lowered = std::collections::BTreeMap::from([(0u32, Vec::new())]);
    let mut picks = Vec::new();
    for item in &items {
        if let Item::Pick { digit, bit } = *item {
            picks.push((digit, bit));
            let mut next = std::collections::BTreeMap::new();
            for (sum, counts) in lowered {
                for count in 0..1u8 << PICK_BITS {
                    next.entry(sum + (u32::from(count) << bit))
                        .or_insert_with(|| [&counts[..], &[count]].concat());
                }
            }
            lowered = next;
        }
    }
    let most_ones = lowered
        .into_iter()
        .max_by_key(|(sum, _)| (sum.count_ones(), std::cmp::Reverse(*sum)));
    let (_, counts) = most_ones.expect("nothing lowered is one way");
    for ((digit, bit), count) in picks.into_iter().zip(counts) {
        values[digit] -= count << bit;
    }
    parameters.message_of(&values)
}

/// Mean witness bytes, given the mean number of ones in the checksum: a set flag takes one byte, any other none.
fn mean_witness_bytes(parameters: &Parameters, template: &Template, ones_mean: f64) -> f64 {
    let flags_mean = match parameters.scheme() {
        Scheme::Winternitz => message_flags(parameters, template) as f64 / 2.0 + ones_mean, // cast ok: at most MAX_MESSAGE_BITS
        Scheme::Lamport => 0.0,
    };
    fixed_witness_bytes(template) as f64 + flags_mean // cast ok: far below 2^52
}

/// Mean number of ones in the checksum over uniformly random messages. It does not depend on how the checksum is cut into digits.
fn mean_checksum_ones(message: &[u8]) -> f64 {
    // probability[s]: that the digits so far add up to s; by symmetry also that the checksum over them is s.
    let mut probability = vec![1.0f64];
    for &width in message {
        let base = 1usize << width;
        let mut next = vec![0.0; probability.len() + base - 1];
        let mut window = 0.0;
        for (sum, slot) in next.iter_mut().enumerate() {
            window += probability.get(sum).copied().unwrap_or(0.0);
            if let Some(left) = sum.checked_sub(base) {
                window -= probability[left];
            }
            *slot = window / base as f64; // cast ok: at most 256
        }
        probability = next;
    }
    probability
        .iter()
        .enumerate()
        .map(|(checksum, probability)| f64::from(checksum.count_ones()) * probability)
        .sum()
}

/// The checksum layout for these message digits that is cheapest to publish.
pub(crate) fn cheapest_checksum(message: &[u8]) -> Parameters {
    best_layout(message, &Objective::default()).parameters
}

/// The shape that meets the objective best.
pub(crate) fn cheapest(bits: usize, objective: &Objective) -> Result<Parameters, ParametersError> {
    let shapes: Vec<(Parameters, f64)> = message_layouts(bits)
        .iter()
        .map(|message| {
            let ones_mean = mean_checksum_ones(message);
            (best_layout(message, objective).parameters, ones_mean)
        })
        .chain([(Parameters::lamport(bits)?, 0.0)])
        .collect();
    let least = shapes
        .iter()
        .map(|(shape, _)| {
            let picks = shape.possible_picks();
            let fewest = shape.with_picks(picks).expect("so many are possible");
            fewest.signature_items()
        })
        .min()
        .unwrap_or(0);
    shapes
        .into_iter()
        .flat_map(|(shape, ones_mean)| {
            let picks = shape.possible_picks();
            let picked = shape.with_picks(picks).expect("so many are possible");
            [shape, picked].map(|shape| (shape, ones_mean))
        })
        .filter_map(|(shape, ones_mean)| {
            let parameters = objective.fit(shape)?;
            let cost = objective.cost(&parameters, ones_mean);
            Some(Candidate { parameters, cost })
        })
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .map(|candidate| candidate.parameters)
        .ok_or(match objective.max_items {
            Some(limit) if limit < least => ParametersError::Items { bits, least, limit },
            _ => ParametersError::Bounds { bits },
        })
}

/// The checksum layout for these message digits that meets the objective best, its bounds aside.
fn best_layout(message: &[u8], objective: &Objective) -> Candidate {
    let ones_mean = mean_checksum_ones(message);
    checksum_layouts(checksum_bits(message))
        .into_iter()
        .map(|checksum| {
            let parameters = Parameters::with_digits(message, &checksum)
                .expect("layouts have the checksum's bits");
            let cost = objective.cost(&parameters, ones_mean);
            Candidate { parameters, cost }
        })
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .expect("every checksum has a layout")
}

/// Message layouts worth trying: for each width, digits of that width and a narrower last one, and digits as equal as possible.
fn message_layouts(bits: usize) -> Vec<Vec<u8>> {
    let mut layouts = Vec::new();
    for width in 1..=usize::from(MAX_DIGIT_BITS).min(bits) {
        let mut ragged = vec![width as u8; bits / width]; // cast ok: at most MAX_DIGIT_BITS
        ragged.extend((!bits.is_multiple_of(width)).then_some((bits % width) as u8)); // cast ok: below MAX_DIGIT_BITS
        layouts.push(ragged);
        if !bits.is_multiple_of(width) {
            for count in [bits / width, bits / width + 1] {
                let (narrow, wider) = (bits / count, bits % count);
                if narrow + usize::from(wider > 0) <= usize::from(MAX_DIGIT_BITS) {
                    let widths =
                        (0..count).map(|digit| (narrow + usize::from(digit < wider)) as u8); // cast ok: just checked
                    layouts.push(widths.collect());
                }
            }
        }
    }
    layouts.sort();
    layouts.dedup();
    layouts
}

/// The ways to cut a checksum into few digits, in rising or falling order of width.
fn checksum_layouts(bits: u32) -> Vec<Vec<u8>> {
    let most = bits.div_ceil(4).max(2) as usize; // cast ok: a handful
    let mut layouts = Vec::new();
    let mut partial = vec![(Vec::new(), bits as u8)]; // cast ok: at most 32
    while let Some((layout, rest)) = partial.pop() {
        if rest == 0 {
            layouts.push(layout.iter().rev().copied().collect());
            layouts.push(layout);
        } else if layout.len() < most {
            let widest = layout.last().copied().unwrap_or(MAX_DIGIT_BITS).min(rest);
            partial.extend((1..=widest).map(|width| {
                let mut longer = layout.clone();
                longer.push(width);
                (longer, rest - width)
            }));
        }
    }
    layouts.sort();
    layouts.dedup();
    layouts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Opening;

    #[test]
    fn the_heaviest_message_has_the_longest_witness() {
        let bits = [1, 2, 7, 10, 32, 64, 100, 160];
        let shapes = bits.into_iter().flat_map(|bits| {
            let widths = (1..=MAX_DIGIT_BITS).filter_map(move |width| {
                let shape = Parameters::winternitz(bits, width).ok()?;
                let most = shape.possible_picks();
                Some([0, 1, most / 2, most].map(|picks| shape.with_picks(picks.min(most))))
            });
            let picked = widths.flatten().filter_map(Result::ok);
            picked.chain(Parameters::lamport(bits))
        });
        for shape in shapes {
            let message = shape.heaviest_message();
            let witness = Opening::placeholder(&shape, &message).witness_for_publish();
            let bytes: usize = witness.iter().map(|item| 1 + item.len()).sum();
            assert_eq!(bytes, shape.publish_size().witness_bytes_max, "{shape:?}");
        }
    }
}
