/*
 * Accepts if a counter that begins with 5 is the one expected after an addition, and thread-locals
 * are aligned, start as the source says and are apart from other variables.
 *
 * Inputs: the number added, expected.
 */
#include "tapcourt.h"

#define WORDS 20

static _Thread_local volatile uint8_t letter = 'x';
static _Thread_local volatile uint32_t counter = 5;
static _Thread_local volatile uint32_t zero;
static _Thread_local _Alignas(64) volatile uint32_t many[WORDS];

static volatile uint32_t constants[4] = {1, 2, 3, 4};

/* If all are zero, makes them something else. */
static uint32_t take_zeros(void) {
    uint32_t found = zero;
    zero = 1;
    for (uint32_t i = 0; i < WORDS; i++) {
        found |= many[i];
        many[i] = ~i;
    }
    return found == 0;
}

static uint32_t constants_stand(void) {
    for (uint32_t i = 0; i < 4; i++) {
        if (constants[i] != i + 1) {
            return 0;
        }
    }
    return 1;
}

int main(void) {
    counter += tapcourt_input(0);
    uint32_t is_aligned = (uintptr_t)many % 64 == 0;
    uint32_t is_right = take_zeros() && constants_stand() && letter == 'x' && counter == tapcourt_input(1);
    return is_aligned && is_right ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
