//! Blocks of Bitcoin's mainnet.

use crate::hashes::{Digest, double_sha256};
use crate::{Guest, Words};

const HEADERS: &str = include_str!("../data/headers.txt");
const TRANSACTIONS: &str = include_str!("../data/transactions.txt");

/// The words of the lines that are no comments.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("the files are in hexadecimal")
}

fn header(height: u32) -> Vec<u8> {
    let line = lines(HEADERS).find(|line| line[0] == height.to_string());
    bytes(line.expect("the file has the height")[1])
}

fn transaction(height: u32, position: u32) -> Vec<u8> {
    let line =
        lines(TRANSACTIONS).find(|line| line[..2] == [height.to_string(), position.to_string()]);
    bytes(line.expect("the file has the transaction")[2])
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("a word has four bytes"))
}

/// An input for the light client, to be spoilt.
#[derive(Debug, Clone)]
struct Claim {
    hash: Digest,
    /// Height, bits, time, time of the first block of the period.
    checkpoint: [u32; 4],
    index: u32,
    headers: Vec<Vec<u8>>,
    transaction: Vec<u8>,
    position: u32,
    siblings: Vec<Digest>,
}

impl Claim {
    fn input(&self) -> Words {
        let start = Words::default().bytes(&self.hash).words(&self.checkpoint);
        let start = start.word(self.headers.len() as u32).word(self.index);
        let start = self
            .headers
            .iter()
            .fold(start, |words, header| words.bytes(header));
        let start = start
            .word(self.transaction.len() as u32)
            .bytes(&self.transaction);
        let start = start.word(self.position).word(self.siblings.len() as u32);
        self.siblings
            .iter()
            .fold(start, |words, sibling| words.bytes(sibling))
    }

    fn but(&self, change: impl FnOnce(&mut Self)) -> Words {
        let mut claim = self.clone();
        change(&mut claim);
        claim.input()
    }
}

/// The coinbase transaction of block 1, from the genesis block on.
fn first_coinbase() -> Claim {
    let genesis = header(0);
    let [time, bits] = [word(&genesis[68..72]), word(&genesis[72..76])];
    Claim {
        hash: double_sha256(&genesis),
        checkpoint: [0, bits, time, time],
        index: 0,
        headers: (1..=6).map(header).collect(),
        transaction: transaction(1, 0),
        position: 0,
        siblings: vec![],
    }
}

/// The first payment ever, in block 170 of which six more blocks follow, from block 169 on.
fn first_payment() -> Claim {
    let headers: Vec<Vec<u8>> = (170..=176).map(header).collect();
    Claim {
        hash: headers[0][4..36].try_into().expect("a digest has 32 bytes"),
        checkpoint: [169, 0x1d00_ffff, 1_231_730_523, 1_231_006_505],
        index: 0,
        headers,
        transaction: transaction(170, 1),
        position: 1,
        siblings: vec![double_sha256(&transaction(170, 0))],
    }
}

/// A header on top of the genesis block that has the proof of work of the easiest target there is on a test network.
fn easy_header() -> Vec<u8> {
    let mut header = header(1);
    header[72..76].copy_from_slice(&0x207f_ffff_u32.to_le_bytes());
    while double_sha256(&header)[31] > 0x7f {
        header[76] += 1;
    }
    header
}

pub(crate) fn light_client() -> Guest {
    let (coinbase, payment) = (first_coinbase(), first_payment());
    let change_byte = |bytes: &mut Vec<u8>, index: usize| bytes[index] ^= 1;
    let two_transactions = [
        double_sha256(&transaction(170, 0)),
        double_sha256(&transaction(170, 1)),
    ]
    .concat();
    let mut too_many = payment.input();
    too_many.0[12] = 1_009;
    Guest::new("light_client")
        .accepts("first_payment_with_six_blocks_on_top", &payment.input())
        .accepts(
            "first_payment_alone",
            &payment.but(|claim| claim.headers.truncate(1)),
        )
        .accepts("coinbase_of_block_1", &coinbase.input())
        .accepts(
            "coinbase_of_block_170",
            &payment.but(|claim| {
                claim.transaction = transaction(170, 0);
                claim.position = 0;
                claim.siblings = vec![double_sha256(&transaction(170, 1))];
            }),
        )
        .rejects(
            "other_transaction",
            &payment.but(|claim| change_byte(&mut claim.transaction, 100)),
        )
        .rejects("other_position", &payment.but(|claim| claim.position = 0))
        .rejects(
            "other_sibling",
            &payment.but(|claim| claim.siblings[0][0] ^= 1),
        )
        .rejects("other_block", &payment.but(|claim| claim.index = 1))
        .rejects(
            "block_beyond_the_headers",
            &payment.but(|claim| claim.index = 7),
        )
        .rejects(
            "position_beyond_the_tree",
            &payment.but(|claim| claim.position = 3),
        )
        .rejects(
            "depth_33",
            &payment.but(|claim| claim.siblings = vec![[0; 32]; 33]),
        )
        .rejects(
            "transaction_of_64_bytes",
            &payment.but(|claim| {
                claim.transaction = two_transactions;
                claim.position = 0;
                claim.siblings.clear();
            }),
        )
        .rejects("other_checkpoint", &payment.but(|claim| claim.hash[0] ^= 1))
        .rejects(
            "gap_between_headers",
            &payment.but(|claim| drop(claim.headers.remove(3))),
        )
        .rejects(
            "headers_exchanged",
            &payment.but(|claim| claim.headers.swap(1, 2)),
        )
        .rejects(
            "no_proof_of_work_in_the_last_header",
            &payment.but(|claim| change_byte(&mut claim.headers[6], 76)),
        )
        .rejects(
            "other_bits_than_the_checkpoint",
            &payment.but(|claim| claim.checkpoint[1] = 0x1d00_fffe),
        )
        .rejects(
            "bits_above_the_easiest",
            &payment.but(|claim| claim.checkpoint[1] = 0x207f_ffff),
        )
        .rejects(
            "period_ends_with_another_target",
            &payment.but(|claim| claim.checkpoint[0] = 2_015),
        )
        .rejects(
            "height_overflows",
            &payment.but(|claim| claim.checkpoint[0] = u32::MAX),
        )
        .rejects(
            "easy_header",
            &coinbase.but(|claim| {
                claim.checkpoint[1] = 0x207f_ffff;
                claim.headers = vec![easy_header()];
            }),
        )
        .rejects("no_headers", &payment.but(|claim| claim.headers.clear()))
        .rejects("too_many_headers", &too_many)
        .stops("sibling_missing", &payment.input().without_last())
}
