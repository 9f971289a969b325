//! Setups: everything recomputed from the program and the messages.

use std::fmt;

use tapcourt_commitment::PublicKey as OneTimeKey;
use tapcourt_protocol::messages::{
    Acceptance, ChallengerPartials, Message, MessageError, Offer, ProverPartials, Signatures,
};
use tapcourt_protocol::{
    ContractId, Graph, Party, PresignedGraph, Role, Stage, complete, lint, verify_partials,
};

use crate::fault::{Part, SetupFault};
use crate::program::{GroupInfo, Leaves, Program};

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
        if offer.program_digest != self.digest() {
            let reason = "the offer is about another program, or accepts other outputs";
            return Err(SetupFault::new(Part::Program, reason));
        }
        offer
            .parameters
            .check()
            .map_err(SetupFault::of(Part::Offer))?;
        self.verify_keys(Part::OneTimeKeys, Role::Prover, &offer.one_time_keys)?;
        Ok(offer)
    }

    /// Checks that a party has a one-time key of the right shape for each of its groups.
    fn verify_keys(&self, part: Part, role: Role, keys: &[OneTimeKey]) -> Result<(), SetupFault> {
        let groups: Vec<&GroupInfo> = self.groups_of(role).map(|(_, group)| group).collect();
        if keys.len() != groups.len() {
            let reason = format!(
                "{} keys for the {role}'s {} groups",
                keys.len(),
                groups.len()
            );
            return Err(SetupFault::new(part, reason));
        }
        let mut pairs = groups.iter().zip(keys);
        match pairs.find(|(group, key)| group.shape != *key.parameters()) {
            Some((group, _)) => {
                let reason = format!("the key of group {} has another shape", group.label);
                Err(SetupFault::new(part, reason))
            }
            None => Ok(()),
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
        let keys = &acceptance.one_time_keys;
        self.verify_keys(Part::Acceptance, Role::Challenger, keys)?;
        let graph = self.graph(&offer, acceptance.challenger.clone(), keys, Some(id))?;
        Ok((graph, acceptance))
    }

    /// Builds and lints the graph of an offer that has been checked, and a challenger with the one-time keys of its groups. `id` is what the
    /// contract is said to be.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn graph(
        &self,
        offer: &Offer,
        challenger: Party,
        challenger_keys: &[OneTimeKey],
        id: Option<[u8; 32]>,
    ) -> Result<Graph, SetupFault> {
        let layout = self.layout().clone();
        let terms = offer.terms(challenger, challenger_keys, layout, self.groups().len());
        let terms = terms.map_err(SetupFault::of(Part::OneTimeKeys))?;
        if let Some(id) = id {
            check_id(Part::Acceptance, id, terms.contract_id())?;
        }
        let keys = terms.one_time_keys.clone();
        let leaves = self.leaves(&keys, terms.challenger.x_only_key());
        let graph = Graph::new(terms, &leaves.all()).map_err(SetupFault::of(Part::Graph))?;
        match lint(&graph, &leaves.all()).first() {
            Some(finding) => Err(SetupFault::new(Part::Graph, finding)),
            None => Ok(graph),
        }
    }

    /// Checks a whole setup. What takes long, the graph, comes last but for the signatures.
    ///
    /// # Errors
    ///
    /// The first part that is wrong.
    pub fn verify_setup(&self, messages: &Messages<'_>) -> Result<Contract<'_>, SetupFault> {
        let offer = self.verify_offer(messages.offer)?;
        let (id, acceptance): (_, Acceptance) = parse(Part::Acceptance, messages.acceptance)?;
        let presigning = Presigning::parse(messages)?;
        let keys = &acceptance.one_time_keys;
        self.verify_keys(Part::Acceptance, Role::Challenger, keys)?;
        let graph = self.graph(&offer, acceptance.challenger.clone(), keys, Some(id))?;
        let presigned = presigning.verify(&graph, &acceptance)?;
        Ok(Contract {
            program: self,
            offer,
            graph,
            presigned,
        })
    }
}

/// Checks the presigning of a graph that has been built already: nonces, answers and signatures. Offer and acceptance are taken to be
/// those that the graph was built from.
///
/// # Errors
///
/// The first part that is wrong.
pub fn verify_presigning(
    graph: &Graph,
    messages: &Messages<'_>,
) -> Result<PresignedGraph, SetupFault> {
    let (id, acceptance): (_, Acceptance) = parse(Part::Acceptance, messages.acceptance)?;
    let presigning = Presigning::parse(messages)?;
    check_id(Part::Acceptance, id, graph.id())?;
    presigning.verify(graph, &acceptance)
}

/// A message with the id that it is framed with.
type Framed<M> = ([u8; 32], M);

/// The messages after the acceptance.
struct Presigning {
    partials: Option<(Framed<ProverPartials>, Framed<ChallengerPartials>)>,
    signatures: Framed<Signatures>,
}

impl Presigning {
    fn parse(messages: &Messages<'_>) -> Result<Self, SetupFault> {
        let partials = messages.partials.map(|(prover, challenger)| {
            let prover = parse(Part::ProverPartials, prover)?;
            Ok((prover, parse(Part::ChallengerPartials, challenger)?))
        });
        Ok(Self {
            partials: partials.transpose()?,
            signatures: parse(Part::Signatures, messages.signatures)?,
        })
    }

    fn verify(self, graph: &Graph, acceptance: &Acceptance) -> Result<PresignedGraph, SetupFault> {
        if acceptance.nonces.len() != graph.slots().len() {
            let reason = format!(
                "{} nonces for {} signatures",
                acceptance.nonces.len(),
                graph.slots().len()
            );
            return Err(SetupFault::new(Part::Acceptance, reason));
        }
        let (id, signatures) = self.signatures;
        let presigned = PresignedGraph::from_message(graph, id, &signatures)
            .map_err(SetupFault::of(Part::Signatures))?;
        let Some(((prover_id, prover), (challenger_id, challenger))) = self.partials else {
            return Ok(presigned);
        };
        let nonces = [&prover.nonces, &acceptance.nonces];
        check_id(Part::ProverPartials, prover_id, graph.id())?;
        verify_partials(graph, Role::Prover, nonces, &prover.partials)
            .map_err(SetupFault::of(Part::ProverPartials))?;
        check_id(Part::ChallengerPartials, challenger_id, graph.id())?;
        verify_partials(graph, Role::Challenger, nonces, &challenger.partials)
            .map_err(SetupFault::of(Part::ChallengerPartials))?;
        let completed = complete(graph, acceptance, &prover, &challenger);
        if completed.map_err(SetupFault::of(Part::ProverPartials))? != presigned {
            let reason = "the answers complete to other signatures than the finished ones";
            return Err(SetupFault::new(Part::Signatures, reason));
        }
        Ok(presigned)
    }
}

fn parse<M: Message>(part: Part, bytes: &[u8]) -> Result<Framed<M>, SetupFault> {
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
    offer: Offer,
    graph: Graph,
    presigned: PresignedGraph,
}

impl Contract<'_> {
    /// Returns the program.
    pub fn program(&self) -> &Program {
        self.program
    }

    /// Returns the offer that was accepted.
    pub fn offer(&self) -> &Offer {
        &self.offer
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
            .leaves(&terms.one_time_keys, terms.challenger.x_only_key())
    }

    /// Sums up what was checked.
    pub fn report(&self) -> SetupReport {
        let layout = &self.graph.terms().layout;
        SetupReport {
            id: self.graph.id(),
            groups: self.graph.terms().one_time_keys.len(),
            leaves: [Stage::Dispute, Stage::Opening]
                .map(|stage| self.program.leaf_count(stage))
                .iter()
                .sum(),
            claim_transactions: layout.claim.len(),
            dispute_transactions: layout.dispute.len(),
            opening_transactions: layout.opening.len(),
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
    /// Moves after a challenge.
    pub dispute_transactions: usize,
    /// Moves after something was opened.
    pub opening_transactions: usize,
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
            "moves: {} of the claim, {} of the dispute, {} of the opening",
            self.claim_transactions, self.dispute_transactions, self.opening_transactions
        )?;
        write!(
            f,
            "{} presigned signatures verify, no lint fires",
            self.signatures
        )
    }
}
