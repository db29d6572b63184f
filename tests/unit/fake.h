/* tests/unit/fake.h - a server of tests/fake as a child of a unit test: index.py, or conda_server.py. FAKE_SERVER (the script) and FAKE_PYTHON
 * come from meson. */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake {
        pid_t pid;
        int in; /* closing it ends the server */
        unsigned port;
};

extern char **environ;

/* more: further arguments, NULL-terminated, at most 24. */
static inline int fake_start(struct fake *f, const char *const *more)
{
        char *argv[32] = { (char *)FAKE_PYTHON, (char *)FAKE_SERVER };
        posix_spawn_file_actions_t fa;
        int in[2], out[2], r, n = 2;
        FILE *from;

        while (more && more[n - 2] && n < 30) {
                argv[n] = (char *)more[n - 2];
                n++;
        }
        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                return -1;
        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_adddup2(&fa, in[0], 0);
        posix_spawn_file_actions_adddup2(&fa, out[1], 1);
        r = posix_spawn(&f->pid, argv[0], &fa, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&fa);
        close(in[0]);
        close(out[1]);
        f->in = in[1];
        if (r || !(from = fdopen(out[0], "r")))
                return -1;
        r = fscanf(from, "%u", &f->port) == 1 ? 0 : -1;
        fclose(from);
        return r;
}

/* Replace the server's settings: "ranges=off&corrupt=/files/"; NULL clears them. */
static inline int fake_set(const struct fake *f, const char *settings)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)f->port) };
        char text[512];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), n;
        ssize_t got;

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        n = snprintf(text, sizeof(text), "GET /_set?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                     settings ? settings : "");
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || write(fd, text, (size_t)n) != n) {
                close(fd);
                return -1;
        }
        while ((got = read(fd, text, sizeof(text))) > 0)
                ;
        close(fd);
        return got < 0 ? -1 : 0;
}

static inline void fake_stop(struct fake *f)
{
        close(f->in);
        waitpid(f->pid, NULL, 0);
}

#endif
