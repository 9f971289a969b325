//! From the text of a netlist to the root of its taptree: parsing, compiling, hashing every leaf.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tapcourt_benches::{challenger_key, compiled, netlist, secret_keys};
use tapcourt_commitment::SecretKey;
use tapcourt_compiler::circuit::{Compiled, Options};
use tapcourt_program::circuit::Circuit;
use tapcourt_script::taptree::Taptree;

fn compile(criterion: &mut Criterion) {
    for name in ["aes128.txt", "sha256.txt"] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        let bytes = netlist(name);
        group.bench_function("parse", |bencher| {
            bencher.iter(|| Circuit::parse(&bytes).expect("it parses"));
        });
        let circuit = Circuit::parse(&bytes).expect("it parses");
        group.bench_function("compile", |bencher| {
            bencher.iter(|| Compiled::new(&circuit, &Options::default()).expect("it compiles"));
        });
        let program = compiled(name);
        let keys: Vec<_> = secret_keys(&program)
            .iter()
            .map(SecretKey::public_key)
            .collect();
        group.bench_function("hash the leaves", |bencher| {
            bencher.iter_batched(
                || program.leaf_source(&keys, challenger_key()),
                |leaves| Taptree::build(&leaves).expect("there are leaves").root(),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
