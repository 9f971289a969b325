/*
 * Accepts if the median, the mean, and the standard deviation of some numbers are those expected.
 * An ordinary program that uses the C library: a heap, sorting, 64-bit division, double, text and
 * long jumps.
 *
 * Inputs: count; numbers; the median expected; the mean expected, rounded down; the standard
 * deviation expected, in thousandths and rounded to the nearest.
 */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tapcourt.h"

static jmp_buf on_error;

static void *allocate(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    if (memory == NULL) {
        longjmp(on_error, 1);
    }
    return memory;
}

static int compare(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static uint32_t median(const uint32_t *numbers, size_t count) {
    uint32_t *sorted = allocate(count, sizeof *sorted);
    memmove(sorted, numbers, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    uint32_t result = sorted[count / 2];
    free(sorted);
    return result;
}

static double deviation(const uint32_t *numbers, size_t count, double mean) {
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (numbers[i] - mean) * (numbers[i] - mean);
    }
    return sqrt(squares / (double)count);
}

/* Rounds to thousandths, by way of text. */
static uint64_t thousandths(double number) {
    char text[32];
    if (snprintf(text, sizeof text, "%.3f", number) >= (int)sizeof text) {
        longjmp(on_error, 1);
    }
    return (uint64_t)(strtod(text, NULL) * 1000 + 0.5);
}

int main(int argc, char **argv) {
    (void)argc, (void)argv;
    if (setjmp(on_error) != 0) {
        return TAPCOURT_REJECT;
    }
    uint32_t count = tapcourt_input(0);
    if (count == 0) {
        return TAPCOURT_REJECT;
    }
    uint32_t *numbers = allocate(count, sizeof *numbers);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = tapcourt_input(1 + i);
        sum += numbers[i];
    }
    printf("%lu numbers\n", (unsigned long)count); /* which nobody sees */
    double mean = (double)sum / count;
    int is_right = median(numbers, count) == tapcourt_input(count + 1) && sum / count == tapcourt_input(count + 2) &&
                   thousandths(deviation(numbers, count, mean)) == tapcourt_input(count + 3);
    return is_right ? TAPCOURT_ACCEPT : TAPCOURT_REJECT;
}
