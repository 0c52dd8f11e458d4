/* The environment variables by which `shmguard run` reaches the preload; restored by it when a program execs without them. */
#ifndef SHMGUARD_ENVIRONMENT_H
#define SHMGUARD_ENVIRONMENT_H

/* Eight hexadecimal digits, not zero: a recording is wanted, and this is its id. */
#define ENVIRONMENT_RECORDING "SHMGUARD_RECORDING"
/* Absolute path of the file that notes (notes.h) are appended to. */
#define ENVIRONMENT_NOTES "SHMGUARD_NOTES"
/* Name, without the leading NUL, of the abstract datagram socket that takes a note where the file is out of reach. */
#define ENVIRONMENT_NOTES_SOCKET "SHMGUARD_NOTES_SOCKET"
/* "survive": a fault past the end of an object, or on a full tmpfs, gets a zero page and the program goes on. */
#define ENVIRONMENT_ON_SIGBUS "SHMGUARD_ON_SIGBUS"

/* "observe", "safe" or "strict": the policy that applies first. */
#define ENVIRONMENT_PROFILE "SHMGUARD_PROFILE"
/* Absolute path of a policy file, applied after the profile. */
#define ENVIRONMENT_POLICY "SHMGUARD_POLICY"

/* What decides which policy is in force: where one of them is set at the start, a child gets no other one either. */
#define ENVIRONMENT_ENFORCED(X)                                                                                        \
	X(ENVIRONMENT_PROFILE)                                                                                         \
	X(ENVIRONMENT_POLICY)

/* All that a program's children need, LTTng's own among them. LD_PRELOAD is merged, the others are replaced. */
#define ENVIRONMENT_CARRIED(X)                                                                                         \
	ENVIRONMENT_ENFORCED(X)                                                                                        \
	X(ENVIRONMENT_RECORDING)                                                                                       \
	X(ENVIRONMENT_NOTES)                                                                                           \
	X(ENVIRONMENT_NOTES_SOCKET)                                                                                    \
	X(ENVIRONMENT_ON_SIGBUS)                                                                                       \
	X("LTTNG_HOME")                                                                                                \
	X("LTTNG_UST_REGISTER_TIMEOUT")                                                                                \
	X("LTTNG_UST_WITHOUT_BADDR_STATEDUMP")

/* What a recorded process maps of LTTng's buffers, at most: 16 sub-buffers of 4 MiB for calls, 4 of 1 MiB for states. */
#define BUFFERS_PER_PROCESSOR (UINT64_C(68) << 20)

#define LIBRARY_PRELOAD "libshmguard.so"
#define LIBRARY_TRACEPOINTS "libshmguard-tracepoints.so"

#endif
