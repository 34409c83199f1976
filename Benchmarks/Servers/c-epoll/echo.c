// The bare minimum: what a server costs when nothing stands between it and the kernel. One thread,
// edge-triggered epoll, one recv and one send per readiness.
//
//   echo --port N MODE      chunk: send back what comes; line, lineBytes: split into lines (LF or
//                           CRLF), send each with LF; block: split into blocks after lengths of four
//                           bytes; sink: read to the end, answer with the count;
//                           fanout: greet, and send each line that comes to everybody
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, BLOCK = 64 * 1024, LONGEST_LINE = 64 * 1024, LONGEST_OUTPUT = 64 * 1024 };
static enum { CHUNK, LINE, BLOCKS, SINK, FANOUT } mode;
static int poller;
static char input[LONGEST_LINE + BLOCK], lines[LONGEST_LINE + 2 * BLOCK];
static size_t said;                 // with `fanout`: how much of `lines` goes to everybody at the end of the turn
static struct connection *members;  // with `fanout`: everybody

struct buffer {
    char *bytes;
    size_t length;
};

struct connection {
    int descriptor;
    bool ended;            // the peer has sent everything
    struct buffer line;    // the beginning of a line whose end hasn't come yet
    struct buffer output;  // what the kernel didn't take
    uint64_t total;
    struct connection *next, **link;  // among the members
};

static void fail(const char *call) {
    perror(call);
    exit(1);
}

static void keep(struct buffer *buffer, const char *bytes, size_t length) {
    char *copy = length ? malloc(length) : NULL;
    if (length) {
        if (!copy) fail("malloc");
        memcpy(copy, bytes, length);
    }
    free(buffer->bytes);
    *buffer = (struct buffer){copy, length};
}

static void finish(struct connection *c) {
    if (c->link) {
        *c->link = c->next;
        if (c->next) c->next->link = c->link;
    }
    close(c->descriptor);
    free(c->line.bytes);
    free(c->output.bytes);
    free(c);
}

// Returns false if there is too much already.
static bool append(struct buffer *buffer, const char *bytes, size_t length) {
    if (buffer->length > LONGEST_OUTPUT) return false;
    char *all = realloc(buffer->bytes, buffer->length + length);
    if (!all) fail("realloc");
    memcpy(all + buffer->length, bytes, length);
    *buffer = (struct buffer){all, buffer->length + length};
    return true;
}

// Returns false if the connection broke.
static bool write_out(struct connection *c, const char *bytes, size_t length) {
    size_t sent = 0;
    while (sent < length) {
        ssize_t n = send(c->descriptor, bytes + sent, length - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) return false;
        if (n < 0) break;
        sent += (size_t)n;
    }
    keep(&c->output, bytes + sent, length - sent);
    return true;
}

// Takes `length` bytes at `input`, which begin with the line that was kept. Returns false to close.
static bool answer_lines(struct connection *c, size_t length) {
    size_t start = 0, out = 0;
    for (char *newline; (newline = memchr(input + start, '\n', length - start));) {
        size_t end = (size_t)(newline - input), line = end - start;
        if (line && input[end - 1] == '\r') line--;
        memcpy(lines + out, input + start, line);
        lines[out + line] = '\n';
        out += line + 1;
        start = end + 1;
    }
    if (length - start > LONGEST_LINE) return false;
    if (c->line.length || start < length) keep(&c->line, input + start, length - start);
    return write_out(c, lines, out);
}

// The same with blocks. A block is no longer than a line may be.
static bool answer_blocks(struct connection *c, size_t length) {
    size_t start = 0;
    while (length - start >= 4) {
        const unsigned char *header = (unsigned char *)input + start;
        size_t block = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
        if (block > LONGEST_LINE - 4) return false;
        if (length - start - 4 < block) break;
        memcpy(lines + start, input + start, 4 + block);
        start += 4 + block;
    }
    if (c->line.length || start < length) keep(&c->line, input + start, length - start);
    return write_out(c, lines, start);
}

// What the kernel has not taken of earlier messages is in front of these. Who is too far behind has to go.
static void tell_everybody(void) {
    for (struct connection *c = members, *next; c && said; c = next) {
        next = c->next;
        if (!c->output.length ? write_out(c, lines, said) : append(&c->output, lines, said)) continue;
        shutdown(c->descriptor, SHUT_RDWR);  // its end is an event of the next turn
    }
    said = 0;
}

// Keeps the lines of a turn: all of them go to everybody in one call for each.
static bool say_lines(struct connection *c, size_t length) {
    char *newline = memrchr(input, '\n', length);
    size_t whole = newline ? (size_t)(newline + 1 - input) : 0;
    if (length - whole > LONGEST_LINE) return false;
    if (c->line.length || whole < length) keep(&c->line, input + whole, length - whole);
    if (said + whole > sizeof lines) tell_everybody();
    memcpy(lines + said, input, whole);
    said += whole;
    return true;
}

static bool answer(struct connection *c, size_t length) {
    switch (mode) {
    case CHUNK: return write_out(c, input, length);
    case LINE: return answer_lines(c, length);
    case BLOCKS: return answer_blocks(c, length);
    case FANOUT: return say_lines(c, length);
    default: c->total += length; return true;
    }
}

static bool answer_end(struct connection *c) {
    if (mode != SINK) return true;
    char text[24];
    return write_out(c, text, (size_t)sprintf(text, "%ju\n", (uintmax_t)c->total));
}

static void serve(struct connection *c, uint32_t events) {
    if (c->output.length) {
        struct buffer rest = c->output;
        c->output = (struct buffer){0};
        bool alive = write_out(c, rest.bytes, rest.length);
        free(rest.bytes);
        if (!alive) return finish(c);
    }
    bool until_end = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    while ((!c->output.length || mode == FANOUT) && !c->ended) {  // read no more than can be answered
        size_t kept = c->line.length;
        if (kept) memcpy(input, c->line.bytes, kept);
        ssize_t n = recv(c->descriptor, input + kept, BLOCK, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) return finish(c);
        if (n == 0) c->ended = true;
        if (!(n ? answer(c, kept + (size_t)n) : answer_end(c))) return finish(c);
        // A short read has emptied the socket, unless an end came with the data. A read that was
        // followed by EAGAIN on the write side comes back here when there is room.
        if (n < BLOCK && !until_end && (!c->output.length || mode == FANOUT)) break;
    }
    if (c->ended && !c->output.length) finish(c);
}

static void join(struct connection *c) {
    c->next = members, c->link = &members;
    if (members) members->link = &c->next;
    members = c;
    write_out(c, "welcome\n", 8);  // an error is an event, too
}

static void accept_all(int listener) {
    for (;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
        if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (descriptor < 0 && errno == EAGAIN) return;
        if (descriptor < 0) fail("accept4");
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *c = calloc(1, sizeof *c);
        if (!c) fail("calloc");
        c->descriptor = descriptor;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
        if (mode == FANOUT) join(c);
    }
}

int main(int count, char **arguments) {
    if (count != 4 || strcmp(arguments[1], "--port")) return fputs("usage: echo --port N chunk|line|lineBytes|block|sink|fanout\n", stderr), 2;
    mode = !strcmp(arguments[3], "sink") ? SINK : !strcmp(arguments[3], "fanout") ? FANOUT : !strcmp(arguments[3], "block") ? BLOCKS : !strncmp(arguments[3], "line", 4) ? LINE : CHUNK;

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (listener < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length)) fail("bind");
    if (listen(listener, SOMAXCONN)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);

    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("epoll");
    printf("ready %d\n", ntohs(address.sin_port));
    fflush(stdout);

    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(poller, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr) serve(events[i].data.ptr, events[i].events);
            else accept_all(listener);
        }
        tell_everybody();
    }
}
