//! Lints on outputs and on what spends them: timeout twins, internal keys, timelocks.

use std::collections::BTreeSet;

use bitcoin::opcodes::all::OP_CSV;
use bitcoin::relative::LockTime;
use bitcoin::taproot::TapNodeHash;
use bitcoin::{OutPoint, Script, ScriptBuf, Sequence};
use tapcourt_script::{decode_number, instructions};

use super::Finding;
use crate::graph::Graph;
use crate::keys::{SECP, internal_key};
use crate::transactions::{OutputKind, OutputRef, Presigned, PresignedInput, TransactionKind};

pub(super) fn check(graph: &Graph, findings: &mut Vec<Finding>) {
    let kinds = graph.presigned().iter().map(|presigned| presigned.kind);
    for kind in std::iter::once(TransactionKind::Contract).chain(kinds) {
        check_outputs(graph, kind, findings);
    }
    for presigned in graph.presigned() {
        for vin in 0..presigned.inputs.len() {
            check_input(graph, presigned, vin, findings);
        }
    }
}

/// Says whether an output waits for a move, rather than being somebody's.
fn waits(kind: OutputKind) -> bool {
    match kind {
        OutputKind::Pot | OutputKind::Bond | OutputKind::Connector(_) | OutputKind::Outcome => true,
        OutputKind::Paid(_) | OutputKind::Change(..) | OutputKind::Anchor => false,
    }
}

fn check_outputs(graph: &Graph, transaction: TransactionKind, findings: &mut Vec<Finding>) {
    let (tx, outputs) = graph
        .outputs(transaction)
        .expect("the kinds are the graph's own");
    let expected = internal_key(graph.terms().contract_id());
    for (vout, output) in outputs
        .iter()
        .enumerate()
        .filter(|(_, output)| waits(output.kind))
    {
        let reference = OutputRef {
            transaction,
            vout: vout as u32,
        }; // cast ok, a transaction has < 2^32 outputs
        let script = output.taproot.map(|(key, root)| {
            if key != expected {
                findings.push(Finding::InternalKey {
                    output: reference,
                    got: key,
                    expected,
                });
            }
            ScriptBuf::new_p2tr(&SECP, key, Some(root))
        });
        if script.as_ref() != tx.output.get(vout).map(|output| &output.script_pubkey) {
            findings.push(Finding::NotTaproot {
                output: reference,
                kind: output.kind,
            });
        }
        let root = output.taproot.map(|(_, root)| root);
        if output.kind != OutputKind::Outcome && root != root_of_spenders(graph, reference) {
            findings.push(Finding::HiddenLeaf {
                output: reference,
                kind: output.kind,
            });
        }
        if !graph
            .spenders(reference)
            .any(|spender| spender.timelock().is_some())
        {
            findings.push(Finding::NoTimeoutTwin {
                output: reference,
                kind: output.kind,
            });
        }
    }
}

/// Calculates the root of the tree that has the leaves by which presigned transactions spend an output, and no other. `None` when they
/// are not one leaf or two.
fn root_of_spenders(graph: &Graph, output: OutputRef) -> Option<TapNodeHash> {
    let inputs = graph.spenders(output).flat_map(|spender| &spender.inputs);
    let leaves = inputs.filter(|input| input.source == output);
    let leaves: BTreeSet<TapNodeHash> = leaves
        .map(|input| TapNodeHash::from(input.leaf_hash()))
        .collect();
    match Vec::from_iter(leaves)[..] {
        [only] => Some(only),
        [one, other] => Some(TapNodeHash::from_node_hashes(one, other)),
        _ => None,
    }
}

fn check_input(graph: &Graph, presigned: &Presigned, vin: usize, findings: &mut Vec<Finding>) {
    let (transaction, input) = (presigned.kind, &presigned.inputs[vin]);
    let tx_input = presigned.transaction.input.get(vin);
    if !tx_input.is_some_and(|tx_input| spends_its_source(graph, input, tx_input.previous_output)) {
        findings.push(Finding::ForeignInput { transaction, vin });
    }
    let leaf_blocks = csv_blocks(&input.script);
    let sequence_blocks = tx_input.and_then(|tx_input| sequence_blocks(tx_input.sequence));
    let agreed_blocks = agreed_blocks(graph, transaction, input);
    if leaf_blocks != sequence_blocks || leaf_blocks != agreed_blocks {
        findings.push(Finding::Timelock {
            transaction,
            vin,
            leaf_blocks,
            sequence_blocks,
            agreed_blocks,
        });
    }
}

/// Checks outpoint, value and script against the output that the input names, and the control block against the script.
fn spends_its_source(graph: &Graph, input: &PresignedInput, outpoint: OutPoint) -> bool {
    let Some((source, outputs)) = graph.outputs(input.source.transaction) else {
        return false;
    };
    let Some(output) = source.output.get(input.source.vout as usize) else {
        return false;
    };
    let Some((key, _)) = outputs
        .get(input.source.vout as usize)
        .and_then(|output| output.taproot)
    else {
        return false;
    };
    let Some(program) = output
        .script_pubkey
        .as_bytes()
        .get(2..)
        .filter(|_| output.script_pubkey.is_p2tr())
    else {
        return false;
    };
    let Ok(output_key) = bitcoin::XOnlyPublicKey::from_slice(program) else {
        return false;
    };
    outpoint
        == OutPoint {
            txid: source.compute_txid(),
            vout: input.source.vout,
        }
        && input.prevout == *output
        && input.control_block.internal_key == key
        && input
            .control_block
            .verify_taproot_commitment(&*SECP, output_key, &input.script)
}

/// Returns the relative timelock in blocks that a leaf asks for: a number pushed just before `OP_CSV`.
fn csv_blocks(script: &Script) -> Option<u16> {
    let mut number = None;
    for instruction in instructions(script).map_while(Result::ok) {
        if instruction.opcode == OP_CSV {
            return number.and_then(|number: i64| u16::try_from(number).ok());
        }
        number = match instruction.opcode.to_u8() {
            code @ 0x51..=0x60 => Some(i64::from(code) - 0x50),
            _ => decode_number(instruction.data),
        };
    }
    None
}

fn sequence_blocks(sequence: Sequence) -> Option<u16> {
    match sequence.to_relative_lock_time() {
        Some(LockTime::Blocks(height)) => Some(height.value()),
        _ => None,
    }
}

/// Returns the delay that the terms give an input: none for a move, Δ or the expiry for what may follow without it.
fn agreed_blocks(
    graph: &Graph,
    transaction: TransactionKind,
    input: &PresignedInput,
) -> Option<u16> {
    use TransactionKind as Kind;

    let parameters = &graph.terms().parameters;
    let is_bond = graph.output(Kind::Contract, OutputKind::Bond) == Some(input.source);
    let timelock = match transaction {
        Kind::Contract
        | Kind::Kickoff(_)
        | Kind::Challenge
        | Kind::Assert(..)
        | Kind::Select(..)
        | Kind::Disprove(_) => return None,
        _ if is_bond => return None,
        Kind::Expire => parameters.expiry,
        Kind::KickoffTimeout(_)
        | Kind::Payout
        | Kind::AssertTimeout(..)
        | Kind::SelectTimeout(..)
        | Kind::PayoutDisputed(_) => parameters.delta,
    };
    Some(timelock.to_blocks())
}
