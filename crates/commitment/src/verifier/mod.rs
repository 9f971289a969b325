//! The scripts that check openings, as templates over the ends of a key's chains.
//!
//! A *flag* is a witness item that is consumed by `OP_IF`, which in tapscript accepts only an empty item or the single byte 1
//! (`MINIMALIF`, consensus by BIP-0342). A digit given by flags is thus in range and has exactly one encoding, with no opcode
//! spent on either. A *pick* is a number that chooses one of several successive hashes; it takes bytes to keep it in range
//! and in one encoding, but saves items ([`picks`]).

use bitcoin::ScriptBuf;
use tapcourt_script::ScriptWriter;

use crate::parameters::{Digit, Parameters, Scheme};
use crate::{Destination, ELEMENT_BYTES, Element, OpenDigits, OpenOrder};

/// Appends the items of `script!` to a [`Builder`].
macro_rules! emit {
    ($builder:expr; $($items:tt)*) => {{
        let writer = &mut $builder.writer;
        tapcourt_script::script_items!(writer; $($items)*);
    }};
}

mod bits;
pub(crate) mod choice;
mod lamport;
mod numbers;
mod picks;
mod planes;
#[cfg(test)]
mod tests;

/// One witness item of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// One bit of a digit's value.
    Flag {
        /// Index of the digit.
        digit: usize,
        /// Which bit; 0 is the lowest.
        bit: u8,
    },
    /// The highest three bits of a digit's value, as a number: 8 less their value, so 1 to 8.
    Pick {
        /// Index of the digit.
        digit: usize,
        /// Which bit is the lowest of the three.
        bit: u8,
    },
    /// The revealed element of a digit's chain.
    Element {
        /// Index of the digit.
        digit: usize,
    },
}

/// A script, and the witness items it takes.
pub(crate) struct Template {
    pub(crate) script: ScriptBuf,
    /// Bottom of the stack first.
    pub(crate) items: Vec<Item>,
    /// Offsets in the script of each `OP_ROLL` whose depth the script does not say.
    pub(crate) rolls: Vec<usize>,
}

/// A template under construction. Items are noted in the order in which the script meets them: the top of the stack first.
struct Builder<'a> {
    ends: &'a [Element],
    writer: ScriptWriter,
    items: Vec<Item>,
    rolls: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn new(ends: &'a [Element]) -> Self {
        Self {
            ends,
            writer: ScriptWriter::with_capacity(80 * ends.len()),
            items: Vec::new(),
            rolls: Vec::new(),
        }
    }

    /// `OP_ROLL` by the number on top, which is no constant.
    fn roll(&mut self) {
        self.rolls.push(self.writer.len());
        emit!(self; OP_ROLL);
    }

    /// Consumes the top item, which must be the end of this chain.
    fn end(&mut self, digit: &Digit) {
        emit!(self; { self.ends[digit.index] } OP_EQUALVERIFY);
    }

    /// Consumes the sum of message digits and checksum, which must be what it always is.
    fn check_total(&mut self, total: i64) {
        emit!(self; { total } OP_EQUALVERIFY);
    }

    fn finish(mut self) -> Template {
        self.items.reverse();
        Template {
            script: self.writer.into_script(),
            items: self.items,
            rolls: self.rolls,
        }
    }
}

/// The script that publishes a value: consumes an opening and leaves nothing.
///
/// Every revealed element is checked to have 20 bytes. Where no hash is left to apply this is implied, but otherwise a signer could build
/// his chain upon an element of any size, and publish one above 80 bytes: then no transaction that repeats it, such as the
/// disproof of a lie, would relay.
pub(crate) fn publish(parameters: &Parameters, ends: &[Element]) -> Template {
    let mut builder = Builder::new(ends);
    match parameters.scheme() {
        Scheme::Winternitz => {
            planes::publish(&mut builder, parameters);
            let picked = picks::publish(&mut builder, parameters);
            builder.check_total(i64::from(parameters.total()) - picked);
        }
        Scheme::Lamport => lamport::publish(&mut builder, parameters),
    }
    builder.finish()
}

/// The script that opens a value to its bits: consumes an opening and leaves the bits on the altstack.
///
/// It does not check the elements' size. It is run on what a publishing script has accepted, so the elements exist with 20
/// bytes. Another element for the same digit that also hashes to the end is a second preimage of HASH160, or, if the
/// signer prepared it, a collision (2^80 work). Neither would gain anything: the values are bound by the flags and the checksum, and who
/// spends a disproving leaf chooses his own witness, so a longer one harms nobody else.
pub(crate) fn open_bits(parameters: &Parameters, ends: &[Element], order: &OpenOrder) -> Template {
    let mut builder = Builder::new(ends);
    match parameters.scheme() {
        Scheme::Winternitz => {
            planes::checksum(&mut builder, parameters);
            bits::open(&mut builder, parameters, order);
            builder.check_total(parameters.total().into());
        }
        Scheme::Lamport => lamport::open(&mut builder, parameters, order),
    }
    builder.finish()
}

/// The script that opens a value to its digits as numbers: consumes an opening and leaves the numbers where `opened` says.
///
/// What [`open_bits`] says about sizes holds here, too.
pub(crate) fn open_digits(
    parameters: &Parameters,
    ends: &[Element],
    opened: &OpenDigits,
) -> Template {
    let mut builder = Builder::new(ends);
    match parameters.scheme() {
        Scheme::Winternitz => {
            planes::checksum(&mut builder, parameters);
            numbers::open(&mut builder, parameters, opened);
            builder.check_total(opened.total(parameters));
        }
        Scheme::Lamport => lamport::open_digits(&mut builder, parameters, opened),
    }
    if opened.destination() == Destination::Stack {
        let count = parameters.message_digits().len();
        emit!(builder; for _ in 0..count { OP_FROMALTSTACK });
    }
    builder.finish()
}

/// Stand-ins for the ends of a key, for measuring: every end is pushed in 21 bytes.
pub(crate) fn blank_ends(parameters: &Parameters) -> Vec<Element> {
    vec![[0; ELEMENT_BYTES]; parameters.chains()]
}
