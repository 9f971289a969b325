//! What to pay: a feerate that rises towards the deadline, and a budget for the whole contract.

use bitcoin::{Amount, FeeRate};

/// Blocks before a deadline from which on everything that may be spent is offered.
pub const LAST_BLOCKS: u32 = 3;

/// What a replacement offers at least, in percent of what it replaces.
const STEP_PERCENT: u64 = 110;

/// What it offers more at least, in satoshi per 1,000 weight units: a little over the 0.1 sat/vB that nodes ask for.
const STEP_SAT_PER_KWU: u64 = 26;

/// How a party pays for its moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePolicy {
    /// The feerate that a move begins with when nobody asks for more.
    pub start: FeeRate,
    /// Most that the contract's fees may come to; `None`: half of its pot.
    pub budget: Option<Amount>,
}

/// The blocks in which a move can still confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Blocks from when the duty arose until its deadline.
    pub blocks: u32,
    /// Those of them that are left, the next one included.
    pub left: u32,
}

impl Span {
    /// For how many blocks to ask the node for an estimate: half of what is left.
    pub fn target_blocks(self) -> u32 {
        (self.left / 2).max(1)
    }

    /// Whether [`LAST_BLOCKS`] are left, or a quarter of a shorter span.
    pub fn is_ending(self) -> bool {
        self.left <= LAST_BLOCKS.min(self.blocks / 4).max(1)
    }
}

/// Calculates what a package should pay now: `start` when the duty arises, `end` when [`LAST_BLOCKS`] are left (or a quarter of a
/// shorter span), and a square in between. Never more than `end`.
pub fn curve(start: FeeRate, end: FeeRate, span: Span) -> FeeRate {
    let gone = u128::from(span.blocks.saturating_sub(span.left));
    if start >= end {
        return end;
    }
    if gone == 0 {
        return start;
    }
    if span.is_ending() {
        return end;
    }
    let last = LAST_BLOCKS.min(span.blocks / 4).max(1);
    let rising = u128::from(span.blocks.saturating_sub(last)).max(1);
    let (low, high) = (
        u128::from(start.to_sat_per_kwu()),
        u128::from(end.to_sat_per_kwu()),
    );
    let rate = low + (high - low) * gone * gone / (rising * rising);
    // cast ok: between two values that fit
    FeeRate::from_sat_per_kwu(rate as u64)
}

/// Returns the least feerate that replaces a package of this feerate, with a step that makes it worth a message.
pub fn next_step(feerate: FeeRate) -> FeeRate {
    let rate = feerate.to_sat_per_kwu();
    FeeRate::from_sat_per_kwu(
        (rate.saturating_mul(STEP_PERCENT) / 100).max(rate.saturating_add(STEP_SAT_PER_KWU)),
    )
}

/// Multiplies a feerate; the highest there is if it would be higher.
pub fn times(feerate: FeeRate, factor: u64) -> FeeRate {
    FeeRate::from_sat_per_kwu(feerate.to_sat_per_kwu().saturating_mul(factor))
}

/// Returns the feerate that uses a sum up, rounded down.
pub fn feerate_of(fee: Amount, vsize_vb: u64) -> FeeRate {
    // 1 sat/kwu is 4 sat/kvB.
    let per_kwu = u128::from(fee.to_sat()) * 250 / u128::from(vsize_vb.max(1));
    FeeRate::from_sat_per_kwu(u64::try_from(per_kwu).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(sat_per_kwu: u64) -> FeeRate {
        FeeRate::from_sat_per_kwu(sat_per_kwu)
    }

    #[test]
    fn the_curve_rises_from_start_to_end() {
        for blocks in [1, 3, 4, 9, 36, 144, 1_008] {
            let mut before = FeeRate::ZERO;
            for left in (0..=blocks).rev() {
                let now = curve(rate(500), rate(90_000), Span { blocks, left });
                assert!(now >= before, "{blocks} {left}");
                assert!(now >= rate(500) && now <= rate(90_000));
                before = now;
                if left <= LAST_BLOCKS.min(blocks / 4) {
                    assert_eq!(now, rate(90_000), "{blocks} {left}");
                }
            }
        }
        let at_once = Span {
            blocks: 144,
            left: 144,
        };
        assert_eq!(curve(rate(500), rate(90_000), at_once), rate(500));
        assert_eq!(
            curve(rate(500), rate(300), at_once),
            rate(300),
            "the budget is the limit"
        );
    }

    #[test]
    fn a_sum_gives_its_feerate() {
        assert_eq!(feerate_of(Amount::from_sat(1_000), 1_000), rate(250));
        assert_eq!(feerate_of(Amount::ZERO, 0), rate(0));
        assert!(next_step(rate(0)) > rate(0));
        assert_eq!(next_step(rate(1_000)), rate(1_100));
    }
}
