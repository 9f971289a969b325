//! Whole taproot spends: BIP-0341's commitment and signature rules, BIP-0342's budget, and lock times.

use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::key::{Keypair, TapTweak};
use bitcoin::secp256k1::{Message, Secp256k1};
use bitcoin::sighash::{Annex, Prevouts, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, TapLeafHash, TapSighashType, Transaction, TxIn, TxOut,
    Txid, Witness,
};
use tapcourt_script::interpreter::{
    FailureReason as Reason, Rules, SpendError, TxContext, execute, verify_input, verify_key_path,
    verify_script_path,
};
use tapcourt_script::script;
use tapcourt_script::taptree::Taptree;

/// A key pair, a tree of three leaves under it, and a transaction whose second input spends it.
struct Spend {
    keys: Keypair,
    leaves: Vec<ScriptBuf>,
    tree: Taptree,
    tx: Transaction,
    prevouts: Vec<TxOut>,
}

const INPUT: usize = 1;

impl Spend {
    fn new(leaf: ScriptBuf) -> Self {
        let keys =
            Keypair::from_seckey_slice(&Secp256k1::new(), &[0x42; 32]).expect("a valid secret key");
        let leaves = vec![leaf, script! { OP_RETURN }, script! { { 1 } }];
        let tree = Taptree::build(&leaves).expect("three leaves");
        let prevout = |script_pubkey| TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey,
        };
        let prevouts = vec![
            prevout(script! { { 1 } }),
            prevout(tree.script_pubkey(keys.x_only_public_key().0)),
        ];
        let input = |index| TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([index; 32]), 0),
            sequence: Sequence(10),
            ..TxIn::default()
        };
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(100),
            input: vec![input(1), input(2)],
            output: vec![prevout(ScriptBuf::new())],
        };
        Self {
            keys,
            leaves,
            tree,
            tx,
            prevouts,
        }
    }

    /// Signs for the key path, or for a leaf and the position of its last code separator.
    fn sign(&self, leaf: Option<u32>, hash_type: TapSighashType, annex: Option<&[u8]>) -> Vec<u8> {
        let secp = Secp256k1::new();
        let annex = annex.map(|annex| Annex::new(annex).expect("an annex"));
        let leaf_hash = leaf.map(|separator| (self.tree.leaf_hash(0), separator));
        let sighash = SighashCache::new(&self.tx)
            .taproot_signature_hash(
                INPUT,
                &Prevouts::All(&self.prevouts),
                annex,
                leaf_hash,
                hash_type,
            )
            .expect("a defined hash type");
        let keys = match leaf {
            Some(_) => self.keys,
            None => self
                .keys
                .tap_tweak(&secp, Some(self.tree.root()))
                .to_keypair(),
        };
        let mut signature = secp
            .sign_schnorr_no_aux_rand(&Message::from(sighash), &keys)
            .as_ref()
            .to_vec();
        if hash_type != TapSighashType::Default {
            signature.push(hash_type as u8);
        }
        signature
    }

    /// Puts a script path witness on the input, for leaf 0.
    fn set_witness(&mut self, stack: &[Vec<u8>]) {
        let control = self
            .tree
            .control_block(0, self.keys.x_only_public_key().0)
            .serialize();
        let mut witness = Witness::from_slice(stack);
        witness.push(&self.leaves[0]);
        witness.push(control);
        self.tx.input[INPUT].witness = witness;
    }

    /// Verifies the leaf with this stack.
    fn outcome(&mut self, stack: &[Vec<u8>]) -> Result<(), Reason> {
        self.set_witness(stack);
        match verify_script_path(&self.tx, INPUT, &self.prevouts, Rules::Policy) {
            Ok(_) => Ok(()),
            Err(SpendError::Leaf(execution)) => {
                Err(execution.result.expect_err("the leaf failed").reason)
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Replaces one witness item and verifies.
    fn outcome_of_witness(
        &mut self,
        change: impl FnOnce(&mut Vec<Vec<u8>>),
        rules: Rules,
    ) -> Option<SpendError> {
        let mut items = self.tx.input[INPUT].witness.to_vec();
        change(&mut items);
        let whole = std::mem::replace(
            &mut self.tx.input[INPUT].witness,
            Witness::from_slice(&items),
        );
        let outcome = verify_input(&self.tx, INPUT, &self.prevouts, rules);
        self.tx.input[INPUT].witness = whole;
        outcome.err()
    }
}

/// A spend whose leaf is `<key> <operation>`.
fn signed_leaf() -> Spend {
    let key = Spend::new(ScriptBuf::new()).keys.x_only_public_key().0;
    Spend::new(script! { { key } OP_CHECKSIG })
}

#[test]
fn signatures_of_every_hash_type_are_accepted_and_bound_to_it() {
    let types = [
        TapSighashType::Default,
        TapSighashType::All,
        TapSighashType::None,
        TapSighashType::AllPlusAnyoneCanPay,
        TapSighashType::NonePlusAnyoneCanPay,
    ];
    for hash_type in types {
        let mut spend = signed_leaf();
        let signature = spend.sign(Some(u32::MAX), hash_type, None);
        assert_eq!(spend.outcome(std::slice::from_ref(&signature)), Ok(()));
        spend.tx.lock_time = LockTime::from_consensus(99);
        assert_eq!(
            spend.outcome(&[signature]),
            Err(Reason::SchnorrSignature),
            "{hash_type:?}"
        );
    }
    println!("{} hash types", types.len());
}

#[test]
fn malformed_signatures_are_told_apart() {
    let mut spend = signed_leaf();
    let good = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
    let with_type = |hash_type: u8| [&good[..], &[hash_type]].concat();
    assert_eq!(spend.outcome(&[vec![]]), Err(Reason::EvalFalse));
    assert_eq!(
        spend.outcome(&[good[..63].to_vec()]),
        Err(Reason::SchnorrSignatureSize { bytes: 63 })
    );
    assert_eq!(
        spend.outcome(&[[&good[..], &[1, 1]].concat()]),
        Err(Reason::SchnorrSignatureSize { bytes: 66 })
    );
    for hash_type in (0..=255u8).filter(|byte| !matches!(byte, 1..=3 | 0x81..=0x83)) {
        assert_eq!(
            spend.outcome(&[with_type(hash_type)]),
            Err(Reason::SchnorrHashType { hash_type })
        );
    }
    // SINGLE without an output of the input's index.
    for hash_type in [3, 0x83] {
        assert_eq!(
            spend.outcome(&[with_type(hash_type)]),
            Err(Reason::SchnorrHashType { hash_type })
        );
    }
    assert_eq!(
        spend.outcome(&[with_type(1)]),
        Err(Reason::SchnorrSignature)
    );
    for bit in (0..512).step_by(37) {
        let mut tampered = good.clone();
        tampered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            spend.outcome(&[tampered]),
            Err(Reason::SchnorrSignature),
            "bit {bit}"
        );
    }
    // 32 bytes that are no point.
    let mut spend = Spend::new(script! { { [0xff; 32] } OP_CHECKSIG });
    assert_eq!(spend.outcome(&[good]), Err(Reason::SchnorrSignature));
    assert_eq!(spend.outcome(&[vec![]]), Err(Reason::EvalFalse));
}

#[test]
fn signatures_commit_to_the_last_executed_code_separator() {
    let key = Spend::new(ScriptBuf::new()).keys.x_only_public_key().0;
    // Opcode 2 is in a branch not taken; opcode 4 is the last executed before the check.
    let mut spend = Spend::new(script! {
        { 0 } OP_IF OP_CODESEPARATOR OP_ENDIF OP_CODESEPARATOR { key } OP_CHECKSIG OP_CODESEPARATOR
    });
    for position in [0, 1, 2, 3, 4, 5, 7, u32::MAX] {
        let signature = spend.sign(Some(position), TapSighashType::Default, None);
        let expected = if position == 4 {
            Ok(())
        } else {
            Err(Reason::SchnorrSignature)
        };
        assert_eq!(spend.outcome(&[signature]), expected, "{position}");
    }
}

#[test]
fn signatures_are_counted_against_the_witness() {
    let key = Spend::new(ScriptBuf::new()).keys.x_only_public_key().0;
    // Each check costs 50 WU and adds 3 bytes; find where the witness pays no longer, to the byte.
    let leaf = |checks: usize| {
        script! {
            for _ in 0..checks { OP_2DUP OP_CHECKSIGVERIFY }
            OP_CHECKSIG
        }
    };
    let (mut passed, mut failed) = (0, 0);
    for checks in 3..7 {
        for padding in 0..80usize {
            let mut spend =
                Spend::new(script! { { vec![0xabu8; padding] } OP_DROP { leaf(checks) } });
            let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
            let outcome = spend.outcome(&[signature, key.serialize().to_vec()]);
            let budget = 50 + spend.tx.input[INPUT].witness.size() as i64;
            let cost = 50 * (checks as i64 + 1);
            if cost <= budget {
                assert_eq!(outcome, Ok(()));
                passed += 1;
            } else {
                // The check that overdraws reports how much was missing then.
                let missing_wu = 50 - budget.rem_euclid(50);
                assert_eq!(outcome, Err(Reason::ValidationWeight { missing_wu }));
                failed += 1;
            }
        }
    }
    assert!(passed > 0 && failed > 0);
    println!(
        "covered: {} spends about the budget; {failed} over it",
        passed + failed
    );
    // Empty signatures are free.
    let free = script! { for _ in 0..100 { OP_2DUP OP_CHECKSIG OP_DROP } OP_2DROP { 1 } };
    assert_eq!(
        Spend::new(free).outcome(&[vec![], key.serialize().to_vec()]),
        Ok(())
    );
}

#[test]
fn check_sig_add_counts_present_signatures() {
    let key = Spend::new(ScriptBuf::new()).keys.x_only_public_key().0;
    let mut spend = Spend::new(script! {
        { key } OP_CHECKSIG { key } OP_CHECKSIGADD { key } OP_CHECKSIGADD { 2 } OP_NUMEQUAL
    });
    let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
    for present in 0..8u8 {
        let stack: Vec<Vec<u8>> = (0..3)
            .map(|bit| {
                if present >> bit & 1 == 1 {
                    signature.clone()
                } else {
                    vec![]
                }
            })
            .collect();
        let expected = if present.count_ones() == 2 {
            Ok(())
        } else {
            Err(Reason::EvalFalse)
        };
        assert_eq!(spend.outcome(&stack), expected, "{present:03b}");
    }
}

#[test]
fn the_commitment_is_checked_in_every_part() {
    let mut spend = signed_leaf();
    let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
    spend.set_witness(&[signature]);
    let execution =
        verify_script_path(&spend.tx, INPUT, &spend.prevouts, Rules::Policy).expect("a good spend");
    assert_eq!((execution.opcodes, execution.max_stack), (2, 2));
    assert_eq!(
        verify_key_path(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Err(SpendError::OtherPath("script"))
    );

    let consensus = Rules::Consensus;
    assert_eq!(
        spend.outcome_of_witness(|items| items[1].push(0x61), consensus),
        Some(SpendError::ProgramMismatch)
    );
    let control_bytes = spend.tx.input[INPUT].witness.to_vec()[2].len();
    for byte in 0..control_bytes {
        let error = spend.outcome_of_witness(|items| items[2][byte] ^= 1, consensus);
        assert_eq!(error, Some(SpendError::ProgramMismatch), "byte {byte}");
    }
    for bytes in [0, 1, 32, 34, 64, 66, 33 + 32 * 129] {
        let error = spend.outcome_of_witness(|items| items[2].resize(bytes, 0), consensus);
        assert_eq!(error, Some(SpendError::ControlSize { bytes }));
    }
    assert_eq!(
        spend.outcome_of_witness(Vec::clear, consensus),
        Some(SpendError::WitnessEmpty)
    );
    spend.tx.input[INPUT].script_sig = script! { { 1 } };
    assert_eq!(
        spend.outcome_of_witness(|_| {}, consensus),
        Some(SpendError::WitnessMalleated { bytes: 1 })
    );
    spend.tx.input[INPUT].script_sig = ScriptBuf::new();
    assert_eq!(
        verify_input(&spend.tx, 0, &spend.prevouts, consensus),
        Err(SpendError::NotTaproot)
    );
    let missing = SpendError::NoSuchInput {
        index: 2,
        inputs: 2,
    };
    assert_eq!(
        verify_input(&spend.tx, 2, &spend.prevouts, consensus),
        Err(missing)
    );
    let too_few = SpendError::PrevoutCount {
        prevouts: 1,
        inputs: 2,
    };
    assert_eq!(
        verify_input(&spend.tx, 1, &spend.prevouts[..1], consensus),
        Err(too_few)
    );
}

#[test]
fn unknown_leaf_versions_succeed_unless_discouraged() {
    use bitcoin::taproot::{LeafVersion, TaprootBuilder};

    let mut spend = Spend::new(ScriptBuf::new());
    let key = spend.keys.x_only_public_key().0;
    let version = LeafVersion::from_consensus(0xc2).expect("an even version");
    let info = TaprootBuilder::new()
        .add_leaf_with_ver(0, script! { OP_RETURN }, version)
        .expect("one leaf")
        .finalize(&Secp256k1::new(), key)
        .expect("complete");
    spend.prevouts[INPUT].script_pubkey = ScriptBuf::new_p2tr_tweaked(info.output_key());
    let control = info
        .control_block(&(script! { OP_RETURN }, version))
        .expect("the leaf");
    spend.tx.input[INPUT].witness =
        Witness::from_slice(&[script! { OP_RETURN }.into_bytes(), control.serialize()]);
    let discouraged = SpendError::DiscouragedLeafVersion { version: 0xc2 };
    assert_eq!(
        verify_input(&spend.tx, INPUT, &spend.prevouts, Rules::Consensus),
        Ok(None)
    );
    assert_eq!(
        verify_input(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Err(discouraged.clone())
    );
    assert_eq!(
        verify_script_path(&spend.tx, INPUT, &spend.prevouts, Rules::Consensus),
        Err(discouraged)
    );
}

#[test]
fn the_key_path_takes_one_signature() {
    let mut spend = Spend::new(ScriptBuf::new());
    let signature = spend.sign(None, TapSighashType::Default, None);
    spend.tx.input[INPUT].witness = Witness::from_slice(&[&signature]);
    assert_eq!(
        verify_key_path(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Ok(())
    );
    assert_eq!(
        verify_input(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Ok(None)
    );
    assert_eq!(
        verify_script_path(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Err(SpendError::OtherPath("key"))
    );
    let empty = spend.outcome_of_witness(|items| items[0].clear(), Rules::Consensus);
    assert_eq!(
        empty,
        Some(SpendError::KeyPath(Reason::SchnorrSignatureSize {
            bytes: 0
        }))
    );
    // A signature for a leaf is none for the key.
    let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
    let error = spend.outcome_of_witness(|items| items[0] = signature, Rules::Consensus);
    assert_eq!(error, Some(SpendError::KeyPath(Reason::SchnorrSignature)));
}

#[test]
fn an_annex_is_signed_and_not_relayed() {
    let annex = [0x50, 1, 2, 3];
    let mut spend = Spend::new(ScriptBuf::new());
    let signature = spend.sign(None, TapSighashType::Default, Some(&annex));
    spend.tx.input[INPUT].witness = Witness::from_slice(&[&signature[..], &annex]);
    assert_eq!(
        verify_key_path(&spend.tx, INPUT, &spend.prevouts, Rules::Consensus),
        Ok(())
    );
    assert_eq!(
        verify_key_path(&spend.tx, INPUT, &spend.prevouts, Rules::Policy),
        Err(SpendError::Annex)
    );
    let error = spend.outcome_of_witness(|items| items[1][1] ^= 1, Rules::Consensus);
    assert_eq!(error, Some(SpendError::KeyPath(Reason::SchnorrSignature)));

    let mut spend = signed_leaf();
    let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, Some(&annex));
    spend.set_witness(&[signature]);
    let invalid = spend.outcome_of_witness(|_| {}, Rules::Consensus);
    assert!(matches!(invalid, Some(SpendError::Leaf(_))));
    assert_eq!(
        spend.outcome_of_witness(|items| items.push(annex.to_vec()), Rules::Consensus),
        None
    );
}

#[test]
fn lock_times_compare_as_bip_65_and_bip_112_say() {
    // (operand, transaction lock time, sequence, passes)
    let absolute: &[(i64, u32, u32, bool)] = &[
        (100, 100, 10, true),
        (0, 0, 10, true),
        (101, 100, 10, false),
        (100, 100, 0xffff_ffff, false),
        (100, 100, 0xffff_fffe, true),
        (499_999_999, 499_999_999, 0, true),
        (499_999_999, 500_000_000, 0, false),
        (500_000_000, 500_000_000, 0, true),
        (500_000_000, 499_999_999, 0, false),
        (0xffff_ffff, 0xffff_ffff, 0, true),
        (0x1_0000_0000, 0xffff_ffff, 0, false),
    ];
    for &(operand, lock_time, sequence, passes) in absolute {
        let mut spend = Spend::new(script! { { operand } OP_CHECKLOCKTIMEVERIFY OP_DROP { 1 } });
        spend.tx.lock_time = LockTime::from_consensus(lock_time);
        spend.tx.input[INPUT].sequence = Sequence(sequence);
        let expected = if passes {
            Ok(())
        } else {
            Err(Reason::UnsatisfiedLocktime { required: operand })
        };
        assert_eq!(
            spend.outcome(&[]),
            expected,
            "{operand} {lock_time} {sequence:#x}"
        );
    }
    // (operand, sequence, version, passes)
    let relative: &[(i64, u32, i32, bool)] = &[
        (10, 10, 2, true),
        (11, 10, 2, false),
        (10, 10, 1, false),
        (10, 10, 3, true),
        (10, 10, -1, true),
        (10, 0x8000_000a, 2, false),
        (0x40_000a, 10, 2, false),
        (10, 0x40_000a, 2, false),
        (0x40_000a, 0x40_000b, 2, true),
        // Bits outside the mask do not count.
        (0x10_000a, 0x20_000a, 2, true),
        (0xffff, 0xffff, 2, true),
        // With the disable bit the operand asks nothing.
        (0x8000_0000, 0, 1, true),
        (0x1_0000_000a, 10, 2, true),
    ];
    for &(operand, sequence, version, passes) in relative {
        let mut spend = Spend::new(script! { { operand } OP_CHECKSEQUENCEVERIFY OP_DROP { 1 } });
        spend.tx.version = Version(version);
        spend.tx.input[INPUT].sequence = Sequence(sequence);
        let expected = if passes {
            Ok(())
        } else {
            Err(Reason::UnsatisfiedLocktime { required: operand })
        };
        assert_eq!(
            spend.outcome(&[]),
            expected,
            "{operand:#x} {sequence:#x} version {version}"
        );
    }
    for negative in [
        script! { { -1 } OP_CHECKLOCKTIMEVERIFY },
        script! { { -1 } OP_CHECKSEQUENCEVERIFY },
    ] {
        assert_eq!(
            Spend::new(negative).outcome(&[]),
            Err(Reason::NegativeLocktime { given: -1 })
        );
    }
    let too_long = || Err(Reason::NumberTooLong { bytes: 6, limit: 5 });
    assert_eq!(
        Spend::new(script! { { 1i64 << 40 } OP_CHECKLOCKTIMEVERIFY }).outcome(&[]),
        too_long()
    );
    assert_eq!(
        Spend::new(script! { { 1i64 << 40 } OP_CHECKSEQUENCEVERIFY }).outcome(&[]),
        too_long()
    );
    println!(
        "{} absolute and {} relative lock times",
        absolute.len(),
        relative.len()
    );
}

#[test]
fn a_leaf_can_be_executed_before_its_transaction_is_complete() {
    let spend = signed_leaf();
    let signature = spend.sign(Some(u32::MAX), TapSighashType::Default, None);
    let leaf_hash =
        TapLeafHash::from_script(&spend.leaves[0], bitcoin::taproot::LeafVersion::TapScript);
    let context = TxContext::new(&spend.tx, INPUT, &spend.prevouts, leaf_hash);
    assert_eq!(context.validation_weight_wu, None);
    assert!(
        execute(
            &spend.leaves[0],
            vec![signature],
            Some(&context),
            Rules::Policy
        )
        .succeeded()
    );
}
