//! The scripts that check openings, as templates over the ends of a key's chains.
//!
//! A *flag* is a witness item that is consumed by `OP_IF`, which in tapscript accepts only an empty item or the single byte 1
//! (`MINIMALIF`, consensus by BIP-0342). A digit given by flags is thus in range and has exactly one encoding, with no opcode
//! spent on either.

use bitcoin::ScriptBuf;
use tapcourt_script::ScriptWriter;

use crate::parameters::{Digit, Parameters, Scheme};
use crate::{ELEMENT_BYTES, Element, OpenOrder};

/// Appends the items of `script!` to a [`Builder`].
macro_rules! emit {
    ($builder:expr; $($items:tt)*) => {{
        let writer = &mut $builder.writer;
        tapcourt_script::script_items!(writer; $($items)*);
    }};
}

mod bits;
mod lamport;
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
}

/// A template under construction. Items are noted in the order in which the script meets them: the top of the stack first.
struct Builder<'a> {
    ends: &'a [Element],
    writer: ScriptWriter,
    items: Vec<Item>,
}

impl<'a> Builder<'a> {
    fn new(ends: &'a [Element]) -> Self {
        Self {
            ends,
            writer: ScriptWriter::with_capacity(80 * ends.len()),
            items: Vec::new(),
        }
    }

    /// Consumes the top item, which must be the end of this chain.
    fn end(&mut self, digit: &Digit) {
        emit!(self; { self.ends[digit.index] } OP_EQUALVERIFY);
    }

    /// Consumes the sum of message digits and checksum, which must be what it always is.
    fn check_total(&mut self, parameters: &Parameters) {
        emit!(self; { parameters.total() } OP_EQUALVERIFY);
    }

    fn finish(mut self) -> Template {
        self.items.reverse();
        Template {
            script: self.writer.into_script(),
            items: self.items,
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
            builder.check_total(parameters);
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
            builder.check_total(parameters);
        }
        Scheme::Lamport => lamport::open(&mut builder, parameters, order),
    }
    builder.finish()
}

/// Stand-ins for the ends of a key, for measuring: every end is pushed in 21 bytes.
pub(crate) fn blank_ends(parameters: &Parameters) -> Vec<Element> {
    vec![[0; ELEMENT_BYTES]; parameters.chains()]
}
