//! One-digit keys: a party selects one of a few options, and another one repeats the selection under a key of its own.
//!
//! The selection of a party who answers a transaction is often needed again in that answer, under a key of the answering
//! party: then one key opens both the answer and what it answers to. A script for this takes the two openings with one
//! set of flags between them, so that they are of the same value by construction.

use bitcoin::Script;
use tapcourt_script::{Fragment, StackEffect, analyze};

use crate::verifier::blank_ends;
use crate::verifier::choice::{self, ChoiceItem, Flags};
use crate::{
    ELEMENT_BYTES, Element, Opening, Parameters, ParametersError, PublicKey, RecoverError, Scheme,
    Size,
};

/// Most options that one digit selects from.
pub const MAX_OPTIONS: u32 = 16;

impl Parameters {
    /// The shape by which a party selects one of so many options: one message digit that is just wide enough, and a checksum
    /// digit of the same width.
    ///
    /// ```
    /// use tapcourt_commitment::{KeyPath, Parameters, SecretKey, Seed};
    /// use tapcourt_script::interpreter::{Rules, execute};
    /// use tapcourt_script::script;
    ///
    /// let shape = Parameters::choice(3)?;
    /// let path = |role| KeyPath { contract: [1; 32], role, label: "select/0" };
    /// let theirs = SecretKey::derive(&Seed::new([2; 32]), &path("challenger"), &shape);
    /// let own = SecretKey::derive(&Seed::new([3; 32]), &path("prover"), &shape);
    /// let (their_key, own_key) = (theirs.public_key(), own.public_key());
    ///
    /// // The challenger selects option 2 of 0 to 2, bit 0 first.
    /// let select = script! { { their_key.choose_script(3) } OP_1 };
    /// let witness = theirs.sign(&[false, true]).witness_for_choice(3);
    /// assert!(execute(&select, witness.clone(), None, Rules::Policy).succeeded());
    ///
    /// // The prover reads it from the witness, and repeats it.
    /// let selection = their_key.recover_choice(&witness, 3)?;
    /// assert_eq!(selection.message_digits(), [2]);
    /// let repeat = script! { { own_key.agree_script(&their_key) } OP_1 };
    /// let witness = own.sign(&selection.message()).witness_for_agreement(&selection);
    /// assert!(execute(&repeat, witness, None, Rules::Policy).succeeded());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there are not 2 to [`MAX_OPTIONS`] options.
    pub fn choice(options: u32) -> Result<Self, ParametersError> {
        match options {
            2..=MAX_OPTIONS => {
                let width = Flags::up_to(options - 1).width;
                Self::with_digits(&[width], &[width])
            }
            _ => Err(ParametersError::Options { options }),
        }
    }

    /// Whether this is the shape of [`Parameters::choice`] for some number of options.
    pub fn is_choice(&self) -> bool {
        let options = 1 << self.message_digits().first().copied().unwrap_or(0).min(4);
        self.is_choice_of(options)
    }

    /// Whether this is the shape of [`Parameters::choice`] of so many options.
    pub fn is_choice_of(&self, options: u32) -> bool {
        Self::choice(options).as_ref() == Ok(self)
    }

    /// Sizes of the script that selects one of so many options, and of its witness; the mean is over the options.
    ///
    /// # Panics
    /// If the shape is not [`Parameters::choice`] of so many options.
    pub fn choose_size(&self, options: u32) -> Size {
        let flags = self.flags_for(options);
        let script = choice::choose(&blank_key(self), flags);
        size(&script, &choice::choose_items(flags.width), flags)
    }

    /// Sizes of the script that repeats a selection, and of its witness; the mean is over all values of the digit.
    ///
    /// # Panics
    /// If the shape is not a [`Parameters::choice`].
    pub fn agree_size(&self) -> Size {
        let flags = Flags::all(self.choice_width());
        let key = blank_key(self);
        let script = choice::agree(&key, &key);
        size(&script, &choice::agree_items(flags.width), flags)
    }

    /// Bits of the one digit.
    ///
    /// # Panics
    /// If the shape is not a [`Parameters::choice`].
    fn choice_width(&self) -> u8 {
        match (self.scheme(), self.message_digits(), self.checksum_digits()) {
            (Scheme::Winternitz, &[width @ 1..=4], &[_]) if self.picks() == 0 => width,
            _ => panic!("{self:?} is not the shape of a choice"),
        }
    }

    /// How a selection of one of so many options is given.
    ///
    /// # Panics
    /// If the shape is not [`Parameters::choice`] of so many options.
    fn flags_for(&self, options: u32) -> Flags {
        assert_eq!(
            Self::choice(options).as_ref(),
            Ok(self),
            "the shape is that of a choice from {options} options"
        );
        Flags::up_to(options - 1)
    }
}

impl PublicKey {
    /// The script that selects one of so many options: consumes the items of [`Opening::witness_for_choice`] from the top
    /// of the stack, and leaves nothing. It accepts only values below `options`, and, like [`Self::publish_script`], only
    /// elements of 20 bytes.
    ///
    /// # Panics
    /// If the key's shape is not [`Parameters::choice`] of so many options.
    pub fn choose_script(&self, options: u32) -> Fragment {
        let flags = self.parameters().flags_for(options);
        fragment(
            choice::choose(self, flags),
            &choice::choose_items(flags.width),
        )
    }

    /// The script that repeats under this key what `theirs` selected: consumes the items of
    /// [`Opening::witness_for_agreement`] from the top of the stack, and leaves nothing.
    ///
    /// It accepts exactly two openings of one value. It checks neither the range of this value nor the size of their
    /// elements, since it is run on what [`Self::choose_script`] has accepted.
    ///
    /// # Panics
    /// If the keys' shape is not the same [`Parameters::choice`].
    pub fn agree_script(&self, theirs: &Self) -> Fragment {
        let width = self.agreed_width(theirs);
        fragment(choice::agree(self, theirs), &choice::agree_items(width))
    }

    /// Reads and verifies the opening in the witness items that a selecting script consumed, bottom of the stack first.
    ///
    /// # Errors
    /// If the script would refuse the items.
    ///
    /// # Panics
    /// If the key's shape is not [`Parameters::choice`] of so many options.
    pub fn recover_choice(
        &self,
        witness: &[Vec<u8>],
        options: u32,
    ) -> Result<Opening, RecoverError> {
        let flags = self.parameters().flags_for(options);
        let items = choice::choose_items(flags.width);
        let (value, [opening]) = recover([self], flags, &items, witness)?;
        if value > flags.last {
            return Err(RecoverError::NotAnOption { value, options });
        }
        Ok(opening)
    }

    /// Reads and verifies the openings in the witness items that a script repeating a selection consumed, bottom of the
    /// stack first: the one under this key, and the one under `theirs`.
    ///
    /// # Errors
    /// If the script would refuse the items, or an element of `theirs` does not have 20 bytes. The script does not check the
    /// latter, but there is no such element where one of 20 bytes was published: both would hash to the same end.
    ///
    /// # Panics
    /// If the keys' shape is not the same [`Parameters::choice`].
    pub fn recover_agreement(
        &self,
        theirs: &Self,
        witness: &[Vec<u8>],
    ) -> Result<(Opening, Opening), RecoverError> {
        let width = self.agreed_width(theirs);
        let items = choice::agree_items(width);
        let (_, [own, theirs]) = recover([self, theirs], Flags::all(width), &items, witness)?;
        Ok((own, theirs))
    }

    /// Bits of the digit of two keys that select from the same options.
    fn agreed_width(&self, theirs: &Self) -> u8 {
        assert_eq!(
            self.parameters(),
            theirs.parameters(),
            "both keys select from the same options"
        );
        self.parameters().choice_width()
    }
}

impl Opening {
    /// The witness items that [`PublicKey::choose_script`] consumes, bottom of the stack first.
    ///
    /// # Panics
    /// If the opening's shape is not [`Parameters::choice`] of so many options.
    pub fn witness_for_choice(&self, options: u32) -> Vec<Vec<u8>> {
        let flags = self.parameters().flags_for(options);
        witness(&[self], flags, &choice::choose_items(flags.width))
    }

    /// The witness items that [`PublicKey::agree_script`] consumes, bottom of the stack first; this opening is under the own
    /// key.
    ///
    /// # Panics
    /// If the openings are not of one value and one shape, which is a [`Parameters::choice`].
    pub fn witness_for_agreement(&self, theirs: &Self) -> Vec<Vec<u8>> {
        assert_eq!(
            (self.parameters(), self.values()),
            (theirs.parameters(), theirs.values()),
            "both openings are of the same value"
        );
        let width = self.parameters().choice_width();
        witness(
            &[self, theirs],
            Flags::all(width),
            &choice::agree_items(width),
        )
    }
}

/// Which digit bit 0 of a value hashes: 0 is the message, 1 the checksum.
fn hashed_first_digit(value: u32) -> usize {
    usize::from(value & 1 == 0)
}

/// The items by which these openings show the value of the first.
fn witness(openings: &[&Opening], flags: Flags, items: &[ChoiceItem]) -> Vec<Vec<u8>> {
    let value = u32::from(openings[0].message_digits()[0]);
    let first = hashed_first_digit(value);
    let bytes = |item: &ChoiceItem| match *item {
        ChoiceItem::Flag { bit } => vec![1; usize::from(flags.flag(value, bit))],
        ChoiceItem::Element { key, hashed_first } => {
            let digit = if hashed_first { first } else { 1 - first };
            openings[key].elements()[digit].to_vec()
        }
    };
    items.iter().map(bytes).collect()
}

/// Reads the value, and an opening of it under each key.
fn recover<const KEYS: usize>(
    keys: [&PublicKey; KEYS],
    flags: Flags,
    items: &[ChoiceItem],
    witness: &[Vec<u8>],
) -> Result<(u32, [Opening; KEYS]), RecoverError> {
    if witness.len() != items.len() {
        return Err(RecoverError::ItemCount {
            actual: witness.len(),
            expected: items.len(),
        });
    }
    let mut set = vec![false; flags.width.into()];
    // Of each key the element that bit 0 hashes, then the other. One that is left out is the end of its chain.
    let mut elements: Vec<[Option<Element>; 2]> = vec![[None; 2]; KEYS];
    for (position, (item, bytes)) in items.iter().zip(witness).enumerate() {
        match *item {
            ChoiceItem::Flag { bit } => {
                set[usize::from(bit)] = match bytes.as_slice() {
                    [] => false,
                    [1] => true,
                    _ => {
                        return Err(RecoverError::NotAFlag {
                            position,
                            bytes: bytes.len(),
                        });
                    }
                };
            }
            ChoiceItem::Element { key, hashed_first } => {
                let element =
                    bytes
                        .as_slice()
                        .try_into()
                        .map_err(|_| RecoverError::NotAnElement {
                            position,
                            bytes: bytes.len(),
                        })?;
                elements[key][usize::from(!hashed_first)] = Some(element);
            }
        }
    }
    let value = flags.value(&set);
    let first = hashed_first_digit(value);
    let openings = std::array::from_fn(|key| {
        let parameters = keys[key].parameters().clone();
        let values = [value, (1 << flags.width) - 1 - value].map(|value| value as u8); // cast ok: at most 4 bits
        let shown = [0, 1].map(|digit| {
            let place = usize::from(digit != first);
            elements[key][place].unwrap_or(keys[key].ends()[digit])
        });
        Opening::new(parameters, values.to_vec(), shown.to_vec())
    });
    for (key, opening) in keys.iter().zip(&openings) {
        key.verify(opening)?;
    }
    Ok((value, openings))
}

fn fragment(script: bitcoin::ScriptBuf, items: &[ChoiceItem]) -> Fragment {
    let items = items.len() as u32; // cast ok: at most 8
    Fragment::new(script, StackEffect::new(items, 0))
}

/// A key for measuring: every end is pushed in 21 bytes.
fn blank_key(parameters: &Parameters) -> PublicKey {
    PublicKey::new(parameters.clone(), blank_ends(parameters)).expect("an end for each chain")
}

fn size(script: &Script, items: &[ChoiceItem], flags: Flags) -> Size {
    let analysis = analyze(script).expect("branches are balanced, and depths constant");
    let bytes = |value: u32| -> usize {
        let bytes = |item: &ChoiceItem| match *item {
            ChoiceItem::Flag { bit } => 1 + usize::from(flags.flag(value, bit)),
            ChoiceItem::Element { .. } => 1 + ELEMENT_BYTES,
        };
        items.iter().map(bytes).sum()
    };
    let options = flags.last + 1;
    let total: usize = (0..options).map(bytes).sum();
    Size {
        script_bytes: script.len(),
        witness_bytes_mean: total as f64 / f64::from(options), // cast ok: far below 2^52
        witness_bytes_max: (0..options).map(bytes).max().unwrap_or(0),
        items: items.len(),
        opcodes: analysis.opcodes,
        max_stack: items.len() + analysis.peak as usize, // cast ok: usize has at least 32 bits here
    }
}

#[cfg(test)]
mod tests;
