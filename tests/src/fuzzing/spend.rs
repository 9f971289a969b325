//! Taproot spends from bytes.

use std::sync::LazyLock;

use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, HashEngine};
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::secp256k1::{All, Message, Secp256k1};
use bitcoin::sighash::{Annex, Prevouts, SighashCache};
use bitcoin::taproot::TapNodeHash;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TapLeafHash, TapSighashType, Transaction, TxIn, TxOut,
    Txid, VarInt, Witness,
};
use tapcourt_script::script;

/// A taproot script path spend as a fuzzer varies it. Zero bytes are the plain cases.
///
/// | bytes | meaning |
/// |---|---|
/// | 1 | the transaction: version, lock time, sequence |
/// | 1 | leaf version, exclusive or with 0xc0 |
/// | 1 | depth of the leaf |
/// | 1 | flags: bit 0 an annex, bit 1 a wrong control block, bit 2 witness items 250 times over |
/// | 1 | number of witness items |
/// | … | the items, bottom first: a length up to 0xfd and so many bytes; 0xfe, two bytes of length and so many bytes; 0xff for a signature of the script's key, a hash type, a position of `OP_CODESEPARATOR` with 0xff for none |
/// | … | the script |
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendInput {
    /// Selects version, lock time and sequence.
    pub context: u8,
    /// What the leaf version differs in from 0xc0.
    pub leaf_version: u8,
    /// Depth of the leaf in its tree; more than 128 is invalid.
    pub depth: u8,
    /// Annex, control block, number of items.
    pub flags: u8,
    /// The witness items, bottom first.
    pub items: Vec<WitnessItem>,
    /// The leaf.
    pub script: Vec<u8>,
}

/// An item of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WitnessItem {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A signature that is valid for [`SpendInput::keys`].
    Signature {
        /// The hash type, appended if it is not zero.
        hash_type: u8,
        /// Index of the last `OP_CODESEPARATOR` among the opcodes; 0xff for none.
        separator: u8,
    },
}

/// Made once: that takes longer than a signature.
static SECP: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

const ANNEX: &[u8] = &[0x50, 0xaa, 0xbb];
const REPETITIONS: usize = 250;

impl SpendInput {
    /// Reads the spend that any bytes stand for.
    pub fn decode(data: &[u8]) -> Self {
        let mut rest = data;
        let mut input = Self {
            context: byte(&mut rest),
            leaf_version: byte(&mut rest),
            depth: byte(&mut rest),
            flags: byte(&mut rest),
            ..Self::default()
        };
        let count = byte(&mut rest);
        for _ in 0..count {
            if rest.is_empty() {
                break;
            }
            let length = match byte(&mut rest) {
                0xff => {
                    input.items.push(WitnessItem::Signature {
                        hash_type: byte(&mut rest),
                        separator: byte(&mut rest),
                    });
                    continue;
                }
                0xfe => usize::from(u16::from_le_bytes([byte(&mut rest), byte(&mut rest)])),
                short => usize::from(short),
            };
            let (item, after) = rest.split_at(length.min(rest.len()));
            input.items.push(WitnessItem::Bytes(item.to_vec()));
            rest = after;
        }
        input.script = rest.to_vec();
        input
    }

    /// Writes the bytes that [`Self::decode`] reads.
    ///
    /// # Panics
    /// If there are more than 255 items, or one of more than 65,535 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let count = u8::try_from(self.items.len()).expect("there are at most 255 items");
        let mut data = vec![
            self.context,
            self.leaf_version,
            self.depth,
            self.flags,
            count,
        ];
        for item in &self.items {
            match item {
                WitnessItem::Bytes(bytes) => {
                    let length = u16::try_from(bytes.len()).expect("items are short");
                    match u8::try_from(length) {
                        Ok(short @ ..=0xfd) => data.push(short),
                        _ => {
                            data.push(0xfe);
                            data.extend(length.to_le_bytes());
                        }
                    }
                    data.extend(bytes);
                }
                WitnessItem::Signature {
                    hash_type,
                    separator,
                } => data.extend([0xff, *hash_type, *separator]),
            }
        }
        data.extend(&self.script);
        data
    }

    /// The key pair that signs; its public key is also the internal key.
    ///
    /// # Panics
    /// Never.
    pub fn keys() -> Keypair {
        Keypair::from_seckey_slice(&SECP, &[1; 32]).expect("a small number is a secret key")
    }

    /// The transaction that spends the leaf, and the output that it spends.
    ///
    /// # Panics
    /// Never: any input makes a transaction, if not a valid one.
    pub fn spend(&self) -> (Transaction, TxOut) {
        let keys = Self::keys();
        let internal_key = keys.x_only_public_key().0;
        let leaf_version = (self.leaf_version ^ 0xc0) & 0xfe;
        let leaf_hash = leaf_hash(leaf_version, &self.script);
        let path: Vec<TapNodeHash> = (0..self.depth)
            .map(|level| TapNodeHash::from_byte_array([level; 32]))
            .collect();
        let root = path
            .iter()
            .fold(TapNodeHash::from(leaf_hash), |node, &beside| {
                TapNodeHash::from_node_hashes(node, beside)
            });
        let (output_key, parity) = internal_key.tap_tweak(&SECP, Some(root));
        let prevout = TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey: script! { { 1 } { output_key.to_x_only_public_key() } },
        };
        let mut control = vec![leaf_version | parity.to_u8()];
        control.extend(internal_key.serialize());
        control.extend(path.iter().flat_map(|node| node.to_byte_array()));
        if self.flags & 2 != 0 {
            let last = control.len() - 1;
            control[last] ^= 1;
        }
        let annex = (self.flags & 1 != 0).then_some(ANNEX);

        let mut tx = self.unsigned();
        let items: Vec<Vec<u8>> = self
            .items
            .iter()
            .map(|item| match *item {
                WitnessItem::Bytes(ref bytes) => bytes.clone(),
                WitnessItem::Signature {
                    hash_type,
                    separator,
                } => {
                    let known = TapSighashType::from_consensus_u8(hash_type);
                    let separator = match separator {
                        0xff => u32::MAX,
                        position => position.into(),
                    };
                    let sighash = SighashCache::new(&tx)
                        .taproot_signature_hash(
                            0,
                            &Prevouts::All(std::slice::from_ref(&prevout)),
                            annex.map(|annex| Annex::new(annex).expect("it starts with 0x50")),
                            Some((leaf_hash, separator)),
                            known.unwrap_or(TapSighashType::Default),
                        )
                        .expect("the one input has its output");
                    let signature = SECP.sign_schnorr_no_aux_rand(&Message::from(sighash), &keys);
                    let mut signature = signature.as_ref().to_vec();
                    signature.extend((hash_type != 0).then_some(hash_type));
                    signature
                }
            })
            .collect();
        let repetitions = if self.flags & 4 == 0 { 1 } else { REPETITIONS };
        let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        let mut witness = Witness::from_slice(&items.repeat(repetitions));
        witness.push(&self.script);
        witness.push(control);
        if let Some(annex) = annex {
            witness.push(annex);
        }
        tx.input[0].witness = witness;
        (tx, prevout)
    }

    fn unsigned(&self) -> Transaction {
        let version = [2, 1, 3, -1][usize::from(self.context & 3)];
        let lock_time = [0, 100, 500_000_100, u32::MAX][usize::from(self.context >> 2 & 3)];
        let sequences = [
            0,
            10,
            0x40_000a,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fffe,
            0xffff_ffff,
        ];
        Transaction {
            version: Version(version),
            lock_time: LockTime::from_consensus(lock_time),
            input: vec![TxIn {
                previous_output: OutPoint::new(Txid::from_byte_array([7; 32]), 0),
                sequence: Sequence(sequences[usize::from(self.context >> 4 & 7)]),
                script_sig: ScriptBuf::new(),
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: Amount::from_sat(90_000),
                script_pubkey: script! { { 1 } { [2; 32] } },
            }],
        }
    }
}

/// The next byte; zero after the last.
fn byte(rest: &mut &[u8]) -> u8 {
    let Some((&first, after)) = rest.split_first() else {
        return 0;
    };
    *rest = after;
    first
}

/// BIP-0341's leaf hash, of any leaf version.
fn leaf_hash(version: u8, script: &[u8]) -> TapLeafHash {
    let mut engine = TapLeafHash::engine();
    engine.input(&[version]);
    engine.input(&bitcoin::consensus::serialize(&VarInt::from(script.len())));
    engine.input(script);
    TapLeafHash::from_engine(engine)
}

#[cfg(test)]
mod tests {
    use tapcourt_script::interpreter::{Rules, verify_input};

    use super::*;

    #[test]
    fn encoding_survives_decoding() {
        let input = SpendInput {
            context: 1,
            leaf_version: 2,
            depth: 3,
            flags: 4,
            items: vec![
                WitnessItem::Bytes(vec![]),
                WitnessItem::Bytes(vec![5; 0xfd]),
                WitnessItem::Bytes(vec![6; 0xfe]),
                WitnessItem::Bytes(vec![7; 600]),
                WitnessItem::Signature {
                    hash_type: 0x81,
                    separator: 0xff,
                },
            ],
            script: vec![0x51, 0x52],
        };
        assert_eq!(SpendInput::decode(&input.encode()), input);
        assert_eq!(SpendInput::decode(&[]), SpendInput::default());
    }

    #[test]
    fn signatures_are_valid_for_the_key() {
        let key = SpendInput::keys().x_only_public_key().0;
        for (hash_type, depth) in [(0, 0), (1, 1), (2, 128), (0x83, 5)] {
            let input = SpendInput {
                depth,
                items: vec![WitnessItem::Signature {
                    hash_type,
                    separator: 0,
                }],
                script: script! { OP_CODESEPARATOR { key } OP_CHECKSIG }.into_bytes(),
                ..SpendInput::default()
            };
            let (tx, prevout) = input.spend();
            let verified = verify_input(&tx, 0, &[prevout], Rules::Policy);
            assert!(verified.is_ok(), "{hash_type:#04x}: {verified:?}");
        }
    }
}
