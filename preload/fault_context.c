#include "preload/fault_context.h"

#include <signal.h>

uint64_t fault_context_instruction(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#else
	return context->uc_mcontext.pc;
#endif
}

uintptr_t fault_context_stack(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#else
	return (uintptr_t)context->uc_mcontext.sp;
#endif
}

#if defined(__x86_64__)
enum access fault_context_access(const ucontext_t *context)
{
	enum { PAGE_FAULT = 14, ERROR_WRITE = 2 };

	if (context->uc_mcontext.gregs[REG_TRAPNO] != PAGE_FAULT)
		return ACCESS_unknown;
	return context->uc_mcontext.gregs[REG_ERR] & ERROR_WRITE ? ACCESS_write : ACCESS_read;
}
#elif defined(__aarch64__)
enum access fault_context_access(const ucontext_t *context)
{
	enum { DATA_ABORT = 0x24, CLASS_SHIFT = 26, WRITE_NOT_READ = 1 << 6 };
	const unsigned char *record = context->uc_mcontext.__reserved;

	for (const struct _aarch64_ctx *head = (const void *)record; head->magic; head = (const void *)record) {
		uint64_t esr = ((const struct esr_context *)head)->esr;
		if (head->magic == ESR_MAGIC)
			return esr >> CLASS_SHIFT != DATA_ABORT ? ACCESS_unknown
			       : esr & WRITE_NOT_READ ? ACCESS_write
						      : ACCESS_read;
		record += head->size;
	}
	return ACCESS_unknown;
}
#endif
