#ifndef GATEWAY_CLINUX_H
#define GATEWAY_CLINUX_H
#endif
