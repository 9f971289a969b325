//! A party on a chain, made from what a directory or a simulation has.

use tapcourt_chain::Wallet;
use tapcourt_party::{Driver, Seat};
use tapcourt_protocol::Role;
use tapcourt_prover::{Disputable, KeyContext, Store};
use tapcourt_verifier::Contract;

use crate::error::CliResult;
use crate::play::secrets::Secrets;

/// Lets a party of a contract whose setup is complete take up where its store left off.
pub(crate) fn take_seat<'a>(
    role: Role,
    contract: &'a Contract<'a>,
    program: &'a dyn Disputable,
    secrets: &Secrets,
    store: &'a Store,
    wallet: Wallet,
) -> CliResult<Driver<'a>> {
    let context = match role {
        Role::Prover => KeyContext::prover(contract.offer().instance),
        Role::Challenger => KeyContext::challenger(contract.offer()),
    };
    Ok(Driver::new(Seat {
        role,
        contract,
        program,
        signing_key: secrets.signing_key()?,
        one_time_keys: secrets.one_time_keys(contract.program(), context)?,
        store,
        wallet,
    })?)
}
