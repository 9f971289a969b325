//! The interpreter and Bitcoin Core's code give the same verdict on random spends.

use std::collections::BTreeMap;

use tapcourt_chain::core_verify;
use tapcourt_script::interpreter::{Rules, SpendError, verify_input};
use tapcourt_tests::random_script::RandomSpend;
use tapcourt_tests::scale::scaled;

#[test]
fn interpreter_and_core_agree_on_random_spends() {
    let spends = scaled(20_000) as u64;
    let (mut accepted, mut refused) = (0, 0);
    let mut relayed = 0;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..spends {
        let spend = RandomSpend::from_seed(seed);
        let ours = verify_input(
            &spend.tx,
            spend.input_index,
            &spend.prevouts,
            Rules::Consensus,
        );
        let core = core_verify(&spend.tx, spend.input_index, &spend.prevouts);
        assert_eq!(
            ours.is_ok(),
            core.is_ok(),
            "seed {seed}: core says {core:?}, the interpreter {ours:?}, leaf {}",
            spend.leaf.to_asm_string()
        );
        match ours {
            Ok(_) => accepted += 1,
            Err(error) => {
                refused += 1;
                *reasons.entry(reason(&error)).or_default() += 1;
            }
        }
        // Policy only ever refuses more.
        if verify_input(&spend.tx, spend.input_index, &spend.prevouts, Rules::Policy).is_ok() {
            relayed += 1;
            assert!(core.is_ok(), "seed {seed}: relayed but not valid");
        }
    }
    println!(
        "{spends} spends: {accepted} accepted ({relayed} relayed), {refused} refused: {reasons:#?}"
    );
    println!("covered: {spends} random spends");
    assert!(accepted > 0 && refused > 0 && relayed > 0);
    assert!(
        reasons.len() > 20 || spends < 20_000,
        "refusals of one kind only"
    );
}

/// The rule broken, without its numbers.
fn reason(error: &SpendError) -> String {
    let debug = match error {
        SpendError::Leaf(execution) => {
            let failure = execution.result.as_ref().expect_err("the leaf failed");
            format!("{:?}", failure.reason)
        }
        other => format!("{other:?}"),
    };
    let name = debug.split([' ', '{', '(']).next();
    name.unwrap_or_default().to_owned()
}
