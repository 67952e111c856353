#ifndef GATEWAY_CCRYPT_SHIM_H
#define GATEWAY_CCRYPT_SHIM_H

#include <crypt.h>

// An array of `struct crypt_data` is longer than Swift imports.
static const int shim_crypt_data_size = sizeof(struct crypt_data);

#endif
