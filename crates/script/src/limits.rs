//! Consensus and policy limits, each with its source, and the weight profiles a contract is built for.
//!
//! Files named without a path are Bitcoin Core's (as of v28…v30): `script.h`, `interpreter.{h,cpp}` in `src/script/`,
//! `policy.h` and `truc_policy.h` in `src/policy/`, `consensus.h` in `src/consensus/`.
//! Weights are in weight units (WU), sizes in bytes or virtual bytes (vB = WU / 4, rounded up).

use std::fmt;
use std::str::FromStr;

use bitcoin::transaction::Version;

/// Most items on the stack and altstack together, after every opcode and before the first (`script.h`
/// `MAX_STACK_SIZE`; BIP-0342 "Resource limits" keeps it, and applies it to the initial stack).
pub const MAX_STACK_SIZE: usize = 1_000;

/// Most bytes of one stack item or push (`script.h` `MAX_SCRIPT_ELEMENT_SIZE`; kept by BIP-0342).
pub const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;

/// Most bytes of a number that an arithmetic opcode takes (`script.h` `CScriptNum::nDefaultMaxNumSize`).
pub const MAX_NUMBER_BYTES: usize = 4;

/// Most bytes of the operand of `OP_CHECKLOCKTIMEVERIFY` (BIP-0065) and `OP_CHECKSEQUENCEVERIFY` (BIP-0112).
pub const MAX_LOCKTIME_NUMBER_BYTES: usize = 5;

/// Lock times below are block heights, from here on UNIX times in seconds (`script.h` `LOCKTIME_THRESHOLD`).
pub const LOCKTIME_THRESHOLD: i64 = 500_000_000;

/// Validation weight that one passed signature check uses up (BIP-0342; `script.h`
/// `VALIDATION_WEIGHT_PER_SIGOP_PASSED`).
pub const VALIDATION_WEIGHT_PER_SIGOP_PASSED: i64 = 50;

/// Validation weight an input has besides the serialized size of its witness (BIP-0342; `script.h`
/// `VALIDATION_WEIGHT_OFFSET`).
pub const VALIDATION_WEIGHT_OFFSET: i64 = 50;

/// First byte of a last witness item that makes it an annex (BIP-0341; `script.h` `ANNEX_TAG`).
pub const ANNEX_TAG: u8 = 0x50;

/// Leaf version of tapscript (BIP-0342; `interpreter.h` `TAPROOT_LEAF_TAPSCRIPT`).
pub const TAPROOT_LEAF_TAPSCRIPT: u8 = 0xc0;

/// Bits of a control block's first byte that are the leaf version (BIP-0341; `interpreter.h` `TAPROOT_LEAF_MASK`).
pub const TAPROOT_LEAF_MASK: u8 = 0xfe;

/// Bytes of a control block before the Merkle path (BIP-0341; `interpreter.h` `TAPROOT_CONTROL_BASE_SIZE`).
pub const TAPROOT_CONTROL_BASE_SIZE: usize = 33;

/// Bytes of one Merkle path element (BIP-0341; `interpreter.h` `TAPROOT_CONTROL_NODE_SIZE`).
pub const TAPROOT_CONTROL_NODE_SIZE: usize = 32;

/// Greatest depth of a leaf (BIP-0341; `interpreter.h` `TAPROOT_CONTROL_MAX_NODE_COUNT`).
pub const TAPROOT_CONTROL_MAX_NODE_COUNT: usize = 128;

/// Bytes of the longest control block (`interpreter.h` `TAPROOT_CONTROL_MAX_SIZE`).
pub const TAPROOT_CONTROL_MAX_SIZE: usize =
    TAPROOT_CONTROL_BASE_SIZE + TAPROOT_CONTROL_NODE_SIZE * TAPROOT_CONTROL_MAX_NODE_COUNT;

/// Weight of a block (`consensus.h` `MAX_BLOCK_WEIGHT`).
pub const MAX_BLOCK_WEIGHT_WU: u64 = 4_000_000;

/// Weight that a block template keeps for header and coinbase (`policy.h` `DEFAULT_BLOCK_RESERVED_WEIGHT`).
pub const BLOCK_RESERVED_WEIGHT_WU: u64 = 8_000;

/// Weight of the heaviest transaction that is relayed (`policy.h` `MAX_STANDARD_TX_WEIGHT`).
pub const MAX_STANDARD_TX_WEIGHT_WU: u64 = 400_000;

/// Fewest bytes without witness of a transaction that is relayed (`policy.h` `MIN_STANDARD_TX_NONWITNESS_SIZE`).
pub const MIN_STANDARD_TX_NONWITNESS_SIZE_BYTES: usize = 65;

/// Most bytes of an initial stack item of a tapscript spend that is relayed (`policy.h`
/// `MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE`). Script, control block and annex do not count.
pub const MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE: usize = 80;

/// Most weighted signature operations of a transaction that is relayed (`policy.h` `MAX_STANDARD_TX_SIGOPS_COST`).
pub const MAX_STANDARD_TX_SIGOPS_COST: u64 = 16_000;

/// Version of a topologically restricted transaction (BIP-0431; `truc_policy.h` `TRUC_VERSION`).
pub const TRUC_VERSION: i32 = 3;

/// Virtual size of the largest TRUC transaction (BIP-0431; `truc_policy.h` `TRUC_MAX_VSIZE`).
pub const TRUC_MAX_VSIZE_VB: u64 = 10_000;

/// Weight of the heaviest TRUC transaction (`truc_policy.h` `TRUC_MAX_WEIGHT`).
pub const TRUC_MAX_WEIGHT_WU: u64 = 4 * TRUC_MAX_VSIZE_VB;

/// Virtual size of the largest TRUC transaction that has an unconfirmed parent (BIP-0431; `truc_policy.h`
/// `TRUC_CHILD_MAX_VSIZE`).
pub const TRUC_CHILD_MAX_VSIZE_VB: u64 = 1_000;

/// Most unconfirmed ancestors of a TRUC transaction, itself included (`truc_policy.h` `TRUC_ANCESTOR_LIMIT`).
pub const TRUC_ANCESTOR_LIMIT: usize = 2;

/// Most unconfirmed descendants of a TRUC transaction, itself included (`truc_policy.h` `TRUC_DESCENDANT_LIMIT`).
pub const TRUC_DESCENDANT_LIMIT: usize = 2;

/// Fee rate below which spending an output costs more than it holds (`policy.h` `DUST_RELAY_TX_FEE`: 3000 sat/kvB).
pub const DUST_RELAY_FEERATE_SAT_PER_KVB: u64 = 3_000;

/// Least value of a P2TR output that is not dust: 3 sat/vB for its 43 bytes and the 67 vB of a spend (`policy.cpp`
/// `GetDustThreshold`).
pub const P2TR_DUST_LIMIT_SAT: u64 = 330;

/// Least value of a pay-to-anchor output that is not dust (`policy.cpp` `GetDustThreshold`: 13 bytes and 67 vB).
pub const P2A_DUST_LIMIT_SAT: u64 = 240;

/// Most dust outputs of a relayed transaction, which must then pay no fee and be spent by a child in the same package
/// (`policy.h` `MAX_DUST_OUTPUTS_PER_TX`).
pub const MAX_DUST_OUTPUTS_PER_TX: usize = 1;

/// Least fee rate to be relayed alone, as nodes were long configured (`policy.h` `DEFAULT_MIN_RELAY_TX_FEE`; since v29.1
/// a tenth of it suffices).
pub const MIN_RELAY_FEERATE_SAT_PER_KVB: u64 = 1_000;

/// Most transactions of a submitted package (`packages.h` `MAX_PACKAGE_COUNT`).
pub const MAX_PACKAGE_COUNT: usize = 25;

/// Most weight of a submitted package (`packages.h` `MAX_PACKAGE_WEIGHT`).
pub const MAX_PACKAGE_WEIGHT_WU: u64 = 404_000;

/// Returns the bytes of a control block for a leaf at `depth` (BIP-0341: 33 + 32 per level).
pub const fn control_block_bytes(depth: usize) -> usize {
    TAPROOT_CONTROL_BASE_SIZE + TAPROOT_CONTROL_NODE_SIZE * depth
}

/// Returns the bytes of a `CompactSize` prefix for `len` (`serialize.h` `GetSizeOfCompactSize`).
pub const fn compact_size_bytes(len: u64) -> usize {
    match len {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// The limits of one transaction that a contract is built to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Greatest weight, in WU.
    pub max_weight_wu: u64,
    /// The transaction's `nVersion`.
    pub version: Version,
    /// Most bytes of an initial tapscript stack item.
    pub max_witness_item_bytes: usize,
    /// Most items on stack and altstack.
    pub max_stack_items: usize,
    /// Whether nodes relay such a transaction under their default policy.
    pub relayed: bool,
}

/// How heavy the transactions of a contract may be, and so who will take them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// Version 3 (BIP-0431), at most 40,000 WU: relayed everywhere and resists pinning.
    #[default]
    Truc,
    /// Version 2, at most 400,000 WU: relayed everywhere.
    Standard,
    /// Version 2, as much as fits a block: needs a miner who takes it directly.
    Consensus,
}

impl Profile {
    /// Every profile, lightest first.
    pub const ALL: [Self; 3] = [Self::Truc, Self::Standard, Self::Consensus];

    /// The profile's limits.
    pub const fn limits(self) -> Limits {
        Limits {
            max_weight_wu: self.max_weight_wu(),
            version: self.version(),
            max_witness_item_bytes: match self {
                Self::Truc | Self::Standard => MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE,
                Self::Consensus => MAX_SCRIPT_ELEMENT_SIZE,
            },
            max_stack_items: MAX_STACK_SIZE,
            relayed: !matches!(self, Self::Consensus),
        }
    }

    /// Greatest weight of a transaction, in WU.
    pub const fn max_weight_wu(self) -> u64 {
        match self {
            Self::Truc => TRUC_MAX_WEIGHT_WU,
            Self::Standard => MAX_STANDARD_TX_WEIGHT_WU,
            Self::Consensus => MAX_BLOCK_WEIGHT_WU - BLOCK_RESERVED_WEIGHT_WU,
        }
    }

    /// The version transactions of this profile carry.
    pub const fn version(self) -> Version {
        match self {
            Self::Truc => Version(TRUC_VERSION),
            Self::Standard | Self::Consensus => Version::TWO,
        }
    }

    /// The lightest profile that a transaction of this weight fits, or `None` if no block can hold it.
    pub fn for_weight_wu(weight_wu: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|profile| weight_wu <= profile.max_weight_wu())
    }

    /// The name used on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truc => "truc",
            Self::Standard => "standard",
            Self::Consensus => "consensus",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {given:?}: expected truc, standard or consensus")]
pub struct UnknownProfile {
    /// The name given.
    pub given: String,
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == text)
            .ok_or_else(|| UnknownProfile {
                given: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_named_and_chosen_by_weight() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
            assert_eq!(
                Profile::for_weight_wu(profile.max_weight_wu()),
                Some(profile)
            );
            assert_ne!(
                Profile::for_weight_wu(profile.max_weight_wu() + 1),
                Some(profile)
            );
        }
        assert_eq!(
            Profile::ALL.map(Profile::max_weight_wu),
            [40_000, 400_000, 3_992_000]
        );
        assert_eq!(Profile::for_weight_wu(3_992_001), None);
        assert!("Truc".parse::<Profile>().is_err());
    }

    #[test]
    fn dust_limits_agree_with_the_library() {
        let p2tr = bitcoin::ScriptBuf::from_bytes([&[0x51, 0x20][..], &[0; 32]].concat());
        let p2a = bitcoin::ScriptBuf::from_bytes(vec![0x51, 0x02, 0x4e, 0x73]);
        assert_eq!(p2tr.minimal_non_dust().to_sat(), P2TR_DUST_LIMIT_SAT);
        assert_eq!(p2a.minimal_non_dust().to_sat(), P2A_DUST_LIMIT_SAT);
    }

    #[test]
    fn sizes_grow_where_the_encoding_does() {
        assert_eq!(
            [0, 0xfc, 0xfd, 0xffff, 0x1_0000].map(compact_size_bytes),
            [1, 1, 3, 3, 5]
        );
        assert_eq!(control_block_bytes(0), 33);
        assert_eq!(control_block_bytes(128), TAPROOT_CONTROL_MAX_SIZE);
    }
}
