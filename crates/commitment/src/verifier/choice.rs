//! The scripts of one-digit keys, by which a party selects one of a few options and another one repeats the selection.
//!
//! A value `d` of `w` bits has two chains: its message element is hashed `d` times, its checksum element `2^w − 1 − d`
//! times. The bits of one count are the complement of the other's. So for each bit one of the two elements is hashed,
//! never both, and there is no sum to check. The element at work is the one on top: for bit 0, the lowest, whichever the
//! witness puts there; from bit to bit, a flag says whether the two change places; and after the highest bit a last flag
//! brings the message element up, to be compared with its chain's end. These `w` flags are the value in a Gray code (each
//! bit XOR the next higher one), so that each value has one encoding, although the place of the elements in the witness
//! depends on it.
//!
//! With one bit, the element that is not hashed is the public end of its chain. It is left out.
//!
//! # Values in range
//! Let `n` be the largest value allowed, with bits `nᵢ`. Then `d ≤ n` is computed from the lowest bit up:
//! `leᵢ = (dᵢ = 0) OR leᵢ₋₁` where `nᵢ = 1`, and `leᵢ = (dᵢ = 0) AND leᵢ₋₁` where `nᵢ = 0`. Below the lowest zero bit of
//! `n` it is true. What `leᵢ` says only matters where all higher bits of `d` are those of `n`, and there `dᵢ = 0` exactly
//! if `dᵢ XOR dᵢ₊₁ = nᵢ₊₁`. The flag is set exactly if the latter holds, so that each flag is an operand as it is.

use bitcoin::ScriptBuf;
use tapcourt_script::ScriptWriter;

use crate::{ELEMENT_BYTES, Element, PublicKey};

/// One witness item of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChoiceItem {
    /// Whether the elements change places after this bit, in the encoding of [`Flags`].
    Flag {
        /// Which bit; 0 is the lowest.
        bit: u8,
    },
    /// A revealed element.
    Element {
        /// Which key: 0 is the one that selects, or repeats; 1 is the one that selected before.
        key: usize,
        /// Whether it is the one that bit 0 hashes: the message element of an odd value, the checksum element of an even
        /// one.
        hashed_first: bool,
    },
}

/// How a value is given by flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    /// Bits of a value, and flags.
    pub(crate) width: u8,
    /// Largest value allowed; has [`Self::width`] bits.
    pub(crate) last: u32,
}

impl Flags {
    /// Flags of the values up to `last`, which is at least 1.
    pub(crate) fn up_to(last: u32) -> Self {
        let width = (u32::BITS - last.leading_zeros()) as u8; // cast ok: at most 32
        Self { width, last }
    }

    /// Flags of all values of so many bits.
    pub(crate) fn all(width: u8) -> Self {
        Self::up_to((1 << width) - 1)
    }

    /// Whether the elements change places where the flag after this bit is set; otherwise where it is clear.
    fn set_swaps(self, bit: u8) -> bool {
        // After the highest bit, as if another one were set: the message element is to come up.
        bit + 1 == self.width || self.last >> (bit + 1) & 1 == 1
    }

    /// The flag after this bit of the value.
    pub(crate) fn flag(self, value: u32, bit: u8) -> bool {
        let next = bit + 1 == self.width || value >> (bit + 1) & 1 == 1;
        let swap = (value >> bit & 1 == 1) != next;
        swap == self.set_swaps(bit)
    }

    /// The value that the flags give, bit 0 first.
    pub(crate) fn value(self, flags: &[bool]) -> u32 {
        let mut next = true;
        (0..self.width).rev().fold(0, |value, bit| {
            let swap = flags[usize::from(bit)] == self.set_swaps(bit);
            next ^= swap;
            value << 1 | u32::from(next)
        })
    }

    /// Flags that say whether a value is in range: all from the lowest zero bit of the largest value up.
    fn checked(self) -> u8 {
        self.width.saturating_sub(self.last.trailing_ones() as u8) // cast ok: at most 32
    }
}

/// Items of a selection, bottom of the stack first.
pub(crate) fn choose_items(width: u8) -> Vec<ChoiceItem> {
    items(
        width,
        match width {
            1 => &[(0, true)],
            2 => &[(0, false), (0, true)],
            _ => &[(0, true), (0, false)],
        },
    )
}

/// Items of a selection repeated, bottom of the stack first.
pub(crate) fn agree_items(width: u8) -> Vec<ChoiceItem> {
    items(
        width,
        match width {
            1 => &[(1, true), (0, true)],
            2 => &[(0, false), (1, false), (1, true), (0, true)],
            _ => &[(1, true), (0, true), (1, false), (0, false)],
        },
    )
}

fn items(width: u8, elements: &[(usize, bool)]) -> Vec<ChoiceItem> {
    let flags = (0..width).rev().map(|bit| ChoiceItem::Flag { bit });
    let elements = elements
        .iter()
        .map(|&(key, hashed_first)| ChoiceItem::Element { key, hashed_first });
    flags.chain(elements).collect()
}

/// Appends the items of `script!` to a writer.
macro_rules! write_items {
    ($writer:ident; $($items:tt)*) => {
        tapcourt_script::script_items!($writer; $($items)*)
    };
}

/// Ends of a key's message and checksum chain.
fn ends(key: &PublicKey) -> (Element, Element) {
    (key.ends()[0], key.ends()[1])
}

/// The script that selects a value up to `flags.last`: consumes [`choose_items`] and leaves nothing.
///
/// Elements are checked to have 20 bytes, for the reason given for [`publish`](super::publish()). An element that is
/// never hashed equals an end, so the check may come as late as right before the first hash.
pub(crate) fn choose(key: &PublicKey, flags: Flags) -> ScriptBuf {
    let (message, checksum) = ends(key);
    let mut script = ScriptWriter::with_capacity(128);
    let writer = &mut script;
    if flags.width == 1 {
        check_size(writer);
        write_items!(writer; OP_HASH160 OP_SWAP OP_IF { checksum } OP_ELSE { message } OP_ENDIF OP_EQUALVERIFY);
        return script.into_script();
    }
    check_size(writer);
    if flags.width > 2 {
        write_items!(writer; OP_SWAP);
        check_size(writer);
    }
    for bit in 0..flags.width {
        check_range(writer, flags, bit);
        if flags.width == 2 && bit == 1 {
            check_size(writer);
        }
        hash(writer, bit);
        write_items!(writer; OP_ROT);
        branch(writer, flags, bit);
        write_items!(writer; OP_SWAP OP_ENDIF);
    }
    write_items!(writer; { message } OP_EQUALVERIFY { checksum } OP_EQUALVERIFY);
    script.into_script()
}

/// The script that repeats under `own` what `theirs` selected: consumes [`agree_items`] and leaves nothing.
///
/// The elements lie in pairs, one of each key, and the pairs change places. The own elements are checked to have 20 bytes as
/// [`choose`] does; the others exist with 20 bytes since they were published ([`open_bits`](super::open_bits())).
pub(crate) fn agree(own: &PublicKey, theirs: &PublicKey) -> ScriptBuf {
    let flags = Flags::all(own.parameters().message_digits()[0]);
    let (own, theirs) = (ends(own), ends(theirs));
    let mut script = ScriptWriter::with_capacity(256);
    let writer = &mut script;
    check_size(writer);
    if flags.width == 1 {
        write_items!(writer; OP_HASH160 OP_SWAP OP_HASH160 OP_ROT); // own theirs flag
        write_items!(writer; OP_IF { own.1 } { theirs.1 } OP_ELSE { own.0 } { theirs.0 } OP_ENDIF);
        write_items!(writer; OP_ROT OP_EQUALVERIFY OP_EQUALVERIFY);
        return script.into_script();
    }
    // With two bits, the first one finds its pair with the own element on top and the other pair with the own element
    // below, and leaves both alike, without swapping back.
    let lazy = flags.width == 2;
    if !lazy {
        write_items!(writer; OP_2SWAP);
        check_size(writer);
    }
    for bit in 0..flags.width {
        hash(writer, bit);
        write_items!(writer; OP_SWAP);
        if lazy && bit == 1 {
            check_size(writer);
        }
        hash(writer, bit);
        if !(lazy && bit == 0) {
            write_items!(writer; OP_SWAP);
        }
        write_items!(writer; { 4 } OP_ROLL);
        branch(writer, flags, bit);
        write_items!(writer; OP_2SWAP OP_ENDIF);
    }
    let (top, below) = if lazy { (theirs, own) } else { (own, theirs) };
    for end in [top.0, below.0, top.1, below.1] {
        write_items!(writer; { end } OP_EQUALVERIFY);
    }
    script.into_script()
}

/// Checks that the top item has an element's size.
fn check_size(writer: &mut ScriptWriter) {
    write_items!(writer; OP_SIZE { ELEMENT_BYTES } OP_EQUALVERIFY);
}

/// Hashes the top item as often as this bit counts.
fn hash(writer: &mut ScriptWriter, bit: u8) {
    write_items!(writer; for _ in 0..1u32 << bit { OP_HASH160 });
}

/// Enters the branch in which the elements change places after this bit; its flag is on top.
fn branch(writer: &mut ScriptWriter, flags: Flags, bit: u8) {
    if flags.set_swaps(bit) {
        write_items!(writer; OP_IF);
    } else {
        write_items!(writer; OP_NOTIF);
    }
}

/// Writes what of the range check comes before this bit is hashed. Two elements are on top, and below them the flags,
/// this bit's first.
fn check_range(writer: &mut ScriptWriter, flags: Flags, bit: u8) {
    let top = flags.width - 1;
    // `le` of a bit, from its own flag and `le` of the next lower bit.
    let combine = |writer: &mut ScriptWriter, bit: u8| {
        if flags.last >> bit & 1 == 1 {
            write_items!(writer; OP_BOOLOR);
        } else {
            write_items!(writer; OP_BOOLAND);
        }
    };
    match (flags.checked(), top - bit) {
        (2, 1) => {
            write_items!(writer; OP_2OVER);
            combine(writer, top);
            write_items!(writer; OP_VERIFY);
        }
        (3, 2) => {
            write_items!(writer; OP_2OVER);
            combine(writer, top - 1);
            write_items!(writer; { 5 } OP_PICK);
            combine(writer, top);
            write_items!(writer; OP_VERIFY);
        }
        (4, 3) => {
            write_items!(writer; OP_2OVER);
            combine(writer, top - 2);
            write_items!(writer; OP_TOALTSTACK);
        }
        (4, 1) => {
            write_items!(writer; OP_2OVER OP_FROMALTSTACK);
            combine(writer, top - 1);
            combine(writer, top);
            write_items!(writer; OP_VERIFY);
        }
        _ => {}
    }
}
