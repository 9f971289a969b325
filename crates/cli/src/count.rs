//! Counts in arguments: steps, words, blocks, satoshis. All are read alike.

use std::ops::RangeInclusive;

/// Makes a parser of counts for clap: `1000000`, `1_000_000`, `2^20` or `10^6`, within these
/// limits. `unit` is what is counted.
pub(crate) fn count<T: TryFrom<u64>>(
    unit: &'static str,
    limits: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let count = parse(text, unit)?;
        let fitting = T::try_from(count).ok().filter(|_| limits.contains(&count));
        fitting.ok_or_else(|| {
            let [least, most] = [limits.start(), limits.end()].map(|limit| short(*limit));
            format!("{count} {unit}: {least} to {most} are possible")
        })
    }
}

/// Reads a count without limits.
pub(crate) fn parse(text: &str, unit: &str) -> Result<u64, String> {
    let wrong = || format!("not a number of {unit}, such as 1000000 or 2^32");
    let digits = |text: &str| -> Result<u64, String> {
        let starts_well = text.starts_with(|first: char| first.is_ascii_digit());
        let number = text.replace('_', "");
        if !starts_well || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        number
            .parse()
            .map_err(|_| format!("{text} {unit}: at most 2^64 - 1 are possible"))
    };
    match text.split_once('^') {
        None => digits(text),
        Some((base, exponent)) => {
            let (base, exponent) = (digits(base)?, digits(exponent)?);
            let exponent = u32::try_from(exponent).ok();
            let power = exponent.and_then(|exponent| base.checked_pow(exponent));
            power.ok_or_else(|| format!("{text} {unit}: at most 2^64 - 1 are possible"))
        }
    }
}

/// A limit as it is written in an argument: large powers of two as such.
fn short(limit: u64) -> String {
    const LARGE: u64 = 1 << 16;
    match limit {
        u64::MAX => "2^64 - 1".to_owned(),
        limit if limit >= LARGE && limit.is_power_of_two() => format!("2^{}", limit.ilog2()),
        limit => limit.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_numbers_or_powers() {
        let read = count::<u64>("steps", 0..=u64::MAX);
        for (text, steps) in [
            ("0", 0),
            ("2", 2),
            ("1_000", 1_000),
            ("2^32", 1 << 32),
            ("10^6", 1_000_000),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(read(text), Ok(steps), "{text}");
        }
        for wrong in [
            "",
            "_",
            "_1",
            "2^",
            "^2",
            "2^64",
            "2^2^2",
            "-1",
            "+1",
            "x",
            "0x10",
            "1.5",
            " 1",
            "18446744073709551616",
            "2^99999999999",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("steps"), "{wrong}: {error}");
        }
    }

    #[test]
    fn limits_are_named() {
        let steps = count::<u64>("steps", 2..=1 << 48);
        assert_eq!(
            steps("2^49"),
            Err("562949953421312 steps: 2 to 2^48 are possible".to_owned())
        );
        let blocks = count::<u16>("blocks", 1..=2016);
        assert_eq!(blocks("2^10"), Ok(1024));
        for wrong in ["0", "2017", "70000"] {
            let expected = format!("{wrong} blocks: 1 to 2016 are possible");
            assert_eq!(blocks(wrong), Err(expected));
        }
    }
}
