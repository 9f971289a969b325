//! What every chain does alike: the same scenarios on the embedded chain and on a Bitcoin Core node.

use crate::support::{
    input, leaf_output, leaf_witness, on_every_chain, output, rich, transaction, wallet,
};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Sequence, Transaction, Txid, Witness};
use tapcourt_chain::{
    Broadcast, COINBASE_MATURITY_BLOCKS, Chain, ChainError, Regtest, Wallet, WalletError, policy,
};

const RATE: FeeRate = FeeRate::from_sat_per_vb_u32(2);

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, ChainError>, reason: &str) {
    let error = result.expect_err("it must be refused");
    assert_eq!(error.core_reason(), Some(reason), "{error}");
    assert!(!error.to_string().contains('\n'));
}

/// A payment to nobody in particular.
fn payment(chain: &dyn Chain, wallet: &mut Wallet, sat: u64) -> Transaction {
    let script = ScriptBuf::new_p2a();
    wallet
        .pay(chain, vec![output(sat, script)], RATE)
        .expect("the wallet is rich")
}

#[test]
fn a_coinbase_can_be_spent_after_100_blocks() {
    on_every_chain(|chain| {
        let wallet = wallet();
        let script = wallet.script_pubkey();
        let height = chain.mine_to(1, &script).unwrap().height;
        let coinbase = chain
            .coinbase(height)
            .unwrap()
            .expect("the block was just mined");
        let spent = coinbase.output[0].clone();
        let outpoint = OutPoint::new(coinbase.compute_txid(), 0);
        let mut spend = transaction(
            2,
            vec![input(outpoint)],
            vec![output(spent.value.to_sat() - 1_000, script.clone())],
        );
        wallet.sign(&mut spend, &[spent]).unwrap();

        chain.mine(COINBASE_MATURITY_BLOCKS - 2).unwrap();
        assert_refused(chain.submit(&spend), "bad-txns-premature-spend-of-coinbase");
        assert!(chain.mine_block(std::slice::from_ref(&spend)).is_err());
        chain.mine(1).unwrap();
        chain.test_accept(&spend).unwrap();
        let txid = chain.submit(&spend).unwrap();
        assert_eq!(chain.mempool().unwrap(), [txid]);
        assert_eq!(chain.confirmation_height(txid).unwrap(), None);
        assert_eq!(chain.spender(outpoint).unwrap().unwrap().height, None);

        let tip = chain.mine(1).unwrap();
        assert_eq!(tip, chain.tip().unwrap());
        assert_eq!(chain.confirmation_height(txid).unwrap(), Some(tip.height));
        let found = chain.spender(outpoint).unwrap().unwrap();
        assert_eq!(
            (found.transaction, found.input_index, found.height),
            (spend.clone(), 0, Some(tip.height))
        );
        assert_eq!(chain.transaction(txid).unwrap(), Some(spend.clone()));
        assert!(chain.utxo(outpoint).unwrap().is_none());
        assert_eq!(
            chain.utxo(OutPoint::new(txid, 0)).unwrap().unwrap().output,
            spend.output[0]
        );
        assert!(chain.mempool().unwrap().is_empty());
        assert_refused(chain.submit(&spend), "txn-already-known");
    });
}

#[test]
fn a_relative_lock_holds_until_its_height() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        let (script, proof) = leaf_output(&[0x55, 0xb2]); // 5 OP_CHECKSEQUENCEVERIFY
        let (outpoint, _) = wallet
            .fund(chain, &script, Amount::from_sat(10_000))
            .unwrap();
        let spend = |blocks: u16| {
            let mut locked = input(outpoint);
            locked.sequence = Sequence::from_height(blocks);
            locked.witness = leaf_witness(&[], &proof);
            transaction(2, vec![locked], vec![output(9_000, script.clone())])
        };
        // The next block is the third after that of the output.
        chain.mine(2).unwrap();
        assert_refused(chain.submit(&spend(5)), "non-BIP68-final");
        assert!(chain.mine_block(&[spend(5)]).is_err());
        assert_refused(chain.submit(&spend(4)), "non-BIP68-final");
        chain.mine(1).unwrap();
        // It could be mined now, but the script asks for a longer lock.
        assert_refused(chain.submit(&spend(4)), "mempool-script-verify-flag-failed");
        assert!(chain.mine_block(&[spend(4)]).is_err());
        assert_refused(chain.submit(&spend(5)), "non-BIP68-final");
        chain.mine(1).unwrap();
        assert_refused(chain.submit(&spend(6)), "non-BIP68-final");
        let txid = chain.submit(&spend(5)).unwrap();
        let tip = chain.mine(1).unwrap();
        assert_eq!(chain.confirmation_height(txid).unwrap(), Some(tip.height));
    });
}

#[test]
fn an_output_is_spent_once() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        let first = payment(chain, &mut wallet, 1_000);
        wallet.release(&first);
        let second = payment(chain, &mut wallet, 2_000);
        assert_eq!(
            first.input[0].previous_output,
            second.input[0].previous_output
        );
        chain.submit(&first).unwrap();
        chain.submit(&first).expect("the same again is no error");
        assert_refused(chain.submit(&second), "insufficient fee");
        assert!(chain.mine_block(&[first.clone(), second.clone()]).is_err());
        assert_eq!(chain.mempool().unwrap(), [first.compute_txid()]);

        chain.mine(1).unwrap();
        assert_refused(chain.submit(&second), "bad-txns-inputs-missingorspent");
        assert_refused(chain.test_accept(&second), "bad-txns-inputs-missingorspent");
        let before = chain.tip().unwrap();
        assert!(chain.mine_block(&[second]).is_err());
        assert_eq!(chain.tip().unwrap(), before);
    });
}

#[test]
fn a_higher_fee_replaces() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        let first = payment(chain, &mut wallet, 1_000);
        chain.submit(&first).unwrap();
        wallet.release(&first);
        // The chain does not offer a coin that its mempool spends.
        assert!(wallet.spendable(chain).unwrap().is_empty());
        let mut second = first.clone();
        second.output[1].value -= Amount::from_sat(1_000);
        let prevout = chain
            .transaction(first.input[0].previous_output.txid)
            .unwrap()
            .unwrap()
            .output[0]
            .clone();
        wallet.sign(&mut second, &[prevout]).unwrap();
        chain.submit(&second).unwrap();
        assert_eq!(chain.mempool().unwrap(), [second.compute_txid()]);
        let tip = chain.mine(1).unwrap();
        assert_eq!(
            chain.confirmation_height(second.compute_txid()).unwrap(),
            Some(tip.height)
        );
        assert_eq!(
            chain.confirmation_height(first.compute_txid()).unwrap(),
            None
        );
    });
}

#[test]
fn a_bad_signature_is_refused_and_does_no_harm() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 2);
        let good = payment(chain, &mut wallet, 1_000);
        let mut bad = payment(chain, &mut wallet, 1_000);
        let mut signature = bad.input[0].witness.to_vec().remove(0);
        signature[40] ^= 1;
        bad.input[0].witness = Witness::from_slice(&[signature]);
        let before = chain.tip().unwrap();

        assert_refused(chain.submit(&bad), "mempool-script-verify-flag-failed");
        let error = chain.mine_block(&[good.clone(), bad]).unwrap_err();
        println!("{}: {error}", chain.name());
        assert_eq!(chain.tip().unwrap(), before);
        let unknown = transaction(
            2,
            vec![input(OutPoint::new(Txid::all_zeros(), 3))],
            vec![
                output(1_000, ScriptBuf::new_p2a()),
                output(1_000, ScriptBuf::new_p2a()),
            ],
        );
        assert_refused(chain.submit(&unknown), "bad-txns-inputs-missingorspent");
        assert!(chain.mempool().unwrap().is_empty());

        chain.submit(&good).unwrap();
        let tip = chain.mine(1).unwrap();
        assert_eq!(
            chain.confirmation_height(good.compute_txid()).unwrap(),
            Some(tip.height)
        );
    });
}

#[test]
fn a_reorganisation_returns_transactions_to_the_mempool() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 3);
        for depth in 1..=3 {
            let payments: Vec<Txid> = (0..depth)
                .map(|_| {
                    let payment = payment(chain, &mut wallet, 1_000);
                    chain.submit(&payment).unwrap();
                    chain.mine(1).unwrap();
                    payment.compute_txid()
                })
                .collect();
            let before = chain.tip().unwrap();
            let tip = chain.reorg(depth).unwrap();
            assert_eq!(tip.height, before.height + 1);
            assert_eq!(tip, chain.tip().unwrap());
            for &txid in &payments {
                assert_eq!(chain.confirmation_height(txid).unwrap(), None);
                assert!(chain.transaction(txid).unwrap().is_some());
            }
            assert_eq!(chain.mempool().unwrap().len(), payments.len());
            let tip = chain.mine(1).unwrap();
            for &txid in &payments {
                assert_eq!(chain.confirmation_height(txid).unwrap(), Some(tip.height));
            }
        }
        let height = chain.tip().unwrap().height;
        assert!(matches!(
            chain.reorg(height + 1),
            Err(ChainError::ReorgTooDeep { .. })
        ));
    });
}

#[test]
fn a_reorganisation_forgets_what_spent_its_coinbases() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        let payment = payment(chain, &mut wallet, 1_000);
        chain.submit(&payment).unwrap();
        chain.reorg(COINBASE_MATURITY_BLOCKS + 1).unwrap();
        assert!(chain.mempool().unwrap().is_empty());
        assert_refused(chain.submit(&payment), "bad-txns-inputs-missingorspent");
        assert_eq!(wallet.balance(chain).unwrap(), Amount::ZERO);
        let tried = wallet.pay(chain, vec![output(1_000, ScriptBuf::new_p2a())], RATE);
        assert!(matches!(tried, Err(WalletError::InsufficientFunds { .. })));
    });
}

#[test]
fn more_than_a_block_of_transactions_takes_two() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 11);
        let filler = ScriptBuf::new_op_return(
            bitcoin::script::PushBytesBuf::try_from(vec![0; 97_000]).unwrap(),
        );
        let txids: Vec<Txid> = (0..11)
            .map(|_| {
                let heavy = wallet
                    .pay(chain, vec![output(0, filler.clone())], RATE)
                    .unwrap();
                chain.submit(&heavy).unwrap()
            })
            .collect();
        let first = chain.mine(1).unwrap().height;
        assert_eq!(chain.mempool().unwrap().len(), 1);
        chain.mine(1).unwrap();
        let mut heights: Vec<u32> = txids
            .iter()
            .map(|&txid| chain.confirmation_height(txid).unwrap().expect("confirmed") - first)
            .collect();
        heights.sort_unstable();
        assert_eq!(heights, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    });
}

#[test]
fn a_miner_takes_what_does_not_relay() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        let filler = ScriptBuf::new_op_return(
            bitcoin::script::PushBytesBuf::try_from(vec![0; 200_000]).unwrap(),
        );
        let heavy = wallet.pay(chain, vec![output(0, filler)], RATE).unwrap();
        assert_refused(chain.submit(&heavy), "tx-size");
        let tip = chain.mine_block(std::slice::from_ref(&heavy)).unwrap();
        assert_eq!(
            chain.confirmation_height(heavy.compute_txid()).unwrap(),
            Some(tip.height)
        );
    });
}

#[test]
fn a_child_pays_for_its_parent() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 3);
        let (script, proof) = leaf_output(&[0x51]);
        for (anchor_sat, version) in [(0, 3), (240, 3)] {
            let (outpoint, _) = wallet
                .fund(chain, &script, Amount::from_sat(10_000))
                .unwrap();
            let mut spend = input(outpoint);
            spend.witness = leaf_witness(&[], &proof);
            let outputs = vec![
                output(10_000 - anchor_sat, script.clone()),
                policy::anchor_output(Amount::from_sat(anchor_sat)),
            ];
            let parent = transaction(version, vec![spend], outputs);
            assert_refused(chain.submit(&parent), "min relay fee not met");

            let rate = FeeRate::from_sat_per_vb_u32(5);
            let child = wallet.pay_for(chain, &parent, Amount::ZERO, rate).unwrap();
            chain.submit_package(&parent, &child).unwrap();
            assert_eq!(
                chain.mempool().unwrap(),
                [parent.compute_txid(), child.compute_txid()]
            );
            chain
                .submit_package(&parent, &child)
                .expect("the same again is no error");

            // A second child at a higher rate takes the place of the first, although it spends another coin.
            let rate = FeeRate::from_sat_per_vb_u32(20);
            let better = wallet.pay_for(chain, &parent, Amount::ZERO, rate).unwrap();
            chain.submit_package(&parent, &better).unwrap();
            assert_eq!(
                chain.mempool().unwrap(),
                [parent.compute_txid(), better.compute_txid()]
            );
            let size_vb = (parent.vsize() + better.vsize()) as u64;
            println!("{}: package of {size_vb} vB", chain.name());

            let tip = chain.mine(1).unwrap();
            assert_eq!(
                chain.confirmation_height(parent.compute_txid()).unwrap(),
                Some(tip.height)
            );
            assert_eq!(
                chain.confirmation_height(better.compute_txid()).unwrap(),
                Some(tip.height)
            );
            assert_eq!(
                chain.confirmation_height(child.compute_txid()).unwrap(),
                None
            );
            wallet.release(&child);
        }
        let no_anchor = payment(chain, &mut wallet, 1_000);
        let mut stripped = no_anchor.clone();
        stripped.output.remove(0);
        let tried = wallet.pay_for(chain, &stripped, Amount::ZERO, RATE);
        assert!(matches!(tried, Err(WalletError::NoAnchor { .. })));
    });
}

#[test]
fn the_embedded_chain_is_deterministic() {
    let tips: Vec<_> = (0..2)
        .map(|_| {
            let mut chain = tapcourt_chain::Embedded::new().unwrap();
            let mut wallet = rich(&mut chain, 2);
            let payment = payment(&chain, &mut wallet, 1_000);
            chain.submit(&payment).unwrap();
            chain.mine(3).unwrap();
            chain.reorg(2).unwrap()
        })
        .collect();
    assert_eq!(tips[0], tips[1]);
    println!("both end at {:?}", tips[0]);
}

#[test]
fn a_node_that_is_not_there_is_one_clear_line() {
    use std::path::Path;
    use tapcourt_chain::{Credentials, Node};

    let login = Credentials::UserPassword {
        user: "u".into(),
        password: "p".into(),
    };
    let errors = [
        Node::connect("http://127.0.0.1:1", &login).unwrap_err(),
        Node::connect("no url", &login).unwrap_err(),
        Node::connect(
            "http://127.0.0.1:1",
            &Credentials::Cookie("/nonexistent/.cookie".into()),
        )
        .unwrap_err(),
        Node::spawn(Path::new("/nonexistent/bitcoind")).unwrap_err(),
        Node::spawn(Path::new("/bin/true")).unwrap_err(),
    ];
    for error in errors {
        println!("{error}");
        assert!(!error.to_string().contains('\n'));
    }
    assert!(!format!("{login:?}").contains("\"p\""));
}
