// Counts heap allocations, and the bytes held, of the process that it is preloaded into (LD_PRELOAD). The counters are in the mapped file
// GATEWAY_ALLOCATIONS, which the parent process reads meanwhile. Allocations by libssl and libcrypto are counted separately: the return
// address of the call tells them apart.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own names: dlsym would allocate.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

struct counters {
    _Atomic int64_t allocations;
    // Held now, with the allocator's overhead for each piece.
    _Atomic int64_t bytes;
};

enum { OPENSSL, OTHERS, OWNERS };

// Counts before the file is mapped are discarded.
static struct counters before[OWNERS];
static struct counters *counters = before;

// The address range of libssl's and libcrypto's code: set once, before the program's first thread.
static struct {
    uintptr_t start, end;
} code[8];
static int code_count;

static int remember_code(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size, (void)data;
    if (!strstr(info->dlpi_name, "/libssl.so") && !strstr(info->dlpi_name, "/libcrypto.so")) return 0;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || code_count == 8) continue;
        code[code_count].start = info->dlpi_addr + header->p_vaddr;
        code[code_count].end = code[code_count].start + header->p_memsz;
        code_count++;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("GATEWAY_ALLOCATIONS");
    if (!path) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *memory = mmap(NULL, sizeof(before), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // Without counters the run is useless.
    if (memory == MAP_FAILED) abort();
    close(file);
    dl_iterate_phdr(remember_code, NULL);
    counters = memory;
}

static int owner(void *caller) {
    uintptr_t address = (uintptr_t)caller;
    for (int index = 0; index < code_count; index++) {
        if (address >= code[index].start && address < code[index].end) return OPENSSL;
    }
    return OTHERS;
}

static void *taken(void *memory, void *caller) {
    struct counters *of = &counters[owner(caller)];
    atomic_fetch_add_explicit(&of->allocations, 1, memory_order_relaxed);
    if (memory) atomic_fetch_add_explicit(&of->bytes, malloc_usable_size(memory) + sizeof(size_t), memory_order_relaxed);
    return memory;
}

static void given_back(void *memory, void *caller) {
    int64_t bytes = memory ? malloc_usable_size(memory) + sizeof(size_t) : 0;
    atomic_fetch_sub_explicit(&counters[owner(caller)].bytes, bytes, memory_order_relaxed);
}

void *malloc(size_t size) { return taken(__libc_malloc(size), __builtin_return_address(0)); }

void *calloc(size_t number, size_t size) { return taken(__libc_calloc(number, size), __builtin_return_address(0)); }

void *realloc(void *memory, size_t size) {
    given_back(memory, __builtin_return_address(0));
    return taken(__libc_realloc(memory, size), __builtin_return_address(0));
}

void *memalign(size_t alignment, size_t size) {
    return taken(__libc_memalign(alignment, size), __builtin_return_address(0));
}

void *aligned_alloc(size_t alignment, size_t size) {
    return taken(__libc_memalign(alignment, size), __builtin_return_address(0));
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment) return EINVAL;
    void *start = taken(__libc_memalign(alignment, size), __builtin_return_address(0));
    if (!start) return ENOMEM;
    *memory = start;
    return 0;
}

void free(void *memory) {
    given_back(memory, __builtin_return_address(0));
    __libc_free(memory);
}
