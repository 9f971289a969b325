//! What openings cost, exactly, and the choice of the cheapest shape.

use tapcourt_script::analyze;

use crate::parameters::{Parameters, ParametersError, Scheme};
use crate::verifier::Template;
use crate::{ELEMENT_BYTES, MAX_DIGIT_BITS, checksum_bits};

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
    fn cost(&self, parameters: &Parameters) -> f64 {
        let mut cost = 0.0;
        if self.publish != 0.0 {
            cost += self.publish * parameters.publish_size().weight_wu_mean();
        }
        if self.open != 0.0 {
            cost += self.open * parameters.open_bits_size().weight_wu_mean();
        }
        cost
    }
}

/// Measures a template.
pub(crate) fn size(parameters: &Parameters, template: &Template) -> Size {
    let analysis = analyze(&template.script)
        .expect("our templates pick at constant depths and balance their branches");
    let items = parameters.signature_items();
    // Every item has a length byte; an element has 20 bytes; a flag has one byte if set, and none otherwise.
    let fixed = items + parameters.digits() * ELEMENT_BYTES;
    let (flags_mean, flags_max) = match parameters.scheme() {
        Scheme::Winternitz => {
            let bits = parameters.message_bits();
            // Never more than the message's bits: clearing t flags of an all-ones message makes the checksum a sum
            // of t powers of two, which has at most t ones.
            (bits as f64 / 2.0 + mean_checksum_ones(parameters), bits) // cast ok: at most MAX_MESSAGE_BITS
        }
        Scheme::Lamport => (0.0, 0),
    };
    Size {
        script_bytes: template.script.len(),
        witness_bytes_mean: fixed as f64 + flags_mean, // cast ok: far below 2^52
        witness_bytes_max: fixed + flags_max,
        items,
        opcodes: analysis.opcodes,
        max_stack: items + analysis.peak as usize, // cast ok: usize has at least 32 bits here
    }
}

/// Mean number of ones in the checksum over uniformly random messages. It does not depend on how the checksum is cut into digits.
fn mean_checksum_ones(parameters: &Parameters) -> f64 {
    // probability[s]: that the digits so far add up to s; by symmetry also that the checksum over them is s.
    let mut probability = vec![1.0f64];
    for digit in parameters.message() {
        let base = digit.maximum() as usize + 1; // cast ok: at most 256
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

/// The checksum layout for these message digits that meets the objective best.
pub(crate) fn cheapest_checksum(message: &[u8], objective: &Objective) -> Parameters {
    checksum_layouts(checksum_bits(message))
        .into_iter()
        .map(|checksum| {
            Parameters::with_digits(message, &checksum).expect("layouts have the checksum's bits")
        })
        .min_by(|a, b| objective.cost(a).total_cmp(&objective.cost(b)))
        .expect("every checksum has a layout")
}

/// The shape that meets the objective best.
pub(crate) fn cheapest(bits: usize, objective: &Objective) -> Result<Parameters, ParametersError> {
    let lamport = Parameters::lamport(bits)?;
    let mut candidates = vec![lamport];
    candidates.extend(
        message_layouts(bits)
            .iter()
            .map(|message| cheapest_checksum(message, objective)),
    );
    let least = candidates
        .iter()
        .map(Parameters::signature_items)
        .min()
        .unwrap_or(0);
    let limit = objective.max_items.unwrap_or(usize::MAX);
    candidates
        .into_iter()
        .filter(|parameters| parameters.signature_items() <= limit)
        .min_by(|a, b| objective.cost(a).total_cmp(&objective.cost(b)))
        .ok_or(ParametersError::Items { bits, least, limit })
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

/// The ways to cut a checksum into at most two digits more than necessary, in rising or falling order of width.
fn checksum_layouts(bits: u32) -> Vec<Vec<u8>> {
    let most = bits.div_ceil(MAX_DIGIT_BITS.into()) as usize + 2; // cast ok: a handful
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
