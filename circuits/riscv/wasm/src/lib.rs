//! A WebAssembly module.
#![no_std]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use tapcourt_guest::Inputs;
use wasmi::{Caller, Config, Engine, Error, Linker, Module, Store};

/// The largest module accepted, in bytes.
pub const MAX_MODULE_BYTES: u32 = 1 << 20;

/// The module that a WebAssembly module imports from.
pub const IMPORT_MODULE: &str = "tapcourt";

/// The function that it may import: `input: (i32) -> i32`, the argument of that number, from 0.
pub const IMPORT_INPUT: &str = "input";

/// The function that it has to export: `accept: () -> i32`.
pub const EXPORT_ACCEPT: &str = "accept";

/// Accepts if a WebAssembly module's function `accept` returns 1.
///
/// Inputs: the SHA-256 digest of the module; its length in bytes, at most [`MAX_MODULE_BYTES`]; the
/// module; its arguments.
///
/// A module that is not valid or has another digest is refused, as one is that traps, asks for
/// other imports, has no such export, or needs more memory than there is. Its function `start` runs
/// first, if there is one. A module that asks for an argument that does not exist never ends. A
/// contract has to fix the digest, or all up to the module's end: whoever can choose the module can
/// make it accept.
///
/// Modules may use WebAssembly 2.0 without vector instructions, and the proposals for tail calls
/// and extended constants. Floats are those of IEEE 754, and NaNs that come of arithmetic are the
/// canonical ones (0x7fc00000 and 0x7ff8000000000000).
pub fn main() -> Option<()> {
    let mut inputs = Inputs::new();
    let module = read_module(&mut inputs)?;
    let result = run(&module, inputs.position()).ok()?;
    (result == 1).then_some(())
}

fn read_module(inputs: &mut Inputs) -> Option<Vec<u8>> {
    let digest: [u8; 32] = inputs.bytes();
    let bytes = inputs.word();
    if bytes > MAX_MODULE_BYTES {
        return None;
    }
    let mut module = vec![0; bytes as usize];
    inputs.read(&mut module);
    (Sha256::digest(&module)[..] == digest).then_some(module)
}

/// What `accept` returns. The arguments begin with input word `first_argument`.
fn run(module: &[u8], first_argument: u32) -> Result<i32, Error> {
    let engine = Engine::new(&Config::default());
    let module = Module::new(&engine, module)?;
    let mut store = Store::new(&engine, first_argument);
    let mut linker = Linker::new(&engine);
    linker.func_wrap(IMPORT_MODULE, IMPORT_INPUT, argument)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let accept = instance.get_typed_func::<(), i32>(&store, EXPORT_ACCEPT)?;
    accept.call(&mut store, ())
}

fn argument(caller: Caller<'_, u32>, index: u32) -> Result<u32, Error> {
    let word = caller.data().checked_add(index);
    let word = word.ok_or_else(|| Error::new("an argument beyond 2^32 words"))?;
    Ok(tapcourt_guest::input(word))
}
