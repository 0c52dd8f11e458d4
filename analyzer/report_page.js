
/* What the report's page says, and how it is searched. */
const data = JSON.parse(document.getElementById("data").textContent), report = data.report;
const rank = {
	note: 0,
	warning: 1,
	error: 2
},
      at = id => document.getElementById(id);
const processes = new Map(report.processes.map(p => [p.id, p])), objects = new Map(report.objects.map(o => [o.id, o]));
const aside = new Set(data.aside), asked = report.processes.filter(p => !aside.has(p.id));
const base = path => path ? path.replace(/.*\/(?=.)/, "") : "unknown program";
const isSized = object => !object.unknown && object.size_known !== false;
const nameOf = object => !object || !object.names.length ? "(no name)"
				 : data.called[object.id] || object.names[object.names.length - 1];
/* Of one that the page leaves out the id tells the pid. */
const who = id => processes.has(id) ? processes.get(id).pid + " " + base(processes.get(id).exe)
		  : id              ? id.replace(/\..*/, "")
				    : "-";
const number = n => n.toLocaleString("en-US");
const plural = (n, what) => number(n) + " " + what + (n === 1 ? "" : what.endsWith("s") ? "es" : "s");

function bytes(n)
{
	let unit = -1;
	for (; n >= 1024 && unit < 5; unit++)
		n /= 1024;
	return unit < 0 ? n + " B"
			: (n < 10 ? +n.toFixed(1) : Math.round(n)) + " " +
				  ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit];
}

const time = ns => ns === null ? "-"
		   : ns === 0  ? "0"
		   : ns < 1e6  ? (ns / 1e3).toFixed(1) + " us"
		   : ns < 1e9  ? (ns / 1e6).toFixed(1) + " ms"
			       : (ns / 1e9).toFixed(3) + " s";

/*
 * Control characters, and those that hide or turn round what is read, as the terminal's report shows them; and the
 * backslash, with which that begins. Before a byte that is of no character the data have it so already.
 */
const unseen =
	/(\\+(?=x[89a-f][\da-f]))|[\\\0-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}\p{NChar}]/gu;
const visible = text => text.replace(unseen, (c, byte) => byte          ? byte
							  : c === "\n" ? "\\n"
							  : c === "\t" ? "\\t"
							  : c === "\\" ? "\\\\"
							  : /[\0-\x1f\x7f]/.test(c)
								  ? "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0")
								  : "\\u{" + c.codePointAt(0).toString(16) + "}");

function make(tag, attributes, ...children)
{
	const drawing = ["svg", "rect", "text", "line", "g", "title", "circle", "path"].includes(tag);
	const element =
		drawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	for (const [key, value] of Object.entries(attributes || {}))
		element.setAttribute(key, value);
	element.append(...children.filter(child => child !== null)
			       .map(child => typeof child === "string" ? visible(child) : child));
	return element;
}

function ended(process)
{
	return process.ended === "signal"    ? "killed by " + (process.signal_name || "signal " + process.signal)
	       : process.ended === "exit"    ? "exited with status " + process.status
	       : process.ended === "exec"    ? "went on as another program"
	       : process.ended === "running" ? "still running"
					     : "end not seen";
}

/* Stacks. */
const isPlumbing = frame =>
	/^(libshmguard|libc\.so|librt\.so|libpthread|ld-linux|linux-vdso|libstdc\+\+|libgcc_s)/.test(
		base(frame.module || ""));

/* The last three parts of a path; that there are more is seen. */
const shortened = path => path.split("/").length > 4 ? "\u2026/" + path.split("/").slice(-3).join("/") : path;

function drawStack(stack)
{
	const list = make("ol", {class: "stack"});
	for (const frame of stack.frames) {
		const place = frame.file
				      ? shortened(frame.file) + (frame.line ? ":" + frame.line : "")
			      : frame.module ? base(frame.module) + "+0x" + frame.offset.toString(16)
					     : "0x" + frame.offset.toString(16);
		list.append(make("li", {class: isPlumbing(frame) ? "plumbing" : "own"},
				 frame.function ? frame.function + " (" + place + ")" : place));
	}
	if (stack.cut)
		list.append(make("li", {class: "plumbing"}, "those further out, which are not recorded"));
	return make("div", {}, make("strong", {}, stack.role),
		    " by process " + who(stack.process) + (stack.frames.length ? "" : ": no stack was recorded"), list);
}

function facts(finding)
{
	const object = objects.get(finding.object), process = processes.get(finding.process),
	      recorded = process && process.recording || (finding.recordings || [])[0];
	return make("div", {class: "facts faint mono"},
		    (object ? nameOf(object) + (isSized(object) ? ", " + bytes(object.size) : "") + "; " : "") + "process " +
			    who(finding.process) + (process ? ", " + ended(process) : "") +
			    (recorded ? "; recorded in " + recorded : "") +
			    (finding.time ? "; " + time(finding.time - data.from) + " after the start" : ""));
}

/* What it stands for beside what it tells of, as far as the page has that. */
function othersOf(finding)
{
	const others = data.others[report.findings.indexOf(finding)] || {o: [], p: []};
	return {
		object: others.o.map(number => objects.get("o" + number)).filter(Boolean).map(nameOf),
		process: others.p.filter(id => processes.has(id)).map(who),
		recording: (finding.recordings || []).slice(1)
	};
}

function drawOthers(finding)
{
	const others = othersOf(finding), all = Object.values(others).flat();
	const counts = Object.keys(others).filter(what => others[what].length).map(what => plural(others[what].length, what));
	return all.length ? make("details", {class: "others"},
				 make("summary", {}, "Also of " + new Intl.ListFormat("en-GB").format(counts)),
				 make("div", {class: "mono"}, all.join(", ")))
			  : null;
}

function findingBody(finding)
{
	const rule = data.rules[finding.rule];
	return [
		facts(finding),
		drawOthers(finding),
		make("div", {class: "stacks"}, ...finding.stacks.map(drawStack)),
		make("p", {}, make("strong", {}, "What to do: "), finding.advice + "."),
		make("details", {class: "about", "data-rule": finding.rule}, make("summary", {}, "About " + finding.rule),
		     make("p", {}, rule.help)),
		make("div", {class: "faint mono"}, "fingerprint " + finding.fingerprint)
	].filter(Boolean);
}

const across = ({recordings = []}) =>
	recordings.length > 1 ? " in " + plural(recordings.length, "recording") : "";

function heading(finding)
{
	const numbers = [
		finding.count > 1 ? plural(finding.count, "time") + across(finding) : "", finding.bytes ? bytes(finding.bytes) : "",
		finding.uncertain ? "uncertain" : finding.doubts ? number(finding.doubts) + " of them uncertain" : ""
	].filter(Boolean);
	return [
		make("strong", {class: finding.severity}, finding.severity + ": " + finding.rule),
		numbers.length ? " (" + numbers.join(", ") + ") " : " "
	];
}

/* So many characters of a command are seen before it is unfolded: what was found is to be on the first screen. */
const COMMAND_SEEN = 160;

function drawCommands()
{
	const lines = data.commands.filter(words => words.length).map(words => "$ " + words.join(" "));
	const first = lines.length ? [...lines[0]] : [], more = lines.length > 1 ? plural(lines.length, "command") + ": " : "";
	if (lines.length > 1 || first.length > COMMAND_SEEN)
		at("command").append(make("details", {},
					  make("summary", {}, more + first.slice(0, COMMAND_SEEN).join("") + "\u2026"),
					  ...lines.map(line => make("div", {}, line))));
	else
		at("command").append(...lines.map(visible));
}

/* Of so many findings of a severity, how many events that are missing could have changed. */
const doubt = (all, uncertain) => uncertain ? " (" + (uncertain === all ? "" : number(uncertain) + " ") + "uncertain)" : "";

function drawTop()
{
	const count = data.counts, findings = report.findings, worst = findings[0];
	const parts = ["error", "warning", "note"]
			      .filter(s => count[s])
			      .map(s => plural(count[s], s) + doubt(count[s], data.uncertain[s]));
	const verdict = parts.join(", ") || data.untold.none;
	const whole = report.trace.complete && !report.unseen.length;
	at("verdict").append(make("span", {class: worst ? worst.severity : whole ? "good" : ""}, verdict),
			     worst || !data.untold.why ? "" : ": " + visible(data.untold.why),
			     report.suppressions.some(s => s.findings) ? " [some was suppressed]" : "",
			     report.filtered ? " [some was not asked for]" : "",
			     report.trace.others || report.trace.complete ? "" : " [the recording is incomplete]",
			     report.unseen.length ? " [" + plural(report.unseen.length, "process") + " not seen]" : "");
	document.title = "shmguard: " + verdict;
	drawCommands();
	at("scope").textContent = plural(data.programs, "process") + ", " + plural(data.objects, "object") + ", " +
				  plural(report.trace.events, "event") + " in " + report.trace.seconds.toFixed(3) + " s" +
				  (data.recordings > 1 ? " from the start of the first of " + number(data.recordings) +
								 " recordings"
						       : "") +
				  "; " +
				  (report.trace.lost_at_least && report.trace.lost ? "at least " : "") +
				  (report.trace.lost ? plural(report.trace.lost, "event")
				   : report.unseen.length || !report.trace.complete ? "of what was seen no event" : "no event") +
				  (report.trace.lost && report.trace.unended ? " lost or not written yet" : " lost");
	if (!worst)
		return;
	const panel = make("div", {class: "panel " + worst.severity}, ...heading(worst), make("p", {}, worst.message),
			   drawArithmetic(worst), ...findingBody(worst));
	at("worst").append(make("h2", {}, findings.length > 1 ? "The worst" : "The finding"), panel);
}

const panels = new Map();

function drawFindings()
{
	for (const finding of report.findings) {
		const panel = make("details", {class: "panel finding " + finding.severity},
				   make("summary", {}, ...heading(finding), finding.message));
		panels.set(panel, finding);
		panel.fill = () => {
			if (panel.open && panel.children.length === 1)
				panel.append(...findingBody(finding));
		};
		panel.addEventListener("toggle", panel.fill);
		at("findings").append(panel);
	}
	if (!report.findings.length)
		at("findings").textContent = "None.";
	at("findings").append(make("div", {id: "none", class: "faint", hidden: ""}, "Nothing matches."));
	const left = Object.values(data.counts).reduce((sum, n) => sum + n, 0) - report.findings.length;
	if (left)
		at("findings").append(make("div", {class: "faint"},
					   plural(left, "finding") + " left out: there are too many. --format=json has all."));
	at("findings").append(...data.untold.lines.map(line => make("div", {class: "faint untold"}, line)));
}

function state(object)
{
	const word = data.states[object.id];
	return word === "unlinked" ? "unlinked by " + who(object.unlinked_by) : word;
}

const textOf = node => node.childNodes.length ? [...node.childNodes].map(textOf).join("\n") : node.textContent;

/* What is shown of the finding itself and of what it stands for; what is said of its rule is the same for all. */
function shownOf(finding)
{
	const parts = [
		make("div", {}, ...heading(finding), finding.message), facts(finding), ...finding.stacks.map(drawStack),
		...Object.values(othersOf(finding)).flat().map(name => make("div", {}, name))
	];
	return parts.map(textOf).join("\n").toLowerCase();
}

function search()
{
	const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean), level = rank[at("level").value];
	const matches = (text, whole) => words.every(word => text.includes(word) || word === whole);
	let shown = 0;
	for (const [panel, finding] of panels) {
		panel.text = panel.text || shownOf(finding);
		/* In a part of a fingerprint, which is a number, nobody looks for a pid. */
		panel.hidden = rank[finding.severity] < level || !matches(panel.text, finding.fingerprint);
		shown += !panel.hidden;
	}
	at("none").hidden = shown > 0 || !panels.size;
	tables.forEach(table => table(matches));
}

function step(by)
{
	const all = [...document.querySelectorAll(".finding:not([hidden])")],
	      now = all.indexOf(document.activeElement.closest(".finding"));
	const next = all[Math.max(0, Math.min(all.length - 1, now + by))];
	if (!next)
		return;
	next.open = true;
	next.firstElementChild.focus();
	next.scrollIntoView({block: "center"});
}

drawTop();
drawFindings();
drawTimeline();
drawFlame();
/* Of several recordings, which: pids and names may be in more than one. */
const several = (title, where) => asked.some(p => p.recording) ? [[title, where]] : [];
drawTable("objects", "object",
	  [
		  ["Name", nameOf], ["Kind", o => o.semaphore ? "semaphore" : o.kind || "-", null, "word"],
		  ["Size", o => o.size, o => isSized(o) ? bytes(o.size) : "-", "number"],
		  ["Mode", o => o.mode, o => o.mode === null ? "-" : (o.mode & 0o7777).toString(8).padStart(4, "0"), "word"],
		  ["Mapped", o => o.maps, o => number(o.maps), "number"], ["Created by", o => who(o.created_by)],
		  ["State", state, null, "state"],
		  ...several("Recorded in", o => o.recordings.join(", ") + (o.more_recordings ? " and others" : "") || "-")
	  ],
	  report.objects);
drawTable("processes", "process",
	  [
		  ["Pid", p => p.pid, p => p.pid, "number"], ["Program", p => p.argv.join(" ") || p.exe || ""],
		  ["Parent", p => p.ppid, p => p.ppid, "number"],
		  ["Events", p => p.events, p => number(p.events), "number"],
		  ["Lost", p => p.lost, p => number(p.lost), "number"], ["End", ended, null, "word"],
		  ...several("Recorded in", p => p.recording || "-")
	  ],
	  asked);
if (data.processes_left_out)
	at("processes").append(make("div", {class: "faint"},
				    "This page leaves out " + plural(data.processes_left_out, "more process") +
					    ": --format=json has all of them."));
drawTable("unseen", "line", [["What", u => u.what]],
	  report.unseen.map(u => ({what: "process " + u.pid + ", " + u.exe + ": " + u.reason}))
		  .concat((report.appeared || []).map(a => ({
			what: a.name + " (" + bytes(a.size) + ", uid " + a.uid + ") came into /dev/shm meanwhile, and no call " +
			      "that was seen made it: another program did, or one went past the library"
		  })))
		  .concat((report.trace.problems || []).map(p => ({what: p}))));
at("search").addEventListener("input", search);
at("level").addEventListener("change", search);
at("weight").addEventListener("change", () => drawFlame());

/* On paper nothing can be unfolded; what is said of a rule stands there once. */
let unfolded = [];
window.addEventListener("beforeprint", () => {
	const told = new Set(), unfold = folded => {
		if (!folded.open)
			unfolded.push(folded);
		folded.open = true;
	};
	for (const panel of panels.keys())
		if (!panel.hidden) {
			unfold(panel);
			panel.fill();
		}
	for (const folded of document.querySelectorAll("#command details, details.others"))
		unfold(folded);
	for (const about of document.querySelectorAll("details.about"))
		if (!told.has(about.dataset.rule)) {
			unfold(about);
			told.add(about.dataset.rule);
		}
});
window.addEventListener("afterprint", () => {
	unfolded.forEach(details => { details.open = false; });
	unfolded = [];
});
document.addEventListener("keydown", event => {
	if (event.key === "Escape" && event.target === at("search")) {
		event.preventDefault();
		at("search").value = "";
		search();
		at("search").blur();
	}
	if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName))
		return;
	if (event.key === "/") {
		event.preventDefault();
		at("search").focus();
	} else if (event.key === "j" || event.key === "k") {
		step(event.key === "j" ? 1 : -1);
	} else if (event.key === "Enter" && event.target.closest(".flame")) {
		event.target.click();
	}
});
document.body.dataset.drawn = "yes";
/* Until it is painted: what takes long on a large page comes behind its script. */
requestAnimationFrame(() => setTimeout(() => {
	document.body.dataset.milliseconds = Math.round(performance.now());
}));
