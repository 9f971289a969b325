//! Whole taproot spends: BIP-0341's verification of an input.

use bitcoin::hashes::Hash;
use bitcoin::key::XOnlyPublicKey;
use bitcoin::sighash::SighashCache;
use bitcoin::taproot::TapLeafHash;
use bitcoin::{Script, Transaction, TxOut};

use super::checks::{SECP, check_signature, validation_weight_wu};
use super::{Execution, Failure, FailureReason, Rules, TxContext, execute};
use crate::limits::{
    ANNEX_TAG, TAPROOT_CONTROL_BASE_SIZE, TAPROOT_CONTROL_MAX_SIZE, TAPROOT_CONTROL_NODE_SIZE,
    TAPROOT_LEAF_MASK, TAPROOT_LEAF_TAPSCRIPT,
};

/// Why an input does not spend its taproot output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpendError {
    /// The transaction has no such input.
    #[error("no input {index}: the transaction has {inputs}")]
    NoSuchInput {
        /// The index asked for.
        index: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// There is not one spent output for each input.
    #[error("{prevouts} spent outputs for {inputs} inputs")]
    PrevoutCount {
        /// Outputs given.
        prevouts: usize,
        /// Inputs of the transaction.
        inputs: usize,
    },
    /// The spent output is not a taproot output.
    #[error("the output spent is not P2TR")]
    NotTaproot,
    /// A native segregated witness spend must have an empty `scriptSig`.
    #[error("the scriptSig has {bytes} bytes, must be empty")]
    WitnessMalleated {
        /// Its length.
        bytes: usize,
    },
    /// The witness is empty.
    #[error("the witness is empty")]
    WitnessEmpty,
    /// A script path was asked for but the witness takes the key path, or the reverse.
    #[error("the witness takes the {0} path")]
    OtherPath(&'static str),
    /// An annex is not relayed (policy).
    #[error("the witness has an annex, which is not relayed")]
    Annex,
    /// The control block does not have 33 + 32·m bytes with m ≤ 128.
    #[error("control block of {bytes} bytes")]
    ControlSize {
        /// Its length.
        bytes: usize,
    },
    /// Control block and script do not lead to the output key.
    #[error("script and control block do not match the output key")]
    ProgramMismatch,
    /// A leaf version reserved for upgrades (policy; by consensus it succeeds).
    #[error("leaf version {version:#04x} is discouraged: reserved for upgrades")]
    DiscouragedLeafVersion {
        /// The version.
        version: u8,
    },
    /// The key path signature is not valid.
    #[error("key path: {0}")]
    KeyPath(FailureReason),
    /// The leaf failed.
    #[error("leaf: {}", .0.result.as_ref().err().map_or_else(String::new, Failure::to_string))]
    Leaf(Box<Execution>),
}

/// The parts of a taproot input's witness.
enum Path<'a> {
    Key {
        signature: &'a [u8],
    },
    Script {
        stack: Vec<Vec<u8>>,
        script: &'a Script,
        control: &'a [u8],
    },
}

struct Input<'a> {
    program: [u8; 32],
    annex: Option<&'a [u8]>,
    path: Path<'a>,
    witness_bytes: usize,
}

/// Verifies that an input spends its taproot output, by key or by script, as Bitcoin Core's `VerifyScript` would. A
/// script path spend returns the leaf's execution; leaves of unknown version succeed without one.
///
/// `prevouts` are the outputs spent by all inputs, in order.
///
/// # Errors
/// Names the rule broken; where the leaf failed, with its whole execution.
pub fn verify_input(
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    rules: Rules,
) -> Result<Option<Execution>, SpendError> {
    let input = read_input(tx, input_index, prevouts, rules)?;
    match &input.path {
        Path::Key { signature } => {
            let mut cache = SighashCache::new(tx);
            check_signature(
                &mut cache,
                input_index,
                prevouts,
                input.annex,
                None,
                signature,
                &input.program,
            )
            .map_err(SpendError::KeyPath)?;
            Ok(None)
        }
        Path::Script { .. } => run_script_path(tx, input_index, prevouts, rules, input),
    }
}

/// Verifies a key path spend.
///
/// # Errors
/// As [`verify_input`]; also if the witness takes the script path.
pub fn verify_key_path(
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    rules: Rules,
) -> Result<(), SpendError> {
    match read_input(tx, input_index, prevouts, rules)?.path {
        Path::Key { .. } => verify_input(tx, input_index, prevouts, rules).map(|_| ()),
        Path::Script { .. } => Err(SpendError::OtherPath("script")),
    }
}

/// Verifies a script path spend of a tapscript leaf and returns its execution.
///
/// # Errors
/// As [`verify_input`]; also if the witness takes the key path, or the leaf is not of version 0xc0.
pub fn verify_script_path(
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    rules: Rules,
) -> Result<Execution, SpendError> {
    let input = read_input(tx, input_index, prevouts, rules)?;
    match input.path {
        Path::Key { .. } => Err(SpendError::OtherPath("key")),
        Path::Script { control, .. } => {
            let version = control.first().map_or(0, |byte| byte & TAPROOT_LEAF_MASK);
            run_script_path(tx, input_index, prevouts, rules, input)?
                .ok_or(SpendError::DiscouragedLeafVersion { version })
        }
    }
}

fn read_input<'a>(
    tx: &'a Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    rules: Rules,
) -> Result<Input<'a>, SpendError> {
    let inputs = tx.input.len();
    if prevouts.len() != inputs {
        return Err(SpendError::PrevoutCount {
            prevouts: prevouts.len(),
            inputs,
        });
    }
    let input = tx.input.get(input_index).ok_or(SpendError::NoSuchInput {
        index: input_index,
        inputs,
    })?;
    let script_pubkey = &prevouts[input_index].script_pubkey;
    let program = match script_pubkey.as_bytes() {
        [0x51, 0x20, program @ ..] => {
            <[u8; 32]>::try_from(program).map_err(|_| SpendError::NotTaproot)?
        }
        _ => return Err(SpendError::NotTaproot),
    };
    if !input.script_sig.is_empty() {
        return Err(SpendError::WitnessMalleated {
            bytes: input.script_sig.len(),
        });
    }
    let mut items: Vec<&[u8]> = input.witness.iter().collect();
    let annex = match items.as_slice() {
        [_, .., last] if last.first() == Some(&ANNEX_TAG) => items.pop(),
        _ => None,
    };
    if annex.is_some() && rules == Rules::Policy {
        return Err(SpendError::Annex);
    }
    let path = match items.as_slice() {
        [] => return Err(SpendError::WitnessEmpty),
        [signature] => Path::Key { signature },
        [stack @ .., script, control] => Path::Script {
            stack: stack.iter().map(|item| item.to_vec()).collect(),
            script: Script::from_bytes(script),
            control,
        },
    };
    Ok(Input {
        program,
        annex,
        path,
        witness_bytes: input.witness.size(),
    })
}

fn run_script_path(
    tx: &Transaction,
    input_index: usize,
    prevouts: &[TxOut],
    rules: Rules,
    input: Input<'_>,
) -> Result<Option<Execution>, SpendError> {
    let Path::Script {
        stack,
        script,
        control,
    } = input.path
    else {
        return Err(SpendError::OtherPath("key"));
    };
    let bytes = control.len();
    if !(TAPROOT_CONTROL_BASE_SIZE..=TAPROOT_CONTROL_MAX_SIZE).contains(&bytes)
        || !(bytes - TAPROOT_CONTROL_BASE_SIZE).is_multiple_of(TAPROOT_CONTROL_NODE_SIZE)
    {
        return Err(SpendError::ControlSize { bytes });
    }
    let version = control[0] & TAPROOT_LEAF_MASK;
    let leaf_hash = leaf_hash(script, version);
    if !commits_to_leaf(control, &input.program, leaf_hash) {
        return Err(SpendError::ProgramMismatch);
    }
    if version != TAPROOT_LEAF_TAPSCRIPT {
        return match rules {
            Rules::Consensus => Ok(None),
            Rules::Policy => Err(SpendError::DiscouragedLeafVersion { version }),
        };
    }
    let context = TxContext {
        tx,
        input_index,
        prevouts,
        leaf_hash,
        annex: input.annex,
        validation_weight_wu: Some(validation_weight_wu(input.witness_bytes)),
    };
    let execution = execute(script, stack, Some(&context), rules);
    if execution.succeeded() {
        Ok(Some(execution))
    } else {
        Err(SpendError::Leaf(Box::new(execution)))
    }
}

/// BIP-0341's leaf hash, for any version byte.
fn leaf_hash(script: &Script, version: u8) -> TapLeafHash {
    use bitcoin::consensus::Encodable;
    let mut engine = TapLeafHash::engine();
    version
        .consensus_encode(&mut engine)
        .expect("hash engines do not fail");
    script
        .consensus_encode(&mut engine)
        .expect("hash engines do not fail");
    TapLeafHash::from_engine(engine)
}

/// Whether the control block leads from the leaf to the output key: BIP-0341's `VerifyTaprootCommitment`.
fn commits_to_leaf(control: &[u8], program: &[u8; 32], leaf_hash: TapLeafHash) -> bool {
    use bitcoin::taproot::{TapNodeHash, TapTweakHash};

    let Ok(internal_key) = XOnlyPublicKey::from_slice(&control[1..TAPROOT_CONTROL_BASE_SIZE])
    else {
        return false;
    };
    let Ok(output_key) = XOnlyPublicKey::from_slice(program) else {
        return false;
    };
    let root = control[TAPROOT_CONTROL_BASE_SIZE..]
        .chunks_exact(TAPROOT_CONTROL_NODE_SIZE)
        .fold(TapNodeHash::from(leaf_hash), |node, sibling| {
            let sibling = <[u8; 32]>::try_from(sibling).expect("chunks have 32 bytes");
            TapNodeHash::from_node_hashes(node, TapNodeHash::assume_hidden(sibling))
        });
    let parity = if control[0] & 1 == 1 {
        bitcoin::secp256k1::Parity::Odd
    } else {
        bitcoin::secp256k1::Parity::Even
    };
    let tweak = TapTweakHash::from_key_and_tweak(internal_key, Some(root)).to_scalar();
    internal_key.tweak_add_check(&SECP, &output_key, parity, tweak)
}
