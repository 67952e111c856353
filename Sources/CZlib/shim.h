// zlib for Swift: what is a macro in zlib.h becomes a function.
#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

// Input is read and never written.
#define ZLIB_CONST
#include <zlib.h>

static inline int CZlib_inflateInit2(z_streamp stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}

static inline int CZlib_deflateInit2(z_streamp stream, int level, int windowBits, int memLevel) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memLevel, Z_DEFAULT_STRATEGY);
}

#endif
