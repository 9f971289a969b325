//! The beginning of a leaf: the challenger's signature, and groups opened to digits on the altstack.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, RwLock};

use bitcoin::XOnlyPublicKey;
use tapcourt_commitment::{OpenDigits, Opening, Parameters, PublicKey, Size};
use tapcourt_script::ScriptWriter;
use tapcourt_script::opcodes::OP_CHECKSIGVERIFY;

use super::Group;
use super::published::{Published, PublishedError};
use crate::size::HEAD_BYTES;

/// How one group is opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Open {
    group: Group,
    digits: OpenDigits,
    /// Bits of each digit.
    widths: Vec<u8>,
    size: SizeBytes,
}

/// The parts of [`Size`] that are exact numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SizeBytes {
    script: usize,
    witness_max: usize,
    opcodes: usize,
    items: usize,
    max_stack: usize,
    /// Mean witness bytes in thousandths, rounded.
    witness_mean_thousandths: usize,
}

impl From<Size> for SizeBytes {
    fn from(size: Size) -> Self {
        Self {
            script: size.script_bytes,
            witness_max: size.witness_bytes_max,
            opcodes: size.opcodes,
            items: size.items,
            max_stack: size.max_stack,
            witness_mean_thousandths: (size.witness_bytes_mean * 1000.0).round() as usize, // cast ok: small and positive
        }
    }
}

/// The size of an opening. Working it out takes long, and few are asked for, often: groups have few
/// shapes, and leaves few orders.
fn size_of(parameters: &Parameters, digits: &OpenDigits) -> SizeBytes {
    type Known = HashMap<OpenDigits, Vec<(Parameters, SizeBytes)>>;
    static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);
    let known = |known: &Known| {
        let mut sizes = known.get(digits)?.iter();
        sizes.find_map(|(other, size)| (other == parameters).then_some(*size))
    };
    let expectation = "nothing panics while it is locked";
    if let Some(size) = known(&KNOWN.read().expect(expectation)) {
        return size;
    }
    let size = parameters.open_digits_size(digits).into();
    let mut sizes = KNOWN.write().expect(expectation);
    let entry = sizes.entry(digits.clone()).or_default();
    entry.push((parameters.clone(), size));
    size
}

/// A digit that lies on the altstack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Digit {
    pub(crate) group: Group,
    /// Which digit, the lowest bits first.
    pub(crate) index: usize,
    /// Whether the number is twice the digit.
    pub(crate) doubled: bool,
}

/// Which groups a leaf opens, and how: from the top of the altstack down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Openings {
    opens: Vec<Open>,
}

impl Openings {
    /// Opens another group below those before it. `order` are its digits from the top down; `own_bits` as for [`Group::parameters`].
    pub(crate) fn then(
        mut self,
        group: Group,
        order: impl IntoIterator<Item = usize>,
        doubled: bool,
        own_bits: usize,
    ) -> Self {
        let parameters = group.parameters(own_bits);
        let order: Vec<u32> = order.into_iter().map(|digit| digit as u32).collect(); // cast ok: at most 64
        let digits = OpenDigits::natural(&parameters)
            .ordered(order)
            .expect("every digit once")
            .scaled(u8::from(doubled))
            .expect("1 is no large scale");
        let size = size_of(&parameters, &digits);
        let widths = parameters.message_digits().to_vec();
        self.opens.push(Open {
            group,
            digits,
            widths,
            size,
        });
        self
    }

    /// The same, with the lowest digit on top.
    pub(crate) fn then_natural(self, group: Group, doubled: bool, own_bits: usize) -> Self {
        let digits = group.parameters(own_bits).message_digits().len();
        self.then(group, 0..digits, doubled, own_bits)
    }

    /// The same, with the lowest digit lowest.
    pub(crate) fn then_reversed(self, group: Group, doubled: bool, own_bits: usize) -> Self {
        let digits = group.parameters(own_bits).message_digits().len();
        self.then(group, (0..digits).rev(), doubled, own_bits)
    }

    /// The groups, from the top of the altstack down.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group> {
        self.opens.iter().map(|open| open.group)
    }

    /// What lies on the altstack afterwards, from the top down.
    pub(crate) fn digits(&self) -> Vec<Digit> {
        let digits = self.opens.iter().flat_map(|open| {
            let doubled = open.digits.number(0, 1) == 2;
            open.digits.order().iter().map(move |&index| Digit {
                group: open.group,
                index: index as usize, // cast ok: an index
                doubled,
            })
        });
        digits.collect()
    }

    /// The numbers that the openings leave on the altstack for what was published, from the top down.
    pub(crate) fn numbers(&self, published: &Published) -> Result<Vec<i64>, PublishedError> {
        let mut numbers = Vec::new();
        for open in &self.opens {
            let values = published.digits(open.group, &open.widths)?;
            let order = open.digits.order().iter().map(|&digit| digit as usize); // cast ok: an index
            numbers.extend(order.map(|digit| open.digits.number(digit, values[digit])));
        }
        Ok(numbers)
    }

    /// The script, for the challenger's key and the groups' keys. The group on top is opened last.
    pub(crate) fn script(
        &self,
        challenger: XOnlyPublicKey,
        keys: &BTreeMap<Group, PublicKey>,
    ) -> Vec<u8> {
        let mut writer = ScriptWriter::with_capacity(self.script_bytes());
        writer.push(&challenger);
        writer.op(OP_CHECKSIGVERIFY);
        for open in self.opens.iter().rev() {
            writer.script(keys[&open.group].open_digits(&open.digits).script());
        }
        writer.into_script().into_bytes()
    }

    /// The witness items, bottom first, without the signature on top. `None` if an opening is missing.
    pub(crate) fn witness(&self, openings: &BTreeMap<Group, Opening>) -> Option<Vec<Vec<u8>>> {
        let mut witness = Vec::new();
        // What is consumed last lies lowest.
        for open in &self.opens {
            witness.extend(openings.get(&open.group)?.witness_for_digits(&open.digits));
        }
        Some(witness)
    }

    /// Bytes of the script.
    pub(crate) fn script_bytes(&self) -> usize {
        HEAD_BYTES
            + self
                .opens
                .iter()
                .map(|open| open.size.script)
                .sum::<usize>()
    }

    /// Most bytes of the witness items with their length prefixes, without the signature.
    pub(crate) fn witness_bytes_max(&self) -> usize {
        self.opens.iter().map(|open| open.size.witness_max).sum()
    }

    /// Mean bytes of the same over random values.
    pub(crate) fn witness_bytes_mean(&self) -> f64 {
        let thousandths: usize = self
            .opens
            .iter()
            .map(|open| open.size.witness_mean_thousandths)
            .sum();
        thousandths as f64 / 1000.0 // cast ok: far below 2^52
    }

    /// Instructions of the script.
    pub(crate) fn opcodes(&self) -> usize {
        2 + self
            .opens
            .iter()
            .map(|open| open.size.opcodes)
            .sum::<usize>()
    }

    /// Witness items, the signature not counted.
    pub(crate) fn items(&self) -> usize {
        self.opens.iter().map(|open| open.size.items).sum()
    }

    /// Most items on both stacks while groups are opened, `below` items lying below everything.
    pub(crate) fn max_stack(&self, below: usize) -> usize {
        // The signature and the key.
        let mut most = below + self.items() + 2;
        let mut waiting = self.items();
        let mut delivered = 0;
        for open in self.opens.iter().rev() {
            waiting -= open.size.items;
            most = most.max(below + waiting + delivered + open.size.max_stack);
            delivered += open.digits.order().len();
        }
        most
    }
}
