//! What a contract costs before it exists: the transactions of each way through it, exactly, and who broadcasts them.
//!
//! Sizes depend neither on keys nor on what disprove leaves check. So a price is asked of a graph that stands in for the contract's:
//! its [`placeholder_terms`] have made-up parties and one-time keys, and its [`PlaceholderLeaves`] are as many as the contract's and as
//! likely, with nothing in them. Their tree has the same shape, so that control blocks have the same length.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::TweakedPublicKey;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, FeeRate, OutPoint, ScriptBuf, Sequence, TapLeafHash, Transaction, TxIn, TxOut, Txid,
    Witness,
};
use tapcourt_commitment::{Element, Opening, Parameters as Shape, PublicKey as OneTimeKey};
use tapcourt_script::taptree::LeafSource;

use crate::graph::Graph;
use crate::keys::SigningKey;
use crate::moves::{Layout, Publication};
use crate::parameters::Parameters;
use crate::presign::{FinaliseError, transaction_without_signatures};
use crate::role::Role;
use crate::size::{InputSize, PredictedWeight, predict};
use crate::terms::{FundingInput, InstanceId, Party, Terms};
use crate::transactions::contract::CONNECTOR_VALUE;
use crate::transactions::fee_child::KEY_PATH_WITNESS_WU;
use crate::transactions::{Stage, TransactionKind, weight_wu};

/// The size of a child that pays for a presigned transaction, from one P2TR coin to one P2TR output.
pub const FEE_CHILD_VB: u64 = 153;

/// A party's change in [`placeholder_terms`].
const CHANGE: Amount = Amount::from_sat(10_000);

/// Disprove leaves without scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceholderLeaves {
    likelihoods: Vec<u64>,
}

impl PlaceholderLeaves {
    /// One leaf for each likelihood.
    pub fn new(likelihoods: Vec<u64>) -> Self {
        Self { likelihoods }
    }

    /// So many leaves, equally likely.
    pub fn alike(leaves: usize) -> Self {
        Self::new(vec![1; leaves])
    }
}

impl LeafSource for PlaceholderLeaves {
    fn len(&self) -> usize {
        self.likelihoods.len()
    }

    fn script(&self, _index: usize) -> ScriptBuf {
        ScriptBuf::new()
    }

    fn likelihood(&self, index: usize) -> u64 {
        self.likelihoods[index]
    }

    fn leaf_hash(&self, _index: usize) -> TapLeafHash {
        TapLeafHash::all_zeros()
    }
}

/// Terms that stand in for a contract's: two parties with one P2TR coin and one P2TR change output each, and one-time keys of these
/// shapes, all different, that nobody can sign with.
#[expect(
    clippy::missing_panics_doc,
    reason = "cannot fail, as the messages say"
)]
pub fn placeholder_terms(
    parameters: Parameters,
    program_digest: [u8; 32],
    shapes: &[Shape],
    layout: Layout,
) -> Terms {
    let kickoff = layout.claim.first().map_or(1, |kickoff| {
        kickoff.batches.len() as u64 // cast ok: usize is at most 64 bits
    });
    let further = CONNECTOR_VALUE * kickoff.saturating_sub(1);
    let party = |role: Role, due: [Amount; 2]| {
        let key = SigningKey::from_bytes([1 + role as u8; 32]).expect("below the group's order"); // cast ok: 0 or 1
        let key = key.public_key();
        let output_key = key.x_only_public_key().0;
        let script =
            ScriptBuf::new_p2tr_tweaked(TweakedPublicKey::dangerous_assume_tweaked(output_key));
        let value = due.into_iter().map(Amount::to_sat);
        let value = value.fold(CHANGE.to_sat(), u64::saturating_add);
        let output = |value| TxOut {
            value,
            script_pubkey: script.clone(),
        };
        let coin = FundingInput {
            outpoint: OutPoint {
                txid: Txid::all_zeros(),
                vout: role as u32, // cast ok: 0 or 1
            },
            prevout: output(Amount::from_sat(value)),
        };
        Party {
            key,
            payout_script: script.clone(),
            inputs: vec![coin],
            change: vec![output(CHANGE)],
        }
    };
    let mut made = 0u64;
    let mut end = || {
        let mut element = Element::default();
        made += 1;
        element[..8].copy_from_slice(&made.to_le_bytes());
        element
    };
    let one_time_keys = shapes.iter().map(|shape| {
        let ends = (0..shape.chains()).map(|_| end()).collect();
        OneTimeKey::new(shape.clone(), ends).expect("an end for each chain")
    });
    let one_time_keys = one_time_keys.collect();
    Terms {
        prover: party(Role::Prover, [parameters.prover_stake, further]),
        challenger: party(
            Role::Challenger,
            [parameters.challenger_stake, parameters.bond],
        ),
        parameters,
        program_digest,
        instance: InstanceId::from_bytes([0; 32]),
        one_time_keys,
        layout,
    }
}

/// The sizes of a disprove leaf and of its witness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DisproveSize {
    /// Script bytes.
    pub script_bytes: usize,
    /// Witness items, the challenger's signature included, without script and control block.
    pub items: usize,
    /// Bytes of these items at most, the length prefix of each included.
    pub witness_bytes_max: usize,
    /// Mean bytes of these items.
    pub witness_bytes_mean: f64,
}

/// How a contract ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Nobody disputes the claim, and the prover is paid.
    Undisputed,
    /// After all moves of a stage, and of the stage before it, the challenger finds no leaf, and the prover is paid.
    Paid(Stage),
    /// After all moves of a stage, and of the stage before it, a leaf disproves.
    Disproved(Stage),
}

impl Ending {
    /// All that this layout allows, apart from late moves, which end a contract sooner.
    pub fn all(layout: &Layout) -> impl Iterator<Item = Self> {
        let disputed = layout
            .stages()
            .flat_map(|stage| [Self::Paid(stage), Self::Disproved(stage)]);
        std::iter::once(Self::Undisputed).chain(disputed)
    }

    /// The transactions that lead to it, the contract first.
    pub fn path(self, layout: &Layout) -> Vec<TransactionKind> {
        let mut path = vec![TransactionKind::Contract];
        path.extend((0..layout.claim.len()).map(TransactionKind::Kickoff));
        let (stage, last) = match self {
            Self::Undisputed => {
                path.push(TransactionKind::Payout);
                return path;
            }
            Self::Paid(stage) => (stage, TransactionKind::PayoutDisputed(stage)),
            Self::Disproved(stage) => (stage, TransactionKind::Disprove(stage)),
        };
        path.push(TransactionKind::Challenge);
        path.extend(layout.kinds(Stage::Dispute).map(|(kind, _)| kind));
        if stage == Stage::Opening {
            path.extend(layout.kinds(Stage::Opening).map(|(kind, _)| kind));
        }
        path.push(last);
        path
    }
}

/// Which witnesses are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Witnesses {
    /// Of uniformly random messages, on average; rounded up for each transaction.
    Mean,
    /// The longest of all messages in which the prover repeats what the challenger has chosen.
    Longest,
}

/// A transaction on the way to an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub kind: TransactionKind,
    /// Who broadcasts it, and so pays for it. `None` for the contract, which both pay for.
    pub payer: Option<Role>,
    /// Its weight, without that of the child that pays for it.
    pub weight_wu: u64,
    /// Whether a child pays for it: see [`FEE_CHILD_VB`].
    pub has_child: bool,
    /// The most blocks by which it confirms after the transaction before it, if nobody is late.
    pub wait_blocks: u32,
}

impl Line {
    /// Returns its virtual size, without that of its child.
    pub fn vsize_vb(&self) -> u64 {
        self.weight_wu.div_ceil(4)
    }

    /// Returns its virtual size with that of its child.
    pub fn package_vb(&self) -> u64 {
        self.vsize_vb() + if self.has_child { FEE_CHILD_VB } else { 0 }
    }
}

/// All transactions on the way to an ending, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// One for each transaction, the contract first.
    pub lines: Vec<Line>,
}

impl Bill {
    /// Returns how many transactions there are, the contract included, children not.
    pub fn transactions(&self) -> usize {
        self.lines.len()
    }

    /// Returns the virtual size of all transactions, each rounded up, the contract included, children not.
    pub fn vsize_vb(&self) -> u64 {
        self.lines.iter().map(Line::vsize_vb).sum()
    }

    /// Returns the virtual size of what one party broadcasts; with `None`, of the contract. Children are not included.
    pub fn vsize_of_vb(&self, payer: Option<Role>) -> u64 {
        self.of(payer).map(Line::vsize_vb).sum()
    }

    /// Returns the virtual size of the children that one party pays by.
    pub fn children_of_vb(&self, payer: Option<Role>) -> u64 {
        let children = self.of(payer);
        children
            .map(|line| line.package_vb() - line.vsize_vb())
            .sum()
    }

    /// Returns what one party pays for what it broadcasts, children included; with `None`, the fee of the contract.
    pub fn fee_of(&self, payer: Option<Role>, feerate: FeeRate) -> Option<Amount> {
        let fees = self.of(payer).map(|line| feerate.fee_vb(line.package_vb()));
        fees.sum()
    }

    /// Returns the most blocks from the contract's to the last transaction's.
    pub fn blocks(&self) -> u32 {
        self.lines.iter().map(|line| line.wait_blocks).sum()
    }

    fn of(&self, payer: Option<Role>) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.payer == payer)
    }
}

/// The prices of a graph.
#[derive(Debug)]
pub struct Costs<'a> {
    graph: &'a Graph,
    heaviest: BTreeMap<usize, Opening>,
    /// Of each presigned transaction on the way to an ending: the longest of [`Costs::heaviest_openings`], and the mean.
    presigned: BTreeMap<TransactionKind, PredictedWeight>,
}

impl<'a> Costs<'a> {
    /// Takes a graph, of placeholders or not.
    #[expect(
        clippy::missing_panics_doc,
        reason = "cannot fail, as the messages say"
    )]
    pub fn new(graph: &'a Graph) -> Self {
        let heaviest = heaviest_openings(graph);
        let weight = |kind| {
            let max_wu = graph.weight_with(kind, &heaviest);
            let predicted = graph.predicted_weight(kind);
            PredictedWeight {
                max_wu: max_wu.expect("there is an opening of every group"),
                ..predicted.expect("the layout has this ending")
            }
        };
        let endings = Ending::all(&graph.terms().layout);
        let kinds: BTreeSet<_> = endings
            .flat_map(|ending| ending.path(&graph.terms().layout))
            .filter(|&kind| graph.transaction(kind).is_some())
            .collect();
        let presigned = kinds.into_iter().map(|kind| (kind, weight(kind)));
        Self {
            graph,
            presigned: presigned.collect(),
            heaviest,
        }
    }

    /// Returns openings by group under placeholder signatures, whose messages make all transactions on any path together the
    /// heaviest. Both openings of a choice are of the same value.
    pub fn heaviest_openings(&self) -> &BTreeMap<usize, Opening> {
        &self.heaviest
    }

    /// Lists what an ending takes. `disprove` is the weight of the last transaction, if it is a `disprove`.
    ///
    /// # Panics
    ///
    /// If the layout does not have this ending.
    pub fn bill(&self, ending: Ending, witnesses: Witnesses, disprove: PredictedWeight) -> Bill {
        let Parameters { delta, expiry, .. } = self.graph.terms().parameters;
        let line = |kind: TransactionKind| {
            let weight = match kind {
                TransactionKind::Contract => contract_weight(self.graph),
                TransactionKind::Disprove(_) => disprove,
                kind => self.presigned[&kind],
            };
            Line {
                kind,
                payer: payer(kind),
                weight_wu: match witnesses {
                    Witnesses::Mean => weight.mean_wu.ceil() as u64, // cast ok: positive, and far below 2^52
                    Witnesses::Longest => weight.max_wu,
                },
                has_child: !matches!(
                    kind,
                    TransactionKind::Contract | TransactionKind::Disprove(_)
                ),
                wait_blocks: match kind {
                    TransactionKind::Contract => 0,
                    TransactionKind::Kickoff(0) => expiry.to_blocks().into(),
                    _ => delta.to_blocks().into(),
                },
            }
        };
        let path = ending.path(&self.graph.terms().layout);
        Bill {
            lines: path.into_iter().map(line).collect(),
        }
    }
}

impl Graph {
    /// Calculates the weight of a presigned transaction that publishes these openings, exactly. They need not be under the
    /// contract's keys.
    ///
    /// # Errors
    ///
    /// When there is no such transaction, or an opening is missing or of the wrong shape.
    pub fn weight_with(
        &self,
        kind: TransactionKind,
        openings: &BTreeMap<usize, Opening>,
    ) -> Result<u64, FinaliseError> {
        Ok(weight_wu(&transaction_without_signatures(
            self, kind, openings,
        )?))
    }

    /// Predicts the weight of the `disprove` transaction of a leaf of these sizes. `None` when there is no such leaf.
    pub fn disprove_weight(
        &self,
        stage: Stage,
        leaf: usize,
        size: &DisproveSize,
    ) -> Option<PredictedWeight> {
        let outcome = self.outcome(stage)?;
        let input = InputSize {
            items: size.items,
            items_bytes_max: size.witness_bytes_max,
            items_bytes_mean: size.witness_bytes_mean,
            script_bytes: size.script_bytes,
            control_block_bytes: outcome.disprove_control_block_bytes(leaf)?,
            peak_stack: 0,
        };
        let unsigned = Transaction {
            version: Version(3),
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                witness: Witness::new(),
            }],
            output: vec![TxOut {
                value: Amount::ZERO,
                script_pubkey: self.terms.challenger.payout_script.clone(),
            }],
        };
        Some(predict(&unsigned, &[input]))
    }
}

fn payer(kind: TransactionKind) -> Option<Role> {
    match kind {
        TransactionKind::Payout | TransactionKind::PayoutDisputed(_) => Some(Role::Prover),
        kind => kind.mover(),
    }
}

/// The weight of the contract, if its coins are spent by P2TR key paths.
fn contract_weight(graph: &Graph) -> PredictedWeight {
    let mut transaction = graph.contract.transaction.clone();
    for input in &mut transaction.input {
        input.witness = Witness::from_slice(&[[0; KEY_PATH_WITNESS_WU as usize - 2]]); // cast ok: 66
    }
    let max_wu = weight_wu(&transaction);
    PredictedWeight {
        max_wu,
        mean_wu: max_wu as f64, // cast ok: far below 2^52
    }
}

/// A choice of the challenger's, and where it is published and repeated.
struct Choice {
    theirs: usize,
    own: usize,
    options: u32,
    chosen_in: TransactionKind,
    repeated_in: TransactionKind,
}

fn choices(layout: &Layout) -> Vec<Choice> {
    let mut chosen = BTreeMap::new();
    let mut choices = Vec::new();
    for (kind, step) in layout.all_kinds() {
        for publication in step.publications() {
            match *publication {
                Publication::Value(_) => {}
                Publication::Choice { group, options } => {
                    chosen.insert(group, (kind, options));
                }
                Publication::Agreement { theirs, own } => {
                    let (chosen_in, options) = chosen[&theirs];
                    choices.push(Choice {
                        theirs,
                        own,
                        options,
                        chosen_in,
                        repeated_in: kind,
                    });
                }
            }
        }
    }
    choices
}

/// Of values the heaviest message. Of a choice the option for which the two transactions that show it are the heaviest together.
fn heaviest_openings(graph: &Graph) -> BTreeMap<usize, Opening> {
    let shapes = graph
        .terms()
        .one_time_keys
        .iter()
        .map(OneTimeKey::parameters);
    let mut known: HashMap<&Shape, Opening> = HashMap::new();
    let mut openings: BTreeMap<usize, Opening> = shapes
        .enumerate()
        .map(|(group, shape)| {
            let opening = known
                .entry(shape)
                .or_insert_with(|| Opening::placeholder(shape, &shape.heaviest_message()));
            (group, opening.clone())
        })
        .collect();
    let choices = choices(&graph.terms().layout);
    for choice in &choices {
        let opening = option(&openings[&choice.theirs], 0);
        openings.insert(choice.theirs, opening.clone());
        openings.insert(choice.own, opening);
    }
    for choice in &choices {
        let base_wu = [choice.chosen_in, choice.repeated_in].map(|kind| {
            let weight = graph.weight_with(kind, &openings);
            weight.expect("there is an opening of every group")
        });
        let witness_bytes = |opening: &Opening| {
            [
                opening.witness_for_choice(choice.options),
                opening.witness_for_agreement(opening),
            ]
            .map(|items| items.iter().map(Vec::len).sum::<usize>() as u64) // cast ok: usize is at most 64 bits
        };
        let before = witness_bytes(&openings[&choice.theirs]);
        let options = (0..choice.options).map(|value| option(&openings[&choice.theirs], value));
        let heaviest = options.max_by_key(|opening| {
            let bytes = witness_bytes(opening);
            let both = (0..2).map(|which| base_wu[which] - before[which] + bytes[which]);
            let weights: Vec<u64> = both.collect();
            let vsize_vb: u64 = weights.iter().map(|wu| wu.div_ceil(4)).sum();
            (vsize_vb, weights.iter().sum::<u64>())
        });
        let heaviest = heaviest.expect("a choice has options");
        openings.insert(choice.theirs, heaviest.clone());
        openings.insert(choice.own, heaviest);
    }
    openings
}

/// The placeholder opening by which one of the options is chosen.
fn option(like: &Opening, value: u32) -> Opening {
    let shape = like.parameters();
    let bits = 0..shape.message_bits();
    let message: Vec<bool> = bits.map(|bit| value >> bit & 1 == 1).collect();
    Opening::placeholder(shape, &message)
}
