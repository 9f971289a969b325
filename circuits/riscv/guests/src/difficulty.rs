//! Bitcoin's targets: their compact form, and how they follow from the time that the last 2,016 blocks took.

use core::cmp::Ordering;

use crate::sha256::Digest;

/// The number of blocks between two changes of the target.
pub const PERIOD_BLOCKS: u32 = 2_016;
/// The time that a period should take: two weeks.
pub const PERIOD_SECONDS: u32 = 14 * 24 * 60 * 60;
/// The easiest target of mainnet, in compact form.
pub const EASIEST_BITS: u32 = 0x1d00_ffff;

/// An unsigned number of 256 bits: what a block's hash must not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Lowest first.
    limbs: [u32; 8],
}

impl Target {
    /// Decodes the compact form, `mantissa · 256^(exponent − 3)` with the exponent in the highest byte.
    ///
    /// Returns nothing where Bitcoin refuses the block whatever its hash is: a negative number, zero, one that does not fit
    /// into 256 bits, and one above mainnet's easiest target.
    #[must_use]
    pub fn from_compact(bits: u32) -> Option<Self> {
        let (exponent, mantissa) = (bits >> 24, bits & 0x007f_ffff);
        // With exponents above the easiest one's, only mantissas that are zero in their high bytes could be small enough,
        // and the canonical form of those has a smaller exponent.
        if bits & 0x0080_0000 != 0 || exponent > EASIEST_BITS >> 24 {
            return None;
        }
        let mut target = Self { limbs: [0; 8] };
        if exponent <= 3 {
            target.limbs[0] = mantissa >> (8 * (3 - exponent));
        } else {
            let (limb, shift) = ((exponent as usize - 3) / 4, 8 * ((exponent - 3) % 4));
            target.limbs[limb] = mantissa << shift;
            target.limbs[limb + 1] = (u64::from(mantissa) << shift >> 32) as u32;
        }
        (!target.is_zero() && target <= Self::easiest()).then_some(target)
    }

    /// Encodes the compact form: the three highest bytes, or two if the highest bit would be taken for a sign.
    #[must_use]
    pub fn to_compact(self) -> u32 {
        let bytes = self.to_bytes();
        let len = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |highest| highest + 1);
        let byte = |below_top: usize| {
            len.checked_sub(below_top)
                .map_or(0, |index| u32::from(bytes[index]))
        };
        let exponent = len as u32;
        match byte(1) {
            high @ 0x80.. => (exponent + 1) << 24 | high << 8 | byte(2),
            high => exponent << 24 | high << 16 | byte(2) << 8 | byte(3),
        }
    }

    /// Whether a block with this hash has the proof of work.
    #[must_use]
    pub fn is_met_by(&self, hash: &Digest) -> bool {
        Self::from_bytes(hash) <= *self
    }

    /// The target of the next period, if this one took from the first to the second time (of its first and last block).
    ///
    /// It changes by a factor of four at most, and is no easier than the easiest. (From the first block to the last are only
    /// 2,015 intervals; so it is defined.)
    #[must_use]
    pub fn of_next_period(self, first_time: u32, last_time: u32) -> Self {
        let seconds = last_time
            .saturating_sub(first_time)
            .clamp(PERIOD_SECONDS / 4, PERIOD_SECONDS * 4);
        self.times(seconds)
            .divided_by(PERIOD_SECONDS)
            .min(Self::easiest())
    }

    fn easiest() -> Self {
        let mut limbs = [0; 8];
        limbs[6] = 0xffff_0000;
        Self { limbs }
    }

    fn is_zero(&self) -> bool {
        self.limbs == [0; 8]
    }

    fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    /// The product modulo 2^256. No target times four periods gets there.
    fn times(self, factor: u32) -> Self {
        let mut carry = 0;
        let limbs = self.limbs.map(|limb| {
            let product = u64::from(limb) * u64::from(factor) + carry;
            carry = product >> 32;
            product as u32
        });
        Self { limbs }
    }

    fn divided_by(mut self, divisor: u32) -> Self {
        let mut remainder = 0;
        for limb in self.limbs.iter_mut().rev() {
            let dividend = remainder << 32 | u64::from(*limb);
            *limb = (dividend / u64::from(divisor)) as u32;
            remainder = dividend % u64::from(divisor);
        }
        self
    }

    /// Lowest byte first, as hashes are compared.
    fn from_bytes(bytes: &Digest) -> Self {
        let mut limbs = [0; 8];
        for (limb, part) in limbs.iter_mut().zip(bytes.chunks_exact(4)) {
            *limb = u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        }
        Self { limbs }
    }

    fn to_bytes(self) -> Digest {
        let mut bytes = [0; 32];
        for (part, limb) in bytes.chunks_exact_mut(4).zip(self.limbs) {
            part.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }
}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `GetNextWorkRequired` of Bitcoin Core.
    fn next_bits(bits: u32, first_time: u32, last_time: u32) -> u32 {
        let target = Target::from_compact(bits).expect("a block of mainnet had it");
        target.of_next_period(first_time, last_time).to_compact()
    }

    #[test]
    fn targets_of_mainnet_follow_from_each_other() {
        // Blocks 32,256, 556,416, 558,432 and 560,448.
        assert_eq!(
            next_bits(0x1d00_ffff, 1_261_130_161, 1_262_152_739),
            0x1d00_d86a
        );
        assert_eq!(
            next_bits(0x1737_1ef4, 1_545_175_965, 1_546_275_302),
            0x1732_18a5
        );
        assert_eq!(
            next_bits(0x1732_18a5, 1_546_276_809, 1_547_431_851),
            0x172f_d633
        );
        assert_eq!(
            next_bits(0x172f_d633, 1_547_432_394, 1_548_656_416),
            0x1730_6835
        );
    }

    #[test]
    fn changes_are_bounded() {
        // The easiest target stays: block 2,016. A quarter and four times: the bounds of Bitcoin Core's own tests.
        assert_eq!(
            next_bits(0x1d00_ffff, 1_231_006_505, 1_233_061_996),
            0x1d00_ffff
        );
        assert_eq!(
            next_bits(0x1c05_a3f4, 1_279_008_237, 1_279_297_671),
            0x1c01_68fd
        );
        assert_eq!(
            next_bits(0x1c38_7f6f, 1_263_163_443, 1_269_211_443),
            0x1d00_e1fd
        );
        // A last block with an earlier time than the first.
        assert_eq!(
            next_bits(0x1c05_a3f4, 1_279_008_237, 1_279_008_236),
            0x1c01_68fd
        );
    }

    #[test]
    fn what_bitcoin_refuses_is_refused() {
        for bits in [
            0,
            0x0100_0000,
            0x1d80_ffff,
            0x1d01_0000,
            0x1e00_00ff,
            0x207f_ffff,
            0x2100_ffff,
            0xff12_3456,
            0x0180_3456,
            0x0100_3456,
        ] {
            assert_eq!(Target::from_compact(bits), None, "{bits:#x}");
        }
    }

    #[test]
    fn compact_forms_come_back() {
        for bits in [
            EASIEST_BITS,
            0x1b04_04cb,
            0x1737_1ef4,
            0x0312_3456,
            0x0212_3400,
            0x0112_0000,
            0x0500_9234,
        ] {
            assert_eq!(
                Target::from_compact(bits).map(Target::to_compact),
                Some(bits),
                "{bits:#x}"
            );
        }
    }

    #[test]
    fn a_hash_may_equal_the_target() {
        let target = Target::from_compact(EASIEST_BITS).expect("it is the easiest");
        let mut hash = [0; 32];
        hash[26..28].fill(0xff);
        assert!(target.is_met_by(&hash));
        hash[0] = 1;
        assert!(!target.is_met_by(&hash));
    }
}
