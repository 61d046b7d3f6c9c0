/* The peer: a Modbus TCP server of fixed registers on libmodbus, one thread, select(), as its users write it.
 * Built and started by ../side_by_side.py as a program of its own; nothing of it is part of the package. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REGISTERS = 4000, BACKLOG = 64 };

static int answer_one(modbus_t *context, modbus_mapping_t *registers)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int length = modbus_receive(context, query);

    return length > 0 ? modbus_reply(context, query, length, registers) : length;
}

int main(int count, char **words)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", count > 1 ? atoi(words[1]) : 1502);
    modbus_mapping_t *registers = modbus_mapping_new(0, 0, REGISTERS, 0);
    int door = modbus_tcp_listen(context, BACKLOG);
    int highest = door;
    fd_set open;

    if (door < 0 || registers == NULL) {
        perror("libmodbus_server");
        return 1;
    }
    FD_ZERO(&open);
    FD_SET(door, &open);
    for (;;) {
        fd_set ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0)
            return 1;
        for (int caller = 0; caller <= highest; caller++) {
            if (!FD_ISSET(caller, &ready))
                continue;
            if (caller == door) {
                int fresh = modbus_tcp_accept(context, &door);
                if (fresh >= 0) {
                    FD_SET(fresh, &open);
                    highest = fresh > highest ? fresh : highest;
                }
                continue;
            }
            modbus_set_socket(context, caller);
            if (answer_one(context, registers) < 0 && errno != EAGAIN) {
                close(caller);
                FD_CLR(caller, &open);
            }
        }
    }
}
