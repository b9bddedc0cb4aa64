package widgets

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func tree(paths ...string) []FileItem {
	sort.Strings(paths)
	items := make([]FileItem, len(paths))
	for i, p := range paths {
		items[i] = FileItem{Path: p}
	}
	return items
}

// draw writes rows as an indented text: "+" an open directory, ">" a closed one.
func draw(rows FileRows) string {
	var b strings.Builder
	for _, r := range rows {
		sign := ""
		if r.Item < 0 {
			sign = map[bool]string{true: "+", false: ">"}[r.Open]
		}
		fmt.Fprintf(&b, "%s%s%s", strings.Repeat(".", r.Depth), sign, r.Name)
		if r.Item < 0 {
			fmt.Fprintf(&b, "(%d)", r.Files)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestLayout(t *testing.T) {
	items := tree("a.txt", "app/editor/Cell.php", "app/editor/Row.php", "app/pages/Page.php", "lang/de/x.json", "z.txt")
	for _, c := range []struct {
		name   string
		show   func(int) bool
		closed map[string]bool
		want   string
	}{
		{"all open", nil, nil, "a.txt\n+app(3)\n.+editor(2)\n..Cell.php\n..Row.php\n.+pages(1)\n..Page.php\n+lang/de(1)\n.x.json\nz.txt\n"},
		{"one closed", nil, map[string]bool{"app/editor": true}, "a.txt\n+app(3)\n.>editor(2)\n.+pages(1)\n..Page.php\n+lang/de(1)\n.x.json\nz.txt\n"},
		{"a closed one hides what is in it", nil, map[string]bool{"app": true}, "a.txt\n>app(3)\n+lang/de(1)\n.x.json\nz.txt\n"},
		{"filtered", func(i int) bool { return strings.Contains(items[i].Path, "Page") }, nil, "+app/pages(1)\n.Page.php\n"},
		{"nothing", func(int) bool { return false }, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := draw(Layout(items, c.show, c.closed)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAnAlertShowsOnItsDirectories(t *testing.T) {
	items := tree("app/a/x", "app/b/y")
	items[1].Alert = true
	for _, r := range Layout(items, nil, nil) {
		if want := r.Path == "app" || r.Path == "app/b" || r.Path == "app/b/y"; r.Alert != want {
			t.Errorf("%s: alert %v, want %v", r.Path, r.Alert, want)
		}
	}
}

func TestLayoutShowsEachFileOnceUnderItsOwnName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-c]{1,2}`)
		seen := map[string]bool{}
		var paths []string
		for _, parts := range rapid.SliceOf(rapid.SliceOfN(name, 1, 4)).Draw(t, "paths") {
			p := strings.Join(parts, "/") + ".f"
			if !seen[p] {
				seen[p] = true
				paths = append(paths, p)
			}
		}
		items := tree(paths...)
		shown := map[int]int{}
		var open []string // names of the directories that lead to a row
		for _, r := range Layout(items, nil, nil) {
			open = append(open[:r.Depth], r.Name)
			if got := strings.Join(open, "/"); got != r.Path {
				t.Fatalf("the row of %s stands under %s", r.Path, got)
			}
			if r.Item >= 0 {
				shown[r.Item]++
				if items[r.Item].Path != r.Path {
					t.Fatalf("row %s is of item %s", r.Path, items[r.Item].Path)
				}
			}
		}
		for i := range items {
			if shown[i] != 1 {
				t.Fatalf("%s is shown %d times in %v", items[i].Path, shown[i], paths)
			}
		}
	})
}

// manyItems is a release of n files in directories of a hundred.
func manyItems(n int) []FileItem {
	items := make([]FileItem, n)
	for i := range items {
		items[i] = FileItem{Path: fmt.Sprintf("vendor/package%04d/src/file%03d.php", i/100, i%100), Sign: "~", Detail: "+12 B"}
	}
	return items
}

func BenchmarkLayout100000(b *testing.B) {
	items := manyItems(100_000)
	for b.Loop() {
		Layout(items, nil, nil)
	}
}
