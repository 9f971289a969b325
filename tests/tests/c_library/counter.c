/* Thread-locals that another file uses. */
#include <stdint.h>

_Thread_local uint32_t counter = 5;
_Thread_local uint32_t nothing;
