/*
 * epoll.h - calls of epoll with expected results
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef EPOLL_H
#define EPOLL_H

#include <sys/epoll.h>

int t_epoll_instance(void);	/* a new one, or the case is skipped */
long t_epoll_control(int ep, int op, int fd, unsigned events);	/* 0 or -errno */
void t_epoll_control_gives(int ep, int op, int fd, unsigned events, long expected);
void t_epoll_watch(int ep, int fd, unsigned events);
int t_epoll_with(int fd, unsigned events);	/* a new one that watches fd */
/* What is reported now: the events of the one descriptor, or 0. */
void t_epoll_reports(int ep, unsigned events);
long t_epoll_wait_in(long ep);	/* blocks; the events of one descriptor, or -errno */

#endif
