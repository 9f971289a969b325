//! Absolute and relative lock times, for the next block.

use bitcoin::absolute::LockTime;
use bitcoin::{Sequence, Transaction, relative};

use super::Violation;

/// Where the output that an input spends was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputConfirmation {
    /// Height of its block; that of the next block while it is unconfirmed.
    pub height: u32,
    /// Median time past, in seconds, of the block before.
    pub median_time_past: u32,
}

/// Checks `nLockTime` for the next block.
///
/// # Errors
/// [`Violation::NotFinal`].
// Bitcoin Core, src/consensus/tx_verify.cpp: IsFinalTx; BIP-0113
pub fn check_final(
    transaction: &Transaction,
    next_height: u32,
    median_time_past: u32,
) -> Result<(), Violation> {
    let reached = match transaction.lock_time {
        LockTime::Blocks(height) => height.to_consensus_u32() < next_height,
        LockTime::Seconds(time) => time.to_consensus_u32() < median_time_past,
    };
    let lock_time = transaction.lock_time.to_consensus_u32();
    let disabled = transaction
        .input
        .iter()
        .all(|input| input.sequence == Sequence::MAX);
    if lock_time == 0 || reached || disabled {
        Ok(())
    } else {
        Err(Violation::NotFinal { lock_time })
    }
}

/// Checks the relative locks of the inputs for the next block. `confirmations` has one item for each input in order.
///
/// # Errors
/// [`Violation::SequenceHeight`] or [`Violation::SequenceTime`], for the first input that is locked.
// Bitcoin Core, src/consensus/tx_verify.cpp: CalculateSequenceLocks, EvaluateSequenceLocks; BIP-0068
pub fn check_sequence_locks(
    transaction: &Transaction,
    confirmations: &[InputConfirmation],
    next_height: u32,
    median_time_past: u32,
) -> Result<(), Violation> {
    if transaction.version.0 < 2 {
        return Ok(());
    }
    for (input_index, (input, confirmation)) in
        transaction.input.iter().zip(confirmations).enumerate()
    {
        match input.sequence.to_relative_lock_time() {
            None => {}
            Some(relative::LockTime::Blocks(blocks)) => {
                let height = confirmation.height.saturating_add(blocks.value().into());
                if height > next_height {
                    return Err(Violation::SequenceHeight {
                        input_index,
                        height,
                        next_height,
                    });
                }
            }
            Some(relative::LockTime::Time(time)) => {
                let unlocked =
                    u64::from(confirmation.median_time_past) + u64::from(time.value()) * 512;
                if unlocked > u64::from(median_time_past) {
                    return Err(Violation::SequenceTime {
                        input_index,
                        time: unlocked,
                        median_time_past,
                    });
                }
            }
        }
    }
    Ok(())
}
