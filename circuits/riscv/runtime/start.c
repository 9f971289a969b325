/* The start code, and the one place that reads input words. */
#include "tapcourt.h"
