//! Writes the netlists of the folder `circuits/`: `cargo run --release -p tapcourt-program --example generate -- circuits`.

use std::path::PathBuf;
use std::{env, fs, io};

use tapcourt_program::circuit::library::ENTRIES;

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "circuits".into()));
    fs::create_dir_all(&folder)?;
    for entry in ENTRIES {
        let text = (entry.generate)().to_bristol();
        let path = folder.join(entry.file);
        fs::write(&path, &text)?;
        println!("{}: {} bytes", path.display(), text.len());
    }
    Ok(())
}
