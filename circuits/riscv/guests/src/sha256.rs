//! SHA-256 (FIPS 180-4), written for few steps on a machine without rotations: the rounds are unrolled and the message schedule
//! is a window of 16 words that stays in place.

use tapcourt_guest::Inputs;

/// A digest, as its 32 bytes are written.
pub type Digest = [u8; 32];

const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[rustfmt::skip]
const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// A hash in progress.
#[derive(Debug, Clone)]
pub struct Sha256 {
    state: [u32; 8],
    block: [u8; 64],
    block_bytes: usize,
    total_bytes: u32,
}

impl Default for Sha256 {
    fn default() -> Self {
        Self {
            state: INITIAL_STATE,
            block: [0; 64],
            block_bytes: 0,
            total_bytes: 0,
        }
    }
}

impl Sha256 {
    /// Appends `bytes` to the message, which may have 2^29 − 1 bytes in all.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.total_bytes += bytes.len() as u32;
        while !bytes.is_empty() {
            let take = bytes.len().min(64 - self.block_bytes);
            let (now, later) = bytes.split_at(take);
            self.block[self.block_bytes..self.block_bytes + take].copy_from_slice(now);
            self.block_bytes += take;
            bytes = later;
            if self.block_bytes == 64 {
                self.finish_block();
            }
        }
    }

    /// Appends so many input bytes to the message.
    pub fn update_from_inputs(&mut self, inputs: &mut Inputs, bytes: u32) {
        let mut missing = bytes as usize;
        let mut block = [0; 64];
        while missing > 0 {
            let part = &mut block[..missing.min(64)];
            inputs.read(part);
            self.update(part);
            missing -= part.len();
        }
    }

    /// Appends the padding and returns the digest.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        let message_bytes = self.total_bytes;
        self.update(&[0x80]);
        if self.block_bytes > 56 {
            self.block[self.block_bytes..].fill(0);
            self.finish_block();
        }
        self.block[self.block_bytes..56].fill(0);
        self.block[56..60].copy_from_slice(&(message_bytes >> 29).to_be_bytes());
        self.block[60..].copy_from_slice(&(message_bytes << 3).to_be_bytes());
        self.finish_block();
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    fn finish_block(&mut self) {
        compress(&mut self.state, &self.block);
        self.block_bytes = 0;
    }
}

/// The SHA-256 digest of `message`.
#[must_use]
pub fn sha256(message: &[u8]) -> Digest {
    let mut hash = Sha256::default();
    hash.update(message);
    hash.finish()
}

/// The digest of the digest, as Bitcoin identifies blocks and transactions.
#[must_use]
pub fn double_sha256(message: &[u8]) -> Digest {
    sha256(&sha256(message))
}

/// As [`double_sha256`], of so many input bytes.
#[must_use]
pub fn double_sha256_of_inputs(inputs: &mut Inputs, bytes: u32) -> Digest {
    let mut hash = Sha256::default();
    hash.update_from_inputs(inputs, bytes);
    sha256(&hash.finish())
}

/// One round: the new values of `d` and `h`. The caller renames the eight variables instead of moving their values.
macro_rules! round {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $constant:expr, $word:expr) => {
        let sigma_1 = $e.rotate_right(6) ^ $e.rotate_right(11) ^ $e.rotate_right(25);
        let choice = (($f ^ $g) & $e) ^ $g;
        $h = $h
            .wrapping_add(sigma_1)
            .wrapping_add(choice)
            .wrapping_add($constant)
            .wrapping_add($word);
        $d = $d.wrapping_add($h);
        let sigma_0 = $a.rotate_right(2) ^ $a.rotate_right(13) ^ $a.rotate_right(22);
        let majority = (($a ^ $b) & ($a ^ $c)) ^ $a;
        $h = $h.wrapping_add(sigma_0).wrapping_add(majority);
    };
}

/// Eight rounds, after which the variables have their old names again.
macro_rules! eight_rounds {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $constants:expr, $words:expr) => {
        round!($a $b $c $d $e $f $g $h, $constants[0], $words[0]);
        round!($h $a $b $c $d $e $f $g, $constants[1], $words[1]);
        round!($g $h $a $b $c $d $e $f, $constants[2], $words[2]);
        round!($f $g $h $a $b $c $d $e, $constants[3], $words[3]);
        round!($e $f $g $h $a $b $c $d, $constants[4], $words[4]);
        round!($d $e $f $g $h $a $b $c, $constants[5], $words[5]);
        round!($c $d $e $f $g $h $a $b, $constants[6], $words[6]);
        round!($b $c $d $e $f $g $h $a, $constants[7], $words[7]);
    };
}

#[inline(never)]
fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (part, constants) in ROUND_CONSTANTS.chunks_exact(16).enumerate() {
        if part > 0 {
            extend(&mut words);
        }
        eight_rounds!(a b c d e f g h, constants[..8], words[..8]);
        eight_rounds!(a b c d e f g h, constants[8..], words[8..]);
    }
    for (word, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(value);
    }
}

/// Replaces 16 words of the message schedule by the next 16.
#[inline(always)]
fn extend(words: &mut [u32; 16]) {
    for i in 0..16 {
        let (early, late) = (words[(i + 1) % 16], words[(i + 14) % 16]);
        let sigma_0 = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
        let sigma_1 = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
        words[i] = words[i]
            .wrapping_add(sigma_0)
            .wrapping_add(words[(i + 9) % 16])
            .wrapping_add(sigma_1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;
    use std::vec::Vec;

    #[test]
    fn agrees_with_another_implementation_at_every_length() {
        let message: Vec<u8> = (0..300_u32).map(|i| (i * i + 7) as u8).collect();
        for len in 0..message.len() {
            let expected: Digest = sha2::Sha256::digest(&message[..len]).into();
            assert_eq!(sha256(&message[..len]), expected, "{len} bytes");
        }
    }

    #[test]
    fn parts_are_hashed_like_the_whole() {
        let message = [0x5a; 200];
        for len in 0..message.len() {
            let mut hash = Sha256::default();
            hash.update(&message[..len]);
            hash.update(&message[len..]);
            assert_eq!(hash.finish(), sha256(&message));
        }
    }
}
