//! Every opcode of tapscript: what it leaves for each kind of operand, and how it fails.

use bitcoin::ScriptBuf;
use tapcourt_script::interpreter::{
    Execution, FailureReason as Reason, Rules, execute, execute_traced,
};
use tapcourt_script::{asm, encode_number, opcodes, script};

/// Runs a text on an initial stack written as text too (only pushes), and checks what is on the stack at the end. A
/// script is only successful with one true item left; the tables look at the stack alone.
fn stack_after(text: &str) -> Result<Vec<Vec<u8>>, Reason> {
    let script = asm::from_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let execution = execute(&script, Vec::new(), None, Rules::Consensus);
    match execution.result {
        Ok(()) => Ok(execution.stack),
        Err(failure) => match failure.reason {
            Reason::CleanStack { .. } | Reason::EvalFalse => Ok(execution.stack),
            reason => Err(reason),
        },
    }
}

/// Checks a table of script text and the stack expected after it, as text.
fn check_stacks(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let expected = stack_after(expected).expect("expectations are plain pushes");
        assert_eq!(stack_after(text), Ok(expected), "{text}");
    }
    println!("covered: {} cases of opcodes", table.len());
}

/// Checks a table of script text and the reason of its failure.
fn check_failures(table: &[(&str, Reason)]) {
    for (text, expected) in table {
        assert_eq!(stack_after(text).as_ref().err(), Some(expected), "{text}");
    }
    println!("covered: {} cases of opcodes; failures", table.len());
}

fn run(script: &ScriptBuf, stack: &[&[u8]], rules: Rules) -> Execution {
    execute(
        script,
        stack.iter().map(|item| item.to_vec()).collect(),
        None,
        rules,
    )
}

fn underflow(needed: usize, available: usize) -> Reason {
    Reason::InvalidStackOperation { needed, available }
}

#[test]
fn stack_opcodes_move_items() {
    check_stacks(&[
        ("1 2 OP_TOALTSTACK 3 OP_FROMALTSTACK", "1 3 2"),
        ("1 2 3 OP_2DROP", "1"),
        ("1 2 OP_2DUP", "1 2 1 2"),
        ("1 2 3 OP_3DUP", "1 2 3 1 2 3"),
        ("1 2 3 4 OP_2OVER", "1 2 3 4 1 2"),
        ("1 2 3 4 5 6 OP_2ROT", "3 4 5 6 1 2"),
        ("1 2 3 4 OP_2SWAP", "3 4 1 2"),
        ("0 OP_IFDUP", "0"),
        ("<80> OP_IFDUP", "<80>"),
        ("<0080> OP_IFDUP", "<0080>"),
        ("<0000> OP_IFDUP", "<0000>"),
        ("<8000> OP_IFDUP", "<8000> <8000>"),
        ("7 OP_IFDUP", "7 7"),
        ("OP_DEPTH", "0"),
        ("9 9 OP_DEPTH", "9 9 2"),
        ("1 2 OP_DROP", "1"),
        ("5 OP_DUP", "5 5"),
        ("1 2 3 OP_NIP", "1 3"),
        ("1 2 OP_OVER", "1 2 1"),
        ("1 2 3 0 OP_PICK", "1 2 3 3"),
        ("1 2 3 2 OP_PICK", "1 2 3 1"),
        ("1 2 3 <00> OP_PICK", "1 2 3 3"),
        ("1 2 3 0 OP_ROLL", "1 2 3"),
        ("1 2 3 2 OP_ROLL", "2 3 1"),
        ("1 2 3 OP_ROT", "2 3 1"),
        ("1 2 OP_SWAP", "2 1"),
        ("0 1 2 OP_TUCK", "0 2 1 2"),
        ("0 OP_SIZE", "0 0"),
        ("<112233> OP_SIZE", "<112233> 3"),
    ]);
}

#[test]
fn stack_opcodes_refuse_to_underflow() {
    let needs = [
        ("VERIFY", 1),
        ("TOALTSTACK", 1),
        ("2DROP", 2),
        ("2DUP", 2),
        ("3DUP", 3),
        ("2OVER", 4),
        ("2ROT", 6),
        ("2SWAP", 4),
        ("IFDUP", 1),
        ("DROP", 1),
        ("DUP", 1),
        ("NIP", 2),
        ("OVER", 2),
        ("PICK", 2),
        ("ROLL", 2),
        ("ROT", 3),
        ("SWAP", 2),
        ("TUCK", 2),
        ("SIZE", 1),
        ("EQUAL", 2),
        ("EQUALVERIFY", 2),
        ("1ADD", 1),
        ("1SUB", 1),
        ("NEGATE", 1),
        ("ABS", 1),
        ("NOT", 1),
        ("0NOTEQUAL", 1),
        ("ADD", 2),
        ("SUB", 2),
        ("BOOLAND", 2),
        ("BOOLOR", 2),
        ("NUMEQUAL", 2),
        ("NUMEQUALVERIFY", 2),
        ("NUMNOTEQUAL", 2),
        ("LESSTHAN", 2),
        ("GREATERTHAN", 2),
        ("LESSTHANOREQUAL", 2),
        ("GREATERTHANOREQUAL", 2),
        ("MIN", 2),
        ("MAX", 2),
        ("WITHIN", 3),
        ("RIPEMD160", 1),
        ("SHA1", 1),
        ("SHA256", 1),
        ("HASH160", 1),
        ("HASH256", 1),
        ("CHECKSIG", 2),
        ("CHECKSIGVERIFY", 2),
        ("CHECKSIGADD", 3),
        ("CLTV", 1),
        ("CSV", 1),
    ];
    for (name, needed) in needs {
        for available in 0..needed {
            let text = format!("{} OP_{name}", "0 ".repeat(available));
            assert_eq!(
                stack_after(&text),
                Err(underflow(needed, available)),
                "{text}"
            );
        }
    }
    println!("{} opcodes", needs.len());
    check_failures(&[
        ("OP_FROMALTSTACK", Reason::InvalidAltstackOperation),
        (
            "1 2 2 OP_PICK",
            Reason::InvalidStackDepth {
                depth: 2,
                available: 2,
            },
        ),
        (
            "1 2 2 OP_ROLL",
            Reason::InvalidStackDepth {
                depth: 2,
                available: 2,
            },
        ),
        (
            "1 2 -1 OP_PICK",
            Reason::InvalidStackDepth {
                depth: -1,
                available: 2,
            },
        ),
        (
            "1 2 -1 OP_ROLL",
            Reason::InvalidStackDepth {
                depth: -1,
                available: 2,
            },
        ),
        (
            "1 2 2147483647 OP_PICK",
            Reason::InvalidStackDepth {
                depth: 2147483647,
                available: 2,
            },
        ),
        (
            "1 2 <0000000001> OP_ROLL",
            Reason::NumberTooLong { bytes: 5, limit: 4 },
        ),
    ]);
}

#[test]
fn arithmetic_agrees_with_integers() {
    const VALUES: [i64; 15] = [
        0,
        1,
        -1,
        2,
        -2,
        16,
        17,
        127,
        128,
        -128,
        255,
        256,
        65_535,
        2_147_483_647,
        -2_147_483_647,
    ];
    type Unary = (&'static str, fn(i64) -> i64);
    type Binary = (&'static str, fn(i64, i64) -> i64);
    let unary: [Unary; 6] = [
        ("OP_1ADD", |a| a + 1),
        ("OP_1SUB", |a| a - 1),
        ("OP_NEGATE", |a| -a),
        ("OP_ABS", i64::abs),
        ("OP_NOT", |a| (a == 0).into()),
        ("OP_0NOTEQUAL", |a| (a != 0).into()),
    ];
    let binary: [Binary; 12] = [
        ("OP_ADD", |a, b| a + b),
        ("OP_SUB", |a, b| a - b),
        ("OP_BOOLAND", |a, b| (a != 0 && b != 0).into()),
        ("OP_BOOLOR", |a, b| (a != 0 || b != 0).into()),
        ("OP_NUMEQUAL", |a, b| (a == b).into()),
        ("OP_NUMNOTEQUAL", |a, b| (a != b).into()),
        ("OP_LESSTHAN", |a, b| (a < b).into()),
        ("OP_GREATERTHAN", |a, b| (a > b).into()),
        ("OP_LESSTHANOREQUAL", |a, b| (a <= b).into()),
        ("OP_GREATERTHANOREQUAL", |a, b| (a >= b).into()),
        ("OP_MIN", i64::min),
        ("OP_MAX", i64::max),
    ];
    let mut cases = 0;
    for a in VALUES {
        for (name, function) in unary {
            assert_eq!(
                stack_after(&format!("{a} {name}")),
                Ok(vec![encode_number(function(a))]),
                "{a} {name}"
            );
            cases += 1;
        }
        for b in VALUES {
            for (name, function) in binary {
                let text = format!("{a} {b} {name}");
                assert_eq!(
                    stack_after(&text),
                    Ok(vec![encode_number(function(a, b))]),
                    "{text}"
                );
                cases += 1;
            }
            let text = format!("{a} {b} OP_NUMEQUALVERIFY");
            let expected = if a == b {
                Ok(vec![])
            } else {
                Err(Reason::NumEqualVerify)
            };
            assert_eq!(stack_after(&text), expected, "{text}");
            for c in VALUES {
                let text = format!("{a} {b} {c} OP_WITHIN");
                let within = (b..c).contains(&a);
                assert_eq!(
                    stack_after(&text),
                    Ok(vec![encode_number(within.into())]),
                    "{text}"
                );
                cases += 1;
            }
        }
    }
    println!("covered: {cases} cases of opcodes");
}

#[test]
fn numbers_may_overflow_results_but_not_operands() {
    check_stacks(&[
        // A result of 5 bytes is left on the stack …
        ("2147483647 OP_1ADD", "<0000008000>"),
        ("2147483647 2147483647 OP_ADD", "<feffffff00>"),
        ("-2147483647 2147483647 OP_SUB", "<feffffff80>"),
        // … and is good as bytes.
        ("2147483647 OP_1ADD OP_SIZE", "<0000008000> 5"),
        // Negative zero and padded numbers are numbers by consensus.
        ("<80> OP_1ADD", "1"),
        ("<80> OP_NOT", "1"),
        ("<00> <80> OP_NUMEQUAL", "1"),
        ("<0000000080> OP_SIZE", "<0000000080> 5"),
        ("<01000000> OP_1ADD", "2"),
        ("<01000080> OP_ABS", "1"),
        ("<000080> OP_NEGATE", "0"),
    ]);
    let too_long = || Reason::NumberTooLong { bytes: 5, limit: 4 };
    check_failures(&[
        ("2147483647 OP_1ADD OP_1SUB", too_long()),
        ("<0000000000> OP_NOT", too_long()),
        ("<0000000000> 1 OP_ADD", too_long()),
        ("1 <0000000000> OP_ADD", too_long()),
        ("1 1 <0000000000> OP_WITHIN", too_long()),
        ("<0000000000> 1 1 OP_WITHIN", too_long()),
        ("0 <0000000000> <00> OP_CHECKSIGADD", too_long()),
    ]);
}

#[test]
fn equality_is_of_bytes() {
    check_stacks(&[
        ("0 <00> OP_EQUAL", "0"),
        ("1 <0100> OP_EQUAL", "0"),
        ("<aabb> <aabb> OP_EQUAL", "1"),
        ("<aabb> <aabb> OP_EQUALVERIFY", ""),
    ]);
    let (a, b) = ("00".repeat(40), "01".repeat(40));
    check_stacks(&[(&format!("<{a}> <{a}> OP_EQUAL <{a}> <{b}> OP_EQUAL"), "1 0")]);
    check_failures(&[
        ("0 <00> OP_EQUALVERIFY", Reason::EqualVerify),
        ("<80> OP_VERIFY", Reason::Verify),
        ("0 OP_VERIFY", Reason::Verify),
        ("1 OP_RETURN", Reason::OpReturn),
    ]);
}

#[test]
fn hashes_of_known_messages() {
    // "abc": RFC 1320's successors (RIPEMD-160 paper), FIPS 180-4 examples.
    check_stacks(&[
        (
            "<616263> OP_RIPEMD160",
            "<8eb208f7e05d987a9b044a8e98c6b087f15a0bfc>",
        ),
        (
            "<616263> OP_SHA1",
            "<a9993e364706816aba3e25717850c26c9cd0d89d>",
        ),
        (
            "<616263> OP_SHA256",
            "<ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad>",
        ),
        (
            "0 OP_RIPEMD160",
            "<9c1185a5c5e9fc54612808977ee8f548b2258d31>",
        ),
    ]);
    let same =
        |first: &str, second: &str| assert_eq!(stack_after(first), stack_after(second), "{first}");
    for message in [
        "0",
        "<616263>",
        &format!("OP_PUSHDATA2 <{}>", "5a".repeat(520)),
    ] {
        same(
            &format!("{message} OP_HASH160"),
            &format!("{message} OP_SHA256 OP_RIPEMD160"),
        );
        same(
            &format!("{message} OP_HASH256"),
            &format!("{message} OP_SHA256 OP_SHA256"),
        );
    }
}

#[test]
fn conditions_choose_branches() {
    check_stacks(&[
        ("1 OP_IF 2 OP_ELSE 3 OP_ENDIF", "2"),
        ("0 OP_IF 2 OP_ELSE 3 OP_ENDIF", "3"),
        ("1 OP_NOTIF 2 OP_ELSE 3 OP_ENDIF", "3"),
        ("0 OP_NOTIF 2 OP_ENDIF", "2"),
        ("1 OP_IF 2 OP_ELSE 3 OP_ELSE 4 OP_ENDIF", "2 4"),
        ("0 OP_IF 2 OP_ELSE 3 OP_ELSE 4 OP_ENDIF", "3"),
        // Nested conditions of a branch not taken read nothing.
        (
            "0 OP_IF OP_IF OP_ELSE OP_NOTIF OP_ENDIF OP_ENDIF OP_ELSE 7 OP_ENDIF",
            "7",
        ),
        // Opcodes that would fail are skipped where not executed, except OP_VERIF.
        (
            "0 OP_IF OP_RETURN OP_CHECKMULTISIG OP_INVALIDOPCODE OP_ENDIF",
            "",
        ),
    ]);
    check_failures(&[
        ("OP_IF", Reason::UnbalancedConditional),
        ("OP_NOTIF", Reason::UnbalancedConditional),
        ("OP_ELSE", Reason::UnbalancedConditional),
        ("OP_ENDIF", Reason::UnbalancedConditional),
        ("1 OP_IF 1", Reason::UnbalancedConditional),
        ("1 1 OP_IF OP_ENDIF OP_ENDIF", Reason::UnbalancedConditional),
        // MINIMALIF is consensus in tapscript (BIP-0342).
        ("2 OP_IF OP_ENDIF", Reason::MinimalIf),
        ("<00> OP_IF OP_ENDIF", Reason::MinimalIf),
        ("<80> OP_NOTIF OP_ENDIF", Reason::MinimalIf),
        ("<0100> OP_NOTIF OP_ENDIF", Reason::MinimalIf),
        ("0 OP_IF OP_VERIF OP_ENDIF", Reason::BadOpcode),
        ("0 OP_IF OP_VERNOTIF OP_ENDIF", Reason::BadOpcode),
        ("OP_INVALIDOPCODE", Reason::BadOpcode),
        ("0 0 OP_CHECKMULTISIG", Reason::TapscriptCheckMultisig),
        ("0 0 OP_CHECKMULTISIGVERIFY", Reason::TapscriptCheckMultisig),
    ]);
}

#[test]
fn every_success_opcode_succeeds_wherever_it_stands() {
    let mut codes = 0;
    for code in 0..=255u8 {
        let expected = [
            80, 98, 126, 127, 128, 129, 131, 132, 133, 134, 137, 138, 141, 142,
        ]
        .contains(&code)
            || (149..=153).contains(&code)
            || (187..=254).contains(&code);
        assert_eq!(opcodes::is_success(code), expected, "{code}");
        if expected {
            // Even after a failure, in a branch not taken, and with a stack that is over every limit.
            let script = ScriptBuf::from_bytes(vec![0x6a, 0x00, 0x63, code, 0x68]);
            assert!(run(&script, &[], Rules::Consensus).succeeded(), "{code}");
            assert!(execute(&script, vec![vec![0; 521]; 1001], None, Rules::Consensus).succeeded());
            let failure = run(&script, &[], Rules::Policy)
                .result
                .expect_err("policy refuses it");
            assert_eq!(
                (failure.position, failure.reason),
                (3, Reason::DiscouragedOpSuccess)
            );
            // As the data of a push it means nothing.
            let data = ScriptBuf::from_bytes(vec![0x01, code, 0x69, 0x00]);
            assert!(!run(&data, &[], Rules::Consensus).succeeded());
            codes += 1;
        }
    }
    assert_eq!(codes, 87); // BIP-0342 lists this many
    // A truncated push before it is found first.
    let truncated = ScriptBuf::from_bytes(vec![0x05, 0x50]);
    let failure = run(&truncated, &[], Rules::Consensus)
        .result
        .expect_err("truncated");
    assert_eq!((failure.position, failure.reason), (0, Reason::BadOpcode));
}

#[test]
fn no_operations_do_nothing_until_discouraged() {
    for name in [
        "OP_NOP1", "OP_NOP4", "OP_NOP5", "OP_NOP6", "OP_NOP7", "OP_NOP8", "OP_NOP9", "OP_NOP10",
    ] {
        let script = asm::from_text(&format!("1 {name}")).expect("an opcode");
        assert!(run(&script, &[], Rules::Consensus).succeeded());
        let failure = run(&script, &[], Rules::Policy)
            .result
            .expect_err("policy refuses it");
        assert_eq!(failure.reason, Reason::DiscouragedUpgradableNop);
    }
    for rules in [Rules::Consensus, Rules::Policy] {
        assert!(run(&script! { { 1 } OP_NOP OP_CODESEPARATOR }, &[], rules).succeeded());
    }
}

#[test]
fn sizes_are_limited_exactly() {
    let drop_and_true = script! { OP_DROP { 1 } };
    let outcome = |script: &ScriptBuf, stack: Vec<Vec<u8>>| {
        execute(script, stack, None, Rules::Consensus)
            .result
            .map_err(|failure| failure.reason)
    };
    // Pushes and initial items of 520 bytes.
    let push = |bytes: usize| script! { { vec![7u8; bytes] } OP_DROP { 1 } };
    assert_eq!(outcome(&push(520), vec![]), Ok(()));
    assert_eq!(
        outcome(&push(521), vec![]),
        Err(Reason::PushSize { bytes: 521 })
    );
    let skipped = script! { { 0 } OP_IF { vec![7u8; 521] } OP_ENDIF { 1 } };
    assert_eq!(
        outcome(&skipped, vec![]),
        Err(Reason::PushSize { bytes: 521 })
    );
    assert_eq!(outcome(&drop_and_true, vec![vec![7; 520]]), Ok(()));
    assert_eq!(
        outcome(&drop_and_true, vec![vec![7; 521]]),
        Err(Reason::PushSize { bytes: 521 })
    );

    // 1,000 items at the start, and on both stacks after every opcode.
    let drops = script! { for _ in 0..500 { OP_2DROP } { 1 } };
    assert_eq!(outcome(&drops, vec![vec![]; 1000]), Ok(()));
    assert_eq!(
        outcome(&drops, vec![vec![]; 1001]),
        Err(Reason::StackSize { items: 1001 })
    );
    let grow = |items: usize| {
        script! {
            for _ in 0..items / 2 { { 0 } OP_TOALTSTACK }
            for _ in 0..items - items / 2 { { 0 } }
        }
    };
    assert_eq!(
        outcome(&grow(1000), vec![]),
        Err(Reason::CleanStack { items: 500 })
    );
    let execution = execute(&grow(1001), vec![], None, Rules::Consensus);
    assert_eq!(execution.max_stack, 1000);
    assert_eq!(
        execution.result.expect_err("one too many").reason,
        Reason::StackSize { items: 1001 }
    );

    // No limit on script size or opcode count (BIP-0342).
    let long = script! { for _ in 0..100_000 { OP_NOP } { 1 } };
    let execution = execute(&long, vec![], None, Rules::Policy);
    assert!(execution.succeeded());
    assert_eq!(
        (execution.opcodes, execution.script_opcodes),
        (100_001, 100_001)
    );
}

#[test]
fn policy_asks_for_minimal_pushes_numbers_and_short_items() {
    let reason = |text: &str, stack: &[&[u8]]| {
        let script = asm::from_text(text).expect("a script");
        run(&script, stack, Rules::Policy)
            .result
            .err()
            .map(|failure| failure.reason)
    };
    for text in [
        "<05>",
        "<10>",
        "<81>",
        "OP_PUSHDATA1 <>",
        "OP_PUSHDATA1 <aabb>",
        "OP_PUSHDATA2 <aabb>",
    ] {
        assert_eq!(reason(text, &[]), Some(Reason::NonMinimalPush), "{text}");
    }
    assert_eq!(
        reason(&format!("OP_PUSHDATA2 <{}>", "aa".repeat(255)), &[]),
        Some(Reason::NonMinimalPush)
    );
    assert_eq!(
        reason(&format!("OP_PUSHDATA4 <{}>", "aa".repeat(256)), &[]),
        Some(Reason::NonMinimalPush)
    );
    for text in ["1", "<11>", "<82>", "<0000000001>"] {
        assert_eq!(reason(text, &[]), None, "{text}");
    }
    assert_eq!(
        reason(&format!("OP_PUSHDATA1 <{}>", "aa".repeat(76)), &[]),
        None
    );
    assert_eq!(
        reason(&format!("OP_PUSHDATA2 <{}>", "aa".repeat(256)), &[]),
        None
    );
    // Non-minimal pushes are only looked at where executed.
    assert_eq!(reason("0 OP_IF <05> OP_ENDIF 1", &[]), None);

    for item in [&[0u8][..], &[0x80], &[1, 0], &[1, 0x80], &[0xff, 0, 0]] {
        assert_eq!(
            reason("OP_1ADD", &[item]),
            Some(Reason::NonMinimalNumber),
            "{item:?}"
        );
    }
    for item in [
        &[][..],
        &[0x80, 0],
        &[0xff, 0x80],
        &[0xff, 0xff, 0xff, 0x7f],
    ] {
        assert_eq!(reason("OP_1ADD OP_DROP 1", &[item]), None, "{item:?}");
    }

    assert_eq!(reason("OP_DROP 1", &[&[7; 80]]), None);
    assert_eq!(
        reason("OP_DROP 1", &[&[7; 81]]),
        Some(Reason::WitnessItemSize { bytes: 81 })
    );
}

#[test]
fn the_end_asks_for_one_true_item() {
    check_end("", Some(Reason::CleanStack { items: 0 }));
    check_end("1 1", Some(Reason::CleanStack { items: 2 }));
    check_end("0", Some(Reason::EvalFalse));
    check_end("<000080>", Some(Reason::EvalFalse));
    check_end("<0100>", None);
    check_end("1 1 OP_TOALTSTACK", None);
}

fn check_end(text: &str, expected: Option<Reason>) {
    let script = asm::from_text(text).expect("a script");
    let execution = run(&script, &[], Rules::Consensus);
    let failure = execution.result.err();
    assert!(
        failure
            .iter()
            .all(|failure| failure.position == script.len() && failure.opcode.is_none())
    );
    assert_eq!(failure.map(|failure| failure.reason), expected, "{text}");
}

#[test]
fn failures_say_where() {
    let script =
        script! { { 300 } { 1 } OP_IF { [7u8; 80] } OP_ELSE OP_NOP OP_ENDIF OP_EQUALVERIFY };
    let failure = run(&script, &[], Rules::Consensus)
        .result
        .expect_err("the items differ");
    assert_eq!(failure.position, script.len() - 1);
    assert_eq!(failure.opcode_index, 7);
    assert_eq!(failure.opcode, Some(opcodes::OP_EQUALVERIFY));
    assert_eq!(
        failure.to_string(),
        "OP_EQUALVERIFY at byte 90 (opcode 7): the items differ"
    );
}

#[test]
fn a_trace_shows_every_step() {
    let script = script! { { 1 } OP_IF OP_TOALTSTACK OP_ELSE OP_DROP OP_ENDIF OP_FROMALTSTACK };
    let mut steps = Vec::new();
    let execution = execute_traced(&script, vec![vec![5]], None, Rules::Policy, &mut |step| {
        steps.push((
            step.position,
            step.opcode_index,
            step.executed,
            step.stack.len(),
            step.altstack.len(),
        ));
    });
    assert!(execution.succeeded());
    assert_eq!(
        steps,
        [
            (0, 0, true, 1, 0),
            (1, 1, true, 2, 0),
            (2, 2, true, 1, 0),
            (3, 3, true, 0, 1),
            (4, 4, false, 0, 1),
            (5, 5, false, 0, 1),
            (6, 6, true, 0, 1),
        ]
    );
    assert_eq!(
        (
            execution.opcodes,
            execution.script_opcodes,
            execution.max_stack
        ),
        (5, 7, 2)
    );
}

#[test]
fn public_keys_of_unknown_length_pass_unless_discouraged() {
    let script = script! { OP_CHECKSIG };
    let outcome = |signature: &[u8], key: &[u8], rules| {
        run(&script, &[signature, key], rules)
            .result
            .map_err(|failure| failure.reason)
    };
    assert_eq!(outcome(&[1], &[2; 33], Rules::Consensus), Ok(()));
    assert_eq!(
        outcome(&[], &[2; 33], Rules::Consensus),
        Err(Reason::EvalFalse)
    );
    assert_eq!(
        outcome(&[1], &[2; 33], Rules::Policy),
        Err(Reason::DiscouragedPubkeyType { bytes: 33 })
    );
    assert_eq!(
        outcome(&[1], &[], Rules::Consensus),
        Err(Reason::EmptyPubkey)
    );
    assert_eq!(
        outcome(&[], &[], Rules::Consensus),
        Err(Reason::EmptyPubkey)
    );
    assert_eq!(
        outcome(&[], &[2; 32], Rules::Policy),
        Err(Reason::EvalFalse)
    );
    assert_eq!(
        outcome(&[1], &[2; 32], Rules::Policy),
        Err(Reason::NoTransaction)
    );
    check_stacks(&[
        ("<01> 5 <0202> OP_CHECKSIGADD", "6"),
        ("0 5 <0202> OP_CHECKSIGADD", "5"),
        ("<01> <80> <0202> OP_CHECKSIGADD", "1"),
        ("<01> 2147483647 <0202> OP_CHECKSIGADD", "<0000008000>"),
    ]);
    check_failures(&[
        ("0 <0202> OP_CHECKSIGVERIFY", Reason::CheckSigVerify),
        ("<01> 5 0 OP_CHECKSIGADD", Reason::EmptyPubkey),
    ]);
}
