// What code in C++ calls where there is no C++ library: memory, and what must not happen.
#include <stdlib.h>

#include "tapcourt.h"

// What a guest defines itself counts instead.
#define REPLACEABLE __attribute__((weak))

// There are no exceptions: a guest that needs more memory than there is rejects.
REPLACEABLE void *operator new(size_t size) {
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == nullptr) {
        tapcourt_reject();
    }
    return memory;
}

REPLACEABLE void *operator new[](size_t size) { return operator new(size); }

REPLACEABLE void operator delete(void *memory) noexcept { free(memory); }
REPLACEABLE void operator delete[](void *memory) noexcept { free(memory); }
REPLACEABLE void operator delete(void *memory, size_t) noexcept { free(memory); }
REPLACEABLE void operator delete[](void *memory, size_t) noexcept { free(memory); }

extern "C" REPLACEABLE void __cxa_pure_virtual() { tapcourt_reject(); }
extern "C" REPLACEABLE void __cxa_deleted_virtual() { tapcourt_reject(); }
