package browser

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// stories are the addresses that test/page/serve has told, by the stories' names.
var stories = map[string]string{}

// browser is the one browser of all tests.
var browser context.Context

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run serves the stories and starts the browser for the time of the tests.
func run(m *testing.M) (int, error) {
	server, chromium := os.Getenv("PAGE_SERVER"), os.Getenv("PAGE_BROWSER")
	if server == "" || chromium == "" {
		return 0, fmt.Errorf("PAGE_SERVER and PAGE_BROWSER are not set: start these tests by test/page/run")
	}
	cmd := exec.Command(server) //nolint:gosec // built by test/page/run
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	const all = 5
	for lines := bufio.NewScanner(out); len(stories) < all && lines.Scan(); {
		name, address, _ := strings.Cut(lines.Text(), " ")
		stories[name] = address
	}
	if len(stories) < all {
		return 0, fmt.Errorf("test/page/serve shows %d of %d stories", len(stories), all)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox is not for root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	defer stopAllocator()
	var stop context.CancelFunc
	browser, stop = chromedp.NewContext(allocator)
	defer stop()
	if err := chromedp.Do(browser); err != nil {
		return 0, fmt.Errorf("starting %s: %w", chromium, err)
	}
	return m.Run(), nil
}
