/*
 * wait.h - what fifo.c needs of wait.c
 *
 * SPDX-License-Identifier: 0BSD
 */
void fifo_catch_signals(struct fifo *f);
/* Called after making the FIFO f->path. The end of the program removes the FIFO. */
void fifo_remove_at_end(struct fifo *f);
