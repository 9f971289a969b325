//! Passwords of nodes: where they are taken from, and that nothing prints them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use crate::support::{Ran, circuit, tapcourt};

/// A party whose setup is finished, so that it has something to ask a node.
fn party(root: &Path) -> PathBuf {
    let adder = circuit("adder64.txt");
    let dir = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let (alice, bob) = (dir("alice"), dir("bob"));
    let coin = |digit: &str| format!("{}:0:1000000", digit.repeat(64));
    let file = |dir: &str, name: &str| format!("{dir}/{name}.tapcourt");
    let steps: [&[&str]; 7] = [
        &["key", "--dir", &alice],
        &["key", "--dir", &bob],
        &["offer", &adder, "--dir", &alice, "--coin", &coin("a")],
        &[
            "accept",
            &adder,
            "--dir",
            &bob,
            "--coin",
            &coin("b"),
            "--offer",
            &file(&alice, "offer"),
        ],
        &["continue", "--dir", &alice, &file(&bob, "acceptance")],
        &["continue", "--dir", &bob, &file(&alice, "prover-answer")],
        &[
            "continue",
            "--dir",
            &alice,
            &file(&bob, "challenger-answer"),
        ],
    ];
    for step in steps {
        tapcourt([&["setup"], step].concat()).exits(0);
    }
    root.join("alice")
}

/// Refuses one request, and returns its head.
fn refuse_one() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(bytes) = line.to_lowercase().strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        (&stream).write_all(answer).unwrap();
        head
    });
    (url, server)
}

/// `respond` with this login.
fn respond(dir: &Path, url: &str, login: &[&str], variable: Option<&str>) -> Ran {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_tapcourt"));
    binary
        .args(["respond", "--dir", dir.to_str().unwrap(), "--node", url])
        .args(login)
        .env_remove("TAPCOURT_RPC_PASSWORD")
        .stdin(Stdio::null());
    if let Some(password) = variable {
        binary.env("TAPCOURT_RPC_PASSWORD", password);
    }
    let output = binary.output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn passwords_come_from_files_the_environment_or_arguments() {
    let root = tempfile::tempdir().unwrap();
    let dir = party(root.path());
    let file = |name: &str, contents: &str| {
        let path = root.path().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // "alice:open sesame" in base64, as of RFC 7617.
    let expected = "Basic YWxpY2U6b3BlbiBzZXNhbWU=";
    let in_file = file("password", "open sesame\r\n");
    let cookie = file("cookie", "alice:open sesame");
    let user = ["--rpc-user", "alice"];
    let logins: [(&[&str], Option<&str>); 5] = [
        (&["--rpc-password-file", &in_file], None),
        (&["--rpc-password-file", &in_file], Some("another")),
        (&["--rpc-password", "open sesame"], Some("another")),
        (&[], Some("open sesame")),
        (&["--cookie", &cookie], Some("another")),
    ];
    for (login, variable) in logins {
        let (url, server) = refuse_one();
        let login = match login.first() {
            Some(&"--cookie") => login.to_vec(),
            _ => [&user, login].concat(),
        };
        let reason = respond(&dir, &url, &login, variable).fails_in_one_line();
        let head = server.join().unwrap();
        assert!(head.contains(expected), "{login:?}: {head}");
        println!("{reason}");
        assert!(reason.contains("HTTP status 401"), "{reason}");
        assert!(
            !reason.contains("sesame") && !reason.contains("YWxp"),
            "{reason}"
        );
    }
}

#[test]
fn logins_that_cannot_be_used_are_one_line_without_secrets() {
    let root = tempfile::tempdir().unwrap();
    let dir = party(root.path());
    let file = |name: &str, contents: &[u8]| {
        let path = root.path().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, lines) = (file("empty", b"\n"), file("lines", b"secret\nsecret\n"));
    let (binary, no_cookie) = (file("binary", b"secret\xff"), file("no cookie", b"secret"));
    let url = "http://127.0.0.1:1";
    let user = ["--rpc-user", "alice"];
    let cases: [(&str, &[&str]); 12] = [
        (url, &[]),
        (url, &user),
        (url, &["--rpc-password", "secret"]),
        (url, &["--rpc-user", "al:ice", "--rpc-password", "secret"]),
        (url, &["--rpc-user", "alice", "--rpc-password-file", &empty]),
        (url, &["--rpc-user", "alice", "--rpc-password-file", &lines]),
        (
            url,
            &["--rpc-user", "alice", "--rpc-password-file", &binary],
        ),
        (
            url,
            &["--rpc-user", "alice", "--rpc-password-file", "/missing"],
        ),
        (url, &["--cookie", &no_cookie]),
        ("http://alice:secret@127.0.0.1:1", &["--cookie", &no_cookie]),
        ("alice:secret@127.0.0.1:1", &["--cookie", &no_cookie]),
        ("https://127.0.0.1:1/secret@", &["--cookie", &no_cookie]),
    ];
    for (url, login) in cases {
        let reason = respond(&dir, url, login, None).fails_in_one_line();
        println!("{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
    let help = tapcourt(["respond", "--help"]).exits(0).stdout;
    assert!(help.contains("list of processes") && help.contains("TAPCOURT_RPC_PASSWORD"));
}
