// What libssl alone costs per session: a TLS server that answers an upgrade and then keeps the connection, with the gateway's settings and
// only a few bytes of its own.
//
//   cc -O2 -o idle-tls idle-tls.c -lssl -lcrypto
//   ./idle-tls CERT KEY      prints "listening on PORT", runs until it is killed
//
// libssl reads and writes the socket through a BIO that stores the descriptor in place of a pointer, which is leaner than libssl's socket
// BIO. Its buffers are released whenever a session is at rest.
#define _GNU_SOURCE
#include "server.h"
#include "websocket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

struct connection {
    SSL *ssl;
    int descriptor;
    int is_open;
    /// An incomplete request head.
    struct pending head;
};

static int epoll;
static uint8_t memory[READ_SIZE];

// MARK: the BIO

static int bio_descriptor(BIO *bio) { return (int)(intptr_t)BIO_get_data(bio); }

static int bio_read(BIO *bio, char *bytes, size_t capacity, size_t *taken) {
    BIO_clear_retry_flags(bio);
    ssize_t count = recv(bio_descriptor(bio), bytes, capacity, 0);
    *taken = count > 0 ? (size_t)count : 0;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return count > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t count, size_t *written) {
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(bio_descriptor(bio), bytes, count, MSG_NOSIGNAL);
    *written = sent > 0 ? (size_t)sent : 0;
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return sent > 0;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_bio_method(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "descriptor");
    if (!method || !BIO_meth_set_read_ex(method, bio_read) || !BIO_meth_set_write_ex(method, bio_write) ||
        !BIO_meth_set_ctrl(method, bio_control))
        die("BIO_meth_new");
    return method;
}

// MARK: the context

static void die_of_libssl(const char *what) {
    fprintf(stderr, "%s: ", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static int choose_protocol(
    SSL *ssl, const unsigned char **chosen, unsigned char *chosen_count, const unsigned char *offers, unsigned int count,
    void *unused) {
    (void)ssl, (void)unused;
    static const unsigned char wanted[] = "\x08http/1.1";
    int result = SSL_select_next_proto((unsigned char **)chosen, chosen_count, wanted, 9, offers, count);
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// With the settings of the gateway's listeners.
static SSL_CTX *make_context(const char *certificate, const char *key) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) die_of_libssl("SSL_CTX_new");
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (!SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) || !SSL_CTX_set_num_tickets(context, 1) ||
        !SSL_CTX_set_cipher_list(
            context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                     "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") ||
        !SSL_CTX_set_ciphersuites(
            context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") ||
        !(SSL_CTX_set1_groups_list(context, "X25519MLKEM768:X25519:P-256:P-384") ||
          SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")))
        die_of_libssl("settings");
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) die_of_libssl(certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) die_of_libssl(key);
    return context;
}

// MARK: connections

/// Answers the request head once it is whole. False when the connection is to be closed.
static int take_head(struct connection *connection, const uint8_t *bytes, size_t count) {
    struct pending *head = &connection->head;
    pending_append(head, bytes, count);
    if (head->end > sizeof memory) return 0;
    size_t length = head_length(head->bytes, head->end);
    if (length == 0) return 1;
    char answer[256];
    size_t answer_count = upgrade_answer(head->bytes, length, answer);
    pending_free(head);
    connection->is_open = 1;
    // The answer fits into a new socket's buffer.
    return answer_count > 0 && SSL_write(connection->ssl, answer, (int)answer_count) == (int)answer_count;
}

/// False when the connection is over.
static int serve(struct connection *connection) {
    SSL *ssl = connection->ssl;
    ERR_clear_error();
    int result = SSL_is_init_finished(ssl) ? 1 : SSL_accept(ssl);
    while (result == 1) {
        size_t count;
        result = SSL_read_ex(ssl, memory, sizeof memory, &count);
        // What comes after the upgrade is ignored.
        if (result == 1 && !connection->is_open && !take_head(connection, memory, count)) return 0;
    }
    if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return 0;
    SSL_free_buffers(ssl);
    return 1;
}

static void accept_connection(int descriptor, SSL_CTX *context, const BIO_METHOD *method) {
    struct connection *connection = calloc(1, sizeof *connection);
    BIO *bio = BIO_new(method);
    SSL *ssl = SSL_new(context);
    if (!connection || !bio || !ssl) die_of_libssl("SSL_new");
    BIO_set_data(bio, (void *)(intptr_t)descriptor);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    connection->ssl = ssl;
    connection->descriptor = descriptor;
    watch(epoll, EPOLL_CTL_ADD, descriptor, EPOLLIN, connection);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: idle-tls CERT KEY\n");
        return 64;
    }
    SSL_CTX *context = make_context(arguments[1], arguments[2]);
    BIO_METHOD *method = make_bio_method();
    int listener = listen_and_tell(NULL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);

    struct epoll_event events[256];
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection) {
                if (serve(connection)) continue;
                SSL_free(connection->ssl);
                close(connection->descriptor);
                pending_free(&connection->head);
                free(connection);
                continue;
            }
            for (int descriptor; (descriptor = accept_next(listener)) >= 0;)
                accept_connection(descriptor, context, method);
        }
    }
}
