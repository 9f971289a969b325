//! What one transaction may look like: version, size, scripts, dust, witnesses.

use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::taproot::{LeafVersion, TAPROOT_ANNEX_PREFIX};
use bitcoin::{Amount, Script, ScriptBuf, Transaction, TxOut, VarInt, Witness, WitnessVersion};
use tapcourt_script::interpreter::{Rules, verify_input};

use super::{
    DUST_RELAY_FEE_SAT_PER_KVB, MAX_DATA_CARRIER_BYTES, MAX_DUST_OUTPUTS,
    MAX_STANDARD_P2WSH_ITEM_BYTES, MAX_STANDARD_P2WSH_ITEMS, MAX_STANDARD_P2WSH_SCRIPT_BYTES,
    MAX_STANDARD_SCRIPTSIG_BYTES, MAX_STANDARD_TAPSCRIPT_ITEM_BYTES, MAX_STANDARD_TX_WEIGHT_WU,
    MIN_STANDARD_TX_NONWITNESS_BYTES, TRUC_VERSION, Violation,
};

/// Longest script that Core considers spendable, in bytes.
// Bitcoin Core, src/script/script.h: MAX_SCRIPT_SIZE
const MAX_SCRIPT_BYTES: usize = 10_000;

/// Makes a pay-to-anchor output (`OP_1 <4e73>`), which anyone can spend without a witness.
pub fn anchor_output(value: Amount) -> TxOut {
    TxOut {
        value,
        script_pubkey: ScriptBuf::new_p2a(),
    }
}

/// Says whether a script is pay-to-anchor.
// Bitcoin Core, src/script/script.cpp: CScript::IsPayToAnchor
pub fn is_anchor(script_pubkey: &Script) -> bool {
    script_pubkey.as_bytes() == [0x51, 0x02, 0x4e, 0x73]
}

/// Says whether outputs with this script relay.
// Bitcoin Core, src/policy/policy.cpp: IsStandard, and src/script/solver.cpp: Solver
pub fn is_standard_output(script: &Script) -> bool {
    let up_to_three_keys = || {
        // The number of keys is the opcode before the last, OP_CHECKMULTISIG; OP_1 is 0x51.
        let bytes = script.as_bytes();
        script.is_multisig() && bytes.len() >= 2 && (0x51..=0x53).contains(&bytes[bytes.len() - 2])
    };
    script.is_witness_program()
        || script.is_p2pkh()
        || script.is_p2sh()
        || script.is_p2pk()
        || is_data_carrier(script)
        || up_to_three_keys()
}

/// An `OP_RETURN` followed by nothing but pushes.
fn is_data_carrier(script: &Script) -> bool {
    let bytes = script.as_bytes();
    bytes.first() == Some(&OP_RETURN.to_u8()) && Script::from_bytes(&bytes[1..]).is_push_only()
}

/// Calculates the least value of an output that is not dust.
// Bitcoin Core, src/policy/policy.cpp: GetDustThreshold
pub fn dust_threshold(script: &Script) -> Amount {
    if script.as_bytes().first() == Some(&OP_RETURN.to_u8()) || script.len() > MAX_SCRIPT_BYTES {
        return Amount::ZERO;
    }
    let output_bytes = 8 + VarInt::from(script.len()).size() + script.len();
    // Outpoint, scriptSig length and sequence, and a signature with its key: discounted by 4 if it is witness.
    let input_bytes = 32
        + 4
        + 1
        + 4
        + if script.is_witness_program() {
            107 / 4
        } else {
            107
        };
    let bytes = (output_bytes + input_bytes) as u64; // cast ok, both are small
    Amount::from_sat((bytes * DUST_RELAY_FEE_SAT_PER_KVB).div_ceil(1000))
}

/// Lists the outputs that are dust.
// Bitcoin Core, src/policy/policy.cpp: GetDust
pub fn dust_outputs(transaction: &Transaction) -> Vec<usize> {
    let outputs = transaction.output.iter().enumerate();
    outputs
        .filter(|(_, output)| output.value < dust_threshold(&output.script_pubkey))
        .map(|(index, _)| index)
        .collect()
}

/// Checks what depends on nothing but the transaction: version, weight, `scriptSig`s, output scripts, dust count, size.
///
/// # Errors
/// The first [`Violation`], in Core's order.
// Bitcoin Core, src/policy/policy.cpp: IsStandardTx
pub fn check_standard(transaction: &Transaction) -> Result<(), Violation> {
    let version = transaction.version.0;
    if !(1..=TRUC_VERSION).contains(&version) {
        return Err(Violation::Version { version });
    }
    let weight_wu = transaction.weight().to_wu();
    if weight_wu > MAX_STANDARD_TX_WEIGHT_WU {
        return Err(Violation::Weight {
            weight_wu,
            limit_wu: MAX_STANDARD_TX_WEIGHT_WU,
        });
    }
    for (input_index, input) in transaction.input.iter().enumerate() {
        let bytes = input.script_sig.len();
        if bytes > MAX_STANDARD_SCRIPTSIG_BYTES {
            return Err(Violation::ScriptSigSize {
                input_index,
                bytes,
                limit: MAX_STANDARD_SCRIPTSIG_BYTES,
            });
        }
        if !input.script_sig.is_push_only() {
            return Err(Violation::ScriptSigNotPushOnly { input_index });
        }
    }
    let mut data_bytes = 0;
    for (output_index, output) in transaction.output.iter().enumerate() {
        if !is_standard_output(&output.script_pubkey) {
            return Err(Violation::OutputScript { output_index });
        }
        if is_data_carrier(&output.script_pubkey) {
            data_bytes += output.script_pubkey.len();
            if data_bytes > MAX_DATA_CARRIER_BYTES {
                return Err(Violation::DataCarrier {
                    bytes: data_bytes,
                    limit: MAX_DATA_CARRIER_BYTES,
                });
            }
        }
    }
    if let Some(&output_index) = dust_outputs(transaction).get(MAX_DUST_OUTPUTS) {
        let output = &transaction.output[output_index];
        return Err(Violation::Dust {
            output_index,
            value_sat: output.value.to_sat(),
            threshold_sat: dust_threshold(&output.script_pubkey).to_sat(),
        });
    }
    let bytes = transaction.base_size();
    if bytes < MIN_STANDARD_TX_NONWITNESS_BYTES {
        return Err(Violation::TooSmall {
            bytes,
            limit: MIN_STANDARD_TX_NONWITNESS_BYTES,
        });
    }
    Ok(())
}

/// Checks the spent scripts and the witnesses. `prevouts` are the spent outputs, one for each input in order.
///
/// # Errors
/// The first [`Violation`]; also if `prevouts` are fewer than the inputs.
// Bitcoin Core, src/policy/policy.cpp: ValidateInputsStandardness, IsWitnessStandard
pub fn check_inputs(transaction: &Transaction, prevouts: &[TxOut]) -> Result<(), Violation> {
    for input_index in 0..transaction.input.len() {
        let known = prevouts.get(input_index).is_some_and(|prevout| {
            let script = &prevout.script_pubkey;
            let undefined = script.is_witness_program()
                && !(script.is_p2wpkh()
                    || script.is_p2wsh()
                    || script.is_p2tr()
                    || is_anchor(script));
            is_standard_output(script) && !undefined
        });
        if !known {
            return Err(Violation::InputScript { input_index });
        }
    }
    for (input_index, (input, prevout)) in transaction.input.iter().zip(prevouts).enumerate() {
        check_witness(input_index, &input.witness, &prevout.script_pubkey)?;
    }
    Ok(())
}

/// Checks taproot inputs under the script rules that are policy only: minimal pushes and numbers, nothing reserved for
/// upgrades. The caller has checked that the inputs are valid.
///
/// # Errors
/// [`Violation::ScriptRules`].
// Bitcoin Core, src/policy/policy.h: STANDARD_NOT_MANDATORY_VERIFY_FLAGS
pub fn check_script_rules(transaction: &Transaction, prevouts: &[TxOut]) -> Result<(), Violation> {
    for (input_index, prevout) in prevouts.iter().enumerate() {
        if prevout.script_pubkey.is_p2tr() {
            verify_input(transaction, input_index, prevouts, Rules::Policy).map_err(|error| {
                let reason = error.to_string();
                Violation::ScriptRules {
                    input_index,
                    reason,
                }
            })?;
        }
    }
    Ok(())
}

fn check_witness(input_index: usize, witness: &Witness, script: &Script) -> Result<(), Violation> {
    // P2SH-wrapped witness programs are not looked into: nothing here produces them.
    if witness.is_empty() || script.is_p2sh() {
        return Ok(());
    }
    if is_anchor(script) || !script.is_witness_program() {
        return Err(Violation::WitnessShape { input_index });
    }
    let items: Vec<&[u8]> = witness.iter().collect();
    if script.is_p2wsh() {
        let (script, items) = items.split_last().expect("not empty, checked above");
        if script.len() > MAX_STANDARD_P2WSH_SCRIPT_BYTES {
            let (bytes, limit) = (script.len(), MAX_STANDARD_P2WSH_SCRIPT_BYTES);
            return Err(Violation::WitnessItem {
                input_index,
                item_index: items.len(),
                bytes,
                limit,
            });
        }
        if items.len() > MAX_STANDARD_P2WSH_ITEMS {
            return Err(Violation::WitnessItems {
                input_index,
                items: items.len(),
                limit: MAX_STANDARD_P2WSH_ITEMS,
            });
        }
        return check_item_lengths(input_index, items, MAX_STANDARD_P2WSH_ITEM_BYTES);
    }
    if script.witness_version() == Some(WitnessVersion::V1) && script.is_p2tr() && items.len() >= 2
    {
        if items.last().and_then(|last| last.first()) == Some(&TAPROOT_ANNEX_PREFIX) {
            return Err(Violation::Annex { input_index });
        }
        let control_block = items[items.len() - 1];
        let Some(&first) = control_block.first() else {
            return Err(Violation::WitnessShape { input_index });
        };
        if first & 0xfe == LeafVersion::TapScript.to_consensus() {
            let arguments = &items[..items.len() - 2];
            return check_item_lengths(input_index, arguments, MAX_STANDARD_TAPSCRIPT_ITEM_BYTES);
        }
    }
    Ok(())
}

fn check_item_lengths(input_index: usize, items: &[&[u8]], limit: usize) -> Result<(), Violation> {
    match items.iter().position(|item| item.len() > limit) {
        Some(item_index) => Err(Violation::WitnessItem {
            input_index,
            item_index,
            bytes: items[item_index].len(),
            limit,
        }),
        None => Ok(()),
    }
}
