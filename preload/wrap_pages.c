/* What is done with pages that are mapped: they are protected, locked, or the kernel is advised about them. */
#include "preload/enforce_size.h"
#include "preload/fault_site.h"
#include "preload/ledger.h"
#include "preload/observe.h"
#include "preload/page.h"
#include "preload/real.h"
#include "preload/standstill.h"
#include "preload/wrap.h"

static bool protecting_denied(const void *addr, size_t length, int prot, const void *caller)
{
	struct fault_site site;

	/* mprotect(2) refuses an unaligned address. */
	if (!enforce_on || own_caller(caller) || !ledger_may_map(addr, length) ||
	    (uint64_t)(uintptr_t)addr != page_round((uint64_t)(uintptr_t)addr))
		return false;
	fault_site_at(&site, (uint64_t)(uintptr_t)addr);
	return site.found &&
	       enforce_mprotect(&site, (uint64_t)(uintptr_t)addr, page_round(length), prot, caller) == VERDICT_deny;
}

static int protected(const void *addr, size_t length, int prot, int result, const void *caller)
{
	struct visit visit;

	if (ledger_may_map(addr, length) && observe_enter(&visit, caller)) {
		RECORD(&visit, mprotect, NULL, .addr = (uint64_t)(uintptr_t)addr, .length = length,
		       .prot = (uint8_t)(prot & 7), .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

EXPORT int mprotect(void *addr, size_t length, int prot)
{
	bool denied = protecting_denied(addr, length, prot, CALLER);
	int result = denied ? -1 : STANDING_STILL(ledger_may_map(addr, length), REAL(mprotect)(addr, length, prot));
	return protected(addr, length, prot, result, CALLER);
}

EXPORT int pkey_mprotect(void *addr, size_t length, int prot, int key)
{
	bool denied = protecting_denied(addr, length, prot, CALLER);
	int result =
		denied ? -1
		       : STANDING_STILL(ledger_may_map(addr, length), REAL(pkey_mprotect)(addr, length, prot, key));
	return protected(addr, length, prot, result, CALLER);
}

/* MADV_REMOVE takes data away, but the kernel is asked first: what it frees cannot be taken by another meanwhile. */
EXPORT int madvise(void *addr, size_t length, int advice)
{
	struct visit visit;
	struct fault_site site;
	int result = REAL(madvise)(addr, length, advice);

	if (advice == MADV_REMOVE && result == 0 && wrap_policed_object(addr, length, &site, CALLER))
		enforce_removed((uint64_t)(uintptr_t)addr, length, &site.identity, CALLER);
	if (ledger_may_map(addr, length) && observe_enter(&visit, CALLER)) {
		RECORD(&visit, madvise, NULL, .addr = (uint64_t)(uintptr_t)addr, .length = length,
		       .advice = (uint32_t)advice, .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

static int locked(enum symbol symbol, const void *addr, size_t length, unsigned flags, int result, const void *caller)
{
	struct visit visit;

	if (ledger_may_map(addr, length) && observe_enter(&visit, caller)) {
		RECORD(&visit, mlock, NULL, .symbol = (uint16_t)symbol, .addr = (uint64_t)(uintptr_t)addr,
		       .length = length, .flags = flags, .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}

static bool locking_denied(const void *addr, size_t length, unsigned flags, const void *caller)
{
	struct fault_site site;

	return wrap_policed_object(addr, length, &site, caller) &&
	       enforce_mlock((uint64_t)(uintptr_t)addr, length, flags, &site.identity, caller) == VERDICT_deny;
}

EXPORT int mlock(const void *addr, size_t length)
{
	int result = locking_denied(addr, length, 0, CALLER) ? -1 : REAL(mlock)(addr, length);
	return locked(SYMBOL_mlock, addr, length, 0, result, CALLER);
}

EXPORT int mlock2(const void *addr, size_t length, unsigned flags)
{
	int result = locking_denied(addr, length, flags, CALLER) ? -1 : REAL(mlock2)(addr, length, flags);
	return locked(SYMBOL_mlock2, addr, length, flags, result, CALLER);
}

EXPORT int munlock(const void *addr, size_t length)
{
	return locked(SYMBOL_munlock, addr, length, 0, REAL(munlock)(addr, length), CALLER);
}

/* Concerns every mapping there is, so it is told only where some are of objects. */
EXPORT int mlockall(int flags)
{
	struct visit visit;
	int result = REAL(mlockall)(flags);

	if (ledger_may_map(NULL, SIZE_MAX) && observe_enter(&visit, CALLER)) {
		RECORD(&visit, mlock, NULL, .symbol = SYMBOL_mlockall, .flags = (uint32_t)flags,
		       .error = observe_error(&visit, result < 0));
		observe_leave(&visit);
	}
	return result;
}
