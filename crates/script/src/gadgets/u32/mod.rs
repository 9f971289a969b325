//! 32-bit words: what each operation costs, and the two that need hints.
//!
//! Words are eight nibbles, each the number `2n`, the lowest on top. Where there are several words, their nibbles are interleaved as the
//! gadget uses them: for an addition, the lowest nibbles of all words lie on top, then the next. [`Template::witness`] has the order.
//!
//! What goes wrong in gadgets, and the rules that keep it from happening, is written down in `docs/rules.md` of this crate.
//!
//! [`Template::witness`]: crate::expression::Template::witness

pub(crate) mod block;
mod divide;
mod multiply;
mod rows;

pub use self::divide::Divide;
pub use self::multiply::{Argument, Hinted, Multiply, Product};
pub use self::rows::{gadgets, rows};
