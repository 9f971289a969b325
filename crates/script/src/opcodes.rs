//! Tapscript's opcodes under the names of Bitcoin Core (`script.h`).
//!
//! Opcodes that BIP-0342 turned into `OP_SUCCESSx` are left out on purpose: a leaf that contains one can be spent by
//! anyone, so no script of ours may name it. [`name`] prints them as `OP_SUCCESS<code>`.

use std::borrow::Cow;

pub use bitcoin::opcodes::Opcode;
use bitcoin::opcodes::all;

macro_rules! opcodes {
    ($($name:ident = $source:ident,)*) => {
        $(
            #[doc = concat!("Bitcoin Core's `", stringify!($name), "`.")]
            pub const $name: Opcode = all::$source;
        )*

        /// Every named opcode; where a code has two names, the first is the one that [`name`] prints.
        const NAMES: &[(&str, Opcode)] = &[$((stringify!($name), $name),)*];
    };
}

opcodes! {
    OP_0 = OP_PUSHBYTES_0,
    OP_FALSE = OP_PUSHBYTES_0,
    OP_PUSHDATA1 = OP_PUSHDATA1,
    OP_PUSHDATA2 = OP_PUSHDATA2,
    OP_PUSHDATA4 = OP_PUSHDATA4,
    OP_1NEGATE = OP_PUSHNUM_NEG1,
    OP_1 = OP_PUSHNUM_1,
    OP_TRUE = OP_PUSHNUM_1,
    OP_2 = OP_PUSHNUM_2,
    OP_3 = OP_PUSHNUM_3,
    OP_4 = OP_PUSHNUM_4,
    OP_5 = OP_PUSHNUM_5,
    OP_6 = OP_PUSHNUM_6,
    OP_7 = OP_PUSHNUM_7,
    OP_8 = OP_PUSHNUM_8,
    OP_9 = OP_PUSHNUM_9,
    OP_10 = OP_PUSHNUM_10,
    OP_11 = OP_PUSHNUM_11,
    OP_12 = OP_PUSHNUM_12,
    OP_13 = OP_PUSHNUM_13,
    OP_14 = OP_PUSHNUM_14,
    OP_15 = OP_PUSHNUM_15,
    OP_16 = OP_PUSHNUM_16,
    OP_NOP = OP_NOP,
    OP_IF = OP_IF,
    OP_NOTIF = OP_NOTIF,
    OP_VERIF = OP_VERIF,
    OP_VERNOTIF = OP_VERNOTIF,
    OP_ELSE = OP_ELSE,
    OP_ENDIF = OP_ENDIF,
    OP_VERIFY = OP_VERIFY,
    OP_RETURN = OP_RETURN,
    OP_TOALTSTACK = OP_TOALTSTACK,
    OP_FROMALTSTACK = OP_FROMALTSTACK,
    OP_2DROP = OP_2DROP,
    OP_2DUP = OP_2DUP,
    OP_3DUP = OP_3DUP,
    OP_2OVER = OP_2OVER,
    OP_2ROT = OP_2ROT,
    OP_2SWAP = OP_2SWAP,
    OP_IFDUP = OP_IFDUP,
    OP_DEPTH = OP_DEPTH,
    OP_DROP = OP_DROP,
    OP_DUP = OP_DUP,
    OP_NIP = OP_NIP,
    OP_OVER = OP_OVER,
    OP_PICK = OP_PICK,
    OP_ROLL = OP_ROLL,
    OP_ROT = OP_ROT,
    OP_SWAP = OP_SWAP,
    OP_TUCK = OP_TUCK,
    OP_SIZE = OP_SIZE,
    OP_EQUAL = OP_EQUAL,
    OP_EQUALVERIFY = OP_EQUALVERIFY,
    OP_1ADD = OP_1ADD,
    OP_1SUB = OP_1SUB,
    OP_NEGATE = OP_NEGATE,
    OP_ABS = OP_ABS,
    OP_NOT = OP_NOT,
    OP_0NOTEQUAL = OP_0NOTEQUAL,
    OP_ADD = OP_ADD,
    OP_SUB = OP_SUB,
    OP_BOOLAND = OP_BOOLAND,
    OP_BOOLOR = OP_BOOLOR,
    OP_NUMEQUAL = OP_NUMEQUAL,
    OP_NUMEQUALVERIFY = OP_NUMEQUALVERIFY,
    OP_NUMNOTEQUAL = OP_NUMNOTEQUAL,
    OP_LESSTHAN = OP_LESSTHAN,
    OP_GREATERTHAN = OP_GREATERTHAN,
    OP_LESSTHANOREQUAL = OP_LESSTHANOREQUAL,
    OP_GREATERTHANOREQUAL = OP_GREATERTHANOREQUAL,
    OP_MIN = OP_MIN,
    OP_MAX = OP_MAX,
    OP_WITHIN = OP_WITHIN,
    OP_RIPEMD160 = OP_RIPEMD160,
    OP_SHA1 = OP_SHA1,
    OP_SHA256 = OP_SHA256,
    OP_HASH160 = OP_HASH160,
    OP_HASH256 = OP_HASH256,
    OP_CODESEPARATOR = OP_CODESEPARATOR,
    OP_CHECKSIG = OP_CHECKSIG,
    OP_CHECKSIGVERIFY = OP_CHECKSIGVERIFY,
    OP_CHECKMULTISIG = OP_CHECKMULTISIG,
    OP_CHECKMULTISIGVERIFY = OP_CHECKMULTISIGVERIFY,
    OP_NOP1 = OP_NOP1,
    OP_CHECKLOCKTIMEVERIFY = OP_CLTV,
    OP_CHECKSEQUENCEVERIFY = OP_CSV,
    OP_NOP4 = OP_NOP4,
    OP_NOP5 = OP_NOP5,
    OP_NOP6 = OP_NOP6,
    OP_NOP7 = OP_NOP7,
    OP_NOP8 = OP_NOP8,
    OP_NOP9 = OP_NOP9,
    OP_NOP10 = OP_NOP10,
    OP_CHECKSIGADD = OP_CHECKSIGADD,
    OP_INVALIDOPCODE = OP_INVALIDOPCODE,
}

/// Returns Bitcoin Core's name of an opcode, `OP_SUCCESS<code>` for those of BIP-0342 and `OP_PUSHBYTES_<n>` for the
/// direct pushes.
pub fn name(opcode: Opcode) -> Cow<'static, str> {
    if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == opcode) {
        return Cow::Borrowed(name);
    }
    match opcode.to_u8() {
        code @ 0x01..=0x4b => Cow::Owned(format!("OP_PUSHBYTES_{code}")),
        code => Cow::Owned(format!("OP_SUCCESS{code}")),
    }
}

/// Finds an opcode by its name: any of Bitcoin Core's, their short forms `OP_CLTV` and `OP_CSV`, and `OP_SUCCESS<code>`.
pub fn from_name(text: &str) -> Option<Opcode> {
    match text {
        "OP_CLTV" => return Some(OP_CHECKLOCKTIMEVERIFY),
        "OP_CSV" => return Some(OP_CHECKSEQUENCEVERIFY),
        _ => {}
    }
    if let Some(digits) = text.strip_prefix("OP_SUCCESS") {
        return digits
            .parse::<u8>()
            .ok()
            .filter(|code| is_success(*code))
            .map(Opcode::from);
    }
    NAMES
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, code)| *code)
}

/// Whether a code is one of BIP-0342's `OP_SUCCESSx`, which make a leaf spendable by anyone.
pub const fn is_success(code: u8) -> bool {
    matches!(code, 80 | 98 | 126..=129 | 131..=134 | 137..=138 | 141..=142 | 149..=153 | 187..=254)
}
