/*
 * EXPORT_JUMP(call): exports a wrapper that asks `jump_target target_call(...)`, which gets the arguments, where to go, and
 * goes there with registers and stack as they were: for originals that come back twice, or ask who called them.
 */
#ifndef SHMGUARD_JUMP_H
#define SHMGUARD_JUMP_H

typedef void (*jump_target)(void);

#if defined(__x86_64__)
#define JUMP(symbol)                                                                                                   \
	" pushq %rdi\n pushq %rsi\n pushq %rdx\n pushq %rcx\n pushq %r8\n pushq %r9\n subq "                           \
	"$8, %rsp\n"                                                                                                   \
	" .cfi_adjust_cfa_offset 56\n"                                                                                 \
	"	call target_" symbol "\n"                                                                              \
	" addq $8, %rsp\n popq %r9\n popq %r8\n popq %rcx\n popq %rdx\n popq %rsi\n popq "                             \
	"%rdi\n"                                                                                                       \
	" .cfi_adjust_cfa_offset -56\n"                                                                                \
	" jmp *%rax\n"
#elif defined(__aarch64__)
#define JUMP(symbol)                                                                                                   \
	" stp x29, x30, [sp, #-80]!\n .cfi_adjust_cfa_offset 80\n .cfi_rel_offset x30, 8\n"                            \
	" stp x0, x1, [sp, #16]\n stp x2, x3, [sp, #32]\n stp x4, x5, [sp, #48]\n stp x6, x7, [sp, #64]\n"             \
	"	bl target_" symbol "\n"                                                                                \
	" mov x16, x0\n"                                                                                               \
	" ldp x0, x1, [sp, #16]\n ldp x2, x3, [sp, #32]\n ldp x4, x5, [sp, #48]\n ldp x6, x7, [sp, #64]\n"             \
	" ldp x29, x30, [sp], #80\n .cfi_adjust_cfa_offset -80\n .cfi_restore x30\n"                                   \
	" br x16\n"
#endif

#define EXPORT_JUMP(symbol)                                                                                            \
	__asm__(".pushsection .text\n"                                                                                 \
		".globl " symbol "\n"                                                                                  \
		".type " symbol ", %function\n" symbol ":\n"                                                           \
		"	.cfi_startproc\n" JUMP(symbol) "	.cfi_endproc\n"                                               \
						       ".size " symbol ", . - " symbol "\n"                            \
						       ".popsection\n");

#endif
