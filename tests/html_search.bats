#!/usr/bin/env bats
# The page of report --format=html: what is searched for, sorted, chosen and drawn in part.

bats_require_minimum_version 1.5.0

load helpers
load html

@test "a long table is drawn in part; what is searched and sorted is all of it" {
	objects 1500 long
	"$SHMGUARD" report --format=html:page.html long
	use page.html <<-'END'
		const said = [], rows = () => [...document.querySelectorAll("#objects tbody tr")];
		const rest = () => document.querySelector("#objects .rest").textContent;
		const find = text => { at("search").value = text; at("search").dispatchEvent(new Event("input")); };
		const size = () => document.querySelectorAll("#objects th button")[2].click();
		said.push(rows().length, rest());
		size();
		said.push(rows()[0].cells[2].textContent, rows().length);
		find("-1234");
		said.push(rows().length, rows()[0].cells[0].textContent.split("-").pop(), rest());
		find("no such name");
		said.push(rows().length, rest(), at("none").hidden);
		find("");
		size();
		said.push(rows()[0].cells[2].textContent);
		document.querySelector("#objects .rest button").click();
		said.push(rows().length, rest());
		document.querySelector("#objects .rest button").click();
		said.push(rows().length, rest());
		document.title = said.join("; ");
	END
	expected="200; 1,300 of 1,500 objects not drawn. Draw 1,000 more Draw all ; 1.5 KiB; 200; 1; 1234; "
	expected+="; 0; Nothing matches.; false; 1 B; 1200; 300 of 1,500 objects not drawn. Draw all ; 1500; "
	titled page.html "$expected"
}

@test "numbers within names are sorted as numbers, words at first from their beginning and numbers from the greatest" {
	"$SHMGUARD" report --format=html leaks >page.html
	use page.html <<-'END'
		const said = [], names = ["/crowd.10", "/crowd.2", "/crowd.2", "/Crowd.1", "/a"];
		at("unseen").replaceChildren();
		drawTable("unseen", "line", [["Name", o => o.name], ["Size", o => o.size, o => o.size, "number"]],
			  names.map((name, i) => ({name, size: i * 5})));
		const head = i => document.querySelectorAll("#unseen th")[i], column = i =>
			[...document.querySelectorAll("#unseen tbody tr")].map(row => row.cells[i].textContent).join(" ");
		for (const i of [0, 0, 1, 1, 0]) {
			head(i).querySelector("button").click();
			said.push(column(i), head(i).getAttribute("aria-sort"));
		}
		document.title = said.join("; ");
	END
	titled page.html "$(printf '%s; ' "/a /Crowd.1 /crowd.2 /crowd.2 /crowd.10" ascending \
		"/crowd.10 /crowd.2 /crowd.2 /Crowd.1 /a" descending "20 15 10 5 0" descending "0 5 10 15 20" ascending \
		"/a /Crowd.1 /crowd.2 /crowd.2 /crowd.10")ascending"
}

@test "search, severity, sorting, keys and the flame graph do what they say" {
	"$SHMGUARD" report --format=html leaks >page.html
	use page.html <<-'END'
		const said = [], shown = () => [...document.querySelectorAll(".finding:not([hidden])")].length;
		const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
		const change = (id, value, event) => { at(id).value = value; at(id).dispatchEvent(new Event(event)); };
		change("search", "gone unlinked", "input");
		said.push(shown(), [...document.querySelectorAll("#objects tbody tr:not([hidden])")].length);
		change("search", "", "input");
		change("level", "error", "change");
		said.push(shown());
		change("level", "note", "change");
		press("j");
		press("j");
		said.push([...document.querySelectorAll(".finding")].findIndex(f => f.contains(document.activeElement)));
		document.querySelectorAll("#objects th button")[2].click();
		said.push(document.querySelector("#objects tbody tr").cells[0].textContent);
		document.querySelectorAll("#objects th button")[2].click();
		said.push(document.querySelector("#objects tbody tr").cells[0].textContent);
		change("weight", "mappings", "change");
		said.push(document.querySelector("#flame div").textContent);
		press("/");
		said.push(document.activeElement.id);
		at("search").value = "nothing has this";
		at("search").dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
		said.push(document.activeElement.id || "nowhere", shown());
		said.push(document.querySelectorAll("#objects th")[2].getAttribute("aria-sort"));
		document.title = said.join("; ");
	END
	titled page.html "1; 1; 2; 1; /seg; /gone; all 14 mappings; search; nowhere; 4; ascending"
}

@test "search finds what the page shows of a finding, and nothing of how its data are written" {
	cat >shown.c <<-'END'
		#include <fcntl.h>
		#include <sys/mman.h>
		#include <unistd.h>
		static void leak(const char *name, off_t size)
		{
			int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			if (ftruncate(fd, size))
				_exit(1);
			close(fd);
		}
		int main(void)
		{
			for (int i = 0; i < 3; i++)
				leak((const char *[]){"/shown-a", "/shown-b", "/shown-c"}[i], 700000);
			leak("/odd\x1b\xe2\x80\xae", 3L << 30);
			return 0;
		}
	END
	cc -g -o shown shown.c
	"$SHMGUARD" run --quiet --report=none -o shown.rec -- ./shown
	rm -f /dev/shm/shown-? /dev/shm/odd*
	"$SHMGUARD" report --format=html:page.html --rule=segment-leak shown.rec
	use page.html <<-'END'
		const said = [], shown = () => [...document.querySelectorAll(".finding:not([hidden])")].length;
		const find = text => { at("search").value = text; at("search").dispatchEvent(new Event("input")); };
		const print = report.findings[0].fingerprint;
		for (const text of ["", "shown.c:15", "main shown.c:14", "segment-leak", "2 MiB", "3 times", "/shown-a", "/shown-b", "shown-c", "/shown-d", "/odd\\x1b\\u{202e}",
				    "3 GiB", "process " + report.processes[0].pid, "exited with status 0",
				    print, print.slice(0, 3) + " nothing", "inlined", "build_id", "frames", "fingerprint", "null", "o1\"",
				    String(report.findings[0].time)]) {
			find(text);
			said.push(shown());
		}
		document.title = said.join(" ");
	END
	titled page.html "2 1 1 2 1 1 1 1 1 0 1 1 2 2 1 0 0 0 0 0 0 0 0"
}

@test "search finds a finding by the objects and the processes of all its occurrences, which it lists" {
	"$SHMGUARD" run --quiet --report=none -o others.rec -- sh -c \
		"'$PROGRAMS/leaky' 1 /others-a; '$PROGRAMS/leaky' 1 /others-b; '$PROGRAMS/leaky' 1 /others-c"
	rm -f /dev/shm/others-*
	"$SHMGUARD" report --format=html:page.html --rule=segment-leak others.rec
	use page.html <<-'END'
		const said = [], shown = () => [...document.querySelectorAll(".finding:not([hidden])")].length;
		const find = text => { at("search").value = text; at("search").dispatchEvent(new Event("input")); };
		for (const p of report.processes.filter(p => base(p.exe) === "leaky"))
			find(p.pid + " leaky"), said.push(shown());
		for (const text of ["others-a0", "others-b0", "others-c0", "others-d0"])
			find(text), said.push(shown());
		const panel = document.querySelector(".finding");
		panel.open = true;
		panel.fill();
		said.push(report.findings.length, panel.textContent.includes("Also of 2 objects and 2 processes"),
			  panel.textContent.includes("null"));
		document.title = said.join(" ");
	END
	titled page.html "1 1 1 1 1 1 0 1 true false"
	# Of one occurrence nothing more is listed.
	"$SHMGUARD" run --quiet --report=none -o one.rec -- "$PROGRAMS/leaky" 1 /others-a
	rm -f /dev/shm/others-*
	"$SHMGUARD" report --format=html:page.html --rule=segment-leak one.rec
	use page.html <<-'END'
		const panel = document.querySelector(".finding");
		panel.open = true;
		panel.fill();
		document.title = [report.findings.length, /Also of|null/.test(panel.textContent)].join(" ");
	END
	titled page.html "1 false"
}

@test "search finds a finding by each of the recordings that it is of, which it lists" {
	mkdir both
	for part in one two three; do
		"$SHMGUARD" run --quiet --report=none -o both/$part -- "$PROGRAMS/leaky" 1 /searched
		rm -f /dev/shm/searched*
	done
	"$SHMGUARD" run --quiet --report=none -o both/clean -- "$PROGRAMS/rate" 2 0.01
	"$SHMGUARD" report --format=html:page.html --rule=segment-leak both
	use page.html <<-'END'
		const said = [], shown = () => [...document.querySelectorAll(".finding:not([hidden])")].length;
		const find = text => { at("search").value = text; at("search").dispatchEvent(new Event("input")); };
		for (const text of ["both/one", "both/two", "both/three", "both/clean", "three both/two"])
			find(text), said.push(shown());
		const panel = document.querySelector(".finding");
		panel.open = true;
		panel.fill();
		said.push(report.findings.length, panel.textContent.includes("Also of 2 objects, 2 processes and 2 recordings"));
		document.title = said.join(" ");
	END
	titled page.html "1 1 1 0 1 1 true"
}
