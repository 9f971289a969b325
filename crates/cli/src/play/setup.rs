//! The setup of a contract, from message to message.

use bitcoin::{Amount, FeeRate, TxOut, Witness};
use tapcourt_chain::Wallet;
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, FundingWitnesses, Message, Offer, ProverPartials,
};
use tapcourt_protocol::transactions::contract::CONNECTOR_VALUE;
use tapcourt_protocol::{
    FundingInput, Graph, InstanceId, Parameters, Party, PresignedGraph, Role, complete,
};
use tapcourt_prover::{KeyContext, Store, presign};
use tapcourt_verifier::{Contract, Program};

use crate::error::{CliError, CliResult};
use crate::play::secrets::Secrets;
use crate::progress::Progress;

/// Sizes of the contract's parts in vB: its fixed part, a P2TR input with a key-path witness, a P2TR output.
const FIXED_VB: u64 = 11;
const INPUT_VB: u64 = 58;
const OUTPUT_VB: u64 = 43;

/// Says that a contract's transactions are built and checked, and its signatures made: of a large program that takes seconds.
pub(crate) fn checking() -> Progress {
    Progress::spinner("building and checking the contract's transactions")
}

/// Works out what a party brings. `due` is what it owes the contract, besides its share of the fee: for its own inputs and
/// change, and for `shared_vb` more.
fn party(
    secrets: &Secrets,
    coins: Vec<FundingInput>,
    due: Amount,
    shared_vb: u64,
    feerate: FeeRate,
) -> CliResult<Party> {
    let wallet = secrets.wallet()?;
    let available: Amount = coins.iter().map(|coin| coin.prevout.value).sum();
    let fee = |outputs: u64| {
        let inputs = coins.len() as u64; // cast ok, usize is at most 64 bits
        feerate
            .fee_vb(shared_vb + INPUT_VB * inputs + OUTPUT_VB * outputs)
            .ok_or_else(|| CliError::new("the feerate is out of range"))
    };
    let required = due + fee(0)?;
    if available < required {
        return Err(CliError::new(format!(
            "the coins come to {} sat, the contract needs {} sat of this party",
            available.to_sat(),
            required.to_sat()
        )));
    }
    let script_pubkey = wallet.script_pubkey();
    let change = available
        .checked_sub(due + fee(1)?)
        .filter(|change| *change >= script_pubkey.minimal_non_dust())
        .map(|value| TxOut {
            value,
            script_pubkey: script_pubkey.clone(),
        });
    Ok(Party {
        key: secrets.signing_key()?.public_key(),
        payout_script: script_pubkey,
        inputs: coins,
        change: change.into_iter().collect(),
    })
}

/// The prover's part of the fee besides its own coins: for the contract's fixed part and its connectors.
fn connectors_vb(program: &Program) -> u64 {
    FIXED_VB + OUTPUT_VB * (2 + further_connectors(program))
}

/// Connectors of the kickoff besides the pot.
fn further_connectors(program: &Program) -> u64 {
    let batches = program
        .layout()
        .claim
        .first()
        .map_or(1, |kickoff| kickoff.batches.len());
    batches as u64 - 1 // cast ok, usize is at most 64 bits; no move is empty
}

/// Returns what a party has to bring at least, its share of the fee for `inputs` coins included.
pub(crate) fn required(
    role: Role,
    program: &Program,
    parameters: &Parameters,
    inputs: u64,
    feerate: FeeRate,
) -> CliResult<Amount> {
    let (due, shared_vb) = share(role, program, parameters);
    let fee = feerate.fee_vb(shared_vb + INPUT_VB * inputs);
    Ok(due + fee.ok_or_else(|| CliError::new("the feerate is out of range"))?)
}

fn share(role: Role, program: &Program, parameters: &Parameters) -> (Amount, u64) {
    match role {
        Role::Prover => (
            parameters.prover_stake + CONNECTOR_VALUE * further_connectors(program),
            connectors_vb(program),
        ),
        Role::Challenger => (parameters.challenger_stake + parameters.bond, 0),
    }
}

/// The first message, by the prover.
pub(crate) fn offer(
    program: &Program,
    secrets: &Secrets,
    instance: InstanceId,
    parameters: Parameters,
    coins: Vec<FundingInput>,
    feerate: FeeRate,
) -> CliResult<Vec<u8>> {
    parameters.check()?;
    let (due, shared_vb) = share(Role::Prover, program, &parameters);
    let prover = party(secrets, coins, due, shared_vb, feerate)?;
    let keys = secrets.one_time_keys(program, KeyContext::prover(instance))?;
    let offer = Offer {
        parameters,
        program_digest: program.digest(),
        instance,
        prover,
        one_time_keys: keys.public_keys(),
    };
    Ok(offer.to_bytes(instance.as_bytes()))
}

/// The contract that an offer and a challenger's coins make, checked and linted before the challenger agrees to it.
pub(crate) fn draft(
    program: &Program,
    secrets: &Secrets,
    offer: &[u8],
    coins: Vec<FundingInput>,
    feerate: FeeRate,
) -> CliResult<Graph> {
    let offer = program.verify_offer(offer)?;
    let (due, shared_vb) = share(Role::Challenger, program, &offer.parameters);
    let challenger = party(secrets, coins, due, shared_vb, feerate)?;
    let keys = secrets.one_time_keys(program, KeyContext::challenger(&offer))?;
    let _progress = checking();
    Ok(program.graph(&offer, challenger, &keys.public_keys(), None)?)
}

/// The second message, by the challenger.
pub(crate) fn accept(
    graph: &Graph,
    secrets: &Secrets,
    store: &Store,
    fresh: [u8; 32],
) -> CliResult<Vec<u8>> {
    let acceptance = presign::accept(store, graph, &secrets.signing_key()?, fresh)?;
    Ok(acceptance.to_bytes(graph.id().as_bytes()))
}

/// The third message, by the prover, which checks the acceptance first.
pub(crate) fn answer(
    program: &Program,
    secrets: &Secrets,
    store: &Store,
    fresh: [u8; 32],
    offer: &[u8],
    acceptance: &[u8],
) -> CliResult<Vec<u8>> {
    let _progress = checking();
    let (graph, acceptance) = program.verify_graph(offer, acceptance)?;
    let key = secrets.signing_key()?;
    let answer = presign::answer(store, &graph, &key, fresh, &acceptance)?;
    Ok(answer.to_bytes(graph.id().as_bytes()))
}

/// The fourth message, by the challenger, and the finished signatures.
pub(crate) fn countersign(
    program: &Program,
    secrets: &Secrets,
    store: &Store,
    offer: &[u8],
    acceptance: &[u8],
    answer: &[u8],
) -> CliResult<(Vec<u8>, Vec<u8>)> {
    let _progress = checking();
    let (graph, _) = program.verify_graph(offer, acceptance)?;
    let answer: ProverPartials = parse(&graph, answer)?;
    let (presigned, partials) =
        presign::countersign(store, &graph, &secrets.signing_key()?, &answer)?;
    let id = graph.id();
    Ok((
        partials.to_bytes(id.as_bytes()),
        presigned.to_message().to_bytes(id.as_bytes()),
    ))
}

/// The finished signatures, by the prover, from all four messages.
pub(crate) fn finish(
    program: &Program,
    offer: &[u8],
    acceptance: &[u8],
    answer: &[u8],
    partials: &[u8],
) -> CliResult<Vec<u8>> {
    let _progress = checking();
    let (graph, acceptance): (Graph, Acceptance) = program.verify_graph(offer, acceptance)?;
    let answer: ProverPartials = parse(&graph, answer)?;
    let partials: ChallengerPartials = parse(&graph, partials)?;
    let presigned: PresignedGraph = complete(&graph, &acceptance, &answer, &partials)?;
    Ok(presigned.to_message().to_bytes(graph.id().as_bytes()))
}

/// A party's witnesses for its coins, which it sends when the setup is verified.
pub(crate) fn fund(contract: &Contract<'_>, role: Role, wallet: &Wallet) -> CliResult<Vec<u8>> {
    let funding = contract.graph().contract();
    let mut transaction = funding.transaction.clone();
    wallet.sign(&mut transaction, &funding.prevouts)?;
    let owned = transaction.input.iter().zip(&funding.owners);
    let witnesses: Vec<Witness> = owned
        .filter(|(_, owner)| **owner == role)
        .map(|(input, _)| input.witness.clone())
        .collect();
    if witnesses.iter().any(Witness::is_empty) {
        return Err(CliError::new(format!(
            "a coin of the {role} is not this party's to sign for"
        )));
    }
    let message = FundingWitnesses { role, witnesses };
    Ok(message.to_bytes(contract.graph().id().as_bytes()))
}

/// The funding transaction, from both parties' witnesses.
pub(crate) fn funding_transaction(
    contract: &Contract<'_>,
    prover: &[u8],
    challenger: &[u8],
) -> CliResult<bitcoin::Transaction> {
    let witnesses = |role: Role, bytes: &[u8]| {
        let message: FundingWitnesses = parse(contract.graph(), bytes)?;
        if message.role == role {
            Ok(message.witnesses)
        } else {
            Err(CliError::new(format!(
                "these are the {}'s funding witnesses, not the {role}'s",
                message.role
            )))
        }
    };
    let transaction = contract.graph().contract().finalise(
        &witnesses(Role::Prover, prover)?,
        &witnesses(Role::Challenger, challenger)?,
    )?;
    contract.verify_transaction(&transaction)?;
    Ok(transaction)
}

/// Parses a message that must be about this contract.
fn parse<M: Message>(graph: &Graph, bytes: &[u8]) -> CliResult<M> {
    let (id, message) = M::from_bytes(bytes)?;
    if id == graph.id().to_bytes() {
        Ok(message)
    } else {
        Err(CliError::new(format!(
            "the {} is about contract {}, not {}",
            M::NAME,
            hex::encode(id),
            graph.id()
        )))
    }
}
