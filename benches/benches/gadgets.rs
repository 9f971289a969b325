//! Seconds to generate a gadget, of which each is to take under two, and to execute it.

use criterion::{Criterion, criterion_group, criterion_main};
use tapcourt_script::gadgets::{HashGadget, blake3, sha256, u32};
use tapcourt_script::interpreter::{Rules, execute};

fn generate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    group.sample_size(10);
    group.bench_function("blake3/node", |bencher| {
        bencher.iter(|| blake3::hash(40, 20).expect("fits the stack"));
    });
    group.bench_function("blake3/64B", |bencher| {
        bencher.iter(|| blake3::hash(64, 32).expect("fits the stack"));
    });
    group.bench_function("sha256/64B-block", |bencher| {
        bencher.iter(|| sha256::compression().expect("fits the stack"));
    });
    group.bench_function("hash256/80B", |bencher| {
        bencher.iter(|| sha256::hash256(80).expect("fits the stack"));
    });
    group.bench_function("u32/all", |bencher| bencher.iter(u32::rows));
    group.finish();
}

fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("execute");
    let gadgets: [(&str, HashGadget); 2] = [
        ("blake3/node", blake3::hash(40, 20).expect("fits the stack")),
        (
            "sha256/64B-block",
            sha256::compression().expect("fits the stack"),
        ),
    ];
    for (name, gadget) in gadgets {
        let items = gadget.message_items(&vec![7; gadget.message_bytes()]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| execute(gadget.script(), items.clone(), None, Rules::Policy));
        });
    }
    group.finish();
}

criterion_group!(benches, generate, run);
criterion_main!(benches);
