//! How much the tests do.

use std::env;

/// A number of cases, multiplied by the environment variable `TAPCOURT_SCALE` where it is set; at least one.
///
/// # Panics
/// If the variable is not a number above zero.
pub fn scaled(cases: usize) -> usize {
    let Ok(scale) = env::var("TAPCOURT_SCALE") else {
        return cases;
    };
    let factor: f64 = scale.parse().expect("TAPCOURT_SCALE is a number");
    assert!(factor > 0.0, "TAPCOURT_SCALE is {factor}, must be above 0");
    ((cases as f64 * factor) as usize).max(1)
}
