/*
 * latch.pml - the board's latch under weak memory, for spin
 *
 * SPDX-License-Identifier: 0BSD
 *
 * What C11 promises of the latch, as a machine: the writer's relaxed stores to a slot reach
 * memory one by one, in any order, before or after its store to seq, except as the fences
 * say. The release fence keeps the former store to seq before the stores to the slot; the
 * release store keeps these before the next seq. The reader's loads of the words happen in
 * any order, behind its acquire load of seq and, for the acquire fence, before its second
 * load of it. A record is WORDS words, all of publication n hold n; a reader that accepts
 * words of two publications is torn. The writer may die between any two steps; another
 * takes over from what memory holds. seq counts modulo WRAP, and begins at START.
 *
 * A writer may also end in order: it stores the state "closed" with release semantics, as
 * mmapw and the PREFIX_close of mmapr --emit-c do, so that whoever sees the state sees the
 * writer's last publication. Closing changes neither seq nor a slot, so it tears nothing.
 *
 * A writer that begins may find the next slot whole, because the former one died between its last
 * word and seq. PREFIX_open of mmapr --emit-c publishes that slot, mmapw writes it anew; the model
 * does either. A CRC tells what is whole; here each word must hold the publication's number.
 *
 * -DFENCE=0 leaves the release fence out, -DLATE=0 lets the reader accept one more
 * publication, -DCLOSE=0 closes with a relaxed store, -DWHOLE=0 publishes what a dead writer left
 * without a look at it: all must fail, or the model proves nothing.
 */
#ifndef NSLOTS
#define NSLOTS 2
#endif
#ifndef FENCE
#define FENCE 1
#endif
#ifndef LATE
#define LATE 1
#endif
#ifndef CLOSE
#define CLOSE 1
#endif
#ifndef WHOLE
#define WHOLE 1
#endif
#ifndef START
#define START 0
#endif
#define WORDS 2
#define WRAP 8   /* a multiple of NSLOTS, as 2^32 is; more than is published during one read */
#define PUBLICATIONS 7

byte seq = 0;
byte slot[NSLOTS * WORDS];  /* the word's publication */
bool idle = true;           /* no writer lives */
byte done = 0;
bool closed = false;        /* the state that a writer stores at its end */
byte published = 0;         /* what the writer that lives has published: no reader sees it */

/* The writer's own view is ahead of memory by what its buffers hold. */
proctype Writer()
{
	byte n, written, base;
	bool seq_pending = false;
	byte pending_seq;

	n = seq;
	published = n;
	closed = false;
	base = ((n + 1) % WRAP % NSLOTS) * WORDS;
	if
	:: !WHOLE || (slot[base] == (n + 1) % WRAP && slot[base + 1] == slot[base]) ->
		n = (n + 1) % WRAP;
		pending_seq = n;
		published = n;
		seq_pending = true
	:: true
	fi;
	do
	:: done < PUBLICATIONS ->
		done++;
		n = (n + 1) % WRAP;
		base = (n % NSLOTS) * WORDS;
		/* release fence: the former seq is in memory before the slot changes */
		if
		:: FENCE && seq_pending -> seq = pending_seq; seq_pending = false
		:: else
		fi;
		written = 0;
		do
		:: !(written & 1) -> slot[base] = n; written = written | 1
		:: !(written & 2) -> slot[base + 1] = n; written = written | 2
		:: seq_pending -> seq = pending_seq; seq_pending = false
		:: written == 3 && !seq_pending -> break
		:: idle = true; goto dead      /* killed here; what is buffered may be lost */
		od;
		/* release store: after the words, but it may stay in the buffer */
		pending_seq = n;
		published = n;
		seq_pending = true
	:: seq_pending -> seq = pending_seq; seq_pending = false
	:: idle = true; goto dead
	/* PREFIX_close: the release store comes behind the store to seq */
	:: !CLOSE || !seq_pending -> closed = true; break
	od;
	if
	:: seq_pending -> seq = pending_seq
	:: else
	fi;
	idle = true;
dead:
	skip
}

proctype Reader()
{
	byte n, m, a, b, base, got;

again:
	atomic {
		assert(!closed || seq == published);
		n = seq
	}
	base = (n % NSLOTS) * WORDS;
	got = 0;
	do
	:: !(got & 1) -> a = slot[base]; got = got | 1
	:: !(got & 2) -> b = slot[base + 1]; got = got | 2
	:: got == 3 -> break
	od;
	m = seq;
	if
	:: (m - n + WRAP) % WRAP >= NSLOTS - LATE -> goto again
	:: else
	fi;
	/* not torn, and what n says: publication 0 is the empty slot */
	assert(a == b && a == n);
}

/* Takes over while any publication is left. */
active proctype Init()
{
	byte lives = 0, n = START, i = 0;

	atomic {
		seq = START;
		do
		:: i < NSLOTS ->
			slot[(n % NSLOTS) * WORDS] = n;
			slot[(n % NSLOTS) * WORDS + 1] = n;
			n = (n + WRAP - 1) % WRAP;
			i++
		:: else -> break
		od;
		run Reader()
	}
	do
	:: idle && lives < 3 -> idle = false; lives++; run Writer()
	:: lives == 3 || done == PUBLICATIONS -> break
	od
}
