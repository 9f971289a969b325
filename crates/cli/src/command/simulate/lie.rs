//! Lies that a simulated prover tells about a circuit; those about a trace are [`tapcourt_prover::trace::Lie`].

use std::str::FromStr;

use tapcourt_compiler::circuit::{Compiled, Role};
use tapcourt_prover::Values;

use crate::error::{CliError, CliResult};

/// Where the prover lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// In a bit of the group that a leaf checks.
    Chunk {
        /// The leaf.
        leaf: usize,
        /// The bit.
        bit: usize,
    },
    /// In a bit of the published outputs, counted over their groups.
    Output {
        /// The bit.
        bit: usize,
    },
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected chunk:N, chunk:N:BIT, output or output:BIT".to_owned();
        let number = |text: &str| text.parse().map_err(|_| wrong());
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["chunk", leaf] => Ok(Self::Chunk {
                leaf: number(leaf)?,
                bit: 0,
            }),
            ["chunk", leaf, bit] => Ok(Self::Chunk {
                leaf: number(leaf)?,
                bit: number(bit)?,
            }),
            ["output"] => Ok(Self::Output { bit: 0 }),
            ["output", bit] => Ok(Self::Output { bit: number(bit)? }),
            _ => Err(wrong()),
        }
    }
}

impl Lie {
    /// Works out what the prover publishes, by group.
    pub(crate) fn values(self, compiled: &Compiled, input: &[bool]) -> CliResult<Values> {
        let (group, bit) = self.place(compiled)?;
        let values = compiled.values_with_lie(input, group, &[bit])?;
        Ok(values.into_iter().enumerate().collect())
    }

    /// Finds the group and the bit in it.
    fn place(self, compiled: &Compiled) -> CliResult<(usize, usize)> {
        let wrong = |reason: String| Err(CliError::new(format!("--lie: {reason}")));
        let groups = compiled.committed_groups();
        match self {
            Self::Chunk { leaf, bit } => {
                let Some(name) = compiled.leaves().get(leaf).map(|leaf| leaf.name()) else {
                    let leaves = compiled.leaves().len();
                    return wrong(format!(
                        "there is no chunk {leaf}, the program has {leaves}"
                    ));
                };
                let Some(group) = groups.iter().position(|group| group.label() == name) else {
                    return wrong(format!(
                        "chunk {leaf} checks outputs that the contract fixes, so nothing is published there to lie about"
                    ));
                };
                let bits = groups[group].bits();
                if bit >= bits {
                    return wrong(format!(
                        "chunk {leaf} has {bits} bits, there is no bit {bit}"
                    ));
                }
                Ok((group, bit))
            }
            Self::Output { bit } => {
                let outputs = groups
                    .iter()
                    .enumerate()
                    .filter(|(_, group)| group.role() == Role::Output);
                let mut before = 0;
                for (number, group) in outputs {
                    if bit < before + group.bits() {
                        return Ok((number, bit - before));
                    }
                    before += group.bits();
                }
                wrong(format!(
                    "the claim publishes {before} output bits, there is no bit {bit}"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_are_read() {
        assert_eq!("chunk:3".parse(), Ok(Lie::Chunk { leaf: 3, bit: 0 }));
        assert_eq!("chunk:0:7".parse(), Ok(Lie::Chunk { leaf: 0, bit: 7 }));
        assert_eq!("output".parse(), Ok(Lie::Output { bit: 0 }));
        assert_eq!("output:5".parse(), Ok(Lie::Output { bit: 5 }));
        for wrong in [
            "",
            "chunk",
            "chunk:",
            "chunk:-1",
            "chunk:1:2:3",
            "outputs",
            "output:x",
        ] {
            assert!(wrong.parse::<Lie>().is_err(), "{wrong:?}");
        }
    }
}
