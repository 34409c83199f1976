// load: the client side of every benchmark here. One thread, one epoll instance, many connections
// to 127.0.0.1.
//
//   chunk, line,
//   block         echo: each connection sends a batch of DEPTH messages, waits until all of them
//                 have come back, and sends the next. `line` messages end in a newline, `block`
//                 messages begin with the length of what follows, in four bytes, network byte order.
//   fanout        a chat: the server greets each connection with a line of its own, and sends every line
//                 that anybody sends to everybody. The first connection sends a batch of DEPTH lines,
//                 waits until everybody has got all of them, and sends the next. One message is one
//                 line at one connection.
//   idle          opens the connections, has each echo one message, which ends in a newline, prints
//                 READY, and keeps them until standard input ends.
//   hold          the same for measuring this program: prints READY and waits for a line of standard input
//                 before it opens anything.
//   rate          CONNECTIONS at a time: connect, echo one message, end the output, wait for the
//                 server's end, close. One message is one such connection.
//   bulk          one way: each connection sends SIZE bytes and ends its output; the server answers
//                 with the number of bytes that it read, in decimal. One message is 1 MiB.
//
// With --messages N nothing is timed: after the warm-up, when every reply has come, it prints READY,
// waits for a line of standard input, has N messages echoed, prints the report, and keeps the
// connections until standard input ends. What a counter of the server gains between READY and the
// report is due to these N messages alone.
//
// Every byte that comes back is compared with what was sent. Anything unexpected (a wrong byte, a
// closed connection, 10 s without progress) ends the run with a message and status 1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, OPENING_AT_ONCE = 64, SOURCE_ADDRESSES = 100 };
static const uint64_t second = 1000000000, patience = 10 * second, mebibyte = 1 << 20;

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

// MARK: Options

enum mode { CHUNK, LINE, BLOCK, FANOUT, IDLE, HOLD, RATE, BULK };
static const char *const mode_names[] = {"chunk", "line", "block", "fanout", "idle", "hold", "rate", "bulk"};

static struct {
    enum mode mode;
    uint16_t port;
    size_t connections, size, depth, messages;  // no messages: as many as the seconds hold
    double seconds, warm_up;
    pid_t server;
} options = {.mode = CHUNK, .connections = 1, .size = 64, .depth = 1, .seconds = 5, .warm_up = 1};

static const char usage[] =
    "usage: load --port N [--mode chunk|line|block|fanout|idle|hold|rate|bulk] [--connections N]\n"
    "            [--size BYTES] [--depth N] [--seconds S | --messages N] [--warm-up S] [--server-pid PID]\n"
    "\n"
    "  --depth       messages that a connection sends before it waits for their replies (echo and fanout)\n"
    "  --server-pid  report that process's CPU time over the measured seconds, and its memory at their\n"
    "                end, in place of our own\n";

static double number(const char *name, const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        die("--%s takes a number from %.0f to %.0f, not '%s'", name, least, most, text);
    return value;
}

static void parse_options(int count, char **arguments) {
    static const struct option table[] = {
        {"mode", 1, 0, 'm'},    {"port", 1, 0, 'p'},       {"connections", 1, 0, 'c'},
        {"size", 1, 0, 's'},    {"depth", 1, 0, 'd'},      {"seconds", 1, 0, 't'},
        {"warm-up", 1, 0, 'w'}, {"server-pid", 1, 0, 'P'}, {"messages", 1, 0, 'n'},
        {"help", 0, 0, 'h'},    {0, 0, 0, 0}};
    int letter, index;
    while ((letter = getopt_long(count, arguments, "", table, &index)) != -1) {
        if (letter == '?') die("see load --help");
        const char *name = table[index].name;
        switch (letter) {
        case 'h': fputs(usage, stdout); exit(0);
        case 'm':
            for (options.mode = CHUNK; strcmp(optarg, mode_names[options.mode]); options.mode++)
                if (options.mode == BULK) die("--mode takes chunk, line, block, fanout, idle, hold, rate or bulk, not '%s'", optarg);
            break;
        case 'p': options.port = (uint16_t)number(name, optarg, 1, 65535); break;
        case 'c': options.connections = (size_t)number(name, optarg, 1, 1000000); break;
        case 's': options.size = (size_t)number(name, optarg, 1, 1099511627776.0); break;
        case 'd': options.depth = (size_t)number(name, optarg, 1, 100000); break;
        case 'n': options.messages = (size_t)number(name, optarg, 1, 1e12); break;
        case 't': options.seconds = number(name, optarg, 0, 86400); break;
        case 'w': options.warm_up = number(name, optarg, 0, 86400); break;
        case 'P': options.server = (pid_t)number(name, optarg, 1, 4194304); break;
        }
    }
    if (optind < count) die("'%s' is no option; see load --help", arguments[optind]);
    if (!options.port) die("--port is missing; see load --help");
    if (options.mode > FANOUT && options.depth != 1) die("--depth goes with echo and fanout only");
    if (options.mode == BLOCK && options.size < 4) die("--size is at least 4 with --mode block, the length included");
    if (options.mode != BULK && options.size * options.depth > 64 * mebibyte)
        die("--size times --depth is limited to 64 MiB");
    if ((options.mode == IDLE || options.mode == HOLD) && options.messages)
        die("--messages doesn't go with --mode %s", mode_names[options.mode]);
    if (options.mode == BULK && options.messages) options.size = options.messages * mebibyte / options.connections;
    if (options.mode == RATE && options.connections > OPENING_AT_ONCE)
        die("--connections is limited to %d at a time with --mode rate", OPENING_AT_ONCE);
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) die("getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit)) die("setrlimit: %s", strerror(errno));
    if (limit.rlim_cur < options.connections + 16)
        die("%zu connections need %zu descriptors, and the hard limit is %ju: use fewer, or raise `ulimit -Hn`",
            options.connections, options.connections + 16, (uintmax_t)limit.rlim_cur);
}

// MARK: What is sent
//
// A connection's stream is one pattern, repeated, from a starting point of its own: nothing has to
// be written before a send, a reply is checked by one memcmp, and a message that is lost, repeated,
// out of order or another connection's shows, since neighbouring messages differ.

static unsigned char *pattern;  // `period` bytes, then its beginning again, `stretch` bytes long
static size_t unit, different;  // the pattern's messages: their size and number
static size_t period, stretch;  // a send or a receive never spans more than `stretch` bytes
static unsigned char *scratch;  // what was just received; one byte longer than it should ever need

static void make_pattern(void) {
    // Small enough to stay in the CPU's cache, several messages in any case.
    unit = options.mode == BULK ? 4096 : options.size;
    different = mebibyte / unit > 251 ? 251 : mebibyte / unit < 17 ? 17 : mebibyte / unit;
    period = unit * different;
    stretch = options.mode == BULK ? mebibyte / 4 : options.size * options.depth;
    pattern = malloc(period + stretch);
    scratch = malloc(stretch + 1);
    if (!pattern || !scratch) die("out of memory");
    bool text = options.mode == LINE || options.mode == FANOUT || options.mode == IDLE || options.mode == HOLD;
    uint32_t state = 2463534242;
    for (size_t i = 0; i < period; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;  // xorshift
        pattern[i] = (unsigned char)(text ? 'a' + state % 26 : state);
        if (text && i % unit == unit - 1) pattern[i] = '\n';
        if (options.mode == BLOCK && i % unit < 4) pattern[i] = (unsigned char)((unit - 4) >> (24 - 8 * (i % unit)));
    }
    for (size_t i = 0; i < stretch; i++) pattern[period + i] = pattern[i];
}

// MARK: What is counted

enum { EXACT = 128, HALF = EXACT / 2, BUCKETS = HALF * 59 };

// Latencies in nanoseconds, log-linear: exact below 128, then 64 buckets for each power of two, so
// that a bucket is at most 1.6 % wide.
static struct {
    uint64_t counts[BUCKETS], total, maximum;
} latencies;

static void record(uint64_t latency, uint64_t messages) {
    unsigned shift = latency < EXACT ? 0 : 63 - __builtin_clzll(latency) - 6;
    latencies.counts[shift * HALF + (latency >> shift)] += messages;
    latencies.total += messages;
    if (latency > latencies.maximum) latencies.maximum = latency;
}

static double percentile_us(double percent) {
    uint64_t rank = (uint64_t)(percent / 100 * (double)latencies.total), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        if ((seen += latencies.counts[i]) <= rank) continue;
        unsigned shift = i < EXACT ? 0 : i / HALF - 1;
        return ((double)((uint64_t)(i - shift * HALF) << shift) + (double)(1ull << shift) / 2) / 1000;
    }
    return (double)latencies.maximum / 1000;
}

struct server_usage {
    double user, system;  // seconds
    uint64_t resident;    // bytes
};

static struct server_usage server_usage(void) {
    struct server_usage usage = {0};
    pid_t process = options.server ? options.server : getpid();
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0, pages = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(text, sizeof text, file)) die("%s: %s", path, strerror(errno));
    fclose(file);
    // The command's name, in parentheses, may hold spaces: count the fields from behind it.
    char *name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        die("%s: unexpected format", path);
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    file = fopen(path, "r");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1) die("%s: unexpected format", path);
    fclose(file);
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    usage.user = (double)user * tick, usage.system = (double)system * tick;
    usage.resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return usage;
}

// MARK: The run

static enum phase { OPENING, WARM_UP, MEASURED, ENDING } phase = OPENING;
static const char *const phase_names[] = {"connecting", "warm-up", "measurement", "waiting for the last replies"};
static int poller;
static size_t opened, opening, busy;  // started in all; without a reply yet; waiting for something
static uint64_t messages;             // complete, in all; with `bulk`, bytes sent
static uint64_t left = UINT64_MAX;    // batches, or connections with `rate` and `bulk`, still to be started
static uint64_t progress_at;          // when anything last moved

struct connection {
    int descriptor;
    bool connected, output_ended, greeted;
    size_t origin;                  // where in the pattern its stream starts
    uint64_t sent, received, goal;  // bytes since it was opened; `goal` is where this batch ends
    uint64_t started_at;            // this batch, or the connection with `rate`
    char answer[24];                // with `bulk`
    size_t answer_length;
};
static struct connection *connections;

static bool keeps_connections(void) {
    return options.mode != RATE && options.mode != BULK;
}

static __attribute__((noreturn)) void connection_failed(struct connection *c, const char *what) {
    die("connection %zu: %s (during %s, after %ju bytes sent and %ju received)", c - connections, what,
        phase_names[phase], (uintmax_t)c->sent, (uintmax_t)c->received);
}

static void connect_again(struct connection *c) {
    size_t number = opened++;
    *c = (struct connection){.origin = options.mode == FANOUT ? 0 : number % different * unit};
    c->started_at = nanoseconds(CLOCK_MONOTONIC);
    c->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->descriptor < 0) connection_failed(c, strerror(errno));
    int on = 1;
    setsockopt(c->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.mode == RATE) {
        // Each closed connection keeps its local port for a minute. Taking turns with the local
        // address gives each address its own 28,000 ports.
        setsockopt(c->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number % SOURCE_ADDRESSES));
        if (bind(c->descriptor, (struct sockaddr *)&from, sizeof from)) connection_failed(c, strerror(errno));
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c->descriptor, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        connection_failed(c, strerror(errno));
    // Registered once, edge-triggered, for everything: no system call but recv and send per message.
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->descriptor, &event)) connection_failed(c, strerror(errno));
    opening++, busy++;
}

static void end_output(struct connection *c) {
    if (shutdown(c->descriptor, SHUT_WR)) connection_failed(c, strerror(errno));
    c->output_ended = true;
}

static void send_some(struct connection *c) {
    while (c->sent < c->goal) {
        size_t left = c->goal - c->sent, most = left < stretch ? left : stretch;
        ssize_t n = send(c->descriptor, pattern + (c->origin + c->sent) % period, most, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) connection_failed(c, strerror(errno));
        if (options.mode == BULK) messages += (uint64_t)n;
        c->sent += (uint64_t)n;
    }
    if (options.mode == BULK && !c->output_ended && (c->sent == c->goal || phase == ENDING)) {
        c->goal = c->sent;
        end_output(c);
    }
}

static void start_batch(struct connection *c) {
    if (options.mode != RATE) c->started_at = nanoseconds(CLOCK_MONOTONIC);
    c->goal += options.size * options.depth;
    send_some(c);
}

// With `fanout`: the first connection sends, and everybody has as much to come.
static void start_broadcasts(void) {
    uint64_t now = nanoseconds(CLOCK_MONOTONIC), goal = connections[0].goal + options.size * options.depth;
    for (size_t i = 0; i < options.connections; i++) {
        struct connection *c = &connections[i];
        c->goal = goal, c->started_at = now;
        if (i) c->sent = goal;  // by another
    }
    busy = options.connections;
    send_some(&connections[0]);
}

static bool goes_on(void) {
    if (phase != WARM_UP && phase != MEASURED) return false;
    return left && left--;
}

static void batch_complete(struct connection *c) {
    if (options.mode == RATE) end_output(c);
    else if (options.mode == FANOUT) {
        if (--busy == 0 && goes_on()) start_broadcasts();
    } else if (goes_on()) start_batch(c);
    else busy--;  // parked
}

// With `fanout`, nothing but the greeting comes before everybody is there.
static void greeted(struct connection *c, size_t n) {
    c->greeted = scratch[n - 1] == '\n';
    if (memchr(scratch, '\n', n - 1)) connection_failed(c, "more came than a greeting");
    if (c->greeted) opening--, busy--;
}

static void received(struct connection *c, size_t n) {
    if (options.mode == FANOUT && !c->greeted) return greeted(c, n);
    if (c->received == 0 && opening) opening--;
    if (options.mode == BULK) {
        if (c->answer_length + n >= sizeof c->answer) connection_failed(c, "the answer is too long");
        memcpy(c->answer + c->answer_length, scratch, n);
        c->answer_length += n, c->received += n;
        return;
    }
    if (c->received + n > c->sent) connection_failed(c, "more came back than was sent");
    if (memcmp(scratch, pattern + (c->origin + c->received) % period, n)) connection_failed(c, "what came back differs from what was sent");
    uint64_t complete = (c->received + n) / options.size - c->received / options.size;
    c->received += n;
    if (options.mode != RATE) {
        messages += complete;
        if (complete && phase == MEASURED) record(nanoseconds(CLOCK_MONOTONIC) - c->started_at, complete);
    }
    if (c->received == c->goal) batch_complete(c);
}

static void ended(struct connection *c) {
    if (!c->output_ended) connection_failed(c, "the server closed it");
    if (options.mode == RATE && c->received != c->goal) connection_failed(c, "the server closed it before its reply");
    if (options.mode == BULK && strtoull(c->answer, NULL, 10) != c->sent) connection_failed(c, "the server counted other than was sent");
    close(c->descriptor);
    c->descriptor = -1;
    busy--;
    if (options.mode == RATE) {
        messages++;
        if (phase == MEASURED) record(nanoseconds(CLOCK_MONOTONIC) - c->started_at, 1);
    }
    if (goes_on()) connect_again(c);
}

static void receive_some(struct connection *c, bool until_end) {
    // A read that doesn't fill `scratch` has emptied the socket, and the next edge tells of more;
    // but no edge follows an end that came with the data.
    for (ssize_t n = (ssize_t)stretch + 1; until_end || n == (ssize_t)stretch + 1;) {
        n = recv(c->descriptor, scratch, stretch + 1, 0);
        if (n < 0 && errno == EINTR) n = (ssize_t)stretch + 1;
        else if (n < 0 && errno == EAGAIN) return;
        else if (n < 0) connection_failed(c, strerror(errno));
        else if (n == 0) return ended(c);
        else received(c, (size_t)n);
    }
}

static void handle(struct connection *c, uint32_t events) {
    if (!c->connected) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(c->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error) connection_failed(c, strerror(error));
        if (!(events & EPOLLOUT)) return;
        c->connected = true;
        if (options.mode != FANOUT) return start_batch(c);
    }
    if (events & EPOLLOUT) send_some(c);  // also while replies wait: neither side blocks the other
    if (events & ~(uint32_t)EPOLLOUT) receive_some(c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

// Handles what has happened; returns the time.
static uint64_t turn(int milliseconds) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) handle(events[i].data.ptr, events[i].events);
    uint64_t now = nanoseconds(CLOCK_MONOTONIC);
    if (count > 0) progress_at = now;
    else if (busy && now - progress_at > patience)
        die("no progress for 10 s during %s: %zu connections wait", phase_names[phase], busy);
    return now;
}

static uint64_t run_phase(enum phase next, double seconds) {
    uint64_t now = nanoseconds(CLOCK_MONOTONIC), end = now + (uint64_t)(seconds * 1e9);
    for (phase = next; now < end;) now = turn((int)((end - now) / 1000000) + 1);
    return now;
}

// Opens the connections, few at a time so that no listener's queue overflows, each with one reply.
static void open_connections(void) {
    progress_at = nanoseconds(CLOCK_MONOTONIC);
    while (opened < options.connections || busy) {
        while (opened < options.connections && opening < OPENING_AT_ONCE) connect_again(&connections[opened]);
        turn(1000);
    }
}

static void start_all(void) {
    progress_at = nanoseconds(CLOCK_MONOTONIC);
    if (options.mode == FANOUT) {
        if (goes_on()) start_broadcasts();
        return;
    }
    for (size_t i = 0; i < options.connections && goes_on(); i++) {
        if (keeps_connections()) busy++, start_batch(&connections[i]);
        else connect_again(&connections[i]);
    }
}

// Lets every reply arrive, so that all are verified and no server has to write into a reset.
static void finish(void) {
    uint64_t start = nanoseconds(CLOCK_MONOTONIC);
    phase = ENDING;
    while (busy)
        if (turn(1000) - start > patience) die("%zu connections still wait 10 s after the end", busy);
}

static void say_ready(void) {
    puts("READY");
    fflush(stdout);
}

static void wait_for_end_of_input(void) {
    fflush(stdout);
    char ignored[64];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {}
    turn(0);  // says so if one of the connections was closed
}

static void wait_for_word(void) {
    say_ready();
    char word;
    do {
        if (read(STDIN_FILENO, &word, 1) <= 0) exit(1);
    } while (word != '\n');
}

// Parks all connections, waits for the word, and gives out as many batches as make up the messages.
static void start_on_word(void) {
    finish();
    wait_for_word();
    phase = MEASURED;
    size_t batch = options.mode == FANOUT ? options.depth * options.connections : options.depth;
    left = options.mode == BULK ? options.connections : (options.messages + batch - 1) / batch;
    start_all();
}

static void report(uint64_t measured, double elapsed, double load_cpu, struct server_usage before, struct server_usage after) {
    double scale = options.mode == BULK ? (double)mebibyte : 1, count = (double)measured / scale;
    printf("{\"mode\": \"%s\", \"connections\": %zu, \"size\": %zu, \"depth\": %zu, \"seconds\": %.3f, "
           "\"messages\": %.0f, \"messages_in_all\": %.0f, \"messages_per_second\": %.1f, ",
           mode_names[options.mode], options.connections, options.size, options.depth, elapsed, count,
           (double)messages / scale, count / elapsed);
    if (latencies.total)
        printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, ", percentile_us(50), percentile_us(99),
               (double)latencies.maximum / 1000);
    if (count > 0)
        printf("\"user_us_per_message\": %.4f, \"system_us_per_message\": %.4f, \"server_busy\": %.3f, \"resident_bytes\": %ju, ",
               (after.user - before.user) * 1e6 / count, (after.system - before.system) * 1e6 / count,
               (after.user - before.user + after.system - before.system) / elapsed, (uintmax_t)after.resident);
    printf("\"load_busy\": %.3f}\n", load_cpu / elapsed);
}

int main(int count, char **arguments) {
    parse_options(count, arguments);
    raise_descriptor_limit();
    make_pattern();
    connections = calloc(options.connections, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || poller < 0) die("epoll_create1: %s", strerror(errno));

    if (options.mode == HOLD) wait_for_word();
    if (keeps_connections()) open_connections();
    if (options.mode == IDLE || options.mode == HOLD) return say_ready(), wait_for_end_of_input(), 0;

    phase = WARM_UP;
    start_all();
    run_phase(WARM_UP, options.warm_up);
    if (options.messages) start_on_word();

    struct server_usage before = server_usage();
    uint64_t measured = messages, load_cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), start = nanoseconds(CLOCK_MONOTONIC), end = start;
    if (options.messages)
        while (busy) end = turn(1000);
    else
        end = run_phase(MEASURED, options.seconds);
    measured = messages - measured;
    struct server_usage after = server_usage();
    load_cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - load_cpu;

    // A reply that never came must show somewhere: what is still waited for counts for the maximum.
    for (size_t i = 0; i < options.connections; i++) {
        uint64_t waited = end - connections[i].started_at;
        if (options.mode != BULK && connections[i].received < connections[i].goal && waited > latencies.maximum)
            latencies.maximum = waited;
    }
    finish();
    report(measured, (double)(end - start) / 1e9, (double)load_cpu / 1e9, before, after);
    if (options.messages) wait_for_end_of_input();
    return 0;
}
