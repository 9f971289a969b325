/*
 * What the C library leaves to the system. There is no console, and there are no files, clocks and
 * processes: output is dropped, input ends at once, and all the rest fails as the standard allows
 * it to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "tapcourt.h"

/* What a guest defines itself counts instead. */
#define REPLACEABLE __attribute__((weak))

/* Objects of this program, for destructors in C++. */
REPLACEABLE void *__dso_handle = 0;

REPLACEABLE _Noreturn void _exit(int code) { tapcourt_exit((uint32_t)code); }

/* A failed assertion. The library's own would format a message, which nobody could read. */
REPLACEABLE _Noreturn void __assert_func(const char *file, int line, const char *function, const char *condition) {
    (void)file, (void)line, (void)function, (void)condition;
    abort();
}

static int drop(char character, FILE *stream) {
    (void)stream;
    return (unsigned char)character;
}

static int at_end(FILE *stream) {
    (void)stream;
    return _FDEV_EOF;
}

static FILE console = FDEV_SETUP_STREAM(drop, at_end, NULL, _FDEV_SETUP_RW);
REPLACEABLE FILE *const stdin = &console;
REPLACEABLE FILE *const stdout = &console;
REPLACEABLE FILE *const stderr = &console;

static int fails(void) {
    errno = ENOSYS;
    return -1;
}

REPLACEABLE ssize_t read(int file, void *bytes, size_t length) {
    (void)bytes, (void)length;
    return file == STDIN_FILENO ? 0 : fails();
}

REPLACEABLE ssize_t write(int file, const void *bytes, size_t length) {
    (void)bytes;
    return file == STDOUT_FILENO || file == STDERR_FILENO ? (ssize_t)length : fails();
}

REPLACEABLE int open(const char *path, int flags, ...) {
    (void)path, (void)flags;
    return fails();
}

REPLACEABLE int close(int file) {
    (void)file;
    return fails();
}

REPLACEABLE off_t lseek(int file, off_t offset, int origin) {
    (void)file, (void)offset, (void)origin;
    return fails();
}

REPLACEABLE int unlink(const char *path) {
    (void)path;
    return fails();
}

REPLACEABLE int stat(const char *restrict path, struct stat *restrict found) {
    (void)path, (void)found;
    return fails();
}

REPLACEABLE int fstat(int file, struct stat *found) {
    (void)file, (void)found;
    return fails();
}

REPLACEABLE int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)now, (void)zone;
    return fails();
}

REPLACEABLE clock_t times(struct tms *spent) {
    (void)spent;
    return (clock_t)fails();
}

REPLACEABLE int getentropy(void *bytes, size_t length) {
    (void)bytes, (void)length;
    return fails();
}

REPLACEABLE pid_t getpid(void) { return 1; }

/* What a signal does that has no handler. */
REPLACEABLE int kill(pid_t process, int signal) {
    (void)process, (void)signal;
    tapcourt_reject();
}
