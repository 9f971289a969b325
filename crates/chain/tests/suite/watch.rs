//! What only a node has: an interest in some of its transactions, waiting for its blocks.

use std::time::{Duration, Instant};

use crate::support::{bitcoind, input, leaf_output, leaf_witness, output, rich, transaction};
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, FeeRate, OutPoint, Transaction};
use tapcourt_chain::{Broadcast, ChainView, Credentials, Interest, Node, Regtest, Wallet, policy};

const RATE: FeeRate = FeeRate::from_sat_per_vb_u32(2);

const FOREIGN: u32 = 300;

fn node() -> Option<Node> {
    let executable = bitcoind();
    if executable.is_none() {
        println!("skipped: scripts/bitcoind builds a node");
    }
    executable.map(|executable| Node::spawn(&executable).expect("the node starts"))
}

/// Confirms hundreds of transactions that have nothing to do with the contract, in two blocks.
fn foreign_traffic(node: &mut Node, stranger: &mut Wallet) {
    let (script, proof) = leaf_output(&[0x51]);
    let outputs = vec![output(1_000, script.clone()); FOREIGN as usize];
    let payment = stranger.pay(node, outputs, RATE).unwrap();
    let txid = node.submit(&payment).unwrap();
    node.mine(1).unwrap();
    for vout in 0..FOREIGN {
        let mut spent = input(OutPoint { txid, vout });
        spent.witness = leaf_witness(&[], &proof);
        let spend = transaction(2, vec![spent], vec![output(700, script.clone())]);
        node.submit(&spend).unwrap();
    }
    node.mine(1).unwrap();
}

#[test]
fn memory_is_bounded_by_what_is_of_interest() {
    let Some(mut node) = node() else { return };
    let mut wallet = rich(&mut node, 4);
    let mut stranger = Wallet::new(&SecretKey::from_slice(&[9; 32]).unwrap());
    stranger.mine_coins(&mut node, 4).unwrap();
    foreign_traffic(&mut node, &mut stranger);

    // The contract: an output that a parent spends, for which a child pays.
    let (script, proof) = leaf_output(&[0x52]);
    let (root, _) = wallet
        .fund(&mut node, &script, Amount::from_sat(10_000))
        .unwrap();
    let mut spend = input(root);
    spend.witness = leaf_witness(&[], &proof);
    let outputs = vec![
        output(9_760, script.clone()),
        policy::anchor_output(Amount::from_sat(240)),
    ];
    let parent = transaction(3, vec![spend], outputs);
    let child = wallet.pay_for(&node, &parent, Amount::ZERO, RATE).unwrap();
    let child_of = OutPoint::new(parent.compute_txid(), 1);
    node.submit_package(&parent, &child).unwrap();
    node.mine(1).unwrap();

    assert!(node.spender(root).unwrap().is_some());
    let all = node.transactions_kept();
    assert!(all > FOREIGN as usize, "{all}");
    node.watch(Interest {
        outpoints: [root].into(),
        ..Interest::default()
    });
    assert!(node.spender(root).unwrap().is_some());
    assert_eq!(node.transactions_kept(), 2);
    node.watch(Interest {
        txids: [root.txid].into(),
        scripts: [wallet.script_pubkey()].into(),
        ..Interest::default()
    });

    let confirmed = |node: &Node, transaction: &Transaction| {
        node.confirmation_height(transaction.compute_txid())
            .unwrap()
    };
    let assert_known = |node: &Node, at: Option<u32>| {
        assert_eq!(confirmed(node, &parent), at);
        assert_eq!(confirmed(node, &child), at);
        for (outpoint, by, input_index) in [(root, &parent, 0), (child_of, &child, 0)] {
            let spend = node.spender(outpoint).unwrap().expect("spent");
            assert_eq!(
                (&spend.transaction, spend.input_index, spend.height),
                (by, input_index, at)
            );
        }
        assert_eq!(
            node.transaction(child.compute_txid()).unwrap().as_ref(),
            Some(&child)
        );
    };
    let tip = node.tip().unwrap().height;
    assert_known(&node, Some(tip));
    // Four coinbases, the funding, parent and child.
    assert_eq!(node.transactions_kept(), 7);

    // A reorganisation unconfirms them, and so does a second one after they are confirmed again.
    for depth in [1, 4] {
        node.reorg(depth).unwrap();
        assert_eq!(confirmed(&node, &parent), None);
        assert!(node.mempool().unwrap().contains(&parent.compute_txid()));
        assert_known(&node, None);
        let tip = node.mine(1).unwrap().height;
        assert_known(&node, Some(tip));
        assert_eq!(node.transactions_kept(), 7);
    }
    foreign_traffic(&mut node, &mut stranger);
    assert_eq!(confirmed(&node, &parent), confirmed(&node, &child));
    assert_eq!(node.transactions_kept(), 7);
    assert!(!wallet.spendable(&node).unwrap().is_empty());

    // What is not kept is asked of the node.
    let height = node.tip().unwrap().height;
    let block = node.block(height).unwrap().expect("the tip");
    assert_eq!(block.txdata.len(), FOREIGN as usize + 1);
    assert_eq!(
        node.coinbase(height).unwrap().as_ref(),
        Some(&block.txdata[0])
    );
    assert_eq!(node.block(height + 1).unwrap(), None);
    assert_eq!(node.coinbase(height + 1).unwrap(), None);
    println!("{all} transactions without an interest, 7 with it");
}

#[test]
fn a_node_is_waited_for() {
    let Some(executable) = bitcoind() else { return };
    let mut conf = bitcoind::Conf::default();
    conf.args = vec!["-regtest", "-dnsseed=0", "-fixedseeds=0"];
    conf.wallet = None;
    let daemon = bitcoind::BitcoinD::with_conf(executable, &conf).expect("the node starts");
    let connect = || {
        let login = Credentials::Cookie(daemon.params.cookie_file.clone());
        Node::connect(&daemon.rpc_url(), &login).unwrap()
    };
    let (node, mut miner) = (connect(), connect());
    assert_eq!(node.network(), "regtest");
    node.check_synced().unwrap();
    let known = miner.mine(1).unwrap().hash;
    let start = Instant::now();
    let short = Duration::from_millis(300);
    node.wait_for_block(known, short).unwrap();
    assert!(start.elapsed() >= short);
    node.wait_for_block(known, Duration::ZERO).unwrap();

    let start = Instant::now();
    let other = std::thread::spawn(move || {
        std::thread::sleep(short);
        miner.mine(1).unwrap().hash
    });
    node.wait_for_block(known, Duration::from_secs(60)).unwrap();
    let waited = start.elapsed();
    assert_eq!(node.tip().unwrap().hash, other.join().unwrap());
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    println!("waited for {waited:?}");
    // A block that is already there is not waited for.
    node.wait_for_block(known, Duration::from_secs(60)).unwrap();
}
