"use strict";

/* The drawings of the report's page; report_page.js has what they use. */

/* What a change of the size did, in words. */
function changeText(c)
{
	const by = " by " + who(c.p) + " at " + time(c.t) + (c.told ? " at the latest" : "");
	switch (c.of) {
	case "punched":
		return "[" + number(c.offset) + ", " + number(c.offset + c.length) + ")" + by;
	case "refused":
		return "to " + bytes(c.after) + by;
	case "found":
		return bytes(c.before) + " to " + bytes(c.after) + ", by no call that is recorded; seen" + by;
	default:
		return bytes(c.before) + " to " + bytes(c.after) + by;
	}
}

/* What is drawn of the mappings, without those that are alike: of a moment what was there then, else all that were made. */
function windowsOf(object)
{
	const alike = new Map(),
	      maps = data.windows ? data.windows.all
				  : data.moments.filter(m => m.o === object.id && m.of === "map")
					    .sort((a, b) => b.offset + b.length - a.offset - a.length);
	for (const m of maps) {
		const key = [m.offset, m.length, m.p, m.by, m.size].join();
		alike.has(key) ? alike.get(key).times++ : alike.set(key, Object.assign({times: 1}, m));
	}
	return [...alike.values()];
}

/* The object's size, bytes, by which a window is past the end: of a moment that of then, else the least that it had since. */
function sizeFor(m)
{
	if (!data.windows)
		return Math.min(m.size,
				...data.changes.filter(c => c.of !== "refused" && c.t > m.t).map(c => c.after));
	/* What was found next no call that is recorded did: it may have been so already. */
	const next = data.changes.find(c => c.of !== "refused" && c.t > data.windows.t);
	return next && next.of === "found" ? Math.min(data.windows.size, next.after) : data.windows.size;
}

/* Rows of the drawing, in the order of time; `edge`: from there to `to` a touch is a SIGBUS. */
function arithmeticRows(object)
{
	const changes = data.changes.slice(-6), pages = n => Math.ceil(n / 4096) * 4096;
	const all = windowsOf(object), windows = all.slice(0, 8);
	const least = data.told_left_out && !data.windows ? "at least " : "";
	const rows = changes.map(c => ({
		t: c.t,
		label: c.of,
		from: c.of === "punched" ? c.offset : 0,
		to: c.of === "punched" ? c.offset + c.length : c.after,
		lost: c.of !== "refused" && c.of !== "punched" && c.before > c.after ? c.before : 0,
		kind: c.of === "refused" || c.of === "punched" ? "ghost" : "object",
		text: changeText(c)
	}));
	for (const m of windows) {
		const end = m.offset + m.length, inherited = m.by && m.by !== m.p;
		rows.push({
			t: m.t,
			label: inherited ? "inherited" : "mapped",
			from: m.offset,
			to: end,
			edge: Math.max(m.offset, Math.min(end, pages(sizeFor(m)))),
			kind: "map",
			text: "[" + number(m.offset) + ", " + number(end) + ") by " + who(m.p) +
				      (m.times > 1 ? ", " + least + plural(m.times, "time") + ", first" : "") +
				      (inherited ? ", mapped by " + who(m.by) : "") + " at " + time(m.t) +
				      (m.size < end ? ", size then " + number(m.size) : "")
		});
	}
	rows.sort((a, b) => a.t - b.t);
	const known = object.size_known !== false;
	rows.push({
		label: "at the end",
		from: 0,
		to: known ? object.size : 0,
		kind: "object",
		text: known ? bytes(object.size) + " (" + number(object.size) + " bytes)" : "not known"
	});
	return [rows, all.length - windows.length + (data.windows ? data.windows.more : 0)];
}

/* The object's size against what is mapped of it, and what was done to its size. */
function drawArithmetic(finding)
{
	const object = objects.get(finding.object);
	if (!object)
		return null;
	const [rows, more] = arithmeticRows(object), widest = Math.max(1, ...rows.map(r => Math.max(r.to, r.lost || 0)));
	const grid = make("div", {class: "arithmetic"});
	const bar = (from, to, kind) => make("i", {
		class: kind,
		style: "left: " + from / widest * 100 + "%; width: max(2px, " + (to - from) / widest * 100 + "%)"
	});
	for (const row of rows) {
		const track = make("div", {class: "track"}), edge = row.edge === undefined ? row.to : row.edge;
		if (edge > row.from || row.to === row.from)
			track.append(bar(row.from, edge, row.kind));
		if (row.to > edge)
			track.append(bar(edge, row.to, "past"));
		if (row.lost)
			track.append(bar(row.to, row.lost, "ghost"));
		if (object.size && object.size_known !== false)
			track.append(make("b", {style: "left: " + object.size / widest * 100 + "%"}));
		grid.append(make("div", {class: "faint"}, row.label), track, make("div", {}, row.text));
	}
	return make("div", {},
		    make("div", {class: "faint"},
			 "What was done to the size of " + nameOf(object) + ", and its mappings" +
				 (data.windows ? " at " + time(data.windows.t) + ". Red is past the end as it was then."
					       : ". Red is past the end: when it was mapped, or later.") +
				 (report.trace.let_go ? " What older calls mapped is not known, as they were let go." : "") +
				 (more > 0 ? " " + plural(more, "more mapping") + " not drawn." : "")),
		    grid);
}

/* Time: a row for each process and each object. */
const ROWS = 40, LEFT = 190, WIDTH = 1000;
/* What is drawn, in the order of the legend. */
const colours = {
	start: "var(--good)",
	create: "var(--good)",
	open: "var(--faint)",
	resize: "var(--warning)",
	map: "var(--note)",
	unmap: "var(--faint)",
	unlink: "var(--text)",
	sigbus: "var(--error)",
	end: "var(--faint)"
};
const bars = {
	process: "var(--line)",
	object: "var(--object)",
	"leaked object": "var(--bad)"
};
const KILLED = "\u2715";

/* How many of them are not among those that are drawn: "21 of 61 processes", or "". */
const without = (all, drawn, what) => all > drawn ? number(all - drawn) + " of " + plural(all, what) : "";

/* The length of what was mapped or unmapped; of the object where that is what changed, or was passed. */
function extent(moment)
{
	const length = ["resize", "sigbus"].includes(moment.of) ? moment.size : moment.length || null;
	return length === null ? "" : " " + bytes(length);
}

/* So many of them, as evenly as they can be; the last is one. */
function spread(items, room)
{
	const n = items.length;
	return n <= room ? items : items.filter((_, i) => Math.floor((i + 1) * room / n) > Math.floor(i * room / n));
}

/* As many as there are rows for, in that order; of those that are alike in it, and too many, some of the whole time. */
function foremost(items, order, from)
{
	const left = items.slice().sort((a, b) => order(a, b) || from(a) - from(b)), chosen = [];
	while (left.length && chosen.length < ROWS) {
		const other = left.findIndex(item => order(left[0], item));
		chosen.push(...spread(left.splice(0, other < 0 ? left.length : other), ROWS - chosen.length));
	}
	return chosen;
}

/* The place of what findings tell of, the gravest at the head; what they do not tell of has all the same, behind them. */
function placeOf(tell)
{
	const told = new Map();
	for (const id of report.findings.flatMap(tell))
		told.set(id, told.has(id) ? told.get(id) : told.size);
	return item => told.has(item.id) ? told.get(item.id) : told.size;
}

const actors = () => asked.filter(p => p.traced);

/* After those of findings, who made what has a row, then whoever did something. */
function actorsOf(shown)
{
	const place = placeOf(f => [f.process, ...f.stacks.map(s => s.process)]),
	      makers = new Set(shown.map(o => o.created_by)), doers = new Set(data.moments.map(m => m.p));
	const order = p => [place(p), makers.has(p.id) ? 0 : doers.has(p.id) ? 1 : 2];
	const orders = new Map(asked.map(p => [p, order(p)]));
	const compare = (a, b) => orders.get(a)[0] - orders.get(b)[0] || orders.get(a)[1] - orders.get(b)[1];
	return new Set(foremost(actors(), compare, p => data.times[p.id][0] || 0));
}

/* Of several recordings: in which. */
const recordedIn = process => process && process.recording ? ", recorded in " + process.recording : "";

function drawTimeline()
{
	const end = data.spans.reduce((latest, span) => Math.max(latest, span.until), Math.max(1, data.to - data.from)),
	      x = t => LEFT + Math.max(0, Math.min(1, t / end)) * (WIDTH - LEFT - 10);
	const bounds = new Map(data.spans.map(s => [s.o, s])), place = placeOf(f => [f.object]);
	const there = report.objects.filter(o => bounds.has(o.id));
	const shown = foremost(there,
			       (a, b) => place(a) - place(b) || b.leaked - a.leaked || b.size - a.size,
			       o => bounds.get(o.id).from),
	      users = actorsOf(shown);
	const rows = asked.filter(p => users.has(p))
			     .map(p => {
				     const [from, until] = data.times[p.id];
				     return {
					     label: p.pid + " " + base(p.exe),
					     from: from || 0,
					     until: until === null ? end : until,
					     process: p.id,
					     ended: p.ended,
					     title: ended(p) + recordedIn(p)
				     };
			     })
			     .concat(shown.map(o => ({
						       label: nameOf(o),
						       from: bounds.get(o.id).from,
						       until: bounds.get(o.id).until,
						       object: o.id,
						       leaked: o.leaked,
						       title: bytes(o.size) + (o.leaked ? ", LEAKED" : "") +
							      recordedIn(processes.get(o.created_by))
					       })));
	const svg = make("svg", {
		viewBox: "0 0 " + WIDTH + " " + (rows.length * 20 + 24),
		role: "img",
		"aria-label": "processes and objects over time"
	}),
	      marks = new Map();
	for (const moment of data.moments)
		for (const key of ["p" + moment.p, "o" + moment.o])
			marks.has(key) ? marks.get(key).push(moment) : marks.set(key, [moment]);
	for (let i = 0; i <= 4; i++)
		svg.append(make("line", {
				   x1: x(end * i / 4),
				   x2: x(end * i / 4),
				   y1: 16,
				   y2: rows.length * 20 + 20,
				   stroke: "var(--line)"
			   }),
			   make("text", {
				   x: x(end * i / 4),
				   y: 12,
				   class: "faint",
				   "text-anchor": i === 4 ? "end"
						  : i     ? "middle"
							  : "start"
			   },
				time(end * i / 4)));
	rows.forEach((row, i) => {
		const y = i * 20 + 22, label = row.label.length > 24 ? "..." + row.label.slice(-21) : row.label;
		svg.append(make("text", {x: 0, y: y + 11}, label),
			   make("rect", {
				   class: row.process ? "process" : "object",
				   x: x(row.from),
				   y,
				   width: Math.max(2, x(row.until) - x(row.from)),
				   height: 14,
				   rx: 2,
				   fill: bars[row.process ? "process" : row.leaked ? "leaked object" : "object"]
			   },
				make("title", {},
				     row.label + ": " + row.title + ", " + time(row.from) + " to " + time(row.until))));
		const drawn = new Set();
		for (const moment of marks.get(row.process ? "p" + row.process : "o" + row.object) || []) {
			const place = Math.round(x(moment.t)), grave = moment.of === "sigbus", mark = place + moment.of;
			/* Of what could not be told apart one is drawn. */
			if (drawn.has(mark) && !grave)
				continue;
			drawn.add(mark);
			svg.append(make("rect", {
				class: "moment",
				x: place,
				y: grave ? y - 2 : y + 1,
				width: grave ? 4 : 1.5,
				height: grave ? 18 : 12,
				fill: colours[moment.of]
			},
					make("title", {},
					     time(moment.t) + " " + moment.of +
						     (moment.o ? " " + nameOf(objects.get(moment.o)) : "") +
						     extent(moment) + " by " + who(moment.p))));
		}
		if (row.ended === "signal")
			svg.append(make("text", {
				x: Math.min(x(row.until), WIDTH - 12),
				y: y + 12,
				style: "fill: var(--error); font-weight: bold"
			},
					KILLED));
	});
	const legend = make("div", {class: "faint legend"}, "Marks: ");
	for (const [of, colour] of Object.entries(colours))
		legend.append(make("span", {style: "color: " + colour}, "\u25ae "), of + "  ");
	legend.append(make("span", {style: "color: var(--error); font-weight: bold"}, KILLED + " "), "killed by a signal. Bars: ");
	for (const [of, colour] of Object.entries(bars))
		legend.append(make("span", {style: "color: " + colour}, "\u25ac "), of + "  ");
	at("timeline").append(legend, make("div", {class: "wide"}, svg));
	const rowless = [without(actors().length, users.size, "process"), without(there.length, shown.length, "object")]
				.filter(Boolean);
	if (rowless.length)
		at("timeline")
			.append(make("div", {class: "faint rowless"},
				     rowless.join(" and ") + " have no row: there are too many. Those of findings come first."));
	if (data.left_out)
		at("timeline")
			.append(make("div", {class: "faint"},
				     plural(data.left_out, "mark") +
					     " left out: there are too many. Those that are here are spread over the whole time. " +
					     (data.told_left_out ? "Also of" : "Nothing of") +
					     " what an error, a warning or the worst finding is about, or of a SIGBUS, is left out" +
					     (data.told_left_out ? ": " + number(data.told_left_out) : "") + "."));
}

/* The flame graph: widths are shares of the whole, a click makes a frame the whole. */
function drawFlame(root)
{
	const weight = at("weight").value, box = at("flame"), top = {name: "all", value: 0, children: new Map()};
	for (const stack of data.stacks.filter(s => s[weight])) {
		let node = top;
		top.value += stack[weight];
		for (const frame of stack.frames) {
			if (!node.children.has(frame))
				node.children.set(frame, {name: frame, value: 0, children: new Map()});
			node = node.children.get(frame);
			node.value += stack[weight];
		}
	}
	let node = top, depth = 0, deepest = 0;
	for (const name of root || [])
		node = node.children.get(name) || node;
	box.replaceChildren();
	const place = (part, left, level, path) => {
		const share = node.value ? part.value / node.value * 100 : 0,
		      amount = weight === "bytes" ? bytes(part.value) : plural(part.value, "mapping");
		if (share < .1)
			return;
		const bar = make("div", {
			style: "left: " + left + "%; width: " + share + "%; top: " + level * 20 + "px",
			title: part.name + ": " + amount + ", " + share.toFixed(1) + " %",
			tabindex: 0
		},
				 part.name + " " + amount);
		bar.addEventListener("click", () => drawFlame(path.length === (root || []).length ? [] : path));
		box.append(bar);
		deepest = Math.max(deepest, level + 1);
		for (const child of [...part.children.values()].sort((a, b) => b.value - a.value)) {
			place(child, left, level + 1, [...path, child.name]);
			left += child.value / node.value * 100;
		}
	};
	if (node.value)
		place(node, 0, depth, root || []);
	else
		box.textContent = "Nothing.";
	box.style.height = deepest * 20 + "px";
}
