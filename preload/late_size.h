/*
 * The size of an object that was mapped past its end, looked at once more before that mapping goes: a write may have made it
 * long enough, and no call tells that. Within a visit that interrupts no other.
 */
#ifndef SHMGUARD_LATE_SIZE_H
#define SHMGUARD_LATE_SIZE_H

#include <stdint.h>

/* An object has got MARK_PAST_END. */
void late_size_expect(void);

/* The range is about to be unmapped, or all is, as the process ends. */
void late_size_tell(uint64_t start, uint64_t length);

#endif
