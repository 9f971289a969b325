//! Fees on every chain: children made anew that outbid those of before.

use crate::support::{input, leaf_output, leaf_witness, on_every_chain, output, rich, transaction};
use bitcoin::script::PushBytesBuf;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, FeeRate, ScriptBuf, Transaction, TxOut};
use tapcourt_chain::{Chain, ChainError, MempoolEntry, Wallet, policy};

const fn rate(sat_per_vb: u32) -> FeeRate {
    FeeRate::from_sat_per_vb_u32(sat_per_vb)
}

/// A wallet that is not that of `rich`, with this many mature coins.
fn foreign(chain: &mut dyn Chain, coins: u32) -> Wallet {
    let mut wallet = Wallet::new(&SecretKey::from_slice(&[9; 32]).unwrap());
    wallet.mine_coins(chain, coins).unwrap();
    wallet
}

/// A version 3 transaction without a fee that has an anchor.
fn anchored(chain: &mut dyn Chain, wallet: &mut Wallet) -> Transaction {
    let (script, proof) = leaf_output(&[0x51]);
    let (outpoint, _) = wallet
        .fund(chain, &script, Amount::from_sat(10_000))
        .unwrap();
    let mut spend = input(outpoint);
    spend.witness = leaf_witness(&[], &proof);
    let outputs = vec![
        output(9_760, script),
        policy::anchor_output(Amount::from_sat(240)),
    ];
    transaction(3, vec![spend], outputs)
}

/// What a transaction spends. The chain has all of it.
fn prevouts(chain: &dyn Chain, known: &Transaction, transaction: &Transaction) -> Vec<TxOut> {
    let prevout = |input: &bitcoin::TxIn| {
        let (txid, vout) = (input.previous_output.txid, input.previous_output.vout);
        let spent = if txid == known.compute_txid() {
            known.clone()
        } else {
            chain.transaction(txid).unwrap().unwrap()
        };
        spent.output[vout as usize].clone()
    };
    transaction.input.iter().map(prevout).collect()
}

fn entry(chain: &dyn Chain, transaction: &Transaction) -> MempoolEntry {
    let entry = chain.mempool_entry(transaction.compute_txid()).unwrap();
    let entry = entry.expect("it is in the mempool");
    assert_eq!(entry.vsize_vb, transaction.vsize() as u64);
    entry
}

#[track_caller]
fn assert_refused(result: Result<(), ChainError>, reason: &str) {
    let error = result.expect_err("it must be refused");
    let found = error.core_reason().unwrap_or("?");
    assert!(found.starts_with(reason), "{error}");
}

#[test]
fn a_child_of_ours_is_made_anew() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 4);
        let parent = anchored(chain, &mut wallet);
        let free = wallet.spendable(chain).unwrap().len();
        let mut old = wallet
            .pay_for(chain, &parent, Amount::ZERO, rate(2))
            .unwrap();
        assert_eq!(chain.mempool_entry(old.compute_txid()).unwrap(), None);
        chain.submit_package(&parent, &old).unwrap();
        for sat_per_vb in [4, 9, 30] {
            let known = entry(chain, &old);
            let new = wallet
                .pay_for_again(
                    chain,
                    &parent,
                    Amount::ZERO,
                    rate(sat_per_vb),
                    Some((&old, known)),
                )
                .unwrap();
            // The same coin pays.
            assert_eq!(new.input.len(), 2);
            assert_eq!(
                new.input[1].previous_output, old.input[1].previous_output,
                "{sat_per_vb} sat/vB"
            );
            chain.submit_package(&parent, &new).unwrap();
            let (txid, fee) = (new.compute_txid(), entry(chain, &new).fee);
            assert_eq!(chain.mempool().unwrap(), [parent.compute_txid(), txid]);
            assert_eq!(entry(chain, &parent).fee, Amount::ZERO);
            let both_vb = (parent.vsize() + new.vsize()) as u64;
            assert_eq!(Some(fee), rate(sat_per_vb).fee_vb(both_vb));
            old = new;
        }
        assert_eq!(wallet.spendable(chain).unwrap().len(), free - 1);
        chain.mine(1).unwrap();
        // The last child's change.
        assert_eq!(wallet.spendable(chain).unwrap().len(), free);
    });
}

#[test]
fn the_least_that_outbids_a_child_does() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 4);
        let parent = anchored(chain, &mut wallet);
        let old = wallet
            .pay_for(chain, &parent, Amount::ZERO, rate(5))
            .unwrap();
        chain.submit_package(&parent, &old).unwrap();
        let known = entry(chain, &old);

        // Without knowing of the other child, a lower rate is not enough.
        let cheap = wallet
            .pay_for(chain, &parent, Amount::ZERO, rate(4))
            .unwrap();
        assert_refused(chain.submit_package(&parent, &cheap), "insufficient fee");
        wallet.release(&cheap);

        let new = wallet
            .pay_for_again(chain, &parent, Amount::ZERO, rate(1), Some((&old, known)))
            .unwrap();
        let spent = prevouts(chain, &parent, &new);
        let fee: Amount = spent.iter().map(|output| output.value).sum::<Amount>()
            - new.output.iter().map(|output| output.value).sum();
        let relay = policy::incremental_relay_fee(new.vsize() as u64);
        assert_eq!(fee, known.fee + relay);
        let mut cheaper = new.clone();
        cheaper.output[0].value += Amount::ONE_SAT;
        wallet.sign(&mut cheaper, &spent).unwrap();
        assert_refused(chain.submit_package(&parent, &cheaper), "insufficient fee");
        assert_eq!(entry(chain, &old), known);
        chain.submit_package(&parent, &new).unwrap();
        assert_eq!(entry(chain, &new).fee, fee);
    });
}

#[test]
fn a_foreign_child_is_outbid() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 4);
        let mut other = foreign(chain, 4);
        // Small and at a good rate; large and at a bad one, which costs more to replace.
        for (data_bytes, sat_per_vb) in [(0, 20), (800, 1)] {
            let parent = anchored(chain, &mut wallet);
            let mut theirs = other
                .pay_for(chain, &parent, Amount::ZERO, rate(sat_per_vb))
                .unwrap();
            if data_bytes > 0 {
                let data = PushBytesBuf::try_from(vec![0; data_bytes]).unwrap();
                let script = ScriptBuf::new_op_return(data);
                theirs.output.push(output(0, script));
                theirs.output[0].value -= Amount::from_sat(900);
                let spent = prevouts(chain, &parent, &theirs);
                other.sign(&mut theirs, &spent).unwrap();
            }
            chain.submit_package(&parent, &theirs).unwrap();
            let known = entry(chain, &theirs);
            for sat_per_vb in [1, 50] {
                let free = wallet.spendable(chain).unwrap().len();
                let ours = wallet
                    .pay_for_again(
                        chain,
                        &parent,
                        Amount::ZERO,
                        rate(sat_per_vb),
                        Some((&theirs, known)),
                    )
                    .unwrap();
                assert_eq!(wallet.spendable(chain).unwrap().len(), free - 1);
                if sat_per_vb == 1 {
                    chain.test_accept(&ours).unwrap();
                    wallet.release(&ours);
                    continue;
                }
                chain.submit_package(&parent, &ours).unwrap();
                let txids = [parent.compute_txid(), ours.compute_txid()];
                assert_eq!(chain.mempool().unwrap(), txids);
            }
            chain.mine(1).unwrap();
            other.release(&theirs);
        }
        let mut poor = crate::support::wallet();
        let parent = anchored(chain, &mut wallet);
        assert!(
            poor.pay_for_again(chain, &parent, Amount::ZERO, rate(1), None)
                .is_err()
        );
    });
}
