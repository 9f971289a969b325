/*
 * Accepts an amount that is no less than a minimum, which a constructor sets. Constructors run in
 * the order of their priorities, after those in .preinit_array: each appends its digit.
 *
 * Inputs: amount.
 */
#include "tapcourt.h"

static volatile uint32_t minimum;

static void set_first(void) { minimum = 1; }

__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = set_first;

/* Unspecified priorities come last. */
__attribute__((constructor)) static void set_last(void) { minimum = minimum * 10 + 4; }

__attribute__((constructor(300))) static void set_third(void) { minimum = minimum * 10 + 3; }

__attribute__((constructor(200))) static void set_second(void) { minimum = minimum * 10 + 2; }

int main(int argc, char **argv) {
    if (argc != 0 || argv[0] != NULL) {
        return TAPCOURT_REJECT;
    }
    return tapcourt_input(0) >= minimum ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
