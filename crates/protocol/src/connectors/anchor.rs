//! The pay-to-anchor output that lets anybody add fees to a presigned transaction.

use bitcoin::{Amount, ScriptBuf, TxOut};
use tapcourt_script::script;

/// The script of a pay-to-anchor output: `OP_1 <4e73>`, spendable by anybody with an empty witness.
///
/// <https://github.com/bitcoin/bitcoin/blob/v29.0/src/script/script.cpp#L207>
pub fn anchor_script() -> ScriptBuf {
    script! { OP_1 { [0x4e_u8, 0x73] } }
}

/// The anchor: ephemeral dust of value zero, so its transaction must pay no fee and relays only with a child that spends it.
pub fn anchor_output() -> TxOut {
    TxOut {
        value: Amount::ZERO,
        script_pubkey: anchor_script(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_is_the_one_core_knows() {
        assert_eq!(anchor_script().as_bytes(), &[0x51, 0x02, 0x4e, 0x73]);
        assert!(anchor_script().is_witness_program());
    }
}
