//! The [`script!`](crate::script) macro.

/// Writes a script: opcodes by name, Rust expressions in braces, and Rust's `for` and `if`.
///
/// - `OP_NAME` appends one of [`opcodes`](crate::opcodes).
/// - `{ expression }` appends any [`Pushable`](crate::Pushable): numbers and byte strings as minimal pushes, scripts
///   and [`Fragment`](crate::Fragment)s spliced in.
/// - `for pattern in iterator { … }` and `if condition { … } else if … else { … }` run while the script is *built*.
///
/// Everything is appended to one buffer. The value is a `ScriptBuf`. A very long literal (about 500 opcodes in one
/// macro call) meets Rust's macro recursion limit; split it, or write it with [`ScriptWriter`](crate::ScriptWriter).
///
/// ```
/// use tapcourt_script::script;
///
/// let gate_count = 3;
/// let script = script! {
///     for operand in 1..=gate_count {
///         { operand } OP_ROLL OP_BOOLAND
///     }
///     if gate_count > 2 { OP_NOT } else { OP_NOP }
/// };
/// assert_eq!(script.len(), 10);
/// ```
#[macro_export]
macro_rules! script {
    ($($items:tt)*) => {{
        #[allow(unused_mut)]
        let mut writer = $crate::ScriptWriter::new();
        $crate::script_items!(writer; $($items)*);
        writer.into_script()
    }};
}

/// Appends the items of [`script!`](crate::script) to a [`ScriptWriter`](crate::ScriptWriter) that already exists.
///
/// ```
/// use tapcourt_script::{ScriptWriter, script_items};
///
/// let mut writer = ScriptWriter::new();
/// for _ in 0..1000 {
///     script_items!(writer; OP_DUP OP_HASH160);
/// }
/// assert_eq!(writer.len(), 2000);
/// ```
#[macro_export]
macro_rules! script_items {
    ($writer:ident;) => {};

    // Rust's own control flow.
    ($writer:ident; for $pattern:pat in $($rest:tt)*) => {
        $crate::script_items!(@for $writer ($pattern) [] $($rest)*);
    };
    (@for $writer:ident ($pattern:pat) [$($iterator:tt)*] { $($body:tt)* } $($rest:tt)*) => {
        for $pattern in $($iterator)* {
            $crate::script_items!($writer; $($body)*);
        }
        $crate::script_items!($writer; $($rest)*);
    };
    (@for $writer:ident ($pattern:pat) [$($iterator:tt)*] $next:tt $($rest:tt)*) => {
        $crate::script_items!(@for $writer ($pattern) [$($iterator)* $next] $($rest)*);
    };
    ($writer:ident; if $($rest:tt)*) => {
        $crate::script_items!(@if $writer [] [] $($rest)*);
    };
    (@if $writer:ident [$($done:tt)*] [$($condition:tt)*] { $($body:tt)* } else if $($rest:tt)*) => {
        $crate::script_items!(@if $writer [
            $($done)* if $($condition)* { $crate::script_items!($writer; $($body)*); } else
        ] [] $($rest)*);
    };
    (@if $writer:ident [$($done:tt)*] [$($condition:tt)*] { $($body:tt)* } else { $($other:tt)* } $($rest:tt)*) => {
        $($done)* if $($condition)* {
            $crate::script_items!($writer; $($body)*);
        } else {
            $crate::script_items!($writer; $($other)*);
        }
        $crate::script_items!($writer; $($rest)*);
    };
    (@if $writer:ident [$($done:tt)*] [$($condition:tt)*] { $($body:tt)* } $($rest:tt)*) => {
        $($done)* if $($condition)* {
            $crate::script_items!($writer; $($body)*);
        }
        $crate::script_items!($writer; $($rest)*);
    };
    (@if $writer:ident [$($done:tt)*] [$($condition:tt)*] $next:tt $($rest:tt)*) => {
        $crate::script_items!(@if $writer [$($done)*] [$($condition)* $next] $($rest)*);
    };

    // Expressions.
    ($writer:ident; { $expression:expr } $($rest:tt)*) => {
        $writer.push(&$expression);
        $crate::script_items!($writer; $($rest)*);
    };
    ($writer:ident; { $($block:tt)* } $($rest:tt)*) => {
        $writer.push(&{ $($block)* });
        $crate::script_items!($writer; $($rest)*);
    };

    // Opcodes, four at a time so that long scripts stay within the recursion limit; a keyword among the four ends the run.
    ($writer:ident; $a:ident for $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a);
        $crate::script_items!($writer; for $($rest)*);
    };
    ($writer:ident; $a:ident if $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a);
        $crate::script_items!($writer; if $($rest)*);
    };
    ($writer:ident; $a:ident $b:ident for $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a).op($crate::opcodes::$b);
        $crate::script_items!($writer; for $($rest)*);
    };
    ($writer:ident; $a:ident $b:ident if $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a).op($crate::opcodes::$b);
        $crate::script_items!($writer; if $($rest)*);
    };
    ($writer:ident; $a:ident $b:ident $c:ident for $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a).op($crate::opcodes::$b).op($crate::opcodes::$c);
        $crate::script_items!($writer; for $($rest)*);
    };
    ($writer:ident; $a:ident $b:ident $c:ident if $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a).op($crate::opcodes::$b).op($crate::opcodes::$c);
        $crate::script_items!($writer; if $($rest)*);
    };
    ($writer:ident; $a:ident $b:ident $c:ident $d:ident $($rest:tt)*) => {
        $writer
            .op($crate::opcodes::$a)
            .op($crate::opcodes::$b)
            .op($crate::opcodes::$c)
            .op($crate::opcodes::$d);
        $crate::script_items!($writer; $($rest)*);
    };
    ($writer:ident; $a:ident $($rest:tt)*) => {
        $writer.op($crate::opcodes::$a);
        $crate::script_items!($writer; $($rest)*);
    };
}
