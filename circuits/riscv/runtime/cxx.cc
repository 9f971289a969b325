// What code in C++ calls where there is no C++ library: memory, and what must not happen.
#include <stdlib.h>

#include "tapcourt.h"

// There are no exceptions: a guest that needs more memory than there is rejects.
void *operator new(size_t size) {
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == nullptr) {
        tapcourt_reject();
    }
    return memory;
}

void *operator new[](size_t size) { return operator new(size); }

void operator delete(void *memory) noexcept { free(memory); }
void operator delete[](void *memory) noexcept { free(memory); }
void operator delete(void *memory, size_t) noexcept { free(memory); }
void operator delete[](void *memory, size_t) noexcept { free(memory); }

extern "C" void __cxa_pure_virtual() { tapcourt_reject(); }
extern "C" void __cxa_deleted_virtual() { tapcourt_reject(); }
