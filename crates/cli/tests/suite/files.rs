//! What is written: whole or not at all, and nothing that is no file is replaced by one. What is
//! read: once.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Ran, circuit, elf, list, shell, tapcourt};

/// Draws into this file.
fn draw(path: &Path) -> Ran {
    let svg = path.to_str().unwrap();
    tapcourt(["plan", &circuit("adder64.txt"), "--svg", svg])
}

#[track_caller]
fn assert_is_drawing(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn devices_and_pipes_are_written_to_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Through links, so that a fault destroys no device of the machine.
    for (name, device, code) in [("null", "/dev/null", 0), ("full", "/dev/full", 2)] {
        symlink(device, path(name)).unwrap();
        let ran = draw(&path(name)).exits(code);
        assert_eq!(fs::read_link(path(name)).unwrap(), Path::new(device));
        assert!(fs::metadata(device).unwrap().file_type().is_char_device());
        assert_eq!(ran.stderr.contains("No space left"), code == 2, "{ran:?}");
    }
    let pipe = path("pipe");
    make_pipe(&pipe);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    draw(&pipe).exits(0);
    let text = reader.join().unwrap();
    roxmltree::Document::parse(&text).unwrap();
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    draw(folder.path()).fails_in_one_line();
    assert_eq!(list(folder.path()), ["full", "null", "pipe"]);
}

#[test]
fn links_are_followed_and_modes_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o7777;
    fs::create_dir(path("elsewhere")).unwrap();
    for mode in [0o600, 0o640, 0o755] {
        fs::write(path("elsewhere/old.svg"), "old").unwrap();
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(path("elsewhere/old.svg"), permissions).unwrap();
        if mode == 0o600 {
            symlink("elsewhere/old.svg", path("link")).unwrap();
            symlink("link", path("link of a link")).unwrap();
            symlink("elsewhere/new.svg", path("dangling")).unwrap();
        }
        draw(&path("link of a link")).exits(0);
        assert_is_drawing(&path("elsewhere/old.svg"));
        assert_eq!(
            fs::metadata(path("elsewhere/old.svg"))
                .unwrap()
                .permissions()
                .mode()
                & 0o7777,
            mode
        );
    }
    draw(&path("dangling")).exits(0);
    assert_is_drawing(&path("elsewhere/new.svg"));
    for link in ["link", "link of a link", "dangling"] {
        assert!(path(link).symlink_metadata().unwrap().is_symlink());
    }
    let adder = circuit("adder64.txt");
    let script = format!("umask 027; exec $TAPCOURT plan {adder} --svg masked.svg");
    shell(folder.path(), &script).exits(0);
    assert_eq!(mode("masked.svg"), 0o640);
    symlink("loop", path("loop")).unwrap();
    draw(&path("loop")).fails_in_one_line();
    assert_eq!(list(&path("elsewhere")), ["new.svg", "old.svg"]);
}

#[test]
fn nothing_is_written_where_it_is_not_permitted() {
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("old.svg"), "old").unwrap();
    fs::write(folder.path().join("locked.svg"), "old").unwrap();
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(&closed, 0o555);
    set(&folder.path().join("locked.svg"), 0o444);
    if fs::write(closed.join("probe"), "").is_ok() {
        println!("the superuser may write everywhere: only /proc is tried");
    } else {
        draw(&closed.join("new.svg")).fails_in_one_line();
        draw(&closed.join("old.svg")).fails_in_one_line();
        draw(&folder.path().join("locked.svg")).fails_in_one_line();
        assert_eq!(list(&closed), ["old.svg"]);
        for old in [closed.join("old.svg"), folder.path().join("locked.svg")] {
            assert_eq!(fs::read(old).unwrap(), b"old");
        }
    }
    draw(Path::new("/proc/new.svg")).fails_in_one_line();
    draw(&folder.path().join("no folder/new.svg")).fails_in_one_line();
    let key = ["setup", "key", "--dir", "/proc/alice"];
    tapcourt(key).fails_in_one_line();
    set(&closed, 0o755);
}

/// The process is ended by a signal in the middle of a file, and then told that the disk is full.
#[test]
fn half_a_file_is_never_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old.svg"), "old").unwrap();
    let adder = circuit("adder64.txt");
    for name in ["old.svg", "new.svg"] {
        let limits = "ulimit -c 0; ulimit -f 1";
        let ended = format!("{limits}; exec $TAPCOURT plan {adder} --svg {name}");
        let ran = shell(folder.path(), &ended);
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert_eq!(fs::read(path("old.svg")).unwrap(), b"old");
        assert!(!path("new.svg").exists());
        for entry in list(folder.path()) {
            if entry.starts_with('.') {
                fs::remove_file(path(&entry)).unwrap(); // of the process that was ended
            }
        }
        let full = format!("trap '' XFSZ; {limits}; exec $TAPCOURT plan {adder} --svg {name}");
        shell(folder.path(), &full).fails_in_one_line();
        assert_eq!(fs::read(path("old.svg")).unwrap(), b"old");
        assert_eq!(list(folder.path()), ["old.svg"]);
    }
}

#[test]
fn a_full_disk_leaves_no_seed_and_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let coin = format!("{}:0:1000000", "a".repeat(64));
    let adder = circuit("adder64.txt");
    let key = "$TAPCOURT setup key --dir alice";
    let offer = format!("$TAPCOURT setup offer {adder} --dir alice --coin {coin}");
    let alice = folder.path().join("alice");
    let full = |blocks: u32, command: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {command}");
        let reason = shell(folder.path(), &script).fails_in_one_line();
        println!("{reason}");
    };
    full(0, key);
    assert!(list(&alice).is_empty());
    shell(folder.path(), key).exits(0);
    let seed = fs::read(alice.join("seed")).unwrap();
    for blocks in [0, 1, 16, 64] {
        full(blocks, &offer);
        assert_eq!(list(&alice), ["seed"], "{blocks} blocks");
    }
    shell(folder.path(), &offer).exits(0);
    assert_eq!(list(&alice), ["offer.tapcourt", "seed", "store.redb"]);
    assert_eq!(fs::read(alice.join("seed")).unwrap(), seed);
    for secret in ["seed", "store.redb"] {
        let mode = fs::metadata(alice.join(secret))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{secret} is for its owner");
    }
}

#[test]
fn a_drawing_may_go_where_the_table_goes() {
    let folder = tempfile::tempdir().unwrap();
    let adder = circuit("adder64.txt");
    let script = format!("exec $TAPCOURT plan {adder} --svg /dev/stdout > both");
    shell(folder.path(), &script).exits(0);
    let both = fs::read_to_string(folder.path().join("both")).unwrap();
    assert!(
        both.starts_with("<svg") || both.starts_with("<?xml"),
        "{both}"
    );
    assert!(
        both.contains("</svg>") && both.contains("protocol"),
        "{both}"
    );
    let ran = shell(folder.path(), &script.replace("> both", "| cat")).exits(0);
    assert!(ran.stdout.contains("</svg>") && ran.stdout.contains("protocol"));
}

/// Everything that prints, with what it needs.
fn printing() -> Vec<Vec<String>> {
    let (adder, fibonacci) = (circuit("adder64.txt"), elf("fibonacci.elf"));
    let commands: [&[&str]; 13] = [
        &["--help"],
        &["--version"],
        &["setup", "offer", "--help"],
        &["compile", &adder],
        &["run", &adder, "--input", "0x5,0x7"],
        &["run", &fibonacci, "--input", "47,1"],
        &["trace", &fibonacci, "--input", "47,1"],
        &["digest", &fibonacci, "--input", "47,1", "--step", "9"],
        &["plan", &adder],
        &["size"],
        &["inspect", &adder],
        &["inspect", "leaf", &adder, "0"],
        &["simulate", &adder, "--input", "0x5,0x7"],
    ];
    let owned = |command: &&[&str]| command.iter().map(|&word| word.to_owned()).collect();
    commands.iter().map(owned).collect()
}

#[test]
fn nobody_who_reads_is_no_panic_and_no_verdict() {
    let commands = printing();
    for command in &commands {
        let run = |stdout: Stdio, stderr: Stdio| {
            let mut binary = Command::new(env!("CARGO_BIN_EXE_tapcourt"));
            let binary = binary.args(command).stdin(Stdio::null());
            let output = binary.stdout(stdout).stderr(stderr).output().unwrap();
            (
                output.status.code(),
                String::from_utf8(output.stderr).unwrap(),
            )
        };
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let full = || fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, said) = run(closed().into(), Stdio::piped());
        assert_eq!((code, said.as_str()), (Some(141), ""), "{command:?}");
        let (code, said) = run(full().into(), Stdio::piped());
        assert_eq!(code, Some(2), "{command:?}: {said}");
        assert!(said.contains("standard output: No space left"), "{said}");
        assert_eq!(
            run(full().into(), closed().into()).0,
            Some(2),
            "{command:?}"
        );
        assert_eq!(run(full().into(), full().into()).0, Some(2), "{command:?}");
    }
    println!("{} commands without a reader", commands.len());
}

#[test]
fn programs_come_through_pipes_too() {
    let folder = tempfile::tempdir().unwrap();
    let (adder, fibonacci) = (circuit("adder64.txt"), elf("fibonacci.elf"));
    let inputs = [(&adder, "0x5,0x7"), (&fibonacci, "47,2971215073")];
    let mut runs = 0;
    for (program, input) in inputs {
        let input_file = folder.path().join("input");
        fs::write(&input_file, input).unwrap();
        let commands = [
            format!("run PROGRAM --input {input}"),
            "run PROGRAM --input @input".to_owned(),
            "compile PROGRAM --inputs 2".to_owned(),
            "inspect leaf PROGRAM 0".to_owned(),
            format!("simulate PROGRAM --input {input} --max-steps 2^9 --arity 8"),
        ];
        for command in commands {
            let direct = command.replace("PROGRAM", program);
            let direct = shell(folder.path(), &format!("$TAPCOURT {direct}")).exits(0);
            let ways = [
                ("-", format!("cat {program} |")),
                ("/dev/stdin", format!("cat {program} |")),
                ("/dev/stdin", format!("< {program}")),
                ("pipe", format!("mkfifo pipe; cat {program} > pipe &")),
            ];
            let is_long = command.starts_with("compile") || command.starts_with("simulate");
            for (name, before) in ways.iter().skip(if is_long { 3 } else { 0 }) {
                let _ = fs::remove_file(folder.path().join("pipe"));
                let piped = command.replace("PROGRAM", name);
                let script = match before.strip_prefix('<') {
                    Some(_) => format!("$TAPCOURT {piped} {before}"),
                    None => format!("{before} $TAPCOURT {piped}"),
                };
                let ran = shell(folder.path(), &script).exits(0);
                assert_eq!(ran.stdout, direct.stdout, "{script}");
                runs += 1;
            }
        }
    }
    println!("{runs} programs read from pipes");
}

#[test]
fn inputs_and_messages_come_through_pipes_too() {
    let folder = tempfile::tempdir().unwrap();
    let fibonacci = elf("fibonacci.elf");
    for command in ["run", "simulate --max-steps 2^9 --arity 8"] {
        for (before, input) in [
            ("printf 47,2971215073 |", "@-"),
            ("printf 47,2971215073 |", "@/dev/stdin"),
            ("printf '\\57\\0\\0\\0\\341\\44\\31\\261' |", "@raw:-"),
        ] {
            let script = format!("{before} $TAPCOURT {command} {fibonacci} --input {input}");
            shell(folder.path(), &script).exits(0);
        }
    }
    let script = format!("cat {fibonacci} | $TAPCOURT run - --input @-");
    let reason = shell(folder.path(), &script).fails_in_one_line();
    assert!(reason.contains("only once"), "{reason}");
    for (script, limit) in [
        (
            format!("$TAPCOURT run {fibonacci} --input @/dev/zero"),
            64 << 20,
        ),
        ("$TAPCOURT verify x --offer /dev/zero".to_owned(), 16 << 20),
    ] {
        let reason = shell(folder.path(), &script).fails_in_one_line();
        assert!(
            reason.contains(&format!("longer than {limit} bytes")),
            "{reason}"
        );
    }

    let adder = circuit("adder64.txt");
    let coins = ["a", "b"].map(|digit| format!("{}:0:1000000", digit.repeat(64)));
    let script = format!(
        "set -e; for name in alice bob; do $TAPCOURT setup key --dir $name > $name.key; done
        $TAPCOURT setup offer {adder} --dir alice --coin {}
        mkfifo pipe; cat alice/offer.tapcourt > pipe & cat {adder} |
        $TAPCOURT setup accept - --dir bob --coin {} --offer pipe
        cat bob/acceptance.tapcourt | $TAPCOURT setup continue --dir alice -
        cat alice/offer.tapcourt | $TAPCOURT inspect -
        cat {adder} | $TAPCOURT verify - --offer alice/offer.tapcourt",
        coins[0], coins[1]
    );
    shell(folder.path(), &script).exits(0);
    assert!(list(&folder.path().join("alice")).contains(&"prover-answer.tapcourt".to_owned()));
    // A pipe in a store's place.
    fs::create_dir(folder.path().join("carol")).unwrap();
    shell(
        folder.path(),
        "$TAPCOURT setup key --dir carol && mkfifo carol/store.redb",
    )
    .exits(0);
    shell(folder.path(), "$TAPCOURT verify --dir carol").fails_in_one_line();
}

/// Starts so many processes at once, and waits for all.
fn at_once(count: usize, arguments: &[&str]) -> Vec<Ran> {
    let start = |_| {
        Command::new(env!("CARGO_BIN_EXE_tapcourt"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..count).map(start).collect();
    let end = |mut child: std::process::Child| {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        Ran {
            code: child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    };
    children.into_iter().map(end).collect()
}

#[test]
fn every_address_that_is_printed_has_its_seed_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (rounds, processes) = (16, 8);
    for round in 0..rounds {
        let dir = folder.path().join(format!("new/{round}"));
        let arguments = ["setup", "key", "--json", "--dir", dir.to_str().unwrap()];
        let printed = at_once(processes, &arguments);
        let on_disk = tapcourt(arguments).exits(0).json();
        for ran in printed {
            assert_eq!(ran.exits(0).json(), on_disk, "round {round}");
        }
        assert_eq!(list(&dir), ["seed"]);
    }
    println!("{rounds} directories made by {processes} processes each");
}

#[test]
fn every_offer_that_is_printed_is_the_one_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let coin = format!("{}:0:1000000", "a".repeat(64));
    let adder = circuit("adder64.txt");
    let (rounds, processes) = (4, 6);
    let mut refused = 0;
    for round in 0..rounds {
        let dir = folder.path().join(round.to_string());
        let dir = dir.to_str().unwrap();
        tapcourt(["setup", "key", "--dir", dir]).exits(0);
        let arguments = [
            "setup", "offer", &adder, "--json", "--dir", dir, "--coin", &coin,
        ];
        let printed = at_once(processes, &arguments);
        let on_disk = tapcourt(arguments).exits(0).json();
        let offer = format!("{dir}/offer.tapcourt");
        let offered: Value = tapcourt(["inspect", "--json", &offer]).exits(0).json();
        assert_eq!(offered["instance"], on_disk["instance"]);
        let mut made = 0;
        for ran in printed {
            if ran.code == Some(0) {
                assert_eq!(ran.json(), on_disk, "round {round}");
                made += 1;
            } else {
                ran.fails_in_one_line();
                refused += 1;
            }
        }
        assert!(made > 0, "one of them has made the store");
        assert_eq!(
            list(Path::new(dir)),
            ["offer.tapcourt", "seed", "store.redb"]
        );
    }
    println!("{rounds} stores made by {processes} processes each, {refused} refused");
}
