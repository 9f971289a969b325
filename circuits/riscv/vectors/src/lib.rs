//! Inputs for the guests, and the exit codes that they lead to: the files `<guest>.json` in this package's folder.
//!
//! Everything is computed anew, with other implementations than the guests' own where there are any.

mod bitcoin;
mod c;
mod hashes;
mod proofs;
mod wasm;

use std::fmt::Write;

/// An input for a guest, and what comes of it.
#[derive(Debug, Clone)]
pub struct Vector {
    /// What is special about it, in `snake_case`.
    pub name: &'static str,
    /// The input words.
    pub input: Vec<u32>,
    /// How the run ends.
    pub end: End,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exit(u32),
    /// The machine stops where an input word is asked for that does not exist.
    NoInput,
    /// The machine stops at a load or a store beyond the address space.
    BeyondMemory,
}

impl End {
    /// What the file says of it.
    fn to_json(self) -> String {
        match self {
            Self::Exit(code) => format!(r#""exit_code": {code}"#),
            Self::NoInput => r#""exit_code": null"#.to_owned(),
            Self::BeyondMemory => r#""exit_code": null, "stop": "address""#.to_owned(),
        }
    }
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
        self.with(name, input, End::Exit(0))
    }

    fn rejects(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, End::Exit(1))
    }

    /// The guest reads beyond its inputs.
    fn stops(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, End::NoInput)
    }

    /// The guest needs more memory than there is.
    fn overflows(self, name: &'static str, input: &Words) -> Self {
        self.with(name, input, End::BeyondMemory)
    }

    fn with(mut self, name: &'static str, input: &Words, end: End) -> Self {
        self.vectors.push(Vector {
            name,
            input: input.0.clone(),
            end,
        });
        self
    }

    /// The content of the guest's file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("[\n");
        for (i, vector) in self.vectors.iter().enumerate() {
            let bytes: Vec<u8> = vector
                .input
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            let comma = if i + 1 < self.vectors.len() { "," } else { "" };
            writeln!(
                json,
                r#"  {{"name": "{}", {}, "input": "{}"}}{comma}"#,
                vector.name,
                vector.end.to_json(),
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
        c::constructors(),
        c::deep_recursion(),
        c::fibonacci(),
        proofs::groth16(),
        c::heapsort(),
        bitcoin::light_client(),
        c::iterate(),
        hashes::merkle_proof(),
        proofs::schnorr(),
        hashes::sha256_preimage(),
        c::shapes(),
        c::statistics(),
        c::thread_locals(),
        c::touch(),
        wasm::wasm(),
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
