/*
 * Makes up words from a seed, sorts them, and accepts if they are in order, still have the same sum and exclusive-or, and the
 * one in the middle is the one expected. For measuring: memory all over the place.
 *
 * Inputs: the number of words (1 to 65,536), seed, expected.
 */
#include <stdbool.h>

#include "tapcourt.h"

#define MAX_WORDS 65536

static uint32_t words[MAX_WORDS];

/* What does not depend on the order. */
struct checksum {
    uint32_t sum, exclusive_or;
};

static struct checksum checksum(uint32_t length) {
    struct checksum result = {0, 0};
    for (uint32_t i = 0; i < length; i++) {
        result.sum += words[i];
        result.exclusive_or ^= words[i];
    }
    return result;
}

static void fill(uint32_t length, uint32_t seed) {
    for (uint32_t i = 0; i < length; i++) {
        seed = seed * 1664525 + 1013904223;
        words[i] = seed;
    }
}

/* Moves the word at `root` down until no child of it is larger. */
static void sift_down(uint32_t root, uint32_t length) {
    uint32_t word = words[root];
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= length) {
            break;
        }
        if (child + 1 < length && words[child] < words[child + 1]) {
            child++;
        }
        if (words[child] <= word) {
            break;
        }
        words[root] = words[child];
        root = child;
    }
    words[root] = word;
}

static void sort(uint32_t length) {
    for (uint32_t root = length / 2; root-- > 0;) {
        sift_down(root, length);
    }
    for (uint32_t last = length - 1; last > 0; last--) {
        uint32_t largest = words[0];
        words[0] = words[last];
        words[last] = largest;
        sift_down(0, last);
    }
}

static bool is_sorted(uint32_t length) {
    for (uint32_t i = 1; i < length; i++) {
        if (words[i - 1] > words[i]) {
            return false;
        }
    }
    return true;
}

int main(void) {
    uint32_t length = tapcourt_input(0), seed = tapcourt_input(1), expected = tapcourt_input(2);
    if (length == 0 || length > MAX_WORDS) {
        return TAPCOURT_REJECT;
    }
    fill(length, seed);
    struct checksum before = checksum(length);
    sort(length);
    struct checksum after = checksum(length);
    bool accepts = is_sorted(length) && before.sum == after.sum && before.exclusive_or == after.exclusive_or &&
                   words[length / 2] == expected;
    return accepts ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
