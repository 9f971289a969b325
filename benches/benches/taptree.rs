//! Hashing a taptree level by level against `bitcoin`'s `TaprootBuilder`.

use bitcoin::ScriptBuf;
use bitcoin::taproot::TaprootBuilder;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tapcourt_script::taptree::{LeafSource, Taptree};

/// Leaves of 100 bytes that differ in their first four.
struct Numbered(usize);

impl LeafSource for Numbered {
    fn len(&self) -> usize {
        self.0
    }

    fn script(&self, index: usize) -> ScriptBuf {
        let mut bytes = vec![0x61; 100]; // OP_NOP
        bytes[..4].copy_from_slice(&(index as u32).to_le_bytes()); // only to make leaves differ
        ScriptBuf::from_bytes(bytes)
    }
}

fn taptree(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("taptree of 100-byte leaves");
    group.sample_size(10);
    for log2_leaves in [12u8, 16, 20] {
        let source = Numbered(1 << log2_leaves);
        group.throughput(Throughput::Elements(1 << log2_leaves));
        group.bench_function(BenchmarkId::new("level by level", log2_leaves), |bencher| {
            bencher.iter(|| Taptree::build(&source).expect("there are leaves").root());
        });
        // Beyond 2^12 leaves the builder takes gigabytes and minutes.
        if log2_leaves == 12 {
            group.bench_function(BenchmarkId::new("TaprootBuilder", log2_leaves), |bencher| {
                bencher.iter(|| {
                    (0..source.len())
                        .fold(TaprootBuilder::new(), |builder, index| {
                            builder
                                .add_leaf(log2_leaves, source.script(index))
                                .expect("depths fit together")
                        })
                        .try_into_taptree()
                        .expect("the tree is complete")
                        .root_hash()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, taptree);
criterion_main!(benches);
