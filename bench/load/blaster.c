/*
 * The data phase of the load generator in C, for rates that Node cannot produce. Same plan on stdin, same lines on
 * stdout as blaster.ts; plan.ts describes both. Linux only. Built on demand by native.ts: cc -O2 -o blaster blaster.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BARE, CHANNEL, DATA, BINDING };
enum { BURST = 32, RECV_BATCH = 8, MAX_DATAGRAM = 2048, BUCKETS = 64 * 40, SOCKET_BUFFER = 4 << 20 };

struct end {
  int fd, recv_mode, sink, source;
  size_t length, stamp_at;
  uint8_t *packet;
  uint32_t next, first;
  uint64_t *seen;
};

static struct end *ends;
static int count;
static size_t payload;
static uint64_t sent, received, duplicates, misrouted, corrupt, send_errors;
static uint64_t histogram[BUCKETS];
static int begun, ended;
static uint32_t seen_bits;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* 64 buckets per power of two: within 1.6 %. */
static int bucket_of(uint32_t ns) {
  if (ns < 64) return ns;
  int e = 31 - __builtin_clz(ns);
  return (e - 5) * 64 + ((ns >> (e - 6)) & 63);
}

static double percentile(double p) {
  uint64_t total = 0, sum = 0;
  for (int i = 0; i < BUCKETS; i++) total += histogram[i];
  for (int i = 0; i < BUCKETS; i++) {
    sum += histogram[i];
    if (total && sum >= p * total) {
      if (i < 64) return i / 1e3;
      return ((uint64_t)(64 + (i & 63)) << (i / 64 - 1)) / 1e3;
    }
  }
  return 0;
}

static void set_buffer(int fd, int force, int plain) {
  int size = SOCKET_BUFFER;
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) < 0) setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

static int open_socket(const char *bind_host, int bind_port, const char *to_host, int to_port) {
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(bind_port)};
  struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(to_port)};
  inet_pton(AF_INET, bind_host, &local.sin_addr);
  inet_pton(AF_INET, to_host, &remote.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0) fail("bind");
  if (connect(fd, (struct sockaddr *)&remote, sizeof remote) < 0) fail("connect");
  return fd;
}

static size_t from_hex(const char *hex, uint8_t *into) {
  if (hex[0] == '-') return 0;
  size_t length = strlen(hex) / 2;
  for (size_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &into[i]);
  return length;
}

static int mode_of(const char *name) {
  if (!strcmp(name, "channel")) return CHANNEL;
  if (!strcmp(name, "data")) return DATA;
  return strcmp(name, "binding") ? BARE : BINDING;
}

/* Where the stamp starts in a datagram, or -1 when it is not what this end expects. */
static int find_stamp(const struct end *me, const uint8_t *b, int n) {
  if (me->recv_mode == BINDING) return n >= 20 && b[0] == 1 && b[1] == 1 ? 8 : -1;
  if (me->recv_mode == BARE) return n == (int)payload ? 0 : -1;
  if (me->recv_mode == CHANNEL)
    return n >= 4 + (int)payload && (b[0] & 0xc0) == 0x40 && (size_t)(b[2] << 8 | b[3]) == payload ? 4 : -1;
  if (n < 20 || b[0] != 0 || b[1] != 0x17) return -1;
  for (int at = 20; at + 4 <= n;) {
    int type = b[at] << 8 | b[at + 1], length = b[at + 2] << 8 | b[at + 3];
    if (type == 0x0013) return length == (int)payload && at + 4 + length <= n ? at + 4 : -1;
    at += 4 + ((length + 3) & ~3);
  }
  return -1;
}

static void take(struct end *me, const uint8_t *b, int n, double now) {
  int at = find_stamp(me, b, n);
  if (at < 0) {
    corrupt++;
    return;
  }
  uint32_t seq, origin;
  double time;
  memcpy(&seq, b + at, 4);
  memcpy(&time, b + at + 4, 8);
  if (me->recv_mode != BINDING) {
    memcpy(&origin, b + at + 12, 4);
    if ((int)origin != me->source) {
      misrouted++;
      return;
    }
  }
  struct end *from = &ends[me->source];
  if (seq >= from->next || seq >= seen_bits) {
    corrupt++;
    return;
  }
  uint64_t bit = 1ull << (seq & 63);
  if (from->seen[seq >> 6] & bit) {
    duplicates++;
    return;
  }
  from->seen[seq >> 6] |= bit;
  if (!begun || seq < from->first) return;
  received++;
  double ns = (now - time) * 1e3;
  histogram[bucket_of(ns < 0 ? 0 : ns > 4e9 ? 4000000000u : (uint32_t)ns)]++;
}

static void transmit(struct end *me) {
  double now = now_us();
  uint8_t *stamp = me->packet + me->stamp_at;
  memcpy(stamp, &me->next, 4);
  memcpy(stamp + 4, &now, 8);
  me->next++;
  if (begun) sent++;
  /* A pending ICMP error is reported once and clears. */
  if (send(me->fd, me->packet, me->length, 0) < 0 && send(me->fd, me->packet, me->length, 0) < 0) send_errors++;
}

static void drain(struct end *me) {
  static uint8_t buffers[RECV_BATCH][MAX_DATAGRAM];
  struct iovec iov[RECV_BATCH];
  struct mmsghdr messages[RECV_BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < RECV_BATCH; i++) {
    iov[i] = (struct iovec){buffers[i], MAX_DATAGRAM};
    messages[i].msg_hdr.msg_iov = &iov[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int n = recvmmsg(me->fd, messages, RECV_BATCH, MSG_DONTWAIT, NULL);
  double now = now_us();
  for (int i = 0; i < n; i++) take(me, buffers[i], messages[i].msg_len, now);
}

int main(void) {
  double rate, seconds, warm_ms;
  int spin;
  if (scanf("%zu %lf %lf %lf %d %d", &payload, &rate, &warm_ms, &seconds, &spin, &count) != 6) return 2;
  prctl(PR_SET_TIMERSLACK, 1);
  prctl(PR_SET_PDEATHSIG, 9);
  struct rlimit files = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  ends = calloc(count, sizeof *ends);
  seen_bits = (uint32_t)(rate * (seconds + warm_ms / 1e3) / count) + 1024;
  int poll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    static char bind_host[64], to_host[64], prefix[256], mode[16];
    int bind_port, to_port;
    struct end *me = &ends[i];
    if (scanf("%63s %d %63s %d %255s %15s %d", bind_host, &bind_port, to_host, &to_port, prefix, mode, &me->sink) != 7) return 2;
    me->recv_mode = mode_of(mode);
    size_t stamp = me->recv_mode == BINDING ? 12 : payload;
    me->packet = calloc(1, 256 + payload + 4);
    me->stamp_at = from_hex(prefix, me->packet);
    me->length = me->stamp_at + stamp;
    if (me->recv_mode != BINDING) memcpy(me->packet + me->stamp_at + 12, &i, 4);
    /* An indication's DATA attribute is padded. */
    if (me->stamp_at > 4) me->length = (me->length + 3) & ~3ul;
    me->seen = calloc(seen_bits / 64 + 1, 8);
    me->fd = open_socket(bind_host, bind_port, to_host, to_port);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, me->fd, &event);
  }
  for (int i = 0; i < count; i++) ends[ends[i].sink].source = i;

  double start = now_us(), warm = start + warm_ms * 1e3, stop = warm + seconds * 1e6, heard = stop;
  double step = 1e6 / rate, due = start;
  struct rusage before, after;
  int turn = 0;
  getrusage(RUSAGE_SELF, &before);
  for (;;) {
    double now = now_us();
    if (!begun && now >= warm) {
      begun = 1;
      for (int i = 0; i < count; i++) ends[i].first = ends[i].next;
      getrusage(RUSAGE_SELF, &before);
      puts("begin");
      fflush(stdout);
    }
    if (!ended && now >= stop) {
      ended = 1;
      heard = now;
      getrusage(RUSAGE_SELF, &after);
      puts("end");
      fflush(stdout);
    }
    /* What is late by more than 50 ms is given up: the rate reached is reported, no burst follows. */
    if (now - due > 50e3) due = now;
    for (int i = 0; i < BURST && !ended && due <= now; i++, due += step) {
      transmit(&ends[turn]);
      if (++turn == count) turn = 0;
    }
    struct epoll_event events[64];
    double idle = ended ? 1000 : due - now_us();
    int n;
    if (spin || idle < 20) n = epoll_wait(poll, events, 64, 0);
    else {
      struct timespec wait = {0, (long)(idle * 1e3)};
      n = epoll_pwait2(poll, events, 64, &wait, NULL);
    }
    for (int i = 0; i < n; i++) drain(&ends[events[i].data.u32]);
    if (!ended) continue;
    if (n > 0) heard = now_us();
    if (received >= sent || now_us() - heard > 1e6) break;
  }
  double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
               (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 + (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
  printf("{\"sent\":%llu,\"received\":%llu,\"duplicates\":%llu,\"misrouted\":%llu,\"corrupt\":%llu,\"sendErrors\":%llu,"
         "\"seconds\":%.6f,\"generatorCpu\":%.4f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f}\n",
         (unsigned long long)sent, (unsigned long long)received, (unsigned long long)duplicates, (unsigned long long)misrouted,
         (unsigned long long)corrupt, (unsigned long long)send_errors, seconds, cpu / seconds, percentile(0.5), percentile(0.99), percentile(1));
  return 0;
}
