// The floor for line decoding: memchr, and a copy only of a line that two chunks share.
//
//   decode lines|lineBytes CHUNK SECONDS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 64, INPUT = 1 << 20 };
static char input[INPUT], kept[LINE];
static size_t kept_length, lines, bytes;

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void __attribute__((noinline)) take_line(const char *line, size_t length) {
    if (length && line[length - 1] == '\r') length--;
    lines++, bytes += length;
}

static void decode(const char *chunk, size_t length) {
    const char *end = chunk + length, *newline;
    if (kept_length && (newline = memchr(chunk, '\n', length))) {
        size_t rest = (size_t)(newline - chunk);
        memcpy(kept + kept_length, chunk, rest);
        take_line(kept, kept_length + rest);
        kept_length = 0, chunk = newline + 1;
    }
    for (; (newline = memchr(chunk, '\n', (size_t)(end - chunk))); chunk = newline + 1)
        take_line(chunk, (size_t)(newline - chunk));
    memcpy(kept + kept_length, chunk, (size_t)(end - chunk));
    kept_length += (size_t)(end - chunk);
}

int main(int count, char **arguments) {
    size_t chunk = count == 4 ? strtoul(arguments[2], NULL, 10) : 0;
    if (!chunk) return fputs("usage: decode lines|lineBytes CHUNK SECONDS\n", stderr), 2;
    double seconds = atof(arguments[3]), elapsed = 0;
    for (size_t i = 0; i < INPUT; i++) input[i] = i % LINE == LINE - 1 ? '\n' : 'x';

    size_t passes = 0;
    for (double start = processor_time(); elapsed < seconds; passes++, elapsed = processor_time() - start)
        for (size_t at = 0; at < INPUT; at += chunk) decode(input + at, at + chunk < INPUT ? chunk : INPUT - at);
    if (lines != passes * (INPUT / LINE) || bytes != lines * (LINE - 1)) return fputs("decode: lines are missing\n", stderr), 1;
    printf("{\"megabytes_per_second\": %.1f, \"ns_per_message\": %.3f}\n", (double)passes * INPUT / elapsed / 1e6,
           elapsed * 1e9 / (double)lines);
    return 0;
}
