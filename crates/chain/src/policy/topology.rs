//! How unconfirmed transactions may depend on each other: version 3, ephemeral dust, packages.

use std::collections::HashSet;

use bitcoin::{OutPoint, Transaction, Txid};

use super::{
    MAX_PACKAGE_WEIGHT_WU, TRUC_CHILD_MAX_VB, TRUC_MAX_VB, TRUC_VERSION, Violation, dust_outputs,
};

/// An unconfirmed transaction that another one spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its txid.
    pub txid: Txid,
    /// Its version.
    pub version: i32,
    /// Its own unconfirmed ancestors.
    pub ancestors: usize,
    /// Its unconfirmed descendants, other than the transaction in question and those that this one replaces.
    pub descendants: usize,
}

/// Checks the rules of topologically restricted transactions, for a transaction of any version with these unconfirmed
/// parents.
///
/// # Errors
/// [`Violation::TrucInheritance`], [`Violation::TrucSize`], [`Violation::TrucAncestors`],
/// [`Violation::TrucChildSize`] or [`Violation::TrucDescendants`].
// Bitcoin Core, src/policy/truc_policy.cpp: SingleTRUCChecks; BIP-0431
pub fn check_truc(transaction: &Transaction, parents: &[Parent]) -> Result<(), Violation> {
    let version = transaction.version.0;
    let is_truc = version == TRUC_VERSION;
    if let Some(parent) = parents
        .iter()
        .find(|parent| (parent.version == TRUC_VERSION) != is_truc)
    {
        return Err(Violation::TrucInheritance {
            version,
            parent: parent.txid,
            parent_version: parent.version,
        });
    }
    if !is_truc {
        return Ok(());
    }
    let vsize_vb = transaction.vsize() as u64; // cast ok, usize is at most 64 bits
    if vsize_vb > TRUC_MAX_VB {
        return Err(Violation::TrucSize {
            vsize_vb,
            limit_vb: TRUC_MAX_VB,
        });
    }
    let ancestors = parents.iter().map(|parent| 1 + parent.ancestors).sum();
    if ancestors > 1 {
        return Err(Violation::TrucAncestors { ancestors });
    }
    let Some(parent) = parents.first() else {
        return Ok(());
    };
    if vsize_vb > TRUC_CHILD_MAX_VB {
        return Err(Violation::TrucChildSize {
            vsize_vb,
            limit_vb: TRUC_CHILD_MAX_VB,
        });
    }
    if parent.descendants > 0 {
        return Err(Violation::TrucDescendants {
            parent: parent.txid,
        });
    }
    Ok(())
}

/// Checks that a transaction spends every dust output of its unconfirmed parents.
///
/// # Errors
/// [`Violation::EphemeralDustUnspent`].
// Bitcoin Core, src/policy/ephemeral_policy.cpp: CheckEphemeralSpends
pub fn check_dust_spent<'a>(
    transaction: &Transaction,
    parents: impl IntoIterator<Item = &'a Transaction>,
) -> Result<(), Violation> {
    let spent: HashSet<OutPoint> = transaction
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    for parent in parents {
        let txid = parent.compute_txid();
        for output_index in dust_outputs(parent) {
            let outpoint = OutPoint::new(txid, output_index as u32); // cast ok, a transaction has fewer outputs
            if !spent.contains(&outpoint) {
                return Err(Violation::EphemeralDustUnspent { outpoint });
            }
        }
    }
    Ok(())
}

/// Checks the shape of a package of a parent and the child that pays for it.
///
/// # Errors
/// [`Violation::PackageWeight`], [`Violation::PackageConflict`] or [`Violation::PackageTopology`].
// Bitcoin Core, src/policy/packages.cpp: IsWellFormedPackage, IsChildWithParents
pub fn check_package(parent: &Transaction, child: &Transaction) -> Result<(), Violation> {
    let weight_wu = (parent.weight() + child.weight()).to_wu();
    if weight_wu > MAX_PACKAGE_WEIGHT_WU {
        return Err(Violation::PackageWeight {
            weight_wu,
            limit_wu: MAX_PACKAGE_WEIGHT_WU,
        });
    }
    let spent: HashSet<OutPoint> = parent
        .input
        .iter()
        .map(|input| input.previous_output)
        .collect();
    if let Some(input) = child
        .input
        .iter()
        .find(|input| spent.contains(&input.previous_output))
    {
        return Err(Violation::PackageConflict {
            outpoint: input.previous_output,
        });
    }
    let txid = parent.compute_txid();
    if child
        .input
        .iter()
        .all(|input| input.previous_output.txid != txid)
    {
        return Err(Violation::PackageTopology { parent: txid });
    }
    Ok(())
}
