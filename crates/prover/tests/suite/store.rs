use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tapcourt_protocol::{InstanceId, Role};
use tapcourt_prover::{Artefact, KeyId, MessageHash, Spent, State, Store, StoreError};

pub(crate) fn instance() -> InstanceId {
    InstanceId::from_bytes([0x11; 32])
}

pub(crate) fn key(label: &str) -> KeyId {
    KeyId {
        instance: instance(),
        role: Role::Prover,
        label: label.to_owned(),
    }
}

fn spend(store: &Store, label: &str, message: &[bool]) -> Result<Spent, StoreError> {
    store
        .spend_keys(&[(key(label), MessageHash::of(message))])
        .map(|spent| spent[0])
}

#[test]
fn a_key_signs_one_value_and_the_same_one_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    assert_eq!(
        spend(&store, "output/0", &[true, false]).unwrap(),
        Spent::First
    );
    assert_eq!(
        spend(&store, "output/0", &[true, false]).unwrap(),
        Spent::Again
    );
    for other in [&[true, true][..], &[true], &[true, false, false], &[]] {
        let error = spend(&store, "output/0", other).unwrap_err();
        assert!(matches!(&error, StoreError::KeySpent { key } if key.label == "output/0"));
        println!("{error}");
    }
    assert_eq!(
        spend(&store, "output/1", &[true, true]).unwrap(),
        Spent::First
    );
}

#[test]
fn a_refused_set_of_values_enters_none_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    spend(&store, "b", &[true]).unwrap();
    let entries = ["a", "b", "c"].map(|label| (key(label), MessageHash::of(&[false])));
    assert!(
        matches!(store.spend_keys(&entries), Err(StoreError::KeySpent { key }) if key.label == "b")
    );
    assert_eq!(store.spent(&key("a")).unwrap(), None);
    assert_eq!(
        store.spent(&key("b")).unwrap(),
        Some(MessageHash::of(&[true]))
    );
    assert_eq!(store.spent(&key("c")).unwrap(), None);
}

#[test]
fn one_set_cannot_hold_two_values_of_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    let entries = [true, false].map(|bit| (key("a"), MessageHash::of(&[bit])));
    assert!(matches!(
        store.spend_keys(&entries),
        Err(StoreError::KeySpent { .. })
    ));
    assert_eq!(store.spent(&key("a")).unwrap(), None);
}

#[test]
fn a_key_of_another_instance_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    let foreign = KeyId {
        instance: InstanceId::from_bytes([9; 32]),
        ..key("a")
    };
    let error = store
        .spend_keys(&[(foreign, MessageHash::of(&[true]))])
        .unwrap_err();
    assert!(matches!(error, StoreError::OtherInstance { .. }), "{error}");
}

#[test]
fn everything_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::create(&path, instance()).unwrap();
    spend(&store, "a", &[true]).unwrap();
    store.keep(Artefact::Offer, b"an offer").unwrap();
    let state = State::default();
    store.save_state(&state).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.instance(), instance());
    assert!(matches!(
        spend(&store, "a", &[false]),
        Err(StoreError::KeySpent { .. })
    ));
    assert_eq!(
        store.artefact(Artefact::Offer).unwrap().as_deref(),
        Some(&b"an offer"[..])
    );
    assert_eq!(store.artefact(Artefact::Acceptance).unwrap(), None);
    assert_eq!(store.state().unwrap(), Some(state));
    store.keep(Artefact::Offer, b"an offer").unwrap();
    let error = store.keep(Artefact::Offer, b"another").unwrap_err();
    assert!(
        matches!(error, StoreError::ArtefactExists { .. }),
        "{error}"
    );
}

#[test]
fn a_crash_after_any_write_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut entered: Vec<(String, Vec<bool>)> = Vec::new();
    for round in 0..40 {
        let (label, message) = (
            format!("group/{round}"),
            (0..rng.gen_range(1..200))
                .map(|_| rng.r#gen())
                .collect::<Vec<bool>>(),
        );
        spend(&store, &label, &message).unwrap();
        entered.push((label, message));
        if round % 5 == 0 {
            store.save_state(&State::default()).unwrap();
        }
        // What is on disk while the store is open is what a crash leaves.
        let crashed = directory.path().join(format!("crash-{round}"));
        std::fs::copy(store.path(), &crashed).unwrap();
        let restarted = Store::open(&crashed).unwrap();
        for (label, message) in &entered {
            assert_eq!(
                restarted.spent(&key(label)).unwrap(),
                Some(MessageHash::of(message))
            );
        }
        let next = format!("group/{}", round + 1);
        assert_eq!(restarted.spent(&key(&next)).unwrap(), None);
    }
    println!("covered: {} crashes", entered.len());
}

#[test]
fn a_store_is_open_in_one_place_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::create(&path, instance()).unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    drop(store);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn two_processes_cannot_open_one_store() {
    const STORE: &str = "TAPCOURT_TEST_STORE";
    const LOCKED: i32 = 7;
    if let Some(path) = std::env::var_os(STORE) {
        let locked = matches!(
            Store::open(Path::new(&path)),
            Err(StoreError::Locked { .. })
        );
        std::process::exit(if locked { LOCKED } else { 1 });
    }
    let directory = tempfile::tempdir().unwrap();
    let store = Store::create(&directory.path().join("store"), instance()).unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::two_processes_cannot_open_one_store"])
        .env(STORE, store.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(LOCKED));
}

#[test]
fn an_existing_file_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    std::fs::write(&path, b"precious").unwrap();
    assert!(matches!(
        Store::create(&path, instance()),
        Err(StoreError::Exists { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_draft_left_by_a_crash_does_not_stand_in_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    std::fs::write(directory.path().join("store.new"), b"half a st").unwrap();
    assert!(Store::create(&path, instance()).is_ok());
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 2, "the store, and the draft of whoever crashed");
}

#[test]
fn of_those_who_make_a_store_at_once_one_has_made_it() {
    let directory = tempfile::tempdir().unwrap();
    let (rounds, makers) = (20, 8);
    for round in 0..rounds {
        let path = directory.path().join(round.to_string());
        let make = |maker| {
            let instance = InstanceId::from_bytes([maker; 32]);
            Store::create(&path, instance).map(|store| store.instance() == instance)
        };
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..makers)
                .map(|maker| scope.spawn(move || make(maker)))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        let own: Vec<bool> = made.iter().flatten().copied().collect();
        assert_eq!(own, [true], "one store, and its maker's: {made:?}");
        for refused in made.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
        }
    }
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, rounds, "no drafts are left");
    println!("{rounds} stores, {makers} makers each");
}

#[cfg(unix)]
#[test]
fn a_store_is_for_its_owner_and_is_no_pipe() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    Store::create(&path, instance()).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for other in [pipe.as_path(), directory.path()] {
        assert!(matches!(
            Store::open(other),
            Err(StoreError::Foreign { .. })
        ));
        assert!(matches!(
            Store::create(other, instance()),
            Err(StoreError::Exists { .. })
        ));
    }
}
