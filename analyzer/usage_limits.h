/* What is much memory, and much use of it, for huge-page-advice: `run` looks for it, and the report judges it. */
#ifndef SHMGUARD_USAGE_LIMITS_H
#define SHMGUARD_USAGE_LIMITS_H

/* Bytes. A second-level TLB of 1,536 to 2,048 entries reaches over 6 to 8 MiB of small pages. */
#define USAGE_HUGE_MIN (16u << 20)
#define USAGE_HUGE_PAGE (2u << 20)
/* Nanoseconds from the first look to the last; the first two are a second apart, give or take what they last. */
#define USAGE_LONG 900000000
/* The process computed for at least this part of that time. */
#define USAGE_CPU_SHARE 5

#endif
