//! The guests written in C.

use crate::{Guest, words};

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
