//! Tagged hashes, as BIP-0340 defines them: `SHA256(SHA256(tag) ‖ SHA256(tag) ‖ data)`.

use sha2::{Digest, Sha256};

/// Calculates the BIP-0340 tagged hash of the concatenation of `parts`.
///
/// Callers pass parts of fixed length, or one part only, so that the concatenation is injective.
pub(crate) fn tagged_hash(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let tag_hash = Sha256::digest(tag.as_bytes());
    let mut engine = Sha256::new();
    engine.update(tag_hash);
    engine.update(tag_hash);
    for part in parts {
        engine.update(part);
    }
    engine.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::tagged_hash;

    #[test]
    fn agrees_with_the_tap_leaf_hash_of_rust_bitcoin() {
        use bitcoin::hashes::Hash;
        use bitcoin::taproot::{LeafVersion, TapLeafHash};

        let script = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
        let expected = TapLeafHash::from_script(&script, LeafVersion::TapScript);
        let ours = tagged_hash("TapLeaf", &[&[0xc0], &[1], script.as_bytes()]);
        assert_eq!(ours, expected.to_byte_array());
    }
}
