/*
 * Computes with what a C library, libgcc and start code are for, and exits with the number of the
 * first result that is not the one expected, 0 if all are.
 *
 * Inputs: an ending; numerator and denominator, 64 bits each; two doubles; length of a text in
 * bytes; the text; the words expected.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tapcourt.h"

enum ending { RETURN, ABORT, ASSERT, EXIT_IN_A_DESTRUCTOR };

#define MOST 1024

extern _Thread_local uint32_t counter, nothing;

static volatile uint32_t constructed;
static volatile uint32_t ending;
static uint32_t next;

__attribute__((constructor(300))) static void construct_second(void) { constructed = constructed * 10 + 2; }

__attribute__((constructor(200))) static void construct_first(void) { constructed = constructed * 10 + 1; }

__attribute__((destructor)) static void destroy(void) {
    if (ending == EXIT_IN_A_DESTRUCTOR) {
        _exit(99);
    }
}

static uint32_t word(void) { return tapcourt_input(next++); }

static uint64_t two_words(void) {
    uint64_t low = word();
    return low | (uint64_t)word() << 32;
}

static double number(void) {
    uint64_t bits = two_words();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t sum_of(const char *bytes, size_t length) {
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum = sum * 31 + (uint8_t)bytes[i];
    }
    return sum;
}

static int by_text(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

int main(int argc, char **argv) {
    static char text[MOST + 1], moved[MOST + 1];
    ending = word();
    uint64_t numerator = two_words(), denominator = two_words();
    double a = number(), b = number();
    uint32_t length = word();
    if (length > MOST) {
        return 98;
    }
    next = tapcourt_input_bytes(next, (uint8_t *)text, length);
    if (argc != 0 || argv[0] != NULL) {
        return 97;
    }

    /* Bytes that overlap, moved up and then down. */
    memcpy(moved, text, length);
    memmove(moved + length / 3, moved, length - length / 3);
    memmove(moved, moved + length / 5, length - length / 5);
    if (word() != sum_of(moved, length)) {
        return 1;
    }

    char **words = malloc(MOST / 2 * sizeof *words);
    size_t count = 0;
    for (char *token = strtok(text, " "); token != NULL; token = strtok(NULL, " ")) {
        words[count++] = token;
    }
    if (word() != count) {
        return 2;
    }
    qsort(words, count, sizeof *words, by_text);
    char *joined = calloc(1, MOST + 1);
    for (size_t i = 0; i < count; i++) {
        strcat(joined, words[i]);
    }
    if (word() != sum_of(joined, strlen(joined))) {
        return 3;
    }
    free(joined);
    free(words);

    if (two_words() != numerator / denominator) {
        return 4;
    }
    if (two_words() != numerator % denominator) {
        return 5;
    }
    if (two_words() != (uint64_t)((int64_t)numerator / (int64_t)denominator)) {
        return 6;
    }

    double result = sqrt(a) * b + a / b;
    if (two_words() != bits_of(result)) {
        return 7;
    }
    char line[64];
    snprintf(line, sizeof line, "%.17g", result);
    if (bits_of(strtod(line, NULL)) != bits_of(result)) {
        return 8;
    }

    counter += count;
    if (word() != counter || nothing != 0) {
        return 9;
    }
    if (word() != constructed) {
        return 10;
    }

    if (ending == ABORT) {
        abort();
    }
    assert(ending != ASSERT);
    return TAPCOURT_ACCEPT;
}
