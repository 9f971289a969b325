//! What openings cost, exactly, and the choice of the cheapest shape.

use tapcourt_script::analyze;

use crate::parameters::{Parameters, ParametersError, Scheme};
use crate::verifier::{self, Template};
use crate::{ELEMENT_BYTES, MAX_DIGIT_BITS, OpenOrder, checksum_bits};

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

/// What the cheapest shape is to minimise: a weighted sum of mean weights, under a bound on witness items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// Weight given to the size of publishing a value.
    pub publish: f64,
    /// Weight given to the size of opening a value to its bits.
    pub open: f64,
    /// Most witness items of one opening. Stack and altstack together hold 1,000.
    pub max_items: Option<usize>,
}

impl Default for Objective {
    /// Publishing alone, with any number of items.
    fn default() -> Self {
        Self {
            publish: 1.0,
            open: 0.0,
            max_items: None,
        }
    }
}

impl Objective {
    /// The weighted sum for this shape, whose openings have `witness_bytes` on average.
    fn cost(&self, parameters: &Parameters, witness_bytes: f64) -> f64 {
        let ends = verifier::blank_ends(parameters);
        let mut cost = (self.publish + self.open) * witness_bytes;
        if self.publish != 0.0 {
            cost += self.publish * verifier::publish(parameters, &ends).script.len() as f64; // cast ok: far below 2^52
        }
        if self.open != 0.0 {
            let order = OpenOrder::natural(parameters);
            cost += self.open * verifier::open_bits(parameters, &ends, &order).script.len() as f64; // cast ok: as above
        }
        cost
    }
}

/// A shape and how well it meets an objective.
struct Candidate {
    parameters: Parameters,
    cost: f64,
}

/// Measures a template.
pub(crate) fn size(parameters: &Parameters, template: &Template) -> Size {
    let analysis = analyze(&template.script)
        .expect("our templates pick at constant depths and balance their branches");
    let items = parameters.signature_items();
    let ones_mean = mean_checksum_ones(parameters.message_digits());
    // The set flags are never more than the message's bits: clearing t flags of an all-ones message makes the
    // checksum a sum of t powers of two, which has at most t ones.
    let flags_max = match parameters.scheme() {
        Scheme::Winternitz => parameters.message_bits(),
        Scheme::Lamport => 0,
    };
    Size {
        script_bytes: template.script.len(),
        witness_bytes_mean: mean_witness_bytes(parameters, ones_mean),
        witness_bytes_max: fixed_witness_bytes(parameters) + flags_max,
        items,
        opcodes: analysis.opcodes,
        max_stack: items + analysis.peak as usize, // cast ok: usize has at least 32 bits here
    }
}

/// Witness bytes apart from set flags: a length byte an item, and the elements.
fn fixed_witness_bytes(parameters: &Parameters) -> usize {
    parameters.signature_items() + parameters.digits() * ELEMENT_BYTES
}

/// Mean witness bytes, given the mean number of ones in the checksum: a set flag takes one byte, any other none.
fn mean_witness_bytes(parameters: &Parameters, ones_mean: f64) -> f64 {
    let flags_mean = match parameters.scheme() {
        Scheme::Winternitz => parameters.message_bits() as f64 / 2.0 + ones_mean, // cast ok: at most MAX_MESSAGE_BITS
        Scheme::Lamport => 0.0,
    };
    fixed_witness_bytes(parameters) as f64 + flags_mean // cast ok: far below 2^52
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
    let lamport = Parameters::lamport(bits)?;
    let cost = objective.cost(&lamport, mean_witness_bytes(&lamport, 0.0));
    let mut candidates = vec![Candidate {
        parameters: lamport,
        cost,
    }];
    candidates.extend(
        message_layouts(bits)
            .iter()
            .map(|message| best_layout(message, objective)),
    );
    let items = |candidate: &Candidate| candidate.parameters.signature_items();
    let least = candidates.iter().map(items).min().unwrap_or(0);
    let limit = objective.max_items.unwrap_or(usize::MAX);
    candidates
        .into_iter()
        .filter(|candidate| items(candidate) <= limit)
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .map(|candidate| candidate.parameters)
        .ok_or(ParametersError::Items { bits, least, limit })
}

/// The checksum layout for these message digits that meets the objective best, its bound on items aside.
fn best_layout(message: &[u8], objective: &Objective) -> Candidate {
    let ones_mean = mean_checksum_ones(message);
    checksum_layouts(checksum_bits(message))
        .into_iter()
        .map(|checksum| {
            let parameters = Parameters::with_digits(message, &checksum)
                .expect("layouts have the checksum's bits");
            let cost = objective.cost(&parameters, mean_witness_bytes(&parameters, ones_mean));
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
