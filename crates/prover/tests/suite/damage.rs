//! Damaged and foreign files: one clear error, nothing written, nothing lost.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_prover::{Artefact, MessageHash, Store, StoreError};

use crate::store::{instance, key};

fn message(group: usize) -> Vec<bool> {
    (0..16).map(|bit| group >> bit & 1 == 1).collect()
}

const GROUPS: usize = 300;
/// Changed files of each kind.
const ROUNDS: usize = 250;

/// A store with some contents, as a closed or as a crashed file.
fn filled(crashed: bool) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::create(&path, instance()).unwrap();
    store.keep(Artefact::Offer, &[7; 5_000]).unwrap();
    for chunk in (0..GROUPS).collect::<Vec<_>>().chunks(50) {
        let entries: Vec<_> = chunk
            .iter()
            .map(|&group| {
                (
                    key(&format!("group/{group}")),
                    MessageHash::of(&message(group)),
                )
            })
            .collect();
        store.spend_keys(&entries).unwrap();
    }
    if !crashed {
        drop(store);
    }
    std::fs::read(&path).unwrap()
}

fn is_complete(store: &Store) -> bool {
    let group_is_there = |group: usize| {
        store
            .spent(&key(&format!("group/{group}")))
            .is_ok_and(|hash| hash == Some(MessageHash::of(&message(group))))
    };
    store.instance() == instance()
        && (0..GROUPS).all(group_is_there)
        && store
            .artefact(Artefact::Offer)
            .is_ok_and(|offer| offer == Some(vec![7; 5_000]))
}

fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Foreign { .. } => "foreign",
        StoreError::Corrupt { .. } => "corrupt",
        StoreError::Format { .. } => "format",
        StoreError::Database(_) => "database",
        _ => "other",
    }
}

/// Opens a changed file and says what happened; panics if something was lost or written.
fn open(bytes: &[u8]) -> &'static str {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    std::fs::write(&path, bytes).unwrap();
    let result = Store::open(&path);
    match result {
        Ok(store) => {
            assert!(is_complete(&store), "opened, but something is lost");
            "intact"
        }
        Err(error) => {
            assert_eq!(
                std::fs::read(&path).unwrap(),
                bytes,
                "refused, but written to"
            );
            assert!(!error.to_string().contains('\n'));
            kind(&error)
        }
    }
}

#[test]
fn damage_anywhere_is_refused_or_without_effect() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for crashed in [false, true] {
        let original = filled(crashed);
        assert_eq!(open(&original), "intact");
        // Most of a redb file is free space, so damage goes where there is something.
        let used: Vec<usize> = (0..original.len())
            .filter(|&place| original[place] != 0)
            .collect();
        let mut outcomes = BTreeMap::<&str, usize>::new();
        for round in 0..ROUNDS {
            let place = match round {
                0..100 => round,
                _ => used[rng.gen_range(0..used.len())],
            };
            let mut bytes = original.clone();
            if round % 10 == 9 {
                // A sector that was never written.
                let start = place / 512 * 512;
                bytes[start..start + 512].fill(0);
            } else {
                bytes[place] ^= rng.gen_range(1..=255u8);
            }
            *outcomes.entry(open(&bytes)).or_default() += 1;
        }
        println!("{} bytes, crashed: {crashed}: {outcomes:?}", original.len());
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let original = filled(false);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut outcomes = BTreeMap::<&str, usize>::new();
    for round in 0..60 {
        let length = if round < 20 {
            round * 8
        } else {
            rng.gen_range(0..original.len())
        };
        *outcomes.entry(open(&original[..length])).or_default() += 1;
    }
    println!("{outcomes:?}");
    assert!(!outcomes.contains_key("intact"));
}

#[test]
fn foreign_files_are_refused() {
    for bytes in [
        &b""[..],
        b"something else",
        &[0; 8192],
        b"redb",
        b"redb\x1a\x0a\xa9\x0d\x0a",
    ] {
        let outcome = open(bytes);
        assert!(["foreign", "corrupt"].contains(&outcome), "{outcome}");
    }
    // A redb file of some other program.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<&str, &[u8]>::new("meta");
    transaction
        .open_table(table)
        .unwrap()
        .insert("title", &b"cats"[..])
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert_eq!(open(&std::fs::read(&path).unwrap()), "foreign");
}
