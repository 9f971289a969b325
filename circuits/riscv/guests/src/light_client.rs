//! A transaction is in a block of Bitcoin's mainnet that follows from a known block.

use tapcourt_guest::Inputs;

use crate::difficulty::{PERIOD_BLOCKS, Target};
use crate::merkle_proof::root_of_branch;
use crate::sha256::{Digest, double_sha256, double_sha256_of_inputs};

/// The most headers accepted: half a period, about a week.
pub const MAX_HEADERS: u32 = PERIOD_BLOCKS / 2;

/// What has to be known of a block to check the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The block's hash.
    pub hash: Digest,
    /// Its height.
    pub height: u32,
    /// Its target in compact form.
    pub bits: u32,
    /// Its time stamp.
    pub time: u32,
    /// The time stamp of the first block of its period of 2,016 blocks.
    pub period_start_time: u32,
}

impl Tip {
    /// Reads hash, height, bits, time and the period's first time.
    fn read(inputs: &mut Inputs) -> Self {
        let hash = inputs.bytes();
        let [height, bits, time, period_start_time] = inputs.words();
        Self {
            hash,
            height,
            bits,
            time,
            period_start_time,
        }
    }

    /// Checks that `header` follows on this block and has the proof of work that is asked of it, and moves to it.
    ///
    /// Not checked: the version, and the bounds of the time stamp, for which the eleven blocks before and a clock are needed.
    pub fn extend(&mut self, header: &Header) -> Option<()> {
        let height = self.height.checked_add(1)?;
        let starts_period = height % PERIOD_BLOCKS == 0;
        let bits = if starts_period {
            Target::from_compact(self.bits)?
                .of_next_period(self.period_start_time, self.time)
                .to_compact()
        } else {
            self.bits
        };
        let hash = header.hash();
        let is_valid = header.previous() == self.hash
            && header.bits() == bits
            && Target::from_compact(bits)?.is_met_by(&hash);
        let period_start_time = if starts_period {
            header.time()
        } else {
            self.period_start_time
        };
        *self = Self {
            hash,
            height,
            bits,
            time: header.time(),
            period_start_time,
        };
        is_valid.then_some(())
    }
}

/// The 80 bytes of a header.
#[derive(Debug, Clone)]
pub struct Header(pub [u8; 80]);

impl Header {
    /// The hash of the block before.
    #[must_use]
    pub fn previous(&self) -> Digest {
        self.part(4)
    }

    /// The root of the tree of transactions.
    #[must_use]
    pub fn merkle_root(&self) -> Digest {
        self.part(36)
    }

    /// The time stamp.
    #[must_use]
    pub fn time(&self) -> u32 {
        u32::from_le_bytes(self.part(68))
    }

    /// The target in compact form.
    #[must_use]
    pub fn bits(&self) -> u32 {
        u32::from_le_bytes(self.part(72))
    }

    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> Digest {
        double_sha256(&self.0)
    }

    fn part<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.0[from..from + N]);
        part
    }
}

/// Accepts if the headers follow on the checkpoint, each with the proof of work that mainnet asks of it, and the transaction is
/// in the block whose header has the given index.
///
/// Inputs: the checkpoint (hash of 32 bytes, height, bits, time, time of the first block of its period), the number of headers
/// (1 to 1,008), the index of the block among them, the headers (80 bytes each), the length of the transaction in bytes, the
/// transaction without its witness, its position in the block, the depth of the tree, and so many siblings (32 bytes each),
/// from the transaction's up.
pub fn main() -> Option<()> {
    let mut inputs = Inputs::new();
    let merkle_root = read_headers(&mut inputs)?;
    let transaction = read_transaction(&mut inputs)?;
    (root_of_branch(transaction, &mut inputs)? == merkle_root).then_some(())
}

/// Reads and checks checkpoint and headers, and returns the Merkle root of the header that is asked for.
fn read_headers(inputs: &mut Inputs) -> Option<Digest> {
    let mut tip = Tip::read(inputs);
    let [count, index] = inputs.words();
    if index >= count || count > MAX_HEADERS {
        return None;
    }
    let mut merkle_root = None;
    for i in 0..count {
        let header = Header(inputs.bytes());
        tip.extend(&header)?;
        if i == index {
            merkle_root = Some(header.merkle_root());
        }
    }
    merkle_root
}

/// Reads the transaction and returns its identifier.
///
/// An inner node of the tree is the hash of 64 bytes. So a transaction of 64 bytes could be a node in disguise, and whoever
/// mines one can "prove" transactions that do not exist. None of that length is accepted. (That several lists of transactions
/// have the same root, CVE-2012-2459, does not matter here: the lists differ only in repeating transactions that are in the
/// block.)
fn read_transaction(inputs: &mut Inputs) -> Option<Digest> {
    match inputs.word() {
        64 => None,
        bytes => Some(double_sha256_of_inputs(inputs, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(hex: &str) -> Header {
        let mut bytes = [0; 80];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("it is hex");
        }
        Header(bytes)
    }

    /// Blocks 30,240, 32,255 and 32,256: the first change of the target.
    const PERIOD: [&str; 3] = [
        "01000000e6bf7fd7f7790a63786faa878d0dc7fd8f2ff365732e45862c66075100000000700d342f65c7b6834dffb615358a1897016f0448913372190cbe3d27a4b53355b1512b4bffff001dbfb02519",
        "0100000049c1daab3b6536ff1b2633c3a316a6e06ec287676cdeec4ca7baae6b00000000ac10b36b8f354b3353207de15940a5edbc05bb8364af75b4b5409e7823f2b48923ec3a4bffff001dbd5fa412",
        "010000004b0360d834a330ec7833e30e1f523ee05a0793361e29a73421964f980000000027b64a020af294e903feed93768705336a20090612a043f47af462a2f5e5b564f8ee3a4b6ad8001dd3a43707",
    ];

    fn tip_before_the_end_of_the_period() -> Tip {
        Tip {
            hash: header(PERIOD[1]).previous(),
            height: 32_254,
            bits: 0x1d00_ffff,
            time: 0,
            period_start_time: header(PERIOD[0]).time(),
        }
    }

    #[test]
    fn the_target_changes_at_the_end_of_a_period() {
        let mut tip = tip_before_the_end_of_the_period();
        assert_eq!(tip.extend(&header(PERIOD[1])), Some(()));
        assert_eq!(tip.extend(&header(PERIOD[2])), Some(()));
        assert_eq!(
            (tip.height, tip.bits, tip.period_start_time),
            (32_256, 0x1d00_d86a, tip.time)
        );
    }

    #[test]
    fn the_target_changes_nowhere_else() {
        for height in [32_252, 32_253, 32_255, 0] {
            let mut tip = Tip {
                height,
                ..tip_before_the_end_of_the_period()
            };
            let extended = tip
                .extend(&header(PERIOD[1]))
                .and_then(|()| tip.extend(&header(PERIOD[2])));
            assert_eq!(extended, None, "{height}");
        }
    }

    #[test]
    fn the_target_follows_from_the_times_of_the_period() {
        let mut tip = tip_before_the_end_of_the_period();
        tip.period_start_time -= 10_000;
        assert_eq!(tip.extend(&header(PERIOD[1])), Some(()));
        assert_eq!(tip.extend(&header(PERIOD[2])), None);
    }
}
