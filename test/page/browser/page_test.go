package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestThePageSaysWhatTheJSONSays(t *testing.T) {
	b, want := open(t, "day", "/", 1200), read(t, "day")
	if len(want.NodeGroups) != 4 {
		t.Fatalf("%d node groups", len(want.NodeGroups))
	}
	for _, g := range want.NodeGroups {
		row := eval[string](b, fmt.Sprintf(`[...document.querySelectorAll(".overview tbody tr")].find(r => r.cells[0].innerText === %q).innerText`, g.Name))
		for _, text := range []string{fmt.Sprintf("%d / %d", *g.Counts.Ready, g.TargetSize)} {
			if !strings.Contains(row, text) {
				t.Errorf("the row of %s says %q, and not %q", g.Name, row, text)
			}
		}
		heading := eval[string](b, fmt.Sprintf(`document.getElementById("group-%s").innerText`, g.Name))
		if !strings.HasPrefix(heading, g.Name) {
			t.Errorf("its section is headed %q", heading)
		}
	}
	b.contains("h1", "1 problem")
	b.contains(".problems", "BadAnnotation", "node-group-max-size=many", "Remedy: give a whole number")
	b.contains(".decisions", "Grow workers 3 → 5", "Remove workers 5 → 3", "2 members that were named have gone, and no others", "floor 5: cpu 85 on 3 machines, target 60, wants 5")
	if rows := eval[int](b, `document.querySelectorAll(".decisions li").length`); rows != len(want.Decisions) {
		t.Errorf("%d of %d decisions are shown", rows, len(want.Decisions))
	}
	b.contains("#certificates-table", "UnknownToken", "NewMember")
	title := eval[string](b, `document.title`)
	if !strings.Contains(title, "1 problem") {
		t.Errorf("the title is %q", title)
	}
}

// The steps of the sizes are where they were, and as high as they were: 3 members, then 5, then 3, on a scale to 8, the highest floor.
func TestChartsShowWhatHasHappened(t *testing.T) {
	b, want := open(t, "day", "/?group=workers", 1200), read(t, "day")
	type corner struct{ X, Y float64 }
	steps := eval[[]corner](b, `(() => {
		const path = document.querySelector(".line.target").getAttribute("d");
		let x = 0, y = 0, out = [];
		for (const [, command, a, b] of path.matchAll(/([MHVL])([-0-9.]+)(?: ([-0-9.]+))?/g)) {
			if (command === "M") { x = +a; y = +b; out.push({X: x, Y: y}); }
			if (command === "H") x = +a;
			if (command === "V" && +a !== y) { y = +a; out.push({X: x, Y: y}); }
		}
		return out;
	})()`)
	var history []int
	for _, g := range want.NodeGroups {
		if g.Name == "workers" {
			for _, p := range g.History {
				history = append(history, p.TargetSize)
			}
		}
	}
	const width, height, margin, top = 480, 96, 4, 8
	var wanted []corner
	for i, size := range history {
		if i == 0 || size != history[i-1] {
			wanted = append(wanted, corner{width * float64(i) / float64(len(history)-1), margin + (height-2*margin)*(1-float64(size)/top)})
		}
	}
	if len(wanted) != 3 || history[0] != 3 || history[20] != 5 || history[len(history)-1] != 3 {
		t.Fatalf("the story is another one: %v", history)
	}
	if len(steps) != len(wanted) {
		t.Fatalf("steps %v, not %v", steps, wanted)
	}
	for i := range steps {
		if dx, dy := steps[i].X-wanted[i].X, steps[i].Y-wanted[i].Y; dx*dx > .01 || dy*dy > .01 {
			t.Errorf("step %d is at %v, not at %v", i, steps[i], wanted[i])
		}
	}
	// As drawn: the line is inside of its picture, and the picture has a size.
	if ok := eval[bool](b, `(() => {
		const s = document.querySelector(".plot svg").getBoundingClientRect(), l = document.querySelector(".line.target").getBoundingClientRect();
		return s.width > 200 && s.height > 50 && l.left >= s.left - 2 && l.right <= s.right + 2 && l.top >= s.top - 2 && l.bottom <= s.bottom + 2 && l.width > 0.9 * s.width;
	})()`); !ok {
		t.Error("the line is not where it should be")
	}
	for _, text := range []string{"target between 3 and 5, now 3", "floor between 2 and 8, now 2", "ready between 3 and 5, now 3"} {
		if have := eval[string](b, `document.querySelector(".plot svg").getAttribute("aria-label")`); !strings.Contains(have, text) {
			t.Errorf("the text for those who don't see the picture is %q, without %q", have, text)
		}
	}
	if have := eval[string](b, `document.querySelectorAll(".plot svg")[1].getAttribute("aria-label")`); !strings.Contains(have, "load between 0.333 and 1.42, now 0.633") {
		t.Errorf("the load's is %q", have)
	}
}

func TestTheCloudsWordsAreOnlyWords(t *testing.T) {
	for _, path := range []string{"/", "/?group=gpu", "/?group=%3Cscript%3Edocument.title%3D%22taken%22%3C%2Fscript%3E%3Cb%20id%3Dinjected%3E"} {
		b := open(t, "day", path, 1200)
		b.contains("main", `<script>document.title="taken"</script>`)
		if eval[bool](b, `document.title === "taken" || document.getElementById("injected") !== null || document.querySelectorAll("script").length !== 1 || document.images.length > 0`) {
			t.Errorf("%s: it was taken for more", path)
		}
		if strings.Contains(path, "%3C") {
			b.mu.Lock()
			b.errors = nil // the browser logs that it was answered 404
			b.mu.Unlock()
		}
	}
}

func TestKeyboardAloneUnfoldsMembersAndRefreshingKeepsThem(t *testing.T) {
	b := open(t, "day", "/", 1200)
	focused := func() string {
		return eval[string](b, `(e => e.tagName + " " + (e.id || (e.parentElement || {}).id))(document.activeElement)`)
	}
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if focused() == "SUMMARY group-workers-members" {
			break
		}
	}
	if have := focused(); have != "SUMMARY group-workers-members" {
		t.Fatalf("Tab leads to %s, and never to the members of workers", have)
	}
	if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
		t.Error("nobody sees where the focus is")
	}
	if eval[bool](b, `document.getElementById("group-workers-list").checkVisibility()`) {
		t.Error("the members are unfolded from the start")
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if !eval[bool](b, `document.getElementById("group-workers-list").checkVisibility()`) {
		t.Fatal("Enter does not unfold the members")
	}
	b.contains("#group-workers-list", "workers-0", "Ready", "m1.small")
	// From here on: it may have refreshed itself before.
	eval[string](b, `document.querySelector("main").dataset.old = "yes"`)
	b.until(`document.querySelector("main").dataset.old !== "yes"`) // it has refreshed itself
	if !eval[bool](b, `document.getElementById("group-workers-members").open`) {
		t.Error("refreshing folds the members")
	}
	if have := focused(); have != "SUMMARY group-workers-members" {
		t.Errorf("refreshing moves the focus to %s", have)
	}
}

// Every text can be read in both modes, and the page fits on a telephone and on a wide screen.
func TestColorsAndWidths(t *testing.T) {
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{400, 1600} {
			for _, page := range []struct{ story, path string }{{"day", "/"}, {"day", "/?group=gpu"}, {"unread", "/"}, {"standby", "/"}, {"empty", "/"}} {
				b := open(t, page.story, page.path, width, call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				}))
				if have := eval[int64](b, `document.documentElement.scrollWidth`); have > width {
					t.Errorf("%s%s is %d wide on a screen of %d", page.story, page.path, have, width)
				}
				backgrounds[scheme+" "+eval[string](b, `getComputedStyle(document.body).backgroundColor`)] = true
				for _, bad := range eval[[]string](b, contrasts) {
					t.Errorf("%s%s, %s: %s", page.story, page.path, scheme, bad)
				}
			}
		}
	}
	if len(backgrounds) != 2 {
		t.Errorf("light and dark have these backgrounds: %v", backgrounds)
	}
}

// contrasts lists texts whose contrast is below what WCAG 2.2 asks for at level AA (1.4.3): 4.5, or 3 for large ones.
const contrasts = `(() => {
	const parse = c => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
	const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
	const bad = new Set();
	for (const d of document.querySelectorAll("details")) d.open = true;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const e = n.parentElement;
		if (!n.data.trim() || !e.checkVisibility() || ["SCRIPT", "STYLE", "TITLE", "NOSCRIPT"].includes(e.tagName.toUpperCase())) continue;
		const s = getComputedStyle(e), a = light(parse(s.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
		if (ratio < (size >= 24 || size >= 18.66 && s.fontWeight >= 700 ? 3 : 4.5)) bad.add(ratio.toFixed(2) + " of " + n.data.trim().slice(0, 40));
	}
	return [...bad];
})()`

func TestThreeThousandMembers(t *testing.T) {
	b := open(t, "many", "/", 1200)
	if nodes := eval[int](b, `document.getElementsByTagName("*").length`); nodes > 6000 {
		t.Errorf("the page has %d elements", nodes)
	}
	b.contains("#group-crowd-members summary", "3000 members")
	b.do(chromedp.Click(chromedp.CSS("#group-crowd-members summary")), chromedp.Click(chromedp.CSS("#group-crowd-members a[rel=next]")), chromedp.WaitVisible(chromedp.CSS("nav a")))
	b.contains("#group-crowd-members .pages", "1 to 500 of 3000")
	b.do(chromedp.Click(chromedp.CSS("a[rel=next]")), chromedp.WaitVisible(chromedp.CSS("a[rel=prev]")))
	b.contains(".pages", "501 to 1000 of 3000")
	seen := map[string]bool{}
	for from := 0; from < 3000; from += 500 {
		page := open(t, "many", fmt.Sprintf("/?group=crowd&from=%d", from), 1200)
		for _, name := range eval[[]string](page, `[...document.querySelectorAll("#group-crowd-list tbody tr")].map(r => r.cells[1].innerText)`) {
			seen[name] = true
		}
	}
	if len(seen) != 3000 {
		t.Errorf("%d of 3000 members can be reached", len(seen))
	}
}

func TestWithoutScriptsThePageIsTheSame(t *testing.T) {
	b := open(t, "day", "/", 1200, call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.contains(".overview", "workers", "3 / 3")
	b.do(chromedp.Click(chromedp.CSS("#group-workers-members summary")))
	b.contains("#group-workers-list", "workers-0")
	if !eval[bool](b, `document.getElementById("pause").hidden`) {
		t.Error("there is a button that does nothing")
	}
}

func TestStates(t *testing.T) {
	for story, texts := range map[string][]string{
		"empty":   {"There is no node group", "A stack becomes a node group when it is tagged", "Nothing has been decided"},
		"standby": {"No cluster-autoscaler asks this replica", "is not asked"},
		"unread":  {"The cloud can't be read, so nothing is resized", "connection refused", "workers", "2 / 2"},
	} {
		open(t, story, "/", 1000).contains("main", texts...)
	}
}

func TestThePageCanBeUnderstoodByMachines(t *testing.T) {
	b := open(t, "day", "/?group=workers", 1200)
	for what, script := range map[string]string{
		"the language":            `document.documentElement.lang === "en"`,
		"one first heading":       `document.querySelectorAll("h1").length === 1`,
		"no heading is left out":  `[...document.querySelectorAll("h1,h2,h3")].map(h => +h.tagName[1]).every((n, i, all) => i === 0 ? n === 1 : n <= all[i-1] + 1)`,
		"columns have headers":    `[...document.querySelectorAll("table")].every(t => t.tHead && [...t.tHead.rows[0].cells].every(c => c.tagName === "TH" && c.scope === "col"))`,
		"pictures have texts":     `[...document.querySelectorAll("svg")].every(s => s.getAttribute("role") === "img" && s.getAttribute("aria-label").length > 10)`,
		"ids are there once":      `(ids => new Set(ids).size === ids.length)([...document.querySelectorAll("[id]")].map(e => e.id))`,
		"labels are there":        `[...document.querySelectorAll("[aria-labelledby]")].every(e => document.getElementById(e.getAttribute("aria-labelledby")))`,
		"scrolled parts by keys":  `[...document.querySelectorAll(".scroll")].every(e => e.tabIndex === 0 && e.getAttribute("role") === "region")`,
		"a way past the header":   `document.querySelector("body > a").getAttribute("href") === "#content" && document.getElementById("content") !== null`,
		"nothing from elsewhere":  `[...document.querySelectorAll("[src],[href]")].every(e => /^(\/|#|data:,$)/.test(e.getAttribute("src") || e.getAttribute("href")))`,
		"no style in an element":  `document.querySelectorAll("[style]").length === 0`,
		"no form, nothing to set": `document.querySelectorAll("form,input,select,textarea").length === 0`,
	} {
		if !eval[bool](b, script) {
			t.Error(what)
		}
	}
}
