/*
 * Makes the object argv[1] by code that it wrote into memory itself, as a just-in-time compiler does, and where the stack
 * therefore has no module; with an argv[2] by a call of its own.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int opening(const char *name, int flags, mode_t mode);

#if defined(__x86_64__)
/* push %rbp; xor %ebp, %ebp, which ends the stack here; nop; mov $call, %rax */
static const unsigned char before[] = {0x55, 0x31, 0xed, 0x90, 0x48, 0xb8};
/* call *%rax; pop %rbp; ret */
static const unsigned char after[] = {0xff, 0xd0, 0x5d, 0xc3};

static opening *generate(opening *call)
{
	unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (code == MAP_FAILED)
		return call;
	memcpy(code, before, sizeof(before));
	memcpy(code + sizeof(before), &call, sizeof(call));
	memcpy(code + sizeof(before) + sizeof(call), after, sizeof(after));
	return (opening *)code;
}
#else
static opening *generate(opening *call)
{
	return call;
}
#endif

int main(int argc, char **argv)
{
	opening *call = (opening *)shm_open;
	int fd;

	if (argc < 2)
		return 2;
	if (argc == 2)
		call = generate(call);
	fd = call(argv[1], O_CREAT | O_RDWR, 0666);
	return fd < 0 || ftruncate(fd, 4096);
}
