/* newlines mapped|streamed THREADS FILE: counts line feeds, 32 bytes per comparison. This is the minimum for any
 * reader of the file: it must look at every byte once. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 20)

typedef unsigned char bytes32 __attribute__((vector_size(32)));

static int file;
static size_t length;
static const unsigned char *mapped;
static atomic_size_t next_block;
static atomic_size_t total;

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
static size_t count(const unsigned char *text, size_t size) {
    bytes32 newline;
    memset(&newline, '\n', sizeof newline);
    size_t found = 0, at = 0;
    while (size - at >= 4 * sizeof newline) {
        /* A lane of each sum holds at most 255. */
        bytes32 sums[4] = {0};
        for (int turn = 0; turn < 255 && size - at >= sizeof sums; turn++, at += sizeof sums) {
            for (int lane = 0; lane < 4; lane++) {
                bytes32 part;
                memcpy(&part, text + at + (size_t)lane * sizeof part, sizeof part);
                sums[lane] -= (bytes32)(part == newline);
            }
        }
        for (int lane = 0; lane < 4; lane++)
            for (size_t byte = 0; byte < sizeof newline; byte++) found += sums[lane][byte];
    }
    for (; at < size; at++) found += text[at] == '\n';
    return found;
}

static void *work(void *unused) {
    unsigned char *buffer = mapped ? NULL : malloc(BLOCK);
    size_t found = 0;
    for (;;) {
        size_t start = atomic_fetch_add(&next_block, 1) * BLOCK;
        if (start >= length) break;
        size_t size = length - start < BLOCK ? length - start : BLOCK;
        if (mapped) {
            found += count(mapped + start, size);
            continue;
        }
        size_t filled = 0;
        while (filled < size) {
            ssize_t more = pread(file, buffer + filled, size - filled, (off_t)(start + filled));
            if (more <= 0) exit(1);
            filled += (size_t)more;
        }
        found += count(buffer, size);
    }
    free(buffer);
    atomic_fetch_add(&total, found);
    return unused;
}

int main(int given, char **arguments) {
    if (given != 4) return 2;
    int threads = atoi(arguments[2]);
    struct stat facts;
    file = open(arguments[3], O_RDONLY);
    if (threads < 1 || threads > 64 || file < 0 || fstat(file, &facts)) return 2;
    length = (size_t)facts.st_size;
    if (!strcmp(arguments[1], "mapped")) {
        mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED) return 1;
        madvise((void *)mapped, length, MADV_SEQUENTIAL);
    }
    pthread_t others[64];
    for (int at = 1; at < threads; at++)
        if (pthread_create(&others[at], NULL, work, NULL)) return 1;
    work(NULL);
    for (int at = 1; at < threads; at++) pthread_join(others[at], NULL);
    printf("{\"newlines\": %zu}\n", (size_t)total);
    return 0;
}
