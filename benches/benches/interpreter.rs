//! Opcodes a second of the tracing interpreter: on openings, and on a leaf that recomputes part of AES-128.

use bitcoin::ScriptBuf;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapcourt_benches::{challenger_key, compiled, secret_keys};
use tapcourt_commitment::{KeyPath, Objective, Parameters, SecretKey, Seed};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::script;
use tapcourt_script::taptree::LeafSource;

/// Bytes of `<key> OP_CHECKSIGVERIFY`, with which every leaf begins: without a transaction it cannot be executed.
const SIGNATURE_CHECK_BYTES: usize = 34;

fn interpreter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("interpreter");

    let parameters =
        Parameters::cheapest(160, &Objective::default()).expect("160 bits are allowed");
    let path = KeyPath {
        contract: [1; 32],
        role: "prover",
        label: "bench",
    };
    let secret = SecretKey::derive(&Seed::new([2; 32]), &path, &parameters);
    let publish = script! { { secret.public_key().publish_script() } OP_1 };
    let message: Vec<bool> = (0..160).map(|bit| bit % 3 == 0).collect();
    let witness = secret.sign(&message).witness_for_publish();
    let execution = execute(&publish, witness.clone(), None, Rules::Policy);
    assert!(execution.succeeded(), "a true opening is accepted");
    group.throughput(Throughput::Elements(execution.opcodes as u64));
    group.bench_function("a 160-bit opening, opcodes", |bencher| {
        bencher.iter(|| execute(&publish, witness.clone(), None, Rules::Policy));
    });

    // The largest leaf, with honest openings: it runs to its last comparison and fails there.
    let program = compiled("aes128.txt");
    let secrets = secret_keys(&program);
    let keys: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
    let values = program
        .values(&[false; 256])
        .expect("AES-128 takes 256 bits");
    let openings = secrets
        .iter()
        .zip(&values)
        .map(|(secret, value)| secret.sign(value))
        .enumerate()
        .collect();
    let largest = (0..program.leaves().len())
        .max_by_key(|&leaf| program.leaf_size(leaf).script_bytes)
        .expect("there are leaves");
    let leaf = program.leaf_source(&keys, challenger_key()).script(largest);
    let leaf = ScriptBuf::from_bytes(leaf.as_bytes()[SIGNATURE_CHECK_BYTES..].to_vec());
    let witness = program
        .leaf_witness(largest, &openings)
        .expect("every group has been opened");
    let execution = execute(&leaf, witness.clone(), None, Rules::Policy);
    assert!(!execution.succeeded(), "a true value cannot be disproved");
    group.throughput(Throughput::Elements(execution.opcodes as u64));
    group.bench_function("the largest leaf of aes128.txt, opcodes", |bencher| {
        bencher.iter(|| execute(&leaf, witness.clone(), None, Rules::Policy));
    });
    group.finish();
}

criterion_group!(benches, interpreter);
criterion_main!(benches);
