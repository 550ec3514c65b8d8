/*
 * meter.h - what runs the measurements and what measures share
 *
 * SPDX-License-Identifier: 0BSD
 */
#ifndef METER_H
#define METER_H

struct meter {
	struct figures *figures;
	int64_t slice_ns;
	int cpu[2];		/* the first two that we may use; -1: there is none */
	int peer_cpu;		/* of the next bench_peer; -1: any */
};
/* From now on this process measures with it. */
void meter_use(struct meter *meter);

#endif
