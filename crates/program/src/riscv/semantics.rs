//! What each instruction computes: one function an instruction, on plain words.
//!
//! Written for reading, straight from the manual; the fast engine does not use it and is tested against it.

use super::{Instruction, Op};

/// Which values an instruction computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operands {
    pub(super) pc: u32,
    /// `rs1`.
    pub(super) a: u32,
    /// `rs2`.
    pub(super) b: u32,
    pub(super) imm: u32,
}

/// The word written to `rd` by an instruction that neither loads nor calls. `None` for one that writes no register.
pub(super) fn result(instruction: Instruction, operands: Operands) -> Option<u32> {
    let Operands { pc, a, b, imm } = operands;
    Some(match instruction.op {
        Op::Lui => imm,
        Op::Auipc => pc.wrapping_add(imm),
        Op::Jal | Op::Jalr => pc.wrapping_add(4),
        Op::Addi => a.wrapping_add(imm),
        Op::Slti => u32::from(signed(a) < signed(imm)),
        Op::Sltiu => u32::from(a < imm),
        Op::Xori => a ^ imm,
        Op::Ori => a | imm,
        Op::Andi => a & imm,
        Op::Slli => a << imm,
        Op::Srli => a >> imm,
        Op::Srai => unsigned(signed(a) >> imm),
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a << (b % 32),
        Op::Slt => u32::from(signed(a) < signed(b)),
        Op::Sltu => u32::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a >> (b % 32),
        Op::Sra => unsigned(signed(a) >> (b % 32)),
        Op::Or => a | b,
        Op::And => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => high(i64::from(signed(a)) * i64::from(signed(b))),
        Op::Mulhsu => high(i64::from(signed(a)) * i64::from(b)),
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32, // cast ok: the upper half
        Op::Div if b == 0 => u32::MAX,
        Op::Div => unsigned(signed(a).wrapping_div(signed(b))),
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => unsigned(signed(a).wrapping_rem(signed(b))),
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        Op::Beq
        | Op::Bne
        | Op::Blt
        | Op::Bge
        | Op::Bltu
        | Op::Bgeu
        | Op::Lb
        | Op::Lh
        | Op::Lw
        | Op::Lbu
        | Op::Lhu
        | Op::Sb
        | Op::Sh
        | Op::Sw
        | Op::Fence
        | Op::Ecall
        | Op::Ebreak
        | Op::Illegal => return None,
    })
}

/// Where an instruction that neither calls nor stops goes.
pub(super) fn next_pc(instruction: Instruction, operands: Operands) -> u32 {
    let Operands { pc, a, b, imm } = operands;
    let taken = match instruction.op {
        Op::Jal => true,
        Op::Jalr => return a.wrapping_add(imm) & !1,
        Op::Beq => a == b,
        Op::Bne => a != b,
        Op::Blt => signed(a) < signed(b),
        Op::Bge => signed(a) >= signed(b),
        Op::Bltu => a < b,
        Op::Bgeu => a >= b,
        _ => false,
    };
    pc.wrapping_add(if taken { imm } else { 4 })
}

/// What a load gives of the memory word that holds `address`.
pub(super) fn loaded(op: Op, address: u32, word: u32) -> u32 {
    let shifted = word >> (address % 4 * 8);
    match op {
        Op::Lb => unsigned(i32::from(shifted as i8)), // cast ok: the low byte
        Op::Lbu => shifted & 0xff,
        Op::Lh => unsigned(i32::from(shifted as i16)), // cast ok: the low half
        Op::Lhu => shifted & 0xffff,
        _ => shifted,
    }
}

/// The memory word that holds `address` after a store of `value` into `word`.
pub(super) fn stored(op: Op, address: u32, word: u32, value: u32) -> u32 {
    let mask: u32 = match op {
        Op::Sb => 0xff,
        Op::Sh => 0xffff,
        _ => u32::MAX,
    };
    let shift = address % 4 * 8;
    word & !(mask << shift) | (value & mask) << shift
}

const fn signed(word: u32) -> i32 {
    word as i32 // cast ok: the same bits
}

const fn unsigned(word: i32) -> u32 {
    word as u32 // cast ok: the same bits
}

const fn high(product: i64) -> u32 {
    (product >> 32) as u32 // cast ok: the upper half
}
