//! Bitcoin Core's script verification as a function.

use crate::support::{input, leaf_output, leaf_witness, output, transaction, wallet};
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid, Witness};
use tapcourt_chain::{CoreVerifier, CoreVerifyError, core_verify};

fn outpoint(vout: u32) -> OutPoint {
    OutPoint {
        txid: Txid::all_zeros(),
        vout,
    }
}

#[test]
fn key_and_script_paths_are_verified() {
    let wallet = wallet();
    // OP_ADD OP_5 OP_NUMEQUAL
    let (script, proof) = leaf_output(&[0x93, 0x55, 0x9c]);
    let prevouts = [output(5_000, wallet.script_pubkey()), output(6_000, script)];
    let mut spend = transaction(
        2,
        vec![input(outpoint(0)), input(outpoint(1))],
        vec![output(10_000, wallet.script_pubkey())],
    );
    wallet.sign(&mut spend, &prevouts).unwrap();
    let mut checked = 0;
    for a in 0..=5_u8 {
        for b in 0..=5_u8 {
            let number = |n: u8| if n == 0 { vec![] } else { vec![n] };
            spend.input[1].witness = leaf_witness(&[number(a), number(b)], &proof);
            let expected = if a + b == 5 {
                Ok(())
            } else {
                Err(CoreVerifyError::Refused { input_index: 1 })
            };
            assert_eq!(core_verify(&spend, 1, &prevouts), expected);
            assert_eq!(
                CoreVerifier::new(&spend, &prevouts).unwrap().verify_all(),
                expected
            );
            core_verify(&spend, 0, &prevouts).expect("witnesses are not signed");
            checked += 1;
        }
    }
    println!("{checked} witnesses");

    let mut other_amounts = prevouts.clone();
    other_amounts[1].value += bitcoin::Amount::ONE_SAT;
    let refused = Err(CoreVerifyError::Refused { input_index: 0 });
    assert_eq!(core_verify(&spend, 0, &other_amounts), refused);
    spend.output[0].value -= bitcoin::Amount::ONE_SAT;
    assert_eq!(core_verify(&spend, 0, &prevouts), refused);
}

#[test]
fn arguments_that_do_not_fit_are_errors() {
    let script = wallet().script_pubkey();
    let prevouts = [output(5_000, script.clone())];
    let spend = transaction(
        2,
        vec![input(outpoint(0))],
        vec![output(4_000, script.clone())],
    );
    assert_eq!(
        core_verify(&spend, 1, &prevouts),
        Err(CoreVerifyError::InputIndex {
            input_index: 1,
            inputs: 1
        })
    );
    assert_eq!(
        core_verify(&spend, 0, &[]),
        Err(CoreVerifyError::PrevoutCount {
            prevouts: 0,
            inputs: 1
        })
    );
    let nothing = transaction(2, vec![], vec![output(4_000, script)]);
    assert!(matches!(
        core_verify(&nothing, 0, &[]),
        Err(CoreVerifyError::Unreadable { .. })
    ));
}

#[test]
fn verification_is_cheap() {
    let (script, proof) = leaf_output(&[0x51]);
    let prevouts = [output(5_000, script.clone())];
    let mut spend = transaction(2, vec![input(outpoint(0))], vec![output(4_000, script)]);
    spend.input[0].witness = leaf_witness(&[], &proof);
    let start = std::time::Instant::now();
    let rounds: u32 = 2_000;
    for _ in 0..rounds {
        core_verify(&spend, 0, &prevouts).unwrap();
    }
    println!(
        "{:?} for each verification of a taproot leaf",
        start.elapsed() / rounds
    );
    spend.input[0].witness = Witness::new();
    assert!(core_verify(&spend, 0, &prevouts).is_err());
}
