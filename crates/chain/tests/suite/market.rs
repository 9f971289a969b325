//! When block space is dear: what miners take, what mempools ask for and forget. On the embedded
//! chain by its settings, on a node by its options.

use std::collections::HashSet;

use crate::support::{bitcoind, input, leaf_output, leaf_witness, output, rich, transaction};
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Transaction};
use tapcourt_chain::{
    Broadcast, Chain, ChainView, Credentials, Embedded, Node, Regtest, Wallet, policy,
};

const fn rate(sat_per_vb: u32) -> FeeRate {
    FeeRate::from_sat_per_vb_u32(sat_per_vb)
}

/// A node with these options, and its daemon.
fn node_with(options: &[&'static str]) -> Option<(Node, bitcoind::BitcoinD)> {
    let Some(executable) = bitcoind() else {
        println!("skipped on a node: scripts/bitcoind builds one");
        return None;
    };
    let mut conf = bitcoind::Conf::default();
    conf.args = vec![
        "-regtest",
        "-acceptnonstdtxn=0",
        "-dnsseed=0",
        "-fixedseeds=0",
    ];
    conf.args.extend(options);
    conf.wallet = None;
    let daemon = bitcoind::BitcoinD::with_conf(executable, &conf).expect("the node starts");
    let login = Credentials::Cookie(daemon.params.cookie_file.clone());
    let node = Node::connect(&daemon.rpc_url(), &login).unwrap();
    Some((node, daemon))
}

/// A version 3 transaction without a fee that has an anchor. What it spends is mined without the
/// mempool.
fn anchored(chain: &mut dyn Chain, wallet: &mut Wallet) -> Transaction {
    let (script, proof) = leaf_output(&[0x51]);
    let payment = wallet
        .pay(chain, vec![output(10_000, script.clone())], rate(1))
        .unwrap();
    chain.mine_block(std::slice::from_ref(&payment)).unwrap();
    let mut spend = input(OutPoint::new(payment.compute_txid(), 0));
    spend.witness = leaf_witness(&[], &proof);
    let outputs = vec![
        output(9_760, script),
        policy::anchor_output(Amount::from_sat(240)),
    ];
    transaction(3, vec![spend], outputs)
}

fn payment(chain: &dyn Chain, wallet: &mut Wallet, sat_per_vb: u32) -> Transaction {
    wallet
        .pay(
            chain,
            vec![output(1_000, ScriptBuf::new_p2a())],
            rate(sat_per_vb),
        )
        .unwrap()
}

/// `mine` makes a block of what pays 4 sat/vB.
fn dear_blocks<C: Chain>(chain: &mut C, mine: impl Fn(&mut C)) {
    let mut wallet = rich(chain, 8);
    let mut packages = Vec::new();
    for sat_per_vb in [3, 5] {
        let parent = anchored(chain, &mut wallet);
        packages.push((parent, sat_per_vb));
    }
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for (parent, sat_per_vb) in packages {
        let child = wallet
            .pay_for(chain, &parent, Amount::ZERO, rate(sat_per_vb))
            .unwrap();
        chain.submit_package(&parent, &child).unwrap();
        let list = if sat_per_vb < 4 {
            &mut left
        } else {
            &mut taken
        };
        list.extend([parent.compute_txid(), child.compute_txid()]);
    }
    for sat_per_vb in [2, 3, 4, 5] {
        let txid = chain
            .submit(&payment(chain, &mut wallet, sat_per_vb))
            .unwrap();
        let list = if sat_per_vb < 4 {
            &mut left
        } else {
            &mut taken
        };
        list.push(txid);
    }
    mine(chain);
    let tip = chain.tip().unwrap().height;
    for txid in taken {
        assert_eq!(chain.confirmation_height(txid).unwrap(), Some(tip));
    }
    let mempool: HashSet<_> = chain.mempool().unwrap().into_iter().collect();
    assert_eq!(mempool, left.iter().copied().collect());
    println!("{}: {} transactions are left", chain.name(), left.len());
}

#[test]
fn dear_blocks_take_packages_by_what_they_pay() {
    let mut chain = Embedded::new().unwrap();
    dear_blocks(&mut chain, |chain| {
        chain.mine_market(1, rate(4), &HashSet::new()).unwrap();
    });
    // Named transactions are left out, with what spends them.
    let mempool = chain.mempool().unwrap();
    let named = mempool[0];
    let child = mempool[1];
    chain.mine_market(3, rate(1), &[named].into()).unwrap();
    assert_eq!(chain.mempool().unwrap(), [named, child]);
    chain.clear_mempool();
    assert!(chain.mempool().unwrap().is_empty());
    assert_eq!(chain.transaction(named).unwrap(), None);
    if let Some((mut node, _daemon)) = node_with(&["-blockmintxfee=0.00004"]) {
        dear_blocks(&mut node, |node| {
            node.mine(1).unwrap();
        });
    }
}

/// The mempool takes nothing below 5 sat/vB.
fn full_mempool(chain: &mut dyn Chain) {
    assert_eq!(chain.min_feerate().unwrap(), rate(5));
    let mut wallet = rich(chain, 8);
    for (sat_per_vb, taken) in [(4, false), (5, true), (6, true)] {
        let single = payment(chain, &mut wallet, sat_per_vb);
        let verdict = chain.submit(&single);
        assert_eq!(verdict.is_ok(), taken, "{sat_per_vb}: {verdict:?}");
        if !taken {
            wallet.release(&single);
        }
        let parent = anchored(chain, &mut wallet);
        assert!(chain.submit(&parent).is_err());
        let child = wallet
            .pay_for(chain, &parent, Amount::ZERO, rate(sat_per_vb))
            .unwrap();
        let verdict = chain.submit_package(&parent, &child);
        assert_eq!(verdict.is_ok(), taken, "{sat_per_vb}: {verdict:?}");
        if let Err(error) = verdict {
            println!("{}: {error}", chain.name());
        }
        chain.mine(1).unwrap();
    }
}

#[test]
fn a_full_mempool_asks_for_more_of_singles_and_packages() {
    let mut chain = Embedded::new().unwrap();
    assert_eq!(chain.min_feerate().unwrap(), policy::min_relay_feerate());
    chain.set_min_feerate(rate(5));
    full_mempool(&mut chain);
    assert_eq!(chain.estimate_feerate(6).unwrap(), None);
    chain.set_estimate(Some(rate(9)));
    assert_eq!(chain.estimate_feerate(6).unwrap(), Some(rate(9)));
    chain.set_min_feerate(FeeRate::ZERO);
    assert_eq!(chain.min_feerate().unwrap(), policy::min_relay_feerate());
    if let Some((mut node, _daemon)) = node_with(&["-minrelaytxfee=0.00005"]) {
        full_mempool(&mut node);
        assert_eq!(node.estimate_feerate(6).unwrap(), None);
    }
}

#[test]
fn a_mempool_forgets_after_two_weeks() {
    let two_weeks = u64::from(policy::MEMPOOL_EXPIRY_SECONDS);
    let mut chain = Embedded::new().unwrap();
    let mut wallet = rich(&mut chain, 3);
    let old = chain.submit(&payment(&chain, &mut wallet, 2)).unwrap();
    let none =
        |chain: &mut Embedded, blocks| chain.mine_market(blocks, rate(1_000), &HashSet::new());
    // A block is ten minutes.
    none(&mut chain, (two_weeks / 600) as u32).unwrap();
    assert_eq!(chain.mempool().unwrap(), [old]);
    let young = chain.submit(&payment(&chain, &mut wallet, 2)).unwrap();
    none(&mut chain, 1).unwrap();
    assert_eq!(chain.mempool().unwrap(), [young]);

    let Some((mut node, daemon)) = node_with(&[]) else {
        return;
    };
    let mut wallet = rich(&mut node, 3);
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let start = time.unwrap().as_secs() + 1_000;
    let set_time = |time: u64| {
        let argument = [serde_json::json!(time)];
        let _: serde_json::Value = daemon.client.call("setmocktime", &argument).unwrap();
    };
    set_time(start);
    let old = node.submit(&payment(&node, &mut wallet, 2)).unwrap();
    set_time(start + two_weeks);
    let young = node.submit(&payment(&node, &mut wallet, 2)).unwrap();
    assert!(node.mempool().unwrap().contains(&old));
    set_time(start + two_weeks + 600);
    let last = node.submit(&payment(&node, &mut wallet, 2)).unwrap();
    let mempool: HashSet<_> = node.mempool().unwrap().into_iter().collect();
    assert_eq!(mempool, [young, last].into());
}
