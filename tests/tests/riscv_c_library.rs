//! `circuits/riscv/cc`: what it makes of programs in C and C++ with a C library runs, and ends as
//! it should.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tapcourt_program::riscv::{Engine, Program, Stop, StopReason};
use tapcourt_tests::riscv::guests::{Guest, Vector, guest, has_qemu, qemu_exit_code};

/// More steps than any run here takes.
const LIMIT: u64 = 1 << 26;

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn features(file: &str) -> PathBuf {
    tests().join("tests/c_library").join(file)
}

/// Runs the recipe. `false` if it names packages that are not here; where `CI` is set, those for
/// GCC have to be.
fn cc(compiler: &str, arguments: &[&OsStr]) -> bool {
    let ran = Command::new(tests().join("../circuits/riscv/cc"))
        .env("TAPCOURT_CC", compiler)
        .args(arguments)
        .output()
        .expect("a shell is there");
    let says = String::from_utf8_lossy(&ran.stderr);
    let says = says.trim();
    if ran.status.success() {
        return true;
    }
    assert!(says.contains("cc: missing"), "{compiler}: {says}");
    let has_to_be_here = compiler == "gcc" && std::env::var_os("CI").is_some();
    assert!(!has_to_be_here, "{says}; scripts/setup installs them");
    println!("skipped: circuits/riscv/cc with {compiler}: {says}");
    false
}

/// The ELF file that the recipe makes of these sources, if the tools are here.
fn compile(compiler: &str, options: &[&str], sources: &[PathBuf]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let elf = folder.path().join("guest.elf");
    let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
    arguments.extend(sources.iter().map(|source| source.as_os_str()));
    arguments.extend([OsStr::new("-o"), elf.as_os_str()]);
    cc(compiler, &arguments).then(|| std::fs::read(&elf).expect("it was written"))
}

/// The same, one file after the other, as a makefile does it.
fn compile_in_parts(options: &[&str], sources: &[PathBuf]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut objects = Vec::new();
    for source in sources {
        let name = source.file_name().expect("a file");
        let object = folder.path().join(name).with_extension("o");
        let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
        arguments.extend([OsStr::new("-c"), source.as_os_str()]);
        arguments.extend([OsStr::new("-o"), object.as_os_str()]);
        if !cc("gcc", &arguments) {
            return None;
        }
        objects.push(object);
    }
    compile("gcc", &[], &objects)
}

/// Runs a guest on its vectors, in the engine and, where it is here, under QEMU. Returns how many
/// there are.
fn run(guest: &Guest, how: &str, with_qemu: bool) -> usize {
    for vector in &guest.vectors {
        let name = format!("{}/{} by {how}", guest.name, vector.name);
        let mut engine = Engine::new(&guest.program, &vector.input);
        let stop = engine.run(LIMIT);
        let state = engine.state();
        assert_eq!(
            stop == Stop::Accepted,
            vector.exit_code == Some(0),
            "{name}"
        );
        let code = match StopReason::of(&guest.program, &vector.input, state) {
            None => Some(0),
            Some(StopReason::Exit { code }) => Some(code),
            Some(StopReason::MissingInput { .. }) => None,
            Some(reason) => panic!("{name}: {reason:?} at {:#x}", state.pc),
        };
        assert_eq!(
            code, vector.exit_code,
            "{name}, after {} steps",
            state.steps
        );
        if with_qemu {
            // What stands for the call under QEMU exits with 1 where there is no such word.
            let code = Some(vector.exit_code.unwrap_or(1));
            assert_eq!(qemu_exit_code(guest, &vector.input), code, "{name}: qemu");
        }
    }
    guest.vectors.len()
}

/// What `features.c` is given, but for the words expected.
struct Task {
    numerator: u64,
    denominator: u64,
    numbers: [f64; 2],
    text: &'static str,
}

/// How `features.c` ends if all is as expected, its exit code, and the name of that.
const ENDINGS: [(u32, u32, &str); 4] = [
    (0, 0, "returns"),
    (1, 1, "aborts"),
    (2, 1, "fails an assertion"),
    (3, 99, "exits in a destructor"),
];

fn two_words(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32] // cast ok: the halves
}

fn sum_of(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum: u32, &byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    })
}

impl Task {
    fn input(&self, ending: u32) -> Vec<u32> {
        let mut input = vec![ending];
        input.extend(two_words(self.numerator));
        input.extend(two_words(self.denominator));
        input.extend(self.numbers.map(f64::to_bits).map(two_words).concat());
        input.push(self.text.len() as u32); // cast ok: short
        let bytes = self.text.as_bytes().chunks(4);
        input.extend(bytes.map(|bytes| {
            let bytes = bytes.iter().rev();
            // The last word is filled up with zeros.
            bytes.fold(0, |word, &byte| word << 8 | u32::from(byte))
        }));
        input
    }

    /// The words expected, for each number with which the guest exits if they are others.
    fn expected(&self) -> Vec<(u32, Vec<u32>)> {
        let mut moved = self.text.as_bytes().to_vec();
        let length = moved.len();
        moved.copy_within(..length - length / 3, length / 3);
        moved.copy_within(length / 5.., 0);
        let mut words: Vec<&str> = self.text.split_whitespace().collect();
        words.sort_unstable();
        let (numerator, denominator) = (self.numerator, self.denominator);
        let signed = numerator.cast_signed() / denominator.cast_signed();
        let [a, b] = self.numbers;
        let count = words.len() as u32; // cast ok: few
        vec![
            (1, vec![sum_of(&moved)]),
            (2, vec![count]),
            (3, vec![sum_of(words.concat().as_bytes())]),
            (4, two_words(numerator / denominator).to_vec()),
            (5, two_words(numerator % denominator).to_vec()),
            (6, two_words(signed.cast_unsigned()).to_vec()),
            (7, two_words((a.sqrt() * b + a / b).to_bits()).to_vec()),
            (9, vec![5 + count]),
            (10, vec![12]),
        ]
    }

    /// Every ending, every expected word changed in its lowest bit, and a word too few.
    fn vectors(&self) -> Vec<Vector> {
        let expected = self.expected();
        let words = |expected: &[(u32, Vec<u32>)]| -> Vec<u32> {
            expected
                .iter()
                .flat_map(|(_, words)| words.clone())
                .collect()
        };
        let vector = |ending, expected: &[u32], exit_code, name: String| Vector {
            name,
            input: [self.input(ending), expected.to_vec()].concat(),
            exit_code,
            leaves_memory: false,
        };
        let right = words(&expected);
        let mut vectors: Vec<Vector> = ENDINGS
            .iter()
            .map(|&(ending, code, name)| vector(ending, &right, Some(code), name.to_owned()))
            .collect();
        for (place, &(number, ref results)) in expected.iter().enumerate() {
            for word in 0..results.len() {
                let mut wrong = expected.clone();
                wrong[place].1[word] ^= 1;
                let name = format!("result {number}, word {word}");
                vectors.push(vector(0, &words(&wrong), Some(number), name));
            }
        }
        let cut = &right[..right.len() - 1];
        vectors.push(vector(0, cut, None, "a word too few".to_owned()));
        vectors
    }
}

/// Strings, moves that overlap, sorting, allocation, division of 64 bits, doubles, printing and
/// reading them, arguments, constructors, destructors, thread-locals, `abort` and `assert`.
#[test]
fn a_program_with_a_c_library_computes_what_rust_computes() {
    let tasks = [
        Task {
            numerator: 0xfedc_ba98_7654_3210,
            denominator: 0x1_2345_6789,
            numbers: [2.0, 3.0],
            text: "the prover claims and the challenger asks",
        },
        Task {
            numerator: 12_345_678_901_234_567_890,
            denominator: 97,
            numbers: [1e-310, 1.797e308],
            text: "a bb  ccc a",
        },
        Task {
            numerator: 5,
            denominator: u64::MAX,
            numbers: [0.1, -7e-5],
            text: "",
        },
    ];
    let sources = ["features.c", "counter.c"].map(features);
    let builds = [
        ("gcc", compile("gcc", &[], &sources)),
        ("gcc -O0", compile("gcc", &["-O0"], &sources)),
        ("gcc -Os -c", compile_in_parts(&["-Os"], &sources)),
        ("clang -O3", compile("clang", &["-O3"], &sources)),
    ];
    let with_qemu = has_qemu();
    let (mut programs, mut runs) = (0, 0);
    for (how, elf) in builds {
        let Some(elf) = elf else { continue };
        let guest = Guest {
            name: "features".to_owned(),
            program: Program::from_elf(&elf).expect("a program"),
            vectors: tasks.iter().flat_map(Task::vectors).collect(),
            elf,
        };
        runs += run(&guest, how, with_qemu);
        programs += 1;
    }
    println!(
        "covered: {programs} programs that cc has compiled, {runs} runs of what cc has compiled"
    );
}

/// The shipped guests with a C library, in C and in C++, compiled again: whatever compilers these
/// are, the vectors hold.
#[test]
fn guests_with_a_c_library_compiled_again_end_as_their_vectors_say() {
    let folder = tests().join("../circuits/riscv/c_library");
    let files = std::fs::read_dir(folder).expect("the folder of sources");
    let (mut programs, mut runs) = (0, 0);
    for file in files {
        let source = file.expect("a file").path();
        let name = source.file_stem().expect("a name").to_string_lossy();
        let shipped = guest(&name);
        for compiler in ["gcc", "clang"] {
            let Some(elf) = compile(compiler, &[], std::slice::from_ref(&source)) else {
                continue;
            };
            let guest = Guest {
                program: Program::from_elf(&elf).expect("a program"),
                elf,
                ..shipped.clone()
            };
            runs += run(&guest, compiler, false);
            programs += 1;
        }
    }
    println!(
        "covered: {programs} programs that cc has compiled, {runs} runs of what cc has compiled"
    );
}
