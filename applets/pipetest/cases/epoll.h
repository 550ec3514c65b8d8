/*
 * epoll.h - makes calls of epoll with expected results
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef EPOLL_H
#define EPOLL_H

#include <sys/epoll.h>

int t_epoll_instance(void);	/* returns a new instance, or skips the case */
long t_epoll_control(int ep, int op, int fd, unsigned events);	/* returns 0 or -errno */
void t_epoll_control_gives(int ep, int op, int fd, unsigned events, long expected);
void t_epoll_watch(int ep, int fd, unsigned events);
int t_epoll_with(int fd, unsigned events);	/* returns a new instance, which watches fd */
/* Expects that epoll_wait reports these events of one descriptor now, or nothing if events is 0. */
void t_epoll_reports(int ep, unsigned events);
long t_epoll_wait_in(long ep);	/* blocks, and returns the events of one descriptor, or -errno */

#endif
