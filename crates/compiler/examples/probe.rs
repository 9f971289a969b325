//! Compiles netlists and prints what they take.
use tapcourt_compiler::{Compiled, Options};
use tapcourt_program::circuit::Circuit;
fn main() {
    for f in std::env::args().skip(1) {
        let c = Circuit::parse(&std::fs::read(&f).unwrap()).unwrap();
        let t = std::time::Instant::now();
        match Compiled::new(&c, &Options::default()) {
            Ok(p) => {
                let publish: f64 = p
                    .committed_groups()
                    .iter()
                    .map(|g| g.parameters().unwrap().publish_size().weight_wu_mean())
                    .sum();
                let worst = (0..p.leaves().len())
                    .map(|l| p.leaf_size(l).weight_wu_max)
                    .max()
                    .unwrap();
                let stack = (0..p.leaves().len())
                    .map(|l| p.leaf_size(l).max_stack)
                    .max()
                    .unwrap();
                println!(
                    "{f}: {:?} chunks {} leaves {} groups {} bits {} publish {publish:.0} worst leaf {worst} total {:.0} body {} ({:.2}/gate) stack {stack}",
                    t.elapsed(),
                    p.chunks(),
                    p.leaves().len(),
                    p.committed_groups().len(),
                    p.committed_groups().iter().map(|g| g.bits()).sum::<usize>(),
                    publish + worst as f64,
                    p.body_bytes_total(),
                    p.body_bytes_total() as f64 / p.source_gates() as f64
                );
            }
            Err(e) => println!("{f}: {e} {:?}", t.elapsed()),
        }
    }
}
