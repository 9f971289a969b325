//! The netlists that the tests work on: the project's own and those of third parties.
//!
//! Third-party netlists are looked for in the folder that `TAPCOURT_SHARED_CIRCUITS` names, or in `../shared/circuits`
//! beside the project's root.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;
use tapcourt_program::circuit::{Circuit, parse_bits};

/// A netlist with known answers, if there are any.
#[derive(Clone, Debug)]
pub struct Netlist {
    /// File name with its folder.
    pub name: String,
    /// The netlist.
    pub circuit: Circuit,
    /// Input and output bits in wire order.
    pub vectors: Vec<(Vec<bool>, Vec<bool>)>,
}

/// Reads one of the project's own netlists.
///
/// # Panics
/// If the file is not there or not a netlist.
pub fn own(file: &str) -> Netlist {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../circuits")
        .join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Netlist {
        name: format!("circuits/{file}"),
        circuit: Circuit::parse(&bytes).unwrap_or_else(|error| panic!("{file}: {error}")),
        vectors: Vec::new(),
    }
}

/// Reads a third-party netlist and its known answers; says so and gives `None` where there is none.
///
/// # Panics
/// If the file is not a netlist, or the known answers are not readable.
pub fn third_party(file: &str) -> Option<Netlist> {
    let folder = match env::var_os("TAPCOURT_SHARED_CIRCUITS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/circuits"),
    };
    let Ok(bytes) = fs::read(folder.join(file)) else {
        println!("skipped: no netlist {file} in {}", folder.display());
        return None;
    };
    let circuit = Circuit::parse(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
    let known = fs::read(folder.join("vectors.json")).expect("known answers lie with the netlists");
    let known: Value = serde_json::from_slice(&known).expect("vectors.json is JSON");
    let bits = |value: &Value| {
        let text = value.as_str().expect("a vector's fields are strings");
        parse_bits(text).expect("a vector's fields are bits")
    };
    let vectors = known[file].as_array().map_or_else(Vec::new, |list| {
        list.iter()
            .map(|vector| (bits(&vector["inputs"]), bits(&vector["outputs"])))
            .collect()
    });
    Some(Netlist {
        name: file.to_owned(),
        circuit,
        vectors,
    })
}
