/*
 * wait.h - what the other files of both ends need of wait.c
 *
 * SPDX-License-Identifier: 0BSD
 */
/* Blocks the signals that only fifo_poll lets in. At its end the program ends the child of f, and
 * reports the counts of f (--stats). */
void fifo_catch_signals(struct fifo *f);
/* At its end the program removes the name base in dir, if that name still means the file st. Until
 * then dir must stay open, and base must stay valid. */
void fifo_remove_at_end(int dir, const char *base, const struct stat *st);
