package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/site"
	"moult/core/update"
)

// TestTheHoursCountWhenTheSiteWouldChange has fetching take until the hours are over.
func TestTheHoursCountWhenTheSiteWouldChange(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	for name, text := range map[string]string{"v1/index.php": "one", "v2/index.php": "two", "site/index.php": "one"} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	p := &Program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
	for _, args := range [][]string{
		{"publish", "init", dir + "/repo"},
		{"publish", "add", dir + "/repo", "--version", "1.0.0", "--tree", dir + "/v1"},
		{"publish", "add", dir + "/repo", "--version", "1.1.0", "--tree", dir + "/v2"},
		{"init", dir + "/site", "--url", "file://" + filepath.ToSlash(dir) + "/repo/", "--root", dir + "/repo/root.json"},
	} {
		if code := p.Run(args); code != 0 {
			t.Fatalf("moult %s: exit %d\n%s", args, code, out.String())
		}
	}
	hour := func(h int) time.Time { return time.Date(2026, 11, 12, h, 59, 0, 0, time.UTC) }
	for _, c := range []struct {
		times []time.Time // before and after fetching
		want  string
	}{
		{[]time.Time{hour(1)}, "Nothing is installed now"},
		{[]time.Time{hour(4), hour(5)}, "Nothing is installed now"},
		{[]time.Time{hour(3), hour(4)}, "The site is at 1.1.0."},
	} {
		p := &Program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, yes: true}
		out.Reset()
		asked := 0
		err := p.withWholeSite(t.Context(), dir+"/site", func(e *update.Engine, done []*update.Result, report update.Report) error {
			e.Site().Config.Unattended = site.Unattended{Hours: "02:00-05:00"}
			r := &rules{site: e.Site(), now: func() time.Time { asked++; return c.times[asked-1] }}
			return p.update(t.Context(), e, update.Choices{}, "", r, done, report)
		})
		if err != nil || !strings.Contains(out.String(), c.want) || asked != len(c.times) {
			t.Errorf("at %v: %v, asked %d times\n%s", c.times, err, asked, out.String())
		}
	}
}
