//! Inputs for the guests, and the exit codes that they lead to: the files `<guest>.json` in this package's folder.
//!
//! Everything is computed anew, with other implementations than the guests' own where there are any.

mod bitcoin;
mod c;
mod hashes;
mod proofs;

use std::fmt::Write;

/// An input for a guest, and what comes of it.
#[derive(Debug, Clone)]
pub struct Vector {
    /// What is special about it, in `snake_case`.
    pub name: &'static str,
    /// The input words.
    pub input: Vec<u32>,
    /// The exit code; none if the machine stops in place.
    pub exit_code: Option<u32>,
}

/// The vectors of one guest.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The guest's name.
    pub name: &'static str,
    /// Its vectors, those that it accepts first.
    pub vectors: Vec<Vector>,
}

impl Guest {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            vectors: Vec::new(),
        }
    }

    fn accepts(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, Some(0))
    }

    fn rejects(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, Some(1))
    }

    /// The guest reads beyond its inputs.
    fn stops(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, None)
    }

    fn with(mut self, name: &'static str, input: &Words, exit_code: Option<u32>) -> Self {
        self.vectors.push(Vector {
            name,
            input: input.0.clone(),
            exit_code,
        });
        self
    }

    /// The content of the guest's file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("[\n");
        for (i, vector) in self.vectors.iter().enumerate() {
            let exit_code = vector
                .exit_code
                .map_or("null".to_owned(), |code| code.to_string());
            let bytes: Vec<u8> = vector
                .input
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            let comma = if i + 1 < self.vectors.len() { "," } else { "" };
            writeln!(
                json,
                r#"  {{"name": "{}", "exit_code": {exit_code}, "input": "{}"}}{comma}"#,
                vector.name,
                hex::encode(bytes)
            )
            .expect("a string can be written to");
        }
        json + "]\n"
    }
}

/// All guests, in alphabetical order.
#[must_use]
pub fn guests() -> Vec<Guest> {
    vec![
        c::fibonacci(),
        proofs::groth16(),
        c::heapsort(),
        bitcoin::light_client(),
        c::iterate(),
        hashes::merkle_proof(),
        proofs::schnorr(),
        hashes::sha256_preimage(),
        c::touch(),
    ]
}

/// Input words in the making.
#[derive(Debug, Clone, Default)]
struct Words(Vec<u32>);

impl Words {
    fn word(mut self, word: u32) -> Self {
        self.0.push(word);
        self
    }

    fn words(mut self, words: &[u32]) -> Self {
        self.0.extend(words);
        self
    }

    /// Packs bytes, and fills up the last word.
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(tapcourt_guest::host::pack(bytes));
        self
    }

    fn without_last(mut self) -> Self {
        self.0.pop();
        self
    }
}

fn words(words: &[u32]) -> Words {
    Words(words.to_vec())
}
