//! One instruction, decoded; and encoded, for those who write programs.

use std::fmt;

/// One of the registers `x0` to `x31`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(u8);

impl Register {
    /// `x0`, which is always zero.
    pub const ZERO: Self = Self(0);
    /// `sp`, the stack pointer of the calling convention.
    pub const SP: Self = Self(2);
    /// `a0`: the code of an exit, the number of an input word and its value.
    pub const A0: Self = Self(10);
    /// `a7`: the number of a call.
    pub const A7: Self = Self(17);

    /// Register `x{number}`.
    ///
    /// # Panics
    /// If there are not so many.
    pub const fn new(number: u8) -> Self {
        assert!(number < 32, "registers are x0 to x31");
        Self(number)
    }

    /// The five bits from bit `low` of a word.
    const fn field(word: u32, low: u32) -> Self {
        Self((word >> low & 31) as u8) // cast ok: five bits
    }

    /// Its number, 0 to 31.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// All 32.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..32).map(Self)
    }
}

/// As the ABI names it: `a0`.
impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 32] = [
            "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3",
            "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
            "t3", "t4", "t5", "t6",
        ];
        f.write_str(NAMES[usize::from(self.0)])
    }
}

/// How the fields of an instruction lie in its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `rd, rs1, rs2`.
    R,
    /// `rd, rs1, imm`.
    I,
    /// `rd, rs1, shamt`: five bits.
    Shift,
    /// `rs1, rs2, imm`, stores.
    S,
    /// `rs1, rs2, imm`, branches.
    B,
    /// `rd, imm`: the upper 20 bits.
    U,
    /// `rd, imm`, `jal`.
    J,
    /// No field that matters.
    None,
}

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident, $mnemonic:literal, $format:ident, $opcode:literal, $funct3:literal, $funct7:literal;)*) => {
        /// What an instruction does: the 40 of RV32I, the 8 of M, and [`Illegal`](Self::Illegal) for every other word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $($(#[$doc])* $name,)*
            /// A word that is no instruction of RV32IM.
            Illegal,
        }

        impl Op {
            /// All instructions, without [`Illegal`](Self::Illegal).
            pub const ALL: [Self; 48] = [$(Self::$name),*];

            /// Its name in assembly.
            pub const fn mnemonic(self) -> &'static str {
                match self {
                    $(Self::$name => $mnemonic,)*
                    Self::Illegal => "illegal",
                }
            }

            /// Which fields it has, and where.
            pub const fn format(self) -> Format {
                match self {
                    $(Self::$name => Format::$format,)*
                    Self::Illegal => Format::None,
                }
            }

            /// Opcode, funct3 and funct7 (zero where the format has none).
            const fn code(self) -> (u32, u32, u32) {
                match self {
                    $(Self::$name => ($opcode, $funct3, $funct7),)*
                    Self::Illegal => (0, 0, 0),
                }
            }
        }
    };
}

ops! {
    /// `rd = imm`.
    Lui, "lui", U, 0x37, 0, 0;
    /// `rd = pc + imm`.
    Auipc, "auipc", U, 0x17, 0, 0;
    /// `rd = pc + 4`, and goes to `pc + imm`.
    Jal, "jal", J, 0x6f, 0, 0;
    /// `rd = pc + 4`, and goes to `rs1 + imm` with bit 0 cleared.
    Jalr, "jalr", I, 0x67, 0, 0;
    /// Goes to `pc + imm` if equal.
    Beq, "beq", B, 0x63, 0, 0;
    /// Goes to `pc + imm` if not equal.
    Bne, "bne", B, 0x63, 1, 0;
    /// Goes to `pc + imm` if less, signed.
    Blt, "blt", B, 0x63, 4, 0;
    /// Goes to `pc + imm` if greater or equal, signed.
    Bge, "bge", B, 0x63, 5, 0;
    /// Goes to `pc + imm` if less.
    Bltu, "bltu", B, 0x63, 6, 0;
    /// Goes to `pc + imm` if greater or equal.
    Bgeu, "bgeu", B, 0x63, 7, 0;
    /// Loads a byte, sign extended.
    Lb, "lb", I, 0x03, 0, 0;
    /// Loads two bytes, sign extended.
    Lh, "lh", I, 0x03, 1, 0;
    /// Loads a word.
    Lw, "lw", I, 0x03, 2, 0;
    /// Loads a byte.
    Lbu, "lbu", I, 0x03, 4, 0;
    /// Loads two bytes.
    Lhu, "lhu", I, 0x03, 5, 0;
    /// Stores a byte.
    Sb, "sb", S, 0x23, 0, 0;
    /// Stores two bytes.
    Sh, "sh", S, 0x23, 1, 0;
    /// Stores a word.
    Sw, "sw", S, 0x23, 2, 0;
    /// `rd = rs1 + imm`.
    Addi, "addi", I, 0x13, 0, 0;
    /// `rd = rs1 < imm`, signed.
    Slti, "slti", I, 0x13, 2, 0;
    /// `rd = rs1 < imm`.
    Sltiu, "sltiu", I, 0x13, 3, 0;
    /// `rd = rs1 ^ imm`.
    Xori, "xori", I, 0x13, 4, 0;
    /// `rd = rs1 | imm`.
    Ori, "ori", I, 0x13, 6, 0;
    /// `rd = rs1 & imm`.
    Andi, "andi", I, 0x13, 7, 0;
    /// `rd = rs1 << imm`.
    Slli, "slli", Shift, 0x13, 1, 0;
    /// `rd = rs1 >> imm`.
    Srli, "srli", Shift, 0x13, 5, 0;
    /// `rd = rs1 >> imm`, signed.
    Srai, "srai", Shift, 0x13, 5, 0x20;
    /// `rd = rs1 + rs2`.
    Add, "add", R, 0x33, 0, 0;
    /// `rd = rs1 - rs2`.
    Sub, "sub", R, 0x33, 0, 0x20;
    /// `rd = rs1 << rs2 % 32`.
    Sll, "sll", R, 0x33, 1, 0;
    /// `rd = rs1 < rs2`, signed.
    Slt, "slt", R, 0x33, 2, 0;
    /// `rd = rs1 < rs2`.
    Sltu, "sltu", R, 0x33, 3, 0;
    /// `rd = rs1 ^ rs2`.
    Xor, "xor", R, 0x33, 4, 0;
    /// `rd = rs1 >> rs2 % 32`.
    Srl, "srl", R, 0x33, 5, 0;
    /// `rd = rs1 >> rs2 % 32`, signed.
    Sra, "sra", R, 0x33, 5, 0x20;
    /// `rd = rs1 | rs2`.
    Or, "or", R, 0x33, 6, 0;
    /// `rd = rs1 & rs2`.
    And, "and", R, 0x33, 7, 0;
    /// Does nothing.
    Fence, "fence", None, 0x0f, 0, 0;
    /// A call: see the [module](super).
    Ecall, "ecall", None, 0x73, 0, 0;
    /// Stops in place.
    Ebreak, "ebreak", None, 0x73, 0, 0;
    /// Low half of the product.
    Mul, "mul", R, 0x33, 0, 1;
    /// High half of the product, both signed.
    Mulh, "mulh", R, 0x33, 1, 1;
    /// High half of the product, `rs1` signed.
    Mulhsu, "mulhsu", R, 0x33, 2, 1;
    /// High half of the product.
    Mulhu, "mulhu", R, 0x33, 3, 1;
    /// Quotient, signed, rounded to zero; `-1` by zero, and `-2^31 / -1 = -2^31`.
    Div, "div", R, 0x33, 4, 1;
    /// Quotient; `2^32 - 1` by zero.
    Divu, "divu", R, 0x33, 5, 1;
    /// Remainder, with the sign of `rs1`; `rs1` by zero, and 0 for `-2^31` by `-1`.
    Rem, "rem", R, 0x33, 6, 1;
    /// Remainder; `rs1` by zero.
    Remu, "remu", R, 0x33, 7, 1;
}

const ECALL: u32 = 0x0000_0073;
const EBREAK: u32 = 0x0010_0073;

impl Op {
    /// Whether it reads `rs1`. `ecall` reads `a7` there.
    pub const fn reads_rs1(self) -> bool {
        matches!(
            self.format(),
            Format::R | Format::I | Format::Shift | Format::S | Format::B
        ) || matches!(self, Self::Ecall)
    }

    /// Whether it reads `rs2`. `ecall` reads `a0` there.
    pub const fn reads_rs2(self) -> bool {
        matches!(self.format(), Format::R | Format::S | Format::B) || matches!(self, Self::Ecall)
    }

    /// Whether it writes `rd`. `ecall` may write `a0` there.
    pub const fn writes_rd(self) -> bool {
        matches!(
            self.format(),
            Format::R | Format::I | Format::Shift | Format::U | Format::J
        ) || matches!(self, Self::Ecall)
    }

    /// The logarithm of the bytes that it loads, if it loads.
    pub const fn load_log2_bytes(self) -> Option<u32> {
        match self {
            Self::Lb | Self::Lbu => Some(0),
            Self::Lh | Self::Lhu => Some(1),
            Self::Lw => Some(2),
            _ => None,
        }
    }

    /// The logarithm of the bytes that it stores, if it stores.
    pub const fn store_log2_bytes(self) -> Option<u32> {
        match self {
            Self::Sb => Some(0),
            Self::Sh => Some(1),
            Self::Sw => Some(2),
            _ => None,
        }
    }

    /// Of a load or a store, the logarithm of how many bytes it accesses.
    pub const fn access_log2_bytes(self) -> Option<u32> {
        match self.load_log2_bytes() {
            None => self.store_log2_bytes(),
            load => load,
        }
    }

    /// Whether it is a load or a store.
    pub const fn accesses_memory(self) -> bool {
        self.access_log2_bytes().is_some()
    }

    /// Whether it may go anywhere but to the next instruction, not counting that it stops in place.
    pub const fn jumps(self) -> bool {
        matches!(self.format(), Format::B) || matches!(self, Self::Jal | Self::Jalr | Self::Ecall)
    }
}

/// One instruction, decoded. Fields that its format lacks are zero; `ecall` has `rs1` = `a7` and `rd` = `rs2` = `a0`, which it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register that it writes.
    pub rd: Register,
    /// The first register that it reads.
    pub rs1: Register,
    /// The second register that it reads.
    pub rs2: Register,
    /// The immediate, sign extended; for `lui` and `auipc` with twelve zeros below.
    pub imm: u32,
}

impl Instruction {
    const fn plain(op: Op) -> Self {
        Self {
            op,
            rd: Register::ZERO,
            rs1: Register::ZERO,
            rs2: Register::ZERO,
            imm: 0,
        }
    }

    /// A word that is no instruction.
    pub const ILLEGAL: Self = Self::plain(Op::Illegal);

    /// `ecall`.
    pub const ECALL: Self = Self {
        op: Op::Ecall,
        rd: Register::A0,
        rs1: Register::A7,
        rs2: Register::A0,
        imm: 0,
    };

    /// An instruction of these fields, of which only those that its format has are taken.
    ///
    /// # Panics
    /// If the immediate does not fit.
    pub fn new(op: Op, rd: Register, rs1: Register, rs2: Register, imm: u32) -> Self {
        let made = match op.format() {
            Format::R => Self {
                op,
                rd,
                rs1,
                rs2,
                imm: 0,
            },
            Format::I | Format::Shift => Self {
                op,
                rd,
                rs1,
                rs2: Register::ZERO,
                imm,
            },
            Format::S | Format::B => Self {
                op,
                rd: Register::ZERO,
                rs1,
                rs2,
                imm,
            },
            Format::U | Format::J => Self {
                op,
                rd,
                rs1: Register::ZERO,
                rs2: Register::ZERO,
                imm,
            },
            Format::None if op == Op::Ecall => Self::ECALL,
            Format::None => Self::plain(op),
        };
        assert!(
            op == Op::Illegal || Self::decode(made.encode()) == made,
            "{op:?} has no immediate {imm:#x}"
        );
        made
    }

    /// Decodes a word. Words that are no instruction of RV32IM give [`Op::Illegal`]; so do `fence.i` and CSR instructions.
    pub fn decode(word: u32) -> Self {
        let rd = Register::field(word, 7);
        let rs1 = Register::field(word, 15);
        let rs2 = Register::field(word, 20);
        let funct3 = word >> 12 & 7;
        let funct7 = word >> 25;
        let signed = word as i32; // cast ok: the same bits
        let op = match (word & 0x7f, funct3) {
            (0x37, _) => Op::Lui,
            (0x17, _) => Op::Auipc,
            (0x6f, _) => Op::Jal,
            (0x67, 0) => Op::Jalr,
            (0x63, 0) => Op::Beq,
            (0x63, 1) => Op::Bne,
            (0x63, 4) => Op::Blt,
            (0x63, 5) => Op::Bge,
            (0x63, 6) => Op::Bltu,
            (0x63, 7) => Op::Bgeu,
            (0x03, 0) => Op::Lb,
            (0x03, 1) => Op::Lh,
            (0x03, 2) => Op::Lw,
            (0x03, 4) => Op::Lbu,
            (0x03, 5) => Op::Lhu,
            (0x23, 0) => Op::Sb,
            (0x23, 1) => Op::Sh,
            (0x23, 2) => Op::Sw,
            (0x13, 0) => Op::Addi,
            (0x13, 2) => Op::Slti,
            (0x13, 3) => Op::Sltiu,
            (0x13, 4) => Op::Xori,
            (0x13, 6) => Op::Ori,
            (0x13, 7) => Op::Andi,
            (0x13, 1) if funct7 == 0 => Op::Slli,
            (0x13, 5) if funct7 == 0 => Op::Srli,
            (0x13, 5) if funct7 == 0x20 => Op::Srai,
            (0x33, _) => match (funct7, funct3) {
                (0, 0) => Op::Add,
                (0x20, 0) => Op::Sub,
                (0, 1) => Op::Sll,
                (0, 2) => Op::Slt,
                (0, 3) => Op::Sltu,
                (0, 4) => Op::Xor,
                (0, 5) => Op::Srl,
                (0x20, 5) => Op::Sra,
                (0, 6) => Op::Or,
                (0, 7) => Op::And,
                (1, 0) => Op::Mul,
                (1, 1) => Op::Mulh,
                (1, 2) => Op::Mulhsu,
                (1, 3) => Op::Mulhu,
                (1, 4) => Op::Div,
                (1, 5) => Op::Divu,
                (1, 6) => Op::Rem,
                (1, 7) => Op::Remu,
                _ => Op::Illegal,
            },
            (0x0f, 0) => Op::Fence,
            _ if word == ECALL => Op::Ecall,
            _ if word == EBREAK => Op::Ebreak,
            _ => Op::Illegal,
        };
        match op.format() {
            Format::R => Self {
                op,
                rd,
                rs1,
                rs2,
                imm: 0,
            },
            Format::I => Self {
                op,
                rd,
                rs1,
                rs2: Register::ZERO,
                imm: (signed >> 20) as u32,
            }, // cast ok: the same bits
            Format::Shift => Self {
                op,
                rd,
                rs1,
                rs2: Register::ZERO,
                imm: word >> 20 & 31,
            },
            Format::S => {
                let imm = (signed >> 25 << 5) as u32 | word >> 7 & 0x1f; // cast ok: the same bits
                Self {
                    op,
                    rd: Register::ZERO,
                    rs1,
                    rs2,
                    imm,
                }
            }
            Format::B => {
                let imm = (signed >> 31 << 12) as u32 // cast ok: the same bits
                    | (word >> 7 & 1) << 11
                    | (word >> 25 & 0x3f) << 5
                    | (word >> 8 & 0xf) << 1;
                Self {
                    op,
                    rd: Register::ZERO,
                    rs1,
                    rs2,
                    imm,
                }
            }
            Format::U => Self {
                op,
                rd,
                rs1: Register::ZERO,
                rs2: Register::ZERO,
                imm: word & 0xffff_f000,
            },
            Format::J => {
                let imm = (signed >> 31 << 20) as u32 // cast ok: the same bits
                    | word & 0x000f_f000
                    | (word >> 20 & 1) << 11
                    | (word >> 21 & 0x3ff) << 1;
                Self {
                    op,
                    rd,
                    rs1: Register::ZERO,
                    rs2: Register::ZERO,
                    imm,
                }
            }
            Format::None if op == Op::Ecall => Self::ECALL,
            Format::None => Self::plain(op),
        }
    }

    /// The word that [decodes](Self::decode) to it, if its immediate fits; bits of the immediate that have no place are dropped.
    pub fn encode(&self) -> u32 {
        let (opcode, funct3, funct7) = self.op.code();
        let rd = u32::from(self.rd.number()) << 7;
        let rs1 = u32::from(self.rs1.number()) << 15;
        let rs2 = u32::from(self.rs2.number()) << 20;
        let base = opcode | funct3 << 12;
        let imm = self.imm;
        match self.op.format() {
            Format::R => base | funct7 << 25 | rd | rs1 | rs2,
            Format::I => base | rd | rs1 | imm << 20,
            Format::Shift => base | funct7 << 25 | rd | rs1 | (imm & 31) << 20,
            Format::S => base | rs1 | rs2 | (imm >> 5 & 0x7f) << 25 | (imm & 0x1f) << 7,
            Format::B => {
                base | rs1
                    | rs2
                    | (imm >> 12 & 1) << 31
                    | (imm >> 5 & 0x3f) << 25
                    | (imm >> 1 & 0xf) << 8
                    | (imm >> 11 & 1) << 7
            }
            Format::U => base | rd | imm & 0xffff_f000,
            Format::J => {
                base | rd
                    | (imm >> 20 & 1) << 31
                    | (imm >> 1 & 0x3ff) << 21
                    | (imm >> 11 & 1) << 20
                    | imm & 0x000f_f000
            }
            Format::None if self.op == Op::Ebreak => EBREAK,
            Format::None => base,
        }
    }
}

/// As an assembler takes it, with immediates and offsets as signed decimals: `lw a0, -4(sp)`.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            op,
            rd,
            rs1,
            rs2,
            imm,
        } = *self;
        let name = op.mnemonic();
        let signed = imm as i32; // cast ok: the same bits
        match op.format() {
            Format::R => write!(f, "{name} {rd}, {rs1}, {rs2}"),
            Format::I if op.load_log2_bytes().is_some() || op == Op::Jalr => {
                write!(f, "{name} {rd}, {signed}({rs1})")
            }
            Format::I | Format::Shift => write!(f, "{name} {rd}, {rs1}, {signed}"),
            Format::S => write!(f, "{name} {rs2}, {signed}({rs1})"),
            Format::B => write!(f, "{name} {rs1}, {rs2}, {signed}"),
            Format::U => write!(f, "{name} {rd}, {:#x}", imm >> 12),
            Format::J => write!(f, "{name} {rd}, {signed}"),
            Format::None => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding_and_gives_up_nothing() {
        // Every word of a seeded sample either is illegal or, decoded and encoded, decodes to the same.
        let mut state = 1u64;
        let mut legal = 0;
        for _ in 0..2_000_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let word = (state >> 32) as u32; // cast ok: the upper half
            let word = word & !3 | 3;
            let instruction = Instruction::decode(word);
            if instruction.op != Op::Illegal {
                legal += 1;
                assert_eq!(
                    Instruction::decode(instruction.encode()),
                    instruction,
                    "{word:#x}"
                );
                if instruction.op != Op::Fence {
                    assert_eq!(instruction.encode(), word, "{instruction}");
                }
            }
        }
        assert!(legal > 100_000, "{legal}");
    }

    #[test]
    fn words_as_an_assembler_writes_them() {
        for (word, text) in [
            (0x0001_0137, "lui sp, 0x10"),
            (0xfff0_0513, "addi a0, zero, -1"),
            (0x00c5_8533, "add a0, a1, a2"),
            (0x40c5_d533, "sra a0, a1, a2"),
            (0x02c5_d533, "divu a0, a1, a2"),
            (0xfe01_2e23, "sw zero, -4(sp)"),
            (0xffc1_2503, "lw a0, -4(sp)"),
            (0xfe00_0ee3, "beq zero, zero, -4"),
            (0x0000_006f, "jal zero, 0"),
            (0x0000_8067, "jalr zero, 0(ra)"),
            (0x41f5_5513, "srai a0, a0, 31"),
            (0x0ff0_000f, "fence"),
            (0x0000_0073, "ecall"),
            (0x0010_0073, "ebreak"),
            (0x0000_100f, "illegal"),
            (0x0000_4501, "illegal"),
            (0x0000_0000, "illegal"),
            (0xffff_ffff, "illegal"),
            (0x3000_2573, "illegal"),
        ] {
            assert_eq!(Instruction::decode(word).to_string(), text, "{word:#010x}");
        }
    }
}
