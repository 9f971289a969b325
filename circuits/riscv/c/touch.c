/*
 * Reads and writes every word of 1 MiB in each pass, and accepts if the sum of what it has read is the one expected. For
 * measuring: how long a step takes that dirties memory.
 *
 * In pass p (from 0), word i changes from x to x + (i ^ p).
 *
 * Inputs: passes, expected.
 */
#include "tapcourt.h"

#define WORDS (1 << 18)

static uint32_t memory[WORDS];

int main(void) {
    uint32_t passes = tapcourt_input(0), expected = tapcourt_input(1);
    uint32_t sum = 0;
    for (uint32_t pass = 0; pass < passes; pass++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            sum += memory[i];
            memory[i] += i ^ pass;
        }
    }
    return sum == expected ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
