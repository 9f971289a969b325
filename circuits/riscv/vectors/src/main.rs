//! Writes the vectors.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    for guest in tapcourt_guest_vectors::guests() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(guest.name)
            .with_extension("json");
        fs::write(path, guest.to_json())?;
    }
    Ok(())
}
