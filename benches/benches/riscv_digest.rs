//! What digests cost a RISC-V program that keeps writing to 1 MiB, which is the most that there is to hash for so few pages.

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tapcourt_program::riscv::{AddressSpace, Cell, Engine, Execution, Memory, Program, Stop, Tree};

/// 200 times over 1 MiB: some 4·10^8 steps, between any two digests more than enough to write to all of it. What digests add is the same for any number.
const PASSES: u32 = 200;

/// Digests that are asked for in one pass: a round of the search.
const ARITY: u64 = 16;

/// Pages of 1 MiB.
const PAGES: u32 = 256;

fn guest() -> Program {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../circuits/riscv/elf/touch.elf");
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Program::from_elf(&file).expect("our guests are ELF files")
}

/// A plain run, the same with 16 equidistant digests and snapshots, and what is asked for after that.
fn executions(c: &mut Criterion) {
    let program = guest();
    let inputs = [PASSES, 0];
    let mut engine = Engine::new(&program, &inputs);
    assert_ne!(engine.run(u64::MAX), Stop::Reached);
    let steps = engine.state().steps;
    let boundaries: Vec<u64> = (1..=ARITY).map(|i| steps / ARITY * i).collect();

    let mut group = c.benchmark_group("riscv_digest");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(steps));
    group.bench_function("plain_run", |b| {
        b.iter(|| Engine::new(&program, &inputs).run_to(steps));
    });
    group.bench_function("16_digests", |b| {
        b.iter(|| Execution::new(&program, &inputs).digests(&boundaries));
    });
    group.throughput(Throughput::Elements(1));
    let mut execution = Execution::new(&program, &inputs);
    execution.digests(&boundaries);
    let mut step = boundaries[7];
    group.bench_function("digest_of_next_step", |b| {
        b.iter(|| {
            step += 1;
            execution.digest_at(step)
        });
    });
    let mut near = false;
    group.bench_function("far_step", |b| {
        b.iter(|| {
            near = !near;
            execution.step_at(if near {
                1_000
            } else {
                boundaries[7] + 1_000_000
            })
        });
    });
    group.finish();
}

/// Hashing alone.
fn trees(c: &mut Criterion) {
    let page = |number: u32| -> [u32; Memory::PAGE_WORDS] {
        std::array::from_fn(|word| (number << 10 | word as u32).wrapping_mul(0x9e37_79b9)) // cast ok: below 1,024
    };
    let pages: Vec<_> = (0..PAGES).map(page).collect();
    let filled = || {
        let mut tree = Tree::new(AddressSpace::DEFAULT);
        tree.set_pages((0..).zip(pages.iter().map(Some)));
        tree
    };
    let mut group = c.benchmark_group("riscv_tree");
    let bytes = 4 * u64::from(PAGES) * Memory::PAGE_WORDS as u64; // cast ok: usize has at most 64 bits
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("1_MiB", |b| b.iter(|| filled().root()));
    group.throughput(Throughput::Elements(1));
    let tree = filled();
    tree.root();
    let mut value = 0;
    group.bench_function("one_word", |b| {
        b.iter(|| {
            value += 1;
            let mut tree = tree.clone();
            tree.set_word(Cell::memory(0x1_2344), value);
            tree.root()
        });
    });
    group.bench_function("path", |b| b.iter(|| tree.path(Cell::memory(0x1_2344))));
    group.finish();
}

criterion_group!(benches, executions, trees);
criterion_main!(benches);
