//! Values as users write them: read as they are meant, or refused with their place.

use std::fs;
use std::path::Path;

use crate::support::{circuit, elf, tapcourt};

fn write(directory: &Path, name: &str, contents: &[u8]) -> String {
    let path = directory.join(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn files_with_words_are_read_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let fibonacci = elf("fibonacci.elf");
    let texts: [&[u8]; 7] = [
        b"\xef\xbb\xbf47,2971215073",
        b"47\n2971215073\n",
        b"47,\r\n2971215073\r\n",
        b"0X2F 0xb11924e1",
        b"# which number\n47 # and what it is\n2971215073\n",
        b"hex:2f000000 e12419b1\n",
        b"\t47 , 2971215073",
    ];
    for text in texts {
        let input = format!("@{}", write(folder.path(), "words", text));
        tapcourt(["run", &fibonacci, "--input", &input]).exits(0);
    }
    // The same bytes are other words when they are asked for as they are.
    let name = write(folder.path(), "words", texts[1]);
    tapcourt(["run", &fibonacci, "--input", &format!("@raw:{name}")]).exits(1);
    let bytes = [47u32.to_le_bytes(), 2_971_215_073u32.to_le_bytes()].concat();
    let name = write(folder.path(), "bytes", &bytes);
    tapcourt(["run", &fibonacci, "--input", &format!("@raw:{name}")]).exits(0);
}

#[test]
fn what_is_no_word_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let fibonacci = elf("fibonacci.elf");
    let cases: [(&[u8], &str); 6] = [
        (b"47,29712l5073", "line 1, column 9: 'l' in '29712l5073'"),
        (b"47\r\n2971215073;\r\n", "line 2, column 11: ';'"),
        (
            b"\xef\xbb\xbf47\n4294967296\n",
            "line 2, column 1: 4294967296",
        ),
        (b"47,\n,2971215073", "line 2, column 1: a word is missing"),
        (b"hex:2f0", "line 1, column 5: 3 hexadecimal digits"),
        (b"47\n\xff\xfe\x2f\x00", "line 2, column 1: the byte 0xff"),
    ];
    for (text, place) in cases {
        let name = write(folder.path(), "words", text);
        let input = format!("@{name}");
        for arguments in [
            ["run", &fibonacci, "--input", &input].as_slice(),
            &["trace", &fibonacci, "--input", &input],
            &["digest", &fibonacci, "--step", "1", "--input", &input],
            &["simulate", &fibonacci, "--input", &input],
            &["compile", &fibonacci, "--fixed", &input],
            &["plan", &fibonacci, "--fixed", &input],
        ] {
            let reason = tapcourt(arguments).fails_in_one_line();
            assert!(reason.starts_with(&format!("{name}: {place}")), "{reason}");
        }
    }
    let reason = tapcourt(["run", &fibonacci, "--input", "47 0x"]).fails_in_one_line();
    assert!(reason.starts_with("--input: line 1, column 6"), "{reason}");
    // The place of bytes that are no text comes with what takes them.
    let name = write(folder.path(), "words", b"\xff");
    let reason = tapcourt(["run", &fibonacci, "--input", &format!("@{name}")]).fails_in_one_line();
    assert!(reason.contains(&format!("@raw:{name}")), "{reason}");
}

#[test]
fn values_of_circuits_are_read_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let adder = circuit("adder64.txt");
    for text in ["0x5,0x7", "0x5\n0X7\n", "\u{feff}0x5,\r\n0x7 # twelve\r\n"] {
        let input = format!("@{}", write(folder.path(), "values", text.as_bytes()));
        let ran = tapcourt(["run", &adder, "--input", &input]).exits(0);
        assert!(ran.stdout.contains("0x000000000000000c"), "{ran:?}");
    }
    for (text, place) in [
        ("0x5\n0xg", "line 2, column 3: value 1: 'g'"),
        ("0x5,,0x7", "line 1, column 5: value 1 is empty"),
        ("0x5", "line 1, column 4: 1 values are given, not 2"),
        (
            "0x5 0x7\n0x9",
            "line 2, column 1: 3 values are given, not 2",
        ),
    ] {
        let name = write(folder.path(), "values", text.as_bytes());
        let reason = tapcourt(["run", &adder, "--input", &format!("@{name}")]).fails_in_one_line();
        assert!(reason.starts_with(&format!("{name}: {place}")), "{reason}");
    }
    let raw = format!("@raw:{}", write(folder.path(), "raw", b"12345678abcdefgh"));
    tapcourt(["run", &adder, "--input", &raw]).fails_in_one_line();
}

#[test]
fn digits_of_a_wide_value_are_not_made_up() {
    let preimage = circuit("sha256_preimage.txt");
    let short = "0x7461";
    for arguments in [
        ["run", &preimage, "--input", short].as_slice(),
        &["simulate", &preimage, "--input", short, "--accept", "1"],
    ] {
        let reason = tapcourt(arguments).fails_in_one_line();
        assert!(
            reason.contains("4 hexadecimal digits") && reason.contains("take 64"),
            "{reason}"
        );
        assert!(reason.contains("write 60 zeros in front"), "{reason}");
    }
    let padded = format!("0x{}7461", "0".repeat(60));
    tapcourt(["run", &preimage, "--input", &padded]).exits(0);
}

/// A constant, of no input at all.
const NO_INPUTS: &[u8] = b"1 1\n0\n1 1\n\n1 1 1 0 EQ\n";

#[test]
fn an_empty_input_fits_a_circuit_without_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let netlist = write(folder.path(), "no-inputs.txt", NO_INPUTS);
    let empty = format!("@{}", write(folder.path(), "empty", b"\n"));
    for input in ["", &empty] {
        let ran = tapcourt(["run", &netlist, "--input", input]).exits(0);
        assert_eq!(ran.stdout, "1  0x1\n");
        tapcourt(["simulate", &netlist, "--input", input]).exits(0);
        tapcourt(["simulate", &netlist, "--input", input, "--accept", "?"]).exits(0);
        tapcourt(["simulate", &netlist, "--input", input, "--lie", "output"]).exits(1);
    }
    tapcourt(["run", &netlist, "--input", "0"]).fails_in_one_line();
    tapcourt(["run", &circuit("adder64.txt"), "--input", ""]).fails_in_one_line();
}

#[test]
fn a_contract_whose_claim_would_publish_nothing_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let netlist = write(folder.path(), "no-inputs.txt", NO_INPUTS);
    let dir = folder.path().join("alice");
    let dir = dir.to_str().unwrap();
    tapcourt(["setup", "key", "--dir", dir]).exits(0);
    let coin = format!("{}:0:1000000", "a".repeat(64));
    let accept = ["--accept", "1"];
    for command in [
        ["simulate", &netlist].as_slice(),
        &["plan", &netlist],
        &["compile", &netlist],
        &["setup", "offer", &netlist, "--dir", dir, "--coin", &coin],
    ] {
        let reason = tapcourt(command.iter().chain(&accept)).fails_in_one_line();
        assert!(reason.contains("0 bits of input"), "{reason}");
    }
    assert_eq!(crate::support::list(Path::new(dir)), ["seed"]);
    // Without a way to be wrong, and with nothing but wires.
    let wires = write(folder.path(), "wires.txt", b"0 2\n1 2\n1 2\n\n");
    tapcourt(["simulate", &wires, "--input", "0x2"]).exits(0);
    tapcourt(["simulate", &wires, "--input", "0x2", "--accept", "01"]).exits(0);
    tapcourt(["simulate", &wires, "--input", "0x2", "--accept", "1?"]).exits(1);
    let constant = write(
        folder.path(),
        "constant.txt",
        b"1 2\n1 1\n1 1\n\n1 1 1 1 EQ\n",
    );
    tapcourt(["simulate", &constant, "--input", "0", "--accept", "1"]).exits(0);
    tapcourt(["simulate", &constant, "--input", "0", "--accept", "0"]).fails_in_one_line();
    let silent = write(folder.path(), "silent.txt", b"1 1\n0\n0\n\n1 1 1 0 EQ\n");
    tapcourt(["simulate", &silent, "--input", ""]).fails_in_one_line();
}
