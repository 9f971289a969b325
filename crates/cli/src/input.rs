//! `--input` and `--fixed`: values as text, in the argument or in a file, or bytes.

use std::path::Path;

use tapcourt_program::circuit::{Circuit, parse_values};
use tapcourt_program::riscv::{pack_words, parse_words};
use tapcourt_program::text;

use crate::error::{CliError, CliResult};
use crate::files::{self, MAX_SMALL_FILE_BYTES};

/// What stands before the name of a file with text.
const TEXT_FILE: &str = "@";
/// What stands before the name of a file whose bytes are taken as they are.
const RAW_FILE: &str = "@raw:";

/// An argument's values, with the file read that it names.
pub(crate) struct Input {
    /// The argument or the file, for errors.
    origin: String,
    contents: Contents,
}

enum Contents {
    Text(String),
    Bytes(Vec<u8>),
}

impl Input {
    /// Reads what the argument says: `@FILE` is a file with text, `@raw:FILE` one with bytes,
    /// everything else is the text itself.
    pub(crate) fn read(argument: &str, text: &str) -> CliResult<Self> {
        if let Some(name) = text.strip_prefix(RAW_FILE) {
            return Ok(Self {
                origin: name.to_owned(),
                contents: Contents::Bytes(files::read(Path::new(name), MAX_SMALL_FILE_BYTES)?),
            });
        }
        let Some(name) = text.strip_prefix(TEXT_FILE) else {
            return Ok(Self {
                origin: argument.to_owned(),
                contents: Contents::Text(text.to_owned()),
            });
        };
        let path = Path::new(name);
        let contents = files::read(path, MAX_SMALL_FILE_BYTES)?;
        let text = text::decode(&contents).map_err(|error| {
            CliError::file(
                path,
                format!("{error}; '{RAW_FILE}{name}' takes the bytes as they are"),
            )
        })?;
        Ok(Self {
            origin: name.to_owned(),
            contents: Contents::Text(text.to_owned()),
        })
    }

    /// The input words of a RISC-V program.
    pub(crate) fn words(&self) -> CliResult<Vec<u32>> {
        match &self.contents {
            Contents::Text(text) => parse_words(text).map_err(|error| self.wrong(error)),
            Contents::Bytes(bytes) => Ok(pack_words(bytes)),
        }
    }

    /// The bits on a circuit's input wires.
    pub(crate) fn bits(&self, circuit: &Circuit) -> CliResult<Vec<bool>> {
        match &self.contents {
            Contents::Text(text) => {
                parse_values(text, &circuit.inputs).map_err(|error| self.wrong(error))
            }
            Contents::Bytes(_) => {
                Err(self.wrong("bytes as they are can only be the words of a RISC-V program"))
            }
        }
    }

    fn wrong(&self, reason: impl std::fmt::Display) -> CliError {
        CliError::new(format!("{}: {reason}", self.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> CliResult<Vec<u32>> {
        Input::read("--input", text)?.words()
    }

    #[test]
    fn files_have_text_unless_they_are_called_raw() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let name = file.path().display();
        let read = |contents: &[u8], prefix: &str| {
            std::fs::write(file.path(), contents).expect("written");
            words(&format!("{prefix}{name}"))
        };
        for (contents, expected) in [
            (&b"hex:ff00\n"[..], &[0x00ff][..]),
            (b"7, 8\n", &[7, 8]),
            (b"\xef\xbb\xbf7\r\n8\r\n", &[7, 8]),
            (b"", &[]),
        ] {
            assert_eq!(read(contents, "@").expect("words"), expected);
        }
        for (contents, place) in [
            (&b"hex:1"[..], "line 1, column 5"),
            (b"7,8\n9l\n", "line 2, column 2"),
            (b"7\xff\xfe8", "line 1, column 2"),
        ] {
            let Err(CliError::Message(error)) = read(contents, "@") else {
                panic!("{contents:?} is taken");
            };
            println!("{error}");
            assert!(error.starts_with(&format!("{name}: {place}: ")), "{error}");
        }
        for (contents, expected) in [
            (&b"\xff\xfe\x01\x02\x03"[..], &[0x0201_feff, 3][..]),
            (b"7, 8", &[0x3820_2c37]),
            (b"", &[]),
        ] {
            assert_eq!(read(contents, "@raw:").expect("bytes"), expected);
        }
        assert_eq!(words("7 0X8").expect("words"), [7, 8]);
        assert!(words("raw:7").is_err());
        assert!(words("@raw:/there/is/no/such/file").is_err());
    }
}
