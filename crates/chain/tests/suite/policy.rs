//! Our policy module's verdicts, and those of a Bitcoin Core node under default policy, on the same transactions.

use crate::support::{input, leaf_output, leaf_witness, on_every_chain, output, rich, transaction};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_PUSHNUM_1};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::taproot::TAPROOT_ANNEX_PREFIX;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, FeeRate, OutPoint, PubkeyHash, PublicKey, Script, ScriptBuf, ScriptHash, Sequence,
    Transaction, TxOut, WPubkeyHash, WScriptHash, Witness,
};
use tapcourt_chain::{Chain, Wallet, policy};

const CONTRACT_SAT: u64 = 200_000;

/// `OP_DROP OP_1`: a leaf that takes one argument of any length.
const DROP_LEAF: [u8; 2] = [0x75, 0x51];

/// A chain with a wallet, and outputs to try things on.
struct Bench<'a> {
    chain: &'a mut dyn Chain,
    wallet: Wallet,
    /// Confirmed outputs to [`DROP_LEAF`], each of [`CONTRACT_SAT`].
    contracts: Vec<OutPoint>,
}

impl<'a> Bench<'a> {
    fn new(chain: &'a mut dyn Chain, contracts: usize) -> Self {
        let mut wallet = rich(chain, 30);
        let outputs = vec![output(CONTRACT_SAT, leaf_output(&DROP_LEAF).0); contracts];
        let payment = wallet
            .pay(chain, outputs, FeeRate::from_sat_per_vb_u32(2))
            .unwrap();
        chain.submit(&payment).unwrap();
        chain.mine(1).unwrap();
        let txid = payment.compute_txid();
        let contracts = (0..)
            .take(contracts)
            .map(|vout| OutPoint { txid, vout })
            .collect();
        Self {
            chain,
            wallet,
            contracts,
        }
    }

    /// A transaction that spends one contract output with an argument and has a fee of 5,000 sat unless `outputs` say
    /// otherwise: a last output takes the rest.
    fn spend_with(
        &mut self,
        version: i32,
        argument: &[u8],
        mut outputs: Vec<TxOut>,
        fee_sat: u64,
    ) -> Transaction {
        let mut spent = input(self.contracts.pop().expect("enough contracts"));
        spent.witness = leaf_witness(&[argument.to_vec()], &leaf_output(&DROP_LEAF).1);
        let others: u64 = outputs.iter().map(|output| output.value.to_sat()).sum();
        outputs.push(output(
            CONTRACT_SAT - others - fee_sat,
            leaf_output(&DROP_LEAF).0,
        ));
        transaction(version, vec![spent], outputs)
    }

    fn spend(&mut self, outputs: Vec<TxOut>) -> Transaction {
        self.spend_with(2, &[], outputs, 5_000)
    }

    /// As [`Self::spend_with`], of exactly this weight.
    fn of_weight(&mut self, version: i32, weight_wu: u64) -> Transaction {
        let contract = *self.contracts.last().expect("enough contracts");
        // An OP_RETURN output gives 4 WU a byte, the argument 1.
        for argument in 1..=8 {
            self.contracts.push(contract);
            let empty = self.spend_with(version, &vec![0; argument], vec![data(65_600)], 60_000);
            let missing = weight_wu as i64 - empty.weight().to_wu() as i64;
            if missing % 4 == 0 {
                let bytes = (65_600 + missing / 4) as usize;
                let found = self.replace_data(empty, bytes);
                // Shorter data can have a shorter length prefix.
                let missing = (weight_wu - found.weight().to_wu()) / 4;
                let found = self.replace_data(found, bytes + missing as usize);
                if found.weight().to_wu() == weight_wu {
                    self.contracts.retain(|&other| other != contract);
                    return found;
                }
            }
        }
        panic!("no transaction of {weight_wu} WU");
    }

    fn replace_data(&self, mut transaction: Transaction, bytes: usize) -> Transaction {
        transaction.output[0] = data(bytes);
        transaction
    }
}

fn data(bytes: usize) -> TxOut {
    output(
        0,
        ScriptBuf::new_op_return(PushBytesBuf::try_from(vec![0; bytes]).unwrap()),
    )
}

fn p2tr() -> ScriptBuf {
    leaf_output(&[0x51]).0
}

fn multisig(keys: usize) -> ScriptBuf {
    let key: PublicKey = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        .parse()
        .unwrap();
    let builder = (0..keys).fold(Builder::new().push_opcode(OP_PUSHNUM_1), |builder, _| {
        builder.push_key(&key)
    });
    builder
        .push_int(keys as i64)
        .push_opcode(OP_CHECKMULTISIG)
        .into_script()
}

fn future_witness() -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x52, 0x20][..], &[1; 32]].concat())
}

/// The transactions, with the reject reason that Core gives, empty for accepted ones.
fn table(bench: &mut Bench) -> Vec<(String, Transaction, &'static str)> {
    let mut table: Vec<(String, Transaction, &'static str)> = Vec::new();
    for (version, reason) in [
        (0, "version"),
        (1, ""),
        (2, ""),
        (3, ""),
        (4, "version"),
        (-1, "version"),
    ] {
        table.push((
            format!("version {version}"),
            bench.spend_with(version, &[], vec![], 5_000),
            reason,
        ));
    }
    table.push(("400,000 WU".into(), bench.of_weight(2, 400_000), ""));
    table.push(("400,001 WU".into(), bench.of_weight(2, 400_001), "tx-size"));
    table.push((
        "version 3, 40,000 WU".into(),
        bench.of_weight(3, 40_000),
        "",
    ));
    table.push((
        "version 3, 40,001 WU".into(),
        bench.of_weight(3, 40_001),
        "TRUC-violation",
    ));

    // 10 bytes, an input of 41, and an output of 9 with its script.
    for (bytes, reason) in [(64, "tx-size-small"), (65, "")] {
        let mut small = bench.spend(vec![]);
        small.output = vec![output(
            0,
            ScriptBuf::from_bytes([&[0x6a][..], &vec![0; bytes - 61]].concat()),
        )];
        table.push((format!("{bytes} bytes without witness"), small, reason));
    }

    let scripts: [(&str, ScriptBuf, u64); 7] = [
        ("P2TR", p2tr(), 330),
        (
            "P2WSH",
            ScriptBuf::new_p2wsh(&WScriptHash::all_zeros()),
            330,
        ),
        (
            "P2WPKH",
            ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros()),
            294,
        ),
        ("P2PKH", ScriptBuf::new_p2pkh(&PubkeyHash::all_zeros()), 546),
        ("P2SH", ScriptBuf::new_p2sh(&ScriptHash::all_zeros()), 540),
        ("P2A", ScriptBuf::new_p2a(), 240),
        ("witness version 2", future_witness(), 330),
    ];
    for (name, script, threshold) in scripts {
        assert_eq!(
            policy::dust_threshold(&script).to_sat(),
            threshold,
            "{name}"
        );
        table.push((
            format!("{name} at the dust threshold"),
            bench.spend(vec![output(threshold, script.clone())]),
            "",
        ));
        let below = bench.spend(vec![output(threshold - 1, script)]);
        table.push((format!("{name} below the dust threshold"), below, "dust"));
    }
    let twice = bench.spend_with(
        3,
        &[],
        vec![output(0, ScriptBuf::new_p2a()), output(0, p2tr())],
        0,
    );
    table.push(("two dust outputs without a fee".into(), twice, "dust"));

    let odd: [(&str, ScriptBuf, &'static str); 6] = [
        (
            "OP_1 alone",
            ScriptBuf::from_bytes(vec![0x51]),
            "scriptpubkey",
        ),
        ("no script", ScriptBuf::new(), "scriptpubkey"),
        ("1 of 3 keys", multisig(3), ""),
        ("1 of 4 keys", multisig(4), "scriptpubkey"),
        (
            "OP_RETURN with an opcode",
            ScriptBuf::from_bytes(vec![0x6a, 0xac]),
            "scriptpubkey",
        ),
        ("OP_RETURN alone", ScriptBuf::from_bytes(vec![0x6a]), ""),
    ];
    for (name, script, reason) in odd {
        table.push((
            format!("output {name}"),
            bench.spend(vec![output(1_000, script)]),
            reason,
        ));
    }

    for (bytes, reason) in [(80, ""), (81, "bad-witness-nonstandard")] {
        let argument = vec![1; bytes];
        table.push((
            format!("argument of {bytes} bytes"),
            bench.spend_with(2, &argument, vec![], 5_000),
            reason,
        ));
    }
    let mut annex = bench.spend(vec![]);
    annex.input[0].witness.push([TAPROOT_ANNEX_PREFIX]);
    table.push(("annex".into(), annex, "bad-witness-nonstandard"));
    let mut broken = bench.spend(vec![]);
    broken.input[0].witness = leaf_witness(&[], &leaf_output(&DROP_LEAF).1);
    table.push((
        "leaf without its argument".into(),
        broken,
        "mempool-script-verify-flag-failed",
    ));
    let mut empty = bench.spend(vec![]);
    empty.input[0].witness = Witness::new();
    table.push((
        "no witness".into(),
        empty,
        "mempool-script-verify-flag-failed",
    ));
    let mut sig_script = bench.spend(vec![]);
    sig_script.input[0].script_sig = ScriptBuf::from_bytes(vec![0x51, 0x93]);
    table.push((
        "scriptSig with an addition".into(),
        sig_script,
        "scriptsig-not-pushonly",
    ));

    table.push((
        "no fee".into(),
        bench.spend_with(2, &[], vec![], 0),
        "min relay fee not met",
    ));
    let least = policy::min_relay_fee(bench.spend(vec![]).vsize() as u64).to_sat();
    table.push((
        "least fee".into(),
        bench.spend_with(2, &[], vec![], least),
        "",
    ));
    table.push((
        "a satoshi less".into(),
        bench.spend_with(2, &[], vec![], least - 1),
        "min relay fee not met",
    ));
    let mut overspent = bench.spend(vec![]);
    overspent.output[0].value = Amount::from_sat(CONTRACT_SAT + 1);
    table.push((
        "outputs above inputs".into(),
        overspent,
        "bad-txns-in-belowout",
    ));
    let mut twice = bench.spend(vec![]);
    twice.input.push(twice.input[0].clone());
    table.push(("an input twice".into(), twice, "bad-txns-inputs-duplicate"));
    let mut nothing = bench.spend(vec![]);
    nothing.output[0].value = Amount::MAX_MONEY + Amount::ONE_SAT;
    table.push((
        "more than all coins".into(),
        nothing,
        "bad-txns-vout-toolarge",
    ));

    let height = bench.chain.tip().unwrap().height;
    for (lock, reason) in [(height, ""), (height + 1, "non-final")] {
        let mut locked = bench.spend(vec![]);
        locked.lock_time = LockTime::from_height(lock).unwrap();
        table.push((
            format!("lock time {} above the tip", lock - height),
            locked,
            reason,
        ));
    }
    let confirmed = bench
        .chain
        .utxo(bench.contracts[0])
        .unwrap()
        .unwrap()
        .height
        .unwrap();
    let age = height + 1 - confirmed;
    for (blocks, reason) in [(age, ""), (age + 1, "non-BIP68-final")] {
        let mut locked = bench.spend(vec![]);
        locked.input[0].sequence = Sequence::from_height(blocks as u16);
        table.push((
            format!("relative lock of {blocks} blocks at {age}"),
            locked.clone(),
            reason,
        ));
        locked.version = Version::ONE;
        table.push((
            format!("version 1, relative lock of {blocks} blocks at {age}"),
            locked,
            "",
        ));
    }
    let mut locked = bench.spend(vec![]);
    locked.input[0].sequence = Sequence::from_512_second_intervals(1_000);
    table.push((
        "relative lock of 512,000 seconds".into(),
        locked,
        "non-BIP68-final",
    ));
    table
}

#[test]
fn verdicts_are_those_of_core() {
    on_every_chain(|chain| {
        let mut bench = Bench::new(chain, 80);
        bench.chain.mine(3).unwrap();
        let table = table(&mut bench);
        for (name, transaction, reason) in &table {
            let verdict = bench.chain.test_accept(transaction);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(&found, reason, "{name}: {verdict:?}");
        }
        // What is accepted is then mined.
        for (name, transaction, reason) in &table {
            let spent = transaction.input[0].previous_output;
            if reason.is_empty() && bench.chain.utxo(spent).unwrap().is_some() {
                let txid = bench.chain.submit(transaction).unwrap();
                let tip = bench.chain.mine(1).unwrap();
                let height = bench.chain.confirmation_height(txid).unwrap();
                assert_eq!(height, Some(tip.height), "{name}");
            }
        }
        println!("covered: {} transactions judged by policy", table.len());
    });
}

#[test]
fn spent_outputs_and_their_witnesses_must_be_standard() {
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 3);
        let one_leaf = leaf_output(&[0x51]).0;
        let spend = |outpoint: OutPoint, witness: Witness| {
            let mut spent = input(outpoint);
            spent.witness = witness;
            transaction(2, vec![spent], vec![output(1_000, one_leaf.clone())])
        };
        let (anchor, _) = wallet
            .fund(chain, &ScriptBuf::new_p2a(), Amount::from_sat(10_000))
            .unwrap();
        let (future, _) = wallet
            .fund(chain, &future_witness(), Amount::from_sat(10_000))
            .unwrap();
        let cases = [
            (
                "an anchor with a witness",
                spend(anchor, Witness::from_slice(&[[1]])),
                "bad-witness-nonstandard",
            ),
            ("an anchor", spend(anchor, Witness::new()), ""),
            (
                "witness version 2",
                spend(future, Witness::new()),
                "bad-txns-nonstandard-inputs",
            ),
        ];
        for (name, transaction, reason) in cases {
            let verdict = chain.test_accept(&transaction);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(found, reason, "{name}: {verdict:?}");
        }
    });
}

#[test]
fn taproot_scripts_must_be_minimal_and_defined() {
    const REFUSED: &str = "mempool-script-verify-flag-failed";
    on_every_chain(|chain| {
        let mut wallet = rich(chain, 1);
        // OP_1, a push of 33 bytes, OP_CHECKSIG
        let odd_key = [&[0x51, 0x21][..], &[2; 33], &[0xac]].concat();
        let cases = [
            ("a plain leaf", vec![0x51], vec![], ""),
            (
                "a push that could be shorter",
                vec![0x4c, 0x01, 0x07],
                vec![],
                REFUSED,
            ),
            (
                "a number that could be shorter",
                vec![0x8b],
                vec![vec![1, 0]],
                REFUSED,
            ),
            ("OP_NOP10", vec![0xb9, 0x51], vec![], REFUSED),
            ("OP_SUCCESS80", vec![0x50], vec![], REFUSED),
            ("a key of 33 bytes", odd_key, vec![], REFUSED),
        ];
        for (name, leaf, arguments, reason) in &cases {
            let (script, proof) = leaf_output(leaf);
            let (outpoint, _) = wallet
                .fund(chain, &script, Amount::from_sat(10_000))
                .unwrap();
            let mut spent = input(outpoint);
            spent.witness = leaf_witness(arguments, &proof);
            let spend = transaction(2, vec![spent], vec![output(9_000, script)]);
            let verdict = chain.submit(&spend);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(found, *reason, "{name}: {verdict:?}");
            let mined = chain.mine_block(&[spend]);
            assert!(mined.is_ok(), "{name}: consensus allows it, but: {mined:?}");
        }
        println!("covered: {} leaves judged by policy", cases.len());
    });
}

#[test]
fn unconfirmed_version_3_transactions_have_one_version_3_child() {
    on_every_chain(|chain| {
        let mut bench = Bench::new(chain, 20);
        let (script, proof) = leaf_output(&DROP_LEAF);
        let witness = leaf_witness(&[vec![1]], &proof);
        let child = |version: i32, spent: &[(&Transaction, u32)], fee_sat: u64| {
            let inputs = spent.iter().map(|&(parent, vout)| {
                let mut spent = input(OutPoint {
                    txid: parent.compute_txid(),
                    vout,
                });
                spent.witness = witness.clone();
                spent
            });
            let value: u64 = spent
                .iter()
                .map(|(parent, vout)| parent.output[*vout as usize].value.to_sat())
                .sum();
            transaction(
                version,
                inputs.collect(),
                vec![output(value - fee_sat, script.clone())],
            )
        };
        let parent = |bench: &mut Bench, version| {
            let half = output(CONTRACT_SAT / 2, script.clone());
            let parent = bench.spend_with(version, &[], vec![half], 2_000);
            bench.chain.submit(&parent).unwrap();
            parent
        };
        let (two, three, other) = (
            parent(&mut bench, 2),
            parent(&mut bench, 3),
            parent(&mut bench, 3),
        );
        let mut large = child(3, &[(&three, 0)], 50_000);
        large.output.insert(0, data(900));
        large.output[1].value = Amount::from_sat(1_000);
        assert!((1_000..1_100).contains(&large.vsize()));
        let first = child(3, &[(&three, 0)], 5_000);
        let cases = [
            (
                "a version 2 child of version 3",
                child(2, &[(&three, 0)], 5_000),
                "TRUC-violation",
            ),
            (
                "a version 3 child of version 2",
                child(3, &[(&two, 0)], 5_000),
                "TRUC-violation",
            ),
            (
                "a version 2 child of version 2",
                child(2, &[(&two, 0)], 5_000),
                "",
            ),
            (
                "a version 3 child of two",
                child(3, &[(&three, 0), (&other, 0)], 5_000),
                "TRUC-violation",
            ),
            ("a version 3 child above 1,000 vB", large, "TRUC-violation"),
            ("a version 3 child", first.clone(), ""),
            (
                "a second child that pays no more",
                child(3, &[(&three, 1)], 5_000),
                "insufficient fee",
            ),
            (
                "a grandchild",
                child(3, &[(&first, 0)], 5_000),
                "TRUC-violation",
            ),
            (
                "a second child that pays more",
                child(3, &[(&three, 1)], 20_000),
                "",
            ),
        ];
        for (name, transaction, reason) in cases {
            let verdict = bench.chain.submit(&transaction);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(found, reason, "{name}: {verdict:?}");
        }
        assert!(
            !bench
                .chain
                .mempool()
                .unwrap()
                .contains(&first.compute_txid())
        );
        bench.chain.mine(1).unwrap();
        assert!(bench.chain.mempool().unwrap().is_empty());
    });
}

#[test]
fn packages_are_judged_as_core_does() {
    let rate = FeeRate::from_sat_per_vb_u32(3);
    on_every_chain(|chain| {
        let mut bench = Bench::new(chain, 20);
        let anchored = |bench: &mut Bench, version, anchor_sat, fee_sat| {
            bench.spend_with(
                version,
                &[],
                vec![policy::anchor_output(Amount::from_sat(anchor_sat))],
                fee_sat,
            )
        };
        let mut cases: Vec<(&str, Transaction, Transaction, &str)> = Vec::new();
        for (name, anchor_sat) in [("an empty anchor", 0), ("an anchor of 240 sat", 240)] {
            let parent = anchored(&mut bench, 3, anchor_sat, 0);
            let child = bench
                .wallet
                .pay_for(bench.chain, &parent, Amount::ZERO, rate)
                .unwrap();
            cases.push((name, parent, child, ""));
        }
        let parent = anchored(&mut bench, 3, 0, 1_000);
        let child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::from_sat(1_000), rate)
            .unwrap();
        cases.push(("an empty anchor and a fee", parent, child, "dust"));
        let parent = anchored(&mut bench, 3, 240, 1_000);
        let child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::from_sat(1_000), rate)
            .unwrap();
        cases.push(("an anchor of 240 sat and a fee", parent, child, ""));

        let parent = anchored(&mut bench, 3, 0, 0);
        let mut child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::ZERO, rate)
            .unwrap();
        child.input[0] = input(OutPoint {
            txid: parent.compute_txid(),
            vout: 1,
        });
        child.input[0].witness = leaf_witness(&[vec![]], &leaf_output(&DROP_LEAF).1);
        child.input.truncate(1);
        child.output[0].value = parent.output[1].value - Amount::from_sat(5_000);
        cases.push((
            "the dust is not spent",
            parent,
            child,
            "missing-ephemeral-spends",
        ));

        let parent = anchored(&mut bench, 3, 0, 0);
        let none = FeeRate::from_sat_per_kwu(10);
        let child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::ZERO, none)
            .unwrap();
        cases.push(("40 sat/kvB", parent, child, "min relay fee not met"));

        let parent = anchored(&mut bench, 3, 0, 0);
        let mut child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::ZERO, rate)
            .unwrap();
        child.version = Version::TWO;
        cases.push((
            "version 2 pays for version 3",
            parent,
            child,
            "TRUC-violation",
        ));

        for (name, anchor_sat) in [
            ("version 2 without a fee, an empty anchor", 0),
            ("version 2 without a fee, an anchor of 240 sat", 240),
        ] {
            let parent = anchored(&mut bench, 2, anchor_sat, 0);
            let child = bench
                .wallet
                .pay_for(bench.chain, &parent, Amount::ZERO, rate)
                .unwrap();
            cases.push((name, parent, child, ""));
        }

        let parent = anchored(&mut bench, 2, 240, 1_000);
        let child = bench
            .wallet
            .pay_for(bench.chain, &parent, Amount::from_sat(1_000), rate)
            .unwrap();
        cases.push(("version 2 with a fee of its own", parent, child, ""));

        for (name, parent, child, reason) in &cases {
            let verdict = bench.chain.submit_package(parent, child);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(&found, reason, "{name}: {verdict:?}");
            bench.chain.mine(1).unwrap();
            let mined = bench
                .chain
                .confirmation_height(child.compute_txid())
                .unwrap()
                .is_some();
            assert_eq!(mined, reason.is_empty(), "{name}");
        }
        let unrelated = (
            anchored(&mut bench, 3, 240, 500),
            anchored(&mut bench, 3, 240, 500),
        );
        let verdict = bench.chain.submit_package(&unrelated.0, &unrelated.1);
        println!(
            "covered: {} packages judged by policy; unrelated ones: {}",
            cases.len(),
            verdict.unwrap_err()
        );
    });
}

#[test]
fn a_script_is_an_anchor_only_as_a_whole() {
    assert!(policy::is_anchor(&ScriptBuf::new_p2a()));
    assert!(policy::is_anchor(
        &policy::anchor_output(Amount::ZERO).script_pubkey
    ));
    assert!(!policy::is_anchor(Script::from_bytes(&[0x51, 0x02, 0x4e])));
    assert!(!policy::is_anchor(&p2tr()));
}

/// A transaction that spends outputs to [`DROP_LEAF`], one of each parent, and has so many bytes of data.
fn child_of(parents: &[&Transaction], data_bytes: usize, fee_sat: u64) -> Transaction {
    let (script, proof) = leaf_output(&DROP_LEAF);
    let mut value = 0;
    let mut inputs = Vec::new();
    for parent in parents {
        let found = parent.output.iter().position(|o| o.script_pubkey == script);
        let vout = found.expect("an output to the leaf") as u32;
        let txid = parent.compute_txid();
        let mut spent = input(OutPoint { txid, vout });
        spent.witness = leaf_witness(&[vec![1]], &proof);
        value += parent.output[vout as usize].value.to_sat();
        inputs.push(spent);
    }
    let mut outputs = vec![output(value - fee_sat, script)];
    if data_bytes > 0 {
        outputs.push(data(data_bytes));
    }
    transaction(parents[0].version.0, inputs, outputs)
}

#[test]
fn packages_replace_as_in_core() {
    on_every_chain(|chain| {
        let mut bench = Bench::new(chain, 20);
        // What is in the mempool, a package that would replace it, and Core's word for why not.
        let mut cases: Vec<(&str, Vec<Transaction>, [Transaction; 2], &str)> = Vec::new();
        // Two parents that spend the same, with different outputs.
        let rivals = |bench: &mut Bench, version, fees: [u64; 2]| {
            let contract = *bench.contracts.last().unwrap();
            let anchor = |sat| policy::anchor_output(Amount::from_sat(sat));
            let first = bench.spend_with(version, &[], vec![anchor(240)], fees[0]);
            bench.contracts.push(contract);
            let second = bench.spend_with(version, &[], vec![anchor(300)], fees[1]);
            (first, second)
        };
        let mut add =
            |name, bench: &mut Bench, fees, old: [(usize, u64); 1], new: (usize, u64), reason| {
                let (first, second) = rivals(bench, 3, fees);
                let [(data_bytes, fee_sat)] = old;
                let old = child_of(&[&first], data_bytes, fee_sat);
                let new = child_of(&[&second], new.0, new.1);
                cases.push((name, vec![first, old], [second, new], reason));
            };
        let anti_dos = "package RBF failed: insufficient anti-DoS fees";
        add(
            "the same fee",
            &mut bench,
            [0, 0],
            [(0, 3_000)],
            (0, 3_000),
            anti_dos,
        );
        add(
            "a fee for nothing more",
            &mut bench,
            [0, 0],
            [(0, 3_000)],
            (0, 3_020),
            anti_dos,
        );
        add(
            "a higher fee",
            &mut bench,
            [0, 0],
            [(0, 3_000)],
            (0, 3_100),
            "",
        );
        add(
            "a fee of the parent's own",
            &mut bench,
            [1_000, 0],
            [(0, 3_000)],
            (0, 4_100),
            "",
        );
        add(
            "a large cheap child",
            &mut bench,
            [0, 0],
            [(800, 2_000)],
            (0, 2_100),
            "",
        );
        add(
            "more for a larger one",
            &mut bench,
            [0, 0],
            [(0, 3_000)],
            (800, 3_500),
            "package RBF failed: insufficient feerate: does not improve feerate diagram",
        );
        add(
            "a child that pays less than its parent",
            &mut bench,
            [0, 5_000],
            [(0, 6_000)],
            (0, 2_500),
            "package RBF failed: package feerate is less than or equal to parent feerate",
        );
        // Alone.
        let (first, second) = rivals(&mut bench, 3, [1_000, 0]);
        let child = child_of(&[&second], 0, 2_000);
        cases.push(("a parent alone", vec![first], [second, child], ""));
        // Other unconfirmed ancestors.
        let (first, second) = rivals(&mut bench, 2, [1_000, 0]);
        let other = bench.spend(vec![]);
        let child = child_of(&[&second, &other], 0, 9_000);
        cases.push((
            "an unconfirmed ancestor",
            vec![first, other],
            [second, child],
            "package RBF failed: new transaction cannot have mempool ancestors",
        ));
        // A parent that replaces alone, and its child.
        let (first, second) = rivals(&mut bench, 3, [1_000, 2_000]);
        let child = child_of(&[&second], 0, 100);
        cases.push((
            "a parent that pays itself",
            vec![first],
            [second, child],
            "",
        ));

        for (name, old, [parent, child], reason) in &cases {
            match &old[..] {
                [first, second] if second.input[0].previous_output.txid == first.compute_txid() => {
                    bench.chain.submit_package(first, second).unwrap();
                }
                others => {
                    for other in others {
                        bench.chain.submit(other).unwrap();
                    }
                }
            }
            let verdict = bench.chain.submit_package(parent, child);
            let found = verdict
                .as_ref()
                .err()
                .map_or("", |error| error.core_reason().unwrap_or("?"));
            assert_eq!(&found, reason, "{name}: {verdict:?}");
            let mut expected: Vec<_> = match reason.is_empty() {
                true => vec![parent, child],
                false => old.iter().collect(),
            };
            let mut mempool = bench.chain.mempool().unwrap();
            mempool.sort_unstable();
            expected.sort_by_key(|transaction| transaction.compute_txid());
            let expected: Vec<_> = expected.iter().map(|t| t.compute_txid()).collect();
            assert_eq!(mempool, expected, "{name}");
            bench.chain.mine(1).unwrap();
        }
        println!("covered: {} packages that replace", cases.len());
    });
}

#[test]
fn a_new_parent_evicts_no_sibling() {
    on_every_chain(|chain| {
        let mut bench = Bench::new(chain, 20);
        let script = leaf_output(&DROP_LEAF).0;
        let half = output(CONTRACT_SAT / 2, script.clone());
        let root = bench.spend_with(3, &[], vec![half], 1_000);
        bench.chain.submit(&root).unwrap();
        let sibling = child_of(&[&root], 0, 1_000);
        bench.chain.submit(&sibling).unwrap();
        // It spends the other output. Alone, with a fee, it takes the sibling's place; as the parent of a package,
        // which pays for it, it does not.
        let mut parent = child_of(&[&root], 0, 0);
        parent.input[0].previous_output.vout = 1;
        parent.output[0].value = root.output[1].value;
        let child = child_of(&[&parent], 0, 9_000);
        let verdict = bench.chain.submit_package(&parent, &child).unwrap_err();
        println!("{}: {verdict}", bench.chain.name());
        assert_eq!(
            bench.chain.mempool().unwrap(),
            [root.compute_txid(), sibling.compute_txid()]
        );
        parent.output[0].value -= Amount::from_sat(3_000);
        bench.chain.submit(&parent).unwrap();
        assert_eq!(
            bench.chain.mempool().unwrap(),
            [root.compute_txid(), parent.compute_txid()]
        );
    });
}
