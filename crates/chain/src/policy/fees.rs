//! What a transaction must pay.

use bitcoin::{Amount, FeeRate, Transaction};

use super::{
    INCREMENTAL_RELAY_FEE_SAT_PER_KVB, MIN_RELAY_FEE_SAT_PER_KVB, Violation, dust_outputs,
};

/// Returns the least feerate that relays.
pub fn min_relay_feerate() -> FeeRate {
    FeeRate::from_sat_per_kwu(MIN_RELAY_FEE_SAT_PER_KVB.div_ceil(4))
}

/// Calculates the least fee that relays, for a transaction or package of this many virtual bytes.
// Bitcoin Core, src/policy/feerate.cpp: CFeeRate::GetFee (rounds up)
pub fn min_relay_fee(vsize_vb: u64) -> Amount {
    Amount::from_sat(
        vsize_vb
            .saturating_mul(MIN_RELAY_FEE_SAT_PER_KVB)
            .div_ceil(1000),
    )
}

/// Calculates by how much a replacement of this many virtual bytes must pay more than what it replaces.
// Bitcoin Core, src/policy/rbf.cpp: PaysForRBF
pub fn incremental_relay_fee(vsize_vb: u64) -> Amount {
    Amount::from_sat(
        vsize_vb
            .saturating_mul(INCREMENTAL_RELAY_FEE_SAT_PER_KVB)
            .div_ceil(1000),
    )
}

/// Checks the fee of a transaction or package of this many virtual bytes.
///
/// # Errors
/// [`Violation::Fee`].
// Bitcoin Core, src/validation.cpp: MemPoolAccept::CheckFeeRate
pub fn check_fee(fee: Amount, vsize_vb: u64) -> Result<(), Violation> {
    let required = min_relay_fee(vsize_vb);
    if fee < required {
        return Err(Violation::Fee {
            fee_sat: fee.to_sat(),
            required_sat: required.to_sat(),
        });
    }
    Ok(())
}

/// Checks that a transaction with a dust output leaves nothing to miners. Returns the dust output.
///
/// # Errors
/// [`Violation::DustWithFee`].
// Bitcoin Core, src/policy/ephemeral_policy.cpp: PreCheckEphemeralTx
pub fn ephemeral_dust(transaction: &Transaction, fee: Amount) -> Result<Option<usize>, Violation> {
    match dust_outputs(transaction).first() {
        Some(&output_index) if fee != Amount::ZERO => Err(Violation::DustWithFee {
            output_index,
            fee_sat: fee.to_sat(),
        }),
        first => Ok(first.copied()),
    }
}
