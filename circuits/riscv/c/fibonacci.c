/*
 * Accepts if the Fibonacci number F(n), modulo 2^32, is the one expected.
 *
 * Inputs: n, expected.
 */
#include "tapcourt.h"

int main(void) {
    uint32_t n = tapcourt_input(0), expected = tapcourt_input(1);
    uint32_t current = 0, next = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t sum = current + next;
        current = next;
        next = sum;
    }
    return current == expected ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
