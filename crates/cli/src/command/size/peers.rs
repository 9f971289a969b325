//! What the same things cost elsewhere.

use serde::Serialize;

use super::rows::Row;

/// A figure of another project, measured by building and running it.
#[derive(Debug, Serialize)]
pub(super) struct Peer {
    /// The project, and which of its ways.
    pub(super) name: &'static str,
    pub(super) figure: f64,
    #[serde(rename = "unit")]
    pub(super) quantity: Quantity,
    /// What exactly was measured.
    pub(super) source: &'static str,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Quantity {
    /// Script and witness, for each bit of the message.
    #[serde(rename = "WU/bit")]
    WuPerBit,
    /// The script without tables that are shared.
    #[serde(rename = "script B")]
    Script,
    /// The script with all its tables.
    #[serde(rename = "script B with tables")]
    ScriptWithTables,
}

impl Quantity {
    /// The same of one of our rows.
    pub(super) fn of(self, row: &Row) -> f64 {
        // Casts ok: far below 2^52.
        match self {
            Self::WuPerBit => row.wu_per_bit.unwrap_or(row.weight as f64),
            Self::Script => row.script_bytes as f64,
            Self::ScriptWithTables => (row.script_bytes + row.table_bytes.unwrap_or(0)) as f64,
        }
    }

    /// Digits behind the point that are known.
    pub(super) fn digits(self) -> usize {
        match self {
            Self::WuPerBit => 1,
            Self::Script | Self::ScriptWithTables => 0,
        }
    }

    /// As it is printed.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::WuPerBit => "WU/bit",
            Self::Script => "script B",
            Self::ScriptWithTables => "script B with tables",
        }
    }
}

/// The peer's figure for a row, if there is one for the same quantity.
pub(super) fn find(row: &str) -> Option<&'static Peer> {
    let found = PEERS.iter().find(|(name, _)| *name == row);
    found.map(|(_, peer)| peer)
}

const fn bitvm_winternitz(figure: f64) -> Peer {
    Peer {
        name: "BitVM signatures",
        figure,
        quantity: Quantity::WuPerBit,
        source: "Winternitz in base 16 with list-pick verification, checksum included, script and mean witness",
    }
}

const fn bitvm_u4(figure: f64, source: &'static str) -> Peer {
    Peer {
        name: "BitVM u4",
        figure,
        quantity: Quantity::Script,
        source,
    }
}

const fn best_public(figure: f64, source: &'static str) -> Peer {
    Peer {
        name: "best public",
        figure,
        quantity: Quantity::Script,
        source,
    }
}

const fn bitvm_sha256(figure: f64, source: &'static str) -> Peer {
    Peer {
        name: "BitVM sha256_u4_stack",
        figure,
        quantity: Quantity::ScriptWithTables,
        source,
    }
}

const fn bitvm_blake3(source: &'static str) -> Peer {
    Peer {
        name: "BitVM blake3 u4",
        figure: 70_023.0,
        quantity: Quantity::ScriptWithTables,
        source,
    }
}

/// By the name of our row.
pub(super) const PEERS: &[(&str, Peer)] = &[
    ("winternitz/4B", bitvm_winternitz(30.3)),
    ("winternitz/16B", bitvm_winternitz(26.5)),
    ("winternitz/20B", bitvm_winternitz(26.0)),
    ("winternitz/32B", bitvm_winternitz(25.3)),
    ("winternitz/80B", bitvm_winternitz(24.6)),
    (
        "lamport/1bit",
        Peer {
            name: "BitVM1",
            figure: 65.0,
            quantity: Quantity::WuPerBit,
            source: "Lamport bit commitment, script and witness: 65 to 72 WU, the lower end is compared with",
        },
    ),
    (
        "blake3/64B",
        bitvm_blake3(
            "one 64-byte block from nibbles to nibbles, with the stack tracker; at most 659 stack items",
        ),
    ),
    (
        "blake3/node",
        bitvm_blake3(
            "no peer has a script for a Merkle node of 40 bytes: this is the script for a 64-byte block",
        ),
    ),
    (
        "sha256/64B-block",
        bitvm_sha256(210_892.0, "a message of 32 bytes, which is one block"),
    ),
    (
        "sha256/32B",
        bitvm_sha256(210_892.0, "a message of 32 bytes, one block"),
    ),
    (
        "sha256/64B",
        bitvm_sha256(358_971.0, "a message of 64 bytes, two blocks"),
    ),
    (
        "sha256/80B",
        bitvm_sha256(421_679.0, "a message of 80 bytes, two blocks"),
    ),
    (
        "u32/add",
        bitvm_u4(
            115.0,
            "addition of two words of nibbles; tables of 92 bytes are not counted",
        ),
    ),
    (
        "u32/xor",
        bitvm_u4(
            136.0,
            "XOR of two words of nibbles by a half table, which is not counted",
        ),
    ),
    (
        "u32/add3",
        bitvm_u4(
            160.0,
            "addition of three words of nibbles, tables not counted",
        ),
    ),
    (
        "u32/add4",
        bitvm_u4(
            195.0,
            "addition of four words of nibbles, tables not counted",
        ),
    ),
    (
        "u32/xor3",
        bitvm_u4(276.0, "XOR of three words of nibbles, tables not counted"),
    ),
    (
        "u32/rotr7",
        bitvm_u4(
            98.0,
            "rotation by other than a multiple of 4, at best, tables not counted",
        ),
    ),
    (
        "rv32/mean",
        Peer {
            name: "BitVMX",
            figure: 28_065.0,
            quantity: Quantity::Script,
            source: "leaf that checks one RV32IM instruction, openings included, mean over its instructions",
        },
    ),
    ("u32/mul", best_public(3_113.0, "low word of a product")),
    ("u32/divrem", best_public(4_765.0, "quotient and remainder")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_has_one_peer_with_a_source() {
        let names: BTreeSet<&str> = PEERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), PEERS.len());
        for (name, peer) in PEERS {
            assert!(peer.figure > 0.0 && !peer.source.is_empty(), "{name}");
            let unit = serde_json::to_value(peer.quantity).unwrap();
            assert_eq!(unit, peer.quantity.unit());
        }
    }
}
