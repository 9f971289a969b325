//! The first step of each party: `offer` and `accept`.

use std::path::PathBuf;

use bitcoin::Amount;
use clap::Args;
use tapcourt_protocol::{ExpiryPolicy, InstanceId, Parameters, RelativeBlocks};
use tapcourt_prover::{Artefact, Store};
use tapcourt_script::limits::Profile;

use super::{Coin, funding_inputs};
use crate::args::{FeerateArgs, ProgramArgs, SearchArgs};
use crate::contract::Loaded;
use crate::count::count;
use crate::error::{CliError, CliResult};
use crate::files::read_message;
use crate::output::Facts;
use crate::play::home::{Home, program_artefact};
use crate::play::{secrets, setup};

/// What both parties say when they begin.
#[derive(Debug, Args)]
struct PartyArgs {
    /// The party's directory, made by 'setup key'.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    program: ProgramArgs,
    #[command(flatten)]
    search: SearchArgs,
    /// A confirmed coin of the party's address that goes into the contract, as TXID:VOUT:SAT; may be given more than once.
    #[arg(long, value_name = "COIN", required = true)]
    coin: Vec<Coin>,
    /// Put the money also under a RISC-V program whose stack grows towards its own bytes: whoever
    /// chooses its input may make it overwrite them, and accept what its source does not.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    feerate: FeerateArgs,
}

impl PartyArgs {
    /// Reads and compiles the program, unless it is one for no money.
    fn load(&self) -> CliResult<Loaded> {
        let file = self.program.read()?;
        if !self.anyway {
            file.refuse_stack_hazard(self.search.space.address_space)?;
        }
        Loaded::new(file, &self.program.accept, &self.search, None)
    }
}

/// Arguments of `setup offer`.
#[derive(Debug, Args)]
pub(super) struct OfferArgs {
    #[command(flatten)]
    party: PartyArgs,
    /// What the prover puts into the pot, in sat.
    #[arg(long, value_name = "SAT", default_value = "100000", value_parser = count::<u64>("sat", 0..=u64::MAX))]
    stake: u64,
    /// What the challenger puts into the pot, in sat.
    #[arg(long, value_name = "SAT", default_value = "100000", value_parser = count::<u64>("sat", 0..=u64::MAX))]
    challenger_stake: u64,
    /// What the challenger forfeits with a false challenge, in sat. Should exceed the prover's fees in a dispute.
    #[arg(long, value_name = "SAT", default_value = "200000", value_parser = count::<u64>("sat", 0..=u64::MAX))]
    bond: u64,
    /// Blocks that each party has for a move (Δ).
    #[arg(long, value_name = "BLOCKS", default_value = "144", value_parser = count::<u16>("blocks", 1..=u16::MAX.into()))]
    delta: u16,
    /// Blocks that the prover has for its claim.
    #[arg(long, value_name = "BLOCKS", default_value = "1008", value_parser = count::<u16>("blocks", 1..=u16::MAX.into()))]
    expiry: u16,
    /// Give the whole pot to the challenger if the prover never claims; otherwise each gets its stake back.
    #[arg(long)]
    must_claim: bool,
}

/// Arguments of `setup accept`.
#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    #[command(flatten)]
    party: PartyArgs,
    /// The prover's offer.
    #[arg(long, value_name = "FILE")]
    offer: PathBuf,
}

/// Makes the offer, or sends the one that was made again.
pub(super) fn offer(args: &OfferArgs) -> CliResult<Facts> {
    let parameters = parameters(args)?;
    parameters.check()?;
    let loaded = args.party.load()?;
    let home = Home::open(&args.party.dir)?;
    let coins = funding_inputs(&args.party.coin, &home.secrets.wallet()?)?;
    let existing = if home.has_store() {
        Some(home.store()?)
    } else {
        None
    };
    let instance = match &existing {
        Some(store) => store.instance(),
        None => InstanceId::from_bytes(secrets::fresh()?),
    };
    let offer = setup::offer(
        &loaded.program,
        &home.secrets,
        instance,
        parameters,
        coins,
        args.party.feerate.feerate,
    )?;
    let store = match existing {
        Some(store) => store,
        None => home.create_store(instance)?,
    };
    keep_beginning(&store, &loaded, &offer)?;
    let path = home.send(Artefact::Offer, &offer)?;
    Ok(Facts::new()
        .with("role", "prover")
        .with_text("instance", instance)
        .with("wrote", vec![path.display().to_string()])
        .with("waits_for", "acceptance"))
}

/// Accepts the offer, or sends the acceptance that was made again.
pub(super) fn accept(args: &AcceptArgs) -> CliResult<Facts> {
    let offer = read_message(&args.offer)?;
    let loaded = args.party.load()?;
    let parsed = loaded
        .program
        .verify_offer(&offer)
        .map_err(|error| CliError::file(&args.offer, error))?;
    let home = Home::open(&args.party.dir)?;
    let coins = funding_inputs(&args.party.coin, &home.secrets.wallet()?)?;
    let feerate = args.party.feerate.feerate;
    let graph = setup::draft(&loaded.program, &home.secrets, &offer, coins, feerate)?;
    let store = if home.has_store() {
        home.store()?
    } else {
        home.create_store(parsed.instance)?
    };
    if store.instance() != parsed.instance {
        return Err(CliError::file(
            &args.offer,
            format!(
                "the offer of another contract: this directory's is instance {}",
                store.instance()
            ),
        ));
    }
    keep_beginning(&store, &loaded, &offer)?;
    let acceptance = setup::accept(&graph, &home.secrets, &store, secrets::fresh()?)?;
    store.keep(Artefact::Acceptance, &acceptance)?;
    let path = home.send(Artefact::Acceptance, &acceptance)?;
    Ok(Facts::new()
        .with("role", "challenger")
        .with_text("contract", graph.id())
        .with("wrote", vec![path.display().to_string()])
        .with("waits_for", Artefact::ProverPartials.name()))
}

fn keep_beginning(store: &Store, loaded: &Loaded, offer: &[u8]) -> CliResult<()> {
    store.keep(Artefact::Program, &program_artefact(loaded))?;
    store.keep(Artefact::Offer, offer)?;
    Ok(())
}

fn parameters(args: &OfferArgs) -> CliResult<Parameters> {
    Ok(Parameters {
        delta: RelativeBlocks::new(args.delta)?,
        expiry: RelativeBlocks::new(args.expiry)?,
        expiry_policy: if args.must_claim {
            ExpiryPolicy::PotToChallenger
        } else {
            ExpiryPolicy::Refund
        },
        prover_stake: Amount::from_sat(args.stake),
        challenger_stake: Amount::from_sat(args.challenger_stake),
        bond: Amount::from_sat(args.bond),
        profile: Profile::Standard,
        disprove_feerate: args.party.feerate.feerate,
    })
}
