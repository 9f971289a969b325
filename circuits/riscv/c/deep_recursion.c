/*
 * Recurses, and accepts an amount up to the limit, a constant. Each level needs 128 bytes of the
 * stack or more: some 30,000 levels fit below the image. With more, the machine stops, whatever the
 * amount.
 *
 * Inputs: levels, amount.
 */
#include "tapcourt.h"

#define WORDS 28

static volatile uint32_t limits[256] = {[0 ... 255] = 1000};
static volatile uint32_t sink;

__attribute__((noinline)) static uint32_t sum(uint32_t levels) {
    volatile uint32_t scratch[WORDS];
    for (uint32_t i = 0; i < WORDS; i++) {
        scratch[i] = 0xffffffff;
    }
    if (levels == 0) {
        return 0;
    }
    uint32_t result = levels + sum(levels - 1);
    sink = scratch[levels % WORDS];
    return result;
}

int main(void) {
    uint32_t levels = tapcourt_input(0), amount = tapcourt_input(1);
    if (sum(levels) != levels * (levels + 1) / 2) {
        return TAPCOURT_REJECT;
    }
    return amount <= limits[128] ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
