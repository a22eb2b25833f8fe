package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds everything that is done in one tab.
const patience = time.Minute

// step is something that is done in a tab.
type step = chromedp.Action[chromedp.Void]

// call is a command of the debugging protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

// tab is a browser's tab that notes what it must not see.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	requests []string
	errors   []string
}

// open opens a story's page in a tab of its own, of this width, after doing first. When the test ends, no request may have gone to anybody
// else, and nothing may have gone wrong in the page.
func open(t *testing.T, story, path string, width int64, first ...step) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: stories[story]}
	if b.base == "" {
		t.Fatalf("no story %q", story)
	}
	if err := chromedp.Listen(ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.check)
	b.do(append([]step{
		call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(runtime.Enable, cdp.Empty{}),
		chromedp.EmulateViewport(width, 900),
	}, first...)...)
	b.do(chromedp.Navigate(b.base+path), chromedp.WaitReady(chromedp.CSS("main")))
	return b
}

// heard notes what the browser tells.
func (b *tab) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.errors = append(b.errors, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprint("console: ", e.Type))
	}
}

func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		b.t.Error("the tab has seen no request at all")
	}
	for _, address := range b.requests {
		if !strings.HasPrefix(address, b.base+"/") && !strings.HasPrefix(address, "data:") {
			b.t.Errorf("the page asks %s", address)
		}
	}
	for _, text := range b.errors {
		b.t.Errorf("the browser complains: %s", text)
	}
}

func (b *tab) do(steps ...step) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns what JavaScript says, as a T.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%v in %s", err, script)
	}
	return out
}

// until waits until JavaScript says true.
func (b *tab) until(script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](script)); err != nil {
		b.t.Fatalf("%v while waiting for %s", err, script)
	}
}

// text is what a person reads in the first element of a selector, in one line.
func (b *tab) text(selector string) string {
	b.t.Helper()
	text := eval[string](b, fmt.Sprintf(`(document.querySelector(%q) || {innerText: "(there is no such element)"}).innerText`, selector))
	return strings.Join(strings.Fields(text), " ")
}

// contains fails unless what a person reads there has each of these in it.
func (b *tab) contains(selector string, texts ...string) {
	b.t.Helper()
	have := b.text(selector)
	for _, text := range texts {
		if !strings.Contains(have, text) {
			b.t.Errorf("%s says %q, and not %q", selector, have, text)
		}
	}
}

// report is as much of status.json as is compared.
type report struct {
	NodeGroups []struct {
		Name                         string
		TargetSize, MinSize, MaxSize int
		Counts                       struct{ Ready *int }
		Members                      []struct{ ServerName string }
		History                      []struct {
			TargetSize int
			Floor      *int
			Load       *float64
		}
	}
	Decisions []struct{ Kind, Reason string }
}

// read reads a story's status.json.
func read(t *testing.T, story string) *report {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, stories[story]+"/status.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	out := new(report)
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
	return out
}
