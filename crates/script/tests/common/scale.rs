//! How much the tests do.

/// A number of cases, multiplied by the environment variable `TAPCOURT_SCALE` where it is set; at least one.
pub(crate) fn scaled(cases: usize) -> usize {
    let scale = std::env::var("TAPCOURT_SCALE").map_or(1.0, |scale| {
        scale.parse::<f64>().expect("TAPCOURT_SCALE is a number")
    });
    ((cases as f64 * scale) as usize).max(1) // cast ok: not negative
}
