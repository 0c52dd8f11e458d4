# What of a report the canned traces pin down: the rest is for tests/report.bats.
{
	trace: (.trace | {events, lost, complete}),
	processes: [.processes[] | {id, parent, exe, started_by, ended, status, signal}],
	unseen,
	objects: [.objects[] | {id, names, kind, size, created_by, unlinked_by, leaked}],
	findings: [.findings[] | {rule, severity, count, bytes, uncertain, fingerprint, message, object, process,
		stacks: [.stacks[] | {role, process, frames: (.frames | length)}]}]
}
