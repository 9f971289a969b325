//! What users and counterparties get wrong: one line, exit code 2, nothing written.

use std::fs;

use crate::support::{circuit, list, tapcourt};

#[test]
fn bad_arguments_and_inputs_are_one_line() {
    let adder = circuit("adder64.txt");
    let compare = circuit("compare64.txt");
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let netlist = fs::read(&adder).unwrap();
    let truncated = write("truncated", &netlist[..netlist.len() / 2]);
    let empty = write("empty", b"");
    let binary = write("binary", &[0xff; 100]);
    let huge = write("huge", b"1 1000000000000\n1 1\n1 1\n\n1 1 0 1 INV\n");
    let wire = write("wire", b"1 3\n1 1\n1 1\n\n2 1 0 9 2 AND\n");
    let missing = "/there/is/no/such/file";
    let cases: &[&[&str]] = &[
        &[],
        &["decide"],
        &["compile"],
        &["compile", missing],
        &["compile", &truncated],
        &["compile", &empty],
        &["compile", &binary],
        &["compile", &huge],
        &["compile", &wire],
        &["compile", directory.path().to_str().unwrap()],
        &["compile", &adder, "--accept", "01"],
        &["compile", &adder, "--accept", "0xzz"],
        &["compile", &adder, "--wrong"],
        &["run", &adder],
        &["run", &adder, "--input", "0x5"],
        &["run", &adder, "--input", "0101"],
        &["run", &adder, "--input", "0x10000000000000000,0x1"],
        &["run", &adder, "--input", "0x5,seven"],
        &["run", &adder, "--input", "@/there/is/no/such/file"],
        &["run", &truncated, "--input", "0x5,0x7"],
        &["simulate", &adder, "--input", "0x5"],
        &[
            "simulate",
            &adder,
            "--input",
            "0x5,0x7",
            "--lie",
            "everywhere",
        ],
        &[
            "simulate",
            &adder,
            "--input",
            "0x5,0x7",
            "--lie",
            "chunk:1000",
        ],
        &[
            "simulate",
            &adder,
            "--input",
            "0x5,0x7",
            "--lie",
            "chunk:0:1000",
        ],
        &[
            "simulate",
            &adder,
            "--input",
            "0x5,0x7",
            "--lie",
            "output:64",
        ],
        &[
            "simulate", &compare, "--input", "0x5,0x7", "--accept", "1", "--lie", "output",
        ],
        &[
            "simulate", &adder, "--input", "0x5,0x7", "--stall", "payout",
        ],
        &["simulate", &adder, "--input", "0x5,0x7", "--feerate", "0"],
        &["simulate", &adder, "--input", "0x5,0x7", "--delta", "0"],
        &["simulate", &adder, "--input", "0x5,0x7", "--chain", "moon"],
        &["size", "--program", missing],
        &["inspect"],
        &["inspect", missing],
        &["inspect", &binary],
        &["inspect", &truncated],
        &["inspect", "transaction", "00ff"],
        &["verify", &adder],
        &["verify", &adder, "--offer", missing],
        &["verify", "--dir", missing],
        &["setup"],
        &["setup", "continue", "--dir", missing],
        &[
            "prove",
            "--dir",
            missing,
            "--node",
            "http://127.0.0.1:1",
            "--cookie",
            missing,
            "--input",
            "0",
        ],
    ];
    let before = list(directory.path());
    for arguments in cases {
        let reason = tapcourt(*arguments).fails_in_one_line();
        println!("{arguments:?}: {reason}");
    }
    assert_eq!(list(directory.path()), before, "nothing is written");
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [
        ["--help"].as_slice(),
        &["--version"],
        &["simulate", "--help"],
    ] {
        let ran = tapcourt(arguments).exits(0);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty());
    }
}

#[test]
fn an_absent_node_is_one_line() {
    let missing = "/there/is/no/such/file";
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_tapcourt"))
        .args(["simulate", &circuit("adder64.txt"), "--input", "0x5,0x7"])
        .args(["--chain", "bitcoind"])
        .env("BITCOIND_EXE", missing)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(missing), "{said}");

    let directory = tempfile::tempdir().unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_tapcourt"))
        .args(["simulate", &circuit("adder64.txt"), "--input", "0x5,0x7"])
        .args(["--chain", "bitcoind"])
        .env_remove("BITCOIND_EXE")
        .env("PATH", directory.path())
        .env("XDG_CACHE_HOME", directory.path())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("scripts/bitcoind"), "{said}");
}
