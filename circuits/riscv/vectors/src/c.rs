//! The guests written in C and C++.

use crate::{Guest, words};

pub(crate) fn constructors() -> Guest {
    Guest::new("constructors")
        .accepts("minimum", &words(&[1_234]))
        .accepts("more", &words(&[u32::MAX]))
        .rejects("one_less", &words(&[1_233]))
        .rejects("minimum_before_any_constructor", &words(&[0]))
        .rejects("minimum_after_one_constructor", &words(&[1]))
        .stops("no_inputs", &words(&[]))
}

pub(crate) fn thread_locals() -> Guest {
    Guest::new("thread_locals")
        .accepts("one_more", &words(&[1, 6]))
        .accepts("modulo_a_word", &words(&[u32::MAX, 4]))
        .rejects("as_if_it_began_with_zero", &words(&[1, 1]))
        .rejects("off_by_one", &words(&[1, 7]))
        .stops("no_expected_number", &words(&[1]))
}

pub(crate) fn deep_recursion() -> Guest {
    Guest::new("deep_recursion")
        .accepts("no_level", &words(&[0, 1_000]))
        .accepts("600_levels", &words(&[600, 1_000]))
        .accepts("25000_levels", &words(&[25_000, 0]))
        .rejects("over_the_limit", &words(&[600, 1_001]))
        .rejects("over_the_limit_at_25000_levels", &words(&[25_000, 5_000]))
        .overflows("40000_levels", &words(&[40_000, 0]))
        .overflows("over_the_limit_at_40000_levels", &words(&[40_000, 5_000]))
        .overflows("million_levels", &words(&[1_000_000, 5_000]))
        .stops("no_amount", &words(&[600]))
}

pub(crate) fn statistics() -> Guest {
    let numbers = |count: u32, seed: u32| {
        let next = |word: &u32| Some(word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let numbers = std::iter::successors(next(&seed), next);
        numbers.take(count as usize).collect::<Vec<u32>>()
    };
    let inputs = |numbers: &[u32], errors: [u32; 3]| {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable();
        let count = numbers.len() as u64;
        let sum: u64 = numbers.iter().copied().map(u64::from).sum();
        let mean = sum as f64 / count as f64;
        let squares = numbers
            .iter()
            .map(|&number| (f64::from(number) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count as f64).sqrt();
        let thousandths =
            (format!("{deviation:.3}").parse::<f64>().expect("a number") * 1_000.0).round();
        let expected = [
            sorted[numbers.len() / 2],
            (sum / count) as u32,      // cast ok: no more than the largest word
            thousandths as u64 as u32, // cast ok: small numbers only
        ];
        let expected = [0, 1, 2].map(|i| expected[i].wrapping_add(errors[i]));
        words(&[numbers.len() as u32])
            .words(numbers)
            .words(&expected) // cast ok: few words
    };
    let small = |count, seed| -> Vec<u32> {
        let numbers = numbers(count, seed);
        numbers.iter().map(|number| number >> 12).collect()
    };
    let five = [1, 2, 3, 4, 10];
    Guest::new("statistics")
        .accepts("one_number", &inputs(&[7], [0; 3]))
        .accepts("five_numbers", &inputs(&five, [0; 3]))
        .accepts(
            "sum_above_a_word",
            &inputs(&[u32::MAX - 1, u32::MAX, u32::MAX], [0; 3]),
        )
        .accepts("hundred_numbers", &inputs(&small(100, 1), [0; 3]))
        .rejects("other_median", &inputs(&five, [1, 0, 0]))
        .rejects("other_mean", &inputs(&five, [0, 1, 0]))
        .rejects("other_deviation", &inputs(&five, [0, 0, 1]))
        .rejects("no_numbers", &words(&[0, 0, 0, 0]))
        .rejects("more_numbers_than_memory", &words(&[1 << 24, 0]))
        .stops("no_expected_numbers", &words(&[2, 1, 2]))
}

pub(crate) fn shapes() -> Guest {
    Guest::new("shapes")
        .accepts("none", &words(&[0, 0]))
        .accepts("square", &words(&[1, 0, 5, 25]))
        .accepts("three", &words(&[3, 0, 5, 1, 2, 3, 0, 1, 32]))
        .accepts("modulo_a_word", &words(&[2, 1, 1 << 16, 1 << 16, 0, 3, 9]))
        .rejects("other_area", &words(&[3, 0, 5, 1, 2, 3, 0, 1, 31]))
        .rejects("unknown_shape", &words(&[1, 2]))
        .stops("no_expected_area", &words(&[1, 0, 5]))
}

pub(crate) fn fibonacci() -> Guest {
    let number = |n| {
        let step = |(current, next): (u32, u32), _| (next, current.wrapping_add(next));
        (0..n).fold((0, 1), step).0
    };
    Guest::new("fibonacci")
        .accepts("zero", &words(&[0, 0]))
        .accepts("largest_in_a_word", &words(&[47, 2_971_215_073]))
        .accepts("modulo_a_word", &words(&[1_000, number(1_000)]))
        .accepts("million_steps", &words(&[200_000, number(200_000)]))
        .rejects("off_by_one", &words(&[47, 2_971_215_074]))
        .rejects("next_number", &words(&[46, 2_971_215_073]))
        .stops("no_expected_number", &words(&[47]))
        .stops("no_inputs", &words(&[]))
}

pub(crate) fn iterate() -> Guest {
    let state = |iterations| {
        (0..iterations).fold(1_u32, |state, i| {
            (state ^ state >> 15)
                .wrapping_mul(0x2c1b_3c6d)
                .wrapping_add(i)
        })
    };
    let iterations = |count| words(&[count, state(count)]);
    Guest::new("loop")
        .accepts("no_iteration", &iterations(0))
        .accepts("thousand_iterations", &iterations(1_000))
        .accepts("million_iterations", &iterations(1_000_000))
        .rejects("wrong_result", &words(&[1_000, state(1_000) ^ 1]))
        .rejects("one_iteration_less", &words(&[999, state(1_000)]))
        .stops("no_expected_result", &words(&[1_000]))
}

pub(crate) fn heapsort() -> Guest {
    let middle = |length: u32, seed| {
        let next = |word: &u32| Some(word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let mut sorted: Vec<u32> = std::iter::successors(next(&seed), next)
            .take(length as usize)
            .collect();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    let sort = |length, seed| words(&[length, seed, middle(length, seed)]);
    Guest::new("heapsort")
        .accepts("one_word", &sort(1, 7))
        .accepts("hundred_words", &sort(100, 0))
        .accepts("thousand_words", &sort(1_000, 1))
        .accepts("all_words", &sort(65_536, 2))
        .rejects("wrong_middle", &words(&[100, 0, middle(100, 0) + 1]))
        .rejects("other_seed", &words(&[100, 1, middle(100, 0)]))
        .rejects("nothing_to_sort", &words(&[0, 0, 0]))
        .rejects("too_many_words", &words(&[65_537, 0, 0]))
        .stops("no_expected_word", &words(&[100, 0]))
}

pub(crate) fn touch() -> Guest {
    let sum = |passes| {
        let mut memory = vec![0_u32; 1 << 18];
        let mut sum = 0_u32;
        for pass in 0..passes {
            for (word, i) in memory.iter_mut().zip(0..) {
                sum = sum.wrapping_add(*word);
                *word = word.wrapping_add(i ^ pass);
            }
        }
        sum
    };
    Guest::new("touch")
        .accepts("no_pass", &words(&[0, 0]))
        .accepts("one_pass", &words(&[1, sum(1)]))
        .accepts("four_passes", &words(&[4, sum(4)]))
        .rejects("wrong_sum", &words(&[2, sum(2) ^ 1]))
        .rejects("one_pass_less", &words(&[1, sum(2)]))
        .stops("no_expected_sum", &words(&[1]))
}
