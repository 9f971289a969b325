//! From which block on a contract's transactions have to be looked for.

use bitcoin::OutPoint;
use tapcourt_chain::ChainView;
use tapcourt_prover::Store;
use tapcourt_verifier::Contract;

use crate::PartyError;

/// Blocks that a reorganisation does not go back: the start is so much earlier than it need be.
const MARGIN_BLOCKS: u32 = 100;

/// Finds a height from which on all blocks that can have a transaction of the contract follow, and remembers it in the store.
///
/// It is the first of these that is known: what the store remembers; a little before the block of the contract, while its first
/// output is unspent; a little before the tip, while a coin that the contract spends is unspent, since then it is not confirmed.
/// Otherwise the contract is over or being played: then blocks are read backwards until one has it, for as many blocks as a
/// contract can last.
///
/// # Errors
///
/// [`PartyError::UnknownContract`] if no block has it: the node is not the right one. And when node or store fail.
pub fn find_start(
    chain: &dyn ChainView,
    contract: &Contract<'_>,
    store: &Store,
) -> Result<u32, PartyError> {
    if let Some(height) = store.start_height()? {
        return Ok(height);
    }
    let height = search(chain, contract)?.saturating_sub(MARGIN_BLOCKS);
    store.save_start_height(height)?;
    Ok(height)
}

fn search(chain: &dyn ChainView, contract: &Contract<'_>) -> Result<u32, PartyError> {
    let tip = chain.tip()?.height;
    let funding = contract.graph().contract();
    let txid = funding.txid();
    let first = chain.utxo(OutPoint { txid, vout: 0 })?;
    if let Some(height) = first.and_then(|output| output.height) {
        return Ok(height);
    }
    for input in &funding.transaction.input {
        if chain.utxo(input.previous_output)?.is_some() {
            return Ok(tip);
        }
    }
    for height in (tip.saturating_sub(longest(contract))..=tip).rev() {
        let block = chain.block(height)?;
        let has_it = block.is_some_and(|block| {
            let mut txids = block.txdata.iter().map(bitcoin::Transaction::compute_txid);
            txids.any(|other| other == txid)
        });
        if has_it {
            return Ok(height);
        }
    }
    // In the mempool it spends the coins, too.
    match chain.transaction(txid)? {
        Some(_) => Ok(tip),
        None => Err(PartyError::UnknownContract { contract: txid }),
    }
}

/// Counts the blocks after which whoever looks for a contract gives up: all moves as late as can be, and two weeks.
fn longest(contract: &Contract<'_>) -> u32 {
    const TWO_WEEKS_BLOCKS: u32 = 2_016;
    let terms = contract.graph().terms();
    let moves = u32::try_from(terms.layout.all_kinds().count()).unwrap_or(u32::MAX);
    let delta = u32::from(terms.parameters.delta.to_blocks());
    let expiry = u32::from(terms.parameters.expiry.to_blocks());
    let play = moves.saturating_add(2).saturating_mul(delta);
    expiry.saturating_add(play).saturating_add(TWO_WEEKS_BLOCKS)
}
