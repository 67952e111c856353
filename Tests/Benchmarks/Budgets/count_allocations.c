// Counts heap allocations of the process it is preloaded into (LD_PRELOAD), in memory that whoever started the process
// reads meanwhile: the file GATEWAY_ALLOCATIONS, mapped, with two counters of 8 bytes. The first is for those that libssl
// and libcrypto ask for, told by the address that the call returns to; the second is for all others.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// What glibc calls its own functions: looking them up by dlsym would allocate.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

struct counters {
    _Atomic uint64_t openssl;
    _Atomic uint64_t others;
};

// Until the file is mapped, what is counted is counted in vain.
static struct counters before;
static struct counters *counters = &before;

// Where the code of libssl and libcrypto lies: set once, before the program's first thread.
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
    void *memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    // Without counters there is nothing to be had from this run.
    if (memory == MAP_FAILED) abort();
    close(file);
    dl_iterate_phdr(remember_code, NULL);
    counters = memory;
}

static void count(void *caller) {
    uintptr_t address = (uintptr_t)caller;
    for (int index = 0; index < code_count; index++) {
        if (address >= code[index].start && address < code[index].end) {
            atomic_fetch_add_explicit(&counters->openssl, 1, memory_order_relaxed);
            return;
        }
    }
    atomic_fetch_add_explicit(&counters->others, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    if (alignment % sizeof(void *) || (alignment & (alignment - 1)) || !alignment) return EINVAL;
    void *start = __libc_memalign(alignment, size);
    if (!start) return ENOMEM;
    *memory = start;
    return 0;
}
