//! Sizes are exact, and as small as promised.

use tapcourt_commitment::{KeyPath, Objective, OpenOrder, Parameters, SecretKey, Seed};
use tapcourt_script::interpreter::{Rules, execute};
use tapcourt_script::script;

fn secret(parameters: &Parameters) -> SecretKey {
    let path = KeyPath {
        contract: [1; 32],
        role: "prover",
        label: "sizes",
    };
    SecretKey::derive(&Seed::new([2; 32]), &path, parameters)
}

fn witness_bytes(items: &[Vec<u8>]) -> usize {
    items.iter().map(|item| 1 + item.len()).sum()
}

#[test]
fn openings_are_as_small_as_promised() {
    for bits in [1, 8, 16, 32, 64, 128, 160, 256, 512, 2048] {
        for (name, objective) in [
            ("publish", Objective::default()),
            (
                "open",
                Objective {
                    publish: 0.0,
                    open: 1.0,
                    max_items: None,
                },
            ),
            (
                "both",
                Objective {
                    publish: 1.0,
                    open: 1.0,
                    max_items: None,
                },
            ),
        ] {
            let parameters = Parameters::cheapest(bits, &objective).unwrap();
            let (publish, open) = (parameters.publish_size(), parameters.open_bits_size());
            let per_bit = |weight: f64| weight / bits as f64;
            println!(
                "{bits} bits for {name}: {:?} + {:?}: publish {}+{:.1} = {:.2} WU/bit, open {}+{:.1} = {:.2} WU/bit, {} items",
                parameters
                    .message_digits()
                    .iter()
                    .take(9)
                    .collect::<Vec<_>>(),
                parameters.checksum_digits(),
                publish.script_bytes,
                publish.witness_bytes_mean,
                per_bit(publish.weight_wu_mean()),
                open.script_bytes,
                open.witness_bytes_mean,
                per_bit(open.weight_wu_mean()),
                publish.items,
            );
            if bits == 160 && name == "publish" {
                assert!(per_bit(publish.weight_wu_mean()) <= 24.1);
            }
            if bits == 160 && name == "open" {
                assert!(per_bit(open.weight_wu_mean()) <= 26.0);
            }
        }
    }
}
