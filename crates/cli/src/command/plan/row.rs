//! A row of the price list.

use bitcoin::FeeRate;
use serde::Serialize;
use tapcourt_compiler::riscv::Search;
use tapcourt_program::riscv::{AddressSpace, SnapshotLimits};
use tapcourt_protocol::{Bill, Line, Role};
use tapcourt_verifier::Quote;

use super::candidates::Candidate;
use crate::contract::arities;
use crate::error::{CliError, CliResult};

/// What one contract costs. Sizes are in vB, each transaction's rounded up; children that pay for others are not in them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// `search` or `one-shot`.
    pub(super) protocol: &'static str,
    /// Of a search, as `--arity` and `--path-arity` take them, with ` / ` between. Empty for a one-shot.
    pub(super) arity: String,
    /// Rounds of assert and select in the worst case, of both searches. None for a one-shot.
    pub(super) rounds: u32,
    /// Transactions in the worst case, the contract included.
    pub(super) worst_transactions: u64,
    /// All transactions of the worst case, in vB, the contract included.
    pub(super) worst_vsize: u64,
    /// What the prover broadcasts if nobody disputes, in vB: kickoff and payout.
    pub(super) happy_vsize: u64,
    /// Blocks from the contract to the end, if each move is as late as it may be, the kickoff by the expiry and all others by Δ.
    pub(super) worst_blocks: u32,
    /// Signatures to presign.
    pub(super) presigned: u64,
    /// One-time public keys of both parties, in bytes.
    pub(super) key_bytes: u64,
    /// Whether no other row is at least as good in all of worst transactions, vsize and blocks and happy vsize, and better in one.
    pub(super) pareto: bool,
    /// Transactions if nobody disputes, the contract included.
    pub(super) happy_transactions: u64,
    /// Transactions of a usual dispute, the contract included.
    pub(super) usual_transactions: u64,
    /// All transactions of a usual dispute, in vB, the contract included, with mean witnesses.
    pub(super) usual_vsize: u64,
    /// The contract in vB, for one P2TR coin and one P2TR change output of each party.
    pub(super) contract_vsize: u64,
    /// What the prover broadcasts.
    pub(super) prover: PartyRow,
    /// What the challenger broadcasts.
    pub(super) challenger: PartyRow,
    /// Fees of all transactions if nobody disputes, in sat, the contract and children included.
    pub(super) happy_sat: u64,
    /// Fees of all transactions of a usual dispute, likewise.
    pub(super) usual_sat: u64,
    /// Fees of all transactions in the worst case, likewise.
    pub(super) worst_sat: u64,
    /// The heaviest presigned transaction, timeouts included, in vB.
    pub(super) largest_presigned_vsize: u64,
    /// The heaviest `disprove` of all leaves, in vB.
    pub(super) largest_disprove_vsize: u64,
    /// The transactions of the worst case, in order.
    pub(super) worst_path: Vec<LineRow>,
    /// The address space of a RISC-V program, such as 2^26.
    pub(super) address_space: Option<String>,
    /// The most bytes of memory that a party needs to run and hash a RISC-V program, whatever the
    /// input.
    pub(super) most_memory_bytes: Option<u64>,
    /// The arities with runs of the same shortened.
    #[serde(skip)]
    short_arity: String,
}

/// A transaction of the worst case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct LineRow {
    /// Its name, as in `simulate`.
    transaction: String,
    /// Who broadcasts it; both, if `null`.
    payer: Option<String>,
    /// Its size in vB, without its child's.
    vsize: u64,
}

/// One party's part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PartyRow {
    /// If nobody disputes, in vB.
    pub(super) happy_vsize: u64,
    /// In a usual dispute, in vB, with mean witnesses.
    pub(super) usual_vsize: u64,
    /// In the worst case, in vB.
    pub(super) worst_vsize: u64,
    /// Children that pay for it in the worst case, in vB.
    pub(super) worst_children_vsize: u64,
    /// Fees in the worst case, in sat, children included, the contract's not.
    pub(super) worst_sat: u64,
}

impl Row {
    pub(super) fn search(
        candidate: &Candidate,
        space: AddressSpace,
        max_steps: u64,
        feerate: FeeRate,
    ) -> CliResult<Self> {
        let Candidate { trace, path, quote } = candidate;
        let uniform = uniform_arity(trace, max_steps).map(|arity| arity.to_string());
        let long = uniform.clone().unwrap_or_else(|| arities(trace));
        let short = uniform.unwrap_or_else(|| runs(trace));
        let path = arities(path);
        let words = [long, short].map(|trace| format!("{trace} / {path}"));
        let row = Self::new("search", words, quote, feerate)?;
        Ok(Self {
            address_space: Some(space.to_string()),
            most_memory_bytes: Some(SnapshotLimits::default().most_memory_bytes(space)),
            ..row
        })
    }

    pub(super) fn one_shot(quote: &Quote, feerate: FeeRate) -> CliResult<Self> {
        Self::new("one-shot", [String::new(), String::new()], quote, feerate)
    }

    fn new(
        protocol: &'static str,
        [arity, short_arity]: [String; 2],
        quote: &Quote,
        feerate: FeeRate,
    ) -> CliResult<Self> {
        let fee = |bill: &Bill, payer| {
            let fee = bill.fee_of(payer, feerate);
            fee.ok_or_else(|| CliError::new("the fees are out of range"))
        };
        let fees = |bill: &Bill| -> CliResult<u64> {
            let payers = [None, Some(Role::Prover), Some(Role::Challenger)];
            let fees = payers.map(|payer| fee(bill, payer));
            fees.into_iter().map(|fee| Ok(fee?.to_sat())).sum()
        };
        let of = |role: Role| -> CliResult<PartyRow> {
            let payer = Some(role);
            Ok(PartyRow {
                happy_vsize: quote.best.vsize_of_vb(payer),
                usual_vsize: quote.usual.vsize_of_vb(payer),
                worst_vsize: quote.worst.vsize_of_vb(payer),
                worst_children_vsize: quote.worst.children_of_vb(payer),
                worst_sat: fee(&quote.worst, payer)?.to_sat(),
            })
        };
        let count = |count: usize| count as u64; // cast ok: usize is at most 64 bits
        Ok(Self {
            protocol,
            arity,
            rounds: quote.rounds,
            worst_transactions: count(quote.worst_transactions),
            worst_vsize: quote.worst.vsize_vb(),
            happy_vsize: quote.best.vsize_of_vb(Some(Role::Prover)),
            worst_blocks: quote.worst_blocks,
            presigned: count(quote.presigned),
            key_bytes: count(quote.key_bytes),
            pareto: false,
            happy_transactions: count(quote.best.transactions()),
            usual_transactions: count(quote.usual.transactions()),
            usual_vsize: quote.usual.vsize_vb(),
            contract_vsize: quote.best.vsize_of_vb(None),
            prover: of(Role::Prover)?,
            challenger: of(Role::Challenger)?,
            happy_sat: fees(&quote.best)?,
            usual_sat: fees(&quote.usual)?,
            worst_sat: fees(&quote.worst)?,
            largest_presigned_vsize: quote.largest_presigned_wu.div_ceil(4),
            largest_disprove_vsize: quote.largest_disprove_wu.div_ceil(4),
            worst_path: quote.worst.lines.iter().map(LineRow::new).collect(),
            short_arity,
            address_space: None,
            most_memory_bytes: None,
        })
    }

    /// The arities as people see them.
    pub(super) fn short_arity(&self) -> String {
        self.short_arity.clone()
    }

    /// What a row is to be small in.
    fn measures(&self) -> [u64; 4] {
        [
            self.worst_transactions,
            self.worst_vsize,
            self.happy_vsize,
            self.worst_blocks.into(),
        ]
    }
}

impl LineRow {
    fn new(line: &Line) -> Self {
        Self {
            transaction: line.kind.to_string(),
            payer: line.payer.map(|payer| payer.to_string()),
            vsize: line.vsize_vb(),
        }
    }
}

/// Marks the rows that no other one dominates.
pub(super) fn mark_pareto(rows: &mut [Row]) {
    let measures: Vec<[u64; 4]> = rows.iter().map(Row::measures).collect();
    let dominates = |other: &[u64; 4], own: &[u64; 4]| {
        other != own && other.iter().zip(own).all(|(other, own)| other <= own)
    };
    for (row, own) in rows.iter_mut().zip(&measures) {
        row.pareto = !measures.iter().any(|other| dominates(other, own));
    }
}

/// The arity that `--arity` takes for this search, if it is one number.
fn uniform_arity(search: &Search, max_steps: u64) -> Option<u32> {
    let arity = *search.arities().last()?;
    let uniform = Search::at_least(max_steps, arity).ok()?;
    (uniform == *search).then_some(arity)
}

/// `2,4x15`: arities with runs of the same one shortened.
fn runs(search: &Search) -> String {
    let runs = search.arities().chunk_by(|one, next| one == next);
    let runs = runs.map(|run| match run {
        [arity] => arity.to_string(),
        run => format!("{}x{}", run[0], run.len()),
    });
    runs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arities_are_shortened() {
        let search = |arities: &[u32]| Search::new(arities.to_vec()).expect("a search");
        assert_eq!(runs(&search(&[3, 4, 4, 4, 3])), "3,4x3,3");
        assert_eq!(uniform_arity(&search(&[2, 4, 4]), 17), Some(4));
        assert_eq!(uniform_arity(&search(&[4, 4, 2]), 17), None);
    }
}
