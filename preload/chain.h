/*
 * Stacks that are known by the words on which they rest. A loop calls from the same place on the stack again and again;
 * where libunwind goes from there is decided by return addresses and saved frame pointers, and while each of these is what
 * it was when the stack was walked, so is the stack, and its id. Words are compared from the innermost outwards and no
 * further than they agree, so that none is read that libunwind would not read. For x86-64; elsewhere none is ever known.
 *
 * A frame is that of the function of ours that the program called: its caller's frame pointer, and the return address.
 */
#ifndef SHMGUARD_CHAIN_H
#define SHMGUARD_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

/* Of a function at a call: where it goes on, and its stack and frame pointers there. */
struct chain_registers {
	uintptr_t ip, sp, fp;
};

/*
 * The same of its caller; false at the last one. *saved: where on the stack the caller's frame pointer lies, 0: it still is
 * in the register. Supplied by whoever links this: it may read what lies within 16 bytes below what it is given.
 */
bool chain_step(const struct chain_registers *at, struct chain_registers *caller, uintptr_t *saved);

/* Id of the stack above the frame; 0: it has to be walked. Takes no lock. */
uint32_t chain_find(const uintptr_t *frame);

/*
 * It was walked: `count` return addresses, as stack_walk() gives them, have that id. Of one that is walked again and again
 * the words are found out, which costs as much as a hundred walks.
 */
void chain_walked(const uintptr_t *frame, const uint64_t *frames, uint32_t count, uint32_t id);

/* Modules came or went: no stack is a known one. */
void chain_forget(void);

#endif
