/*
 * wait.h - what the other files of both ends need of wait.c
 *
 * SPDX-License-Identifier: 0BSD
 */
void fifo_catch_signals(struct fifo *f);
/* The end of the program removes this name in dir, if it still means the file st. dir and base are
 * kept. */
void fifo_remove_at_end(int dir, const char *base, const struct stat *st);
