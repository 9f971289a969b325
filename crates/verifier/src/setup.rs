//! Setups: everything recomputed from the netlist and the messages.

use std::fmt;

use tapcourt_compiler::circuit::{Compiled, Leaves, Options, Role as GroupRole};
use tapcourt_program::circuit::Circuit;
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, Message, MessageError, Offer, ProverPartials, Signatures,
};
use tapcourt_protocol::{
    ContractId, Graph, Layout, PackLimits, PresignedGraph, complete, lint, pack_batches,
};

use crate::fault::{Part, SetupFault};

/// A program as a contract is made from it.
#[derive(Debug, Clone)]
pub struct Program {
    compiled: Compiled,
    layout: Layout,
}

/// The messages of a setup, as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a> {
    /// The prover's offer.
    pub offer: &'a [u8],
    /// The challenger's acceptance.
    pub acceptance: &'a [u8],
    /// Both answers, if the presigning is to be checked as it went: the prover's and the challenger's.
    pub partials: Option<(&'a [u8], &'a [u8])>,
    /// The finished signatures.
    pub signatures: &'a [u8],
}

impl Program {
    /// Reads and compiles a netlist.
    ///
    /// # Errors
    ///
    /// [`Part::Program`] if it does not parse or compile, [`Part::Layout`] if its groups fit no transaction.
    pub fn read(netlist: &[u8], options: &Options) -> Result<Self, SetupFault> {
        let circuit = Circuit::parse(netlist).map_err(SetupFault::of(Part::Program))?;
        let compiled = Compiled::new(&circuit, options).map_err(SetupFault::of(Part::Program))?;
        Self::new(compiled)
    }

    /// Takes a program that is compiled already.
    ///
    /// # Errors
    ///
    /// [`Part::Layout`] if its groups fit no transaction.
    pub fn new(compiled: Compiled) -> Result<Self, SetupFault> {
        let groups = compiled.committed_groups();
        let shapes: Vec<_> = groups
            .iter()
            .filter_map(|group| group.parameters().cloned())
            .collect();
        let (asserts, claim): (Vec<usize>, Vec<usize>) =
            (0..groups.len()).partition(|&group| groups[group].role() == GroupRole::Intermediate);
        let layout = pack_batches(&shapes, &claim, &asserts, &PackLimits::default());
        Ok(Self {
            layout: layout.map_err(SetupFault::of(Part::Layout))?,
            compiled,
        })
    }

    /// Returns the compiled program.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// Returns which transaction publishes which group: inputs and outputs in the claim, the rest after a challenge.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Checks an offer by itself: that it is about this program, and has a key of the right shape for every group.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn verify_offer(&self, offer: &[u8]) -> Result<Offer, SetupFault> {
        let (id, offer): (_, Offer) = parse(Part::Offer, offer)?;
        if id != offer.instance.to_bytes() {
            let reason = format!(
                "is framed as instance {}, not {}",
                ContractId::from_bytes(id),
                offer.instance
            );
            return Err(SetupFault::new(Part::Offer, reason));
        }
        if offer.program_digest != self.compiled.program_digest() {
            let reason = "the offer is about another program, or accepts other outputs";
            return Err(SetupFault::new(Part::Program, reason));
        }
        offer
            .parameters
            .check()
            .map_err(SetupFault::of(Part::Offer))?;
        let groups = self.compiled.committed_groups();
        if offer.one_time_keys.len() != groups.len() {
            let reason = format!(
                "{} keys for {} groups",
                offer.one_time_keys.len(),
                groups.len()
            );
            return Err(SetupFault::new(Part::OneTimeKeys, reason));
        }
        let wrong = groups
            .iter()
            .zip(&offer.one_time_keys)
            .find(|(group, key)| group.parameters() != Some(key.parameters()));
        match wrong {
            Some((group, _)) => {
                let reason = format!("the key of group {} has another shape", group.label());
                Err(SetupFault::new(Part::OneTimeKeys, reason))
            }
            None => Ok(offer),
        }
    }

    /// Builds and lints the graph that follows from an offer and an acceptance.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn verify_graph(
        &self,
        offer: &[u8],
        acceptance: &[u8],
    ) -> Result<(Graph, Acceptance), SetupFault> {
        let offer = self.verify_offer(offer)?;
        let (id, acceptance): (_, Acceptance) = parse(Part::Acceptance, acceptance)?;
        let terms = offer.terms(acceptance.challenger.clone(), self.layout.clone());
        check_id(Part::Acceptance, id, terms.contract_id())?;
        let keys = terms.one_time_keys.clone();
        let leaves = self
            .compiled
            .leaf_source(&keys, terms.challenger.x_only_key());
        let graph = Graph::new(terms, &leaves).map_err(SetupFault::of(Part::Graph))?;
        match lint(&graph, &leaves).first() {
            Some(finding) => Err(SetupFault::new(Part::Graph, finding)),
            None => Ok((graph, acceptance)),
        }
    }

    /// Checks a whole setup.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn verify_setup(&self, messages: &Messages<'_>) -> Result<Contract<'_>, SetupFault> {
        let (graph, acceptance) = self.verify_graph(messages.offer, messages.acceptance)?;
        if acceptance.nonces.len() != graph.slots().len() {
            let reason = format!(
                "{} nonces for {} signatures",
                acceptance.nonces.len(),
                graph.slots().len()
            );
            return Err(SetupFault::new(Part::Acceptance, reason));
        }
        let (id, signatures): (_, Signatures) = parse(Part::Signatures, messages.signatures)?;
        let presigned = PresignedGraph::from_message(&graph, id, &signatures)
            .map_err(SetupFault::of(Part::Signatures))?;
        if let Some((prover, challenger)) = messages.partials {
            let (id, prover): (_, ProverPartials) = parse(Part::ProverPartials, prover)?;
            check_id(Part::ProverPartials, id, graph.id())?;
            let (id, challenger): (_, ChallengerPartials) =
                parse(Part::ChallengerPartials, challenger)?;
            check_id(Part::ChallengerPartials, id, graph.id())?;
            let completed = complete(&graph, &acceptance, &prover, &challenger);
            if completed.map_err(SetupFault::of(Part::ProverPartials))? != presigned {
                let reason = "the answers complete to other signatures than the finished ones";
                return Err(SetupFault::new(Part::Signatures, reason));
            }
        }
        Ok(Contract {
            program: self,
            graph,
            presigned,
        })
    }
}

fn parse<M: Message>(part: Part, bytes: &[u8]) -> Result<([u8; 32], M), SetupFault> {
    M::from_bytes(bytes).map_err(|error: MessageError| SetupFault::new(part, error))
}

fn check_id(part: Part, got: [u8; 32], expected: ContractId) -> Result<(), SetupFault> {
    let got = ContractId::from_bytes(got);
    if got == expected {
        Ok(())
    } else {
        Err(SetupFault::new(
            part,
            format!("is about contract {got}, not {expected}"),
        ))
    }
}

/// A contract whose setup is verified.
#[derive(Debug)]
pub struct Contract<'a> {
    program: &'a Program,
    graph: Graph,
    presigned: PresignedGraph,
}

impl Contract<'_> {
    /// Returns the program.
    pub fn program(&self) -> &Program {
        self.program
    }

    /// Returns the transactions.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Returns the presigned signatures.
    pub fn presigned(&self) -> &PresignedGraph {
        &self.presigned
    }

    /// Returns the disprove leaves.
    pub fn leaves(&self) -> Leaves<'_> {
        let terms = self.graph.terms();
        self.program
            .compiled
            .leaf_source(&terms.one_time_keys, terms.challenger.x_only_key())
    }

    /// Sums up what was checked.
    pub fn report(&self) -> SetupReport {
        let layout = &self.graph.terms().layout;
        SetupReport {
            id: self.graph.id(),
            groups: self.graph.terms().one_time_keys.len(),
            leaves: self.program.compiled.leaves().len(),
            claim_transactions: layout.claim.len(),
            assert_transactions: layout.asserts.len(),
            signatures: self.presigned.signatures().len(),
        }
    }
}

/// What a verified setup consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupReport {
    /// The contract.
    pub id: ContractId,
    /// Value groups, each with a one-time key.
    pub groups: usize,
    /// Disprove leaves.
    pub leaves: usize,
    /// Transactions of the claim.
    pub claim_transactions: usize,
    /// Transactions that publish after a challenge.
    pub assert_transactions: usize,
    /// Presigned signatures, all verified.
    pub signatures: usize,
}

impl fmt::Display for SetupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "contract {}", self.id)?;
        writeln!(
            f,
            "{} value groups, {} disprove leaves",
            self.groups, self.leaves
        )?;
        writeln!(
            f,
            "{} claim and {} assert transactions",
            self.claim_transactions, self.assert_transactions
        )?;
        write!(
            f,
            "{} presigned signatures verify, no lint fires",
            self.signatures
        )
    }
}
