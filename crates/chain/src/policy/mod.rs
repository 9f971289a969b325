//! Bitcoin Core's default relay policy, as far as it concerns what this project broadcasts.
//!
//! The embedded chain has Core's consensus code but no mempool, so these are our own checks. They follow Core 31.99, the
//! version whose source the `bitcoinkernel` crate vendors, and tests compare their verdicts with a node's. Each function
//! checks one subject and needs only what it names; the embedded chain's mempool calls them in Core's order.
//!
//! Out of scope, because nothing here produces it: signature operations of legacy scripts, P2SH redeem scripts,
//! and the script rules that are policy only for outputs other than taproot.
//!
//! Nodes before Core 31 are stricter in one point: in a package, they want a parent whose version is not 3 to pay the
//! least relay fee itself. And before 29.1 that fee was ten times [`MIN_RELAY_FEE_SAT_PER_KVB`].

mod fees;
mod locks;
mod standard;
mod topology;
mod violation;

pub use fees::{
    check_fee, ephemeral_dust, incremental_relay_fee, min_relay_fee, min_relay_feerate,
};
pub use locks::{InputConfirmation, check_final, check_sequence_locks};
pub use standard::{
    anchor_output, check_inputs, check_script_rules, check_standard, dust_outputs, dust_threshold,
    is_anchor, is_standard_output,
};
pub use topology::{Parent, check_dust_spent, check_package, check_truc};
pub use violation::Violation;

/// Heaviest transaction that relays, in weight units.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_TX_WEIGHT
pub const MAX_STANDARD_TX_WEIGHT_WU: u64 = 400_000;

/// Smallest transaction that relays, in bytes without the witness.
// Bitcoin Core, src/policy/policy.h: MIN_STANDARD_TX_NONWITNESS_SIZE
pub const MIN_STANDARD_TX_NONWITNESS_BYTES: usize = 65;

/// Longest witness item that a tapscript may be given, in bytes.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE
pub const MAX_STANDARD_TAPSCRIPT_ITEM_BYTES: usize = 80;

/// Longest witness item that a P2WSH script may be given, in bytes.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_P2WSH_STACK_ITEM_SIZE
pub const MAX_STANDARD_P2WSH_ITEM_BYTES: usize = 80;

/// Most witness items that a P2WSH script may be given.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_P2WSH_STACK_ITEMS
pub const MAX_STANDARD_P2WSH_ITEMS: usize = 100;

/// Longest P2WSH witness script, in bytes.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_P2WSH_SCRIPT_SIZE
pub const MAX_STANDARD_P2WSH_SCRIPT_BYTES: usize = 3_600;

/// Longest `scriptSig`, in bytes.
// Bitcoin Core, src/policy/policy.h: MAX_STANDARD_SCRIPTSIG_SIZE
pub const MAX_STANDARD_SCRIPTSIG_BYTES: usize = 1_650;

/// Most bytes of `OP_RETURN` scripts in one transaction.
// Bitcoin Core, src/policy/policy.h: MAX_OP_RETURN_RELAY
pub const MAX_DATA_CARRIER_BYTES: usize = 100_000;

/// Fee rate below which a transaction does not relay, in satoshi per 1,000 virtual bytes.
// Bitcoin Core, src/policy/policy.h: DEFAULT_MIN_RELAY_TX_FEE (1,000 before version 29.1)
pub const MIN_RELAY_FEE_SAT_PER_KVB: u64 = 100;

/// Fee rate by which a replacement must exceed what it replaces, in satoshi per 1,000 virtual bytes.
// Bitcoin Core, src/policy/policy.h: DEFAULT_INCREMENTAL_RELAY_FEE (1,000 before version 29.1)
pub const INCREMENTAL_RELAY_FEE_SAT_PER_KVB: u64 = 100;

/// Fee rate that defines dust, in satoshi per 1,000 virtual bytes.
// Bitcoin Core, src/policy/policy.h: DUST_RELAY_TX_FEE
pub const DUST_RELAY_FEE_SAT_PER_KVB: u64 = 3_000;

/// Most dust outputs of one transaction; it must pay no fee then, and a child must spend the output.
// Bitcoin Core, src/policy/policy.h: MAX_DUST_OUTPUTS_PER_TX
pub const MAX_DUST_OUTPUTS: usize = 1;

/// The version of topologically restricted transactions (BIP-0431).
// Bitcoin Core, src/policy/truc_policy.h: TRUC_VERSION
pub const TRUC_VERSION: i32 = 3;

/// Largest version 3 transaction, in virtual bytes.
// Bitcoin Core, src/policy/truc_policy.h: TRUC_MAX_VSIZE
pub const TRUC_MAX_VB: u64 = 10_000;

/// Largest version 3 child of an unconfirmed transaction, in virtual bytes.
// Bitcoin Core, src/policy/truc_policy.h: TRUC_CHILD_MAX_VSIZE
pub const TRUC_CHILD_MAX_VB: u64 = 1_000;

/// Most transactions that are connected by spending each other's unconfirmed outputs.
// Bitcoin Core, src/policy/policy.h: DEFAULT_CLUSTER_LIMIT
pub const MAX_CLUSTER_TRANSACTIONS: usize = 64;

/// Most virtual bytes of transactions that are connected by spending each other's unconfirmed outputs.
// Bitcoin Core, src/policy/policy.h: DEFAULT_CLUSTER_SIZE_LIMIT_KVB
pub const MAX_CLUSTER_VB: u64 = 101_000;

/// Heaviest package, in weight units.
// Bitcoin Core, src/policy/packages.h: MAX_PACKAGE_WEIGHT
pub const MAX_PACKAGE_WEIGHT_WU: u64 = 404_000;

/// How long a mempool keeps a transaction, in seconds: two weeks.
// Bitcoin Core, src/kernel/mempool_options.h: DEFAULT_MEMPOOL_EXPIRY_HOURS
pub const MEMPOOL_EXPIRY_SECONDS: u32 = 336 * 60 * 60;
