//! Scripts as text, the macro, and fragments' effects against execution.

use bitcoin::ScriptBuf;
use proptest::prelude::*;
use tapcourt_script::asm::{self, ParseError};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::{
    EffectError, Fragment, ScriptWriter, StackEffect, analyze, count_opcodes, decode_number,
    encode_number, instructions, opcodes, script,
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_survive_text(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let script = ScriptBuf::from_bytes(bytes);
        let text = asm::to_text(&script);
        prop_assert_eq!(asm::from_text(&text), Ok(script), "{}", text);
    }

    #[test]
    fn pushes_are_minimal_and_leave_what_was_pushed(data in prop::collection::vec(any::<u8>(), 0..600)) {
        let script = script! { { &data } };
        let rules = Rules::Policy;
        let execution = execute(&script, vec![], None, rules);
        if data.len() <= 520 {
            prop_assert_eq!(execution.stack, vec![data.clone()]);
        }
        // No reason other than the size or value of the item.
        if let Err(failure) = execution.result {
            prop_assert!(failure.opcode.is_none() || data.len() > 520, "{}", failure);
        }
    }

    #[test]
    fn numbers_survive_encoding(value in -2_147_483_647i64..=2_147_483_647) {
        prop_assert_eq!(decode_number(&encode_number(value)), Some(value));
        let execution = execute(&script! { { value } }, vec![], None, Rules::Policy);
        prop_assert_eq!(execution.stack, vec![encode_number(value)]);
    }

    /// Straight-line scripts of random opcodes: where analysis finds an effect, execution shows the same one.
    #[test]
    fn effects_agree_with_execution(codes in prop::collection::vec((0usize..24, 0i64..4), 0..40)) {
        use opcodes::*;
        let plain = [
            OP_DUP, OP_2DUP, OP_3DUP, OP_OVER, OP_2OVER, OP_SWAP, OP_2SWAP, OP_ROT, OP_2ROT, OP_TUCK, OP_NIP, OP_DROP,
            OP_2DROP, OP_TOALTSTACK, OP_FROMALTSTACK, OP_SIZE, OP_DEPTH, OP_HASH160, OP_EQUAL, OP_NOP,
        ];
        let mut writer = ScriptWriter::new();
        for (choice, operand) in codes {
            match choice {
                20 => writer.int(operand),
                21 => writer.int(operand).op(OP_PICK),
                22 => writer.int(operand).op(OP_ROLL),
                23 => writer.int(operand).op(OP_IF).op(OP_ELSE).op(OP_ENDIF),
                _ => writer.op(plain[choice]),
            };
        }
        let script = writer.into_script();
        let analysis = analyze(&script).expect("every operand is a constant");
        let effect = analysis.effect;
        // Run it with exactly the items needed, moving those for the altstack there first.
        let setup = script! { for _ in 0..effect.alt_pops { OP_TOALTSTACK } { &script } };
        let items = (effect.pops + effect.alt_pops) as usize;
        let execution = execute(&setup, vec![vec![1]; items], None, Rules::Consensus);
        if let Err(failure) = &execution.result {
            // Only MINIMALIF of a number above one, and the end of the script, may object.
            let objection = failure.to_string();
            prop_assert!(failure.opcode.is_none() || objection.contains("neither empty nor 01"), "{}", objection);
            prop_assume!(failure.opcode.is_none());
        }
        prop_assert_eq!(execution.stack.len(), effect.pushes as usize);
        prop_assert_eq!(execution.altstack.len(), effect.alt_pushes as usize);
        prop_assert_eq!(execution.max_stack, items + analysis.peak as usize);
        prop_assert_eq!(analysis.opcodes, count_opcodes(&script));
        // One item fewer is too few: the effect is not only enough but exact.
        if effect.pops > 0 {
            let execution = execute(&setup, vec![vec![1]; items - 1], None, Rules::Consensus);
            prop_assert!(execution.result.is_err_and(|failure| failure.opcode.is_some()));
        }
    }
}

#[test]
fn every_opcode_has_a_name_that_is_read_back() {
    for code in 0..=255u8 {
        let opcode = opcodes::Opcode::from(code);
        let name = opcodes::name(opcode);
        if !matches!(code, 0x01..=0x4b) {
            assert_eq!(opcodes::from_name(&name), Some(opcode), "{name}");
        }
    }
    assert_eq!(opcodes::name(opcodes::OP_TRUE), "OP_1");
    assert_eq!(
        opcodes::from_name("OP_CSV"),
        Some(opcodes::OP_CHECKSEQUENCEVERIFY)
    );
    assert_eq!(opcodes::from_name("OP_SUCCESS1"), None);
}

#[test]
fn text_errors_name_the_word() {
    let word = |word: &str| word.to_owned();
    let cases = [
        (
            "OP_DUP OP_DUPP",
            ParseError::UnknownWord {
                index: 1,
                word: word("OP_DUPP"),
            },
        ),
        (
            "<0>",
            ParseError::NotHex {
                index: 0,
                word: word("<0>"),
            },
        ),
        (
            "1 #xy",
            ParseError::NotHex {
                index: 1,
                word: word("#xy"),
            },
        ),
        ("<>", ParseError::PushLength { index: 0, bytes: 0 }),
        (
            "OP_PUSHDATA1",
            ParseError::MissingData {
                index: 0,
                word: word("OP_PUSHDATA1"),
            },
        ),
        (
            "OP_PUSHDATA1 1",
            ParseError::MissingData {
                index: 0,
                word: word("OP_PUSHDATA1"),
            },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(asm::from_text(text), Err(error), "{text}");
    }
    let long = format!("OP_PUSHDATA1 <{}>", "00".repeat(256));
    assert_eq!(
        asm::from_text(&long),
        Err(ParseError::PushLength {
            index: 1,
            bytes: 256
        })
    );
}

#[test]
fn instructions_end_at_a_truncated_push() {
    let bytes = [0x51, 0x02, 0xaa];
    let script = ScriptBuf::from_bytes(bytes.to_vec());
    let positions: Vec<Result<usize, usize>> = instructions(&script)
        .map(|instruction| {
            instruction
                .map(|i| i.position)
                .map_err(|truncated| truncated.position)
        })
        .collect();
    assert_eq!(positions, [Ok(0), Err(1)]);
    for bytes in [
        vec![0x4c],
        vec![0x4d, 1],
        vec![0x4e, 1, 0, 0],
        vec![0x4e, 0xff, 0xff, 0xff, 0xff, 0],
    ] {
        assert!(
            instructions(&ScriptBuf::from_bytes(bytes)).all(|instruction| instruction.is_err())
        );
    }
}

#[test]
fn the_macro_runs_rust_control_flow() {
    let names = [1, 2];
    let pairs = [(3, true), (4, false)];
    let inner = Fragment::new(script! { OP_ADD }, StackEffect::new(2, 1));
    let script = script! {
        for n in names { { n } }
        for (n, negate) in pairs.iter().copied() {
            { n }
            if negate { OP_NEGATE } else if n > 9 { OP_NOP } else { OP_NOT OP_NOT OP_NOT OP_NOT }
        }
        if let Some(last) = names.last() { { *last } }
        OP_DUP for _ in 0..2 { OP_DROP } OP_NIP OP_NIP OP_SWAP if false { OP_RETURN }
        OP_NOP OP_NOP OP_NOP OP_NOP OP_NOP
        { &inner } { { let ten = 10; 2 * ten } } { vec![inner.clone(), inner.clone()] } { true } { vec![9u8, 9] }
    };
    assert_eq!(
        asm::to_text(&script),
        "OP_1 OP_2 OP_3 OP_NEGATE OP_4 OP_NOT OP_NOT OP_NOT OP_NOT OP_2 OP_DUP OP_DROP OP_DROP OP_NIP OP_NIP OP_SWAP \
         OP_NOP OP_NOP OP_NOP OP_NOP OP_NOP OP_ADD <14> OP_ADD OP_ADD OP_1 <0909>"
    );
}

#[test]
fn branches_must_agree() {
    let effect = |text: &str| {
        analyze(&asm::from_text(text).expect("a script")).map(|analysis| analysis.effect)
    };
    assert_eq!(
        effect("OP_IF 1 OP_ELSE OP_DUP OP_ENDIF"),
        Ok(StackEffect::new(2, 2))
    );
    assert_eq!(
        effect("OP_IF OP_DROP 1 OP_ENDIF"),
        Ok(StackEffect::new(2, 1))
    );
    assert_eq!(
        effect("OP_NOTIF OP_RETURN OP_ENDIF"),
        Ok(StackEffect::new(1, 0))
    );
    assert_eq!(
        effect("OP_IF 1 OP_ELSE OP_RETURN OP_ENDIF"),
        Ok(StackEffect::new(1, 1))
    );
    assert_eq!(
        effect("OP_IF 1 OP_ELSE 1 1 OP_ELSE 1 OP_ENDIF"),
        Ok(StackEffect::new(1, 2))
    );
    assert_eq!(
        effect(
            "OP_IF 0 OP_TOALTSTACK OP_ELSE OP_FROMALTSTACK OP_DROP OP_0 OP_0 OP_TOALTSTACK OP_TOALTSTACK OP_ENDIF"
        ),
        Ok(StackEffect::new(1, 0).with_alt(1, 2))
    );
    assert!(matches!(
        effect("OP_IF 1 OP_ENDIF"),
        Err(EffectError::ArmsDisagree { position: 2, .. })
    ));
    assert!(matches!(
        effect("OP_IF"),
        Err(EffectError::Unbalanced { position: 1 })
    ));
    assert!(matches!(
        effect("OP_ELSE"),
        Err(EffectError::Unbalanced { position: 0 })
    ));
    assert!(matches!(
        effect("OP_DUP OP_PICK"),
        Err(EffectError::Dynamic { position: 1, .. })
    ));
    assert!(matches!(
        effect("-1 OP_ROLL"),
        Err(EffectError::Invalid { position: 1, .. })
    ));
    assert!(matches!(
        effect("OP_CHECKMULTISIG"),
        Err(EffectError::Invalid { .. })
    ));
    assert!(matches!(
        effect("OP_SUCCESS80"),
        Err(EffectError::Dynamic { .. })
    ));
    assert!(matches!(effect("#05"), Err(EffectError::Truncated(_))));
}

#[test]
fn fragments_compose_as_their_scripts_do() {
    let pieces = [
        ("OP_DUP", StackEffect::new(1, 2)),
        (
            "2 OP_ROLL OP_TOALTSTACK",
            StackEffect::new(3, 2).with_alt(0, 1),
        ),
        (
            "OP_FROMALTSTACK OP_ADD",
            StackEffect::new(1, 1).with_alt(1, 0),
        ),
        ("OP_2DROP", StackEffect::new(2, 0)),
        ("1 OP_IF 5 OP_ELSE 6 OP_ENDIF", StackEffect::new(0, 1)),
    ];
    let fragments: Vec<Fragment> = pieces
        .iter()
        .map(|(text, effect)| Fragment::new(asm::from_text(text).expect("a script"), *effect))
        .collect();
    let mut checked = 0;
    for first in &fragments {
        for second in &fragments {
            for third in &fragments {
                let joined = first.then(second).then(third);
                assert_eq!(joined, first.then(&second.then(third)));
                assert_eq!(joined, Fragment::sequence([first, second, third]));
                assert_eq!(
                    Fragment::analyzed(joined.script().into()),
                    Ok(joined.clone())
                );
                assert_eq!(
                    joined.opcodes(),
                    first.opcodes() + second.opcodes() + third.opcodes()
                );
                checked += 1;
            }
        }
    }
    println!("covered: {checked} compositions of fragments");
    assert_eq!(Fragment::empty().then(&fragments[0]), fragments[0]);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "is declared")]
fn a_wrong_declaration_is_caught_in_debug_builds() {
    Fragment::new(script! { OP_DUP }, StackEffect::new(1, 1));
}
