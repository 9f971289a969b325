//! Tapscript as a compiler needs it: scripts with known sizes and stack effects, an interpreter that says what happened,
//! and taproot trees of millions of leaves.
//!
//! | to | use |
//! |---|---|
//! | write computations | [`expression`]: typed values, from which come the script and, separately, its witness |
//! | write scripts | [`script!`], [`ScriptWriter`], [`opcodes`], [`asm`] |
//! | know what they do | [`Fragment`], [`StackEffect`], [`analyze`], [`instructions`] |
//! | run them | [`interpreter`]: one leaf, step by step, or a whole BIP-0341 spend |
//! | commit to them | [`taptree`]: hashed level by level from leaves that are made on demand |
//! | keep within bounds | [`limits`]: every consensus and policy number with its source, and the weight profiles |
//!
//! This is the only crate of the workspace that emits opcodes and names limits.
//!
//! # From an expression to a leaf
//!
//! ```
//! use tapcourt_script::expression::Expression;
//! use tapcourt_script::interpreter::{Rules, execute};
//! use tapcourt_script::taptree::Taptree;
//!
//! // Whoever knows two words whose sum, exclusive or the first one, is this, spends the leaf.
//! let mut expression = Expression::new();
//! let (a, b) = (expression.witness_word("a"), expression.witness_word("b"));
//! let sum = expression.add([a, b]);
//! let mixed = expression.xor(sum, a);
//! expression.name(mixed, "mixed");
//! let target = expression.word(0x0ddb_a115);
//! expression.assert_equal(mixed, target);
//!
//! let template = expression.compile()?;
//! let tree = Taptree::build(&vec![template.script.clone()])?;
//! let internal_key = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0".parse()?;
//! assert!(tree.script_pubkey(internal_key).is_p2tr());
//!
//! let evaluation = expression.evaluate([("a", 0x0abc_def0.into()), ("b", 0xfcaa_a0f5.into())])?;
//! let witness = template.witness(&evaluation);
//! let execution = execute(&template.script, witness, None, Rules::Policy);
//! assert!(execution.succeeded());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From a script to a spend
//!
//! ```
//! use bitcoin::ScriptBuf;
//! use tapcourt_script::interpreter::{Rules, execute};
//! use tapcourt_script::taptree::{LeafSource, Taptree, leaf_hash};
//! use tapcourt_script::{Fragment, StackEffect, script};
//!
//! /// Leaf `n` is spent by three numbers whose sum is `n`.
//! struct Sums;
//!
//! impl LeafSource for Sums {
//!     fn len(&self) -> usize {
//!         1 << 10
//!     }
//!
//!     fn script(&self, index: usize) -> ScriptBuf {
//!         let sum = Fragment::new(script! { for _ in 1..3 { OP_ADD } }, StackEffect::new(3, 1));
//!         script! { { sum } { index } OP_NUMEQUAL }
//!     }
//! }
//!
//! // The tree keeps hashes only; leaves and control blocks are made when asked for.
//! let tree = Taptree::build(&Sums)?;
//! let internal_key = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0".parse()?;
//! let leaf = Sums.script(600);
//! assert_eq!(leaf_hash(&leaf), tree.leaf_hash(600));
//! assert_eq!(tree.control_block(600, internal_key).serialize().len(), 33 + 32 * 10);
//!
//! // Witness items are given bottom first.
//! let witness = |a: u8, b: u8, c: u8| vec![vec![a], vec![b], vec![c]];
//! let execution = execute(&leaf, witness(127, 127, 127), None, Rules::Policy);
//! let failure = execution.result.unwrap_err();
//! assert_eq!(failure.to_string(), "at byte 6: the script ended with a false item");
//! assert_eq!(execution.max_stack, 3);
//!
//! let hundred_thrice = execute(&Sums.script(300), witness(100, 100, 100), None, Rules::Policy);
//! assert!(hundred_thrice.succeeded());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod asm;
pub mod dataflow;
mod effect;
pub mod expression;
mod fragment;
pub mod gadgets;
mod instructions;
pub mod interpreter;
pub mod limits;
mod macros;
mod number;
pub mod opcodes;
pub mod taptree;
pub mod words;
mod writer;

pub use self::effect::{Analysis, EffectError, analyze};
pub use self::fragment::{Fragment, StackEffect};
pub use self::instructions::{Instruction, Instructions, Truncated, count_opcodes, instructions};
pub use self::number::{decode_number, encode_number};
pub use self::writer::{Pushable, ScriptWriter};
