use bitcoin::{Amount, ScriptBuf, Witness};
use tapcourt_script::interpreter::{Rules, verify_key_path};

use super::toy::{Toy, parameters};
use crate::transactions::contract;
use crate::{Graph, GraphError, OutputKind, ParametersError, Role, Terms, TermsError};

#[test]
fn the_contract_is_signed_by_both_and_keeps_its_txid() {
    let toy = &Toy::shapes()[3];
    let graph = toy.graph();
    let contract = graph.contract();
    let sign = |role, key: &crate::SigningKey| -> Vec<Witness> {
        let messages = contract.key_path_sighashes(role);
        messages
            .iter()
            .map(|(_, message)| Witness::from_slice(&[key.sign(message)]))
            .collect()
    };
    let (prover, challenger) = (
        sign(Role::Prover, &toy.prover),
        sign(Role::Challenger, &toy.challenger),
    );
    assert_eq!((prover.len(), challenger.len()), (2, 1));
    let signed = contract.finalise(&prover, &challenger).unwrap();
    assert_eq!(signed.compute_txid(), contract.txid());
    for vin in 0..signed.input.len() {
        verify_key_path(&signed, vin, &contract.prevouts, Rules::Policy).unwrap();
    }
    assert_eq!(signed.version.0, 3);
    assert_eq!(
        signed.output[contract::POT_VOUT as usize].value,
        Amount::from_sat(150_000)
    );
    assert_eq!(
        signed.output[contract::BOND_VOUT as usize].value,
        Amount::from_sat(30_000)
    );
    for output in contract.outputs.iter().zip(&signed.output) {
        if let (
            crate::transactions::Output {
                kind: OutputKind::Connector(_),
                ..
            },
            output,
        ) = output
        {
            assert_eq!(output.value, contract::CONNECTOR_VALUE);
            assert_eq!(output.value, output.script_pubkey.minimal_non_dust());
        }
    }
    let error = contract.finalise(&challenger, &prover).unwrap_err();
    assert_eq!(
        error,
        GraphError::FundingWitnesses {
            role: Role::Prover,
            got: 1,
            expected: 2
        }
    );
}

fn refused(change: impl Fn(&mut Terms)) -> GraphError {
    let toy = &Toy::shapes()[1];
    let mut terms = toy.terms.clone();
    change(&mut terms);
    let error = Graph::new(terms, &toy.disprove_leaves()).unwrap_err();
    println!("{error}");
    error
}

#[test]
fn a_party_that_brings_too_little_is_named() {
    let error = refused(|terms| terms.prover.change[0].value = Amount::from_sat(20_001));
    let (available, required) = (Amount::from_sat(99_999), Amount::from_sat(100_000));
    assert_eq!(
        error,
        GraphError::Underfunded {
            role: Role::Prover,
            available,
            required
        }
    );
    let error =
        refused(|terms| terms.challenger.inputs[0].prevout.value = Amount::from_sat(98_999));
    let (available, required) = (Amount::from_sat(79_999), Amount::from_sat(80_000));
    assert_eq!(
        error,
        GraphError::Underfunded {
            role: Role::Challenger,
            available,
            required
        }
    );
    let error = refused(|terms| terms.prover.change[0].value = Amount::from_sat(120_001));
    assert_eq!(
        error,
        GraphError::Terms(TermsError::Funding { role: Role::Prover })
    );
}

#[test]
fn sums_beyond_all_bitcoin_are_refused() {
    let overflow = GraphError::Terms(TermsError::Parameters(ParametersError::Overflow));
    assert_eq!(
        refused(|terms| terms.parameters.prover_stake = Amount::MAX),
        overflow
    );
    assert_eq!(
        refused(|terms| terms.parameters.bond = Amount::MAX_MONEY),
        overflow
    );
    for value in [Amount::MAX, Amount::MAX_MONEY + Amount::from_sat(1)] {
        // What is left of the coin is what was left of it before.
        let error = refused(|terms| {
            let coin = &mut terms.prover.inputs[0].prevout.value;
            terms.prover.change[0].value += value - *coin;
            *coin = value;
        });
        assert_eq!(
            error,
            GraphError::Terms(TermsError::Funding { role: Role::Prover })
        );
    }
}

#[test]
fn scripts_and_coins_that_let_a_party_stall_the_other_are_refused() {
    let odd = || ScriptBuf::from_bytes(vec![0x51]);
    let error = refused(|terms| terms.challenger.payout_script = odd());
    assert_eq!(
        error,
        GraphError::Terms(TermsError::NonStandardScript {
            role: Role::Challenger,
            script: odd()
        })
    );
    let error = refused(|terms| terms.prover.change[0].script_pubkey = odd());
    assert_eq!(
        error,
        GraphError::Terms(TermsError::NonStandardScript {
            role: Role::Prover,
            script: odd()
        })
    );
    let error = refused(|terms| terms.prover.inputs[0].prevout.script_pubkey = ScriptBuf::new());
    assert!(matches!(
        error,
        GraphError::Terms(TermsError::MalleableInput {
            role: Role::Prover,
            ..
        })
    ));
    let error =
        refused(|terms| terms.challenger.inputs[0].outpoint = terms.prover.inputs[0].outpoint);
    assert!(matches!(
        error,
        GraphError::Terms(TermsError::CoinTwice { .. })
    ));
    let error = refused(|terms| terms.challenger.key = terms.prover.key);
    assert_eq!(error, GraphError::Terms(TermsError::SameKey));
    let error = refused(|terms| terms.prover.change[0].value = Amount::from_sat(329));
    assert!(matches!(
        error,
        GraphError::Terms(TermsError::DustChange { .. })
    ));
}

#[test]
fn amounts_that_cannot_be_paid_out_are_refused() {
    let check = |change: &dyn Fn(&mut crate::Parameters)| {
        let mut parameters = parameters();
        change(&mut parameters);
        parameters.check()
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(
        check(&|parameters| parameters.prover_stake = Amount::ZERO),
        Ok(())
    );
    assert!(check(&|parameters| parameters.bond = Amount::ZERO).is_err());
    assert!(check(&|parameters| parameters.prover_stake = Amount::from_sat(545)).is_err());
    let none = check(&|parameters| {
        parameters.prover_stake = Amount::ZERO;
        parameters.challenger_stake = Amount::ZERO;
    });
    assert!(matches!(
        none,
        Err(ParametersError::Dust { name: "pot", .. })
    ));
    assert_eq!(
        crate::RelativeBlocks::new(0),
        Err(ParametersError::ZeroTimelock)
    );
}
