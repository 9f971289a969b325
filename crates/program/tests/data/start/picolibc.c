/* A constructor, a thread-local and a variable with a value: picolibc's start code serves all three. */
static _Thread_local int counter = 5;
static volatile int minimum, limit = 7;
__attribute__((constructor)) static void set_minimum(void) { minimum = 1000000; }
int main(void) {
    counter++;
    return counter == 6 && minimum == 1000000 && limit == 7 ? 0 : 9;
}
void _exit(int code) {
    register int a0 __asm__("a0") = code;
    register int a7 __asm__("a7") = 93;
    __asm__ volatile("ecall" : : "r"(a0), "r"(a7));
    __builtin_unreachable();
}
