/*
 * The kernel's own word on whether anybody uses an object: a write lease (fcntl(2), F_SETLEASE) is granted only while the
 * descriptor that it is asked for is the only one there is, and no mapping stems from another, in whatever process, of
 * whatever user or namespace. Not of a memfd, whose first descriptor the kernel does not count.
 */
#ifndef SHMGUARD_LEASE_H
#define SHMGUARD_LEASE_H

enum lease {
	LEASE_granted, /* nobody else has it; given back at once */
	LEASE_refused, /* somebody has, perhaps this process itself */
	LEASE_unknown, /* it may not be asked for: another's object, a kernel without leases */
};

/*
 * Whoever opens the object in that moment waits for its end, and with O_NONBLOCK gets EWOULDBLOCK. For a descriptor of O_PATH,
 * which is none to the kernel here, another is opened.
 */
enum lease lease_ask(int fd);

#endif
