/*
 * Accepts if so many iterations of a simple mixing function lead from 1 to the word expected. For measuring: six steps an
 * iteration, none of which uses memory.
 *
 * Inputs: iterations, expected.
 */
#include "tapcourt.h"

int main(void) {
    uint32_t iterations = tapcourt_input(0), expected = tapcourt_input(1);
    uint32_t state = 1;
    for (uint32_t i = 0; i < iterations; i++) {
        state = (state ^ state >> 15) * 0x2c1b3c6d + i;
    }
    return state == expected ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
