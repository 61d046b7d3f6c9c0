/* The asking side of side_by_side.py: so many connections with so many requests under way on each, for so long.
 *
 * usage: modbus_load PORT CONNECTIONS DEPTH ADDRESS COUNT SECONDS
 * Every answer must bear the number of the request that is next in turn; prints one JSON object. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, DEEPEST = 64, SILENCE_MS = 1000, HEAD = 9, REQUEST = 12 };
static const long MOST_SAMPLES = 4000000;

typedef struct {
    int socket;
    uint16_t next_sent, next_due;
    int under_way, filled;
    double sent_at[DEEPEST];
    unsigned char data[HEAD + 250];
} Connection;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void ask(Connection *c, int requests, int depth, int address, int count)
{
    unsigned char block[REQUEST * DEEPEST];
    double at = now();

    for (int k = 0; k < requests; k++) {
        unsigned char *r = block + REQUEST * k;
        uint16_t number = c->next_sent++;
        unsigned char head[REQUEST] = {number >> 8, number & 255, 0, 0, 0, 6, 1, 3,
                                       address >> 8, address & 255, count >> 8, count & 255};
        memcpy(r, head, REQUEST);
        c->sent_at[number % depth] = at;
        c->under_way++;
    }
    if (write(c->socket, block, REQUEST * requests) != REQUEST * requests) {
        perror("write");
        exit(1);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int words, char **word)
{
    if (words != 7)
        return 2;
    int port = atoi(word[1]), connections = atoi(word[2]), depth = atoi(word[3]);
    int address = atoi(word[4]), count = atoi(word[5]), whole = HEAD + 2 * count;
    static Connection all[MOST];
    static struct pollfd polls[MOST];
    double *samples = malloc(MOST_SAMPLES * sizeof *samples);
    long answered = 0, wrong = 0, lost = 0;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};

    if (connections > MOST || depth > DEEPEST || count > 125 || samples == NULL)
        return 2;
    for (int k = 0; k < connections; k++) {
        int one = 1;
        all[k].socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[k].socket, (struct sockaddr *)&there, sizeof there)) {
            perror("connect");
            return 1;
        }
        setsockopt(all[k].socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        polls[k] = (struct pollfd){.fd = all[k].socket, .events = POLLIN};
    }
    double begun = now(), end = begun + atof(word[6]), last = begun;
    for (int k = 0; k < connections; k++)
        ask(&all[k], depth, depth, address, count);
    for (;;) {
        if (poll(polls, connections, SILENCE_MS) <= 0)
            break; /* nobody answers any more: what is under way is lost */
        double at = now();
        int busy = 0;
        last = at;
        for (int k = 0; k < connections; k++) {
            Connection *c = &all[k];
            int fresh = 0;
            while (polls[k].revents & POLLIN) {
                ssize_t came = read(c->socket, c->data + c->filled, whole - c->filled);
                if (came <= 0)
                    return 1;
                c->filled += came;
                if (c->filled < whole)
                    break;
                c->filled = 0;
                uint16_t number = c->data[0] << 8 | c->data[1];
                uint16_t skipped = number - c->next_due;
                if (skipped >= c->under_way || c->data[7] != 3) {
                    wrong++;
                    continue;
                }
                lost += skipped; /* a server that answers only the last of a pipeline */
                if (answered < MOST_SAMPLES)
                    samples[answered] = at - c->sent_at[number % depth];
                c->next_due = number + 1;
                c->under_way -= skipped + 1;
                answered++;
                fresh += skipped + 1;
                struct pollfd more = {.fd = c->socket, .events = POLLIN};
                if (poll(&more, 1, 0) <= 0)
                    break;
            }
            if (fresh && at < end)
                ask(c, fresh, depth, address, count);
            busy += c->under_way;
        }
        if (at >= end && !busy)
            break;
    }
    for (int k = 0; k < connections; k++)
        lost += all[k].under_way;
    long kept = answered < MOST_SAMPLES ? answered : MOST_SAMPLES;
    qsort(samples, kept, sizeof *samples, by_size);
    printf("{\"answered\": %ld, \"lost\": %ld, \"wrong\": %ld, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           answered, lost, wrong, last - begun, kept ? samples[kept / 2] * 1e6 : 0, kept ? samples[kept * 99 / 100] * 1e6 : 0);
    return 0;
}
