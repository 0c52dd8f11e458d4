/* Not to be executed; or meant to be, and said so. */
#include "rule.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

int main(void)
{
	must(memfd_create("buffer", MFD_CLOEXEC | MFD_NOEXEC_SEAL) >= 0, "MFD_NOEXEC_SEAL");
	must(memfd_create("program", MFD_CLOEXEC | MFD_EXEC) >= 0, "MFD_EXEC");
	return 0;
}
