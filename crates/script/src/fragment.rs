//! Pieces of script that say what they do to the two stacks.

use bitcoin::{Script, ScriptBuf};

use crate::effect::{self, EffectError};
use crate::instructions::count_opcodes;

/// What a piece of script does to stack and altstack, in items.
///
/// It needs (and may change) the `pops` topmost items and leaves `pushes` items in their place, likewise on the
/// altstack. `OP_DUP` is `1 → 2`; `OP_2 OP_PICK` is `3 → 4`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StackEffect {
    /// Stack items needed.
    pub pops: u32,
    /// Stack items in their place afterwards.
    pub pushes: u32,
    /// Altstack items needed.
    pub alt_pops: u32,
    /// Altstack items in their place afterwards.
    pub alt_pushes: u32,
}

impl StackEffect {
    /// An effect on the stack that leaves the altstack alone.
    pub const fn new(pops: u32, pushes: u32) -> Self {
        Self {
            pops,
            pushes,
            alt_pops: 0,
            alt_pushes: 0,
        }
    }

    /// The same effect on the stack, with this one on the altstack.
    pub const fn with_alt(self, alt_pops: u32, alt_pushes: u32) -> Self {
        Self {
            alt_pops,
            alt_pushes,
            ..self
        }
    }

    /// The effect of `self`, then `next`.
    pub const fn then(self, next: Self) -> Self {
        let (pops, pushes) = compose((self.pops, self.pushes), (next.pops, next.pushes));
        let (alt_pops, alt_pushes) = compose(
            (self.alt_pops, self.alt_pushes),
            (next.alt_pops, next.alt_pushes),
        );
        Self {
            pops,
            pushes,
            alt_pops,
            alt_pushes,
        }
    }

    /// By how many items the stack grows.
    pub const fn net(self) -> i64 {
        self.pushes as i64 - self.pops as i64 // cast ok: u32 fits i64
    }

    /// By how many items the altstack grows.
    pub const fn alt_net(self) -> i64 {
        self.alt_pushes as i64 - self.alt_pops as i64 // cast ok: u32 fits i64
    }

    /// Whether a script that really does `self` may be described by `declared`: the same growth, and at least as many
    /// items needed.
    pub const fn is_covered_by(self, declared: Self) -> bool {
        self.net() == declared.net()
            && self.alt_net() == declared.alt_net()
            && self.pops <= declared.pops
            && self.alt_pops <= declared.alt_pops
    }
}

const fn compose(first: (u32, u32), second: (u32, u32)) -> (u32, u32) {
    (
        first.0 + second.0.saturating_sub(first.1),
        second.1 + first.1.saturating_sub(second.0),
    )
}

/// A piece of script with its stack effect.
///
/// ```
/// use tapcourt_script::{Fragment, StackEffect, script};
///
/// let hash = Fragment::new(script! { OP_DUP OP_HASH160 }, StackEffect::new(1, 2));
/// let check = Fragment::new(script! { { [7u8; 20] } OP_EQUALVERIFY }, StackEffect::new(1, 0));
/// let both = hash.then(&check);
/// assert_eq!(both.effect(), StackEffect::new(1, 1));
/// assert_eq!((both.len_bytes(), both.opcodes()), (24, 4));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    script: ScriptBuf,
    effect: StackEffect,
}

impl Fragment {
    /// Joins a script to the effect it is declared to have.
    ///
    /// # Panics
    /// In debug builds, if analysing the script shows another effect, branches that disagree, or malformed code. Scripts
    /// whose effect depends on values (`OP_PICK` of a computed depth, `OP_IFDUP`, `OP_SUCCESSx`) are taken at their word.
    pub fn new(script: ScriptBuf, effect: StackEffect) -> Self {
        if cfg!(debug_assertions) {
            match effect::analyze(&script) {
                Ok(found) => assert!(
                    found.effect.is_covered_by(effect),
                    "the fragment is declared {effect:?} but is {:?}",
                    found.effect
                ),
                Err(EffectError::Dynamic { .. }) => {}
                Err(error) => panic!("the fragment has no stack effect: {error}"),
            }
        }
        Self { script, effect }
    }

    /// Finds the effect of a script by analysing it.
    ///
    /// # Errors
    /// If the effect depends on values, branches disagree, or the script is malformed.
    pub fn analyzed(script: ScriptBuf) -> Result<Self, EffectError> {
        let effect = effect::analyze(&script)?.effect;
        Ok(Self { script, effect })
    }

    /// The fragment that does nothing.
    pub fn empty() -> Self {
        Self {
            script: ScriptBuf::new(),
            effect: StackEffect::default(),
        }
    }

    /// The fragment that runs `self`, then `next`.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let mut bytes = Vec::with_capacity(self.len_bytes() + next.len_bytes());
        bytes.extend_from_slice(self.script.as_bytes());
        bytes.extend_from_slice(next.script.as_bytes());
        Self {
            script: ScriptBuf::from_bytes(bytes),
            effect: self.effect.then(next.effect),
        }
    }

    /// The fragment that runs the given ones in order.
    pub fn sequence<'a>(fragments: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut bytes = Vec::new();
        let mut effect = StackEffect::default();
        for fragment in fragments {
            bytes.extend_from_slice(fragment.script.as_bytes());
            effect = effect.then(fragment.effect);
        }
        Self {
            script: ScriptBuf::from_bytes(bytes),
            effect,
        }
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The script, owned.
    pub fn into_script(self) -> ScriptBuf {
        self.script
    }

    /// The declared effect.
    pub fn effect(&self) -> StackEffect {
        self.effect
    }

    /// Exact size of the script in bytes, without a length prefix.
    pub fn len_bytes(&self) -> usize {
        self.script.len()
    }

    /// Instructions in the script, pushes included.
    pub fn opcodes(&self) -> usize {
        count_opcodes(&self.script)
    }
}
