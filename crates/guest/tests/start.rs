//! The start code stands twice: in [`tapcourt_guest::entry!`] and in the header for guests in C.

/// The quoted lines between two marks, without quotation marks and line ends.
fn assembly<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let after = &text[text.find(from).expect("the first mark")..];
    let part = &after[..after.find(to).expect("the last mark")];
    let quoted = part.lines().map(str::trim);
    quoted
        .filter_map(|line| line.strip_prefix('"'))
        .map(|line| line.strip_suffix(',').unwrap_or(line))
        .map(|line| line.strip_suffix('"').expect("an end of the quotation"))
        .map(|line| line.strip_suffix("\\n").unwrap_or(line))
        .collect()
}

#[test]
fn start_code_in_c_is_that_in_rust() {
    let rust = assembly(
        include_str!("../src/lib.rs"),
        "global_asm!(",
        "\"call {run}\"",
    );
    let c = assembly(
        include_str!("../../../circuits/riscv/include/tapcourt.h"),
        "/* The entry point.",
        "\"call main",
    );
    assert!(rust.len() > 50 && rust.contains(&"_start:"), "{rust:?}");
    assert_eq!(rust, c);
    println!("{} lines of assembly", c.len());
}
