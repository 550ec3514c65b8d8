/*
 * meter.h - what bench.c, which runs the measurements, and meter.c share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef METER_H
#define METER_H

struct meter {
	struct figures *figures;
	int64_t slice_ns;
	int cpu[2];		/* holds the processors of the two sides; -1: there is none */
	int peer_cpu;		/* is where bench_peer() pins its child; -1: nowhere */
};
/* The measuring process calls this first. All functions of meter.c use this meter. */
void bench_meter_use(struct meter *meter);

#endif
