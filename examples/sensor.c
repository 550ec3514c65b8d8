/*
 * sensor.c - publish readings in a board from C, or read them
 *
 *   mmapw --schema load:f64,unit:str8 /run/sensor load=0 unit=load
 *   mmapr --emit-c=sensor /run/sensor >sensor.h
 *   cc -O2 -I. -o sensor sensor.c
 *   ./sensor /run/sensor 0.5      publish 0.5
 *   ./sensor /run/sensor          print the latest reading
 *
 * Nothing of ipcbox is linked: sensor.h holds all that a reader or a writer needs.
 *
 * SPDX-License-Identifier: 0BSD
 */
#include "sensor.h"
#include <stdio.h>

int main(int argc, char **argv)
{
	struct sensor board;
	struct sensor_record reading = { .unit = "load" };

	if (argc < 2 || sensor_open(&board, argv[1], argc > 2)) {
		perror(argc < 2 ? "usage: sensor BOARD [VALUE]" : argv[1]);
		return 1;
	}
	if (argc > 2) {
		reading.load = strtod(argv[2], NULL);
		sensor_write(&board, &reading);
	} else {
		if (sensor_read(&board, &reading) != 1)
			return 3; /* Nothing is published yet. */
		printf("%g %s\n", reading.load, reading.unit);
	}
	sensor_close(&board);
	return 0;
}
