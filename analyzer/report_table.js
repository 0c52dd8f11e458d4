
/* Tables: a click on a heading sorts, all of one is searched, and as much is drawn as opens in a moment. */
const ROWS_DRAWN = 200, ROWS_MORE = 1000, tables = [];

/* Numbers within names are numbers: /seg.2 comes before /seg.10. */
const collator = new Intl.Collator("en", {numeric: true});
const smaller = (x, y) => typeof x === "string" && typeof y === "string" ? collator.compare(x, y)
			  : x < y					 ? -1
			  : x > y					 ? 1
										 : 0;

/* Sort is told whether the greatest is to come first: of numbers at the first click, of words at the second. */
function tableHeading(title, kind, sort)
{
	const button = make("button", {type: "button"}, title), heading = make("th", {class: kind || "", scope: "col"}, button);
	button.addEventListener("click", () => {
		const sorted = heading.getAttribute("aria-sort"), down = sorted ? sorted === "ascending" : kind === "number";
		for (const other of heading.parentElement.cells)
			other.removeAttribute("aria-sort");
		heading.setAttribute("aria-sort", down ? "descending" : "ascending");
		sort(down);
	});
	return heading;
}

/* How many rows are missing, and a way to them. */
function tableRest(left, all, what, more)
{
	const rest = make("div", {class: "faint rest"});
	if (!all)
		rest.append("Nothing matches.");
	if (left) {
		rest.append(number(left) + " of " + plural(all, what) + " not drawn. ");
		const amounts = left > ROWS_MORE ? [ROWS_MORE, left] : [left];
		for (const amount of amounts) {
			const button = make("button", {type: "button"},
					    amount < left ? "Draw " + number(amount) + " more" : "Draw all");
			button.addEventListener("click", () => more(amount));
			rest.append(button, " ");
		}
	}
	return rest;
}

/* columns: heading, what it is sorted by, what stands there if that is not the same, class. what: one of the items. */
function drawTable(where, what, columns, items)
{
	if (!items.length) {
		at(where).append("None.");
		return;
	}
	const words = item => columns.map(([, value, text]) => visible(String((text || value)(item))));
	const body = make("tbody"), all = items.map(item => ({item, text: null}));
	let found = all, wanted = ROWS_DRAWN, rest = make("div");
	const draw = from => {
		for (const row of found.slice(from, wanted))
			body.append(make("tr", {}, ...words(row.item).map((text, i) => {
				const cell = make("td", {class: columns[i][3] || ""});
				cell.append(text);
				return cell;
			})));
		const next = tableRest(Math.max(0, found.length - wanted), found.length, what, amount => {
			wanted += amount;
			draw(wanted - amount);
		});
		rest.replaceWith(next);
		rest = next;
	};
	const again = () => {
		body.replaceChildren();
		draw(0);
	};
	const headings = columns.map(([title, value, , kind]) => tableHeading(title, kind, down => {
		const order = (a, b) => smaller(value(a.item), value(b.item)) * (down ? -1 : 1);
		all.sort(order);
		if (found !== all)
			found.sort(order);
		again();
	}));
	tables.push(matches => {
		for (const row of all)
			row.text = row.text || words(row.item).join("\n").toLowerCase();
		found = all.filter(row => matches(row.text));
		wanted = ROWS_DRAWN;
		again();
	});
	at(where).append(make("div", {class: "table"},
			      make("table", {}, make("thead", {}, make("tr", {}, ...headings)), body)),
			 rest);
	draw(0);
}
