#define _GNU_SOURCE  // here, in a file of our own, where no other module sees it
#include "CLinux.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

int gateway_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

void gateway_name_this_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
