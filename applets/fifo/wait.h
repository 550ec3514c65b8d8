/*
 * wait.h - what fifo.c needs of wait.c
 *
 * SPDX-License-Identifier: 0BSD
 */
void fifo_catch_signals(struct fifo *f);
/* We made the FIFO f->path: the end of the program removes it. */
void fifo_remove_at_end(struct fifo *f);
